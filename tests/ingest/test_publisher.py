"""What the broker refuses is tried again, and keeps nothing else from being said."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from ingest import publisher
from ingest.publisher import Publisher
from ledger import outbox
from ledger.pool import INGEST_ROLE, open_pool, transaction
from tests.fix_database import Connection
from tests.fix_wait import Eventually
from tests.small_estate import NOON, build_both


class Rules:
    """A session with a broker that takes nothing on topics of one site."""

    connected_since_ms = 0

    def __init__(self, refused: str) -> None:
        self._refused = refused
        self.taken: list[str] = []

    async def publish(self, messages: Sequence[tuple[str, bytes]]) -> list[bool]:
        answers = [not topic.startswith(self._refused) for topic, _ in messages]
        self.taken += [topic for (topic, _), answer in zip(messages, answers, strict=True) if answer]
        return answers


async def test_a_site_that_the_broker_refuses_holds_up_no_other(
    connection: Connection, database_url: str, eventually: Eventually
) -> None:
    garden, harbour = await build_both(connection)
    for number in range(publisher.ROUND_MAX + 1):
        notice = outbox.NewNotice(garden.id, "alarm", number, 1, {}, NOON, topic=f"tz/v1/garden/alarms/{number}")
        await outbox.append(connection, notice)
    await outbox.append(
        connection, outbox.NewNotice(harbour.id, "alarm", 1, 1, {}, NOON, topic="tz/v1/harbour/alarms/1")
    )
    await connection.commit()
    session = Rules("tz/v1/garden/")
    async with open_pool(database_url, role=INGEST_ROLE) as pool:
        made = Publisher(pool, cast("Any", session), lambda: [garden.id, harbour.id], lambda: NOON)
        running = asyncio.create_task(made.run())
        await eventually(lambda: session.taken == ["tz/v1/harbour/alarms/1"])
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        async with transaction(pool) as reader:
            left = await outbox.unpublished(reader, [garden.id, harbour.id], limit=1_000)
    assert len(left) == publisher.ROUND_MAX + 1
