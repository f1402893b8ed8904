"""What strangers report of a facility whose tag they scanned: kept once, with the work order it opened or joined."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from psycopg.rows import TupleRow

from ledger.pool import Connection
from ledger.records import Grade


class PublicProblem(StrEnum):
    """What a stranger can tell without knowing the trade."""

    BLOCKED = "blocked"
    DAMAGED = "damaged"
    MISSING = "missing"
    NOT_WORKING = "not_working"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PublicReport:
    id: UUID
    site_id: int
    facility_id: int
    tag_id: int
    problem: PublicProblem
    words: str
    contact: str | None
    photo_sha256: str | None
    work_order_id: int
    opened_order: bool
    received_at: datetime


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """A report with the facility it is about."""

    report: PublicReport
    site_key: str
    facility_key: str
    facility_name_zh: str
    facility_name_en: str
    grade: Grade


async def take_turn(connection: Connection, report_id: UUID) -> PublicReport | None:
    """The report of this id, if it was kept; else nobody else keeps one of this id until the transaction ends."""
    await connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"public report {report_id}"])
    return await find(connection, report_id)


async def find(connection: Connection, report_id: UUID) -> PublicReport | None:
    cursor = await connection.execute(
        "select id, site_id, facility_id, tag_id, problem, words, contact, photo_sha256, work_order_id, opened_order, "
        "received_at from public_report where id = %s",
        [report_id],
    )
    row = await cursor.fetchone()
    return None if row is None else _report(row)


async def keep(connection: Connection, report: PublicReport) -> None:
    await connection.execute(
        "insert into public_report (id, site_id, facility_id, tag_id, problem, words, contact, photo_sha256, "
        "work_order_id, opened_order, received_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            report.id,
            report.site_id,
            report.facility_id,
            report.tag_id,
            report.problem,
            report.words,
            report.contact,
            report.photo_sha256,
            report.work_order_id,
            report.opened_order,
            report.received_at,
        ],
    )


async def standing(connection: Connection, facility_id: int) -> tuple[int, datetime] | None:
    """The oldest unresolved work order that a stranger opened here or joined, and when it was first reported."""
    cursor = await connection.execute(
        "select work_order_id, min(received_at) from public_report join work_order on work_order.id = work_order_id "
        "where public_report.facility_id = %s and resolved_at is null and ended_at is null "
        "group by work_order_id order by work_order_id limit 1",
        [facility_id],
    )
    row = await cursor.fetchone()
    return None if row is None else (int(row[0]), row[1])


async def page(
    connection: Connection,
    *,
    site_key: str | None = None,
    work_order_id: int | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> list[ReportEntry]:
    """Newest first."""
    cursor = await connection.execute(
        "select report.id, report.site_id, report.facility_id, tag_id, problem, words, contact, photo_sha256, "
        "work_order_id, opened_order, received_at, site.key, facility.key, facility.name_zh, facility.name_en, grade "
        "from public_report as report join site on site.id = report.site_id "
        "join facility on facility.id = report.facility_id "
        "where (%(site)s::text is null or site.key = %(site)s) "
        "and (%(order)s::bigint is null or work_order_id = %(order)s) "
        "and (%(at)s::timestamptz is null or (received_at, report.id) < (%(at)s, %(id)s::uuid)) "
        "order by received_at desc, report.id desc limit %(limit)s",
        {
            "site": site_key,
            "order": work_order_id,
            "at": None if before is None else before[0],
            "id": None if before is None else before[1],
            "limit": limit,
        },
    )
    return [ReportEntry(_report(row[:11]), row[11], row[12], row[13], row[14], Grade(row[15])) async for row in cursor]


def _report(row: TupleRow) -> PublicReport:
    fields = list(row)
    fields[4] = PublicProblem(row[4])
    return PublicReport(*fields)
