"""Writes down that somebody asked for what he has no right to. Bounded: who asks in a loop fills no disk."""

import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from fastapi import Request

from api.authentication import Asking
from api.service import Service
from ledger import audit_log
from ledger.pool import transaction

PER_MINUTE_MAX = 20
_KEPT_MAX = 10_000


@dataclass(slots=True)
class _Written:
    at: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict[str, deque[float]])

    def may(self, who: str) -> bool:
        now = time.monotonic()
        recent = self.at.setdefault(who, deque(maxlen=PER_MINUTE_MAX))
        self.at.move_to_end(who)
        while len(self.at) > _KEPT_MAX:
            self.at.popitem(last=False)
        if len(recent) == PER_MINUTE_MAX and recent[0] > now - 60:
            return False
        recent.append(now)
        return True


_written = _Written()


async def note(service: Service, asking: Asking, request: Request, *, site_id: int | None) -> None:
    """At the desk, as a refusal belongs to no right."""
    if not _written.may(asking.principal.key):
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
