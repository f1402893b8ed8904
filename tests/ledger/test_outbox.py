"""The stream: nothing appears behind a position handed out, however transactions interleave, and trimming leaves no holes."""

import random
from datetime import datetime
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import outbox
from ledger.outbox import Notice, Position
from tests.fix_database import Connection
from tests.fix_wait import wait_until
from tests.small_estate import NOON, build, later

START = Position(0, 0)


@pytest.fixture
async def site_id(connection: Connection) -> int:
    site = await build(connection, "garden", "花园小区")
    await connection.execute("delete from outbox")
    await connection.commit()
    return site.id


async def say(
    connection: psycopg.AsyncConnection[Any],
    site_id: int,
    number: int,
    *,
    topic: str | None = None,
    at: datetime = NOON,
) -> None:
    await outbox.append(connection, outbox.NewNotice(site_id, "alarm", number, 1, {}, at, topic=topic))


async def peeked(connection: Connection, position: Position = START) -> list[int]:
    """Numbers after a position; the reader's own transaction must not be in the way."""
    numbers = [notice.subject_id for notice in await outbox.after(connection, position)]
    await connection.commit()
    return numbers


async def settled(connection: Connection) -> bool:
    nothing_hidden = not await outbox.hidden(connection)
    await connection.commit()
    return nothing_hidden


async def said(connection: Connection, position: Position = START) -> list[int]:
    """The same once everything is to be seen: the server's other databases run transactions, too."""
    await wait_until(lambda: settled(connection))
    return await peeked(connection, position)


@given(transaction=st.integers(0, 2**63 - 1), number=st.integers(0, 2**63 - 1))
def test_a_position_is_written_and_read_back(transaction: int, number: int) -> None:
    assert Position.parse(str(Position(transaction, number))) == Position(transaction, number)


@given(text=st.text(max_size=30))
def test_any_other_text_is_refused_as_such(text: str) -> None:
    try:
        position = Position.parse(text)
    except ValueError as error:
        assert "position" in str(error)
    else:
        assert 0 <= position.transaction < 2**63


@pytest.mark.parametrize("text", ["", "-", "1-", "-1", "1--1", "a-b", "1-1-1", "١-١", f"{2**63}-1", " 1-1", "1_0-1"])
def test_near_misses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a position"):
        Position.parse(text)


async def test_a_smaller_id_committed_later_is_not_lost(
    connection: Connection, database_url: str, site_id: int
) -> None:
    """The trap: B takes the larger id and commits first; a reader that went by ids would never see A."""
    async with (
        await psycopg.AsyncConnection.connect(database_url) as a,
        await psycopg.AsyncConnection.connect(database_url) as b,
    ):
        await say(a, site_id, 1)
        await say(b, site_id, 2)
        await b.commit()
        assert await peeked(connection) == [], "B waits behind A"
        assert await outbox.hidden(connection)
        await connection.commit()
        await a.commit()
    assert await said(connection) == [1, 2]


async def test_a_transaction_that_started_earlier_and_writes_later_comes_first(
    connection: Connection, database_url: str, site_id: int
) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as early:
        await early.execute("select pg_current_xact_id()")
        async with await psycopg.AsyncConnection.connect(database_url) as late:
            await say(late, site_id, 2)
        assert await peeked(connection) == []
        await say(early, site_id, 1)
    await wait_until(lambda: settled(connection))
    numbers = await outbox.after(connection, Position(0, 0))
    assert [notice.subject_id for notice in numbers] == [1, 2]
    assert numbers[0].position.id > numbers[1].position.id


async def test_what_is_rolled_back_never_appears(connection: Connection, database_url: str, site_id: int) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await say(other, site_id, 1)
        await other.rollback()
        await say(other, site_id, 2)
        await other.commit()
    assert await said(connection) == [2]


async def test_reading_page_by_page_while_many_write_in_any_order_loses_and_repeats_nothing(
    connection: Connection, database_url: str, site_id: int
) -> None:
    """Four writers, their commits interleaved at random; a reader that looks in between with pages of three."""
    dice = random.Random(7)
    writers = [await psycopg.AsyncConnection.connect(database_url) for _ in range(4)]
    read: list[Notice] = []
    position, number, written = Position(0, 0), 0, set[int]()
    pending: dict[int, list[int]] = {each: [] for each in range(4)}
    for _ in range(200):
        chosen = dice.randrange(4)
        if dice.random() < 0.5:
            number += 1
            pending[chosen].append(number)
            await say(writers[chosen], site_id, number)
        elif dice.random() < 0.2:
            await writers[chosen].rollback()
            pending[chosen] = []
        else:
            await writers[chosen].commit()
            written |= set(pending[chosen])
            pending[chosen] = []
        page = await outbox.after(connection, position, limit=3)
        await connection.commit()
        read += page
        position = page[-1].position if page else position
    for each, writer in enumerate(writers):
        await writer.commit()
        written |= set(pending[each])
        await writer.close()
    await wait_until(lambda: settled(connection))
    while page := await outbox.after(connection, position, limit=3):
        read += page
        position = page[-1].position
    numbers = [notice.subject_id for notice in read]
    assert sorted(numbers) == sorted(written)
    assert [notice.position for notice in read] == sorted(notice.position for notice in read)


