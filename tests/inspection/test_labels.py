"""What is printed is read again: codes by the readers, names in Chinese from the font that ships, no page too few."""

import io
import re
import zlib

import pytest
from PIL import Image

from inspection import codes, labels, lettering, pictures
from inspection.labels import SHEETS, Label

CODE = codes.make(bytes(range(codes.RANDOM_BYTES)))
LABEL = Label(
    codes.link("https://patrol.example.cn", CODE), codes.shown(CODE), "1号楼3层干粉灭火器", "花园 / 1号楼 / 3层"
)


def streams(document: bytes) -> list[bytes]:
    found: list[bytes] = []
    for each in re.findall(rb"stream\r?\n(.*?)endstream", document, re.DOTALL):
        try:
            found.append(zlib.decompress(each))
        except zlib.error:
            found.append(each)
    return found


def test_the_picture_of_a_tag_says_its_link() -> None:
    (read,) = pictures.find_codes(pictures.open_picture(labels.png(LABEL)))
    assert codes.read(read.text, ["https://patrol.example.cn"]).code == CODE


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=lambda sheet: sheet.key)
def test_every_sheet_fits_its_paper_and_holds_its_labels(sheet: labels.Sheet) -> None:
    right = sheet.origin[0] + (sheet.columns - 1) * sheet.pitch[0] + sheet.label[0]
    bottom = sheet.origin[1] + (sheet.rows - 1) * sheet.pitch[1] + sheet.label[1]
    assert right <= sheet.page[0] + 0.01
    assert bottom <= sheet.page[1] + 0.01
    made = labels.pdf([LABEL] * (sheet.per_page + 1), sheet)
    assert made.count(b"/Type /Page\n") == 2
    assert labels.pdf([LABEL], sheet, skip=sheet.per_page - 1).count(b"/Type /Page\n") == 1


def test_the_chinese_font_is_in_the_document() -> None:
    made = labels.pdf([LABEL], SHEETS["a4_21"])
    assert b"/FontFile2" in made
    assert b"DroidSansFallback" in made
    assert len(made) < 60_000  # only the glyphs it uses, of a font of 2.7 million bytes


def test_two_sheets_of_the_same_are_the_same_bytes() -> None:
    assert labels.pdf([LABEL], SHEETS["a4_8"]) == labels.pdf([LABEL], SHEETS["a4_8"])


@pytest.mark.parametrize(
    ("text", "drawn"),
    [("①层㎡℃", "1层㎡°C"), ("犇龘垚", "犇龘垚"), ("消防栓\U0001f9ef", "消防栓〓"), ("泵·房", "泵·房")],
)
def test_what_the_font_lacks_is_said_plainly_or_marked(text: str, drawn: str) -> None:
    assert lettering.printable(text) == drawn


def test_long_names_are_broken_and_cut() -> None:
    lines = labels.wrapped("花园小区地下二层东侧消防电梯前室干粉灭火器箱（两具）" * 4, 3.4, 25.0, 3)
    assert len(lines) == 3
    assert lines[-1].endswith("…")
    assert labels.wrapped("Extinguisher box east", 3.4, 25.0, 3) == ["Extinguisher", "box east"]
    assert not any(line.endswith("（") for line in labels.wrapped("一二三四五六（七八九）", 3.4, 25.0, 3))


def test_the_drawing_of_a_tag_has_its_code_in_letters() -> None:
    assert codes.shown(CODE).encode() in labels.svg(LABEL)


def test_a_quarter_of_the_code_may_be_gone() -> None:
    """Dirt over a corner that is none of the three that a reader looks for."""
    picture = Image.open(io.BytesIO(labels.png(LABEL)))
    side = picture.width
    picture.paste(90, (round(side * 0.62), round(side * 0.62), round(side * 0.9), round(side * 0.9)))
    out = io.BytesIO()
    picture.save(out, "PNG")
    (read,) = pictures.find_codes(pictures.open_picture(out.getvalue()))
    assert read.text == LABEL.link
