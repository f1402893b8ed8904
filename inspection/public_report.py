"""What a stranger says of a facility whose tag he scanned: a work order of source *public*, or a note in one that is open.

Anybody may say anything, so what he says opens at most one order at a time at a facility, and moves no clock, no
priority and no suspension of an order that is there: whoever deals with it reads the note and decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from inspection.checklist import Book
from ledger import dossier, public_reports, work_orders
from ledger.pool import Connection
from ledger.public_reports import PublicProblem, PublicReport
from ledger.records import Facility, Severity, Site, WorkOrder
from ledger.work_orders import Act
from rules import response
from rules.response import AlarmFacts, ResponseTable

ACTOR, PUBLIC_REPORT = "public", "public_report"
_WORK_CLASS_UNKNOWN = "general"
TITLES: Mapping[PublicProblem, tuple[str, str]] = {
    PublicProblem.BLOCKED: ("公众报修：被占用、遮挡", "Reported by the public: blocked or covered"),
    PublicProblem.DAMAGED: ("公众报修：损坏、泄漏", "Reported by the public: damaged or leaking"),
    PublicProblem.MISSING: ("公众报修：缺失", "Reported by the public: missing"),
    PublicProblem.NOT_WORKING: ("公众报修：不能正常工作", "Reported by the public: does not work"),
    PublicProblem.OTHER: ("公众报修：其他问题", "Reported by the public: another problem"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """A form as it was filled in, within its bounds."""

    id: UUID
    problem: PublicProblem
    words: str
    contact: str | None
    photo_sha256: str | None


@dataclass(frozen=True, slots=True)
class Where:
    site: Site
    facility: Facility
    tag_id: int


async def keep(
    connection: Connection, book: Book, table: ResponseTable, where: Where, said: Said, now: datetime
) -> PublicReport:
    """Sent twice, it is kept once."""
    known = await public_reports.take_turn(connection, said.id)
    if known is not None:
        return known
    await dossier.lock_facilities(connection, [where.facility.id])
    checklist = book.current(where.facility.kind)
    work_class = _WORK_CLASS_UNKNOWN if checklist is None else checklist.work_class
    unresolved = await work_orders.unresolved(connection, where.facility.id)
    joined = joinable(unresolved, work_class)
    title_zh, title_en = TITLES[said.problem]
    detail = {"report": str(said.id), "problem": said.problem, "photo": said.photo_sha256}
    act = Act(ACTOR, PUBLIC_REPORT, now, note=f"{title_zh}。{said.words}".rstrip("。"), detail=detail)
    if joined is None:
        order_id = await _open(connection, table, where, work_class, act, (title_zh, title_en))
    else:
        order_id = joined.id
        await work_orders.note(connection, order_id, act)
    report = PublicReport(
        id=said.id,
        site_id=where.site.id,
        facility_id=where.facility.id,
        tag_id=where.tag_id,
        problem=said.problem,
        words=said.words,
        contact=said.contact,
        photo_sha256=said.photo_sha256,
        work_order_id=order_id,
        opened_order=joined is None,
        received_at=now,
    )
    await public_reports.keep(connection, report)
    return report


def joinable(unresolved: Sequence[WorkOrder], work_class: str) -> WorkOrder | None:
    """Of those open at the facility: the one that a stranger opened before, else the oldest of the same work."""
    ours = [each for each in unresolved if each.open_reason == PUBLIC_REPORT]
    same = [each for each in unresolved if each.work_class == work_class]
    return next(iter([*ours, *same]), None)


async def _open(
    connection: Connection, table: ResponseTable, where: Where, work_class: str, act: Act, titles: tuple[str, str]
) -> int:
    """As urgent as a warning at this grade that stands: nobody of ours has seen it yet."""
    facts = AlarmFacts(
        severity=Severity.WARNING,
        grade=where.facility.grade,
        facility_id=where.facility.id,
        work_class=work_class,
        waited=True,
    )
    decision = response.decide_order(table, facts, (), where.site, act.now)
    return await work_orders.open_order(
        connection,
        act,
        site_id=where.site.id,
        facility_id=where.facility.id,
        work_class=work_class,
        title_zh=titles[0],
        title_en=titles[1],
        severity=Severity.WARNING,
        priority=decision.priority,
        deadlines=decision.deadlines,
    )
