"""A guard's whole round on a phone: signed in, tags read by the camera, a cellar without network, a browser that is killed."""

import os
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
import pytest
from playwright.sync_api import Page, expect

from inspection import codes
from tests.console.guard import Route, another_tag, bar, scan, sign_in
from tests.console.phone import Phone, pictured
from tests.console.rig import Service
from tests.console.sight import serious

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.timeout(240)]

HERE = {"latitude": 31.2304, "longitude": 121.4737, "accuracy": 20}
Keep = Callable[[Page, str], None]


def test_a_round_is_walked_with_and_without_network(calm: Service, phone: Phone, route: Route, keep: Keep) -> None:
    phone.hold(route.links[route.stairs[0]])
    with phone.on(geolocation=HERE, permissions=["geolocation", "camera"]) as page:
        sign_in_and_start(page, calm, keep)
        a_healthy_point_in_three_taps(page, keep)
        phone.hold(route.links[route.stairs[1]])
        a_failed_item_opens_an_order(page, route, keep)
        page.context.set_offline(True)
        phone.hold(route.links[route.stairs[2]])
        in_the_cellar(page, keep)
        phone.killed()
    with phone.on(offline=True) as page:
        expect(bar(page)).to_contain_text("手机已存 1 · 已发送 2")
        expect(page.get_by_text("本轮已结束")).to_be_visible()
        # Its session is over as well: what lies there waits for him, and for nobody else.
        page.context.clear_cookies()
        page.context.set_offline(False)
        expect(page.get_by_text("手机已存 1 · 已发送 0")).to_be_visible()
        sign_in(page, calm)
        expect(bar(page)).to_contain_text("手机已存 0 · 已发送 3")
        keep(page, "patrol-sent-390-zh")
        he_signs_it(page, keep)
    assert [each["facility"]["key"] for each in reversed(route.visits())] == list(route.stairs)
    assert {each["outcome"] for each in route.visits()} == {"in_order", "defective"}
    # The last was scanned without network, and lay on the phone while its browser was killed.
    assert [each["position"]["latitude"] for each in route.visits()] == [HERE["latitude"]] * 3
    (line,) = route.rounds()
    assert (line["state"], line["visited"], line["unsigned"]) == ("finished", 3, ["supervisor"])


def he_signs_it(page: Page, keep: Keep) -> None:
    expect(page.get_by_text("巡逻保安李强：本轮已查 3 / 3 点")).to_be_visible()
    assert serious(page) == []
    keep(page, "patrol-sign-390-zh")
    page.get_by_role("button", name="签字", exact=True).tap()
    expect(page.get_by_text("已签字，待主管会签")).to_be_visible()
    keep(page, "patrol-signed-390-zh")


def sign_in_and_start(page: Page, calm: Service, keep: Keep) -> None:
    sign_in(page, calm)
    expect(page.get_by_role("heading", name="疏散楼梯日巡").first).to_be_visible()
    expect(bar(page)).to_contain_text("手机已存 0 · 已发送 0")
    assert serious(page) == []
    keep(page, "patrol-today-390-zh")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.get_by_role("button", name="开始巡检").tap()
    expect(page.locator(".at-round").get_by_text("0 / 3 点")).to_be_visible()


def a_healthy_point_in_three_taps(page: Page, keep: Keep) -> None:
    keep(page, "patrol-round-390-zh")
    scan(page, "1 号疏散楼梯")
    assert serious(page) == []
    keep(page, "patrol-point-390-zh")
    page.get_by_role("button", name="全部正常").tap()
    page.get_by_role("button", name="保存").tap()
    expect(page.get_by_text("1 / 3 点")).to_be_visible()
    expect(bar(page)).to_contain_text("手机已存 0 · 已发送 1")


def a_failed_item_opens_an_order(page: Page, route: Route, keep: Keep) -> None:
    scan(page, "2 号疏散楼梯")
    item = page.locator("#item-clear")
    item.get_by_role("button", name="异常").tap()
    page.locator("#item-what").get_by_role("button", name="电动自行车").tap()
    page.get_by_role("button", name="全部正常").tap()
    page.get_by_role("button", name="保存").tap()
    expect(page.get_by_text("还缺 1 张必拍照片")).to_be_visible()
    item.get_by_role("button", name="拍照").tap()
    page.get_by_role("button", name="拍", exact=True).tap()
    expect(item.get_by_alt_text("已拍的照片").or_(item.locator(".thumbnail-sent"))).to_be_visible()
    assert serious(page) == []
    keep(page, "patrol-failed-390-zh")
    page.get_by_role("button", name="保存").tap()
    expect(page.locator(".stop-defective")).to_contain_text(re.compile(r"已开工单 \d+"))
    keep(page, "patrol-order-390-zh")
    (found, _) = route.visits()
    assert found["failed"] == ["clear", "what"]
    order = route.client.get(f"/work-orders/{found['work_order']}").json()["work_order"]
    assert order["facility"]["key"] == route.stairs[1]
    expect(bar(page)).to_contain_text("全部已发送")
    (found, _) = route.visits()
    assert [each["arrived"] for each in found["photos"]] == [True]


