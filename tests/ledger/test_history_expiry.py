"""Readings go when their hour is made and past its keeping, and nothing that was stored is lost on the way."""

import math
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ledger import audit, history, history_expiry, intake, readings
from ledger.history_expiry import Dropped, Overdue
from ledger.pool import INGEST_ROLE, Pool, open_pool, transaction
from ledger.records import PointKind, Quality, Sample, to_ms
from rules.vocabulary import WINDOW_S_MAX
from tests.fix_database import Connection
from tests.small_estate import NOON, SmallSite, build_both, later

MEASURE, STATE = PointKind.MEASURE, PointKind.STATE
KEEP = {MEASURE: 90, STATE: 400}
DAY = timedelta(days=1)


@pytest.fixture
async def site(connection: Connection) -> SmallSite:
    garden, _ = await build_both(connection)
    await connection.commit()
    return garden


@pytest.fixture
async def pool(database_url: str, site: SmallSite) -> AsyncIterator[Pool]:
    """What happens here happens with ingest's rights."""
    async with open_pool(database_url, role=INGEST_ROLE) as opened:
        yield opened


async def store(pool: Pool, site: SmallSite, point: str, *values: tuple[float, float], now: datetime = NOON) -> None:
    """`values`: days after noon, and what was measured. Accounted for, as ingest does."""
    point_id = site.points[point]
    samples = [
        Sample(
            point_id,
            to_ms(later(days=at)),
            value,
            Quality.SENSOR_FAULT if math.isnan(value) else Quality.GOOD,
            to_ms(now),
        )
        for at, value in values
    ]
    async with transaction(pool) as connection:
        stored = (await readings.store(connection, samples)).count(readings.Fate.STORED)
        account = intake.Account(received=1, accepted=1, values_received=stored, stored=stored)
        await intake.add(connection, {intake.AccountKey(NOON, site.key, "gw-1"): account})


async def make(pool: Pool, site: SmallSite, now: datetime) -> None:
    async with transaction(pool) as connection:
        progress = await history.close(connection, site.id, now)
    while progress.rolled_until < progress.closed_until:
        async with transaction(pool) as connection:
            left = await history.next_window(connection, site.id, progress)
            if left is None:
                break
            progress = history.Progress(progress.closed_until, left.end)
            while left is not None:
                left = await history.roll(connection, site.id, left)
    await remake(pool, site, now)


async def remake(pool: Pool, site: SmallSite, now: datetime) -> None:
    done = 1
    while done:
        async with transaction(pool) as connection:
            done = await history.remake(connection, site.id, now)


async def expire(
    pool: Pool, site: SmallSite, now: datetime, days: dict[PointKind, int | None] | None = None
) -> Dropped:
    """Drop until nothing more may go; the sum of it."""
    before = history_expiry.horizons(KEEP if days is None else days, now)
    hours = dropped = 0
    while True:
        async with transaction(pool) as connection:
            due, _ = await history_expiry.overdue(connection, site.id, before)
            found = await history_expiry.drop(connection, due) if due else Dropped(0, 0)
        if not found.hours:
            return Dropped(hours, dropped)
        hours, dropped = hours + found.hours, dropped + found.readings


async def left(pool: Pool, site: SmallSite, point: str) -> list[float]:
    """Days after noon of the readings that are there."""
    async with transaction(pool) as connection:
        cursor = await connection.execute(
            "select (extract(epoch from ts - %s) / 86400)::float8 from reading where point_id = %s order by ts",
            [NOON, site.points[point]],
        )
        return [round(at, 6) async for (at,) in cursor]


async def figures(pool: Pool, site: SmallSite, point: str) -> list[tuple[Any, ...]]:
    async with transaction(pool) as connection:
        cursor = await connection.execute(
            "select minimum, maximum, mean, last, count, bad from reading_hour where point_id = %s order by hour",
            [site.points[point]],
        )
        return [tuple(row) async for row in cursor]


async def holds(pool: Pool) -> None:
    async with transaction(pool) as connection:
        assert await audit.run(connection) == []


def test_the_end_that_always_stays_is_as_long_as_the_longest_window_of_a_rule() -> None:
    assert history_expiry.TAIL.total_seconds() >= WINDOW_S_MAX


