"""Readings are stored once: the first value of a point and time stays, and everyone is told what became of theirs."""

import asyncio
import math
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import readings
from ledger.pool import API_ROLE, INGEST_ROLE, open_pool, transaction
from ledger.readings import Fate
from ledger.records import Quality, Sample, to_ms
from tests.fix_database import Connection
from tests.fix_wait import Eventually
from tests.small_estate import NOON, SmallSite, build_both, later

NOON_MS = to_ms(NOON)
S, R, C = Fate.STORED, Fate.REPEATED, Fate.CONFLICT


def sample(point_id: int, at_s: float, value: float = 1.0, quality: Quality = Quality.GOOD) -> Sample:
    return Sample(point_id, NOON_MS + round(at_s * 1000), value, quality, NOON_MS)


async def fates(connection: Connection, *samples: Sample) -> list[Fate]:
    return list((await readings.store(connection, samples)).fates)


async def stored(connection: Connection) -> list[tuple[object, ...]]:
    cursor = await connection.execute("select point_id, ts, value, quality from reading order by point_id, ts")
    return await cursor.fetchall()


async def test_new_repeated_and_conflicting_samples_are_told_apart(connection: Connection) -> None:
    assert await fates(connection, sample(1, 0), sample(2, 0), sample(1, 1)) == [S, S, S]
    assert await fates(connection, sample(1, 0), sample(1, 1, 2.0), sample(1, 2)) == [R, C, S]
    assert [row[2] for row in await stored(connection)] == [1.0, 1.0, 1.0, 1.0]


async def test_duplicates_within_one_batch_count_against_its_first(connection: Connection) -> None:
    twice = sample(1, 0, 5.0)
    assert await fates(connection, twice, twice, sample(1, 0, 6.0)) == [S, R, C]
    assert await fates(connection, sample(1, 0, 6.0), sample(1, 0, 5.0), sample(1, 0, 6.0)) == [C, R, C]


async def test_quality_belongs_to_the_value(connection: Connection) -> None:
    broken = sample(1, 0, math.nan, Quality.SENSOR_FAULT)
    assert await fates(connection, broken, broken) == [S, R]
    assert await fates(connection, sample(1, 0, 3.0)) == [C]
    assert await fates(connection, sample(2, 0, 9.0, Quality.OUT_OF_RANGE), sample(2, 0, 9.0)) == [S, C]


async def test_nothing_is_nothing(connection: Connection) -> None:
    assert await fates(connection) == []


async def test_times_and_values_come_back_to_the_last_bit(connection: Connection) -> None:
    odd = [Sample(1, ms, value, Quality.GOOD, 0) for ms, value in ((1, 0.1 + 0.2), (4_102_444_799_999, 5e-324))]
    await readings.store(connection, odd)
    cursor = await connection.execute("select extract(epoch from ts) * 1000, value from reading order by ts")
    assert [(int(str(ms).split(".")[0]), value) for ms, value in await cursor.fetchall()] == [
        (one.ts_ms, one.value) for one in odd
    ]


SAMPLES = st.lists(
    st.builds(
        sample,
        st.integers(1, 2),
        st.integers(0, 3),
        st.sampled_from([1.0, 2.0]),
        st.sampled_from([Quality.GOOD, Quality.OUT_OF_RANGE]),
    ),
    max_size=20,
)


@given(samples=SAMPLES, cut=st.integers(0, 20))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_batch_is_like_one_sample_after_another(
    connection: Connection, samples: list[Sample], cut: int
) -> None:
    """A model in memory says what must become of each; replaying the whole changes nothing."""
    await connection.rollback()
    kept: dict[tuple[int, int], tuple[float, Quality]] = {}
    expected: list[Fate] = []
    for one in samples:
        key, mine = (one.point_id, one.ts_ms), (one.value, one.quality)
        expected.append(S if key not in kept else R if kept[key] == mine else C)
        kept.setdefault(key, mine)
    assert await fates(connection, *samples[:cut]) + await fates(connection, *samples[cut:]) == expected
    before = await stored(connection)
    assert S not in await fates(connection, *samples)
    assert await stored(connection) == before


async def test_two_workers_storing_the_same_never_raise_and_one_of_them_is_first(
    database_url: str, eventually: Eventually
) -> None:
    batch = [sample(point, at) for point in (1, 2, 3) for at in range(20)]
    async with open_pool(database_url, role=INGEST_ROLE) as pool:

        async def store(samples: list[Sample]) -> readings.StoreOutcome:
            async with transaction(pool) as connection:
                return await readings.store(connection, samples)

        async with transaction(pool) as first:
            mine = await readings.store(first, batch)
            theirs = asyncio.create_task(store(batch[::-1]))

            async def waits() -> bool:
                cursor = await first.execute("select count(*) from pg_locks where not granted")
                row = await cursor.fetchone()
                return row is not None and row[0] > 0

            await eventually(waits)
    assert mine.count(S) == len(batch)
    assert (await theirs).count(R) == len(batch)


