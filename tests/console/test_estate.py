"""The estate from the console: what was refused is accepted into it, files are looked at and written; and work permits."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.api.test_imports import yaml
from tests.console.conftest import OpenPage
from tests.console.rig import Service
from tests.console.sight import serious, widest
from tests.console.test_pages import look

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.timeout(240)]

Keep = Callable[[Page, str], None]


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).click()
    page.locator(".ant-select-dropdown:visible").get_by_text(option).first.click()


def test_an_unknown_facility_is_accepted(calm: Service, open_page: OpenPage, keep: Keep) -> None:
    values = {"outlet_pressure": 0.41, "pump_1.run": True, "pump_2.run": False, "pump_3.run": False}
    calm.tell("harbour", "booster-north", values)
    page = open_page("quarantine?site=harbour", login="manager")
    row = page.locator(".refusal-row").filter(has_text="booster-north")
    expect(row).to_be_visible(timeout=60_000)
    keep(page, "quarantine-1440-zh")
    row.get_by_role("button", name="登记到台账").click()
    drawer = page.get_by_role("dialog", name="登记设施 booster-north")
    expect(drawer).to_contain_text("不会补录")
    expect(drawer).to_contain_text("对上 4/4 个测点")
    drawer.get_by_role("button", name="登 记").or_(drawer.get_by_role("button", name="登记", exact=True)).click()
    expect(drawer.get_by_text("此处必须填写").first).to_be_visible()
    drawer.get_by_label("中文名称").fill("北区泵组")
    choose(page, "位置", "地下二层泵房")
    assert serious(page) == []
    keep(page, "quarantine-accept-1440-zh")
    drawer.get_by_role("button", name="登 记").or_(drawer.get_by_role("button", name="登记", exact=True)).click()
    expect(drawer).to_contain_text("已写入台账")
    expect(drawer).to_contain_text("+ 设施 harbour/booster-north 北区泵组")
    keep(page, "quarantine-accepted-1440-zh")


def test_files_are_looked_at_and_then_written(calm: Service, open_page: OpenPage, keep: Keep) -> None:
    page = open_page("import", login="manager", language="en")
    files = page.locator("input[type=file]")
    wrong = {"name": "estate.yaml", "mimeType": "application/yaml", "buffer": yaml(of="booster_set_3_pump")}
    files.set_input_files([wrong])  # type: ignore[list-item]
    page.get_by_role("button", name="Preview").click()
    faults = page.get_by_role("region", name="Faults: 1. Nothing was written")
    expect(faults.get_by_role("row").nth(1)).to_contain_text("booster_set_3_pumps")
    assert serious(page) == []
    keep(page, "import-faults-1440-en")
    right = {"name": "estate.yaml", "mimeType": "application/yaml", "buffer": yaml()}
    files.set_input_files([right])  # type: ignore[list-item]
    page.get_by_role("button", name="Preview").click()
    difference = page.get_by_role("region", name="What will be written")
    expect(difference).to_contain_text("+ facility garden/booster-9 Booster 9")
    assert serious(page) == []
    keep(page, "import-difference-1440-en")
    difference.get_by_role("button", name="Write it (2 things)").click()
    expect(page.get_by_text("Written into the ledger")).to_be_visible()
    page.get_by_role("button", name="Bring other files in").click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Download$")).click()
    assert download.value.suggested_filename == "garden.xlsx"
    moved = yaml().replace("九号泵组".encode(), "九号屋面泵组".encode())
    files.set_input_files([{"name": "estate.yaml", "mimeType": "application/yaml", "buffer": moved}])
    page.get_by_role("button", name="Preview").click()
    difference.get_by_role("button", name="Write it").click()
    expect(page.get_by_text("Written into the ledger")).to_be_visible()
    log = open_page("audit-log?operation=import_estate", login="admin")
    expect(log.locator("tbody tr").first.locator("del").first).to_contain_text(
        "设施 booster-9、原为 (中文名称 九号泵组)"
    )
    look(log, keep, "audit-log-import", [1440, 390])


def test_permits_and_these_pages_on_a_phone(calm: Service, open_page: OpenPage, keep: Keep) -> None:
    for path in ("permits", "quarantine", "import"):
        page = open_page(path, login="manager", width=390, touch=True)
        expect(page.locator("h1")).to_be_visible()
        assert widest(page, 390) <= 390, path
        assert serious(page) == []
        keep(page, f"{path}-390-zh")
    page.close()
    page = open_page("permits", login="manager", language="en")
    assert serious(page) == []
    keep(page, "permits-1440-en")
