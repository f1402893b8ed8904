"""What refused messages spoke of, brought into the ledger: a facility, a gateway, or points of a facility that is there.

Each becomes a piece of an estate document and goes the way of every import, so that types, packs and the ledger have
the same say. What was refused before is not stored afterwards: nobody knows any more what it would have meant.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from estate.describing import Item, describe_facility
from estate.faults import EstateErrors, Fault, Position, Said
from estate.importing import check_all
from estate.plan import Packs, Plan
from estate.reading import Raw
from estate.types import FacilityType, Types
from ledger.inventory import PointEntry
from ledger.records import PointKind
from ledger.standing import Standing, StandingFacility, StandingPart
from rules.model import GATEWAY_KIND, Pack


class Way(StrEnum):
    """How a point that a facility lacks can become one of its points."""

    OPTIONAL = "optional"  # facilities of its kind may have it
    NEW_PART = "new_part"  # with a part that the facility has not got yet: `pump_3.run`


@dataclass(frozen=True, slots=True)
class UnknownPoint:
    key: str
    way: Way | None  # None: its kind has no such point, so that no rule could say what it means
    part_kind: str | None  # of a new part


@dataclass(frozen=True, slots=True)
class Likeness:
    """How far a type has the points that were heard of."""

    type: FacilityType
    heard: Sequence[str]
    unheard_of: Sequence[str]  # what was heard and the type has not


def alike(types: Types, packs: Packs, heard: Collection[str]) -> list[Likeness]:
    """Every type that can be measured, the one with most of what was heard first; of equals the one with least beside."""
    found: list[tuple[int, int, Likeness]] = []
    for each in types.values():
        keys = set(_keys_of(each, packs[each.kind]))
        if keys:
            likeness = Likeness(each, sorted(keys & set(heard)), sorted(set(heard) - keys))
            found.append((-len(likeness.heard), len(keys - set(heard)), likeness))
    return [likeness for _, _, likeness in sorted(found, key=lambda one: one[:2])]


def _keys_of(one: FacilityType, pack: Pack) -> Iterator[str]:
    for name, point in pack.points.items():
        if name in one.without:
            continue
        if point.part_kind is None:
            yield point.key
        else:
            yield from (f"{part}.{point.key}" for part, kind in one.part_keys() if kind == point.part_kind)


def unknown_points(there: StandingFacility, pack: Pack, heard: Collection[str]) -> list[UnknownPoint]:
    """What was heard of a facility and is none of its points."""
    return [_unknown(there, pack, key) for key in sorted(set(heard) - there.points.keys())]


def _unknown(there: StandingFacility, pack: Pack, key: str) -> UnknownPoint:
    part, dot, name = key.rpartition(".")
    if not dot:
        known = pack.points.get(key)
        return UnknownPoint(key, None if known is None or known.part_kind is not None else Way.OPTIONAL, None)
    standing = there.parts.get(part)
    kind = standing.kind if standing is not None else _kind_of(part, pack)
    if kind is None or f"{kind}.{name}" not in pack.points:
        return UnknownPoint(key, None, None)
    return UnknownPoint(key, Way.OPTIONAL, None) if standing is not None else UnknownPoint(key, Way.NEW_PART, kind)


def _kind_of(part: str, pack: Pack) -> str | None:
    """`pump_3` is a pump, `jockey_pump_1` a jockey pump."""
    named = [kind for kind in pack.parts if part == kind or part.startswith(f"{kind}_")]
    return max(named, key=len, default=None)


def facility(
    standing: Standing,
    packs: Packs,
    types: Types,
    *,
    key: str,
    type_key: str,
    name: Mapping[str, str],
    location: str,
    gateway: str | None,
) -> Plan:
    """Raises EstateErrors."""
    described: Item = {"key": key, "type": type_key, "name": dict(name), "location": location}
    if gateway is not None:
        described["gateway"] = gateway
    return _plan(standing, packs, types, facilities=[described])


def gateway(
    standing: Standing, packs: Packs, types: Types, *, key: str, name: Mapping[str, str], location: str
) -> Plan:
    """Raises EstateErrors."""
    return _plan(standing, packs, types, gateways=[{"key": key, "name": dict(name), "location": location}])


def points(standing: Standing, packs: Packs, types: Types, *, key: str, wanted: Sequence[str]) -> Plan:
    """The facility as it is, with these points as well. Raises EstateErrors."""
    there = standing.facilities[key]
    if there.kind == GATEWAY_KIND or there.kind not in packs:
        raise EstateErrors([_fault(f"{key} 不接受测点", f"{key} takes no points")])
    pack = packs[there.kind]
    unknown = [_unknown(there, pack, each) for each in wanted]
    strange = [each.key for each in unknown if each.way is None]
    if strange:
        listed = ", ".join(strange)
        told = _fault(
            f"{pack.title.zh}没有测点 {listed}；设备里改成已有的测点名，或在规则包里增加",
            f"a {pack.kind} has no point {listed}; call it otherwise in the device, or add it to the rule pack",
        )
        raise EstateErrors([told])
    parts = {part: each.part_kind for each in unknown if each.part_kind for part in [each.key.rpartition(".")[0]]}
    more = replace(
        there,
        parts={**there.parts, **{part: _usual(part, kind, pack) for part, kind in parts.items()}},
        points={**there.points, **{each: _anything(each) for each in wanted}},
    )
    return _plan(standing, packs, types, facilities=[describe_facility(more, pack, types.get(there.type or ""))])


def _usual(part: str, kind: str, pack: Pack) -> StandingPart:
    """A part called as its kind is, with its number."""
    title = pack.parts[kind].title
    number = "" if part == kind else part.removeprefix(f"{kind}_").upper()
    return StandingPart(part, kind, f"{title.zh} {number}".strip(), f"{title.en} {number}".strip())


def _anything(key: str) -> PointEntry:
    """Only that it is there counts for the description; the pack says what it is."""
    return PointEntry(key, None, PointKind.MEASURE, "", 1.0, 0.0, None, None, None, None, "", "")


def _plan(standing: Standing, packs: Packs, types: Types, **pieces: Sequence[Item]) -> Plan:
    raw = Raw("", {"sites": [{"key": standing.site.key, **pieces}]})
    return check_all(raw, packs, {standing.site.key: standing}, types)


def _fault(zh: str, en: str) -> Fault:
    return Fault(Position(""), Said(zh, en))
