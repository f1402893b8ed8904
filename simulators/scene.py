"""What a fault is: what it does to a place of the world, and which alarms must, may and must not come of it.

The declarations are the simulators' own reckoning, written from the trade and not read from the rules: if a rule
changes, a run fails until somebody has agreed to the change here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from estate.description import FacilityDescription
from simulators.gateway import Gateway
from simulators.truth import Declared, Demand, Priority, Severity, Window
from simulators.world import Place, World

Span = tuple[float, float]  # seconds, from and to
P = TypeVar("P")

_GRADES = {
    "booster_pump_room": "A", "distribution_room": "A", "elevator": "A", "fire_pump_room": "A", "fire_water_tank": "A",
    "generator": "A", "drainage_sump": "B", "gateway": "B",
}  # fmt: skip
PRIORITIES: Mapping[tuple[str, str], Priority] = {
    ("warning", "A"): "medium",
    ("warning", "B"): "low",
    ("warning", "C"): "low",
    ("critical", "A"): "high",
    ("critical", "B"): "medium",
    ("critical", "C"): "medium",
    ("life_safety", "A"): "urgent",
    ("life_safety", "B"): "urgent",
    ("life_safety", "C"): "high",
}


# Warnings that lose nothing until the next round: low whatever the grade.
CAN_WAIT = frozenset(
    {
        "points_stale", "part_points_stale", "door_open_long", "door_held_open", "door_cycling", "machine_room_temp_high",
        "pump_starts_frequent", "jockey_starts_frequent", "room_humidity_high", "power_factor_low", "load_high",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expected:
    """An alarm that follows from a fault. `raised` counts from the fault's beginning, `returned` from its end."""

    rule: str
    severity: Severity
    work_class: str
    raised: Span
    returned: Span | None = None
    _: KW_ONLY
    part: str | None = None
    facility: str | None = None  # None: the one that is struck, or the gateway
    kind: str | None = None  # of that facility, where it is not the one that is struck
    demand: Demand = Demand.MUST
    historical: bool | None = False
    rung: bool | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a fault plays. `target` is a facility, or a gateway for a gateway's fault."""

    world: World
    gateway: Gateway  # the struck one, or the one that speaks for the struck facility
    clock_offsets_ms: Mapping[str, int]  # of the gateways of the site's facilities and of the gateways themselves
    site: str
    target: str
    part: str | None
    lasts_s: float

    @property
    def place(self) -> Place:
        return (self.site, self.target)

    @property
    def facility(self) -> FacilityDescription:
        return self.world.facilities[self.place]

    def interval_s(self, point: str) -> float:
        """How often a point of the struck facility is repeated when nothing changes."""
        return self.world.reports(self.place)[point].interval_s

    def plant(self, kind: type[P]) -> P:
        """The struck plant, which is of this kind."""
        plant = self.world.plants[self.place]
        assert isinstance(plant, kind)
        return plant

    @property
    def struck_part(self) -> str:
        assert self.part is not None
        return self.part

    @property
    def power_room(self) -> str:
        """The distribution room that is struck, or whose generator is."""
        return self.facility.relations.get("stands_in_for", self.target)


def after(delay_s: float, slack_s: float = 20.0) -> Span:
    """The delay of a rule, and what reporting on change and a broker add."""
    return (delay_s, delay_s + slack_s)


def suppressed(
    scene: Scene, work_class: str, severity: Severity, *rules: str, part: str | None = None
) -> list[Expected]:
    """Alarms that lie below another one: judged and journalled, never rung."""
    span = (0.0, scene.lasts_s + 120.0)
    return [Expected(rule, severity, work_class, span, part=part, demand=Demand.MAY, historical=None) for rule in rules]


def forbidden(
    scene: Scene, work_class: str, severity: Severity, *rules: str, part: str | None = None
) -> list[Expected]:
    span = (0.0, scene.lasts_s + 60.0)
    return [Expected(rule, severity, work_class, span, part=part, demand=Demand.MUST_NOT) for rule in rules]


@dataclass(frozen=True, slots=True)
class Inner:
    """A fault within a gateway's fault, at one of its facilities, timed from its beginning."""

    fault: str
    at_s: float
    lasts_s: float
    historical: bool


