"""The live stream inside the process: nothing lost, nothing twice, nothing out of order, and nobody waits for the slow."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from api.feed import Beat, Begun, Feed, Pace, Reset, Stream, Told, TooManySubscribers
from api.service import Sites
from ledger import outbox
from ledger.errors import Unavailable
from ledger.outbox import Notice, Position
from ledger.pool import API_ROLE, Connection, Pool, open_pool
from tests.api.conftest import Estate
from tests.fix_proxy import OpenProxy
from tests.fix_wait import Eventually, wait_until
from tests.small_estate import NOON, build, later

Writer = psycopg.AsyncConnection[Any]
FAST = Pace(queue_max=8, page_max=5, heartbeat_s=30.0, poll_s=30.0, hidden_poll_s=0.02, retry_s=0.05)


async def say(writer: Writer, site_id: int, number: int) -> None:
    await outbox.append(writer, outbox.NewNotice(site_id, "alarm", number, 1, {"n": number}, NOON))


@asynccontextmanager
async def running(pool: Pool, pace: Pace = FAST) -> AsyncIterator[Feed]:
    feed = Feed(pool, Sites(pool).open, pace)
    reader = asyncio.create_task(feed.run())
    await feed.ready()
    yield feed
    feed.close()
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)


@pytest.fixture
async def feed(pool: Pool) -> AsyncIterator[Feed]:
    async with running(pool) as opened:
        yield opened


class Client:
    """Reads a stream on demand, and keeps what it was told."""

    def __init__(self, stream: Stream, after: Position | None) -> None:
        self._told = stream.told(after)
        self.seen: list[Told] = []

    async def next(self, deadline_s: float = 10.0) -> Told:
        async with asyncio.timeout(deadline_s):
            self.seen.append(await anext(self._told))
        return self.seen[-1]

    async def numbers(self, count: int) -> list[int]:
        """The next notices; anything else on the way is a failure."""
        found: list[int] = []
        while len(found) < count:
            told = await self.next()
            assert isinstance(told, Notice), told
            found.append(told.subject_id)
        return found

    @property
    def position(self) -> Position:
        return self.seen[-1].position


@asynccontextmanager
async def subscribed(feed: Feed, after: Position | None = None, wants: Any = lambda _: True) -> AsyncIterator[Client]:
    with feed.open(wants) as stream:
        client = Client(stream, after)
        async with aclosing(client._told):
            yield client


async def test_a_client_that_starts_now_hears_what_comes(feed: Feed, owner: Writer, estate: Estate) -> None:
    await say(owner, estate.garden.id, 1)
    async with running_since(feed, owner), subscribed(feed) as client:
        assert isinstance(begun := await client.next(), Begun)
        assert not begun.resumed
        await say(owner, estate.harbour.id, 2)
        await say(owner, estate.garden.id, 3)
        assert await client.numbers(2) == [2, 3]


@asynccontextmanager
async def running_since(feed: Feed, owner: Writer) -> AsyncIterator[None]:
    """The reader has seen everything there is."""
    newest = await outbox.newest(owner)
    await wait_until(lambda: feed.position >= newest)
    yield


async def test_a_client_that_comes_back_gets_what_it_missed_once(feed: Feed, owner: Writer, estate: Estate) -> None:
    async with subscribed(feed) as client:
        await client.next()
        for number in range(1, 31):
            await say(owner, estate.garden.id, number)
        assert await client.numbers(7) == list(range(1, 8))
        left_at = client.position
    async with subscribed(feed, left_at) as again:
        assert await again.next() == Begun(left_at, resumed=True)
        assert await again.numbers(23) == list(range(8, 31))
        await say(owner, estate.garden.id, 31)
        assert await again.numbers(1) == [31]


async def test_commits_out_of_order_are_told_in_order_and_whole(
    feed: Feed, database_url: str, estate: Estate, owner: Writer
) -> None:
    """B takes the larger id and commits first; A's notice, with the smaller one, must neither be lost nor come late."""
    async with (
        await psycopg.AsyncConnection.connect(database_url) as a,
        await psycopg.AsyncConnection.connect(database_url) as b,
        subscribed(feed) as client,
    ):
        await client.next()
        await say(a, estate.garden.id, 1)
        await say(b, estate.garden.id, 2)
        await b.commit()
        with pytest.raises(TimeoutError):
            await client.next(0.3)
    async with (
        await psycopg.AsyncConnection.connect(database_url) as a,
        await psycopg.AsyncConnection.connect(database_url) as b,
        subscribed(feed) as client,
    ):
        await client.next()
        await say(a, estate.garden.id, 3)
        await say(b, estate.garden.id, 4)
        await b.commit()
        await a.commit()
        assert await client.numbers(2) == [3, 4]


