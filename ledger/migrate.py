"""Bring a database to the schema this code expects: numbered SQL files, in order, forward only.

Each file runs in a transaction of its own together with its row in `schema_migration`, so a database is always at
exactly one version. An advisory lock lets one process migrate at a time. A database whose past differs from the
files - a changed file, a missing one, a newer schema - is refused before anything is done to it.
"""

import hashlib
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from ledger.constraints import translate
from ledger.errors import Refused, Unavailable
from ledger.pool import Connection

MIGRATIONS_DIR = Path(__file__).parent / "migrations"

_FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_LOCK_KEY = 7_482_019  # of the advisory lock; any number nobody else uses


class MigrationError(Refused):
    """The database and the migration files do not agree about the past; nothing was done."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: `0001_ledger.sql` is version 1, name `ledger`."""

    version: int
    name: str
    sql: bytes

    @property
    def label(self) -> str:
        return f"{self.version:04d}_{self.name}"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql).hexdigest()


def migrations(directory: Path = MIGRATIONS_DIR) -> list[Migration]:
    """The files in order of version. Raises MigrationError for a badly named file, a gap or a number used twice."""
    found: list[Migration] = []
    for path in sorted(directory.glob("*.sql")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path.name}: a migration is called NNNN_name.sql, lower case")
        found.append(Migration(int(match[1]), match[2], path.read_bytes()))
    for expected, migration in enumerate(found, start=1):
        if migration.version != expected:
            raise MigrationError(f"{migration.label}.sql: expected number {expected:04d} here; numbers have no gaps")
    return found


async def migrate(database_url: str, directory: Path = MIGRATIONS_DIR) -> list[str]:
    """Apply what is missing and return the labels of what was applied, oldest first.

    Raises MigrationError when files and database disagree, Unavailable when the database cannot be reached or a
    lock is not to be had, and another LedgerError when a statement fails; the migrations before it stay applied.
    """
    files = migrations(directory)
    async with _session(database_url) as connection:
        await _lock(connection)
        lacking = _missing(files, await _applied(connection))
        for migration in lacking:
            await _apply(connection, migration)
        return [migration.label for migration in lacking]


async def missing(connection: Connection, directory: Path = MIGRATIONS_DIR) -> list[str]:
    """Labels of the migrations this database still lacks. Changes nothing; raises MigrationError as `migrate` does."""
    return [each.label for each in _missing(migrations(directory), await _applied(connection))]


@asynccontextmanager
async def _session(database_url: str) -> AsyncGenerator[Connection]:
    try:
        connection = await AsyncConnection[TupleRow].connect(database_url, autocommit=True, connect_timeout=10)
        async with connection:
            await connection.execute("set time zone 'UTC'")
            yield connection
    except psycopg.Error as error:
        raise translate(error) from error


async def _lock(connection: Connection) -> None:
    await connection.execute("set lock_timeout = '60s'")
    try:
        await connection.execute("select pg_advisory_lock(%s)", [_LOCK_KEY])
    except psycopg.errors.LockNotAvailable as error:
        raise Unavailable("another process has been migrating this database for a minute; try again") from error


async def _applied(connection: Connection) -> list[tuple[int, str, str]]:
    cursor = await connection.execute("select to_regclass('schema_migration') is not null")
    row = await cursor.fetchone()
    if row is None or not row[0]:
        return []
    cursor = await connection.execute("select version, name, sha256 from schema_migration order by version")
    return [(version, name, sha256) for version, name, sha256 in await cursor.fetchall()]


def _missing(files: Sequence[Migration], applied: Sequence[tuple[int, str, str]]) -> list[Migration]:
    """The files the database has not seen, after proving that those it has seen are the same."""
    for expected, (version, name, sha256) in enumerate(applied, start=1):
        label = f"{version:04d}_{name}"
        if version != expected:
            raise MigrationError(f"the database has {label} but not {expected:04d}: its history has a gap")
        if version > len(files):
            raise MigrationError(f"the database has {label}, which this code does not know: it is newer than the code")
        file = files[version - 1]
        if file.name != name:
            raise MigrationError(f"the database has {label}, the code has {file.label}: they are not the same history")
        if file.sha256 != sha256:
            raise MigrationError(f"{label}.sql was changed after it was applied; restore it and write a new migration")
    return list(files[len(applied) :])


async def _apply(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        # A migration that has to wait for a lock holds up everyone behind it: better to fail and be tried again.
        await connection.execute("set local lock_timeout = '5s'")
        await connection.execute("set local statement_timeout = '10min'")
        await connection.execute(
            """
            create table if not exists schema_migration (
                version    int not null,
                name       text not null,
                sha256     text not null,
                applied_at timestamptz not null,
                constraint schema_migration_pkey primary key (version)
            )
            """
        )
        await connection.execute(migration.sql)
        # The server's own clock, because this is a fact about the server and not about the buildings.
        await connection.execute(
            "insert into schema_migration (version, name, sha256, applied_at) values (%s, %s, %s, clock_timestamp())",
            [migration.version, migration.name, migration.sha256],
        )
