"""So many within a span, for each of many."""

from api import quota
from api.quota import Quota


def test_what_is_taken_is_there_again_after_the_span() -> None:
    now = 0.0
    counted = Quota(2, 60.0, stopwatch=lambda: now)
    assert [counted.take("a"), counted.take("a"), counted.take("b")] == [None, None, None]
    now = 20.0
    assert counted.take("a") == 40.0
    assert counted.take("b") is None
    now = 60.0
    assert counted.take("a") is None


def test_asking_takes_nothing() -> None:
    counted = Quota(1, 60.0, stopwatch=lambda: 0.0)
    assert counted.left_in_s("a") is None
    assert counted.take("a") is None
    assert counted.left_in_s("a") == 60.0


def test_who_came_long_ago_is_forgotten_so_that_a_crowd_fills_no_memory() -> None:
    counted = Quota(1, 60.0, stopwatch=lambda: 0.0)
    for each in range(quota.KEPT_MAX + 1):
        counted.take(str(each))
    assert counted.take("0") is None
    assert counted.take(str(quota.KEPT_MAX)) == 60.0
