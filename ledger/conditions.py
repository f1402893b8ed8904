"""Conditions and their alarms: every move, its journal, its alarm, its dossier entry and its notice, together.

`move` is the only way a condition changes. It locks the facility (the lock of everything in it), asks the lifecycle
table, and writes one guarded UPDATE; the alarm follows from the states the condition leaves and enters: an alarm is
open exactly while its condition is not NORM.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncCursor
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from ledger import dossier, facilities, notices, timers
from ledger.errors import IllegalMove, NotFound
from ledger.lifecycle import (
    CONDITION_MOVES,
    ConditionMove,
    ConditionState,
    is_move_shown_legal,
    legal_condition_moves,
)
from ledger.pool import Connection
from ledger.records import Condition, ConditionSpec, Grading, Severity, TimerKind, to_ms

_RULES_MOVES = frozenset(
    {ConditionMove.RAISE, ConditionMove.CLEAR, ConditionMove.LATCH, ConditionMove.SUPPRESS, ConditionMove.UNSUPPRESS}
)


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move did. `alarm_id` is None only where no alarm is or was open."""

    condition_id: int
    facility_id: int
    move: ConditionMove
    from_state: ConditionState
    to_state: ConditionState
    alarm_id: int | None

    @property
    def alarm_opened(self) -> bool:
        return self.from_state is ConditionState.NORM and self.to_state is not ConditionState.NORM


@dataclass(frozen=True, slots=True)
class Cause:
    """Who moves it and why. `at` is device time for the process and our time for people; `now` is always ours."""

    actor: str
    reason: str
    at: datetime
    now: datetime
    note: str | None = None
    detail: Mapping[str, object] | None = None
    late: bool = False


async def ensure(connection: Connection, site_id: int, specs: Sequence[ConditionSpec]) -> list[Condition]:
    """Make a row for every spec and bring back retired ones. Returns all living ones of the site."""
    columns = (
        [spec.facility_id for spec in specs],
        [spec.part_id for spec in specs],
        [spec.rule_key for spec in specs],
        [spec.severity for spec in specs],
    )
    await connection.execute(
        "insert into condition (site_id, facility_id, part_id, rule_key, severity) "
        "select %s, * from unnest(%s::int[], %s::int[], %s::text[], %s::severity[]) "
        "on conflict on constraint condition_identity_unique do update "
        "set severity = excluded.severity, retired_at = null "
        "where condition.severity <> excluded.severity or condition.retired_at is not null",
        [site_id, *columns],
    )
    return await standing(connection, site_id)


async def retire(connection: Connection, condition_ids: Sequence[int], now: datetime) -> None:
    """By number, never "all but these": the watch over rounds makes conditions of its own meanwhile.

    State and journal stay; whether an open alarm is to be cleared is the caller's decision beforehand.
    """
    await connection.execute(
        "update condition set retired_at = %s where id = any(%s) and retired_at is null", [now, list(condition_ids)]
    )


async def standing(connection: Connection, site_id: int) -> list[Condition]:
    """All living conditions of a site with their states."""
    cursor = await connection.execute(
        "select id, site_id, facility_id, part_id, rule_key, severity, state, suppressed, out_of_service, shelved_until "
        "from condition where site_id = %s and retired_at is null order by id",
        [site_id],
    )
    return [_condition(row) async for row in cursor]


async def moved_ms(connection: Connection, site_id: int) -> dict[int, int]:
    """When the rules last moved each condition, in device time; those they never moved are absent."""
    cursor = await connection.execute(
        "select id, moved_at from condition where site_id = %s and retired_at is null and moved_at is not null",
        [site_id],
    )
    return {condition_id: to_ms(moved_at) async for condition_id, moved_at in cursor}


