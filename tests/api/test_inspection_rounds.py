"""Rounds over HTTP: planned, due, started by one guard, walked, ended; what the calendar says is due."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from tests.api.conftest import Estate, StandingClock, client_of
from tests.api.test_inspections import issued, reasons, send, visit
from tests.small_estate import NOON, later

Owner = psycopg.AsyncConnection[Any]
PLAN = {
    "site": "garden",
    "key": "noon",
    "name": {"zh": "午间巡检"},
    "grid": "一网格",
    "officer": "李工",
    "period": "day",
    "starts_at": "20:00",
    "window_min": 60,
    "ordered": True,
    "stops": [{"facility": "booster-1", "leg_s": 30, "dwell_s": 10}, {"facility": "lamp-1"}],
}
SPAN = {"from": "2026-03-01T00:00:00Z", "until": "2026-03-02T00:00:00Z"}


async def states(client: httpx.AsyncClient, **span: str) -> list[tuple[str, int]]:
    items = (await client.get("/inspection-rounds", params=SPAN | span)).json()["items"]
    return [(each["state"], each["visited"]) for each in items]


async def test_a_round_from_its_plan_to_its_end(
    client: httpx.AsyncClient, app: Any, estate: Estate, clock: StandingClock
) -> None:
    code = await issued(client, "booster-1")
    made = await client.post("/inspection-plans", json=PLAN)
    assert made.status_code == 200, made.text
    assert [each["facility"] for each in made.json()["stops"]] == ["booster-1", "lamp-1"]
    assert await states(client) == [("due", 0)]
    started = await client.post("/inspection-rounds", json={"site": "garden", "plan": "noon"})
    assert started.status_code == 201, started.text
    walk = started.json()
    assert walk["stops"][0]["tag_hashes"] == [hashlib.sha256(code.encode()).hexdigest()]
    assert code not in started.text
    assert walk["legal_moves"] == ["hand_over", "take_over", "finish", "abandon"]
    async with client_of(app, **{"X-Actor": "%E5%B0%8F%E6%9D%8E"}) as other:
        refused = await other.post("/inspection-rounds", json={"site": "garden", "plan": "noon"})
        assert refused.status_code == 409
        assert "王班长" in refused.json()["detail"]
    clock.advance(minutes=5)
    one = visit(code, {}, clock.now, round=walk["id"], checklist="booster_pump_room", facility="booster-1")
    (answer,) = await send(client, one, sent_at=clock.now.isoformat())
    assert "not_on_route" not in reasons(answer)
    assert (await client.get(f"/inspection-rounds/{walk['id']}")).json()["stops"][0]["visited"]
    assert await states(client) == [("walking", 1)]
    clock.advance(seconds=20)
    typed = visit(await issued(client, "lamp-1"), {}, clock.now, round=walk["id"], means="typed")
    await send(client, typed, sent_at=clock.now.isoformat())
    assert await states(client) == [("walking", 2)]
    async with client_of(app, **{"X-Actor": "%E5%B0%8F%E6%9D%8E"}) as other:
        await other.post(f"/inspections/{typed['id']}/review", json={"upheld": False})
    assert await states(client) == [("walking", 1)]  # what the officer strikes was no visit
    ended = await client.post(f"/inspection-rounds/{walk['id']}/finish", json={"unsent": 3})
    assert ended.json()["state"] == "finished"
    assert ended.json()["journal"][-1]["note"] == "3 unsent"
    assert await states(client) == [("incomplete", 1)]
    await client.post("/inspection-plans", json=PLAN | {"stops": [{"facility": "booster-1"}]})
    assert await states(client) == [("incomplete", 1)]  # a route that is made shorter afterwards makes no round whole
    again = await client.post(f"/inspection-rounds/{walk['id']}/finish", json={})
    assert (again.status_code, again.json()["legal_moves"]) == (409, [])


async def test_nobody_starts_what_is_not_due_and_what_nobody_started_is_missed(
    client: httpx.AsyncClient, estate: Estate, clock: StandingClock
) -> None:
    await client.post("/inspection-plans", json=PLAN | {"starts_at": "21:00"})
    early = await client.post("/inspection-rounds", json={"site": "garden", "plan": "noon"})
    assert early.status_code == 409
    assert "2026-03-01 13:00" in early.json()["detail"]
    clock.advance(hours=3)
    assert await states(client) == [("missed", 0)]
    await client.post("/inspection-plans/garden/noon/retire")
    assert await states(client) == [("missed", 0)]  # retiring a plan does not undo what was not done
    tomorrow = {"from": SPAN["until"], "until": "2026-03-03T00:00:00Z"}
    assert await states(client, **tomorrow) == []
    assert (await client.get("/inspection-plans")).json()["items"] == []


async def test_a_window_that_was_open_when_its_plan_was_made_is_due(
    client: httpx.AsyncClient, estate: Estate, clock: StandingClock
) -> None:
    await client.post("/inspection-plans", json=PLAN | {"starts_at": "00:00", "window_min": 1440})
    today = {"from": "2026-02-28T16:00:00Z", "until": "2026-03-01T16:00:00Z"}
    assert await states(client, **today) == [("due_soon", 0)]
    yesterday = {"from": "2026-02-27T16:00:00Z", "until": "2026-02-28T16:00:00Z"}
    assert await states(client, **yesterday) == [], "nobody could have walked it"


async def test_what_was_missed_is_missed_by_the_plan_of_its_day(
    client: httpx.AsyncClient, estate: Estate, clock: StandingClock
) -> None:
    """Neither another hour nor a shorter route, nor a pause, changes what was due before."""
    span = {"from": "2026-03-01T00:00:00Z", "until": "2026-03-06T00:00:00Z"}

    async def lines() -> list[tuple[str, str, int]]:
        items = (await client.get("/inspection-rounds", params=span)).json()["items"]
        return [(each["window_from"][8:16], each["state"], each["stops"]) for each in items]

    await client.post("/inspection-plans", json=PLAN)
    clock.now = later(days=1, hours=2)
    assert await lines() == [("01T12:00", "missed", 2), ("02T12:00", "missed", 2), ("03T12:00", "upcoming", 2),
                             ("04T12:00", "upcoming", 2), ("05T12:00", "upcoming", 2)]  # fmt: skip
    for _ in range(2):
        await client.post("/inspection-plans", json=PLAN | {"starts_at": "22:00", "stops": [{"facility": "lamp-1"}]})
    changed = [("01T12:00", "missed", 2), ("02T12:00", "missed", 2), ("02T14:00", "due", 1)]
    assert (await lines())[:3] == changed
    clock.now = later(days=1, hours=4)
    await client.post("/inspection-plans/garden/noon/retire")
    clock.now = later(days=3, hours=6)
    await client.post("/inspection-plans", json=PLAN)
    assert await lines() == [*changed[:2], ("02T14:00", "missed", 1), ("05T12:00", "upcoming", 2)]


async def test_a_plan_stays_in_its_grid(client: httpx.AsyncClient, estate: Estate) -> None:
    """Or the months that were walked would be another grid's."""
    assert (await client.post("/inspection-plans", json=PLAN)).status_code < 300
    answer = await client.post("/inspection-plans", json=PLAN | {"grid": "二网格", "officer": "周工"})
    assert answer.status_code == 409
    assert "stays in its grid" in answer.json()["detail"]
    (plan,) = (await client.get("/inspection-plans")).json()["items"]
    assert (plan["grid"], plan["officer"]) == (PLAN["grid"], PLAN["officer"])


