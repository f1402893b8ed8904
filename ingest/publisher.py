"""The alarms topic: what the outbox holds goes out at QoS 1, and counts as published once the broker has said so.

A crash in between publishes again, never forgets: messages bear alarm id and version, so a listener can tell.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from ingest import wire
from ingest.session import Session
from ledger import idempotency, outbox
from ledger.errors import LedgerError
from ledger.pool import Pool, transaction
from settings import Clock

POLL_S = 1.0  # what the api changes is published too, and nobody wakes us for that
ROUND_MAX = 200
TRIM_EVERY_S = 600.0
TRIM_MAX = 5_000  # in one transaction
KEPT = timedelta(days=7)  # how long a reader of the live stream may have been away

_log = logging.getLogger(__name__)


class Publisher:
    def __init__(self, pool: Pool, session: Session, site_ids: Callable[[], list[int]], clock: Clock) -> None:
        self._pool, self._session, self._site_ids, self._clock = pool, session, site_ids, clock
        self._wanted = asyncio.Event()
        self._trim_at = 0.0

    def wake(self) -> None:
        self._wanted.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._wanted.clear()
            try:
                last_id: int | None = 0
                while last_id is not None:
                    last_id = await self._publish_some(last_id)
                await self._trim()
            except LedgerError as error:
                _log.debug("publishing waits: %s", error)
            try:
                async with asyncio.timeout(POLL_S):
                    await self._wanted.wait()
            except TimeoutError:
                pass

    async def _publish_some(self, after_id: int) -> int | None:
        """The last one looked at, where there may be more behind it. What the broker refuses is behind us then: at the next
        round it is tried again, and it keeps nothing else from being said.
        """
        if self._session.connected_since_ms is None:
            return None
        async with transaction(self._pool) as connection:
            waiting = await outbox.unpublished(connection, self._site_ids(), after_id=after_id, limit=ROUND_MAX)
        if not waiting:
            return None
        answers = await self._session.publish([(each.topic, wire.encode_alarm(each.payload)) for each in waiting])
        arrived = [each.id for each, answered in zip(waiting, answers, strict=True) if answered]
        if arrived:
            async with transaction(self._pool) as connection:
                await outbox.mark_published(connection, arrived, self._clock())
        return waiting[-1].id if len(waiting) == ROUND_MAX else None

    async def _trim(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._trim_at:
            self._trim_at = now_s + TRIM_EVERY_S
            for trim in (outbox.trim, idempotency.trim):
                trimmed = TRIM_MAX
                while trimmed == TRIM_MAX:
                    async with transaction(self._pool) as connection:
                        trimmed = await trim(connection, self._clock() - KEPT, limit=TRIM_MAX)
