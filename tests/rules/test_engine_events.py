"""What the engine promises of events, suppressions and permits."""

from ledger.records import Delay, DelaySet, PermitKind, Repeat, TimerKind
from tests.rules.bench import LOW, condition_of, moves, online, rig, send, with_rule
from tests.rules.rig import Plan, Span

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
    assert Repeat(condition_of(bench, "button_pressed"), bench.ms(20)) in bench.decisions


def test_a_false_ends_an_occurrence() -> None:
    bench = rig()
    send(bench, 0, button=True)
    send(bench, 10, button=False)
    assert moves(bench, "button_pressed") == [(3, "raise"), (10, "latch")]
    assert not bench.delays


def test_an_occurrence_outlives_a_restart() -> None:
    for readings_too in (True, False):
        bench = rig()
        send(bench, 0, button=True)
        bench.tick(5)
        bench.readings = bench.readings if readings_too else []
        bench.restart()
        bench.connected_since_s = 6
        bench.tick(36)
        bench.tick(60)
        assert moves(bench, "button_pressed") == [(3, "raise"), (30, "latch")]
        assert not bench.delays


def test_an_event_is_unknown_while_its_gateway_is_offline() -> None:
    bench = rig()
    send(bench, 0, button=True)
    bench.tick(2)
    online(bench, 2, state=False)
    send(bench, 60, smoke=False)
    assert moves(bench, "button_pressed") == []


def test_after_its_hold_an_event_is_a_new_occurrence() -> None:
    bench = rig()
    send(bench, 0, button=True)
    send(bench, 100, button=True)
    bench.tick(101)
    bench.tick(104)
    assert moves(bench, "button_pressed") == [(3, "raise"), (30, "latch"), (103, "raise")]


# ---------------------------------------------------------------------- suppression and permits


def test_suppression_follows_its_expression_and_evaluation_goes_on_underneath() -> None:
    bench = rig(also={"b": Plan("tiny")}, relations={"supplied_by": "b"})
    bench.send(0, {"b/mains_ok": False, "a/pressure": LOW})
    for at_s in (30, 60, 90):
        send(bench, at_s, pressure=LOW)
    bench.send(91, {"b/mains_ok": None})  # unknown leaves it as it is
    bench.send(95, {"b/mains_ok": True})
    assert moves(bench, "pressure_low") == [(0, "suppress"), (60, "raise"), (95, "unsuppress")]


def test_a_suppression_nobody_can_confirm_any_more_ends() -> None:
    """A dead sensor must not silence an alarm for ever: unknown for longer than `unknown_max`, and it rings."""
    bench = rig(also={"b": Plan("tiny")}, relations={"supplied_by": "b"})
    bench.send(0, {"b/mains_ok": False, "a/pressure": LOW})
    for at_s in range(30, 1_000, 30):
        send(bench, at_s, pressure=LOW)
        if at_s == 90:
            bench.send(91, {"b/mains_ok": None})
        if at_s == 300:
            bench.restart()
    assert moves(bench, "pressure_low") == [(0, "suppress"), (60, "raise"), (691.001, "unsuppress")]


def test_a_suppression_that_its_window_cannot_decide_ends() -> None:
    """The sensor works every other time: the window is never full, the point never unknown for long."""
    tested = with_rule("pressure_odd", "pressure < 0.3", ", suppress_when: 'max_over(pressure, 5m) < 0.28'")
    bench = rig(tested=tested)
    for at_s in range(0, 330, 30):
        send(bench, at_s, pressure=0.2)
    assert ("suppress" in [move for _, move in moves(bench, "pressure_odd")]) is True
    for at_s in range(330, 3_000, 30):
        send(bench, at_s, pressure=0.29 if at_s % 60 else None)
    assert moves(bench, "pressure_odd")[-1][1] == "unsuppress"


def test_a_suppression_whose_rule_has_lost_it_ends() -> None:
    suppressed = with_rule("pressure_odd", "pressure < 0.3", ", suppress_when: not mains_ok")
    bench = rig(tested=suppressed)
    send(bench, 0, mains_ok=False, pressure=LOW)
    assert moves(bench, "pressure_odd") == [(0, "suppress"), (0, "raise")]
    bench.packs = with_rule("pressure_odd", "pressure < 0.3")
    bench.restart()
    send(bench, 30, pressure=LOW)
    assert moves(bench, "pressure_odd")[-1] == (30, "unsuppress")


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
