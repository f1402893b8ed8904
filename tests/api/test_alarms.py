"""Alarms over HTTP: the list and its filters, one in full, everything people do to it, and two who do it at once."""

import asyncio
from typing import Any

import httpx
import psycopg
import pytest

from ledger import alarm_moves, conditions, work_orders
from ledger.lifecycle import ConditionMove
from ledger.records import Deadlines, Priority, Severity
from ledger.work_orders import Act
from tests.api.conftest import Estate, StandingClock
from tests.fix_wait import Eventually
from tests.locks import anybody_waits_for_a_lock
from tests.small_estate import NOON, cause, later, raise_alarm

Owner = psycopg.AsyncConnection[Any]


async def ring(owner: Owner, estate: Estate, rule: str = "outlet_pressure_low", minute: int = 0, **how: Any) -> int:
    async with owner.transaction():
        moved = await raise_alarm(owner, estate.garden.conditions[rule], later(minutes=minute), **how)
    assert moved.alarm_id is not None
    return moved.alarm_id


async def move(owner: Owner, estate: Estate, rule: str, step: ConditionMove, minute: int = 1) -> None:
    async with owner.transaction():
        await conditions.move(owner, estate.garden.conditions[rule].id, step, cause(later(minutes=minute)))


async def test_an_alarm_says_everything_one_asks_about_it(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    alarm = await ring(owner, estate, when="outlet_pressure < 0.3", values={"outlet_pressure": 0.21})
    answer = await client.get(f"/alarms/{alarm}")
    assert answer.status_code == 200
    found = answer.json()
    about = found["alarm"]
    assert about["title"] == {"zh": "出水压力低", "en": "Outlet pressure low"}
    assert about["facility"] == {
        "site": "garden",
        "key": "booster-1",
        "name": {"zh": "一号泵组", "en": "Booster 1"},
        "grade": "A",
    }
    assert (about["state"], about["shown"], about["severity"], about["priority"]) == (
        "UNACK",
        "UNACK",
        "warning",
        "high",
    )
    assert about["began_at"] == "2026-03-01T12:00:00Z"
    assert found["guidance"]["means"]["zh"].startswith("高层住户水压不足")
    assert found["explanation"]["values"] == {"outlet_pressure": 0.21}
    assert found["legal_moves"] == ["acknowledge", "shelve", "remove_from_service"]
    assert found["shelving"] == {"seconds_max": 3600, "note_required": True}
    [entry] = found["journal"]
    assert (entry["move"], entry["reason"]["zh"]) == ("raise", "规则条件成立且超过延时")


async def test_a_rule_that_is_no_more_stands_for_itself(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    alarm = await ring(owner, estate)
    await owner.execute("update condition set rule_key = 'long_gone' where id = %s", [
        estate.garden.conditions["outlet_pressure_low"].id
    ])  # fmt: skip
    found = (await client.get(f"/alarms/{alarm}")).json()
    assert found["alarm"]["title"] == {"zh": "long_gone", "en": "long_gone"}
    assert found["guidance"] is None


async def test_acknowledging_is_done_by_somebody_at_a_time(
    client: httpx.AsyncClient, owner: Owner, estate: Estate, clock: StandingClock
) -> None:
    alarm = await ring(owner, estate)
    clock.advance(minutes=3)
    answer = await client.post(f"/alarms/{alarm}/acknowledge", json={"note": "已通知维保"})
    assert answer.status_code == 200
    found = answer.json()
    assert found["alarm"]["acknowledged_by"] == "王班长"
    assert found["alarm"]["acknowledged_at"] == "2026-03-01T12:03:00Z"
    assert found["journal"][-1]["note"] == "已通知维保"
    assert found["journal"][-1]["reason"] == {"key": "person", "zh": "人工操作", "en": "Done by a person"}


async def test_acknowledging_needs_no_words(client: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    answer = await client.post(f"/alarms/{await ring(owner, estate)}/acknowledge")
    assert answer.status_code == 200


async def test_a_second_acknowledgement_is_refused_with_what_is_possible(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    alarm = await ring(owner, estate)
    await client.post(f"/alarms/{alarm}/acknowledge")
    answer = await client.post(f"/alarms/{alarm}/acknowledge")
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["type"] == "urn:taizhang:problem:illegal_move"
    assert (problem["state"], problem["move"]) == ("ACKED", "acknowledge")
    assert "clear" in problem["legal_moves"]
    assert "shelve" in problem["legal_moves"]


async def test_a_late_click_does_not_acknowledge_the_next_alarm(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    old = await ring(owner, estate)
    for minute, step in enumerate((ConditionMove.CLEAR, ConditionMove.ACKNOWLEDGE), start=1):
        await move(owner, estate, "outlet_pressure_low", step, minute)
    new = await ring(owner, estate, minute=9)
    answer = await client.post(f"/alarms/{old}/acknowledge")
    assert answer.status_code == 409
    assert answer.json()["legal_moves"] == []
    assert (await client.get(f"/alarms/{new}")).json()["alarm"]["state"] == "UNACK"


async def test_reset_releases_a_latch_that_was_acknowledged(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    alarm = await ring(owner, estate, "flood")
    await move(owner, estate, "flood", ConditionMove.LATCH)
    assert (await client.post(f"/alarms/{alarm}/reset")).status_code == 409
    await client.post(f"/alarms/{alarm}/acknowledge")
    answer = await client.post(f"/alarms/{alarm}/reset")
    assert answer.status_code == 200
    assert answer.json()["alarm"]["state"] == "NORM"
    assert answer.json()["legal_moves"] == []


async def test_shelving_is_bounded_by_the_response_table(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    alarm = await ring(owner, estate)

    async def shelve(**asked: Any) -> httpx.Response:
        return await client.post(f"/alarms/{alarm}/shelve", json=asked)

    for asked, why in (
        ({"until": "2026-03-01T14:00:00Z", "note": "换表"}, "at most 1 h"),
        ({"until": "2026-03-01T12:30:00Z"}, "needs a note"),
        ({"until": "2026-03-01T11:00:00Z", "note": "换表"}, "in the future"),
    ):
        answer = await shelve(**asked)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:taizhang:problem:not_permitted")
        assert why in answer.json()["detail"]
    answer = await shelve(until="2026-03-01T20:30:00+08:00", note="换表", one_shot=True)
    assert answer.status_code == 200
    assert answer.json()["alarm"]["shown"] == "SHLVD"
    assert answer.json()["alarm"]["shelved_until"] == "2026-03-01T12:30:00Z"
    assert (await shelve(until="2026-03-01T12:40:00Z", note="换表")).status_code == 409
    answer = await client.post(f"/alarms/{alarm}/unshelve", json={"note": "换好了"})
    assert (answer.json()["alarm"]["state"], answer.json()["alarm"]["shown"]) == ("ACKED", "ACKED")


async def test_out_of_service_and_back(client: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    alarm = await ring(owner, estate)
    assert (await client.post(f"/alarms/{alarm}/remove-from-service", json={})).status_code == 422
    answer = await client.post(f"/alarms/{alarm}/remove-from-service", json={"note": "大修"})
    assert (answer.status_code, answer.json()["alarm"]["shown"]) == (200, "OOSRV")
    answer = await client.post(f"/alarms/{alarm}/return-to-service")
    assert (answer.status_code, answer.json()["alarm"]["shown"]) == (200, "UNACK")
    assert (await client.post(f"/alarms/{alarm}/return-to-service")).status_code == 409


async def test_a_note_is_part_of_the_alarm_and_of_the_dossier(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    alarm = await ring(owner, estate)
    answer = await client.post(f"/alarms/{alarm}/notes", json={"text": "听到水锤声"})
    assert answer.status_code == 201
    assert answer.json()["notes"] == [{"text": "听到水锤声", "actor": "王班长", "at": "2026-03-01T12:00:00Z"}]
    dossier = (await client.get("/facilities/garden/booster-1/dossier")).json()
    assert dossier["items"][-1]["body"]["text"] == "听到水锤声"


async def test_what_endangers_life_is_acknowledged_with_a_note(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    alarm = await ring(owner, estate)
    await owner.execute("update alarm set severity = 'life_safety' where id = %s", [alarm])
    assert (await client.get(f"/alarms/{alarm}")).json()["acknowledge_note_required"] is True
    refused = await client.post(f"/alarms/{alarm}/acknowledge")
    (fault,) = refused.json()["errors"]
    assert (refused.status_code, fault["field"]) == (422, "body.note")
    assert fault["text"]["zh"] == "此类报警确认时须写明如何处置"
    done = await client.post(f"/alarms/{alarm}/acknowledge", json={"note": "已派人到现场"})
    assert (done.status_code, done.json()["journal"][-1]["note"]) == (200, "已派人到现场")


async def test_the_orders_of_an_alarm_are_with_it(client: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    alarm = await ring(owner, estate)
    act = Act("rules", "at_once", NOON)
    async with owner.transaction():
        order = await work_orders.open_order(
            owner,
            act,
            site_id=estate.garden.id,
            facility_id=estate.garden.booster,
            work_class="water_supply",
            title_zh="出水压力低",
            title_en="Outlet pressure low",
            severity=Severity.WARNING,
            priority=Priority.HIGH,
            deadlines=Deadlines(),
        )
        await work_orders.add_alarm(owner, order, alarm, act, move="open")
    found = (await client.get(f"/alarms/{alarm}")).json()
    assert found["alarm"]["work_orders"] == [order]
    assert found["work_orders"][0]["open_reason"]["zh"] == "按等级与严重程度立即开单"


@pytest.mark.parametrize(
    ("query", "rules"),
    [
        ({}, ["pump_fault", "flood", "outlet_pressure_low"]),
        ({"open": "true"}, ["pump_fault", "flood"]),
        ({"open": "false"}, ["outlet_pressure_low"]),
        ({"state": "NORM"}, ["outlet_pressure_low"]),
        ({"state": ["NORM", "UNACK"]}, ["pump_fault", "flood", "outlet_pressure_low"]),
        ({"state": "UNACK", "shown": "SHLVD"}, ["flood"]),
        ({"shown": "UNACK"}, ["pump_fault"]),
        ({"severity": "critical"}, ["flood"]),
        ({"priority": ["low", "medium"]}, ["pump_fault"]),
        ({"rule": "flood"}, ["flood"]),
        ({"site": "garden", "facility": "booster-1"}, ["pump_fault", "flood", "outlet_pressure_low"]),
        ({"site": "harbour"}, []),
        ({"facility": "lamp-1"}, []),
        ({"from": "2026-03-01T12:10:00Z"}, ["pump_fault", "flood"]),
        ({"from": "2026-03-01T12:10:00Z", "until": "2026-03-01T12:20:00Z"}, ["flood"]),
    ],
)
async def test_the_list_shows_what_is_asked_for(
    client: httpx.AsyncClient, owner: Owner, estate: Estate, query: dict[str, Any], rules: list[str]
) -> None:
    await ring(owner, estate)
    await move(owner, estate, "outlet_pressure_low", ConditionMove.CLEAR)
    await move(owner, estate, "outlet_pressure_low", ConditionMove.ACKNOWLEDGE)
    flood = await ring(owner, estate, "flood", 10)
    until = later(minutes=60)
    async with owner.transaction():
        await alarm_moves.move(
            owner, flood, ConditionMove.SHELVE, cause(later(minutes=11), actor="王班长"), shelve_until=until
        )
    await ring(owner, estate, "pump_1.pump_fault", 20, priority=Priority.MEDIUM)
    answer = await client.get("/alarms", params=query)
    assert answer.status_code == 200
    assert [each["rule"] for each in answer.json()["items"]] == rules


async def test_pages_stay_where_they_are_while_alarms_come(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    rules = ["outlet_pressure_low", "outlet_pressure_very_low", "flood", "pump_1.pump_fault", "pump_2.pump_fault"]
    ids = [await ring(owner, estate, rule, minute // 2) for minute, rule in enumerate(rules)]
    first = (await client.get("/alarms", params={"limit": 2})).json()
    await ring(owner, estate, "lamp.outlet_pressure_low", 30)
    second = (await client.get("/alarms", params={"limit": 2, "after": first["next"]})).json()
    third = (await client.get("/alarms", params={"limit": 2, "after": second["next"]})).json()
    seen = [each["id"] for page in (first, second, third) for each in page["items"]]
    assert seen == ids[::-1]
    assert third["next"] is None


@pytest.mark.parametrize("cursor", ["", "x", "!!!", "bnVsbA", "WyJhIiwxXQ", "WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwxXQ"])
async def test_a_cursor_that_is_not_ours_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    answer = await client.get("/alarms", params={"after": cursor})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "query.after"


async def test_of_two_who_acknowledge_at_once_one_does(
    client: httpx.AsyncClient, owner: Owner, estate: Estate, database_url: str, eventually: Eventually
) -> None:
    """Both are let into the database and made to meet at the facility's lock."""
    alarm = await ring(owner, estate)
    async with await psycopg.AsyncConnection.connect(database_url) as gate:
        await gate.execute("select 1 from facility where id = %s for update", [estate.garden.booster])
        both = [asyncio.create_task(client.post(f"/alarms/{alarm}/acknowledge")) for _ in range(2)]
        await eventually(lambda: anybody_waits_for_a_lock(database_url))
        await gate.commit()
        answers = await asyncio.gather(*both)
    assert sorted(each.status_code for each in answers) == [200, 409]
    found = (await client.get(f"/alarms/{alarm}")).json()
    assert [each["move"] for each in found["journal"]] == ["raise", "acknowledge"]


async def test_the_realarm_timer_starts_with_the_acknowledgement(
    client: httpx.AsyncClient, owner: Owner, estate: Estate, clock: StandingClock
) -> None:
    alarm = await ring(owner, estate, "flood")  # whose rule asks again after an hour
    clock.advance(minutes=5)
    answer = await client.post(f"/alarms/{alarm}/acknowledge", json={"note": "on my way"})
    assert answer.status_code == 200
    row = await (await owner.execute("select since, due_at from timer where kind = 'realarm'")).fetchone()
    assert row == (later(minutes=5), later(minutes=65))
