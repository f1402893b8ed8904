"""One point as the rules see it: its last value, whether that still holds, and as much history as rules ask for.

Zero-order hold: the last good value holds. At a point that reports at intervals it holds until three intervals passed
without another; at one that reports on change, as long as its gateway is not offline. A bad value makes the point
unknown from its own time on. An event is true from its occurrence until its hold ends, is renewed, or a `false` comes;
one that never occurred is false.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isnan

from ledger.records import Point, PointKind, Quality
from rules.links import Link
from rules.windows import History

STALE_AFTER_INTERVALS = 3


@dataclass(slots=True, eq=False)
class Signal:
    point: Point
    link: Link  # of its facility's gateway
    history: History
    stale_ms: int | None
    hold_ms: int
    is_event: bool
    last_ms: int | None = None  # of the newest sample evaluated, good or bad
    value: float | None = None
    hold_until_ms: int | None = None  # of an event: when its last occurrence ends
    received_ms: int | None = None  # when anything of it last came in; None: not since this engine began
    keeps_history: bool = False
    # `at` and `edge`, bound once: thousands of conditions hold them.
    now: Callable[[int], float | None] = field(init=False)
    own_edges: Sequence[Callable[[int], int | None]] = field(init=False)

    def __post_init__(self) -> None:
        self.now, self.own_edges = self.at, (self.edge,)

    @classmethod
    def of(cls, point: Point, link: Link, wrap: float | None) -> "Signal":
        interval_s = point.report_interval_s
        is_event = point.kind is PointKind.EVENT
        # An event is no gap when nothing comes, whatever interval its gateway repeats it at.
        stale_ms = None if interval_s is None or is_event else round(interval_s * 1000 * STALE_AFTER_INTERVALS)
        hold_ms = round((point.hold_s or 0) * 1000) if is_event else 0
        history = History(stale_ms=stale_ms, is_event=is_event, is_state=point.kind is PointKind.STATE, wrap=wrap)
        return cls(point, link, history, stale_ms, hold_ms, is_event)

    def keep(self, span_ms: int) -> None:
        """Remember at least this much; asked by whoever will look back."""
        self.keeps_history = True
        self.history.keep_ms = max(self.history.keep_ms, span_ms)

    def is_late(self, ts_ms: int) -> bool:
        return self.last_ms is not None and ts_ms <= self.last_ms

    def take(self, ts_ms: int, value: float, quality: Quality) -> None:
        """The next sample in order."""
        known = _known(value, quality)
        self.last_ms, self.value = ts_ms, known
        if self.is_event:
            self.hold_until_ms = ts_ms + self.hold_ms if known else None
        if self.keeps_history:
            self.history.add(ts_ms, known)

    def take_late(self, ts_ms: int, value: float, quality: Quality) -> None:
        """A sample out of order: it completes the past and moves nothing."""
        if self.keeps_history:
            self.history.add(ts_ms, _known(value, quality))

    def take_up_hold(self, since_ms: int, until_ms: int) -> None:
        """An occurrence that was standing when the engine before this one stopped."""
        self.last_ms, self.value, self.hold_until_ms = since_ms, 1.0, until_ms

    def at(self, at_ms: int) -> float | None:
        """What it is worth at `at_ms`, taken as not before its last sample."""
        value = self.value
        if self.is_event:
            if self.link.is_offline or (value is None and self.last_ms is not None):
                return None
            return 1.0 if self.hold_until_ms is not None and at_ms < self.hold_until_ms else 0.0
        if value is None or self.last_ms is None:
            return None
        if self.stale_ms is None:
            return None if self.link.is_offline else value
        return value if at_ms <= self.last_ms + self.stale_ms else None

    def unknown_since(self, at_ms: int) -> int | None:
        """Since when it has been worth nothing; None while it is worth something. 0: it never was."""
        if self.at(at_ms) is not None:
            return None
        if self.last_ms is None:
            return 0
        if self.value is None:
            return self.last_ms
        if self.stale_ms is not None and not self.is_event:
            return self.last_ms + self.stale_ms + 1
        return max(self.last_ms, self.link.reached_ms or 0)  # its gateway went offline, and its time stood still

    def edge(self, at_ms: int) -> int | None:
        """The next moment after `at_ms` at which it changes by itself: goes stale, or an occurrence ends."""
        if self.is_event:
            moment = self.hold_until_ms
        elif self.stale_ms is None or self.last_ms is None or self.value is None:
            return None
        else:
            moment = self.last_ms + self.stale_ms + 1
        return moment if moment is not None and moment > at_ms else None

    # ------------------------------------------------------------------ as it was

    def past(self, at_ms: int) -> float | None:
        """What it was worth at `at_ms`, from history; unknown where that is not kept."""
        if not self.is_event:
            return self.history.held(at_ms)
        latest = self.history.latest(at_ms)
        if latest is None:
            return 0.0 if self.keeps_history and self.history.reaches(at_ms) else None
        value = self.history.held(latest)
        return None if value is None else float(value == 1.0 and at_ms < latest + self.hold_ms)

    def past_window_end(self, at_ms: int) -> int:
        latest = self.history.latest(at_ms)
        return at_ms if self.stale_ms is None or latest is None else latest


def _known(value: float, quality: Quality) -> float | None:
    return value if quality is Quality.GOOD and not isnan(value) else None
