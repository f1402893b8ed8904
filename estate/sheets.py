"""The tables in a CSV file or a workbook, cell by cell, as plain values; nothing here knows what they mean.

Bounded in every direction, because a spreadsheet comes from anywhere: bytes, unpacked bytes, rows, columns, the length
of a cell. A formula is refused by its cell, since what it shows depends on where it is opened; XML that refers to
itself is refused whole.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, cast
from unicodedata import normalize

import openpyxl
from defusedxml.ElementTree import fromstring
from openpyxl.utils import get_column_letter, range_boundaries

from estate.encoding import decode, read_bytes
from estate.faults import EstateErrors, Fault, Position, Said

if TYPE_CHECKING:
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

BYTES_MAX = 20 * 1024 * 1024
UNPACKED_MAX = 100 * 1024 * 1024
ROWS_MAX = 50_000
COLUMNS_MAX = 100
CELL_MAX = 2_000  # characters
_LAST_ROW = 1_048_576  # of a sheet, by the format
_APOSTROPHE = "'"  # before a value that a spreadsheet would take for a formula
_OLE, _ZIP = bytes.fromhex("d0cf11e0a1b11ae1"), b"PK\x03\x04"
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")

Value = str | int | float | bool | date | datetime | time


@dataclass(frozen=True, slots=True)
class Row:
    number: int  # as people count them, from 1
    cells: Sequence[Value | None]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table. `name` is None for a CSV file."""

    file: str
    name: str | None
    rows: Sequence[Row]
    faults: Sequence[Fault] = ()
    hidden: bool = False

    def position(self, row: int, column: int | None = None, header: str | None = None) -> Position:
        letter = None if column is None else get_column_letter(column + 1)
        return Position(self.file, row, self.name, letter, header)


def read_sheets(path: Path) -> list[Sheet]:
    """Raises EstateErrors for what is no table at all; faults of single cells are with their sheet."""
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return _workbook(path)
    if path.suffix.lower() == ".xls":
        raise _refused(
            path, "这是旧格式 xls；请另存为 xlsx 或 CSV", "this is the old xls format; save it as xlsx or as CSV"
        )
    return [_csv(path)]


def _refuse_disguised(path: Path, content: bytes, *, workbook: bool) -> None:
    """A file whose name does not say what it is: renamed instead of saved as, or locked with a password."""
    if content.startswith(_OLE):
        raise _refused(
            path,
            "这是旧格式 xls，或带密码的工作簿；请去掉密码，另存为 xlsx 或 CSV",
            "this is the old xls format, or a workbook with a password; take that off and save it as xlsx or as CSV",
        )
    if not workbook and content.startswith(_ZIP):
        raise _refused(path, "这是工作簿，不是 CSV；请把扩展名改为 xlsx", "this is a workbook, not CSV; name it .xlsx")


