"""Extinguishers are serviced by agent and age: when next, what is on record, and who may say so."""

from datetime import date
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from api.expiry_watch import ExpiryWatch
from ledger import expiring, inventory
from tests.api.conftest import Estate, StandingClock
from tests.api.employed import employ, signed_in
from tests.small_estate import one

Owner = psycopg.AsyncConnection[Any]
DRY_POWDER, WATER = "extinguisher_dry_powder", "extinguisher_water"


async def hang(owner: Owner, site: int, key: str, of_type: str, made: date | None, ends: date | None) -> None:
    facility = await one(
        owner,
        "insert into facility (site_id, location_id, key, kind, grade, name_zh, name_en, type_key) "
        "select %s, min(id), %s, 'extinguisher', 'B', %s, %s, %s from location where site_id = %s returning id",
        [site, key, key, key, of_type, site],
    )
    piece = inventory.AssetEntry(None, "淮海消防", "MFZ", None, made, date(2024, 4, 1), ends)
    async with owner.transaction():
        await inventory.put_asset(owner, site_id=site, facility_id=facility, entry=piece)


@pytest.fixture
async def garden(owner: Owner, estate: Estate) -> int:
    """Today is 2026-03-01."""
    site = estate.garden.id
    await hang(owner, site, "powder", DRY_POWDER, date(2021, 4, 10), date(2031, 4, 10))
    await hang(owner, site, "water", WATER, date(2023, 1, 1), date(2029, 1, 1))
    await hang(owner, site, "undated", WATER, None, None)
    await hang(owner, site, "old", WATER, date(2016, 1, 1), date(2018, 6, 1))
    return site


async def due(client: httpx.AsyncClient, **asked: Any) -> list[tuple[str, str, str]]:
    answer = await client.get("/equipment-expiry", params={"site": "garden", "kind": "extinguisher", **asked})
    return [(each["facility"]["key"], each["interval"], each["ends_on"]) for each in answer.json()["items"]]


async def record(client: httpx.AsyncClient, on: str | None, *facilities: str) -> httpx.Response:
    said = {"site": "garden", "facilities": facilities, "serviced_on": on, "note": "淮海消防送修"}
    return await client.post("/equipment-services", json=said)


