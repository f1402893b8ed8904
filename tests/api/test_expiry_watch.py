"""Scenarios of what ends on a day: an alarm in its last week, another afterwards, over when it has been replaced."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from api.expiry_watch import ExpiryWatch
from inspection.expiry import ALARMS_MAX
from ledger import departures, inventory
from tests.api import busy
from tests.api.conftest import Estate, StandingClock
from tests.small_estate import one

Owner = psycopg.AsyncConnection[Any]
Certify = Callable[..., Awaitable[int]]
TODAY = date(2026, 3, 1)
SOON, ENDED = "equipment_ends_soon", "equipment_ended"


class Bench:
    """The watch over the garden's equipment, and the alarms it makes."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, clock: StandingClock, owner: Owner, estate: Estate):
        self._watch: ExpiryWatch = app.state.expiry_watch
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

    async def boxes(self, count: int, *, left: int) -> None:
        """So many facilities of grade C, bought together."""
        garden = self._estate.garden
        for number in range(count):
            await self._owner.execute(
                "insert into facility (site_id, location_id, key, kind, grade, name_zh, name_en) "
                "values (%s, %s, %s, 'extinguisher', 'C', %s, %s)",
                [garden.id, garden.room, f"box-{number:02}", f"{number}号箱", f"Box {number}"],
            )
            await self.install(f"box-{number:02}", left=left)

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


async def test_what_was_bought_together_is_no_storm(bench: Bench) -> None:
    await bench.boxes(ALARMS_MAX + 2, left=3)
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


async def test_no_more_stand_whatever_is_shelved_or_gone_and_wherever_the_clock_jumps(
    bench: Bench, client: httpx.AsyncClient, clock: StandingClock, owner: Owner, estate: Estate
) -> None:
    await bench.boxes(3 * ALARMS_MAX, left=3)
    await bench.look()

    async def standing(**later: float) -> dict[str, set[str]]:
        found = [each for each in await bench.look(**later) if each[2] in ("UNACK", "ACKED", "SHLVD")]
        said = {rule: {facility for each, facility, *_ in found if each == rule} for rule, *_ in found}
        assert len(found) == sum(map(len, said.values()))
        assert all(len(each) <= ALARMS_MAX for each in said.values()), said
        return said

    first = (await standing())[SOON]
    for each in await bench.alarms():
        until = (clock.now + timedelta(hours=4)).isoformat()
        answer = await client.post(f"/alarms/{each['id']}/shelve", json={"until": until, "note": "已知"})
        assert answer.status_code == 200, answer.text
    assert (await standing())[SOON] == first, "what is shelved stands, and makes no room"
    for key in sorted(first)[:3]:
        gone = await one(owner, "select id from facility where key = %s", [key])
        async with owner.transaction():
            await departures.retire_facility(owner, gone, now=clock.now, today=TODAY)
    left = await standing()
    assert first - left[SOON] == set(sorted(first)[:3]), "also before ingest has seen that they are gone"
    shelved = [each["id"] for each in await bench.alarms() if each["shown"] == "SHLVD" and each["ended_at"] is None]
    assert len(shelved) == ALARMS_MAX
    for number in shelved:
        assert (await client.post(f"/alarms/{number}/unshelve", json={})).status_code == 200
    assert await standing() == left
    assert {rule: len(each) for rule, each in (await standing(days=300)).items()} == {ENDED: ALARMS_MAX}
    assert {rule: len(each) for rule, each in (await standing(days=-300)).items()} == {SOON: ALARMS_MAX}


async def test_a_site_that_others_hold_keeps_no_alarm_of_the_rest(
    bench: Bench, app: FastAPI, owner: Owner, estate: Estate, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.install("ext-1", left=3)
    await busy.hold(owner, estate.harbour.id)
    await app.state.expiry_watch.look([estate.harbour.id, estate.garden.id])
    assert [each["facility"]["key"] for each in await bench.alarms()] == ["ext-1"]
    assert f"what ends at site {estate.harbour.id} is not watched meanwhile" in caplog.text


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


# -- certificates

PAPER_SOON, PAPER_ENDED = "certificate_ends_soon", "certificate_ended"


@pytest.fixture
def certify(client: httpx.AsyncClient) -> Certify:
    """Register a certificate that ends so many days from the first day on; its number in the ledger."""

    async def register(number: str, left: int | None, facility: str = "booster-1", **more: Any) -> int:
        valid_until = None if left is None else (TODAY + timedelta(days=left)).isoformat()
        told = {"kind": "water_quality_test", "issuer": "市疾控中心", "issued_on": "2025-03-01", **more}
        path = f"/facilities/garden/{facility}/certificates"
        answer = await client.post(path, json={**told, "number": number, "valid_until": valid_until})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    return register


async def test_a_certificate_rings_in_its_last_week_and_after_until_a_newer_one_is_entered(
    bench: Bench, certify: Certify
) -> None:
    old = await certify("WQ-1", 8)
    await certify("open", None, kind="use_registration")
    assert await bench.look() == []
    soon = (PAPER_SOON, "booster-1", "UNACK", "low")
    assert await bench.look(hours=4) == [soon]  # midnight in Shanghai
    (alarm,) = await bench.alarms()
    said = await bench.said(alarm["id"])
    assert said["certificates"] == [{"kind": "water_quality_test", "number": "WQ-1", "ends_on": "2026-03-09"}]
    assert await bench.look(days=7) == [soon]  # its last day
    over = (PAPER_SOON, "booster-1", "RTNUN", "low")
    assert await bench.look(days=1) == [over, (PAPER_ENDED, "booster-1", "UNACK", "medium")]
    await certify("WQ-2", 370, replaces=old)
    assert await bench.look(minutes=5) == [over, (PAPER_ENDED, "booster-1", "RTNUN", "medium")]


async def test_one_that_is_withdrawn_rings_no_more_and_what_it_replaced_rings_again(
    bench: Bench, certify: Certify, client: httpx.AsyncClient
) -> None:
    old = await certify("WQ-1", -1)
    new = await certify("WQ-2", 200, replaces=old)
    assert await bench.look() == []
    for number, state in ((new, "UNACK"), (old, "RTNUN")):
        assert (await client.post(f"/certificates/{number}/withdraw", json={"note": "录错"})).status_code == 200
        assert await bench.look(minutes=5) == [(PAPER_ENDED, "booster-1", state, "medium")]


async def test_what_was_needed_once_only_ends_without_an_alarm(bench: Bench, certify: Certify) -> None:
    for kind in ("fire_product", "acceptance", "other"):
        await certify(kind, -30, kind=kind, note="型式认可")
    assert await bench.look() == []


async def test_a_facility_has_one_of_its_equipment_and_one_of_its_papers(bench: Bench, certify: Certify) -> None:
    await bench.install("ext-1", left=-1)
    for number in ("P-1", "P-2"):
        await certify(number, -2, "ext-1", kind="pressure_gauge_calibration")
    assert sorted(rule for rule, *_ in await bench.look()) == [PAPER_ENDED, ENDED]


async def test_a_facility_that_is_retired_has_no_alarm_of_its_papers(
    bench: Bench, certify: Certify, owner: Owner
) -> None:
    await certify("WQ-1", -1)
    await owner.execute("update facility set retired_at = now() where key = 'booster-1'")
    assert await bench.look() == []
