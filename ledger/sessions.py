"""Sessions of people, at the desk only: a row as long as one is signed in, found by the digest of what the cookie carries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger import people
from ledger.people import Membership, Person
from ledger.pool import Connection

PER_PERSON_MAX = 20


@dataclass(frozen=True, slots=True)
class Session:
    id: int
    person: Person
    memberships: Sequence[Membership]
    must_change: bool  # his password was set by somebody else
    seen_at: datetime
    expires_at: datetime


async def begin(
    connection: Connection,
    person_id: int,
    *,
    digest: bytes,
    way: str,
    ip: str,
    user_agent: str,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Also forgets what has expired, and of this person's sessions all but the newest PER_PERSON_MAX."""
    await connection.execute("delete from session where expires_at <= %s", [now])
    await connection.execute(
        "delete from session where id in (select id from session where person_id = %s order by id desc offset %s)",
        [person_id, PER_PERSON_MAX - 1],
    )
    await connection.execute(
        "insert into session (digest, person_id, way, ip, user_agent, created_at, seen_at, expires_at) "
        "values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [digest, person_id, way, ip, user_agent, now, now, expires_at],
    )


async def find(connection: Connection, digest: bytes, *, now: datetime, idle: timedelta) -> Session | None:
    """None: there is none, it has expired, it was unused for longer than `idle`, or its person may not sign in."""
    cursor = await connection.execute(
        "select session.id, person_id, coalesce(must_change, false), seen_at, expires_at from session "
        "join person on person.id = person_id left join person_password using (person_id) "
        "where digest = %s and expires_at > %s and seen_at > %s and disabled_at is null",
        [digest, now, now - idle],
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    session_id, person_id, must_change, seen_at, expires_at = row
    person = await people.get(connection, person_id)
    memberships = (await people.memberships(connection, [person_id]))[person_id]
    return Session(session_id, person, memberships, must_change, seen_at, expires_at)


async def touch(connection: Connection, session_id: int, now: datetime) -> None:
    await connection.execute("update session set seen_at = greatest(seen_at, %s) where id = %s", [now, session_id])


async def end(connection: Connection, session_id: int) -> None:
    await connection.execute("delete from session where id = %s", [session_id])


async def end_all(connection: Connection, person_id: int, *, but: int | None = None) -> int:
    """All of a person's, or all but one. Returns how many."""
    cursor = await connection.execute(
        "delete from session where person_id = %s and id is distinct from %s", [person_id, but]
    )
    return cursor.rowcount
