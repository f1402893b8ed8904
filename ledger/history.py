"""Hours made of readings: for each point and hour the smallest, largest, mean and last value, and how many there were.

Closing, then rolling. `close` moves a site's `closed_until`; from then on whoever stores a reading of an earlier hour
notes it (`note_old`). Transactions that looked before that may still run: `fence` and `is_past` tell when the last of
them has ended, and only then the closed hours are made (`roll`). What is noted is made again (`remake`). So ingest
neither waits for this nor does this for ingest, and no reading is left out of its hour.

Everything here is done in small transactions of its own, by one worker at a time (`is_mine`).

What looks at readings is not prepared: a ledger begins empty, and a plan that was kept from then would read all there is of
them for each point, until the table is analysed for the first time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import LiteralString

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from ledger.pool import Connection

HOUR = timedelta(hours=1)
CLOSE_AFTER = timedelta(minutes=5)  # what comes in order and in time comes before; the rest is noted and made again
WINDOW_MAX = timedelta(hours=24)  # made in one go of a point, where there is much to catch up with
HOURS_MAX = 300  # of points, in one transaction: 36,000 readings at one in 30 s
NOTES_MAX = 2_000  # looked at in one transaction
SETTLE = timedelta(days=1)  # how long a late reading of an hour without readings stays, to recognise its redelivery

_LOCK_CLASS = 7_482_024  # with the site's id; another than that of any other lock: ingest must not wait for this
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Progress:
    """Hours before `closed_until` change with a note only; those before `rolled_until` are made."""

    closed_until: datetime
    rolled_until: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """Hours being made, point after point."""

    begin: datetime
    end: datetime
    after_point_id: int = 0


def hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


async def ask_closed(connection: Connection) -> AsyncCursor[TupleRow]:
    """How far hours are closed, for `note_old`: asked by whoever stores readings, in the same transaction and *after* they
    were stored (the transaction must have written something before this looks, or `fence` could not see it).
    """
    return await connection.execute("select max(closed_until) from site_history")


async def note_old(
    connection: Connection, closed: AsyncCursor[TupleRow], point_ids: NDArray[np.int32], ts_ms: NDArray[np.int64]
) -> int:
    """Note the hours of readings that came after their hour was closed, by what `ask_closed` gave; returns how many hours.

    To be called with all readings that were new. More than the new ones does no harm.
    """
    if not len(ts_ms):
        return 0
    row = await closed.fetchone()
    if row is None or row[0] is None:
        return 0
    is_old = ts_ms < int(row[0].timestamp() * 1000)
    if not is_old.any():
        return 0
    pairs = np.unique(np.stack([point_ids[is_old], ts_ms[is_old] // _HOUR_MS * _HOUR_MS], axis=1), axis=0)
    await connection.execute(
        "insert into stale_hour (point_id, hour) select point_id, timestamptz 'epoch' + ms * interval '1 millisecond' "
        "from unnest(%s::int[], %s::bigint[]) as noted (point_id, ms)",
        [pairs[:, 0].tolist(), pairs[:, 1].tolist()],
    )
    return len(pairs)


# ------------------------------------------------------------------ closing


async def is_mine(connection: Connection, site_id: int) -> bool:
    """Whether this transaction is the only one that works at the site's history; asked first in each of them."""
    cursor = await connection.execute("select pg_try_advisory_xact_lock(%s, %s)", [_LOCK_CLASS, site_id])
    row = await cursor.fetchone()
    return bool(row and row[0])


async def close(connection: Connection, site_id: int, now: datetime) -> Progress:
    """Close the hours that are over. Commit before `fence` is asked."""
    cursor = await connection.execute(
        "insert into site_history (site_id, closed_until, rolled_until) values (%s, %s, %s) "
        "on conflict on constraint site_history_pkey do update "
        "set closed_until = greatest(site_history.closed_until, excluded.closed_until) "
        "returning closed_until, rolled_until",
        [site_id, hour_of(now - CLOSE_AFTER), _BEGINNING],
    )
    row = await cursor.fetchone()
    assert row is not None
    return Progress(*row)


