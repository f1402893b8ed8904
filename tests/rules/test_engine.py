"""What the engine promises, one at a time: device time, delays, unknown, events, late occurrences, permits, silence."""

import json
from pathlib import Path

import pytest

from ledger.lifecycle import ConditionMove, ConditionState
from ledger.records import (
    ConditionDecision,
    ConditionReason,
    Delay,
    DelayEnded,
    DelaySet,
    PermitKind,
    Repeat,
    TimerKind,
)
from rules import packs
from rules.links import Tuning
from rules.model import Pack
from tests.rules.rig import GATEWAY, Plan, Rig, Span, Value

PACKS = packs.load(Path(__file__).parent / "packs")
QUIET = {kind: pack for kind, pack in PACKS.items() if kind != "any"}  # nothing is said of points that do not report
LOW, FINE = 0.29, 0.35


def rig(*, permits=(), also=None, tested: dict[str, Pack] | None = None, **plan) -> Rig:
    plans = {"a": Plan("tiny", {"pump_1": "pump", "pump_2": "pump"}, **plan), **(also or {})}
    return Rig(QUIET if tested is None else tested, plans, permits=permits)


def send(bench: Rig, at_s: float, received_s: float | None = None, **values: Value) -> None:
    bench.send(at_s, {f"a/{key.replace('__', '.')}": value for key, value in values.items()}, received_s)


def moves(bench: Rig, rule: str) -> list[tuple[float, str]]:
    return [(at_s, move) for at_s, move, name in bench.brief if name == rule]


# ---------------------------------------------------------------------- device time and delays


def test_without_a_delay_it_is_raised_at_the_samples_own_time() -> None:
    bench = rig()
    send(bench, 10, received_s=500, mode="manual")
    assert moves(bench, "not_auto") == [(10, "raise")]


def test_a_delay_is_due_at_its_time_whether_a_tick_or_a_sample_shows_it() -> None:
    ticked, fed = rig(), rig()
    for bench in (ticked, fed):
        for at_s in (0, 30):
            send(bench, at_s, pressure=LOW)
    ticked.tick(75)
    send(fed, 75, pressure=LOW)
    assert moves(ticked, "pressure_low") == moves(fed, "pressure_low") == [(60, "raise")]


def test_true_at_0_and_false_at_100_raises_at_60_and_clears_at_100_and_its_off_delay() -> None:
    bench = rig()
    send(bench, 0, smoke=False, pressure=LOW)
    send(bench, 85, pressure=LOW)
    send(bench, 100, pressure=FINE)
    send(bench, 130, pressure=FINE)
    assert moves(bench, "pressure_low") == [(60, "raise"), (115, "clear")]


def test_what_is_over_before_its_delay_was_nothing() -> None:
    bench = rig()
    send(bench, 0, pressure=LOW)
    send(bench, 59.9, pressure=FINE)
    bench.tick(300)
    assert moves(bench, "pressure_low") == []
    assert not bench.delays


def test_a_delay_that_is_due_with_a_sample_fires_before_the_sample_counts() -> None:
    bench = rig()
    send(bench, 0, pressure=LOW)
    send(bench, 60, pressure=FINE)
    assert moves(bench, "pressure_low") == [(60, "raise")]


def test_between_limit_and_deadband_an_alarm_stands() -> None:
    bench = rig()
    for at_s, pressure in ((0, LOW), (30, LOW), (60, LOW), (90, 0.305), (120, 0.305), (150, 0.31)):
        send(bench, at_s, pressure=pressure)
    bench.tick(166)
    assert moves(bench, "pressure_low") == [(60, "raise"), (165, "clear")]


def test_an_off_delay_is_called_off_when_it_is_wrong_again() -> None:
    bench = rig()
    for at_s, pressure in ((0, LOW), (30, LOW), (60, FINE), (74, LOW), (100, LOW)):
        send(bench, at_s, pressure=pressure)
    assert moves(bench, "pressure_low") == [(60, "raise")]
    assert not bench.delays


def test_a_sample_older_than_what_other_points_showed_starts_its_delay_at_its_own_time() -> None:
    bench = rig(also={"b": Plan("tiny")}, relations={"supplied_by": "b"})
    send(bench, 0, pressure=FINE)
    bench.send(100, {"b/mains_ok": True})  # the same condition has seen 100
    send(bench, 20, received_s=101, pressure=LOW)
    assert [delay.due_ms - bench.ms(0) for delay in bench.delays.values()] == [80_000]
    send(bench, 50, received_s=101, pressure=LOW)
    bench.tick(102)
    assert moves(bench, "pressure_low") == [(80, "raise")]


