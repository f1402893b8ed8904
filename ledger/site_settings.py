"""What people decide for a site beside packs and contract files, with who decided it and why. Append-only: the newest row
of a name is in force, and one without a value gives way to what stands behind it - the contract, the pack's default.

Names: `sla_profile`, `clock.<event class>.<clock>`, `grade.<kind>` of a site; `grade` of a facility.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from ledger import facilities
from ledger.errors import Invalid, NotFound
from ledger.lifecycle import WorkOrderClock
from ledger.pool import Connection
from ledger.said import says_nothing

PROFILE = "sla_profile"
GRADE = "grade"  # of a facility; with `.` and a kind behind it, of that kind at the site


@dataclass(frozen=True, slots=True)
class Setting:
    id: int
    name: str
    value: str | None
    author: str
    reason: str
    set_at: datetime
    facility_key: str | None


_COLUMNS: LiteralString = (
    "select site_setting.id, name, value, author, reason, set_at, facility.key from site_setting "
    "left join facility on facility.id = facility_id "
)


async def lock(connection: Connection, site_id: int) -> None:
    """Let nobody else set anything of the site until this transaction is over. Facilities are locked before, if at all."""
    await connection.execute("select 1 from site where id = %s for no key update", [site_id])


async def put(
    connection: Connection,
    site_id: int,
    name: str,
    value: str | None,
    *,
    author: str,
    reason: str,
    now: datetime,
    facility_id: int | None = None,
) -> Setting:
    """Write a decision down; what follows from it is the caller's. Raises Invalid without author or reason."""
    if says_nothing(author) or says_nothing(reason):
        raise Invalid("a setting is made by somebody for a reason: author and reason must not be empty")
    cursor = await connection.execute(
        "insert into site_setting (site_id, facility_id, name, value, author, reason, set_at) "
        "values (%s, %s, %s, %s, %s, %s, %s) returning id",
        [site_id, facility_id, name, value, author, reason, now],
    )
    row = await cursor.fetchone()
    assert row is not None
    cursor = await connection.execute(_COLUMNS + "where site_setting.id = %s", [row[0]])
    written = await cursor.fetchone()
    assert written is not None
    return Setting(*written)


async def put_grades(
    connection: Connection, site_id: int, grades: Mapping[int, str], *, author: str, reason: str, now: datetime
) -> None:
    """The grades that facilities are registered with, by id."""
    if says_nothing(author) or says_nothing(reason):
        raise Invalid("a setting is made by somebody for a reason: author and reason must not be empty")
    await connection.execute(
        "insert into site_setting (site_id, facility_id, name, value, author, reason, set_at) "
        "select %s, facility_id, %s, grade, %s, %s, %s from unnest(%s::int[], %s::text[]) as entry (facility_id, grade)",
        [site_id, GRADE, author, reason, now, list(grades), list(grades.values())],
    )


async def set_profile(
    connection: Connection, site_id: int, profile: str, *, author: str, reason: str, now: datetime
) -> Setting:
    """Put another contract in force. Single clocks that people set stay set. Orders that are open keep their deadlines."""
    cursor = await connection.execute("update site set sla_profile = %s where id = %s", [profile, site_id])
    if cursor.rowcount != 1:
        raise NotFound("site", site_id)
    setting = await put(connection, site_id, PROFILE, profile, author=author, reason=reason, now=now)
    await facilities.bump_revision(connection, site_id)
    return setting


async def set_clock(
    connection: Connection,
    site_id: int,
    event_class: str,
    clock: WorkOrderClock,
    value: str | None,
    *,
    author: str,
    reason: str,
    now: datetime,
) -> Setting:
    """Put one clock in force in place of the contract's; None: the contract's counts again."""
    setting = await put(
        connection, site_id, f"clock.{event_class}.{clock}", value, author=author, reason=reason, now=now
    )
    await facilities.bump_revision(connection, site_id)
    return setting


async def in_force(connection: Connection, site_id: int, facility_id: int | None = None) -> Mapping[str, Setting]:
    """The newest word on each name, of the site itself or of one facility; those without a value included."""
    cursor = await connection.execute(
        "select distinct on (name) site_setting.id, name, value, author, reason, set_at, facility.key from site_setting "
        "left join facility on facility.id = facility_id where site_setting.site_id = %s "
        "and facility_id is not distinct from %s order by name, site_setting.id desc",
        [site_id, facility_id],
    )
    return {row[1]: Setting(*row) async for row in cursor}


async def history(
    connection: Connection,
    site_id: int,
    *,
    name: str | None = None,
    facility: str | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> Sequence[Setting]:
    """Everything that was decided at a site, newest first, a page at a time."""
    cursor = await connection.execute(
        _COLUMNS + "where site_setting.site_id = %(site)s and (%(name)s::text is null or name = %(name)s) "
        "and (%(facility)s::text is null or facility.key = %(facility)s) "
        "and (%(before)s::bigint is null or site_setting.id < %(before)s) order by site_setting.id desc limit %(limit)s",
        {"site": site_id, "name": name, "facility": facility, "before": before_id, "limit": limit},
    )
    return [Setting(*row) async for row in cursor]


async def last_by(connection: Connection, site_id: int, author: str) -> Mapping[tuple[int | None, str], str | None]:
    """What an author last said of each facility (None: of the site itself) and name, in force or not."""
    cursor = await connection.execute(
        "select distinct on (facility_id, name) facility_id, name, value from site_setting "
        "where site_id = %s and author = %s order by facility_id, name, id desc",
        [site_id, author],
    )
    return {(facility_id, name): value async for facility_id, name, value in cursor}
