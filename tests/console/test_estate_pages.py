"""The pages one looks at an estate with: places, rooms and a facility; each in the widths where it differs."""

import re

import pytest
from playwright.sync_api import expect

from tests.console.conftest import OpenPage
from tests.console.rig import WIDTHS, Service
from tests.console.test_pages import Keep, look

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.timeout(180)]


def test_a_facility_is_found_and_its_room_is_drawn(calm: Service, open_page: OpenPage, keep: Keep) -> None:
    calm.ring(calm.tower.conditions["pressure"], when="outlet_pressure < setpoint", values={"outlet_pressure": 0.21})
    calm.tower_speaks()
    page = open_page("facilities")
    expect(page.get_by_text("非平层困人")).to_have_count(0)
    look(page, keep, "facilities")
    page.set_viewport_size({"width": 1440, "height": WIDTHS[1440]})
    page.get_by_label("按名称、编号或位置查找").fill("高区 泵")
    line = page.locator(".facility-line")
    expect(line).to_have_count(1)
    expect(line).to_contain_text("出水压力低")
    page.get_by_role("link", name="看机房图").click()
    expect(page.locator(".drawing-alarms")).to_contain_text("出水压力低")
    expect(page.locator(".tag-wrong")).to_have_count(1)
    look(page, keep, "room-booster")
    for room in ("power_room", "fire_pump_room", "machine_room"):
        page.goto(f"{calm.url}/rooms/tower/{room}")
        expect(page.locator(".drawing-box svg").first).to_be_visible()
        look(page, keep, f"room-{room}", [1440, 390])
    page.get_by_role("link", name="1 号客梯").click()
    expect(page.locator(".facility-head")).to_contain_text("1 号客梯")


def test_a_facility_tells_what_is_and_what_was(calm: Service, open_page: OpenPage, keep: Keep) -> None:
    alarm = calm.ring(
        calm.tower.conditions["pressure"], when="outlet_pressure < setpoint", values={"outlet_pressure": 0.21}
    )
    calm.tower_speaks()
    page = open_page("facilities/tower/booster")
    points = page.get_by_role("table", name="测点")
    expect(points.locator(".point-high")).to_contain_text("出水压力")
    expect(points.get_by_role("row", name=re.compile("双电源位置.*主电源"))).to_be_visible()
    points.get_by_label("水箱液位").check()
    legend = page.locator(".chart-legend li")
    expect(legend).to_have_count(2)
    plot = page.locator(".plot .u-over")
    expect(plot).to_be_visible()
    look(page, keep, "facility")
    page.set_viewport_size({"width": 1440, "height": WIDTHS[1440]})
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 60, steps=4)
    page.mouse.up()
    expect(page.get_by_role("button", name="看全部")).to_be_visible()
    with page.expect_download() as download:
        legend.first.get_by_role("link").click()
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert lines[0].lstrip("\ufeff").startswith("ts,")
    assert len(lines) > 10
    page.get_by_role("link", name=re.compile("出水压力低")).click()
    expect(page).to_have_url(re.compile(f"/alarms\\?alarm={alarm}$"))
    expect(page.get_by_role("dialog")).to_contain_text("outlet_pressure < setpoint")
