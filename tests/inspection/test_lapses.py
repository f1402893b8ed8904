"""Scenarios of the calendar of rounds: windows as they stand, and what somebody is told of."""

from datetime import UTC, datetime, timedelta

import pytest

from inspection import lapses
from inspection.due import Window, WindowState
from inspection.lapses import Lapse, Told
from inspection.windows import Walked
from ledger.plans import PlanStop
from ledger.records import Grade

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
S, SOON, MISSED = WindowState, Lapse.DUE_SOON, Lapse.MISSED


def window(state: WindowState, *, begun_h: float = 1, long_h: float = 1, stops: int = 3, visited: int = 0) -> Walked:
    begin = NOW - timedelta(hours=begun_h)
    return Walked(Window(begin, begin + timedelta(hours=long_h)), state, stops, visited, None, None, None)


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ([], []),
        ([S.DUE], []),
        ([S.UPCOMING, S.MISSED], [MISSED]),
        ([S.DUE_SOON], [SOON]),
        ([S.WALKING], []),
        ([S.FINISHED], []),
        ([S.MISSED], [MISSED]),
        ([S.OVERDUE], [MISSED]),
        ([S.ABANDONED], [MISSED]),
        ([S.INCOMPLETE], [MISSED]),
        # what was missed stays missed until a round has been walked whole
        ([S.DUE, S.MISSED], [MISSED]),
        ([S.DUE_SOON, S.MISSED, S.MISSED], [SOON, MISSED]),
        ([S.WALKING, S.INCOMPLETE], [MISSED]),
        ([S.FINISHED, S.MISSED], []),
        ([S.DUE, S.FINISHED, S.MISSED], []),
        ([S.MISSED, S.FINISHED], [MISSED]),
    ],
)
def test_a_plan_is_as_its_newest_window_that_says_anything(states: list[WindowState], told: list[Lapse]) -> None:
    windows = [window(each, begun_h=1 + 24 * day) for day, each in enumerate(states)]
    assert [each.lapse for each in lapses.of_plan(windows, NOW)] == told


def test_a_round_ended_early_with_stops_left_out_is_missed_only_when_its_window_is_over() -> None:
    """Until then what is still on the phone may come, and somebody may go again."""
    early = window(S.INCOMPLETE, begun_h=0.5, visited=2)
    assert lapses.of_plan([early], NOW) == []
    assert lapses.of_plan([early], early.window.end - timedelta(seconds=1)) == []
    assert [each.lapse for each in lapses.of_plan([early], early.window.end)] == [MISSED]


def test_the_alarm_stands_at_the_gravest_stop_the_first_of_several() -> None:
    stops = [
        PlanStop(seq, seq, f"f{seq}", "fire_door", None, "", "", "", "", 0, 0, Grade(grade))
        for seq, grade in enumerate("CBAA", start=1)
    ]
    found = lapses.chief(stops)
    assert found is not None
    assert found.facility_key == "f3"
    assert lapses.chief([]) is None


def test_plans_that_stand_at_one_place_are_told_together() -> None:
    missed, soon = Told(MISSED, window(S.MISSED)), Told(SOON, window(S.DUE_SOON))
    found = lapses.by_place({7: [("night", missed), ("noon", missed)], 8: [("noon", soon)]})
    assert {place: [each["plan"] for each in detail["plans"]] for place, detail in found.items()} == {
        (7, MISSED): ["night", "noon"],
        (8, SOON): ["noon"],
    }