# ---------------------------------------------------------------------- late


def test_a_late_sample_moves_nothing() -> None:
    bench = rig()
    send(bench, 50, mode="auto")
    send(bench, 20, received_s=60, mode="manual")
    assert bench.brief == []


def test_the_same_moment_again_is_late() -> None:
    bench = rig()
    send(bench, 50, mode="auto")
    point = bench.points["a/mode"]
    assert bench.engine.is_late(point.id, bench.ms(50))
    assert not bench.engine.is_late(point.id, bench.ms(50) + 1)


def test_in_order_data_is_never_late_however_old() -> None:
    bench = rig()
    send(bench, 0, received_s=90_000, mode="manual")
    send(bench, 10, received_s=90_000, mode="auto")
    assert moves(bench, "not_auto") == [(0, "raise"), (10, "clear")]


def test_a_late_occurrence_of_a_latched_rule_is_raised_and_latched_where_it_ended() -> None:
    bench = rig()
    send(bench, 0, smoke=False)
    send(bench, 100, smoke=False)
    send(bench, 40, received_s=200, smoke=True)
    assert moves(bench, "smoke") == [(40, "raise"), (100, "latch")]
    raised, latched = (each for each in bench.decisions if isinstance(each, ConditionDecision))
    assert raised.late
    assert raised.reason is ConditionReason.LIMIT_LATE
    assert raised.explanation["values"] == {"smoke": True}
    assert latched.late
    assert latched.move is ConditionMove.LATCH


def test_a_late_sample_of_an_occurrence_that_went_on_is_not_raised_twice() -> None:
    bench = rig()
    send(bench, 0, smoke=False)
    send(bench, 60, smoke=True)
    send(bench, 90, smoke=False)
    send(bench, 40, received_s=100, smoke=True)
    assert moves(bench, "smoke") == [(60, "raise"), (90, "latch")]


def test_a_late_occurrence_counts_only_if_it_provably_held_for_its_delay() -> None:
    bench = rig()
    send(bench, 100, button=True)  # newer, and over long ago
    send(bench, 10, received_s=200, button=True)  # held for 30 s, which is more than its delay of 3 s
    send(bench, 50, received_s=201, button=True)
    send(bench, 52, received_s=202, button=False)  # so the one at 50 lasted 2 s
    late = [move.brief for move in bench.moves if move.late]
    assert late[:2] == [(13, "raise", "button_pressed"), (40, "latch", "button_pressed")]
    short = rig()
    send(short, 100, button=False)
    send(short, 52, received_s=200, button=False)
    send(short, 50, received_s=201, button=True)
    assert short.brief == []


def test_while_the_alarm_stands_a_late_occurrence_adds_nothing() -> None:
    bench = rig()
    send(bench, 100, smoke=True)
    send(bench, 40, received_s=110, smoke=True)
    assert moves(bench, "smoke") == [(100, "raise")]


# ---------------------------------------------------------------------- unknown


def test_a_report_that_does_not_come_freezes_the_delay_where_it_was_last_known() -> None:
    bench = rig()
    send(bench, 0, pressure=FINE)
    send(bench, 30, pressure=LOW)  # stale 90 s later, due 60 s later
    bench.tick(31)
    send(bench, 89, pressure=None)
    (delay,) = bench.delays.values()
    assert (delay.due_ms - bench.ms(0), delay.frozen_ms) == (90_000, bench.ms(89))
    send(bench, 189, pressure=LOW)
    bench.tick(189.5)
    assert moves(bench, "pressure_low") == []
    bench.tick(191)
    assert moves(bench, "pressure_low") == [(190, "raise")]  # due at 90, moved by the 100 s that nothing was known


