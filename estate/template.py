"""A workbook to fill in: the tables with their headers, what belongs in each column, lists to choose from, one example.

Made from the facility types, so that it offers what can be brought in. The example row says so in its state column and
is passed over by the import.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from estate import columns
from estate.columns import Table
from estate.exporting import Rows, add_sheet, as_csv
from estate.type_text import summary
from estate.types import FacilityType
from rules.model import Pack

Packs = Mapping[str, Pack]
_LISTED_ROWS = 5_000  # rows of a template in which the lists are offered


def write(path: Path, types: Sequence[FacilityType], packs: Packs, language: str) -> None:
    """A workbook; or, for a path that ends in .csv, the table of facilities alone."""
    rows = {columns.FACILITIES: [_example(types[0], language)]}
    if path.suffix.lower() == ".csv":
        path.write_text(as_csv(columns.FACILITIES, rows[columns.FACILITIES], language), encoding="utf-8-sig")
        return
    book = openpyxl.Workbook()
    assert book.active is not None
    book.remove(book.active)
    for table in columns.TABLES:
        add_sheet(book, table, rows.get(table, []), language)
        _explain(book[table.title(language)], table, language)
    _list_types(book, types, packs, language)
    _offer(book, types, language)
    book.active = book[columns.FACILITIES.title(language)]
    book.save(path)


def _example(of_type: FacilityType, language: str) -> list[str]:
    zh = language == "zh"
    values = {
        "site": "jinxiu",
        "location": "1号楼/3层/电梯厅" if zh else "Building 1/Floor 3/Lift lobby",
        "key": "b1-f3-01",
        "name_zh": of_type.title.zh,
        "name_en": of_type.title.en,
        "type": of_type.title.zh if zh else of_type.title.en,
        "installed_on": "2024-05-01",
        "manufactured_on": "2024-03",
        "maker": "品牌" if zh else "Maker",
        "model": "型号" if zh else "Model",
        "state": "示例" if zh else "example",
    }
    return [values.get(column.field, "") for column in columns.FACILITIES.columns]


def _explain(sheet: Worksheet, table: Table, language: str) -> None:
    for index, column in enumerate(table.columns, 1):
        needed = ("必填。", "Required. ")[0 if language == "zh" else 1] if column.required else ""
        note = "" if column.note is None else column.note.text(language)
        if needed or note:
            sheet.cell(1, index).comment = Comment(f"{needed}{note}", "taizhang", height=70, width=260)


def _list_types(book: openpyxl.Workbook, types: Sequence[FacilityType], packs: Packs, language: str) -> None:
    zh = language == "zh"
    sheet = book.create_sheet("类型说明" if zh else "Types")
    heads = (
        ("类型", "编号", "等级", "部件", "测点数", "规则数", "需要网关")
        if zh
        else ("Type", "Key", "Grade", "Parts", "Points", "Rules", "Gateway")
    )
    rows: Rows = [list(heads), *(summary(each, packs[each.kind], language) for each in types)]
    for row in rows:
        sheet.append(row)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for letter, width in zip("ABCDEFG", (34, 40, 8, 50, 8, 8, 10), strict=True):
        sheet.column_dimensions[letter].width = width


def _offer(book: openpyxl.Workbook, types: Sequence[FacilityType], language: str) -> None:
    """Lists that open in the cells; what they offer stands in a sheet of its own, or in the tables themselves."""
    zh = language == "zh"
    listed = book.create_sheet("选项" if zh else "Lists")
    listed.sheet_state = "hidden"
    for row, each in enumerate(types, 1):
        listed.cell(row, 1, each.title.zh if zh else each.title.en)
    facilities = book[columns.FACILITIES.title(language)]
    sites, gateways = columns.SITES.title(language), columns.GATEWAYS.title(language)
    states = '"在用,报废,拆除"' if zh else '"in use,removed"'
    for field, formula in (
        ("type", f"='{listed.title}'!$A$1:$A${len(types)}"),
        ("grade", '"A,B,C"'),
        ("state", states),
        ("site", f"='{sites}'!$A$2:$A$200"),
        ("gateway", f"='{gateways}'!$B$2:$B$500"),
    ):
        letter = get_column_letter([column.field for column in columns.FACILITIES.columns].index(field) + 1)
        offered = DataValidation(
            type="list",
            formula1=formula,
            allow_blank=True,
            showErrorMessage=field == "grade",
            sqref=f"{letter}2:{letter}{_LISTED_ROWS}",
        )
        facilities.add_data_validation(offered)
