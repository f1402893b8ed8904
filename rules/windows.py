"""The recent past of one point, and the functions of time that are answered from it.

A window of `w` ending at `end` is the half-open (end - w, end]: a sample leaves it exactly `w` after it came. A value
holds until the next one (zero-order hold), but at an interval point no longer than until it is stale. The value that
was already held when the window began belongs to it.

A function answers None, unknown, when the window is not covered by believable values: at interval points at least nine
tenths of it, so that one lost report does not blind a rule for a day; at on-change points, where silence is
no gap, the history must reach back to the window's beginning. Counts (`starts`, `changes`) count what is known. A state
is never below 0 nor above 1, so a 0 that is known is its minimum and a 1 its maximum, covered or not: what a power
failure entails is suppressed from the first second after a cold start.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from math import isnan, nan

COVERED_MIN = 0.9
SAMPLES_MAX = 50_000  # of one point; the oldest go first, and with them what they covered
_SLACK = 256  # how many outdated samples may lie at the front before they are cut off together

# A counter that falls from its last tenth to its first tenth has wrapped; any other fall is a reset.
_WRAP_MARGIN = 0.1


class History:
    """Samples of one point in order of their time, at least `keep_ms` back from the newest. A bad value is NaN."""

    __slots__ = (
        "_first",
        "_times",
        "_values",
        "_whole_since_ms",
        "is_event",
        "is_state",
        "keep_ms",
        "revised",
        "stale_ms",
        "version",
        "wrap",
    )

    def __init__(
        self, *, stale_ms: int | None, is_event: bool = False, is_state: bool = False, wrap: float | None = None
    ) -> None:
        self.keep_ms = 0
        self.stale_ms = stale_ms
        self.is_event = is_event
        self.is_state = is_state
        self.wrap = wrap
        self.version = 0
        self.revised = 0  # how often a sample came into its past
        # Sixteen bytes a sample; as lists of objects four times that, and windows are long.
        self._times: array[int] = array("q")
        self._values: array[float] = array("d")
        self._first = 0  # index of the oldest sample still kept
        self._whole_since_ms: int | None = None  # from here to the newest nothing is missing, as far as seen

    def add(self, ts_ms: int, value: float | None) -> None:
        """Put a sample in its place, also a late one; of two with the same time the first stays."""
        times, known = self._times, nan if value is None else value
        self.version += 1
        if not times or ts_ms > times[-1]:
            self._note_gap(ts_ms, known)
            times.append(ts_ms)
            self._values.append(known)
            self._forget()
            return
        place = bisect_left(times, ts_ms, self._first)
        if times[place] != ts_ms and (place > self._first or ts_ms > times[-1] - self.keep_ms):
            times.insert(place, ts_ms)
            self._values.insert(place, known)
            self.revised += 1
            if isnan(known):
                self._whole_since_ms = None

    def extend(self, times: Sequence[int], values: Sequence[float]) -> None:
        """Put good samples at the end, each newer than the one before it and none after a gap."""
        self.version += len(times)
        self._note_gap(times[0], values[0])
        self._times.extend(times)
        self._values.extend(values)
        self._forget()

    def _note_gap(self, ts_ms: int, value: float) -> None:
        is_gap = self._times and self.stale_ms is not None and ts_ms - self._times[-1] > self.stale_ms
        if isnan(value):
            self._whole_since_ms = None
        elif self._whole_since_ms is None or is_gap:
            self._whole_since_ms = ts_ms

    def _forget(self) -> None:
        # One sample at or before the horizon stays: it is the value held when a full window begins.
        times, horizon = self._times, self._times[-1] - self.keep_ms
        first = max(self._first, len(times) - SAMPLES_MAX)
        while first + 1 < len(times) and times[first + 1] <= horizon:
            first += 1
        if first > _SLACK and 2 * first > len(times):
            del times[:first]
            del self._values[:first]
            first = 0
        self._first = first

    def __len__(self) -> int:
        return len(self._times) - self._first

    def after(self, at_ms: int) -> Iterator[tuple[int, float]]:
        """Each sample newer than that."""
        place = bisect_right(self._times, at_ms, self._first)
        return zip(self._times[place:], self._values[place:], strict=True)

    def oldest_ms(self) -> int:
        return self._times[self._first]

    def entered_ms(self, window_ms: int, end_ms: int) -> int:
        """When the oldest sample was taken that a window which ends then has anything of."""
        low = bisect_right(self._times, end_ms - window_ms, self._first)
        return self._times[max(low - 1, self._first)]

    def first_step_ms(self, begin_ms: int) -> int:
        """The time of the sample before the first change since then; there is one."""
        place = bisect_right(self._times, begin_ms, self._first)
        while self._values[place] == self._values[place - 1]:
            place += 1
        return self._times[place - 1]

    def covered_ms(self, window_ms: int, end_ms: int) -> int:
        """How much of the window is covered by believable values."""
        return sum(finish - begin for begin, finish, _ in self._held(window_ms, end_ms))

    def reaches(self, at_ms: int) -> bool:
        """Whether every sample since `at_ms` is still here."""
        return not self._times or at_ms >= self._times[-1] - self.keep_ms

    def latest(self, at_ms: int) -> int | None:
        """When the newest sample at or before `at_ms` was taken."""
        place = bisect_right(self._times, at_ms, self._first)
        return self._times[place - 1] if place > self._first else None

    def following(self, at_ms: int) -> int | None:
        """When the next sample after `at_ms` was taken."""
        place = bisect_right(self._times, at_ms, self._first)
        return self._times[place] if place < len(self._times) else None

    def held(self, at_ms: int) -> float | None:
        """The value that held at `at_ms`, as far as known."""
        place = bisect_right(self._times, at_ms, self._first) - 1
        if place < self._first or isnan(self._values[place]):
            return None
        if self.stale_ms is not None and at_ms > self._times[place] + self.stale_ms:
            return None
        return self._values[place]

    def departure(self, window_ms: int, at_ms: int) -> int | None:
        """The next moment after `at_ms` at which a sample leaves a window of this length that ends then."""
        place = bisect_right(self._times, at_ms - window_ms, self._first)
        return self._times[place] + window_ms if place < len(self._times) else None

    # ------------------------------------------------------------------ functions of time

    def mean(self, window_ms: int, end_ms: int) -> float | None:
        """Weighted by how long each value held."""
        total = covered = 0.0
        for begin, finish, value in self._held(window_ms, end_ms):
            total += value * (finish - begin)
            covered += finish - begin
        return total / covered if covered and self.is_covered(window_ms, end_ms) else None

    def min_over(self, window_ms: int, end_ms: int) -> float | None:
        return self._extreme(min, 0.0, window_ms, end_ms)

    def max_over(self, window_ms: int, end_ms: int) -> float | None:
        return self._extreme(max, 1.0, window_ms, end_ms)

    def starts(self, window_ms: int, end_ms: int) -> float:
        """Changes from false to true; of an event, its occurrences."""
        if self.is_event:
            low, high = self._bounds(window_ms, end_ms)
            return float(sum(1 for value in self._values[low:high] if value == 1.0))
        return float(sum(1 for before, after in self._steps(window_ms, end_ms) if not before and after))

    def changes(self, window_ms: int, end_ms: int) -> float:
        return float(sum(1 for before, after in self._steps(window_ms, end_ms) if before != after))

    def frozen(self, window_ms: int, end_ms: int) -> bool | None:
        """Whether nothing changed at all for the whole window. One change is enough to say no."""
        if any(before != after for before, after in self._steps(window_ms, end_ms)):
            return False
        return True if self.is_covered(window_ms, end_ms) else None

    def increase(self, window_ms: int, end_ms: int) -> float | None:
        """How far a counter went on, through wraps and resets."""
        base = self._base(window_ms, end_ms)
        return None if base is None else self._climb(base, bisect_right(self._times, end_ms, self._first))

    def rate(self, window_ms: int, end_ms: int) -> float | None:
        """Per second, between the ends of the window; of a counter, through wraps and resets."""
        base = self._base(window_ms, end_ms)
        high = bisect_right(self._times, end_ms, self._first)
        if base is None or isnan(self._values[high - 1]):
            return None
        # Between reports nothing is known, so the two samples' own times count; on change, the window's ends do.
        elapsed_ms = window_ms if self.stale_ms is None else self._times[high - 1] - self._times[base]
        if elapsed_ms <= 0:
            return None
        return (self._values[high - 1] - self._values[base]) * 1000.0 / elapsed_ms

    def counter_rate(self, window_ms: int, end_ms: int) -> float | None:
        """`rate` of a counter: its increase, per second."""
        base = self._base(window_ms, end_ms)
        if base is None:
            return None
        high = bisect_right(self._times, end_ms, self._first)
        elapsed_ms = window_ms if self.stale_ms is None else self._times[high - 1] - self._times[base]
        return self._climb(base, high) * 1000.0 / elapsed_ms if elapsed_ms > 0 else None

    # ------------------------------------------------------------------ what they are made of

    def _bounds(self, window_ms: int, end_ms: int) -> tuple[int, int]:
        low = bisect_right(self._times, end_ms - window_ms, self._first)
        return low, bisect_right(self._times, end_ms, low)

    def _enters(self, place: int, begin_ms: int) -> bool:
        """Whether the sample at `place` exists and still held when the window began."""
        if place < self._first:
            return False
        return self.stale_ms is None or self._times[place] + self.stale_ms >= begin_ms

    def _held(self, window_ms: int, end_ms: int) -> Iterator[tuple[int, int, float]]:
        """The stretches of the window over which a believable value held."""
        low, high = self._bounds(window_ms, end_ms)
        for place in range(max(low - 1, self._first), high):
            value = self._values[place]
            finish = self._times[place + 1] if place + 1 < high else end_ms
            if self.stale_ms is not None:
                finish = min(finish, self._times[place] + self.stale_ms)
            begin = max(self._times[place], end_ms - window_ms)
            if finish > begin and not isnan(value):
                yield begin, finish, value

    def is_covered(self, window_ms: int, end_ms: int) -> bool:
        """Whether enough is known of the window to answer for it."""
        if self.stale_ms is None:
            return bisect_right(self._times, end_ms - window_ms, self._first) > self._first
        if self._is_whole(end_ms - window_ms, end_ms):
            return True
        return self.covered_ms(window_ms, end_ms) >= COVERED_MIN * window_ms

    def _is_whole(self, begin_ms: int, end_ms: int) -> bool:
        """Whether nothing at all is missing in between: told without looking at every sample of a long window."""
        since, stale = self._whole_since_ms, self.stale_ms or 0
        return (
            since is not None and begin_ms >= max(since, self._times[self._first]) and end_ms <= self._times[-1] + stale
        )

    def _extreme(
        self, choose: Callable[[list[float]], float], utmost: float, window_ms: int, end_ms: int
    ) -> float | None:
        """`utmost` is as far as a state can go: once seen, it is the answer whatever else the window held."""
        low, high = self._bounds(window_ms, end_ms)
        low = low - 1 if self._enters(low - 1, end_ms - window_ms) else low
        known = [value for value in self._values[low:high] if not isnan(value)]
        if self.is_state and utmost in known:
            return utmost
        return choose(known) if known and self.is_covered(window_ms, end_ms) else None

    def _steps(self, window_ms: int, end_ms: int) -> Iterator[tuple[float, float]]:
        """Each believable value with the one before it, beginning with the value held when the window began."""
        low, high = self._bounds(window_ms, end_ms)
        before = nan
        for place in range(max(low - 1, self._first), high):
            value = self._values[place]
            if isnan(value):
                continue
            if not isnan(before):
                yield before, value
            before = value

    def _base(self, window_ms: int, end_ms: int) -> int | None:
        """The sample an increase is counted from: the one held when the window began, else the first one soon after."""
        low, high = self._bounds(window_ms, end_ms)
        if self._enters(low - 1, end_ms - window_ms) and not isnan(self._values[low - 1]):
            return low - 1 if high > self._first else None
        soon = end_ms - COVERED_MIN * window_ms
        while low < high and isnan(self._values[low]):
            low += 1
        return low if self.stale_ms is not None and low < high and self._times[low] <= soon else None

    def _climb(self, base: int, high: int) -> float:
        total, before = 0.0, self._values[base]
        for value in self._values[base + 1 : high]:
            if isnan(value):
                continue
            if value >= before:
                total += value - before
            elif self.wrap and before >= self.wrap * (1 - _WRAP_MARGIN) and value <= self.wrap * _WRAP_MARGIN:
                total += self.wrap - before + value
            else:
                total += value
            before = value
        return total
