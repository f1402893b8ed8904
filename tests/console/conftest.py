"""A real Chromium before the real service: one of each for all tests of a process, a clean estate and a new page for each test."""

import asyncio
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from embedded.process import port_for
from tests.console.guard import Route, a_route
from tests.console.phone import ARGUMENTS, PATIENCE_MS, Phone
from tests.console.rig import BUILT, OUTPUT, WIDTHS, Service, running
from tests.fix_database import _drop, clone, with_database

# The sound is there, and allowed: one test looks at what happens where it is not.
SOUND = "--autoplay-policy=no-user-gesture-required"

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def service(
    database_server: str, template_database: str, mqtt_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    if not BUILT.is_file():
        pytest.skip("the console is not built: make console")
    name = f"tz_console_{uuid.uuid4().hex[:12]}"
    asyncio.run(clone(database_server, template_database, name))
    with running(
        with_database(database_server, name),
        mqtt_url,
        tmp_path_factory.mktemp("console"),
        port_for("the console", None),
    ) as found:
        yield found
    asyncio.run(_drop(database_server, name))


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def browser(chromium: str, service: Service) -> Iterator[Browser]:
    """After the service, which needs a loop of its own to be set up: the browser's driver keeps one in this thread."""
    assert service.url
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, SOUND])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def signed_in(browser: Browser, service: Service, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The cookies of somebody who signed in on the page once; every later page of his begins with them."""
    kept: dict[str, Path] = {}

    def state(login: str) -> Path:
        if login not in kept:
            context = browser.new_context(locale="zh-CN")
            page = context.new_page()
            page.goto(service.url)
            page.get_by_label("登录名").fill(login)
            page.get_by_label("密码", exact=True).fill(service.passwords[login])
            page.get_by_role("button", name="登录").click()
            expect(page.locator(".frame")).to_be_visible()
            kept[login] = tmp_path_factory.mktemp("cookies") / f"{login}.json"
            context.storage_state(path=kept[login])
            context.close()
        return kept[login]

    return state


@pytest.fixture
def calm(service: Service) -> Service:
    """The service with nothing wrong at any facility, and everybody's pages as they come."""
    service.everything_ends()
    service.nobody_has_chosen()
    return service


@pytest.fixture
def open_page(browser: Browser, calm: Service, signed_in: Callable[[str], Path]) -> Iterator[OpenPage]:
    """`open_page("alarms", login="duty", language="zh", width=1440, touch=False)`; what a page complains of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(
        path: str = "alarms", *, login: str = "duty", language: str = "zh", width: int = 1440, touch: bool = False
    ) -> Page:
        context = browser.new_context(
            storage_state=signed_in(login),
            viewport={"width": width, "height": WIDTHS[width]},
            has_touch=touch,
            is_mobile=touch,
            locale="zh-CN" if language == "zh" else "en-GB",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",  # one dialog at a time: none that fades away beside the next
        )
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(f"localStorage.setItem('taizhang.language', '{language}')")
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(f"left the machine: {request.url}")
                if not re.match(rf"{re.escape(calm.url)}|data:|blob:", request.url) else None)  # fmt: skip
        page.goto(f"{calm.url}/{path}")
        expect(page.locator(".live-live, .bare, .wall").first).to_be_visible()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def phone(calm: Service, chromium: str, browser: Browser, tmp_path: Path) -> Phone:
    return Phone(browser, chromium, calm.url, tmp_path)


@pytest.fixture
def route(calm: Service, request: pytest.FixtureRequest) -> Iterator[Route]:
    with a_route(calm, request.node.name) as found:
        yield found


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Keeps what is on the screen, to be looked at: test-output/console/NAME.png."""

    def kept(page: Page, name: str) -> None:
        OUTPUT.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=OUTPUT / f"{name}.png")

    return kept
