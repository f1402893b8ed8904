"""A report as PDF and as spreadsheet. Chinese on any machine: the font is with us, and in the document."""

import io
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, TableStyle
from reportlab.platypus import Table as Grid

from inspection import lettering
from inspection.report_text import Cell, Document, Table

_LATIN = "Helvetica"
_MARGIN = 15 * mm
_WIDTH = A4[0] - 2 * _MARGIN - 12  # the frame has six points within on each side
_INK, _FAINT, _LINE, _HEAD = HexColor("#1f1f1f"), HexColor("#595959"), HexColor("#bfbfbf"), HexColor("#f0f0f0")
_SHEET_TITLE_CHARS_MAX = 31
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def pdf(document: Document) -> bytes:
    """A4, with its number, version and page on each."""
    lettering.font()
    out = io.BytesIO()
    made = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=20 * mm,
        title=document.title,
        author="Taizhang 台账",
        invariant=1,
    )
    story: list[Flowable] = [_paragraph(document.title, size=18), Spacer(0, 4 * mm)]
    about = [[_paragraph(name, colour=_FAINT), _paragraph(value)] for name, value in document.about]
    story.append(
        Grid(about, colWidths=[35 * mm, _WIDTH - 35 * mm], style=TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP")]))
    )
    for each in document.tables:
        story += _drawn(each)

    def foot(canvas: Canvas, template: Any) -> None:
        del template
        text = _paragraph(f"{document.foot} · {canvas.getPageNumber()}", size=6.5, colour=_FAINT)
        text.wrapOn(canvas, _WIDTH, 10 * mm)
        text.drawOn(canvas, _MARGIN, 9 * mm)

    made.build(story, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _drawn(table: Table) -> list[Flowable]:
    title = _paragraph(table.title, size=12)
    title.keepWithNext = True
    if not table.rows:
        return [Spacer(0, 6 * mm), title, Spacer(0, 1.5 * mm), _paragraph(table.none, colour=_FAINT)]
    whole = sum(table.weights)
    cells = [[_paragraph(each, size=8, colour=_FAINT) for each in table.columns]]
    cells += [[_paragraph(str(each), size=8.5) for each in row] for row in table.rows]
    style = TableStyle(
        [
            ("BACKGROUND", (0, 0), (-1, 0), _HEAD),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 3),
            ("RIGHTPADDING", (0, 0), (-1, -1), 3),
            ("TOPPADDING", (0, 0), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
    )
    widths = [_WIDTH * each / whole for each in table.weights]
    return [Spacer(0, 6 * mm), title, Spacer(0, 1.5 * mm), Grid(cells, colWidths=widths, style=style, repeatRows=1)]


def _paragraph(text: str, *, size: float = 9.5, colour: Any = _INK) -> Paragraph:
    """Each run in the font that has it."""
    style = ParagraphStyle(
        "text", fontName=lettering.CJK, fontSize=size, leading=size * 1.4, textColor=colour, wordWrap="CJK"
    )
    runs = [
        f'<font name="{_LATIN}">{escape(part)}</font>' if latin else escape(part)
        for part, latin in lettering.parts(lettering.printable(text))
    ]
    return Paragraph("".join(runs), style)


def spreadsheet(document: Document) -> bytes:
    """One sheet for each table; figures are figures, and no text is a formula."""
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None, "a new book has a sheet"
    first.title = document.title[:_SHEET_TITLE_CHARS_MAX]
    for number, (name, value) in enumerate([*document.about, ("", document.foot)], start=1):
        _put(first, number, 1, name)
        _put(first, number, 2, value)
    first.column_dimensions["A"].width, first.column_dimensions["B"].width = 24, 80
    for table in document.tables:
        sheet = book.create_sheet(table.title[:_SHEET_TITLE_CHARS_MAX].replace("/", " "))
        for row, cells in enumerate([table.columns, *table.rows], start=1):
            for column, value in enumerate(cells, start=1):
                _put(sheet, row, column, value, is_head=row == 1)
        for column, weight in enumerate(table.weights, start=1):
            sheet.column_dimensions[get_column_letter(column)].width = max(10.0, weight * 90 / sum(table.weights))
        sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _put(sheet: Any, row: int, column: int, value: Cell, *, is_head: bool = False) -> None:
    cell = sheet.cell(row, column, value)
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    if isinstance(value, str):
        cell.data_type = "s"
        cell.quotePrefix = value.startswith(_FORMULA)
    if is_head:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="F0F0F0")
