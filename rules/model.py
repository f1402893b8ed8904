"""What a rule pack says, as frozen values: kinds of facility, their points, parameters, relations and rules. No I/O.

`rules.packs` reads them from YAML and refuses what does not fit together; `rules.binding` finds out which rules a real
facility has; `rules.engine` judges by them. Two kinds of pack are special: `gateway` describes the gateways themselves,
and the rules of `any` hold for every facility that is not a gateway (there `for_each: any` means every part of any
kind).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.records import Grade, PointKind, Severity
from rules.syntax import Node

ANY_KIND = "any"  # the pack whose rules every facility but the gateways gets; as `for_each`: every part
GATEWAY_KIND = "gateway"
SERVICE_KIND = "ingest_service"  # ingest itself, as it is at a site: it speaks for itself, so it has no gateway
SILENT_RULE = "ingest_silent"  # of that kind: raised by who watches over ingest, ended by ingest
ONLINE_KEY = "online"  # the point of a gateway's own facility that says whether it is connected; its status writes it
SILENT_AFTER = "silent_after"  # the gateway pack's parameter: seconds without a message until a gateway is silent


@dataclass(frozen=True, slots=True)
class Title:
    """What people read, in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Guidance:
    """What a rule says to the person who is woken."""

    means: Title  # for the building and its people
    check: Title  # on the spot, in order
    call: Title  # whom, and when


@dataclass(frozen=True, slots=True)
class PartType:
    key: str
    title: Title


@dataclass(frozen=True, slots=True)
class PointType:
    """A point of the facility, or (`part_kind` set) of every part of that kind."""

    key: str  # without the part: `outlet_pressure`, `run`
    part_kind: str | None
    kind: PointKind
    title: Title
    unit: str = ""
    range_min: float | None = None
    range_max: float | None = None
    report_interval_s: float | None = None  # None: reports on change
    on_change: bool = False  # with an interval as well: changes come at once, and the interval still tells it is alive
    hold_s: float | None = None  # events: how long an occurrence lasts without a `false`
    values: tuple[str, ...] = ()  # enumerations: the labels
    scale: float = 1.0
    shift: float = 0.0
    wrap: float | None = None  # counters: the figure after which it starts again at 0
    optional: bool = False
    source: str = ""

    @property
    def name(self) -> str:
        """As packs and expressions write it: `outlet_pressure`, `pump.run`."""
        return self.key if self.part_kind is None else f"{self.part_kind}.{self.key}"


@dataclass(frozen=True, slots=True)
class ParameterType:
    """A limit people may set for one facility, or for one part of it."""

    key: str
    part_kind: str | None
    title: Title
    unit: str
    default: float
    range_min: float | None = None
    range_max: float | None = None
    source: str = ""

    @property
    def name(self) -> str:
        return self.key if self.part_kind is None else f"{self.part_kind}.{self.key}"


@dataclass(frozen=True, slots=True)
class RelationType:
    """Another facility this one may name in its rules. Never compulsory."""

    key: str
    to: tuple[str, ...]  # kinds of facility it may lead to
    title: Title


@dataclass(frozen=True, slots=True)
class GradeDefault:
    grade: Grade
    reason: Title
    source: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is considered wrong. Expressions are parsed and checked; their texts stay for people."""

    key: str
    title: Title
    when: Node
    when_text: str
    severity: Severity
    work_class: str
    guidance: Guidance
    source: str
    clause: str | None = None  # of the standard, where one names it
    for_each: str | None = None  # a part kind, or ANY_KIND in the pack `any`
    deadband: float | None = None  # only where `when` is a single comparison
    clear_when: Node | None = None
    clear_when_text: str | None = None
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    latch: bool = False
    by_calendar: bool = (
        False  # raised and ended by who watches a calendar, of rounds or of the ages of equipment; no engine knows it
    )
    can_wait: bool = False  # a warning that loses nothing until the next round, whatever the grade
    suppress_when: Node | None = None
    suppress_when_text: str | None = None
    unknown_max_s: float = 600.0
    realarm_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """Everything about one kind of facility. Keys of `points` and `parameters` are the names expressions use."""

    kind: str
    title: Title
    grade: GradeDefault
    parts: Mapping[str, PartType] = field(default_factory=dict[str, PartType])
    points: Mapping[str, PointType] = field(default_factory=dict[str, PointType])  # `pump.run` -> its type
    parameters: Mapping[str, ParameterType] = field(default_factory=dict[str, ParameterType])
    relations: Mapping[str, RelationType] = field(default_factory=dict[str, RelationType])
    rules: Mapping[str, Rule] = field(default_factory=dict[str, Rule])