async def fence(connection: Connection) -> int:
    """A mark: every transaction that has written anything by now is before it."""
    # Not the snapshot's xmax, which is only past those that have ended: a number of our own is past all.
    cursor = await connection.execute("select pg_current_xact_id()::text::bigint")
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def is_past(connection: Connection, mark: int) -> bool:
    """Whether all transactions before the mark have ended."""
    cursor = await connection.execute("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= %s", [mark])
    row = await cursor.fetchone()
    return bool(row and row[0])


# ------------------------------------------------------------------ rolling

_MADE: LiteralString = (
    "min(value) filter (where quality = 0) as minimum, max(value) filter (where quality = 0) as maximum, "
    # avg sums squares as well, and beyond 1e150 they overflow
    "avg(value) filter (where quality = 0 and abs(value) <= 1e100) as mean, "
    "(array_agg(value order by ts desc) filter (where quality = 0))[1] as last, "
    "max(ts) filter (where quality = 0) as last_at, "
    "count(*) filter (where quality = 0) as count, count(*) filter (where quality <> 0) as bad "
)
_INSERT: LiteralString = "insert into reading_hour (point_id, hour, minimum, maximum, mean, last, last_at, count, bad) "
_REPLACE: LiteralString = (
    "on conflict on constraint reading_hour_pkey do update set minimum = excluded.minimum, maximum = excluded.maximum, "
    "mean = excluded.mean, last = excluded.last, last_at = excluded.last_at, count = excluded.count, bad = excluded.bad"
)


async def next_window(connection: Connection, site_id: int, progress: Progress) -> Window | None:
    """The hours to make next, from the first that has readings; None, and all is made, when none has."""
    cursor = await connection.execute(
        "select min(first.ts) from point cross join lateral (select ts from reading where point_id = point.id "
        "and ts >= %s and ts < %s order by ts limit 1) as first where site_id = %s",
        [progress.rolled_until, progress.closed_until, site_id],
        prepare=False,
    )
    row = await cursor.fetchone()
    if row is None or row[0] is None:
        await _rolled(connection, site_id, progress.closed_until)
        return None
    begin = hour_of(row[0])
    return Window(begin, min(begin + WINDOW_MAX, progress.closed_until))


