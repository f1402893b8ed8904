"""Alarms as a list shows them: value against limit, orders and the clock that runs out next, and the last day of the point."""

from datetime import timedelta
from typing import Any

import httpx
import psycopg

from ledger import conditions, readings, work_orders
from ledger.lifecycle import WorkOrderMove
from ledger.records import ConditionSpec, Deadlines, Quality, Sample, Severity, to_ms
from ledger.work_orders import Act
from tests.api.conftest import Estate, StandingClock
from tests.orders import open_order
from tests.small_estate import NOON, later, raise_alarm

Owner = psycopg.AsyncConnection[Any]
LOW = {
    "when": "outlet_pressure < setpoint - 0.05",
    "parameters": {"setpoint": 0.35},
    "values": {"outlet_pressure": 0.21},
}


async def ring(owner: Owner, estate: Estate, rule: str = "outlet_pressure_low", **explanation: Any) -> int:
    async with owner.transaction():
        moved = await raise_alarm(owner, estate.garden.conditions[rule], NOON, **explanation)
    assert moved.alarm_id is not None
    return moved.alarm_id


async def measure(owner: Owner, point: int, *samples: tuple[float, float]) -> None:
    """Minutes after noon and the value then."""
    async with owner.transaction():
        told = [Sample(point, to_ms(later(minutes=minute)), value, Quality.GOOD, 0) for minute, value in samples]
        await readings.store(owner, told)


async def rows(client: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    answer = await client.get("/alarm-rows", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_a_row_has_what_one_looks_at_first(client: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    alarm = await ring(owner, estate, **LOW)
    [row] = await rows(client)
    assert row["alarm"]["id"] == alarm
    assert row["ground"] == {
        "point": "outlet_pressure",
        "name": {"zh": "outlet_pressure", "en": "outlet_pressure"},
        "kind": "measure",
        "unit": "MPa",
        "comparison": "<",
        "limit": 0.3,
        "raised_with": 0.21,
    }
    assert row["area"] == {"key": "pump-house", "name": {"zh": "地下二层泵房", "en": "Pump house"}}
    assert row["orders"] == []
    assert row["legal_moves"] == ["acknowledge", "shelve", "remove_from_service"]
    assert row["shelving"] == {"seconds_max": 3600, "note_required": True}


async def test_a_state_is_told_as_what_it_means(client: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    await ring(owner, estate, "flood", when="flood == 1", values={"flood": True})
    [row] = await rows(client)
    assert (row["ground"]["limit"], row["ground"]["raised_with"]) == (True, True)


async def test_an_alarm_that_rests_on_no_point_is_a_row_all_the_same(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    await ring(owner, estate, when="stale_points > 0", values={})
    [row] = await rows(client)
    assert row["ground"] is None


async def test_a_row_says_whether_the_calendar_raised_it(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    garden = estate.garden
    keys = ("certificate_ended", "round_missed")  # a round is a matter of hours
    specs = [ConditionSpec(garden.booster, None, key, Severity.WARNING) for key in keys]
    async with owner.transaction():
        for condition in await conditions.ensure(owner, garden.id, specs):
            if condition.rule_key in keys:
                await raise_alarm(owner, condition, NOON)
    await ring(owner, estate, **LOW)
    told = {each["alarm"]["rule"]: each["alarm"]["by_calendar"] for each in await rows(client)}
    assert told == {"certificate_ended": True, "round_missed": False, "outlet_pressure_low": False}


async def test_the_clock_that_runs_out_next_and_who_has_the_order(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    alarm = await ring(owner, estate, **LOW)
    clocks = Deadlines(accept_by=later(minutes=15), arrive_by=later(minutes=30), restore_by=later(hours=4))
    act = Act("王班长", "person", NOON)
    async with owner.transaction():
        order = await open_order(owner, estate.garden, clocks)
        await work_orders.add_alarm(owner, order, alarm, act, move="open")
    [row] = await rows(client)
    due = {"clock": "accept_by", "at": "2026-03-01T12:15:00Z"}
    assert row["orders"] == [{"id": order, "state": "opened", "assignee": None, "due": due}]
    async with owner.transaction():
        await work_orders.move(owner, order, WorkOrderMove.DISPATCH, act, assignee="张师傅")
        await work_orders.move(owner, order, WorkOrderMove.ACCEPT, act)
    [row] = await rows(client, id=alarm)
    assert (row["orders"][0]["assignee"], row["orders"][0]["due"]["clock"]) == ("张师傅", "arrive_by")
    async with owner.transaction():
        await work_orders.move(owner, order, WorkOrderMove.SUSPEND, Act("王班长", "person", NOON, note="等件"))
    [row] = await rows(client, id=alarm)
    assert row["orders"][0]["due"] is None


async def test_without_ids_only_open_alarms_a_page_at_a_time(
    client: httpx.AsyncClient, owner: Owner, estate: Estate, clock: StandingClock
) -> None:
    first = await ring(owner, estate, **LOW)
    await client.post(f"/alarms/{first}/acknowledge")
    second = await ring(owner, estate, "flood", when="flood == 1", values={"flood": True})
    page = (await client.get("/alarm-rows", params={"limit": 1})).json()
    rest = (await client.get("/alarm-rows", params={"limit": 1, "after": page["next"]})).json()
    assert {page["items"][0]["alarm"]["id"], rest["items"][0]["alarm"]["id"]} == {first, second}
    assert rest["next"] is None
    assert [each["alarm"]["id"] for each in await rows(client, shown="ACKED")] == [first]
    assert await rows(client, site="harbour") == []


async def test_a_day_of_the_point_with_its_limit(
    client: httpx.AsyncClient, owner: Owner, estate: Estate, clock: StandingClock
) -> None:
    alarm = await ring(owner, estate, **LOW)
    await measure(owner, estate.garden.points["outlet_pressure"], (-1500, 0.9), (-70, 0.4), (-69, 0.36), (-1, 0.2))
    trends = (await client.get("/alarm-trends", params={"id": alarm})).json()
    [trend] = trends["items"]
    assert (trend["alarm"], trend["limit"], trend["value"], trend["quality"]) == (alarm, 0.3, 0.2, "good")
    assert [(each["min"], each["max"], each["last"]) for each in trend["slots"]] == [(0.36, 0.4, 0.36), (0.2, 0.2, 0.2)]
    assert trends["slot_s"] == timedelta(minutes=30).total_seconds()


async def test_more_than_fits_a_screen_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/alarm-trends", params={"id": list(range(1, 42))})
    assert answer.status_code == 422
    assert (await client.get("/alarm-trends")).status_code == 422
    assert (await client.get("/alarm-rows", params={"id": list(range(1, 102))})).status_code == 422
