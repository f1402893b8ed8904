"""Files of one import, put together: every file is read, then all are checked as one estate against packs and ledger.

The library form of `taizhang import`: `plan` and `estate.bring_in.difference` are a preview as data, `bring_in` writes it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from estate.bring_in import known
from estate.faults import EstateErrors, Fault, Place, Position
from estate.plan import Packs, Plan, check
from estate.reading import Raw, read_raw, shaped
from estate.types import Types, shipped
from ledger.pool import Connection

_LISTS = ("locations", "gateways", "facilities", "removed")


async def plan(connection: Connection, files: Sequence[Path], packs: Packs, types: Types | None = None) -> Plan:
    """What the files come to together. Raises EstateErrors with every fault of every file; writes nothing."""
    of_types = shipped() if types is None else types
    raws: list[Raw] = []
    faults: list[Fault] = []
    for file in files:
        try:
            raws.append(read_raw(file))
        except EstateErrors as error:
            faults.extend(error.faults)
    if faults:
        raise EstateErrors(faults)
    described = shaped(together(raws, of_types), of_types)
    return check(
        described, packs, known=await known(connection, [site.key for site in described.sites]), types=of_types
    )


def together(raws: Sequence[Raw], types: Types) -> Raw:
    """One document out of several: sites of the same key become one site. Raises EstateErrors for what is no estate."""
    if len(raws) == 1:
        return raws[0]
    whole = Raw(raws[0].file, {"sites": []}, {(): Position(raws[0].file)})
    sites: dict[str, tuple[int, dict[str, object]]] = {}
    faults: list[Fault] = []
    for raw in raws:
        described = _sites(raw.document)
        if described is None:
            try:
                shaped(raw, types)
            except EstateErrors as error:
                faults.extend(error.faults)
            continue
        whole.faults.extend(raw.faults)
        for number, site in enumerate(described):
            _join(whole, sites, raw, number, site)
    if faults:
        raise EstateErrors(faults)
    return whole


def _sites(document: object) -> list[dict[str, object]] | None:
    """The sites of a document whose outline is right; None: its shape has to be looked at by itself."""
    if not isinstance(document, dict) or document.keys() != {"sites"}:
        return None
    found = cast("Mapping[str, object]", document)["sites"]
    if not isinstance(found, list):
        return None
    sites = cast("list[object]", found)
    if not all(
        isinstance(site, dict) and isinstance(cast("dict[str, object]", site).get("key"), str) for site in sites
    ):
        return None
    return cast("list[dict[str, object]]", sites)


def _join(
    whole: Raw, sites: dict[str, tuple[int, dict[str, object]]], raw: Raw, number: int, site: dict[str, object]
) -> None:
    every = cast("list[dict[str, object]]", cast("dict[str, object]", whole.document)["sites"])
    key = str(site["key"])
    if key not in sites:
        sites[key] = (len(every), {})
        every.append(sites[key][1])
    at, into = sites[key]
    offsets: dict[str, int] = {}
    for name, value in site.items():
        if name in _LISTS and isinstance(value, list):
            there = cast("list[object]", into.setdefault(name, []))
            offsets[name] = len(there)
            there.extend(cast("list[object]", value))
        else:
            into.setdefault(name, value)
    for place, position in raw.positions.items():
        if place[:2] == ("sites", number):
            whole.positions.setdefault(("sites", at, *_shifted(place[2:], offsets)), position)


def _shifted(place: Place, offsets: Mapping[str, int]) -> Place:
    if len(place) > 1 and isinstance(place[1], int):
        return (place[0], place[1] + offsets.get(str(place[0]), 0), *place[2:])
    return place
