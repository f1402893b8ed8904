"""Which values of a point leave every answer that hangs on it as it is, and until when: the quiet band of each point.

Everything here errs on one side. A band may be narrower than it could be, and a moment earlier: then a sample is judged
that need not have been. It is never wider.
"""

import operator
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isnan, nextafter

from rules.signals import Signal
from rules.stakes import EVERYTHING, NOTHING, Age, Cut, OverTime, Range, Reckoned, Same, Stake
from rules.windows import COVERED_MIN, History

NEVER = 1 << 62  # later than any moment

_HOLDS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# Their answer moves with every sample and every moment: nothing is promised of them.
_RESTLESS = frozenset({"mean", "rate", "increase"})
_WIDEST = 1e12
_HALVINGS = 100


@dataclass(slots=True)
class Look:
    """What one condition needs of one point's past, as of when it was last judged."""

    stake: OverTime | Age
    within: Range = NOTHING
    until_ms: int = 0
    _history: "_Scan" = field(init=False)

    def __post_init__(self) -> None:
        self._history = _Scan(self.stake.signal.history)

    def renew(self, now_ms: int) -> None:
        """Look again, as of a moment up to which the condition was judged."""
        self.within, self.until_ms = self._aged(now_ms) if isinstance(self.stake, Age) else self._passed(now_ms)

    def _aged(self, now_ms: int) -> tuple[Range, int]:
        # How old it is is an edge of its own; a sample makes it young again, which says nothing new to who is not old.
        stake = self.stake
        assert isinstance(stake, Age)
        last_ms = stake.signal.last_ms
        is_young = stake.limit_s is not None and last_ms is not None and now_ms < last_ms + round(stake.limit_s * 1000)
        return (EVERYTHING if is_young else NOTHING), NEVER

    def _passed(self, now_ms: int) -> tuple[Range, int]:
        stake = self.stake
        assert isinstance(stake, OverTime)
        signal, window_ms = stake.signal, stake.window_ms
        history, value = signal.history, signal.value
        if stake.function in _RESTLESS:
            return NOTHING, (0 if signal.stale_ms is None else NEVER)
        if value is None or signal.last_ms is None or not len(history):
            return NOTHING, NEVER
        end_ms = signal.last_ms if signal.stale_ms is not None else max(now_ms, signal.last_ms)
        if signal.is_event:
            leaves_ms = history.departure(window_ms, end_ms)
            return NOTHING, NEVER if leaves_ms is None else leaves_ms
        begin_ms = history.entered_ms(window_ms, end_ms)
        self._history.go_on(stake)
        if self._history.broken_ms >= begin_ms:
            return NOTHING, (0 if signal.stale_ms is None else NEVER)
        within, until_ms = self._answer(stake, value, begin_ms)
        if not history.is_covered(window_ms, end_ms):
            until_ms = min(until_ms, _covered_by(history, window_ms, end_ms))
        return within, until_ms

    def _answer(self, stake: OverTime, value: float, begin_ms: int) -> tuple[Range, int]:
        seen, window_ms = self._history, stake.window_ms
        if (
            stake.operator in _HOLDS
            and stake.function in ("min_over", "max_over")
            and not stake.signal.history.is_state
        ):
            # Of the two answers a sample can give, one decides for the whole window: it is below the limit as soon as
            # one sample is.
            decides = (stake.function == "min_over") == (stake.operator in ("<", "<="))
            deciding_ms, other_ms = (seen.true_ms, seen.false_ms) if decides else (seen.false_ms, seen.true_ms)
            if deciding_ms >= begin_ms and other_ms >= begin_ms:
                return EVERYTHING, deciding_ms + window_ms
            return _between(_regions([Cut(stake.signal, stake.operator or "", stake.limit)]), value), NEVER
        if seen.step_ms <= begin_ms:
            return (value, value), NEVER
        if stake.function == "frozen":
            return EVERYTHING, seen.step_ms + window_ms  # one change is enough, whatever comes
        return (value, value), stake.signal.history.first_step_ms(begin_ms) + window_ms


