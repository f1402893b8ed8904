"""What is past its keeping: readings whose hour is made, then hours. In bounded batches, each a transaction of its own.

A reading goes only with its whole hour, only when the hour says what its readings say, and in the statement that sees
both: a late one that comes at the same moment is not seen, stays, and is merged later. Whatever its age, the end of a
point's readings stays: the rules go on from there, and people are shown the newest as what is the case now.

What looks at readings is planned anew each time, as in `ledger.history`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from ledger.history import HOUR, HOURS_MAX, WINDOW_MAX
from ledger.pool import Connection
from ledger.records import PointKind

# No window of a rule is longer (rules.vocabulary.WINDOW_S_MAX); counted back from the newest reading of a point.
TAIL = timedelta(days=31)
POINTS_MAX = 500  # looked at in one transaction
STAYING_MAX = 50_000  # readings of a chunk that are written anew when the others go
FORGET_MAX = 5_000  # hours, in one transaction


@dataclass(frozen=True, slots=True)
class Overdue:
    """Hours of a point whose readings may go."""

    point_id: int
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Dropped:
    hours: int
    readings: int


def horizons(days: Mapping[PointKind, int | None], now: datetime) -> Mapping[PointKind, datetime]:
    """Before when what a kind measured is past its keeping; a kind that is kept for ever is left out."""
    return {kind: now - timedelta(days=kept) for kind, kept in days.items() if kept is not None}


async def by_whole_chunks(connection: Connection, before: Mapping[PointKind, datetime]) -> Mapping[PointKind, datetime]:
    """The same, put back to where a chunk begins, where there are chunks: readings then go by the chunk, not one by one."""
    cursor = await connection.execute("select exists (select from pg_extension where extname = 'timescaledb')")
    if await cursor.fetchone() != (True,):
        return before
    cursor = await connection.execute(
        "select kind, coalesce(range_start, before) from unnest(%s::point_kind[], %s::timestamptz[]) as keeping (kind, before) "
        "left join timescaledb_information.chunks on hypertable_name = 'reading' and range_start <= before "
        "and range_end > before",
        [list(before), list(before.values())],
    )
    return {PointKind(kind): moment async for kind, moment in cursor}


async def drop_chunk(
    connection: Connection, due: Sequence[Overdue], before: Mapping[PointKind, datetime]
) -> int | None:
    """Drop the chunk of the oldest that is overdue, if it can go as a whole; how many readings. Once in a transaction.

    None: there are no chunks, or too much of it has to stay, or its hours are not what its readings say.
    """
    cursor = await connection.execute(
        "select drop_expired_chunk(%s, %s::point_kind[], %s::timestamptz[], %s, %s)",
        [min(each.begin for each in due), list(before), list(before.values()), TAIL, STAYING_MAX],
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def overdue(
    connection: Connection, site_id: int, before: Mapping[PointKind, datetime], *, after_point_id: int = 0
) -> tuple[list[Overdue], int | None]:
    """What is past its keeping of the next few points, and the last point looked at; None: there are no more."""
    cursor = await connection.execute(
        "select id from point where site_id = %s and id > %s order by id limit %s",
        [site_id, after_point_id, POINTS_MAX],
    )
    point_ids = [number async for (number,) in cursor]
    if not point_ids:
        return [], None
    # Each step looks at points only that the step before left over; nearly always the first leaves none, and
    # it looks at nothing that is to be kept.
    cursor = await connection.execute(
        "with keeping as (select * from unnest(%(kinds)s::point_kind[], %(before)s::timestamptz[]) as keeping (kind, before)), "
        "old as materialized (select point.id, first.ts, least(before, rolled_until) as before from point "
        "join keeping using (kind) join site_history using (site_id) cross join lateral "
        "(select ts from reading where point_id = point.id and ts < least(before, rolled_until) "
        "order by ts limit 1) as first where point.id = any(%(points)s)) "
        "select old.id, date_bin('1 hour', old.ts, timestamptz 'epoch'), "
        "date_bin('1 hour', least(old.before, held.ts), timestamptz 'epoch') from old "
        "cross join lateral (select ts from reading where point_id = old.id order by ts desc limit 1) as newest "
        "cross join lateral (select ts from reading where point_id = old.id and ts <= newest.ts - %(tail)s "
        "order by ts desc limit 1) as held "
        "where old.ts < date_bin('1 hour', least(old.before, held.ts), timestamptz 'epoch') order by 1",
        {"kinds": list(before), "before": list(before.values()), "points": point_ids, "tail": TAIL},
        prepare=False,
    )
    return [Overdue(*row) async for row in cursor], point_ids[-1]


async def drop(connection: Connection, due: Sequence[Overdue]) -> Dropped:
    """Drop the first hours of what is overdue, as many as one transaction should.

    Hours that are not what their readings say are noted to be made again, and stay.
    """
    hours_left, spans = HOURS_MAX, list[Overdue]()
    for each in due:
        end = min(each.end, each.begin + min(WINDOW_MAX, hours_left * HOUR))
        spans.append(Overdue(each.point_id, each.begin, end))
        hours_left -= (end - each.begin) // HOUR
        if hours_left <= 0:
            break
    cursor = await connection.execute(
        "with span as (select * from unnest(%s::int[], %s::timestamptz[], %s::timestamptz[]) as span (point_id, begin, until)), "
        "there as (select point_id, date_bin('1 hour', ts, timestamptz 'epoch') as hour, count(*) as count "
        "from span join reading using (point_id) where ts >= begin and ts < until group by 1, 2), "
        "sound as (select there.point_id, there.hour from there "
        "join reading_hour as made using (point_id, hour) "
        "where there.count = made.count + made.bad and has_readings and not exists "
        "(select from stale_hour where stale_hour.point_id = there.point_id and stale_hour.hour = there.hour)), "
        "dropped as (delete from reading using sound where reading.point_id = sound.point_id "
        "and ts >= sound.hour and ts < sound.hour + interval '1 hour' returning 1), "
        "marked as (update reading_hour set has_readings = false from sound "
        "where reading_hour.point_id = sound.point_id and reading_hour.hour = sound.hour), "
        "unsound as (insert into stale_hour (point_id, hour) select point_id, hour from there "
        "where not exists (select from sound where sound.point_id = there.point_id and sound.hour = there.hour) "
        "and not exists (select from stale_hour where stale_hour.point_id = there.point_id "
        "and stale_hour.hour = there.hour)) "
        "select (select count(*) from sound), (select count(*) from dropped)",
        [[each.point_id for each in spans], [each.begin for each in spans], [each.end for each in spans]],
        prepare=False,
    )
    row = await cursor.fetchone()
    assert row is not None
    return Dropped(*row)


_OLD_HOURS: LiteralString = (
    "select made.point_id, made.hour from point "
    "join unnest(%(kinds)s::point_kind[], %(before)s::timestamptz[]) as keeping (kind, before) using (kind) "
    "cross join lateral (select point_id, hour from reading_hour "
    "where point_id = point.id and hour < before and not has_readings "
    "order by hour limit 500) as made where site_id = %(site)s limit %(most)s"
)


async def forget(connection: Connection, site_id: int, before: Mapping[PointKind, datetime]) -> int:
    """Remove hours that are past their keeping and have no readings any more; returns how many."""
    cursor = await connection.execute(
        "with old as (" + _OLD_HOURS + "), "  # noqa: S608 - literals all
        "gone as (delete from reading_hour using old where reading_hour.point_id = old.point_id "
        "and reading_hour.hour = old.hour returning count + bad as readings), "
        "counted as (update site_history set forgotten = forgotten + (select coalesce(sum(readings), 0) from gone) "
        "where site_id = %(site)s and exists (select from gone)) select count(*) from gone",
        {"kinds": list(before), "before": list(before.values()), "site": site_id, "most": FORGET_MAX},
        prepare=False,
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])