def text_of(value: Value | None) -> str:
    """A cell as text: full-width figures and letters narrowed, spaces around it gone. 12.0 is 12."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    return normalize("NFKC", str(value)).replace("\u200b", "").strip()


def words_of(value: Value) -> str:
    """What people read, as they wrote it: a full-width bracket belongs to a Chinese name."""
    return value.replace("\u200b", "").strip() if isinstance(value, str) else text_of(value)


def safe(value: str) -> str:
    """A value as a CSV cell that no spreadsheet takes for a formula. `unsafe` reads it back."""
    return _APOSTROPHE + value if value.startswith((*_DANGEROUS, _APOSTROPHE)) else value


def unsafe(value: str) -> str:
    if value.startswith(_APOSTROPHE) and value[1:].startswith((*_DANGEROUS, _APOSTROPHE)):
        return value[1:]
    return value


# ---------------------------------------------------------------------- CSV


def _csv(path: Path) -> Sheet:
    content = read_bytes(path, BYTES_MAX)
    _refuse_disguised(path, content, workbook=False)
    text = decode(content, path)
    lines = text.splitlines()
    head = next((line for line in lines if line.strip()), "")
    delimiter = max(",;\t，", key=head.count)
    if delimiter == "，":
        text, delimiter = text.replace("，", ","), ","
    rows: list[Row] = []
    faults: list[Fault] = []
    sheet = Sheet(str(path), None, rows)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begun, wide = 1, False
    try:
        for cells in islice(reader, ROWS_MAX + 1):
            if len(rows) == ROWS_MAX:
                faults.append(_too_long(str(path), None))
                break
            faults.extend(
                _formula(sheet, begun, column, cell)
                for column, cell in enumerate(cells[:COLUMNS_MAX])
                if cell.startswith("=")
            )
            if not wide and any(cell.strip() for cell in cells[COLUMNS_MAX:]):
                wide = True
                faults.append(_too_wide(sheet, begun))
            values: list[Value | None] = [unsafe(cell) if cell.strip() else None for cell in cells[:COLUMNS_MAX]]
            if any(value is not None for value in values):
                rows.append(Row(begun, values))
            begun = reader.line_num + 1
    except csv.Error as error:
        told = Said(f"不是 CSV：{error}", f"not CSV: {error}")
        raise EstateErrors([Fault(Position(str(path), begun), told)]) from error
    return Sheet(str(path), None, rows, [*faults, *_long_cells(sheet)])


# ---------------------------------------------------------------------- workbooks

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"')
_MERGED_MAX = 200_000  # cells filled from merged ones
_ZEROS = re.compile("00+")  # a number's format
_ENTITIES = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)

Merged = Mapping[tuple[int, int], tuple[int, int]]  # cell (row, column from 0) -> the one whose value it shows


def _workbook(path: Path) -> list[Sheet]:
    packed_bytes = read_bytes(path, BYTES_MAX)
    _refuse_disguised(path, packed_bytes, workbook=True)
    content = io.BytesIO(packed_bytes)
    try:
        with zipfile.ZipFile(content) as packed:
            _refuse_bombs(path, packed)
            merged = {name: list(_merged(packed, part)) for name, part in _parts(packed)}
        book = openpyxl.load_workbook(content, read_only=True, data_only=False, keep_links=False)
        sheets: list[Sheet] = []
        rows_left = ROWS_MAX
        for worksheet in book.worksheets:
            name = str(worksheet.title)
            sheet = _worksheet(str(path), cast("ReadOnlyWorksheet", worksheet), merged.get(name, []), rows_left)
            rows_left -= len(sheet.rows)
            sheets.append(sheet)
    except EstateErrors:
        raise
    except Exception as error:  # the reader raises whatever it stumbles over in a broken file
        raise _refused(
            path, f"不是 xlsx 工作簿，或已损坏（{error}）", f"not an xlsx workbook, or damaged ({error})"
        ) from error
    return sheets


def _refuse_bombs(path: Path, packed: zipfile.ZipFile) -> None:
    """Before anything parses it: what would unfold without end. No spreadsheet program writes a document type."""
    if sum(entry.file_size for entry in packed.infolist()) > UNPACKED_MAX:
        size = UNPACKED_MAX // 1024 // 1024
        raise _refused(path, f"解开后超过 {size} MiB", f"unpacks to more than {size} MiB; is this an estate file?")
    for entry in packed.infolist():
        if entry.filename.endswith((".xml", ".rels", ".vml")):
            text = packed.read(entry)
            if _ENTITIES.search(text) or text.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in text[:64]:
                raise _refused(
                    path,
                    f"{entry.filename} 里的 XML 带有文档类型或实体定义，拒绝读取",
                    f"the XML of {entry.filename} defines a document type or entities, which no spreadsheet does: refused",
                )


def _parts(packed: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Name of each sheet and the part of the package that holds it."""
    relations = fromstring(packed.read("xl/_rels/workbook.xml.rels"))
    targets = {each.get("Id"): str(each.get("Target")) for each in relations}
    for sheet in fromstring(packed.read("xl/workbook.xml")).iter(f"{_MAIN}sheet"):
        target = targets.get(sheet.get(_RELATION), "")
        part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        if part in packed.namelist():
            yield str(sheet.get("name")), part


def _merged(packed: zipfile.ZipFile, part: str) -> Iterator[tuple[int, int, int, int]]:
    for found in _MERGED.finditer(packed.read(part)):
        yield cast("tuple[int, int, int, int]", range_boundaries(found.group(1).decode()))


