"""Charts over long spans are made of hours and of what is not in hours yet, and are the same as of readings alone."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ledger import history, history_expiry, readings
from ledger.pool import API_ROLE, INGEST_ROLE, Pool, open_pool, transaction
from ledger.readings import Bucket
from ledger.records import PointKind, Quality, Sample, to_ms
from tests.fix_database import Connection
from tests.ledger.test_history import roll
from tests.small_estate import NOON, SmallSite, build_both, later

DAYS = 100
NOW = later(days=DAYS)


@pytest.fixture
async def site(database_url: str, connection: Connection) -> SmallSite:
    """A reading every 20 minutes for a hundred days, every seventh of them bad, and a night without any."""
    garden, _ = await build_both(connection)
    samples = [
        Sample(
            garden.points["outlet_pressure"],
            to_ms(later(minutes=20 * number + 7)),
            float(number % 50),
            Quality.OUT_OF_RANGE if number % 7 == 0 else Quality.GOOD,
            0,
        )
        for number in range(DAYS * 72)
        if not 72 * 50 <= number < 72 * 50 + 24
    ]
    await readings.store(connection, samples)  # type: ignore[arg-type]
    await connection.commit()
    return garden


async def spans(database_url: str, site: SmallSite, begin: datetime, end: datetime, **asked: object) -> list[Bucket]:
    async with open_pool(database_url, role=API_ROLE) as pool, transaction(pool, sites=[site.id]) as connection:
        point = site.points["outlet_pressure"]
        return await readings.buckets(connection, point, begin, end, **asked)  # type: ignore[arg-type]


async def make(pool: Pool, site: SmallSite, *, drop: bool) -> None:
    async with transaction(pool) as connection:
        await roll(connection, site.id, NOW - timedelta(hours=30))
        if drop:
            before = {PointKind.MEASURE: NOW - timedelta(days=40)}
            while (due := (await history_expiry.overdue(connection, site.id, before))[0]) and (
                await history_expiry.drop(connection, due)
            ).hours:
                pass


def alike(one: list[Bucket], other: list[Bucket]) -> bool:
    return [(each.ts, each.minimum, each.maximum, each.last, each.count, each.bad) for each in one] == [
        (each.ts, each.minimum, each.maximum, each.last, each.count, each.bad) for each in other
    ] and [each.mean for each in one] == pytest.approx([each.mean for each in other])


ZONES = (
    datetime(2000, 1, 1, tzinfo=UTC),
    datetime(2000, 1, 1, tzinfo=timezone(timedelta(hours=8))),
    datetime(2000, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))),
)


async def test_spans_of_hours_are_as_spans_of_readings(database_url: str, site: SmallSite) -> None:
    asked = [
        (later(days=1, minutes=11), NOW + timedelta(days=1), {"bucket_s": width, "origin": origin})
        for width in (3600, 6 * 3600, 86_400)
        for origin in ZONES
    ] + [
        (later(minutes=10), later(minutes=50), {"bucket_s": 3600}),
        (later(days=50), later(days=51), {"bucket_s": 3600}),
    ]
    before = [await spans(database_url, site, begin, end, **more) for begin, end, more in asked]
    assert all(before)
    async with open_pool(database_url, role=INGEST_ROLE) as pool:
        await make(pool, site, drop=False)
    for (begin, end, more), expected in zip(asked, before, strict=True):
        assert alike(await spans(database_url, site, begin, end, **more), expected), more


async def test_where_readings_are_gone_there_are_hours_and_a_gap_stays_a_gap(
    database_url: str, site: SmallSite
) -> None:
    daily = {"bucket_s": 86_400, "origin": ZONES[1]}
    begin = datetime(2026, 3, 3, tzinfo=ZONES[1].tzinfo)
    before = await spans(database_url, site, begin, NOW, **daily)
    hourly = await spans(database_url, site, begin, later(days=60), bucket_s=3600)
    async with open_pool(database_url, role=INGEST_ROLE) as pool:
        await make(pool, site, drop=True)
        async with transaction(pool) as connection:
            cursor = await connection.execute("select min(ts) from reading")
            row = await cursor.fetchone()
            assert row is not None and row[0] == later(days=60, minutes=7)
    assert alike(await spans(database_url, site, begin, NOW, **daily), before)
    found = await spans(database_url, site, begin, later(days=60), bucket_s=3600)
    assert alike(found, hourly)
    assert not any(later(days=50) <= each.ts < later(days=50, hours=8) for each in found)
    async with open_pool(database_url, role=API_ROLE) as pool, transaction(pool, sites=[site.id]) as connection:
        point = site.points["outlet_pressure"]
        assert await readings.dropped_until(connection, point) == later(days=60)
        assert await readings.dropped_until(connection, site.points["flood"]) is None


async def test_days_of_a_zone_off_the_hour_are_whole_though_readings_are_gone(
    database_url: str, site: SmallSite
) -> None:
    """An hour belongs to the day it begins in: half an hour's blur, and nothing counted twice or left out."""
    daily = {"bucket_s": 86_400, "origin": ZONES[2]}
    before = await spans(database_url, site, NOON, NOW, **daily)
    async with open_pool(database_url, role=INGEST_ROLE) as pool:
        await make(pool, site, drop=True)
    found = await spans(database_url, site, NOON, NOW, **daily)
    assert [each.ts for each in found] == [each.ts for each in before]
    assert sum(each.count + each.bad for each in found) == sum(each.count + each.bad for each in before)


async def test_what_is_not_made_yet_is_shown_all_the_same(database_url: str, site: SmallSite) -> None:
    async with open_pool(database_url, role=INGEST_ROLE) as pool:
        await make(pool, site, drop=False)
        async with transaction(pool) as connection:
            cursor = await connection.execute("select max(hour) from reading_hour")
            row = await cursor.fetchone()
            assert row is not None and row[0] < NOW - timedelta(hours=30) < NOW
            assert await history.remake(connection, site.id, NOW) == 0
    found = await spans(database_url, site, NOW - timedelta(hours=40), NOW, bucket_s=3600)
    assert len(found) == 40
