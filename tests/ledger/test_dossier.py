"""The dossier: what is written is hashed as stored, the chain tells where it was broken, and nobody may break it."""

import asyncio
import hashlib
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql

from ledger import dossier
from ledger.errors import NotFound
from ledger.pool import API_ROLE, INGEST_ROLE
from tests.fix_database import Connection
from tests.fix_wait import Eventually
from tests.locks import waits_for_a_lock
from tests.small_estate import NOON, SmallSite, build


@pytest.fixture
async def site(connection: Connection) -> SmallSite:
    return await build(connection, "garden", "花园小区")


async def write(connection: psycopg.AsyncConnection, site: SmallSite, *texts: str) -> None:
    for text in texts:
        await dossier.append(
            connection, site_id=site.id, facility_id=site.booster, kind="note", body={"text": text}, now=NOON
        )


def test_a_body_has_one_form_only() -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert dossier.entry_bytes({"b": 1, "a": "泵", "at": at}) == (
        '{"a":"泵","at":"2026-03-01T12:00:00+00:00","b":1}'.encode()
    )
    with pytest.raises(TypeError, match="set cannot stand in a dossier"):
        dossier.entry_bytes({"a": {1}})


async def test_every_hash_covers_the_one_before(connection: Connection, site: SmallSite) -> None:
    await write(connection, site, "一", "二", "三")
    entries = await dossier.entries(connection, site.booster)
    previous = bytes(32)
    for entry, text in zip(entries, "一二三", strict=True):
        assert entry.body == {"text": text}
        assert entry.hash == hashlib.sha256(previous + f'{{"text":"{text}"}}'.encode()).digest()
        previous = entry.hash
    check = await dossier.verify(connection, site.booster)
    assert (check.holds, check.length, check.head) == (True, 3, previous)
    assert [head async for head in dossier.heads(connection)] == [("garden", "booster-1", 3, previous)]


async def test_pages_go_on_where_the_last_one_ended(connection: Connection, site: SmallSite) -> None:
    await write(connection, site, *"abcde")
    first = await dossier.entries(connection, site.booster, limit=3)
    rest = await dossier.entries(connection, site.booster, after_seq=first[-1].seq, limit=3)
    assert [entry.seq for entry in (*first, *rest)] == [1, 2, 3, 4, 5]
    newest = await dossier.latest(connection, site.booster, limit=3)
    older = await dossier.latest(connection, site.booster, before_seq=newest[-1].seq, limit=3)
    assert [entry.seq for entry in (*newest, *older)] == [5, 4, 3, 2, 1]


async def test_an_empty_chain_holds(connection: Connection, site: SmallSite) -> None:
    check = await dossier.verify(connection, site.booster)
    assert (check.holds, check.length, check.head) == (True, 0, None)
    with pytest.raises(NotFound):
        await dossier.verify(connection, 10**6)


FORGERIES = {
    "a changed body, hashed anew": (
        "update dossier_entry set body = '{}', hash = sha256(previous_hash || '{}'::bytea) where seq = 2",
        3,
    ),
    "a removed entry": ("delete from dossier_entry where seq = 2", 3),
    "a cut end": ("delete from dossier_entry where seq = 4", 5),
    "another head": ("update facility set chain_head = sha256('') where chain_length > 0", 5),
    "an entry slipped in": (
        (
            "insert into dossier_entry (site_id, facility_id, seq, recorded_at, kind, body, previous_hash, hash) "
            "select site_id, facility_id, 5, recorded_at, kind, body, hash, sha256(hash || body) from dossier_entry "
            "where seq = 4"
        ),
        5,
    ),
}


@pytest.mark.parametrize("forgery", list(FORGERIES))
async def test_a_broken_chain_says_where(connection: Connection, site: SmallSite, forgery: str) -> None:
    """Done as the owner of the tables with the triggers off: what the chain is there to show."""
    await write(connection, site, *"abcd")
    statement, broken_at = FORGERIES[forgery]
    await connection.execute("set local session_replication_role = replica")
    await connection.execute(statement.encode())
    check = await dossier.verify(connection, site.booster)
    assert not check.holds
    assert check.broken_at == broken_at


async def test_a_hash_that_does_not_fit_its_bytes_is_refused(connection: Connection, site: SmallSite) -> None:
    await write(connection, site, "a")
    await connection.execute("set local session_replication_role = replica")
    with pytest.raises(psycopg.errors.CheckViolation, match="dossier_entry_hash_holds"):
        await connection.execute("update dossier_entry set body = '{}'")


@pytest.mark.parametrize("role", [INGEST_ROLE, API_ROLE])
@pytest.mark.parametrize(
    "statement", ["update dossier_entry set kind = 'x'", "delete from dossier_entry", "truncate dossier_entry"]
)
async def test_no_service_may_change_what_is_written(
    connection: Connection, site: SmallSite, role: str, statement: str
) -> None:
    await write(connection, site, "a")
    await connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await connection.execute(statement.encode())


@pytest.mark.parametrize(
    "statement", ["update dossier_entry set kind = 'x'", "delete from dossier_entry", "truncate dossier_entry"]
)
async def test_nor_does_its_owner_by_accident(connection: Connection, site: SmallSite, statement: str) -> None:
    await write(connection, site, "a")
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        await connection.execute(statement.encode())


async def test_two_writers_take_turns(connection: Connection, database_url: str, eventually: Eventually) -> None:
    site = await build(connection, "garden", "花园小区")
    await connection.commit()
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await write(connection, site, "first")
        second = asyncio.create_task(write(other, site, "second"))
        await eventually(lambda: waits_for_a_lock(database_url, other.info.backend_pid))
        await connection.commit()
        await second
        await other.commit()
    assert [entry.body["text"] for entry in await dossier.entries(connection, site.booster)] == ["first", "second"]
    assert (await dossier.verify(connection, site.booster)).holds


async def test_locks_are_taken_in_order_of_id(connection: Connection, database_url: str) -> None:
    """Two transactions that lock the same facilities the other way round do not wait for each other for ever."""
    site = await build(connection, "garden", "花园小区", lamp=True)
    assert site.lamp is not None
    await connection.commit()
    async with await psycopg.AsyncConnection.connect(database_url) as other:

        async def work(mine: psycopg.AsyncConnection, order: list[int]) -> None:
            for _ in range(20):
                await dossier.lock_facilities(mine, order)
                await mine.commit()

        await asyncio.gather(
            work(connection, [site.booster, site.lamp]), work(other, [site.lamp, site.booster, site.booster])
        )
