"""A reason that nobody can see is none; one in any script that can be read is one."""

import unicodedata

import pytest

from ledger.said import says_nothing


@pytest.mark.parametrize(
    "text",
    ["", "  ", "\u200b", "\u200d\u2060\ufeff", "\u00ad", "\u3000\u00a0", "\u115f\u1160", "\u3164", "\uffa0", "\u2800", "\ue000", "\u0301",
     "\u202e", "\ufe0f", "\U000e0041"],
    ids=lambda text: "+".join(unicodedata.name(each, f"U+{ord(each):04X}") for each in text) or "empty",
)  # fmt: skip
def test_what_nobody_sees_says_nothing(text: str) -> None:
    assert says_nothing(text)
    assert not says_nothing(f"{text}换{text}")


@pytest.mark.parametrize("text", ["换泵", "ok", "3", "…", "é", "پمپ", "✓", "👷", "か\u3099"])
def test_what_somebody_reads_says_something(text: str) -> None:
    assert not says_nothing(text)
