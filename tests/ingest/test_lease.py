"""Promise 10 to the end of the last transaction: who loses a site in the middle of one finishes before anybody else begins."""

import pytest

from ingest import lease
from ingest.errors import SiteTaken
from ingest.lease import Lease
from ledger import history, leases
from ledger.errors import Unavailable
from ledger.leases import LeaseSession
from ledger.pool import INGEST_ROLE, open_pool, transaction

SITE = {1: "east"}


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(lease, "WAIT_S", 0.2)


async def test_a_successor_waits_for_the_transaction_in_which_the_lease_was_lost(database_url, connection) -> None:
    first = await LeaseSession.open(database_url, "first")
    assert await first.take(1)
    await leases.require(await leases.fence(connection, first.pid, SITE), SITE)  # judging begins
    await first.close()  # and the lease is lost on the way
    second = Lease(database_url, "second")
    with pytest.raises(Unavailable, match="a transaction of the worker that judged east before is still under way"):
        await second.hold(SITE)
    await connection.commit()
    pid = await second.hold(SITE)
    await leases.require(await leases.fence(connection, pid, SITE), SITE)
    await connection.rollback()
    await second.close()


async def test_a_transaction_that_begins_after_the_lease_is_lost_finds_it_gone(database_url, connection) -> None:
    first = await LeaseSession.open(database_url, "first")
    assert await first.take(1)
    await first.close()
    second = Lease(database_url, "second")
    await second.hold(SITE)
    with pytest.raises(Unavailable, match="must be taken again"):
        await leases.require(await leases.fence(connection, first.pid, SITE), SITE)
    await connection.rollback()
    await second.close()


async def test_the_fence_keeps_nobody_who_holds_another_site(database_url, connection) -> None:
    first = Lease(database_url, "first")
    await leases.require(await leases.fence(connection, await first.hold({2: "west"}), {2: "west"}), {2: "west"})
    second = Lease(database_url, "second")
    await second.hold(SITE)
    with pytest.raises(SiteTaken, match="west is judged by first"):
        await second.hold({2: "west"})
    await connection.rollback()
    for each in (first, second):
        await each.close()


async def test_the_historian_and_the_line_do_not_wait_for_each_other(database_url, connection) -> None:
    first = Lease(database_url, "first")
    pid = await first.hold(SITE)
    async with open_pool(database_url, role=INGEST_ROLE) as pool, transaction(pool) as historian:
        assert await history.is_mine(historian, 1)
        await connection.execute("set local lock_timeout = '1s'")
        await leases.require(await leases.fence(connection, pid, SITE), SITE)  # judging begins beside it
        async with transaction(pool) as next_turn:
            assert not await history.is_mine(next_turn, 1)
    async with open_pool(database_url, role=INGEST_ROLE) as pool, transaction(pool) as historian:
        assert await history.is_mine(historian, 1)  # while it is judged
        await connection.rollback()
        successor = Lease(database_url, "second")
        await first.close()
        await successor.hold(SITE)  # nor does whoever takes the site
    await successor.close()


async def test_a_transaction_that_nobody_goes_on_with_is_ended(database_url) -> None:
    async with open_pool(database_url, role=INGEST_ROLE, size_max=1) as pool, transaction(pool) as opened:
        cursor = await opened.execute("show idle_in_transaction_session_timeout")
        assert await cursor.fetchone() == ("10min",)
