"""What an alarm rests on first of all: one point and the limit it is compared with, told from the alarm's explanation.

A list of alarms shows a value against its limit in one line. Rules are richer than that: of several comparisons the
first is taken, and where no limit can be put beside a value, the point alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, cast

from rules.expression import parse
from rules.syntax import Binary, Call, ExpressionError, Name, Node, Number, Unary, names, walk
from rules.vocabulary import SELF

Comparison = Literal["<", "<=", ">", ">=", "==", "!="]
# As it stands, and read from its other side.
_COMPARISONS: Mapping[str, tuple[Comparison, Comparison]] = {
    "<": ("<", ">"),
    "<=": ("<=", ">="),
    ">": (">", "<"),
    ">=": (">=", "<="),
    "==": ("==", "=="),
    "!=": ("!=", "!="),
}
# What they give is a value of the point itself, so that its limit can be drawn beside it.
_SAME_SCALE = frozenset({"mean", "min_over", "max_over"})


@dataclass(frozen=True, slots=True)
class Ground:
    """`point` as the explanation calls it: `outlet_pressure`, `pump_1.fault`, `supplied_by.mains_ok`."""

    point: str
    comparison: Comparison | None = None
    limit: float | None = None


def ground(explanation: Mapping[str, object]) -> Ground | None:
    """The first comparison of a point with a figure; else the first point; None where the explanation names none."""
    when, values, parameters = (explanation.get(key) for key in ("when", "values", "parameters"))
    if not isinstance(when, str) or not isinstance(values, Mapping):
        return None
    tree = _parsed(when)
    if tree is None:
        return None
    known = _Known(list(cast("Mapping[str, object]", values)), _figures(parameters))
    compared = next(_compared(tree, known), None)
    if compared is not None:
        return compared
    points = (known.point(name) for name in names(tree))
    first = next((point for point in points if point is not None), None)
    return None if first is None else Ground(first)


def limits(when: str, points: Sequence[str], parameters: Mapping[str, float]) -> Sequence[Ground]:
    """Every comparison of a point with a figure in a rule's condition, each once: what is drawn across a chart."""
    tree = _parsed(when)
    return [] if tree is None else list(dict.fromkeys(_compared(tree, _Known(list(points), parameters))))


@lru_cache(maxsize=1_024)
def _parsed(when: str) -> Node | None:
    """None: it was written by a version that spoke otherwise."""
    try:
        return parse(when)
    except ExpressionError:
        return None


def _figures(parameters: object) -> Mapping[str, float]:
    if not isinstance(parameters, Mapping):
        return {}
    named = cast("Mapping[str, object]", parameters)
    return {key: float(value) for key, value in named.items() if isinstance(value, int | float)}


@dataclass(frozen=True, slots=True)
class _Known:
    """The names of the explanation, by what the expression calls them."""

    points: list[str]
    parameters: Mapping[str, float]

    def point(self, name: Name) -> str | None:
        return _found(name, self.points)

    def figure(self, node: Node) -> float | None:
        """What the node is worth if it is made of figures and parameters only."""
        match node:
            case Number():
                return node.value
            case Name():
                key = _found(node, self.parameters)
                return None if key is None else self.parameters[key]
            case Unary(operator="-"):
                inner = self.figure(node.operand)
                return None if inner is None else -inner
            case Binary():
                return _reckoned(node.operator, self.figure(node.left), self.figure(node.right))
            case _:
                return None


def _found(name: Name, keys: Mapping[str, float] | list[str]) -> str | None:
    """`self.fault` and `pump.fault` stand there as `pump_1.fault`."""
    if name.text in keys and name.scope != SELF:
        return name.text
    if name.scope is None:
        return None
    return next((key for key in keys if key.endswith(f".{name.key}")), None)


def _reckoned(operator: str, left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/" if right != 0:
            return left / right
        case _:
            return None


def _compared(tree: Node, known: _Known) -> Iterator[Ground]:
    for node in walk(tree):
        if not isinstance(node, Binary) or node.operator not in _COMPARISONS:
            continue
        written, turned = _COMPARISONS[node.operator]
        sides: tuple[tuple[Node, Node, Comparison], ...] = (
            (node.left, node.right, written),
            (node.right, node.left, turned),
        )
        for moving, fixed, comparison in sides:
            limit = known.figure(fixed)
            if limit is not None and (point := _measured(moving, known)) is not None:
                yield Ground(point, comparison, round(limit, 9))


def _measured(node: Node, known: _Known) -> str | None:
    """The point whose value, on its own scale, the node is."""
    if isinstance(node, Name):
        return known.point(node)
    if isinstance(node, Call) and node.function in _SAME_SCALE and isinstance(node.arguments[0], Name):
        return known.point(node.arguments[0])
    return None
