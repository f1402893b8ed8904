"""Work permits and the rules of a facility over HTTP: what holds there, what people set, what they silence."""

from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest

from ledger import readings
from ledger.records import Quality, Sample, to_ms
from tests.api.conftest import Estate, StandingClock

Owner = psycopg.AsyncConnection[Any]
PERMIT = {
    "site": "garden",
    "facility": "booster-1",
    "kind": "work",
    "rules": ["transfer_switch_off"],
    "holder": "李工",
    "reason": "更换阀门",
    "until": "2026-03-01T14:00:00Z",
}
RULES = "/facilities/garden/booster-1/rules"
PARAMETERS = "/facilities/garden/booster-1/parameters"


async def test_a_permit_from_issue_to_hand_back(client: httpx.AsyncClient, owner: Owner, clock: StandingClock) -> None:
    answer = await client.post("/permits", json=PERMIT)
    assert answer.status_code == 201
    permit = answer.json()
    assert (permit["state"], permit["issued_by"], permit["part"]) == ("standing", "王班长", None)
    assert permit["rules"][0]["key"] == "transfer_switch_off"
    assert permit["rules"][0]["title"]["zh"]
    assert permit["valid_from"] == "2026-03-01T12:00:00Z"
    assert (await client.get(f"/permits/{permit['id']}")).json() == permit
    clock.advance(hours=1)
    back = await client.post(f"/permits/{permit['id']}/hand-back")
    assert (back.json()["state"], back.json()["ended_by"]) == ("handed_back", "王班长")
    again = await client.post(f"/permits/{permit['id']}/hand-back")
    assert again.status_code == 409
    assert "handed back by 王班长" in again.json()["detail"]


async def test_a_permit_that_begins_later_is_ahead(client: httpx.AsyncClient) -> None:
    answer = await client.post("/permits", json=PERMIT | {"from": "2026-03-01T13:00:00Z"})
    assert answer.json()["state"] == "ahead"


async def test_a_permit_for_a_part(client: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    await owner.execute(
        "insert into point (site_id, facility_id, part_id, key, kind, name_zh, name_en) "
        "values (%s, %s, %s, 'pump_1.fault', 'state', '故障', 'Fault')",
        [estate.garden.id, estate.garden.booster, estate.garden.pump_1],
    )
    answer = await client.post("/permits", json=PERMIT | {"part": "pump_1", "rules": ["pump_fault"]})
    assert (answer.status_code, answer.json()["part"]) == (201, "pump_1")
    rules = {each["key"]: each for each in (await client.get(RULES)).json()["rules"]}
    (silence,) = rules["pump_fault"]["silenced_by"]
    assert silence == {"permit": answer.json()["id"], "part": "pump_1", "until": "2026-03-01T14:00:00Z"}
    elsewhere = await client.post("/permits", json=PERMIT | {"part": "pump_2", "rules": ["pump_fault"]})
    assert elsewhere.status_code == 422, "the rule does not hold there: that pump does not say that it is faulty"
    whole = await client.post("/permits", json=PERMIT | {"part": "pump_1"})
    assert whole.status_code == 422, "a permit for a part leaves the rules of the whole alone"
    missing = await client.post("/permits", json=PERMIT | {"part": "pump_9"})
    assert missing.status_code == 404


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"rules": ["transfer_switch_off", "no_such_rule"]}, 422, "no rule 'no_such_rule' holds"),
        ({"rules": ["flood"]}, 422, r"(flood): its condition does not ask"),
        ({"rules": ["on_backup_supply"]}, 422, "silenced by a permit for test, not for work"),
        ({"rules": None}, 422, "body.rules: needed where no kind of work is named"),
        ({"until": None, "kind": None}, 422, "body.kind: needed where no kind of work is named"),
        ({"answers": {"approved_by": "x"}}, 422, "only a kind of work asks for answers"),
        ({"rules": []}, 422, "at least 1"),
        ({"until": "2026-03-01T11:00:00Z"}, 422, "ends after it begins"),
        ({"until": "2026-03-09T12:00:00Z"}, 422, "at most 7 days"),
        ({"from": "2026-03-01T10:00:00Z", "until": "2026-03-01T11:00:00Z"}, 422, "in the past"),
        ({"kind": "nap"}, 422, "'test' or 'work'"),
        ({"facility": "nothing"}, 404, "no facility"),
    ],
)
async def test_a_permit_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, changes: dict[str, Any], status: int, words: str
) -> None:
    answer = await client.post("/permits", json=PERMIT | changes)
    assert answer.status_code == status
    assert words in answer.json()["detail"]
    assert (await client.get("/permits")).json()["items"] == []


