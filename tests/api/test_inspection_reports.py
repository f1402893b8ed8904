"""A month whose rounds are known, and its report: exact, issued once by itself, frozen, issued again for a reason."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import openpyxl
import psycopg
import pytest
from fastapi import FastAPI

from api.report_watch import ReportWatch
from inspection import report_files
from inspection.report_shelf import Shelf
from inspection.report_text import Document, Table
from ledger.pool import API_ROLE, open_pool
from tests.api import busy
from tests.api.conftest import BOOK, Estate, StandingClock, client_of
from tests.api.employed import employ, signed_in
from tests.api.test_inspection_rounds import PLAN
from tests.api.test_inspections import all_well, issued, send, visit, with_photo
from tests.small_estate import NOON

Owner = psycopg.AsyncConnection[Any]
MIDNIGHT = datetime(2026, 3, 31, 16, tzinfo=UTC)  # of the first of April, at the site
SUNDAYS = [NOON + timedelta(weeks=each) for each in range(5)]  # 1, 8, 15, 22 and 29 March, 20:00 at the site
ROUNDS = {"due": 5, "done": 1, "late": 1, "incomplete": 1, "abandoned": 1, "missed": 1, "walking": 0,
          "stops_due": 10, "stops_visited": 5}  # fmt: skip


class Month:
    """March, as it was walked: in time, late, with a stop left out, broken off, and not at all."""

    def __init__(self, app: FastAPI, office: httpx.AsyncClient, clock: StandingClock) -> None:
        self.app, self.office, self.clock = app, office, clock
        self.guard = client_of(app, **{"X-Actor": quote("王保安")})
        self.engineer = client_of(app, **{"X-Actor": quote("张工")})
        self.codes: dict[str, str] = {}
        self.well: dict[str, Any] = {}
        self.rounds: list[int] = []
        self.orders: list[str] = []

    async def begin(self) -> None:
        plan = PLAN | {"period": "week", "days": [7], "stops": [{"facility": "ext-1"}, {"facility": "ext-2"}]}
        assert (await self.office.post("/inspection-plans", json=plan)).status_code == 200
        self.codes = {key: await issued(self.office, key) for key in ("ext-1", "ext-2")}
        self.well = await all_well(self.office)

    async def walk(self, sunday: int, *stops: str, failed: str = "", minutes: float = 0, end: str = "finish") -> None:
        guard, self.clock.now = self.guard, SUNDAYS[sunday]
        started = await guard.post("/inspection-rounds", json={"site": "garden", "plan": "noon"})
        assert started.status_code == 201, started.text
        number = int(started.json()["id"])
        for key in stops:
            self.clock.advance(minutes=3)
            answers = self.well | ({"seal_pin": False} if key == failed else {})
            seen = visit(self.codes[key], answers, self.clock.now, round=number, facility=key)
            (told,) = await send(guard, seen | await with_photo(self.office), sent_at=self.clock.now.isoformat())
            assert told["outcome"] == ("defective" if key == failed else "in_order"), told
            self.orders += [] if told["work_order"] is None else [f"/work-orders/{told['work_order']['id']}"]
        self.clock.advance(minutes=minutes)
        ended = await guard.post(f"/inspection-rounds/{number}/{end}", json={"note": "说明"})
        assert ended.status_code == 200, ended.text
        self.rounds.append(number)

    async def put_right(self, order: str) -> None:
        await self.office.post(f"{order}/dispatch", json={"assignee": "张工"})
        for step in ("accept", "arrive", "resolve"):
            self.clock.advance(minutes=5)
            assert (await self.engineer.post(f"{order}/{step}")).status_code == 200
        self.clock.advance(minutes=5)
        async with signed_in(self.app, "manager") as manager:
            assert (await manager.post(f"{order}/confirm")).status_code == 200


@pytest.fixture
async def march(
    app: FastAPI,
    client: httpx.AsyncClient,
    clock: StandingClock,
    owner: Owner,
    estate: Estate,
    extinguishers: list[str],
) -> AsyncIterator[Month]:
    staff = {"guard": ("王保安", "patrol_guard"), "manager": ("陈经理", "project_manager")}
    month = Month(app, client, clock)
    for days, facility in ((20, "ext-1"), (90, "ext-2")):
        await owner.execute(
            "insert into asset (site_id, facility_id, maker, model, manufactured_on, installed_on, expected_end_on) "
            "select site_id, id, '消安', 'MFZ/ABC4', '2016-04-01', '2016-05-01', %s from facility where key = %s",
            [(MIDNIGHT + timedelta(days=days)).date(), facility],
        )
    await month.begin()
    for login, (name, role) in staff.items():
        await employ(owner, login, name, {estate.garden.id: [role]})
    async with month.guard, month.engineer:
        await month.walk(0, "ext-1", "ext-2", failed="ext-1")
        await month.put_right(month.orders[0])
        for login, how in (("guard", "sign"), ("manager", "countersign")):
            async with signed_in(app, login) as signer:
                signed = await signer.post(f"/inspection-rounds/{month.rounds[0]}/{how}")
                assert signed.status_code == 200, signed.text
        await month.walk(1, "ext-1", "ext-2", failed="ext-2", minutes=60)
        await month.walk(2, "ext-1")
        await month.walk(3, end="abandon")
        clock.now = MIDNIGHT
        yield month


async def reports(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    return list((await client.get("/inspection-reports", params={"site": "garden"})).json()["items"])


async def test_a_month_of_known_rounds_gives_exact_figures_for_ever(
    march: Month, client: httpx.AsyncClient, estate: Estate, owner: Owner
) -> None:
    watch: ReportWatch = march.app.state.report_watch
    march.clock.now = MIDNIGHT - timedelta(seconds=1)
    await watch.look([0, estate.garden.id, estate.harbour.id])
    assert await reports(client) == []
    march.clock.now = MIDNIGHT
    await watch.look([0, estate.garden.id, estate.harbour.id])
    await watch.look([0, estate.garden.id, estate.harbour.id])
    issued_ones = await reports(client)
    assert [(each["month"], each["grid"], each["version"], each["issued_by"]) for each in issued_ones] == [
        ("2026-03", "一网格", 1, "calendar"),
        ("2026-03", None, 1, "calendar"),
    ]
    first = f"/inspection-reports/{issued_ones[1]['id']}"
    told = (await client.get(first)).json()
    figures = told["figures"]
    assert figures["rounds"] == ROUNDS
    assert [(each["plan"], each["officer"], each["rounds"]) for each in figures["plans"]] == [("noon", "李工", ROUNDS)]
    assert [(each["state"], each["guard"], each["visited"]) for each in figures["lapses"]] == [
        ("finished", "王保安", 2),
        ("incomplete", "王保安", 1),
        ("abandoned", "王保安", 0),
        ("missed", None, 0),
    ]
    assert figures["checks"] | {"to_review": 0} == {
        "visits": 5, "in_order": 3, "defective": 2, "unfinished": 0, "unjudged": 0, "to_review": 0, "struck": 0,
    }  # fmt: skip
    assert figures["findings"] == {"found": 2, "put_right": 1, "confirmed": 1, "open": 1}
    assert [
        (each["at"]["facility"], each["failed"][0]["zh"], each["put_right_by"], each["confirmed_by"])
        for each in figures["finding_list"]
    ] == [("ext-1", "铅封、保险销完好", "张工", "陈经理"), ("ext-2", "铅封、保险销完好", None, None)]
    assert figures["people"] == [
        {"person": "张工", "rounds": 0, "late": 0, "visits": 0, "found": 0, "put_right": 1},
        {"person": "王保安", "rounds": 2, "late": 1, "visits": 5, "found": 2, "put_right": 0},
    ]
    coverage = figures["coverage"]  # half-monthly, for they hang in a basement; nobody came in the second half
    assert (coverage["facilities"], coverage["due"], coverage["done"], coverage["without_tag"]) == (2, 4, 2, 3)
    assert [(each["at"]["facility"], each["due"], each["done"]) for each in coverage["unseen"]] == [
        ("ext-1", 2, 1),
        ("ext-2", 2, 1),
    ]
    assert [(each["at"]["facility"], each["interval"], each["expiry"]) for each in figures["expiring"]] == [
        ("ext-1", "service", "ended"),  # nobody ever put one on record
        ("ext-2", "service", "ended"),
        ("ext-1", "life", "within_30_days"),
    ]
    assert [(each["round"], each["lacking"]) for each in figures["unsigned"]] == [
        (number, ["patroller", "supervisor"]) for number in march.rounds[1:]
    ]
    await _later_changes_and_a_second_version(march, client, owner, first, told)


async def _later_changes_and_a_second_version(
    march: Month, client: httpx.AsyncClient, owner: Owner, first: str, told: dict[str, Any]
) -> None:
    march.clock.advance(days=2)
    files = [(await client.get(f"{first}/{name}")).content for name in ("document.pdf", "figures.xlsx")]
    await march.put_right(march.orders[1])
    await owner.execute("update facility set name_zh = '改名' where key = 'ext-1'")
    await client.post("/inspection-plans/garden/noon/retire")
    assert (await client.get(first)).json() == told
    assert (
        march.app.state.service.report_shelf.get((told["report"]["sha256"], told["report"]["id"], "zh", "pdf"))
        == files[0]
    )
    march.app.state.service = replace(march.app.state.service, report_shelf=Shelf())  # as after a restart
    assert (await client.get(f"{first}/document.pdf")).content == files[0]
    assert _cells((await client.get(f"{first}/figures.xlsx")).content) == _cells(files[1])
    asked = {"site": "garden", "month": "2026-03"}
    async with signed_in(march.app, "guard") as guard, signed_in(march.app, "manager") as manager:
        assert (await guard.post("/inspection-reports", json=asked)).status_code == 403
        without = await manager.post("/inspection-reports", json=asked)
        assert (without.status_code, "why" in without.json()["detail"]) == (422, True)
        again = await manager.post("/inspection-reports", json=asked | {"reason": "隐患已整改"})
    assert again.status_code == 201, again.text
    assert (again.json()["report"]["version"], again.json()["report"]["issued_by"]) == (2, "陈经理")
    assert again.json()["figures"]["findings"] == {"found": 2, "put_right": 2, "confirmed": 2, "open": 0}
    assert again.json()["figures"]["rounds"] == ROUNDS
    old = (await client.get(first)).json()
    assert old["report"].pop("superseded")
    assert not told["report"].pop("superseded")
    assert old == told
    with pytest.raises(psycopg.errors.RestrictViolation):
        await owner.execute("update inspection_report set figures = '{}'")


def _cells(book: bytes) -> list[list[tuple[Any, ...]]]:
    return [list(sheet.values) for sheet in openpyxl.load_workbook(io.BytesIO(book))]


async def test_two_processes_at_midnight_make_one(
    march: Month, client: httpx.AsyncClient, estate: Estate, database_url: str
) -> None:
    book, sites = BOOK, [estate.garden.id, estate.harbour.id]
    async with open_pool(database_url, role=API_ROLE) as one, open_pool(database_url, role=API_ROLE) as other:
        watches = [ReportWatch(pool, book, march.clock) for pool in (one, other)]
        await asyncio.gather(*(each.look(sites) for each in watches for _ in range(3)))
        assert len(await reports(client)) == 2  # the site and its grid
        march.clock.now += timedelta(days=70)  # nobody was running in between
        await asyncio.gather(*(each.look(sites) for each in watches))
        await watches[0].look(sites)
    found = {(each["month"], each["grid"], each["version"]) for each in await reports(client)}
    assert found == {(month, grid, 1) for month in ("2026-03", "2026-04", "2026-05") for grid in (None, "一网格")}


async def test_a_site_that_others_hold_keeps_no_report_of_the_rest(
    march: Month,
    client: httpx.AsyncClient,
    app: FastAPI,
    estate: Estate,
    owner: psycopg.AsyncConnection[Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    await busy.hold(owner, estate.harbour.id)
    await app.state.report_watch.look([estate.harbour.id, estate.garden.id])
    assert len(await reports(client)) == 2
    assert f"no inspection report of site {estate.harbour.id} is issued meanwhile" in caplog.text


async def test_it_waits_for_the_last_round_that_began_in_the_month(
    client: httpx.AsyncClient, app: FastAPI, estate: Estate, clock: StandingClock
) -> None:
    await client.post("/inspection-plans", json=PLAN | {"starts_at": "23:00", "window_min": 180})
    watch: ReportWatch = app.state.report_watch
    clock.now = MIDNIGHT + timedelta(hours=1, minutes=59)
    await watch.look([estate.garden.id])
    by_hand = await client.post("/inspection-reports", json={"site": "garden", "month": "2026-03"})
    assert (by_hand.status_code, "it is at 2026-03-31 18:00 UTC" in by_hand.json()["detail"]) == (409, True)
    assert await reports(client) == []
    clock.advance(minutes=1)
    await watch.look([estate.garden.id])
    assert len(await reports(client)) == 2


async def test_who_issues_a_month_by_hand_first_issues_its_grids_too(
    march: Month, client: httpx.AsyncClient, estate: Estate
) -> None:
    """Or nobody would: the watch looks at the whole site's."""
    asked = {"site": "garden", "month": "2026-03"}
    assert (await client.post("/inspection-reports", json=asked)).json()["report"]["grid"] is None
    watch: ReportWatch = march.app.state.report_watch
    await watch.look([estate.garden.id])
    found = sorted((each["grid"] or "", each["version"], each["issued_by"]) for each in await reports(client))
    assert found == [("", 1, "王班长"), ("一网格", 1, "王班长")]


