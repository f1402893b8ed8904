"""What was measured: stored once and for good, read back for the rules, for people and for charts.

The first value of a point and time stays; whoever comes later with another one is told so. `reading` itself is for
ingest; people see it only through the views `site_reading` and `site_current`, which know their sites.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import LiteralString

import numpy as np
from psycopg.rows import TupleRow

from ledger.deposits import CONFLICT, REPEATED, STORED, Columns, deposit, file
from ledger.history import HOUR, hour_of
from ledger.pool import Connection
from ledger.records import Quality, Reading, Sample

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Fate(StrEnum):
    """What became of a sample."""

    STORED = "stored"  # new to the ledger
    REPEATED = "repeated"  # the ledger has exactly this already
    CONFLICT = "conflict"  # the ledger has another value for this point and time, and keeps it


_FATES = {STORED: Fate.STORED, REPEATED: Fate.REPEATED, CONFLICT: Fate.CONFLICT}


@dataclass(frozen=True, slots=True)
class StoreOutcome:
    """The fate of each sample, in the order given."""

    fates: Sequence[Fate]

    def count(self, fate: Fate) -> int:
        return sum(1 for each in self.fates if each is fate)


async def store(connection: Connection, samples: Sequence[Sample]) -> StoreOutcome:
    """Store what is new; tell of every sample what became of it. Duplicates, also within `samples`, never raise."""
    columns = Columns(
        np.array([sample.point_id for sample in samples], np.int32),
        np.array([sample.ts_ms for sample in samples], np.int64),
        np.array([sample.value for sample in samples], np.float64),
        np.array([sample.quality for sample in samples], np.int16),
    )
    return StoreOutcome([_FATES[fate] for fate in await deposit(connection, file(columns))])


async def latest(connection: Connection, point_ids: Sequence[int]) -> dict[int, Reading]:
    """The newest reading of each point that has one. For ingest; people have `current`."""
    cursor = await connection.execute(
        "select point_id, ts, value, quality from unnest(%s::int[]) as wanted (id) cross join lateral "
        "(select * from reading where point_id = wanted.id order by ts desc limit 1) as newest",
        [list(point_ids)],
    )
    return {row[0]: _reading(row) async for row in cursor}


async def current(connection: Connection, point_ids: Sequence[int]) -> dict[int, Reading]:
    """The newest reading of each point in scope that has one."""
    cursor = await connection.execute(
        "select point_id, ts, value, quality from site_current where point_id = any(%s)", [list(point_ids)]
    )
    return {row[0]: _reading(row) async for row in cursor}


async def history(
    connection: Connection, lookback_s: Mapping[int, float], until: datetime | None = None
) -> list[Reading]:
    """What the rules have to remember: for each point its newest reading not after `until`, and those before it.

    The lookback counts from the point's own newest reading, because rules run in device time: a gateway that was away
    goes on where it stopped. One more reading before that is included, the value that held when the lookback begins;
    so a lookback of 0 gives the newest alone. In order of point and time.
    """
    cursor = await connection.execute(
        "select remembered.point_id, remembered.ts, remembered.value, remembered.quality "
        "from unnest(%s::int[], %s::float8[]) as wanted (id, lookback_s) "
        "cross join lateral (select ts from reading where point_id = wanted.id "
        "and ts <= coalesce(%s::timestamptz, 'infinity') order by ts desc limit 1) as newest "
        "cross join lateral (select newest.ts - lookback_s * interval '1 second' as ts) as horizon "
        "cross join lateral ("
        "(select * from reading where point_id = wanted.id and ts <= horizon.ts order by ts desc limit 1) union all "
        "select * from reading where point_id = wanted.id and ts > horizon.ts and ts <= newest.ts) as remembered "
        "order by 1, 2",
        [list(lookback_s), [float(each) for each in lookback_s.values()], until],
    )
    return [_reading(row) async for row in cursor]


@dataclass(frozen=True, slots=True)
class Bucket:
    """The readings of a span of time: figures over the good ones, None where there is none; `bad` counts the others."""

    ts: datetime  # beginning of the span
    minimum: float | None
    maximum: float | None
    mean: float | None
    last: float | None
    count: int
    bad: int


_IN_SPAN: LiteralString = "from site_reading where point_id = %(point)s and ts >= %(begin)s and ts < %(end)s "


async def series(
    connection: Connection, point_id: int, begin: datetime, end: datetime, *, limit: int = 10_000
) -> list[Reading]:
    """The readings of a point in scope from `begin` until before `end`, oldest first, at most `limit`."""
    cursor = await connection.execute(
        "select point_id, ts, value, quality " + _IN_SPAN + "order by ts limit %(limit)s",
        {"point": point_id, "begin": begin, "end": end, "limit": limit},
    )
    return [_reading(row) async for row in cursor]


# A reading is a span's part like an hour: figures of one value.
_BUCKETS: LiteralString = (
    "with part as (select hour as ts, minimum, maximum, mean, last, last_at, count, bad from site_reading_hour "
    "where point_id = %(point)s and hour >= %(hours_begin)s and hour < %(hours_end)s "
    "union all select ts, good, good, case when abs(good) <= 1e100 then good end, good, "
    "case when quality = 0 then ts end, (quality = 0)::int, (quality <> 0)::int from "
    "(select ts, quality, case when quality = 0 then value end as good from site_reading where point_id = %(point)s "
    "and ts >= %(begin)s and ts < least(%(hours_begin)s, %(end)s) "
    "union all select ts, quality, case when quality = 0 then value end as good from site_reading "
    "where point_id = %(point)s and ts >= %(hours_end)s and ts < %(end)s) as edge) "
    "select date_bin(%(width)s, ts, %(origin)s) as span, min(minimum), max(maximum), "
    "sum(mean * count) / sum(count) filter (where mean is not null), "
    "(array_agg(last order by last_at desc) filter (where last_at is not null))[1], "
    "sum(count), sum(bad) from part group by span order by span limit %(limit)s"
)


async def dropped_until(connection: Connection, point_id: int) -> datetime | None:
    """Before when there are hourly figures of a point in scope, and its readings are gone; None: all are there."""
    cursor = await connection.execute(
        "select hour + interval '1 hour' from site_reading_hour where point_id = %s and not has_readings "
        "order by hour desc limit 1",
        [point_id],
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def buckets(
    connection: Connection,
    point_id: int,
    begin: datetime,
    end: datetime,
    *,
    bucket_s: float,
    origin: datetime = _EPOCH,
    limit: int = 10_000,
) -> list[Bucket]:
    """The same in spans of `bucket_s` counted from `origin` (the site's midnight gives its days), empty ones left out.

    Made of whole hours where spans are made of them, so that a year takes no longer than a week of readings, and of
    readings at the edges; elsewhere of hours only where the readings are gone. An hour belongs to the span it begins in.
    """
    begin, end = begin.astimezone(UTC), end.astimezone(UTC)
    whole = bucket_s % 3600 == 0 and origin.timestamp() % 3600 == 0
    cursor = await connection.execute(
        "select coalesce(max(rolled_until), %(begin)s) from site_history join point using (site_id) "
        "where point.id = %(point)s",
        {"point": point_id, "begin": begin},
    )
    row = await cursor.fetchone()
    until = row[0] if row and whole else await dropped_until(connection, point_id)
    hours_begin = hour_of(begin) if begin == hour_of(begin) else hour_of(begin) + HOUR
    cursor = await connection.execute(
        _BUCKETS,
        {
            "point": point_id,
            "begin": begin,
            "end": end,
            "hours_begin": hours_begin,
            "hours_end": max(hours_begin, hour_of(min(until or begin, end))),
            "width": timedelta(seconds=bucket_s),
            "origin": origin,
            "limit": limit,
        },
    )
    return [Bucket(*row) async for row in cursor]


def _reading(row: TupleRow) -> Reading:
    return Reading(row[0], row[1], row[2], Quality(row[3]))
