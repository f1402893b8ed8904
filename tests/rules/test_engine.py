"""What the engine promises of device time: delays, what comes late, what is unknown, functions of time."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ledger.lifecycle import ConditionMove
from ledger.records import ConditionDecision, ConditionReason, DelayEnded, TimerKind, from_ms, to_ms
from rules.slots import _next_hour
from tests.rules.bench import FINE, LOW, PACKS, QUIET, moves, rig, send, slow, with_rule
from tests.rules.rig import Plan

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
    slot = np.array([bench.engine.slots()[point.id]], np.int32)
    assert not bench.engine.are_newer(slot, np.array([bench.ms(50)]))
    assert bench.engine.are_newer(slot, np.array([bench.ms(50) + 1]))
    assert not bench.engine.are_newer(np.array([-1], np.int32), np.array([bench.ms(50) + 1]))  # nobody's


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


def test_an_age_is_crossed_at_its_moment_and_a_restart_on_the_way_loses_nothing() -> None:
    for restarts in range(3):
        bench = rig(tested=with_rule("door_long", "door and age(door) > 4m", ", on_delay: 10s"))
        send(bench, 0, door=True)
        bench.tick(245)  # past four minutes, not yet due
        if restarts:
            bench.restart(knows_moves=restarts > 1, remembers_hearing=False)
            bench.connected_since_s = 300
        send(bench, 301, door=False)
        assert moves(bench, "door_long") == [(250.001, "raise"), (301, "clear")]


def test_an_alarm_is_not_over_while_its_rule_is_true() -> None:
    bench = rig(tested=with_rule("hot", "temp > 90", ", clear_when: temp > 50"))
    for at_s, temp in ((0, 95), (10, 96), (20, 60)):
        send(bench, at_s, temp=temp)
    assert moves(bench, "hot") == [(0, "raise"), (20, "clear")]


@pytest.mark.parametrize(
    ("zone", "at", "hours"),
    [
        ("Asia/Shanghai", "2026-03-01T15:10:00Z", [0, 1, 2]),
        ("Asia/Kolkata", "2026-03-01T15:10:00Z", [21, 22, 23]),  # half an hour beside the others
        ("Europe/Berlin", "2026-03-29T00:10:00Z", [3, 4, 5]),  # two o'clock does not happen
        ("Europe/Berlin", "2026-10-25T00:10:00Z", [2, 3, 4]),  # two o'clock happens twice
    ],
)
def test_hours_begin_when_they_begin_at_the_site(zone, at, hours) -> None:
    at_ms, found = to_ms(datetime.fromisoformat(at)), []
    for _ in hours:
        at_ms = _next_hour(at_ms, ZoneInfo(zone))
        found.append(from_ms(at_ms).astimezone(ZoneInfo(zone)).hour)
    assert found == hours
    assert at_ms % 1_800_000 == 0
