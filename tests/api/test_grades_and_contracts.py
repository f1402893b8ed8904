"""Grades, contracts and clocks over HTTP: what is in force and where it comes from, and changing it with a reason."""

import asyncio
from typing import Any

import httpx
import psycopg
import pytest

from tests.api.conftest import Estate, StandingClock

Owner = psycopg.AsyncConnection[Any]
GRADE = "/facilities/garden/booster-1/grade"
CONTRACT = "/sites/garden/contract"
CLOCKS = f"{CONTRACT}/clocks"
ORDER = {
    "site": "garden",
    "facility": "booster-1",
    "work_class": "water_supply",
    "title": {"zh": "漏水"},
    "priority": "high",
}


async def revision(owner: Owner) -> int:
    row = await (await owner.execute("select revision from site where key = 'garden'")).fetchone()
    assert row is not None
    return int(row[0])


def kind_of(answer: httpx.Response, kind: str) -> dict[str, Any]:
    return next(each for each in answer.json()["items"] if each["kind"] == kind)


def clock_of(answer: httpx.Response, event_class: str, clock: str) -> dict[str, Any] | None:
    named = (each for each in answer.json()["clocks"] if (each["event_class"], each["clock"]) == (event_class, clock))
    return next(named, None)


async def test_what_each_grade_asks_for(client: httpx.AsyncClient) -> None:
    grades = {each["grade"]: each for each in (await client.get("/grades")).json()["items"]}
    assert list(grades) == ["A", "B", "C"]
    assert grades["A"]["scan_interval"] == {"least_s": 30, "most_s": 60}
    assert grades["C"]["scan_interval"] is None
    assert (grades["A"]["check_round"]["en"], grades["A"]["title"]["zh"]) == ("Daily", "A 级")
    critical = {each["severity"]: each for each in grades["B"]["responses"]}["critical"]
    assert (critical["priority"], critical["order"], critical["order_after_s"]) == ("medium", "after", 600)
    assert (critical["shelve_seconds_max"], critical["shelve_note_required"]) == (8 * 3600, True)
    assert grades["A"]["responses"][2]["shelve_seconds_max"] is None
    assert grades["C"]["responses"][0]["order"] == "next_round"


async def test_a_facility_is_graded_otherwise_and_back(
    client: httpx.AsyncClient, owner: Owner, estate: Estate, clock: StandingClock
) -> None:
    before = (await client.get(GRADE)).json()
    assert (before["grade"], before["comes_from"], before["decided"]) == ("A", "default", None)
    assert before["of_kind"]["default_reason"]["zh"]
    answer = await client.post(GRADE, json={"grade": "C", "reason": "已停用，仅作备用"})
    after = answer.json()
    assert (answer.status_code, after["grade"], after["comes_from"]) == (200, "C", "facility")
    assert (after["decided"]["author"], after["decided"]["reason"]) == ("王班长", "已停用，仅作备用")
    assert (await client.get("/facilities/garden/booster-1")).json()["facility"]["grade"] == "C"
    assert await revision(owner) == 1, "ingest is told to read the site again"
    entry = (await client.get("/facilities/garden/booster-1/dossier")).json()["items"][-1]
    assert (entry["kind"], entry["kind_name"]["zh"]) == ("grade", "风险等级")
    assert (entry["body"]["was"], entry["body"]["in_force"]) == ("A", "C")
    back = (await client.post(GRADE, json={"grade": None, "reason": "恢复使用"})).json()
    assert (back["grade"], back["comes_from"], back["decided"]) == ("A", "default", None)
    decided = (await client.get("/sites/garden/decisions", params={"facility": "booster-1"})).json()["items"]
    assert [(each["name"], each["value"], each["reason"]) for each in decided] == [
        ("grade", None, "恢复使用"),
        ("grade", "C", "已停用，仅作备用"),
    ]


