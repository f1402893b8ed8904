"""The rule language: what parses to what, what is refused with which words, and three-valued truth."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.records import PointKind
from rules.expression import DEPTH_MAX, deadband_clears, parse
from rules.syntax import Binary, Boolean, Call, ExpressionError, Label, Name, Node, Number, Unary, names, written
from rules.tokens import TEXT_CHARACTERS_MAX, TOKENS_MAX
from rules.truth import Getter, compiled
from rules.vocabulary import BUILT_IN, FUNCTIONS, Sort, Term, Vocabulary, understand

PUMP = {
    "run": Term(Sort.CONDITION, "", PointKind.STATE),
    "current": Term(Sort.NUMBER, "A", PointKind.MEASURE, at_intervals=True),
    "rated_current": Term(Sort.NUMBER, "A"),
}
ROOM = Vocabulary(
    own={
        "pressure": Term(Sort.NUMBER, "MPa", PointKind.MEASURE, at_intervals=True),
        "inlet": Term(Sort.NUMBER, "MPa", PointKind.MEASURE, at_intervals=True),
        "level": Term(Sort.NUMBER, "%", PointKind.MEASURE),
        "setpoint": Term(Sort.NUMBER, "MPa"),
        "ratio": Term(Sort.NUMBER),
        "missed_after": Term(Sort.NUMBER, "s"),
        "door": Term(Sort.CONDITION, "", PointKind.STATE),
        "button": Term(Sort.CONDITION, "", PointKind.EVENT),
        "total": Term(Sort.NUMBER, "m3", PointKind.COUNTER, at_intervals=True),
        "ats": Term(Sort.ENUM, "", PointKind.ENUM, values=("main", "backup", "off")),
        **BUILT_IN,
    },
    self_part=PUMP,
    parts={"pump": PUMP, "fan": {"run": PUMP["run"]}},
    relations={"supplied_by": {"mains_ok": Term(Sort.CONDITION, "", PointKind.STATE)}},
)


# ---------------------------------------------------------------------- precedence


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a or b and c", "a or (b and c)"),
        ("a and b or c", "(a and b) or c"),
        ("not a and b", "(not a) and b"),
        ("not a == b", "not (a == b)"),
        ("a < b and c >= d", "(a < b) and (c >= d)"),
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("a / b * c", "(a / b) * c"),
        ("a < b + c", "a < (b + c)"),
        ("-a * b", "(-a) * b"),
        ("-a + b", "(-a) + b"),
        ("a - -b", "a - (-b)"),
        ("not not a", "not (not a)"),
        ("(a or b) and c", "(a or b) and c"),
        ("a or b or c", "(a or b) or c"),
        ("any(pump.run) and not under_work", "any(pump.run) and (not under_work)"),
        ("starts(self.run, 1h) > 15", "starts(self.run, 60m) > 15"),
        ("ats == 'backup'", 'ats == "backup"'),
    ],
)
def test_operators_bind_as_people_read_them(text, meant) -> None:
    assert parse(text) == parse(meant)


def test_what_a_tree_looks_like() -> None:
    assert parse("pressure < setpoint - 0.05") == Binary(
        "<", Name(None, "pressure"), Binary("-", Name(None, "setpoint"), Number(0.05))
    )
    assert parse("rate(self.x, 90s)") == Call("rate", (Name("self", "x"), Number(90, is_duration=True)))


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("8h", 28_800), ("30d", 2_592_000), ("1.5h", 5_400)]
)
def test_durations_are_seconds(text, seconds) -> None:
    assert parse(text) == Number(seconds, is_duration=True)


def test_names_lists_every_reference_once() -> None:
    node = parse("a < b and any(pump.run) or supplied_by.mains_ok == 0 and a > 1")
    assert [name.text for name in names(node)] == ["a", "b", "pump.run", "supplied_by.mains_ok"]


# ---------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("", 1, "expected a value, a name or `(`, not the end"),
        ("a <", 4, "expected a value"),
        ("a < b < c", 7, "comparisons do not chain: expected `and`"),
        ("a = b", 3, "write == to compare"),
        ("a && b", 3, "write `and`"),
        ("a b", 3, "expected an operator or the end"),
        ("(a", 3, "expected `)` for the `(` at column 1"),
        ("a)", 2, "expected an operator or the end"),
        ("any(pump.run", 13, "expected `)` or `,` inside any(...)"),
        ("any()", 5, "expected something inside any(...)"),
        ("pump.", 6, "expected the name of a point after `pump.`"),
        ("a == not b", 6, "put brackets around `not ...`"),
        ("rate(x, 10min)", 11, "expected s, m, h or d"),
        ("'open", 1, "this quote is not closed"),
        ("a < 1e3", 6, "1e3 is no duration"),
        ("a ; b", 3, "';' means nothing here"),
        ("出水压力 < 1", 1, "means nothing here"),
        ("(" * (DEPTH_MAX + 1) + "a", DEPTH_MAX + 1, "nested deeper"),
        ("a" * (TEXT_CHARACTERS_MAX + 1), TEXT_CHARACTERS_MAX + 1, "longer than"),
        ("a+" * TOKENS_MAX, TOKENS_MAX + 1, "more than"),
        ("9" * 400, 1, "too large"),
    ],
)
def test_a_text_that_is_no_expression_is_refused_with_the_place(text, column, said) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    assert said in refused.value.message
    assert refused.value.column == column


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("presure < 1", 1, "there is no point or parameter presure (did you mean pressure"),
        ("run", 1, "did you mean pump.run or fan.run?"),
        ("pump.run", 1, "write any(pump.run)"),
        ("pump_1.run", 1, "there is no part or relation pump_1 (did you mean pump"),
        ("self.ran", 1, "self has no point or parameter ran (did you mean run"),
        ("supplied_by.main_ok == 1", 1, "did you mean mains_ok"),
        ("pressure", 1, "expected a condition, and this is a number"),
        ("not pressure", 5, "expected a condition after `not`"),
        ("door and 1", 10, "expected a condition beside `and`"),
        ("door + 1 > 2", 1, "expected a number beside `+`, and this is a condition"),
        ("door > 0", 1, "expected a number beside `>`"),
        ("door == 2", 1, "true, false, 1 or 0 only"),
        ("pressure < level", 10, "MPa and % do not go together"),
        ("pressure < 90s", 10, "MPa and s do not go together"),
        ("ats == bakcup", 8, "ats is never 'bakcup' (did you mean backup?)"),
        ("ats == door", 8, "it is one of main, backup, off"),
        ("ats < 'main'", 1, "expected a number beside `<`"),
        ("door == 'open'", 9, "may only stand beside == or != with an enumeration"),
        ("speed(pressure) > 1", 1, "there is no function speed (did you mean spread?)"),
        ("any(door)", 1, "goes over parts"),
        ("any(pump.current)", 1, "any(...) takes a condition"),
        ("max(pump.run) > 1", 1, "max(...) takes a number"),
        ("max(pressure, inlet) > 1", 1, "take highest(...)"),
        ("any(pump.run and fan.run)", 18, "goes over pump; fan does not fit in"),
        ("any(pump.run and any(pump.run))", 18, "any(...) inside any(...)"),
        ("rate(setpoint, 5m) > 1", 6, "is asked of a point"),
        ("rate(pressure + 1, 5m) > 1", 15, "is asked of a point"),
        ("rate(pressure) > 1", 1, "expected rate(point, window)"),
        ("rate(pressure, 300) > 1", 16, "expected a window of at most 31d, as in 10m"),
        ("rate(pressure, 32d) > 1", 16, "expected a window of at most 31d"),
        ("rate(door, 5m) > 1", 6, "asked of counter, measure, not of state"),
        ("increase(pressure, 5m) > 1", 10, "asked of counter, not of measure"),
        ("mean(level, 5m) > 1", 6, "needs a point with a report_interval"),
        ("age(door)", 1, "stands alone on one side"),
        ("age(door) + 1 > 2", 1, "stands alone on one side"),
        ("age(door) > age(button)", 13, "figures and parameters only"),
        ("age(door) > ratio * pressure", 21, "figures and parameters only"),
        ("spread(pressure) > 1", 1, "two values or more"),
        ("abs(pressure, inlet) > 1", 1, "takes one value"),
        ("silent", 1, "there is no point or parameter silent"),
    ],
)
def test_parts_that_do_not_fit_are_refused_with_the_place(text, column, said) -> None:
    with pytest.raises(ExpressionError) as refused:
        understand(text, ROOM)
    assert said in refused.value.message
    assert refused.value.column == column


@pytest.mark.parametrize(
    "text",
    [
        "pressure < setpoint - 0.05",
        "pressure * ratio > setpoint and not door",
        "door == 1 or door == false or door == under_work",
        "ats != main and 'backup' == ats",
        "any(pump.run and pump.current > pump.rated_current * 1.05)",
        "count(pump.run) + sum(pump.run) >= 2",
        "max(pump.current) - min(pump.current) > 3",
        "any(starts(pump.run, 1h) > 15)",
        "any(age(pump.run) > 1d)",
        "spread(pressure, inlet, setpoint) > 0.1 and abs(pressure - inlet) < highest(inlet, setpoint)",
        "mean(pressure, 10m) > setpoint and min_over(door, 5m) == 1",
        "rate(total, 10m) > 2 and increase(total, 1h) > 3",
        "frozen(ats, 7d) or changes(level, 1h) > 4 or starts(button, 1h) > 1",
        "age(button) > missed_after and 7d <= age(door)",
        "supplied_by.mains_ok == 0 and self.run and local_hour >= 22",
    ],
)
def test_what_fits_is_understood_and_reads_the_same_when_written(text) -> None:
    node = understand(text, ROOM)
    assert understand(written(node), ROOM) == node


def test_self_needs_a_rule_for_each_part() -> None:
    with pytest.raises(ExpressionError, match="`self` needs a rule with for_each"):
        understand("self.run", Vocabulary(own=ROOM.own, parts=ROOM.parts))


@pytest.mark.parametrize(
    ("when", "clear"),
    [
        ("x < l", "x >= l + 0.01"),
        ("x <= l", "x > l + 0.01"),
        ("x > l", "x <= l - 0.01"),
        ("x >= l - 1", "x < l - 1 - 0.01"),
    ],
)
def test_a_deadband_moves_the_limit_to_the_safe_side(when, clear) -> None:
    assert deadband_clears(parse(when), 0.01) == parse(clear)


@pytest.mark.parametrize("when", ["x == 1", "a < 1 and b > 2", "door", "not (a < b)"])
def test_a_deadband_needs_a_single_comparison(when) -> None:
    with pytest.raises(ExpressionError, match="write clear_when"):
        deadband_clears(parse(when), 0.01)


# ---------------------------------------------------------------------- any text


WORDS = ["a", "b.c", "self.x", "1", "0.5", "90s", "10m", "'x'", "true", "and", "or", "not", "==", "<", ">=", "+", "-", "*", "/", "(", ")", ",", ".", *sorted(FUNCTIONS)]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=15).map(" ".join)))
def test_any_text_parses_or_is_refused_with_its_column(text) -> None:
    try:
        node = parse(text)
    except ExpressionError as refused:
        assert 1 <= refused.column <= len(text) + 1
        assert refused.message
        return
    assert parse(written(node)) == node
    try:
        understand(text, ROOM)
    except ExpressionError as refused:
        assert 1 <= refused.column <= len(text) + 1


LEAVES: st.SearchStrategy[Node] = st.one_of(
    st.integers(0, 1000).map(lambda n: Number(n / 8)),
    st.integers(1, 10_000).map(lambda n: Number(float(n), is_duration=True)),
    st.booleans().map(Boolean),
    st.sampled_from(["main", "backup"]).map(Label),
    st.sampled_from([Name(None, "a"), Name("self", "run"), Name("pump", "x")]),
)
TREES: st.SearchStrategy[Node] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Unary, st.sampled_from(["-", "not"]), inner),
        st.builds(Binary, st.sampled_from(["and", "or", "<", "==", "+", "-", "*", "/"]), inner, inner),
        st.builds(
            lambda f, a: Call(f, tuple(a)), st.sampled_from(["any", "max"]), st.lists(inner, min_size=1, max_size=3)
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(TREES)
def test_every_tree_is_read_back_from_its_text(tree) -> None:
    assert parse(written(tree)) == tree


# ---------------------------------------------------------------------- three-valued truth


class Fixed:
    """Slots whose names stand for fixed values."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    def name(self, name: Name) -> Getter:
        return lambda _at: self.values[name.text]

    def of_time(self, function: str, name: Name, window_ms: int) -> Getter:
        return lambda _at: self.values[f"{function}_{window_ms}"]

    def age(self, name: Name, limit: Getter) -> Getter:
        return lambda _at: self.values["age"]

    def code(self, name: Name, label: str) -> float:
        return {"main": 0.0, "backup": 1.0}[label]

    def raised(self, rule_key: str) -> Getter:
        return lambda _at: self.values.get(rule_key)

    def parts(self, node: Node) -> Sequence["Fixed"]:
        return [Fixed(**{"pump.x": value}) for value in self.values["parts"]]