async def test_a_month_that_is_not_over_is_shown_so_far_and_not_issued(march: Month, client: httpx.AsyncClient) -> None:
    march.clock.now = SUNDAYS[3]
    asked = {"site": "garden", "month": "2026-03"}
    so_far = (await client.get("/inspection-figures", params=asked)).json()
    assert so_far["rounds"]["due"] == 4  # the fourth was ended already
    refused = await client.post("/inspection-reports", json=asked)
    assert (refused.status_code, "not over yet" in refused.json()["detail"]) == (409, True)
    march.clock.now = MIDNIGHT
    of_grid = (await client.get("/inspection-figures", params=asked | {"grid": "二网格"})).json()
    assert (of_grid["rounds"]["due"], of_grid["checks"]["visits"], of_grid["coverage"]["due"]) == (0, 0, 0)
    assert (await client.post("/inspection-reports", json=asked | {"month": "2026-13"})).status_code == 422
    assert (await client.post("/inspection-reports", json=asked | {"grid": "二网格"})).status_code == 404


async def test_it_is_printed_in_both_languages_and_reckoned_with(march: Month, client: httpx.AsyncClient) -> None:
    asked = {"site": "garden", "month": "2026-03"}
    number = (await client.post("/inspection-reports", json=asked)).json()["report"]["id"]
    for language, words in (("zh", "消防巡检月报"), ("en", "Monthly inspection report")):
        answer = await client.get(f"/inspection-reports/{number}/document.pdf", params={"language": language})
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")
        sheet = await client.get(f"/inspection-reports/{number}/figures.xlsx", params={"language": language})
        book = openpyxl.load_workbook(io.BytesIO(sheet.content))
        assert book.sheetnames[0] == words
        summary = dict(book.worksheets[1].values)
        assert summary["应巡轮次" if language == "zh" else "Rounds due"] == 5
    assert answer.headers["content-disposition"] == 'attachment; filename="garden-2026-03-v1.pdf"'
    issued = (await client.get("/inspection-reports", params={"site": "garden"})).json()["items"]
    (of_grid,) = [each["id"] for each in issued if each["grid"] == "一网格"]
    answer = await client.get(f"/inspection-reports/{of_grid}/figures.xlsx")
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="garden-r{of_grid}-2026-03-v1.xlsx"; '
        f"filename*=UTF-8''garden-{quote('一网格')}-2026-03-v1.xlsx"
    )


def test_a_text_in_a_spreadsheet_is_no_formula() -> None:
    table = Table("t", ["a"], [1], [["=1+1"], [2]], "-")
    book = openpyxl.load_workbook(io.BytesIO(report_files.spreadsheet(Document("d", [("x", "=2")], [table], "f"))))
    cell = book.worksheets[1]["A2"]
    assert (cell.value, cell.data_type, book.worksheets[1]["A3"].value) == ("=1+1", "s", 2)
