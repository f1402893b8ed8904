"""Tokens for machines: named, for some rights at some sites, until a day. Found by digest at the desk only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from ledger.errors import Conflict, NotFound
from ledger.pool import Connection


@dataclass(frozen=True, slots=True)
class Token:
    id: int
    name: str
    rights: Sequence[str]
    sites: Sequence[int] | None  # None: all, those to come included
    made_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None


_COLUMNS: LiteralString = (
    "select id, name, rights, sites, made_by, created_at, expires_at, used_at, revoked_at, revoked_by from api_token "
)


async def make(
    connection: Connection,
    *,
    name: str,
    digest: bytes,
    rights: Sequence[str],
    sites: Sequence[int] | None,
    made_by: str,
    made_by_id: int | None,
    now: datetime,
    expires_at: datetime,
) -> Token:
    """Raises Conflict when a token of this name is in use; sites outside the scope are refused by the database."""
    cursor = await connection.execute(
        "insert into api_token (name, digest, rights, sites, made_by, made_by_id, created_at, expires_at) "
        "values (%s, %s, %s, %s, %s, %s, %s, %s) returning id",
        [name, digest, list(rights), None if sites is None else list(sites), made_by, made_by_id, now, expires_at],
    )
    row = await cursor.fetchone()
    assert row is not None
    return await get(connection, row[0])


async def get(connection: Connection, token_id: int) -> Token:
    """Raises NotFound, also for one whose sites are not all in scope."""
    cursor = await connection.execute(_COLUMNS + "where id = %s", [token_id])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("token", token_id)
    return Token(*row)


async def in_use(connection: Connection, digest: bytes, now: datetime) -> Token | None:
    """None: there is none, it has expired, or it was revoked."""
    cursor = await connection.execute(
        _COLUMNS + "where digest = %s and revoked_at is null and expires_at > %s", [digest, now]
    )
    row = await cursor.fetchone()
    return None if row is None else Token(*row)


async def in_use_by_name(connection: Connection, name: str) -> Token | None:
    """Expired ones included, as they hold their name until they are revoked."""
    cursor = await connection.execute(_COLUMNS + "where name = %s and revoked_at is null", [name])
    row = await cursor.fetchone()
    return None if row is None else Token(*row)


async def touch(connection: Connection, token_id: int, now: datetime) -> None:
    await connection.execute("update api_token set used_at = greatest(used_at, %s) where id = %s", [now, token_id])


async def page(connection: Connection, *, before_id: int | None = None, limit: int = 100) -> Sequence[Token]:
    """Newest first, revoked ones included."""
    cursor = await connection.execute(
        _COLUMNS + "where %(before)s::int is null or id < %(before)s order by id desc limit %(limit)s",
        {"before": before_id, "limit": limit},
    )
    return [Token(*row) async for row in cursor]


async def revoke(connection: Connection, token_id: int, *, by: str, now: datetime) -> Token:
    """Raises NotFound, and Conflict when it was revoked already."""
    cursor = await connection.execute(
        "update api_token set revoked_at = %s, revoked_by = %s where id = %s and revoked_at is null",
        [now, by, token_id],
    )
    found = await get(connection, token_id)
    if cursor.rowcount != 1:
        raise Conflict(f"token {found.name!r} was revoked already, by {found.revoked_by}")
    return found