async def test_a_kind_is_graded_otherwise_and_what_has_a_grade_of_its_own_keeps_it(client: httpx.AsyncClient) -> None:
    await client.post("/facilities/garden/lamp-1/grade", json={"grade": "C", "reason": "宣传栏"})
    answer = await client.post(
        "/sites/garden/grades", json={"kind": "booster_pump_room", "grade": "B", "reason": "双路供水"}
    )
    boosters = kind_of(answer, "booster_pump_room")
    assert (boosters["grade"], boosters["default"], boosters["facilities"]) == ("B", "A", 2)
    assert boosters["decided"]["reason"] == "双路供水"
    booster = (await client.get(GRADE)).json()
    assert (booster["grade"], booster["comes_from"]) == ("B", "kind")
    assert (await client.get("/facilities/garden/lamp-1/grade")).json()["grade"] == "C"
    assert (await client.get("/facilities/harbour/booster-1/grade")).json()["grade"] == "A", "another site"
    dossiers = [
        [each["kind"] for each in (await client.get(f"/facilities/garden/{key}/dossier")).json()["items"]]
        for key in ("booster-1", "lamp-1")
    ]
    assert [kinds[-1] for kinds in dossiers] == ["grade", "grade"]
    again = await client.post(
        "/sites/garden/grades", json={"kind": "booster_pump_room", "grade": None, "reason": "单路供水"}
    )
    assert kind_of(again, "booster_pump_room")["decided"] is None
    assert (await client.get(GRADE)).json()["grade"] == "A"
    assert kind_of(await client.get("/sites/garden/grades"), "gateway")["grade"] == "B"


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        (GRADE, {"grade": "D", "reason": "x"}, 422),
        (GRADE, {"grade": "B", "reason": " "}, 422),
        (GRADE, {"reason": "x"}, 422),
        ("/facilities/garden/nothing/grade", {"grade": "B", "reason": "x"}, 404),
        ("/sites/garden/grades", {"kind": "elevator", "grade": "B", "reason": "x"}, 404),
        ("/sites/nowhere/grades", {"kind": "elevator", "grade": "B", "reason": "x"}, 404),
    ],
)
async def test_a_grade_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, path: str, asked: dict[str, Any], status: int
) -> None:
    assert (await client.post(path, json=asked)).status_code == status
    assert (await client.get("/sites/garden/decisions")).json()["items"] == []


async def test_another_contract_is_put_in_force(client: httpx.AsyncClient, owner: Owner) -> None:
    before = await client.get(CONTRACT)
    assert (before.json()["profile"], before.json()["decided"]) == ("standard", None)
    answer = await client.post(CONTRACT, json={"profile": "first_contact", "reason": "业委会新合同"})
    found = answer.json()
    assert (found["profile"], found["title"]["zh"]) == ("first_contact", "首问负责")
    assert (found["decided"]["author"], found["decided"]["reason"]) == ("王班长", "业委会新合同")
    assert (await client.get("/sites/garden")).json()["sla_profile"] == "first_contact"
    assert await revision(owner) == 1
    order = (await client.post("/work-orders", json=ORDER | {"event_class": "complaint"})).json()["work_order"]
    assert order["clocks"]["accept_by"] == "2026-03-01T12:03:00Z"


async def test_a_clock_is_set_at_the_site_and_given_back(client: httpx.AsyncClient, owner: Owner) -> None:
    asked = {"event_class": "high", "clock": "arrive_by", "value": "20m", "reason": "消防站就在门口"}
    answer = await client.post(CLOCKS, json=asked)
    clock = clock_of(answer, "high", "arrive_by")
    assert clock is not None
    assert (clock["value"], clock["contract"], clock["decided"]["reason"]) == ("20m", "30m", "消防站就在门口")
    assert await revision(owner) == 1
    opened = (await client.post("/work-orders", json=ORDER)).json()["work_order"]
    assert (opened["clocks"]["accept_by"], opened["clocks"]["arrive_by"]) == (
        "2026-03-01T12:15:00Z",
        "2026-03-01T12:20:00Z",
    )
    added = await client.post(CLOCKS, json=asked | {"clock": "restore_by", "value": "2wd"})
    restore = clock_of(added, "high", "restore_by")
    assert restore is not None
    assert (restore["value"], restore["contract"]) == ("2wd", None)
    back = await client.post(CLOCKS, json=asked | {"value": None, "reason": "消防站搬走"})
    clock = clock_of(back, "high", "arrive_by")
    assert clock is not None
    assert (clock["value"], clock["decided"]) == ("30m", None)
    names = [each["name"] for each in (await client.get("/sites/garden/decisions")).json()["items"]]
    assert names == ["clock.high.arrive_by", "clock.high.restore_by", "clock.high.arrive_by"]
    page = (await client.get("/sites/garden/decisions", params={"limit": 1})).json()
    rest = (await client.get("/sites/garden/decisions", params={"after": page["next"]})).json()
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (1, 2, None)


