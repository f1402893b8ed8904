"""One statement for one move of a condition: its state, its alarm, its entry in the journal."""

from collections.abc import Mapping
from typing import Final, LiteralString

from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from ledger.lifecycle import ConditionMove, ConditionState
from ledger.pool import Connection
from ledger.records import Condition, Grading

# Guarded by the state it was decided from. It has a row, or nothing below has one.
_MOVED: Final[LiteralString] = (
    "with moved as (update condition set state = %(to)s, "
    "state_since = case when state = %(to)s then state_since else %(at)s end, journal_length = journal_length + 1, "
    "moved_at = case when %(by_rules)s then greatest(moved_at, %(at)s) else moved_at end, "
    "suppressed = case %(step)s::text when 'suppress' then true when 'unsuppress' then false else suppressed end, "
    "out_of_service = case %(step)s when 'remove_from_service' then true when 'return_to_service' then false "
    "else out_of_service end, "
    "out_of_service_reason = case %(step)s when 'remove_from_service' then %(note)s "
    "when 'return_to_service' then null else out_of_service_reason end, "
    "shelved_until = case when %(unshelving)s then null else coalesce(%(until)s, shelved_until) end, "
    "shelved_by = case when %(unshelving)s then null when %(step)s = 'shelve' then %(actor)s else shelved_by end, "
    "shelved_one_shot = case when %(step)s = 'shelve' then %(one_shot)s else shelved_one_shot and not %(unshelving)s end "
    "where id = %(id)s and state = %(from)s returning id, site_id, facility_id, severity, journal_length), "
)
_OPENED: Final[LiteralString] = (
    "followed as (insert into alarm (site_id, condition_id, facility_id, severity, priority, priority_reason, began_at, "
    "raised_at, late, explanation) select site_id, id, facility_id, severity, %(priority)s, %(priority_reason)s, %(at)s, "
    "%(now)s, %(late)s, %(detail)s from moved returning id) "
)
_CHANGED: Final[LiteralString] = (
    "followed as (update alarm set version = version + 1, "
    "occurrences = occurrences + case when %(step)s = 'raise' then 1 else 0 end, "
    "returned_at = case when %(step)s in ('clear', 'latch') then %(at)s when %(step)s = 'raise' then null "
    "else returned_at end, "
    "acknowledged_at = case when %(step)s in ('raise', 'realarm') or %(to)s in ('UNACK', 'LATUN') then null "
    "when %(acknowledged)s then coalesce(acknowledged_at, %(now)s) else acknowledged_at end, "
    "acknowledged_by = case when %(step)s in ('raise', 'realarm') or %(to)s in ('UNACK', 'LATUN') then null "
    "when %(acknowledged)s then coalesce(acknowledged_by, %(actor)s) else acknowledged_by end, "
    "ended_at = case when %(to)s = 'NORM' then greatest(%(at)s, began_at) end "
    "from moved where condition_id = moved.id and ended_at is null returning alarm.id) "
)
_NO_ALARM: Final[LiteralString] = "followed as (select null::bigint as id from moved) "
_JOURNAL: Final[LiteralString] = (
    "insert into condition_event (site_id, condition_id, seq, move, from_state, to_state, at, recorded_at, "
    "alarm_id, actor, reason, note, detail) "
    "select site_id, moved.id, journal_length, %(step)s::condition_move, %(from)s, %(to)s, %(at)s, %(now)s, "
    "followed.id, %(actor)s, %(reason)s, %(note)s, %(detail)s from moved, followed returning alarm_id"
)


async def write(
    connection: Connection,
    before: Condition,
    step: ConditionMove,
    to_state: ConditionState,
    said: Mapping[str, object],
    grading: Grading | None,
) -> AsyncCursor[TupleRow]:
    """The alarm is opened, changed or ended so that it says what the condition does. The answer is one row with its id,
    null where there is none; no row if the condition is not in the state `before` says, or its alarm is missing.
    """
    values: dict[str, object] = {
        **said,
        "id": before.id,
        "from": before.state,
        "to": to_state,
        "step": step.value,
        "unshelving": step in (ConditionMove.UNSHELVE, ConditionMove.UNSHELVE_EXPIRED),
    }
    if before.state is not ConditionState.NORM:
        values["acknowledged"] = to_state in (ConditionState.ACKED, ConditionState.LATACK) or (
            to_state is ConditionState.NORM and before.state is ConditionState.RTNUN
        )
        return await connection.execute(_MOVED + _CHANGED + _JOURNAL, values)
    if to_state is ConditionState.NORM:
        return await connection.execute(_MOVED + _NO_ALARM + _JOURNAL, values)
    assert grading is not None, "an alarm is graded before it is opened"
    values["priority"], values["priority_reason"] = grading.priority, grading.reason
    return await connection.execute(_MOVED + _OPENED + _JOURNAL, values)
