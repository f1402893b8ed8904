"""Leads the names of one rule to the signals, parameters and permits of one facility and part.

While an expression is compiled against these slots they write down what it depends on: the signals whose samples it
must see, the moments at which it changes by mere passing of time (edges), and what to show a person who asks why.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from ledger.records import Facility, Part, PermitKind, Point, PointKind, from_ms, to_ms
from rules.model import Rule
from rules.places import Places
from rules.signals import Signal
from rules.syntax import Name, Node, names
from rules.truth import Getter, Value, fixed
from rules.vocabulary import BUILT_IN, BUILT_IN_GATEWAY, SELF
from rules.windows import History

Edge = Callable[[int], int | None]  # the next moment after this one at which something changes by itself
Shown = Callable[[int], object]

ALWAYS = 0  # in place of a point's id


@dataclass(frozen=True, slots=True)
class TickOnly:
    """What can be judged at ticks only, from the times of receipt."""

    stale_points: Callable[[int, int | None], Getter]  # facility, part -> how many of its points are stale
    silent: Callable[[int], Getter]  # the gateway's own facility -> whether the gateway is silent
    clock_offset: Callable[[int], Getter]  # the gateway's own facility -> seconds its clock is ahead


@dataclass(frozen=True, slots=True)
class Departure:
    """The edge at which samples leave a window."""

    history: History
    window_ms: int

    def __call__(self, at_ms: int) -> int | None:
        return self.history.departure(self.window_ms, at_ms)


class Leader(Protocol):
    """Another rule's condition, as those that ask after it see it."""

    def stood(self, at_ms: int) -> bool:
        """Whether its alarm stood at that moment."""
        ...

    def next_turn(self, at_ms: int) -> int | None:
        """The next moment after this one at which that changed, as far as it was judged."""
        ...


@dataclass(slots=True)
class Dependencies:
    """What a condition depends on, gathered while its expressions are compiled."""

    operands: dict[int, Signal] = field(default_factory=dict[int, Signal])
    further: dict[int, list[Edge]] = field(default_factory=dict[int, list[Edge]])  # edges beside the signals' own
    values: dict[str, Shown] = field(default_factory=dict[str, Shown])
    parameters: dict[str, float] = field(default_factory=dict[str, float])
    is_tick_only: bool = False

    def on(self, signal: Signal) -> None:
        """The signal is an operand, with the edge it has of its own."""
        self.operands.setdefault(signal.point.id, signal)

    def turns(self, signal: Signal, edge: Edge) -> None:
        """The signal is an operand, and its samples move this edge as well."""
        self.on(signal)
        self.further.setdefault(signal.point.id, []).append(edge)

    def always(self, edge: Edge) -> None:
        """An edge that no sample moves."""
        self.further.setdefault(ALWAYS, []).append(edge)

    def take_in(self, other: "Dependencies") -> None:
        """Depend on what another expression of the same condition depends on."""
        for signal in other.operands.values():
            self.on(signal)
        for point_id, edges in other.further.items():
            self.further.setdefault(point_id, []).extend(edges)
        for name, shown in other.values.items():
            self.values.setdefault(name, shown)
        self.parameters |= other.parameters
        self.is_tick_only |= other.is_tick_only

    def edges(self) -> Sequence[Sequence[Edge]]:
        """Those that the samples of each operand move, its own first, in the operands' order; last, those that none moves.

        A signal's own edges are the same object wherever nothing is added: there are as many as conditions have operands.
        """
        moved = [
            (*signal.own_edges, *self.further[point_id]) if point_id in self.further else signal.own_edges
            for point_id, signal in self.operands.items()
        ]
        return (*moved, tuple(self.further.get(ALWAYS, ())))


