"""Give an estate back as files: YAML, CSV or a workbook that `taizhang import` reads again without a difference.

The tables are those of `estate.columns`. What a spreadsheet would take for a formula is quoted by an apostrophe, which
the import takes off again.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import openpyxl
import yaml
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from estate import bring_in, columns
from estate.columns import Table
from estate.describing import Item, Packs, describe_site
from estate.sheets import safe
from estate.types import Types, shipped
from ledger import facilities
from ledger.errors import NotFound
from ledger.pool import Connection

Rows = list[list[str]]
_WIDTH = {"name_zh": 24, "name_en": 28, "location": 30, "without": 40, "site": 12}
_FIRST_SHEET = 15  # columns' width where nothing else is said


async def describe(connection: Connection, keys: Sequence[str], packs: Packs, types: Types | None = None) -> list[Item]:
    """The sites of these keys, or all of them, as documents. Raises NotFound."""
    there = [site.key for site in await facilities.sites(connection)]
    for key in keys:
        if key not in there:
            raise NotFound("site", key)
    wanted = [key for key in there if key in keys or not keys]
    stands = await bring_in.known(connection, wanted)
    return [describe_site(stands[key], packs, shipped() if types is None else types) for key in wanted]


def as_yaml(sites: Sequence[Item]) -> str:
    return yaml.safe_dump(
        {"sites": list(sites)}, allow_unicode=True, sort_keys=False, default_flow_style=None, width=160
    )


def write(sites: Sequence[Item], path: Path, form: str, language: str) -> None:
    """`form`: yaml, csv (a directory of tables) or xlsx."""
    if form == "yaml":
        path.write_text(as_yaml(sites), encoding="utf-8")
    elif form == "csv":
        path.mkdir(parents=True, exist_ok=True)
        for table, rows in tables(sites).items():
            (path / f"{table.key}.csv").write_text(as_csv(table, rows, language), encoding="utf-8-sig")
    else:
        book = openpyxl.Workbook(write_only=False)
        assert book.active is not None
        book.remove(book.active)
        for table, rows in tables(sites).items():
            add_sheet(book, table, rows, language)
        book.save(path)


def as_csv(table: Table, rows: Rows, language: str) -> str:
    """With every cell made safe to open in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(headers(table, language))
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return out.getvalue()


def add_sheet(book: openpyxl.Workbook, table: Table, rows: Rows, language: str) -> None:
    sheet = book.create_sheet(table.title(language))
    for number, row in enumerate((headers(table, language), *rows), 1):
        for index, value in enumerate(row, 1):
            if value:
                cell = sheet.cell(number, index, safe(value))
                cell.number_format = "@"  # text: a serial number keeps its zeros
                cell.data_type = "s"
    for index, column in enumerate(table.columns, 1):
        head = sheet.cell(1, index)
        head.font, head.alignment = Font(bold=True), Alignment(wrap_text=True)
        sheet.column_dimensions[get_column_letter(index)].width = _WIDTH.get(column.field, _FIRST_SHEET)
    sheet.freeze_panes = "A2"


def headers(table: Table, language: str) -> list[str]:
    return [column.zh if language == "zh" else column.en for column in table.columns]


def tables(sites: Sequence[Item]) -> Mapping[Table, Rows]:
    """Every table with the rows that say what the documents say; those that have none are there, too."""
    found: dict[Table, Rows] = {table: [] for table in columns.TABLES}

    def row(table: Table, values: Mapping[str, object]) -> None:
        found[table].append([_shown(values.get(column.field)) for column in table.columns])

    for site in sites:
        key = site["key"]
        row(columns.SITES, {**site, **_named(site)})
        for location in _items(site, "locations"):
            row(columns.LOCATIONS, {"site": key, **location, **_named(location)})
        for gateway in _items(site, "gateways"):
            row(columns.GATEWAYS, {"site": key, **gateway, **_named(gateway)})
        for facility in _items(site, "facilities"):
            own = {"site": key, "facility": facility["key"]}
            type_or_kind = facility.get("type", facility.get("kind"))
            row(columns.FACILITIES, {"site": key, **facility, **_named(facility), "type": type_or_kind})
            for part in _items(facility, "parts"):
                row(columns.PARTS, {**own, "part": part["key"], "kind": part["kind"], **_named(part)})
            for name, value in cast("Item", facility.get("parameters", {})).items():
                row(columns.PARAMETERS, {**own, "name": name, "value": value})
            for name, target in cast("Item", facility.get("relations", {})).items():
                row(columns.RELATIONS, {**own, "name": name, "target": target})
            for asset in _items(facility, "assets"):
                row(columns.ASSETS, {**own, **asset})
    return found


def _items(of: Item, name: str) -> list[Item]:
    return cast("list[Item]", of.get(name, []))


def _named(of: Item) -> Mapping[str, object]:
    name = of.get("name")
    if not isinstance(name, dict):
        return {}
    names = cast("Mapping[str, object]", name)
    return {"name_zh": names["zh"], "name_en": names["en"]}


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, cast("list[object]", value)))
    return "" if value is None else repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
