"""Writes the audit log: what was done, in the transaction that did it; and that somebody asked for what he has no right to.

Refusals are bounded, so that who asks in a loop fills no disk.
"""

from collections.abc import Mapping

from fastapi import Request

from api.authentication import Asking
from api.service import Service
from ledger import audit_log
from ledger.pool import Connection, transaction


async def write(
    connection: Connection,
    service: Service,
    asking: Asking,
    request: Request,
    *,
    site_id: int | None = None,
    subject: str | None = None,
    asked: Mapping[str, object] | None = None,
) -> None:
    """What is being done, in its own transaction. `subject`: what was made, where the path does not name it."""
    await audit_log.write(
        connection,
        asking.doer(),
        operation=operation_of(request),
        subject=subject or subject_of(request),
        site_id=site_id,
        asked=asked,
        now=service.clock(),
    )


async def note(service: Service, asking: Asking, request: Request, *, site_id: int | None) -> None:
    """A refusal; at the desk, as it belongs to no right."""
    if not service.noted.may(asking.principal.key):
        return
    async with transaction(service.pool, desk=True) as connection:
        await audit_log.write(
            connection,
            asking.doer(),
            operation=operation_of(request),
            subject=subject_of(request),
            site_id=site_id,
            asked=None,
            now=service.clock(),
            outcome="refused",
        )


def operation_of(request: Request) -> str:
    """As in openapi.json."""
    return str(getattr(request.scope.get("route"), "name", request.method))


def subject_of(request: Request) -> str:
    """The path behind the prefix."""
    return request.url.path.removeprefix("/api/v1/")[:300]
