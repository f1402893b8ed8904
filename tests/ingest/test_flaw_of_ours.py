"""A flaw in judging costs no readings: they are stored, counted as accepted, shown in quarantine, and judged from there."""

from collections import Counter
from typing import Any

import pytest

from ingest import batch, roster, worker
from ingest.bundle import Bundle
from ingest.sites import JudgedSite
from rules.block import Block, BlockOutcome
from rules.engine import Engine
from tests.line_rig import Line

RULE = "door_open_without_permit"
POISON = 13.25  # makes the engine stumble; the ledger takes it


@pytest.fixture
def stumbling(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Engine.feed_block

    def feed_block(self: Engine, block: Block) -> BlockOutcome:
        assert POISON not in block.value, "an engine that stumbles"
        return judge(self, block)

    monkeypatch.setattr(Engine, "feed_block", feed_block)


@pytest.mark.usefixtures("stumbling")
async def test_what_cannot_be_judged_is_kept_and_judged_from_there(bench: Line, caplog) -> None:
    for number in range(12):
        bench.say("pumps", {"room_temp": 20 + number}, ago=60 - number)
    bench.say("pumps", {"room_temp": POISON, "door_open": True}, ago=30)
    bench.say("lamp", {"room_temp": 20}, ago=20)
    account = await bench.received()
    assert (account["accepted"], account["quarantined"], account["stored"], account["refused"]) == (14, 0, 15, 0)
    (row,) = await bench.rows("select reason, count, samples from quarantine")
    assert (row["reason"], row["count"]) == ("unjudged", 1)
    assert "an engine that stumbles" in row["samples"][0]["detail"]
    assert "cannot be judged" in caplog.text
    kept = await bench.rows("select value from reading where value = %s", POISON)
    assert len(kept) == 1
    await bench.ticked()
    bench.clock.move(seconds=61)
    await bench.alarm(RULE, state="UNACK")  # the door is open, and its minute ran from when it could be judged


@pytest.mark.usefixtures("stumbling")
async def test_a_message_said_again_after_it_was_kept_is_a_duplicate(bench: Line) -> None:
    at_ms = bench.clock.ms - 30_000
    bench.say("pumps", {"room_temp": POISON}, at_ms=at_ms)
    await bench.received()
    bench.say("pumps", {"room_temp": POISON}, at_ms=at_ms)
    account = await bench.received()
    assert (account["accepted"], account["duplicate"], account["stored"], account["repeated"]) == (1, 1, 1, 1)


async def test_what_takes_too_long_is_tried_in_halves_and_alone_several_times(bench: Line, monkeypatch) -> None:
    monkeypatch.setattr(worker, "RETRY_FIRST_S", 0.01)
    monkeypatch.setattr(worker, "TOO_SLOW_IN_A_ROW_MAX", 2)
    judge, tried = batch.judge, Counter[bytes]()

    async def slow(connection: Any, bundle: Bundle, *rest: Any, **more: Any) -> batch.Done:
        slow_ones = [each for each in bundle.deliveries if b"13.25" in each.payload]
        if slow_ones:
            tried.update(each.payload for each in bundle.deliveries if len(bundle) == 1)
            await connection.execute("set local statement_timeout = 1")
            await connection.execute("select pg_sleep(1)")
        return await judge(connection, bundle, *rest, **more)

    monkeypatch.setattr(batch, "judge", slow)
    await bench.stop()
    for number in range(4):
        bench.say("pumps", {"room_temp": POISON if number in (1, 2) else number}, ago=60 - number)
    bench.start()
    account = await bench.received(deadline_s=60.0)
    assert (account["accepted"], account["quarantined"], account["stored"], account["refused"]) == (4, 0, 4, 0)
    assert list(tried.values()) == [2, 2]
    (row,) = await bench.rows("select reason, count from quarantine")
    assert (row["reason"], row["count"]) == ("unjudged", 2)


async def test_a_site_that_takes_too_long_to_load_is_no_messages_fault(bench: Line, monkeypatch) -> None:
    monkeypatch.setattr(worker, "RETRY_FIRST_S", 0.01)
    monkeypatch.setattr(worker, "TOO_SLOW_IN_A_ROW_MAX", 2)
    load, tries = roster.load, 0

    async def slow(connection: Any, *rest: Any, **more: Any) -> JudgedSite:
        nonlocal tries
        tries += 1
        if tries <= 5:
            await connection.execute("set local statement_timeout = 1")
            await connection.execute("select pg_sleep(1)")
        return await load(connection, *rest, **more)

    monkeypatch.setattr(roster, "load", slow)
    await bench.stop()
    bench.say("pumps", {"room_temp": 20}, ago=60)
    bench.start()
    account = await bench.received(deadline_s=60.0)
    assert (account["accepted"], account["quarantined"], account["stored"]) == (1, 0, 1)
    assert tries > 5
    assert await bench.rows("select reason from quarantine") == []