def in_the_cellar(page: Page, keep: Keep) -> None:
    scan(page, "3 号疏散楼梯")
    page.get_by_role("button", name="全部正常").tap()
    page.get_by_role("button", name="保存").tap()
    expect(bar(page)).to_contain_text("手机已存 1 · 已发送 2")
    expect(bar(page)).to_contain_text("无网络")
    page.get_by_role("button", name="结束本轮").tap()
    expect(page.get_by_text("还有 1 条没有发送")).to_be_visible()
    keep(page, "patrol-ending-390-zh")
    page.get_by_role("button", name="确定结束").tap()
    expect(page.get_by_text("已结束，1 条待发送")).to_be_visible()
    expect(page.get_by_text("还有 2 条未发送，发送完才能签字")).to_be_visible()  # the visit, and its end


def test_what_is_odd_is_told_at_once_in_english_and_in_the_dark(
    calm: Service, phone: Phone, route: Route, keep: Keep
) -> None:
    elsewhere, retired = another_tag(route, "lamp-1"), another_tag(route, route.stairs[0])
    route.client.post(f"/tags/{retired['code']}/retire", json={"reason": "copied"}).raise_for_status()
    phone.hold(None)
    with phone.on() as page:
        sign_in(page, calm)
        page.get_by_role("button", name="English", exact=True).tap()
        page.get_by_role("button", name="Cellar mode").tap()
        expect(page.locator(":root[data-light=dark]")).to_be_attached()
        assert serious(page) == []
        keep(page, "patrol-today-390-en-dark")
        page.get_by_role("button", name="Start the round").tap()
        page.get_by_role("button", name="Scan", exact=True).tap()
        (phone.directory / "tag.jpg").write_bytes(pictured(elsewhere["link"]))
        page.get_by_label("Picture").set_input_files(phone.directory / "tag.jpg")
        told(page, "Board lamp is not on this round. Kept.", keep)
        typed_codes(page, retired["shown"], keep)
        page.get_by_role("button", name="Back", exact=True).tap()
        phone.hold(route.links[route.stairs[1]])
        page.get_by_role("button", name=re.compile("Escape stair 1")).tap()
        told(page, "This is Escape stair 2, not Escape stair 1", keep, deed="Check Escape stair 2")
        expect(page.get_by_role("heading", name="Escape stair 2")).to_be_visible()
        page.get_by_role("button", name="All in order").tap()
        assert serious(page) == []
        keep(page, "patrol-point-390-en-dark")
        page.get_by_role("button", name="Save", exact=True).tap()
        expect(bar(page)).to_contain_text("0 saved on phone, 3 sent")
        given_to_another(page, keep)
        page.get_by_role(
            "button", name="中文", exact=True
        ).tap()  # the words of a login are kept: others read him in Chinese
    said = [(each["facility"]["key"], each["means"]) for each in reversed(route.visits())]
    assert said == [("lamp-1", "photo_file"), (route.stairs[0], "typed"), (route.stairs[1], "camera")]
    reasons = [{reason["key"] for reason in each["reasons"]} for each in reversed(route.visits())]
    assert {"not_on_route", "photo_file"} <= reasons[0]
    assert {"tag_retired", "typed"} <= reasons[1]
    assert not reasons[2] & {"wrong_place", "not_on_route", "tag_retired", "typed"}


def given_to_another(page: Page, keep: Keep) -> None:
    page.get_by_role("button", name="Hand over", exact=True).tap()
    page.get_by_role("button", name="维修工程师张师傅").tap()
    expect(page.get_by_role("button", name="Hand over to 维修工程师张师傅")).to_be_visible()
    assert serious(page) == []
    keep(page, "patrol-hand-over-390-en-dark")
    page.get_by_role("button", name="Hand over to 维修工程师张师傅").tap()
    expect(page.get_by_text("Handed over to 维修工程师张师傅")).to_be_visible()
    expect(page.get_by_text("维修工程师张师傅 is walking it")).to_be_visible()


