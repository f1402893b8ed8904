"""Certificates of a facility in a browser: registered with faults beside the field, a page of paper, replaced, withdrawn."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.api.test_work_order_papers import camera
from tests.console.conftest import OpenPage
from tests.console.rig import Service
from tests.console.sight import serious, widest

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.timeout(240)]

Keep = Callable[[Page, str], None]
AT = "facilities/garden/booster-1?tab=certificates"


def fill(form: Locator, number: str, issued: date, until: date) -> None:
    form.get_by_label("编号").fill(number)
    form.get_by_label("出具日期").fill(issued.isoformat())
    form.get_by_label("有效期至").fill(until.isoformat())


def send(form: Locator) -> None:
    form.locator(".ant-modal-footer .ant-btn-primary").click()


def test_a_certificate_is_registered_replaced_and_withdrawn(calm: Service, open_page: OpenPage, keep: Keep) -> None:
    today = date.today()  # noqa: DTZ011 - the form's own calendar
    page = open_page(AT, login="manager")
    expect(page.get_by_text("没有有效的证书")).to_be_visible()
    page.get_by_role("button", name="登记证书").click()
    form = page.get_by_role("dialog", name="登记证书")
    send(form)
    expect(form.get_by_text("必填").first).to_be_visible()
    form.get_by_label("类别").fill("水质")
    page.locator(".ant-select-dropdown:visible").get_by_text("水质检测报告").click()
    form.get_by_label("出具机构").fill("市疾控中心")
    fill(form, "WQ-117", today - timedelta(days=360), today - timedelta(days=361))
    expect(form.get_by_text("有效期不能早于出具日期")).to_be_visible()
    fill(form, "WQ-117", today + timedelta(days=9), today + timedelta(days=20))
    send(form)
    expect(form.get_by_text("出具日期不能晚于今天")).to_be_visible()  # the service says it, beside its field
    keep(page, "certificate-form-1440-zh")
    fill(form, "WQ-117", today - timedelta(days=360), today + timedelta(days=5))
    send(form)
    row = page.locator(".certificate").filter(has_text="WQ-117")
    expect(row).to_contain_text("到期，还有")
    row.locator("input[type=file]").set_input_files(
        [{"name": "wq.jpg", "mimeType": "image/jpeg", "buffer": camera()}]  # type: ignore[list-item]
    )
    expect(row.get_by_role("link", name="图片 1")).to_be_visible()
    assert serious(page) == []
    keep(page, "certificates-1440-zh")

    row.locator(".certificate-deeds button").first.click()
    form = page.get_by_role("dialog", name="新证书，接替 WQ-117")
    fill(form, "WQ-203", today, today + timedelta(days=365))
    send(form)
    new = page.locator(".certificate").filter(has_text="WQ-203")
    expect(new).to_contain_text("有效期至")
    page.get_by_text("已换新或撤回的证书（1 份）").click()
    expect(row).to_contain_text("已换新")

    new.locator(".certificate-deeds button").last.click()
    form = page.get_by_role("dialog", name="撤回证书 WQ-203")
    form.get_by_label("原因").fill("录错设施")
    send(form)
    expect(new).to_contain_text("录错设施")
    expect(row.locator(".certificate-deeds button")).to_have_count(2)  # it counts again
    page.get_by_role("tab", name="档案").click()
    expect(page.locator(".entries li").first).to_contain_text("证书与检测报告")
    expect(page.locator(".entries li").first).to_contain_text("撤回 · WQ-203 · 录错设施")

    page = open_page(AT, login="auditor", language="en", width=390, touch=True)
    expect(page.locator(".certificate").filter(has_text="WQ-117")).to_contain_text("days left")
    expect(page.get_by_role("button", name="Register a certificate")).to_have_count(0)
    assert widest(page, 390) <= 390
    assert serious(page) == []
    keep(page, "certificates-390-en")
