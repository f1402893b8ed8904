"""`raised('rule')`: a warning hides behind its critical rule's alarm, and behind nothing less."""

from dataclasses import replace

import pytest

from ledger.lifecycle import ConditionMove
from ledger.records import ConditionDecision
from rules import packs
from rules.company import kin
from rules.model import Pack
from rules.packs import PackErrors
from tests.rules.bench import FINE, QUIET, TINY, moves, rig, send
from tests.rules.rig import Rig

WORDS = (
    "title: {zh: 规则, en: Rule}, severity: warning, work_class: security, source: test, "
    "guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}"
)
VERY_LOW, LOW = 0.2, 0.29
TWO = (
    "key: very_low, when: pressure < 0.25, deadband: 0.01, on_delay: 30s, off_delay: 20s",
    "key: low, when: pressure < 0.3, deadband: 0.01, on_delay: 60s, off_delay: 15s, suppress_when: raised('very_low')",
)


def with_rules(*rules: str) -> dict[str, Pack]:
    lines = "".join(f"  - {{{rule}, {WORDS}}}\n" for rule in rules)
    return {**QUIET, **packs.read({"tiny.yaml": f"{TINY}\n{lines}"})}


def faults(*rules: str) -> list[str]:
    with pytest.raises(PackErrors) as caught:
        with_rules(*rules)
    return [fault.message for fault in caught.value.faults]


def held(bench: Rig, value: float, begin_s: float, end_s: float) -> None:
    """The pressure as it is reported every half minute, with ticks in between."""
    at_s = begin_s
    while at_s < end_s:
        send(bench, at_s, pressure=value)
        for second in range(30):
            bench.tick(at_s + second)
        at_s += 30.0


def test_it_hides_behind_the_alarm_from_its_raise_to_its_return() -> None:
    bench = rig(tested=with_rules(*TWO))
    held(bench, LOW, 0.0, 120.0)
    held(bench, VERY_LOW, 120.0, 300.0)
    held(bench, LOW, 300.0, 420.0)
    assert moves(bench, "very_low") == [(150.0, "raise"), (320.0, "clear")]
    assert moves(bench, "low") == [(60.0, "raise"), (150.0, "suppress"), (320.0, "unsuppress")]


def test_what_swings_about_the_critical_limit_rings_as_a_warning() -> None:
    """The value alone would hide the warning, and the critical rule's delay never runs out: neither would ring."""
    bench = rig(tested=with_rules(*TWO))
    for cycle in range(10):
        send(bench, cycle * 40.0, pressure=VERY_LOW)
        bench.tick(cycle * 40.0 + 19)
        send(bench, cycle * 40.0 + 20, pressure=LOW)
        bench.tick(cycle * 40.0 + 39)
    assert moves(bench, "low") == [(60.0, "raise")]
    assert moves(bench, "very_low") == []


def test_due_at_the_same_moment_it_is_hidden_before_it_is_raised_and_over_before_it_is_shown() -> None:
    even = [rule.replace("30s", "60s").replace("20s", "15s") for rule in TWO]
    bench = rig(tested=with_rules(*even))
    held(bench, VERY_LOW, 0.0, 120.0)
    held(bench, FINE, 120.0, 210.0)
    assert moves(bench, "low") == [(60.0, "suppress"), (60.0, "raise"), (135.0, "clear"), (135.0, "unsuppress")]


def test_a_backlog_and_a_restart_change_nothing() -> None:
    timely, backlog = rig(tested=with_rules(*TWO)), rig(tested=with_rules(*TWO))
    values = [LOW] * 4 + [VERY_LOW] * 6 + [LOW] * 4 + [FINE] * 3
    for number, value in enumerate(values):
        send(timely, number * 30.0, pressure=value)
        timely.tick(number * 30.0 + 1)
        timely.restart()
        timely.connected_since_s = number * 30.0 + 2
        timely.tick(number * 30.0 + 29.9)
        send(backlog, number * 30.0, received_s=9_000.0 + number, pressure=value)
    assert moves(backlog, "low") == moves(timely, "low") != []
    assert moves(backlog, "very_low") == moves(timely, "very_low") != []


def test_after_a_restart_a_turn_of_the_leader_has_its_own_moment_though_the_follower_never_reported() -> None:
    rules = (
        "key: hot, when: temp > 90, on_delay: 45s",
        "key: rests, for_each: pump, when: not self.run, suppress_when: raised('hot')",
    )
    bench = rig(tested=with_rules(*rules))
    send(bench, 53, temp=95)
    bench.tick(80)
    bench.restart()
    bench.connected_since_s = 81
    send(bench, 87, pressure=FINE)  # neither looks at it; only the gateway is heard again
    bench.tick(120)
    assert moves(bench, "hot") == [(98.0, "raise")]
    assert {move.at_s for move in bench.moves if move.rule == "rests"} == {98.0}


