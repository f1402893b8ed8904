"""How long a clock of a work order runs: minutes to days, working days, or until the day is over. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from ledger.lifecycle import WorkOrderClock

DURATION_MAX = timedelta(days=90)

_DAYS_OF_WORK = 5  # Monday to Friday; public holidays are not known here
_WRITTEN = re.compile(r"([1-9][0-9]{0,4})(s|m|h|d|wd)")


class SpanUnit(StrEnum):
    SECOND = "s"
    MINUTE = "m"
    HOUR = "h"
    DAY = "d"
    WORKING_DAY = "wd"  # Monday to Friday, to the same time of day
    SAME_DAY = "same_day"  # until midnight at the site: nothing stays overnight


_LENGTHS = {
    SpanUnit.SECOND: timedelta(seconds=1),
    SpanUnit.MINUTE: timedelta(minutes=1),
    SpanUnit.HOUR: timedelta(hours=1),
    SpanUnit.DAY: timedelta(days=1),
}


@dataclass(frozen=True, slots=True)
class Span:
    count: int
    unit: SpanUnit

    def __str__(self) -> str:
        return "same_day" if self.unit is SpanUnit.SAME_DAY else f"{self.count}{self.unit}"

    @property
    def length(self) -> timedelta | None:
        """None where it depends on the calendar."""
        return self.count * _LENGTHS[self.unit] if self.unit in _LENGTHS else None

    def ends(self, begin: datetime, zone: ZoneInfo) -> datetime:
        """When it is over, UTC; the calendar is that of the zone."""
        if self.length is not None:
            return begin + self.length
        local = begin.astimezone(zone)
        day, at = local.date(), local.time()
        if self.unit is SpanUnit.SAME_DAY:
            day, at = day + timedelta(days=1), time(0)
        left = self.count if self.unit is SpanUnit.WORKING_DAY else 0
        while left:
            day += timedelta(days=1)
            left -= day.weekday() < _DAYS_OF_WORK
        return datetime.combine(day, at, zone).astimezone(UTC)


Clocks = Mapping[WorkOrderClock, Span]


def span(text: object) -> Span:
    """Raises ValueError with what would do."""
    if text == "same_day":
        return Span(1, SpanUnit.SAME_DAY)
    match = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is no time for a clock: write 90s, 15m, 4h, 2d, 5wd (working days) or same_day")
    found = Span(int(match[1]), SpanUnit(match[2]))
    if (found.length or found.count * timedelta(days=2)) > DURATION_MAX:
        raise ValueError(f"{text} is longer than {DURATION_MAX.days} days")
    return found


# A promise for the earlier of two would be void if the later one came first.
_IN_ORDER = (
    (WorkOrderClock.ACCEPT_BY, WorkOrderClock.ARRIVE_BY),
    (WorkOrderClock.ACCEPT_BY, WorkOrderClock.PLAN_BY),
    (WorkOrderClock.ACCEPT_BY, WorkOrderClock.RESTORE_BY),
    (WorkOrderClock.ARRIVE_BY, WorkOrderClock.RESTORE_BY),
    (WorkOrderClock.PLAN_BY, WorkOrderClock.RESTORE_BY),
)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two clocks whose promises do not go together."""

    earlier: WorkOrderClock
    later: WorkOrderClock
    first: Span
    second: Span

    def __str__(self) -> str:
        return f"{self.earlier} after {self.first} is later than {self.later} after {self.second}"


def out_of_order(clocks: Clocks, of: WorkOrderClock | None = None) -> Contradiction | None:
    """Which two clocks contradict each other; None: none do. Those of the calendar are left alone.

    `of`: only what contradicts this one, so that of several contradictions one can be set right after the other.
    """
    for earlier, later in _IN_ORDER:
        if of in (None, earlier, later) and earlier in clocks and later in clocks:
            first, second = clocks[earlier].length, clocks[later].length
            if first is not None and second is not None and first > second:
                return Contradiction(earlier, later, clocks[earlier], clocks[later])
    return None
