"""What the names in an expression may mean for one kind of facility, and whether its parts fit together.

A condition is refused here, with the column, when it names what does not exist, compares a pressure with a
temperature, asks a state for its size, or uses a function of time on a point that cannot answer it. What passes is
sure to be computable by `rules.truth`; only values can still be unknown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum, auto

from ledger.records import PointKind
from rules.expression import parse
from rules.model import GATEWAY_KIND, Pack, PointType
from rules.syntax import Binary, Boolean, Call, ExpressionError, Label, Name, Node, Number, Unary, walk

SELF = "self"
WINDOW_S_MAX = 31 * 86_400.0

AGGREGATES = frozenset({"any", "all", "count", "sum", "max", "min"})
OF_VALUES = frozenset({"spread", "highest", "lowest", "abs"})

_M, _S, _E, _C, _V = PointKind.MEASURE, PointKind.STATE, PointKind.ENUM, PointKind.COUNTER, PointKind.EVENT

# Function of time -> the kinds of point it can be asked of.
OF_TIME: Mapping[str, frozenset[PointKind]] = {
    "rate": frozenset({_M, _C}),
    "mean": frozenset({_M, _S}),
    "min_over": frozenset({_M, _S}),
    "max_over": frozenset({_M, _S}),
    "starts": frozenset({_S, _V}),
    "changes": frozenset({_M, _S, _E, _C}),
    "frozen": frozenset({_M, _S, _E, _C}),
    "increase": frozenset({_C}),
    "age": frozenset(PointKind),
}
RAISED = "raised"  # asks whether another rule's alarm stands; in `suppress_when` only
FUNCTIONS = AGGREGATES | OF_VALUES | OF_TIME.keys() | {RAISED}


class Sort(Enum):
    """What kind of value an expression has."""

    NUMBER = auto()
    CONDITION = auto()
    ENUM = auto()

    def __str__(self) -> str:
        return {"NUMBER": "a number", "CONDITION": "a condition", "ENUM": "one of an enumeration's labels"}[self.name]


@dataclass(frozen=True, slots=True)
class Term:
    """What one name stands for. An empty unit fits every other."""

    sort: Sort
    unit: str = ""
    point: PointKind | None = None  # None: a parameter or something built in
    at_intervals: bool = False
    values: tuple[str, ...] = ()


BUILT_IN: Mapping[str, Term] = {
    "under_test": Term(Sort.CONDITION),
    "under_work": Term(Sort.CONDITION),
    "permit_overrun": Term(Sort.CONDITION),
    "stale_points": Term(Sort.NUMBER),
    "local_hour": Term(Sort.NUMBER),
}
BUILT_IN_GATEWAY: Mapping[str, Term] = {"silent": Term(Sort.CONDITION), "clock_offset": Term(Sort.NUMBER, "s")}
BY_OUR_CLOCK = frozenset({"stale_points", "permit_overrun", *BUILT_IN_GATEWAY})  # judged at ticks, as time passes here


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names one rule may use, by scope."""

    own: Mapping[str, Term]
    self_part: Mapping[str, Term] | None = None  # None: the rule has no `for_each`
    parts: Mapping[str, Mapping[str, Term]] = field(default_factory=dict[str, Mapping[str, Term]])
    relations: Mapping[str, Mapping[str, Term]] = field(default_factory=dict[str, Mapping[str, Term]])
    rules: Mapping[str, str] | None = None  # `raised`: rule -> why it may not be asked after; None: no rule may


def vocabulary_of(
    pack: Pack, packs: Mapping[str, Pack], for_each: str | None, rules: Mapping[str, str] | None = None
) -> Vocabulary:
    """The names a rule of this pack may use. `packs` (by kind) is where relations lead; a relation that may lead to
    several kinds offers the points they have in common. `pack.rules` is not looked at.
    """
    built_in = {**BUILT_IN, **(BUILT_IN_GATEWAY if pack.kind == GATEWAY_KIND else {})}
    parts = {kind: _terms(pack, kind) for kind in pack.parts}
    self_part = None if for_each is None else parts.get(for_each, {})
    relations = {
        key: _common(_terms(packs[kind], None, parameters=False) for kind in relation.to if kind in packs)
        for key, relation in pack.relations.items()
    }
    return Vocabulary({**_terms(pack, None), **built_in}, self_part, parts, relations, rules)


