"""Work permits as people look them up, with the keys and names of their place."""

from dataclasses import dataclass
from typing import LiteralString

from psycopg.rows import TupleRow

from ledger.errors import NotFound
from ledger.permits import WorkPermit
from ledger.pool import Connection
from ledger.records import PermitKind


@dataclass(frozen=True, slots=True)
class PermitEntry:
    permit: WorkPermit
    site_key: str
    facility_key: str
    facility_name_zh: str
    facility_name_en: str
    facility_kind: str
    part_key: str | None
    part_name_zh: str | None
    part_name_en: str | None


@dataclass(frozen=True, slots=True)
class PermitFilter:
    """What to show. None: do not ask."""

    site: str | None = None
    facility: str | None = None
    standing: bool | None = None
    unsettled: bool | None = None  # overrun, and nobody has said that the work is over


_COLUMNS: LiteralString = (
    "select work_permit.id, work_permit.site_id, work_permit.facility_id, part_id, work, work_permit.kind, rules, holder, "
    "reason, answers, extends_id, valid_from, valid_until, issued_by, issued_at, ended_at, ended_by, overrun, "
    "settled_at, settled_by, "
    "site.key, facility.key, facility.name_zh, facility.name_en, facility.kind, part.key, part.name_zh, part.name_en "
    "from work_permit join site on site.id = work_permit.site_id "
    "join facility on facility.id = work_permit.facility_id left join part on part.id = part_id "
)


async def get(connection: Connection, permit_id: int) -> PermitEntry:
    """Raises NotFound."""
    cursor = await connection.execute(_COLUMNS + "where work_permit.id = %s", [permit_id])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("work permit", permit_id)
    return _entry(row)


async def page(
    connection: Connection, wanted: PermitFilter, *, before_id: int | None = None, limit: int = 100
) -> list[PermitEntry]:
    """Permits in scope, newest first."""
    cursor = await connection.execute(
        _COLUMNS + "where (%(site)s::text is null or site.key = %(site)s) "
        "and (%(facility)s::text is null or facility.key = %(facility)s) "
        "and (%(standing)s::boolean is null or (ended_at is null) = %(standing)s) "
        "and (%(unsettled)s::boolean is null or (overrun and settled_at is null) = %(unsettled)s) "
        "and (%(before)s::bigint is null or work_permit.id < %(before)s) order by work_permit.id desc limit %(limit)s",
        {
            "site": wanted.site,
            "facility": wanted.facility,
            "standing": wanted.standing,
            "unsettled": wanted.unsettled,
            "before": before_id,
            "limit": limit,
        },
    )
    return [_entry(row) async for row in cursor]


def _entry(row: TupleRow) -> PermitEntry:
    fields = list(row[:20])
    fields[5] = PermitKind(row[5])
    return PermitEntry(WorkPermit(*fields), *row[20:])