def test_rules_of_a_part_ask_after_the_same_part_and_after_the_facility() -> None:
    more = (
        "key: hot, when: temp > 90",
        "key: stuck, for_each: pump, when: self.fault",
        "key: rests, for_each: pump, when: not self.run, suppress_when: raised('stuck') or raised('hot')",
    )
    bench = rig(tested=with_rules(*more))
    send(bench, 0, pump_1__run=True, pump_2__run=True, pump_1__fault=False, pump_2__fault=False, temp=20)
    send(bench, 10, pump_1__fault=True)
    send(bench, 20, pump_1__run=False, pump_2__run=False)
    send(bench, 30, temp=95)
    parts = [(move.at_s, move.move, move.part) for move in bench.moves if move.rule == "rests"]
    assert parts == [
        (10.0, "suppress", "pump_1"),
        (20.0, "raise", "pump_1"),
        (20.0, "raise", "pump_2"),
        (30.0, "suppress", "pump_2"),
    ]


def test_a_rule_that_does_not_apply_hides_nothing() -> None:
    rules = ("key: hot, when: temp > 90", "key: low, when: pressure < 0.3, suppress_when: raised('hot')")
    bench = rig(tested=with_rules(*rules), without=("temp",))
    send(bench, 0, pressure=LOW)
    assert moves(bench, "low") == [(0.0, "raise")]


def test_the_explanation_says_whether_it_stood() -> None:
    bench = rig(tested=with_rules(*TWO))
    held(bench, VERY_LOW, 0.0, 90.0)
    decided = [each for each in bench.decisions if isinstance(each, ConditionDecision)]
    told = [each.explanation["values"] for each in decided if each.move is ConditionMove.SUPPRESS]
    assert told == [{"pressure": VERY_LOW, "raised('very_low')": True}]


WRONG = {
    "unknown rule": (
        ["key: a, when: door, suppress_when: raised('pressure_lo')"],
        "`suppress_when`, column 8: this pack has no rule pressure_lo (did you mean pressure_low?)",
    ),
    "itself": (["key: a, when: door, suppress_when: raised('a')"], "raised('a') cannot be told: it is this rule"),
    "in when": (["key: a, when: raised('smoke')"], "raised(...) is for suppress_when"),
    "in clear_when": (["key: a, when: door, clear_when: raised('smoke')"], "raised(...) is for suppress_when"),
    "without quotes": (["key: a, when: door, suppress_when: raised(smoke)"], "as in raised('pressure_low')"),
    "of parts": (
        ["key: a, when: door, suppress_when: raised('pump_fault')"],
        "it holds for each pump, and this rule does not",
    ),
    "of silence": (
        ["key: b, when: stale_points > 0", "key: a, when: door, suppress_when: raised('b')"],
        "one of them is judged by our clock",
    ),
    "by silence": (
        ["key: b, when: stale_points > 0, suppress_when: raised('smoke')"],
        "one of them is judged by our clock",
    ),
    "a circle": (
        [
            "key: a, when: door, suppress_when: raised('b')",
            "key: b, when: smoke, suppress_when: not raised('c')",
            "key: c, when: button, suppress_when: raised('a')",
        ],
        "rule a: these rules would hide each other in a circle: a -> b -> c -> a; break it",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_asked_is_refused_with_the_reason(what: str) -> None:
    rules, words = WRONG[what]
    (found,) = faults(*rules)
    assert words in found


def test_a_circle_is_told_at_the_line_of_its_suppression() -> None:
    with pytest.raises(PackErrors) as caught:
        with_rules("key: a, when: door, suppress_when: raised('b')", "key: b, when: smoke, suppress_when: raised('a')")
    (fault,) = caught.value.faults
    assert fault.line == TINY.count("\n") + 2


def test_behind_an_alarm_out_of_service_nothing_hides() -> None:
    """Nobody hears of it: what hid behind it is shown, and hides again when it is back in service."""
    bench = rig(tested=with_rules(*TWO))
    held(bench, VERY_LOW, 0.0, 120.0)
    assert moves(bench, "low") == [(30.0, "suppress"), (60.0, "raise")]
    (leader,) = [each for each in bench.conditions.values() if each.rule_key == "very_low"]
    bench.conditions[leader.id] = replace(bench.conditions[leader.id], out_of_service=True)
    bench.restart()
    held(bench, VERY_LOW, 120.0, 240.0)
    assert moves(bench, "low")[2:] == [(120.0, "unsuppress")]
    bench.conditions[leader.id] = replace(bench.conditions[leader.id], out_of_service=False)
    bench.restart()
    held(bench, VERY_LOW, 240.0, 300.0)
    assert moves(bench, "low")[3:] == [(240.0, "suppress")]
    assert moves(bench, "very_low") == [(30.0, "raise")]


def test_who_tells_of_one_cause_with_whom() -> None:
    rules = with_rules(*TWO)["tiny"].rules
    assert (kin(rules, "low"), kin(rules, "very_low")) == ({"very_low"}, {"low"})
    assert kin(rules, "nobody") == frozenset()
