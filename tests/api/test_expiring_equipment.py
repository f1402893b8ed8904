"""What ends soon at a site: the first first, by the site's calendar, page by page."""

from datetime import date, timedelta
from typing import Any

import httpx
import psycopg

from ledger import inventory
from tests.api.conftest import Estate, StandingClock

TODAY = date(2026, 3, 1)


async def test_what_ends_soon_the_first_first(
    client: httpx.AsyncClient, owner: psycopg.AsyncConnection[Any], estate: Estate, clock: StandingClock
) -> None:
    garden = estate.garden
    for number, left in enumerate((70, 5, -3, 25)):
        part = f"pump_{number + 1}" if number < 2 else None
        facility = garden.lamp if number == 2 else garden.booster
        assert facility is not None
        piece = inventory.AssetEntry(
            part, "厂", "型", str(number), date(2016, 3, 1), date(2016, 4, 1), TODAY + timedelta(days=left)
        )
        async with owner.transaction():
            await inventory.put_asset(owner, site_id=garden.id, facility_id=facility, entry=piece)
    asked = {"site": "garden"}
    items = (await client.get("/equipment-expiry", params=asked)).json()["items"]
    assert [(each["facility"]["key"], each["days_left"], each["expiry"]) for each in items] == [
        ("lamp-1", -3, "ended"),
        ("booster-1", 5, "within_7_days"),
        ("booster-1", 25, "within_30_days"),
    ]
    assert (items[1]["part"], items[2]["part"], items[0]["expiry_name"]["zh"]) == ("pump_2", None, "已到期")
    assert len((await client.get("/equipment-expiry", params=asked | {"days": 100})).json()["items"]) == 4
    assert len((await client.get("/equipment-expiry", params=asked | {"days": 0})).json()["items"]) == 1
    page = (await client.get("/equipment-expiry", params=asked | {"limit": 2})).json()
    rest = (await client.get("/equipment-expiry", params=asked | {"limit": 2, "after": page["next"]})).json()
    assert [each["days_left"] for each in page["items"] + rest["items"]] == [-3, 5, 25]
    assert rest["next"] is None
    clock.advance(hours=4)  # midnight in Shanghai
    assert (await client.get("/equipment-expiry", params=asked)).json()["items"][1]["days_left"] == 4
    refused = await client.get("/equipment-expiry", params=asked | {"after": "x"})
    assert refused.status_code == 422
