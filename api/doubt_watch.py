"""Takes back what visits put right that are doubted since: a photo that shows another place, a visit that arrived late.
And gives it back where a doubt is cleared and the visit stands again.

What casts the doubt is a transaction about another facility, and locks that one; so the fitness of this one follows in a
transaction of its own. What is in doubt is asked of the ledger anew each time: nothing is forgotten when a process dies.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ledger import fitness
from ledger.errors import LedgerError, Unreachable
from ledger.pool import Pool, transaction
from settings import Now

LOOK_S = 10.0
_AT_ONCE = 100

log = logging.getLogger(__name__)


class DoubtWatch:
    def __init__(self, pool: Pool, clock: Now) -> None:
        self._pool, self._clock = pool, clock

    async def run(self, sites: Callable[[], Awaitable[list[int]]]) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look(await sites())
            except LedgerError as error:
                log.warning("the fitness of facilities does not follow doubted visits meanwhile: %s", error)
            except Exception:
                log.exception("the watch over late doubts failed; it begins anew")
            await asyncio.sleep(LOOK_S)

    async def look(self, scope: list[int]) -> int:
        """How many it moved; one that fails silences no other. Raises Unreachable: what is left is found again."""
        async with transaction(self._pool, sites=scope) as connection:
            found = await fitness.astray(connection, limit=_AT_ONCE)
        moved = 0
        for site_id, facility_id in found:
            try:
                async with transaction(self._pool, sites=[site_id]) as connection:
                    moved += await fitness.set_right(connection, site_id, facility_id, self._clock())
            except Unreachable:
                raise
            except Exception:
                log.exception("facility %s: its fitness does not follow its doubted visits meanwhile", facility_id)
        return moved