async def test_a_clock_counts_under_another_contract_as_well(client: httpx.AsyncClient) -> None:
    await client.post(CLOCKS, json={"event_class": "low", "clock": "restore_by", "value": "30h", "reason": "x"})
    answer = await client.post(CONTRACT, json={"profile": "steward", "reason": "y"})
    clock = clock_of(answer, "low", "restore_by")
    assert clock is not None
    assert clock["value"] == "30h"
    assert (clock_of(answer, "low", "accept_by") or {})["value"] == "15m"


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"event_class": "hihg"}, "body.event_class", "did you mean high?"),
        ({"clock": "sing_by"}, "body.clock", "'accept_by'"),
        ({"value": "soon"}, "body.value", "write 90s, 15m"),
        ({"value": "30s"}, "body.value", "shorter than a minute"),
        ({"value": "91d"}, "body.value", "longer than 90 days"),
        ({"value": "10m"}, "body.value", "accept_by after 15m is later than arrive_by after 10m"),
        ({"reason": ""}, "body.reason", "at least 1"),
    ],
)
async def test_a_clock_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, changes: dict[str, Any], field: str, words: str
) -> None:
    asked = {"event_class": "high", "clock": "arrive_by", "value": "20m", "reason": "x"}
    answer = await client.post(CLOCKS, json=asked | changes)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert words in error["message"]
    assert (await client.get("/sites/garden/decisions")).json()["items"] == []


async def test_giving_a_clock_back_may_contradict_another_that_was_set(client: httpx.AsyncClient) -> None:
    asked = {"event_class": "high", "clock": "accept_by", "value": "5m", "reason": "x"}
    await client.post(CLOCKS, json=asked)
    await client.post(CLOCKS, json=asked | {"clock": "arrive_by", "value": "10m"})
    refused = await client.post(CLOCKS, json=asked | {"value": None})
    assert refused.status_code == 422
    assert "accept_by after 15m is later than arrive_by after 10m; set that one first" in refused.json()["detail"]


async def test_a_contract_nobody_knows_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(CONTRACT, json={"profile": "stewart", "reason": "x"})
    assert answer.status_code == 422
    assert "did you mean steward" in answer.json()["detail"]


async def test_the_contracts_there_are(client: httpx.AsyncClient) -> None:
    contracts = {each["key"]: each for each in (await client.get("/contracts")).json()["items"]}
    red = contracts["red_channel"]
    assert {each["key"]: each["percent"] for each in red["targets"]}["call_back"] == 100
    utility = next(each for each in red["classes"] if each["event_class"] == "utility_fault")
    assert utility["clocks"] == {"accept_by": "15m", "plan_by": "1h"}
    assert utility["title"]["zh"] == "水、电、电梯故障"


async def test_a_contract_that_a_clock_set_here_contradicts_is_refused(client: httpx.AsyncClient) -> None:
    asked = {"event_class": "general_repair", "clock": "accept_by", "value": "23h", "reason": "x"}
    assert (await client.post(CLOCKS, json=asked)).status_code == 200
    await client.post(CLOCKS, json=asked | {"event_class": "urgent", "clock": "plan_by", "value": "2h"})
    refused = await client.post(CONTRACT, json={"profile": "premium_steward", "reason": "x"})
    assert refused.status_code == 422
    assert (
        "general_repair: accept_by after 23h is later than plan_by after 2h" in refused.json()["errors"][0]["message"]
    )
    assert (await client.get(CONTRACT)).json()["profile"] == "standard"
    await client.post(CLOCKS, json=asked | {"value": None})
    assert (await client.post(CONTRACT, json={"profile": "premium_steward", "reason": "x"})).status_code == 200


async def test_of_two_contradictions_one_is_set_right_after_the_other(client: httpx.AsyncClient, owner: Owner) -> None:
    await owner.execute(
        "insert into site_setting (site_id, name, value, author, reason, set_at) "
        "select id, name, value, 'estate', 'x', now() from site, "
        "(values ('clock.medium.accept_by', '20h'), ('clock.medium.restore_by', '1h')) as set_here (name, value) "
        "where key = 'garden'"
    )
    asked = {"event_class": "medium", "clock": "accept_by", "value": "30m", "reason": "x"}
    assert (await client.post(CLOCKS, json=asked)).status_code == 200
    assert (await client.post(CLOCKS, json=asked | {"clock": "restore_by", "value": None})).status_code == 200


async def test_two_clocks_set_at_the_same_moment_do_not_contradict_each_other(client: httpx.AsyncClient) -> None:
    asked = {"event_class": "medium", "reason": "x"}
    for _ in range(3):
        await client.post(CLOCKS, json=asked | {"clock": "arrive_by", "value": None})
        await client.post(CLOCKS, json=asked | {"clock": "restore_by", "value": None})
        answers = await asyncio.gather(
            client.post(CLOCKS, json=asked | {"clock": "arrive_by", "value": "20h"}),
            client.post(CLOCKS, json=asked | {"clock": "restore_by", "value": "19h"}),
        )
        assert sorted(each.status_code for each in answers) == [200, 422]
