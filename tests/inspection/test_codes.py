"""Codes of tags: every slip of the hand is noticed, every way of writing one is understood, no other's link is taken."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection import codes
from inspection.codes import ALPHABET, LENGTH, Misread

OURS = "https://patrol.example.cn"
CODES = st.binary(min_size=codes.RANDOM_BYTES, max_size=codes.RANDOM_BYTES).map(codes.make)


@given(CODES)
def test_a_code_is_whole_however_it_is_written(code: str) -> None:
    assert codes.is_whole(code)
    ways = (code, code.lower(), codes.shown(code), f"  {codes.shown(code).lower()} ", codes.link(OURS, code))
    wide = "".join(chr(ord(each) + 0xFEE0) for each in code)  # as a Chinese keyboard types it
    for text in (*ways, wide, codes.link(OURS + "/", code) + "/", f"{codes.link(OURS, code)}?from=wechat"):
        assert codes.read(text, [OURS]).code == code, text


@given(CODES, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(code: str, place: int, other: str) -> None:
    wrong = code[:place] + other + code[place + 1 :]
    assert codes.typed(wrong).misread is (None if wrong == code else Misread.WRONG_CHECK)


@given(CODES, st.integers(0, LENGTH - 2))
def test_two_neighbours_changed_over_are_noticed(code: str, place: int) -> None:
    wrong = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert codes.typed(wrong).misread is (None if wrong == code else Misread.WRONG_CHECK)


@pytest.mark.parametrize(
    ("text", "misread"),
    [
        ("", Misread.EMPTY),
        ("   ", Misread.EMPTY),
        ("K7MF9QXD2C4O", Misread.WRONG_CHARACTER),
        ("K7MF-9QXD", Misread.WRONG_LENGTH),
        ("https://elsewhere.example/t/{code}", Misread.FOREIGN_LINK),
        ("https://patrol.example.cn.evil.example/t/{code}", Misread.FOREIGN_LINK),
        ("https://patrol.example.cn@evil.example/t/{code}", Misread.FOREIGN_LINK),
        ("https://patrol.example.cn:8443/t/{code}", Misread.FOREIGN_LINK),
        ("http://patrol.example.cn/t/{code}", Misread.FOREIGN_LINK),
        ("https://patrol.example.cn/s/{code}", Misread.FOREIGN_LINK),
        ("https://[not-an-address/t/{code}", Misread.FOREIGN_LINK),
        ("https://patrol.example.cn:port/t/{code}", Misread.FOREIGN_LINK),
        ("灭火器-0017", Misread.FOREIGN_TEXT),
        ("asset:2026:extinguisher:000000017:building-3", Misread.FOREIGN_TEXT),
    ],
)
def test_what_is_no_code_of_ours_says_why(text: str, misread: Misread) -> None:
    code = codes.make(bytes(range(codes.RANDOM_BYTES)))
    found = codes.read(text.format(code=code), [OURS])
    assert (found.code, found.misread) == (None, misread)


def test_the_wrong_characters_are_named() -> None:
    assert codes.typed("OI0K7MF9QXD2").wrong == "OI0"


@given(st.text(max_size=500))
def test_any_text_is_a_code_or_says_why_not(text: str) -> None:
    found = codes.read(text, [OURS])
    assert (found.code is None) is (found.misread is not None)


def test_codes_are_as_random_as_what_they_are_made_of() -> None:
    drawn = [codes.make(secrets.token_bytes(codes.RANDOM_BYTES)) for _ in range(2_000)]
    assert len(set(drawn)) == len(drawn)
    for place in range(LENGTH):
        assert {each[place] for each in drawn} == set(ALPHABET)  # 2000 draws of 23: one is missing once in 10^37