def test_a_point_is_known_for_three_intervals_and_no_longer() -> None:
    bench = rig()
    send(bench, 0, temp=95)
    assert moves(bench, "temp_high") == [(0, "raise")]
    send(bench, 90, pressure=FINE)
    send(bench, 0.001, temp=70)
    assert moves(bench, "temp_high") == [(0, "raise"), (0.001, "clear")]
    bench = rig()
    send(bench, 0, pressure=LOW)
    send(bench, 45, pressure=LOW)
    bench.tick(400)
    bench = rig(tested={**QUIET, "tiny": slow(PACKS["tiny"], "pressure_low", 300)})
    send(bench, 0, pressure=LOW)
    bench.tick(90)
    assert [delay.frozen_ms for delay in bench.delays.values()] == [None]
    bench.tick(91)
    assert [delay.frozen_ms for delay in bench.delays.values()] == [bench.ms(90.001)]


def slow(pack: Pack, rule: str, on_delay_s: float) -> Pack:
    from dataclasses import replace

    return replace(pack, rules={**pack.rules, rule: replace(pack.rules[rule], on_delay_s=on_delay_s)})


def test_unknown_for_longer_than_the_rule_allows_begins_anew() -> None:
    bench = rig()
    send(bench, 0, pressure=LOW)
    send(bench, 30, pressure=None)
    send(bench, 500, mains_ok=True)
    bench.tick(630)
    assert bench.delays
    bench.tick(631)  # more than ten minutes later
    assert not bench.delays
    assert bench.decisions[-1] == DelayEnded(TimerKind.ON_DELAY, 1, None)
    send(bench, 700, pressure=LOW)
    bench.tick(761)
    assert moves(bench, "pressure_low") == [(760, "raise")]


def test_unknown_does_not_clear() -> None:
    bench = rig()
    send(bench, 0, temp=95)
    send(bench, 30, temp=None)
    bench.tick(4_000)
    assert moves(bench, "temp_high") == [(0, "raise")]


def test_an_implausible_value_is_no_value() -> None:
    bench = rig()
    send(bench, 0, temp=900)
    assert bench.brief == []


def test_false_when_known_again_calls_the_delay_off() -> None:
    bench = rig()
    send(bench, 0, pressure=LOW)
    send(bench, 30, pressure=None)
    send(bench, 60, pressure=FINE)
    bench.tick(200)
    assert moves(bench, "pressure_low") == []
    assert not bench.delays


# ---------------------------------------------------------------------- gateways


def online(bench: Rig, at_s: float, *, state: bool) -> None:
    bench.send(at_s, {f"{GATEWAY}/online": state})


def test_on_change_points_are_unknown_while_their_gateway_is_offline() -> None:
    bench = rig()
    send(bench, 0, door=True)
    bench.tick(99)
    online(bench, 100, state=False)
    for now_s in range(101, 1_000, 50):
        bench.tick(now_s)
    assert moves(bench, "door_open") == []
    (delay,) = [each for each in bench.delays.values() if each.kind is TimerKind.ON_DELAY and each.condition_id == 2]
    assert delay.frozen_ms == bench.ms(99)


def test_what_was_frozen_in_the_dark_goes_on_with_the_first_sign_of_life() -> None:
    bench = rig()
    send(bench, 0, door=True, mains_ok=True)
    bench.tick(99)
    online(bench, 100, state=False)
    online(bench, 200, state=True)
    bench.tick(201)  # not yet sure that nothing older is on its way
    send(bench, 210, mains_ok=True)
    bench.tick(211)
    bench.tick(500)
    assert moves(bench, "door_open") == [(300 + 211 - 99, "raise")]


def test_a_gateway_that_came_back_is_waited_for() -> None:
    bench = rig()
    send(bench, 0, door=True)
    bench.tick(99)
    online(bench, 100, state=False)
    online(bench, 400, state=True)
    bench.tick(410)
    send(bench, 150, received_s=411, door=False)  # stored while the line was down
    bench.tick(1_000)
    assert moves(bench, "door_open") == []


def test_a_backlog_lets_time_pass_only_as_far_as_it_has_been_sent() -> None:
    bench = rig()
    send(bench, 0, received_s=5_000, pressure=LOW)
    assert bench.engine.draining(bench.gateway_of[1], bench.ms(5_001))
    bench.tick(5_001)
    assert moves(bench, "pressure_low") == []
    send(bench, 30, received_s=5_002, pressure=FINE)
    bench.tick(5_003)
    bench.tick(5_100)  # nothing more came
    assert not bench.engine.draining(bench.gateway_of[1], bench.ms(5_100))
    assert moves(bench, "pressure_low") == []


