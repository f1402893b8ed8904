"""What goes wrong on a guard's phone: taps quicker than its disk."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.console.guard import Route, bar, scan, sign_in
from tests.console.phone import Phone
from tests.console.rig import Service

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.timeout(240)]

Keep = Callable[[Page, str], None]


def start(page: Page, calm: Service) -> None:
    sign_in(page, calm)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.get_by_role("button", name="开始巡检").tap()
    expect(page.locator(".at-round")).to_be_visible()


def test_answers_given_quicker_than_a_phone_writes_are_all_kept(calm: Service, phone: Phone, route: Route) -> None:
    phone.hold(route.links[route.stairs[0]])
    with phone.on() as page:
        start(page, calm)
        scan(page, "1 号疏散楼梯")
        page.evaluate(
            """async () => {
                const turn = () => new Promise(resolve => {
                    const { port1, port2 } = new MessageChannel();
                    port1.onmessage = resolve;
                    port2.postMessage(null);
                });
                for (const css of ['#item-clear .bad', '#item-what .bad:nth-of-type(2)', '.deed button:first-of-type']) {
                    document.querySelector(css).click();
                    await turn();
                }
            }"""
        )
        page.get_by_role("button", name="保存").tap()
        page.get_by_role("button", name="仍然保存").tap()
        expect(bar(page)).to_contain_text("手机已存 0 · 已发送 1")
    (visit,) = route.visits()
    assert visit["answers"]["clear"] is False
    assert visit["answers"]["what"] == "ebike"
    assert visit["answers"]["exit_opens"] is True