@dataclass(frozen=True, slots=True)
class FacilitySlots:
    """`rules.truth.Slots` for one rule at one place. `is_past`: answers from history, as of the moment asked."""

    places: Places
    signals: Mapping[int, Signal]
    tick_only: TickOnly
    facility: Facility
    part: Part | None  # what `self` means
    rule: Rule
    found: Dependencies
    leaders: Mapping[str, Leader] = field(default_factory=dict[str, Leader])  # by rule: those `raised` asks after
    counted: Part | None = None  # the part an aggregate is looking at
    is_past: bool = False
    tells: bool = False  # what to show a person is gathered as well

    def name(self, name: Name) -> Getter:
        if self.is_built_in(name):
            return self._built_in(name.key)
        signal = self.signal(name)
        if signal is None:
            return self._parameter(name)
        self.found.on(signal)
        getter = signal.past if self.is_past else signal.now
        if self.tells:
            self._tell(self._label(name, signal), _shown(signal.point, getter))
        return getter

    def of_time(self, function: str, name: Name, window_ms: int) -> Getter:
        signal = self._must_signal(name)
        self.found.on(signal)
        signal.keep(window_ms)
        if signal.point.kind is PointKind.COUNTER and function == "rate":
            function = "counter_rate"
        answer: Callable[[int, int], Value] = getattr(signal.history, function)
        getter = _windowed(signal, answer, window_ms, is_past=self.is_past)
        if signal.stale_ms is None:
            self.found.turns(signal, Departure(signal.history, window_ms))
        text = f"{function.removeprefix('counter_')}({self._label(name, signal)}, {window_ms / 1000:g}s)"
        self._tell(text, lambda at: _rounded(getter(at)))
        return getter

    def age(self, name: Name, limit: Getter) -> Getter:
        signal = self._must_signal(name)
        limit_s = limit(0)

        def edge(at: int) -> int | None:
            if signal.last_ms is None or limit_s is None:
                return None
            # `>=` turns at the first of these, `>` at the second.
            reached = signal.last_ms + round(limit_s * 1000)
            return next((moment for moment in (reached, reached + 1) if moment > at), None)

        def age_s(at: int) -> Value:
            last_ms = signal.history.latest(at) if self.is_past else signal.last_ms
            return None if last_ms is None or signal.link.is_offline else (at - last_ms) / 1000.0

        self.found.turns(signal, edge)
        self._tell(f"age({self._label(name, signal)})", lambda at: _rounded(age_s(at)))
        return age_s

    def code(self, name: Name, label: str) -> float:
        return float(self._must_signal(name).point.codes[label])

    def raised(self, rule_key: str) -> Getter:
        leader = self.leaders[rule_key]
        self.found.always(leader.next_turn)
        self._tell(f"raised('{rule_key}')", leader.stood)
        return leader.stood

    def parts(self, node: Node) -> Sequence["FacilitySlots"]:
        return [replace(self, counted=part) for part in counted_parts(self.places, self.facility, node)]

    def _tell(self, name: str, shown: Shown) -> None:
        if self.tells:
            self.found.values.setdefault(name, shown)

    # ------------------------------------------------------------------ where a name leads

    def _place(self, name: Name) -> tuple[Facility | None, Part | None]:
        return place_of(self.places, self.facility, self.part if name.scope == SELF else self.counted, name)

    def is_built_in(self, name: Name) -> bool:
        return name.scope is None and (name.key in BUILT_IN or name.key in BUILT_IN_GATEWAY)

    def signal(self, name: Name) -> Signal | None:
        """The point it names; None: it is a parameter, or something built in."""
        if self.is_built_in(name):
            return None
        facility, part = self._place(name)
        point = None if facility is None else self.places.point(facility, part, name.key)
        return None if point is None else self.signals[point.id]

    def _must_signal(self, name: Name) -> Signal:
        signal = self.signal(name)
        if signal is None:
            raise LookupError(f"{self.facility.key} has no {name.text}; the rule should have been left out")
        return signal

    def _parameter(self, name: Name) -> Getter:
        facility, part = self._place(name)
        value = None if facility is None else self.places.parameter(facility, part, name.key)
        if value is None:
            raise LookupError(f"{self.facility.key} has no {name.text}; the rule should have been left out")
        if self.tells:
            self.found.parameters[name.key if part is None else f"{part.key}.{name.key}"] = value
        return fixed(value)

    def _label(self, name: Name, signal: Signal) -> str:
        """The point as people find it: its own key, behind the relation it was reached by."""
        return f"{name.scope}.{signal.point.key}" if signal.point.facility_id != self.facility.id else signal.point.key

    # ------------------------------------------------------------------ what is built in

    def _built_in(self, key: str) -> Getter:
        facility_id, part_id = self.facility.id, None if self.part is None else self.part.id
        match key:
            case "under_test" | "under_work":
                return self._permitted(key, PermitKind.TEST if key == "under_test" else PermitKind.WORK)
            case "permit_overrun":
                return self._overrun()
            case "local_hour":
                return self._local_hour()
            case _:
                self.found.is_tick_only = True
                match key:
                    case "silent":
                        getter = self.tick_only.silent(facility_id)
                    case "clock_offset":
                        getter = self.tick_only.clock_offset(facility_id)
                    case _:
                        getter = self.tick_only.stale_points(facility_id, part_id)
                self._tell(key, getter)
                return (lambda _at: None) if self.is_past else getter

    def _permitted(self, key: str, kind: PermitKind) -> Getter:
        part_id = None if self.part is None else self.part.id
        spans = [
            (permit.from_ms, permit.until_ms)
            for permit in self.places.permits(self.facility.id, part_id, kind, self.rule.key)
        ]

        def permitted(at: int) -> Value:
            return any(begin <= at < end for begin, end in spans)

        if not spans:
            self._tell(key, fixed(False))  # noqa: FBT003 - the value of a state
            return fixed(False)  # noqa: FBT003
        moments = sorted({moment for span in spans for moment in span})
        self.found.always(lambda at: next((moment for moment in moments if moment > at), None))
        self._tell(key, permitted)
        return permitted

    def _overrun(self) -> Getter:
        """Whether a permit here passed its end and nobody has said that the work is over. Judged at ticks, in our time:
        people have to hear of it also while the gateway is away and device time stands still.
        """
        permits = self.places.permits_of(self.facility.id)

        def overrun(at: int) -> Value:
            return any(
                permit.until_ms <= at and (permit.settled_ms is None or at < permit.settled_ms) for permit in permits
            )

        ends = sorted(permit.until_ms for permit in permits)
        self.found.is_tick_only = True
        self.found.always(lambda at: next((moment for moment in ends if moment > at), None))
        self._tell("permit_overrun", overrun)
        return overrun

    def _local_hour(self) -> Getter:
        zone = ZoneInfo(self.places.configuration.site.time_zone)

        def hour(at: int) -> Value:
            return from_ms(at).astimezone(zone).hour

        self.found.always(lambda at: _next_hour(at, zone))
        self._tell("local_hour", hour)
        return hour


