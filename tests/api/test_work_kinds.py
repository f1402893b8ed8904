"""Permits by kind of work: what it silences, how long, what it asks for; overrun, settled, extended; all over HTTP."""

from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from api.permit_terms import Wish, grant
from api.problems import Unacceptable
from ledger import permits
from ledger.records import Facility, Grade, PermitKind
from rules import works
from tests.api.conftest import PACKS, Estate, StandingClock
from tests.small_estate import NOON

Owner = psycopg.AsyncConnection[Any]
SWITCHGEAR: dict[str, Any] = {
    "site": "garden",
    "facility": "booster-1",
    "work": "switchgear_maintenance",
    "holder": "李工",
    "reason": "开关柜年检",
    "answers": {
        "holder_qualification": "高压证 1101",
        "supervisor": "王工",
        "isolation": "2号柜已上锁",
        "residents_informed": "公告栏",
    },
}


async def test_what_each_kind_of_work_silences_and_asks_for(client: httpx.AsyncClient) -> None:
    works = {each["key"]: each for each in (await client.get("/work-kinds")).json()["items"]}
    test = works["monthly_pump_test"]
    assert (test["permit"], test["lasts_s"], test["lasts_at_most_s"]) == ("test", 7200, 14400)
    (pump_room,) = test["silences"]
    keys = [each["key"] for each in pump_room["rules"]]
    assert "hydrant_pump_running" in keys
    assert "flood" not in keys
    assert all(each["title"]["zh"] != each["key"] for each in pump_room["rules"])
    assert [each["key"] for each in test["asks"]] == ["holder_qualification", "control_room_informed"]
    impairment = {each["key"] for each in works["impairment"]["asks"]}
    assert {"approved_by", "emergency_plan", "public_notice"} <= impairment
    assert works["impairment"]["clause"] == "MEM Order 5 art. 32"
    lifts = (await client.get("/work-kinds", params={"kind": "elevator"})).json()["items"]
    assert {each["key"] for each in lifts} >= {"lift_service", "lift_test", "instrument_work"}
    assert "tank_cleaning" not in {each["key"] for each in lifts}


async def test_a_permit_by_its_kind_of_work(client: httpx.AsyncClient) -> None:
    answer = await client.post("/permits", json=SWITCHGEAR)
    assert answer.status_code == 201, answer.text
    permit = answer.json()
    assert (permit["work"]["key"], permit["work"]["title"]["zh"]) == ("switchgear_maintenance", "高低压开关柜检修")
    assert (permit["kind"], permit["valid_until"]) == ("work", "2026-03-01T16:00:00Z")
    assert [each["key"] for each in permit["rules"]] == ["transfer_switch_off"], "of what it silences, what holds there"
    answers = {each["key"]: (each["title"]["en"], each["text"]) for each in permit["answers"]}
    assert answers["supervisor"] == ("Engineer of our own who is present", "王工")
    rules = {each["key"]: each for each in (await client.get("/facilities/garden/booster-1/rules")).json()["rules"]}
    assert [each["permit"] for each in rules["transfer_switch_off"]["silenced_by"]] == [permit["id"]]
    assert rules["flood"]["silenced_by"] == []
    entry = (await client.get("/facilities/garden/booster-1/dossier")).json()["items"][-1]
    assert (entry["body"]["work"], entry["body"]["answers"]["isolation"]) == ("switchgear_maintenance", "2号柜已上锁")


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"work": "switch_maintenance"}, "body.work", "did you mean switchgear_maintenance"),
        ({"work": "lift_service", "answers": {}}, "body.work", "is no work for a booster_pump_room"),
        ({"kind": "test"}, "body.kind", "is a permit for work"),
        ({"rules": ["flood"]}, "body.rules.0", "does not silence flood"),
        ({"rules": ["power_lost"]}, "body.rules.0", "no rule 'power_lost' holds"),
        ({"until": "2026-03-02T13:00:00Z"}, "body.until", "lasts 24 h at most"),
        ({"part": "pump_1"}, "body.part", "silences nothing at that part"),
        ({"answers": SWITCHGEAR["answers"] | {"mood": "good"}}, "body.answers.mood", "does not ask for it"),
    ],
)
async def test_what_a_kind_of_work_does_not_allow(
    client: httpx.AsyncClient, changes: dict[str, Any], field: str, words: str
) -> None:
    answer = await client.post("/permits", json=SWITCHGEAR | changes)
    assert answer.status_code == 422
    told = {each["field"]: each["message"] for each in answer.json()["errors"]}
    assert words in told[field]
    assert (await client.get("/permits")).json()["items"] == []


