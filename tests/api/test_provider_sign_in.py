"""Signing in through a provider: a real one, small, on loopback, with keys of its own; and everything it may get wrong."""

import asyncio
import base64
import contextlib
import hashlib
import secrets
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from api.authentication import COOKIE
from ledger import people
from ledger.pool import Pool
from settings import Settings
from tests.api.conftest import Estate, StandingClock, anonymous, served_from
from tests.api.employed import employ

Owner = psycopg.AsyncConnection[Any]
CLIENT = "taizhang-test"
SECRET = "a client's secret"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
BACK = "http://127.0.0.1:8080/api/v1/session/provider/back"


@dataclass
class Provider:
    """Asks nobody for a password: whoever comes is `user`. Every answer can be made wrong."""

    issuer: str
    key: RSAKey = field(default_factory=lambda: KEY)
    user: dict[str, Any] = field(default_factory=lambda: {"sub": "42", "preferred_username": "wang", "name": "王工"})
    wrong: dict[str, Any] = field(default_factory=dict)  # claims in place of the right ones
    signed_with: Any = None
    algorithm: str = "RS256"
    calls_itself: str | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    now: int = 0
    asked_for_keys: int = 0

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        async def describe() -> dict[str, Any]:
            return {
                "issuer": self.calls_itself or self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }

        @app.get("/keys")
        async def keys() -> Any:
            self.asked_for_keys += 1
            return KeySet([self.key]).as_dict(private=False)

        @app.get("/authorize")
        async def authorize(client_id: str, redirect_uri: str, state: str, nonce: str, code_challenge: str, code_challenge_method: str, response_type: str, scope: str) -> RedirectResponse:  # fmt: skip
            assert (client_id, redirect_uri, response_type, code_challenge_method) == (CLIENT, BACK, "code", "S256")
            assert "openid" in scope.split()
            code = secrets.token_urlsafe(8)
            self.codes[code] = {"nonce": nonce, "challenge": code_challenge}
            return RedirectResponse(f"{redirect_uri}?code={code}&state={state}", 303)

        @app.post("/token", response_model=None)
        async def token(request: Request) -> Any:
            form = {key: value for key, (value,) in parse_qs((await request.body()).decode()).items()}
            asked = self.codes.pop(form["code"], None)
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            client = (form["client_id"], form["client_secret"], form["redirect_uri"], form["grant_type"])
            if (
                asked is None
                or challenge != asked["challenge"]
                or client != (CLIENT, SECRET, BACK, "authorization_code")
            ):
                return JSONResponse({"error": "invalid_grant"}, 400)
            return {"id_token": self.id_token(asked["nonce"]), "token_type": "Bearer", "access_token": "x"}

        return app

    def id_token(self, nonce: str) -> str:
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": self.now, "exp": self.now + 300, "nonce": nonce}
        claims = {key: value for key, value in {**claims, **self.user, **self.wrong}.items() if value is not None}
        key = self.signed_with or self.key
        header = {"alg": self.algorithm, "kid": key.kid} if key.kid else {"alg": self.algorithm}
        return jwt.encode(header, claims, key, algorithms=[self.algorithm])


