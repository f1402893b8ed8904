"""Migrations go forward only, each whole or not at all, and add up to the committed schema."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from ledger.errors import LedgerError, Unavailable
from ledger.migrate import MIGRATIONS_DIR, MigrationError, migrate, migrations, missing
from ledger.schema import SCHEMA_FILE, schema_sql
from tests.fix_database import Connection, with_database


@pytest.fixture
async def empty_url(database_server: str) -> AsyncIterator[str]:
    """A database nobody has migrated."""
    name = f"tz_empty_{uuid.uuid4().hex[:12]}"
    async with await psycopg.AsyncConnection.connect(database_server, autocommit=True) as server:
        await server.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield with_database(database_server, name)
        await server.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


async def pending(url: str, directory: Path = MIGRATIONS_DIR) -> list[str]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        return await missing(connection, directory)


def write(directory: Path, **files: str) -> Path:
    for name, text in files.items():
        (directory / f"{name.removeprefix('m')}.sql").write_text(text)
    return directory


async def test_the_migrations_add_up_to_the_committed_schema(database_url: str) -> None:
    assert await schema_sql(database_url) == SCHEMA_FILE.read_text(encoding="utf-8"), (
        "run `make schema` and commit ledger/schema.sql"
    )


async def test_the_schema_text_is_the_same_every_time(database_url: str) -> None:
    assert await schema_sql(database_url) == await schema_sql(database_url)


async def test_a_second_run_does_nothing(empty_url: str) -> None:
    labels = [migration.label for migration in migrations()]
    assert await pending(empty_url) == labels
    assert await migrate(empty_url) == labels
    assert await pending(empty_url) == []
    assert await migrate(empty_url) == []


async def test_two_at_once_take_turns(empty_url: str) -> None:
    done = await asyncio.gather(migrate(empty_url), migrate(empty_url))
    assert sorted(done, key=len) == [[], [migration.label for migration in migrations()]]


async def test_a_failing_migration_leaves_nothing_and_those_before_it_stay(empty_url: str, tmp_path: Path) -> None:
    write(
        tmp_path, m0001_first="create table first (id int)", m0002_second="create table second (id int); select 1 / 0"
    )
    with pytest.raises(LedgerError, match="division by zero"):
        await migrate(empty_url, tmp_path)
    assert await pending(empty_url, tmp_path) == ["0002_second"]
    write(tmp_path, m0002_second="create table second (id int)")
    assert await migrate(empty_url, tmp_path) == ["0002_second"]


async def test_a_file_changed_after_it_was_applied_is_refused(empty_url: str, tmp_path: Path) -> None:
    await migrate(empty_url, write(tmp_path, m0001_first="select 1"))
    write(tmp_path, m0001_first="select 2", m0002_second="create table second (id int)")
    with pytest.raises(MigrationError, match=r"0001_first\.sql was changed after it was applied"):
        await migrate(empty_url, tmp_path)
    with pytest.raises(MigrationError, match="was changed"):
        await pending(empty_url, tmp_path)


async def test_a_renamed_file_is_refused(empty_url: str, tmp_path: Path) -> None:
    await migrate(empty_url, write(tmp_path, m0001_first="select 1"))
    (tmp_path / "0001_first.sql").rename(tmp_path / "0001_premier.sql")
    with pytest.raises(MigrationError, match="the database has 0001_first, the code has 0001_premier"):
        await migrate(empty_url, tmp_path)


async def test_a_database_newer_than_the_code_is_refused(empty_url: str, tmp_path: Path) -> None:
    await migrate(empty_url, write(tmp_path, m0001_first="select 1", m0002_second="select 2"))
    (tmp_path / "0002_second.sql").unlink()
    with pytest.raises(MigrationError, match="has 0002_second, which this code does not know"):
        await migrate(empty_url, tmp_path)


async def test_a_gap_in_the_past_of_the_database_is_refused(empty_url: str, tmp_path: Path) -> None:
    await migrate(empty_url, write(tmp_path, m0001_first="select 1", m0002_second="select 2"))
    async with await psycopg.AsyncConnection.connect(empty_url) as connection:
        await connection.execute("delete from schema_migration where version = 1")
    with pytest.raises(MigrationError, match="has 0002_second but not 0001"):
        await migrate(empty_url, tmp_path)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["0001_first", "0003_third"], r"0003_third\.sql: expected number 0002"),
        (["0002_second"], r"0002_second\.sql: expected number 0001"),
        (["0001_first", "0001_other"], r"expected number 0002"),
        (["0001_First"], "a migration is called NNNN_name"),
        (["1_first"], "a migration is called NNNN_name"),
    ],
)
def test_files_with_bad_names_or_gaps_are_refused(tmp_path: Path, names: list[str], message: str) -> None:
    for name in names:
        (tmp_path / f"{name}.sql").write_text("select 1")
    with pytest.raises(MigrationError, match=message):
        migrations(tmp_path)


async def test_a_migration_gives_up_on_a_lock_instead_of_holding_everybody_up(
    empty_url: str, connection: Connection, tmp_path: Path
) -> None:
    write(tmp_path, m0001_first="create table busy (id int)")
    await migrate(empty_url, tmp_path)
    write(tmp_path, m0002_second="set local lock_timeout = '50ms'; alter table busy add column x int")
    async with await psycopg.AsyncConnection.connect(empty_url) as holder:
        await holder.execute("lock table busy in access share mode")
        with pytest.raises(Unavailable, match="busy"):
            await migrate(empty_url, tmp_path)
    assert await migrate(empty_url, tmp_path) == ["0002_second"]


async def test_lock_and_statement_timeouts_are_set(empty_url: str, tmp_path: Path) -> None:
    write(
        tmp_path,
        m0001_first="create table seen as select current_setting('lock_timeout'), current_setting('statement_timeout')",
    )
    with pytest.raises(LedgerError, match="specified more than once"):
        await migrate(empty_url, tmp_path)
    write(
        tmp_path,
        m0001_first="create table seen as select current_setting('lock_timeout') as lock, "
        "current_setting('statement_timeout') as statement",
    )
    await migrate(empty_url, tmp_path)
    async with await psycopg.AsyncConnection.connect(empty_url) as connection:
        cursor = await connection.execute("select lock, statement from seen")
        assert await cursor.fetchone() == ("5s", "10min")


async def test_an_unreachable_database_is_said_to_be_so() -> None:
    with pytest.raises(Unavailable, match="database unavailable"):
        await migrate("postgresql://nobody@127.0.0.1:1/nothing")


async def test_a_user_without_powers_can_migrate(database_server: str, tmp_path: Path) -> None:
    """Not a superuser, owns the database, has been given the roles by an administrator."""
    name = f"tz_weak_{uuid.uuid4().hex[:12]}"
    async with await psycopg.AsyncConnection.connect(database_server, autocommit=True) as server:
        await migrate(await _database(server, f"{name}_first", database_server))  # the roles exist after this
        await server.execute(sql.SQL("create role {} login password 'weak'").format(sql.Identifier(name)))
        try:
            url = await _database(server, name, database_server, owner=name)
            weak_url = psycopg.conninfo.make_conninfo(url, user=name, password="weak")
            with pytest.raises(LedgerError, match=f"let an administrator run: .* grant taizhang_ingest to {name}"):
                await migrate(weak_url)
            await server.execute(
                sql.SQL("grant taizhang_ingest, taizhang_api, taizhang_reader to {}").format(sql.Identifier(name))
            )
            assert await migrate(weak_url) == [migration.label for migration in migrations()][1:]
            async with await psycopg.AsyncConnection.connect(weak_url) as weak:
                await weak.execute("set role taizhang_api")
                await weak.execute("select * from site_reading")
        finally:
            for database in (name, f"{name}_first"):
                await server.execute(
                    sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database))
                )
            await server.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


async def _database(server: Connection, name: str, server_url: str, owner: str | None = None) -> str:
    await server.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    if owner is not None:
        await server.execute(
            sql.SQL("alter database {} owner to {}").format(sql.Identifier(name), sql.Identifier(owner))
        )
    return with_database(server_url, name)


async def test_readings_are_a_hypertable_exactly_where_timescaledb_is_loaded(connection: Connection) -> None:
    cursor = await connection.execute("select current_setting('timescaledb.disable_load', true) is not null")
    is_loaded = await cursor.fetchone() == (True,)
    cursor = await connection.execute("select count(*) from pg_extension where extname = 'timescaledb'")
    assert await cursor.fetchone() == (int(is_loaded),)
    if is_loaded:
        cursor = await connection.execute(
            "select hypertable_name, time_interval from timescaledb_information.dimensions"
        )
        assert await cursor.fetchall() == [("reading", timedelta(days=7))]
    cursor = await connection.execute(
        "select indexrelid::regclass::text from pg_index where indrelid = 'reading'::regclass"
    )
    assert await cursor.fetchall() == [("reading_pkey",)]


def test_every_migration_says_what_it_is_for() -> None:
    for path in MIGRATIONS_DIR.glob("*.sql"):
        assert path.read_text(encoding="utf-8").startswith("-- "), path.name
