"""Find the tables in sheets and read their rows: which column means what, and what each cell says. No estate yet.

A title over the table is passed over, empty rows, example rows and hidden sheets are skipped. A column whose header is not known is a fault, because it may be one that was misspelt; those in `columns.IGNORED`
and those named by the caller are left alone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from estate import cells, columns
from estate.cells import Unclear
from estate.columns import Column, Table
from estate.encoding import mended
from estate.faults import Fault, Position, Said, nearest
from estate.sheets import COLUMNS_MAX, Row, Sheet, Value, text_of
from estate.types import folded

_HEADER_WITHIN = 15  # rows, from the top
Cell = str | list[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a table, by field; a cell that is empty is not there."""

    table: Table
    values: Mapping[str, Cell]
    positions: Mapping[str, Position]
    row: Position

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        return value if isinstance(value, str) else None

    def at(self, name: str) -> Position:
        return self.positions.get(name, self.row)


@dataclass(slots=True)
class Tables:
    """Everything that stands in the sheets of one import, in order of tables."""

    entries: list[Entry] = field(default_factory=list[Entry])
    faults: list[Fault] = field(default_factory=list[Fault])
    present: set[str] = field(default_factory=set[str])  # tables that are there, with rows or without

    def of(self, table: Table) -> list[Entry]:
        return [entry for entry in self.entries if entry.table is table]


def read_tables(sheets: Sequence[Sheet], ignored: Collection[str] = ()) -> Tables:
    found = Tables()
    passed_over = columns.IGNORED | {folded(word) for word in ignored}
    for sheet in sheets:
        if sheet.name is not None and folded(sheet.name) in columns.NOT_TABLES:
            continue
        if sheet.hidden or not sheet.rows:
            continue
        _read_sheet(sheet, passed_over, found)
    return found


def _read_sheet(sheet: Sheet, passed_over: Collection[str], found: Tables) -> None:
    headed = _header(sheet)
    if headed is None:
        found.faults.append(_no_header(sheet))
        return
    table, header = headed
    found.present.add(table.key)
    begin = len(found.faults)
    means = dict(_columns(sheet, table, header, passed_over, found.faults))
    missing = [each for each in table.columns if each.required and each not in means.values()]
    for each in missing:
        told = Said(f"{table.zh}表缺少“{each.zh}”列", f"the table {table.en} lacks the column {each.en} ({each.zh})")
        found.faults.append(Fault(sheet.position(header.number), told))
    if missing or len(found.faults) > begin:
        return  # what would be said of its rows would follow from the header alone
    found.faults.extend(sheet.faults)
    headers = {index: text_of(header.cells[index]) for index in means}
    broken = {fault.position.line for fault in sheet.faults}
    for row in sheet.rows:
        if row.number > header.number:
            of_row: list[Fault] = []
            entry = _entry(sheet, table, row, means, headers, of_row)
            if row.number not in broken:  # else a cell that could not be read would be called empty as well
                found.faults.extend(of_row)
            if entry is not None:
                found.entries.append(entry)


def _header(sheet: Sheet) -> tuple[Table, Row] | None:
    named = columns.table_called(sheet.name) if sheet.name is not None else None
    begun: Row | None = None  # of a header in two rows the upper one groups, and only the lower one is whole
    for row in islice(sheet.rows, _HEADER_WITHIN):
        texts = [text_of(cell) for cell in row.cells]
        fields = {column.field for text in texts if named is not None and (column := named.find(text)) is not None}
        if named is not None and len(fields) >= 2:
            if all(column.field in fields for column in named.columns if column.required):
                return named, row
            begun = begun or row
        elif begun is None and (table := columns.table_with(texts)) is not None:
            return table, row
    return None if named is None or begun is None else (named, begun)


