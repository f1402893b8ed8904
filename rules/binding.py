"""Which rules a facility really has, and each of them bound to that facility's signals.

A rule becomes a condition at every place it speaks of, unless its `when` or `clear_when` names something that is not
there: an optional point the facility is without, a relation nobody entered. Those left out are listed with the
reason. In `suppress_when` an absent name is no reason: what does not exist suppresses nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ledger.records import Condition, ConditionSpec, Facility, Part, SiteConfiguration
from rules.expression import deadband_clears
from rules.model import Pack, PartType, Rule
from rules.places import Places
from rules.signals import Signal
from rules.slots import Dependencies, Edge, FacilitySlots, Leader, Shown, TickOnly, counted_parts, has, place_of
from rules.stakes import Stake, stakes
from rules.syntax import Binary, Boolean, Call, Label, Name, Node, Unary, names, walk
from rules.truth import Getter, Opposite, compiled
from rules.vocabulary import AGGREGATES, BUILT_IN, BUILT_IN_GATEWAY, RAISED, SELF

# Most rules have no events and no leaders, and each empty set or mapping takes up to 200 bytes.
_NO_EVENTS: frozenset[int] = frozenset()
_NO_LEADERS: Mapping[str, Leader] = {}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A rule that does not hold there, and why."""

    facility_id: int
    part_id: int | None
    rule_key: str
    reason: str


def conditions_for(configuration: SiteConfiguration, packs: Mapping[str, Pack]) -> list[ConditionSpec]:
    """Every condition the site has, in the order of its facilities and of their packs."""
    return [found for found in _surveyed(configuration, packs) if isinstance(found, ConditionSpec)]


def left_out(configuration: SiteConfiguration, packs: Mapping[str, Pack]) -> list[LeftOut]:
    """Every rule of a facility's packs that is no condition there."""
    return [found for found in _surveyed(configuration, packs) if isinstance(found, LeftOut)]


def _surveyed(configuration: SiteConfiguration, packs: Mapping[str, Pack]) -> Iterator[ConditionSpec | LeftOut]:
    places = Places(configuration, packs)
    for facility in configuration.facilities:
        for rule in places.rules(facility):
            if rule.for_each is None:
                yield _found(places, facility, None, rule)
                continue
            parts = places.parts(facility, rule.for_each)
            if not parts:
                yield LeftOut(facility.id, None, rule.key, f"{facility.key} has no part of kind {rule.for_each}")
            for part in parts:
                yield _found(places, facility, part, rule)


def _found(places: Places, facility: Facility, part: Part | None, rule: Rule) -> ConditionSpec | LeftOut:
    part_id = None if part is None else part.id
    for node in (rule.when, rule.clear_when):
        reason = None if node is None else missing(places, facility, part, node)
        if reason is not None:
            return LeftOut(facility.id, part_id, rule.key, reason)
    return ConditionSpec(facility.id, part_id, rule.key, rule.severity)


def missing(places: Places, facility: Facility, part: Part | None, node: Node) -> str | None:
    """What the expression names that is not there, in words; None if everything is."""
    pack = places.packs.get(facility.kind)
    part_kinds: Mapping[str, PartType] = {} if pack is None else pack.parts
    for each in walk(node):
        if isinstance(each, Call) and each.function in AGGREGATES:
            if not counted_parts(places, facility, each.arguments[0]):
                named = ", ".join(name.text for name in names(each) if name.scope in part_kinds)
                return f"{facility.key} has no part with {named}"
        elif isinstance(each, Call) and each.function == RAISED:
            reason = _missing_rule(places, facility, part, each)
            if reason is not None:
                return reason
        elif isinstance(each, Name) and each.scope not in part_kinds:
            reason = _missing_name(places, facility, part, each)
            if reason is not None:
                return reason
        elif isinstance(each, Binary):
            reason = _missing_label(places, facility, part, each)
            if reason is not None:
                return reason
    return None