def _terms(pack: Pack, part_kind: str | None, *, parameters: bool = True) -> Mapping[str, Term]:
    found = {point.key: _term(point) for point in pack.points.values() if point.part_kind == part_kind}
    if parameters:
        for parameter in pack.parameters.values():
            if parameter.part_kind == part_kind:
                found[parameter.key] = Term(Sort.NUMBER, parameter.unit)
    return found


def _term(point: PointType) -> Term:
    match point.kind:
        case PointKind.STATE | PointKind.EVENT:
            sort = Sort.CONDITION
        case PointKind.ENUM:
            sort = Sort.ENUM
        case PointKind.MEASURE | PointKind.COUNTER:
            sort = Sort.NUMBER
    return Term(sort, point.unit, point.kind, point.report_interval_s is not None, point.values)


def _common(choices: Iterable[Mapping[str, Term]]) -> Mapping[str, Term]:
    first, *others = list(choices) or [{}]
    return {key: term for key, term in first.items() if all(other.get(key) == term for other in others)}


def understand(text: str, vocabulary: Vocabulary) -> Node:
    """Parse a condition and check it against the vocabulary; bare labels of enumerations become `Label`.

    Raises ExpressionError for whatever is wrong first.
    """
    node, meaning = _Check(vocabulary).node(parse(text))
    if meaning.sort is not Sort.CONDITION:
        raise ExpressionError(f"expected a condition, and this is {meaning.sort}: compare it with something", 1)
    return node


def near(word: str, known: Iterable[str]) -> str:
    """` (did you mean ...?)` with the nearest known words, or nothing."""
    close = get_close_matches(word, list(known), n=3, cutoff=0.6)
    return f" (did you mean {' or '.join(close)}?)" if close else ""


@dataclass(frozen=True, slots=True)
class _Meaning:
    sort: Sort
    unit: str = ""
    values: tuple[str, ...] = ()


_CONDITION = _Meaning(Sort.CONDITION)


