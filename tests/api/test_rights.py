"""Promise 9 and the rights: every route names one, a stranger gets nothing through any of them, and the database refuses
what a route forgot.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from psycopg import sql

from api import app as api_app
from api import health, sessions
from api.catalogue import CATALOGUE
from api.context import InContext, Needs, right_of
from api.deeds import DeedOf
from api.rights import RIGHTS_OF, Right, Role
from ledger import alarm_moves
from ledger.lifecycle import ConditionMove
from ledger.pool import Connection
from tests.api.conftest import Estate
from tests.api.employed import employ, signed_in
from tests.api.test_problems import GUARDED, body, query
from tests.eventful_site import let_everything_happen

Owner = psycopg.AsyncConnection[Any]
PAGE = Path(__file__).resolve().parents[2] / "docs/people.md"
# What changes by itself, or because somebody was refused.
RESTLESS = {"session", "audit_log", "idempotency"}
# Somebody who holds a right anywhere may ask these; none of them is about a site.
OF_NO_SITE = {"list_contracts", "list_grades", "get_vocabulary", "list_roles", "list_work_kinds",
              "list_checklists", "get_checklist", "list_tag_sheets"}  # fmt: skip


def routes() -> list[APIRoute]:
    return [each for module in api_app.RESOURCES for each in module.router.routes if isinstance(each, APIRoute)]


def test_every_route_names_the_right_it_needs() -> None:
    for route in routes():
        assert right_of(route) is not None, (
            f"{route.name} names no right: give it `dependencies=[needs(Right.READ)]`, or the right that fits"
        )
    assert not [each for each in routes() if each.methods != {"GET"} and right_of(each) is Right.READ]


def test_what_needs_no_right_is_one_s_own_session_and_health() -> None:
    free = {each.name for each in (*health.router.routes, *sessions.router.routes) if isinstance(each, APIRoute)}
    described = {operation["operationId"] for _, _, operation in GUARDED} | free
    assert described == {each.name for each in routes()} | free
    assert not free & {each.name for each in routes()}


def test_the_page_shows_the_table() -> None:
    lines = ["| | " + " | ".join(CATALOGUE.text("role", role).zh for role in Role) + " |", "|---|" + "---|" * len(Role)]
    for right in Right:
        words = CATALOGUE.text("right", right)
        marks = " | ".join("●" if right in RIGHTS_OF[role] else "" for role in Role)
        lines.append(f"| {words.zh} `{right}` | {marks} |")
    assert "\n".join(lines) in PAGE.read_text(encoding="utf-8"), "\n".join(lines)


def test_an_auditor_changes_nothing_and_every_right_is_somebody_s() -> None:
    assert RIGHTS_OF[Role.AUDITOR] == {Right.READ, Right.AUDIT}
    for role in Role:
        assert Right.READ in RIGHTS_OF[role]
    assert RIGHTS_OF[Role.ADMINISTRATOR] == set(Right)


# ------------------------------------------------------------------ a stranger


@pytest.fixture
async def stranger(app: FastAPI, owner: Owner, estate: Estate) -> AsyncIterator[httpx.AsyncClient]:
    """Administrator of harbour: may everything there, and has nothing to do with garden, where everything happened."""
    async with owner.transaction():
        await let_everything_happen(owner, estate.garden)
    await employ(owner, "stranger", "海港管理员", {estate.harbour.id: ["administrator"]})
    async with signed_in(app, "stranger") as client:
        yield client


async def places(owner: Owner, estate: Estate) -> dict[str, str]:
    """What a path calls by its parameters, in garden."""
    cursor = await owner.execute(
        "select (select min(id) from alarm), (select min(id) from work_order), (select min(id) from work_permit), "
        "(select min(id) from person), (select min(id) from api_token), (select min(id) from work_order_part), "
        "(select min(id) from quarantine), (select min(id) from certificate)"
    )
    alarm, order, permit, person, token, part, entry, certificate = await cursor.fetchone() or ()
    return {
        "site": "garden",
        "facility": "booster-1",
        "point": "outlet_pressure",
        "name": "setpoint",
        "alarm": str(alarm),
        "order": str(order),
        "permit": str(permit),
        "person": str(person),
        "token": str(token),
        "part": str(part),
        "entry": str(entry),
        "certificate": str(certificate),
        "condition": str(estate.garden.conditions["flood"].id),
        **await places_of_inspection(owner),
    }


async def places_of_inspection(owner: Owner) -> dict[str, str]:
    cursor = await owner.execute(
        "select (select min(code) from tag), (select min(id::text) from inspection_visit), "
        "(select min(id) from inspection_round), (select min(sha256) from inspection_photo), "
        "(select min(id) from inspection_report)"
    )
    code, visit, walk, sha256, report = await cursor.fetchone() or ()
    of_no_site = {"kind": "nobody", "version": "1"}
    there = {"code": code, "visit": visit, "round": str(walk), "sha256": sha256, "report": str(report)}
    return {**there, "plan": "night", **of_no_site}


async def contents(owner: Owner) -> dict[str, str]:
    """Every table as it is."""
    cursor = await owner.execute("select tablename from pg_tables where schemaname = 'public' order by 1")
    found: dict[str, str] = {}
    for (table,) in await cursor.fetchall():
        if table not in RESTLESS:
            query = sql.SQL("select coalesce(md5(string_agg(t::text, '' order by t::text)), '') from {} as t")
            row = await (await owner.execute(query.format(sql.Identifier(table)))).fetchone()
            assert row is not None
            found[table] = row[0]
    return found


async def test_through_no_route_does_a_stranger_see_or_change_anything(
    stranger: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    there = await places(owner, estate)
    before = await contents(owner)
    for method, path, operation in GUARDED:
        name = operation["operationId"]
        if path.endswith("/live") or name in ("decode_photo", "preview_import", "import_estate"):
            # Endless, about no site, about sites that stand in files: test_live.py, test_inspection_pictures.py and
            # test_imports.py try them.
            continue
        where = re.sub(r"{(\w+)}", lambda match: there[match[1]], path.removeprefix("/api/v1"))
        asked = body(operation)
        if asked is not None and "site" in asked:
            asked = {**asked, "site": "garden"} | ({"facility": "booster-1"} if "facility" in asked else {})
        if asked is not None and name in ("add_person", "make_token"):
            asked = {**asked, "memberships": [{"site": "garden", "role": "auditor"}]} if name == "add_person" else {**asked, "sites": ["garden"]}  # fmt: skip
        asked_for = query(operation)
        if "id" in asked_for:
            asked_for["id"] = there["alarm"]
        if "site" in asked_for:
            asked_for["site"] = "garden"
        answer = await stranger.request(method.upper(), where, params=asked_for, json=asked)
        if method != "get" or "{" in path or "site" in asked_for:
            assert answer.status_code == 404, (name, answer.text)
        else:
            assert answer.status_code == 200, (name, answer.text)
        if name not in OF_NO_SITE:
            told = answer.text.replace('"instance":"' + "/api/v1" + where, "")
            for word in ("花园", "王工 garden", "wang.garden", '"garden"', "张师傅"):
                assert word not in told, name
    assert await contents(owner) == before


async def test_asking_for_another_site_by_its_name_finds_nothing(stranger: httpx.AsyncClient) -> None:
    for path in ("/alarms", "/work-orders", "/permits", "/conditions", "/facilities", "/quarantine", "/audit-log"):
        answer = await stranger.get(path, params={"site": "garden"})
        assert answer.status_code in (200, 404), path
        assert answer.json().get("items", []) == [], path


# ------------------------------------------------------------------ a route that forgot


@pytest.fixture
async def watcher(app: FastAPI, owner: Owner, estate: Estate) -> AsyncIterator[httpx.AsyncClient]:
    """Auditor of garden and patrol guard of harbour: sees garden's alarms, and acknowledges those of harbour."""
    async with owner.transaction():
        await let_everything_happen(owner, estate.garden)
    await employ(owner, "watcher", "审计", {estate.garden.id: ["auditor"], estate.harbour.id: ["patrol_guard"]})
    async with signed_in(app, "watcher") as client:
        yield client


