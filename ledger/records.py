"""The frozen values everyone speaks. No I/O, no defaults that decide anything.

`*_ms` is epoch milliseconds UTC, a `datetime` aware UTC. `at` is a device's time, `received` and `recorded` are ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import IntEnum, StrEnum

from ledger.lifecycle import ConditionMove, ConditionState, ShownState, WorkOrderClock, WorkOrderState

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_ms(ms: int) -> datetime:
    """Epoch milliseconds as an aware UTC time, exactly (floats would lose the last digit)."""
    return _EPOCH + timedelta(milliseconds=ms)


def to_ms(moment: datetime) -> int:
    """An aware time as epoch milliseconds, cut off below the millisecond."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


class Grade(StrEnum):
    """Risk grade of a facility; A is watched most strictly."""

    A = "A"
    B = "B"
    C = "C"


class Severity(StrEnum):
    """What a rule says of its own alarm."""

    WARNING = "warning"
    CRITICAL = "critical"
    LIFE_SAFETY = "life_safety"


class Priority(StrEnum):
    """What severity and grade make of it together: the order people work in."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


class PointKind(StrEnum):
    MEASURE = "measure"
    STATE = "state"
    ENUM = "enum"
    COUNTER = "counter"
    EVENT = "event"


class Quality(IntEnum):
    """Whether a stored value may be believed. Only GOOD values reach the rules as values; others are unknown."""

    GOOD = 0
    SENSOR_FAULT = 1  # the wire said null
    OUT_OF_RANGE = 2  # outside the point's plausible range


class TimerKind(StrEnum):
    ON_DELAY = "on_delay"
    OFF_DELAY = "off_delay"
    EVENT_HOLD = "event_hold"
    SHELVING = "shelving"
    REALARM = "realarm"
    ORDER_DUE = "order_due"
    ORDER_CLOCK = "order_clock"
    PERMIT = "permit"


class PermitKind(StrEnum):
    TEST = "test"  # sets `under_test` for the rules it names
    WORK = "work"  # sets `under_work`


@dataclass(frozen=True, slots=True)
class Site:
    id: int
    key: str
    name_zh: str
    name_en: str
    time_zone: str
    round_at: time
    sla_profile: str
    revision: int
    clocks: Mapping[str, str]  # set here in place of the contract's: 'high.arrive_by' -> '20m'


@dataclass(frozen=True, slots=True)
class Location:
    id: int
    site_id: int
    parent_id: int | None
    key: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Gateway:
    id: int
    site_id: int
    facility_id: int  # the gateway itself is a facility of kind `gateway`
    key: str
    online: bool | None
    online_since: datetime | None
    heard_at: datetime | None
    clock_offset_ms: int | None
    last_seq: int | None


@dataclass(frozen=True, slots=True)
class Facility:
    id: int
    site_id: int
    location_id: int
    gateway_id: int | None
    key: str
    kind: str
    grade: Grade
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Part:
    id: int
    facility_id: int
    key: str
    kind: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Point:
    id: int
    facility_id: int
    part_id: int | None
    key: str  # as on the wire: `outlet_pressure`, `pump_1.run`
    kind: PointKind
    unit: str
    scale: float
    shift: float
    range_min: float | None
    range_max: float | None
    report_interval_s: float | None  # None: reports on change
    hold_s: float | None  # events only
    codes: Mapping[str, int]  # enumerations only: label -> stored code
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Permit:
    """A work permit: silences the named rules at its facility (or one part) from, until; then overrun until settled."""

    id: int
    facility_id: int
    part_id: int | None
    kind: PermitKind
    rules: frozenset[str]
    from_ms: int
    until_ms: int
    settled_ms: int | None  # when somebody said that the work is over; None: nobody has yet


@dataclass(frozen=True, slots=True)
class ConditionSpec:
    """A condition that ought to exist: one rule at one facility and part."""

    facility_id: int
    part_id: int | None
    rule_key: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Condition:
    """One rule at one facility and part, for ever, with its state."""

    id: int
    site_id: int
    facility_id: int
    part_id: int | None
    rule_key: str
    severity: Severity
    state: ConditionState
    suppressed: bool
    out_of_service: bool
    shelved_until: datetime | None

    @property
    def active(self) -> bool:
        return self.state in (ConditionState.UNACK, ConditionState.ACKED)


@dataclass(frozen=True, slots=True)
class Delay:
    """A running on- or off-delay of a condition, or the hold of an event point; exactly one of the ids is set."""

    kind: TimerKind
    condition_id: int | None
    point_id: int | None
    since_ms: int
    due_ms: int
    frozen_ms: int | None


@dataclass(frozen=True, slots=True)
class SiteConfiguration:
    """All that ingest must know of one site, as of one moment; read anew when the revision has grown."""

    site: Site
    gateways: Sequence[Gateway]
    facilities: Sequence[Facility]
    parts: Sequence[Part]
    points: Sequence[Point]
    relations: Mapping[tuple[int, str], int]  # (facility_id, relation name) -> target facility_id
    parameters: Mapping[tuple[int, str], float]
    permits: Sequence[Permit]


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one point on its way in: wire units already scaled; value NaN when quality is SENSOR_FAULT."""

    point_id: int
    ts_ms: int
    value: float
    quality: Quality
    received_ms: int