@dataclass(slots=True)
class _Check:
    vocabulary: Vocabulary
    aggregate: str | None = None  # the one being read, if any
    part_kind: str | None = None  # the part kind its argument has named

    def node(self, node: Node) -> tuple[Node, _Meaning]:
        match node:
            case Number():
                return node, _Meaning(Sort.NUMBER, "s" if node.is_duration else "")
            case Boolean():
                return node, _CONDITION
            case Label():
                raise ExpressionError(f"'{node.text}' may only stand beside == or != with an enumeration", node.column)
            case Name():
                term = self.term(node)
                return node, _Meaning(term.sort, term.unit, term.values)
            case Unary():
                wanted = Sort.CONDITION if node.operator == "not" else Sort.NUMBER
                operand, meaning = self.expect(node.operand, wanted, f"after `{node.operator}`")
                return Unary(node.operator, operand, node.column), meaning
            case Binary():
                return self.binary(node)
            case Call():
                return self.call(node)

    def expect(self, node: Node, sort: Sort, where: str) -> tuple[Node, _Meaning]:
        checked, meaning = self.node(node)
        if meaning.sort is not sort:
            raise ExpressionError(f"expected {sort} {where}, and this is {meaning.sort}", node.column)
        return checked, meaning

    def term(self, name: Name) -> Term:
        scope, terms = name.scope, self.scope_of(name)
        if name.key in terms:
            return terms[name.key]
        if scope is None:
            elsewhere = [f"{kind}.{name.key}" for kind, keys in self.vocabulary.parts.items() if name.key in keys]
            hint = f" (did you mean {' or '.join(elsewhere)}?)" if elsewhere else near(name.key, terms)
            raise ExpressionError(f"there is no point or parameter {name.key}{hint}", name.column)
        raise ExpressionError(f"{scope} has no point or parameter {name.key}{near(name.key, terms)}", name.column)

    def scope_of(self, name: Name) -> Mapping[str, Term]:
        vocabulary, scope = self.vocabulary, name.scope
        if scope is None:
            return vocabulary.own
        if scope == SELF:
            if vocabulary.self_part is None:
                raise ExpressionError("`self` needs a rule with for_each", name.column)
            return vocabulary.self_part
        if scope in vocabulary.relations:
            return vocabulary.relations[scope]
        if scope not in vocabulary.parts:
            known = [SELF, *vocabulary.parts, *vocabulary.relations]
            raise ExpressionError(f"there is no part or relation {scope}{near(scope, known)}", name.column)
        if self.aggregate is None:
            raise ExpressionError(
                f"a facility may have many parts {scope}: write any({name.text}), all(...), count(...), max(...), "
                f"or self.{name.key} in a rule for each {scope}",
                name.column,
            )
        if self.part_kind not in (None, scope):
            raise ExpressionError(
                f"{self.aggregate}(...) goes over {self.part_kind}; {scope} does not fit in", name.column
            )
        self.part_kind = scope
        return vocabulary.parts[scope]

    def binary(self, node: Binary) -> tuple[Node, _Meaning]:
        operator, where = node.operator, f"beside `{node.operator}`"
        if operator in ("and", "or"):
            left, _ = self.expect(node.left, Sort.CONDITION, where)
            right, _ = self.expect(node.right, Sort.CONDITION, where)
            return Binary(operator, left, right, node.column), _CONDITION
        if operator in ("==", "!="):
            return self.equality(node)
        comparing = operator in ("<", "<=", ">", ">=")
        left, first = self.age_or_number(node.left, node.right, where) if comparing else self.number(node.left, where)
        right, second = (
            self.age_or_number(node.right, node.left, where) if comparing else self.number(node.right, where)
        )
        if operator in ("*", "/"):
            return Binary(operator, left, right, node.column), _Meaning(
                Sort.NUMBER, _scaled_unit(operator, first, second)
            )
        unit = _same_unit(first, second, node)
        meaning = _CONDITION if comparing else _Meaning(Sort.NUMBER, unit)
        return Binary(operator, left, right, node.column), meaning

    def number(self, node: Node, where: str) -> tuple[Node, _Meaning]:
        return self.expect(node, Sort.NUMBER, where)

    def age_or_number(self, node: Node, other: Node, where: str) -> tuple[Node, _Meaning]:
        """One side of a comparison. `age` grows by itself, so the moment it crosses the other side must be
        computable: it stands alone, against figures and parameters.
        """
        if not (isinstance(node, Call) and node.function == "age"):
            return self.number(node, where)
        for each in walk(other):
            if isinstance(each, Call) or (isinstance(each, Name) and self.term(each).point is not None):
                raise ExpressionError("age(...) is compared with figures and parameters only", each.column)
        return self.of_time(node), _Meaning(Sort.NUMBER, "s")

    def equality(self, node: Binary) -> tuple[Node, _Meaning]:
        for side, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(side, Name) and self.is_enum(side):
                label = self.label(other, self.term(side), side)
                left, right = (side, label) if side is node.left else (label, side)
                return Binary(node.operator, left, right, node.column), _CONDITION
        left, first = self.node(node.left)
        right, second = self.node(node.right)
        if first.sort is not second.sort:
            # `run == 1` reads as people say it; any other figure beside a state is a mistake.
            condition, figure = (node.left, node.right) if first.sort is Sort.CONDITION else (node.right, node.left)
            if not (isinstance(figure, Number) and figure.value in (0.0, 1.0)):
                raise ExpressionError("a condition is compared with true, false, 1 or 0 only", condition.column)
        else:
            _same_unit(first, second, node)
        return Binary(node.operator, left, right, node.column), _CONDITION

    def is_enum(self, name: Name) -> bool:
        known = self.vocabulary.own if name.scope is None else self.scope_of(name)
        return name.key in known and known[name.key].sort is Sort.ENUM

    def label(self, node: Node, term: Term, of: Name) -> Label:
        match node:
            case Label(text=text) | Name(scope=None, key=text):
                if text in term.values:
                    return Label(text, node.column)
                hint = near(text, term.values) or f": it is one of {', '.join(term.values)}"
                raise ExpressionError(f"{of.text} is never '{text}'{hint}", node.column)
            case _:
                raise ExpressionError(f"{of.text} is compared with its labels: {', '.join(term.values)}", node.column)

    def call(self, node: Call) -> tuple[Node, _Meaning]:
        name = node.function
        if name in AGGREGATES:
            return self.over_parts(node)
        if name in OF_VALUES:
            return self.of_values(node)
        if name == RAISED:
            return self.raised(node), _CONDITION
        if name == "age":
            raise ExpressionError("age(...) stands alone on one side of < <= > >=", node.column)
        if name in OF_TIME:
            checked = self.of_time(node)
            if name == "frozen":
                return checked, _CONDITION
            unit = self.node(node.arguments[0])[1].unit if name in ("mean", "min_over", "max_over", "increase") else ""
            return checked, _Meaning(Sort.NUMBER, unit)
        raise ExpressionError(f"there is no function {name}{near(name, FUNCTIONS)}", node.column)

    def raised(self, node: Call) -> Node:
        rules = self.vocabulary.rules
        if rules is None:
            raise ExpressionError(
                "raised(...) is for suppress_when: an alarm may hide another, not make one", node.column
            )
        match node.arguments:
            case (Label(text=key, column=column),):
                pass
            case _:
                raise ExpressionError("raised(...) takes the key of a rule, as in raised('pressure_low')", node.column)
        if key not in rules:
            raise ExpressionError(f"this pack has no rule {key}{near(key, rules)}", column)
        if rules[key]:
            raise ExpressionError(f"raised('{key}') cannot be told: {rules[key]}", column)
        return node

    def over_parts(self, node: Call) -> tuple[Node, _Meaning]:
        name = node.function
        if self.aggregate is not None:
            raise ExpressionError(f"{name}(...) inside {self.aggregate}(...)", node.column)
        if len(node.arguments) != 1:
            hint = {"max": "; of several values take highest(...)", "min": "; of several values take lowest(...)"}
            raise ExpressionError(f"{name}(...) takes one expression over parts{hint.get(name, '')}", node.column)
        inner = _Check(self.vocabulary, aggregate=name)
        argument, meaning = inner.node(node.arguments[0])
        if inner.part_kind is None:
            kinds = ", ".join(self.vocabulary.parts) or "none here"
            raise ExpressionError(
                f"{name}(...) goes over parts: name a point of one, as in pump.run; parts: {kinds}", node.column
            )
        wanted = {
            "any": Sort.CONDITION,
            "all": Sort.CONDITION,
            "count": Sort.CONDITION,
            "max": Sort.NUMBER,
            "min": Sort.NUMBER,
        }
        if meaning.sort is not wanted.get(name, meaning.sort) or meaning.sort is Sort.ENUM:
            raise ExpressionError(
                f"{name}(...) takes {wanted.get(name, Sort.NUMBER)}, and this is {meaning.sort}", node.column
            )
        result = _CONDITION if name in ("any", "all") else _Meaning(Sort.NUMBER, meaning.unit)
        return Call(name, (argument,), node.column), result

    def of_values(self, node: Call) -> tuple[Node, _Meaning]:
        name, count = node.function, len(node.arguments)
        if (name == "abs") != (count == 1):
            raise ExpressionError(
                f"{name}(...) takes {'one value' if name == 'abs' else 'two values or more'}", node.column
            )
        checked = [self.number(argument, f"inside {name}(...)") for argument in node.arguments]
        unit = checked[0][1]
        for _, meaning in checked[1:]:
            unit = _Meaning(Sort.NUMBER, _same_unit(unit, meaning, node))
        return Call(name, tuple(argument for argument, _ in checked), node.column), unit

    def of_time(self, node: Call) -> Node:
        name = node.function
        if len(node.arguments) != (1 if name == "age" else 2):
            shape = "age(point)" if name == "age" else f"{name}(point, window), as in {name}(x, 10m)"
            raise ExpressionError(f"expected {shape}", node.column)
        point = node.arguments[0]
        term = self.term(point) if isinstance(point, Name) else None
        if term is None or term.point is None:
            raise ExpressionError(f"{name}(...) is asked of a point, by its name", point.column)
        if term.point not in OF_TIME[name]:
            kinds = ", ".join(sorted(kind.value for kind in OF_TIME[name]))
            raise ExpressionError(f"{name}(...) is asked of {kinds}, not of {term.point.value}", point.column)
        if name == "mean" and not term.at_intervals:
            raise ExpressionError("mean(...) needs a point with a report_interval", point.column)
        if name != "age":
            window = node.arguments[1]
            if not (isinstance(window, Number) and window.is_duration and 0 < window.value <= WINDOW_S_MAX):
                raise ExpressionError("expected a window of at most 31d, as in 10m", window.column)
        return node


def _scaled_unit(operator: str, first: _Meaning, second: _Meaning) -> str:
    """A value keeps its unit when it is multiplied or divided by a mere figure; what two units make is not told."""
    if not second.unit:
        return first.unit
    return second.unit if operator == "*" and not first.unit else ""


def _same_unit(first: _Meaning, second: _Meaning, node: Node) -> str:
    if first.unit and second.unit and first.unit != second.unit:
        raise ExpressionError(f"{first.unit} and {second.unit} do not go together", node.column)
    return first.unit or second.unit