def value(text: str, **values: Any) -> Any:
    found = compiled(parse(text), Fixed(**values))(0)
    return found if found is None or isinstance(found, bool) else round(found, 9)


THREE = (True, False, None)
STRENGTH = {True: 1.0, None: 0.5, False: 0.0}
BACK = {strength: truth for truth, strength in STRENGTH.items()}


@pytest.mark.parametrize(("a", "b"), list(product(THREE, THREE)))
def test_and_is_the_weaker_and_or_the_stronger_of_both(a, b) -> None:
    assert value("a and b", a=a, b=b) is BACK[min(STRENGTH[a], STRENGTH[b])]
    assert value("a or b", a=a, b=b) is BACK[max(STRENGTH[a], STRENGTH[b])]
    assert value("not a", a=a) is BACK[1 - STRENGTH[a]]
    assert value("not (a and b)", a=a, b=b) is value("not a or not b", a=a, b=b)


@pytest.mark.parametrize("parts", [list(each) for n in range(4) for each in product(THREE, repeat=n)])
def test_any_and_all_are_or_and_and_over_parts(parts) -> None:
    strengths = [STRENGTH[each] for each in parts]
    assert value("any(pump.x)", parts=parts) is BACK[max(strengths, default=0.0)]
    assert value("all(pump.x)", parts=parts) is BACK[min(strengths, default=1.0)]


