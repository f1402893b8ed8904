"""The audit log: who did what, when, from where, and who was refused."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api import paging
from api.context import InContext, needs
from api.problems import refusals, unacceptable
from api.rights import Right
from api.shapes import Answered, Asked, Id, Key, Limit, Moment, PageOf, Word
from api.tables import csv_file
from ledger import audit_log
from ledger.audit_log import Entry, EntryFilter

router = APIRouter(tags=["audit log"])

CSV_ROWS_MAX = 100_000


class EntryQuery(Asked):
    site: Key | None = None
    person: Id | None = None
    operation: Annotated[Word | None, Field(description="as `operationId` of openapi.json")] = None
    outcome: Literal["done", "refused"] | None = None
    begin: Annotated[Moment | None, Field(alias="from", description="at or after")] = None
    end: Annotated[Moment | None, Field(alias="until", description="before")] = None


class EntryPageQuery(EntryQuery, Limit):
    pass


class AuditEntryOut(Answered):
    id: int
    at: datetime
    person: int | None = Field(description="who was signed in; null: a machine, or nobody was recognised")
    token: str | None = Field(description="the name of the machine's token")
    actor: str = Field(description="as the journals name him")
    ip: str
    user_agent: str
    operation: str
    subject: str
    site: str | None = Field(description="null: of no site, such as a sign-in")
    asked: Mapping[str, object] | None = Field(
        description="what was asked for; `before`: what members of it were before, or roles before and after, or what an import changed; of a file its kind and size; "
        "never a password"
    )
    outcome: Literal["done", "refused"]


class EntryPage(PageOf):
    """Newest first."""

    items: Sequence[AuditEntryOut]


@router.get("/audit-log", summary="Who did what, newest first", responses=refusals(), dependencies=[needs(Right.AUDIT)])
async def list_audit_log(query: Annotated[EntryPageQuery, Query()], context: InContext) -> EntryPage:
    before = paging.number(query.after)
    async with context.transaction() as connection:
        rows = await audit_log.page(connection, _wanted(query), before_id=before, limit=query.limit + 1)
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each.id,))
    return EntryPage(items=[_entry(each) for each in shown], next=cursor)


@router.get(
    "/audit-log.csv",
    summary="The same as CSV (RFC 4180, UTF-8): all of it or a refusal, nothing cut off",
    responses={**refusals(), 200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    response_class=Response,
    dependencies=[needs(Right.AUDIT)],
)
async def list_audit_log_csv(query: Annotated[EntryQuery, Query()], context: InContext) -> Response:
    async with context.transaction() as connection:
        rows = await audit_log.page(connection, _wanted(query), limit=CSV_ROWS_MAX + 1)
    if len(rows) > CSV_ROWS_MAX:
        raise unacceptable("query.from", "too_many_rows", rows=CSV_ROWS_MAX)
    return await csv_file("audit-log.csv", list(AuditEntryOut.model_fields), (_entry(each) for each in rows))


def _wanted(query: EntryQuery) -> EntryFilter:
    return EntryFilter(
        site=query.site,
        person_id=query.person,
        operation=query.operation,
        outcome=query.outcome,
        begin=query.begin,
        end=query.end,
    )


def _entry(found: Entry) -> AuditEntryOut:
    return AuditEntryOut(
        id=found.id,
        at=found.at,
        person=found.person_id,
        token=found.token,
        actor=found.actor,
        ip=found.ip,
        user_agent=found.user_agent,
        operation=found.operation,
        subject=found.subject,
        site=found.site,
        asked=found.asked,
        outcome=found.outcome,
    )
