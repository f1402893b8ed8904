"""The logins of the services: each is granted the one role it acts as, owns nothing, and has a password of its own.

A login belongs to the whole server, like the roles. Making one needs a user who may create roles: the owner that
migrates. Passwords go to the server as SCRAM verifiers, so that none stands in its log.
"""

from collections.abc import Mapping

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from ledger.constraints import translate
from ledger.pool import API_ROLE, INGEST_ROLE

INGEST_LOGIN = f"{INGEST_ROLE}_login"
API_LOGIN = f"{API_ROLE}_login"
_ACTS_AS = {INGEST_LOGIN: INGEST_ROLE, API_LOGIN: API_ROLE}


def password_of(database_url: str) -> str | None:
    """The password that stands in an address of the database; None where there is none."""
    try:
        found = conninfo_to_dict(database_url).get("password")
    except psycopg.Error:  # whoever connects will tell
        return None
    return None if found is None else str(found)


async def ensure(database_url: str, passwords: Mapping[str, str]) -> None:
    """Make the logins named, or give them these passwords; twice changes nothing.

    Raises Unavailable, and another LedgerError when the user may not create roles.
    """
    try:
        connection = await AsyncConnection[TupleRow].connect(database_url, connect_timeout=10)
        async with connection, connection.transaction():
            for login, password in passwords.items():
                await _ensure(connection, login, password)
    except psycopg.Error as error:
        raise translate(error) from error


async def _ensure(connection: AsyncConnection[TupleRow], login: str, password: str) -> None:
    cursor = await connection.execute("select from pg_roles where rolname = %s", [login])
    if await cursor.fetchone() is None:
        await connection.execute(sql.SQL("create role {}").format(sql.Identifier(login)))
    verifier = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256")
    await connection.execute(
        sql.SQL("alter role {} with login password {}").format(sql.Identifier(login), sql.Literal(verifier.decode()))
    )
    await connection.execute(sql.SQL("grant {} to {}").format(sql.Identifier(_ACTS_AS[login]), sql.Identifier(login)))
