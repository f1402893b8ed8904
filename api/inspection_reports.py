"""The month's inspection report: as it was issued, as page, PDF and spreadsheet; issued by hand, and again for a reason.

What is shown of an issued report is its stored figures. How it would stand now is another question, and another address.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from pydantic import Field, StringConstraints

from api import paging
from api.catalogue import CATALOGUE
from api.context import Context, InContext, needs
from api.deeds import Deed, DeedOf
from api.problems import refusals
from api.rights import Right
from api.shapes import Answered, Asked, Id, Key, Limit, Name, PageOf, Text, Word
from estate.types import service_terms
from inspection import reckoning, report_files, report_text
from inspection.month import Figures
from inspection.report_text import Document, Issue, Language
from ledger import facility_list, plans, reports
from ledger.errors import NotFound, Refused
from ledger.pool import Connection
from ledger.records import Site
from ledger.reports import Report

router = APIRouter(tags=["inspection reports"])

_NOT_IN_NAMES = re.compile(r"""[\x00-\x1f/\\:*?"<>|]""")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Month = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$"), Field(description="as in 2026-03")]
Grid = Annotated[Word | None, Field(description="网格; null: the whole site")]


class ReportsQuery(Limit):
    site: Key | None = None
    month: Month | None = None


class MonthQuery(Asked):
    site: Key
    month: Month
    grid: Grid = None


class ReportIn(Asked):
    site: Key
    month: Month
    grid: Grid = None
    reason: Annotated[Text | None, Field(description="why it is issued again; the first needs none")] = None


class LanguageQuery(Asked):
    language: Language = "zh"


class ReportLine(Answered):
    id: int
    site: str
    site_name: Name
    month: Month
    grid: str | None
    version: int
    superseded: bool = Field(description="there is a later version")
    issued_at: datetime
    issued_by: str
    reason: str | None
    sha256: str = Field(description="of its figures, as they are stored")


class ReportPage(PageOf):
    """The newest month first, in it what was issued last."""

    items: Sequence[ReportLine]


class ReportOut(Answered):
    report: ReportLine
    figures: Figures


@router.get(
    "/inspection-reports", summary="Reports that were issued", responses=refusals(), dependencies=[needs(Right.READ)]
)
async def list_inspection_reports(query: Annotated[ReportsQuery, Query()], context: InContext) -> ReportPage:
    before = paging.day_and_id(query.after)
    month = None if query.month is None else month_of(query.month)
    async with context.transaction() as connection:
        rows = await reports.page(connection, site_key=query.site, month=month, before=before, limit=query.limit + 1)
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each.month.isoformat(), each.id))
    return ReportPage(items=[_line(each) for each in shown], next=cursor)


