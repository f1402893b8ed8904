"""Readings written by the thousand, from arrays: a binary COPY when all of them are new, which they nearly always are.

Known readings are met after a redelivery. Then the unique key refuses the whole COPY, the savepoint before it is taken
back, and the same rows are inserted one by one as far as they are new.
"""

from collections.abc import AsyncGenerator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from psycopg.copy import AsyncLibpqWriter
from psycopg.errors import UniqueViolation
from psycopg.rows import TupleRow

from ledger import arrays
from ledger.history import ask_closed, note_old
from ledger.pool import Connection, pipelined

STORED: Final = 0  # new to the ledger
REPEATED: Final = 1  # the ledger has exactly this already
CONFLICT: Final = 2  # the ledger has another value for this point and time, and keeps it

COPY_ROWS_MIN = 100  # fewer are written sooner by one statement than by a COPY between savepoints

_COPY: Final = "copy reading (point_id, ts, value, quality) from stdin (format binary)"
_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_ROW: Final = np.dtype(
    [
        ("fields", ">i2"),
        ("point_bytes", ">i4"),
        ("point_id", ">i4"),
        ("ts_bytes", ">i4"),
        ("ts", ">i8"),  # microseconds since 2000
        ("value_bytes", ">i4"),
        ("value", ">f8"),
        ("quality_bytes", ">i4"),
        ("quality", ">i2"),
    ]
)
_YEAR_2000_MS: Final = 946_684_800_000


@dataclass(frozen=True, slots=True)
class Columns:
    """Values of points as arrays of equal length, in order of arrival. A value is NaN where the sensor is broken."""

    point_id: NDArray[np.int32]
    ts_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.point_id)

    def only(self, which: NDArray[np.bool_]) -> "Columns":
        return self if which.all() else Columns(*(each[which] for each in self.arrays()))

    @classmethod
    def together(cls, parts: Sequence["Columns"]) -> "Columns":
        """One after the other."""
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.concatenate(each) for each in zip(*(part.arrays() for part in parts), strict=True)))

    def arrays(self) -> tuple[NDArray[Any], ...]:
        return self.point_id, self.ts_ms, self.value, self.quality


@dataclass(frozen=True, slots=True)
class Filed:
    """Values in order of (point, time). Rows are written so, that two transactions which store the same wait for each
    other once and not in a circle.
    """

    order: NDArray[np.intp]  # of each place here, the place among the values given
    values: Columns
    is_first: NDArray[np.bool_]  # of its point and time: of several the first to arrive is first

    @property
    def all_differ(self) -> bool:
        return bool(self.is_first.all())

    @property
    def rows(self) -> Columns:
        """The first of each point and time."""
        return self.values.only(self.is_first)


def file(columns: Columns) -> Filed:
    order = np.lexsort((columns.ts_ms, columns.point_id))  # stable
    values = Columns(*(each[order] for each in columns.arrays()))
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = (values.point_id[1:] != values.point_id[:-1]) | (values.ts_ms[1:] != values.ts_ms[:-1])
    return Filed(order, values, is_first)


@asynccontextmanager
async def writing(connection: Connection, rows: Columns) -> AsyncGenerator[None]:
    """Store rows that the caller knows to be new, filed and no two alike. What is done inside is done while the ledger
    writes them. If it has one of them after all, leaving raises UniqueViolation, and the transaction is lost.
    """
    if len(rows) < COPY_ROWS_MIN:
        async with pipelined(connection):
            await connection.execute(_INSERT_NEW, _listed(rows))
            closed = await ask_closed(connection)
            yield
            await note_old(connection, closed, rows.point_id, rows.ts_ms)
        return
    async with (
        connection.cursor() as cursor,
        cursor.copy(_COPY, writer=AsyncLibpqWriter(cursor, flush_threshold=0)) as copy,
    ):
        await copy.write(_body(rows))
        yield
    await note_old(connection, await ask_closed(connection), rows.point_id, rows.ts_ms)


