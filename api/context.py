"""What a route has at hand: the pool, the packs, the response table, the clock and the feed; and who is asking."""

import hashlib
import hmac
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.feed import Feed
from api.problems import Unauthorized
from ledger import scope
from ledger.pool import Connection, Pool, transaction
from rules.model import Pack
from rules.response import ResponseTable
from rules.works import Works
from settings import Now

# What names no site we know belongs to whoever may see everything (0002_roles.sql).
NO_SITE = 0
_SITES_KEPT_S = 5.0


@dataclass(slots=True)
class Sites:
    """All sites there are: the scope of the one token. `keys` is what was last seen."""

    pool: Pool
    keys: Mapping[int, str] = field(default_factory=dict[int, str])
    _known_until: float = float("-inf")

    async def __call__(self) -> list[int]:
        """The scope of a request; asked for again every few seconds."""
        return await self.refreshed() if time.monotonic() >= self._known_until else self._scope()

    async def refreshed(self) -> list[int]:
        """As it is now. For the live stream, which would pass by what happens at a site it does not know yet."""
        self.keys = await scope.every_site(self.pool)
        self._known_until = time.monotonic() + _SITES_KEPT_S
        return self._scope()

    def _scope(self) -> list[int]:
        return [NO_SITE, *self.keys]


@dataclass(frozen=True, slots=True)
class Context:
    pool: Pool
    packs: Mapping[str, Pack]
    works: Works
    response: ResponseTable
    clock: Now
    sites: Sites
    feed: Feed
    token_sha256: bytes
    metrics_token_sha256: bytes | None  # opens /metrics and nothing else
    ingest_silent_s: float
    lag_max_s: float

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """A transaction within the scope of whoever asks."""
        async with transaction(self.pool, sites=await self.sites()) as connection:
            yield connection


def context_of(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


InContext = Annotated[Context, Depends(context_of)]

_bearer = HTTPBearer(auto_error=False, description="The one token of the service (TAIZHANG_API_TOKEN)")


def require_token(
    context: InContext, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> None:
    """Raises Unauthorized. Compared as digests and in constant time, so that neither length nor likeness shows."""
    if credentials is None:
        raise Unauthorized("send the header Authorization: Bearer <token>")
    if not _is_one_of(credentials, context.token_sha256):
        raise Unauthorized("this is not the token")


def require_metrics_token(
    context: InContext, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> None:
    """Metrics name sites: shown to whoever may see everything, or has the token that opens nothing else."""
    if credentials is None or not _is_one_of(credentials, context.token_sha256, context.metrics_token_sha256):
        raise Unauthorized("send the header Authorization: Bearer <token>, that of the service or of its metrics")


def _is_one_of(credentials: HTTPAuthorizationCredentials, *digests: bytes | None) -> bool:
    given = hashlib.sha256(credentials.credentials.encode()).digest()
    return any(digest is not None and hmac.compare_digest(given, digest) for digest in digests)
