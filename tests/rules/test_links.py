"""How far device time may pass at a tick: offline, silent, just back, draining, a clock that is wrong."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.records import Gateway
from rules.links import Link, Tuning, by_read

NOW = 1_000_000_000_000
SINCE = NOW - 3_600_000  # connected for an hour


def link(**changes) -> Link:
    gateway = Gateway(1, 1, 2, "gw", None, None, None, None, None)
    found = Link.of(gateway, Tuning(), silent_after_ms=600_000)
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def heard(*messages: tuple[int, int]) -> Link:
    """Each message as (received, newest sample) in milliseconds before now."""
    found = link()
    for received, newest in messages:
        found.heard(NOW - received, NOW - newest)
    return found


def test_a_gateway_that_talks_lives_now() -> None:
    assert heard((1_000, 1_000)).device_now(NOW, SINCE) == NOW


def test_its_offset_is_its_least_lag() -> None:
    found = heard((9_000, 11_000), (5_000, 6_500), (1_000, 4_000))
    assert found.offset_ms == pytest.approx(1_504, abs=1)  # grown a little since, so that it can be unlearnt
    assert found.device_now(NOW, SINCE) == NOW - round(found.offset_ms or 0)


def test_a_clock_ahead_of_ours_is_followed() -> None:
    found = heard((1_000, -4_000))
    assert found.device_now(NOW, SINCE) == NOW + 5_000


def test_one_clock_ahead_makes_no_backlog_of_the_others() -> None:
    """A lift's clock is four minutes ahead; the pumps behind the same gateway are in time, and their alarms ring."""
    found = heard((20_000, 20_000 - 240_000), (10_000, 10_000), (1_000, 1_000))
    assert found.offset_ms is not None
    assert found.offset_ms < 0
    assert not found.is_draining(NOW)


def test_while_ingest_is_not_connected_time_stands_still() -> None:
    assert heard((1_000, 1_000)).device_now(NOW, None) is None


def test_while_offline_or_silent_time_stands_still() -> None:
    found = heard((1_000, 1_000))
    assert found.went(online=False, received_ms=NOW)
    assert found.device_now(NOW, SINCE) is None
    assert heard((600_001, 600_001)).device_now(NOW, SINCE) is None
    assert heard((600_000, 600_000)).device_now(NOW, SINCE) == NOW


def test_one_that_came_back_is_waited_for_until_it_speaks() -> None:
    found = heard((60_000, 60_000))
    found.went(online=False, received_ms=NOW - 30_000)
    found.went(online=True, received_ms=NOW)
    assert found.device_now(NOW + 29_999, SINCE) is None
    assert found.device_now(NOW + 30_000, SINCE) is not None
    found.heard(NOW + 1_000, NOW + 1_000)
    assert found.device_now(NOW + 2_000, SINCE) is not None


def test_after_connecting_it_is_waited_for_as_well() -> None:
    found = heard((60_000, 60_000))
    assert found.device_now(NOW, NOW - 10_000) is None
    assert found.device_now(NOW, NOW - 30_000) is not None


def test_one_that_empties_its_store_lives_where_its_newest_sample_is() -> None:
    found = heard((2_000, 9_000_000), (1_000, 8_000_000))
    assert found.is_draining(NOW)
    assert found.device_now(NOW, SINCE) == NOW - 8_000_000
    assert not found.is_draining(NOW + 30_000)
    assert found.offset_ms is None  # a backlog says nothing of the clock


def test_a_lag_that_stays_is_a_wrong_clock() -> None:
    found = heard(*((seconds * 1_000, seconds * 1_000 + 900_000) for seconds in range(400, 0, -10)))
    assert not found.is_draining(NOW)
    assert found.offset_ms == pytest.approx(900_000, rel=0.001)


def test_a_lag_that_shrinks_is_a_backlog() -> None:
    found = heard(*((seconds * 1_000, seconds * 1_000 + 900_000 + seconds * 1_900) for seconds in range(400, 0, -10)))
    assert found.is_draining(NOW)


