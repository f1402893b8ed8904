"""What is due, to the day: calendar periods in the site's zone, windows over summer time, short months and midnight."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from inspection import due
from inspection.checklist import Interval, Period
from inspection.due import DueState, Window, WindowState

SHANGHAI = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("period", "day", "span"),
    [
        (Period.DAY, date(2026, 3, 1), (date(2026, 3, 1), date(2026, 3, 1))),
        (Period.WEEK, date(2026, 3, 1), (date(2026, 2, 23), date(2026, 3, 1))),
        (Period.HALF_MONTH, date(2026, 3, 15), (date(2026, 3, 1), date(2026, 3, 15))),
        (Period.HALF_MONTH, date(2028, 2, 16), (date(2028, 2, 16), date(2028, 2, 29))),
        (Period.MONTH, date(2026, 12, 31), (date(2026, 12, 1), date(2026, 12, 31))),
        (Period.QUARTER, date(2026, 5, 31), (date(2026, 4, 1), date(2026, 6, 30))),
        (Period.HALF_YEAR, date(2026, 7, 1), (date(2026, 7, 1), date(2026, 12, 31))),
        (Period.YEAR, date(2026, 2, 28), (date(2026, 1, 1), date(2026, 12, 31))),
    ],
)
def test_the_calendar_s_periods(period: Period, day: date, span: tuple[date, date]) -> None:
    assert due.span_of(period, day) == span


def test_periods_follow_one_another_without_a_gap() -> None:
    for period in Period:
        day = date(2027, 12, 31)
        for _ in range(60):
            begin, end = due.span_of(period, day)
            assert begin <= day <= end
            assert due.span_of(period, begin) == due.span_of(period, end)
            day = begin - timedelta(days=1)


@pytest.mark.parametrize(
    ("checked", "known", "now", "state"),
    [
        ("2026-03-01T00:00", None, "2026-03-31T23:00", DueState.DONE),
        ("2026-02-28T23:59", None, "2026-03-01T00:01", DueState.DUE),
        ("2026-02-01T10:00", None, "2026-03-20T10:00", DueState.DUE),
        ("2026-02-01T10:00", None, "2026-03-25T10:00", DueState.DUE_SOON),
        ("2026-01-31T10:00", None, "2026-03-01T10:00", DueState.OVERDUE),
        (None, "2026-02-10T10:00", "2026-03-01T10:00", DueState.DUE),
        (None, "2026-01-10T10:00", "2026-03-01T10:00", DueState.OVERDUE),
        (None, None, "2026-03-01T10:00", DueState.DUE),
    ],
)
def test_monthly_to_the_minute(checked: str | None, known: str | None, now: str, state: DueState) -> None:
    """Local time of Shanghai; in UTC some of these are days of another month."""

    def moment(text: str | None) -> datetime | None:
        return None if text is None else datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)

    at = moment(now)
    assert at is not None
    assert due.due(Period.MONTH, moment(checked), moment(known), SHANGHAI, at).state is state


@pytest.mark.parametrize(
    ("names", "below"),
    [
        (["花园小区", "地下二层泵房"], True),
        (["花园小区", "1号楼", "负一层"], True),
        (["Estate", "Tower 1", "B2 plant room"], True),
        (["Estate", "Basement garage"], True),
        (["花园小区", "地库"], True),
        (["花园小区", "1号楼", "-1层"], True),
        (["花园小区", "1号楼", "3层"], False),
        (["花园小区", "B座", "12层"], False),
        (["Estate", "Block B12", "Lobby"], False),
        (["花园小区", "地面停车场"], False),
    ],
)
def test_what_lies_below_ground_is_known_by_its_name(names: list[str], below: bool) -> None:
    interval = Interval(Period.MONTH, Period.HALF_MONTH, "x")
    assert due.period_at(interval, names) is (Period.HALF_MONTH if below else Period.MONTH)


def opens(period: Period, days: list[int], at: time, zone: str, begin: str, end: str) -> list[str]:
    span = (datetime.fromisoformat(begin).replace(tzinfo=UTC), datetime.fromisoformat(end).replace(tzinfo=UTC))
    made = list(due.windows(period, days, at, timedelta(minutes=90), zone, *span))
    assert all(each.end - each.begin == timedelta(minutes=90) for each in made)
    return [each.begin.strftime("%m-%dT%H:%M") for each in made]


def test_windows_of_a_plan() -> None:
    day = opens(Period.DAY, [], time(22), SHANGHAI, "2026-03-01", "2026-03-03")
    assert day == ["03-01T14:00", "03-02T14:00"]
    week = opens(Period.WEEK, [1, 7], time(0, 30), SHANGHAI, "2026-03-01", "2026-03-10")
    assert week == ["03-01T16:30", "03-07T16:30", "03-08T16:30"]  # Mondays and Sundays there
    month = opens(Period.MONTH, [15, 31], time(9), SHANGHAI, "2026-02-01", "2026-04-01")
    assert month == ["02-15T01:00", "02-28T01:00", "03-15T01:00", "03-31T01:00"]


def test_windows_over_summer_time() -> None:
    spring = opens(Period.DAY, [], time(2, 30), "Europe/Berlin", "2026-03-28", "2026-03-30T12:00")
    assert spring == ["03-28T01:30", "03-29T01:30", "03-30T00:30"]
    autumn = opens(Period.DAY, [], time(2, 30), "Europe/Berlin", "2026-10-24", "2026-10-26T12:00")
    assert autumn == ["10-24T00:30", "10-25T00:30", "10-26T01:30"]


@pytest.mark.parametrize(
    ("state", "minute", "visited", "stands"),
    [
        (None, -1, 0, WindowState.UPCOMING),
        (None, 0, 0, WindowState.DUE),
        (None, 46, 0, WindowState.DUE_SOON),
        (None, 60, 0, WindowState.MISSED),
        ("walking", 59, 1, WindowState.WALKING),
        ("walking", 60, 1, WindowState.OVERDUE),
        ("finished", 50, 3, WindowState.FINISHED),
        ("finished", 50, 2, WindowState.INCOMPLETE),
        ("abandoned", 50, 3, WindowState.ABANDONED),
    ],
)
def test_how_a_window_stands(state: str | None, minute: int, visited: int, stands: WindowState) -> None:
    begin = datetime(2026, 3, 1, 12, tzinfo=UTC)
    window = Window(begin, begin + timedelta(hours=1))
    now = begin + timedelta(minutes=minute)
    assert due.window_state(window, state, stops=3, visited=visited, now=now) is stands
