"""Rules that may never speak, because something they look at has never reported.

Unknown neither raises nor clears. Points that stop reporting are told by `stale_points`; one on change that was never
connected is told by nothing, so whoever reads a facility's rules has to see it there. Suppressions are left out: one
that cannot be told hides nothing.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from ledger.records import Facility, Part, Point, PointKind
from rules.binding import conditions_for
from rules.model import Rule
from rules.places import Places
from rules.slots import counted_parts, place_of
from rules.syntax import Call, Name, Node, names, walk
from rules.vocabulary import AGGREGATES

LookedAt = Mapping[str, Mapping[int, str]]  # rule -> the points its condition looks at there, as the site calls them


def looked_at(places: Places, facility: Facility) -> LookedAt:
    """What the rules in force at a facility look at, in the order of its rules."""
    rules = {rule.key: rule for rule in places.rules(facility)}
    found: dict[str, dict[int, str]] = {}
    for spec in conditions_for(places.configuration, places.packs):
        if spec.facility_id == facility.id:
            part = None if spec.part_id is None else places.part_by_id[spec.part_id]
            seen = found.setdefault(spec.rule_key, {})
            for point in _points(places, facility, part, rules[spec.rule_key]):
                there = places.facilities[point.facility_id]
                seen[point.id] = point.key if there.id == facility.id else f"{there.key}/{point.key}"
    return found


def points_of(looked: LookedAt) -> Sequence[int]:
    return sorted({point_id for points in looked.values() for point_id in points})


def never_reported(looked: LookedAt, rule_key: str, heard: Collection[int]) -> Sequence[str]:
    """The points the rule looks at that are not among those heard, each once."""
    points = looked.get(rule_key, {})
    return [name for point_id, name in points.items() if point_id not in heard]


def _points(places: Places, facility: Facility, part: Part | None, rule: Rule) -> Iterator[Point]:
    """An event that never occurred is known not to have."""
    for node in (rule.when, rule.clear_when):
        for name, at_part in () if node is None else _named(places, facility, part, node):
            there, found_part = place_of(places, facility, at_part, name)
            point = None if there is None else places.point(there, found_part, name.key)
            if point is not None and point.kind is not PointKind.EVENT:
                yield point


def _named(places: Places, facility: Facility, part: Part | None, node: Node) -> Iterator[tuple[Name, Part | None]]:
    """Each name of the expression, with the part that its scope stands for."""
    pack = places.packs.get(facility.kind)
    part_kinds: Collection[str] = () if pack is None else pack.parts
    for each in walk(node):
        if isinstance(each, Call) and each.function in AGGREGATES:
            for counted in counted_parts(places, facility, each.arguments[0]):
                yield from ((name, counted) for name in names(each) if name.scope in part_kinds)
        elif isinstance(each, Name) and each.scope not in part_kinds:
            yield each, part
