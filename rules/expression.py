"""Reads the text of an expression into its syntax tree: a Pratt parser.

    expression  = or
    or          = and { "or" and }
    and         = not { "and" not }
    not         = "not" not | comparison
    comparison  = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=") sum ]      they do not chain: a < b < c is refused
    sum         = product { ("+" | "-") product }
    product     = unary { ("*" | "/") unary }
    unary       = "-" unary | primary
    primary     = number | duration | label | "true" | "false" | name | function "(" ... ")" | "(" expression ")"

Parsing knows no facility. What the names mean, and whether they fit together, is asked of `rules.vocabulary`; what an
expression is worth at a moment, of `rules.truth`.
"""

from rules.syntax import Binary, Boolean, Call, ExpressionError, Label, Name, Node, Number, Unary
from rules.tokens import Token, TokenKind, tokens

DEPTH_MAX = 40

_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _NEGATION = range(1, 8)

_BINDS = {
    "or": _OR,
    "and": _AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), _COMPARISON),
    **dict.fromkeys(("+", "-"), _SUM),
    **dict.fromkeys(("*", "/"), _PRODUCT),
}
_WORDS = frozenset({"or", "and", "not", "true", "false"})

_BEYOND_DEADBAND = {"<": (">=", "+"), "<=": (">", "+"), ">": ("<=", "-"), ">=": ("<", "-")}


def parse(text: str) -> Node:
    """The syntax tree of the text. Raises ExpressionError, and nothing else, for a text that is no expression."""
    parser = _Parser(tokens(text))
    node = parser.expression(0)
    rest = parser.current
    if rest.kind is not TokenKind.END:
        raise ExpressionError(f"expected an operator or the end of the expression, not {rest}", rest.column)
    return node


def deadband_clears(when: Node, deadband: float) -> Node:
    """What must be true for a single comparison to be over: its limit moved by the deadband to the safe side."""
    if not isinstance(when, Binary) or when.operator not in _BEYOND_DEADBAND:
        raise ExpressionError("a deadband needs a single comparison with < <= > >=; write clear_when instead", 1)
    opposite, sign = _BEYOND_DEADBAND[when.operator]
    limit = Binary(sign, when.right, Number(deadband, column=when.column), when.column)
    return Binary(opposite, when.left, limit, when.column)


class _Parser:
    """One pass over the tokens; `current` is the next that nobody has taken."""

    def __init__(self, found: tuple[Token, ...]) -> None:
        self._found = found
        self._position = 0
        self._depth = 0

    @property
    def current(self) -> Token:
        return self._found[self._position]

    def expression(self, floor: int) -> Node:
        """An expression of operators that bind tighter than `floor`."""
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise ExpressionError(f"nested deeper than {DEPTH_MAX} levels; split the rule", self.current.column)
        left = self._prefix(floor)
        while (binds := self._binds()) > floor:
            operator = self._take()
            right = self.expression(binds)
            left = Binary(operator.text, left, right, operator.column)
            if binds == _COMPARISON and self._binds() == _COMPARISON:
                raise ExpressionError(
                    f"comparisons do not chain: expected `and` before {self.current}, as in a < b and b < c",
                    self.current.column,
                )
        self._depth -= 1
        return left

    def _binds(self) -> int:
        token = self.current
        return _BINDS.get(token.text, 0) if token.kind in (TokenKind.SYMBOL, TokenKind.WORD) else 0

    def _take(self) -> Token:
        token = self.current
        self._position += 1
        return token

    def _expect(self, symbol: str, why: str) -> Token:
        if self.current.kind is not TokenKind.SYMBOL or self.current.text != symbol:
            raise ExpressionError(f"expected `{symbol}` {why}, not {self.current}", self.current.column)
        return self._take()

    def _prefix(self, floor: int) -> Node:
        token = self.current
        match token.kind, token.text:
            case TokenKind.WORD, "not":
                if floor >= _COMPARISON:
                    raise ExpressionError("expected a value here; put brackets around `not ...`", token.column)
                self._take()
                return Unary("not", self.expression(_NOT - 1), token.column)
            case TokenKind.SYMBOL, "-":
                self._take()
                return Unary("-", self.expression(_NEGATION - 1), token.column)
            case TokenKind.SYMBOL, "(":
                self._take()
                inner = self.expression(0)
                self._expect(")", f"for the `(` at column {token.column}")
                return inner
            case _:
                return self._primary()

    def _primary(self) -> Node:
        token = self.current
        match token.kind:
            case TokenKind.NUMBER | TokenKind.DURATION:
                self._take()
                return Number(token.value, token.kind is TokenKind.DURATION, token.column)
            case TokenKind.LABEL:
                self._take()
                return Label(token.text, token.column)
            case TokenKind.WORD if token.text in ("true", "false"):
                self._take()
                return Boolean(token.text == "true", token.column)
            case TokenKind.WORD if token.text not in _WORDS:
                return self._name_or_call()
            case _:
                raise ExpressionError(f"expected a value, a name or `(`, not {token}", token.column)

    def _name_or_call(self) -> Node:
        first = self._take()
        match self.current.text if self.current.kind is TokenKind.SYMBOL else "":
            case "(":
                self._take()
                return Call(first.text, self._arguments(first), first.column)
            case ".":
                self._take()
                second = self.current
                if second.kind is not TokenKind.WORD or second.text in _WORDS:
                    raise ExpressionError(
                        f"expected the name of a point after `{first.text}.`, not {second}", second.column
                    )
                self._take()
                return Name(first.text, second.text, first.column)
            case _:
                return Name(None, first.text, first.column)

    def _arguments(self, function: Token) -> tuple[Node, ...]:
        if self.current.kind is TokenKind.SYMBOL and self.current.text == ")":
            raise ExpressionError(f"expected something inside {function.text}(...)", self.current.column)
        arguments = [self.expression(0)]
        while self.current.kind is TokenKind.SYMBOL and self.current.text == ",":
            self._take()
            arguments.append(self.expression(0))
        self._expect(")", f"or `,` inside {function.text}(...)")
        return tuple(arguments)
