"""Scenarios of rounds that nobody walks: warned of before, an alarm after, once, and over when one has been walked."""

from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from api.round_watch import RoundWatch
from ledger import departures
from tests.api import busy
from tests.api.conftest import Estate, StandingClock
from tests.api.test_inspection_rounds import PLAN
from tests.api.test_inspections import issued, send, visit


class Bench:
    """The watch, and the alarms it makes of a plan from 12:00 to 13:00 UTC."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, clock: StandingClock, sites: list[int]) -> None:
        self._watch: RoundWatch = app.state.round_watch
        self._client, self._clock, self._sites = client, clock, sites

    async def look(self, **later: float) -> list[tuple[str, str, str]]:
        """Rule, facility and state of every alarm at that time, oldest first."""
        self._clock.advance(**later)
        for _ in range(2):  # looking again changes nothing
            await self._watch.look(self._sites)
        found = (await self._client.get("/alarms", params={"site": "garden"})).json()["items"]
        return [
            (each["rule"], each["facility"]["key"], each["state"]) for each in sorted(found, key=lambda one: one["id"])
        ]

    async def alarm(self) -> dict[str, Any]:
        return (await self._client.get("/alarms", params={"site": "garden"})).json()["items"][0]

    async def walk(self, codes: dict[str, str]) -> None:
        started = await self._client.post("/inspection-rounds", json={"site": "garden", "plan": "noon"})
        assert started.status_code == 201, started.text
        for facility, code in codes.items():
            seen = visit(code, {}, self._clock.now, round=started.json()["id"], facility=facility)
            await send(self._client, seen, sent_at=self._clock.now.isoformat())
        ended = await self._client.post(f"/inspection-rounds/{started.json()['id']}/finish", json={})
        assert ended.status_code == 200, ended.text


@pytest.fixture
async def bench(app: FastAPI, client: httpx.AsyncClient, clock: StandingClock, estate: Estate) -> Bench:
    assert (await client.post("/inspection-plans", json=PLAN)).status_code == 200
    return Bench(app, client, clock, [estate.garden.id, estate.harbour.id])


async def test_nobody_begins_and_then_somebody_walks_the_next_one(client: httpx.AsyncClient, bench: Bench) -> None:
    codes = {key: await issued(client, key) for key in ("booster-1", "lamp-1")}
    assert await bench.look() == []
    assert await bench.look(minutes=44) == []
    soon = ("round_due_soon", "booster-1", "UNACK")
    assert await bench.look(minutes=2) == [soon]
    warned = await bench.alarm()
    assert (warned["severity"], warned["priority"]) == ("warning", "low"), (
        "it can wait, and something worse comes if not"
    )
    assert await bench.look(minutes=13) == [soon]
    over = ("round_due_soon", "booster-1", "RTNUN")
    missed = ("round_missed", "booster-1", "UNACK")
    assert await bench.look(minutes=1) == [over, missed]
    assert await bench.look(hours=22, minutes=59) == [over, missed], (
        "another window is open; the other was missed still"
    )
    await bench.walk(codes)
    assert await bench.look(minutes=1) == [over, ("round_missed", "booster-1", "RTNUN")]


async def test_it_is_an_alarm_like_any_other_at_the_grade_of_its_gravest_stop(
    client: httpx.AsyncClient, bench: Bench
) -> None:
    await bench.look(minutes=60)
    (alarm,) = (await client.get("/alarms", params={"site": "garden"})).json()["items"]
    assert (alarm["severity"], alarm["priority"], alarm["occurrences"]) == ("warning", "medium", 1)
    assert alarm["order_reason"]["key"] == "waits_to_stand"
    detail = (await client.get(f"/alarms/{alarm['id']}")).json()
    assert detail["journal"][0]["actor"] == "calendar"
    assert detail["journal"][0]["reason"]["key"] == "calendar_lapsed"
    told = detail["journal"][0]["detail"]["plans"]
    assert [(each["plan"], each["state"], each["visited"], each["stops"]) for each in told] == [
        ("noon", "missed", 0, 2)
    ]
    dossier = (await client.get("/facilities/garden/booster-1/dossier", params={"verify": True})).json()
    assert dossier["chain"]["holds"]


async def test_a_round_with_stops_left_out_is_missed_when_its_window_is_over(
    client: httpx.AsyncClient, bench: Bench
) -> None:
    code = await issued(client, "booster-1")
    await bench.look(minutes=10)
    await bench.walk({"booster-1": code})
    assert await bench.look(minutes=49) == []
    assert await bench.look(minutes=1) == [("round_missed", "booster-1", "UNACK")]


async def test_a_round_that_is_walked_beyond_its_window_is_told_until_it_is_ended(
    client: httpx.AsyncClient, bench: Bench
) -> None:
    codes = {key: await issued(client, key) for key in ("booster-1", "lamp-1")}
    await bench.look(minutes=50)
    started = (await client.post("/inspection-rounds", json={"site": "garden", "plan": "noon"})).json()
    over = ("round_due_soon", "booster-1", "RTNUN")
    assert await bench.look(minutes=9) == [over]
    assert await bench.look(minutes=1) == [over, ("round_missed", "booster-1", "UNACK")]
    await bench_end(client, bench, started["id"], codes)
    assert await bench.look(minutes=1) == [over, ("round_missed", "booster-1", "RTNUN")]


async def bench_end(client: httpx.AsyncClient, bench: Bench, number: int, codes: dict[str, str]) -> None:
    await bench.look(minutes=5)
    for facility, code in codes.items():
        await send(client, visit(code, {}, round=number, facility=facility))
    assert (await client.post(f"/inspection-rounds/{number}/finish", json={})).status_code == 200


async def test_a_retired_plan_ends_what_it_raised(client: httpx.AsyncClient, bench: Bench) -> None:
    assert await bench.look(minutes=60) == [("round_missed", "booster-1", "UNACK")]
    await client.post("/inspection-plans/garden/noon/retire")
    assert await bench.look(minutes=1) == [("round_missed", "booster-1", "RTNUN")]


async def test_a_stop_whose_facility_is_gone_is_nobody_s_to_walk(
    client: httpx.AsyncClient, bench: Bench, clock: StandingClock, owner: psycopg.AsyncConnection[Any]
) -> None:
    """It would ring at a place that ingest has done away with, and again each time that the watch looks."""
    code = await issued(client, "lamp-1")
    cursor = await owner.execute("select id from facility where key = 'booster-1' and grade = 'A' order by id limit 1")
    (gone,) = await cursor.fetchone() or (0,)
    await departures.retire_facility(owner, gone, now=clock.now, today=clock.now.date())
    assert await bench.look(minutes=60) == [("round_missed", "lamp-1", "UNACK")]
    await bench.look(hours=23)
    await bench.walk({"lamp-1": code})
    assert await bench.look(minutes=1) == [("round_missed", "lamp-1", "RTNUN")]


@pytest.mark.parametrize("by", ["its_time_zone", "a_lock"])
async def test_a_site_that_cannot_be_reckoned_with_keeps_no_alarm_of_the_others(
    by: str,
    app: FastAPI,
    client: httpx.AsyncClient,
    bench: Bench,
    clock: StandingClock,
    owner: psycopg.AsyncConnection[Any],
    estate: Estate,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A time zone that this machine does not know; or somebody else changes it and takes long."""
    plan = PLAN | {"site": "harbour", "stops": [{"facility": "booster-1"}]}
    assert (await client.post("/inspection-plans", json=plan)).status_code == 200
    if by == "a_lock":
        await busy.hold(owner, estate.harbour.id)
    else:
        await owner.execute("update site set time_zone = 'Nowhere/Here' where key = 'harbour'")
    clock.advance(minutes=60)
    await app.state.round_watch.look([estate.harbour.id, estate.garden.id])
    assert f"site {estate.harbour.id} is not watched meanwhile" in caplog.text
    found = (await client.get("/alarms", params={"site": "garden"})).json()["items"]
    assert [each["rule"] for each in found] == ["round_missed"]
