"""The pages one looks at an estate with: the wall, places, rooms and a facility; each in the widths where it differs."""

import re
from datetime import date
from typing import Any

import psycopg
import pytest
from playwright.sync_api import expect

from ledger import inventory
from ledger.records import Priority
from tests.console.conftest import OpenPage
from tests.console.rig import WIDTHS, Service
from tests.console.sight import serious, widest
from tests.console.test_alarms import LOW, flood, low
from tests.console.test_pages import Keep, look

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.timeout(180)]


def test_the_wall_tells_from_three_metres_what_is_wrong(calm: Service, open_page: OpenPage, keep: Keep) -> None:
    calm.ring(calm.tower.conditions["trapped"], priority=Priority.URGENT, ago_s=75)
    calm.ring(flood(calm), ago_s=600)
    calm.ring(low(calm), priority=Priority.MEDIUM, **LOW)
    page = open_page("wall", width=3840)
    expect(page.locator(".count").filter(has_text="A 级").locator(".count-figure")).to_contain_text("3")
    expect(page.locator(".worst-row").first).to_contain_text("非平层困人")
    room = page.locator(".tile").filter(has_text="电梯机房")
    expect(room).to_have_class(re.compile("is-urgent is-unanswered"))
    expect(page.locator(".tile").filter(has_text="消防泵房")).to_have_class(re.compile("is-quiet"))
    look(page, keep, "wall")
    page.get_by_role("button", name="深色或浅色").click()
    expect(page.locator(".wall-dark")).to_be_visible()
    look(page, keep, "wall-dark", [1440])
    page.get_by_role("button", name="English").click()
    look(page, keep, "wall-dark", [3840, 390])
    page.context.set_offline(True)
    expect(page.locator(".wall-old")).to_be_visible()
    calm.everything_ends()
    page.context.set_offline(False)
    expect(page.get_by_text("There is no alarm now")).to_be_visible()
    expect(page.locator(".wall-old")).to_have_count(0)


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
    page.locator(".open-row").hover()
    assert serious(page) == []  # the pointer's colour is to be read as well
    points.get_by_label("水箱液位").check()
    legend = page.locator(".chart-legend li")
    expect(legend).to_have_count(2)
    plot = page.locator(".plot .u-over")
    expect(plot).to_be_visible()
    look(page, keep, "facility")
    page.set_viewport_size({"width": 1440, "height": WIDTHS[1440]})
    # It is drawn anew for its new width: what was there before is waited out by whatever waits for it to stand still.
    plot.hover(position={"x": 120, "y": 40})
    page.mouse.down()
    plot.hover(position={"x": 320, "y": 60})
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


def test_a_limit_is_set_with_a_reason_and_goes_into_the_dossier(calm: Service, open_page: OpenPage, keep: Keep) -> None:
    page = open_page("facilities/tower/booster?tab=rules", login="manager")
    row = page.get_by_role("row", name=re.compile("水箱低液位"))
    row.get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("新值").fill("900")
    expect(dialog).to_contain_text("范围 5 到 80 %")
    expect(dialog.get_by_role("button", name="生效")).to_be_disabled()
    dialog.get_by_label("新值").fill("35")
    dialog.get_by_label("原因").fill("夏季用水高峰")
    look(page, keep, "facility-limit", [390, 1440])
    dialog.get_by_role("button", name="生效").click()
    expect(row).to_contain_text("项目经理周岚")
    expect(row).to_contain_text("夏季用水高峰")
    page.get_by_label("查找规则").fill("水箱超低")
    expect(page.locator(".rule > summary").first).to_contain_text("水箱")
    look(page, keep, "facility-rules", [1440, 390])
    page.get_by_role("tab", name="档案").click()
    expect(page.locator(".chain")).to_contain_text("校验链完整")
    expect(page.locator(".entries li").first).to_contain_text("水箱低液位 · 35 · 项目经理周岚 · 夏季用水高峰")
    look(page, keep, "facility-dossier", [1440, 390])
    page.get_by_role("button", name="English").click()
    page.get_by_role("tab", name="Assets").click()
    expect(page.get_by_role("cell", name="Helix V 2210")).to_be_visible()
    look(page, keep, "facility-assets", [390, 1440, 3840])


def test_a_service_of_an_extinguisher_is_put_on_record(calm: Service, open_page: OpenPage, keep: Keep) -> None:
    async def hung(connection: psycopg.AsyncConnection[Any]) -> None:
        cursor = await connection.execute(
            "insert into facility (site_id, location_id, key, kind, grade, name_zh, name_en, type_key) "
            "values (%s, %s, 'ext-water', 'extinguisher', 'B', '水基灭火器', 'Water extinguisher', 'extinguisher_water') returning id",
            [calm.garden.id, calm.garden.room],
        )
        row = await cursor.fetchone()
        assert row is not None
        piece = inventory.AssetEntry(None, "淮海", "MPT/6", None, date(2023, 1, 1), date(2024, 1, 1), date(2029, 1, 1))
        await inventory.put_asset(connection, site_id=calm.garden.id, facility_id=row[0], entry=piece)

    calm.act(hung)
    page = open_page("facilities/garden/ext-water?tab=assets", login="manager")
    row = page.locator(".assets tbody tr")
    expect(row).to_contain_text("2026-01-01 前送修")
    page.get_by_role("button", name="登记维修").click()
    page.get_by_label("维修日期").fill("2026-02-20")
    page.get_by_label("维修单位").fill("淮海消防")
    assert serious(page) == []
    keep(page, "service-1440-zh")
    page.get_by_role("button", name="登 记").or_(page.get_by_role("button", name="登记", exact=True)).click()
    expect(row).to_contain_text("2027-02-20 前送修 · 上次 2026-02-20")
    reader = open_page("facilities/garden/ext-water?tab=assets", login="auditor", language="en", width=390, touch=True)
    expect(reader.locator(".assets tbody tr")).to_contain_text("by 2027-02-20 · last 2026-02-20")
    expect(reader.get_by_role("button", name="Record a service")).to_have_count(0)
    assert widest(reader, 390) <= 390
    keep(reader, "service-390-en")
