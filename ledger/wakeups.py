"""Waits for other transactions to put something into the outbox. One connection of its own, kept for as long as it lives."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow

from ledger.constraints import translate
from ledger.outbox import CHANNEL
from ledger.pool import Connection, Pool, database_url


class Wakeups:
    """`wait` returns when there may be something new."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def wait(self, timeout_s: float) -> bool:
        """True when a transaction that wrote to the outbox has committed since the last call; False after `timeout_s`.

        Raises Unavailable when the connection is lost: then there is no telling, and the caller begins anew.
        """
        try:
            woken = False
            async for _ in self._connection.notifies(timeout=timeout_s, stop_after=1):
                woken = True
            if woken:  # those that came with it say nothing more
                async for _ in self._connection.notifies(timeout=0):
                    pass
        except psycopg.Error as error:
            raise translate(error) from error
        return woken


@asynccontextmanager
async def listening(pool: Pool) -> AsyncGenerator[Wakeups]:
    """Listens from entering on, at the database of `pool`, but not with one of its connections. Raises Unavailable."""
    try:
        connection = await AsyncConnection[TupleRow].connect(database_url(pool), autocommit=True, connect_timeout=10)
    except psycopg.Error as error:
        raise translate(error) from error
    async with connection:
        try:
            await connection.execute(sql.SQL("listen {}").format(sql.Identifier(CHANNEL)))
        except psycopg.Error as error:
            raise translate(error) from error
        yield Wakeups(connection)