async def asset(client: httpx.AsyncClient, facility: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/facilities/garden/{facility}")).json()["assets"][0]
    return found


@pytest.mark.usefixtures("garden")
async def test_the_first_service_counts_from_manufacture_and_the_next_from_the_last(client: httpx.AsyncClient) -> None:
    # Past its scrap age nothing is serviced any more; without a day of manufacture nobody can say.
    assert await due(client) == [
        ("old", "life", "2018-06-01"),
        ("water", "service", "2026-01-01"),
        ("powder", "service", "2026-04-10"),
    ]
    answer = await record(client, "2026-02-20", "powder", "water")
    assert [(each["facility"], each["next_on"]) for each in answer.json()["items"]] == [
        ("powder", "2028-02-20"),
        ("water", "2027-02-20"),
    ]
    assert await due(client) == [("old", "life", "2018-06-01")]
    found = await asset(client, "water")
    assert (found["is_serviced"], found["serviced_on"], found["next_service_on"]) == (True, "2026-02-20", "2027-02-20")
    found = await asset(client, "undated")
    assert (found["is_serviced"], found["serviced_on"], found["next_service_on"]) == (True, None, None)
    assert (await record(client, "2025-12-01", "undated")).json()["items"][0]["next_on"] == "2026-12-01"
    entries = (await client.get("/facilities/garden/water/dossier")).json()["items"]
    assert entries[-1]["kind"] == "asset_serviced"
    assert (entries[-1]["body"]["serviced_on"], entries[-1]["body"]["note"]) == ("2026-02-20", "淮海消防送修")


@pytest.mark.usefixtures("garden")
async def test_the_newest_record_counts_and_one_without_a_day_strikes_it(client: httpx.AsyncClient) -> None:
    await record(client, "2026-02-20", "water")
    await record(client, "2025-02-20", "water")  # the day was mistyped
    assert (await asset(client, "water"))["next_service_on"] == "2026-02-20"
    await record(client, None, "water")  # it was another extinguisher
    assert (await asset(client, "water"))["next_service_on"] == "2026-01-01"


@pytest.mark.usefixtures("garden")
async def test_what_cannot_be_is_said_beside_its_field(client: httpx.AsyncClient, clock: StandingClock) -> None:
    late = await record(client, "2026-03-02", "water")
    assert (late.status_code, late.json()["errors"][0]["field"]) == (422, "body.serviced_on")
    early = await record(client, "2022-12-31", "undated", "water")
    assert (early.status_code, early.json()["errors"][0]["field"]) == (422, "body.serviced_on")
    assert "water" in early.json()["errors"][0]["text"]["zh"]
    bare = await record(client, "2026-02-20", "water", "booster-1")
    assert (bare.status_code, "booster-1" in bare.json()["errors"][0]["text"]["zh"]) == (422, True)
    assert (await record(client, "2026-02-20", "nobody")).status_code == 404
    assert (await asset(client, "water"))["serviced_on"] is None, "all of them or none"
    clock.advance(hours=12)  # the next day in Shanghai
    assert (await record(client, "2026-03-02", "water")).status_code == 200


@pytest.mark.usefixtures("garden")
async def test_guards_and_strangers_put_nothing_on_record(
    app: FastAPI, client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    await employ(owner, "guard", "李强", {estate.garden.id: ["patrol_guard", "maintenance_engineer"]})
    async with signed_in(app, "guard") as guard:
        assert (await record(guard, "2026-02-20", "water")).status_code == 403
    await employ(owner, "stranger", "海港", {estate.harbour.id: ["administrator"]})
    async with signed_in(app, "stranger") as stranger:
        assert (await record(stranger, "2026-02-20", "water")).status_code == 404
    assert (await asset(client, "water"))["serviced_on"] is None


async def test_what_is_to_be_serviced_is_a_warning_that_can_wait_until_it_was(
    app: FastAPI, client: httpx.AsyncClient, garden: int
) -> None:
    watch: ExpiryWatch = app.state.expiry_watch

    async def standing() -> dict[str, str]:
        await watch.look([garden])
        items = (await client.get("/alarms", params={"site": "garden", "open": True})).json()["items"]
        return {each["facility"]["key"]: f"{each['rule']} {each['state']}" for each in items}

    assert await standing() == {"water": "equipment_ends_soon UNACK", "old": "equipment_ended UNACK"}
    items = (await client.get("/alarms", params={"site": "garden", "open": True})).json()["items"]
    (number,) = (each["id"] for each in items if each["facility"]["key"] == "water")
    detail = (await client.get(f"/alarms/{number}")).json()["journal"][0]["detail"]
    assert [(each["interval"], each["ends_on"]) for each in detail["pieces"]] == [("service", "2026-01-01")]
    await record(client, "2026-02-20", "water")
    assert await standing() == {"water": "equipment_ends_soon RTNUN", "old": "equipment_ended UNACK"}


async def test_more_services_due_than_are_looked_at_hide_nothing_that_ended(
    app: FastAPI, client: httpx.AsyncClient, owner: Owner, garden: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiring, "_ENDING_MAX", 2)
    await hang(owner, garden, "later", WATER, date(2020, 2, 1), date(2026, 2, 1))  # services were due before
    await app.state.expiry_watch.look([garden])
    items = (await client.get("/alarms", params={"site": "garden", "open": True})).json()["items"]
    assert {(each["facility"]["key"], each["rule"]) for each in items} == {
        ("old", "equipment_ended"),
        ("later", "equipment_ended"),
    }


@pytest.mark.usefixtures("garden")
async def test_it_stands_in_the_month_s_figures(client: httpx.AsyncClient) -> None:
    figures = (await client.get("/inspection-figures", params={"site": "garden", "month": "2026-02"})).json()
    assert [(each["at"]["facility"], each["interval"]) for each in figures["expiring"]] == [
        ("old", "life"),
        ("water", "service"),
        ("powder", "service"),
    ]
