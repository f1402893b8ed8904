"""Every page in every width and both languages: kept as a picture to be looked at, and held to what axe knows of accessibility."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import OpenPage
from tests.console.rig import WIDTHS, Service
from tests.console.sight import cut, serious, widest
from tests.console.test_alarms import LOW, flood, low

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.timeout(180)]

PAGES = ("alarms", "shelf")
Keep = Callable[[Page, str], None]


def look(page: Page, keep: Keep, name: str, widths: Sequence[int] = tuple(WIDTHS)) -> None:
    """The page as it is in each width: kept as a picture, not wider than the screen, nothing serious for axe."""
    language = (page.locator("html").get_attribute("lang") or "")[:2]
    for width in widths:
        page.set_viewport_size({"width": width, "height": WIDTHS[width]})
        expect(page.locator(".waiting")).to_have_count(0)
        expect(page.get_by_text(re.compile("^…"))).to_have_count(0)
        assert widest(page, width) <= width, f"{name} is wider than {width}"
        keep(page, f"{name}-{width}-{language}")
        assert serious(page) == [], f"{name} at {width}"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_in_every_width(path: str, language: str, calm: Service, open_page: OpenPage, keep: Keep) -> None:
    calm.measure(calm.garden.points["outlet_pressure"], 0.4, 0.39, 0.38, 0.33, 0.21)
    calm.ring(low(calm), ago_s=300, **LOW)
    calm.ring(flood(calm), when="flood == 1", values={"flood": True})
    for width in WIDTHS:
        page = open_page(path, language=language, width=width, touch=width < 500)
        expect(page.locator("h1")).to_be_visible()
        if path == "alarms":
            expect(page.locator("[data-alarm]")).to_have_count(2)
            assert cut(page, ".cell-title strong") == [], "what is wrong is read whole"
        assert widest(page, width) <= width, f"wider than {width}"
        keep(page, f"{path}-{width}-{language}")
        assert serious(page) == []


def test_signing_in(calm: Service, browser: Any, keep: Keep) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    page = context.new_page()
    page.goto(calm.url)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_text("请填写登录名")).to_be_visible()
    page.get_by_label("登录名").fill("guard")
    page.get_by_label("密码", exact=True).fill("not-the-password")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert").filter(has_text="登录名或密码不正确")).to_be_visible()
    assert serious(page) == []
    keep(page, "sign-in-390-zh")
    page.get_by_label("密码", exact=True).fill(calm.passwords["guard"])
    page.get_by_role("button", name="登录").click()
    expect(page.locator(".frame")).to_be_visible()
    context.close()


def test_signing_in_through_a_provider_that_does_not_answer(calm: Service, browser: Any, keep: Keep) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    page = context.new_page()
    page.goto(calm.url)
    page.get_by_role("link", name="用集团账号登录").click()
    expect(page.get_by_role("alert")).to_contain_text("统一登录服务暂不可用")
    expect(page.get_by_label("登录名")).to_be_visible()
    look(page, keep, "sign-in-sent-back", [1440, 390])
    context.close()


def test_the_language_one_reads_is_kept_for_every_screen_and_a_session_that_ends_leaves_the_page(
    calm: Service, open_page: OpenPage, keep: Keep
) -> None:
    page = open_page("shelf", login="fire")
    for button, language in (("English", "en"), ("中文", "zh")):
        with page.expect_response(lambda answer: answer.url.endswith("/session/language")) as told:
            page.get_by_role("button", name=button).click()
        assert told.value.json()["person"]["language"] == language
    # The session ends under his hands: the page stands, behind both ways in.
    page.context.clear_cookies()
    page.get_by_role("button", name="English").click()
    again = page.get_by_role("dialog")
    expect(again.get_by_role("link", name="Sign in with 集团账号")).to_be_visible()
    expect(again).to_contain_text("what you have not sent is lost")
    expect(again.get_by_label("Password", exact=True)).to_be_visible()
    look(page, keep, "sign-in-again", [1440, 390])