async def test_readings_go_by_kind_with_their_whole_hour_and_the_hour_stays(pool: Pool, site: SmallSite) -> None:
    for point in ("outlet_pressure", "flood"):
        await store(pool, site, point, (0, 1), (0.01, 3), (8.99, 5), (9.97, 6), (60, 7), (99, 8))
    now = later(days=100, minutes=30)  # the hour in which the keeping ends stays whole
    await make(pool, site, now)
    before = await figures(pool, site, "outlet_pressure")
    assert await expire(pool, site, now) == Dropped(3, 4)
    assert await left(pool, site, "outlet_pressure") == [60, 99]
    assert len(await left(pool, site, "flood")) == 6
    assert await figures(pool, site, "outlet_pressure") == before
    await holds(pool)
    assert await expire(pool, site, now) == Dropped(0, 0)


async def test_a_kind_without_a_number_is_kept_for_ever(pool: Pool, site: SmallSite) -> None:
    await store(pool, site, "outlet_pressure", (0, 1), (100, 3), (200, 4))
    now = later(days=5_000)
    await make(pool, site, now)
    assert await expire(pool, site, now, {MEASURE: None, STATE: 400}) == Dropped(0, 0)
    assert await expire(pool, site, now) == Dropped(1, 1)


async def test_what_is_not_made_yet_stays_however_old(pool: Pool, site: SmallSite) -> None:
    await store(pool, site, "outlet_pressure", (0, 1), (50, 2), (90, 3))
    await make(pool, site, later(hours=-1))
    assert await expire(pool, site, later(days=900)) == Dropped(0, 0)
    await make(pool, site, later(days=900))
    assert await expire(pool, site, later(days=900)) == Dropped(1, 1)


async def test_the_newest_of_a_point_and_what_the_rules_look_back_at_stay(pool: Pool, site: SmallSite) -> None:
    """A door that was closed two years ago is closed, and an engine that starts now has to know it."""
    await store(pool, site, "flood", (0, 1), (1, 0), (20, 1), (40, 0), (45, 1))
    await store(pool, site, "pump_1.run", (0, 1))
    now = later(days=900)
    await make(pool, site, now)
    assert await expire(pool, site, now) == Dropped(1, 1)
    assert await left(pool, site, "flood") == [1, 20, 40, 45]
    assert await left(pool, site, "pump_1.run") == [0]
    async with transaction(pool) as connection:
        found = await readings.history(connection, {site.points["flood"]: WINDOW_S_MAX})
    assert [one.value for one in found] == [0, 1, 0, 1]
    await holds(pool)


async def test_an_hour_that_does_not_say_what_its_readings_say_is_made_again_first(
    pool: Pool, site: SmallSite, connection: Connection
) -> None:
    """Somebody loaded readings by hand, and noted nothing."""
    await store(pool, site, "outlet_pressure", (0, 1), (60, 7), (99, 3))
    now = later(days=100)
    await make(pool, site, now)
    await connection.execute(
        "insert into reading values (%s, %s, 9, 0)", [site.points["outlet_pressure"], later(minutes=5)]
    )
    await connection.execute("update intake_account set stored = stored + 1, values_received = values_received + 1")
    await connection.commit()
    assert await expire(pool, site, now) == Dropped(0, 0)
    await remake(pool, site, now)
    assert await expire(pool, site, now) == Dropped(1, 2)
    assert (await figures(pool, site, "outlet_pressure"))[0] == (1, 9, 5, 9, 2, 0)
    await holds(pool)


async def test_a_late_reading_that_comes_while_its_hour_is_dropped_stays_until_it_is_merged(
    pool: Pool, site: SmallSite
) -> None:
    await store(pool, site, "outlet_pressure", (0, 1), (60, 7), (99, 3))
    now = later(days=100)
    await make(pool, site, now)
    point = site.points["outlet_pressure"]
    async with transaction(pool) as batch:
        await readings.store(batch, [Sample(point, to_ms(later(minutes=5)), 9.0, Quality.GOOD, 0)])
        async with transaction(pool) as worker:
            hour = Overdue(point, NOON, later(hours=1))
            assert await history_expiry.drop(worker, [hour]) == Dropped(1, 1)
    assert await left(pool, site, "outlet_pressure") == [round(5 / 1440, 6), 60, 99]


