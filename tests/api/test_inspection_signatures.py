"""Who signs: the patroller his round, another after him, the fire safety manager that a hazard is put right."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from api.rights import RIGHTS_OF, Right, Role
from ledger import people
from ledger.inspection_invariants import INSPECTION
from tests.api.conftest import Estate, StandingClock
from tests.api.employed import employ, signed_in
from tests.api.test_inspection_rounds import PLAN, SPAN
from tests.api.test_inspections import all_well, issued, reasons, send, visit

Owner = psycopg.AsyncConnection[Any]
STAFF = {
    "guard": ("王保安", "patrol_guard"),
    "relief": ("赵保安", "patrol_guard"),
    "officer": ("李网格", "fire_grid_officer"),
    "engineer": ("张工", "maintenance_engineer"),
    "manager": ("陈经理", "project_manager"),
}


@pytest.fixture
async def staff(app: FastAPI, owner: Owner, estate: Estate) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """Browsers in which each of them is signed in, by login."""
    async with AsyncExitStack() as opened:
        found: dict[str, httpx.AsyncClient] = {}
        for login, (name, role) in STAFF.items():
            await employ(owner, login, name, {estate.garden.id: [role]})
            found[login] = await opened.enter_async_context(signed_in(app, login))
        yield found


async def walked(client: httpx.AsyncClient, guard: httpx.AsyncClient, clock: StandingClock) -> int:
    """A round of one stop, walked by the guard and not ended."""
    await client.post("/inspection-plans", json=PLAN | {"stops": [{"facility": "booster-1"}]})
    started = await guard.post("/inspection-rounds", json={"site": "garden", "plan": "noon"})
    assert started.status_code == 201, started.text
    number = int(started.json()["id"])
    await look(client, guard, clock, number)
    return number


async def look(client: httpx.AsyncClient, guard: httpx.AsyncClient, clock: StandingClock, number: int) -> None:
    clock.advance(minutes=1)
    found = (await client.get("/tags", params={"site": "garden"})).json()["items"]
    code = found[0]["code"] if found else await issued(client, "booster-1")
    (answer,) = await send(guard, visit(code, {}, clock.now, round=number), sent_at=clock.now.isoformat())
    assert answer["result"] == "kept", answer


async def sign(browser: httpx.AsyncClient, number: int, how: str = "sign") -> httpx.Response:
    return await browser.post(f"/inspection-rounds/{number}/{how}", json={})


async def refused(answer: httpx.Response, *words: str) -> None:
    assert answer.status_code == 409, answer.text
    for word in words:
        assert word in answer.json()["detail"]


async def test_a_round_is_signed_by_who_walked_it_and_then_by_another(
    client: httpx.AsyncClient, staff: dict[str, httpx.AsyncClient], clock: StandingClock, owner: Owner
) -> None:
    number = await walked(client, staff["guard"], clock)
    await refused(await sign(staff["guard"], number), "still walked")
    await staff["guard"].post(f"/inspection-rounds/{number}/finish", json={})
    assert (await client.get("/inspection-rounds", params=SPAN)).json()["items"][0]["unsigned"] == [
        "patroller",
        "supervisor",
    ]
    await refused(await sign(client, number), "a token does not")
    await refused(await sign(staff["relief"], number), "王保安")
    await refused(await sign(staff["officer"], number, "countersign"), "王保安 signs first")
    assert (await sign(staff["guard"], number, "countersign")).status_code == 403
    first = await sign(staff["guard"], number)
    assert first.status_code == 200, first.text
    assert first.json()["unsigned"] == ["supervisor"]
    await refused(await sign(staff["guard"], number), "王保安 signed this round")
    done = await sign(staff["officer"], number, "countersign")
    assert done.json()["unsigned"] == []
    assert [(each["part"], each["signer"], each["holds"]) for each in done.json()["signatures"]] == [
        ("patroller", "王保安", True),
        ("supervisor", "李网格", True),
    ]
    cursor = await owner.execute("select content, encode(content_sha256, 'hex') from inspection_signature order by id")
    for content, digest in await cursor.fetchall():
        assert hashlib.sha256(content.encode()).hexdigest() == digest
        assert '"facility":"booster-1"' in content
    told = await owner.execute(
        "select operation, actor from audit_log where operation like '%sign_inspection%' and outcome = 'done' order by id"
    )
    assert await told.fetchall() == [
        ("sign_inspection_round", "王保安"),
        ("countersign_inspection_round", "李网格"),
    ]


async def test_what_somebody_else_scans_on_a_round_undoes_no_signature(
    client: httpx.AsyncClient, staff: dict[str, httpx.AsyncClient], clock: StandingClock, owner: Owner
) -> None:
    """Nor does who countersigned it; the audit asks nothing of what came later."""
    number = await walked(client, staff["guard"], clock)
    await staff["guard"].post(f"/inspection-rounds/{number}/finish", json={})
    await sign(staff["guard"], number)
    await look(client, staff["relief"], clock, number)
    await look(client, staff["officer"], clock, number)
    await refused(await sign(staff["officer"], number, "countersign"), "walked")
    assert (await client.get(f"/inspection-rounds/{number}")).json()["unsigned"] == ["supervisor"]
    assert (await sign(staff["manager"], number, "countersign")).json()["unsigned"] == []
    await look(client, staff["manager"], clock, number)
    assert (await client.get(f"/inspection-rounds/{number}")).json()["unsigned"] == []
    cursor = await owner.execute(INSPECTION["signature_is_of_who_may"])
    assert await cursor.fetchall() == []


async def test_an_auditor_reads_who_signed_and_no_code(
    app: FastAPI,
    client: httpx.AsyncClient,
    staff: dict[str, httpx.AsyncClient],
    clock: StandingClock,
    owner: Owner,
    estate: Estate,
) -> None:
    number = await walked(client, staff["guard"], clock)
    await staff["guard"].post(f"/inspection-rounds/{number}/finish", json={})
    await sign(staff["guard"], number)
    await employ(owner, "auditor", "审计周", {estate.garden.id: ["auditor"]})
    async with signed_in(app, "auditor") as auditor:
        read = (await auditor.get(f"/inspection-rounds/{number}")).json()
        assert [each["signer"] for each in read["signatures"]] == ["王保安"]
        assert [each["tag_hashes"] for each in read["stops"]] == [[]]
        assert (await auditor.post(f"/inspection-rounds/{number}/take-over", json={})).status_code == 403
    assert (await staff["guard"].get(f"/inspection-rounds/{number}")).json()["stops"][0]["tag_hashes"] != []


async def test_what_comes_later_wants_signing_again_and_what_was_signed_stays(
    client: httpx.AsyncClient, staff: dict[str, httpx.AsyncClient], clock: StandingClock, owner: Owner
) -> None:
    number = await walked(client, staff["guard"], clock)
    await staff["guard"].post(f"/inspection-rounds/{number}/finish", json={"unsent": 1})
    await sign(staff["guard"], number)
    await sign(staff["officer"], number, "countersign")
    await look(client, staff["guard"], clock, number)
    found = (await client.get(f"/inspection-rounds/{number}")).json()
    assert found["unsigned"] == ["patroller", "supervisor"]
    assert [each["holds"] for each in found["signatures"]] == [False, False]
    await refused(await sign(staff["officer"], number, "countersign"), "came after")
    assert (await sign(staff["guard"], number)).status_code == 200
    assert (await sign(staff["officer"], number, "countersign")).json()["unsigned"] == []
    for change in ("update inspection_signature set signer = 'x'", "delete from inspection_signature"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            await owner.execute(change.encode())


async def test_a_round_is_handed_over_to_somebody_who_can_walk_and_sign_it(
    client: httpx.AsyncClient, staff: dict[str, httpx.AsyncClient], clock: StandingClock, owner: Owner, estate: Estate
) -> None:
    await employ(owner, "elsewhere", "钱保安", {estate.harbour.id: ["patrol_guard"]})
    await employ(owner, "everywhere", "周机动", {None: ["patrol_guard"], estate.garden.id: ["auditor"]})
    await employ(owner, "looks", "吴审计", {None: ["auditor"]})
    gone = await employ(owner, "gone", "孙保安", {estate.garden.id: ["patrol_guard"]})
    async with owner.transaction():
        await people.disable(owner, gone.id, by="test", now=clock.now)
    number = await walked(client, staff["guard"], clock)
    await client.post("/inspection-plans", json=PLAN | {"stops": [{"facility": "booster-1"}], "substitute": "赵保安"})
    offered = (await staff["guard"].get(f"/inspection-rounds/{number}/guards")).json()["items"]
    assert offered[0] == {"name": "赵保安", "substitute": True}
    assert {each["name"] for each in offered} == {
        "赵保安",
        "李网格",
        "张工",
        "陈经理",
        "周机动",
    }  # all who may inspect here
    for name in ("钱保安", "孙保安", "随便谁"):
        answer = await staff["guard"].post(f"/inspection-rounds/{number}/hand-over", json={"to": name})
        assert answer.status_code == 422, name
        assert answer.json()["errors"][0]["field"] == "body.to"
    clock.advance(minutes=1)
    before = clock.now
    clock.advance(minutes=1)
    given = await staff["guard"].post(f"/inspection-rounds/{number}/hand-over", json={"to": "赵保安"})
    assert given.json()["guard"] == "赵保安"
    code = (await client.get("/tags", params={"site": "garden"})).json()["items"][0]["code"]
    clock.advance(minutes=1)
    for at, whose in ((before, True), (clock.now, False)):  # of before, sent after; and of after
        made = visit(code, {}, at, round=number)
        (answer,) = await send(staff["guard"], made, sent_at=clock.now.isoformat())
        assert ("not_the_rounds_guard" not in reasons(answer)) is whose
    await refused(await staff["guard"].post(f"/inspection-rounds/{number}/finish", json={}), "赵保安")
    await staff["relief"].post(f"/inspection-rounds/{number}/finish", json={})
    assert (await sign(staff["relief"], number)).status_code == 200


async def test_who_walked_a_part_of_it_does_not_countersign(
    client: httpx.AsyncClient, staff: dict[str, httpx.AsyncClient], clock: StandingClock
) -> None:
    """The officer walked until he gave it to the guard."""
    number = await walked(client, staff["officer"], clock)
    await staff["officer"].post(f"/inspection-rounds/{number}/hand-over", json={"to": STAFF["guard"][0]})
    await staff["guard"].post(f"/inspection-rounds/{number}/finish", json={})
    assert (await sign(staff["guard"], number)).status_code == 200
    await refused(await sign(staff["officer"], number, "countersign"), "another must")
    assert (await sign(staff["manager"], number, "countersign")).json()["unsigned"] == []


async def test_a_hazard_is_closed_once_the_fire_manager_has_confirmed_it(
    client: httpx.AsyncClient,
    staff: dict[str, httpx.AsyncClient],
    extinguishers: list[str],
    clock: StandingClock,
) -> None:
    code, well = await issued(client), await all_well(client)
    (found,) = await send(staff["guard"], visit(code, well | {"seal_pin": False}))
    order = f"/work-orders/{found['work_order']['id']}"
    await refused(await staff["manager"].post(f"{order}/confirm"), "opened")
    await client.post(f"{order}/dispatch", json={"assignee": "张工"})
    for step in ("accept", "arrive", "resolve"):
        clock.advance(minutes=5)
        assert (await staff["engineer"].post(f"{order}/{step}")).status_code == 200
    clock.advance(minutes=5)
    detail = (await staff["officer"].post(f"{order}/verify")).json()
    assert (detail["hazard"]["findings"], detail["hazard"]["wanted"]) == (1, True)
    assert detail["work_order"]["legal_moves"] == []
    await refused(await staff["officer"].post(f"{order}/close"), "fire manager")
    for login in ("guard", "engineer", "officer"):
        assert (await staff[login].post(f"{order}/confirm")).status_code == 403
    detail = (await staff["manager"].post(f"{order}/confirm", json={"note": "铅封已换"})).json()
    assert not detail["hazard"]["wanted"]
    assert [(each["part"], each["signer"], each["note"]) for each in detail["hazard"]["signatures"]] == [
        ("fire_manager", "陈经理", "铅封已换")
    ]
    assert detail["journal"][-1]["move"] == "confirm"
    await refused(await staff["manager"].post(f"{order}/confirm"), "confirmed already")
    assert (await staff["officer"].post(f"{order}/close")).json()["work_order"]["state"] == "closed"


async def test_one_that_is_reopened_is_confirmed_again_and_not_by_who_put_it_right(
    client: httpx.AsyncClient,
    staff: dict[str, httpx.AsyncClient],
    extinguishers: list[str],
    clock: StandingClock,
    app: FastAPI,
    owner: Owner,
    estate: Estate,
) -> None:
    code, well = await issued(client), await all_well(client)
    (found,) = await send(staff["guard"], visit(code, well | {"seal_pin": False}))
    order = f"/work-orders/{found['work_order']['id']}"
    await client.post(f"{order}/dispatch", json={"assignee": "张工"})
    await employ(owner, "both", "孙经理", {estate.garden.id: ["project_manager", "maintenance_engineer"]})
    async with signed_in(app, "both") as both:
        for _ in range(2):
            for step in ("accept", "arrive", "resolve"):
                clock.advance(minutes=5)
                assert (await both.post(f"{order}/{step}")).status_code == 200
            await refused(await both.post(f"{order}/confirm"), "another must")
            clock.advance(minutes=5)
            assert (await staff["manager"].post(f"{order}/confirm")).status_code == 200
            reopened = await client.post(f"{order}/reopen", json={"note": "又掉了"})
            assert reopened.json()["hazard"]["wanted"]
    hazard = (await client.get(order)).json()["hazard"]
    assert [each["holds"] for each in hazard["signatures"]] == [False, False]


async def test_who_worked_on_it_does_not_confirm_it_whoever_entered_that_it_is_resolved(
    client: httpx.AsyncClient,
    staff: dict[str, httpx.AsyncClient],
    extinguishers: list[str],
    app: FastAPI,
    owner: Owner,
    estate: Estate,
) -> None:
    code, well = await issued(client), await all_well(client)
    (found,) = await send(staff["guard"], visit(code, well | {"seal_pin": False}))
    order = f"/work-orders/{found['work_order']['id']}"
    await client.post(f"{order}/dispatch", json={"assignee": "张工"})
    await employ(owner, "both", "孙经理", {estate.garden.id: ["project_manager", "maintenance_engineer"]})
    async with signed_in(app, "both") as both:
        for browser, step in ((both, "accept"), (both, "arrive"), (staff["engineer"], "resolve")):
            assert (await browser.post(f"{order}/{step}")).status_code == 200
        await refused(await both.post(f"{order}/confirm"), "another must")
    assert (await staff["manager"].post(f"{order}/confirm")).status_code == 200


async def test_a_confirmation_holds_though_its_clock_is_behind_that_of_the_resolution(
    client: httpx.AsyncClient,
    staff: dict[str, httpx.AsyncClient],
    extinguishers: list[str],
    clock: StandingClock,
) -> None:
    """Two processes, or one that waited for the facility while the other resolved the order."""
    code, well = await issued(client), await all_well(client)
    (found,) = await send(staff["guard"], visit(code, well | {"seal_pin": False}))
    order = f"/work-orders/{found['work_order']['id']}"
    await client.post(f"{order}/dispatch", json={"assignee": "张工"})
    for step in ("accept", "arrive", "resolve"):
        assert (await staff["engineer"].post(f"{order}/{step}")).status_code == 200
    clock.advance(seconds=-1)
    hazard = (await staff["manager"].post(f"{order}/confirm")).json()["hazard"]
    assert ([each["holds"] for each in hazard["signatures"]], hazard["wanted"]) == ([True], False)


async def test_an_order_of_something_else_needs_nobody_s_confirmation(
    client: httpx.AsyncClient, staff: dict[str, httpx.AsyncClient]
) -> None:
    asked = {"site": "garden", "facility": "booster-1", "work_class": "power", "title": {"zh": "x"}, "priority": "low"}
    made = (await client.post("/work-orders", json=asked)).json()
    assert made["hazard"] is None
    await refused(await staff["manager"].post(f"/work-orders/{made['work_order']['id']}/confirm"), "nobody has to")


def test_guards_sign_neither_for_work_nor_for_others() -> None:
    """Domain 4.5: they file what they find; test and maintenance records are signed with the right `work`."""
    for right in (Right.WORK, Right.VERIFY, Right.COUNTERSIGN, Right.CONFIRM):
        assert right not in RIGHTS_OF[Role.PATROL_GUARD]
    assert {role for role in Role if Right.CONFIRM in RIGHTS_OF[role]} == {Role.ADMINISTRATOR, Role.PROJECT_MANAGER}
