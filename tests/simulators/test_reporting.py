"""What is sent when: changes at once, heartbeats in their phase, events once."""

from simulators.reporting import EVENT, ON_CHANGE, Reporter, counted, measured, repeated


def test_a_first_value_goes_out_and_a_small_change_does_not() -> None:
    reporter = Reporter({"p": measured(30.0, 0.01)})
    assert reporter.due(0.0, {"p": 0.400}) == {"p": 0.400}
    assert reporter.due(1.0, {"p": 0.405}) == {}
    assert reporter.due(2.0, {"p": 0.411}) == {"p": 0.411}


def test_small_changes_add_up() -> None:
    reporter = Reporter({"p": measured(3000.0, 0.01)})
    said = [reporter.due(float(second), {"p": 0.4 + second * 0.003}) for second in range(20)]
    assert sum(1 for one in said if one) == 5


def test_heartbeats_keep_their_phase_whatever_changes_in_between() -> None:
    reporter = Reporter({"p": measured(30.0, 0.01)})
    times = [second for second in range(100) if reporter.due(float(second), {"p": 0.5 if second >= 17 else 0.4})]
    assert times == [0, 17, 30, 60, 90]


def test_a_counter_waits_for_its_interval() -> None:
    reporter = Reporter({"n": counted(60.0)})
    times = [second for second in range(130) if reporter.due(float(second), {"n": second * 100})]
    assert times == [0, 60, 120]


def test_a_state_goes_out_when_it_changes_and_as_a_heartbeat() -> None:
    reporter = Reporter({"run": ON_CHANGE})
    times = [second for second in range(700) if reporter.due(float(second), {"run": second >= 5})]
    assert times == [0, 5, 600]


def test_a_sensor_that_fails_and_comes_back_says_so_at_once() -> None:
    reporter = Reporter({"p": measured(30.0, 0.01)})
    reporter.due(0.0, {"p": 0.4})
    assert reporter.due(1.0, {"p": None}) == {"p": None}
    assert reporter.due(2.0, {"p": 0.4}) == {"p": 0.4}


def test_an_event_has_no_heartbeat() -> None:
    reporter = Reporter({"button": EVENT})
    times = [second for second in range(10_000) if reporter.due(float(second), {"button": 50 <= second < 56})]
    assert times == [0, 50, 56]


def test_after_a_restart_everything_is_said_anew() -> None:
    reporter = Reporter({"p": measured(30.0, 0.01), "run": ON_CHANGE})
    values = {"p": 0.4, "run": True}
    reporter.due(0.0, values)
    reporter.forget()
    assert reporter.due(1.0, values) == values


def test_a_repeated_result_is_said_with_each_count_and_never_by_the_clock() -> None:
    reporter = Reporter({"result": repeated("results")})
    assert reporter.due(0, {"result": "pass", "results": 1}) == {"result": "pass"}
    assert reporter.due(90_000, {"result": "pass", "results": 1}) == {}
    assert reporter.due(90_001, {"result": "pass", "results": 2}) == {"result": "pass"}
