"""What the whole process has once, and every request uses: the pool, the packs, the response table, the clock, the feed."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request

from api.attempts import Attempts, Noted
from api.feed import Feed
from api.oidc import Provider
from api.origin import Network
from api.principal import NO_SITE
from api.strangers import Strangers
from api.vault import Vault
from inspection.checklist import Book
from inspection.decoding import Darkroom
from inspection.photo_store import PhotoStore
from inspection.recording import Desk
from inspection.report_shelf import Shelf
from ledger import scope
from ledger.pool import Connection, Pool
from rules.model import Pack
from rules.response import ResponseTable
from rules.works import Works
from settings import Now

_SITES_KEPT_S = 5.0


@dataclass(slots=True)
class Sites:
    """All sites there are: the scope of whoever holds a right everywhere. `keys` is what was last seen."""

    pool: Pool
    keys: Mapping[int, str] = field(default_factory=dict[int, str])
    _known_until: float = float("-inf")

    async def __call__(self) -> list[int]:
        """All of them, and what belongs to none; asked for again every few seconds."""
        return await self.refreshed() if time.monotonic() >= self._known_until else self._scope()

    async def refreshed(self) -> list[int]:
        """As it is now."""
        self._note(await scope.every_site(self.pool))
        return self._scope()

    async def open(self, connection: Connection) -> None:
        """Let a transaction see all of them as they are now. For the live stream, which would pass by what happens at a
        site it does not know yet.
        """
        self._note(await scope.open_every_site(connection, [NO_SITE]))

    def _note(self, keys: Mapping[int, str]) -> None:
        self.keys = keys
        self._known_until = time.monotonic() + _SITES_KEPT_S

    def _scope(self) -> list[int]:
        return [NO_SITE, *self.keys]


@dataclass(frozen=True, slots=True)
class Service:
    pool: Pool
    packs: Mapping[str, Pack]
    works: Works
    response: ResponseTable
    clock: Now
    sites: Sites
    feed: Feed
    vault: Vault
    attempts: Attempts
    noted: Noted
    trusted_proxies: Sequence[Network]
    session_idle: timedelta
    session_longest: timedelta
    provider: Provider | None  # of OpenID Connect
    provider_name: str
    provider_claim: str  # whose value is a login here
    provider_makes_people: bool
    token_sha256: bytes | None  # the operator's own: opens everything
    metrics_token_sha256: bytes | None  # opens /metrics and nothing else
    ingest_silent_s: float
    lag_max_s: float
    visit_desk: Desk
    darkroom: Darkroom
    drawing_room: Darkroom  # files of estates, one at a time
    report_shelf: Shelf
    photo_store: PhotoStore
    photos_site_bytes_max: int
    strangers: Strangers
    public_url: str | None  # where people reach the service; None: no tag is printed

    @property
    def book(self) -> Book:
        """The checklists."""
        return self.visit_desk.book


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


InService = Annotated[Service, Depends(service_of)]
