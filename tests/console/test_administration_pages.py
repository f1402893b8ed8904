"""The pages of whoever answers for the estate: policy, people, tokens, and the log of who did what."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.conftest import OpenPage
from tests.console.rig import Service
from tests.console.test_pages import Keep, look

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.timeout(180)]


def choose(page: Page, field: Locator, option: str) -> None:
    field.click()
    page.locator(".ant-select-dropdown:visible .ant-select-item").filter(has_text=option).click()


def test_a_clock_of_the_contract_is_decided_and_taken_back(calm: Service, open_page: OpenPage, keep: Keep) -> None:
    page = open_page("policy?site=harbour", login="manager")
    line = page.get_by_role("row", name=re.compile("^公共照明 "))
    line.first.get_by_role("button", name="8h").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("改为").fill("8 hours")
    dialog.get_by_role("button", name="决定").click()
    expect(dialog).to_contain_text("请按 15m、4h、2d、5wd 或 same_day 填写")
    expect(dialog).to_contain_text("请说明原因")
    dialog.get_by_label("改为").fill("30s")
    dialog.get_by_label("原因").fill("合同补充条款")
    look(page, keep, "policy-change", [1440, 390])
    dialog.get_by_label("改为").fill("100d")
    dialog.get_by_role("button", name="决定").click()
    # The service knows more than the form, and says it in the reader's language, beside the field.
    expect(dialog.locator(".ant-form-item").filter(has_text="改为")).to_contain_text("最长 90 天")
    dialog.get_by_label("改为").fill("4h")
    dialog.get_by_role("button", name="决定").click()
    expect(line.first).to_contain_text("本项目自定（合同：8h）")
    expect(page.get_by_role("region", name="决定记录")).to_contain_text("合同补充条款")
    look(page, keep, "policy", [1440, 390])
    line.first.get_by_role("button", name="4h").click()
    dialog.get_by_label("原因").fill("补充条款到期")
    dialog.get_by_role("button", name="恢复为 8h").click()
    expect(line.first.get_by_role("button", name="8h")).to_be_visible()
    page.get_by_role("button", name="English").click()
    look(page, keep, "policy", [1440])
    reader = open_page("policy", login="auditor")
    expect(reader.get_by_role("region", name="设施风险等级")).to_be_visible()
    expect(reader.get_by_role("button", name="更改")).to_have_count(0)


def test_a_person_comes_is_changed_and_goes(calm: Service, open_page: OpenPage, keep: Keep) -> None:
    page = open_page("people", login="admin")
    expect(page.locator(".person-row")).to_have_count(8)
    look(page, keep, "people")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="新增人员").click()
    form = page.get_by_role("dialog")
    form.get_by_label("登录名").fill("Li Lei")
    form.get_by_role("button", name="保存").click()
    expect(form).to_contain_text("用小写字母、数字")
    form.get_by_label("登录名").fill("duty")
    form.get_by_label("姓名").fill("李雷")
    choose(page, form.get_by_label("项目"), "花园小区")
    choose(page, form.get_by_label("角色"), "维修工程师")
    form.get_by_role("button", name="保存").click()
    expect(form.locator(".ant-form-item").filter(has_text="登录名")).to_contain_text("已有人使用这个登录名")
    expect(form.get_by_label("姓名")).to_have_value("李雷")
    look(page, keep, "person", [1440, 390])
    form.get_by_label("登录名").fill("lilei")
    expect(form).not_to_contain_text("已有人使用这个登录名")
    form.get_by_label("姓名").fill("管理员小陈")
    form.get_by_role("button", name="保存").click()
    expect(form.locator(".ant-form-item").filter(has_text="姓名")).to_contain_text("已有同名的人")
    form.get_by_label("姓名").fill("李雷")
    form.get_by_role("button", name="保存").click()
    told = page.get_by_role("dialog").filter(has_text="一次性密码")
    expect(told.locator(".one-time")).to_have_text(re.compile(r"^\w{5}-\w{5}-\w{5}$"))
    keep(page, "person-one-time-390-zh")
    told.get_by_role("button", name="已转告").click()
    row = page.locator(".person-row").filter(has_text="李雷")
    expect(row).to_contain_text("维修工程师")
    row.get_by_role("button", name="停用").click()
    page.get_by_role("dialog").get_by_role("button", name="停用").click()
    expect(row).to_contain_text("已停用：管理员小陈")
    log = open_page("audit-log", login="admin").locator("tbody tr").first
    expect(log.locator("dl.asked")).to_contain_text("停用")
    expect(log.locator("dl.asked del")).to_have_text("否")
    keep(log.page, "audit-log-before-1440-zh")
    page.get_by_text("角色与权限").click()
    expect(page.get_by_role("columnheader", name="值班工程师")).to_be_visible()
    look(page, keep, "roles", [1440, 390])


def test_a_token_is_shown_once_and_what_was_done_stands_in_the_log(
    calm: Service, open_page: OpenPage, keep: Keep
) -> None:
    page = open_page("tokens", login="admin", language="en")
    page.get_by_role("button", name="New token").click()
    form = page.get_by_role("dialog")
    form.get_by_role("button", name="Make the token").click()
    expect(form.get_by_text("This is needed").first).to_be_visible()
    form.get_by_label("Name of what uses it").fill("Energy dashboard")
    choose(page, form.get_by_label("Sites"), "Garden")
    page.keyboard.press("Escape")
    form.get_by_label("Expires").fill(f"{datetime.now(UTC).year + 20}-01-01T00:00")
    form.get_by_role("button", name="Make the token").click()
    expect(form.locator(".ant-form-item").filter(has_text="Expires")).to_contain_text("at most 1830 days")
    look(page, keep, "token", [1440, 390])
    form.get_by_label("Expires").fill(f"{datetime.now(UTC).year + 1}-01-01T00:00")
    form.get_by_role("button", name="Make the token").click()
    expect(page.locator(".token-secret")).to_have_text(re.compile(r"^\S{20,}$"))
    page.get_by_role("button", name="I have kept it").click()
    row = page.locator(".token-row").filter(has_text="Energy dashboard")
    look(page, keep, "tokens")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="New token").click()
    form.get_by_label("Name of what uses it").fill("Energy dashboard")
    choose(page, form.get_by_label("Sites"), "Garden")
    page.keyboard.press("Escape")
    form.get_by_role("button", name="Make the token").click()
    expect(form.locator(".ant-form-item").filter(has_text="Name of")).to_contain_text("A token of this name is in use")
    look(page, keep, "token-taken", [1440, 390])
    page.get_by_role("button", name="Close").click()
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("revoked by 管理员小陈")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("link", name="Audit log").click()
    entries = page.locator("tbody tr")
    expect(entries.first).to_contain_text("Revoked a token")
    page.get_by_label("What was done").fill("Made a tok")
    page.keyboard.press("Enter")
    expect(entries).to_have_count(1)
    expect(entries.locator("dl.asked")).to_contain_text("Energy dashboard")
    entries.get_by_text("As it was sent").click()
    expect(entries.locator("pre")).to_contain_text('"rights"')
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert "make_token" in download.value.path().read_text(encoding="utf-8")
    page.goto(f"{calm.url}/audit-log")
    expect(entries.nth(3)).to_be_visible()
    look(page, keep, "audit-log")
    page.get_by_role("button", name="中文").click()
    look(page, keep, "audit-log", [1440, 390])


def test_the_tree_of_the_estate_unfolds_and_shelving_rights_are_told(
    calm: Service, open_page: OpenPage, keep: Keep
) -> None:
    page = open_page("estate", login="manager")
    with page.expect_request(lambda request: "/facilities?site=tower" in request.url):
        page.get_by_text("云顶大厦").click()
    tower = page.locator(".branch.panel").filter(has_text="云顶大厦")
    expect(tower.locator("> summary")).to_contain_text("位置 5 · 设施")
    basement = tower.locator("details").filter(has_text="地下二层").first
    basement.locator("> summary").click()
    expect(basement.locator("> summary")).to_contain_text("设施 5")
    basement.get_by_text("生活泵房").click()
    expect(basement.get_by_role("link", name="高区生活泵组")).to_be_visible()
    look(page, keep, "estate", [1440, 390])
    basement.get_by_role("link", name="高区生活泵组").click()
    expect(page.locator(".facility-head")).to_contain_text("高区生活泵组")

    page.goto(f"{calm.url}/shelving-rights")
    longest = page.get_by_role("region", name="最长屏蔽时间")
    expect(longest.get_by_role("row", name=re.compile("^严重 "))).to_contain_text("1 小时")
    expect(longest.get_by_role("row", name=re.compile("生命安全"))).to_have_text(re.compile("(不可屏蔽){3}"))
    who = page.get_by_role("region", name="谁可以屏蔽")
    expect(who).to_contain_text("您可以屏蔽：花园小区 · 海港小区 · 云顶大厦")
    expect(who.get_by_role("row", name=re.compile("^值班工程师"))).to_contain_text("可以不可以")
    look(page, keep, "shelving-rights", [1440, 390])
    page.get_by_role("button", name="English").click()
    look(page, keep, "shelving-rights", [3840])
