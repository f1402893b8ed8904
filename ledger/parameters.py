"""The limits people set for one facility or part, with who set them and why. Append-only: the newest row is in force."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger import dossier, facilities
from ledger.errors import Invalid, NotFound
from ledger.pool import Connection
from ledger.said import says_nothing


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting of a parameter: `setpoint` of a facility, `pump_1.rated_current` of a part of it."""

    id: int
    facility_id: int
    name: str
    value: float
    author: str
    reason: str
    set_at: datetime


async def set_value(
    connection: Connection, facility_id: int, name: str, value: float, *, author: str, reason: str, now: datetime
) -> Parameter:
    """Put a value in force. Whether the name exists and the value is sensible is for the rule packs to say, beforehand.

    Raises NotFound for the facility, Invalid without author or reason.
    """
    if says_nothing(author) or says_nothing(reason):
        raise Invalid("a parameter is set by somebody for a reason: author and reason must not be empty")
    await dossier.lock_facilities(connection, [facility_id])
    cursor = await connection.execute(
        "insert into rule_parameter (site_id, facility_id, name, value, author, reason, set_at) "
        "select site_id, id, %s, %s, %s, %s, %s from facility where id = %s "
        "returning id, facility_id, name, value, author, reason, set_at, site_id",
        [name, value, author, reason, now, facility_id],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("facility", facility_id)
    parameter, site_id = Parameter(*row[:-1]), row[-1]
    await dossier.append(
        connection,
        site_id=site_id,
        facility_id=facility_id,
        kind="parameter",
        body={"name": name, "value": value, "author": author, "reason": reason},
        now=now,
    )
    await facilities.bump_revision(connection, site_id)
    return parameter


async def set_values(
    connection: Connection,
    site_id: int,
    values: Sequence[tuple[int, str, float]],
    *,
    author: str,
    reason: str,
    now: datetime,
) -> None:
    """Put values of facilities of one site in force: id, name, value. As `set_value`, all of them with a few statements.

    Raises Invalid without author or reason.
    """
    if says_nothing(author) or says_nothing(reason):
        raise Invalid("a parameter is set by somebody for a reason: author and reason must not be empty")
    if not values:
        return
    await dossier.lock_facilities(connection, (facility_id for facility_id, _, _ in values))
    await connection.execute(
        "insert into rule_parameter (site_id, facility_id, name, value, author, reason, set_at) "
        "select %s, facility_id, name, value, %s, %s, %s from unnest(%s::int[], %s::text[], %s::float8[]) "
        "with ordinality as entry (facility_id, name, value, place) order by place",
        [
            site_id,
            author,
            reason,
            now,
            *([float(row[2]) if column == 2 else row[column] for row in values] for column in range(3)),
        ],
    )
    entries = [
        dossier.NewEntry(facility_id, "parameter", {"name": name, "value": value, "author": author, "reason": reason})
        for facility_id, name, value in values
    ]
    await dossier.append_all(connection, site_id, entries, now)
    await facilities.bump_revision(connection, site_id)


async def in_force(connection: Connection, facility_id: int) -> list[Parameter]:
    """The settings that count for a facility, in order of name. Where there is none the pack's default counts."""
    cursor = await connection.execute(
        "select distinct on (name) id, facility_id, name, value, author, reason, set_at from rule_parameter "
        "where facility_id = %s order by name, id desc",
        [facility_id],
    )
    return [Parameter(*row) async for row in cursor]


async def history(
    connection: Connection, facility_id: int, name: str, *, before_id: int | None = None, limit: int = 100
) -> list[Parameter]:
    """Every setting a parameter has had, newest first, a page at a time."""
    cursor = await connection.execute(
        "select id, facility_id, name, value, author, reason, set_at from rule_parameter "
        "where facility_id = %s and name = %s and (%s::bigint is null or id < %s) order by id desc limit %s",
        [facility_id, name, before_id, before_id, limit],
    )
    return [Parameter(*row) async for row in cursor]


async def last_by(connection: Connection, facility_id: int, author: str) -> dict[str, float]:
    """What an author last set each parameter of a facility to, in force or not."""
    cursor = await connection.execute(
        "select distinct on (name) name, value from rule_parameter where facility_id = %s and author = %s "
        "order by name, id desc",
        [facility_id, author],
    )
    return {name: value async for name, value in cursor}
