"""When a value goes out: at once when it has changed enough to matter, and at its interval when it has not."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from simulators.plant.surroundings import Value


@dataclass(frozen=True, slots=True)
class Report:
    """How a point is reported. `change` is the smallest difference worth sending between two heartbeats; 0: any.

    An event goes out when it happens and when it is over; it has no heartbeat, because a repeat would be counted as
    another occurrence.
    """

    interval_s: float
    change: float = 0.0
    event: bool = False


def measured(interval_s: float, change: float) -> Report:
    return Report(interval_s, change)


def counted(interval_s: float) -> Report:
    """A counter moves all the time: its interval is enough."""
    return Report(interval_s, math.inf)


ON_CHANGE = Report(600.0)
EVENT = Report(math.inf, event=True)


class Reporter:
    """What one facility still has to say. Heartbeats keep their phase whatever changes in between."""

    __slots__ = ("_beats", "_reports", "_sent")

    def __init__(self, reports: Mapping[str, Report]) -> None:
        self._reports = dict(reports)
        self._sent: dict[str, Value] = {}
        self._beats: dict[str, float] = {}

    def due(self, now_s: float, values: Mapping[str, Value]) -> dict[str, Value]:
        """The values to send now, which then count as sent. Points that `values` leaves out are not there."""
        going: dict[str, Value] = {}
        sent = self._sent
        for key, report in self._reports.items():
            if key not in values:
                continue
            value = values[key]
            if key not in sent or _differs(sent[key], value, report.change) or now_s >= self._beats[key]:
                going[key] = value
                sent[key] = value
                if now_s >= self._beats.get(key, -math.inf):
                    self._beats[key] = now_s + report.interval_s
        return going

    def forget(self) -> None:
        """After a restart everything is said anew."""
        self._sent.clear()
        self._beats.clear()


def _differs(before: Value, after: Value, change: float) -> bool:
    if isinstance(before, float) and isinstance(after, float) and change > 0.0:
        return abs(after - before) >= change
    if isinstance(before, int) and isinstance(after, int) and change > 0.0 and not isinstance(after, bool):
        return abs(after - before) >= change
    return before is not after and before != after
