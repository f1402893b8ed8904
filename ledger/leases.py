"""A site is judged by one worker at a time (promise 10): an advisory lock per site, held by a session of its own.

The lock lives as long as its session, so a worker that dies lets go by itself. A session can be lost in the middle of a
transaction, and a worker that was cut off must not write beside its successor. So each transaction that judges a site
holds that site's fence, shared, until it ends, and asks only then whether the session still has the lease; whoever takes
the lease waits until nobody holds the fence. Either the transaction began under the lease, and the successor waits for
its end; or it began later, and finds the lease gone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import TupleRow

from ledger.constraints import translate
from ledger.errors import Unavailable
from ledger.pool import Connection

_LOCK_CLASS, _FENCE_CLASS = 7_482_021, 7_482_022  # with the site's id
_SESSION_NAME_CHARS_MAX = 63  # of PostgreSQL's application_name
# A session whose worker's machine vanished is given up within half a minute.
_KEEPALIVE = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a site, as far as the database may tell us."""

    pid: int
    name: str
    address: str
    since: datetime | None

    def __str__(self) -> str:
        since = f" since {self.since.isoformat(timespec='seconds')}" if self.since else ""
        return f"{self.name or 'a worker'} at {self.address or 'this machine'} (database session {self.pid}){since}"


class LeaseSession:
    """The session that holds the locks. It acts as the user who connects: the roles may not look at other sessions."""

    def __init__(self, connection: AsyncConnection[TupleRow]) -> None:
        self._connection = connection
        self.pid = connection.info.backend_pid

    @classmethod
    async def open(cls, database_url: str, name: str) -> "LeaseSession":
        """Raises Unavailable."""
        try:
            connection = await AsyncConnection[TupleRow].connect(
                database_url,
                autocommit=True,
                connect_timeout=10,
                application_name=name[:_SESSION_NAME_CHARS_MAX],
                options=_KEEPALIVE,
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=4,
            )
        except psycopg.Error as error:
            raise translate(error) from error
        return cls(connection)

    @property
    def is_open(self) -> bool:
        return not (self._connection.closed or self._connection.broken)

    async def close(self) -> None:
        await self._connection.close()

    async def take(self, site_id: int) -> bool:
        """Whether the site is ours now. Raises Unavailable when the session is gone."""
        return bool(await self._ask("select pg_try_advisory_lock(%s, %s)", [_LOCK_CLASS, site_id]))

    async def has_passed_fence(self, site_id: int) -> bool:
        """Whether no transaction of a former holder is under way any more. Asked once we hold the site: none can begin."""
        if not await self._ask("select pg_try_advisory_lock(%s, %s)", [_FENCE_CLASS, site_id]):
            return False
        await self._ask("select pg_advisory_unlock(%s, %s)", [_FENCE_CLASS, site_id])
        return True

    async def prove(self) -> None:
        """Raises Unavailable when the session is gone and nobody has noticed yet."""
        await self._ask("select 1", [])

    async def holder(self, site_id: int) -> Holder | None:
        """Who holds a site; None when nobody does."""
        try:
            cursor = await self._connection.execute(
                "select pg_locks.pid, coalesce(application_name, ''), coalesce(host(client_addr), ''), backend_start "
                "from pg_locks left join pg_stat_activity on pg_stat_activity.pid = pg_locks.pid "
                "where locktype = 'advisory' and classid = %s and objid = %s and objsubid = 2 and granted "
                "and database = (select oid from pg_database where datname = current_database())",
                [_LOCK_CLASS, site_id],
            )
            row = await cursor.fetchone()
        except psycopg.Error as error:
            raise translate(error) from error
        return Holder(*row) if row else None

    async def _ask(self, statement: LiteralString, values: list[int]) -> object:
        try:
            cursor = await self._connection.execute(statement, values)
            row = await cursor.fetchone()
        except psycopg.Error as error:
            raise translate(error) from error
        return row and row[0]


async def fence(connection: Connection, session_pid: int, site_ids: Iterable[int]) -> AsyncCursor[TupleRow]:
    """In a transaction that judges these sites: from here to its end nobody else begins to judge them. Gives what `require`
    is to be asked with, which may still be on its way.
    """
    wanted = set(site_ids)
    # A statement of its own, before the question: what it waits for must be over when the question is asked.
    await connection.execute(
        "select pg_advisory_xact_lock_shared(%s, site) from unnest(%s::int[]) as site", [_FENCE_CLASS, sorted(wanted)]
    )
    return await connection.execute(
        "select objid::int from pg_locks where locktype = 'advisory' and classid = %s and objsubid = 2 and granted "
        "and pid = %s and database = (select oid from pg_database where datname = current_database())",
        [_LOCK_CLASS, session_pid],
    )


async def require(fenced: AsyncCursor[TupleRow], site_ids: Iterable[int]) -> None:
    """Raises Unavailable if the session does not hold these sites any more."""
    wanted, held = set(site_ids), {row[0] async for row in fenced}
    if not wanted <= held:
        raise Unavailable(f"the session that holds our sites is gone: {sorted(wanted - held)} must be taken again")
