"""What the calendar raised, as a duty engineer meets it: one worry in one line, on the desk, on a phone and on the wall."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from ledger import conditions
from ledger.lifecycle import ConditionMove
from ledger.records import Condition, ConditionSpec, Priority, Severity
from tests.console.conftest import OpenPage
from tests.console.rig import Connection, Service
from tests.console.sight import cut, widest
from tests.console.test_alarms import LOW, low, row

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture
def ended(calm: Service) -> Iterator[list[int]]:
    """Fifteen extinguishers of the garden, each in a place of its own, that have ended: an alarm of the calendar for each."""

    async def hang(connection: Connection) -> list[Condition]:
        garden = calm.garden
        await connection.execute(
            "insert into location (site_id, key, name_zh, name_en) "
            "select %s, 'lobby-' || n, n || '号楼大堂', 'Lobby ' || n from generate_series(1, 15) n",
            [garden.id],
        )
        cursor = await connection.execute(
            "insert into facility (site_id, location_id, key, kind, grade, name_zh, name_en) "
            "select site_id, id, key || '-extinguisher', 'extinguisher', 'B', name_zh || '灭火器', name_en || ' extinguisher' "
            "from location where site_id = %s and key like 'lobby-%%' returning id",
            [garden.id],
        )
        specs = [
            ConditionSpec(facility, None, "equipment_ended", Severity.WARNING)
            for (facility,) in await cursor.fetchall()
        ]
        found = await conditions.ensure(connection, garden.id, specs)
        return [each for each in found if each.rule_key == "equipment_ended"]

    yield calm.ring_many(calm.act(hang), Priority.MEDIUM)
    calm.everything_ends()
    calm.act(lambda c: c.execute("update facility set retired_at = now() where key like 'lobby-%%-extinguisher'"))


def test_what_the_calendar_raised_is_one_line_behind_what_is_wrong_now(
    calm: Service, ended: list[int], open_page: OpenPage, keep: Callable[[Page, str], None]
) -> None:
    calm.ring(low(calm), priority=Priority.LOW, **LOW)
    calm.move(low(calm), ConditionMove.ACKNOWLEDGE, actor="李工", reason="person")
    told = re.compile("花园小区 · 消防器材已到期.*15 条，未确认 15 条")
    page = open_page()
    heading = page.get_by_role("button", name=told)
    expect(heading).to_be_visible()
    expect(page.locator(".alarm-line").first).to_contain_text("出水压力低")
    expect(page.locator("[data-alarm]")).to_have_count(1)
    expect(page.get_by_text("10 分钟内报警超过 10 条")).to_have_count(0)
    keep(page, "alarms-of-the-calendar-1440-zh")
    heading.click()
    expect(row(page, ended[0])).to_contain_text("大堂灭火器")
    expect(page.locator("[data-alarm]")).to_have_count(1 + len(ended))
    phone = open_page(width=390, touch=True)
    expect(phone.get_by_role("button", name=told)).to_be_visible()
    assert widest(phone, 390) <= 390
    keep(phone, "alarms-of-the-calendar-390-zh")
    assert cut(phone, ".group-words > *") == [], "how many stands on the phone too"
    keep(phone, "alarms-of-the-calendar-390-zh")
    wall = open_page("wall")
    expect(wall.locator(".worst-row")).to_have_count(2)
    expect(wall.locator(".worst-row").first).to_contain_text("出水压力低")
    expect(wall.locator(".worst-row").last).to_contain_text(re.compile("消防器材已到期.*花园小区.*15 条，未确认 15 条"))
    keep(wall, "wall-of-the-calendar-1440-zh")
