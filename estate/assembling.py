"""Rows of tables become an estate document, like the one a YAML file holds, with the cell of every piece of it.

A row changes what its columns say. Of a facility that is in the ledger already, what the tables have no column or no
sheet for stays as it is; of one that is new, the type says it.
"""

from collections.abc import Mapping, Sequence
from typing import cast

from estate import cells, columns
from estate.describing import Packs, describe_facility
from estate.faults import TOLD, Fault, Place, Position, Said, nearest
from estate.paths import Ambiguous, Paths
from estate.paths import Place as TreePlace
from estate.reading import Raw
from estate.rows import Entry, Tables
from estate.sites import Sites
from estate.types import Names, Types
from ledger.standing import Standing
from rules.model import GATEWAY_KIND

Item = dict[str, object]
_ASSET_FIELDS = ("maker", "model", "serial", "manufactured_on", "installed_on")
_PLAIN = ("key", "grade", "gateway", "without", "with", "renamed_from")


def assemble(
    tables: Tables,
    sites: Sites,
    known: Mapping[str, Standing],
    trees: Mapping[str, Sequence[TreePlace]],
    packs: Packs,
    types: Types,
) -> Raw:
    """`trees`: the places of each site that are described beside the tables, or stand in the ledger."""
    file = tables.entries[0].row.file if tables.entries else ""
    raw = Raw(file, {"sites": []}, {(): Position(file)}, list(tables.faults))
    names = Names(types, packs)
    by_site: dict[str, list[Entry]] = {}
    for entry in tables.entries:
        key = sites.of(entry, raw.faults)
        if key is not None:
            by_site.setdefault(key, []).append(entry)
    for key, entries in by_site.items():
        _Site(raw, key, entries, tables.present, known.get(key), trees.get(key, ()), packs, types, names).put()
    return raw


