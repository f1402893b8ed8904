"""Back-up and restore by the two commands of docs/operations.md, on PostgreSQL and, in CI, on TimescaleDB."""

import os
import re
import subprocess
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from embedded import postgres as embedded_postgres
from embedded.postgres import Server
from ledger import audit, dossier, logins, migrate
from ledger.logins import API_LOGIN
from ledger.pool import API_ROLE, INGEST_ROLE, open_pool, transaction
from tests.eventful_site import let_everything_happen
from tests.fix_database import roles_to_ourselves, with_database
from tests.ledger.test_logins import PASSWORDS, as_login
from tests.small_estate import build_both
from tests.source_tree import ROOT

TOOLS = embedded_postgres._binary("pg_dump").parent  # of PostgreSQL 18: they speak to every older server
PAGE = ROOT / "docs/operations.md"


def as_on_the_page(script: str, database_url: str, file: Path) -> subprocess.CompletedProcess[str]:
    """The one line of the page that runs this script, with its placeholder and the file filled in."""
    (line,) = re.findall(
        rf"^DATABASE_URL=postgresql://\.\.\. deploy/{script} taizhang\.dump$",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    line = line.replace("postgresql://...", database_url).replace("taizhang.dump", str(file))
    environment = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}"}
    return subprocess.run(
        line, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture
async def empty(database_server: str) -> AsyncIterator[str]:
    name = f"tz_restored_{uuid.uuid4().hex[:12]}"
    async with await psycopg.AsyncConnection.connect(database_server, autocommit=True) as server:
        await server.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
        yield with_database(database_server, name)
        await server.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


async def rows_of_every_table(url: str) -> dict[str, list[Any]]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = await connection.execute(
            "select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
        )
        names = [name async for (name,) in cursor]
        return {
            name: sorted(
                str(row)
                for row in await (
                    await connection.execute(sql.SQL("select * from {}").format(sql.Identifier(name)))
                ).fetchall()
            )
            for name in names
        }


async def rights(url: str) -> list[Any]:
    """Owners, grants and policies of everything of ours."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = await connection.execute(
            "select relname, relowner::regrole::text, relrowsecurity, relacl::text, reloptions::text, "
            "array(select format('%s %s %s', polname, polroles::regrole[], pg_get_expr(polqual, polrelid)) "
            "from pg_policy where polrelid = pg_class.oid order by 1) "
            "from pg_class where relkind in ('r', 'v') and relnamespace = 'public'::regnamespace order by relname"
        )
        return await cursor.fetchall()


async def chunks_of_readings(url: str) -> list[Any]:
    """Which there are where TimescaleDB is; a plain table has none."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = await connection.execute(
            "select inhrelid::regclass::text from pg_inherits where inhparent = 'reading'::regclass order by 1"
        )
        return await cursor.fetchall()


async def test_a_restored_ledger_is_the_same_and_goes_on(database_url: str, empty: str, tmp_path: Path) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        garden, harbour = await build_both(connection)
        await let_everything_happen(connection, garden)
        await let_everything_happen(connection, harbour)
    file = tmp_path / "taizhang.dump"
    saved = as_on_the_page("backup", database_url, file)
    assert saved.returncode == 0, saved.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    brought = as_on_the_page("restore", empty, file)
    assert brought.returncode == 0, brought.stderr

    assert await rows_of_every_table(empty) == await rows_of_every_table(database_url)
    assert await rights(empty) == await rights(database_url)
    assert await chunks_of_readings(empty) == await chunks_of_readings(database_url)
    async with await psycopg.AsyncConnection.connect(empty) as connection:
        assert await migrate.missing(connection) == []
    async with roles_to_ourselves(empty):
        await logins.ensure(empty, PASSWORDS)
    async with (
        open_pool(as_login(empty, API_LOGIN, PASSWORDS[API_LOGIN]), role=API_ROLE) as pool,
        transaction(pool, sites=[garden.id]) as connection,
    ):
        seen = await (await connection.execute("select distinct site_id from site_reading")).fetchall()
        assert seen == [(garden.id,)], "one site's people see one site, also after a restore"
        checked = await dossier.verify(connection, garden.booster)
        assert checked.holds
        assert checked.length > 0
    async with await psycopg.AsyncConnection.connect(empty) as connection:
        assert await audit.run(connection) == []
        await let_everything_go_on(connection, garden.points["outlet_pressure"])


async def test_on_another_server_the_owner_migrates_and_makes_the_logins(postgres: Server, tmp_path: Path) -> None:
    """As with systemd: the owner may create roles and is no superuser; the new server has none of our roles yet."""
    owned = urlunsplit(
        urlsplit(as_login(postgres.url, "taizhang_owner", "owner-password-0123"))._replace(path="/owned")
    )
    everyone = [*PASSWORDS, "taizhang_ingest", "taizhang_api", "taizhang_reader", "taizhang_owner"]

    async def an_owner_and_his_database() -> None:
        async with await psycopg.AsyncConnection.connect(postgres.url, autocommit=True) as server:
            await server.execute("create role taizhang_owner login createrole password 'owner-password-0123'")
            await server.execute("create database owned owner taizhang_owner")

    await an_owner_and_his_database()
    await migrate.migrate(owned)
    await logins.ensure(owned, PASSWORDS)
    file = tmp_path / "taizhang.dump"
    saved = as_on_the_page("backup", owned, file)
    assert saved.returncode == 0, saved.stderr
    async with await psycopg.AsyncConnection.connect(postgres.url, autocommit=True) as server:
        await server.execute("drop database owned with (force)")
        for role in everyone:
            await server.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))
    await an_owner_and_his_database()
    brought = as_on_the_page("restore", with_database(postgres.url, "owned"), file)
    assert brought.returncode == 0, brought.stderr

    assert await migrate.migrate(owned) == []
    await logins.ensure(owned, PASSWORDS)
    async with open_pool(as_login(owned, API_LOGIN, PASSWORDS[API_LOGIN]), role=API_ROLE):
        pass
    async with open_pool(owned, role=INGEST_ROLE) as pool, transaction(pool) as connection:
        assert await audit.run(connection) == [], "taizhang.py check"
    async with await psycopg.AsyncConnection.connect(owned) as owner:
        await owner.execute("create view later as select id from site")
        await owner.execute("grant create on schema public to taizhang_reader")
        await owner.execute("alter view later owner to taizhang_reader")  # as migrations do
        await owner.rollback()


async def let_everything_go_on(connection: Any, point: int) -> None:
    """Identities and chunks continue: a new row does not collide with an old one."""
    await connection.execute(
        "insert into reading (point_id, ts, value, quality) values (%s, '2026-06-01', 1, 0)", [point]
    )
    await connection.execute(
        "insert into site (key, name_zh, name_en, time_zone, sla_profile, created_at) "
        "values ('new', '新', 'New', 'Asia/Shanghai', 'standard', '2026-06-01')"
    )


async def test_neither_overwrites_anything(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "taizhang.dump"
    file.write_bytes(b"precious")
    refused = as_on_the_page("backup", database_url, file)
    assert (refused.returncode, file.read_bytes()) == (1, b"precious")
    assert "nothing was written" in refused.stderr
    refused = as_on_the_page("restore", database_url, file)
    assert refused.returncode == 1
    assert "holds a ledger already" in refused.stderr


def test_a_backup_that_fails_leaves_no_half_file(tmp_path: Path) -> None:
    failed = as_on_the_page("backup", "postgresql://nobody@127.0.0.1:1/none", tmp_path / "taizhang.dump")
    assert failed.returncode != 0
    assert list(tmp_path.iterdir()) == []