def _missing_name(places: Places, facility: Facility, part: Part | None, name: Name) -> str | None:
    if name.scope is None and (name.key in BUILT_IN or name.key in BUILT_IN_GATEWAY):
        points = places.points_of(facility.id, None if part is None else part.id)
        if name.key == "stale_points" and not any(point.report_interval_s for point in points):
            return f"{facility.key if part is None else part.key} has no point that reports at intervals"
        return None
    there, at_part = place_of(places, facility, part, name)
    if there is None:
        return f"{facility.key} has no relation {name.scope}"
    if has(places, there, at_part, name.key):
        return None
    return f"{there.key} has no {name.key if at_part is None else f'{at_part.key}.{name.key}'}"


def _missing_rule(places: Places, facility: Facility, part: Part | None, node: Call) -> str | None:
    for key in (each.text for each in node.arguments if isinstance(each, Label)):
        rule = places.rule(facility, key)
        if rule is None:
            return f"{facility.key} has no rule {key}"
        found = _found(places, facility, None if rule.for_each is None else part, rule)
        if isinstance(found, LeftOut):
            return found.reason
    return None


def _missing_label(places: Places, facility: Facility, part: Part | None, node: Binary) -> str | None:
    for name, label in ((node.left, node.right), (node.right, node.left)):
        if isinstance(name, Name) and isinstance(label, Label) and name.scope in (None, SELF):
            point = places.point(facility, part if name.scope == SELF else None, name.key)
            if point is not None and label.text not in point.codes:
                return f"{point.key} has no stored code for '{label.text}'"
    return None


# ---------------------------------------------------------------------- bound to signals


Past = tuple[Getter, Mapping[str, Shown]]


@dataclass(frozen=True, slots=True)
class Bound:
    """One rule at one place, ready to be asked. All getters take epoch milliseconds of device time."""

    rule: Rule
    facility: Facility
    part: Part | None
    when: Getter
    clear: Getter
    suppress: Getter | None
    suppressors: Sequence[Signal]  # what `suppress` looks at
    operands: Sequence[Signal]
    events: frozenset[int]  # ids of the event points `when` looks at
    edges: Sequence[Sequence[Edge]]  # moved by the samples of each operand, in their order; last, by no sample
    is_tick_only: bool
    stakes: Sequence[Stake]  # every question that `when`, `clear` and `suppress` ask of a point
    places: Places
    signals: Mapping[int, Signal]
    tick_only: TickOnly
    leaders: Mapping[str, Leader]

    def edges_moved_by(self, point_id: int) -> Sequence[Edge]:
        for signal, edges in zip(self.operands, self.edges, strict=False):
            if signal.point.id == point_id:
                return edges
        return ()

    # What few conditions ever need is compiled when it is asked for: kept for each of tens of thousands, it would be
    # a third of what they take.

    def told(self) -> Dependencies:
        """The values and parameters to show a person who asks why."""
        slots = FacilitySlots(
            self.places, self.signals, self.tick_only, self.facility, self.part, self.rule, Dependencies(), self.leaders,
            tells=True,
        )  # fmt: skip
        _compiled(slots)
        return slots.found

    def past(self) -> "Past | None":
        """Of a latched rule, `when` as it was, from history, and the values to show; None: it does not latch."""
        if not self.rule.latch or self.is_tick_only:
            return None
        slots = FacilitySlots(
            self.places, self.signals, self.tick_only, self.facility, self.part, self.rule, Dependencies(),
            is_past=True, tells=True,
        )  # fmt: skip
        return compiled(self.rule.when, slots), slots.found.values


def bind(
    condition: Condition,
    places: Places,
    signals: Mapping[int, Signal],
    tick_only: TickOnly,
    late_keep_ms: int,
    leaders: Mapping[str, Leader],
) -> Bound | None:
    """The condition's rule against the signals of its place; None if the rule or its place is no more, or no longer
    complete. Operands of latched rules are made to remember `late_keep_ms`. `leaders`: the conditions of the same place
    that the rule asks after, by their rule.
    """
    facility = places.facilities.get(condition.facility_id)
    part = None if condition.part_id is None else places.part_by_id.get(condition.part_id)
    if facility is None or (condition.part_id is not None and part is None):
        return None
    rule = places.rule(facility, condition.rule_key)
    if rule is None or rule.by_calendar or isinstance(_found(places, facility, part, rule), LeftOut):
        return None
    found = Dependencies()
    slots = FacilitySlots(places, signals, tick_only, facility, part, rule, found, leaders)
    made = _compiled(slots)
    if rule.latch and not made.is_tick_only:
        for signal in made.operands_of_when:
            signal.keep(max(late_keep_ms, signal.history.keep_ms))
    return Bound(
        rule=rule,
        facility=facility,
        part=part,
        when=made.when,
        clear=made.clear,
        suppress=made.suppress,
        suppressors=made.suppressors,
        operands=tuple(found.operands.values()),
        events=frozenset(signal.point.id for signal in made.operands_of_when if signal.is_event) or _NO_EVENTS,
        edges=found.edges(),
        is_tick_only=found.is_tick_only,
        stakes=tuple({stake: None for node in made.asked for stake in stakes(node, slots)}),
        places=places,
        signals=signals,
        tick_only=tick_only,
        leaders=leaders or _NO_LEADERS,
    )


