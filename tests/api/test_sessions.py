"""Signing in and out, who one is, CSRF, one's own password and settings; and what nobody is told."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from api import attempts
from api.authentication import COOKIE
from ledger import people
from tests.api.conftest import Estate, StandingClock, anonymous
from tests.api.employed import PASSWORD, employ, signed_in

Owner = psycopg.AsyncConnection[Any]


@pytest.fixture
async def duty(app: FastAPI, owner: Owner, estate: Estate) -> AsyncIterator[httpx.AsyncClient]:
    """王工, duty engineer of garden, signed in."""
    await employ(owner, "wang", "王工", {estate.garden.id: ["duty_engineer"]})
    async with signed_in(app, "wang") as client:
        yield client


async def sign_in(app: FastAPI, login: str, password: str) -> httpx.Response:
    async with anonymous(app) as client:
        return await client.post("/session", json={"login": login, "password": password})


async def test_who_signs_in_is_told_who_he_is_and_what_he_may_where(duty: httpx.AsyncClient, estate: Estate) -> None:
    me = (await duty.get("/session")).json()
    assert me["person"] == {"id": me["person"]["id"], "login": "wang", "name": "王工", "language": "zh"}
    assert [each["site"] for each in me["sites"]] == ["garden"]
    assert me["sites"][0]["roles"] == ["duty_engineer"]
    assert "acknowledge" in me["sites"][0]["rights"]
    assert "people" not in me["sites"][0]["rights"]
    assert me["must_change_password"] is False


async def test_the_cookie_is_for_this_service_s_own_pages_only(app: FastAPI, owner: Owner, estate: Estate) -> None:
    await employ(owner, "wang", "王工", {estate.garden.id: ["duty_engineer"]})
    plain = (await sign_in(app, "wang", PASSWORD)).headers["set-cookie"].lower()
    assert "httponly" in plain
    assert "samesite=strict" in plain
    assert "secure" not in plain
    async with anonymous(app, base="https://taizhang.test/api/v1") as client:
        answer = await client.post("/session", json={"login": "wang", "password": PASSWORD})
    assert "; secure" in answer.headers["set-cookie"].lower()


async def test_a_change_with_the_cookie_alone_is_refused(duty: httpx.AsyncClient) -> None:
    for token in (None, "", "0" * 64):
        duty.headers.pop("X-CSRF-Token", None)
        if token is not None:
            duty.headers["X-CSRF-Token"] = token
        for method, path in (("POST", "/alarms/1/acknowledge"), ("DELETE", "/session"), ("POST", "/session/password")):
            answer = await duty.request(method, path, json={})
            assert (answer.status_code, answer.json()["type"]) == (403, "urn:taizhang:problem:csrf_missing"), path
    assert (await duty.get("/session")).status_code == 200


async def test_an_unknown_login_a_wrong_password_and_a_disabled_person_are_told_the_same(
    app: FastAPI, owner: Owner, estate: Estate
) -> None:
    await employ(owner, "wang", "王工", {estate.garden.id: ["duty_engineer"]})
    gone = await employ(owner, "li", "李工", {estate.garden.id: ["duty_engineer"]})
    async with owner.transaction():
        await people.disable(owner, gone.id, by="test", now=gone.created_at)
    answers = [
        await sign_in(app, login, password)
        for login, password in (("nobody", "x"), ("wang", "x"), ("li", PASSWORD), ("wang", PASSWORD + " "))
    ]
    assert {each.status_code for each in answers} == {401}
    assert len({each.text for each in answers}) == 1
    assert answers[0].json()["type"] == "urn:taizhang:problem:sign_in_failed"
    assert answers[0].json()["text"]["zh"] == "登录名或密码不正确。"
    assert not any("set-cookie" in each.headers for each in answers)


async def test_a_login_may_be_typed_with_capitals_and_blanks(app: FastAPI, owner: Owner, estate: Estate) -> None:
    await employ(owner, "wang", "王工", {estate.garden.id: ["duty_engineer"]})
    assert (await sign_in(app, " Wang ", PASSWORD)).status_code == 200


async def test_too_many_attempts_lock_a_login_for_strangers_whether_it_is_there_or_not(
    app: FastAPI, owner: Owner, estate: Estate
) -> None:
    await employ(owner, "wang", "王工", {estate.garden.id: ["duty_engineer"]})
    for login in ("wang", "nobody"):
        async with anonymous(app, address="192.0.2.7") as stranger:
            for _ in range(attempts.PER_LOGIN_MAX):
                answer = await stranger.post("/session", json={"login": login, "password": "x"})
                assert answer.status_code == 401
        async with anonymous(app, address="192.0.2.8") as stranger:
            locked = await stranger.post("/session", json={"login": login, "password": PASSWORD})
            assert (locked.status_code, locked.json()["type"]) == (429, "urn:taizhang:problem:too_many_attempts")
            assert 0 < int(locked.headers["retry-after"]) <= attempts.WINDOW_S


async def test_whoever_was_there_before_gets_in_while_strangers_try(app: FastAPI, duty: httpx.AsyncClient) -> None:
    async with anonymous(app, address="192.0.2.7") as stranger:
        for _ in range(attempts.PER_LOGIN_MAX + 1):
            await stranger.post("/session", json={"login": "wang", "password": "x"})
    assert (await sign_in(app, "wang", PASSWORD)).status_code == 200


async def test_one_address_may_not_try_many_logins(app: FastAPI, estate: Estate) -> None:
    answers = [(await sign_in(app, f"login{n}", "x")).status_code for n in range(attempts.PER_ADDRESS_MAX + 1)]
    assert set(answers[:-1]) == {401}
    assert answers[-1] == 429


async def test_signing_out_ends_the_session_and_not_only_the_cookie(duty: httpx.AsyncClient) -> None:
    cookie = duty.cookies[COOKIE]
    assert (await duty.delete("/session")).status_code == 204
    duty.cookies.set(COOKIE, cookie)
    assert (await duty.get("/session")).status_code == 401
    assert (await duty.get("/alarms")).status_code == 401


async def test_a_session_ends_when_unused_and_at_the_latest_after_its_days(
    duty: httpx.AsyncClient, clock: StandingClock
) -> None:
    for _ in range(6):
        clock.advance(hours=11)
        assert (await duty.get("/sites")).status_code == 200
    clock.advance(hours=12)
    assert (await duty.get("/sites")).status_code == 401


async def test_a_used_session_ends_after_its_days(duty: httpx.AsyncClient, clock: StandingClock) -> None:
    ends = clock.now + timedelta(days=30)
    while clock.now + timedelta(hours=11) < ends:
        clock.advance(hours=11)
        assert (await duty.get("/session")).status_code == 200
    clock.advance(hours=11)
    assert (await duty.get("/session")).status_code == 401


async def test_changing_the_password_ends_the_other_sessions(app: FastAPI, duty: httpx.AsyncClient) -> None:
    async with signed_in(app, "wang") as phone:
        asked = {"password": PASSWORD, "new_password": "correct horse battery"}
        assert (await phone.post("/session/password", json={**asked, "password": "wrong"})).status_code == 403
        for weak in ("short", "wang wang wang", "aaaaaaaaaaaa", PASSWORD, "x" * 200):
            answer = await phone.post("/session/password", json={**asked, "new_password": weak})
            assert (answer.status_code, answer.json()["type"]) == (422, "urn:taizhang:problem:weak_password"), weak
        assert (await duty.get("/session")).status_code == 200
        assert (await phone.post("/session/password", json=asked)).status_code == 200
        assert (await phone.get("/session")).status_code == 200
    assert (await duty.get("/session")).status_code == 401
    assert (await sign_in(app, "wang", PASSWORD)).status_code == 401
    assert (await sign_in(app, "wang", "correct horse battery")).status_code == 200


async def test_a_password_that_somebody_else_gave_opens_nothing_but_its_own_change(
    app: FastAPI, owner: Owner, estate: Estate
) -> None:
    await employ(owner, "wang", "王工", {estate.garden.id: ["duty_engineer"]}, must_change=True)
    async with signed_in(app, "wang") as client:
        assert (await client.get("/session")).json()["must_change_password"] is True
        answer = await client.get("/alarms")
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:taizhang:problem:password_change_due")
        asked = {"password": PASSWORD, "new_password": "correct horse battery"}
        assert (await client.post("/session/password", json=asked)).json()["must_change_password"] is False
        assert (await client.get("/alarms")).status_code == 200


async def test_the_language_is_the_person_s(duty: httpx.AsyncClient) -> None:
    assert (await duty.put("/session/language", json={"language": "en"})).json()["person"]["language"] == "en"
    assert (await duty.put("/session/language", json={"language": "de"})).status_code == 422


async def test_what_somebody_saves_is_his_own_and_bounded(
    app: FastAPI, duty: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    assert (await duty.get("/session/settings/alarms")).status_code == 404
    kept = {"columns": ["state", "title"], "filter": {"open": True}}
    assert (await duty.put("/session/settings/alarms", json={"value": kept})).status_code == 200
    assert (await duty.get("/session/settings/alarms")).json()["value"] == kept
    assert (await duty.put("/session/settings/alarms", json={"value": "x" * 20_000})).status_code == 422
    await employ(owner, "li", "李工", {estate.garden.id: ["administrator"]})
    async with signed_in(app, "li") as other:
        assert (await other.get("/session/settings/alarms")).status_code == 404


async def test_who_is_signed_in_acts_himself(duty: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    order = {
        "site": "garden",
        "facility": "booster-1",
        "work_class": "power",
        "title": {"zh": "查看"},
        "priority": "low",
    }
    answer = await duty.post("/work-orders", json=order, headers={"X-Actor": "li"})
    assert [each["field"] for each in answer.json()["errors"]] == ["header.x-actor"]
    made = await duty.post("/work-orders", json=order)
    assert made.json()["work_order"]["opened_by"] == "王工"
    cursor = await owner.execute(
        "select person.login, actor, operation, subject, site_id, asked ->> 'work_class', ip, outcome "
        "from audit_log join person on person.id = person_id where operation <> 'sign_in'"
    )
    assert await cursor.fetchall() == [
        ("wang", "王工", "open_work_order", "work-orders", estate.garden.id, "power", "127.0.0.1", "done")
    ]


async def test_signing_in_well_or_not_is_in_the_audit_log_and_no_password_is(
    app: FastAPI, duty: httpx.AsyncClient, owner: Owner
) -> None:
    await sign_in(app, "wang", "mistyped secret")
    await sign_in(app, "typed my secret as a login", "x")
    cursor = await owner.execute("select actor, outcome, person_id is not null from audit_log order by id")
    assert await cursor.fetchall() == [
        ("王工", "done", True),
        ("wang", "refused", True),
        ("unknown login", "refused", False),
    ]
    cursor = await owner.execute("select count(*) from audit_log where to_jsonb(audit_log)::text like '%%secret%%'")
    assert await cursor.fetchone() == (0,)
