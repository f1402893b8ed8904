"""What is printed of a tag: sheets of labels as PDF, one label as a picture. Chinese on any machine: the font is with us.

The QR code has error correction Q (a quarter of it may be gone) and gets as much of the label as its height allows: a
phone reads a code from about ten times its width away. docs/decisions/0024-inspection.md has the measurement.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import segno
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from inspection import lettering
from inspection.lettering import CJK, is_latin, parts, printable

_LATIN = "Helvetica-Bold"  # one of the fourteen that every reader of PDF has
ERROR_CORRECTION = "q"
QUIET_MODULES = 4
LABELS_MAX = 500
_PADDING_MM = 2.0
_EDGE_MM = 0.5
_OPENING = "（([【《“"
_LINES_MAX = 3


@dataclass(frozen=True, slots=True)
class Label:
    """What stands on one."""

    link: str
    shown: str  # the code as it is typed
    name: str
    place: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """Paper with labels on it, in millimetres."""

    key: str
    zh: str
    en: str
    page: tuple[float, float]
    label: tuple[float, float]
    columns: int
    rows: int
    origin: tuple[float, float]  # upper left corner of the first label
    pitch: tuple[float, float]

    @property
    def per_page(self) -> int:
        return self.columns * self.rows


_A4 = (210.0, 297.0)
SHEETS = {
    each.key: each
    for each in (
        Sheet(
            "a4_21", "A4 纸 21 枚 63.5×38.1", "A4, 21 of 63.5x38.1", _A4, (63.5, 38.1), 3, 7, (7.2, 15.15), (66.0, 38.1)
        ),
        Sheet("a4_24", "A4 纸 24 枚 70×37", "A4, 24 of 70x37", _A4, (70.0, 37.0), 3, 8, (0.0, 0.5), (70.0, 37.0)),
        Sheet(
            "a4_14",
            "A4 纸 14 枚 99.1×38.1",
            "A4, 14 of 99.1x38.1",
            _A4,
            (99.1, 38.1),
            2,
            7,
            (4.7, 15.15),
            (101.6, 38.1),
        ),
        Sheet("a4_10", "A4 纸 10 枚 99.1×57", "A4, 10 of 99.1x57", _A4, (99.1, 57.0), 2, 5, (4.7, 6.0), (101.6, 57.0)),
        Sheet("a4_8", "A4 纸 8 枚 105×74", "A4, 8 of 105x74", _A4, (105.0, 74.0), 2, 4, (0.0, 0.5), (105.0, 74.0)),
        Sheet("roll_60x40", "卷纸 60×40", "Roll, 60x40", (60.0, 40.0), (60.0, 40.0), 1, 1, (0.0, 0.0), (60.0, 40.0)),
        Sheet("roll_70x50", "卷纸 70×50", "Roll, 70x50", (70.0, 50.0), (70.0, 50.0), 1, 1, (0.0, 0.0), (70.0, 50.0)),
    )
}


def qr(link: str) -> segno.QRCode:
    """Raises ValueError for a link that no code holds."""
    return segno.make_qr(link, error=ERROR_CORRECTION, boost_error=True)


def pdf(labels: Sequence[Label], sheet: Sheet, *, skip: int = 0, cut_marks: bool = True) -> bytes:
    """Sheets of labels. `skip`: so many places of the first sheet are used up."""
    lettering.font()
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(sheet.page[0] * mm, sheet.page[1] * mm), pageCompression=1, invariant=1)
    canvas.setTitle("Taizhang 台账")
    for number, label in enumerate(labels, start=skip):
        place = number % sheet.per_page
        if place == 0 and number > skip:
            canvas.showPage()
        row, column = divmod(place, sheet.columns)
        left = sheet.origin[0] + column * sheet.pitch[0]
        top = sheet.page[1] - sheet.origin[1] - row * sheet.pitch[1]
        _draw(canvas, label, sheet, left, top)
        if cut_marks and sheet.per_page > 1:
            _mark(canvas, sheet, left, top)
    canvas.save()
    return out.getvalue()


def _draw(canvas: Canvas, label: Label, sheet: Sheet, left: float, top: float) -> None:
    """Code on the left as high as the label, words beside it."""
    width, height = sheet.label
    side = min(height, width * 0.55) - 2 * _EDGE_MM  # its quiet zone is the label's margin
    bottom = top - height / 2 - side / 2
    _squares(canvas, label.link, left + _EDGE_MM, bottom, side)
    x, room = left + side + _EDGE_MM, width - side - _EDGE_MM - _PADDING_MM
    size = 3.4 if height < 45 else 4.4
    y = top - _PADDING_MM - size
    for text, scale, lines in ((label.name, 1.0, _LINES_MAX), (label.place, 0.8, _LINES_MAX)):
        for line in wrapped(text, size * scale, room, lines):
            _write(canvas, line, x, y, size * scale)
            y -= size * scale * 1.25
        y -= size * 0.3
    code_size = min(size, room / max(0.1, _width(label.shown, 1.0)))
    _write(canvas, label.shown, x, top - height + _PADDING_MM + 0.6, code_size)


def _squares(canvas: Any, link: str, left: float, bottom: float, side: float) -> None:
    """Runs of dark modules as one rectangle each, in one path: neither seams nor thousands of objects."""
    rows = [bytes(row) for row in qr(link).matrix_iter(scale=1, border=QUIET_MODULES)]
    module = side / len(rows)
    path = canvas.beginPath()  # untyped by its stubs, as far as paths go
    for number, row in enumerate(rows):
        for start, length in _runs(row):
            path.rect(
                (left + start * module) * mm,
                (bottom + (len(rows) - 1 - number) * module) * mm,
                length * module * mm,
                module * mm,
            )
    canvas.setFillColorRGB(0, 0, 0)
    canvas.drawPath(path, stroke=0, fill=1)


def _runs(row: bytes) -> Iterator[tuple[int, int]]:
    start = None
    for place, dark in enumerate([*row, 0]):
        if dark and start is None:
            start = place
        elif not dark and start is not None:
            yield start, place - start
            start = None


def _mark(canvas: Canvas, sheet: Sheet, left: float, top: float) -> None:
    """A small cross at each corner of the label, half of it outside: where to cut."""
    width, height = sheet.label
    canvas.setLineWidth(0.2)
    for x in (left, left + width):
        for y in (top, top - height):
            canvas.line((x - 1.2) * mm, y * mm, (x + 1.2) * mm, y * mm)
            canvas.line(x * mm, (y - 1.2) * mm, x * mm, (y + 1.2) * mm)


def _write(canvas: Canvas, text: str, x: float, y: float, size: float) -> None:
    line = canvas.beginText(x * mm, y * mm)
    for part, latin_part in parts(text):
        line.setFont(_LATIN if latin_part else CJK, size * mm)
        line.textOut(part)
    canvas.drawText(line)


def wrapped(text: str, size: float, room: float, lines_max: int) -> list[str]:
    """Lines that fit into `room`; what is too long ends in an ellipsis. Chinese breaks anywhere, a Latin word does not."""
    lines = [""]
    for word in _words(printable(text)):
        if lines[-1] and _width(lines[-1] + word.rstrip(), size) > room:
            lines.append("")
        for piece in [word] if _width(word, size) <= room else list(word):
            if lines[-1] and _width(lines[-1] + piece.rstrip(), size) > room:
                lines.append("")
            lines[-1] += piece if lines[-1] else piece.lstrip()
    lines = [line.rstrip() for line in lines if line.strip()]
    if len(lines) <= lines_max:
        return lines
    last = lines[lines_max - 1]
    while last and _width(last + "…", size) > room:
        last = last[:-1]
    return [*lines[: lines_max - 1], last + "…"]


def _words(text: str) -> Iterator[str]:
    word = ""
    for each in text:
        if is_latin(each) and each not in " /":
            word += each
            continue
        if word and word[-1] not in _OPENING:
            yield word
            word = ""
        if each in _OPENING:
            word = each  # stands with what follows, never at the end of a line
            continue
        yield word + each
        word = ""
    if word:
        yield word


def _width(text: str, size: float) -> float:
    lettering.font()
    return sum(pdfmetrics.stringWidth(part, _LATIN if latin_part else CJK, size) for part, latin_part in parts(text))


def png(label: Label, *, scale: int = 8) -> bytes:
    """One label as a picture: the code, and below it the words."""
    rows = [bytes(row) for row in qr(label.link).matrix_iter(scale=scale, border=QUIET_MODULES)]
    side = len(rows)
    size = max(12, side // 14)
    lines = [*wrapped(label.name, size, side, 2), *wrapped(label.place, size, side, 2), label.shown]
    image = Image.new("L", (side, side + round(size * 1.4) * len(lines) + size), 255)
    image.paste(Image.frombytes("L", (side, side), bytes(0 if dark else 255 for row in rows for dark in row)))
    draw, chinese, latin = (
        ImageDraw.Draw(image),
        ImageFont.truetype(str(lettering.FONT_FILE), size),
        ImageFont.load_default(size),
    )
    for number, line in enumerate(lines):
        x, y = float(scale * QUIET_MODULES) / 2, side + round(size * 1.4) * number
        for part, latin_part in parts(line):
            font = latin if latin_part else chinese
            draw.text((x, y + size), part, fill=0, font=font, anchor="ls")
            x += draw.textlength(part, font=font)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def svg(label: Label) -> bytes:
    """The code and its letters; the names are left out, for whose font would show them."""
    symbol = qr(label.link)
    side = symbol.symbol_size(scale=1, border=QUIET_MODULES)[0]
    out = io.BytesIO()
    symbol.save(out, kind="svg", border=QUIET_MODULES, xmldecl=False, svgns=False, nl=False, omitsize=True)
    code = out.getvalue().decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side + 5}" shape-rendering="crispEdges">'
        f'<rect width="100%" height="100%" fill="#fff"/><svg width="{side}" height="{side}">{code}</svg>'
        f'<text x="{side / 2}" y="{side + 2.6}" font-family="monospace" font-size="3.6" text-anchor="middle">'
        f"{label.shown}</text></svg>\n"
    ).encode()
