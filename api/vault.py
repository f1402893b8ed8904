"""Hashing passwords beside the event loop: two at a time, some waiting, the rest told to come again.

Each hash costs 64 MiB and a core for a moment. A flood of sign-ins must take neither the memory nor the moments that
alarms need.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from api.problems import TooManyAttempts
from credentials.passwords import CannotHash, Hasher

AT_ONCE = 2
WAITING_MAX = 20
RETRY_S = 5

T = TypeVar("T")

log = logging.getLogger(__name__)


class Vault:
    def __init__(self, hasher: Hasher | None = None) -> None:
        self._hasher = hasher or Hasher()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")
        self._taken = 0

    async def hash(self, password: str) -> str:
        """Raises TooManyAttempts."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, hashed: str | None, password: str) -> bool:
        """None takes its time as well, and is nobody's. Raises TooManyAttempts."""
        return await self._run(lambda: self._hasher.verify(hashed, password))

    def is_outdated(self, hashed: str) -> bool:
        return self._hasher.is_outdated(hashed)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._taken >= AT_ONCE + WAITING_MAX:
            raise TooManyAttempts(RETRY_S)
        self._taken += 1
        # Shielded: a client that goes away does not free the thread that still hashes for it.
        return await asyncio.shield(self._counted(work))

    async def _counted(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except CannotHash as error:
            log.warning("a password could not be looked at: %s", error)
            raise TooManyAttempts(RETRY_S) from error
        finally:
            self._taken -= 1