async def test_a_plan_that_makes_no_sense_is_refused_in_words(client: httpx.AsyncClient, estate: Estate) -> None:
    for change, field in (
        ({"days": [1]}, "body.days"),
        ({"period": "week"}, "body.days"),
        ({"period": "week", "days": [8]}, "body.days"),
        ({"period": "month"}, "body.days"),
        ({"stops": [{"facility": "lamp-1"}, {"facility": "lamp-1"}]}, "body.stops"),
    ):
        answer = await client.post("/inspection-plans", json=PLAN | change)
        assert answer.status_code == 422, change
        assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert (await client.post("/inspection-plans", json=PLAN | {"stops": [{"facility": "x"}]})).status_code == 404


async def test_the_calendar_s_dues(client: httpx.AsyncClient, estate: Estate, clock: StandingClock) -> None:
    """The booster and the lamp are of a kind that is looked at every day."""
    answer = (await client.get("/inspection-due", params={"site": "garden"})).json()
    assert [(each["facility"]["key"], each["state"], each["has_tag"]) for each in answer["items"]] == [
        ("booster-1", "due", False),
        ("lamp-1", "due", False),
    ]
    well = dict.fromkeys(("locked", "running", "valves", "tank_hatch", "clean"), True) | {"outlet_pressure": 0.4}
    code = await issued(client, "booster-1")
    photo = {"photos": [{"sha256": "a" * 64, "item": "tank_hatch"}]}
    (kept,) = await send(client, visit(code, well, NOON, checklist="booster_pump_room", **photo))
    assert kept["outcome"] == "in_order"
    answer = (await client.get("/inspection-due", params={"site": "garden", "state": "done"})).json()
    assert answer["counts"] == {"done": 1, "due": 1, "due_soon": 0, "overdue": 0}
    assert answer["items"][0]["outcome"] == "in_order"
    clock.now = later(days=2)
    answer = (await client.get("/inspection-due", params={"site": "garden", "limit": 1})).json()
    assert (answer["items"][0]["state"], answer["counts"]["overdue"]) == ("overdue", 1)
    rest = (await client.get("/inspection-due", params={"site": "garden", "after": answer["next"]})).json()
    assert [each["facility"]["key"] for each in rest["items"]] == ["lamp-1"]


