"""An hour says what its readings say, however late they came, whoever else was at work, and wherever it broke off."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from ledger import audit, history, readings
from ledger.pool import API_ROLE, INGEST_ROLE, Pool, open_pool, transaction
from ledger.records import Quality, Sample, to_ms
from tests.fix_database import Connection
from tests.fix_wait import wait_until
from tests.small_estate import NOON, SmallSite, build_both, later

NOT_A_NUMBER = math.nan


@pytest.fixture
async def site(connection: Connection) -> SmallSite:
    garden, _ = await build_both(connection)
    await connection.commit()
    return garden


async def store(connection: Any, point: int, *values: tuple[float, float], bad: bool = False) -> None:
    """`values`: minutes after noon, and what was measured."""
    quality = Quality.OUT_OF_RANGE if bad else Quality.GOOD
    samples = [
        Sample(point, to_ms(later(minutes=at)), value, Quality.SENSOR_FAULT if math.isnan(value) else quality, 0)
        for at, value in values
    ]
    await readings.store(connection, samples)


async def roll(connection: Any, site_id: int, now: datetime) -> None:
    """As the historian does, in one transaction: nobody else is there."""
    progress = await history.close(connection, site_id, now)
    while window := await history.next_window(connection, site_id, progress):
        left: history.Window | None = window
        while left is not None:
            left = await history.roll(connection, site_id, left)
        progress = history.Progress(progress.closed_until, window.end)
        if progress.rolled_until >= progress.closed_until:
            return


async def remake(connection: Any, site_id: int, now: datetime) -> None:
    while await history.remake(connection, site_id, now):
        pass


async def hours(connection: Any, point: int) -> Sequence[tuple[Any, ...]]:
    """Hour after noon, minimum, maximum, mean, last, count, bad."""
    cursor = await connection.execute(
        "select (extract(epoch from hour - %s) / 3600)::int, minimum, maximum, mean, last, count, bad "
        "from reading_hour where point_id = %s order by hour",
        [NOON, point],
    )
    return await cursor.fetchall()


async def holds(connection: Any) -> bool:
    return "hour_says_what_its_readings_say" not in {each.invariant for each in await audit.run(connection)}


async def test_hours_that_are_over_are_made_and_the_running_one_is_not(connection: Connection, site: SmallSite) -> None:
    point = site.points["outlet_pressure"]
    await store(connection, point, (0, 1), (30, 3), (59.99, 2), (60, 7), (185, 9))
    await roll(connection, site.id, later(minutes=184))  # the hour before is not quite over: late-comers have 5 minutes
    assert await hours(connection, point) == [(0, 1, 3, 2, 2, 3, 0), (1, 7, 7, 7, 7, 1, 0)]
    await roll(connection, site.id, later(hours=4, minutes=5))
    assert [row[0] for row in await hours(connection, point)] == [0, 1, 3]
    assert await holds(connection)


async def test_bad_values_are_counted_and_left_out(connection: Connection, site: SmallSite) -> None:
    point = site.points["outlet_pressure"]
    await store(connection, point, (0, 1), (1, NOT_A_NUMBER), (2, NOT_A_NUMBER), (61, NOT_A_NUMBER))
    await store(connection, point, (3, 99), (62, 98), bad=True)
    await roll(connection, site.id, later(hours=3))
    assert await hours(connection, point) == [(0, 1, 1, 1, 1, 1, 3), (1, None, None, None, None, 0, 2)]
    assert await holds(connection)


async def test_a_counter_that_wraps_keeps_the_figures_its_increase_follows_from(
    connection: Connection, site: SmallSite
) -> None:
    point = site.points["outlet_pressure"]
    await store(connection, point, (0, 65_000), (20, 65_535), (40, 100), (59, 300), (61, 400))
    await roll(connection, site.id, later(hours=3))
    [first, second] = await hours(connection, point)
    assert (first[1], first[2], first[4]) == (100, 65_535, 300)  # up to the largest, and from nothing to the last
    assert second[4] - first[4] == 100


async def test_figures_too_large_for_a_mean_do_not_hold_up_the_rest(connection: Connection, site: SmallSite) -> None:
    point = site.points["outlet_pressure"]
    await store(connection, point, (0, 1.7e308), (1, -1.7e308), (2, 1.7e308), (3, 4.0), (60, 1e308), (61, 5e-324))
    await roll(connection, site.id, later(hours=3))
    assert await hours(connection, point) == [
        (0, -1.7e308, 1.7e308, 4.0, 4.0, 4, 0),
        (1, 5e-324, 1e308, 5e-324, 5e-324, 2, 0),
    ]
    assert await holds(connection)


async def test_years_without_readings_are_leapt_over(connection: Connection, site: SmallSite) -> None:
    point = site.points["outlet_pressure"]
    long_ago = (datetime(2001, 1, 1, tzinfo=NOON.tzinfo) - NOON) / timedelta(minutes=1)
    await store(connection, point, (long_ago, 1), (0, 2))
    progress = await history.close(connection, site.id, later(hours=2))
    first = await history.next_window(connection, site.id, progress)
    assert first is not None
    assert (first.begin, first.end) == (
        datetime(2001, 1, 1, tzinfo=NOON.tzinfo),
        datetime(2001, 1, 2, tzinfo=NOON.tzinfo),
    )
    await roll(connection, site.id, later(hours=2))
    assert [row[5] for row in await hours(connection, point)] == [1, 1]


async def test_an_hour_that_receives_late_readings_is_made_again(connection: Connection, site: SmallSite) -> None:
    point, other = site.points["outlet_pressure"], site.points["flood"]
    await store(connection, point, (0, 1), (130, 5))
    await roll(connection, site.id, later(hours=3, minutes=5))
    await store(connection, point, (30, 9), (70, 2), (181, 3))
    await store(connection, other, (50, 1), (51, NOT_A_NUMBER))
    cursor = await connection.execute("select count(*) from stale_hour")
    assert await cursor.fetchone() == (3,), "the running hour is nobody's business yet"
    assert await holds(connection), "what is noted need not hold yet"
    await remake(connection, site.id, later(hours=3, minutes=6))
    assert await hours(connection, point) == [(0, 1, 9, 5, 9, 2, 0), (1, 2, 2, 2, 2, 1, 0), (2, 5, 5, 5, 5, 1, 0)]
    assert await hours(connection, other) == [(0, 1, 1, 1, 1, 1, 1)]
    cursor = await connection.execute("select count(*) from stale_hour")
    assert await cursor.fetchone() == (0,)
    assert await holds(connection)


async def test_making_an_hour_twice_changes_nothing(connection: Connection, site: SmallSite) -> None:
    """A worker that was killed between its transactions begins the window again."""
    point = site.points["outlet_pressure"]
    await store(connection, point, (0, 1), (30, 3), (90, 4))
    progress = await history.close(connection, site.id, later(hours=3))
    window = await history.next_window(connection, site.id, progress)
    assert window is not None
    assert await history.roll(connection, site.id, window) is not None
    before = await hours(connection, point)
    await roll(connection, site.id, later(hours=3))
    assert await hours(connection, point) == before != []


async def test_a_worker_that_was_overtaken_makes_nothing(connection: Connection, site: SmallSite) -> None:
    point = site.points["outlet_pressure"]
    await store(connection, point, (0, 1), (30, 3))
    progress = await history.close(connection, site.id, later(hours=3))
    window = await history.next_window(connection, site.id, progress)
    assert window is not None
    await roll(connection, site.id, later(hours=3))
    await connection.execute("delete from reading_hour")
    assert await history.roll(connection, site.id, window) is None
    assert await hours(connection, point) == []


async def test_one_worker_at_a_time(database_url: str, site: SmallSite) -> None:
    async with open_pool(database_url, role=INGEST_ROLE) as pool, transaction(pool) as first:
        assert await history.is_mine(first, site.id)
        async with transaction(pool) as second:
            assert not await history.is_mine(second, site.id)
            assert await history.is_mine(second, site.id + 1)


async def is_past(pool: Pool, mark: int) -> bool:
    """Asked again until it is: transactions of other databases on the same server count as well."""
    async with transaction(pool) as worker:
        return await history.is_past(worker, mark)


async def test_a_batch_that_looked_before_the_hour_was_closed_is_waited_for(
    database_url: str, connection: Connection, site: SmallSite
) -> None:
    """Its reading is in the hour though it was not noted; the batch waits for nobody."""
    point = site.points["outlet_pressure"]
    await store(connection, point, (0, 1))
    await connection.commit()
    async with open_pool(database_url, role=INGEST_ROLE) as pool:
        async with transaction(pool) as batch:
            await store(batch, point, (30, 9))
            async with transaction(pool) as worker:
                await history.close(worker, site.id, later(hours=2))
            async with transaction(pool) as worker:
                mark = await history.fence(worker)
            async with transaction(pool) as worker:
                assert not await history.is_past(worker, mark)
            cursor = await batch.execute("select count(*) from stale_hour")
            assert await cursor.fetchone() == (0,)
        await wait_until(lambda: is_past(pool, mark))
        async with transaction(pool) as worker:
            await roll(worker, site.id, later(hours=2))
            assert await hours(worker, point) == [(0, 1, 9, 5, 9, 2, 0)]
        async with transaction(pool) as batch:  # and from now on it is noted
            await store(batch, point, (45, 2))
            cursor = await batch.execute("select count(*) from stale_hour")
            assert await cursor.fetchone() == (1,)


async def test_a_batch_that_began_before_the_closing_was_committed_is_waited_for(
    database_url: str, connection: Connection, site: SmallSite
) -> None:
    """It began to write after the closing did, and did not see it."""
    point = site.points["outlet_pressure"]
    await store(connection, point, (0, 1))
    await connection.commit()
    async with open_pool(database_url, role=INGEST_ROLE) as pool:
        async with transaction(pool) as batch:
            async with transaction(pool) as worker:
                await history.close(worker, site.id, later(hours=2))
                await store(batch, point, (30, 9))
            async with transaction(pool) as worker:
                mark = await history.fence(worker)
            async with transaction(pool) as worker:
                assert not await history.is_past(worker, mark)
        await wait_until(lambda: is_past(pool, mark))


async def test_a_note_that_comes_while_its_hour_is_made_again_is_not_lost(
    database_url: str, connection: Connection, site: SmallSite
) -> None:
    point = site.points["outlet_pressure"]
    await store(connection, point, (0, 1))
    await roll(connection, site.id, later(hours=2))
    await store(connection, point, (10, 2))
    await connection.commit()
    async with open_pool(database_url, role=INGEST_ROLE) as pool:
        async with transaction(pool) as batch:
            await store(batch, point, (20, 3))
            async with transaction(pool) as worker:
                assert await history.remake(worker, site.id, later(hours=2)) == 1
        async with transaction(pool) as worker:
            assert (await hours(worker, point))[0][5] == 2
            assert await history.remake(worker, site.id, later(hours=2)) == 1
            assert (await hours(worker, point))[0][5] == 3


async def test_each_site_has_its_own_history(connection: Connection) -> None:
    garden, harbour = await build_both(connection)
    for each in (garden, harbour):
        await store(connection, each.points["outlet_pressure"], (0, 1))
    await roll(connection, garden.id, later(hours=2))
    assert await hours(connection, garden.points["outlet_pressure"])
    assert not await hours(connection, harbour.points["outlet_pressure"])
    await store(connection, garden.points["outlet_pressure"], (1, 2))
    await remake(connection, harbour.id, later(hours=2))
    assert (await hours(connection, garden.points["outlet_pressure"]))[0][5] == 1, "the note is the garden's"
    await remake(connection, garden.id, later(hours=2))
    assert (await hours(connection, garden.points["outlet_pressure"]))[0][5] == 2
    assert await holds(connection)


@pytest.mark.parametrize(
    "statement",
    [
        "update reading_hour set mean = mean + 0.001",
        "update reading_hour set last = 0",
        "update reading_hour set count = 9",
        "update reading_hour set bad = 1",
        "delete from reading_hour",
        "delete from reading where value = 3",
    ],
)
async def test_the_audit_sees_an_hour_that_says_something_else(
    connection: Connection, site: SmallSite, statement: str
) -> None:
    point = site.points["outlet_pressure"]
    await store(connection, point, (0, 1), (30, 3), (40, 2))
    await roll(connection, site.id, later(hours=2))
    assert await holds(connection)
    await connection.execute(statement.encode())
    assert not await holds(connection)


async def test_people_may_read_hours_and_change_none(
    database_url: str, connection: Connection, site: SmallSite
) -> None:
    await store(connection, site.points["outlet_pressure"], (0, 1))
    await roll(connection, site.id, later(hours=2))
    await connection.commit()
    async with open_pool(database_url, role=API_ROLE) as pool, transaction(pool, sites=[site.id]) as people:
        cursor = await people.execute("select count(*), bool_and(has_readings) from site_reading_hour")
        assert await cursor.fetchone() == (1, True)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await people.execute("update site_history set rolled_until = closed_until")
        await people.rollback()
