"""Sites, places, facilities with their current values, and readings as JSON and CSV."""

import csv
import io
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from ledger import history, history_expiry, readings
from ledger.records import PointKind, Quality, Sample, to_ms
from tests.api.conftest import Estate, StandingClock
from tests.small_estate import NOON, raise_alarm

Owner = psycopg.AsyncConnection[Any]
NAN = float("nan")


async def measure(
    owner: Owner, point_id: int, *values: float, quality: Quality = Quality.GOOD, every_s: float = 60, start: float = 0
) -> None:
    begin = NOON + timedelta(seconds=start)
    moments = [begin + timedelta(seconds=number * every_s) for number in range(len(values))]
    async with owner.transaction():
        await readings.store(
            owner,
            [Sample(point_id, to_ms(at), value, quality, to_ms(at)) for at, value in zip(moments, values, strict=True)],
        )


async def test_sites_and_their_places(client: httpx.AsyncClient) -> None:
    sites = (await client.get("/sites")).json()["items"]
    assert [each["key"] for each in sites] == ["garden", "harbour"]
    garden = (await client.get("/sites/garden")).json()
    assert garden == {
        "key": "garden",
        "name": {"zh": "花园小区", "en": "Garden"},
        "time_zone": "Asia/Shanghai",
        "round_at": "08:00:00",
        "sla_profile": "standard",
    }
    tree = (await client.get("/sites/garden/locations")).json()
    assert tree["items"][0]["key"] == "estate"
    assert tree["items"][0]["locations"][0]["name"] == {"zh": "地下二层泵房", "en": "Pump house"}
    assert tree["items"][0]["locations"][0]["locations"] == []


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({}, ["garden/booster-1", "garden/gw-1", "garden/lamp-1", "harbour/booster-1", "harbour/gw-1"]),
        ({"site": "harbour"}, ["harbour/booster-1", "harbour/gw-1"]),
        ({"kind": "gateway"}, ["garden/gw-1", "harbour/gw-1"]),
        ({"grade": "C"}, ["garden/lamp-1"]),
        ({"gateway": "gw-1", "site": "garden"}, ["garden/booster-1", "garden/lamp-1"]),
        ({"location": "estate", "site": "harbour"}, ["harbour/booster-1", "harbour/gw-1"]),
        ({"location": "pump-house", "grade": "A"}, ["garden/booster-1", "harbour/booster-1"]),
        ({"words": "宣传"}, ["garden/lamp-1"]),
        ({"words": "BOOSTER"}, ["garden/booster-1", "harbour/booster-1"]),
        ({"words": "%"}, []),
    ],
)
async def test_the_list_shows_what_is_asked_for(
    client: httpx.AsyncClient, query: dict[str, str], keys: list[str]
) -> None:
    items = (await client.get("/facilities", params=query)).json()["items"]
    assert [f"{each['site']}/{each['key']}" for each in items] == keys
    assert all(each["values"] is None for each in items)


async def test_pages_of_facilities(client: httpx.AsyncClient) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(3):
        page = (await client.get("/facilities", params={"limit": "2"} | cursor)).json()
        seen += [each["key"] for each in page["items"]]
        cursor = {"after": page["next"]}
    assert seen == ["booster-1", "gw-1", "lamp-1", "booster-1", "gw-1"]
    assert page["next"] is None


async def test_a_facility_shows_what_it_says_now(
    client: httpx.AsyncClient, owner: Owner, estate: Estate, clock: StandingClock
) -> None:
    points = estate.garden.points
    await owner.execute("update point set report_interval_s = 60 where id = %s", [points["outlet_pressure"]])
    await measure(owner, points["outlet_pressure"], 0.31, 0.33)
    await measure(owner, points["pump_1.run"], 0.0, 1.0)
    await measure(owner, points["ats_position"], 1.0)
    await measure(owner, points["flood"], NAN, quality=Quality.SENSOR_FAULT)
    async with owner.transaction():
        await raise_alarm(owner, estate.garden.conditions["flood"])
    clock.advance(minutes=2)
    detail = (await client.get("/facilities/garden/booster-1")).json()
    found = detail["facility"]
    assert (found["open_alarms"], found["open_work_orders"]) == (1, 0)
    assert found["kind_name"]["zh"] == "生活泵房"
    assert found["location_name"]["zh"] == "地下二层泵房"
    assert found["gateway"] == {"key": "gw-1", "online": True, "heard_at": None}
    values = {each["point"]: (each["value"], each["quality"], each["stale"]) for each in found["values"]}
    assert values == {
        "outlet_pressure": (0.33, "good", False),
        "flood": (None, "sensor_fault", False),
        "pump_1.run": (True, "good", False),
        "ats_position": ("backup", "good", False),
    }
    assert [each["key"] for each in detail["parts"]] == ["pump_1", "pump_2"]
    clock.advance(minutes=10)
    await owner.execute("update gateway set online = false")
    listed = (await client.get("/facilities", params={"site": "garden", "values": "true"})).json()["items"][0]
    assert [each["stale"] for each in listed["values"]] == [True, True, True, True]
    await owner.execute("update gateway set online = null")
    listed = (await client.get("/facilities", params={"site": "garden", "values": "true"})).json()["items"][0]
    assert [each["stale"] for each in listed["values"]] == [True, None, None, None]


