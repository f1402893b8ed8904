"""What the engine promises of gateways and silence: offline, back again, draining, points that stop, restarts."""

import json
from dataclasses import replace

import pytest

from ledger.lifecycle import ConditionState
from ledger.records import (
    ConditionDecision,
    TimerKind,
)
from rules.links import Tuning
from tests.rules.bench import FINE, LOW, PACKS, QUIET, condition_of, moves, online, rig, send, with_rule
from tests.rules.rig import Plan, Rig

# ---------------------------------------------------------------------- gateways


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


def test_a_gateway_that_speaks_is_not_offline_whatever_its_status_said() -> None:
    """Its `online` was lost, or bore an old time; what it says of now must be judged."""
    bench = rig()
    send(bench, 0, mains_ok=True)
    bench.tick(1)
    online(bench, 100, state=False)
    send(bench, 90, received_s=101, door=False)  # was on its way when the line broke: no sign of life
    bench.tick(102)
    assert bench.engine.feed([]) == []
    send(bench, 200, door=True)
    bench.tick(201)
    send(bench, 560, mains_ok=True)
    bench.tick(561)
    assert moves(bench, "door_open") == [(500, "raise")]


def test_a_change_of_configuration_does_not_make_gateways_unheard() -> None:
    """With a permit every nine minutes silence would never be ten minutes old."""
    bench = rig()
    send(bench, 0, mains_ok=True)
    for now_s in range(1, 1_300, 60):
        before = bench.engine
        bench.restart()
        bench.engine.go_on_from(before)
        bench.tick(now_s)
    assert [move for _, move in moves(bench, "gateway_silent")] == ["raise"]


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
    # The same one, asked for louder after half an hour.
    assert seen == [(120, "raise", "gateway_offline"), (1860, "raise", "gateway_offline_long")]


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


def test_while_a_store_is_emptied_nothing_is_said_of_points_that_do_not_report() -> None:
    bench = rig(tested=dict(PACKS))
    online(bench, 0, state=True)
    for now_s in range(10_000, 10_600, 10):
        send(bench, (now_s - 10_000) * 3, received_s=now_s, pressure=FINE)  # and no temperature
        bench.tick(now_s + 1)
    assert moves(bench, "points_stale") == []


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


@pytest.mark.parametrize("knows_moves", [True, False])
def test_what_happened_before_a_restart_does_not_happen_again(knows_moves) -> None:
    """A door that stands open for days and is wrong each night: after a restart, only what is to come."""
    tested = with_rule("night_door", "door and local_hour >= 22")
    bench = rig(tested=tested)
    send(bench, 0, door=True)
    day = 86_400
    for now_s in range(0, 3 * day, 3_600):
        send(bench, now_s + 1, mains_ok=True)
        bench.tick(now_s + 2)
    before = moves(bench, "night_door")
    assert [move for _, move in before] == ["raise", "clear"] * 3
    bench.restart(knows_moves=knows_moves)
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
    assert bench.conditions[condition_of(bench, "not_auto")].state is ConditionState.UNACK


def replaced(bench: Rig, rule: str, **changes):

    return replace(bench.conditions[condition_of(bench, rule)], id=99, **changes)


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
