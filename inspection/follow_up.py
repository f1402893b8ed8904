"""The work order of what a person found: decided by `rules.response` as an alarm's is, by severity and grade.

A person stood there and saw it, so nothing waits for it to stand longer. A grave finding that is seen again on the next
round is of the order it opened the first time.
"""

from dataclasses import dataclass
from datetime import datetime

from inspection.checklist import Checklist
from inspection.judging import Finding
from ledger import visits, work_orders
from ledger.pool import Connection
from ledger.records import Facility, Severity, Site, WorkOrder
from ledger.work_orders import Act
from rules import response
from rules.response import AlarmFacts, OrderAction, OrderDecision, ResponseTable

FINDING = "inspection_finding"


@dataclass(frozen=True, slots=True)
class Found:
    """What failed, and where."""

    site: Site
    facility: Facility
    checklist: Checklist
    finding: Finding
    visit: str


@dataclass(frozen=True, slots=True)
class Order:
    id: int
    opened: bool  # False: it joined one that was open


async def open_or_join(connection: Connection, table: ResponseTable, found: Found, actor: str, now: datetime) -> Order:
    """The facility is locked by the caller."""
    severity = found.finding.severity
    assert severity is not None, "something failed"
    unresolved = await work_orders.unresolved(connection, found.facility.id)
    grave = await _grave(connection, found.facility.id, unresolved)
    facts = AlarmFacts(
        severity=severity,
        grade=found.facility.grade,
        facility_id=found.facility.id,
        work_class=found.checklist.work_class,
        order_ids=grave if severity is Severity.LIFE_SAFETY else (),
        waited=True,
    )
    decision = response.decide_order(table, facts, unresolved, found.site, now)
    detail = {"visit": found.visit, "failed": [each.item.key for each in found.finding.failures]}
    zh, en = titles(found)
    act = Act(actor, FINDING, now, note=zh, detail={**detail, "because": decision.reason})
    if decision.action in (OrderAction.OPEN, OrderAction.OPEN_LINKED):
        return Order(await _open(connection, found, severity, decision, act, (zh, en)), opened=True)
    order_id = max(grave) if decision.action is OrderAction.NOTHING else decision.order_id
    assert order_id is not None, "what waited does not wait again"
    await work_orders.join(
        connection,
        order_id,
        None,
        act,
        priority=decision.priority,
        severity=severity,
        deadlines=decision.deadlines,
    )
    return Order(order_id, opened=False)


async def _grave(connection: Connection, facility_id: int, unresolved: list[WorkOrder]) -> list[int]:
    """Orders of earlier visits that are as grave, and still unresolved."""
    ours = set(await visits.orders_of_visits(connection, facility_id))
    return [each.id for each in unresolved if each.id in ours and each.severity is Severity.LIFE_SAFETY]


async def _open(
    connection: Connection,
    found: Found,
    severity: Severity,
    decision: OrderDecision,
    act: Act,
    title: tuple[str, str],
) -> int:
    return await work_orders.open_order(
        connection,
        act,
        site_id=found.site.id,
        facility_id=found.facility.id,
        work_class=found.checklist.work_class,
        title_zh=title[0],
        title_en=title[1],
        severity=severity,
        priority=decision.priority,
        deadlines=decision.deadlines,
    )


def titles(found: Found) -> tuple[str, str]:
    """The worst of what failed, and how many more."""
    order = list(Severity)
    failures = sorted(found.finding.failures, key=lambda each: order.index(each.item.severity), reverse=True)
    worst, more = failures[0].item.ask, len(failures) - 1
    zh = f"巡检不合格：{worst.zh}" + (f" 等 {more + 1} 项" if more else "")
    en = f"Failed its check: {worst.en}" + (f" and {more} more" if more else "")
    return zh, en
