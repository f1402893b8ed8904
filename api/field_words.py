"""Pieces of what is said beside a field, in both languages: what was perhaps meant, and what there is."""

from collections.abc import Iterable
from difflib import get_close_matches

from api.shapes import Name
from rules.model import Title


def meant(word: str, known: Iterable[str]) -> Name:
    """` (did you mean ...?)` with the nearest known words, or nothing."""
    close = get_close_matches(word, list(known), n=3, cutoff=0.6)
    if not close:
        return Name(zh="", en="")
    return Name(zh=f"（是不是 {' 或 '.join(close)}？）", en=f" (did you mean {' or '.join(close)}?)")


def listed(words: Iterable[str]) -> Name:
    """The words there are, as a list."""
    found = list(words)
    return Name(zh="、".join(found) or "无", en=", ".join(found) or "nothing")


def titled(title: Title, key: str) -> Name:
    """By its title, with the key that the API wants in the English text."""
    return Name(zh=title.zh, en=f"{title.en} ({key})")
