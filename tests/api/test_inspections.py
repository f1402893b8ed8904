"""From a tag to a dossier: issued, scanned with a checklist, the order of what failed, each visit kept exactly once."""

import asyncio
import json
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from inspection.checklist import Book
from tests.api.conftest import Estate, StandingClock, client_of
from tests.fix_wait import Eventually
from tests.small_estate import NOON

Owner = psycopg.AsyncConnection[Any]
LOOKED_S = 40


async def issued(client: httpx.AsyncClient, facility: str = "ext-1", site: str = "garden") -> str:
    answer = await client.post("/tags", json={"site": site, "facility": facility})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["tag"]["code"])


async def all_well(client: httpx.AsyncClient, kind: str = "extinguisher") -> dict[str, Any]:
    """Answers to a checklist in which nothing fails."""
    found = (await client.get(f"/checklists/{kind}/1")).json()
    return {
        each["key"]: True
        for each in found["items"]
        if each["answer"] == "check" and (not each["types"] or "extinguisher_dry_powder" in each["types"])
    }


def visit(code: str | None, answers: dict[str, Any], at: datetime = NOON, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "tag": code,
        "means": "camera",
        "scanned_at": (at - timedelta(seconds=LOOKED_S)).isoformat(),
        "finished_at": at.isoformat(),
        "checklist": "extinguisher",
        "checklist_version": 1,
        "answers": answers,
    } | changes


