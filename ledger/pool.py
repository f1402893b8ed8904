"""Open the pool; `transaction`, the one place that commits; the connection everyone is handed.

A caller enters `transaction`, calls typed ledger functions with the connection, and leaves: everything inside is
committed together or not at all. No ledger function commits, and none opens a connection of its own.
"""

import asyncio
import select
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import LiteralString

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from ledger.constraints import translate
from ledger.errors import Unreachable

Connection = AsyncConnection[TupleRow]
Pool = AsyncConnectionPool[Connection]

INGEST_ROLE = "taizhang_ingest"
API_ROLE = "taizhang_api"


@asynccontextmanager
async def open_pool(
    database_url: str, *, role: str | None, size_max: int = 8, statement_timeout_ms: int = 30_000
) -> AsyncGenerator[Pool]:
    """A pool whose connections act as `role`, in UTC, with statements bounded in time.

    The services act as INGEST_ROLE and API_ROLE; None, for those who set things up, stays the user of the URL.

    Raises Unreachable if the first connection cannot be made within ten seconds.
    """

    async def configure(connection: Connection) -> None:
        if role is not None:
            await connection.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        await connection.execute("set time zone 'UTC'")
        await connection.execute(sql.SQL("set statement_timeout = {}").format(sql.Literal(f"{statement_timeout_ms}ms")))
        await connection.execute("set lock_timeout = '10s'")
        if role == INGEST_ROLE:
            # A worker that froze in the middle of judging must not keep its successor from the sites for ever; one that
            # builds the rules of a large site on a slow machine is not frozen.
            await connection.execute("set idle_in_transaction_session_timeout = '10min'")
        await connection.commit()

    pool: Pool = AsyncConnectionPool(
        database_url,
        connection_class=AsyncConnection[TupleRow],
        min_size=1,
        max_size=size_max,
        timeout=10.0,
        configure=configure,
        check=_check,
        open=False,
        name=role or "taizhang-owner",
    )
    try:
        await pool.open(wait=True, timeout=10.0)
    except PoolTimeout as error:
        await pool.close()
        raise Unreachable(f"database unavailable: {error}") from error
    try:
        yield pool
    finally:
        await pool.close()


async def _check(connection: Connection) -> None:
    """Raises OperationalError if the server has hung up. A connection at rest has nothing to be read but that: so to look
    at its socket tells it, where the pool's own check is a trip to the server before every transaction.
    """
    socket = select.poll()
    socket.register(connection.fileno(), select.POLLIN)
    if socket.poll(0):
        await connection.close()  # or the pool, which sees nothing wrong with it, would offer it again
        raise psycopg.OperationalError("the server has closed the connection")


def database_url(pool: Pool) -> str:
    """Where the pool's connections go: for what needs one of its own."""
    assert isinstance(pool.conninfo, str), "open_pool is given a string"
    return pool.conninfo


@asynccontextmanager
async def transaction(
    pool: Pool, *, sites: Iterable[int] | None = None, person: int | None = None, desk: bool = False
) -> AsyncGenerator[Connection]:
    """One transaction: commits on leaving, rolls back on any error. Driver errors come out as ledger errors.

    For the api's role, which without them sees no rows at all: `sites` is the scope of row-level security, `person` who
    is signed in and may see what is his own. `desk` opens what recognises people (passwords, sessions, tokens) and lets
    their records be written. Ingest's role is bound by no policy and leaves them out.
    """
    settings: dict[LiteralString, str] = {}
    if sites is not None:
        settings["taizhang.sites"] = ",".join(str(int(site)) for site in sites)
    if person is not None:
        settings["taizhang.person"] = str(person)
    if desk:
        settings["taizhang.desk"] = "on"
    try:
        requested = _cancellations()
        async with pool.connection() as connection:
            if _cancellations() > requested:
                # Where a connection is handed over in the moment its waiter is cancelled, Python 3.11's wait_for gives
                # the connection and forgets the cancellation: the task would go on, and whoever ended it wait for ever.
                raise asyncio.CancelledError
            if settings:
                statement = "select " + ", ".join(f"set_config('{name}', %s, true)" for name in settings)
                await connection.execute(statement, list(settings.values()))
            yield connection
    except PoolTimeout as error:
        raise Unreachable(f"database unavailable: {error}") from error
    except psycopg.Error as error:
        raise translate(error) from error


@asynccontextmanager
async def pipelined(connection: Connection) -> AsyncGenerator[None]:
    """Statements inside are sent without waiting for the ones before; asking for a statement's rows waits for all up to it.

    So an error may come out of a later statement than the one that made it, at the latest on leaving, and a cursor's
    `rowcount` says nothing until its rows were asked for: what has to know asks for them (`returning`). No COPY, no
    savepoint.
    """
    async with connection.pipeline():
        yield


def _cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0
