"""Watches the calendar of rounds, from the process that is always there: warns before one is missed, raises an alarm after.

What the calendar says is decided by inspection.lapses and becomes an alarm in the ledger like any other: at the gravest
stop of the route, raised once however often it is looked at and by however many processes, ended when a round of the plan
has been walked whole. Retired plans raise nothing, and what they raised ends.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from dispatch import alarms
from inspection import lapses, windows
from inspection.lapses import Lapse, Told
from ledger import calendar_conditions, conditions, dossier, facilities, plans
from ledger.conditions import Cause
from ledger.errors import LedgerError
from ledger.pool import Connection, Pool, transaction
from ledger.records import Condition, ConditionReason, ConditionSpec
from rules.model import ANY_KIND, Pack, Rule
from rules.response import ResponseTable
from settings import Now
from watching.logs import told

ACTOR = "calendar"
LOOK_S = 30.0
_LOOK_BACK = timedelta(days=40)  # [E]: a month's plan has its last window in it

log = logging.getLogger(__name__)


class RoundWatch:
    def __init__(self, pool: Pool, packs: Mapping[str, Pack], table: ResponseTable, clock: Now) -> None:
        self._pool, self._table, self._clock = pool, table, clock
        pack = packs.get(ANY_KIND)
        self._rules: Mapping[str, Rule] = {} if pack is None else pack.rules

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
        """One transaction for each site."""
        for site_id in scope:
            async with transaction(self._pool, sites=[site_id]) as connection:
                if await calendar_conditions.watch(connection, site_id):
                    await self._look_at(connection, site_id, self._clock())

    async def _look_at(self, connection: Connection, site_id: int, now: datetime) -> None:
        wanted = await self._lapsed(connection, now)
        standing = {
            (each.facility_id, Lapse(each.rule_key)): each
            for each in await calendar_conditions.standing(connection, site_id, [*Lapse])
        }
        touched = {facility_id for facility_id, _ in wanted.keys() ^ standing.keys()}
        if touched:
            await dossier.lock_facilities(connection, sorted(touched))
        for place in sorted(wanted.keys() - standing.keys()):
            await self._begin(connection, site_id, place, wanted[place], now)
        for place in sorted(standing.keys() - wanted.keys()):
            cause = Cause(ACTOR, ConditionReason.CALENDAR_DONE, at=now, now=now)
            await alarms.end(connection, await conditions.get(connection, standing[place].id), cause, now)

    async def _lapsed(self, connection: Connection, now: datetime) -> Mapping[tuple[int, Lapse], Mapping[str, object]]:
        found: dict[int, list[tuple[str, Told]]] = {}
        for plan in await plans.of_site(connection):
            coming = now + windows.EARLY  # a round may have been walked before its window began
            walked, stops = await windows.of_plan(connection, plan, now - _LOOK_BACK, coming, now)
            chief = lapses.chief(stops)
            if chief is not None:
                told_of = lapses.of_plan(walked[::-1], now)
                found.setdefault(chief.facility_id, []).extend((plan.key, each) for each in told_of)
        return lapses.by_place(found)

    async def _begin(
        self,
        connection: Connection,
        site_id: int,
        place: tuple[int, Lapse],
        detail: Mapping[str, object],
        now: datetime,
    ) -> None:
        facility_id, lapse = place
        rule = self._rules.get(lapse)
        if rule is None:
            told(log, logging.ERROR, "round_lapse_untold", site_id=site_id, rule=lapse)
            return  # a pack `any` of one's own, without it: docs/inspection.md
        spec = ConditionSpec(facility_id, None, lapse, rule.severity)
        condition: Condition = await calendar_conditions.at(connection, site_id, spec)
        if condition.active:
            return
        cause = Cause(ACTOR, ConditionReason.CALENDAR_LAPSED, at=now, now=now, detail=detail)
        alarm_id = await alarms.begin(connection, condition, rule, cause, self._table, now)
        await facilities.bump_revision(
            connection, site_id
        )  # or ingest, which opens its order later, would not know of it
        facility = await facilities.facility(connection, facility_id)
        told(log, logging.INFO, "alarm_raised", site_id=site_id, facility=facility.key, rule=lapse, alarm=alarm_id)
