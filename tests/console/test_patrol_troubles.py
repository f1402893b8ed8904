"""What goes wrong on a guard's phone: taps quicker than its disk, answers that are lost, a photo that never arrives."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, expect
from playwright.sync_api import Route as Asked

from tests.console.guard import Route, bar, scan, sign_in
from tests.console.phone import Phone
from tests.console.rig import Service
from tests.console.sight import serious

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


class Losing:
    """Carries requests to the service and loses the answers, as a network does that breaks down in between."""

    def __init__(self, page: Page, path: str) -> None:
        self.lost: list[int] = []
        self._page, self._path = page, f"**{path}"
        page.route(self._path, self._lose)

    def _lose(self, asked: Asked, _: Request) -> None:
        self.lost.append(asked.fetch().status)
        asked.abort()

    def no_more(self) -> None:
        self._page.unroute(self._path)


def test_a_round_is_given_away_though_the_answer_was_lost(
    calm: Service, phone: Phone, route: Route, keep: Keep
) -> None:
    phone.hold(route.links[route.stairs[0]])
    with phone.on() as page:
        start(page, calm)
        scan(page, "1 号疏散楼梯")
        page.get_by_role("button", name="返回").tap()
        page.get_by_role("button", name="移交", exact=True).tap()
        expect(page.get_by_role("alert")).to_contain_text("还没填完：1 号疏散楼梯")
        page.get_by_role("button", name="维修工程师张师傅").tap()
        assert serious(page) == []
        keep(page, "patrol-hand-over-begun-390-zh")
        losing = Losing(page, "/hand-over")
        page.get_by_role("button", name="移交给维修工程师张师傅").tap()
        expect(page.get_by_role("alert").last).not_to_contain_text("还没填完")
        losing.no_more()
        page.get_by_role("button", name="移交给维修工程师张师傅").tap()
        expect(page.get_by_role("status").filter(has_text="已移交给维修工程师张师傅")).to_be_visible()
        expect(page.get_by_role("heading", name="今天的巡检")).to_be_visible()
    assert losing.lost == [200]
    (line,) = route.rounds()
    assert line["guard"] == "维修工程师张师傅"
    journal = route.client.get(f"/inspection-rounds/{line['round']}").json()["journal"]
    assert [each["move"] for each in journal] == ["start", "hand_over"]


def test_a_round_is_signed_once_though_the_answer_was_lost(calm: Service, phone: Phone, route: Route) -> None:
    phone.hold(None)
    with phone.on() as page:
        start(page, calm)
        page.get_by_role("button", name="结束本轮").tap()
        page.get_by_role("button", name="确定结束").tap()
        sign = page.get_by_role("button", name="签字", exact=True)
        expect(sign).to_be_visible()
        losing = Losing(page, "/sign")
        sign.tap()
        expect(page.locator(".card").get_by_role("alert")).not_to_be_empty()
        losing.no_more()
        sign.tap()
        expect(page.get_by_text("已签字，待主管会签")).to_be_visible()
    assert losing.lost == [200]
    (line,) = route.rounds()
    signed = route.client.get(f"/inspection-rounds/{line['round']}").json()["signatures"]
    assert [each["part"] for each in signed] == ["patroller"]


def test_a_photo_that_never_arrives_holds_nothing_back_and_stays_in_sight(
    calm: Service, phone: Phone, route: Route, keep: Keep
) -> None:
    phone.hold(route.links[route.stairs[0]])
    with phone.on() as page:
        page.route("**/inspections/photos*", lambda asked, _: asked.abort())
        start(page, calm)
        scan(page, "1 号疏散楼梯")
        with_a_photo_of_what_failed(page)
        phone.hold(route.links[route.stairs[1]])
        scan(page, "2 号疏散楼梯")
        page.get_by_role("button", name="全部正常").tap()
        page.get_by_role("button", name="保存").tap()
        expect(bar(page)).to_contain_text("手机已存 0 · 已发送 2")
        expect(bar(page)).to_contain_text("照片待传 1")
        expect(page.locator(".stop-defective")).to_contain_text("已开工单")
        page.reload()
        expect(bar(page)).to_contain_text("照片待传 1")
        bar(page).tap()
        expect(page.locator(".kept-waiting .wrong")).to_contain_text("暂时发不出")
        assert serious(page) == []
        keep(page, "patrol-photo-waits-390-zh")
    assert [each["outcome"] for each in route.visits()] == ["in_order", "defective"]
    assert [each["arrived"] for each in route.visits()[1]["photos"]] == [False]


def test_what_is_saved_while_photos_are_sent_goes_before_the_next_photo(
    calm: Service, phone: Phone, route: Route
) -> None:
    sent: list[str] = []
    held: list[Asked] = []

    def hold(asked: Asked, _: Request) -> None:
        sent.append("photo")
        held.append(asked)

    phone.hold(route.links[route.stairs[0]])
    with phone.on() as page:
        page.route("**/inspections/photos*", hold)
        page.on("request", lambda request: sent.append("end") if request.url.endswith("/finish") else None)
        start(page, calm)
        page.context.set_offline(True)
        scan(page, "1 号疏散楼梯")
        with_a_photo_of_what_failed(page)
        phone.hold(route.links[route.stairs[1]])
        scan(page, "2 号疏散楼梯")
        with_a_photo_of_what_failed(page)
        with page.expect_request("**/inspections/photos*"):
            page.context.set_offline(False)
        page.get_by_role("button", name="结束本轮").tap()
        page.get_by_role("button", name="确定结束").tap()
        expect(page.get_by_role("heading", name="今天的巡检")).to_be_visible()
        with page.expect_request("**/finish"):
            held[0].abort()
    assert sent[:2] == ["photo", "end"]


def with_a_photo_of_what_failed(page: Page) -> None:
    item = page.locator("#item-clear")
    item.get_by_role("button", name="异常").tap()
    page.locator("#item-what").get_by_role("button", name="电动自行车").tap()
    page.get_by_role("button", name="全部正常").tap()
    item.get_by_role("button", name="拍照").tap()
    page.get_by_role("button", name="拍", exact=True).tap()
    expect(item.get_by_alt_text("已拍的照片")).to_be_visible()
    page.get_by_role("button", name="保存").tap()
    expect(page.locator(".at-round")).to_be_visible()
