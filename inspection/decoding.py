"""Decoding off the event loop, a few pictures at a time: what a phone sends must not hold up an alarm."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from ledger.errors import Unavailable

AT_ONCE_MAX = 2
WAITING_MAX = 8
Answer = TypeVar("Answer")


class Darkroom:
    """Runs work on pictures in threads, AT_ONCE_MAX together; who finds WAITING_MAX before him is sent away."""

    def __init__(self, *, at_once_max: int = AT_ONCE_MAX, waiting_max: int = WAITING_MAX) -> None:
        self._slots = asyncio.Semaphore(at_once_max)
        self._waiting_max = waiting_max
        self.waiting = 0

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Raises Unavailable."""
        if self.waiting >= self._waiting_max:
            raise Unavailable(f"{self.waiting} files wait already: try again")
        self.waiting += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(work)
        finally:
            self.waiting -= 1
