"""Who is to be looked at when time passes, soonest first.

A watch has at most one entry that counts. Samples keep moving its next moment away, mostly later (the point that just
reported goes stale later than before), so an entry is not moved but looked at again when it comes up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

from rules.watch import Watch


class Foresight(Protocol):
    """What is known of watches whose samples were only noted."""

    def quiet_until(self, watches: Sequence[Watch]) -> Sequence[int]:
        """The moment before which nothing happens to each of them by itself; 0: not known."""
        ...

    def settle(self, watches: Iterable[Watch]) -> None:
        """Let them know of those samples."""
        ...


@dataclass(slots=True)
class Schedule:
    _entries: list[tuple[int, int, Watch]] = field(default_factory=list[tuple[int, int, Watch]])
    _planned: dict[int, int] = field(default_factory=dict[int, int])  # condition -> the moment of its entry
    _order: "count[int]" = field(default_factory=count)

    def put(self, watch: Watch, moment_ms: int | None) -> None:
        """See to it that the watch comes up at that moment or before."""
        if moment_ms is None:
            return
        planned = self._planned.get(watch.condition_id)
        if planned is None or moment_ms < planned:
            self._planned[watch.condition_id] = moment_ms
            heappush(self._entries, (moment_ms, next(self._order), watch))

    def due(self, to_ms: int, sieve: Foresight) -> list[Watch]:
        """Take out everyone who has something to do until then."""
        found: list[Watch] = []
        while (up := self._come_up(to_ms)) and (untils := sieve.quiet_until(up)):
            for watch, until_ms in zip(up, untils, strict=True):
                if until_ms > to_ms:
                    self.put(watch, until_ms)
                    continue
                sieve.settle((watch,))
                next_ms = watch.next_ms() if watch.is_begun else 0
                if next_ms is not None and next_ms <= to_ms:
                    found.append(watch)
                else:
                    self.put(watch, next_ms)
        return found

    def _come_up(self, to_ms: int) -> list[Watch]:
        found: list[Watch] = []
        while self._entries and self._entries[0][0] <= to_ms:
            moment_ms, _, watch = heappop(self._entries)
            if self._planned.get(watch.condition_id) == moment_ms:  # else an earlier entry took its place
                del self._planned[watch.condition_id]
                found.append(watch)
        return found
