"""What an expression is worth at a moment: three-valued (Kleene), compiled to closures once per condition.

Unknown is None. `false and unknown` is false and `true or unknown` is true; everything else that touches an unknown is
unknown, and so is a division by zero. States are numbers 0 and 1 where they are counted or compared, conditions where
they are asked.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Protocol

from rules.syntax import Binary, Boolean, Call, Label, Name, Node, Number, Unary
from rules.vocabulary import AGGREGATES, OF_TIME, RAISED

Value = float | bool | None
Getter = Callable[[int], Value]  # epoch milliseconds -> what it is worth then


class Slots(Protocol):
    """Where the names of an expression lead, at one facility and part."""

    def name(self, name: Name) -> Getter: ...

    def of_time(self, function: str, name: Name, window_ms: int) -> Getter: ...

    def age(self, name: Name, limit: Getter) -> Getter:
        """Seconds since the last sample; the caller compares it with `limit`, which does not move."""
        ...

    def code(self, name: Name, label: str) -> float:
        """What is stored for a label of an enumeration."""
        ...

    def raised(self, rule_key: str) -> Getter:
        """Whether the alarm of another rule stands."""
        ...

    def parts(self, node: Node) -> Sequence["Slots"]:
        """The slots of each part that an aggregate over `node` counts in."""
        ...


def compiled(node: Node, slots: Slots) -> Getter:
    """The closure that answers the expression at any moment."""
    match node:
        case Number(value=value) | Boolean(value=value):
            return fixed(value)
        case Label():
            raise AssertionError("labels are resolved beside their enumeration")
        case Name():
            return slots.name(node)
        case Unary(operator="not"):
            return Opposite(compiled(node.operand, slots))
        case Unary():
            return _negative(compiled(node.operand, slots))
        case Binary():
            return _binary(node, slots)
        case Call():
            return _call(node, slots)


def _binary(node: Binary, slots: Slots) -> Getter:
    if node.operator in ("==", "!=") and isinstance(node.left, Name) and isinstance(node.right, Label):
        return _with_label(node.operator, node.left, node.right, slots)
    if node.operator in ("==", "!=") and isinstance(node.left, Label) and isinstance(node.right, Name):
        return _with_label(node.operator, node.right, node.left, slots)
    left, right = _side(node.left, node.right, slots), _side(node.right, node.left, slots)
    match node.operator:
        case "and":
            return _Both(left, right)
        case "or":
            return _Either(left, right)
        case "/":
            return _quotient(left, right)
        case "==" | "!=" | "<" | "<=" | ">" | ">=":
            return _compared(_COMPARE[node.operator], left, right)
        case _:
            return _reckoned(_RECKON[node.operator], left, right)


def _with_label(sign: str, name: Name, label: Label, slots: Slots) -> Getter:
    code = slots.code(name, label.text)
    return _compared(_COMPARE[sign], slots.name(name), fixed(code))


def _side(node: Node, other: Node, slots: Slots) -> Getter:
    match node:
        case Call(function="age", arguments=(Name() as name,)):
            return slots.age(name, compiled(other, slots))
        case _:
            return compiled(node, slots)


def _call(node: Call, slots: Slots) -> Getter:
    if node.function in AGGREGATES:
        argument = node.arguments[0]
        return _AGGREGATE[node.function]([compiled(argument, part) for part in slots.parts(argument)])
    if node.function == RAISED:
        match node.arguments:
            case (Label(text=rule_key),):
                return slots.raised(rule_key)
            case _:
                raise AssertionError("raised takes the key of a rule; the vocabulary saw to it")
    if node.function in OF_TIME:
        match node.arguments:
            case (Name() as name, Number(value=seconds)):
                return slots.of_time(node.function, name, round(seconds * 1000))
            case _:
                raise AssertionError("a function of time takes a point and a window; the vocabulary saw to it")
    return _of_values(_OF_VALUES[node.function], [compiled(argument, slots) for argument in node.arguments])


# ---------------------------------------------------------------------- what never changes


@dataclass(frozen=True, slots=True)
class Fixed:
    """A number, a parameter, and what is reckoned of them alone."""

    value: Value

    def __call__(self, _at: int) -> Value:
        return self.value


@lru_cache(maxsize=4096, typed=True)  # a limit stands in many conditions
def fixed(value: Value) -> Getter:
    return Fixed(value)


# ---------------------------------------------------------------------- logic

# Objects, not closures: there are a hundred thousand of them in a large estate, and a closure takes five times the room.


@dataclass(frozen=True, slots=True)
class Opposite:
    inner: Getter

    def __call__(self, at: int) -> Value:
        value = self.inner(at)
        return None if value is None else not value


@dataclass(frozen=True, slots=True)
class _Both:
    left: Getter
    right: Getter

    def __call__(self, at: int) -> Value:
        first = self.left(at)
        if first is not None and not first:
            return False
        second = self.right(at)
        if second is not None and not second:
            return False
        return None if first is None or second is None else True


@dataclass(frozen=True, slots=True)
class _Either:
    left: Getter
    right: Getter

    def __call__(self, at: int) -> Value:
        first = self.left(at)
        if first:
            return True
        second = self.right(at)
        if second:
            return True
        return None if first is None or second is None else False


def _every(parts: Sequence[Getter]) -> Getter:
    def every(at: int) -> Value:
        result: Value = True
        for part in parts:
            value = part(at)
            if value is None:
                result = None
            elif not value:
                return False
        return result

    return every


def _some(parts: Sequence[Getter]) -> Getter:
    def some(at: int) -> Value:
        result: Value = False
        for part in parts:
            value = part(at)
            if value is None:
                result = None
            elif value:
                return True
        return result

    return some


# ---------------------------------------------------------------------- numbers

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_RECKON: Mapping[str, Callable[[float, float], float]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}


@dataclass(frozen=True, slots=True)
class _Comparison:
    compare: Callable[[float, float], bool]
    left: Getter
    right: Getter

    def __call__(self, at: int) -> Value:
        first, second = self.left(at), self.right(at)
        return None if first is None or second is None else self.compare(first, second)


@dataclass(frozen=True, slots=True)
class _AgainstLimit:
    """A comparison with what never changes."""

    compare: Callable[[float, float], bool]
    left: Getter
    limit: float

    def __call__(self, at: int) -> Value:
        value = self.left(at)
        return None if value is None else self.compare(value, self.limit)


def _compared(compare: Callable[[float, float], bool], left: Getter, right: Getter) -> Getter:
    if isinstance(right, Fixed) and right.value is not None:
        return _AgainstLimit(compare, left, right.value)
    return _Comparison(compare, left, right)


def _reckoned(reckon: Callable[[float, float], float], left: Getter, right: Getter) -> Getter:
    def reckoning(at: int) -> Value:
        first, second = left(at), right(at)
        return None if first is None or second is None else _believable(reckon(first, second))

    return _settled(reckoning, left, right)


def _settled(reckoning: Getter, *of: Getter) -> Getter:
    """What it comes to, if it is made of what never changes."""
    return fixed(reckoning(0)) if all(isinstance(each, Fixed) for each in of) else reckoning


def _quotient(left: Getter, right: Getter) -> Getter:
    def quotient(at: int) -> Value:
        first, second = left(at), right(at)
        return None if first is None or not second else _believable(first / second)

    return _settled(quotient, left, right)


def _negative(inner: Getter) -> Getter:
    def negative(at: int) -> Value:
        value = inner(at)
        return None if value is None else -value

    return _settled(negative, inner)


def _believable(value: float) -> float | None:
    return value if isfinite(value) else None


def _of_values(function: Callable[[Sequence[float]], float], arguments: Sequence[Getter]) -> Getter:
    def of_values(at: int) -> Value:
        known = [value for argument in arguments if (value := argument(at)) is not None]
        return function(known) if len(known) == len(arguments) and known else None

    return of_values


def _count(values: Sequence[float]) -> float:
    return float(sum(1 for value in values if value))


def _sum_over(parts: Sequence[Getter]) -> Getter:
    return _of_values(sum, parts) if parts else lambda _at: 0.0


def _count_over(parts: Sequence[Getter]) -> Getter:
    return _of_values(_count, parts) if parts else lambda _at: 0.0


_OF_VALUES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "spread": lambda values: max(values) - min(values),
    "highest": max,
    "lowest": min,
    "abs": lambda values: abs(values[0]),
}
_AGGREGATE: Mapping[str, Callable[[Sequence[Getter]], Getter]] = {
    "any": _some,
    "all": _every,
    "count": _count_over,
    "sum": _sum_over,
    "max": lambda parts: _of_values(max, parts),
    "min": lambda parts: _of_values(min, parts),
}