def test_a_clock_that_is_steadily_behind_is_no_backlog() -> None:
    bench = rig()
    for at_s in range(0, 900, 30):
        send(bench, at_s, received_s=at_s + 600, pressure=FINE)
    gateway = bench.gateway_of[1]
    assert not bench.engine.draining(gateway, bench.ms(870 + 601))
    assert bench.engine.clock_offset_ms(gateway) == 600_000


def test_ticks_subtract_the_steady_offset_of_a_clock() -> None:
    bench = rig()
    send(bench, 0, received_s=50, door=True)  # 50 s behind
    bench.tick(349)
    assert moves(bench, "door_open") == []
    bench.tick(351)
    assert moves(bench, "door_open") == [(300, "raise")]


def test_time_stands_still_while_ingest_is_not_connected() -> None:
    bench = rig()
    send(bench, 0, door=True)
    bench.connected_since_s = None
    bench.tick(1_000)
    assert bench.brief == []
    bench.connected_since_s = 1_000
    bench.tick(1_020)  # what was sent meanwhile may be on its way
    assert bench.brief == []
    bench.tick(1_031)
    assert moves(bench, "door_open") == [(300, "raise")]


def test_a_silent_gateway_is_one_alarm_and_its_time_stands_still() -> None:
    bench = rig(tested=dict(PACKS))
    online(bench, 0, state=True)
    send(bench, 0, pressure=FINE, temp=20, door=True)
    send(bench, 10, door=False)
    for now_s in range(10, 5_000, 10):
        bench.tick(now_s)
    assert [brief[1:] for brief in bench.brief] == [("raise", "gateway_silent")]


def test_an_offline_gateway_is_one_alarm() -> None:
    bench = rig(tested=dict(PACKS))
    online(bench, 0, state=True)
    send(bench, 0, pressure=FINE, temp=20)
    online(bench, 60, state=False)
    for now_s in range(60, 2_000, 10):
        bench.tick(now_s)
    seen = [move.brief for move in bench.moves if move.move == "raise"]
    assert seen == [(120, "raise", "gateway_offline")]


# ---------------------------------------------------------------------- points that went quiet


def test_a_point_that_stops_while_its_gateway_talks_is_stale() -> None:
    bench = rig(tested=dict(PACKS))
    online(bench, 0, state=True)
    for at_s in range(0, 1_000, 30):
        send(bench, at_s, **({"pressure": FINE, "temp": 20} if at_s < 300 else {"pressure": FINE}))
        bench.tick(at_s + 1)
    stale = [at_s for at_s, move in moves(bench, "points_stale") if move == "raise"]
    assert stale == [661]  # last heard at 270, stale after 90 s, seen at the next tick, five minutes on-delay
    send(bench, 1_000, pressure=FINE, temp=20)
    bench.tick(1_001)
    bench.tick(1_010)
    assert moves(bench, "points_stale")[-1] == (1_006, "clear")


def test_silence_counts_only_from_when_ingest_was_connected() -> None:
    bench = rig(tested=dict(PACKS), without=["temp"])
    online(bench, 0, state=True)
    send(bench, 0, pressure=FINE)
    bench.restart()
    bench.connected_since_s = 5_000
    for now_s in range(5_000, 5_095, 5):
        send(bench, now_s, door=False)
        bench.tick(now_s)
    assert not bench.delays  # not known whether it is stale
    for now_s in range(5_095, 5_500, 5):
        send(bench, now_s, door=False)
        bench.tick(now_s)
    assert moves(bench, "points_stale") == [(5_395, "raise")]


# ---------------------------------------------------------------------- events


def test_an_event_is_true_until_its_hold_ends() -> None:
    bench = rig()
    send(bench, 0, button=True)
    bench.tick(2)
    assert (
        DelaySet(Delay(TimerKind.EVENT_HOLD, None, bench.points["a/button"].id, bench.ms(0), bench.ms(30), None))
        in bench.decisions
    )
    bench.tick(60)
    assert moves(bench, "button_pressed") == [(3, "raise"), (30, "latch")]
    assert not bench.delays


def test_another_occurrence_renews_the_hold_and_is_counted() -> None:
    bench = rig()
    send(bench, 0, button=True)
    send(bench, 20, button=True)
    bench.tick(60)
    assert moves(bench, "button_pressed") == [(3, "raise"), (20, "repeat"), (50, "latch")]
    assert Repeat(bench_condition(bench, "button_pressed"), bench.ms(20)) in bench.decisions


