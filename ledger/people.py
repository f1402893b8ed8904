"""People: who there is, at which sites with which roles. What a role may is none of the ledger's business (api/rights.py).

Whom a transaction sees is a matter of its scope: whoever belongs to one of its sites, and oneself. A person's own record
is written at the desk only (`transaction(..., desk=True)`); memberships by whoever has the site in scope.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from ledger.errors import NotFound
from ledger.pool import Connection

_MEMBERSHIPS_LOCK = 7_120_022  # any number nobody else uses


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    login: str
    name: str
    language: str
    disabled_at: datetime | None
    disabled_by: str | None
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Membership:
    site_id: int | None  # None: all sites, those to come included
    role: str


_COLUMNS: LiteralString = (
    "select person.id, login, person.name, language, disabled_at, disabled_by, created_at, created_by from person "
)


async def add(
    connection: Connection, *, login: str, name: str, language: str, created_by: str, now: datetime
) -> Person:
    """At the desk. Raises Conflict when login or name are somebody's already, Invalid for what is none."""
    cursor = await connection.execute(
        "insert into person (login, name, language, created_at, created_by) values (%s, %s, %s, %s, %s) returning id",
        [login, name, language, now, created_by],
    )
    row = await cursor.fetchone()
    assert row is not None
    return await get(connection, row[0])


async def get(connection: Connection, person_id: int) -> Person:
    """Raises NotFound, also for whom the scope does not show."""
    cursor = await connection.execute(_COLUMNS + "where id = %s", [person_id])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("person", person_id)
    return Person(*row)


async def with_login(connection: Connection, login: str) -> Person | None:
    cursor = await connection.execute(_COLUMNS + "where login = %s", [login])
    row = await cursor.fetchone()
    return None if row is None else Person(*row)


async def with_external_id(connection: Connection, external_id: str) -> Person | None:
    """Whoever an identity of a provider was tied to. At the desk."""
    cursor = await connection.execute(_COLUMNS + "where external_id = %s", [external_id])
    row = await cursor.fetchone()
    return None if row is None else Person(*row)


async def tie(connection: Connection, person_id: int, external_id: str) -> bool:
    """Tie a person to an identity, at the desk; False: he has another one already."""
    cursor = await connection.execute(
        "update person set external_id = %s where id = %s and external_id is null", [external_id, person_id]
    )
    return cursor.rowcount == 1


async def untie(connection: Connection, person_id: int) -> None:
    """At the desk: whoever next comes with the login's claim is tied anew."""
    await connection.execute("update person set external_id = null where id = %s", [person_id])


async def page(connection: Connection, *, after_login: str | None = None, limit: int = 100) -> Sequence[Person]:
    """In order of login."""
    cursor = await connection.execute(
        _COLUMNS + "where %(after)s::text is null or login > %(after)s order by login limit %(limit)s",
        {"after": after_login, "limit": limit},
    )
    return [Person(*row) async for row in cursor]


async def change(
    connection: Connection, person_id: int, *, name: str | None = None, language: str | None = None
) -> None:
    """At the desk; None leaves as it is."""
    cursor = await connection.execute(
        "update person set name = coalesce(%s, name), language = coalesce(%s, language) where id = %s",
        [name, language, person_id],
    )
    if cursor.rowcount != 1:
        raise NotFound("person", person_id)


async def disable(connection: Connection, person_id: int, *, by: str, now: datetime) -> None:
    """At the desk. Sessions are ended by the caller; somebody who is disabled already stays so since then."""
    await connection.execute(
        "update person set disabled_at = %s, disabled_by = %s where id = %s and disabled_at is null",
        [now, by, person_id],
    )


async def enable(connection: Connection, person_id: int) -> None:
    """At the desk."""
    await connection.execute("update person set disabled_at = null, disabled_by = null where id = %s", [person_id])


# ------------------------------------------------------------------ memberships


async def colleagues(connection: Connection, site_id: int) -> Mapping[str, Sequence[str]]:
    """Who belongs to this site, or to all of them, and may sign in: their names, which are unique, with their roles there."""
    cursor = await connection.execute(
        "select name, array_agg(distinct role order by role) from ("
        "select person.name, role::text from person join membership on person_id = person.id "
        "where site_id = %(site)s and disabled_at is null "
        "union all select name, role from colleagues_of_all_sites(%(site)s)) as there "
        "group by name order by name limit 1000",
        {"site": site_id},
    )
    return {str(name): roles async for name, roles in cursor}


async def memberships(connection: Connection, people: Sequence[int]) -> Mapping[int, Sequence[Membership]]:
    """Of each of them, as far as the scope shows; at the desk, all."""
    found: dict[int, list[Membership]] = {each: [] for each in people}
    cursor = await connection.execute(
        "select person_id, site_id, role::text from membership where person_id = any(%s) "
        "order by person_id, site_id nulls first, role",
        [list(people)],
    )
    async for person_id, site_id, role in cursor:
        found[person_id].append(Membership(site_id, role))
    return found


async def put_memberships(
    connection: Connection, person_id: int, wanted: Sequence[Membership], *, by: str, now: datetime
) -> None:
    """What the scope shows of them becomes this; what it does not show stays. Raises Refused by the database's policy
    for a site outside the scope.
    """
    await connection.execute(
        "delete from membership where person_id = %s and coalesce(site_id, 0) = any (site_scope())", [person_id]
    )
    await connection.cursor().executemany(
        "insert into membership (person_id, site_id, role, set_at, set_by) values (%s, %s, %s, %s, %s)",
        [(person_id, each.site_id, each.role, now, by) for each in dict.fromkeys(wanted)],
    )


async def count_with_role_everywhere(connection: Connection, role: str) -> int:
    """How many who may sign in have a role at all sites. At the desk: nobody is left out.

    Waits for whoever changes memberships at the same moment: two who remove each other must not both succeed.
    """
    await connection.execute("select pg_advisory_xact_lock(%s)", [_MEMBERSHIPS_LOCK])
    cursor = await connection.execute(
        "select count(distinct person_id) from membership join person on person.id = person_id "
        "where site_id is null and role = %s and disabled_at is null",
        [role],
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])
