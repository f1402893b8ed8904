"""What is due: by the law's calendar for each facility, by a site's own plans for rounds. Pure; takes `now`.

A period of the law is one of the calendar, in the site's time zone: "monthly" is once in March and once in April, not
every thirty days. What was not looked at in a whole period is overdue from the first day of the next.
"""

import calendar
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from inspection.checklist import Interval, Period

_MONTHS = {Period.MONTH: 1, Period.QUARTER: 3, Period.HALF_YEAR: 6, Period.YEAR: 12}
WARN_PART = 0.25  # [E]: of a period or a window, that is left when somebody is reminded
# Names of places below ground, as estates write them. domain 4.2: garages and plant rooms below ground are half-monthly.
_BELOW_GROUND = re.compile(
    r"地下|地库|负[一二三四五1-5]层|锅炉房|(?<!\w)-[1-5]\s?(?:层|F)\b|\bB[1-5](?:\b|层|F)|basement|underground|boiler",
    re.IGNORECASE,
)


class DueState(StrEnum):
    DONE = "done"  # looked at in this period
    DUE = "due"
    DUE_SOON = "due_soon"  # due, and little of the period is left
    OVERDUE = "overdue"  # a whole period passed without


class WindowState(StrEnum):
    """How a round stands, by its window and what was walked."""

    UPCOMING = "upcoming"
    DUE = "due"
    DUE_SOON = "due_soon"  # nobody has started, and little of the window is left
    WALKING = "walking"
    OVERDUE = "overdue"  # still walked after its window
    FINISHED = "finished"
    INCOMPLETE = "incomplete"  # ended with points nobody visited
    ABANDONED = "abandoned"
    MISSED = "missed"  # nobody started it


@dataclass(frozen=True, slots=True)
class Due:
    state: DueState
    period: Period
    begins_on: date
    ends_on: date  # its last day


@dataclass(frozen=True, slots=True)
class Window:
    begin: datetime
    end: datetime


def period_at(interval: Interval, place_names: Sequence[str]) -> Period:
    """By where it is: half-monthly below ground where the law says so."""
    return interval.below_ground if is_below_ground(place_names) else interval.usual


def is_below_ground(place_names: Sequence[str]) -> bool:
    return any(_BELOW_GROUND.search(each) for each in place_names)


def span_of(period: Period, day: date) -> tuple[date, date]:
    """First and last day of the period that holds this day."""
    if period is Period.DAY:
        return day, day
    if period is Period.WEEK:
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    if period is Period.HALF_MONTH:
        if day.day <= 15:
            return day.replace(day=1), day.replace(day=15)
        return day.replace(day=16), _last_of_month(day)
    months = _MONTHS[period]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    return first, _last_of_month(date(day.year, first.month + months - 1, 1))


def due(period: Period, checked_at: datetime | None, known_since: datetime | None, zone: str, now: datetime) -> Due:
    """`known_since`: when its first tag was issued. Before that nobody could have looked at it by scanning."""
    here = ZoneInfo(zone)
    today = now.astimezone(here).date()
    begin, end = span_of(period, today)
    before, _ = span_of(period, begin - timedelta(days=1))
    checked_on = None if checked_at is None else checked_at.astimezone(here).date()
    since = None if known_since is None else known_since.astimezone(here).date()
    if checked_on is not None and checked_on >= begin:
        return Due(DueState.DONE, period, begin, end)
    last = max((each for each in (checked_on, since) if each is not None), default=None)
    if last is not None and last < before:
        return Due(DueState.OVERDUE, period, begin, end)
    left, whole = (end - today).days, (end - begin).days + 1
    state = DueState.DUE_SOON if period is not Period.DAY and left < whole * WARN_PART else DueState.DUE
    return Due(state, period, begin, end)


def windows(
    period: Period, days: Sequence[int], starts_at: time, length: timedelta, zone: str, begin: datetime, end: datetime
) -> Iterator[Window]:
    """Windows of a plan that begin in [begin, end), in order.

    A day of the month that a month lacks is its last one. A start in the hour that summer time skips is after it; one in
    the hour that comes twice is the first of the two.
    """
    here = ZoneInfo(zone)
    day, last = begin.astimezone(here).date() - timedelta(days=1), end.astimezone(here).date()
    while day <= last:
        if _falls_on(period, days, day):
            opens = datetime.combine(day, starts_at, here).astimezone(UTC)
            if begin <= opens < end:
                yield Window(opens, opens + length)
        day += timedelta(days=1)


def _falls_on(period: Period, days: Sequence[int], day: date) -> bool:
    if period is Period.WEEK:
        return day.isoweekday() in days
    if period is Period.MONTH:
        last = _last_of_month(day).day
        return day.day in {min(each, last) for each in days}
    return True


def window_state(window: Window, round_state: str | None, *, stops: int, visited: int, now: datetime) -> WindowState:
    """`round_state`: of ledger.round_lifecycle; None: nobody has started."""
    if round_state is None:
        if now < window.begin:
            return WindowState.UPCOMING
        if now >= window.end:
            return WindowState.MISSED
        left = (window.end - now) / (window.end - window.begin)
        return WindowState.DUE_SOON if left < WARN_PART else WindowState.DUE
    if round_state == "walking":
        return WindowState.OVERDUE if now >= window.end else WindowState.WALKING
    if round_state == "abandoned":
        return WindowState.ABANDONED
    return WindowState.FINISHED if visited >= stops else WindowState.INCOMPLETE


def _last_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
