"""What the pool promises beyond psycopg's: a task that was cancelled does not go on."""

import asyncio

import pytest

from ledger.errors import LedgerError, Unavailable, Unreachable
from ledger.pool import INGEST_ROLE, Connection, open_pool, pipelined, transaction
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
        await asyncio.wait([waiting], timeout=30)
        assert waiting.cancelled()


async def test_what_fails_in_a_pipeline_is_what_is_raised(database_url: str) -> None:
    """A missing table is our own mistake; were it taken for a lost database, the line would wait for ever."""
    async with open_pool(database_url, role=INGEST_ROLE, size_max=1) as pool:
        with pytest.raises(LedgerError, match="nowhere") as caught:
            async with transaction(pool) as connection, pipelined(connection):
                await connection.execute("insert into nowhere values (1)")
                later = await connection.execute("select 1")
                await later.fetchone()
        assert not isinstance(caught.value, Unavailable)
        with pytest.raises(LedgerError, match="nowhere"):
            async with transaction(pool) as connection, pipelined(connection):
                await connection.execute("insert into nowhere values (1)")
        async with transaction(pool) as connection:
            assert await (await connection.execute("select 1")).fetchone() == (1,)


async def test_that_there_is_no_connection_is_told_from_what_only_one_transaction_met(database_url: str) -> None:
    """Who goes round the sites passes over the second, and stops at the first."""
    async with open_pool(database_url, role=INGEST_ROLE, size_max=1) as pool:
        with pytest.raises(Unavailable) as met:
            async with transaction(pool) as connection:
                await connection.execute("do $$ begin raise lock_not_available; end $$")
        assert not isinstance(met.value, Unreachable)
        pool.timeout = 0.01
        async with pool.connection():
            with pytest.raises(Unreachable):
                async with transaction(pool):
                    pass


async def test_a_connection_whose_server_hung_up_while_it_rested_is_replaced_before_use(
    database_url: str, connection: Connection
) -> None:
    async def own_pid() -> int:
        async with transaction(pool) as mine:
            return mine.info.backend_pid

    async def is_gone(pid: int) -> bool:
        return (
            await (await connection.execute("select 1 from pg_stat_activity where pid = %s", [pid])).fetchone() is None
        )

    async with open_pool(database_url, role=INGEST_ROLE, size_max=1) as pool:
        first = await own_pid()
        assert await own_pid() == first  # one that is alive stays
        await connection.execute("select pg_terminate_backend(%s)", [first])
        await wait_until(lambda: is_gone(first))
        assert await own_pid() != first
