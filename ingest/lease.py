"""Holding the sites this worker judges (promise 10), over broken connections too."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping

from ingest.errors import SiteTaken
from ledger.errors import Unavailable
from ledger.leases import LeaseSession

WAIT_S = 3.0  # a predecessor that was just killed may not have been noticed yet
_POLL_S = 0.1

_log = logging.getLogger(__name__)


class Lease:
    """`hold` before every transaction that judges: it costs nothing while nothing has changed."""

    def __init__(self, database_url: str, name: str) -> None:
        self._database_url, self._name = database_url, name
        self._session: LeaseSession | None = None
        self._held: set[int] = set()
        self._former_pids: set[int] = set()
        self._is_doubted = False

    def doubt(self) -> None:
        """Something failed: look at the session before it is relied on again."""
        self._is_doubted = True

    async def hold(self, sites: Mapping[int, str]) -> int:
        """Hold these sites (id -> key); gives the session to name in `leases.fence`.

        Raises Unavailable when the database is away or our own former session lingers, SiteTaken when somebody else
        has one of them.
        """
        session = await self._live_session()
        for site_id, key in sites.items():
            if site_id not in self._held:
                await self._take(session, site_id, key)
                self._held.add(site_id)
        return session.pid

    async def close(self) -> None:
        if self._session is not None:
            with contextlib.suppress(Unavailable):
                await self._session.close()
        self._session = None
        self._held.clear()

    async def _live_session(self) -> LeaseSession:
        if self._session is not None and self._is_doubted:
            try:
                await self._session.prove()
            except Unavailable:
                _log.warning("the session that held our sites is gone; nothing is judged until they are held again")
        self._is_doubted = False
        if self._session is not None and not self._session.is_open:
            self._former_pids.add(self._session.pid)
            await self.close()
        if self._session is None:
            self._session = await LeaseSession.open(self._database_url, self._name)
        return self._session

    async def _take(self, session: LeaseSession, site_id: int, key: str) -> None:
        deadline = asyncio.get_running_loop().time() + WAIT_S
        while not await session.take(site_id):
            holder = await session.holder(site_id)
            if asyncio.get_running_loop().time() > deadline:
                if holder is not None and holder.pid in self._former_pids:
                    raise Unavailable(f"site {key} is still held by our own broken session {holder.pid}")
                raise SiteTaken(key, holder)
            await asyncio.sleep(_POLL_S)
        while not await session.has_passed_fence(site_id):
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable(f"a transaction of the worker that judged {key} before is still under way")
            await asyncio.sleep(_POLL_S)