async def get(connection: Connection, condition_id: int) -> Condition:
    """Raises NotFound."""
    cursor = await connection.execute(
        "select id, site_id, facility_id, part_id, rule_key, severity, state, suppressed, out_of_service, shelved_until "
        "from condition where id = %s",
        [condition_id],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("condition", condition_id)
    return _condition(row)


async def move(
    connection: Connection,
    condition_id: int,
    step: ConditionMove,
    cause: Cause,
    *,
    grading: Grading | None = None,
    shelve_until: datetime | None = None,
    one_shot: bool = False,
) -> Moved:
    """Do one move, with its journal entry, alarm, dossier entry and notice.

    `grading` is needed for RAISE, `shelve_until` for SHELVE. Raises NotFound, or IllegalMove (which changes nothing and
    names what is possible). A raise that finds the alarm already open counts one more occurrence of it.
    """
    await connection.execute(
        "select 1 from facility where id = (select facility_id from condition where id = %s) for no key update",
        [condition_id],
    )
    before = await get(connection, condition_id)  # as it is now that nobody else can change it
    to_state = _target(before, step)
    written = await _write_state(
        connection, before, step, to_state, cause, shelve_until=shelve_until, one_shot=one_shot
    )
    alarm_id = await _follow_with_alarm(connection, before, step, to_state, cause, grading)
    assert await written.fetchone() is not None, "the facility's lock keeps the state from moving under us"
    moved = Moved(condition_id, before.facility_id, step, before.state, to_state, alarm_id)
    await _journal(connection, before, moved, cause)
    if step in (ConditionMove.CLEAR, ConditionMove.LATCH):
        await _end_one_shot_shelving(connection, condition_id, cause)
    if step in (ConditionMove.REMOVE_FROM_SERVICE, ConditionMove.RETURN_TO_SERVICE):
        await facilities.bump_revision(connection, before.site_id)  # what hides behind its alarm (`raised`)
    return moved


def _target(condition: Condition, step: ConditionMove) -> ConditionState:
    flags = {
        "out_of_service": condition.out_of_service,
        "suppressed": condition.suppressed,
        "shelved": condition.shelved_until is not None,
    }
    target = CONDITION_MOVES.get((condition.state, step))
    if target is None or not is_move_shown_legal(step, **flags):
        raise IllegalMove(
            f"condition {condition.id}", condition.state, step, legal_condition_moves(condition.state, **flags)
        )
    return target


async def _write_state(
    connection: Connection,
    before: Condition,
    step: ConditionMove,
    to_state: ConditionState,
    cause: Cause,
    *,
    shelve_until: datetime | None,
    one_shot: bool,
) -> AsyncCursor[TupleRow]:
    """One guarded UPDATE: state, flags and the length of the journal. Its one row says that it was made."""
    assert (step is ConditionMove.SHELVE) == (shelve_until is not None), "shelving is bounded in time, always"
    unshelving = step in (ConditionMove.UNSHELVE, ConditionMove.UNSHELVE_EXPIRED)
    cursor = await connection.execute(
        "update condition set state = %(to)s, "
        "state_since = case when state = %(to)s then state_since else %(at)s end, journal_length = journal_length + 1, "
        "moved_at = case when %(by_rules)s then greatest(moved_at, %(at)s) else moved_at end, "
        "suppressed = case %(step)s when 'suppress' then true when 'unsuppress' then false else suppressed end, "
        "out_of_service = case %(step)s when 'remove_from_service' then true when 'return_to_service' then false "
        "else out_of_service end, "
        "out_of_service_reason = case %(step)s when 'remove_from_service' then %(note)s "
        "when 'return_to_service' then null else out_of_service_reason end, "
        "shelved_until = case when %(unshelving)s then null else coalesce(%(until)s, shelved_until) end, "
        "shelved_by = case when %(unshelving)s then null when %(step)s = 'shelve' then %(actor)s else shelved_by end, "
        "shelved_one_shot = case when %(step)s = 'shelve' then %(one_shot)s else shelved_one_shot and not %(unshelving)s end "
        "where id = %(id)s and state = %(from)s returning id",
        {
            "id": before.id,
            "from": before.state,
            "to": to_state,
            "at": cause.at,
            "step": step.value,
            "by_rules": step in _RULES_MOVES,
            "note": cause.note,
            "actor": cause.actor,
            "until": shelve_until,
            "unshelving": unshelving,
            "one_shot": one_shot,
        },
    )
    if shelve_until is not None:
        await timers.start(
            connection,
            site_id=before.site_id,
            kind=TimerKind.SHELVING,
            condition_id=before.id,
            since=cause.now,
            due_at=shelve_until,
        )
    elif unshelving:
        await timers.stop(connection, TimerKind.SHELVING, condition_id=before.id)
    return cursor


async def _follow_with_alarm(
    connection: Connection,
    before: Condition,
    step: ConditionMove,
    to_state: ConditionState,
    cause: Cause,
    grading: Grading | None,
) -> int | None:
    """Open, change or end the alarm so that it says what the condition does; returns its id, None when there is none."""
    if before.state is ConditionState.NORM:
        return await _open_alarm(connection, before, cause, grading) if step is ConditionMove.RAISE else None
    acknowledged = to_state in (ConditionState.ACKED, ConditionState.LATACK) or (
        to_state is ConditionState.NORM and before.state is ConditionState.RTNUN
    )
    cursor = await connection.execute(
        "update alarm set version = version + 1, "
        "occurrences = occurrences + case when %(step)s = 'raise' then 1 else 0 end, "
        "returned_at = case when %(step)s in ('clear', 'latch') then %(at)s when %(step)s = 'raise' then null "
        "else returned_at end, "
        "acknowledged_at = case when %(step)s in ('raise', 'realarm') or %(to)s in ('UNACK', 'LATUN') then null "
        "when %(acknowledged)s then coalesce(acknowledged_at, %(now)s) else acknowledged_at end, "
        "acknowledged_by = case when %(step)s in ('raise', 'realarm') or %(to)s in ('UNACK', 'LATUN') then null "
        "when %(acknowledged)s then coalesce(acknowledged_by, %(actor)s) else acknowledged_by end, "
        "ended_at = case when %(to)s = 'NORM' then greatest(%(at)s, began_at) end "
        "where condition_id = %(id)s and ended_at is null returning id",
        {
            "id": before.id,
            "step": step.value,
            "to": to_state.value,
            "at": cause.at,
            "now": cause.now,
            "actor": cause.actor,
            "acknowledged": acknowledged,
        },
    )
    row = await cursor.fetchone()
    assert row is not None, f"condition {before.id} is {before.state} without an open alarm"
    if to_state is ConditionState.NORM:
        await timers.stop(connection, TimerKind.ORDER_DUE, alarm_id=row[0])
    if to_state is not ConditionState.ACKED:
        await timers.stop(connection, TimerKind.REALARM, condition_id=before.id)
    return int(row[0])


async def _open_alarm(connection: Connection, condition: Condition, cause: Cause, grading: Grading | None) -> int:
    assert grading is not None, "an alarm is graded before it is opened"
    cursor = await connection.execute(
        "insert into alarm (site_id, condition_id, facility_id, severity, priority, priority_reason, began_at, "
        "raised_at, late, explanation) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning id",
        [
            condition.site_id,
            condition.id,
            condition.facility_id,
            condition.severity,
            grading.priority,
            grading.reason,
            cause.at,
            cause.now,
            cause.late,
            Jsonb(cause.detail or {}),
        ],
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def _journal(connection: Connection, before: Condition, moved: Moved, cause: Cause) -> None:
    await connection.execute(
        "insert into condition_event (site_id, condition_id, seq, move, from_state, to_state, at, recorded_at, "
        "alarm_id, actor, reason, note, detail) "
        "select site_id, id, journal_length, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s from condition where id = %s",
        [
            moved.move,
            moved.from_state,
            moved.to_state,
            cause.at,
            cause.now,
            moved.alarm_id,
            cause.actor,
            cause.reason,
            cause.note,
            Jsonb(cause.detail or {}),
            before.id,
        ],
    )
    await dossier.append(
        connection,
        site_id=before.site_id,
        facility_id=before.facility_id,
        kind="condition",
        body={
            "condition": before.id,
            "rule": before.rule_key,
            "part": before.part_id,
            "move": moved.move,
            "from": moved.from_state,
            "to": moved.to_state,
            "at": cause.at,
            "alarm": moved.alarm_id,
            "actor": cause.actor,
            "reason": cause.reason,
            "note": cause.note,
        },
        now=cause.now,
    )
    if moved.alarm_id is not None:
        await notices.alarm_changed(connection, moved.alarm_id, cause.now)


async def _end_one_shot_shelving(connection: Connection, condition_id: int, cause: Cause) -> None:
    """One-shot shelving covers one occurrence: when it clears, the shelving is over (unacknowledged, if it still shows)."""
    cursor = await connection.execute(
        "select shelved_one_shot from condition where id = %s and shelved_until is not null", [condition_id]
    )
    row = await cursor.fetchone()
    if row is not None and row[0]:
        over = Cause("clock", "one_shot_ended", at=cause.now, now=cause.now)
        await move(connection, condition_id, ConditionMove.UNSHELVE_EXPIRED, over)


async def count_repeat(connection: Connection, condition_id: int, now: datetime, *, times: int = 1) -> None:
    """An event happened again while its alarm stands; of an alarm that has ended meanwhile, the last one counts it."""
    cursor = await connection.execute(
        "update alarm set occurrences = occurrences + %s, version = version + 1 "
        "where id = (select id from alarm where condition_id = %s order by ended_at is null desc, id desc limit 1) "
        "returning id",
        [times, condition_id],
    )
    row = await cursor.fetchone()
    if row is not None:
        await notices.alarm_changed(connection, row[0], now)


async def covers(connection: Connection, condition_id: int, at: datetime) -> bool:
    """Whether an alarm of this condition, open or ended, already covers a moment of device time."""
    cursor = await connection.execute(
        "select exists (select from alarm where condition_id = %s and began_at <= %s "
        "and coalesce(returned_at, ended_at, 'infinity') >= %s)",
        [condition_id, at, at],
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


def _condition(row: Sequence[object]) -> Condition:
    number, site_id, facility_id, part_id, rule_key, severity, state, suppressed, out_of_service, shelved_until = row
    assert isinstance(number, int)
    assert isinstance(site_id, int)
    assert isinstance(facility_id, int)
    assert part_id is None or isinstance(part_id, int)
    assert shelved_until is None or isinstance(shelved_until, datetime)
    return Condition(
        number,
        site_id,
        facility_id,
        part_id,
        str(rule_key),
        Severity(str(severity)),
        ConditionState(str(state)),
        bool(suppressed),
        bool(out_of_service),
        shelved_until,
    )