async def send(client: httpx.AsyncClient, *visits: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    batch = {"site": "garden", "phone": "phone-1", "sent_at": NOON.isoformat(), "visits": list(visits)} | changes
    answer = await client.post("/inspections", json=batch)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def reasons(answer: dict[str, Any]) -> set[str]:
    return {each["key"] for each in answer["reasons"]}


async def dossier(client: httpx.AsyncClient, facility: str) -> list[dict[str, Any]]:
    answer = await client.get(f"/facilities/garden/{facility}/dossier", params={"verify": True})
    assert answer.json()["chain"]["holds"]
    return list(answer.json()["items"])


async def with_photo(client: httpx.AsyncClient) -> dict[str, Any]:
    """Whatever random photo is asked for is said to be there."""
    found = (await client.get("/checklists/extinguisher/1")).json()
    drawn = [each["key"] for each in found["items"] if each["photo"] == "random"]
    return {"photos": [{"sha256": uuid.uuid4().hex * 2, "item": each} for each in drawn]}


async def test_a_healthy_point_is_in_its_dossier(client: httpx.AsyncClient, extinguishers: list[str]) -> None:
    code = await issued(client)
    (answer,) = await send(client, visit(code, await all_well(client), **await with_photo(client)))
    assert (answer["result"], answer["outcome"], answer["verdict"]) == ("kept", "in_order", "accepted")
    assert answer["reasons"] == []
    assert answer["work_order"] is None
    entries = await dossier(client, "ext-1")
    assert [each["kind"] for each in entries] == ["tag", "inspection"]
    assert entries[1]["body"]["outcome"] == "in_order"
    assert entries[1]["body"]["person"] == "王班长"
    seen = (await client.get("/inspections")).json()["items"][0]
    assert (seen["tag"], seen["said"], code in str(entries)) == (code[-4:], None, False)
    (tag,) = (await client.get("/tags", params={"scanned": True})).json()["items"]
    assert tag["scanned_at"] is not None


async def test_a_failed_item_opens_an_order_and_the_next_one_joins_it(
    client: httpx.AsyncClient, extinguishers: list[str], clock: StandingClock
) -> None:
    code, well = await issued(client), await all_well(client)
    (first,) = await send(client, visit(code, well | {"seal_pin": False}))
    assert first["outcome"] == "defective"
    assert first["failed"] == ["seal_pin"]
    assert first["work_order"]["opened"]
    order = (await client.get(f"/work-orders/{first['work_order']['id']}")).json()
    assert order["work_order"]["open_reason"]["key"] == "inspection_finding"
    assert order["work_order"]["opened_by"] == "王班长"
    assert order["work_order"]["title"]["zh"] == "巡检不合格：铅封、保险销完好"
    assert (order["work_order"]["priority"], order["work_order"]["severity"]) == ("medium", "warning")
    clock.advance(minutes=10)
    worse = visit(code, well | {"seal_pin": False, "pressure_green": False, "needle": "low"}, clock.now)
    (second,) = await send(client, worse, sent_at=clock.now.isoformat())
    assert second["work_order"] == {"id": first["work_order"]["id"], "opened": False}
    order = (await client.get(f"/work-orders/{first['work_order']['id']}")).json()
    assert (order["work_order"]["priority"], order["work_order"]["severity"]) == ("high", "critical")
    assert [each["move"] for each in order["journal"]] == ["open", "join"]
    assert [each["kind"] for each in await dossier(client, "ext-1")] == [
        "tag",
        "work_order",
        "inspection",
        "fitness",
        "work_order",
        "inspection",
        "fitness",
    ]


async def test_a_grave_finding_seen_again_is_of_the_order_it_opened(
    client: httpx.AsyncClient, owner: Owner, estate: Estate, clock: StandingClock
) -> None:
    await owner.execute(
        "insert into facility (site_id, location_id, key, kind, grade, name_zh, name_en) "
        "values (%s, %s, 'stair-1', 'escape_stair', 'B', '一号楼梯', 'Stair 1')",
        [estate.garden.id, estate.garden.room],
    )
    code = await issued(client, "stair-1")
    answers = dict.fromkeys(("clear", "no_charging", "lights_signs"), True) | {"exit_opens": False}
    orders: list[dict[str, Any]] = []
    for _ in range(3):
        (answer,) = await send(
            client, visit(code, answers, clock.now, checklist="escape_stair"), sent_at=clock.now.isoformat()
        )
        orders.append(answer["work_order"])
        clock.advance(hours=1)
    assert [each["opened"] for each in orders] == [True, False, False]
    assert len({each["id"] for each in orders}) == 1


async def test_the_same_visit_sent_again_is_kept_once_and_answered_the_same(
    client: httpx.AsyncClient, owner: Owner, extinguishers: list[str], clock: StandingClock
) -> None:
    once = visit(await issued(client), await all_well(client) | {"body": False, "rust_third": "yes"})
    (first,) = await send(client, once)
    clock.advance(minutes=5)
    (again,) = await send(client, once, sent_at=clock.now.isoformat())
    assert again["result"] == "known"
    assert {**again, "result": ""} == {**first, "result": ""}
    fresh = visit(once["tag"], {})
    both = await asyncio.gather(send(client, fresh), send(client, fresh))
    assert sorted(each[0]["result"] for each in both) == ["kept", "known"]
    cursor = await owner.execute("select count(*) from inspection_visit")
    assert await cursor.fetchone() == (2,)
    assert len((await client.get("/work-orders")).json()["items"]) == 1


async def test_the_same_id_with_other_content_is_refused_and_the_rest_is_kept(
    client: httpx.AsyncClient, extinguishers: list[str]
) -> None:
    code, well = await issued(client), await all_well(client)
    once = visit(code, well)
    await send(client, once)
    broken = visit(code, well, scanned_at="yesterday")
    items = await send(client, once | {"note": "其实没去"}, broken, {"surprise": 1}, visit(code, well))
    assert [each["result"] for each in items] == ["refused", "refused", "refused", "kept"]
    assert "other content" in items[0]["why"]
    assert items[1]["id"] == broken["id"]
    assert "scanned_at" in items[1]["why"]
    kept = (await client.get("/inspections", params={"facility": "ext-1"})).json()["items"]
    assert {each["note"] for each in kept} == {None}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (None, "no_tag_read"),
        ("https://elsewhere.example/t/K7MF9QXD2C4H", "not_our_code"),
        ("设备档案 0017", "not_our_code"),
        ("K7MF-9QXD-2C4J", "not_our_code"),
        ("{unknown}", "tag_unknown"),
        ("{other_site}", "tag_unknown"),
    ],
)
async def test_what_leads_nowhere_is_kept_and_told(
    client: httpx.AsyncClient, extinguishers: list[str], said: str | None, reason: str
) -> None:
    from inspection import codes

    known = {"{unknown}": codes.make(bytes(16)), "{other_site}": await issued(client, "booster-1", "harbour")}
    (answer,) = await send(client, visit(known.get(said or "", said), {"anything": True}))
    assert (answer["result"], answer["outcome"], answer["verdict"]) == ("kept", "unjudged", "to_review")
    assert reasons(answer) == {reason}
    (shown,) = (await client.get("/inspections", params={"verdict": "to_review"})).json()["items"]
    assert shown["facility"] is None
    assert shown["answers"] == {"anything": True}