async def state_of(owner: Owner, alarm: str) -> tuple[Any, ...] | None:
    return await (await owner.execute("select acknowledged_by from alarm where id = %s", [alarm])).fetchone()


async def test_what_one_sees_and_may_not_change_is_forbidden_in_words(
    watcher: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    alarm = (await places(owner, estate))["alarm"]
    assert (await watcher.get(f"/alarms/{alarm}")).status_code == 200
    answer = await watcher.post(f"/alarms/{alarm}/acknowledge")
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:taizhang:problem:no_right")
    assert "“确认报警”" in answer.json()["text"]["zh"]
    assert await state_of(owner, alarm) == (None,)
    nowhere = await watcher.post(f"/alarms/{alarm}/shelve", json={"until": "2026-03-01T12:30:00Z", "note": "x"})
    assert (nowhere.status_code, nowhere.json()["type"]) == (403, "urn:taizhang:problem:no_right")
    refused = await owner.execute(
        "select operation, subject, site_id from audit_log where outcome = 'refused' order by id"
    )
    assert await refused.fetchall() == [
        ("acknowledge_alarm", f"alarms/{alarm}/acknowledge", estate.garden.id),
        ("shelve_alarm", f"alarms/{alarm}/shelve", None),
    ]


async def test_with_the_check_taken_out_the_database_still_refuses(
    app: FastAPI, watcher: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    there = await places(owner, estate)
    before = await contents(owner)
    for right in Right:
        app.dependency_overrides[Needs(right)] = lambda: None
    for path, asked in (
        (f"/alarms/{there['alarm']}/acknowledge", {}),
        (f"/alarms/{there['alarm']}/shelve", {"until": "2026-03-01T12:30:00Z", "note": "x"}),
        (f"/work-orders/{there['order']}/accept", {}),
        ("/facilities/garden/booster-1/parameters", {"name": "setpoint", "value": 0.3, "reason": "x"}),
        ("/sites/garden/grades", {"kind": "booster_pump_room", "grade": "C", "reason": "x"}),
    ):
        answer = await watcher.post(path, json=asked)
        assert answer.status_code == 403, (path, answer.text)
    assert [each["login"] for each in (await watcher.get("/people")).json()["items"]] == ["watcher"]
    assert (await watcher.get("/tokens")).json()["items"] == []
    assert await contents(owner) == before


@pytest.mark.own_routes
async def test_a_route_that_forgot_everything_sees_and_changes_nothing(
    app: FastAPI, watcher: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    """It names no right, checks nothing, and goes straight to the ledger."""
    alarm = int((await places(owner, estate))["alarm"])

    async def forgetful_read(context: InContext) -> int:
        async with context.transaction() as connection:
            row = await (await connection.execute("select count(*) from alarm")).fetchone()
        assert row is not None
        return int(row[0])

    async def forgetful_change(deed: DeedOf) -> Any:
        async def act(connection: Connection) -> Any:
            await alarm_moves.move(connection, alarm, ConditionMove.ACKNOWLEDGE, deed.cause(None))
            raise AssertionError("it was done")

        return await deed.do(act)

    app.add_api_route("/api/v1/forgetful", forgetful_read)
    app.add_api_route("/api/v1/forgetful", forgetful_change, methods=["POST"], response_model=None)
    assert (await watcher.get("/forgetful")).json() == 0
    assert (await watcher.post("/forgetful")).status_code == 404
    assert await state_of(owner, str(alarm)) == (None,)
