"""Promises 1, 3, 4 and 6 where it hurts: the worker killed between commit and acknowledgement, the broker and the database
stopped under load, poison under load. Every message is counted, nothing is lost, nothing is doubled, nobody is told twice.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from embedded.broker import Broker, Limits
from embedded.postgres import Server
from ledger.migrate import migrate
from settings import Clock, Settings
from simulators.cable import FaultProxy
from tests.fix_proxy import OpenProxy
from tests.fix_wait import wait_until
from tests.line_rig import Line, Speaker, bring, line, open_session, settings_for

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
CLOCK: Clock = Settings().clock()  # the wall's: the process under test has no other
LEDGER = (
    "reading",
    "condition",
    "alarm",
    "condition_event",
    "work_order",
    "work_order_event",
    "timer",
    "dossier_entry",
)


@pytest.fixture
async def impatient_broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """Sends again after a second what is not acknowledged, and keeps it through a stop."""
    own = Broker(tmp_path / "impatient", limits=Limits(redeliver_after_s=1.0), sync_always=False)
    await own.start()
    yield own
    await own.stop()


# ------------------------------------------------------------------ kill -9 between commit and acknowledgement


class SwallowingProxy(FaultProxy):
    """Passes on what the broker says, and on command nothing of what it is told: no acknowledgement arrives."""

    swallows = False

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_the_broker = writer.get_extra_info("peername")[1] == self._target[1]
        while chunk := await reader.read(65536):
            if to_the_broker and self.swallows:
                continue
            writer.write(chunk)
            await writer.drain()


@asynccontextmanager
async def ingest_process(environment: Mapping[str, str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`taizhang.py ingest`, as an operator runs it."""
    with log.open("ab") as output:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "taizhang.py"),
            "ingest",
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
            cwd=ROOT,
        )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.terminate()
        await asyncio.wait_for(child.wait(), 20)


async def speak_and_commit_unacknowledged(made: Line, proxy: SwallowingProxy) -> None:
    """Fifty messages in the ordinary way; then twenty-three that are committed, and the broker is not told."""
    for number in range(50):
        made.say("lamp", {"room_temp": 20 + number % 3}, ago=60 - number)
    await made.received(deadline_s=60)
    proxy.swallows = True
    made.say("lift", {"overspeed": True}, ago=2)
    made.say("pumps", {"mains_ok": False}, ago=20)
    made.say("pumps", {"mains_ok": False})
    for number in range(20):
        made.say("lamp", {"room_humidity": number}, ago=20 - number)
    account = await made.received()
    assert account["accepted"] == 73
    await made.alarm("overspeed", state="UNACK")
    await made.alarm("power_lost", state="UNACK")


async def test_killed_between_commit_and_acknowledgement(
    database_url: str, impatient_broker: Broker, tmp_path: Path
) -> None:
    proxy = SwallowingProxy("127.0.0.1", int(impatient_broker.url.rpartition(":")[2]))
    await proxy.start()
    await bring(database_url, "east", now=CLOCK())
    await open_session(impatient_broker.url, "worker-east", "east")
    environment = {
        "DATABASE_URL": database_url,
        "MQTT_URL": proxy.url(impatient_broker.url),
        "TAIZHANG_MQTT_CLIENT_ID": "worker-east",
        "TAIZHANG_SITES": '["east"]',
        "TAIZHANG_TICK_MS": "50",
    }
    speaker, log = Speaker(impatient_broker.url, "speaker"), tmp_path / "ingest.log"
    made = Line("east", database_url, proxy.url(impatient_broker.url), CLOCK, settings_for("east"), speaker)
    speaker.listen("tz/v1/east/alarms/+")
    try:
        async with ingest_process(environment, log) as first:
            await speak_and_commit_unacknowledged(made, proxy)
            first.kill()
            await first.wait()
        before = await made.everything()
        proxy.swallows = False
        async with ingest_process(environment, log):
            made.say("lamp", {"room_temp": 20})

            async def all_came_again() -> bool:
                account = await made.account()
                assert account["duplicate"] >= 23, account
                assert account["accepted"] == 74, account
                return True

            await wait_until(all_came_again, 60)
            await wait_until(lambda: {told["rule"] for _, told in speaker.heard} == {"overspeed", "power_lost"})
        after = await made.everything()
        assert len(after.pop("reading")) == len(before.pop("reading")) + 1
        assert after == before
        assert "Traceback" not in log.read_text()
    finally:
        speaker.close()
        await proxy.stop()


# ------------------------------------------------------------------ what it stands on goes away


def load(made: Line, messages: int) -> None:
    """Messages of one value, each with a time of its own, in order."""
    for _ in range(messages):
        made.say("lamp", {"room_temp": made.sent % 30}, at_ms=made.origin_ms + made.sent * 10)


