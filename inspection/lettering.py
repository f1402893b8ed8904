"""Letters on paper: which characters the font that ships with us has, and what stands for those it lacks."""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

FONT_FILE = Path(__file__).with_name("fonts") / "droid-sans-fallback.ttf"
CJK = "DroidSansFallback"
MISSING = "〓"  # the printer's mark for a character that is in no case


def printable(text: str) -> str:
    """What the fonts can show: rarer forms as their plain ones, the rest as the printer's mark."""
    drawn = ""
    for each in unicodedata.normalize("NFC", text):
        if _can_draw(each):
            drawn += each
            continue
        plain = unicodedata.normalize("NFKC", each)
        drawn += plain if all(_can_draw(one) for one in plain) else MISSING
    return drawn


def _can_draw(character: str) -> bool:
    return is_latin(character) or ord(character) in font().face.charToGlyph


def is_latin(character: str) -> bool:
    return " " <= character <= "~" or character in "°·×—…"


def parts(text: str) -> Iterator[tuple[str, bool]]:
    """Runs of one font."""
    run, latin = "", True
    for each in text:
        if run and is_latin(each) is not latin:
            yield run, latin
            run = ""
        run, latin = run + each, is_latin(each)
    if run:
        yield run, latin


@lru_cache(maxsize=1)
def font() -> TTFont:
    """Read once in a process; a document embeds the glyphs it uses."""
    found = TTFont(CJK, str(FONT_FILE))
    pdfmetrics.registerFont(found)  # pyright: ignore[reportUnknownMemberType]
    return found
