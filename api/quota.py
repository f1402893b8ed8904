"""So many within a span, for each of many who ask: in memory, bounded, by the stopwatch."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

KEPT_MAX = 20_000


@dataclass(slots=True)
class Quota:
    most: int
    window_s: float
    stopwatch: Callable[[], float] = time.monotonic
    _taken: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict[str, deque[float]])

    def take(self, who: str) -> float | None:
        """None: it is taken. Otherwise for how many seconds there is none left."""
        wait_s = self.left_in_s(who)
        if wait_s is None:
            self._taken.setdefault(who, deque(maxlen=self.most)).append(self.stopwatch())
            self._taken.move_to_end(who)
            while len(self._taken) > KEPT_MAX:
                self._taken.popitem(last=False)
        return wait_s

    def left_in_s(self, who: str) -> float | None:
        """None: there is one left now. Otherwise in how many seconds there will be."""
        taken = self._taken.get(who)
        if taken is None or len(taken) < self.most:
            return None
        wait_s = taken[0] + self.window_s - self.stopwatch()
        return wait_s if wait_s > 0 else None
