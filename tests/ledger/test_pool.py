"""What the pool promises beyond psycopg's: a task that was cancelled does not go on."""

import asyncio

import pytest

from ledger.pool import INGEST_ROLE, open_pool, transaction
from tests.fix_wait import loop_turns, wait_until


@pytest.mark.parametrize("steps", range(12))
async def test_a_cancellation_in_the_moment_of_getting_a_connection_is_not_lost(database_url: str, steps: int) -> None:
    """The connection is handed over so many steps of the event loop before the waiter is cancelled: at any of them."""

    async def wait_for_the_connection() -> None:
        async with transaction(pool):
            pass
        await asyncio.Event().wait()

    async with open_pool(database_url, role=INGEST_ROLE, size_max=1) as pool:
        held = await pool.getconn()
        waiting = asyncio.create_task(wait_for_the_connection())
        await wait_until(lambda: pool.get_stats().get("requests_waiting", 0) > 0)
        await pool.putconn(held)
        await loop_turns(steps)
        waiting.cancel()
        await asyncio.wait([waiting], timeout=5)
        assert waiting.cancelled()
