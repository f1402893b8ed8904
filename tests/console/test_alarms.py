"""The alarms page as a duty engineer works with it: by mouse, keyboard and finger, in Chinese and English."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from ledger.lifecycle import ConditionMove
from ledger.records import Condition, Priority
from tests.console.conftest import OpenPage
from tests.console.rig import Service, crowd
from tests.console.sight import widest

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.timeout(240)]

LOW = {"when": "outlet_pressure < setpoint - 0.05", "parameters": {"setpoint": 0.35}, "values": {"outlet_pressure": 0.21},
       "on_delay_s": 60, "source": "GB 50015"}  # fmt: skip


def low(service: Service) -> Condition:
    return service.garden.conditions["outlet_pressure_low"]


def flood(service: Service) -> Condition:
    return service.garden.conditions["flood"]


def row(page: Page, alarm: int) -> Locator:
    return page.locator(f"[data-alarm='{alarm}']")


def choose(page: Page, deed: str) -> None:
    """Of the menu that stands open."""
    page.locator(".ant-dropdown").get_by_role("menuitem", name=deed).click()


def test_a_row_says_what_is_wrong_how_badly_and_who_has_it(calm: Service, open_page: OpenPage) -> None:
    calm.measure(calm.garden.points["outlet_pressure"], 0.4, 0.39, 0.33, 0.21)
    alarm = calm.ring(low(calm), **LOW)
    found = row(open_page(), alarm)
    expect(found).to_contain_text("出水压力低")
    expect(found).to_contain_text("一号泵组")
    expect(found.get_by_role("img", name="高 · A 级")).to_be_visible()
    expect(found.locator(".cell-value")).to_contain_text(re.compile(r"0\.21 MPa\s*< 0\.3"))
    expect(found.locator(".trend-limit")).to_have_count(1)
    expect(found.locator(".cell-age")).to_contain_text("秒")
    expect(found).to_contain_text("无工单")


def test_from_the_gateway_to_the_screen(calm: Service, open_page: OpenPage) -> None:
    """MQTT, ingest, ledger, stream, browser: nothing of it is played."""
    page = open_page(language="en")
    calm.tell("harbour", "booster-1", {"flood": False})
    expect(page.locator("[data-alarm]")).to_have_count(0)
    calm.tell("harbour", "booster-1", {"flood": True})
    expect(page.locator("[data-alarm]")).to_contain_text("Water on the pump room floor", timeout=30_000)
    calm.tell("harbour", "booster-1", {"flood": False})


@pytest.mark.parametrize("language", ["zh", "en"])
def test_acknowledging_by_mouse(language: str, calm: Service, open_page: OpenPage) -> None:
    alarm = calm.ring(low(calm), **LOW)
    page = open_page(language=language)
    words = {"zh": ("确认", "报警已确认"), "en": ("Acknowledge", "Acknowledged")}[language]
    row(page, alarm).get_by_role("button", name=words[0], exact=True).click()
    expect(row(page, alarm).locator(".cell-state")).to_contain_text(words[1])
    expect(row(page, alarm).locator(".cell-state")).to_contain_text("值班工程师王建国")


def test_by_keyboard_alone(calm: Service, open_page: OpenPage) -> None:
    first = calm.ring(low(calm), **LOW)
    second = calm.ring(flood(calm), when="flood == 1", values={"flood": True})
    page = open_page()
    expect(page.locator("[data-alarm]")).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(row(page, second)).to_have_class(re.compile("row-current"))
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(row(page, first).locator(".cell-state")).to_contain_text("报警已确认")
    page.keyboard.press("s")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("屏蔽多久")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("/")
    expect(page.get_by_placeholder("搜索设施、规则、人员")).to_be_focused()
    page.keyboard.type("ja")  # letters in a field are letters
    expect(row(page, second)).to_have_count(0)
    page.get_by_placeholder("搜索设施、规则、人员").fill("水浸")
    expect(row(page, second)).to_be_visible()
    expect(row(page, first)).to_have_count(0)
    page.get_by_placeholder("搜索设施、规则、人员").fill("")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("键盘操作")


def test_shelving_asks_for_what_the_grade_asks_for_and_can_be_undone(calm: Service, open_page: OpenPage) -> None:
    alarm = calm.ring(low(calm), **LOW)
    page = open_page()
    row(page, alarm).get_by_role("button", name="更多操作").click()
    choose(page, "屏蔽")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("按等级最长 1 小时")
    expect(dialog.get_by_text("2 小时")).to_have_count(0)
    dialog.get_by_role("button", name="屏蔽").click()
    expect(dialog.get_by_text("请写明原因")).to_be_visible()
    dialog.get_by_label("原因").fill("检修传感器")
    dialog.get_by_role("button", name="屏蔽").click()
    expect(row(page, alarm)).to_have_count(0)
    expect(page.get_by_role("link", name="另有 1 条已屏蔽、抑制或停用")).to_be_visible()
    page.get_by_role("button", name="撤销").click()
    expect(row(page, alarm)).to_be_visible()


def test_by_finger_on_a_phone(calm: Service, open_page: OpenPage) -> None:
    alarm = calm.ring(low(calm), **LOW)
    page = open_page(width=390, touch=True)
    button = row(page, alarm).get_by_role("button", name="确认", exact=True)
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    button.tap()
    expect(row(page, alarm).locator(".cell-state")).to_contain_text("报警已确认")
    assert widest(page, 390) <= 390


def test_many_at_once_each_with_its_own_outcome(calm: Service, open_page: OpenPage) -> None:
    first = calm.ring(low(calm), **LOW)
    second = calm.ring(flood(calm), when="flood == 1", values={"flood": True})
    page = open_page()
    for alarm in (first, second):
        row(page, alarm).get_by_role("checkbox").check()
    page.route(f"**/alarms/{second}/acknowledge", lambda route: route.abort())
    page.get_by_role("toolbar").get_by_role("button", name="确认").click()
    expect(row(page, first).locator(".cell-state")).to_contain_text("报警已确认")
    refused = page.get_by_role("alert").filter(has_text="1 条未完成")
    expect(refused).to_contain_text("泵房地面水浸")
    expect(refused).to_contain_text("连接不上服务")


def test_the_second_sees_who_was_first(calm: Service, open_page: OpenPage) -> None:
    alarm = calm.ring(low(calm), **LOW)
    page = open_page()
    button = row(page, alarm).get_by_role("button", name="确认", exact=True)
    expect(button).to_be_enabled()
    # His answer comes late: meanwhile somebody else has done it.
    page.route(f"**/alarms/{alarm}/acknowledge", lambda route: (
        calm.act(lambda c: c.execute("update alarm set acknowledged_by = '李工', acknowledged_at = now() where id = %s", [alarm])),
        calm.move(low(calm), ConditionMove.ACKNOWLEDGE, actor="李工", reason="person"),
        route.continue_(),
    ))  # fmt: skip
    button.click()
    expect(page.get_by_role("alert")).to_contain_text(re.compile("李工 已在 .* 确认"))


def test_what_is_new_does_not_move_the_row_under_the_hand(calm: Service, open_page: OpenPage) -> None:
    under = calm.ring(low(calm), **LOW)
    page = open_page()
    row(page, under).hover()
    before = row(page, under).bounding_box()
    new = calm.ring(flood(calm), when="flood == 1", values={"flood": True})
    chip = page.get_by_role("button", name="↑ 1 条新报警")
    expect(chip).to_be_visible()
    assert row(page, under).bounding_box() == before
    expect(row(page, new)).to_have_count(0)
    chip.click()
    expect(row(page, new)).to_be_visible()


def test_what_ends_under_the_hand_stays_until_it_is_off(calm: Service, open_page: OpenPage) -> None:
    alarm = calm.ring(low(calm), **LOW)
    page = open_page()
    row(page, alarm).get_by_role("button", name="确认", exact=True).click()
    expect(row(page, alarm).locator(".cell-state")).to_contain_text("报警已确认")
    row(page, alarm).hover()
    calm.move(low(calm), ConditionMove.CLEAR)
    expect(row(page, alarm)).to_contain_text("已结束")
    page.locator("h1").hover()
    expect(row(page, alarm)).to_have_count(0)


def test_a_broken_stream_is_said_at_once_and_heals(calm: Service, open_page: OpenPage) -> None:
    page = open_page()
    expect(page.locator(".alarms")).to_be_visible()  # the stream may be there before the list is
    page.context.set_offline(True)
    banner = page.get_by_role("alert").filter(has_text="实时连接已断开")
    expect(banner).to_be_visible(timeout=2_000)
    expect(page.locator(".alarms-stale")).to_have_count(1)
    alarm = calm.ring(low(calm), **LOW)
    page.context.set_offline(False)
    expect(row(page, alarm)).to_be_visible()
    expect(banner).to_be_hidden()


def test_a_lost_connection_keeps_what_was_typed_and_does_nothing_twice(calm: Service, open_page: OpenPage) -> None:
    alarm = calm.ring(low(calm), **LOW)
    page = open_page()
    row(page, alarm).get_by_role("button", name="更多操作").click()
    choose(page, "备注")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("备注内容").fill("已派人查看")
    page.context.set_offline(True)
    dialog.get_by_role("button", name="备注").click()
    expect(dialog.get_by_role("alert")).to_contain_text("连接不上服务")
    expect(dialog.get_by_label("备注内容")).to_have_value("已派人查看")
    page.context.set_offline(False)
    dialog.get_by_role("button", name="备注").click()
    expect(dialog).to_be_hidden()
    row(page, alarm).locator(".cell-title").click()
    expect(page.get_by_role("dialog").get_by_text("已派人查看")).to_have_count(1)


def test_why_do_i_see_this(calm: Service, open_page: OpenPage, keep: Callable[[Page, str], None]) -> None:
    alarm = calm.ring(low(calm), **LOW)
    page = open_page()
    row(page, alarm).locator(".cell-title").click()
    drawer = page.get_by_role("dialog")
    for told in ("outlet_pressure < setpoint - 0.05", "高层住户水压不足", "1 分", "GB 50015", "经过", "setpoint"):
        expect(drawer).to_contain_text(told)
    page.close()
    # What a calendar wrote with its alarm: the pieces in words, and the way to them.
    pieces = [{"part": None, "maker": "淮海", "model": "MFZ/ABC4", "ends_on": "2026-03-05"}]
    alarm = calm.ring(flood(calm), rule="equipment_ended", pieces=pieces, more_pieces=2, more_facilities=7)
    page = open_page()
    row(page, alarm).locator(".cell-title").click()
    drawer = page.get_by_role("dialog")
    for told in ("报警时的情况", "淮海 MFZ/ABC4 · 2026-03-05 到期", "本设施另有 2 件", "本项目另有 7 处设施也到期"):
        expect(drawer).to_contain_text(told)
    keep(page, "alarm-of-the-calendar-1440-zh")
    drawer.get_by_role("link", name="查看设备").click()
    expect(page.get_by_role("tab", name="设备", selected=True)).to_be_visible()
    page.close()
    papers = [{"kind": "water_quality_test", "number": "WQ-117", "ends_on": "2026-03-05"}]
    alarm = calm.ring(crowd(calm)[0], rule="certificate_ended", certificates=papers, more_certificates=1)
    page = open_page()
    row(page, alarm).locator(".cell-title").click()
    drawer = page.get_by_role("dialog")
    for told in ("哪些证书到期", "报警时的情况", "WQ-117 · 2026-03-05 到期", "本设施另有 1 件"):
        expect(drawer).to_contain_text(told)
    keep(page, "alarm-of-a-certificate-1440-zh")
    drawer.get_by_role("link", name="查看证书").click()
    expect(page.get_by_role("tab", name="证书", selected=True)).to_be_visible()


def test_what_one_may_not_do_is_not_offered(calm: Service, open_page: OpenPage) -> None:
    alarm = calm.ring(low(calm), **LOW)
    page = open_page(login="auditor")
    expect(row(page, alarm)).to_be_visible()
    expect(row(page, alarm).locator(".cell-deeds").get_by_role("button")).to_have_count(0)
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(row(page, alarm).locator(".cell-state")).to_contain_text("报警未确认")


def test_a_flood_is_grouped_and_what_endangers_life_stands_alone(calm: Service, open_page: OpenPage) -> None:
    many = [each for each in crowd(calm) if each.rule_key == "outlet_pressure_low"][:12]
    page = open_page()
    calm.ring_many(many)
    life = calm.ring(flood(calm), priority=Priority.URGENT, when="flood == 1", values={"flood": True})
    expect(page.get_by_text("10 分钟内报警超过 10 条")).to_be_visible()
    group = page.get_by_role("button", name=re.compile("出水压力低.*12 条，未确认 12 条"))
    expect(group).to_be_visible()
    expect(row(page, life)).to_be_visible()
    expect(page.locator("[data-alarm]")).to_have_count(1)
    group.click()
    expect(page.locator("[data-alarm]")).to_have_count(13)


def test_filters_are_found_again_on_another_screen(calm: Service, open_page: OpenPage) -> None:
    alarm = calm.ring(low(calm), **LOW)
    page = open_page(login="manager")
    with page.expect_response(
        lambda answer: "/session/settings/alarms" in answer.url and answer.request.method == "PUT"
    ):
        page.get_by_label("仅未确认").check()
    elsewhere = open_page(login="manager")
    expect(elsewhere.get_by_label("仅未确认")).to_be_checked()
    expect(row(elsewhere, alarm)).to_be_visible()


COUNT_TONES = """() => {
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...when) {
    document.body.dataset.tones = `${document.body.dataset.tones ?? ''} ${this.frequency.value.toFixed(0)}`;
    return start.apply(this, when);
  };
}"""


def test_the_sound_repeats_until_somebody_acknowledges_and_never_on_return(calm: Service, open_page: OpenPage) -> None:
    page = open_page()
    body = page.locator("body")
    page.evaluate(COUNT_TONES)
    alarm = calm.ring(low(calm), **LOW)
    expect(body).to_have_attribute("data-tones", re.compile("784 988 784 988"), timeout=30_000)  # at least twice
    row(page, alarm).get_by_role("button", name="确认", exact=True).click()
    expect(page.get_by_role("link", name="0 条报警等待确认")).to_be_visible()
    heard = body.get_attribute("data-tones") or ""
    calm.move(low(calm), ConditionMove.CLEAR)
    page.locator("h1").hover()
    expect(row(page, alarm)).to_have_count(0)
    # The next thing heard is the next alarm, which has another voice.
    calm.ring(flood(calm), priority=Priority.LOW, when="flood == 1", values={"flood": True})
    expect(body).to_have_attribute("data-tones", re.compile(f"^{heard} 659"), timeout=30_000)


def test_the_shelf_says_what_is_hidden_by_whom_and_brings_it_back(calm: Service, open_page: OpenPage) -> None:
    alarm = calm.ring(low(calm), **LOW)
    page = open_page()
    row(page, alarm).get_by_role("button", name="更多操作").click()
    choose(page, "屏蔽")
    page.get_by_role("dialog").get_by_label("原因").fill("检修传感器")
    page.get_by_role("dialog").get_by_role("button", name="屏蔽").click()
    page.get_by_role("link", name=re.compile("另有 1 条")).click()
    entry = page.locator(".shelf-row")
    expect(entry).to_contain_text("值班工程师王建国")
    expect(entry).to_contain_text(re.compile("还有 2[89] 分|还有 30 分"))
    entry.get_by_role("button", name="解除屏蔽").click()
    expect(page.get_by_text("没有被屏蔽、停用或抑制的报警")).to_be_visible()


def test_two_thousand_open_alarms_stay_smooth(calm: Service, open_page: OpenPage) -> None:
    """Only what is in sight is drawn, wherever one scrolls. The rows are one that the service sent, two thousand times."""
    calm.ring(low(calm), **LOW)
    page = open_page("shelf")

    def many(route: Route) -> None:
        answer = route.fetch().json()
        [one] = answer["items"]
        answer["items"] = [{**one, "alarm": {**one["alarm"], "id": number}} for number in range(1, 2_001)]
        route.fulfill(json=answer)

    page.route("**/alarm-rows?limit=*", many)
    page.get_by_role("link", name="报警", exact=True).click()
    expect(page.get_by_text("共 2000 条未结束")).to_be_visible()
    page.get_by_role("combobox", name="归组").click()
    page.locator(".ant-select-item").filter(has_text="不归组").click()
    expect(page.locator("[data-alarm]").first).to_be_visible()
    scrolled = page.evaluate(
        """async () => {
          const list = document.querySelector('.alarm-list');
          let [frames, drawn] = [0, 0];
          const begun = performance.now();
          for (let at = 0; at < list.scrollHeight; at += list.scrollHeight / 60) {
            list.scrollTop = at;
            await new Promise(requestAnimationFrame);
            frames += 1;
            drawn = Math.max(drawn, document.querySelectorAll('[data-alarm]').length);
          }
          return { drawn, frame_ms: (performance.now() - begun) / frames };
        }"""
    )
    assert 0 < scrolled["drawn"] < 60
    print(f"{scrolled['frame_ms']:.0f} ms a frame while scrolling through 2,000 alarms")
