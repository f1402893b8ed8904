"""Whether a text that a person gave says anything: a reason of zero-width characters is none."""

import unicodedata

# Letters and symbols by their category, and drawn as nothing: fillers of Hangul and the empty cell of Braille.
_DRAWN_AS_NOTHING = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def says_nothing(text: str) -> bool:
    """No letter, figure, mark of punctuation or symbol that anybody could see."""
    return not any(unicodedata.category(each)[0] in "LNPS" and each not in _DRAWN_AS_NOTHING for each in text)