def _no_header(sheet: Sheet) -> Fault:
    """Perhaps the text went through the wrong encoding; perhaps it is another table altogether."""
    for row in islice(sheet.rows, _HEADER_WITHIN):
        again = [mended(str(cell)) or "" for cell in row.cells]
        if columns.table_with(again) is not None:
            shown = "、".join(word for word in again if word)[:60]
            told = Said(
                f"文字编码读错了：表头应是 {shown}。请从原始表格重新导出为 UTF-8 或 xlsx",
                f"the text went through the wrong encoding (GBK read as UTF-8, or the other way round): the header should "
                f"read {shown}. Export it again from the spreadsheet",
            )
            return Fault(sheet.position(row.number), told)
    need = "、".join(f"{each.zh}({each.en})" for each in columns.FACILITIES.columns if each.required)
    told = Said(
        f"找不到表头；设备表至少要有 {need} 列，其它表见 docs/estate.md",
        f"no header is found; a table of facilities needs at least {need}; for the others see docs/estate.md",
    )
    return Fault(sheet.position(sheet.rows[0].number), told)


def _columns(
    sheet: Sheet, table: Table, header: Row, passed_over: Collection[str], faults: list[Fault]
) -> Iterator[tuple[int, Column]]:
    taken: dict[Column, int] = {}
    width = max(len(row.cells) for row in sheet.rows)
    for index in range(min(width, COLUMNS_MAX)):
        text = text_of(header.cells[index]) if index < len(header.cells) else ""
        position = sheet.position(header.number, index, text or None)
        if not text:
            below = next((row for row in sheet.rows if row.number > header.number and _cell(row, index)), None)
            if below is not None:
                told = Said("这一列有内容但没有表头", "this column holds something and has no header")
                faults.append(Fault(sheet.position(below.number, index), told))
            continue
        if folded(text) in passed_over:
            continue
        column = table.find(text)
        if column is None:
            told = Said(
                f"不认识的表头；{table.zh}表没有这一列", f"unknown header; the table {table.en} has no such column"
            )
            words = [each.zh for each in table.columns] + [each.en for each in table.columns]
            faults.append(Fault(position, told, nearest=nearest(text, words)))
        elif column in taken:
            first = sheet.position(header.number, taken[column]).column
            told = Said(f"与 {first} 列重复：都是“{column.zh}”", f"the same as column {first}: both are {column.en}")
            faults.append(Fault(position, told))
        else:
            taken[column] = index
            yield index, column


def _cell(row: Row, index: int) -> Value | None:
    value = row.cells[index] if index < len(row.cells) else None
    return None if value is None or (isinstance(value, str) and not value.strip()) else value


def _entry(
    sheet: Sheet,
    table: Table,
    row: Row,
    means: Mapping[int, Column],
    headers: Mapping[int, str],
    faults: list[Fault],
) -> Entry | None:
    values: dict[str, Cell] = {}
    positions: dict[str, Position] = {}
    told: list[Fault] = []
    for index, column in means.items():
        value = _cell(row, index)
        if value is None:
            continue
        positions[column.field] = sheet.position(row.number, index, headers[index])
        try:
            values[column.field] = _read(column.field, value)
        except Unclear as unclear:
            told.append(Fault(positions[column.field], unclear.said))
    if not positions:
        return None
    if str(values.get("state", "")).lower() in cells.EXAMPLE:
        return None
    for column in table.columns:
        if column.required and column.field not in positions:
            said = Said(f"“{column.zh}”没有填", f"{column.en} ({column.zh}) is empty")
            told.append(Fault(sheet.position(row.number), said))
    faults.extend(told)
    required = {column.field for column in table.columns if column.required}
    return Entry(table, values, positions, sheet.position(row.number)) if required <= values.keys() else None


def _read(name: str, value: Value) -> Cell:
    if name in cells.KEYS:
        return cells.key(value)
    if name in cells.LISTS:
        return cells.words(value)
    reader = cells.READERS.get(name)
    return text_of(value) if reader is None else reader(value)
