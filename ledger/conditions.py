"""Conditions and their alarms: every move, its journal, its alarm, its dossier entry and its notice, together.

`move` is the only way a condition changes. It locks the facility (the lock of everything in it), asks the lifecycle
table, and writes one guarded UPDATE; the alarm follows from the states the condition leaves and enters: an alarm is
open exactly while its condition is not NORM.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from psycopg import AsyncCursor
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from ledger import condition_writing, dossier, facilities, gathering, notices, timers
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
from ledger.sharing import sharing

_RULES_MOVES = frozenset(
    {ConditionMove.RAISE, ConditionMove.CLEAR, ConditionMove.LATCH, ConditionMove.SUPPRESS, ConditionMove.UNSUPPRESS}
)


@dataclass(frozen=True, slots=True)
class Held:
    """A condition of a facility that is locked, and its open alarm."""

    condition: Condition
    alarm_id: int | None


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move did. `alarm_id` is None only where no alarm is or was open."""

    condition_id: int
    facility_id: int
    move: ConditionMove
    from_state: ConditionState
    to_state: ConditionState
    alarm_id: int | None
    after: Held

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
    shared = sharing()
    return [_condition(shared(row)) async for row in cursor]


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
    now_held = await held(connection, [condition_id])  # as it is now that nobody else can change it
    if condition_id not in now_held:
        raise NotFound("condition", condition_id)
    return await move_held(
        connection,
        now_held[condition_id],
        step,
        cause,
        grading=grading,
        shelve_until=shelve_until,
        one_shot=one_shot,
    )


async def held(connection: Connection, condition_ids: Sequence[int]) -> dict[int, Held]:
    """These conditions, whose facilities the caller has locked: so they stay until he moves them."""
    cursor = await connection.execute(
        "select condition.id, condition.site_id, condition.facility_id, part_id, rule_key, condition.severity, state, "
        "suppressed, out_of_service, shelved_until, alarm.id from condition "
        "left join alarm on alarm.condition_id = condition.id and ended_at is null where condition.id = any(%s)",
        [list(condition_ids)],
    )
    return {row[0]: Held(_condition(row[:10]), row[10]) async for row in cursor}


async def move_held(
    connection: Connection,
    before: Held,
    step: ConditionMove,
    cause: Cause,
    *,
    grading: Grading | None = None,
    shelve_until: datetime | None = None,
    one_shot: bool = False,
) -> Moved:
    """As `move`, of a condition of which the caller knows how it stands."""
    assert (step is ConditionMove.SHELVE) == (shelve_until is not None), "shelving is bounded in time, always"
    condition = before.condition
    to_state = _target(condition, step)
    written = await condition_writing.write(
        connection,
        condition,
        step,
        to_state,
        {
            "at": cause.at,
            "now": cause.now,
            "actor": cause.actor,
            "reason": cause.reason,
            "note": cause.note,
            "detail": Jsonb(cause.detail or {}),
            "late": cause.late,
            "by_rules": step in _RULES_MOVES,
            "until": shelve_until,
            "one_shot": one_shot,
        },
        grading,
    )
    alarm_id = before.alarm_id
    if condition.state is ConditionState.NORM and to_state is not ConditionState.NORM:
        row = await written.fetchone()
        assert row is not None, "the facility's lock keeps the state from moving under us"
        alarm_id = int(row[0])
    else:
        await _made(connection, written)
    after = Held(_after(condition, step, to_state, shelve_until), None if to_state is ConditionState.NORM else alarm_id)
    moved = Moved(condition.id, condition.facility_id, step, condition.state, to_state, alarm_id, after)
    await _turn_timers(connection, moved, condition, cause, shelve_until)
    await _tell(connection, condition, moved, cause)
    if step in (ConditionMove.CLEAR, ConditionMove.LATCH) and condition.shelved_until is not None:
        return await _end_one_shot_shelving(connection, moved, cause)
    if step in (ConditionMove.REMOVE_FROM_SERVICE, ConditionMove.RETURN_TO_SERVICE):
        await facilities.bump_revision(connection, condition.site_id)  # what hides behind its alarm (`raised`)
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


async def _made(connection: Connection, written: AsyncCursor[TupleRow]) -> None:
    """A move that matched no row would be a flaw of ours: looked at now, or with the others at the end."""
    kept = gathering.of(connection)
    if kept is None:
        assert await written.fetchone() is not None, "the facility's lock keeps the state from moving under us"
    else:
        kept.moves.append(written)


def _after(
    condition: Condition, step: ConditionMove, to_state: ConditionState, shelve_until: datetime | None
) -> Condition:
    """What `condition_writing.write` makes of it."""
    is_over = step in (ConditionMove.UNSHELVE, ConditionMove.UNSHELVE_EXPIRED)
    return replace(
        condition,
        state=to_state,
        suppressed={ConditionMove.SUPPRESS: True, ConditionMove.UNSUPPRESS: False}.get(step, condition.suppressed),
        out_of_service={ConditionMove.REMOVE_FROM_SERVICE: True, ConditionMove.RETURN_TO_SERVICE: False}.get(
            step, condition.out_of_service
        ),
        shelved_until=None if is_over else shelve_until or condition.shelved_until,
    )


async def _turn_timers(
    connection: Connection, moved: Moved, before: Condition, cause: Cause, shelve_until: datetime | None
) -> None:
    """Start the timer that ends a shelving; take away those whose subject is no more."""
    if shelve_until is not None:
        await timers.start(
            connection,
            site_id=before.site_id,
            kind=TimerKind.SHELVING,
            condition_id=before.id,
            since=cause.now,
            due_at=shelve_until,
        )
    elif before.shelved_until is not None and moved.after.condition.shelved_until is None:
        await timers.stop(connection, TimerKind.SHELVING, condition_id=before.id)
    if before.state is ConditionState.NORM:
        return
    if moved.to_state is ConditionState.NORM and moved.alarm_id is not None:
        await timers.stop(connection, TimerKind.ORDER_DUE, alarm_id=moved.alarm_id)
    if moved.to_state is not ConditionState.ACKED:
        await timers.stop(connection, TimerKind.REALARM, condition_id=before.id)


async def _tell(connection: Connection, condition: Condition, moved: Moved, cause: Cause) -> None:
    await dossier.append(
        connection,
        site_id=condition.site_id,
        facility_id=condition.facility_id,
        kind="condition",
        body={
            "condition": condition.id,
            "rule": condition.rule_key,
            "part": condition.part_id,
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


async def _end_one_shot_shelving(connection: Connection, moved: Moved, cause: Cause) -> Moved:
    """One-shot shelving covers one occurrence: when it clears, the shelving is over (unacknowledged, if it still shows)."""
    cursor = await connection.execute("select shelved_one_shot from condition where id = %s", [moved.condition_id])
    row = await cursor.fetchone()
    if row is None or not row[0]:
        return moved
    over = Cause("clock", "one_shot_ended", at=cause.now, now=cause.now)
    unshelved = await move_held(connection, moved.after, ConditionMove.UNSHELVE_EXPIRED, over)
    return replace(moved, after=unshelved.after)


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
