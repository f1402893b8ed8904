"""The application over a real database: two small sites, a clock that stands until a test moves it, one client."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from api.app import furnish, routes
from api.feed import Pace
from credentials.passwords import Hasher
from ledger.pool import API_ROLE, Pool, open_pool
from settings import Settings
from tests.shipped import BOOK, PACKS
from tests.small_estate import NOON, SmallSite, build_both

TOKEN = "test-token-0123456789"
ROUTES = routes()  # half a second of work; what they serve from is each test's own
ROUTES_COUNT = len(ROUTES.router.routes)
HASHER = Hasher(memory_kib=64, rounds=1, lanes=1)  # as quick as it can be: what is tested is not how long it takes


class StandingClock:
    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass(frozen=True)
class Estate:
    garden: SmallSite
    harbour: SmallSite


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """The database's owner, in autocommit: what a test does with it is there at once."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def estate(owner: psycopg.AsyncConnection[Any]) -> Estate:
    async with owner.transaction():
        return Estate(*await build_both(owner))


@pytest.fixture
async def pool(database_url: str, estate: Estate) -> AsyncIterator[Pool]:
    async with open_pool(database_url, role=API_ROLE) as opened:
        yield opened


@pytest.fixture
def app(request: pytest.FixtureRequest, pool: Pool, clock: StandingClock, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    monkeypatch.setenv("TAIZHANG_API_TOKEN", TOKEN)
    return served_from(Settings(), pool, clock, own_routes=request.node.get_closest_marker("own_routes") is not None)


def served_from(
    settings: Settings, pool: Pool, clock: StandingClock, pace: Pace | None = None, *, own_routes: bool = False
) -> FastAPI:
    """The application. There is one at a time: the next has the same routes, unless a test that adds some is marked."""
    ROUTES.dependency_overrides.clear()
    assert len(ROUTES.router.routes) == ROUTES_COUNT, "a test that adds a route is marked own_routes"
    shell = routes() if own_routes else ROUTES
    return furnish(shell, settings, pool=pool, packs=PACKS, book=BOOK, clock=clock, pace=pace, hasher=HASHER)


def client_of(app: FastAPI, **headers: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url="http://taizhang.test/api/v1",
        headers={"Authorization": f"Bearer {TOKEN}", "X-Actor": "%E7%8E%8B%E7%8F%AD%E9%95%BF", **headers},
    )


def anonymous(
    app: FastAPI, *, address: str = "127.0.0.1", base: str = "http://taizhang.test/api/v1"
) -> httpx.AsyncClient:
    """A browser that nobody is signed in with, at an address of its own."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 40_000))
    return httpx.AsyncClient(transport=transport, base_url=base)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Bears the token and acts as 王班长."""
    async with client_of(app) as opened:
        yield opened


@pytest.fixture
async def extinguishers(owner: psycopg.AsyncConnection[Any], estate: Estate) -> list[str]:
    """Three of them at garden; the first of dry powder and grade A."""
    for number in (1, 2, 3):
        await owner.execute(
            "insert into facility (site_id, location_id, key, kind, grade, name_zh, name_en, type_key) "
            "values (%s, %s, %s, 'extinguisher', %s, %s, %s, 'extinguisher_dry_powder')",
            [
                estate.garden.id,
                estate.garden.room,
                f"ext-{number}",
                "A" if number == 1 else "B",
                f"{number}号灭火器",
                f"Extinguisher {number}",
            ],
        )
    return ["ext-1", "ext-2", "ext-3"]