def test_a_false_ends_an_occurrence() -> None:
    bench = rig()
    send(bench, 0, button=True)
    send(bench, 10, button=False)
    assert moves(bench, "button_pressed") == [(3, "raise"), (10, "latch")]
    assert not bench.delays


def test_after_its_hold_an_event_is_a_new_occurrence() -> None:
    bench = rig()
    send(bench, 0, button=True)
    send(bench, 100, button=True)
    bench.tick(101)
    bench.tick(104)
    assert moves(bench, "button_pressed") == [(3, "raise"), (30, "latch"), (103, "raise")]


def bench_condition(bench: Rig, rule: str) -> int:
    return next(number for number, each in bench.conditions.items() if each.rule_key == rule)


# ---------------------------------------------------------------------- suppression and permits


def test_suppression_follows_its_expression_and_evaluation_goes_on_underneath() -> None:
    bench = rig(also={"b": Plan("tiny")}, relations={"supplied_by": "b"})
    bench.send(0, {"b/mains_ok": False, "a/pressure": LOW})
    for at_s in (30, 60, 90):
        send(bench, at_s, pressure=LOW)
    bench.send(91, {"b/mains_ok": None})  # unknown leaves it as it is
    bench.send(95, {"b/mains_ok": True})
    assert moves(bench, "pressure_low") == [(0, "suppress"), (60, "raise"), (95, "unsuppress")]


def test_what_does_not_exist_suppresses_nothing() -> None:
    bench = rig()
    for at_s in (0, 30, 60):
        send(bench, at_s, pressure=LOW)
    assert moves(bench, "pressure_low") == [(60, "raise")]


def permit(rule: str, begin_s: float, end_s: float, part: str | None = None) -> Span:
    return Span("a", PermitKind.WORK, frozenset({rule}), begin_s, end_s, part)


def test_a_permit_silences_the_rule_it_names_from_until() -> None:
    bench = rig(permits=[permit("door_open", 100, 1_000)])
    send(bench, 0, door=True)
    send(bench, 900, smoke=False)
    bench.tick(901)
    assert moves(bench, "door_open") == []
    send(bench, 1_200, smoke=False)
    bench.tick(1_301)
    assert moves(bench, "door_open") == [(1_300, "raise")]  # it begins anew when the permit ends


def test_a_permit_clears_what_stands_when_it_begins() -> None:
    bench = rig(permits=[permit("door_open", 400, 500)])
    send(bench, 0, door=True)
    bench.tick(450)
    assert moves(bench, "door_open") == [(300, "raise"), (400, "clear")]


def test_a_permit_for_one_part_or_another_rule_leaves_the_rest_alone() -> None:
    bench = rig(permits=[permit("pump_fault", 0, 100, "pump_1"), permit("smoke", 0, 100)])
    send(bench, 10, pump_1__fault=True, pump_2__fault=True, door=True)
    bench.tick(20)
    assert [brief[2] for brief in bench.brief] == ["pump_fault@pump_2"]


def test_a_permit_for_a_test_is_not_one_for_work() -> None:
    bench = rig(permits=[Span("a", PermitKind.TEST, frozenset({"pump_fault"}), 0, 100)])
    send(bench, 10, pump_1__fault=True)
    bench.tick(13)
    assert moves(bench, "pump_fault@pump_1") == [(12, "raise")]


# ---------------------------------------------------------------------- parts and functions of time


def test_every_part_has_its_own_condition() -> None:
    bench = rig()
    send(bench, 0, pump_1__fault=True, pump_2__fault=False)
    bench.tick(5)
    assert bench.brief == [(2, "raise", "pump_fault@pump_1")]


def test_a_function_of_time_changes_by_itself() -> None:
    bench = rig()
    for number in range(9):
        send(bench, 60 * number, pump_1__run=number % 2 == 1)
    bench.tick(479)
    assert moves(bench, "pump_starts@pump_1") == [(420, "raise")]  # starts at 60, 180, 300, 420
    bench.tick(800)
    assert moves(bench, "pump_starts@pump_1") == [(420, "raise"), (660, "clear")]


# ---------------------------------------------------------------------- restart, explanation


