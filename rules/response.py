"""What follows from an alarm: its priority, its work order, how long it may be shelved. Pure; the data is response.yaml.

Joining: an alarm joins only an unresolved order of the same facility and work class; the ledger then takes the earlier
of each clock and the higher priority, and resumes a suspended order. Life safety opens an order of its own, linked to
those open at the facility; it joins only that of a life-safety alarm that still stands and is one cause with it, which
is when one of the two rules hides behind the other (`raised`): a lift's own word comes after what its doors showed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from ledger.lifecycle import UNRESOLVED_STATES, WorkOrderClock, WorkOrderState
from ledger.records import Deadlines, Grade, Grading, Priority, Severity, Site, WorkOrder
from rules.response_table import (
    FILE,
    STANDARD_PROFILE,
    PriorityReason,
    Profile,
    ResponseErrors,
    ResponseTable,
    Row,
    Shelving,
    load,
)
from rules.spans import Clocks, span

__all__ = [
    "FILE",
    "STANDARD_PROFILE",
    "AlarmFacts",
    "OrderAction",
    "OrderDecision",
    "OrderReason",
    "PriorityReason",
    "Profile",
    "ResponseErrors",
    "ResponseTable",
    "Row",
    "Shelving",
    "ShelvingRefusal",
    "clocks_of",
    "deadlines",
    "decide_order",
    "grade_alarm",
    "load",
    "may_shelve",
    "next_round",
    "profile_of",
]


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """What an alarm's order depends on. `waited`: the time it had to stand has passed, and it stands."""

    severity: Severity
    grade: Grade
    facility_id: int
    work_class: str
    can_wait: bool = False  # its rule loses nothing until the next round
    order_ids: Sequence[int] = ()  # orders it is already part of
    kin_order_ids: Sequence[int] = ()  # orders of the alarms that stand and are one cause with it
    waited: bool = False


class OrderAction(StrEnum):
    OPEN = "open"
    OPEN_LINKED = "open_linked"
    JOIN = "join"
    WAIT = "wait"
    NOTHING = "nothing"


class OrderReason(StrEnum):
    """Why an alarm opened, joined, links to or waits for an order. Stored with the alarm and the order."""

    AT_ONCE = "at_once"  # its severity and grade ask for an order at once
    STOOD_LONG_ENOUGH = "stood_long_enough"  # it still stood when its time came
    LIFE_SAFETY = "life_safety"  # an order of its own, and none was open at the facility
    LIFE_SAFETY_LINKED = "life_safety_linked"  # an order of its own, linked to those open at the facility
    SAME_FACILITY_AND_WORK = "same_facility_and_work"  # joins the order open for it
    SAME_CAUSE = "same_cause"  # life safety joins the order of the alarm that is one cause with it
    RESUMES_SUSPENDED = "resumes_suspended"  # joins the order suspended for it, which goes on
    WAITS_TO_STAND = "waits_to_stand"
    WAITS_FOR_ROUND = "waits_for_round"
    HAS_ORDER = "has_order"  # an unresolved order deals with it already


@dataclass(frozen=True, slots=True)
class OrderDecision:
    """`order_id` is the order to join, `linked_ids` those to link, `due_at` when to ask again."""

    action: OrderAction
    reason: OrderReason
    priority: Priority
    deadlines: Deadlines
    order_id: int | None = None
    linked_ids: Sequence[int] = ()
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShelvingRefusal:
    """Why it may not be shelved so; `at_most` is what would do, None where nothing would."""

    text: str
    at_most: timedelta | None


def grade_alarm(table: ResponseTable, severity: Severity, grade: Grade, *, can_wait: bool = False) -> Grading:
    """`can_wait`: its rule loses nothing until the next round."""
    row = table.grading[severity, grade].for_rule(can_wait=can_wait)
    return Grading(row.priority, row.because)


def profile_of(table: ResponseTable, site: Site) -> Profile:
    """The site's contract. One that nobody knows is the standard."""
    return table.profiles.get(site.sla_profile, table.profiles[STANDARD_PROFILE])


def clocks_of(table: ResponseTable, site: Site, event_class: str) -> Clocks:
    """The clocks in force at the site: its contract's, but for those that people set there. A class nobody knows has
    those of a low priority.
    """
    classes = profile_of(table, site).classes
    known = event_class if event_class in classes else Priority.LOW.value
    set_here = {clock: site.clocks[name] for clock in WorkOrderClock if (name := f"{known}.{clock}") in site.clocks}
    return {**classes[known], **{clock: span(text) for clock, text in set_here.items()}}


def deadlines(table: ResponseTable, site: Site, event_class: str, now: datetime) -> Deadlines:
    """The clocks of an order opened now."""
    clocks, zone = clocks_of(table, site, event_class), ZoneInfo(site.time_zone)
    moments = {clock: clocks[clock].ends(now, zone) if clock in clocks else None for clock in WorkOrderClock}
    return Deadlines(
        accept_by=moments[WorkOrderClock.ACCEPT_BY],
        arrive_by=moments[WorkOrderClock.ARRIVE_BY],
        plan_by=moments[WorkOrderClock.PLAN_BY],
        restore_by=moments[WorkOrderClock.RESTORE_BY],
    )