def _worksheet(
    file: str, worksheet: "ReadOnlyWorksheet", blocks: Sequence[tuple[int, int, int, int]], rows_max: int
) -> Sheet:
    name = str(worksheet.title)
    sheet = Sheet(file, name, [])
    faults: list[Fault] = []
    shows = _shown_by(blocks)
    seen: dict[tuple[int, int], Value | None] = {}
    origins = set(shows.values())
    rows: list[Row] = []
    wide = False
    worksheet.reset_dimensions()  # what a sheet says of its size is often wrong: rows past it would be lost in silence
    for number, cells in enumerate(worksheet.iter_rows(), 1):
        if number > _LAST_ROW:
            faults.append(_too_long(file, name))
            break
        values: list[Value | None] = []
        for column, cell in enumerate(cells[:COLUMNS_MAX]):
            value = _value(sheet, number, column, cell.data_type, cell.value, faults)
            if isinstance(value, int) and not isinstance(value, bool) and _ZEROS.fullmatch(cell.number_format):
                value = str(value).zfill(len(cell.number_format))  # 001 is what people see, and what they mean
            if (number, column) in origins:
                seen[number, column] = value
            values.append(seen.get(shows.get((number, column), (0, 0)), value))
        if not wide and any(cell.value is not None for cell in cells[COLUMNS_MAX:]):
            wide = True
            faults.append(_too_wide(sheet, number))
        while values and values[-1] is None:
            values.pop()
        if not values:
            continue
        if len(rows) == rows_max:
            faults.append(_too_long(file, name))
            break
        rows.append(Row(number, values))
    found = Sheet(file, name, rows, (), hidden=worksheet.sheet_state != "visible")
    return Sheet(file, name, rows, [*faults, *_long_cells(found)], found.hidden)


def _shown_by(blocks: Sequence[tuple[int, int, int, int]]) -> Merged:
    """Cells merged downwards show the topmost one's value in every row. Across columns they would mean two things."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for left, top, right, bottom in blocks:
        if left == right and bottom - top < _MERGED_MAX - len(found):
            found.update({(row, left - 1): (top, left - 1) for row in range(top + 1, bottom + 1)})
            found[top, left - 1] = (top, left - 1)
    return found


def _value(sheet: Sheet, row: int, column: int, kind: str, value: object, faults: list[Fault]) -> Value | None:
    if kind == "f":
        faults.append(_formula(sheet, row, column, str(getattr(value, "text", value))))
        return None
    if kind == "e":
        told = Said(f"单元格里是错误值 {value}", f"the cell holds the error {value}")
        faults.append(Fault(sheet.position(row, column), told))
        return None
    if isinstance(value, str):
        return unsafe(value) if value.strip() else None
    return value if isinstance(value, bool | int | float | date | time) else None


# ---------------------------------------------------------------------- faults


def _formula(sheet: Sheet, row: int, column: int, formula: str) -> Fault:
    shown = formula if len(formula) <= 60 else f"{formula[:57]}..."
    told = Said(
        f"是公式 {shown}；请复制后“选择性粘贴为数值”再导入", f"is a formula, {shown}; copy it and paste it as values"
    )
    return Fault(sheet.position(row, column), told)


def _too_long(file: str, name: str | None) -> Fault:
    told = Said(f"超过 {ROWS_MAX} 行，请分成几个文件", f"more than {ROWS_MAX} rows; split it into several files")
    return Fault(Position(file, sheet=name), told)


def _too_wide(sheet: Sheet, row: int) -> Fault:
    """Told once a sheet, at the first row that is."""
    told = Said(
        f"第 {COLUMNS_MAX} 列之后还有内容，不会被读取；请删去多余的列或分成几个表",
        f"there is something past column {COLUMNS_MAX}, which nobody reads; remove the columns or split the table",
    )
    return Fault(sheet.position(row, COLUMNS_MAX), told)


def _long_cells(sheet: Sheet) -> Iterator[Fault]:
    for row in sheet.rows:
        for column, value in enumerate(row.cells):
            if isinstance(value, str) and len(value) > CELL_MAX:
                told = Said(f"超过 {CELL_MAX} 个字", f"longer than {CELL_MAX} characters")
                yield Fault(sheet.position(row.number, column), told)


def _refused(path: Path, zh: str, en: str) -> EstateErrors:
    return EstateErrors([Fault(Position(str(path)), Said(zh, en))])
