"""The alarm list, newest first, by what people look for; a page at a time, and a page stays where it is while alarms come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger.alarms import ALARM_COLUMNS, alarm_from_row
from ledger.lifecycle import ConditionState, ShownState
from ledger.pool import Connection
from ledger.records import Alarm, Priority, Severity


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    """What to show. None or empty: do not ask. `begin` and `end` are about `raised_at`, our time."""

    ids: Sequence[int] = ()
    site: str | None = None
    facility: str | None = None
    rule: str | None = None
    is_open: bool | None = None
    states: Sequence[ConditionState] = ()
    shown: Sequence[ShownState] = ()
    severities: Sequence[Severity] = ()
    priorities: Sequence[Priority] = ()
    begin: datetime | None = None
    end: datetime | None = None


async def page(
    connection: Connection, wanted: AlarmFilter, *, before: tuple[datetime, int] | None = None, limit: int = 100
) -> list[Alarm]:
    """Alarms in scope, newest first. `before`: raised_at and id of the last one of the page before.

    The state of an ended alarm is NORM, whatever its condition has done since.
    """
    cursor = await connection.execute(
        ALARM_COLUMNS + "cross join lateral (select "
        "case when alarm.ended_at is not null then 'NORM' else condition.state::text end as state, "
        "case when alarm.ended_at is not null then 'NORM' when condition.out_of_service then 'OOSRV' "
        "when condition.suppressed then 'DSUPR' when condition.shelved_until is not null then 'SHLVD' "
        "else condition.state::text end as shown) as seen "
        "where (%(ids)s::bigint[] is null or alarm.id = any(%(ids)s)) "
        "and (%(site)s::text is null or site.key = %(site)s) "
        "and (%(facility)s::text is null or facility.key = %(facility)s) "
        "and (%(rule)s::text is null or condition.rule_key = %(rule)s) "
        "and (%(open)s::boolean is null or (alarm.ended_at is null) = %(open)s) "
        "and (%(states)s::text[] is null or seen.state = any(%(states)s)) "
        "and (%(shown)s::text[] is null or seen.shown = any(%(shown)s)) "
        "and (%(severities)s::severity[] is null or alarm.severity = any(%(severities)s)) "
        "and (%(priorities)s::priority[] is null or alarm.priority = any(%(priorities)s)) "
        "and (%(begin)s::timestamptz is null or alarm.raised_at >= %(begin)s) "
        "and (%(end)s::timestamptz is null or alarm.raised_at < %(end)s) "
        "and (%(before)s::timestamptz is null or (alarm.raised_at, alarm.id) < (%(before)s, %(before_id)s::bigint)) "
        "order by alarm.raised_at desc, alarm.id desc limit %(limit)s",
        {
            "ids": list(wanted.ids) or None,
            "site": wanted.site,
            "facility": wanted.facility,
            "rule": wanted.rule,
            "open": wanted.is_open,
            "states": [each.value for each in wanted.states] or None,
            "shown": [each.value for each in wanted.shown] or None,
            "severities": [each.value for each in wanted.severities] or None,
            "priorities": [each.value for each in wanted.priorities] or None,
            "begin": wanted.begin,
            "end": wanted.end,
            "before": before and before[0],
            "before_id": before and before[1],
            "limit": limit,
        },
    )
    return [alarm_from_row(row) async for row in cursor]