def test_silence_is_unknown_until_it_can_be_told() -> None:
    fresh = link()
    assert fresh.is_silent(NOW, None) is None
    assert fresh.is_silent(NOW, NOW - 600_000) is None
    assert fresh.is_silent(NOW, NOW - 600_001) is True
    assert heard((1_000, 1_000)).is_silent(NOW, SINCE) is False
    assert heard((5_000, 5_000)).is_silent(NOW, NOW - 1_000) is None  # heard, but before ingest connected
    offline = heard((900_000, 900_000))
    offline.went(online=False, received_ms=NOW)
    assert offline.is_silent(NOW, SINCE) is None  # known to be offline, which is another alarm


def test_facilities_without_a_gateway_live_now() -> None:
    absent = Link.of(None, Tuning(), 0)
    assert absent.device_now(NOW, SINCE) == NOW
    assert absent.is_silent(NOW, SINCE) is False


def test_a_restart_takes_over_what_the_ledger_knows() -> None:
    gateway = Gateway(1, 1, 2, "gw", False, None, datetime.fromtimestamp(NOW / 1000, UTC), 700, None)
    found = Link.of(gateway, Tuning(), 600_000)
    assert (found.is_offline, found.offset_ms, found.left_ms) == (True, 700, NOW - 700)


def test_a_clock_that_was_ahead_and_is_set_right_is_believed_within_minutes() -> None:
    """It would be followed for days otherwise, and everything behind the gateway look stale by as much as it was ahead."""
    found = link()
    for minute in range(10):
        found.heard(SINCE + minute * 60_000, SINCE + minute * 60_000 + 240_000)
    assert found.device_now(SINCE + 540_000, SINCE - 1) == SINCE + 540_000 + 240_000
    for minute in range(10, 25):
        found.heard(SINCE + minute * 60_000, SINCE + minute * 60_000 - 500)
    assert found.device_now(SINCE + 24 * 60_000, SINCE - 1) == SINCE + 24 * 60_000 - 500


def test_one_clock_ahead_makes_the_others_no_older() -> None:
    """A lift's clock stays four minutes ahead; after a while the pumps behind the same gateway live by their own."""
    found = link()
    for minute in range(20):
        found.heard(SINCE + minute * 60_000, SINCE + minute * 60_000 - 500)
        found.heard(SINCE + minute * 60_000 + 10, SINCE + minute * 60_000 + 240_010)
    assert found.device_now(SINCE + 19 * 60_000 + 10, SINCE - 1) == SINCE + 19 * 60_000 - 490


_LAGS = st.integers(-3_000, 130_000)
_READ = st.tuples(st.integers(0, 400_000), st.lists(st.one_of(st.integers(0, 900), _LAGS), min_size=1, max_size=5))


@given(st.lists(_READ, max_size=8), st.sampled_from([None, True, False]), st.none() | st.integers(-5_000, 5_000))
def test_messages_of_one_read_told_together_leave_the_gateway_as_told_one_by_one(
    reads: list[tuple[int, list[int]]], online: bool | None, offset_ms: int | None
) -> None:
    one_by_one, together = (link(online=online, offset_ms=offset_ms, offset_at_ms=NOW) for _ in range(2))
    received_ms = NOW
    for later_ms, lags in reads:
        received_ms += later_ms
        newest = [received_ms - lag for lag in lags]
        before = [one_by_one.heard(received_ms, each) for each in newest]
        if not together.heard_together(received_ms, newest):
            assert [together.heard(received_ms, each) for each in newest] == before
        else:
            assert not any(before)
        assert together == one_by_one


def test_messages_are_told_by_gateway_and_read_in_order_for_each() -> None:
    told = list(by_read([1, 2, 1, 1, 2, 1], [5, 5, 5, 6, 5, 5], [10, 20, 11, 12, 21, 13]))
    assert [each for each in told if each[0] == 1] == [(1, 5, [10, 11]), (1, 6, [12]), (1, 5, [13])]
    assert [each for each in told if each[0] == 2] == [(2, 5, [20, 21])]