@pytest.mark.parametrize(
    ("zone", "opens"),
    [
        ("America/New_York", "2026-03-02T04:30:00+00:00"),
        ("Asia/Kolkata", "2026-03-01T18:00:00+00:00"),
        ("Pacific/Kiritimati", "2026-03-01T09:30:00+00:00"),
    ],
)
async def test_around_midnight_a_round_and_the_calendar_are_of_the_site_s_day(
    client: httpx.AsyncClient, estate: Estate, clock: StandingClock, owner: Owner, zone: str, opens: str
) -> None:
    """The round of Sunday 23:30 ends on the Monday; in New York both are Monday by UTC, in Kiritimati both Sunday."""
    await owner.execute("update site set time_zone = %s where key = 'garden'", [zone])
    begin = datetime.fromisoformat(opens)
    clock.now = begin - timedelta(days=1)
    booster, lamp = await issued(client, "booster-1"), await issued(client, "lamp-1")
    plan = PLAN | {"starts_at": "23:30", "period": "week", "days": [7]}
    assert (await client.post("/inspection-plans", json=plan)).status_code == 200
    span = {"from": (begin - timedelta(days=3)).isoformat(), "until": (begin + timedelta(days=3)).isoformat()}
    (line,) = (await client.get("/inspection-rounds", params=span)).json()["items"]
    assert datetime.fromisoformat(line["window_from"]) == begin
    assert line["state"] == "upcoming"
    clock.now = begin + timedelta(minutes=15)
    number = (await client.post("/inspection-rounds", json={"site": "garden", "plan": "noon"})).json()["id"]
    well = dict.fromkeys(("locked", "running", "valves", "tank_hatch", "clean"), True) | {"outlet_pressure": 0.4}
    photo = {"photos": [{"sha256": "a" * 64, "item": "tank_hatch"}]}

    async def looked(code: str, **more: Any) -> set[str]:
        made = visit(code, well, clock.now, checklist="booster_pump_room", round=number, **more)
        (answer,) = await send(client, made, sent_at=clock.now.isoformat())
        return reasons(answer)

    async def done() -> int:
        return (await client.get("/inspection-due", params={"site": "garden"})).json()["counts"]["done"]

    assert await looked(booster, **photo) == set()
    assert await done() == 1
    clock.now = begin + timedelta(minutes=45)
    assert await done() == 0, "a new day, and it is looked at every day"
    assert await looked(lamp, **photo) == set()
    finished = await client.post(f"/inspection-rounds/{number}/finish", json={})
    assert finished.json()["state"] == "finished"
    (line,) = (await client.get("/inspection-rounds", params=span)).json()["items"]
    assert (line["state"], line["visited"]) == ("finished", 2)
    assert await done() == 1