def place_of(places: Places, facility: Facility, part: Part | None, name: Name) -> tuple[Facility | None, Part | None]:
    """The facility and part a name speaks of; `part` is what its scope stands for if it is a part at all."""
    if name.scope is None:
        return facility, None
    pack = places.packs.get(facility.kind)
    if name.scope != SELF and pack is not None and name.scope in pack.relations:
        return places.related(facility, name.scope), None
    return facility, part


def counted_parts(places: Places, facility: Facility, node: Node) -> Sequence[Part]:
    """The parts an aggregate goes over: those of the kind it names that have every point it names."""
    pack = places.packs[facility.kind]
    wanted = [name for name in names(node) if name.scope in pack.parts]
    return [
        part
        for part in places.parts(facility, wanted[0].scope)
        if all(has(places, facility, part, name.key) for name in wanted)
    ]


def has(places: Places, facility: Facility, part: Part | None, key: str) -> bool:
    """Whether there is such a point or parameter."""
    return places.point(facility, part, key) is not None or places.parameter(facility, part, key) is not None


def _windowed(signal: Signal, answer: Callable[[int, int], Value], window_ms: int, *, is_past: bool) -> Getter:
    if is_past:
        return lambda at: answer(window_ms, signal.past_window_end(at))
    if signal.stale_ms is None:

        def until_now(at: int) -> Value:
            # A sample of another point may be older than this one's newest: the newest counts.
            end = at if signal.last_ms is None else max(at, signal.last_ms)
            return None if signal.at(at) is None else answer(window_ms, end)

        return until_now

    version, remembered = -1, None

    def until_last(at: int) -> Value:
        nonlocal version, remembered
        if signal.at(at) is None or signal.last_ms is None:
            return None
        if version != signal.history.version:
            version, remembered = signal.history.version, answer(window_ms, signal.last_ms)
        return remembered

    return until_last


def _shown(point: Point, getter: Callable[[int], float | None]) -> Shown:
    def shown(at: int) -> object:
        value = getter(at)
        if value is None:
            return None
        match point.kind:
            case PointKind.STATE | PointKind.EVENT:
                return bool(value)
            case PointKind.ENUM:
                return next((label for label, code in point.codes.items() if code == int(value)), value)
            case _:
                return _rounded(value)

    return shown


def _rounded(value: Value) -> Value:
    return round(value, 6) if isinstance(value, float) else value


def _next_hour(at_ms: int, zone: ZoneInfo) -> int:
    # Through UTC, so that an hour that a change of the clocks repeats or drops ends when it really ends.
    local = from_ms(at_ms).astimezone(zone)
    into_hour = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return to_ms(from_ms(at_ms) - into_hour + timedelta(hours=1))
