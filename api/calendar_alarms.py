"""Alarms of what a calendar asks for: raised once however often it is looked at and by however many processes, and ended."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from dispatch import alarms
from ledger import calendar_conditions, conditions, dossier, facilities
from ledger.conditions import Cause
from ledger.pool import Connection
from ledger.records import Condition, ConditionReason, ConditionSpec
from rules.model import ANY_KIND, Pack, Rule
from rules.response import ResponseTable
from watching.logs import told

ACTOR = "calendar"
Place = tuple[int, str]  # facility, rule

log = logging.getLogger(__name__)


class CalendarAlarms:
    def __init__(self, packs: Mapping[str, Pack], table: ResponseTable) -> None:
        self._table = table
        pack = packs.get(ANY_KIND)
        self._rules: Mapping[str, Rule] = {} if pack is None else pack.rules

    async def settle(
        self,
        connection: Connection,
        site_id: int,
        standing: Mapping[Place, Condition],
        wanted: Mapping[Place, Mapping[str, object]],
        now: datetime,
    ) -> None:
        """Raise what is wanted and does not stand, end what stands and is not wanted."""
        touched = {facility_id for facility_id, _ in wanted.keys() ^ standing.keys()}
        if touched:
            await dossier.lock_facilities(connection, sorted(touched))
        for place in sorted(wanted.keys() - standing.keys()):
            await self._begin(connection, site_id, place, wanted[place], now)
        for place in sorted(standing.keys() - wanted.keys()):
            cause = Cause(ACTOR, ConditionReason.CALENDAR_DONE, at=now, now=now)
            await alarms.end(connection, await conditions.get(connection, standing[place].id), cause, now)

    async def _begin(
        self, connection: Connection, site_id: int, place: Place, detail: Mapping[str, object], now: datetime
    ) -> None:
        facility_id, key = place
        rule = self._rules.get(key)
        if rule is None:
            told(log, logging.ERROR, "calendar_alarm_untold", site_id=site_id, rule=key)
            return  # a pack `any` of one's own, without it: docs/inspection.md
        spec = ConditionSpec(facility_id, None, key, rule.severity)
        condition: Condition = await calendar_conditions.at(connection, site_id, spec)
        if condition.active:
            return
        cause = Cause(ACTOR, ConditionReason.CALENDAR_LAPSED, at=now, now=now, detail=detail)
        alarm_id = await alarms.begin(connection, condition, rule, cause, self._table, now)
        # or ingest, which opens its order later, would not know of it
        await facilities.bump_revision(connection, site_id)
        facility = await facilities.facility(connection, facility_id)
        told(log, logging.INFO, "alarm_raised", site_id=site_id, facility=facility.key, rule=key, alarm=alarm_id)


async def standing(connection: Connection, site_id: int, rules: Sequence[str]) -> Mapping[Place, Condition]:
    found = await calendar_conditions.standing(connection, site_id, rules)
    return {(each.facility_id, each.rule_key): each for each in found}