@pytest.fixture
async def provider(clock: StandingClock) -> AsyncIterator[Provider]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = Provider(f"http://127.0.0.1:{listener.getsockname()[1]}", now=int(clock.now.timestamp()))
        config = uvicorn.Config(started.app(), log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield started
        server.should_exit = True
        await serving


@pytest.fixture
async def browser(
    provider: Provider, pool: Pool, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    app = made(provider, pool, clock, monkeypatch)
    async with app.router.lifespan_context(app), anonymous(app, base="http://127.0.0.1:8080/api/v1") as client:
        yield client


def made(
    provider: Provider, pool: Pool, clock: StandingClock, monkeypatch: pytest.MonkeyPatch, **settings: str
) -> FastAPI:
    named = {
        "PUBLIC_URL": "http://127.0.0.1:8080",
        "OIDC_ISSUER": provider.issuer,
        "OIDC_CLIENT_ID": CLIENT,
        "OIDC_CLIENT_SECRET": SECRET,
        "OIDC_NAME": "统一登录",
        **settings,
    }
    for name, value in named.items():
        monkeypatch.setenv(f"TAIZHANG_{name}", value)
    return served_from(Settings(), pool, clock)


async def round_trip(browser: httpx.AsyncClient) -> str:
    """To the provider and back, as a browser follows; gives where it ends."""
    start = await browser.get("/session/provider/start")
    assert start.status_code == 303
    async with httpx.AsyncClient() as outside:
        back = (await outside.get(start.headers["location"])).headers["location"]
    answer = await browser.get(back)
    assert answer.status_code == 303
    return answer.headers["location"]


async def test_whoever_the_provider_vouches_for_is_signed_in_as_himself(
    browser: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    await employ(owner, "wang", "王工", {estate.garden.id: ["duty_engineer"]})
    told = (await browser.get("/session/provider")).json()
    assert told == {"name": "统一登录", "start": "/api/v1/session/provider/start"}
    assert await round_trip(browser) == "/"
    assert (await browser.get("/session")).json()["person"]["login"] == "wang"
    cursor = await owner.execute("select actor, outcome, asked ->> 'way' from audit_log")
    assert await cursor.fetchall() == [("王工", "done", "oidc")]


async def test_from_then_on_he_is_known_by_his_identity_and_not_by_a_name_that_may_be_given_away(
    browser: httpx.AsyncClient, provider: Provider, owner: Owner, estate: Estate
) -> None:
    wang = await employ(owner, "wang", "王工", {estate.garden.id: ["duty_engineer"]})
    await round_trip(browser)
    provider.user["preferred_username"] = "wang.jianguo"
    assert await round_trip(browser) == "/"
    provider.user |= {"sub": "43", "preferred_username": "wang"}
    assert await round_trip(browser) == "/?sign_in=unknown", "another one, under his old name"
    await owner.execute("update person set external_id = null where id = %s", [wang.id])
    assert await round_trip(browser) == "/"


async def test_nobody_is_made_silently_and_nobody_disabled_gets_in(
    browser: httpx.AsyncClient, provider: Provider, owner: Owner, estate: Estate
) -> None:
    assert await round_trip(browser) == "/?sign_in=unknown"
    gone = await employ(owner, "wang", "王工", {estate.garden.id: ["duty_engineer"]})
    async with owner.transaction():
        await people.disable(owner, gone.id, by="x", now=gone.created_at)
    assert await round_trip(browser) == "/?sign_in=unknown"
    assert COOKIE not in browser.cookies
    cursor = await owner.execute("select outcome, count(*), (select count(*) from person) from audit_log group by 1")
    assert await cursor.fetchall() == [("refused", 2, 1)]


async def test_people_are_made_where_that_was_asked_for_and_see_nothing_yet(
    provider: Provider, pool: Pool, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = made(provider, pool, clock, monkeypatch, OIDC_MAKES_PEOPLE="true")
    async with app.router.lifespan_context(app), anonymous(app, base="http://127.0.0.1:8080/api/v1") as client:
        assert await round_trip(client) == "/"
        me = (await client.get("/session")).json()
        assert (me["person"]["name"], me["sites"]) == ("王工", [])
        assert (await client.get("/alarms")).status_code == 403


async def test_an_address_counts_when_the_provider_has_verified_it(
    provider: Provider, pool: Pool, clock: StandingClock, monkeypatch: pytest.MonkeyPatch, owner: Owner, estate: Estate
) -> None:
    await employ(owner, "wang@example.org", "王工", {estate.garden.id: ["duty_engineer"]})
    app = made(provider, pool, clock, monkeypatch, OIDC_LOGIN_CLAIM="email")
    async with app.router.lifespan_context(app), anonymous(app, base="http://127.0.0.1:8080/api/v1") as client:
        for verified, ends in ((None, "/?sign_in=unknown"), (False, "/?sign_in=unknown"), ("true", "/?sign_in=unknown"), (True, "/")):  # fmt: skip
            provider.user = {"sub": "42", "email": "Wang@example.org", "email_verified": verified}
            assert await round_trip(client) == ends, verified


async def test_a_token_that_is_not_for_us_now_is_refused(
    browser: httpx.AsyncClient, provider: Provider, owner: Owner, estate: Estate
) -> None:
    await employ(owner, "wang", "王工", {estate.garden.id: ["duty_engineer"]})
    for wrong in (
        {"iss": "http://127.0.0.1:1"},
        {"aud": "another"},
        {"aud": [CLIENT, "another"]},
        {"azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 0},
        {"exp": None},
        {"iat": None},
        {"sub": None},
    ):
        provider.wrong = wrong
        assert await round_trip(browser) == "/?sign_in=unavailable", wrong
        assert COOKIE not in browser.cookies
    provider.wrong = {}
    assert await round_trip(browser) == "/"


async def test_a_token_that_somebody_else_signed_is_refused(
    browser: httpx.AsyncClient, provider: Provider, owner: Owner, estate: Estate
) -> None:
    await employ(owner, "wang", "王工", {estate.garden.id: ["duty_engineer"]})
    provider.signed_with = RSAKey.generate_key(2048, {"kid": "one"})
    assert await round_trip(browser) == "/?sign_in=unavailable"
    # By the secret that we know as well: whoever reads our settings could then sign in as anybody.
    provider.signed_with, provider.algorithm = OctKey.import_key(SECRET * 3, {"kid": "one"}), "HS256"
    assert await round_trip(browser) == "/?sign_in=unavailable"


async def test_a_new_key_of_the_provider_is_asked_for_once(
    browser: httpx.AsyncClient, provider: Provider, owner: Owner, estate: Estate
) -> None:
    await employ(owner, "wang", "王工", {estate.garden.id: ["duty_engineer"]})
    assert await round_trip(browser) == "/"
    asked = provider.asked_for_keys
    provider.key = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
    browser._transport.app.state.service.provider._keys_are_new = lambda: False  # type: ignore[attr-defined]
    assert await round_trip(browser) == "/"
    assert provider.asked_for_keys == asked + 1


async def test_who_comes_back_without_having_been_sent_is_refused(
    browser: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    await employ(owner, "wang", "王工", {estate.garden.id: ["duty_engineer"]})
    start = await browser.get("/session/provider/start")
    state = parse_qs(urlsplit(start.headers["location"]).query)["state"][0]
    for asked in ({"code": "x", "state": "another"}, {"code": "x"}, {"state": state}, {"code": "x", "state": state}):
        answer = await browser.get("/session/provider/back", params=asked)
        assert answer.headers["location"].startswith("/?sign_in="), asked
    browser.cookies.clear()
    answer = await browser.get("/session/provider/back", params={"code": "x", "state": state})
    assert answer.headers["location"] == "/?sign_in=expired"
    assert COOKIE not in browser.cookies


async def test_a_provider_that_calls_itself_otherwise_or_is_away_is_told_in_the_console(
    browser: httpx.AsyncClient, provider: Provider
) -> None:
    provider.calls_itself = "http://127.0.0.1:1"
    answer = await browser.get("/session/provider/start")
    assert answer.headers["location"] == "/?sign_in=unavailable"


async def test_without_a_provider_there_is_none(client: httpx.AsyncClient) -> None:
    assert (await client.get("/session/provider")).json()["name"] is None
    assert (await client.get("/session/provider/start")).status_code == 404


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("OIDC_ISSUER", "http://id.example.org", "is not https"),
        ("PUBLIC_URL", "http://taizhang.example.org", "is no https address"),
        ("OIDC_CLIENT_ID", "", "needs oidc_client_id"),
        ("PUBLIC_URL", "", "needs oidc_client_id, and public_url"),
    ],
)
def test_settings_that_would_let_others_listen_are_refused(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {"OIDC_ISSUER": "https://id.example.org", "OIDC_CLIENT_ID": "x", "PUBLIC_URL": "https://t.example.org"}
    for each, given in {**named, name: value}.items():
        monkeypatch.setenv(f"TAIZHANG_{each}", given)
    with pytest.raises(ValueError, match=words):
        Settings()
