"""The services' logins: each does its work and nothing of another's, with the password given last."""

from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from embedded.postgres import Server
from ledger import logins, migrate, readiness, scope
from ledger.leases import LeaseSession
from ledger.logins import API_LOGIN, INGEST_LOGIN
from ledger.pool import API_ROLE, INGEST_ROLE, open_pool, transaction
from tests.fix_database import roles_to_ourselves
from tests.small_estate import build_both

PASSWORDS = {INGEST_LOGIN: "ingest-password-0123", API_LOGIN: "api-password-0123456"}


def as_login(database_url: str, login: str, password: str) -> str:
    parts = urlsplit(database_url)
    return urlunsplit(parts._replace(netloc=f"{login}:{password}@{parts.hostname}:{parts.port}"))


@pytest.fixture
async def sites(database_url: str) -> list[int]:
    """Logins belong to the whole server, which tests of other processes share: all give the same passwords."""
    async with roles_to_ourselves(database_url):
        for _ in range(2):
            await logins.ensure(database_url, PASSWORDS)
    async with await psycopg.AsyncConnection.connect(database_url) as owner:
        return [site.id for site in await build_both(owner)]


async def test_ingest_does_its_work_and_holds_a_site(database_url: str, sites: list[int]) -> None:
    url = as_login(database_url, INGEST_LOGIN, PASSWORDS[INGEST_LOGIN])
    async with open_pool(url, role=INGEST_ROLE) as pool, transaction(pool) as connection:
        cursor = await connection.execute("select count(*) from facility")
        assert (await cursor.fetchone()) == (5,)
    session = await LeaseSession.open(url, "worker")
    assert await session.take(sites[0])
    holder = await session.holder(sites[0])
    assert holder is not None
    assert holder.name == "worker"
    await session.close()


async def test_the_api_sees_what_it_is_for_and_every_site_only_by_name(database_url: str, sites: list[int]) -> None:
    url = as_login(database_url, API_LOGIN, PASSWORDS[API_LOGIN])
    async with open_pool(url, role=API_ROLE) as pool:
        assert await scope.every_site(pool) == dict(zip(sites, ("garden", "harbour"), strict=True))
        looked = await readiness.look(pool)
        assert (looked.missing, looked.refusal) == ((), None)
        async with transaction(pool) as connection:
            assert await (await connection.execute("select * from facility")).fetchall() == []
        async with transaction(pool, sites=sites[:1]) as connection:
            cursor = await connection.execute("select count(distinct site_id) from facility")
            assert (await cursor.fetchone()) == (1,)


@pytest.mark.parametrize(("login", "other"), [(API_LOGIN, INGEST_ROLE), (INGEST_LOGIN, API_ROLE)])
async def test_neither_becomes_the_other_nor_the_owner(
    database_url: str, sites: list[int], login: str, other: str
) -> None:
    assert sites
    owner = urlsplit(database_url).username or ""
    async with await psycopg.AsyncConnection.connect(
        as_login(database_url, login, PASSWORDS[login]), autocommit=True
    ) as connection:
        for role in (other, owner, "taizhang_reader"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(psycopg.sql.SQL("set role {}").format(psycopg.sql.Identifier(role)))
        for statement in (
            "delete from dossier_entry", "truncate reading", "create table x (y int)", "create role z",
            "drop table site", "update site set key = 'mine'", "alter table site disable row level security",
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(statement)


async def test_another_password_ends_the_old_one_and_none_is_kept_in_clear(database_url: str, sites: list[int]) -> None:
    assert sites
    login = f"{API_LOGIN}_of_test"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(logins._ACTS_AS, login, API_ROLE)
        await logins.ensure(database_url, {login: "first-password-0123"})
        await logins.ensure(database_url, {login: "second-password-012"})
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as owner:
        (kept,) = await (
            await owner.execute("select rolpassword from pg_authid where rolname = %s", [login])
        ).fetchone()  # type: ignore[misc]
        authentication = await (await owner.execute("select auth_method from pg_hba_file_rules limit 1")).fetchone()
    assert str(kept).startswith("SCRAM-SHA-256$")
    if authentication == ("scram-sha-256",):  # CI's TimescaleDB trusts everybody on loopback
        with pytest.raises(psycopg.OperationalError, match="password"):
            await psycopg.AsyncConnection.connect(as_login(database_url, login, "first-password-0123"))
    async with open_pool(as_login(database_url, login, "second-password-012"), role=API_ROLE):
        pass


async def test_an_owner_who_may_create_roles_and_nothing_else_suffices(postgres: Server) -> None:
    """As docs/operations.md creates him: neither he nor anybody else of ours is a superuser."""
    async with await psycopg.AsyncConnection.connect(postgres.url, autocommit=True) as server:
        await server.execute("create role taizhang_owner login createrole password 'owner-password-0123'")
        await server.execute("create database owned owner taizhang_owner")
    parts = urlsplit(as_login(postgres.url, "taizhang_owner", "owner-password-0123"))
    url = urlunsplit(parts._replace(path="/owned"))
    await migrate.migrate(url)
    await logins.ensure(url, PASSWORDS)
    async with open_pool(as_login(url, API_LOGIN, PASSWORDS[API_LOGIN]), role=API_ROLE) as pool:
        assert await scope.every_site(pool) == {}
