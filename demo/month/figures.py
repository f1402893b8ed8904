"""What alarm management is measured by (domain 5.2: EEMUA 191, ISA-18.2), over the alarms that rang. Pure.

A figure without a published limit here carries the mark of the domain paper in `BOUNDS`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.records import Priority

WINDOW = timedelta(minutes=10)
FLOOD_BEGINS_ABOVE, FLOOD_ENDS_BELOW = 10, 5  # alarms in ten minutes
STANDING = timedelta(hours=24)
MIX_TARGET = {"low": 80.0, "medium": 15.0, "high": 5.0}
MIX_TOLERANCE = 10.0  # percentage points, for "comes near"

# What is good, and where it comes from; shown beside what was measured.
BOUNDS = {
    "per_operator_day": "<= 144, at most 288 (R39)",
    "peak_10_min": "<= 10 (R39)",
    "peak_hour": "<= 15 (R39)",
    "floods": "0",
    "time_in_flood_percent": "< 1 [M]",
    "busy_10_min_percent": "< 1 [M]",
    "standing": "< 10",
    "top_10_percent": "<= 5 [M]",
    "chattering": "0",
}


@dataclass(frozen=True, slots=True)
class Rung:
    """One alarm that people were told of. `ended_at` None: open still."""

    at: datetime
    source: str  # site, facility, part and rule
    priority: Priority
    returned_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Flood:
    began_at: datetime
    ended_at: datetime
    alarms: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts, shares in per cent, and rates per day."""

    alarms: int
    per_day: float
    per_operator_day: float
    busiest_day: int
    peak_10_min: int
    peak_hour: int
    floods: int
    time_in_flood_percent: float
    busy_10_min_percent: float
    standing: int
    top_10_percent: float
    mix_percent: dict[str, float]  # high includes urgent
    urgent_percent: float
    mix_is_near: bool


def measure(rung: Sequence[Rung], begun: datetime, ended: datetime, *, operators: int) -> Figures:
    """The figures of a span of time with so many people at the alarm list, day and night."""
    times = sorted(one.at for one in rung)
    days = (ended - begun) / timedelta(days=1)
    found = floods(times, ended)
    mix = _mix([one.priority for one in rung])
    counts = Counter(one.source for one in rung)
    slots = Counter((at - begun) // WINDOW for at in times)
    return Figures(
        alarms=len(rung),
        per_day=round(len(rung) / days, 2),
        per_operator_day=round(len(rung) / days / operators, 2),
        busiest_day=max(Counter((at - begun) // timedelta(days=1) for at in times).values(), default=0),
        peak_10_min=most_within(times, WINDOW),
        peak_hour=most_within(times, timedelta(hours=1)),
        floods=len(found),
        time_in_flood_percent=_percent(sum((one.ended_at - one.began_at for one in found), timedelta()), ended - begun),
        busy_10_min_percent=_share(sum(count > FLOOD_BEGINS_ABOVE for count in slots.values()), round(days * 144)),
        standing=sum((one.returned_at or one.ended_at or ended) - one.at > STANDING for one in rung),
        top_10_percent=_share(sum(count for _, count in counts.most_common(10)), len(rung)),
        mix_percent=mix,
        urgent_percent=_share(sum(one.priority is Priority.URGENT for one in rung), len(rung)),
        mix_is_near=bool(rung) and all(abs(mix[name] - MIX_TARGET[name]) <= MIX_TOLERANCE for name in mix),
    )


def most_within(times: Sequence[datetime], span: timedelta) -> int:
    """The most that fell into any span of this length, both ends included. `times` in order."""
    most = first = 0
    for last, at in enumerate(times):
        while at - times[first] > span:
            first += 1
        most = max(most, last - first + 1)
    return most


def floods(times: Sequence[datetime], ended: datetime) -> list[Flood]:
    """A flood begins with the alarm that makes more than ten in ten minutes, and ends when fewer than five are left."""
    found: list[Flood] = []
    first, number = 0, 0
    while number < len(times):
        while times[number] - times[first] > WINDOW:
            first += 1
        if number - first + 1 <= FLOOD_BEGINS_ABOVE:
            number += 1
            continue
        began_at, begin = times[number], number
        # Alarms only leave the window between two of them: it ends when the fifth newest does.
        while True:
            over_at = times[number - FLOOD_ENDS_BELOW + 1] + WINDOW
            if number + 1 == len(times) or times[number + 1] > over_at:
                break
            number += 1
        found.append(Flood(began_at, min(over_at, ended), number - begin + FLOOD_BEGINS_ABOVE + 1))
        number += 1
    return found


def _mix(priorities: Sequence[Priority]) -> dict[str, float]:
    three = Counter("high" if one is Priority.URGENT else one.value for one in priorities)
    return {name: _share(three[name], len(priorities)) for name in MIX_TARGET}


def _share(part: int, whole: int) -> float:
    return round(100.0 * part / whole, 2) if whole else 0.0


def _percent(part: timedelta, whole: timedelta) -> float:
    return round(100.0 * (part / whole), 3)