async def test_the_latest_of_each_point(connection: Connection) -> None:
    await readings.store(connection, [sample(1, 0, 1), sample(1, 86_400 * 3, 2), sample(2, -9, 3), sample(3, 0, 4)])
    found = await readings.latest(connection, [1, 2, 9])
    assert {point: reading.value for point, reading in found.items()} == {1: 2.0, 2: 3.0}


@pytest.mark.parametrize(
    ("lookback_s", "expected"),
    [(0, [40]), (5, [30, 40]), (10, [30, 40]), (25, [10, 20, 30, 40]), (1e9, [0, 10, 20, 30, 40])],
)
async def test_history_reaches_back_from_the_newest_and_knows_what_held_before(
    connection: Connection, lookback_s: float, expected: list[int]
) -> None:
    await readings.store(connection, [sample(1, at, at) for at in range(0, 50, 10)])
    await readings.store(connection, [sample(2, 99_999, 7)])
    found = await readings.history(connection, {1: lookback_s, 2: 0, 3: 60})
    assert [reading.value for reading in found if reading.point_id == 1] == expected
    assert [reading.value for reading in found if reading.point_id == 2] == [7]


async def test_history_stops_where_it_is_told_to(connection: Connection) -> None:
    await readings.store(connection, [sample(1, at, at) for at in range(0, 50, 10)])
    found = await readings.history(connection, {1: 10}, until=later(seconds=25))
    assert [reading.value for reading in found] == [10, 20]


# -- what people see


@pytest.fixture
async def sites(database_url: str, connection: Connection) -> tuple[SmallSite, SmallSite]:
    garden, harbour = await build_both(connection)
    for site, value in ((garden, 1.0), (harbour, 2.0)):
        point = site.points["outlet_pressure"]
        await readings.store(connection, [sample(point, at, value + at) for at in range(10)])
        await readings.store(connection, [sample(point, 10, math.nan, Quality.SENSOR_FAULT)])
    await connection.commit()
    return garden, harbour


async def test_people_see_the_readings_of_their_sites(database_url: str, sites: tuple[SmallSite, SmallSite]) -> None:
    garden, harbour = sites
    mine, other = garden.points["outlet_pressure"], harbour.points["outlet_pressure"]
    async with open_pool(database_url, role=API_ROLE) as pool, transaction(pool, sites=[garden.id]) as connection:
        found = await readings.current(connection, [mine, other])
        assert list(found) == [mine]
        assert found[mine].quality is Quality.SENSOR_FAULT
        assert len(await readings.series(connection, mine, NOON, later(hours=1))) == 11
        assert await readings.series(connection, other, NOON, later(hours=1)) == []
        assert await readings.buckets(connection, other, NOON, later(hours=1), bucket_s=60) == []


async def test_a_series_is_half_open_in_order_and_bounded(
    database_url: str, sites: tuple[SmallSite, SmallSite]
) -> None:
    point = sites[0].points["outlet_pressure"]
    async with open_pool(database_url, role=API_ROLE) as pool, transaction(pool, sites=[sites[0].id]) as connection:
        found = await readings.series(connection, point, later(seconds=2), later(seconds=5))
        assert [reading.value for reading in found] == [3, 4, 5]
        found = await readings.series(connection, point, NOON, later(seconds=5), limit=2)
        assert [reading.value for reading in found] == [1, 2]


async def test_buckets_say_what_lies_in_them_and_leave_bad_values_out(
    database_url: str, sites: tuple[SmallSite, SmallSite]
) -> None:
    point = sites[0].points["outlet_pressure"]
    async with open_pool(database_url, role=API_ROLE) as pool, transaction(pool, sites=[sites[0].id]) as connection:
        found = await readings.buckets(connection, point, NOON, later(hours=1), bucket_s=4)
        assert [(one.ts, one.minimum, one.maximum, one.mean, one.last, one.count, one.bad) for one in found] == [
            (NOON, 1, 4, 2.5, 4, 4, 0),
            (later(seconds=4), 5, 8, 6.5, 8, 4, 0),
            (later(seconds=8), 9, 10, 9.5, 10, 2, 1),
        ]
        bad = await readings.buckets(connection, point, later(seconds=10), later(hours=1), bucket_s=1)
        assert [(one.mean, one.last, one.count, one.bad) for one in bad] == [(None, None, 0, 1)]


async def test_days_begin_where_the_site_says(database_url: str, sites: tuple[SmallSite, SmallSite]) -> None:
    point = sites[0].points["outlet_pressure"]
    midnight_in_shanghai = datetime(2026, 1, 1, tzinfo=NOON.tzinfo) - timedelta(hours=8)
    async with open_pool(database_url, role=API_ROLE) as pool, transaction(pool, sites=[sites[0].id]) as connection:
        found = await readings.buckets(
            connection, point, NOON, later(hours=1), bucket_s=86_400, origin=midnight_in_shanghai
        )
    assert [one.ts for one in found] == [later(hours=-20)]