async def counted_once(made: Line, deadline_s: float = 60.0) -> None:
    """Everything said is stored once, whatever came twice."""

    async def all_there() -> bool:
        account = await made.account()
        assert account["accepted"] == made.sent, account
        return True

    await wait_until(all_there, deadline_s)
    account = await made.account()
    assert account["quarantined"] == 0
    assert account["stored"] == made.sent
    (row,) = await made.rows("select count(*)::int readings from reading")
    assert row["readings"] == made.sent


async def test_the_broker_is_stopped_and_started_under_load(database_url: str, impatient_broker: Broker) -> None:
    async with line(database_url, impatient_broker.url, "east", clock=CLOCK) as made:
        load(made, 600)
        await made.received(100)
        await impatient_broker.stop()
        load(made, 600)
        await impatient_broker.start()
        load(made, 300)
        await counted_once(made)


async def test_the_broker_is_killed_under_load(database_url: str, tmp_path: Path) -> None:
    broker = Broker(tmp_path / "careful", limits=Limits(redeliver_after_s=1.0))  # writes through before it acknowledges
    await broker.start()
    try:
        async with line(database_url, broker.url, "east", clock=CLOCK) as made:
            load(made, 300)
            await made.received(50)
            broker.kill()
            load(made, 200)
            await broker.start()
            await counted_once(made)
    finally:
        await broker.stop()


@pytest.fixture
async def own_database(postgres: Server) -> str:
    await migrate(postgres.url)
    return postgres.url


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_the_database_goes_and_comes_back_under_load(
    own_database: str, postgres: Server, impatient_broker: Broker, end: str
) -> None:
    async with line(
        own_database, impatient_broker.url, "east", clock=CLOCK, inflight_messages_max=200, batch_messages_max=100
    ) as made:
        made.say("pumps", {"mains_ok": False}, ago=20)
        made.say("pumps", {"mains_ok": False}, ago=1)
        await made.alarm("power_lost", state="UNACK")
        load(made, 500)
        await made.received(100)
        if end == "stop":
            await postgres.stop()
        else:
            postgres.kill()
        load(made, 800)
        await postgres.start()
        await counted_once(made)
        alarms = [(each["rule"], each["occurrences"]) for each in await made.alarms() if each["facility"] == "pumps"]
        assert alarms == [("power_lost", 1)]


async def test_a_slow_database_presses_on_the_broker_and_no_memory_grows(
    database_url: str, impatient_broker: Broker, open_proxy: OpenProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest import session, worker

    held: list[int] = []
    real = session.Session._take

    def watched(self: session.Session, delivery: object) -> None:
        real(self, delivery)  # type: ignore[arg-type]
        held.append(self.held)

    monkeypatch.setattr(session.Session, "_take", watched)
    assert worker.Session is session.Session
    slow = await open_proxy(database_url)
    await bring(database_url, "east", now=CLOCK())
    async with line(
        database_url,
        impatient_broker.url,
        "east",
        clock=CLOCK,
        start=False,
        inflight_messages_max=60,
        batch_messages_max=30,
    ) as made:
        made.worker_database_url = slow.url(database_url)
        made.start()
        made.say("lamp", {"room_temp": 1}, ago=400)
        await made.received()
        slow.throttle(40_000)
        load(made, 400)
        await wait_until(lambda: max(held, default=0) >= 60)
        await slow.restore()
        await counted_once(made)
        assert max(held) <= 60


async def test_poison_under_load(database_url: str, broker: Broker) -> None:
    """Every fifth message is bad, some of them only for the ledger."""
    async with line(database_url, broker.url, "east", clock=CLOCK) as made:
        async with await made.act() as connection:
            await connection.execute("alter table reading add constraint poison check (value <> 13.25)")
        bad = 0
        payloads = [b"\xff\xfe", b"{", b"[" * 5000, '{"values": {"room_temp": NaN}}', "[]", b"x" * 300_000]
        good = 0
        for number in range(500):
            if number % 100 == 50:
                made.say("lamp", {"room_temp": 13.25}, ago=200 - number / 10)
                bad += 1
            elif number % 5 == 0:
                made.say_raw(
                    f"east/lamp/{'telemetry' if number % 2 else 'telemetri'}", payloads[number // 5 % len(payloads)]
                )
                bad += 1
            else:
                made.say("lamp", {"room_temp": number % 30}, ago=200 - number / 10)
                good += 1
        account = await made.received(deadline_s=60)
        assert (account["accepted"], account["quarantined"], account["received"]) == (good, bad, good + bad)
        assert account["stored"] == good
        reasons = await made.rows("select reason, sum(count)::int count from quarantine group by 1 order by 1")
        assert sum(row["count"] for row in reasons) == bad
        assert {row["reason"]: row["count"] for row in reasons}["unstorable"] == 5
