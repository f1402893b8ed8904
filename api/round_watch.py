"""Watches the calendar of rounds, from the process that is always there: warns before one is missed, raises an alarm after.

What the calendar says is decided by inspection.lapses and becomes an alarm in the ledger like any other: at the gravest
stop of the route, ended when a round of the plan has been walked whole. Retired plans raise nothing, and what they raised
ends.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from api import calendar_alarms
from api.calendar_alarms import CalendarAlarms, Place
from inspection import lapses, windows
from inspection.lapses import Lapse, Told
from ledger import calendar_conditions, plans
from ledger.calendar_conditions import Calendar
from ledger.errors import LedgerError, Unreachable
from ledger.pool import Connection, Pool, transaction
from rules.model import Pack
from rules.response import ResponseTable
from settings import Now

LOOK_S = 30.0
_LOOK_BACK = timedelta(days=40)  # [E]: a month's plan has its last window in it

log = logging.getLogger(__name__)


class RoundWatch:
    def __init__(self, pool: Pool, packs: Mapping[str, Pack], table: ResponseTable, clock: Now) -> None:
        self._pool, self._clock = pool, clock
        self._alarms = CalendarAlarms(packs, table)

    async def run(self, sites: Callable[[], Awaitable[list[int]]]) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look(await sites())
            except LedgerError as error:
                log.warning("nobody watches the calendar of rounds meanwhile: %s", error)
            except Exception:
                log.exception("the watch over rounds failed; it begins anew")  # nobody would miss it until it is needed
            await asyncio.sleep(LOOK_S)

    async def look(self, scope: list[int]) -> None:
        """One transaction for each site: what is wrong with one keeps no alarm of the others. Raises Unreachable."""
        for site_id in scope:
            try:
                async with transaction(self._pool, sites=[site_id]) as connection:
                    if await calendar_conditions.watch(connection, site_id, Calendar.ROUNDS):
                        await self._look_at(connection, site_id, self._clock())
            except Unreachable:
                raise
            except Exception:
                log.exception("the calendar of rounds of site %s is not watched meanwhile", site_id)

    async def _look_at(self, connection: Connection, site_id: int, now: datetime) -> None:
        wanted = await self._lapsed(connection, now)
        standing = await calendar_alarms.standing(connection, site_id, [*Lapse])
        await self._alarms.settle(connection, site_id, standing, wanted, now)

    async def _lapsed(self, connection: Connection, now: datetime) -> Mapping[Place, Mapping[str, object]]:
        found: dict[int, list[tuple[str, Told]]] = {}
        for plan in await plans.of_site(connection):
            coming = now + windows.EARLY  # a round may have been walked before its window began
            walked, stops = await windows.of_plan(connection, plan, now - _LOOK_BACK, coming, now)
            chief = lapses.chief(stops)
            if chief is not None:
                told_of = lapses.of_plan(walked[::-1], now)
                found.setdefault(chief.facility_id, []).extend((plan.key, each) for each in told_of)
        return lapses.by_place(found)
