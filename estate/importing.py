"""Files of one import, put together: every file is read, then all are checked as one estate against packs and ledger.

The library form of `taizhang import`: `plan` and `estate.bring_in.rehearse` are a preview as data, `bring_in` writes it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from estate.assembling import assemble
from estate.bring_in import known
from estate.faults import EstateErrors, Fault, Place, Position, Said
from estate.paths import Place as TreePlace
from estate.plan import Packs, Plan, check
from estate.reading import Raw, read_raw, shaped
from estate.rows import Tables, read_tables
from estate.sheets import Sheet, read_sheets
from estate.sites import Sites
from estate.types import Types, shipped
from ledger import facilities
from ledger.pool import Connection
from ledger.standing import Standing

_LISTS = ("locations", "gateways", "facilities", "removed")


@dataclass(frozen=True, slots=True)
class Options:
    """How the files are to be read. `ignored`: headers of columns that mean nothing here."""

    ignored: Collection[str] = ()
    types: Types | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """What stands in the files, before it is held against the ledger."""

    raws: Sequence[Raw]
    tables: Tables
    described: Sequence[Mapping[str, object]]  # the sites of YAML files


@dataclass(frozen=True, slots=True)
class Ground:
    """What of the ledger the files speak of."""

    sites: Sites
    keys: frozenset[str]
    stands: Mapping[str, Standing]


async def plan(connection: Connection, files: Sequence[Path], packs: Packs, options: Options | None = None) -> Plan:
    """What the files come to together. Raises EstateErrors with every fault of every file; writes nothing."""
    chosen = options or Options()
    contents = contents_of(files, chosen)
    return settle(contents, await ground_of(connection, contents), packs, chosen)


def contents_of(files: Sequence[Path], options: Options) -> Contents:
    """Blocking, and long for large files. Raises EstateErrors for what cannot be read at all."""
    raws, sheets, faults = _read(files)
    tables = read_tables(sheets, options.ignored)
    if faults:
        raise EstateErrors([*faults, *tables.faults, *(fault for raw in raws for fault in raw.faults)])
    return Contents(raws, tables, [each for raw in raws for each in _sites(raw.document) or ()])


async def ground_of(connection: Connection, contents: Contents) -> Ground:
    there = await facilities.sites(connection)
    sites = Sites(contents.tables, (_named(site) for site in contents.described), there)
    keys = sites.named(contents.tables) | {str(site.get("key")) for site in contents.described}
    return Ground(sites, frozenset(keys), await known(connection, sorted(keys)))


def settle(contents: Contents, ground: Ground, packs: Packs, options: Options) -> Plan:
    """Blocking, and long for large files. Raises EstateErrors with every fault of every file."""
    types = shipped() if options.types is None else options.types
    raws, tables = list(contents.raws), contents.tables
    if tables.present or tables.faults:
        trees = {key: _tree(key, contents.described, ground.stands.get(key)) for key in ground.keys}
        raws.append(assemble(tables, ground.sites, ground.stands, trees, packs, types))
    return check_all(together(raws, types), packs, ground.stands, types)


def check_all(whole: Raw, packs: Packs, stands: Mapping[str, Standing], types: Types) -> Plan:
    """Shape and meaning, every fault of both that can be told at once."""
    told = list(whole.faults)
    whole.faults.clear()
    if told and whole.document == {"sites": []}:
        raise EstateErrors(_in_order(told))
    try:
        described = shaped(whole, types)
        found = check(described, packs, known=stands, types=types)
    except EstateErrors as error:
        raise EstateErrors(_in_order([*told, *error.faults])) from error
    if told:
        raise EstateErrors(_in_order(told))
    return found


def _in_order(faults: Sequence[Fault]) -> list[Fault]:
    return sorted(faults, key=lambda one: (one.position.file, one.position.sheet or "", one.position.line or 0))


def _read(files: Sequence[Path]) -> tuple[list[Raw], list[Sheet], list[Fault]]:
    raws: list[Raw] = []
    sheets: list[Sheet] = []
    faults: list[Fault] = []
    for file in files:
        try:
            if file.suffix.lower() in (".yaml", ".yml"):
                raws.append(read_raw(file))
            else:
                found = read_sheets(file)
                sheets.extend(found)
                if not any(sheet.rows for sheet in found):
                    faults.append(Fault(Position(str(file)), Said("里面什么都没有", "there is nothing in it")))
        except EstateErrors as error:
            faults.extend(error.faults)
    return raws, sheets, faults


def _named(site: Mapping[str, object]) -> tuple[str, str, str]:
    key, name = str(site.get("key")), site.get("name")
    names: Mapping[str, object] = cast("Mapping[str, object]", name) if isinstance(name, dict) else {}
    return key, str(names.get("zh", key)), str(names.get("en", key))


def _tree(key: str, described: Sequence[Mapping[str, object]], standing: Standing | None) -> list[TreePlace]:
    """The places of a site that YAML files of this import describe, and those in the ledger."""
    found: dict[str, TreePlace] = {}
    if standing is not None:
        found = {
            each.key: TreePlace(each.key, each.name_zh, each.name_en, each.inside)
            for each in standing.locations.values()
        }
    for site in described:
        items = site.get("locations")
        if site.get("key") == key and isinstance(items, list):
            for item in cast("list[object]", items):
                of: Mapping[str, object] = cast("Mapping[str, object]", item) if isinstance(item, dict) else {}
                if "key" in of:
                    inside = of.get("inside")
                    place, zh, en = _named(of)
                    found[place] = TreePlace(place, zh, en, None if inside is None else str(inside))
    return list(found.values())


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
