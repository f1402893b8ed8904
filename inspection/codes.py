"""The code of a tag: twelve characters that nobody guesses and nobody mistakes, and the link they stand in. Pure.

Twenty-three letters and figures: none looks like another of them by torchlight (no 0 O, 1 I L, 2 Z, 5 S, 8 B, U V), and
without vowels no code is a word. Eleven are drawn at random, 49 bits; the last is a check character by ISO 7064's
manner: every single wrong character and every two neighbours changed over are noticed, because 23 is a prime.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

ALPHABET = "2346789CDFGHJKMPQRTVWXY"
LENGTH = 12
TEXT_CHARS_MAX = 400
RANDOM_BYTES = 16
_P = len(ALPHABET)
_RADIX = 2  # of ISO 7064's pure systems; of high order modulo 23, and neither it nor it less one divides 23
_PARTERS = re.compile(r"[\s\-_.·—–]+")


class Misread(StrEnum):
    """Why what was read or typed is no code of ours."""

    EMPTY = "empty"
    FOREIGN_LINK = "foreign_link"  # a link, and not one of this service
    FOREIGN_TEXT = "foreign_text"  # somebody else's system: neither link nor code
    WRONG_LENGTH = "wrong_length"
    WRONG_CHARACTER = "wrong_character"
    WRONG_CHECK = "wrong_check"  # one character is wrong, or two changed places


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text means: the code, or why it is none."""

    code: str | None
    misread: Misread | None = None
    wrong: str = ""  # the characters that are in no code


def make(random_bytes: bytes) -> str:
    """A code of RANDOM_BYTES random bytes; taking so many more than needed leaves no character likelier by 10^-20."""
    if len(random_bytes) != RANDOM_BYTES:
        raise ValueError(f"a code is made of {RANDOM_BYTES} random bytes, not {len(random_bytes)}")
    number, body = int.from_bytes(random_bytes), ""
    for _ in range(LENGTH - 1):
        number, rest = divmod(number, _P)
        body += ALPHABET[rest]
    return body + _check_character(body)


def is_whole(code: str) -> bool:
    """Of the right length and letters, with the right check character."""
    return len(code) == LENGTH and all(each in ALPHABET for each in code) and code[-1] == _check_character(code[:-1])


def shown(code: str) -> str:
    """As it is printed, and typed: `K7MF-9QXD-2C4H`."""
    return "-".join(code[start : start + 4] for start in range(0, LENGTH, 4))


def link(public_url: str, code: str) -> str:
    """What a tag's QR code says."""
    return f"{public_url.rstrip('/')}/t/{code}"


def read(text: str, public_urls: Sequence[str]) -> Reading:
    """What was scanned or typed. `public_urls`: addresses at which links of ours stand, or stood when they were printed."""
    plain = unicodedata.normalize("NFKC", text[:TEXT_CHARS_MAX]).strip()
    if not plain:
        return Reading(None, Misread.EMPTY)
    if "://" in plain:
        found = _code_of_link(plain, public_urls)
        return typed(found) if found is not None else Reading(None, Misread.FOREIGN_LINK)
    if len(_PARTERS.sub("", plain)) > 2 * LENGTH or not plain.isascii():
        return Reading(None, Misread.FOREIGN_TEXT)
    return typed(plain)


def typed(text: str) -> Reading:
    """A code as people type it: small letters, blanks and dashes do not matter."""
    plain = _PARTERS.sub("", text).upper()
    wrong = "".join(dict.fromkeys(each for each in plain if each not in ALPHABET))
    if wrong:
        return Reading(None, Misread.WRONG_CHARACTER, wrong)
    if len(plain) != LENGTH:
        return Reading(None, Misread.WRONG_LENGTH)
    return Reading(plain) if is_whole(plain) else Reading(None, Misread.WRONG_CHECK)


def _code_of_link(text: str, public_urls: Sequence[str]) -> str | None:
    try:
        said = urlsplit(text)
        port = said.port
    except ValueError:
        return None
    if said.username is not None or said.password is not None:
        return None  # https://ours@elsewhere/ looks like ours, and is not
    for public_url in public_urls:
        ours = urlsplit(public_url)
        is_ours = (said.scheme.lower(), said.hostname, port) == (ours.scheme.lower(), ours.hostname, ours.port)
        prefix = f"{ours.path.rstrip('/')}/t/"
        if is_ours and said.path.startswith(prefix):
            return said.path[len(prefix) :].strip("/")
    return None


def _check_character(body: str) -> str:
    rest = 0
    for each in body:
        rest = (rest + ALPHABET.index(each)) * _RADIX % _P
    return ALPHABET[(1 - rest) % _P]
