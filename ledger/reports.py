"""Monthly inspection reports as they were issued: versions of a month, of a whole site or of a grid, never changed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import LiteralString

from ledger.errors import Conflict, Invalid, NotFound
from ledger.pool import Connection

_LOCK_CLASS = 7_482_027  # of the advisory lock, with the site's id


@dataclass(frozen=True, slots=True)
class Report:
    id: int
    site_id: int
    site_key: str
    site_name_zh: str
    site_name_en: str
    time_zone: str
    month: date
    grid: str | None
    version: int
    newest: int  # version
    issued_at: datetime
    issued_by: str
    reason: str | None
    sha256: str


_COLUMNS: LiteralString = (
    "select report.id, report.site_id, site.key, site.name_zh, site.name_en, site.time_zone, month, grid, version, "
    "(select max(version) from inspection_report as other where other.site_id = report.site_id "
    "and other.month = report.month and other.grid is not distinct from report.grid), "
    "issued_at, issued_by, reason, encode(figures_sha256, 'hex') "
    "from inspection_report as report join site on site.id = report.site_id "
)


async def take_turn(connection: Connection, site_id: int) -> bool:
    """Whether we are the one who issues this site's reports until the transaction ends."""
    cursor = await connection.execute("select pg_try_advisory_xact_lock(%s, %s)", [_LOCK_CLASS, site_id])
    row = await cursor.fetchone()
    return bool(row and row[0])


async def issue(
    connection: Connection,
    site_id: int,
    *,
    month: date,
    grid: str | None,
    figures: str,
    actor: str,
    reason: str | None,
    now: datetime,
) -> int:
    """The next version. Raises Invalid when one that is not the first has no reason; Conflict when somebody was faster."""
    cursor = await connection.execute(
        "select coalesce(max(version), 0) from inspection_report where site_id = %s and month = %s "
        "and grid is not distinct from %s",
        [site_id, month, grid],
    )
    row = await cursor.fetchone()
    assert row is not None, "an aggregate always has a row"
    version = int(row[0]) + 1
    if version > 1 and reason is None:
        raise Invalid(f"version {version - 1} is issued already: say why it is issued again")
    cursor = await connection.execute(
        "insert into inspection_report (site_id, month, grid, version, issued_at, issued_by, reason, figures, figures_sha256) "
        "values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict on constraint inspection_report_version_once do nothing "
        "returning id",
        [
            *(site_id, month, grid, version, now, actor, reason if version > 1 else None, figures),
            hashlib.sha256(figures.encode()).digest(),
        ],
    )
    row = await cursor.fetchone()
    if row is None:
        raise Conflict(f"version {version} of this report was issued at the same moment")
    return int(row[0])


async def issued_months(connection: Connection, site_id: int, since: date) -> set[tuple[date, str | None]]:
    """Months from that one on with a report, by grid; None: of the whole site."""
    cursor = await connection.execute(
        "select distinct month, grid from inspection_report where site_id = %s and month >= %s", [site_id, since]
    )
    return {(month, grid) async for month, grid in cursor}


async def get(connection: Connection, report_id: int) -> tuple[Report, str]:
    """With its figures. Raises NotFound."""
    cursor = await connection.execute(_COLUMNS + "where report.id = %s", [report_id])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("inspection report", report_id)
    cursor = await connection.execute("select figures from inspection_report where id = %s", [report_id])
    said = await cursor.fetchone()
    assert said is not None, "a report is never removed"
    return Report(*row), str(said[0])


async def page(
    connection: Connection,
    *,
    site_key: str | None,
    month: date | None,
    before: tuple[date, int] | None,
    limit: int,
) -> Sequence[Report]:
    """The newest month first, in it the newest report."""
    cursor = await connection.execute(
        _COLUMNS + "where (%(site)s::text is null or site.key = %(site)s) "
        "and (%(month)s::date is null or month = %(month)s) "
        "and (%(before)s::date is null or (month, report.id) < (%(before)s, %(id)s)) "
        "order by month desc, report.id desc limit %(limit)s",
        {
            "site": site_key,
            "month": month,
            "before": None if before is None else before[0],
            "id": None if before is None else before[1],
            "limit": limit,
        },
    )
    return [Report(*row) async for row in cursor]
