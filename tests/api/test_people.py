"""Administering people and tokens: what one may for whom, what is shown once, what ends at once, what is written down."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from tests.api.conftest import Estate, StandingClock, anonymous, client_of
from tests.api.employed import PASSWORD, employ, signed_in
from tests.small_estate import raise_alarm

Owner = psycopg.AsyncConnection[Any]
GARDEN = {"site": "garden", "role": "duty_engineer"}
NEW = {"login": "li", "name": "李工", "memberships": [GARDEN]}


@pytest.fixture
async def chief(app: FastAPI, owner: Owner, estate: Estate) -> AsyncIterator[httpx.AsyncClient]:
    """Administrator of all sites."""
    await employ(owner, "chief", "总管理员", {None: ["administrator"]})
    async with signed_in(app, "chief") as client:
        yield client


@pytest.fixture
async def local(app: FastAPI, owner: Owner, estate: Estate) -> AsyncIterator[httpx.AsyncClient]:
    """Administrator of garden only."""
    await employ(owner, "local", "花园管理员", {estate.garden.id: ["administrator"]})
    async with signed_in(app, "local") as client:
        yield client


async def made(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/people", json={**NEW, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_new_person_changes_his_password_first_and_then_works(app: FastAPI, local: httpx.AsyncClient) -> None:
    new = await made(local)
    assert new["person"]["memberships"] == [GARDEN]
    async with signed_in(app, "li", new["password"]) as client:
        assert (await client.get("/alarms")).status_code == 403
        asked = {"password": new["password"], "new_password": "a better one of mine"}
        assert (await client.post("/session/password", json=asked)).status_code == 200
        assert (await client.get("/alarms")).status_code == 200


async def test_login_and_name_are_one_person_s(local: httpx.AsyncClient) -> None:
    await made(local)
    for field, words, taken in (
        ("body.login", "已有人使用这个登录名", {"login": "li", "name": "李二"}),
        ("body.name", "已有同名的人", {"login": "li2", "name": "李工"}),
    ):
        refused = await local.post("/people", json={**NEW, **taken})
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:taizhang:problem:taken")
        (fault,) = refused.json()["errors"]
        assert (fault["field"], words in fault["text"]["zh"]) == (field, True)
    for wrong in ({"login": "Li"}, {"login": ""}, {"name": " "}, {"memberships": []}, {"language": "de"}):
        assert (await local.post("/people", json={**NEW, **wrong})).status_code == 422


async def test_a_local_administrator_gives_roles_at_his_site_only(local: httpx.AsyncClient, estate: Estate) -> None:
    for site, status in (("harbour", 404), ("nowhere", 404), (None, 403)):
        answer = await local.post("/people", json={**NEW, "memberships": [{"site": site, "role": "auditor"}]})
        assert answer.status_code == status, site


async def test_somebody_of_two_sites_is_changed_by_whoever_answers_for_both(
    chief: httpx.AsyncClient, local: httpx.AsyncClient
) -> None:
    both = [GARDEN, {"site": "harbour", "role": "administrator"}]
    person = (await made(chief, memberships=both))["person"]["id"]
    for method, path, asked in (
        ("PATCH", f"/people/{person}", {"name": "别名"}),
        ("PATCH", f"/people/{person}", {"disabled": True}),
        ("POST", f"/people/{person}/password", None),
    ):
        answer = await local.request(method, path, json=asked)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:taizhang:problem:no_right")
    seen = next(each for each in (await local.get("/people")).json()["items"] if each["login"] == "li")
    assert seen["memberships"] == [GARDEN]
    answer = await local.put(f"/people/{person}/memberships", json={"memberships": []})
    assert answer.json()["memberships"] == []
    seen = next(each for each in (await chief.get("/people")).json()["items"] if each["login"] == "li")
    assert seen["memberships"] == [{"site": "harbour", "role": "administrator"}]
    assert (await chief.patch(f"/people/{person}", json={"name": "别名"})).json()["name"] == "别名"


async def test_disabling_ends_sessions_at_once_and_enabling_lets_in_again(
    app: FastAPI, owner: Owner, local: httpx.AsyncClient, estate: Estate
) -> None:
    wang = await employ(owner, "wang", "王工", {estate.garden.id: ["duty_engineer"]})
    async with signed_in(app, "wang") as client:
        assert (await client.get("/alarms")).status_code == 200
        assert (await local.patch(f"/people/{wang.id}", json={"disabled": True})).json()["disabled_by"] == "花园管理员"
        assert (await client.get("/alarms")).status_code == 401
        async with anonymous(app) as stranger:
            asked = {"login": "wang", "password": PASSWORD}
            assert (await stranger.post("/session", json=asked)).status_code == 401
            await local.patch(f"/people/{wang.id}", json={"disabled": False})
            assert (await stranger.post("/session", json=asked)).status_code == 200


async def test_a_reset_password_ends_sessions_and_is_good_for_one_sign_in(
    app: FastAPI, owner: Owner, local: httpx.AsyncClient, estate: Estate
) -> None:
    wang = await employ(owner, "wang", "王工", {estate.garden.id: ["duty_engineer"]})
    async with signed_in(app, "wang") as client:
        password = (await local.post(f"/people/{wang.id}/password")).json()["password"]
        assert (await client.get("/session")).status_code == 401
    async with signed_in(app, "wang", password) as client:
        assert (await client.get("/session")).json()["must_change_password"] is True


async def test_what_one_is_counts_from_the_next_request(
    app: FastAPI, owner: Owner, local: httpx.AsyncClient, estate: Estate
) -> None:
    wang = await employ(owner, "wang", "王工", {estate.garden.id: ["auditor"]})
    async with owner.transaction():
        alarm = (await raise_alarm(owner, estate.garden.conditions["flood"])).alarm_id
    async with signed_in(app, "wang") as client:
        assert (await client.post(f"/alarms/{alarm}/acknowledge")).status_code == 403
        await local.put(f"/people/{wang.id}/memberships", json={"memberships": [GARDEN]})
        assert (await client.post(f"/alarms/{alarm}/acknowledge")).json()["alarm"]["acknowledged_by"] == "王工"


async def test_the_last_administrator_of_all_sites_stays(chief: httpx.AsyncClient) -> None:
    me = (await chief.get("/session")).json()["person"]["id"]
    assert (await chief.patch(f"/people/{me}", json={"disabled": True})).status_code == 409
    assert (await chief.put(f"/people/{me}/memberships", json={"memberships": []})).status_code == 409
    other = (await made(chief, memberships=[{"site": None, "role": "administrator"}]))["person"]["id"]
    assert (await chief.patch(f"/people/{other}", json={"disabled": True})).status_code == 200
    assert (await chief.put(f"/people/{me}/memberships", json={"memberships": []})).status_code == 409


async def test_colleagues_are_known_by_name_to_everybody_of_the_site(
    app: FastAPI, owner: Owner, local: httpx.AsyncClient, estate: Estate
) -> None:
    await employ(owner, "guard", "李强", {estate.garden.id: ["patrol_guard"]})
    async with signed_in(app, "guard") as client:
        found = (await client.get("/sites/garden/people")).json()["items"]
        assert {each["name"]: each["roles"] for each in found} == {
            "李强": ["patrol_guard"],
            "花园管理员": ["administrator"],
        }
        assert (await client.get("/sites/harbour/people")).status_code == 404
        assert (await client.get("/people")).status_code == 403


async def test_the_table_of_roles_is_served_in_both_languages(local: httpx.AsyncClient) -> None:
    told = (await local.get("/roles")).json()
    auditor = next(each for each in told["roles"] if each["key"] == "auditor")
    assert (auditor["title"], auditor["rights"]) == ({"zh": "审计员", "en": "Auditor"}, ["read", "audit"])
    assert {each["key"] for each in told["rights"]} >= {"read", "people", "audit"}


# ------------------------------------------------------------------ tokens


async def token_of(client: httpx.AsyncClient, clock: StandingClock, **changes: Any) -> httpx.Response:
    asked = {
        "name": "看板",
        "rights": ["read", "comment"],
        "sites": ["garden"],
        "expires_at": (clock.now + timedelta(days=30)).isoformat(),
    }
    return await client.post("/tokens", json={**asked, **changes})


async def test_a_token_opens_what_it_says_until_it_is_revoked(
    app: FastAPI, owner: Owner, local: httpx.AsyncClient, clock: StandingClock, estate: Estate
) -> None:
    new = (await token_of(local, clock)).json()
    async with owner.transaction():
        alarm = (await raise_alarm(owner, estate.garden.conditions["flood"])).alarm_id
    async with client_of(app, Authorization=f"Bearer {new['secret']}") as machine:
        assert [each["key"] for each in (await machine.get("/sites")).json()["items"]] == ["garden"]
        assert (await machine.post(f"/alarms/{alarm}/notes", json={"text": "x"})).status_code == 201
        assert (await machine.post(f"/alarms/{alarm}/acknowledge")).status_code == 403
        assert (await machine.get("/session")).status_code == 401
        used = (await local.get("/tokens")).json()["items"][0]
        assert (used["name"], used["used_at"] is not None, "secret" in used) == ("看板", True, False)
        assert (await local.delete(f"/tokens/{new['token']['id']}")).json()["revoked_by"] == "花园管理员"
        assert (await machine.get("/sites")).status_code == 401
        assert (await local.delete(f"/tokens/{new['token']['id']}")).status_code == 409
    entries = (await local.get("/audit-log", params={"operation": "note_alarm"})).json()["items"]
    assert [(each["actor"], each["token"], each["person"]) for each in entries] == [("王班长", "看板", None)]


async def test_a_token_expires(app: FastAPI, local: httpx.AsyncClient, clock: StandingClock) -> None:
    secret = (await token_of(local, clock)).json()["secret"]
    clock.advance(days=30)
    async with client_of(app, Authorization=f"Bearer {secret}") as machine:
        assert (await machine.get("/sites")).status_code == 401


async def test_nobody_gives_away_what_he_does_not_hold(local: httpx.AsyncClient, clock: StandingClock) -> None:
    for changes, status in (
        ({"sites": ["harbour"]}, 404),
        ({"sites": None}, 403),
        ({"rights": []}, 422),
        ({"rights": ["everything"]}, 422),
        ({"expires_at": clock.now.isoformat()}, 422),
        ({"expires_at": (clock.now + timedelta(days=4000)).isoformat()}, 422),
    ):
        assert (await token_of(local, clock, **changes)).status_code == status, changes
    assert (await token_of(local, clock)).status_code == 201
    assert (await token_of(local, clock)).status_code == 409, "its name is in use"


# ------------------------------------------------------------------ the audit log


async def test_who_changed_whom_is_told_with_before_and_after(local: httpx.AsyncClient) -> None:
    person = (await made(local))["person"]["id"]
    wanted = {"memberships": [{"site": "garden", "role": "contractor"}]}
    await local.put(f"/people/{person}/memberships", json=wanted)
    entries = (await local.get("/audit-log", params={"site": "garden", "operation": "set_memberships"})).json()["items"]
    assert [(each["actor"], each["subject"], each["asked"]) for each in entries] == [
        ("花园管理员", f"people/{person}/memberships", {"before": ["duty_engineer"], "after": ["contractor"]})
    ]


async def entry_of(client: httpx.AsyncClient, operation: str) -> dict[str, Any]:
    (entry,) = (await client.get("/audit-log", params={"operation": operation})).json()["items"]
    return entry["asked"]


async def test_a_change_of_a_person_says_what_he_was_called_before(local: httpx.AsyncClient) -> None:
    person = (await made(local))["person"]["id"]
    asked = {"name": "李工程师", "language": "zh", "disabled": True}
    assert (await local.patch(f"/people/{person}", json=asked)).status_code == 200
    assert (await entry_of(local, "change_person")) == {**asked, "before": {"name": "李工", "disabled": False}}


async def test_a_limit_a_grade_a_contract_and_a_clock_say_what_was_in_force_before(local: httpx.AsyncClient) -> None:
    async def before(path: str, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        answer = await local.post(path, json={**asked, "reason": "夏季用水"})
        assert answer.status_code in (200, 201), answer.text
        newest = (await local.get("/audit-log", params={"operation": operation})).json()["items"][0]
        return newest["asked"]["before"]

    at, site = "/facilities/garden/booster-1", "/sites/garden"
    for value, was in ((0.5, 0.35), (0.45, 0.5)):
        asked: dict[str, Any] = {"name": "setpoint", "value": value}
        assert await before(f"{at}/parameters", "set_parameter", asked) == {"value": was}
    for grade, was in (("C", "A"), (None, "C")):
        assert await before(f"{at}/grade", "set_facility_grade", {"grade": grade}) == {"grade": was}
        asked = {"kind": "booster_pump_room", "grade": grade}
        assert await before(f"{site}/grades", "set_kind_grade", asked) == {"grade": was}
    for profile, was in (("first_contact", "standard"), ("standard", "first_contact")):
        assert await before(f"{site}/contract", "set_site_contract", {"profile": profile}) == {"profile": was}
    for value, was in (("4h", "8h"), (None, "4h")):
        asked = {"event_class": "lighting", "clock": "restore_by", "value": value}
        assert await before(f"{site}/contract/clocks", "set_site_clock", asked) == {"value": was}


async def test_the_log_is_paged_filtered_and_exported_without_formulas(
    app: FastAPI, owner: Owner, local: httpx.AsyncClient, estate: Estate
) -> None:
    async with owner.transaction():
        alarm = (await raise_alarm(owner, estate.garden.conditions["flood"])).alarm_id
    await employ(owner, "bad", "=cmd|calc", {estate.garden.id: ["duty_engineer"]})
    async with signed_in(app, "bad") as client:
        for _ in range(3):
            await client.post(f"/alarms/{alarm}/notes", json={"text": "x"})
        assert (await client.get("/audit-log")).status_code == 403
    first = (await local.get("/audit-log", params={"operation": "note_alarm", "limit": 2})).json()
    rest = await local.get("/audit-log", params={"operation": "note_alarm", "limit": 2, "after": first["next"]})
    assert (len(first["items"]), len(rest.json()["items"]), rest.json()["next"]) == (2, 1, None)
    refused = (await local.get("/audit-log", params={"outcome": "refused"})).json()["items"]
    assert [(each["actor"], each["operation"]) for each in refused] == [("=cmd|calc", "list_audit_log")]
    table = list(csv.DictReader(io.StringIO((await local.get("/audit-log.csv")).text)))
    assert {each["actor"] for each in table} == {"'=cmd|calc", "花园管理员"}
    assert len(table) == 3 + 2 + 1


async def test_no_secret_is_ever_in_the_log(
    app: FastAPI, owner: Owner, chief: httpx.AsyncClient, clock: StandingClock
) -> None:
    new = await made(chief)
    token = (await token_of(chief, clock)).json()["secret"]
    async with signed_in(app, "li", new["password"]) as client:
        asked = {"password": new["password"], "new_password": "a better one of mine"}
        await client.post("/session/password", json=asked)
    again = (await chief.post(f"/people/{new['person']['id']}/password")).json()["password"]
    cursor = await owner.execute("select string_agg(audit_log::text, ' ') from audit_log")
    row = await cursor.fetchone()
    assert row is not None
    for secret in (new["password"], token, "a better one of mine", again):
        assert secret not in row[0]
