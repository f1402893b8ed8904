"""What a route has at hand, and for whom it acts: who asks, from where, and the right that the route needs.

Every route names that right (`needs`). Its transactions then have as their scope exactly the sites at which whoever asks
holds it, so that what a route forgets the database refuses (docs/decisions/0022-people.md).
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from typing import Annotated, Any

from fastapi import Depends, Request, params

from api import trail
from api.authentication import Asking, again, asked_by
from api.problems import NoRight
from api.rights import Right
from api.service import InService, Service
from ledger.audit_log import Doer
from ledger.pool import Connection, transaction


@dataclass(frozen=True, slots=True)
class Context(Service):
    """The service, for one request."""

    asking: Asking
    right: Right | None

    async def scope(self) -> list[int]:
        """Where whoever asks may do what the route is for; nowhere, if the route says nothing of it."""
        return [] if self.right is None else await self.scope_of(self.right)

    async def scope_of(self, right: Right) -> list[int]:
        await self.sites()
        return self.asking.principal.holding.sites(right, self.sites.keys)

    @asynccontextmanager
    async def transaction(self, *, desk: bool = False) -> AsyncGenerator[Connection]:
        """A transaction within that scope."""
        sites, person = await self.scope(), self.asking.principal.person_id
        async with transaction(self.pool, sites=sites, person=person, desk=desk) as connection:
            yield connection

    def doer(self, actor: str | None = None) -> Doer:
        return self.asking.doer(actor)


@dataclass(frozen=True, slots=True)
class Needs:
    """A dependency: whoever asks holds this right somewhere. Where, is in the scope of the transactions."""

    right: Right

    async def __call__(
        self, request: Request, service: InService, asking: Annotated[Asking, Depends(asked_by)]
    ) -> None:
        """Raises NoRight."""
        if not asking.principal.holding.holds_somewhere(self.right):
            await trail.note(service, asking, request, site_id=None)
            raise NoRight(self.right)


def needs(right: Right) -> Any:
    """For the `dependencies` of a route."""
    return Depends(Needs(right))


def right_of(route: Any) -> Right | None:
    """What a route says that it needs."""
    asked: list[params.Depends] = getattr(route, "dependencies", [])
    return next((each.dependency.right for each in asked if isinstance(each.dependency, Needs)), None)


def context_of(request: Request, service: InService, asking: Annotated[Asking, Depends(asked_by)]) -> Context:
    shared = {each.name: getattr(service, each.name) for each in fields(Service)}
    return Context(**shared, asking=asking, right=right_of(request.scope.get("route")))


InContext = Annotated[Context, Depends(context_of)]


async def scope_now(context: Context) -> list[int]:
    """The scope of a request that goes on for long, asked for again. Raises Unauthorized, PasswordChangeDue."""
    asking = await asked_by(await again(context, context.asking))
    await context.sites()
    return [] if context.right is None else asking.principal.holding.sites(context.right, context.sites.keys)