async def test_a_finding_behind_a_damaged_tag_is_of_the_facility_he_named(
    client: httpx.AsyncClient, extinguishers: list[str]
) -> None:
    bad = await all_well(client) | {"seal_pin": False}
    (answer,) = await send(client, visit("K7MF-9QXD-2C4J", bad, facility="ext-2"))
    assert (answer["facility"], answer["outcome"], answer["verdict"]) == ("ext-2", "defective", "to_review")
    assert "not_our_code" in reasons(answer)
    order = (await client.get(f"/work-orders/{answer['work_order']['id']}")).json()
    assert order["work_order"]["facility"]["key"] == "ext-2"
    assert "inspection" in [each["kind"] for each in await dossier(client, "ext-2")]


async def test_a_retired_tag_and_a_wrong_place_are_told_and_counted_where_the_tag_hangs(
    client: httpx.AsyncClient, extinguishers: list[str]
) -> None:
    old, well = await issued(client), await all_well(client)
    answer = await client.post(f"/tags/{old}/replace", json={"reason": "被复制"})
    assert answer.status_code == 201
    newer = answer.json()["tag"]
    assert newer["replaces"] == old
    again = await client.post(f"/tags/{old}/retire", json={"reason": "又一次"})
    assert again.status_code == 409
    (of_old,) = await send(client, visit(old, well, facility="ext-2"))
    assert {"tag_retired", "wrong_place"} <= reasons(of_old)
    assert (of_old["facility"], of_old["verdict"]) == ("ext-1", "to_review")
    history = (await client.get(f"/tags/{old}")).json()["history"]
    assert [(each["move"], each["note"]) for each in history] == [("retire", "被复制"), ("issue", None)]


