"""The journals as people read them: of a condition, of one alarm of it, of a work order; and the notes on an alarm."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ledger.lifecycle import ConditionMove, ConditionState, WorkOrderClock, WorkOrderState
from ledger.pool import Connection


@dataclass(frozen=True, slots=True)
class ConditionEvent:
    seq: int
    move: ConditionMove
    from_state: ConditionState
    to_state: ConditionState
    at: datetime  # device time for the process, our time for people
    recorded_at: datetime
    alarm_id: int | None
    actor: str
    reason: str
    note: str | None
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class WorkOrderEvent:
    seq: int
    move: str  # a move, or what else happens to an order: open, or one of WORK_ORDER_EVENTS
    from_state: WorkOrderState
    to_state: WorkOrderState
    clock: WorkOrderClock | None
    at: datetime
    recorded_at: datetime
    actor: str
    reason: str
    note: str | None
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AlarmNote:
    id: int
    text: str
    actor: str
    at: datetime


async def of_condition(
    connection: Connection, condition_id: int, *, before_seq: int | None = None, limit: int = 100
) -> list[ConditionEvent]:
    """A page of a condition's journal, newest first."""
    cursor = await connection.execute(
        "select seq, move, from_state, to_state, at, recorded_at, alarm_id, actor, reason, note, detail "
        "from condition_event where condition_id = %s and (%s::bigint is null or seq < %s) order by seq desc limit %s",
        [condition_id, before_seq, before_seq, limit],
    )
    return [_condition_event(*row) async for row in cursor]


async def of_alarm(connection: Connection, alarm_id: int, *, limit: int = 200) -> list[ConditionEvent]:
    """What happened during one alarm, oldest first; of a very long one the newest entries."""
    cursor = await connection.execute(
        "select seq, move, from_state, to_state, at, recorded_at, alarm_id, actor, reason, note, detail "
        "from condition_event where alarm_id = %s order by seq desc limit %s",
        [alarm_id, limit],
    )
    return [_condition_event(*row) async for row in cursor][::-1]


async def notes(connection: Connection, alarm_id: int, *, limit: int = 200) -> list[AlarmNote]:
    """What people wrote to an alarm, oldest first; of very many the newest."""
    cursor = await connection.execute(
        "select id, text, actor, at from alarm_note where alarm_id = %s order by id desc limit %s", [alarm_id, limit]
    )
    return [AlarmNote(*row) async for row in cursor][::-1]


async def of_work_order(
    connection: Connection, order_id: int, *, before_seq: int | None = None, limit: int = 200
) -> list[WorkOrderEvent]:
    """A page of a work order's journal, newest first."""
    cursor = await connection.execute(
        "select seq, move, from_state, to_state, clock, at, recorded_at, actor, reason, note, detail "
        "from work_order_event where work_order_id = %s and (%s::bigint is null or seq < %s) "
        "order by seq desc limit %s",
        [order_id, before_seq, before_seq, limit],
    )
    return [_work_order_event(*row) async for row in cursor]


def _condition_event(
    seq: int, move: str, from_state: str, to_state: str, at: datetime, recorded_at: datetime, *rest: object
) -> ConditionEvent:
    states = ConditionState(from_state), ConditionState(to_state)
    return ConditionEvent(seq, ConditionMove(move), *states, at, recorded_at, *rest)  # pyright: ignore[reportArgumentType]  columns in order


def _work_order_event(
    seq: int, move: str, from_state: str, to_state: str, clock: str | None, *rest: object
) -> WorkOrderEvent:
    states = WorkOrderState(from_state), WorkOrderState(to_state)
    missed = None if clock is None else WorkOrderClock(clock)
    return WorkOrderEvent(seq, move, *states, missed, *rest)  # pyright: ignore[reportArgumentType]  columns in order