def test_counts_and_sums_over_parts() -> None:
    assert value("count(pump.x)", parts=[True, False, True]) == 2
    assert value("count(pump.x) + sum(pump.x)", parts=[]) == 0
    assert value("sum(pump.x)", parts=[1.5, 2]) == 3.5
    assert value("max(pump.x) - min(pump.x)", parts=[4, 1, 2]) == 3
    assert value("max(pump.x)", parts=[]) is None
    assert value("count(pump.x)", parts=[True, None]) is None


@pytest.mark.parametrize(
    "text", ["a + b", "a - b", "a * b", "a / b", "a < b", "a == b", "-a < b", "highest(a, b)", "spread(a, b)", "abs(a)"]
)
def test_what_touches_an_unknown_is_unknown(text) -> None:
    assert value(text, a=None, b=1.0) is None


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("1 + 2 * 3 - 4 / 8", 6.5),
        ("1 / 0", None),
        ("a * a", None),
        ("spread(3, 1, 2)", 2),
        ("highest(3, 1) - lowest(3, 1)", 2),
        ("abs(1 - 3)", 2),
        ("-2 < -1", True),
        ("2 <= 2 and 2 >= 2 and 2 != 3", True),
        ("ats == 'backup'", True),
        ("'main' != ats", True),
        ("run == 1 and run == true", True),
        ("starts(run, 10m) > 3", True),
        ("age(run) > 1h", True),
    ],
)
def test_values(text, worth) -> None:
    assert value(text, a=1e200, ats=1.0, run=1.0, starts_600000=4.0, age=3601.0) == worth
