"""What of a condition hangs on the values of each point: read off its expressions, so that samples which change nothing
can be told from those that might.

A condition asks its points simple questions (is this above that limit, was it so for five minutes) and puts the answers
together. As long as every single answer stays what it is, so does the condition, whatever it is made of. Each stake is
one such question, with the values of one point that leave its answer as it is, and until when.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Protocol

from rules.signals import Signal
from rules.syntax import Binary, Call, Label, Name, Node, Number, Unary, walk
from rules.truth import Slots, compiled
from rules.vocabulary import AGGREGATES, OF_TIME, RAISED

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_ORDERS = frozenset({"<", "<=", ">", ">="})
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}

Range = tuple[float, float]
EVERYTHING: Range = (-inf, inf)
NOTHING: Range = (inf, -inf)
Reach = Callable[[Range], Range | None]  # of an expression, while its only point is within that range; None: not known


class Resolver(Slots, Protocol):
    """Where names lead, and which of them are points."""

    def signal(self, name: Name) -> Signal | None: ...

    def is_built_in(self, name: Name) -> bool: ...

    def parts(self, node: Node) -> Sequence["Resolver"]: ...


@dataclass(frozen=True, slots=True)
class Cut:
    """The point is compared with a limit that does not move."""

    signal: Signal
    operator: str
    limit: float


@dataclass(frozen=True, slots=True)
class Same:
    """Nothing better is known than that the same value gives the same answer."""

    signal: Signal


@dataclass(frozen=True, slots=True, eq=False)
class Reckoned:
    """The point is the only one in an expression that is compared with a limit."""

    signal: Signal
    operator: str
    limit: float
    reach: Reach

    def holds(self, within: Range) -> bool:
        """Whether the answer is the same for every value of that range."""
        found = self.reach(within)
        if found is None:
            return False
        low, high = found
        match self.operator:
            case "<" | ">=":
                return high < self.limit or low >= self.limit
            case "<=" | ">":
                return high <= self.limit or low > self.limit
            case _:
                return high < self.limit or low > self.limit or low == high


@dataclass(frozen=True, slots=True)
class OverTime:
    """A function of time is asked of the point; where it is compared with a limit, by which operator."""

    signal: Signal
    function: str
    window_ms: int
    operator: str | None = None
    limit: float = 0.0


@dataclass(frozen=True, slots=True)
class Age:
    """How old its last sample is."""

    signal: Signal
    limit_s: float | None  # None: nothing is known of the limit


Stake = Cut | Same | Reckoned | OverTime | Age


def stakes(node: Node, slots: Resolver) -> Iterator[Stake]:
    """Every question that the expression asks."""
    match node:
        case Name():
            signal = slots.signal(node)
            if signal is not None:
                yield Same(signal)
        case Unary():
            yield from stakes(node.operand, slots)
        case Binary(operator=sign) if sign in _COMPARISONS:
            yield from _compared(node, slots)
        case Binary():
            yield from stakes(node.left, slots)
            yield from stakes(node.right, slots)
        case Call():
            yield from _called(node, slots)
        case _:
            pass


def _called(node: Call, slots: Resolver) -> Iterator[Stake]:
    if node.function in AGGREGATES:
        for part in slots.parts(node.arguments[0]):
            yield from stakes(node.arguments[0], part)
    elif node.function in OF_TIME:
        yield from _over_time(node, slots, None, 0.0)
    elif node.function != RAISED:
        for argument in node.arguments:
            yield from stakes(argument, slots)


def _over_time(node: Call, slots: Resolver, sign: str | None, limit: float) -> Iterator[Stake]:
    match node.arguments:
        case (Name() as name, *rest) if (signal := slots.signal(name)) is not None:
            if node.function == "age":
                yield Age(signal, limit if sign is not None else None)
            for window in rest:
                if isinstance(window, Number):
                    yield OverTime(signal, node.function, round(window.value * 1000), sign, limit)
        case _:
            raise AssertionError("a function of time takes a point; the vocabulary saw to it")


def _compared(node: Binary, slots: Resolver) -> Iterator[Stake]:
    for side, other, sign in (
        (node.left, node.right, node.operator),
        (node.right, node.left, _MIRRORED[node.operator]),
    ):
        if isinstance(other, Label) or not _is_fixed(other, slots):
            continue
        limit = compiled(other, slots)(0)
        if limit is not None:
            yield from _against(side, sign, float(limit), slots)
        return
    yield from stakes(node.left, slots)
    yield from stakes(node.right, slots)


def _against(node: Node, sign: str, limit: float, slots: Resolver) -> Iterator[Stake]:
    """What hangs on the points of an expression that is compared with a limit."""
    match node:
        case Name():
            signal = slots.signal(node)
            if signal is not None:
                yield Cut(signal, sign, limit)
        case Call(function="highest" | "lowest", arguments=arguments) if sign in _ORDERS and len(arguments) > 1:
            # The highest is above a limit when any is.
            for argument in arguments:
                yield from _against(argument, sign, limit, slots)
        case Call(function="max" | "min", arguments=(argument,)) if sign in _ORDERS:
            for part in slots.parts(argument):
                yield from _against(argument, sign, limit, part)
        case Call(function=function) if function in OF_TIME:
            yield from _over_time(node, slots, sign, limit)
        case _:
            found = {each.signal.point.id: each for each in stakes(node, slots)}
            reach = _reach(node, slots)
            if len(found) == 1 and reach is not None:
                yield Reckoned(next(iter(found.values())).signal, sign, limit, reach)
            else:
                yield from stakes(node, slots)


def _is_fixed(node: Node, slots: Resolver) -> bool:
    """Whether it is made of figures and parameters only."""
    for each in walk(node):
        if isinstance(each, Call | Label):
            return False
        if isinstance(each, Name) and (slots.signal(each) is not None or slots.is_built_in(each)):
            return False
    return True


# ---------------------------------------------------------------------- how far an expression goes


def _reach(node: Node, slots: Resolver) -> Reach | None:
    """Rounding keeps the order of what is rounded, so the ends of a range are the ends of what comes of it."""
    match node:
        case Name() if slots.signal(node) is not None:
            return lambda within: within
        case Number() | Name() if _is_fixed(node, slots):
            value = compiled(node, slots)(0)
            return None if value is None else lambda _within, ends=(float(value), float(value)): ends
        case Unary(operator="-"):
            inner = _reach(node.operand, slots)
            return None if inner is None else lambda within: _turned(inner(within))
        case Call(function="abs", arguments=(argument,)):
            inner = _reach(argument, slots)
            return None if inner is None else lambda within: _absolute(inner(within))
        case Binary(operator="+" | "-" | "*" | "/"):
            left, right = _reach(node.left, slots), _reach(node.right, slots)
            if left is None or right is None:
                return None
            return lambda within: _joined(node.operator, left(within), right(within))
        case _:
            return None


def _turned(ends: Range | None) -> Range | None:
    return None if ends is None else (-ends[1], -ends[0])


def _absolute(ends: Range | None) -> Range | None:
    if ends is None or ends[0] >= 0:
        return ends
    return (-ends[1], -ends[0]) if ends[1] <= 0 else (0.0, max(-ends[0], ends[1]))


def _joined(sign: str, left: Range | None, right: Range | None) -> Range | None:
    if left is None or right is None:
        return None
    match sign:
        case "+":
            found = [left[0] + right[0], left[1] + right[1]]
        case "-":
            found = [left[0] - right[1], left[1] - right[0]]
        case "*":
            found = [one * other for one in left for other in right]
        case _ if right[0] <= 0.0 <= right[1]:
            return None
        case _:
            found = [one / other for one in left for other in right]
    return (min(found), max(found)) if all(isfinite(each) for each in found) else None