def _nothing(scene: Scene) -> Sequence[Expected]:
    del scene
    return ()


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the catalogue. `kind`, `part_kind` and `needs` say what it can strike; None: a gateway."""

    key: str
    title_zh: str
    title_en: str
    kind: str | None
    begin: Callable[[Scene], None]
    end: Callable[[Scene], None]
    lasts_s: float
    lasts_min_s: float  # shorter, and what it must cause would not come
    settles_s: float  # after its end, until nothing of it is left
    expects: Callable[[Scene], Sequence[Expected]] = _nothing
    part_kind: str | None = None
    parts_min: int = 1
    needs: tuple[str, ...] = ()  # points that the facility must have
    needs_relation: str | None = None
    silences: bool = False  # the gateway says nothing meanwhile
    cuts_power: bool = False  # what the facility's room feeds is struck as well
    pours: bool = False  # every sump of the site feels it
    inner: tuple[Inner, ...] = ()

    @property
    def at_gateway(self) -> bool:
        return self.kind is None


def grade_of(facility: FacilityDescription) -> str:
    """As its estate file says, else as its kind's pack does."""
    return facility.grade or _GRADES[facility.kind]


def declare(fault: Fault, scene: Scene, began_at: datetime, *, historical: bool = False) -> list[Declared]:
    """The fault's declarations for this scene, in device time, before work orders are reckoned."""
    declared: list[Declared] = []
    for one in fault.expects(scene):
        kind = one.kind or fault.kind or "gateway"
        facility = one.facility or scene.target
        device_began_at = began_at + timedelta(milliseconds=scene.clock_offsets_ms[facility])
        device_ended_at = device_began_at + timedelta(seconds=scene.lasts_s)
        written = scene.world.facilities.get((scene.site, facility))
        grade = _GRADES[kind] if written is None else grade_of(written)
        declared.append(
            Declared(
                demand=one.demand,
                fault=fault.key,
                site=scene.site,
                facility=facility,
                part=one.part,
                rule=one.rule,
                work_class=one.work_class,
                raised=Window.after(device_began_at, *one.raised),
                returned=None if one.returned is None else Window.after(device_ended_at, *one.returned),
                severity=one.severity,
                priority="low" if one.rule in CAN_WAIT else PRIORITIES[one.severity, grade],
                historical=historical if one.demand is Demand.MUST else None,
                rung=False if historical else one.rung,
            )
        )
    return declared


def with_orders(declared: Sequence[Declared]) -> list[Declared]:
    """Reckons which alarms must have a work order, all declarations of a run together.

    At once: life safety, and critical at grade A. A warning at grade A that cannot wait, or a critical alarm at grade B,
    when it stands for ten minutes. Anything joins the order that its facility already has for the same work, and nobody closes one
    during a run. None where the windows leave it open.
    """
    musts = sorted((one for one in declared if one.demand is Demand.MUST), key=lambda one: one.raised.from_at)
    ordered: list[Declared] = []
    for one in musts:
        order = _order_of(one, ordered)
        ordered.append(replace(one, work_order=order))
    return [*ordered, *(one for one in declared if one.demand is not Demand.MUST)]


def _order_of(one: Declared, before: Sequence[Declared]) -> bool | None:
    if one.historical or one.rung is False:  # nobody is sent for what nobody is told of
        return False
    if one.priority in ("urgent", "high"):
        return True
    same = [two for two in before if _same_work(one, two) and two.work_order is not False]
    if any(two.work_order and _ordered_by(two) < one.raised.from_at for two in same):
        return True
    if one.returned is None or one.priority == "low":  # the next round may be in this run or not
        return None
    shortest = one.returned.from_at - one.raised.to_at
    longest = one.returned.to_at - one.raised.from_at
    if shortest > _STANDS + _ORDER_MARGIN:
        return True
    return False if longest < _STANDS - _ORDER_MARGIN and not same else None


def _ordered_by(one: Declared) -> datetime:
    """When its work order is there at the latest."""
    at_once = one.priority in ("urgent", "high")
    return one.raised.to_at + (timedelta(0) if at_once else _STANDS + _ORDER_MARGIN)


_STANDS = timedelta(minutes=10)
_ORDER_MARGIN = timedelta(seconds=90)  # orders run on the service's time, alarms on the device's


def _same_work(one: Declared, other: Declared) -> bool:
    return (one.site, one.facility, one.work_class) == (other.site, other.facility, other.work_class)