async def test_newest_is_where_a_listener_that_starts_now_misses_nothing(
    connection: Connection, database_url: str, site_id: int
) -> None:
    assert await outbox.newest(connection) == Position(0, 0)
    await connection.commit()
    async with (
        await psycopg.AsyncConnection.connect(database_url) as a,
        await psycopg.AsyncConnection.connect(database_url) as b,
    ):
        await say(b, site_id, 1)
        await b.commit()
        await wait_until(lambda: settled(connection))  # other databases' transactions of the same server hold it back
        start = await outbox.newest(connection)
        await connection.commit()
        await say(a, site_id, 2)
        await say(b, site_id, 3)
        await b.commit()
        assert await outbox.newest(connection) == start
        await connection.commit()
    assert await said(connection, start) == [2, 3]


async def test_listeners_are_woken_after_commit(connection: Connection, database_url: str, site_id: int) -> None:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as listener:
        await listener.execute(f"listen {outbox.CHANNEL}".encode())
        await say(connection, site_id, 1)
        await say(connection, site_id, 2)
        assert [each async for each in listener.notifies(timeout=0.05)] == []
        await connection.commit()
        woken = [each async for each in listener.notifies(timeout=5, stop_after=1)]
    assert [each.channel for each in woken] == [outbox.CHANNEL]


async def test_holds_is_true_only_where_nothing_behind_is_gone(connection: Connection, site_id: int) -> None:
    for number in range(1, 5):
        await say(connection, site_id, number, at=later(minutes=number))
        await connection.commit()
    await wait_until(lambda: settled(connection))
    positions = [notice.position for notice in await outbox.after(connection, Position(0, 0))]
    await connection.commit()
    assert await outbox.trim(connection, later(minutes=2.5)) == 2
    await connection.commit()
    answers = [await outbox.holds(connection, position) for position in positions]
    assert answers == [False, False, True, True]
    assert not await outbox.holds(connection, Position(0, 0)), "the beginning is gone"
    between = Position(positions[2].transaction, positions[2].id + 1)
    assert await outbox.holds(connection, between), "a place between two notices is a place, too"
    assert not await outbox.holds(connection, Position(2**62, 1)), "from another life of the database"


async def test_the_beginning_holds_until_it_is_trimmed(connection: Connection, site_id: int) -> None:
    assert await outbox.holds(connection, Position(0, 0))
    await connection.execute("alter table outbox alter column id restart with 1")
    await say(connection, site_id, 1)
    await connection.commit()
    assert await outbox.holds(connection, Position(0, 0))
    assert await said(connection) == [1]


async def test_trimming_leaves_the_end_and_takes_what_could_not_be_published_by_then(
    connection: Connection, site_id: int
) -> None:
    """A site without a worker must not keep everybody's past; and an alarm a week old is no news to a siren."""
    for number, topic in enumerate((None, "tz/v1/garden/alarms/1", None, None), start=1):
        await say(connection, site_id, number, topic=topic)
        await connection.commit()
    [publication] = await outbox.unpublished(connection, [site_id])
    assert publication.topic == "tz/v1/garden/alarms/1"
    assert await outbox.trim(connection, later(hours=1), limit=1) == 1
    assert await said(connection) == [2, 3, 4]
    assert await outbox.trim(connection, later(hours=1)) == 2
    await connection.commit()
    assert await said(connection) == [4]
    assert await outbox.trim(connection, later(hours=1)) == 0
    assert await outbox.unpublished(connection, [site_id]) == []


async def test_what_is_young_is_published_however_long_it_takes(connection: Connection, site_id: int) -> None:
    await say(connection, site_id, 1, topic="tz/v1/garden/alarms/1")
    await connection.commit()
    await say(connection, site_id, 2)
    await connection.commit()
    assert await outbox.trim(connection, later(hours=-1)) == 0
    [publication] = await outbox.unpublished(connection, [site_id])
    await outbox.mark_published(connection, [publication.id], NOON)
    assert await outbox.unpublished(connection, [site_id]) == []


async def test_trimming_goes_by_the_stream_and_not_by_the_id(
    connection: Connection, database_url: str, site_id: int
) -> None:
    """(tx 1, id 2) comes before (tx 2, id 1): with room for one, the first goes, and the second still resumes."""
    async with await psycopg.AsyncConnection.connect(database_url) as early:
        await early.execute("select pg_current_xact_id()")
        async with await psycopg.AsyncConnection.connect(database_url) as late:
            await say(late, site_id, 2)
        await say(early, site_id, 1)
    await say(connection, site_id, 3)
    await connection.commit()
    await wait_until(lambda: settled(connection))
    first, second, _ = await outbox.after(connection, Position(0, 0))
    await connection.commit()
    assert await outbox.trim(connection, later(hours=1), limit=1) == 1
    await connection.commit()
    assert not await outbox.holds(connection, first.position)
    assert await outbox.holds(connection, second.position)
    assert await said(connection) == [2, 3]


async def test_an_old_transaction_still_running_hides_but_never_loses(
    connection: Connection, database_url: str, site_id: int
) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as slow:
        await slow.execute("select pg_current_xact_id()")
        await say(connection, site_id, 1)
        await connection.commit()
        assert await peeked(connection) == []
    assert await said(connection) == [1]
