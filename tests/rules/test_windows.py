"""The recent past of a point: what leaves a window when, what covers it, counters through wraps and resets."""

from math import isnan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.windows import SAMPLES_MAX, History

MINUTE = 60_000


def history(
    samples: list[tuple[int, float | None]], *, stale_s: int | None = 90, keep_s: int = 3600, **more
) -> History:
    found = History(stale_ms=None if stale_s is None else stale_s * 1000, **more)
    found.keep_ms = keep_s * 1000
    for at_s, value in samples:
        found.add(at_s * 1000, value)
    return found


def every_30s(*values: float | None) -> list[tuple[int, float | None]]:
    return [(30 * n, value) for n, value in enumerate(values)]


def test_mean_weighs_each_value_by_how_long_it_held() -> None:
    # 10 held for 60 s, 40 for 30 s, 100 has only just come
    samples = history([(0, 10), (60, 40), (90, 100)])
    assert samples.mean(90_000, 90_000) == pytest.approx(20)


def test_the_value_held_when_the_window_began_belongs_to_it() -> None:
    samples = history([(0, 5), (60, 1), (90, 1), (120, 1)])
    assert samples.max_over(MINUTE, 120_000) == 1
    assert samples.max_over(MINUTE + 1, 120_000) == 5  # the 5 was still held at the beginning


def test_a_window_is_unknown_until_nine_tenths_of_it_are_covered() -> None:
    samples = every_30s(*[1.0] * 9)
    assert history(samples).mean(300_000, 240_000) is None  # 80 %
    assert history([*samples, (270, 1.0)]).mean(300_000, 270_000) == 1  # 90 %


def test_a_broken_sensor_leaves_a_hole() -> None:
    values: list[float | None] = [2.0] * 11
    values[4] = None
    assert history(every_30s(*values)).min_over(300_000, 300_000) == 2  # one report of ten is missing
    values[5] = None
    assert history(every_30s(*values)).min_over(300_000, 300_000) is None


def test_a_stale_value_covers_nothing() -> None:
    assert history([(0, 1), (200, 1), (230, 1)]).mean(230_000, 230_000) is None


def test_a_state_that_was_off_had_its_minimum_whatever_the_rest_of_the_window_was() -> None:
    just_begun = history([(0, 1.0), (10, 0.0), (20, 1.0)], stale_s=None, is_state=True)
    assert just_begun.min_over(300_000, 20_000) == 0
    assert just_begun.max_over(300_000, 20_000) == 1
    assert history([(0, 0.0)], stale_s=None, is_state=True).max_over(300_000, 20_000) is None  # it may have been on
    assert history([(0, 0.0)], stale_s=None).min_over(300_000, 20_000) is None  # a measure may have been lower


def test_on_change_points_hold_for_ever_but_must_reach_back() -> None:
    samples = history([(0, 1.0)], stale_s=None)
    assert samples.min_over(300_000, 299_999) is None
    assert samples.min_over(300_000, 300_000) == 1


def test_starts_count_changes_from_false_to_true() -> None:
    samples = history([(0, 0), (10, 1), (20, 1), (30, 0), (40, 1)], stale_s=None)
    assert samples.starts(MINUTE, 40_000) == 2
    assert samples.starts(20_000, 40_000) == 1  # (20, 40]: the window began with true held


def test_a_start_leaves_the_window_exactly_its_length_later() -> None:
    samples = history([(0, 0), (10, 1)], stale_s=None)
    assert samples.starts(MINUTE, 69_999) == 1
    assert samples.starts(MINUTE, 70_000) == 0
    assert samples.departure(MINUTE, 60_000) == 70_000
    assert samples.departure(MINUTE, 70_000) is None


def test_the_first_value_ever_is_no_start() -> None:
    assert history([(0, 1)], stale_s=None).starts(MINUTE, 10_000) == 0


def test_an_event_starts_with_every_occurrence() -> None:
    samples = history([(0, 1), (5, 1), (6, 0), (8, 1)], stale_s=None, is_event=True)
    assert samples.starts(MINUTE, 10_000) == 3


def test_changes_ignore_what_is_not_believed() -> None:
    assert history([(0, 1), (10, None), (20, 1), (30, 2)]).changes(MINUTE, 30_000) == 1


def test_frozen_needs_the_whole_window_but_one_change_is_enough_to_deny_it() -> None:
    samples = every_30s(*[7.0] * 11)
    assert history(samples).frozen(300_000, 300_000) is True
    assert history(samples).frozen(600_000, 300_000) is None
    assert history([*samples, (330, 7.1)]).frozen(600_000, 330_000) is False


def test_a_change_no_longer_counts_once_it_left_the_window() -> None:
    samples = history([(0, 1), (10, 2)], stale_s=None)
    assert samples.frozen(MINUTE, 69_999) is False
    assert samples.frozen(MINUTE, 70_000) is True


def test_increase_survives_a_wrap() -> None:
    samples = history(every_30s(65_500, 65_530, 4, 24), wrap=65_536)
    assert samples.increase(90_000, 90_000) == 30 + 10 + 20


def test_increase_survives_a_reset() -> None:
    assert history(every_30s(1000, 1010, 3, 8)).increase(90_000, 90_000) == 10 + 3 + 5