@dataclass(slots=True)
class _Scan:
    """What was last seen where in a history; read on from where it was left."""

    history: History
    revised: int = -1
    upto_ms: int = -1
    before: float = 0.0
    true_ms: int = -1  # the newest sample that answers yes
    false_ms: int = -1
    step_ms: int = -1  # the newest that differs from the one before
    broken_ms: int = -1  # the newest that is no value

    def go_on(self, stake: OverTime) -> None:
        if self.revised != self.history.revised:
            self.revised, self.upto_ms = self.history.revised, -1
            self.true_ms = self.false_ms = self.step_ms = self.broken_ms = -1
        holds = _HOLDS.get(stake.operator or "", operator.eq)
        for ts_ms, value in self.history.after(self.upto_ms):
            if isnan(value):
                self.broken_ms = ts_ms
                continue
            if self.upto_ms >= 0 and value != self.before:
                self.step_ms = ts_ms
            if holds(value, stake.limit):
                self.true_ms = ts_ms
            else:
                self.false_ms = ts_ms
            self.before, self.upto_ms = value, ts_ms


def _covered_by(history: History, window_ms: int, end_ms: int) -> int:
    """A moment before which a window that is not covered will not be."""
    if history.stale_ms is None:
        return history.oldest_ms() + window_ms
    return end_ms + max(0, int(COVERED_MIN * window_ms) - history.covered_ms(window_ms, end_ms))


def _regions(cuts: Iterable[Cut]) -> list[float]:
    """Where the line of values is cut: from each of these to just before the next, no comparison changes its mind."""
    found = {-inf}
    for cut in cuts:
        if cut.operator in ("<", ">=", "==", "!="):
            found.add(cut.limit)
        if cut.operator in ("<=", ">", "==", "!="):
            found.add(nextafter(cut.limit, inf))
    return sorted(found)


def _between(starts: Sequence[float], value: float) -> Range:
    place = bisect_right(starts, value)
    return starts[place - 1], (nextafter(starts[place], -inf) if place < len(starts) else inf)


@dataclass(slots=True)
class PointOutlook:
    """The quiet band of one point, over all conditions that look at it."""

    signal: Signal
    looks: tuple[Look, ...] = ()
    _starts: tuple[float, ...] = (-inf,)
    _is_exact: bool = False
    _reckoned: tuple[tuple[Reckoned, list[Range]], ...] = ()

    def mind(self, stakes: Iterable[Stake]) -> None:
        cuts: list[Cut] = []
        for stake in stakes:
            match stake:
                case Cut():
                    cuts.append(stake)
                case Same():
                    self._is_exact = True
                case Reckoned():
                    self._reckoned += ((stake, list[Range]()),)
                case _:
                    pass
        self._starts = tuple(sorted({*self._starts, *_regions(cuts)}))

    def band(self) -> Range:
        """From where to where its value may go."""
        value = self.signal.value
        if value is None or self.signal.is_event or self.signal.link.is_offline:
            return NOTHING
        low, high = (value, value) if self._is_exact else _between(self._starts, value)
        for stake, known in self._reckoned:
            low, high = _narrowed((low, high), _held(stake, known, value))
        for look in self.looks:
            low, high = _narrowed((low, high), look.within)
        return low, high


def _narrowed(one: Range, other: Range) -> Range:
    return max(one[0], other[0]), min(one[1], other[1])


def _held(stake: Reckoned, known: list[Range], value: float) -> Range:
    """The values around this one for which the answer is surely the same; remembered, for they do not change."""
    for found in known:
        if found[0] <= value <= found[1]:
            return found
    low, high = value, value
    if not stake.holds((value, value)):
        return value, value
    step = _WIDEST
    for _ in range(_HALVINGS):
        if low - step < low and stake.holds((low - step, high)):
            low -= step
        if high + step > high and stake.holds((low, high + step)):
            high += step
        step /= 2
    known.append((low, high))
    return low, high