class _Site:
    def __init__(
        self,
        raw: Raw,
        key: str,
        entries: Sequence[Entry],
        present: set[str],
        standing: Standing | None,
        tree: Sequence[TreePlace],
        packs: Packs,
        types: Types,
        names: Names,
    ) -> None:
        self._raw, self._entries, self._present, self._standing = raw, entries, present, standing
        self._packs, self._types, self._names = packs, types, names
        sites = cast("list[Item]", cast("Item", raw.document)["sites"])
        self._place: Place = ("sites", len(sites))
        self._site: Item = {"key": key}
        sites.append(self._site)
        self._paths = Paths(tree)
        self._facilities: dict[str, tuple[int, Item]] = {}

    def _of(self, table: columns.Table) -> list[Entry]:
        return [entry for entry in self._entries if entry.table is table]

    def put(self) -> None:
        for entry in self._of(columns.SITES):
            self._raw.positions.setdefault(self._place, entry.row)
            self._site["name"] = _name(entry, entry.text("name_zh") or "")
            self._site.update(
                {name: entry.text(name) for name in ("time_zone", "round_at", "sla_profile") if entry.text(name)}
            )
            self._mark(self._place, entry, ("key", "time_zone", "round_at", "sla_profile"))
        self._put_locations()
        for entry in self._of(columns.GATEWAYS):
            gateway: Item = {
                "key": entry.values["key"],
                "name": _name(entry, str(entry.values["name_zh"])),
                "location": self._location(entry, "location"),
            }
            _copy(entry, gateway, ("renamed_from",))
            self._add("gateways", gateway, entry)
        for entry in self._of(columns.FACILITIES):
            self._put_facility(entry)
        self._put_details()
        for place in self._paths.made.values():
            made: Item = {"key": place.key, "name": {"zh": place.name_zh, "en": place.name_en}, "inside": place.inside}
            self._list("locations").append(made)

    def _put_locations(self) -> None:
        """Those of the sheet first know each other by key; a path in `inside` may lead to any of them."""
        entries = self._of(columns.LOCATIONS)
        places = [
            TreePlace(str(e.values["key"]), str(e.values["name_zh"]), e.text("name_en") or "", e.text("inside"))
            for e in entries
        ]
        self._paths.learn(places)
        for entry in entries:
            location: Item = {"key": entry.values["key"], "name": _name(entry, str(entry.values["name_zh"]))}
            if entry.text("inside"):
                location["inside"] = self._paths.parent(str(entry.values["inside"]))
            _copy(entry, location, ("renamed_from",))
            self._add("locations", location, entry)

    def _put_facility(self, entry: Entry) -> None:
        key = str(entry.values["key"])
        state = (entry.text("state") or "").lower()
        if state in cells.GONE:
            removal: Item = {"key": key}
            _copy(entry, removal, ("reason",))
            if "reason" not in removal:
                self._tell(entry.at("state"), "报废或拆除要写“原因”", "what is removed needs a reason (原因)")
                removal["reason"] = TOLD
            self._add("removed", removal, entry)
            return
        if state and state not in cells.IN_USE:
            self._tell(
                entry.at("state"),
                f"状态“{state}”不清楚：写“在用”，或“报废”“拆除”并写原因",
                f"the state {state} is not clear: write in use (在用), or removed (拆除) with a reason",
            )
        facility = self._as_it_stands(entry)
        self._put_type(entry, facility)
        _copy(entry, facility, _PLAIN)
        if entry.text("location") is not None:
            facility["location"] = self._location(entry, "location")
        elif "location" not in facility:
            self._tell(entry.row, "新设备要写“位置”", "a new facility needs a location (位置)")
            facility["location"] = TOLD
        self._put_name(entry, facility)
        asset = self._asset(entry, None)
        facility["assets"] = [asset] if asset is not None else []
        number = self._add("facilities", facility, entry)
        self._facilities.setdefault(key, (number, facility))

    def _as_it_stands(self, entry: Entry) -> Item:
        there = None
        if self._standing is not None:
            for key in (entry.text("key"), entry.text("renamed_from")):
                there = there or self._standing.facilities.get(key or "")
        if there is None or there.retired or there.kind == GATEWAY_KIND or there.kind not in self._packs:
            return {}
        facility = describe_facility(there, self._packs[there.kind], self._types.get(there.type or ""))
        facility.pop("assets", None)
        return facility

    def _put_type(self, entry: Entry, facility: Item) -> None:
        word = entry.text("type")
        if word is None:
            if "kind" not in facility and "type" not in facility:
                self._tell(entry.row, "新设备要写“设备类型”", "a new facility needs a type (设备类型)")
                facility["kind"] = TOLD
                facility["type"] = None
            return
        of_type, kind = self._names.type(word), self._names.kind(word)
        if of_type is None and kind is None:
            told = Said(
                f"没有设备类型“{word}”；`taizhang types` 列出全部",
                f"there is no facility type {word}; `taizhang types` lists them",
            )
            self._raw.faults.append(Fault(entry.at("type"), told, nearest=nearest(word, self._names.words)))
            facility.update({"kind": TOLD, "type": None})
        elif of_type is not None and facility.get("type") != of_type:
            for name in ("kind", "parts", "without", "with"):
                facility.pop(name, None)
            facility["type"] = of_type
        elif of_type is None and facility.get("kind") != kind:
            facility.pop("type", None)
            facility["kind"] = kind

    def _put_name(self, entry: Entry, facility: Item) -> None:
        name = dict(cast("Mapping[str, str]", facility.get("name", {})))
        of_type = self._types.get(str(facility.get("type")))
        if entry.text("name_zh") is not None:
            name["zh"] = str(entry.text("name_zh"))
        elif "zh" not in name:
            name["zh"] = of_type.title.zh if of_type is not None else str(entry.values["key"])
        if entry.text("name_en") is not None:
            name["en"] = str(entry.text("name_en"))
        elif "en" not in name:
            name["en"] = f"{of_type.title.en} {entry.values['key']}" if of_type is not None else name["zh"]
        facility["name"] = name

    def _asset(self, entry: Entry, part: str | None) -> Item | None:
        found: Item = {name: entry.values[name] for name in _ASSET_FIELDS if name in entry.values}
        if not found:
            return None
        if "installed_on" not in found:
            if "installed_on" in entry.positions:
                return None  # told already: it could not be read
            self._tell(
                entry.row,
                "写了品牌、型号或日期，就要写“安装日期”",
                "a piece with maker, model or dates needs the day it was installed (安装日期)",
            )
            return None
        if part is not None:
            found["part"] = part
        return {"maker": "", "model": "", **found}

    def _put_details(self) -> None:
        """What stands in sheets of its own. A sheet that is there says everything of the facilities in it."""
        for table, name in ((columns.PARTS, "parts"), (columns.RELATIONS, "relations")):
            if table.key in self._present:
                for _, facility in self._facilities.values():
                    facility.pop(name, None)
        for entry in self._of(columns.PARTS):
            part: Item = {"key": entry.values["part"], "kind": str(entry.values["kind"]).lower()}
            if entry.text("name_zh") is not None:
                part["name"] = _name(entry, str(entry.values["name_zh"]))
            self._detail(entry, "parts", part)
        for table, name, value in (
            (columns.PARAMETERS, "parameters", "value"),
            (columns.RELATIONS, "relations", "target"),
        ):
            for entry in self._of(table):
                self._pair(entry, name, str(entry.values["name"]).lower(), entry.values[value], entry.at(value))
        for entry in self._of(columns.ASSETS):
            asset = self._asset(entry, entry.text("part"))
            if asset is not None:
                self._detail(entry, "assets", asset)

    def _owner(self, entry: Entry) -> tuple[int, Item] | None:
        key = str(entry.values["facility"])
        if key not in self._facilities:
            told = Said(f"设备表里没有 {key}", f"the table of facilities has no {key}")
            self._raw.faults.append(Fault(entry.at("facility"), told, nearest=nearest(key, self._facilities)))
            return None
        return self._facilities[key]

    def _detail(self, entry: Entry, name: str, item: Item) -> None:
        owner = self._owner(entry)
        if owner is not None:
            items = cast("list[Item]", owner[1].setdefault(name, []))
            place: Place = (*self._place, "facilities", owner[0], name, len(items))
            items.append(item)
            self._raw.positions[place] = entry.row
            self._mark(place, entry, ("kind", "part", *_ASSET_FIELDS))

    def _pair(self, entry: Entry, name: str, key: str, value: object, position: Position) -> None:
        owner = self._owner(entry)
        if owner is not None:
            cast("Item", owner[1].setdefault(name, {}))[key] = value
            self._raw.positions[(*self._place, "facilities", owner[0], name, key)] = position

    def _location(self, entry: Entry, name: str) -> str:
        text = str(entry.values[name])
        try:
            return self._paths.key(text)
        except Ambiguous as error:
            keys = "、".join(error.args[0])
            self._tell(
                entry.at(name),
                f"有几个地方叫“{text}”（{keys}）：写完整路径或位置编号",
                f"several places are called {text} ({keys}): write the whole path or the key",
            )
        except ValueError:
            self._tell(entry.at(name), f"位置“{text}”不成路径", f"{text} is no path of places")
        return TOLD

    def _list(self, name: str) -> list[Item]:
        return cast("list[Item]", self._site.setdefault(name, []))

    def _add(self, name: str, item: Item, entry: Entry) -> int:
        items = self._list(name)
        place: Place = (*self._place, name, len(items))
        items.append(item)
        self._raw.positions[place] = entry.row
        self._mark(place, entry, entry.positions)
        return len(items) - 1

    def _mark(self, place: Place, entry: Entry, names: Sequence[str] | Mapping[str, Position]) -> None:
        for name in names:
            if name in entry.positions:
                self._raw.positions[(*place, name)] = entry.positions[name]

    def _tell(self, position: Position, zh: str, en: str) -> None:
        self._raw.faults.append(Fault(position, Said(zh, en)))


def _name(entry: Entry, zh: str) -> Item:
    return {"zh": zh, "en": entry.text("name_en") or zh}


def _copy(entry: Entry, into: Item, names: Sequence[str]) -> None:
    into.update({name: entry.values[name] for name in names if name in entry.values})