async def test_assets_and_relations_belong_to_it(client: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    await owner.execute(
        "insert into asset (site_id, facility_id, part_id, maker, model, serial, installed_on) "
        "values (%s, %s, %s, '南方泵业', 'CDL32', 'SN1', '2021-05-01')",
        [estate.garden.id, estate.garden.booster, estate.garden.pump_1],
    )
    await owner.execute(
        "insert into facility_relation (site_id, facility_id, name, target_id) values (%s, %s, 'supplied_by', %s)",
        [estate.garden.id, estate.garden.booster, estate.garden.lamp],
    )
    detail = (await client.get("/facilities/garden/booster-1")).json()
    assert detail["relations"] == {"supplied_by": "lamp-1"}
    assert [(each["part"], each["maker"], each["installed_on"]) for each in detail["assets"]] == [
        ("pump_1", "南方泵业", "2021-05-01")
    ]


PRESSURE = "/facilities/garden/booster-1/points/outlet_pressure/readings"
SPAN = {"from": "2026-03-01T12:00:00Z", "until": "2026-03-01T13:00:00Z"}


async def test_readings_over_a_span_go_on_where_a_page_ends(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    await measure(owner, estate.garden.points["outlet_pressure"], *(0.1 * number for number in range(5)))
    await measure(owner, estate.garden.points["outlet_pressure"], NAN, quality=Quality.SENSOR_FAULT, start=300)
    first = (await client.get(PRESSURE, params=SPAN | {"limit": "4"})).json()
    assert (first["unit"], first["kind"], first["buckets"]) == ("MPa", "measure", None)
    assert first["next"] == "2026-03-01T12:04:00Z"
    rest = (await client.get(PRESSURE, params=SPAN | {"from": first["next"], "limit": "4"})).json()
    assert [each["value"] for each in first["readings"] + rest["readings"]] == pytest.approx(
        [0.0, 0.1, 0.2, 0.3, 0.4, None]
    )
    assert rest["readings"][-1]["quality"] == "sensor_fault"
    assert rest["next"] is None


async def test_readings_in_spans_of_time(client: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    await measure(owner, estate.garden.points["outlet_pressure"], 1.0, 3.0, 2.0, every_s=20)
    await measure(owner, estate.garden.points["outlet_pressure"], NAN, quality=Quality.SENSOR_FAULT, start=61)
    found = (await client.get(PRESSURE, params=SPAN | {"bucket": "1m"})).json()
    assert found["readings"] is None
    assert found["buckets"] == [
        {"ts": "2026-03-01T12:00:00Z", "min": 1.0, "max": 3.0, "mean": 2.0, "last": 2.0, "count": 3, "bad": 0},
        {"ts": "2026-03-01T12:01:00Z", "min": None, "max": None, "mean": None, "last": None, "count": 0, "bad": 1},
    ]


async def test_days_are_the_site_s(client: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    """15:59 UTC is one day in Shanghai, 16:01 the next."""
    await measure(owner, estate.garden.points["outlet_pressure"], 1.0, 2.0, every_s=120, start=3600 * 4 - 60)
    span = {"from": "2026-03-01T00:00:00+08:00", "until": "2026-03-03T00:00:00+08:00", "bucket": "1d"}
    found = (await client.get(PRESSURE, params=span)).json()["buckets"]
    assert [(each["ts"], each["mean"]) for each in found] == [
        ("2026-02-28T16:00:00Z", 1.0),
        ("2026-03-01T16:00:00Z", 2.0),
    ]


async def test_where_readings_are_past_their_keeping_there_are_hours(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    point = estate.garden.points["outlet_pressure"]
    await measure(owner, point, 1.0, 3.0, 2.0, every_s=1200)
    for days in (40, 80):
        await measure(owner, point, 5.0, start=days * 86_400)
    now = NOON + timedelta(days=100)
    progress = await history.close(owner, estate.garden.id, now)
    while window := await history.next_window(owner, estate.garden.id, progress):
        left: history.Window | None = window
        while left is not None:
            left = await history.roll(owner, estate.garden.id, left)
        progress = history.Progress(progress.closed_until, window.end)
    due, _ = await history_expiry.overdue(owner, estate.garden.id, {PointKind.MEASURE: now - timedelta(days=90)})
    assert (await history_expiry.drop(owner, due)).readings == 3
    found = (await client.get(PRESSURE, params=SPAN | {"bucket": "5m"})).json()
    assert (found["bucket"], found["dropped_until"]) == ("1h", "2026-03-01T13:00:00Z")
    assert found["buckets"] == [
        {"ts": "2026-03-01T12:00:00Z", "min": 1.0, "max": 3.0, "mean": 2.0, "last": 2.0, "count": 3, "bad": 0}
    ]
    spans = await client.get(f"{PRESSURE}.csv", params=SPAN | {"bucket": "5m"})
    assert len(list(csv.DictReader(io.StringIO(spans.text)))) == 1
    raw = (await client.get(PRESSURE, params=SPAN)).json()
    assert (raw["bucket"], raw["readings"], raw["dropped_until"]) == (None, [], "2026-03-01T13:00:00Z")
    later = {"from": "2026-04-10T12:00:00Z", "until": "2026-04-10T13:00:00Z", "bucket": "5m"}
    found = (await client.get(PRESSURE, params=later)).json()
    assert (found["bucket"], len(found["buckets"])) == ("5m", 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"until": "2026-03-01T12:00:00Z"},
        {"until": "2027-03-03T12:00:00Z"},
        {"from": "2026-03-01T12:00:00"},
        {"from": "yesterday"},
        {"bucket": "1w"},
        {"bucket": "0s"},
        {"bucket": "32d"},
        {"limit": "10001"},
    ],
)
async def test_a_span_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, estate: Estate, wrong: dict[str, str]
) -> None:
    answer = await client.get(PRESSURE, params=SPAN | wrong)
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["field"].split(".")[1] in wrong


async def test_csv_is_the_same_as_a_table(client: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    points = estate.garden.points
    await measure(owner, points["outlet_pressure"], 0.1, 0.25)
    await measure(owner, points["outlet_pressure"], NAN, quality=Quality.SENSOR_FAULT, start=120)
    await measure(owner, points["pump_1.run"], 0.0, 1.0)
    await measure(owner, points["ats_position"], 2.0)
    answer = await client.get(f"{PRESSURE}.csv", params=SPAN)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "garden_booster-1_outlet_pressure.csv" in answer.headers["content-disposition"]
    assert answer.text == (
        "ts,value,quality\r\n2026-03-01T12:00:00Z,0.1,good\r\n2026-03-01T12:01:00Z,0.25,good\r\n"
        "2026-03-01T12:02:00Z,,sensor_fault\r\n"
    )
    spans = await client.get(f"{PRESSURE}.csv", params=SPAN | {"bucket": "1h"})
    [row] = csv.DictReader(io.StringIO(spans.text))
    assert row == {
        "ts": "2026-03-01T12:00:00Z",
        "min": "0.1",
        "max": "0.25",
        "mean": "0.175",
        "last": "0.25",
        "count": "2",
        "bad": "1",
    }
    state = await client.get(f"{PRESSURE}.csv".replace("outlet_pressure", "pump_1.run"), params=SPAN)
    assert [row["value"] for row in csv.DictReader(io.StringIO(state.text))] == ["false", "true"]
    label = await client.get(f"{PRESSURE}.csv".replace("outlet_pressure", "ats_position"), params=SPAN)
    assert [row["value"] for row in csv.DictReader(io.StringIO(label.text))] == ["off"]


async def test_csv_is_whole_or_refused(
    client: httpx.AsyncClient, owner: Owner, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    import api.readings

    await measure(owner, estate.garden.points["outlet_pressure"], 1.0, 2.0, 3.0)
    monkeypatch.setattr(api.readings, "CSV_ROWS_MAX", 2)
    answer = await client.get(f"{PRESSURE}.csv", params=SPAN)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query.until")
