"""Whether a comparison can ever change its mind: a limit beyond what the sensor can show is a rule that never speaks.

Judged by the ranges of the points and the defaults of the parameters. Only what is certain is told; where an extent is
not known, nothing is said.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from rules.model import Pack
from rules.syntax import Binary, Call, Name, Node, Number, Unary, walk
from rules.vocabulary import AGGREGATES, SELF

_WINDOWED = frozenset({"mean", "min_over", "max_over"})
_HOURS = (0.0, 23.0)


@dataclass(frozen=True, slots=True)
class Extent:
    """From where to where a value can go. `fixed`: it is made of figures and parameters only."""

    low: float
    high: float
    fixed: bool


@dataclass(frozen=True, slots=True)
class _Scope:
    pack: Pack
    packs: Mapping[str, Pack]
    for_each: str | None


def deaf_comparisons(
    node: Node, pack: Pack, packs: Mapping[str, Pack], for_each: str | None
) -> Iterator[tuple[int, str]]:
    """The column and the complaint for every comparison in the expression that can only ever be true, or false."""
    scope = _Scope(pack, packs, for_each)
    for each in walk(node):
        if isinstance(each, Binary) and each.operator in ("<", "<=", ">", ">=", "==", "!="):
            left, right = _extent(each.left, scope), _extent(each.right, scope)
            if left is None or right is None or left.fixed == right.fixed:
                continue
            verdict = _verdict(each.operator, left, right)
            if verdict is not None:
                moving, limit = (right, left) if left.fixed else (left, right)
                reach = f"the value lies between {moving.low:g} and {moving.high:g}"
                remedy = "correct the limit, or the range of the point"
                yield each.column, f"can {verdict}: {reach} and is compared with {limit.low:g}; {remedy}"


def _verdict(operator: str, left: Extent, right: Extent) -> str | None:
    if operator in ("==", "!="):
        is_apart = left.high < right.low or left.low > right.high
        return None if not is_apart else "never be true" if operator == "==" else "never be false"
    if operator in (">", ">="):
        left, right = right, left
    # Now it reads: left < right, or left <= right.
    strict = operator in ("<", ">")
    if left.low > right.high or (strict and left.low == right.high):
        return "never be true"
    if left.high < right.low or (not strict and left.high == right.low):
        return "never be false"
    return None


def _extent(node: Node, scope: _Scope) -> Extent | None:
    match node:
        case Number(value=value):
            return Extent(value, value, fixed=True)
        case Name():
            return _named(node, scope)
        case Unary(operator="-"):
            inner = _extent(node.operand, scope)
            return None if inner is None else Extent(-inner.high, -inner.low, inner.fixed)
        case Binary(operator="+" | "-" | "*" | "/"):
            return _reckoned(node, scope)
        case Call():
            return _called(node, scope)
        case _:
            return None


def _named(name: Name, scope: _Scope) -> Extent | None:
    pack, key = scope.pack, name.key
    if name.scope is None and key == "local_hour":
        return Extent(*_HOURS, fixed=False)
    if name.scope is not None and name.scope in pack.relations:
        points = [scope.packs[kind].points.get(key) for kind in pack.relations[name.scope].to if kind in scope.packs]
        spans = [(point.range_min, point.range_max) for point in points if point is not None]
        lows = [low for low, _ in spans if low is not None]
        highs = [high for _, high in spans if high is not None]
        whole = spans and len(lows) == len(highs) == len(spans)
        return Extent(min(lows), max(highs), fixed=False) if whole else None
    part_kind = scope.for_each if name.scope == SELF else name.scope
    full = key if part_kind is None else f"{part_kind}.{key}"
    if (parameter := pack.parameters.get(full)) is not None:
        return Extent(parameter.default, parameter.default, fixed=True)
    point = pack.points.get(full)
    if point is None or point.range_min is None or point.range_max is None:
        return None
    return Extent(point.range_min, point.range_max, fixed=False)


def _reckoned(node: Binary, scope: _Scope) -> Extent | None:
    left, right = _extent(node.left, scope), _extent(node.right, scope)
    if left is None or right is None:
        return None
    fixed = left.fixed and right.fixed
    match node.operator:
        case "+":
            return Extent(left.low + right.low, left.high + right.high, fixed)
        case "-":
            return Extent(left.low - right.high, left.high - right.low, fixed)
        case "*":
            corners = [a * b for a, b in product((left.low, left.high), (right.low, right.high))]
            return Extent(min(corners), max(corners), fixed)
        case _ if right.low <= 0.0 <= right.high:
            return None  # it may be divided by almost nothing
        case _:
            corners = [a / b for a, b in product((left.low, left.high), (right.low, right.high))]
            return Extent(min(corners), max(corners), fixed)


def _called(node: Call, scope: _Scope) -> Extent | None:
    if node.function in _WINDOWED or (node.function in AGGREGATES and node.function in ("max", "min")):
        return _extent(node.arguments[0], scope)
    inner = [found for each in node.arguments if (found := _extent(each, scope)) is not None]
    if len(inner) != len(node.arguments) or node.function not in ("highest", "lowest", "abs"):
        return None
    fixed = all(each.fixed for each in inner)
    lows, highs = [each.low for each in inner], [each.high for each in inner]
    match node.function:
        case "highest":
            return Extent(max(lows), max(highs), fixed)
        case "lowest":
            return Extent(min(lows), min(highs), fixed)
        case _:
            low, high = lows[0], highs[0]
            least = 0.0 if low <= 0.0 <= high else min(abs(low), abs(high))
            return Extent(least, max(abs(low), abs(high)), fixed)
