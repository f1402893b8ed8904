"""The demo's estate says the same of its ages whatever the year, and what was due until then has been done."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from demo import estates
from estate import bring_in, importing
from estate.types import service_terms
from inspection import expiry
from inspection.expiry import Ending
from ledger import expiring, facilities, inventory
from ledger.expiring import EndingPiece, Interval
from tests.fix_database import Connection
from tests.shipped import BOOK, PACKS

FILES = [estates.ESTATE, estates.FIRE_EQUIPMENT]
WRITTEN = datetime.combine(estates.WRITTEN_ON, datetime.min.time(), ZoneInfo("Asia/Shanghai")).astimezone(UTC)
YEAR = timedelta(days=365.25)


async def ending(connection: Connection, now: datetime) -> list[EndingPiece]:
    """What of the fire equipment of all sites raises an alarm on that day."""
    today = now.astimezone(ZoneInfo("Asia/Shanghai")).date()
    until = today + timedelta(days=expiry.ALARM_AHEAD_DAYS)
    kinds, terms = expiry.fire_kinds(BOOK), service_terms()
    return [
        piece
        for site in await facilities.sites(connection)
        for piece in await expiring.pieces(connection, site.id, until=until, kinds=kinds, terms=terms)
    ]


@pytest.mark.parametrize(
    "now",
    [
        WRITTEN,
        WRITTEN - timedelta(days=200),
        WRITTEN + YEAR,
        WRITTEN + 3 * YEAR,
        WRITTEN + 7 * YEAR,
        datetime(2028, 2, 28, 18, tzinfo=UTC),  # the 29th at the sites
        datetime(2101, 3, 1, tzinfo=UTC),  # 2100 has no such day
    ],
    ids=lambda now: now.date().isoformat(),
)
async def test_one_has_ended_one_ends_and_one_is_to_be_serviced_whatever_the_year(
    connection: Connection, now: datetime
) -> None:
    await estates.bring_in(connection, FILES, PACKS, now)
    found = await ending(connection, now)
    today = now.astimezone(ZoneInfo("Asia/Shanghai")).date()
    assert sorted((each.interval, each.ends_on < today) for each in found) == [
        (Interval.LIFE, False),
        (Interval.LIFE, True),
        (Interval.SERVICE, False),
    ]
    rules = [rule for _, rule in expiry.alarms(found, set(), today)]
    assert sorted(rules) == [Ending.EQUIPMENT_ENDED, Ending.EQUIPMENT_ENDS_SOON, Ending.EQUIPMENT_ENDS_SOON]


async def test_the_next_run_takes_nothing_back_and_does_nothing_twice(connection: Connection) -> None:
    """A year later the demo has aged, as it should; what somebody replaced meanwhile hangs there still."""
    await estates.bring_in(connection, FILES, PACKS, WRITTEN)
    site = next(each for each in await facilities.sites(connection) if each.key == "jinxiu")
    lives = [each for each in await ending(connection, WRITTEN) if each.interval is Interval.LIFE]
    ends = next(each for each in lives if each.ends_on > estates.WRITTEN_ON)
    new = inventory.AssetEntry(
        None, "淮海消防", "MFZ/ABC4", None, date(2026, 11, 1), date(2026, 11, 28), date(2036, 11, 1)
    )
    await inventory.put_asset(connection, site_id=site.id, facility_id=ends.facility_id, entry=new)
    before = await standing(connection)
    await estates.bring_in(connection, FILES, PACKS, WRITTEN + YEAR)
    assert await standing(connection) == before


async def standing(connection: Connection) -> object:
    services = await (await connection.execute("select count(*), max(id) from asset_service")).fetchall()
    stands = await bring_in.known(connection, ["jinxiu", "binjiang"])
    return services, {
        site: {key: one.assets for key, one in found.facilities.items()} for site, found in stands.items()
    }


async def test_as_it_stands_the_files_are_imported_as_they_are(connection: Connection) -> None:
    plan = await importing.plan(connection, FILES, PACKS)
    await bring_in.bring_in(connection, plan, WRITTEN + YEAR)
    stands = (await bring_in.known(connection, ["jinxiu"]))["jinxiu"]
    (piece,) = stands.facilities["mh-1-01"].assets
    assert piece.manufactured_on == date(2019, 2, 1)
