"""A guard of the garden, his route of the day, and what his phone's page is asked first in every test."""

import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import psycopg
from playwright.sync_api import Locator, Page, expect

from tests.console.rig import TOKEN, Service
from tests.console.sight import serious

HEADERS = {"Authorization": f"Bearer {TOKEN}", "X-Actor": "inspector"}


@dataclass
class Route:
    """Three stairs of the garden, a tag on each, a round that is open for hours."""

    client: httpx.Client
    plan: str
    stairs: tuple[str, ...]
    links: dict[str, str]
    begun_at: datetime

    def visits(self) -> list[dict[str, Any]]:
        """Of this test, the newest first."""
        items: list[dict[str, Any]] = self.client.get("/inspections", params={"site": "garden"}).json()["items"]
        return [
            each
            for each in items
            if each["person"] == "巡逻保安李强" and datetime.fromisoformat(each["received_at"]) > self.begun_at
        ]

    def rounds(self) -> list[dict[str, Any]]:
        now = datetime.now(UTC)
        span = {"from": (now - timedelta(days=1)).isoformat(), "until": now.isoformat()}
        items: list[dict[str, Any]] = self.client.get("/inspection-rounds", params=span).json()["items"]
        return [each for each in items if each["round"] is not None and each["plan"] == self.plan]


@contextmanager
def a_route(calm: Service, test: str) -> Generator[Route]:
    """Its window began six hours ago and has eighteen left, so that no midnight falls into a test."""
    plan_key = f"daily-{zlib.crc32(test.encode())}"
    begun = datetime.now(ZoneInfo("Asia/Shanghai")) - timedelta(hours=6)
    keys = tuple(f"{plan_key}-{number}" for number in (1, 2, 3))

    async def stairs(connection: psycopg.AsyncConnection[Any]) -> None:
        for number, key in enumerate(keys, start=1):
            await connection.execute(
                "insert into facility (site_id, location_id, key, kind, grade, name_zh, name_en) "
                "values (%s, %s, %s, 'escape_stair', 'A', %s, %s)",
                [calm.garden.id, calm.garden.room, key, f"{number} 号疏散楼梯", f"Escape stair {number}"],
            )

    calm.act(stairs)
    with httpx.Client(base_url=f"{calm.url}/api/v1", headers=HEADERS, timeout=30) as client:
        links: dict[str, str] = {}
        for key in keys:
            issued = client.post("/tags", json={"site": "garden", "facility": key})
            links[key] = issued.raise_for_status().json()["tag"]["link"]
        plan = {
            "site": "garden",
            "key": plan_key,
            "name": {"zh": "疏散楼梯日巡", "en": "Stairs, daily"},
            "grid": "第一网格",
            "officer": "消防网格员赵敏",
            "period": "day",
            "starts_at": f"{begun:%H:%M}",
            "window_min": 1440,
            "stops": [{"facility": each, "leg_s": 0, "dwell_s": 0} for each in keys],
        }
        client.post("/inspection-plans", json=plan).raise_for_status()
        route = Route(client, plan_key, keys, links, datetime.now(UTC))
        yield route
        for each in route.rounds():
            if each["state"] in ("walking", "overdue"):  # or the next test's guard would have two to go on with
                for step in ("take-over", "abandon"):
                    answer = client.post(f"/inspection-rounds/{each['round']}/{step}", json={"note": "试验结束"})
                    answer.raise_for_status()
        client.post(f"/inspection-plans/garden/{plan_key}/retire").raise_for_status()


def another_tag(route: Route, facility: str) -> dict[str, str]:
    issued = route.client.post("/tags", json={"site": "garden", "facility": facility})
    return issued.raise_for_status().json()["tag"]


def bar(page: Page) -> Locator:
    return page.locator(".bar")


def scan(page: Page, name: str) -> None:
    page.get_by_role("button", name="扫码", exact=True).tap()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def sign_in(page: Page, calm: Service) -> None:
    page.get_by_label("登录名").fill("guard")
    page.get_by_label("密码").fill(calm.passwords["guard"])
    assert serious(page) == []
    page.get_by_role("button", name="登录").tap()