@dataclass(frozen=True, slots=True)
class Reading:
    point_id: int
    ts: datetime
    value: float
    quality: Quality


class ConditionReason(StrEnum):
    """Why a condition moved. Stored with the event and shown to people (api/catalogue has the Chinese)."""

    LIMIT = "limit"  # the rule's expression was true for its on-delay
    LIMIT_LATE = "limit_late"  # an occurrence of a latched rule that arrived late
    NORMAL = "normal"  # the clearing expression was true for its off-delay
    SUPPRESSED_BY_RULE = "suppressed_by_rule"
    SUPPRESSION_ENDED = "suppression_ended"
    CONFIGURATION_CHANGED = "configuration_changed"  # its rule, part or facility was retired
    PERSON = "person"
    SHELVING_EXPIRED = "shelving_expired"
    ONE_SHOT_ENDED = "one_shot_ended"  # one-shot shelving ends when the condition clears
    REALARM = "realarm"
    INGEST_SILENT = "ingest_silent"  # the watchdog saw no beat of ingest for its bound
    CALENDAR_LAPSED = "calendar_lapsed"  # a round that was due is not done, a piece not replaced
    CALENDAR_DONE = "calendar_done"


@dataclass(frozen=True, slots=True)
class ConditionDecision:
    """A move; `at_ms` is device time, `received_ms` when what showed it came in. `explanation` says why, JSON-ready."""

    condition_id: int
    move: ConditionMove  # RAISE, CLEAR, LATCH, SUPPRESS or UNSUPPRESS
    at_ms: int
    received_ms: int
    reason: ConditionReason
    explanation: Mapping[str, object]
    late: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """An event occurred again while its alarm stands: counted, not raised anew."""

    condition_id: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class DelaySet:
    """Start or change a delay; the newest for (kind, condition or point) is the one that counts."""

    delay: Delay


@dataclass(frozen=True, slots=True)
class DelayEnded:
    """The delay ran out or was called off; its row goes."""

    kind: TimerKind
    condition_id: int | None
    point_id: int | None


Decision = ConditionDecision | Repeat | DelaySet | DelayEnded


@dataclass(frozen=True, slots=True)
class Grading:
    """The priority of an alarm about to be opened, and the named reason of the response table for it."""

    priority: Priority
    reason: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """One occurrence of a condition, with what a person needs to see at once."""

    id: int
    site_id: int
    site_key: str
    facility_id: int
    facility_key: str
    facility_kind: str
    facility_name_zh: str
    facility_name_en: str
    grade: Grade
    part_key: str | None
    condition_id: int
    rule_key: str
    severity: Severity
    priority: Priority
    priority_reason: str
    state: ConditionState
    shown: ShownState
    began_at: datetime
    raised_at: datetime
    rang_at: datetime | None
    returned_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    ended_at: datetime | None
    occurrences: int
    late: bool
    historical: bool
    order_reason: str | None
    work_order_ids: Sequence[int]
    shelved_until: datetime | None
    explanation: Mapping[str, object]
    version: int


@dataclass(frozen=True, slots=True)
class WorkOrder:
    id: int
    site_id: int
    site_key: str
    facility_id: int
    facility_key: str
    facility_name_zh: str
    facility_name_en: str
    grade: Grade
    work_class: str
    title_zh: str
    title_en: str
    severity: Severity | None
    priority: Priority
    state: WorkOrderState
    suspended_from: WorkOrderState | None
    suspended_at: datetime | None
    suspended_reason: str | None
    opened_at: datetime
    opened_by: str
    open_reason: str
    assignee: str | None
    accept_by: datetime | None
    arrive_by: datetime | None
    plan_by: datetime | None
    restore_by: datetime | None
    accepted_at: datetime | None
    arrived_at: datetime | None
    planned_at: datetime | None
    resolved_at: datetime | None
    ended_at: datetime | None
    alarm_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The clocks of an order. None: this contract makes no such promise."""

    accept_by: datetime | None = None
    arrive_by: datetime | None = None
    plan_by: datetime | None = None
    restore_by: datetime | None = None

    def of(self, clock: WorkOrderClock) -> datetime | None:
        moment: datetime | None = getattr(self, clock.value)
        return moment
