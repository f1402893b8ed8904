"""The risk grade of a facility, and where it comes from: set for the facility itself, else for its kind at the site, else
the default of its kind's pack.

`facility.grade` is the grade in force; what was decided stands in `site_setting`. Alarms judged from then on take the new
grade; an alarm that is open keeps the priority it rang with, and what is asked about it from then on (its order,
shelving) goes by the grade in force.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ledger import dossier, facilities, site_settings
from ledger.errors import NotFound
from ledger.pool import Connection
from ledger.records import Facility, Grade
from ledger.site_settings import GRADE


async def set_for_facility(
    connection: Connection,
    facility: Facility,
    grade: Grade | None,
    *,
    default: Grade,
    author: str,
    reason: str,
    now: datetime,
) -> None:
    """Grade one facility; None: as its kind is graded. `default` is that of its pack."""
    await dossier.lock_facilities(connection, [facility.id])
    await put(connection, facility, grade, default=default, author=author, reason=reason, now=now)
    await facilities.bump_revision(connection, facility.site_id)


async def put(
    connection: Connection,
    facility: Facility,
    grade: Grade | None,
    *,
    default: Grade,
    author: str,
    reason: str,
    now: datetime,
) -> None:
    """The same for whoever has locked the facility and raises the site's revision himself."""
    value = None if grade is None else grade.value
    await site_settings.put(
        connection, facility.site_id, GRADE, value, author=author, reason=reason, now=now, facility_id=facility.id
    )
    await _put_in_force(connection, facility.site_id, [facility.id], default)
    in_force = (await facilities.facility(connection, facility.id)).grade
    await _enter(connection, facility, value, in_force, author, reason, now)


async def set_for_kind(
    connection: Connection,
    site_id: int,
    kind: str,
    grade: Grade | None,
    *,
    default: Grade,
    author: str,
    reason: str,
    now: datetime,
) -> Sequence[Facility]:
    """Grade a kind at a site; None: as its pack does. Facilities with a grade of their own keep it.

    Returns the facilities whose grade has changed. Raises NotFound for a kind that the site has nothing of.
    """
    of_kind = [each for each in await facilities.facilities(connection, site_id) if each.kind == kind]
    if not of_kind:
        raise NotFound("facility of kind", kind)
    await dossier.lock_facilities(connection, [each.id for each in of_kind])
    value = None if grade is None else grade.value
    await site_settings.put(connection, site_id, f"{GRADE}.{kind}", value, author=author, reason=reason, now=now)
    changed = await _put_in_force(connection, site_id, [each.id for each in of_kind], default)
    touched = [each for each in of_kind if each.id in changed]
    for each in touched:
        await _enter(connection, each, value, grade or default, author, reason, now)
    await facilities.bump_revision(connection, site_id)
    return [replace(each, grade=grade or default) for each in touched]


async def _put_in_force(
    connection: Connection, site_id: int, facility_ids: Sequence[int], default: Grade
) -> frozenset[int]:
    """Bring facilities (of one kind) to what is decided for them; returns those whose grade has changed."""
    cursor = await connection.execute(
        "with decided as (select facility.id, coalesce("
        "(select value from site_setting where facility_id = facility.id and name = 'grade' order by id desc limit 1), "
        "(select value from site_setting where site_id = %(site)s and facility_id is null "
        "and name = 'grade.' || facility.kind order by id desc limit 1), %(default)s)::risk_grade as grade "
        "from facility where id = any(%(ids)s)) "
        "update facility set grade = decided.grade from decided "
        "where facility.id = decided.id and facility.grade <> decided.grade returning facility.id",
        {"site": site_id, "default": default.value, "ids": list(facility_ids)},
    )
    return frozenset([row[0] async for row in cursor])


async def _enter(
    connection: Connection,
    facility: Facility,
    value: str | None,
    in_force: Grade,
    author: str,
    reason: str,
    now: datetime,
) -> None:
    await dossier.append(
        connection,
        site_id=facility.site_id,
        facility_id=facility.id,
        kind="grade",
        body={"said": value, "in_force": in_force, "was": facility.grade, "author": author, "reason": reason},
        now=now,
    )
