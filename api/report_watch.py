"""Issues the month's inspection reports by themselves: of each site and each of its grids, once, as soon as the month is over.

Over it is with the last round that began in it, which is on the first of the next month at the latest. What was not issued
because nobody was running is issued afterwards, month by month, a year back at most.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from estate.types import service_terms
from inspection import reckoning
from inspection.checklist import Book
from ledger import facilities, month_facts, reports
from ledger.errors import LedgerError, Unreachable
from ledger.pool import Connection, Pool, transaction
from ledger.records import Site
from settings import Now
from watching.logs import told

ACTOR = "calendar"
LOOK_S = 60.0
MONTHS_BACK_MAX = 12

log = logging.getLogger(__name__)


class ReportWatch:
    def __init__(self, pool: Pool, book: Book, clock: Now) -> None:
        self._pool, self._book, self._clock = pool, book, clock

    async def run(self, sites: Callable[[], Awaitable[list[int]]]) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look(await sites())
            except LedgerError as error:
                log.warning("no inspection report is issued meanwhile: %s", error)
            except Exception:
                log.exception("the watch over inspection reports failed; it begins anew")
            await asyncio.sleep(LOOK_S)

    async def look(self, scope: list[int]) -> None:
        """What is wrong with one site keeps no report of the others. Raises Unreachable."""
        for site_id in scope:
            try:
                await self._look_at(site_id)
            except Unreachable:
                raise
            except Exception:
                log.exception("no inspection report of site %s is issued meanwhile", site_id)

    async def _look_at(self, site_id: int) -> None:
        """One month at a time, each with its grids in one transaction."""
        for month in await self._lacking(site_id):
            async with transaction(self._pool, sites=[site_id]) as connection:
                if not await reports.take_turn(connection, site_id):
                    break  # another process is at it
                if not await self._issue(connection, site_id, month):
                    break

    async def _lacking(self, site_id: int) -> list[date]:
        """Months that are over and lack the report of the whole site, oldest first."""
        async with transaction(self._pool, sites=[site_id]) as connection:
            if site_id not in await facilities.revisions(connection, [site_id]):
                return []  # NO_SITE of the scope
            site = await facilities.site(connection, site_id)
            here = ZoneInfo(site.time_zone)
            months = _before(self._clock().astimezone(here).date(), MONTHS_BACK_MAX)
            issued = await reports.issued_months(connection, site_id, months[0])
            lacking = [each for each in months if (each, None) not in issued]
            if not lacking:
                return []
            began = await month_facts.first_activity(connection, site_id)
        if began is None:
            return []
        first = began.astimezone(here).date().replace(day=1)
        return [each for each in lacking if each >= first]

    async def _issue(self, connection: Connection, site_id: int, month: date) -> bool:
        """False: the month's last round may still be walked."""
        site, now = await facilities.site(connection, site_id), self._clock()
        if now < await reckoning.all_over_at(connection, site, month):
            return False
        issued = await reports.issued_months(connection, site_id, month)
        for grid in [None, *await reckoning.grids(connection, site, month)]:
            if (month, grid) not in issued:
                await self._issue_one(connection, site, month, grid, now)
        return True

    async def _issue_one(
        self, connection: Connection, site: Site, month: date, grid: str | None, now: datetime
    ) -> None:
        figures = await reckoning.reckon(connection, self._book, service_terms(), site, month, grid, now)
        number = await reports.issue(
            connection,
            site.id,
            month=month,
            grid=grid,
            figures=figures.model_dump_json(),
            actor=ACTOR,
            reason=None,
            now=now,
        )
        told(log, logging.INFO, "inspection_report_issued", site=site.key, month=f"{month:%Y-%m}", report=number)


def _before(today: date, months: int) -> list[date]:
    """First days of the months before this one, oldest first."""
    number = today.year * 12 + today.month - 1
    return [date(each // 12, each % 12 + 1, 1) for each in range(number - months, number)]