async def test_everything_that_was_not_said_is_asked_for_at_once(client: httpx.AsyncClient) -> None:
    answer = await client.post("/permits", json=SWITCHGEAR | {"answers": {"supervisor": "王工"}})
    fields = {each["field"] for each in answer.json()["errors"]}
    assert fields == {"body.answers.holder_qualification", "body.answers.isolation", "body.answers.residents_informed"}


async def overrun(owner: Owner, permit: int, clock: StandingClock) -> None:
    """As the clock of ingest does it."""
    clock.advance(hours=5)
    async with owner.transaction():
        assert await permits.expire(owner, permit, clock.now) is not None


async def test_an_overrun_permit_is_settled_by_a_person(
    client: httpx.AsyncClient, owner: Owner, clock: StandingClock
) -> None:
    permit = (await client.post("/permits", json=SWITCHGEAR)).json()["id"]
    await overrun(owner, permit, clock)
    (found,) = (await client.get("/permits", params={"unsettled": "true"})).json()["items"]
    assert (found["id"], found["state"], found["ended_by"]) == (permit, "overrun", "clock")
    settled = (await client.post(f"/permits/{permit}/hand-back", json={"note": "四点已完工，忘了交回"})).json()
    assert (settled["state"], settled["settled_by"]) == ("settled", "王班长")
    assert settled["settled_at"] == "2026-03-01T17:00:00Z"
    assert settled["ended_at"] == "2026-03-01T16:00:00Z"
    entry = (await client.get("/facilities/garden/booster-1/dossier")).json()["items"][-1]
    assert (entry["body"]["step"], entry["body"]["note"]) == ("settled", "四点已完工，忘了交回")
    assert (await client.get("/permits", params={"unsettled": "true"})).json()["items"] == []
    again = await client.post(f"/permits/{permit}/hand-back")
    assert again.status_code == 409
    assert "was settled by 王班长" in again.json()["detail"]


async def test_work_goes_on_under_a_new_permit(client: httpx.AsyncClient, clock: StandingClock) -> None:
    first = (await client.post("/permits", json=SWITCHGEAR)).json()
    clock.advance(hours=3)
    asked = {"until": "2026-03-01T19:00:00Z", "reason": "备件晚到"}
    second = (await client.post(f"/permits/{first['id']}/extend", json=asked)).json()
    assert (second["extends"], second["reason"], second["valid_from"]) == (
        first["id"],
        "备件晚到",
        "2026-03-01T15:00:00Z",
    )
    same = ("facility", "part", "work", "kind", "rules", "holder", "answers")
    assert {key: second[key] for key in same} == {key: first[key] for key in same}
    assert (await client.get(f"/permits/{first['id']}")).json()["state"] == "handed_back"
    again = await client.post(f"/permits/{first['id']}/extend", json=asked)
    assert again.status_code == 409
    too_long = await client.post(f"/permits/{second['id']}/extend", json=asked | {"until": "2026-03-02T16:00:00Z"})
    assert (too_long.status_code, too_long.json()["errors"][0]["field"]) == (422, "body.until")
    assert (await client.post("/permits/999/extend", json=asked)).status_code == 404