async def test_a_clock_in_1970_is_set_right_and_doubted(client: httpx.AsyncClient, extinguishers: list[str]) -> None:
    sent = datetime.fromisoformat("1970-01-01T08:00:00+08:00")
    one = visit(await issued(client), await all_well(client), sent - timedelta(hours=2))
    (answer,) = await send(client, one, sent_at=sent.isoformat())
    assert "clock" in reasons(answer)
    (shown,) = (await client.get("/inspections")).json()["items"]
    assert shown["scanned_at"] == (NOON - timedelta(hours=2, seconds=LOOKED_S)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_a_checklist_that_nobody_knows_loses_nothing(client: httpx.AsyncClient, extinguishers: list[str]) -> None:
    code = await issued(client)
    unknown, wrong = await send(
        client,
        visit(code, {"body": False}, checklist_version=99),
        visit(code, {"closes": False}, NOON, checklist="fire_door"),
    )
    assert "checklist_unknown" in reasons(unknown)
    assert "checklist_of_another_kind" in reasons(wrong)
    assert {unknown["outcome"], wrong["outcome"]} == {"unjudged"}


async def test_a_phone_that_still_has_the_checklist_of_before_is_judged_by_it(
    client: httpx.AsyncClient, app: FastAPI, extinguishers: list[str]
) -> None:
    """A finding is one, whatever the newest version asks; nobody is doubted for having been in a cellar meanwhile."""
    code, well = await issued(client), await all_well(client)
    service = app.state.service
    shipped = service.book.versions
    newer = replace(shipped["extinguisher", 1], version=2, items=shipped["extinguisher", 1].items[:1])
    book = Book({**shipped, ("extinguisher", 2): newer})
    app.state.service = replace(service, visit_desk=replace(service.visit_desk, book=book))
    (kept,) = await send(client, visit(code, well | {"body": False}, photos=(await with_photo(client))["photos"]))
    assert (kept["result"], kept["outcome"], kept["verdict"]) == ("kept", "defective", "accepted")
    assert "checklist_retired" in reasons(kept)
    assert kept["failed"] == ["body"]
    assert kept["work_order"]["opened"]


async def test_what_a_phone_garbles_in_one_visit_keeps_none_from_the_ledger(
    client: httpx.AsyncClient, extinguishers: list[str], owner: Owner
) -> None:
    code, well = await issued(client), await all_well(client)
    odd = [
        visit(code, well | {"remark": "\x00"}, note="see the photo \ud83d"),  # half an emoji
        visit("\x00\x01 somebody's ticket", well),
        visit("BEGIN:VCARD " * 100, well),
        visit(code, well, note="\x07 \u200b"),
        visit(code, well, scanned_at="0001-01-01T00:00:00Z", finished_at="0001-01-01T00:00:30Z"),
        visit(code, well),
    ]
    body = json.dumps({"site": "garden", "phone": "phone-1", "sent_at": NOON.isoformat(), "visits": odd})
    answer = await client.post("/inspections", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    assert [each["result"] for each in answer.json()["items"]] == ["kept"] * len(odd)
    kept = {each["id"]: each for each in (await client.get("/inspections")).json()["items"]}
    assert kept[odd[0]["id"]]["note"] == "see the photo \ufffd"
    assert kept[odd[1]["id"]]["said"] == "\ufffd\x01 somebody's ticket"
    assert len(kept[odd[2]["id"]]["said"]) == 400
    assert kept[odd[3]["id"]]["note"] is None
    cursor = await owner.execute(
        "select site.key from audit_log left join site on site.id = site_id "
        "where operation = 'send_inspections' and asked ? 'beginning'"
    )
    assert await cursor.fetchall() == [("garden",)]  # a long request is told at its site as well


async def test_the_officer_reviews_what_is_doubted_once(
    client: httpx.AsyncClient, app: FastAPI, extinguishers: list[str]
) -> None:
    code = await issued(client)
    (typed,) = await send(client, visit(code, await all_well(client), means="typed"))
    assert "typed" in reasons(typed)
    path = f"/inspections/{typed['id']}/review"
    own = await client.post(path, json={"upheld": True})
    assert (own.status_code, "another reviews it" in own.json()["detail"]) == (409, True)
    async with client_of(app, **{"X-Actor": quote("李工")}) as officer:
        answer = await officer.post(path, json={"upheld": False, "note": "人不在现场"})
        assert answer.json()["verdict"] == "struck"
        assert answer.json()["reviewed_by"] == "李工"
        assert (await officer.post(path, json={"upheld": True})).status_code == 409
    assert (await dossier(client, "ext-1"))[-1]["kind"] == "inspection_review"


async def test_tags_are_issued_to_all_that_lack_one(client: httpx.AsyncClient, extinguishers: list[str]) -> None:
    await issued(client, "ext-2")
    answer = (await client.post("/tags/bulk", json={"site": "garden", "kinds": ["extinguisher"]})).json()
    assert sorted(each["facility"]["key"] for each in answer["items"]) == ["ext-1", "ext-3"]
    assert not answer["more"]
    never = (await client.get("/tags", params={"site": "garden", "scanned": False})).json()["items"]
    assert len(never) == 3
    assert never[0]["place"]["zh"] == "花园小区 / 地下二层泵房"


async def test_issuing_to_many_locks_their_facilities_in_the_order_that_ingest_does(
    client: httpx.AsyncClient, extinguishers: list[str], owner: Owner, database_url: str, eventually: Eventually
) -> None:
    await owner.execute("update facility set key = 'ext-0' where key = 'ext-3'")  # the last one written comes first
    lock = "select 1 from facility where key = %s for no key update nowait"

    async def somebody_waits() -> bool:
        cursor = await owner.execute("select 1 from pg_locks where not granted")
        return await cursor.fetchone() is not None

    async with await psycopg.AsyncConnection.connect(database_url) as judging:
        await judging.execute(lock, ["ext-1"])
        asked = {"site": "garden", "kinds": ["extinguisher"]}
        issuing = asyncio.create_task(client.post("/tags/bulk", json=asked))
        await eventually(somebody_waits)
        await judging.execute(lock, ["ext-0"])
        await judging.rollback()
        assert len((await issuing).json()["items"]) == 3


async def test_visits_are_paged(client: httpx.AsyncClient, extinguishers: list[str]) -> None:
    code, well = await issued(client), await all_well(client)
    await send(client, *(visit(code, well, NOON - timedelta(minutes=n)) for n in range(5)))
    seen: list[str] = []
    after = None
    while True:
        asked = {"limit": 2} | ({} if after is None else {"after": after})
        page = (await client.get("/inspections", params=asked)).json()
        seen += [each["id"] for each in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 5
