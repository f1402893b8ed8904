"""Cuts the text of an expression into tokens, each with the column it starts at."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from rules.syntax import ExpressionError

TEXT_CHARACTERS_MAX = 2_000
TOKENS_MAX = 400  # bounds the depth of the tree, and with it every recursion over it

SECONDS_OF = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}

_PATTERN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | (?P<number>[0-9]+(?:\.[0-9]+)?)(?P<unit>[A-Za-z_][A-Za-z0-9_]*)?
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<label>'[^']*'|"[^"]*")
      | (?P<symbol><=|>=|==|!=|[-+*/<>().,])
    """,
    re.VERBOSE,
)

_HINTS = {
    "=": "write == to compare",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`, or != to compare",
    "'": "this quote is not closed",
    '"': "this quote is not closed",
}


class TokenKind(Enum):
    NUMBER = auto()
    DURATION = auto()
    WORD = auto()
    LABEL = auto()
    SYMBOL = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    kind: TokenKind
    text: str
    column: int
    value: float = 0.0  # of numbers and durations, the latter in seconds

    def __str__(self) -> str:
        return "the end of the expression" if self.kind is TokenKind.END else f"`{self.text}`"


def tokens(text: str) -> tuple[Token, ...]:
    """All tokens with END as the last. Raises ExpressionError at the first character that starts none."""
    if len(text) > TEXT_CHARACTERS_MAX:
        raise ExpressionError(f"longer than {TEXT_CHARACTERS_MAX} characters", TEXT_CHARACTERS_MAX + 1)
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            wrong = text[position]
            hint = f"; {_HINTS[wrong]}" if wrong in _HINTS else ""
            raise ExpressionError(f"{wrong!r} means nothing here{hint}", position + 1)
        if match["space"] is None:
            found.append(_token(match, position + 1))
        if len(found) > TOKENS_MAX:
            raise ExpressionError(f"more than {TOKENS_MAX} words and signs; split the rule", position + 1)
        position = match.end()
    found.append(Token(TokenKind.END, "", len(text) + 1))
    return tuple(found)


def _token(match: re.Match[str], column: int) -> Token:
    if match["number"] is not None:
        return _number(match["number"], match["unit"], column)
    if match["word"] is not None:
        return Token(TokenKind.WORD, match["word"], column)
    if match["label"] is not None:
        return Token(TokenKind.LABEL, match["label"][1:-1], column)
    return Token(TokenKind.SYMBOL, match["symbol"], column)


def _number(figures: str, unit: str | None, column: int) -> Token:
    value = float(figures)
    if value == float("inf"):
        raise ExpressionError("this number is too large", column)
    if unit is None:
        return Token(TokenKind.NUMBER, figures, column, value)
    if unit not in SECONDS_OF:
        raise ExpressionError(
            f"{figures}{unit} is no duration: expected s, m, h or d after the number, as in 90s", column + len(figures)
        )
    return Token(TokenKind.DURATION, figures + unit, column, value * SECONDS_OF[unit])