@pytest.mark.parametrize("reason", ["\u200b\u2060", "\u3164", " \ufeff "])
async def test_a_reason_that_nobody_can_see_is_none(client: httpx.AsyncClient, reason: str) -> None:
    answer = await client.post("/permits", json=SWITCHGEAR | {"reason": reason})
    assert answer.status_code == 422
    assert [(each["field"], "can be seen" in each["message"]) for each in answer.json()["errors"]] == [
        ("body.reason", True)
    ]


async def test_no_chain_of_extensions_goes_on_for_ever(client: httpx.AsyncClient, clock: StandingClock) -> None:
    permit = (await client.post("/permits", json=SWITCHGEAR)).json()
    (kind,) = [each for each in (await client.get("/work-kinds")).json()["items"] if each["key"] == SWITCHGEAR["work"]]
    end = NOON + timedelta(seconds=kind["lasts_in_all_s"])
    clock.now = end - timedelta(hours=1)
    over = await client.post(
        f"/permits/{permit['id']}/extend",
        json={"until": (end + timedelta(seconds=1)).isoformat(), "reason": "还没做完"},
    )
    assert (over.status_code, "issue a new one" in over.json()["detail"]) == (409, True)
    within = await client.post(f"/permits/{permit['id']}/extend", json={"until": end.isoformat(), "reason": "还没做完"})
    assert within.status_code == 201


async def test_work_goes_on_from_an_overrun_permit(
    client: httpx.AsyncClient, owner: Owner, estate: Estate, clock: StandingClock
) -> None:
    first = (await client.post("/permits", json=SWITCHGEAR)).json()["id"]
    await overrun(owner, first, clock)
    until = (NOON + timedelta(hours=9)).isoformat()
    second = await client.post(f"/permits/{first}/extend", json={"until": until, "reason": "还没做完"})
    assert (second.status_code, second.json()["state"]) == (201, "standing")
    assert (await client.get(f"/permits/{first}")).json()["state"] == "settled"


async def test_an_extension_of_work_that_has_not_begun_keeps_its_begin(client: httpx.AsyncClient) -> None:
    """Or the rules would be silent from now on, though nobody works before tomorrow."""
    first = (await client.post("/permits", json=SWITCHGEAR | {"from": "2026-03-02T08:00:00Z"})).json()
    asked = {"until": "2026-03-02T20:00:00Z", "reason": "加一台柜"}
    second = (await client.post(f"/permits/{first['id']}/extend", json=asked)).json()
    assert (second["state"], second["valid_from"]) == ("ahead", "2026-03-02T08:00:00Z")


async def test_a_permit_does_not_hush_up_what_was_before_it(client: httpx.AsyncClient) -> None:
    answer = await client.post("/permits", json=SWITCHGEAR | {"from": "2026-03-01T10:59:00Z"})
    assert (answer.status_code, "begins at most 1 h before" in answer.json()["detail"]) == (422, True)
    assert (await client.post("/permits", json=SWITCHGEAR | {"from": "2026-03-01T11:30:00Z"})).status_code == 201


@pytest.mark.parametrize("begin", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
async def test_a_permit_at_the_end_of_the_calendar(client: httpx.AsyncClient, begin: str) -> None:
    assert (await client.post("/permits", json=SWITCHGEAR | {"from": begin})).status_code == 422
    assert (await client.post("/permits", json=SWITCHGEAR | {"from": begin, "until": begin})).status_code == 422


def test_what_guards_lives_is_silenced_by_a_kind_of_work_only() -> None:
    """Its questions, its approval and its short time would else be got round by naming the rule."""
    lift = Facility(1, 1, 1, None, "lift-1", "elevator", Grade.A, "梯", "lift")
    wish = Wish(None, PermitKind.TEST, ["overspeed", "door_held_open"], {}, NOON, NOON + timedelta(days=7))
    with pytest.raises(Unacceptable) as caught:
        grant(works.load(PACKS), wish, lift, PACKS["elevator"].rules, at_a_part=False)
    told = {each.field: each.message for each in caught.value.fields}
    assert "only a kind of work silences it" in told["body.rules.0"]