@router.get(
    "/inspection-reports/{report}",
    summary="A report as it was issued",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def get_inspection_report(report: Id, context: InContext) -> ReportOut:
    async with context.transaction() as connection:
        return await _report(connection, report)


@router.get(
    "/inspection-reports/{report}/document.pdf",
    summary="A report to print",
    response_class=Response,
    responses={**refusals(404), 200: {"content": {"application/pdf": {}}}},
    dependencies=[needs(Right.READ)],
)
async def get_inspection_report_pdf(
    report: Id, query: Annotated[LanguageQuery, Query()], context: InContext
) -> Response:
    return await _drawn(context, report, query.language, "pdf", report_files.pdf, "application/pdf")


@router.get(
    "/inspection-reports/{report}/figures.xlsx",
    summary="A report to reckon with",
    response_class=Response,
    responses={**refusals(404), 200: {"content": {_XLSX: {}}}},
    dependencies=[needs(Right.READ)],
)
async def get_inspection_report_sheet(
    report: Id, query: Annotated[LanguageQuery, Query()], context: InContext
) -> Response:
    return await _drawn(context, report, query.language, "xlsx", report_files.spreadsheet, _XLSX)


@router.get(
    "/inspection-figures",
    summary="A month as it stands now, issued or not",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def get_inspection_figures(query: Annotated[MonthQuery, Query()], context: InContext) -> Figures:
    """Of a month that is not over: so far."""
    async with context.transaction() as connection:
        return await _reckoned(connection, context, query.site, query.month, query.grid)


@router.post(
    "/inspection-reports",
    summary="Issue the report of a month, or issue it again",
    status_code=201,
    response_model=ReportOut,
    responses=refusals(404, 409),
    dependencies=[needs(Right.REPORT)],
)
async def issue_inspection_report(asked: ReportIn, deed: DeedOf) -> Response:
    """The first of each month is issued by itself, with those of its grids; so it is by hand. Earlier versions stay as they are."""

    async def act(connection: Connection) -> ReportOut:
        site = await facility_list.find_site(connection, asked.site)
        month = month_of(asked.month)
        over_at = await reckoning.all_over_at(connection, site, month)
        if deed.now < over_at:
            raise Refused(
                f"{asked.month} is not over yet, with its last round it is at {over_at:%Y-%m-%d %H:%M} UTC: "
                "how it stands is at GET /inspection-figures"
            )
        if asked.grid is not None:
            await _require_grid(connection, asked.site, asked.grid)
        number = await _issue(connection, deed, site, asked)
        if asked.grid is None and asked.reason is None:  # with the first of the site go those of its grids
            issued = await reports.issued_months(connection, site.id, month)
            for grid in await reckoning.grids(connection, site, month):
                if (month, grid) not in issued:
                    await _issue(connection, deed, site, asked.model_copy(update={"grid": grid}))
        return await _report(connection, number)

    return await deed.do(act, status=201)


def month_of(said: str) -> date:
    return date.fromisoformat(f"{said}-01")


async def _issue(connection: Connection, deed: Deed, site: Site, asked: ReportIn) -> int:
    figures = await _reckoned(connection, deed.context, asked.site, asked.month, asked.grid)
    return await reports.issue(
        connection,
        site.id,
        month=month_of(asked.month),
        grid=asked.grid,
        figures=figures.model_dump_json(),
        actor=deed.actor,
        reason=asked.reason,
        now=deed.now,
    )


async def _require_grid(connection: Connection, site_key: str, grid: str) -> None:
    """Raises NotFound."""
    if grid not in {each.grid for each in await plans.of_site(connection, site_key, also_retired=True)}:
        raise NotFound("grid", f"{site_key}/{grid}")


async def _reckoned(connection: Connection, context: Context, site_key: str, month: str, grid: str | None) -> Figures:
    site = await facility_list.find_site(connection, site_key)
    return await reckoning.reckon(
        connection, context.book, service_terms(), site, month_of(month), grid, context.clock()
    )


async def _report(connection: Connection, number: int) -> ReportOut:
    found, figures = await reports.get(connection, number)
    return ReportOut(report=_line(found), figures=Figures.model_validate_json(figures))


async def _drawn(
    context: Context,
    number: int,
    language: Language,
    suffix: str,
    draw: Callable[[Document], bytes],
    media_type: str,
) -> Response:
    """Drawn once in each language: what was issued does not change."""
    async with context.transaction() as connection:
        found, said = await reports.get(connection, number)
    key, shelf = (found.sha256, found.id, language, suffix), context.report_shelf
    made = shelf.get(key)
    if made is None:
        made = await context.drawing_room.run(lambda: shelf.drawn(key, lambda: draw(_document(found, said, language))))
    headers = {"Content-Disposition": _named(found, suffix), "Cache-Control": "private, no-cache"}
    return Response(made, media_type=media_type, headers=headers)


def _document(found: Report, said: str, language: Language) -> Document:
    issue = Issue(found.id, found.version, found.issued_at, found.issued_by, found.reason, found.sha256)

    def word(section: str, key: str) -> str:
        text = CATALOGUE.text(section, key)
        return text.zh if language == "zh" else text.en

    return report_text.document(Figures.model_validate_json(said), issue, language, word)


def _named(found: Report, suffix: str) -> str:
    """Of a grid, by its name, which is Chinese; by the report's number for what reads no such names (RFC 6266)."""
    month, version = f"{found.month:%Y-%m}", f"v{found.version}.{suffix}"
    if found.grid is None:
        return f'attachment; filename="{found.site_key}-{month}-{version}"'
    plain = f"{found.site_key}-r{found.id}-{month}-{version}"
    full = f"{found.site_key}-{_NOT_IN_NAMES.sub('-', found.grid)}-{month}-{version}"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(full)}"


def _line(report: Report) -> ReportLine:
    return ReportLine(
        id=report.id,
        site=report.site_key,
        site_name=Name(zh=report.site_name_zh, en=report.site_name_en),
        month=f"{report.month:%Y-%m}",
        grid=report.grid,
        version=report.version,
        superseded=report.version < report.newest,
        issued_at=report.issued_at,
        issued_by=report.issued_by,
        reason=report.reason,
        sha256=report.sha256,
    )