async def test_late_readings_of_a_dropped_hour_wait_a_day_and_are_merged(pool: Pool, site: SmallSite) -> None:
    await store(pool, site, "outlet_pressure", (0, 1), (0.01, 3), (60, 7), (99, 3))
    now = later(days=100)
    await make(pool, site, now)
    assert (await expire(pool, site, now)).readings == 2
    for _ in range(2):  # the broker sends it twice, and it is known
        await store(pool, site, "outlet_pressure", (0.02, 11), (0.03, math.nan), now=now)
    await remake(pool, site, now)
    await remake(pool, site, now + DAY - timedelta(minutes=1))
    assert await expire(pool, site, now) == Dropped(0, 0)
    assert (await figures(pool, site, "outlet_pressure"))[0] == (1, 3, 2, 3, 2, 0)
    await holds(pool)
    await remake(pool, site, now + DAY)
    assert (await figures(pool, site, "outlet_pressure"))[0] == (1, 11, 5, 11, 3, 1)
    assert await left(pool, site, "outlet_pressure") == [60, 99]
    await holds(pool)
    await store(pool, site, "outlet_pressure", (0.015, 7), now=now + DAY)  # later still, and not the last of its hour
    await remake(pool, site, now + DAY)
    await remake(pool, site, now + 2 * DAY)
    assert (await figures(pool, site, "outlet_pressure"))[0] == (1, 11, 5.5, 11, 4, 1)
    await holds(pool)


async def test_late_readings_of_an_hour_that_had_none_are_an_hour_like_any_other(pool: Pool, site: SmallSite) -> None:
    await store(pool, site, "outlet_pressure", (0, 1), (60, 7), (99, 3))
    now = later(days=100)
    await make(pool, site, now)
    await expire(pool, site, now)
    await store(pool, site, "outlet_pressure", (1, 5), now=now)
    await remake(pool, site, now)
    assert [row[0] for row in await figures(pool, site, "outlet_pressure")] == [1, 5, 7, 3]
    assert await expire(pool, site, now) == Dropped(1, 1)
    await holds(pool)


async def test_a_worker_killed_between_making_and_dropping_goes_on(pool: Pool, site: SmallSite) -> None:
    await store(pool, site, "outlet_pressure", *[(at / 48, at) for at in range(200)], (60, 7), (99, 0))
    now = later(days=100)
    await make(pool, site, now)
    before = history_expiry.horizons(KEEP, now)
    with pytest.raises(InterruptedError):
        async with transaction(pool) as connection:
            due, _ = await history_expiry.overdue(connection, site.id, before)
            assert (await history_expiry.drop(connection, due)).readings > 0
            raise InterruptedError
    assert len(await left(pool, site, "outlet_pressure")) == 202
    await holds(pool)
    assert (await expire(pool, site, now)).readings == 200
    await holds(pool)


async def test_batches_are_bounded(pool: Pool, site: SmallSite) -> None:
    points = ("outlet_pressure", "flood", "pump_1.run")
    for point in points:
        await store(pool, site, point, *[(at / 24, at) for at in range(500)], (699, 0))
    now = later(days=700)
    await make(pool, site, now)
    async with transaction(pool) as connection:
        due, looked_at = await history_expiry.overdue(connection, site.id, history_expiry.horizons(KEEP, now))
        assert [each.point_id for each in due] == sorted(site.points[each] for each in points)
        assert looked_at is not None and looked_at == max(site.points.values())
        assert await history_expiry.overdue(
            connection, site.id, history_expiry.horizons(KEEP, now), after_point_id=looked_at
        ) == ([], None)
        assert await history_expiry.drop(connection, due) == Dropped(72, 72), "a day of each"


