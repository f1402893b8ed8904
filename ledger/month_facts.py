"""What the ledger knows of a month of inspection at a site: visits, findings with their orders, days of looking, signatures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ledger.pool import Connection

FINDINGS_MAX = 5_000


@dataclass(frozen=True, slots=True)
class VisitCount:
    person: str
    outcome: str
    verdict: str
    visits: int


@dataclass(frozen=True, slots=True)
class FoundFault:
    """A visit at which something failed, with the order that it opened or joined."""

    facility_key: str
    facility_name_zh: str
    facility_name_en: str
    place_zh: str
    place_en: str
    person: str
    scanned_at: datetime
    severity: str
    checklist: str
    checklist_version: int
    failed: Sequence[str]
    work_order_id: int | None
    order_state: str | None
    resolved_at: datetime | None
    resolved_by: str | None
    confirmed_by: str | None  # of this resolution


async def visit_counts(
    connection: Connection, site_id: int, begin: datetime, end: datetime, facility_ids: Sequence[int] | None
) -> list[VisitCount]:
    """By person, outcome and verdict. `facility_ids` None: all, with visits whose tag led nowhere."""
    cursor = await connection.execute(
        "select person, outcome::text, verdict::text, count(*) from inspection_visit "
        "where site_id = %(site)s and scanned_at >= %(begin)s and scanned_at < %(end)s "
        "and (%(places)s::int[] is null or facility_id = any(%(places)s)) group by 1, 2, 3 order by 1, 2, 3",
        {"site": site_id, "begin": begin, "end": end, "places": _list(facility_ids)},
    )
    return [VisitCount(*row) async for row in cursor]


async def found_faults(
    connection: Connection, site_id: int, begin: datetime, end: datetime, facility_ids: Sequence[int] | None
) -> list[FoundFault]:
    """In order of time; what was struck was not found."""
    cursor = await connection.execute(
        "select facility.key, facility.name_zh, facility.name_en, location.name_zh, location.name_en, person, scanned_at, "
        "visit.severity::text, checklist, checklist_version, failed, work_order_id, state::text, resolved_at, "
        "(select actor from work_order_event as event where event.work_order_id = visit.work_order_id "
        "and move = 'resolve' and resolved_at is not null order by seq desc limit 1), "
        "(select signer from inspection_signature as signature where signature.work_order_id = visit.work_order_id "
        "and signed_at >= resolved_at order by signature.id desc limit 1) "
        "from inspection_visit as visit join facility on facility.id = visit.facility_id "
        "join location on location.id = facility.location_id left join work_order on work_order.id = work_order_id "
        "where visit.site_id = %(site)s and scanned_at >= %(begin)s and scanned_at < %(end)s and outcome = 'defective' "
        "and verdict <> 'struck' and (%(places)s::int[] is null or visit.facility_id = any(%(places)s)) "
        "order by scanned_at, visit.id limit %(limit)s",
        {"site": site_id, "begin": begin, "end": end, "places": _list(facility_ids), "limit": FINDINGS_MAX},
    )
    return [FoundFault(*row) async for row in cursor]


async def days_looked_at(
    connection: Connection, site_id: int, zone: str, begin: datetime, end: datetime
) -> dict[int, list[date]]:
    """By facility, the days of the site's calendar on which somebody looked at it and could say how it is."""
    cursor = await connection.execute(
        "select facility_id, array_agg(distinct (scanned_at at time zone %(zone)s)::date) from inspection_visit "
        "where site_id = %(site)s and scanned_at >= %(begin)s and scanned_at < %(end)s and facility_id is not null "
        "and outcome in ('in_order', 'defective') and verdict <> 'struck' group by 1",
        {"site": site_id, "zone": zone, "begin": begin, "end": end},
    )
    return {int(facility_id): list(days) async for facility_id, days in cursor}


async def first_activity(connection: Connection, site_id: int) -> datetime | None:
    """When inspection began at a site: its first plan, tag or visit."""
    cursor = await connection.execute(
        "select least((select min(made_at) from inspection_plan where site_id = %(site)s), "
        "(select min(issued_at) from tag where site_id = %(site)s), "
        "(select min(received_at) from inspection_visit where site_id = %(site)s))",
        {"site": site_id},
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]


def _list(ids: Sequence[int] | None) -> list[int] | None:
    return None if ids is None else list(ids)