@dataclass(frozen=True, slots=True)
class _Compiled:
    when: Getter
    clear: Getter
    suppress: Getter | None
    suppressors: Sequence[Signal]
    operands_of_when: Sequence[Signal]
    is_tick_only: bool
    asked: Sequence[Node]


def _compiled(slots: FacilitySlots) -> _Compiled:
    """The rule's expressions. What they depend on is in `slots.found` afterwards."""
    rule = slots.rule
    when = compiled(rule.when, slots)
    operands_of_when = list(slots.found.operands.values())
    clear = _clear(rule, slots, when)
    asked = [node for node in (rule.when, clear_node(rule)) if node is not None]
    suppress, suppressors = None, ()
    if rule.suppress_when is not None:
        hiding = present(rule.suppress_when, _absence(slots.places, slots.facility, slots.part), positive=True)
        suppress, suppressors = _suppress(slots, hiding)
        asked.append(hiding)
    return _Compiled(when, clear, suppress, suppressors, operands_of_when, slots.found.is_tick_only, asked)


def clear_node(rule: Rule) -> Node | None:
    """What must be true for the rule's alarm to be over; None: simply that `when` is false."""
    if rule.clear_when is not None:
        return rule.clear_when
    return None if rule.deadband is None else deadband_clears(rule.when, rule.deadband)


def _clear(rule: Rule, slots: FacilitySlots, when: Getter) -> Getter:
    """Never true while `when` is: an alarm must not come and go in the same instant."""
    node = clear_node(rule)
    return Opposite(when) if node is None else _Cleared(compiled(node, slots), when)


@dataclass(frozen=True, slots=True)
class _Cleared:
    own: Getter
    when: Getter

    def __call__(self, at: int) -> bool | None:
        value = self.own(at)
        return bool(value) and not self.when(at) if value is not None else None


def _suppress(slots: FacilitySlots, node: Node) -> tuple[Getter, Sequence[Signal]]:
    """The suppression and the signals it looks at, each with the edge at which its being unknown has lasted too long."""
    apart = Dependencies()
    suppress = compiled(node, replace(slots, found=apart))
    patience_ms = round(slots.rule.unknown_max_s * 1000)
    for signal in apart.operands.values():
        apart.turns(signal, _doubt(signal, patience_ms))
    slots.found.take_in(apart)
    return suppress, tuple(apart.operands.values())


def _doubt(signal: Signal, patience_ms: int) -> Edge:
    def edge(at: int) -> int | None:
        since = signal.unknown_since(at)
        return None if since is None or since + patience_ms + 1 <= at else since + patience_ms + 1

    return edge


def _absence(places: Places, facility: Facility, part: Part | None) -> Callable[[Node], bool]:
    return lambda node: missing(places, facility, part, node) is not None


def present(node: Node, is_absent: Callable[[Node], bool], *, positive: bool) -> Node:
    """The suppression without what is not there: each smallest condition that names it is taken as the side on which
    it suppresses nothing. Left unknown it would hold a suppression for ever once that has begun.
    """
    match node:
        case Unary(operator="not"):
            return Unary("not", present(node.operand, is_absent, positive=not positive), node.column)
        case Binary(operator="and" | "or"):
            sides = [present(side, is_absent, positive=positive) for side in (node.left, node.right)]
            return Binary(node.operator, sides[0], sides[1], node.column)
        case _:
            return Boolean(not positive, node.column) if is_absent(node) else node