async def test_the_list_of_permits(client: httpx.AsyncClient) -> None:
    ids = [(await client.post("/permits", json=PERMIT)).json()["id"] for _ in range(3)]
    await client.post("/permits", json=PERMIT | {"site": "harbour"})
    await client.post(f"/permits/{ids[0]}/hand-back")
    for query, expected in (
        ({"site": "garden"}, ids[::-1]),
        ({"site": "garden", "standing": "true"}, ids[:0:-1]),
        ({"site": "garden", "standing": "false"}, ids[:1]),
        ({"site": "garden", "facility": "lamp-1"}, []),
    ):
        assert [each["id"] for each in (await client.get("/permits", params=query)).json()["items"]] == expected
    first = (await client.get("/permits", params={"limit": 3})).json()
    rest = (await client.get("/permits", params={"limit": 3, "after": first["next"]})).json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (3, 1, None)


async def test_the_rules_of_a_facility_with_their_figures(client: httpx.AsyncClient) -> None:
    found = (await client.get(RULES)).json()
    rules = {each["key"]: each for each in found["rules"]}
    low = rules["outlet_pressure_low"]
    assert low["title"] == {"zh": "出水压力低", "en": "Outlet pressure low"}
    assert low["when"].startswith("outlet_pressure <")
    assert low["clears_when"]
    (limit,) = low["limits"]
    assert (limit["point"], limit["comparison"], round(limit["limit"], 6)) == ("outlet_pressure", "<", 0.3)
    assert (low["severity"], low["work_class_name"]["zh"], low["on_delay_s"]) == ("warning", "供水", 60)
    assert rules["pump_run_long"]["parts"] == ["pump_1"]
    left_out = {(each["key"], each["part"]): each["reason"] for each in found["left_out"]}
    assert left_out["tank_level_low", None] == "booster-1 has no tank_level"
    assert ("pump_run_long", "pump_2") in left_out
    setpoint = next(each for each in found["parameters"] if each["name"] == "setpoint")
    assert (setpoint["value"], setpoint["default"], setpoint["author"]) == (0.35, 0.35, None)
    assert {"pump_1.rated_current", "pump_2.rated_current"} <= {each["name"] for each in found["parameters"]}


async def test_a_rule_says_what_it_looks_at_has_never_reported(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    before = {each["key"]: each["never_reported"] for each in (await client.get(RULES)).json()["rules"]}
    assert before["flood"] == ["flood"]
    assert before["pump_run_long"] == ["pump_1.run"]
    at_ms = to_ms(datetime(2026, 3, 1, tzinfo=UTC))
    async with owner.transaction():
        await readings.store(owner, [Sample(estate.garden.points["flood"], at_ms, 0.0, Quality.GOOD, at_ms)])
    after = {each["key"]: each["never_reported"] for each in (await client.get(RULES)).json()["rules"]}
    assert after["flood"] == []
    assert after["pump_run_long"] == ["pump_1.run"]


async def test_a_limit_is_set_by_somebody_for_a_reason(
    client: httpx.AsyncClient, owner: Owner, estate: Estate, clock: StandingClock
) -> None:
    for value in (0.4, 0.42):
        clock.advance(minutes=1)
        answer = await client.post(PARAMETERS, json={"name": "setpoint", "value": value, "reason": f"调到{value}"})
        assert answer.status_code == 201
    assert (answer.json()["value"], answer.json()["author"]) == (0.42, "王班长")
    setpoint = next(each for each in (await client.get(RULES)).json()["parameters"] if each["name"] == "setpoint")
    assert (setpoint["value"], setpoint["default"], setpoint["reason"]) == (0.42, 0.35, "调到0.42")
    history = (await client.get(f"{PARAMETERS}/setpoint", params={"limit": 1})).json()
    assert [each["value"] for each in history["items"]] == [0.42]
    rest = (await client.get(f"{PARAMETERS}/setpoint", params={"after": history["next"]})).json()
    assert [each["value"] for each in rest["items"]] == [0.4]
    dossier = (await client.get("/facilities/garden/booster-1/dossier")).json()["items"][-1]
    assert (dossier["kind"], dossier["kind_name"]["zh"]) == ("parameter", "参数")
    row = await (await owner.execute("select revision from site where key = 'garden'")).fetchone()
    assert row == (2,), "ingest is told to read the site again"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"name": "colour", "value": 1, "reason": "x"}, "body.name"),
        ({"name": "rated_current", "value": 1, "reason": "x"}, "body.name"),
        ({"name": "setpoint", "value": 99, "reason": "x"}, "body.value"),
        ({"name": "setpoint", "value": "1e999", "reason": "x"}, "body.value"),
        ({"name": "setpoint", "value": 0.4, "reason": " "}, "body.reason"),
        ({"name": "setpoint", "value": 0.4}, "body.reason"),
    ],
)
async def test_a_limit_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, asked: dict[str, Any], field: str
) -> None:
    answer = await client.post(PARAMETERS, json=asked)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_a_parameter_that_is_none_has_no_history(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{PARAMETERS}/colour")).status_code == 404
    assert (await client.get(f"{PARAMETERS}/setpoint")).json() == {"items": [], "next": None}