def told(page: Page, what: str, keep: Keep, *, deed: str = "Scan on") -> None:
    notice = page.get_by_role("alertdialog", name=what)
    expect(notice).to_be_visible()
    assert serious(page) == []
    keep(page, f"patrol-{deed.split(maxsplit=1)[0].lower()}-390-en-dark")
    notice.get_by_role("button", name=deed).tap()


def typed_codes(page: Page, retired: str, keep: Keep) -> None:
    """One that is mistyped is told where it is typed; one that is retired, by name."""
    page.get_by_role("button", name="Type", exact=True).tap()
    code = page.get_by_label("The twelve characters on the tag")
    code.fill(retired[1] + retired[0] + retired[2:] if retired[0] != retired[1] else "2" + retired)
    page.get_by_role("button", name="Go", exact=True).tap()
    expect(page.get_by_role("alert")).to_contain_text(re.compile("changed places|has twelve characters"))
    code.fill(retired.lower())
    page.get_by_role("button", name="Go", exact=True).tap()
    told(page, "This tag of Escape stair 1 is retired. Kept; report it.", keep)


def test_what_waits_and_what_is_refused_stays_in_sight(calm: Service, phone: Phone, route: Route, keep: Keep) -> None:
    """Twelve lie on the phone; the guard lost his right meanwhile; all are refused, and sent again once he has it back."""
    phone.hold(another_tag(route, "lamp-1")["link"])
    with phone.on() as page:
        sign_in(page, calm)
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.get_by_role("button", name="开始巡检").tap()
        expect(page.locator(".at-round").get_by_text("0 / 3 点")).to_be_visible()
        page.context.set_offline(True)
        page.get_by_role("button", name="扫码", exact=True).tap()
        the_same_tag_before_the_lens_is_one_scan(page)
        page.get_by_role("button", name="返回").tap()
        phone.hold(None)
        page.get_by_role("button", name="扫码", exact=True).tap()
        page.get_by_role("button", name="输入", exact=True).tap()
        for number in range(2, 13):
            page.get_by_label("标签上的 12 位编码").fill(codes.make(os.urandom(codes.RANDOM_BYTES)))
            page.get_by_role("button", name="确定", exact=True).tap()
            page.get_by_role("alertdialog").get_by_role("button", name="继续扫码").tap()
            expect(bar(page)).to_contain_text(f"手机已存 {number} · 已发送 0")
            page.get_by_role("button", name="输入", exact=True).tap()
        keep(page, "patrol-twelve-390-zh")
        with without_right(calm):
            page.context.set_offline(False)
            expect(bar(page)).to_contain_text("被退回 12")
            expect(bar(page)).not_to_contain_text("全部已发送")
            phone.killed()
    with without_right(calm), phone.on() as page:
        page.context.clear_cookies()  # a browser that was killed may have them, or not yet
        page.reload()
        sign_in(page, calm)
        expect(bar(page)).to_contain_text("被退回 12")
        bar(page).tap()
        expect(page.locator(".kept-refused")).to_have_count(12)
        expect(page.locator(".kept-refused .wrong").first).not_to_be_empty()
        keep(page, "patrol-refused-390-zh")
        assert serious(page) == []
    with phone.on() as page:
        bar(page).tap()
        page.get_by_role("button", name="再发一次").first.tap()
        expect(bar(page)).to_contain_text("手机已存 11 · 已发送 1")
        expect(page.locator(".kept-refused")).to_have_count(11)
    assert [each["means"] for each in route.visits()] != []


def the_same_tag_before_the_lens_is_one_scan(page: Page) -> None:
    page.get_by_role("alertdialog").get_by_role("button", name="继续扫码").tap()
    seen_s = page.evaluate("document.querySelector('video').currentTime")
    page.wait_for_function("until => document.querySelector('video').currentTime > until", arg=seen_s + 1)
    expect(bar(page)).to_contain_text("手机已存 1 · 已发送 0")


@contextmanager
def without_right(calm: Service) -> Generator[None]:
    """The guard is none of the garden's, for as long as this lasts."""

    def moved(sql: LiteralString) -> None:
        async def whole(connection: psycopg.AsyncConnection[Any]) -> None:
            await connection.execute(sql, [calm.garden.id])

        calm.act(whole)

    moved("update membership set role = 'auditor' where site_id = %s and role = 'patrol_guard'")
    try:
        yield
    finally:
        moved("update membership set role = 'patrol_guard' where site_id = %s and role = 'auditor'")