async def test_what_an_older_transaction_hid_comes_when_it_ends_without_a_word(
    feed: Feed, database_url: str, estate: Estate, owner: Writer
) -> None:
    """Nobody is notified when it ends: it wrote nothing. The poll finds it long before the next heartbeat."""
    async with await psycopg.AsyncConnection.connect(database_url) as idle, subscribed(feed) as client:
        await client.next()
        await idle.execute("select pg_current_xact_id()")
        await say(owner, estate.garden.id, 1)
        waiting = asyncio.create_task(client.next())
        await wait_until(lambda: hidden(owner))
        assert not waiting.done()
        await idle.rollback()
        assert isinstance(told := await waiting, Notice)
        assert told.subject_id == 1


async def test_what_was_hidden_and_ends_just_after_the_reader_looked_is_found_as_soon(
    feed: Feed, database_url: str, estate: Estate, owner: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as idle, subscribed(feed) as client:
        await client.next()
        await idle.execute("select pg_current_xact_id()")
        look = outbox.next_page

        async def looked(connection: Writer, position: Position, *, limit: int) -> tuple[bool, list[Notice]]:
            found = await look(connection, position, limit=limit)
            if await hidden(owner):
                await idle.rollback()
            return found

        monkeypatch.setattr(outbox, "next_page", looked)
        await say(owner, estate.garden.id, 1)
        assert isinstance(told := await client.next(), Notice)
        assert told.subject_id == 1


async def hidden(owner: Writer) -> bool:
    return await outbox.hidden(owner)


async def test_many_writers_many_clients_that_leave_and_come_back(
    feed: Feed, database_url: str, estate: Estate, owner: Writer
) -> None:
    """Four writers commit in any order; three clients read a few, leave, come back: each gets all, once, in order."""
    dice = random.Random(11)
    writers = [await psycopg.AsyncConnection.connect(database_url) for _ in range(4)]
    start = feed.position

    async def write() -> None:
        for number in range(120):
            writer = writers[dice.randrange(4)]
            await say(writer, estate.garden.id, number)
            if dice.random() < 0.4:
                await writers[dice.randrange(4)].commit()
        for writer in writers:
            await writer.commit()

    async def read(seed: int) -> list[int]:
        mine, position, found = random.Random(seed), start, list[int]()
        while len(found) < 120:
            async with subscribed(feed, position) as client:
                await client.next()
                for _ in range(min(mine.randrange(1, 25), 120 - len(found))):
                    found += await client.numbers(1)
                position = client.position
        return found

    *lists, _ = await asyncio.gather(read(1), read(2), read(3), write())
    assert lists[0] == lists[1] == lists[2]
    assert sorted(lists[0]) == list(range(120))
    for writer in writers:
        await writer.close()


async def test_a_slow_client_costs_a_bounded_queue_and_misses_nothing(
    feed: Feed, owner: Writer, estate: Estate
) -> None:
    async with subscribed(feed) as slow, subscribed(feed) as quick:
        await slow.next()
        await quick.next()
        for number in range(1, 101):
            await say(owner, estate.garden.id, number)
            if number == 1:
                assert await slow.numbers(1) == [1]
            assert await quick.numbers(1) == [number]
            assert max(len(queue.waiting) for queue in feed._queues) <= FAST.queue_max
        assert any(queue.overflown for queue in feed._queues)
        assert await slow.numbers(99) == list(range(2, 101))
        await say(owner, estate.garden.id, 101)
        assert await slow.numbers(1) == [101]
        assert await quick.numbers(1) == [101]


async def test_a_slow_client_overtaken_by_the_trimming_is_reset(feed: Feed, owner: Writer, estate: Estate) -> None:
    async with subscribed(feed) as slow:
        await slow.next()
        await say(owner, estate.garden.id, 1)
        assert await slow.numbers(1) == [1]
        for number in range(2, 30):
            await say(owner, estate.garden.id, number)
        newest = await outbox.newest(owner)
        await wait_until(lambda: feed.position >= newest)
        assert await outbox.trim(owner, later(hours=1)) == 28
        assert await slow.next() == Reset(newest)
        await say(owner, estate.garden.id, 30)
        assert await slow.numbers(1) == [30]


@pytest.mark.parametrize("position", [Position(1, 1), Position(2**62, 1)])
async def test_a_position_nobody_can_resume_from_is_a_reset(
    feed: Feed, owner: Writer, estate: Estate, position: Position
) -> None:
    """The first was trimmed away; the second comes from another life of this database."""
    for number in range(3):
        await say(owner, estate.garden.id, number)
    await outbox.trim(owner, later(hours=1))
    newest = await outbox.newest(owner)
    await wait_until(lambda: feed.position >= newest)
    async with subscribed(feed, position) as client:
        assert await client.next() == Reset(newest)
        await say(owner, estate.garden.id, 9)
        assert await client.numbers(1) == [9]


async def test_a_client_of_one_site_hears_of_no_other_and_still_moves_on(
    pool: Pool, owner: Writer, estate: Estate
) -> None:
    """What it does not want does not fill its queue, and a beat carries its position past it."""
    async with running(pool, replace(FAST, heartbeat_s=0.2)) as feed:
        site_id = estate.harbour.id
        async with subscribed(feed, wants=lambda notice: notice.site_id == site_id) as client:
            await client.next()
            for number in range(20):
                await say(owner, estate.garden.id, number)
            await say(owner, estate.harbour.id, 20)
            told = await client.next()
            while isinstance(told, Beat):
                told = await client.next()
            assert isinstance(told, Notice)
            assert told.subject_id == 20
            await say(owner, estate.garden.id, 21)
            newest = await outbox.newest(owner)
            while (told := await client.next()).position < newest:
                assert isinstance(told, Beat)
            assert isinstance(told, Beat)
            assert told.current


async def test_a_site_that_is_new_is_heard_of_at_once(feed: Feed, owner: Writer, estate: Estate) -> None:
    async with subscribed(feed) as client:
        await client.next()
        async with owner.transaction():
            new = await build(owner, "island", "海岛小区")
        await say(owner, new.id, 1)
        assert await client.numbers(1) == [1]


async def test_streams_are_bounded_in_number(pool: Pool) -> None:
    async with running(pool, replace(FAST, subscribers_max=2)) as feed:
        async with subscribed(feed), subscribed(feed):
            with pytest.raises(TooManySubscribers), feed.open(lambda _: True):
                pass
        assert feed.subscribers == 0


async def test_closing_ends_every_stream(feed: Feed) -> None:
    async with subscribed(feed) as client:
        await client.next()
        waiting = asyncio.create_task(client.next())
        await wait_until(lambda: client._told.ag_running)
        feed.close()
        with pytest.raises(StopAsyncIteration):
            await waiting


async def test_a_lost_database_is_waited_for_and_nothing_is_lost(
    database_url: str, open_proxy: OpenProxy, owner: Writer, estate: Estate, eventually: Eventually
) -> None:
    proxy = await open_proxy(database_url)
    async with (
        open_pool(proxy.url(database_url), role=API_ROLE) as pool,
        running(pool, replace(FAST, heartbeat_s=0.1)) as feed,
        subscribed(feed) as client,
    ):
        await client.next()
        await proxy.refuse()
        await eventually(lambda: not feed.current)
        assert isinstance(beat := await client.next(), Beat)
        assert not beat.current, "a silent screen says that it is silent"
        for number in range(20):
            await say(owner, estate.garden.id, number)
        await proxy.restore()
        told: list[int] = []
        while len(told) < 20:
            each = await client.next(30)
            if isinstance(each, Notice):
                told.append(each.subject_id)
        assert told == list(range(20))


async def test_a_reader_that_fails_begins_again_where_it_stood(pool: Pool, owner: Writer, estate: Estate) -> None:
    sites = Sites(pool)
    asked = 0

    async def failing_once(connection: Connection) -> None:
        nonlocal asked
        if asyncio.current_task() is reader:  # a client may ask the table as well
            asked += 1
            if asked == 3:
                raise KeyError("whatever it is")
        await sites.open(connection)

    feed = Feed(pool, failing_once, FAST)
    reader = asyncio.create_task(feed.run())
    await feed.ready()
    async with subscribed(feed) as client:
        await client.next()
        for number in (1, 2, 3):
            await say(owner, estate.garden.id, number)
            assert await client.numbers(1) == [number]
    assert asked > 3
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)


async def test_a_feed_that_never_found_its_ledger_says_so(pool: Pool) -> None:
    feed = Feed(pool, Sites(pool).open, replace(FAST, ready_s=0.01))
    with pytest.raises(Unavailable, match="has not reached the ledger"):
        await feed.ready()
