"""The syntax tree of the rule language, and the one error of everything that reads an expression."""

from collections.abc import Iterator
from dataclasses import dataclass, field


class ExpressionError(Exception):
    """The text is no expression, or its parts do not fit. `column` counts from 1 in the expression's own text."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"column {column}: {message}")
        self.message, self.column = message, column


@dataclass(frozen=True, slots=True)
class Number:
    """A figure. A duration (`90s`, `30d`) is its seconds, and remembers that it was written as one."""

    value: float
    is_duration: bool = False
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Boolean:
    value: bool
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Label:
    """A value of an enumeration: `'backup'`, or bare once the vocabulary has recognised it."""

    text: str
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """`outlet_pressure` (scope None), `self.run`, `pump.run` (a part kind), `supplied_by.mains_ok` (a relation)."""

    scope: str | None
    key: str
    column: int = field(default=1, compare=False)

    @property
    def text(self) -> str:
        return self.key if self.scope is None else f"{self.scope}.{self.key}"


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str  # "-" or "not"
    operand: "Node"
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str  # or and == != < <= > >= + - * /
    left: "Node"
    right: "Node"
    column: int = field(default=1, compare=False)  # of the operator


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple["Node", ...]
    column: int = field(default=1, compare=False)


Node = Number | Boolean | Label | Name | Unary | Binary | Call


def walk(node: Node) -> Iterator[Node]:
    """The node and everything under it, from left to right."""
    yield node
    match node:
        case Unary():
            yield from walk(node.operand)
        case Binary():
            yield from walk(node.left)
            yield from walk(node.right)
        case Call():
            for argument in node.arguments:
                yield from walk(argument)
        case _:
            pass


def names(node: Node) -> tuple[Name, ...]:
    """Every reference, in the order written, each once."""
    return tuple(dict.fromkeys(each for each in walk(node) if isinstance(each, Name)))


def written(node: Node) -> str:
    """The expression as text again, with every bracket that the tree has: parses to the same tree."""
    match node:
        case Number():
            return _duration(node.value) if node.is_duration else _figure(node.value)
        case Boolean():
            return "true" if node.value else "false"
        case Label():
            return f"'{node.text}'"
        case Name():
            return node.text
        case Unary():
            inner = written(node.operand)
            inner = f"({inner})" if isinstance(node.operand, Binary | Unary) else inner
            return f"not {inner}" if node.operator == "not" else f"-{inner}"
        case Binary():
            sides = [
                f"({written(side)})" if isinstance(side, Binary | Unary) else written(side)
                for side in (node.left, node.right)
            ]
            return f"{sides[0]} {node.operator} {sides[1]}"
        case Call():
            return f"{node.function}({', '.join(written(argument) for argument in node.arguments)})"


def _duration(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{_figure(seconds / size)}{unit}"
    return f"{_figure(seconds)}s"


def _figure(value: float) -> str:
    # Never in scientific form, which the language does not read.
    return f"{value:.15f}".rstrip("0").rstrip(".")