async def deposit(connection: Connection, filed: Filed) -> NDArray[np.int8]:
    """Store what is new; the fate of each value, in the order given to `file`. Duplicates, also among these, never raise."""
    is_first, rows = filed.is_first, filed.rows
    group = np.cumsum(is_first) - 1
    known, known_value, known_quality = await _write(connection, rows)
    kept_value, kept_quality = rows.value.copy(), rows.quality.copy()
    kept_value[known], kept_quality[known] = known_value, known_quality
    is_new = np.ones(len(rows), np.bool_)
    is_new[known] = False
    if is_new.any():
        await note_old(connection, await ask_closed(connection), rows.point_id[is_new], rows.ts_ms[is_new])
    value, against = filed.values.value, kept_value[group]
    is_same = (value == against) | (np.isnan(value) & np.isnan(against))
    is_same &= filed.values.quality == kept_quality[group]
    fates = np.empty(len(group), np.int8)
    fates[filed.order] = np.where(is_first & is_new[group], STORED, np.where(is_same, REPEATED, CONFLICT))
    return fates


_Known = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int16]]
_NOTHING_KNOWN: Final[_Known] = (np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.int16))


async def _write(connection: Connection, rows: Columns) -> _Known:
    """Write rows, sorted and no two alike; which of them the ledger had already, and what it has."""
    if len(rows) < COPY_ROWS_MIN:
        return await _insert(connection, rows)
    try:
        async with connection.transaction(), connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            await copy.write(_body(rows))
    except UniqueViolation:
        return await _insert(connection, rows)
    return _NOTHING_KNOWN


def _body(rows: Columns) -> bytes:
    body = np.empty(len(rows), _ROW)
    body["fields"], body["point_bytes"], body["ts_bytes"], body["value_bytes"], body["quality_bytes"] = 4, 4, 8, 8, 2
    body["point_id"], body["ts"] = rows.point_id, (rows.ts_ms - _YEAR_2000_MS) * 1000
    body["value"], body["quality"] = rows.value, rows.quality
    return _SIGNATURE + body.tobytes() + _END


_INSERT_NEW: Final = (
    "insert into reading (point_id, ts, value, quality) "
    "select point_id, timestamptz 'epoch' + ms * interval '1 millisecond', value, quality "
    "from unnest(%s::int[], %s::bigint[], %s::float8[], %s::smallint[]) as given (point_id, ms, value, quality)"
)


def _listed(rows: Columns) -> list[str]:
    """As parameters of `unnest`."""
    return [
        arrays.numbers(rows.point_id.tolist()),
        arrays.numbers(rows.ts_ms.tolist()),
        arrays.numbers(rows.value.tolist()),
        arrays.numbers(rows.quality.tolist()),
    ]


async def _insert(connection: Connection, rows: Columns) -> _Known:
    points: list[int] = rows.point_id.tolist()
    times: list[int] = rows.ts_ms.tolist()
    cursor = await connection.execute(
        "with given as materialized ("
        "select point_id, timestamptz 'epoch' + ms * interval '1 millisecond' as ts, value, quality, place from "
        "unnest(%s::int[], %s::bigint[], %s::float8[], %s::smallint[]) with ordinality "
        "as given (point_id, ms, value, quality, place)), "
        "stored as (insert into reading (point_id, ts, value, quality) "
        "select point_id, ts, value, quality from given order by point_id, ts "
        "on conflict do nothing returning point_id, ts) "
        "select place from given where not exists "
        "(select from stored where stored.point_id = given.point_id and stored.ts = given.ts)",
        _listed(rows),
    )
    places = [place - 1 async for (place,) in cursor]
    if not places:
        return _NOTHING_KNOWN
    # A statement of its own: what another transaction committed while ours waited is visible only to the next one.
    cursor = await connection.execute(
        "select place, value, quality from unnest(%s::bigint[], %s::int[], %s::bigint[]) as given (place, point_id, ms) "
        "cross join lateral (select value, quality from reading where reading.point_id = given.point_id "
        "and ts = timestamptz 'epoch' + ms * interval '1 millisecond' limit 1) as kept",
        [places, [points[place] for place in places], [times[place] for place in places]],
    )
    found = await cursor.fetchall()
    if len(found) < len(places):
        found += await _insert_after_all(connection, rows, {*places} - {row[0] for row in found})
    if not found:
        return _NOTHING_KNOWN
    known, value, quality = zip(*found, strict=True)
    return np.array(known, np.int64), np.array(value, np.float64), np.array(quality, np.int16)


async def _insert_after_all(connection: Connection, rows: Columns, gone: AbstractSet[int]) -> list[TupleRow]:
    """What was known and is there no more was deleted in between, as history is once its hours are made: it is new."""
    which = np.zeros(len(rows), np.bool_)
    which[list(gone)] = True
    known, value, quality = await _insert(connection, rows.only(which))
    places = np.flatnonzero(which)[known]
    return list(zip(places.tolist(), value.tolist(), quality.tolist(), strict=True))
