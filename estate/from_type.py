"""Fill a facility in from its type, in the document as it was written, before its shape is checked.

What the facility says itself wins: a part of the same key, a parameter of the same name. `without` adds to the type's
absent points, `with` takes some of them back.
"""

from collections.abc import Mapping
from typing import cast

from estate.faults import TOLD, Faults, Place, Said
from estate.types import FacilityType, Types

Table = dict[str, object]


def fill_in(document: object, types: Types, faults: Faults) -> None:
    """Changes the document."""
    for place, facility in _facilities(document):
        extra = facility.pop("with", [])
        if "type" not in facility:
            if extra:
                faults.tell(
                    (*place, "with"), "只有写了 type 的设施才能写 with", "`with` is for a facility that has a `type`"
                )
            continue
        name = facility["type"]
        if name is None:
            continue
        if not isinstance(name, str) or name not in types:
            faults.unknown(Said("设施类型", "facility type"), (*place, "type"), str(name), types)
            facility.setdefault("kind", TOLD)
            continue
        _fill(facility, types[name], place, extra, faults)


def _facilities(document: object) -> list[tuple[Place, Table]]:
    found: list[tuple[Place, Table]] = []
    for number, site in enumerate(_items(_get(document, "sites"))):
        for index, facility in enumerate(_items(_get(site, "facilities"))):
            if isinstance(facility, dict):
                found.append((("sites", number, "facilities", index), cast("Table", facility)))
    return found


def _fill(facility: Table, of: FacilityType, place: Place, extra: object, faults: Faults) -> None:
    if facility.setdefault("kind", of.kind) != of.kind:
        faults.tell(
            (*place, "kind"),
            f"类型 {of.key} 属于 {of.kind}，与写的种类 {facility['kind']} 不符；去掉 kind 即可",
            f"the type {of.key} is of kind {of.kind}, not {facility['kind']}; leave `kind` out",
        )
    own_parts = _items(facility.get("parts", []))
    named = {_get(part, "key") for part in own_parts}
    added = [{"key": key, "kind": kind} for key, kind in of.part_keys() if key not in named]
    if isinstance(facility.get("parts", []), list):
        facility["parts"] = [*own_parts, *added]
    back = [str(each) for each in _items(extra)]
    for each in back:
        if each not in of.without:
            faults.unknown(
                Said(f"类型 {of.key} 缺少的测点", f"point that {of.key} is without"), (*place, "with"), each, of.without
            )
    own_without = facility.get("without", [])
    if isinstance(own_without, list):
        absent = [name for name in of.without if name not in back and name not in own_without]
        facility["without"] = [*cast("list[object]", own_without), *absent]
    own_parameters = facility.get("parameters", {})
    if isinstance(own_parameters, dict):
        facility["parameters"] = {**of.parameters, **cast("Table", own_parameters)}


def _items(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _get(value: object, key: str) -> object:
    return cast("Mapping[str, object]", value).get(key) if isinstance(value, dict) else None