def decide_order(
    table: ResponseTable, alarm: AlarmFacts, orders: Sequence[WorkOrder], site: Site, now: datetime
) -> OrderDecision:
    """What an alarm that stands does about a work order now. `orders` are those of its facility, oldest first."""
    row = table.grading[alarm.severity, alarm.grade].for_rule(can_wait=alarm.can_wait)
    clocks = deadlines(table, site, row.priority, now)
    unresolved = [each for each in orders if each.facility_id == alarm.facility_id and each.state in UNRESOLVED_STATES]

    def decision(action: OrderAction, reason: OrderReason) -> OrderDecision:
        return OrderDecision(action, reason, row.priority, clocks)

    if any(_is_own(each, alarm) for each in unresolved):
        return decision(OrderAction.NOTHING, OrderReason.HAS_ORDER)
    if alarm.severity is Severity.LIFE_SAFETY:
        kin = [each for each in unresolved if each.id in alarm.kin_order_ids and _serves(each, alarm)]
        if (joined := _joinable(kin, alarm.work_class)) is not None:
            return OrderDecision(OrderAction.JOIN, OrderReason.SAME_CAUSE, row.priority, clocks, order_id=joined.id)
        if not unresolved:
            return decision(OrderAction.OPEN, OrderReason.LIFE_SAFETY)
        linked = tuple(each.id for each in unresolved)
        return OrderDecision(
            OrderAction.OPEN_LINKED, OrderReason.LIFE_SAFETY_LINKED, row.priority, clocks, linked_ids=linked
        )
    if (joined := _joinable(unresolved, alarm.work_class)) is not None:
        suspended = joined.state is WorkOrderState.SUSPENDED
        reason = OrderReason.RESUMES_SUSPENDED if suspended else OrderReason.SAME_FACILITY_AND_WORK
        return OrderDecision(OrderAction.JOIN, reason, row.priority, clocks, order_id=joined.id)
    if row.order.at_once:
        return decision(OrderAction.OPEN, OrderReason.AT_ONCE)
    if alarm.waited:
        return decision(OrderAction.OPEN, OrderReason.STOOD_LONG_ENOUGH)
    if row.order.after is None:
        due_at = next_round(site, now)
        return OrderDecision(OrderAction.WAIT, OrderReason.WAITS_FOR_ROUND, row.priority, clocks, due_at=due_at)
    due_at = now + row.order.after
    return OrderDecision(OrderAction.WAIT, OrderReason.WAITS_TO_STAND, row.priority, clocks, due_at=due_at)


def _is_own(order: WorkOrder, alarm: AlarmFacts) -> bool:
    """Whether the order deals with the alarm, and is not merely linked to it. What life safety is linked to was open
    before its own: of two accidents at a lift the order of the first does not deal with the second when it comes again.
    """
    is_linked_only = alarm.severity is Severity.LIFE_SAFETY and order.id != max(alarm.order_ids, default=None)
    return order.id in alarm.order_ids and not is_linked_only and _serves(order, alarm)


def _serves(order: WorkOrder, alarm: AlarmFacts) -> bool:
    """Whether the order can deal with the alarm: of its work, and as grave."""
    grave = alarm.severity is not Severity.LIFE_SAFETY or order.severity is Severity.LIFE_SAFETY
    return order.work_class == alarm.work_class and grave


def _joinable(unresolved: Sequence[WorkOrder], work_class: str) -> WorkOrder | None:
    """The oldest of the same work; one that is being worked on before one that is suspended."""
    same = [each for each in unresolved if each.work_class == work_class]
    working = [each for each in same if each.state is not WorkOrderState.SUSPENDED]
    return next(iter(working or same), None)


def may_shelve(
    table: ResponseTable, severity: Severity, grade: Grade, *, until: datetime, now: datetime, note: str | None
) -> ShelvingRefusal | None:
    """None: it may. Otherwise why not, and what would do."""
    limit = table.grading[severity, grade].shelve
    if limit is None:
        return ShelvingRefusal("a life-safety alarm is never shelved", None)
    if until <= now:
        return ShelvingRefusal("shelving ends in the future", limit.at_most)
    if until - now > limit.at_most:
        hours = limit.at_most / timedelta(hours=1)
        return ShelvingRefusal(
            f"a {severity} alarm at grade {grade} may be shelved for at most {hours:g} h", limit.at_most
        )
    if limit.note_required and not (note and note.strip()):
        return ShelvingRefusal(f"shelving a {severity} alarm at grade {grade} needs a note: say why", limit.at_most)
    return None


def next_round(site: Site, now: datetime) -> datetime:
    """The next round of the site after now, UTC. A round in the hour that summer time skips is held after it; one in
    the hour that comes twice is held the first time.
    """
    zone = ZoneInfo(site.time_zone)
    day = now.astimezone(zone).date() - timedelta(days=1)
    while True:
        round_at = datetime.combine(day, site.round_at, zone).astimezone(UTC)
        if round_at > now:
            return round_at
        day += timedelta(days=1)