async def test_a_whole_chunk_goes_as_one_where_there_are_chunks_and_what_stays_stays(
    pool: Pool, site: SmallSite, connection: Connection
) -> None:
    cursor = await connection.execute("select count(*) from pg_extension where extname = 'timescaledb'")
    has_chunks = await cursor.fetchone() == (1,)
    await store(pool, site, "outlet_pressure", *[(at / 8, at) for at in range(120)], (60, 7), (99, 8))
    await store(pool, site, "flood", *[(at / 2, at % 2) for at in range(30)], (60, 1), (99, 0))
    await store(pool, site, "ats_position", (2, 1))  # never again: it is the case now
    now = later(days=104)
    cursor = await connection.execute("select id from site")
    for (number,) in await cursor.fetchall():  # a chunk has the readings of all sites
        await make(pool, replace(site, id=int(str(number))), now)
    before = await figures(pool, site, "outlet_pressure")
    async with transaction(pool) as connection_:
        whole = await history_expiry.by_whole_chunks(connection_, history_expiry.horizons(KEEP, now))
        due, _ = await history_expiry.overdue(connection_, site.id, whole)
        dropped = await history_expiry.drop_chunk(connection_, due, whole)
    if not has_chunks:
        assert dropped is None
        assert whole == history_expiry.horizons(KEEP, now)
        return
    assert dropped is not None and dropped > 0
    assert whole[MEASURE] < now - 90 * DAY
    there = await left(pool, site, "outlet_pressure")
    assert len(there) == 122 - dropped
    assert there[0] == (NOON + dropped * DAY / 8 - NOON) / DAY
    assert len(await left(pool, site, "flood")) == 32
    assert await left(pool, site, "ats_position") == [2]
    assert await figures(pool, site, "outlet_pressure") == before
    await holds(pool)
    await store(pool, site, "outlet_pressure", (0.01, 50), now=now)  # late: its chunk was dropped, another is made
    await remake(pool, site, now)
    await remake(pool, site, now + DAY)
    assert (await figures(pool, site, "outlet_pressure"))[0][:2] == (0, 50)
    await holds(pool)


async def test_hours_past_their_keeping_are_forgotten_and_counted(pool: Pool, site: SmallSite) -> None:
    await store(pool, site, "outlet_pressure", (0, 1), (0.01, 2), (1, math.nan), (50, 2), (60, 7), (99, 3))
    now = later(days=100)
    await make(pool, site, now)
    await expire(pool, site, now)
    before = history_expiry.horizons({MEASURE: 40}, now)
    async with transaction(pool) as connection:
        assert await history_expiry.forget(connection, site.id, before) == 2, "not the one whose readings are there"
    assert [row[4] for row in await figures(pool, site, "outlet_pressure")] == [1, 1, 1]
    async with transaction(pool) as connection:
        cursor = await connection.execute("select forgotten from site_history where site_id = %s", [site.id])
        assert await cursor.fetchone() == (3,)
        assert await history_expiry.forget(connection, site.id, before) == 0
    await holds(pool)


@pytest.mark.parametrize(
    "statement",
    [
        "delete from reading where ts = '2026-03-01 12:00:00+00'",
        "update reading_hour set has_readings = true",
        "update reading_hour set count = count - 1 where not has_readings",
    ],
)
async def test_the_audit_sees_a_reading_that_is_lost(
    pool: Pool, site: SmallSite, connection: Connection, statement: str
) -> None:
    await store(pool, site, "outlet_pressure", (0, 1), (0.01, 2), (60, 7), (99, 3))
    await store(pool, site, "flood", (0, 1))
    now = later(days=100)
    await make(pool, site, now)
    await expire(pool, site, now)
    await holds(pool)
    await connection.execute(statement.encode())
    found = {each.invariant for each in await audit.run(connection)}  # type: ignore[arg-type]
    assert "no_reading_is_lost" in found


async def test_no_plan_is_kept_from_when_the_ledger_was_empty(database_url: str, site: SmallSite) -> None:
    """It would be to read the whole table for every point, which is right while there is nothing in it."""
    async with open_pool(database_url, role=INGEST_ROLE, size_max=1) as narrow:
        for _ in range(12):  # prepared after the fifth, with a plan of its own after the tenth
            await make(narrow, site, later(days=3))
            await expire(narrow, site, later(days=3))
            async with transaction(narrow) as connection:
                await history_expiry.forget(connection, site.id, history_expiry.horizons(KEEP, later(days=3)))
        async with transaction(narrow) as connection:
            cursor = await connection.execute(
                "select statement from pg_prepared_statements where statement ~ '(from|join|into|update) reading'"
            )
            assert await cursor.fetchall() == []
            cursor = await connection.execute("select count(*) from pg_prepared_statements")
            assert (await cursor.fetchone() or (0,))[0] > 0  # others are, so the question means something
