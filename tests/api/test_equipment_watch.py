"""Scenarios of fire equipment that ends: an alarm in the last week, another afterwards, over when it has been replaced."""

from datetime import date, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from api.equipment_watch import EquipmentWatch
from inspection.expiry import ALARMS_MAX
from ledger import inventory
from tests.api.conftest import Estate, StandingClock
from tests.small_estate import one

Owner = psycopg.AsyncConnection[Any]
TODAY = date(2026, 3, 1)
SOON, ENDED = "equipment_ends_soon", "equipment_ended"


class Bench:
    """The watch over the garden's equipment, and the alarms it makes."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, clock: StandingClock, owner: Owner, estate: Estate):
        self._watch: EquipmentWatch = app.state.equipment_watch
        self._client, self._clock, self._owner, self._estate = client, clock, owner, estate

    async def install(self, facility: str, *, left: int, part: str | None = None, on: date = date(2016, 4, 1)) -> None:
        """A piece that ends so many days from the first day on. What hung there is removed."""
        garden = self._estate.garden.id
        facility_id = await one(
            self._owner, "select id from facility where site_id = %s and key = %s", [garden, facility]
        )
        if part is not None:
            await self._owner.execute(
                "insert into part (site_id, facility_id, key, kind, name_zh, name_en) "
                "values (%s, %s, %s, 'cylinder', %s, %s) on conflict do nothing",
                [garden, facility_id, part, part, part],
            )
        ends = TODAY + timedelta(days=left)
        piece = inventory.AssetEntry(part, "淮海消防", "MFZ/ABC4", None, None, on, ends)
        async with self._owner.transaction():
            await inventory.put_asset(self._owner, site_id=garden, facility_id=facility_id, entry=piece)

    async def look(self, **later: float) -> list[tuple[str, str, str, str]]:
        """Rule, facility, state and priority of every alarm at that time, oldest first."""
        self._clock.advance(**later)
        for _ in range(2):  # looking again changes nothing
            await self._watch.look([self._estate.garden.id, self._estate.harbour.id])
        return [
            (each["rule"], each["facility"]["key"], each["state"], each["priority"])
            for each in sorted(await self.alarms(), key=lambda one: one["id"])
        ]

    async def alarms(self) -> list[dict[str, Any]]:
        return (await self._client.get("/alarms", params={"site": "garden"})).json()["items"]

    async def said(self, number: int) -> dict[str, Any]:
        """What the journal says of the alarm's raise."""
        journal = (await self._client.get(f"/alarms/{number}")).json()["journal"]
        assert (journal[0]["actor"], journal[0]["reason"]["key"]) == ("calendar", "calendar_lapsed")
        return journal[0]["detail"]


@pytest.fixture
async def bench(
    app: FastAPI,
    client: httpx.AsyncClient,
    clock: StandingClock,
    owner: Owner,
    estate: Estate,
    extinguishers: list[str],
) -> Bench:
    return Bench(app, client, clock, owner, estate)


async def test_the_last_week_can_wait_what_has_ended_is_by_grade_and_a_new_piece_ends_both(bench: Bench) -> None:
    await bench.install("ext-1", left=8)
    assert await bench.look() == []  # it is in the list
    soon = (SOON, "ext-1", "UNACK", "low")  # of grade A
    assert await bench.look(hours=4) == [soon]  # midnight in Shanghai
    assert await bench.look(days=7) == [soon]  # its last day
    over = (SOON, "ext-1", "RTNUN", "low")
    assert await bench.look(days=1) == [over, (ENDED, "ext-1", "UNACK", "medium")]
    await bench.install("ext-1", left=3650, on=TODAY + timedelta(days=9))
    assert await bench.look(minutes=5) == [over, (ENDED, "ext-1", "RTNUN", "medium")]


async def test_a_facility_has_one_however_many_of_its_pieces_end(bench: Bench) -> None:
    for part, left in (("cylinder_1", 5), ("cylinder_2", -2), ("cylinder_3", 30), (None, 6)):
        await bench.install("ext-2", left=left, part=part)
    ended = (ENDED, "ext-2", "UNACK", "low")  # of grade B
    assert await bench.look() == [ended]
    (alarm,) = await bench.alarms()
    said = await bench.said(alarm["id"])
    assert [(each["part"], each["ends_on"]) for each in said["pieces"]] == [
        ("cylinder_2", "2026-02-27"),
        ("cylinder_1", "2026-03-06"),
        (None, "2026-03-07"),
    ]
    assert (said["more_pieces"], said["more_facilities"]) == (0, 0)
    await bench.install("ext-2", left=3650, part="cylinder_2", on=TODAY)
    assert await bench.look(minutes=5) == [
        (ENDED, "ext-2", "RTNUN", "low"),
        (SOON, "ext-2", "UNACK", "low"),
    ]  # the others end soon still


async def test_what_was_bought_together_is_no_storm(bench: Bench, owner: Owner, estate: Estate) -> None:
    garden = estate.garden
    for number in range(ALARMS_MAX + 2):
        await owner.execute(
            "insert into facility (site_id, location_id, key, kind, grade, name_zh, name_en) "
            "values (%s, %s, %s, 'extinguisher', 'C', %s, %s)",
            [garden.id, garden.room, f"box-{number:02}", f"{number}号箱", f"Box {number}"],
        )
        await bench.install(f"box-{number:02}", left=3)
    first = await bench.look()
    assert [facility for _, facility, _, _ in first] == [f"box-{number:02}" for number in range(ALARMS_MAX)]
    assert {(await bench.said(each["id"]))["more_facilities"] for each in await bench.alarms()} == {2}
    await bench.install("ext-1", left=3)  # graver, and yet those that stand go on standing
    assert await bench.look() == first
    await bench.install("box-00", left=3650, on=TODAY)
    assert {facility for _, facility, state, _ in await bench.look() if state == "UNACK"} == {
        "ext-1",
        *(f"box-{number:02}" for number in range(1, ALARMS_MAX)),
    }


async def test_a_pump_is_of_the_list_and_no_alarm(bench: Bench, client: httpx.AsyncClient) -> None:
    await bench.install("booster-1", left=-30)
    assert await bench.look() == []
    listed = (await client.get("/equipment-expiry", params={"site": "garden"})).json()["items"]
    assert [each["facility"]["key"] for each in listed] == ["booster-1"]


async def test_what_has_ended_at_grade_a_gets_an_order_when_it_stands(bench: Bench) -> None:
    await bench.install("ext-1", left=-1)
    await bench.install("ext-2", left=2)
    await bench.look()
    reasons = {each["rule"]: each["order_reason"]["key"] for each in await bench.alarms()}
    assert reasons == {ENDED: "waits_to_stand", SOON: "waits_for_round"}
