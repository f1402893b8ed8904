"""What stands in the ledger, described as an estate file would: the way back. A type's own parts and figures are left out.

Pure. The same description serves the export and the rows of a table, which change only what their columns say.
"""

from collections.abc import Iterator, Mapping

from estate.description import PartDescription
from estate.facility_plan import part_plan
from estate.types import FacilityType, Types
from ledger.inventory import AssetEntry
from ledger.standing import Standing, StandingFacility
from rules.model import GATEWAY_KIND, Pack

Packs = Mapping[str, Pack]
Item = dict[str, object]


def describe_site(standing: Standing, packs: Packs, types: Types) -> Item:
    """The whole site as it is now. What is retired is history and not described."""
    living = [each for each in standing.facilities.values() if not each.retired]
    site = standing.site
    return {
        "key": site.key,
        "name": {"zh": site.name_zh, "en": site.name_en},
        "time_zone": site.time_zone,
        "round_at": f"{site.round_at:%H:%M}",
        "sla_profile": site.sla_profile,
        "locations": [
            {"key": each.key, "name": {"zh": each.name_zh, "en": each.name_en}}
            | ({} if each.inside is None else {"inside": each.inside})
            for each in standing.locations.values()
        ],
        "gateways": [
            {"key": each.key, "name": {"zh": each.name_zh, "en": each.name_en}, "location": each.location}
            for each in living
            if each.kind == GATEWAY_KIND
        ],
        "facilities": [
            describe_facility(each, packs[each.kind], types.get(each.type or ""))
            for each in living
            if each.kind != GATEWAY_KIND and each.kind in packs
        ],
    }


def describe_facility(there: StandingFacility, pack: Pack, of_type: FacilityType | None) -> Item:
    found: Item = {"key": there.key}
    found |= {"kind": there.kind} if of_type is None else {"type": of_type.key}
    found |= {"name": {"zh": there.name_zh, "en": there.name_en}, "location": there.location}
    if there.gateway is not None:
        found["gateway"] = there.gateway
    if there.grade is not pack.grade.grade:
        found["grade"] = there.grade.value
    absent = set(_absent(there, pack))
    usual: set[str] = set() if of_type is None else set(of_type.without)
    own: Item = {
        "parts": list(_parts(there, pack, of_type)),
        "without": [name for name in _in_order(absent, pack) if name not in usual],
        "with": [name for name in _in_order(usual, pack) if name not in absent],
        "parameters": {
            name: value
            for name, value in sorted(there.parameters.items())
            if of_type is None or of_type.parameters.get(name) != value
        },
        "relations": dict(there.relations),
        "assets": list(_assets(there)),
    }
    return found | {name: value for name, value in own.items() if value}


def _parts(there: StandingFacility, pack: Pack, of_type: FacilityType | None) -> list[Item]:
    given = dict(of_type.part_keys()) if of_type is not None else {}
    found: list[Item] = []
    for part in there.parts.values():
        usual = part_plan(PartDescription(key=part.key, kind=part.kind), pack)
        is_usual = (usual.name_zh, usual.name_en) == (part.name_zh, part.name_en)
        if given.get(part.key) == part.kind and is_usual:
            continue
        item: Item = {"key": part.key, "kind": part.kind}
        if not is_usual:
            item["name"] = {"zh": part.name_zh, "en": part.name_en}
        found.append(item)
    return found


def _absent(there: StandingFacility, pack: Pack) -> list[str]:
    """The optional points it lacks: by the pack's name where it lacks them everywhere, else part by part."""
    found: list[str] = []
    for point in pack.points.values():
        if not point.optional:
            continue
        if point.part_kind is None:
            keys = [point.key]
        else:
            keys = [f"{part.key}.{point.key}" for part in there.parts.values() if part.kind == point.part_kind]
        gone = [key for key in keys if key not in there.points]
        found.extend([point.name] if len(gone) == len(keys) else gone)
    return found


def _in_order(names: set[str], pack: Pack) -> list[str]:
    order = {name: number for number, name in enumerate(pack.points)}
    return sorted(names, key=lambda name: (order.get(name, len(order)), name))


def _assets(there: StandingFacility) -> Iterator[Item]:
    """Of what was put in the same place on the same day, the last: what was misspelt first was never there."""
    found = {(each.part_key, each.installed_on): each for each in there.assets}
    yield from (_asset(each) for each in found.values() if each.part_key is None or each.part_key in there.parts)


def _asset(asset: AssetEntry) -> Item:
    found: Item = {} if asset.part_key is None else {"part": asset.part_key}
    found |= {"maker": asset.maker, "model": asset.model}
    if asset.serial is not None:
        found["serial"] = asset.serial
    if asset.manufactured_on is not None:
        found["manufactured_on"] = asset.manufactured_on.isoformat()
    return found | {"installed_on": asset.installed_on.isoformat()}