def test_a_delay_goes_on_where_it_stood() -> None:
    bench = rig()
    send(bench, 0, pressure=LOW)
    bench.tick(20)
    bench.restart()
    bench.connected_since_s = 25
    send(bench, 30, pressure=LOW)
    bench.tick(61)
    assert moves(bench, "pressure_low") == [(60, "raise")]


def test_what_happened_before_a_restart_does_not_happen_again() -> None:
    """A door that stands open for days and is wrong each night: after a restart, only what is to come."""
    night = """
  - {key: night_door, title: {zh: 夜, en: Night}, when: "door and local_hour >= 22", severity: warning, work_class: security, guidance: {zh: 看, en: Look}, source: test}
"""
    text = (Path(__file__).parent / "packs" / "tiny.yaml").read_text(encoding="utf-8")
    tested = dict(packs.read({"tiny.yaml": text + night}))
    tested["gateway"] = PACKS["gateway"]
    bench = rig(tested=tested)
    send(bench, 0, door=True)
    day = 86_400
    for now_s in range(0, 3 * day, 3_600):
        send(bench, now_s + 1, mains_ok=True)
        bench.tick(now_s + 2)
    before = moves(bench, "night_door")
    assert [move for _, move in before] == ["raise", "clear"] * 3
    bench.restart()
    bench.tick(3 * day)
    send(bench, 3 * day + 10, mains_ok=True)
    bench.tick(3 * day + 11)
    assert moves(bench, "night_door") == before


def test_history_reaches_as_far_back_as_rules_look() -> None:
    bench = rig()
    needed = bench.engine.lookback_s()
    assert needed[bench.points["a/pump_1.run"].id] == 600
    assert needed[bench.points["a/smoke"].id] == 86_400  # latched: late occurrences are judged by it
    assert needed[bench.points["a/door"].id] == 0


def test_warming_decides_nothing_and_a_retired_condition_is_left_alone() -> None:
    bench = rig()
    send(bench, 0, mode="manual")
    bench.conditions[99] = replaced(bench, "not_auto", rule_key="no_such_rule")
    bench.restart()
    bench.tick(1)
    assert moves(bench, "not_auto") == [(0, "raise")]
    assert bench.conditions[bench_condition(bench, "not_auto")].state is ConditionState.UNACK


def replaced(bench: Rig, rule: str, **changes):
    from dataclasses import replace

    return replace(bench.conditions[bench_condition(bench, rule)], id=99, **changes)


def test_a_decision_explains_itself() -> None:
    bench = rig(also={"b": Plan("tiny")}, relations={"supplied_by": "b"}, parameters={"setpoint": 0.4})
    bench.send(0, {"b/mains_ok": True, "a/pressure": 0.34})
    for at_s in (30, 60):
        send(bench, at_s, received_s=at_s + 1, pressure=0.34)
    (raised,) = [each for each in bench.decisions if isinstance(each, ConditionDecision)]
    assert (raised.at_ms, raised.received_ms) == (bench.ms(60), bench.ms(61))
    assert json.loads(json.dumps(raised.explanation)) == {
        "rule": "pressure_low",
        "when": "pressure < setpoint - 0.05",
        "values": {"pressure": 0.34, "supplied_by.mains_ok": True},
        "parameters": {"setpoint": 0.4},
        "on_delay_s": 60,
        "off_delay_s": 15,
        "since": "2026-03-02T04:00:00+00:00",
        "source": "test",
        "deadband": 0.01,
    }


@pytest.mark.parametrize("mode", ["manual", "off"])
def test_enumerations_are_shown_by_their_labels(mode) -> None:
    bench = rig()
    send(bench, 0, mode=mode)
    (raised,) = [each for each in bench.decisions if isinstance(each, ConditionDecision)]
    assert raised.explanation["values"] == {"mode": mode}


def test_unknown_points_are_ignored_and_bounds_can_be_tuned() -> None:
    bench = Rig(QUIET, {"a": Plan("tiny")}, tuning=Tuning(backlog_lag_ms=1_000, settle_ms=10_000))
    sample = bench.sample("a/door", True, 0)
    bench.engine.feed([type(sample)(999, sample.ts_ms, 1.0, sample.quality, sample.received_ms)])
    send(bench, 0, received_s=5, door=True)
    gateway = bench.gateway_of[1]
    assert gateway is not None
    assert bench.engine.draining(gateway, bench.ms(14))
    assert not bench.engine.draining(gateway, bench.ms(16))