def test_a_fall_from_the_middle_is_a_reset_even_where_a_wrap_is_known() -> None:
    assert history(every_30s(30_000, 10), wrap=65_536).increase(30_000, 30_000) == 10


def test_increase_is_counted_from_the_value_held_when_the_window_began() -> None:
    samples = history(every_30s(100, 110, 120, 130))
    assert samples.increase(45_000, 90_000) == 20  # began at 45 s with 110
    assert samples.increase(200_000, 90_000) is None  # reaches back too little


def test_rate_takes_the_reports_own_times() -> None:
    assert history(every_30s(0, 3, 6, 9, 12)).rate(100_000, 120_000) == pytest.approx(0.1)


def test_rate_of_a_counter_is_its_increase() -> None:
    assert history(every_30s(1000, 3, 6)).counter_rate(MINUTE, 60_000) == pytest.approx(0.1)


def test_a_late_sample_takes_its_place() -> None:
    samples = history([(0, 0), (30, 0)], stale_s=None)
    samples.add(10_000, 1.0)
    assert samples.starts(MINUTE, 30_000) == 1
    samples.add(10_000, 0.0)  # of two with the same time the first stays
    assert samples.starts(MINUTE, 30_000) == 1
    assert len(samples) == 3


def test_what_was_held_at_any_moment() -> None:
    samples = history([(0, 1), (30, None), (60, 3)])
    assert [samples.held(at * 1000) for at in (-1, 0, 29, 30, 60, 150, 151)] == [None, 1, 1, None, 3, 3, None]
    assert samples.following(0) == 30_000
    assert samples.following(60_000) is None


def test_only_what_is_asked_for_is_remembered() -> None:
    samples = history([(n, float(n)) for n in range(5_000)], keep_s=60)
    assert len(samples) == 61
    assert not samples.reaches(4_000_000)
    assert samples.reaches(4_939_000)


def test_memory_is_bounded_whatever_is_asked_for() -> None:
    samples = History(stale_ms=None)
    samples.keep_ms = 10**12
    for n in range(SAMPLES_MAX + 1_000):
        samples.add(n, float(n % 2))
    assert len(samples) == SAMPLES_MAX
    assert samples.changes(10**12, SAMPLES_MAX + 1_000) == SAMPLES_MAX - 1


VALUES = st.one_of(st.none(), st.floats(-10, 10), st.just(0.0))
SAMPLES = st.lists(st.tuples(st.integers(1, 60), VALUES), max_size=30)


@settings(max_examples=80, deadline=None)
@given(SAMPLES, st.integers(1, 600), st.integers(0, 60), st.sampled_from([None, 90]))
def test_functions_answer_with_a_believable_value_or_not_at_all(steps, window_s, after_s, stale_s) -> None:
    at_s, samples = 0, []
    for gap_s, value in steps:
        at_s += gap_s
        samples.append((at_s, value))
    found = history(samples, stale_s=stale_s)
    known = [value for _, value in samples if value is not None]
    end_ms = (at_s + after_s) * 1000
    for function in (found.mean, found.min_over, found.max_over):
        value = function(window_s * 1000, end_ms)
        assert value is None or min(known) - 1e-9 <= value <= max(known) + 1e-9
    assert found.starts(window_s * 1000, end_ms) <= found.changes(window_s * 1000, end_ms)
    for value in (found.increase(window_s * 1000, end_ms), found.rate(window_s * 1000, end_ms)):
        assert value is None or not isnan(value)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0, 9)), unique_by=lambda each: each[0], min_size=1), st.data())
def test_the_order_of_arrival_does_not_matter_for_the_past(samples, data) -> None:
    straight = history(sorted(samples), stale_s=None)
    mixed = history(data.draw(st.permutations(samples)), stale_s=None)
    end_ms = 500_000
    assert mixed.changes(500_000, end_ms) == straight.changes(500_000, end_ms)
    assert mixed.min_over(200_000, end_ms) == straight.min_over(200_000, end_ms)


def covered_s(samples: list[tuple[int, float | None]], begin_s: int, end_s: int, stale_s: int) -> int:
    """How much of the stretch a believable value held, second by second."""
    seconds = 0
    for second in range(begin_s, end_s):
        last = max((each for each in samples if each[0] <= second), key=lambda each: each[0], default=None)
        seconds += last is not None and last[1] is not None and second < last[0] + stale_s
    return seconds


@settings(max_examples=80, deadline=None)
@given(SAMPLES, st.integers(1, 300), st.integers(0, 60), st.sampled_from([20, 90]), st.data())
def test_a_window_counts_exactly_when_nine_tenths_of_it_are_covered(steps, window_s, after_s, stale_s, data) -> None:
    at_s, samples = 0, []
    for gap_s, value in steps:
        at_s += gap_s
        samples.append((at_s, None if value is None else 1.0))
    found = history(data.draw(st.permutations(samples)) if data.draw(st.booleans()) else samples, stale_s=stale_s)
    end_s = at_s + after_s
    is_covered = covered_s(samples, end_s - window_s, end_s, stale_s) >= 0.9 * window_s
    assert (found.frozen(window_s * 1000, end_s * 1000) is True) == is_covered
