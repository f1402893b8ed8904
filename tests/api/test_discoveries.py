"""What the quarantine speaks of, accepted: facilities of a type, gateways, points that the kind knows; and nothing else."""

import json
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from ledger import intake
from ledger.intake import Refusal
from tests.api.conftest import Estate
from tests.api.employed import employ, signed_in
from tests.api.test_imports import bring_in, yaml
from tests.small_estate import NOON

Owner = psycopg.AsyncConnection[Any]
NEW = {
    "type": "booster_set_3_pumps",
    "name": {"zh": "北区泵组", "en": "North booster"},
    "location": "pump-house",
    "gateway": "gw-1",
}


async def refused(owner: Owner, level: str, reason: str, values: dict[str, Any], site: str = "garden") -> int:
    topic = f"tz/v1/{site}/{level}"
    payload = json.dumps({"ts": 1763818200000, "values": values}).encode()
    async with owner.transaction():
        await intake.quarantine(owner, [Refusal(site, topic, reason, NOON, payload)], topics_max=100)
    cursor = await owner.execute("select id from quarantine where topic = %s and reason = %s", [topic, reason])
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def points_of(owner: Owner, facility: str) -> set[str]:
    cursor = await owner.execute(
        "select point.key from point join facility on facility.id = facility_id where facility.key = %s "
        "and point.retired_at is null",
        [facility],
    )
    return {str(key) for (key,) in await cursor.fetchall()}


async def test_an_unknown_facility_is_accepted_and_nothing_is_resurrected(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    values = {"outlet_pressure": 0.4, "pump_1.run": True, "pump_2.run": False, "pump_3.run": False}
    entry = await refused(owner, "booster-n/telemetry", "unknown_facility", values)
    proposal = (await client.get(f"/quarantine/{entry}/proposal")).json()
    assert (proposal["subject"], proposal["key"], proposal["known"]) == ("facility", "booster-n", False)
    assert proposal["heard"] == sorted(values)
    assert proposal["types"][0]["key"] == "booster_set_3_pumps"
    assert (proposal["types"][0]["heard"], proposal["types"][0]["unheard_of"]) == (4, [])
    assert {"key": "pump-house", "name": {"zh": "花园小区 / 地下二层泵房", "en": "Estate / Pump house"}} in proposal[
        "locations"
    ]
    assert [each["key"] for each in proposal["gateways"]] == ["gw-1"]
    answer = await client.post(f"/quarantine/{entry}/facility", json=NEW)
    assert answer.status_code == 201, answer.text
    assert answer.json()["difference"]["zh"][0] == "+ 设施 garden/booster-n 北区泵组"
    assert answer.json()["refused_before"] == 1
    assert await points_of(owner, "booster-n") >= set(values)
    assert await (await owner.execute("select count(*) from reading")).fetchone() == (0,)
    assert (await client.get(f"/quarantine/{entry}/proposal")).json()["known"] is True
    again = await client.post(f"/quarantine/{entry}/facility", json=NEW)
    assert (again.status_code, again.json()["type"]) == (409, "urn:taizhang:problem:conflict")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"type": "rocket"}, "rocket"),
        ({"location": "moon"}, "moon"),
        ({"gateway": "gw-9"}, "gw-9"),
        ({"gateway": None}, "gateway"),
    ],
)
async def test_what_the_estate_does_not_know_is_refused_with_its_reason(
    client: httpx.AsyncClient, owner: Owner, estate: Estate, changes: dict[str, Any], said: str
) -> None:
    entry = await refused(owner, "booster-n/telemetry", "unknown_facility", {})
    answer = await client.post(f"/quarantine/{entry}/facility", json=NEW | changes)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:taizhang:problem:estate_faulty")
    assert said in answer.json()["errors"][0]["message"]
    assert (await client.get("/facilities/garden/booster-n")).status_code == 404


async def test_points_that_the_kind_knows_are_accepted_and_no_others(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    await bring_in(client, yaml())
    entry = await refused(
        owner, "booster-9/telemetry", "unknown_point", {"pump_4.run": True, "colour": 1, "outlet_pressure": 0.4}
    )
    proposal = (await client.get(f"/quarantine/{entry}/proposal")).json()
    assert proposal["points"] == [{"key": "colour", "way": None}, {"key": "pump_4.run", "way": "new_part"}]
    strange = await client.post(f"/quarantine/{entry}/points", json={"points": ["colour"]})
    assert strange.status_code == 422
    assert "colour" in strange.json()["text"]["zh"]
    answer = await client.post(f"/quarantine/{entry}/points", json={"points": ["pump_4.run"]})
    assert answer.status_code == 201, answer.text
    facility = (await client.get("/facilities/garden/booster-9")).json()
    assert "pump_4.run" in await points_of(owner, "booster-9")
    assert [each["key"] for each in facility["parts"]].count("pump_4") == 1
    left = (await client.get(f"/quarantine/{entry}/proposal")).json()
    assert [each["key"] for each in left["points"]] == ["colour"]


async def test_an_unknown_gateway_is_accepted(client: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    entry = await refused(owner, "gateways/gw-7/status", "unknown_gateway", {})
    asked = {"name": {"zh": "七号网关"}, "location": "pump-house"}
    answer = await client.post(f"/quarantine/{entry}/gateway", json=asked)
    assert answer.status_code == 201, answer.text
    assert (await client.get("/facilities/garden/gw-7")).json()["facility"]["kind"] == "gateway"
    wrong = await client.post(f"/quarantine/{entry}/facility", json=NEW)
    assert wrong.status_code == 409


async def test_nothing_is_accepted_from_what_is_faulty(client: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    for level, reason in (("booster-1/telemetry", "not_json"), ("x/y/z", "bad_topic")):
        entry = await refused(owner, level, reason, {})
        assert (await client.get(f"/quarantine/{entry}/proposal")).status_code == 409


async def test_who_does_not_keep_the_estate_accepts_nothing(
    app: FastAPI, client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    entry = await refused(owner, "booster-n/telemetry", "unknown_facility", {})
    await employ(owner, "duty", "王建国", {estate.garden.id: ["duty_engineer"], estate.harbour.id: ["administrator"]})
    async with signed_in(app, "duty") as duty:
        assert (await duty.get("/quarantine", params={"site": "garden"})).json()["items"][0]["id"] == entry
        answer = await duty.post(f"/quarantine/{entry}/facility", json=NEW)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:taizhang:problem:no_right")
