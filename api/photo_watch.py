"""Watches how full the room for pictures is at each site, and says so while there is some left.

Nothing is deleted to make room: pictures are evidence. So whoever runs the service has to hear of it before phones cannot
send theirs; by the log, and by a metric that an alert rule looks at.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ledger import photos
from ledger.errors import LedgerError
from ledger.pool import Pool, transaction

LOOK_S = 300.0
WARN_FROM = 0.8  # [E]: at a steady pace a fifth of the room is a quarter of the time so far

log = logging.getLogger(__name__)


class PhotoWatch:
    """`fullest`: of the site with the least room left, the part of it that is taken."""

    def __init__(self, pool: Pool, bytes_max: int) -> None:
        self._pool, self._bytes_max = pool, bytes_max
        self._warned: set[str] = set()
        self.fullest = 0.0

    async def run(self, sites: Callable[[], Awaitable[list[int]]]) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look(await sites())
            except LedgerError as error:
                log.warning("nobody watches the room for pictures meanwhile: %s", error)
            except Exception:
                log.exception("the watch over the room for pictures failed; it begins anew")
            await asyncio.sleep(LOOK_S)

    async def look(self, scope: list[int]) -> None:
        """Warns of a site once, and again after there was room meanwhile. Raises LedgerError."""
        async with transaction(self._pool, sites=scope) as connection:
            taken = await photos.bytes_by_site(connection)
        parts = {site: size / self._bytes_max for site, size in taken.items()}
        self.fullest = max(parts.values(), default=0.0)
        full = {site for site, part in parts.items() if part >= WARN_FROM}
        for site in sorted(full - self._warned):
            log.warning(
                "photos_nearly_full: the pictures of site %s take %.0f %% of TAIZHANG_PHOTOS_SITE_GIB: raise it before "
                "phones cannot send theirs",
                site,
                100 * parts[site],
            )
        self._warned = full