async def roll(connection: Connection, site_id: int, window: Window) -> Window | None:
    """Make the hours of the next few points; gives what is left of the window. None: it is done, or somebody did it."""
    cursor = await connection.execute("select rolled_until from site_history where site_id = %s", [site_id])
    row = await cursor.fetchone()
    if row is None or row[0] > window.begin:
        return None
    points_max = max(1, HOURS_MAX // ((window.end - window.begin) // HOUR))
    cursor = await connection.execute(
        "select id from point where site_id = %s and id > %s order by id limit %s",
        [site_id, window.after_point_id, points_max],
    )
    point_ids = [number async for (number,) in cursor]
    if not point_ids:
        await _rolled(connection, site_id, window.end)
        return None
    await connection.execute(
        _INSERT  # noqa: S608 - literals all
        + "select wanted.id, made.* from unnest(%s::int[]) as wanted (id) cross join lateral ("
        "select date_bin('1 hour', ts, timestamptz 'epoch') as hour, " + _MADE + "from reading "
        "where point_id = wanted.id and ts >= %s and ts < %s group by 1) as made " + _REPLACE,
        [point_ids, window.begin, window.end],
        prepare=False,
    )
    return Window(window.begin, window.end, point_ids[-1])


async def _rolled(connection: Connection, site_id: int, until: datetime) -> None:
    await connection.execute(
        "update site_history set rolled_until = greatest(rolled_until, %s) where site_id = %s", [until, site_id]
    )


# ------------------------------------------------------------------ made again


@dataclass(frozen=True, slots=True)
class _Stale:
    """An hour that changed, the notes that say so, and whether the readings it was made of are gone."""

    point_id: int
    hour: datetime
    note_ids: Sequence[int]
    settled: bool
    gone: bool


async def remake(connection: Connection, site_id: int, now: datetime) -> int:
    """Make the next few hours again that have changed; returns how many notes were dealt with.

    Where an hour's readings are gone already, late ones wait a day, so that their redelivery is recognised, and are
    then merged into what was made of the others, and go as well.
    """
    stale = await _stale(connection, site_id, now)
    live = [each for each in stale if not each.gone]
    await connection.execute(
        # A statement later than the one that read the notes: it sees the readings of every note.
        _INSERT  # noqa: S608 - literals all
        + "select point_id, hour, made.* from unnest(%s::int[], %s::timestamptz[]) as wanted (point_id, hour) "
        "cross join lateral (select " + _MADE + "from reading where reading.point_id = wanted.point_id "
        "and ts >= hour and ts < hour + interval '1 hour') as made where made.count + made.bad > 0 " + _REPLACE,
        [[each.point_id for each in live], [each.hour for each in live]],
        prepare=False,
    )
    waiting = [each for each in stale if each.gone and not each.settled]
    if waiting:
        await connection.execute(
            "update stale_hour set due_at = %s where id = any(%s)",
            [now + SETTLE, [number for each in waiting for number in each.note_ids]],
        )
    late = [each for each in stale if each.gone and each.settled]
    if late:
        await _merge(connection, late)
    await connection.execute(
        "delete from stale_hour where id = any(%s)", [[number for each in live + late for number in each.note_ids]]
    )
    return sum(len(each.note_ids) for each in stale)


async def _stale(connection: Connection, site_id: int, now: datetime) -> list[_Stale]:
    cursor = await connection.execute(
        "with due as (select stale_hour.id, point_id, hour, due_at from stale_hour join point on point.id = point_id "
        "where site_id = %(site)s and (due_at is null or due_at <= %(now)s) "
        "order by due_at nulls first, stale_hour.id limit %(most)s) "
        "select point_id, hour, array_agg(due.id), bool_and(due_at is not null), not coalesce(bool_and(has_readings), true) "
        "from due left join reading_hour using (point_id, hour) group by point_id, hour",
        {"site": site_id, "now": now, "most": NOTES_MAX},
        prepare=False,
    )
    return [_Stale(*row) async for row in cursor]


async def _merge(connection: Connection, late: Sequence[_Stale]) -> None:
    await connection.execute(
        "with late as (delete from reading using unnest(%s::int[], %s::timestamptz[]) as wanted (id, hour) "  # noqa: S608 - literals all
        "where point_id = wanted.id and ts >= hour and ts < hour + interval '1 hour' "
        "returning point_id, hour, ts, value, quality) "
        "insert into reading_hour (point_id, hour, minimum, maximum, mean, last, last_at, count, bad, has_readings) "
        "select point_id, hour, " + _MADE + ", false from late group by point_id, hour "
        "on conflict on constraint reading_hour_pkey do update set "
        "minimum = least(reading_hour.minimum, excluded.minimum), "
        "maximum = greatest(reading_hour.maximum, excluded.maximum), "
        "mean = case when excluded.mean is null then reading_hour.mean when reading_hour.mean is null then excluded.mean "
        "else reading_hour.mean + (excluded.mean - reading_hour.mean) * excluded.count "
        "/ (reading_hour.count + excluded.count) end, "
        "last = case when excluded.last_at > coalesce(reading_hour.last_at, '-infinity') then excluded.last "
        "else reading_hour.last end, "
        "last_at = greatest(reading_hour.last_at, excluded.last_at), "
        "count = reading_hour.count + excluded.count, bad = reading_hour.bad + excluded.bad",
        [[each.point_id for each in late], [each.hour for each in late]],
        prepare=False,
    )
