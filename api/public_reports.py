"""What strangers reported of facilities whose tags they scanned, for those who deal with it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from api import paging
from api.catalogue import CATALOGUE
from api.context import Context, InContext, needs
from api.problems import refusals
from api.rights import Right
from api.shapes import Answered, FacilityRef, Id, Key, Limit, Name, PageOf
from ledger import public_reports
from ledger.public_reports import PublicProblem, ReportEntry

router = APIRouter(tags=["public reports"])


class PublicReportOut(Answered):
    id: UUID
    site: str
    facility: FacilityRef
    problem: PublicProblem
    problem_name: Name
    words: str = Field(description="theirs; empty: the problem says it")
    contact: str | None = Field(description="theirs, if they gave one; told to whoever dispatches or works on orders")
    photo: str | None = Field(description="its SHA-256: /inspections/photos/{site}/{sha256}")
    work_order: int
    opened_order: bool = Field(description="false: it was added to one that was open")
    received_at: datetime


class PublicReportPage(PageOf):
    """Newest first."""

    items: Sequence[PublicReportOut]


class PublicReportQuery(Limit):
    site: Key | None = None
    work_order: Id | None = None


@router.get(
    "/public-reports",
    summary="What people reported who scanned a tag and are not signed in",
    responses=refusals(),
    dependencies=[needs(Right.READ)],
)
async def list_public_reports(query: Annotated[PublicReportQuery, Query()], context: InContext) -> PublicReportPage:
    before = paging.moment_and_uuid(query.after)
    async with context.transaction() as connection:
        rows = await public_reports.page(
            connection, site_key=query.site, work_order_id=query.work_order, before=before, limit=query.limit + 1
        )
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each.report.received_at, str(each.report.id)))
    return PublicReportPage(items=[_out(each, context) for each in shown], next=cursor)


def _out(entry: ReportEntry, context: Context) -> PublicReportOut:
    report = entry.report
    rights = context.asking.principal.holding.rights_at(report.site_id)
    return PublicReportOut(
        id=report.id,
        site=entry.site_key,
        facility=FacilityRef.of(entry),
        problem=report.problem,
        problem_name=CATALOGUE.text("public_problem", report.problem),
        words=report.words,
        contact=report.contact if rights & {Right.ASSIGN, Right.WORK} else None,
        photo=report.photo_sha256,
        work_order=report.work_order_id,
        opened_order=report.opened_order,
        received_at=report.received_at,
    )
