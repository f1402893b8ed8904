"""People in the ledger: what is the desk's is seen by no scope, and what is one's own by nobody else."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import psycopg
import pytest

from ledger import audit_log, passwords, people, person_settings, sessions
from ledger.errors import Invalid, LedgerError, Refused
from ledger.people import Membership
from ledger.pool import API_ROLE, INGEST_ROLE, Pool, open_pool, transaction
from tests.eventful_site import let_everything_happen
from tests.small_estate import NOON, SmallSite, build_both, later

IDLE = timedelta(hours=12)
DESK_S = ("person_password", "session", "person_setting")


@dataclass(frozen=True)
class Here:
    garden: SmallSite
    harbour: SmallSite
    pool: Pool


@pytest.fixture
async def here(database_url: str) -> AsyncIterator[Here]:
    async with await psycopg.AsyncConnection.connect(database_url) as owner:
        garden, harbour = await build_both(owner)
        for site in (garden, harbour):
            await let_everything_happen(owner, site)
    async with open_pool(database_url, role=API_ROLE, size_max=2) as pool:
        yield Here(garden, harbour, pool)


async def rows(here: Here, table: str, *, sites: list[int] | None = None, person: int | None = None, desk: bool = False) -> int:  # fmt: skip
    async with transaction(here.pool, sites=sites, person=person, desk=desk) as connection:
        row = await (await connection.execute(f"select count(*) from {table}".encode())).fetchone()
    assert row is not None
    return int(row[0])


async def test_what_recognises_people_is_seen_at_the_desk_only(here: Here) -> None:
    everywhere = [0, here.garden.id, here.harbour.id]
    for table in DESK_S:
        assert await rows(here, table, sites=everywhere) == 0, table
        assert await rows(here, table, desk=True) == 2, table


async def test_what_somebody_saved_is_his_own(here: Here) -> None:
    async with transaction(here.pool, desk=True) as connection:
        wang = await people.with_login(connection, "wang.garden")
    assert wang is not None
    assert await rows(here, "person_setting", person=wang.id) == 1
    assert await rows(here, "person_setting", person=wang.id + 100) == 0
    async with transaction(here.pool, person=wang.id) as connection:
        assert (await person_settings.get(connection, wang.id, "alarms")).value == {"columns": ["state"]}
        with pytest.raises(Refused, match="already"):
            for number in range(person_settings.PER_PERSON_MAX):
                await person_settings.put(connection, wang.id, f"k{number}", 1, NOON)


async def test_a_person_is_written_at_the_desk_only(here: Here) -> None:
    with pytest.raises(LedgerError, match="row-level security"):
        async with transaction(here.pool, sites=[0, here.garden.id]) as connection:
            await people.add(connection, login="li", name="李", language="zh", created_by="x", now=NOON)


async def test_a_membership_is_given_within_the_scope_only(here: Here) -> None:
    async with transaction(here.pool, desk=True) as connection:
        wang = await people.with_login(connection, "wang.garden")
    assert wang is not None
    for wanted in (Membership(here.harbour.id, "auditor"), Membership(None, "administrator")):
        with pytest.raises(LedgerError, match="row-level security"):
            async with transaction(here.pool, sites=[here.garden.id]) as connection:
                await people.put_memberships(connection, wang.id, [wanted], by="x", now=NOON)


async def test_memberships_out_of_sight_stay(here: Here) -> None:
    async with transaction(here.pool, sites=[here.garden.id, here.harbour.id], desk=True) as connection:
        wang = await people.with_login(connection, "wang.garden")
        assert wang is not None
        both = [Membership(here.garden.id, "auditor"), Membership(here.harbour.id, "auditor")]
        await people.put_memberships(connection, wang.id, both, by="x", now=NOON)
    async with transaction(here.pool, sites=[here.garden.id]) as connection:
        await people.put_memberships(connection, wang.id, [], by="x", now=NOON)
    async with transaction(here.pool, desk=True) as connection:
        assert await people.memberships(connection, [wang.id]) == {wang.id: [Membership(here.harbour.id, "auditor")]}


async def test_a_session_ends_by_itself_and_with_its_person(here: Here) -> None:
    digest = hashlib.sha256(b"garden").digest()
    async with transaction(here.pool, desk=True) as connection:
        found = await sessions.find(connection, digest, now=later(hours=1), idle=IDLE)
        assert found is not None
        assert (found.person.login, [each.role for each in found.memberships]) == ("wang.garden", ["duty_engineer"])
        assert await sessions.find(connection, digest, now=later(hours=12), idle=IDLE) is None
        await sessions.touch(connection, found.id, later(hours=11))
        assert await sessions.find(connection, digest, now=later(hours=12), idle=IDLE) is not None
        assert await sessions.find(connection, digest, now=later(days=1), idle=timedelta(days=9)) is None
        await people.disable(connection, found.person.id, by="x", now=NOON)
        assert await sessions.find(connection, digest, now=later(hours=12), idle=IDLE) is None


async def test_sessions_are_bounded_and_expired_ones_go(here: Here) -> None:
    async with transaction(here.pool, desk=True) as connection:
        wang = await people.with_login(connection, "wang.garden")
        assert wang is not None
        for number in range(sessions.PER_PERSON_MAX + 5):
            await sessions.begin(
                connection,
                wang.id,
                digest=hashlib.sha256(str(number).encode()).digest(),
                way="password",
                ip="",
                user_agent="",
                now=later(days=2),
                expires_at=later(days=3),
            )
    assert await rows(here, "session", desk=True) == sessions.PER_PERSON_MAX


async def test_a_newer_hash_replaces_only_the_one_it_was_made_of(here: Here) -> None:
    async with transaction(here.pool, desk=True) as connection:
        wang = await people.with_login(connection, "wang.garden")
        assert wang is not None
        await passwords.rehash(connection, wang.id, "$argon2id$changed meanwhile", "$argon2id$newer")
        kept = await passwords.of(connection, wang.id)
        assert kept is not None
        assert kept.hash == "$argon2id$of nobody"
    with pytest.raises(Invalid, match="argon2id"):
        async with transaction(here.pool, desk=True) as connection:
            await passwords.put(connection, wang.id, "in clear", must_change=False, now=NOON)


async def test_sign_ins_are_told_to_whoever_audits_a_site_of_the_person(here: Here) -> None:
    async with transaction(here.pool, desk=True) as connection:
        wang = await people.with_login(connection, "wang.garden")
        assert wang is not None
        doer = audit_log.Doer(wang.name, wang.id, None, "192.0.2.1", "")
        await audit_log.write(
            connection, doer, operation="sign_in", subject="session", site_id=None, asked=None, now=NOON
        )
    for site, seen in ((here.garden, ["sign_in", "note_alarm"]), (here.harbour, ["note_alarm"])):
        async with transaction(here.pool, sites=[site.id]) as connection:
            page = await audit_log.page(connection, audit_log.EntryFilter())
        assert [each.operation for each in page] == seen


async def test_ingest_reads_no_more_of_people_than_that_they_are_there(here: Here, database_url: str) -> None:
    async with open_pool(database_url, role=INGEST_ROLE, size_max=1) as pool:
        for statement in ("select hash from person_password", "select digest from session", "select name from person", "select asked from audit_log"):  # fmt: skip
            with pytest.raises(LedgerError, match="permission denied"):
                async with transaction(pool) as connection:
                    await connection.execute(statement.encode())
