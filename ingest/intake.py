"""What has come in and waits to be judged, cut into bounded batches.

A batch ends at so many messages or so many bytes. Before that it is cut when the line is free for it: what comes in
while one is being written is the next. Only where batches would be many and small do they keep a distance, the farther
the longer they take, so that a busy line is not spent on transactions; a quiet one judges at once. Nothing is bounded
here but the batch: how much may wait is the session's bound.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from ingest.bundle import Bundle
from ingest.delivery import Delivery

BATCH_BYTES_MAX = 1024 * 1024  # a store emptied in long lists must not make one transaction of a day
_BUSY_MESSAGES = 20  # a batch of so many is followed at the full linger, a smaller one sooner
_BUSY_SHARE = 0.5
_LINGER_MESSAGES = 50  # a large batch may come so many lingers after the last as it has this many messages
_LINGERS_MAX = 20
_LINGERS_BEHIND = 40


class Intake:
    """Deliveries in order of arrival, in bundles as they will be judged. `read_ahead` is called with the next one when it has
    grown, and with no other: what is read takes up to five times the memory of its payload.
    """

    def __init__(self, *, messages_max: int, linger_s: float, read_ahead: Callable[[Bundle], None]) -> None:
        self._messages_max, self._linger_s, self._read_ahead = messages_max, linger_s, read_ahead
        self._waiting: deque[Bundle] = deque()
        self._moved = asyncio.Event()
        self.is_behind = False  # what comes has been waiting at the broker
        self._cut_at, self._taken = 0.0, 0  # the last batch

    def __len__(self) -> int:
        return sum(map(len, self._waiting))

    @property
    def oldest_received_ms(self) -> int | None:
        return self._waiting[0].deliveries[0].received_ms if self._waiting else None

    def put(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            if not self._waiting or self._is_full(self._waiting[-1]):
                self._waiting.append(Bundle())
            self._waiting[-1].put(delivery)
        if self._waiting:
            self._read_ahead(self._waiting[0])
        self._moved.set()

    def wake(self) -> None:
        """Let whoever waits for a batch look up."""
        self._moved.set()

    async def batch(self, until: float, *, may_linger: Callable[[], bool] = lambda: True) -> Bundle:
        """The next batch; empty when nothing came until then (a moment of the loop's clock)."""
        loop = asyncio.get_running_loop()
        took_s = loop.time() - self._cut_at
        next_at = self._cut_at + distance_s(self._linger_s, self._taken, took_s, is_behind=self.is_behind)
        while True:
            due = min(until, next_at) if self._waiting else until
            if (self._waiting and self._is_full(self._waiting[0])) or loop.time() >= due or not may_linger():
                return self._cut(loop.time())
            self._moved.clear()
            try:
                async with asyncio.timeout_at(due):
                    await self._moved.wait()
            except TimeoutError:
                return self._cut(loop.time())

    def _is_full(self, bundle: Bundle) -> bool:
        return len(bundle) >= self._messages_max or bundle.payload_bytes >= BATCH_BYTES_MAX

    def _cut(self, now_s: float) -> Bundle:
        taken = self._waiting.popleft() if self._waiting else Bundle()
        self._cut_at, self._taken = now_s, len(taken)
        return taken


def distance_s(linger_s: float, messages: int, took_s: float, *, is_behind: bool = False) -> float:
    """From the beginning of a batch to that of the next, by how many messages it had and how long they took: the linger;
    up to twenty times that where large batches would take more than half of the time; forty times where all of it is late
    anyway. A small batch takes long because of the alarms in it, and distance would only make the next ones late.
    """
    farthest_s = min(max(1.0, messages / _LINGER_MESSAGES), _LINGERS_MAX) * linger_s
    full_s = _LINGERS_BEHIND * linger_s if is_behind else min(max(linger_s, took_s / _BUSY_SHARE), farthest_s)
    return min(1.0, messages / _BUSY_MESSAGES) * full_s
