"""What the readings take on disk, and how they are stored where the extension can do more than Debian's may.

Compression is TimescaleDB's own licence ('timescale'); Debian's package is Apache's and has none. Which one it is, is
asked, never supposed: without it, readings stay as they are.
"""

from dataclasses import dataclass

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from ledger.constraints import translate
from ledger.pool import Connection

COMPRESS_AFTER_DAYS = 14  # late readings of most gateways have come by then; later ones are taken all the same


@dataclass(frozen=True, slots=True)
class DiskUse:
    """Bytes with indexes, as the database has them on disk now."""

    readings: int
    readings_bytes: int
    hours: int
    hours_bytes: int
    compressed: bool

    @property
    def bytes_per_million(self) -> float:
        """Of a million readings; 0 where there are none."""
        return self.readings_bytes / self.readings * 1e6 if self.readings else 0.0


async def disk_use(connection: Connection) -> DiskUse:
    """Counts every reading: seconds where there are many millions."""
    is_hypertable = await _has_timescaledb(connection)
    cursor = await connection.execute(
        # A hypertable's chunks, and what they are compressed into, are tables of their own.
        "select hypertable_size('reading')" if is_hypertable else "select pg_total_relation_size('reading')"
    )
    row = await cursor.fetchone()
    assert row is not None
    cursor = await connection.execute(
        "select (select count(*) from reading), (select count(*) from reading_hour), pg_total_relation_size('reading_hour')"
    )
    counted = await cursor.fetchone()
    assert counted is not None
    return DiskUse(counted[0], int(row[0]), counted[1], counted[2], await _compresses(connection))


async def compress_where_allowed(database_url: str) -> bool:
    """As the owner, after migrating: have TimescaleDB compress what is old, if its licence is the one that can.

    Whether it does now. Twice changes nothing. Raises Unavailable and other LedgerErrors.
    """
    try:
        connection = await AsyncConnection[TupleRow].connect(database_url, connect_timeout=10)
        async with connection, connection.transaction():
            if not await _may_compress(connection):
                return False
            if not await _compresses(connection):
                await connection.execute(
                    "alter table reading set (timescaledb.compress, timescaledb.compress_segmentby = 'point_id', "
                    "timescaledb.compress_orderby = 'ts desc')"
                )
            await connection.execute(
                "select add_compression_policy('reading', make_interval(days => %s), if_not_exists => true)",
                [COMPRESS_AFTER_DAYS],
            )
            return True
    except psycopg.Error as error:
        raise translate(error) from error


async def _has_timescaledb(connection: Connection) -> bool:
    cursor = await connection.execute("select exists (select from pg_extension where extname = 'timescaledb')")
    return await cursor.fetchone() == (True,)


async def _may_compress(connection: Connection) -> bool:
    cursor = await connection.execute("select coalesce(current_setting('timescaledb.license', true), '') = 'timescale'")
    return await cursor.fetchone() == (True,) and await _has_timescaledb(connection)


async def _compresses(connection: Connection) -> bool:
    if not await _has_timescaledb(connection):
        return False
    cursor = await connection.execute(
        "select coalesce(bool_or(compression_enabled), false) from timescaledb_information.hypertables "
        "where hypertable_name = 'reading'"
    )
    return await cursor.fetchone() == (True,)
