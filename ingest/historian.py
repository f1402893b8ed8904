"""The sites' history beside the line: hours are made of readings, and what is past its keeping goes.

Small transactions, one after another, and rest between them: it takes a fifth of one database session's time at most,
and no lock that ingest waits for. What fails is tried again in the next round.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from ledger import history, history_expiry
from ledger.errors import LedgerError
from ledger.history_expiry import Overdue
from ledger.pool import Connection, Pool, transaction
from ledger.records import PointKind
from settings import Clock, Settings

ROUND_EVERY_S = 10.0
EXPIRE_EVERY_S = 3600.0  # of the clock
REST = 4  # times as long as the work before it
_FENCE_LOOKS_MAX = 50
_FENCE_LOOK_S = 0.1

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Keeping:
    """For how many days readings, and the hours made of them, are kept; None: for ever."""

    readings_days: Mapping[PointKind, int | None]
    hours_days: Mapping[PointKind, int | None]

    @classmethod
    def of(cls, settings: Settings) -> "Keeping":
        return cls(
            {PointKind(kind): days for kind, days in settings.readings_days},
            {PointKind(kind): days for kind, days in settings.hours_days},
        )


class TakenError(Exception):
    """Another worker is at the site's history."""


class Historian:
    def __init__(self, pool: Pool, site_ids: Callable[[], list[int]], clock: Clock, keeping: Keeping) -> None:
        self._pool, self._site_ids, self._clock, self._keeping = pool, site_ids, clock, keeping
        self._rest = REST
        self._expired_at = dict[int, float]()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            for site_id in self._site_ids():
                try:
                    await self.round(site_id)
                except TakenError:
                    _log.debug("another worker is at the history of site %d", site_id)
                except LedgerError as error:
                    _log.warning("the history of site %d waits: %s", site_id, error)
            await asyncio.sleep(ROUND_EVERY_S)

    async def catch_up(self) -> None:
        """Everything there is to do, at once and without rest: for whoever has the machine to himself."""
        self._rest = 0
        self._expired_at.clear()
        for site_id in self._site_ids():
            await self.round(site_id)

    async def round(self, site_id: int) -> None:
        """Make what there is to make, then drop what may go."""
        await self._roll(site_id)
        remade = 1
        while remade:
            async with self._turn(site_id) as connection:
                remade = await history.remake(connection, site_id, self._clock())
        if self._clock().timestamp() >= self._expired_at.get(site_id, 0.0) + EXPIRE_EVERY_S:
            await self._expire(site_id)
            self._expired_at[site_id] = self._clock().timestamp()

    async def _roll(self, site_id: int) -> None:
        async with self._turn(site_id) as connection:
            progress = await history.close(connection, site_id, self._clock())
        if progress.rolled_until >= progress.closed_until or not await self._all_know(site_id):
            return
        while progress.rolled_until < progress.closed_until:
            async with self._turn(site_id) as connection:
                window = await history.next_window(connection, site_id, progress)
            if window is None:
                return
            left: history.Window | None = window
            while left is not None:
                async with self._turn(site_id) as connection:
                    left = await history.roll(connection, site_id, left)
            progress = history.Progress(progress.closed_until, window.end)

    async def _all_know(self, site_id: int) -> bool:
        """Wait for the transactions that may not know yet how far hours are closed; not for long."""
        async with self._turn(site_id) as connection:
            mark = await history.fence(connection)
        for _ in range(_FENCE_LOOKS_MAX):
            async with self._turn(site_id) as connection:
                if await history.is_past(connection, mark):
                    return True
            await asyncio.sleep(_FENCE_LOOK_S)
        _log.debug("a transaction has been running for long; the history of site %d waits for it", site_id)
        return False

    async def _expire(self, site_id: int) -> None:
        async with self._turn(site_id) as connection:
            before = await history_expiry.by_whole_chunks(
                connection, history_expiry.horizons(self._keeping.readings_days, self._clock())
            )
        after, looked_at = 0, 0
        while looked_at is not None:
            async with self._turn(site_id) as connection:
                due, looked_at = await history_expiry.overdue(connection, site_id, before, after_point_id=after)
            dropped = await self._drop(site_id, due, before) if due else 0
            if dropped:
                _log.debug("site %d: dropped %d readings", site_id, dropped)
            elif looked_at is not None:
                after = looked_at  # else these points again: there may be more to drop of them
        forgotten = 1
        while forgotten:
            async with self._turn(site_id) as connection:
                old = history_expiry.horizons(self._keeping.hours_days, self._clock())
                forgotten = await history_expiry.forget(connection, site_id, old)

    async def _drop(self, site_id: int, due: list[Overdue], before: Mapping[PointKind, datetime]) -> int:
        """A whole chunk if it can go, else a batch; how many readings."""
        async with self._turn(site_id) as connection:
            dropped = await history_expiry.drop_chunk(connection, due, before)
        if dropped is not None:
            return dropped
        async with self._turn(site_id) as connection:
            return (await history_expiry.drop(connection, due)).readings

    @asynccontextmanager
    async def _turn(self, site_id: int) -> AsyncGenerator[Connection]:
        """One transaction, and the rest after it."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        async with transaction(self._pool) as connection:
            if not await history.is_mine(connection, site_id):
                raise TakenError
            yield connection
        await asyncio.sleep((loop.time() - began_s) * self._rest)
