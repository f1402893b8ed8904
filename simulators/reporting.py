"""When a value goes out: at once when it has changed enough to matter, and at its interval when it has not."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from simulators.plant.surroundings import Value


@dataclass(frozen=True, slots=True)
class Report:
    """How a point is reported. `change` is the smallest difference worth sending between two heartbeats; 0: any.

    An event goes out when it happens and when it is over; it has no heartbeat, because a repeat would be counted as
    another occurrence. `counted_by` names a value that is not itself reported and moves with every occasion on which
    this one is said, the same again or not.
    """

    interval_s: float
    change: float = 0.0
    event: bool = False
    counted_by: str | None = None

    def at_most_every(self, interval_s: float) -> "Report":
        """The same on a slower line: changes still go out at once."""
        return replace(self, interval_s=max(self.interval_s, interval_s))


def measured(interval_s: float, change: float) -> Report:
    return Report(interval_s, change)


def counted(interval_s: float) -> Report:
    """A counter moves all the time: its interval is enough."""
    return Report(interval_s, math.inf)


def repeated(counted_by: str) -> Report:
    """A result is said whenever there is one, and only then: a heartbeat would claim another."""
    return Report(math.inf, counted_by=counted_by)


ON_CHANGE = Report(600.0)
ONCE = Report(math.inf)  # what a person has measured and written down
EVENT = Report(math.inf, event=True)


class Reporter:
    """What one facility still has to say. Heartbeats keep their phase whatever changes in between."""

    __slots__ = ("_beat_s", "_beats", "_changes", "_reports", "_sent")

    def __init__(self, reports: Mapping[str, Report]) -> None:
        self._reports = dict(reports)
        self._changes = [(key, report.counted_by or key, report.change) for key, report in reports.items()]
        self._sent: dict[str, Value] = {}
        self._beats: dict[str, float] = {}  # when the next heartbeat of each point is due
        self._beat_s = -math.inf  # the earliest of them

    def due(self, now_s: float, values: Mapping[str, Value]) -> dict[str, Value]:
        """The values to send now, which then count as sent. Of a point that has no value nothing is said."""
        sent, going = self._sent, dict[str, Value]()
        for key, watched, change in self._changes:
            if watched not in values:
                continue
            value = values[watched]
            if watched not in sent or (
                value != sent[watched] and (not change or _is_enough(sent[watched], value, change))
            ):
                sent[watched], going[key] = value, values[key]
        if now_s >= self._beat_s:
            for key, report in self._reports.items():
                if now_s >= self._beats.get(key, -math.inf):
                    self._beats[key] = now_s + report.interval_s
                    if not report.event and report.counted_by is None and key in values:
                        going[key] = sent[key] = values[key]
            self._beat_s = min(self._beats.values(), default=math.inf)
        return going

    def forget(self) -> None:
        """After a restart everything is said anew."""
        self._sent.clear()
        self._beats.clear()
        self._beat_s = -math.inf


def _is_enough(before: Value, after: Value, change: float) -> bool:
    """Whether a difference is worth sending; from or to no value at all, it is."""
    if isinstance(before, int | float) and isinstance(after, int | float):
        return abs(after - before) >= change
    return True
