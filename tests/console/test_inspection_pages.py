"""The month's inspection report as people read it, and the rounds that somebody has to sign."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from inspection.checklist import Period
from inspection.due import WindowState
from inspection.expiry import Expiry
from inspection.month import (
    CheckFigures,
    Coverage,
    ExpiringPiece,
    Figures,
    Finding,
    FindingFigures,
    KindCoverage,
    Lapse,
    PersonFigures,
    Place,
    PlanFigures,
    RoundFigures,
    Unseen,
    Unsigned,
    Words,
)
from ledger import plans, reports, rounds, signatures
from ledger.records import Severity
from ledger.round_lifecycle import RoundMove
from ledger.signatures import Part, Signer
from tests.console.conftest import OpenPage
from tests.console.rig import Connection, Service
from tests.console.test_pages import Keep, look

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.timeout(180)]

GUARD = "小李"
MONTH, AT = date(2026, 3, 1), datetime(2026, 3, 31, 16, 1, tzinfo=UTC)


def at(day: int, hour: int = 13) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def place(number: int) -> Place:
    return Place(
        facility="booster-1",
        name=Words(zh=f"{number} 号干粉灭火器", en=f"Dry powder extinguisher {number}"),
        place=Words(zh="地下一层车库 B 区", en="Garage B1, zone B"),
    )


def figures() -> Figures:
    """A month in which something of everything happened."""
    night, noon = Words(zh="夜间消防巡查", en="Night fire patrol"), Words(zh="午间巡检", en="Noon round")
    seal, needle = (
        Words(zh="铅封、保险销完好", en="Seal and pin are whole"),
        Words(zh="压力在绿区", en="Needle is in green"),
    )
    return Figures(
        site="garden",
        site_name=Words(zh="花园小区", en="Garden"),
        month=MONTH,
        grid=None,
        time_zone="Asia/Shanghai",
        made_at=AT,
        rounds=RoundFigures(
            due=62, done=55, late=3, incomplete=2, abandoned=1, missed=1, stops_due=1240, stops_visited=1198
        ),
        plans=[
            PlanFigures(plan="night", name=night, grid="一网格", officer="李工", rounds=RoundFigures(
                due=31, done=27, late=2, incomplete=1, missed=1, stops_due=620, stops_visited=590)),
            PlanFigures(plan="noon", name=noon, grid="二网格", officer="周工", rounds=RoundFigures(
                due=31, done=28, late=1, incomplete=1, abandoned=1, stops_due=620, stops_visited=608)),
        ],
        lapses=[
            Lapse(plan="night", name=night, window_from=at(4), window_until=at(4, 14), state=WindowState.FINISHED,
                  guard=GUARD, ended_at=at(4, 15), stops=20, visited=20),
            Lapse(plan="noon", name=noon, window_from=at(9), window_until=at(9, 14), state=WindowState.INCOMPLETE,
                  guard=GUARD, ended_at=at(9, 14), stops=20, visited=17),
            Lapse(plan="night", name=night, window_from=at(21), window_until=at(21, 14), state=WindowState.MISSED,
                  guard=None, ended_at=None, stops=20, visited=0),
        ],
        checks=CheckFigures(visits=1204, in_order=1180, defective=14, unfinished=6, to_review=5, struck=4),
        findings=FindingFigures(found=14, put_right=12, confirmed=11, open=2),
        finding_list=[
            Finding(at=place(3), failed=[seal], severity=Severity.WARNING, person=GUARD, scanned_at=at(2), work_order=41,
                    state="closed", put_right_at=at(3), put_right_by="张工", confirmed_by="陈经理"),
            Finding(at=place(7), failed=[seal, needle], severity=Severity.CRITICAL, person="小赵", scanned_at=at(18),
                    work_order=57, state="accepted", put_right_at=None, put_right_by=None, confirmed_by=None),
        ],
        people=[
            PersonFigures(person=GUARD, rounds=33, late=2, visits=640, found=9),
            PersonFigures(person="张工", put_right=12),
        ],
        coverage=Coverage(
            facilities=46, without_tag=2, due=92, done=90,
            kinds=[
                KindCoverage(kind="extinguisher", name=Words(zh="灭火器", en="Extinguisher"), facilities=40, due=80, done=78),
                KindCoverage(kind="indoor_hydrant", name=Words(zh="室内消火栓", en="Indoor hydrant"), facilities=6, due=12, done=12),
            ],
            unseen=[Unseen(at=place(12), period=Period.HALF_MONTH, due=2, done=1)],
        ),
        expiring=[ExpiringPiece(at=place(5), piece="消安 MFZ/ABC4", ends_on=date(2026, 4, 20), expiry=Expiry.WITHIN_30_DAYS)],
        unsigned=[Unsigned(round=1, plan="noon", name=noon, window_from=at(30), guard=GUARD, lacking=[Part.SUPERVISOR])],
    )  # fmt: skip


async def _a_month(connection: Connection, site: Any) -> tuple[int, int]:
    """An old version and a new one of the report; and a round of yesterday that its patroller signed."""

    async def issue(actor: str, reason: str | None) -> int:
        said = figures().model_dump_json()
        return await reports.issue(
            connection, site.id, month=MONTH, grid=None, figures=said, actor=actor, reason=reason, now=AT
        )

    first, second = await issue("calendar", None), await issue("陈经理", "补录 3 月 18 日整改")
    now = datetime.now(UTC)
    route = [(site.booster, 5, 5)]
    wanted = plans.Wanted(
        site.id, "signed", "设备房夜巡", "Plant rooms", None, "李工", None, "day", (), time(1), 60, False, route
    )
    plan = await plans.put(connection, wanted, actor="李工", now=now - timedelta(days=2))
    opens = now - timedelta(days=1)
    walk = await rounds.start(
        connection, site_id=site.id, plan_id=plan, window=(opens, opens + timedelta(hours=1)), guard=GUARD, now=opens
    )
    await rounds.move(connection, walk, RoundMove.FINISH, actor=GUARD, note=None, now=opens)
    await plans.retire(connection, plan, now)  # or its missed rounds would be alarms in the tests beside this one
    cursor = await connection.execute("select id from person where login = 'guard'")
    row = await cursor.fetchone()
    assert row is not None
    await signatures.sign_round(connection, walk, Part.PATROLLER, Signer(row[0], GUARD), note=None, now=opens)
    return first, second


def test_the_report_is_read_and_a_round_is_countersigned(calm: Service, open_page: OpenPage, keep: Keep) -> None:
    first, second = calm.act(lambda connection: _a_month(connection, calm.garden))
    page = open_page("inspection", login="manager")
    listed = page.get_by_role("table", name="巡检月报")
    expect(listed.get_by_role("row", name=re.compile("2026-03.*第 2 版"))).to_be_visible()
    expect(listed.get_by_role("row", name=re.compile("第 1 版 · 已有新版"))).to_be_visible()
    look(page, keep, "inspection", [1440])
    waiting = page.get_by_role("table", name="待签字的巡检").get_by_role("row", name=re.compile("设备房夜巡"))
    expect(waiting).to_contain_text("主管人员")
    waiting.get_by_role("button", name="复核签字").click()
    expect(waiting).to_have_count(0)
    listed.get_by_role("link", name="2026-03").first.click()
    expect(page.get_by_text("补录 3 月 18 日整改")).to_be_visible()
    expect(page.locator(".report-tile").first).to_contain_text("应巡 62 轮")
    expect(page.get_by_role("table", name="发现的隐患")).to_contain_text("未整改")
    look(page, keep, "report", [390, 1440])
    page.emulate_media(media="print")
    keep(page, "report-print")
    page.emulate_media(media="screen")
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF").click()
    assert download.value.suggested_filename == "garden-2026-03-v2.pdf"
    page.goto(f"{calm.url}/inspection/{first}")
    expect(page.get_by_text("这份月报已重新出具")).to_be_visible()
    assert second > first
    english = open_page(f"inspection/{second}", login="manager", language="en")
    expect(english.get_by_role("table", name="Hazards")).to_contain_text("not yet")
    keep(english, "report-1440-en")
