"""How long a person waits for the console: from opening it to where one signs in, and from there to rows of alarms.

In a real Chromium. The first time the service has just begun and the browser has nothing of it; again, in a new window
without its cookies and files; and with thousands of alarms open.
"""

import secrets
import shutil
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from playwright.async_api import Browser, BrowserContext, async_playwright, expect
from playwright.async_api import Error as PlaywrightError

from bench import service
from bench.figure import Figure, Goal, missing
from bench.ground import ROOT, Bench, Trouble
from credentials.passwords import Hasher
from dispatch import alarms
from ledger import calendar_conditions, facilities, passwords, people, scope
from ledger.conditions import Cause
from ledger.people import Membership
from ledger.pool import API_ROLE, INGEST_ROLE, Connection, open_pool, transaction
from ledger.records import ConditionReason, ConditionSpec
from rules import response
from rules.model import ANY_KIND, Rule
from settings import wall_clock

OPEN_ALARMS = 2_000
TIMES = 5
_FEW = 20
_TARGET_MS = 2_000.0  # what is promised of `make demo`
_PATIENCE_MS = 30_000.0
_LOGIN = "bench"
_RULES = ("work_permit_overrun", "certificate_ended", "equipment_ended")  # every facility may have each once
_BUILT = ROOT / "console" / "dist" / "index.html"

_ROWS = "[data-alarm], .group-line"  # many of one cause stand as a group


@dataclass(frozen=True, slots=True)
class Waits:
    """In milliseconds."""

    page: float  # from opening it until one can sign in
    rows: float  # from signing in until alarms are there
    opened: float  # from opening it in another tab, signed in as one is, until alarms are there


async def measure(bench: Bench) -> list[Figure]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None or not _BUILT.is_file():
        return [missing("console", "ms", "there is no Chromium here, or the console is not built: make console")]
    try:
        return await _measured(bench, chromium)
    except (PlaywrightError, AssertionError) as error:  # what a browser cannot begin, and what it does not show in time
        raise Trouble(f"the browser: {error}".partition("\n")[0]) from error


async def _measured(bench: Bench, chromium: str) -> list[Figure]:
    facilities_wanted = max(10, round(bench.facilities * min(1.0, bench.pace * 4)))
    async with bench.database(facilities_wanted) as url, async_playwright() as playwright:
        password = await _employ(url)
        few = await _ring(bench, url, _FEW)
        opened = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        expect.set_options(timeout=_PATIENCE_MS)
        async with service.api(bench, url) as running:
            base = f"http://127.0.0.1:{running.port}/"
            first = await _sign_in(opened, base, password)
            again = [await _sign_in(opened, base, password) for _ in range(TIMES)]
            many = few + await _ring(bench, url, OPEN_ALARMS - few)
            crowded = [await _sign_in(opened, base, password) for _ in range(TIMES)]
        await opened.close()
    return [
        *_figures("first", [first], f"{few} alarms open; the service has just begun"),
        *_figures("again", again, f"{few} alarms open; median of {TIMES}, each in a new window that kept nothing"),
        *_figures("crowded", crowded, f"{many} alarms open; median of {TIMES}"),
    ]


def _figures(when: str, waits: Sequence[Waits], note: str) -> list[Figure]:
    return [
        Figure(
            f"console.{when}.{part}",
            statistics.median(getattr(each, part) for each in waits),
            "ms",
            Goal.AT_MOST,
            _TARGET_MS,
            note,
        )
        for part in ("page", "rows", "opened")
    ]


async def _sign_in(browser: Browser, url: str, password: str) -> Waits:
    context = await browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
    try:
        return await _in(context, url, password)
    finally:
        await context.close()


async def _in(context: BrowserContext, url: str, password: str) -> Waits:
    page = await context.new_page()
    begun = time.perf_counter()
    await page.goto(url)
    login = page.get_by_label("登录名")
    await expect(login).to_be_visible()
    page_ms = _since_ms(begun)
    await login.fill(_LOGIN)
    await page.get_by_label("密码", exact=True).fill(password)
    begun = time.perf_counter()
    await page.get_by_role("button", name="登录").click()
    await expect(page.locator(_ROWS).first).to_be_visible()
    rows_ms = _since_ms(begun)
    await page.close()
    page = await context.new_page()
    begun = time.perf_counter()
    await page.goto(url)
    await expect(page.locator(_ROWS).first).to_be_visible()
    return Waits(page_ms, rows_ms, _since_ms(begun))


def _since_ms(begun: float) -> float:
    return (time.perf_counter() - begun) * 1000


async def _employ(url: str) -> str:
    """Somebody who may see it all; his password."""
    password, now = secrets.token_urlsafe(12), wall_clock()()
    async with open_pool(url, role=API_ROLE, size_max=1) as pool:
        sites = await scope.every_site(pool)
        async with transaction(pool, sites=[0, *sites], desk=True) as connection:
            made = await people.add(connection, login=_LOGIN, name="Bench", language="zh", created_by="bench", now=now)
            await passwords.put(connection, made.id, Hasher().hash(password), must_change=False, now=now)
            await people.put_memberships(connection, made.id, [Membership(None, "administrator")], by="bench", now=now)
    return password


async def _ring(bench: Bench, url: str, wanted: int) -> int:
    """So many alarms more, of rules that every facility has; gives how many there was room for."""
    rules, table, now = bench.packs[ANY_KIND].rules, response.load(), wall_clock()()
    rung = 0
    async with (
        open_pool(url, role=INGEST_ROLE, size_max=1, statement_timeout_ms=600_000) as pool,
        transaction(pool) as connection,
    ):
        for site in await facilities.sites(connection):
            for facility in await facilities.facilities(connection, site.id):
                for rule in (rules[key] for key in _RULES):
                    if rung == wanted:
                        return rung
                    rung += await _raise(connection, site.id, facility.id, rule, table, now)
    return rung


async def _raise(
    connection: Connection, site_id: int, facility_id: int, rule: Rule, table: response.ResponseTable, now: datetime
) -> int:
    spec = ConditionSpec(facility_id, None, rule.key, rule.severity)
    condition = await calendar_conditions.at(connection, site_id, spec)
    if condition.active:
        return 0
    cause = Cause("bench", ConditionReason.CALENDAR_LAPSED, at=now, now=now)
    await alarms.begin(connection, condition, rule, cause, table, now)
    return 1
