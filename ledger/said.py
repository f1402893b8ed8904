"""What people and phones said: whether a text says anything at all, and its form in which the ledger can keep it."""

import re
import unicodedata
from typing import Any, cast

# Letters and symbols by their category, and drawn as nothing: fillers of Hangul and the empty cell of Braille.
_DRAWN_AS_NOTHING = frozenset("\u115f\u1160\u3164\uffa0\u2800")

# NUL, and halves of characters: a phone makes them that cuts an emoji in two, and some codes are read with them.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def says_nothing(text: str) -> bool:
    """No letter, figure, mark of punctuation or symbol that anybody could see. A reason of zero-width characters is none."""
    return not any(unicodedata.category(each)[0] in "LNPS" and each not in _DRAWN_AS_NOTHING for each in text)


def storable(said: object) -> Any:
    """Decoded JSON as it is, but for what PostgreSQL keeps in no text: U+FFFD stands in its place."""
    match said:
        case str():
            return _UNSTORABLE.sub("\ufffd", said)
        case list():
            return [storable(each) for each in cast("list[object]", said)]
        case dict():
            members = cast("dict[str, object]", said)
            return {storable(key): storable(each) for key, each in members.items()}
        case _:
            return said
