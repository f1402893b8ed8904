"""Watches what ends on a day, fire equipment and certificates: an alarm in its last week, and another when it has ended.

By the site's calendar; over when it is replaced, serviced or withdrawn, or its facility retired. Which and how many: inspection.expiry.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from api import calendar_alarms
from api.calendar_alarms import CalendarAlarms
from estate.types import service_terms
from inspection import expiry
from inspection.checklist import Book
from inspection.expiry import ALARM_AHEAD_DAYS, Ending
from ledger import calendar_conditions, expiring, facilities
from ledger.calendar_conditions import Calendar
from ledger.errors import LedgerError, Unreachable
from ledger.pool import Connection, Pool, transaction
from rules.model import Pack
from rules.response import ResponseTable
from settings import Now

LOOK_S = 300.0  # days are its measure; a replacement is seen while whoever made it is still there

log = logging.getLogger(__name__)


class ExpiryWatch:
    def __init__(self, pool: Pool, packs: Mapping[str, Pack], table: ResponseTable, book: Book, clock: Now) -> None:
        self._pool, self._clock = pool, clock
        self._alarms = CalendarAlarms(packs, table)
        self._kinds = expiry.fire_kinds(book)

    async def run(self, sites: Callable[[], Awaitable[list[int]]]) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look(await sites())
            except LedgerError as error:
                log.warning("nobody watches what ends meanwhile: %s", error)
            except Exception:
                log.exception("the watch over what ends failed; it begins anew")
            await asyncio.sleep(LOOK_S)

    async def look(self, scope: list[int]) -> None:
        """One transaction for each site: what is wrong with one keeps no alarm of the others. Raises Unreachable."""
        for site_id in scope:
            try:
                async with transaction(self._pool, sites=[site_id]) as connection:
                    if site_id not in await facilities.revisions(connection, [site_id]):
                        continue  # NO_SITE of the scope
                    if await calendar_conditions.watch(connection, site_id, Calendar.EXPIRY):
                        await self._look_at(connection, site_id, self._clock())
            except Unreachable:
                raise
            except Exception:
                log.exception("what ends at site %s is not watched meanwhile", site_id)

    async def _look_at(self, connection: Connection, site_id: int, now: datetime) -> None:
        site = await facilities.site(connection, site_id)
        today = now.astimezone(ZoneInfo(site.time_zone)).date()
        until = today + timedelta(days=ALARM_AHEAD_DAYS)
        pieces = await expiring.pieces(connection, site_id, until=until, kinds=self._kinds, terms=service_terms())
        papers = await expiring.certificates(connection, site_id, until=until, kinds=expiry.REQUIRED)
        standing = await calendar_alarms.standing(connection, site_id, [*Ending])
        wanted = expiry.alarms([*pieces, *papers], standing.keys(), today)
        await self._alarms.settle(connection, site_id, standing, wanted, now)
