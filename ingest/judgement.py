"""What the engine decided becomes what the ledger holds: moves, repeats, delays. The caller has locked the facilities."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ingest.sites import JudgedSite
from ledger import conditions, timers, work_orders
from ledger.conditions import Cause, Held, Moved
from ledger.errors import IllegalMove
from ledger.lifecycle import ConditionMove, ConditionState
from ledger.pool import Connection
from ledger.records import (
    ConditionDecision,
    Decision,
    Delay,
    DelayEnded,
    DelaySet,
    Repeat,
    TimerKind,
    from_ms,
)
from rules import response
from rules.response import ResponseTable

_log = logging.getLogger(__name__)

ACTOR = "rules"
CHATTER_MOVES_MAX = 10  # of one condition in one batch
_PROCESS_MOVES = frozenset({ConditionMove.RAISE, ConditionMove.CLEAR, ConditionMove.LATCH})


class Happening(StrEnum):
    """What is told of by name, in logs and counters, once it is committed."""

    ALARM_RAISED = "alarm_raised"
    ALARM_CLEARED = "alarm_cleared"
    ORDER_OPENED = "order_opened"


@dataclass(frozen=True, slots=True)
class Told:
    what: Happening
    site: str
    facility: str
    rule: str
    alarm_id: int | None
    order_id: int | None = None
    received_ms: int | None = None  # of what showed it


@dataclass(slots=True)
class Applied:
    """What came of the decisions, as far as somebody has to be told."""

    told: list[Told] = field(default_factory=list[Told])
    raised: dict[int, int] = field(default_factory=dict[int, int])  # condition -> when what showed it was received
    cleared: dict[int, int] = field(default_factory=dict[int, int])  # condition -> when what ended it was received
    reraised: list[int] = field(default_factory=list[int])  # alarms that stood already
    unsuppressed: bool = False

    @property
    def may_ring(self) -> bool:
        return bool(self.raised or self.reraised or self.unsuppressed)

    def note(
        self,
        site: JudgedSite,
        what: Happening,
        condition_id: int,
        *,
        alarm_id: int | None,
        order_id: int | None = None,
        received_ms: int | None = None,
    ) -> None:
        condition = site.conditions.get(condition_id)
        if condition is None:
            return  # made by the api since the site was loaded; who raised its alarm has told of it
        facility = site.facilities[condition.facility_id].key
        self.told.append(Told(what, site.site.key, facility, condition.rule_key, alarm_id, order_id, received_ms))


def touched(site: JudgedSite, decisions: Iterable[Decision]) -> set[int]:
    """The facilities that the decisions change: to be locked, in order, before anything is done."""
    return {
        site.conditions[each.condition_id].facility_id
        for each in decisions
        if isinstance(each, ConditionDecision | Repeat)
    }


async def apply(
    connection: Connection, site: JudgedSite, decisions: Sequence[Decision], table: ResponseTable, now: datetime
) -> Applied:
    """In the order they were made. Of several words on one delay only the last is written."""
    decisions, chatter = without_chatter(decisions)
    applied = Applied()
    moving = {each.condition_id for each in decisions if isinstance(each, ConditionDecision)}
    held = await conditions.held(connection, list(moving)) if moving else {}
    delays: dict[tuple[TimerKind, int | None, int | None], Delay | None] = {}
    told_already: set[int] = set()  # late occurrences whose alarm covers them: their second half is void as well
    for decision in decisions:
        match decision:
            case DelaySet(delay):
                delays[delay.kind, delay.condition_id, delay.point_id] = delay
            case DelayEnded(kind, condition_id, point_id):
                delays[kind, condition_id, point_id] = None
            case Repeat(condition_id):
                await conditions.count_repeat(connection, condition_id, now)
            case ConditionDecision() if decision.late and await _is_told(connection, decision, told_already, now):
                continue
            case ConditionDecision():
                moved = await _move(connection, site, held[decision.condition_id], decision, table, now)
                if moved is not None:
                    held[decision.condition_id] = moved.after
                    await _note(connection, site, moved, decision, applied, now)
    for condition_id, times in chatter.items():
        await conditions.count_repeat(connection, condition_id, now, times=times)
    ended = [subject for subject, delay in delays.items() if delay is None]
    of_conditions = [(kind, condition_id) for kind, condition_id, _ in ended if condition_id is not None]
    await timers.end_delays(connection, of_conditions, [point_id for *_, point_id in ended if point_id is not None])
    await timers.keep_delays(connection, site.site.id, [delay for delay in delays.values() if delay is not None])
    return applied


def without_chatter(decisions: Sequence[Decision]) -> tuple[Sequence[Decision], Mapping[int, int]]:
    """The decisions without what a chattering condition did in between, and how often each did it.

    Each move costs a dozen statements. A contact that bounces a thousand times in one message would hold up everybody
    for minutes and tell nobody anything: its first and last moves are made, the rest counts as occurrences. So with its
    followers, which it would hide and show as often. What the sensor said is in the readings, every word of it.
    """
    moves: dict[tuple[int, bool], list[int]] = {}
    for place, each in enumerate(decisions):
        if isinstance(each, ConditionDecision) and not each.late:
            moves.setdefault((each.condition_id, each.move in _PROCESS_MOVES), []).append(place)
    dropped: set[int] = set()
    chatter: dict[int, int] = {}
    for (condition_id, is_process), places in moves.items():
        if len(places) > CHATTER_MOVES_MAX:
            between = places[2:-2]
            between = between[: len(between) // 2 * 2]  # raising and ending take turns: whole pairs go
            dropped.update(between)
            if is_process:
                chatter[condition_id] = len(between) // 2
    return [each for place, each in enumerate(decisions) if place not in dropped], chatter


async def _is_told(connection: Connection, decision: ConditionDecision, told_already: set[int], now: datetime) -> bool:
    """Whether a late occurrence needs no move: an alarm covers its time, or one that nobody has read stands latched
    (then it counts as one more occurrence of that).
    """
    if decision.move is not ConditionMove.RAISE:
        if decision.condition_id not in told_already:
            return False
        told_already.discard(decision.condition_id)
        return True
    covered = await conditions.covers(connection, decision.condition_id, from_ms(decision.at_ms))
    if not covered:
        state = (await conditions.get(connection, decision.condition_id)).state
        if state is not ConditionState.LATUN:
            return False
        await conditions.count_repeat(connection, decision.condition_id, now)
    told_already.add(decision.condition_id)
    return True


async def _move(
    connection: Connection,
    site: JudgedSite,
    held: Held,
    decision: ConditionDecision,
    table: ResponseTable,
    now: datetime,
) -> Moved | None:
    """None: it was refused, and nothing was changed."""
    condition = site.conditions[decision.condition_id]
    facility = site.facilities[condition.facility_id]
    rule = site.rule(facility.kind, condition.rule_key)
    can_wait = rule is not None and rule.can_wait
    graded = response.grade_alarm(table, condition.severity, facility.grade, can_wait=can_wait)
    cause = Cause(
        ACTOR,
        decision.reason,
        at=from_ms(decision.at_ms),
        now=now,
        detail=decision.explanation,
        late=decision.late,
    )
    try:
        return await conditions.move_held(connection, held, decision.move, cause, grading=graded)
    except IllegalMove as refused:
        # Engine and ledger do not agree where the condition stands: the ledger is right.
        _log.error("a decision of the rules was refused, the site is loaded again: %s", refused)
        site.is_out_of_step = True
        return None


async def _note(
    connection: Connection,
    site: JudgedSite,
    moved: Moved,
    decision: ConditionDecision,
    applied: Applied,
    now: datetime,
) -> None:
    number, alarm_id, received_ms = moved.condition_id, moved.alarm_id, decision.received_ms
    match decision.move:
        case ConditionMove.RAISE if moved.alarm_opened:
            applied.raised[moved.condition_id] = decision.received_ms
            applied.note(site, Happening.ALARM_RAISED, number, alarm_id=alarm_id, received_ms=received_ms)
        case ConditionMove.RAISE if moved.alarm_id is not None:
            applied.reraised.append(moved.alarm_id)
        case ConditionMove.CLEAR if moved.alarm_id is not None:
            applied.cleared[moved.condition_id] = decision.received_ms
            applied.note(site, Happening.ALARM_CLEARED, number, alarm_id=alarm_id, received_ms=received_ms)
            await work_orders.alarm_cleared(connection, moved.alarm_id, now)
        case ConditionMove.UNSUPPRESS:
            applied.unsuppressed = True
        case _:
            pass
