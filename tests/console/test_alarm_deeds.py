"""What is done to alarms beyond acknowledging and shelving, and what one must say with it."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from ledger import work_orders
from ledger.lifecycle import ConditionMove
from ledger.records import Deadlines, Priority, Severity
from ledger.work_orders import Act
from tests.console.conftest import ARGUMENTS, OpenPage
from tests.console.rig import OUTPUT, Connection, Service
from tests.console.test_alarms import LOW, choose, flood, low, row
from tests.console.test_pages import Keep, look

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.timeout(120)]


def order_for(service: Service, alarm: int) -> int:
    """As dispatch opens one for an alarm."""
    act = Act("rules", "at_once", datetime.now(UTC))

    async def whole(connection: Connection) -> int:
        order = await work_orders.open_order(
            connection,
            act,
            site_id=service.garden.id,
            facility_id=service.garden.booster,
            work_class="water_supply",
            title_zh="出水压力低",
            title_en="Outlet pressure low",
            severity=Severity.WARNING,
            priority=Priority.HIGH,
            deadlines=Deadlines(),
        )
        await work_orders.add_alarm(connection, order, alarm, act, move="open")
        return order

    return service.act(whole)


def test_assigning_taking_out_of_service_and_resetting(calm: Service, open_page: OpenPage) -> None:
    alarm = calm.ring(low(calm), **LOW)
    order = order_for(calm, alarm)
    latched = calm.ring(flood(calm), when="flood == 1", values={"flood": True})
    page = open_page(login="manager")
    dialog = page.get_by_role("dialog")
    row(page, alarm).get_by_role("button", name="更多操作").click()
    choose(page, "派单")
    dialog.get_by_role("button", name="派单").click()
    expect(dialog).to_contain_text("请填写姓名")
    dialog.get_by_label("派给").fill("张师傅")
    dialog.get_by_role("button", name="派单").click()
    expect(row(page, alarm).get_by_role("link", name=f"#{order} 张师傅")).to_be_visible()

    # What is latched waits for somebody who has read it and then lets go of it.
    row(page, latched).get_by_role("button", name="更多操作").click()
    expect(page.get_by_role("menuitem", name="复位")).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Escape")
    calm.move(flood(calm), ConditionMove.LATCH)
    expect(row(page, latched).locator(".cell-state")).to_contain_text("自保持未确认")
    row(page, latched).get_by_role("button", name="确认", exact=True).click()
    expect(row(page, latched).locator(".cell-state")).to_contain_text("自保持已确认")
    row(page, latched).get_by_role("button", name="更多操作").click()
    choose(page, "复位")
    page.locator("h1").hover()
    expect(row(page, latched)).to_have_count(0)

    row(page, alarm).get_by_role("button", name="更多操作").click()
    choose(page, "停用")
    dialog.get_by_role("button", name="停用").click()
    expect(dialog).to_contain_text("请写明原因")
    dialog.get_by_label("原因").fill("更换压力变送器")
    dialog.get_by_role("button", name="停用").click()
    expect(row(page, alarm)).to_have_count(0)
    page.get_by_role("button", name="撤销").click()
    expect(row(page, alarm)).to_be_visible()


def test_what_endangers_life_is_not_acknowledged_by_a_click_alone(
    calm: Service, open_page: OpenPage, keep: Keep
) -> None:
    trapped = calm.ring(calm.tower.conditions["trapped"], priority=Priority.URGENT, when="occupied == 1")
    transfer = calm.ring(
        calm.tower.conditions["transfer"], when="ats_position == 'backup'", values={"ats_position": "backup"}
    )
    page = open_page()
    expect(row(page, transfer).locator(".cell-value")).to_contain_text("主电源")  # as it is now, in words
    row(page, trapped).get_by_role("button", name="确认", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="确认", exact=True).click()
    expect(dialog).to_contain_text("请写明如何处置")
    look(page, keep, "acknowledge", [1440, 390])
    dialog.get_by_role("textbox").fill("\u200b")  # the form takes it for a word, the service does not
    dialog.get_by_role("button", name="确认", exact=True).click()
    expect(dialog.locator(".ant-form-item").filter(has_text="没有可见的内容")).to_be_visible()
    dialog.get_by_role("button", name="已派人到现场").click()
    dialog.get_by_role("button", name="确认", exact=True).click()
    expect(row(page, trapped).locator(".cell-state")).to_contain_text("报警已确认")
    row(page, trapped).locator(".cell-title").click()
    expect(dialog.locator(".journal q")).to_have_text("已派人到现场")


# Whatever Playwright evaluates in a page counts as a touch, after which the browser allows the sound: the page tells by itself.
TELLS = """
  const blocked = () => document.querySelector('[aria-label="声音被浏览器阻止，点此开启"]');
  let told = null;
  new MutationObserver(() => {
    if (document.querySelector('.bell-rings') === null || (blocked() !== null) === told) return;
    told = blocked() !== null;
    requestAnimationFrame(() => {
      const box = blocked()?.getBoundingClientRect();
      console.log(box ? `blocked ${box.x + box.width / 2} ${box.y + box.height / 2}` : 'allowed');
    });
  }).observe(document, { childList: true, subtree: true });
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...when) { console.log('tone'); return start.apply(this, when); };
"""


def test_a_sound_that_the_browser_blocks_is_said_and_one_click_mends_it(
    browser: Browser, chromium: str, calm: Service, signed_in: Callable[[str], Path]
) -> None:
    state = signed_in("duty")
    calm.ring(low(calm), **LOW)
    policy = "--autoplay-policy=document-user-activation-required"  # as on a desktop
    strict = browser.browser_type.launch(executable_path=chromium, args=[*ARGUMENTS, policy])
    try:
        page = strict.new_context(
            storage_state=state, locale="zh-CN", viewport={"width": 1440, "height": 900}
        ).new_page()
        page.add_init_script(TELLS)
        heard: list[str] = []
        page.on("console", lambda message: heard.append(message.text))
        with page.expect_console_message(lambda message: message.text.startswith("blocked")) as told:
            page.goto(calm.url)
        assert "tone" not in heard
        OUTPUT.mkdir(parents=True, exist_ok=True)
        picture = page.context.new_cdp_session(page).send("Page.captureScreenshot")
        (OUTPUT / "sound-blocked-1440-zh.png").write_bytes(base64.b64decode(picture["data"]))
        _, x, y = told.value.text.split()
        with page.expect_console_message(lambda message: message.text == "tone"):
            page.mouse.click(float(x), float(y))
        expect(page.get_by_role("button", name="声音被浏览器阻止，点此开启")).to_be_hidden()
    finally:
        strict.close()
