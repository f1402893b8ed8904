"""Journal entries as answers: of conditions and alarms, and of work orders."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from api.catalogue import CATALOGUE
from api.shapes import Answered, PageOf, Reason
from ledger.journals import ConditionEvent, WorkOrderEvent
from ledger.lifecycle import ConditionMove, ConditionState, WorkOrderClock, WorkOrderState


class ConditionEventOut(Answered):
    """One move of a condition. `at` is device time for what the process did, our time for what people did."""

    seq: int
    move: ConditionMove
    from_state: ConditionState
    to_state: ConditionState
    at: datetime
    recorded_at: datetime
    alarm: int | None
    actor: str
    reason: Reason
    note: str | None
    detail: Mapping[str, object]


class ConditionJournal(PageOf):
    """Newest first."""

    items: Sequence[ConditionEventOut]


class WorkOrderEventOut(Answered):
    """One change of an order. `move` is a move of the lifecycle, or open, join, link, breach, note, alarm_cleared,
    photo, part, part_struck, signature, call_back: what these say is in `detail`.
    """

    seq: int
    move: str
    from_state: WorkOrderState
    to_state: WorkOrderState
    clock: WorkOrderClock | None
    at: datetime
    recorded_at: datetime
    actor: str
    reason: Reason
    note: str | None
    detail: Mapping[str, object]


class WorkOrderJournal(PageOf):
    """Newest first."""

    items: Sequence[WorkOrderEventOut]


def condition_event(event: ConditionEvent) -> ConditionEventOut:
    return ConditionEventOut(
        seq=event.seq,
        move=event.move,
        from_state=event.from_state,
        to_state=event.to_state,
        at=event.at,
        recorded_at=event.recorded_at,
        alarm=event.alarm_id,
        actor=event.actor,
        reason=CATALOGUE.reason("condition_reason", event.reason),
        note=event.note,
        detail=event.detail,
    )


def work_order_event(event: WorkOrderEvent) -> WorkOrderEventOut:
    return WorkOrderEventOut(
        seq=event.seq,
        move=event.move,
        from_state=event.from_state,
        to_state=event.to_state,
        clock=event.clock,
        at=event.at,
        recorded_at=event.recorded_at,
        actor=event.actor,
        reason=CATALOGUE.reason("order_reason", event.reason),
        note=event.note,
        detail=event.detail,
    )
