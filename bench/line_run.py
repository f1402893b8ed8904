"""One run of the whole line: generator, broker, ingest, database; what came through in a stretch of it, and at what cost."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from bench import databases, ground
from bench.estates import Grounds
from bench.ground import Bench, LoadAccount, Trouble
from bench.load import VALUES_PER_MESSAGE
from bench.process_figures import family_cpu_s, name_of, parent_of, resident_mb

DRAIN_S = 120.0
WARM_UP_S = 5.0
WARM_UP_ROUNDS = (
    3  # of every point: the first value of a point is judged by every rule that looks at it, whatever it is
)
WARM_UP_MAX_S = 150.0
SLOW_S = 30.0
ALARMS_PER_S = 10.0
ALARM_KINDS = ["elevator", "distribution_room", "booster_pump_room", "fire_pump_room"]


@dataclass(frozen=True, slots=True)
class LineRun:
    """What a stretch of `seconds` gave, in steady state."""

    seconds: float
    messages: int
    values: int
    ingest_us: float  # CPU for each message
    broker_us: float
    database_us: float
    resident_mb: float
    alarms: int
    load: LoadAccount
    lost: int  # values acknowledged to the generator that the ledger does not have
    drained_s: float

    @property
    def messages_per_s(self) -> float:
        return self.messages / self.seconds

    @property
    def values_per_s(self) -> float:
        return self.values / self.seconds


@dataclass(frozen=True, slots=True)
class _Look:
    at: float
    settled: int
    stored: int
    ingest_s: float
    broker_s: float
    database_s: float


class Watch:
    """Looks at the three processes and the account of one line."""

    def __init__(self, opened: databases.Connection, ingest_pid: int, broker_pid: int, database_pid: int) -> None:
        self._opened = opened
        self.ingest_pid, self._broker, self._database = ingest_pid, broker_pid, database_pid

    async def look(self) -> _Look:
        settled = int(await databases.number(self._opened, ground.SETTLED))
        stored = int(await databases.number(self._opened, STORED))
        return _Look(
            time.monotonic(),
            settled,
            stored,
            family_cpu_s(self.ingest_pid),
            family_cpu_s(self._broker),
            family_cpu_s(self._database) if self._database else 0.0,
        )


READINGS = "select count(*) from reading"
STORED = "select coalesce(sum(stored), 0) from intake_account"


async def postmaster(opened: databases.Connection) -> int:
    """The process id of the server, if it is on this machine; else 0."""
    backend = int(await databases.number(opened, "select pg_backend_pid()"))
    return parent_of(backend) if name_of(backend) == "postgres" else 0


async def run(
    bench: Bench,
    of: Grounds,
    database_url: str,
    seconds: float,
    *,
    rate: int = 0,
    alarms_per_s: float = ALARMS_PER_S,
    environment: Mapping[str, str] | None = None,
    values_per_message: int = VALUES_PER_MESSAGE,
    **more: object,
) -> LineRun:
    """As fast as it goes, or at a rate; a warm-up in which every point has reported some times, the stretch, then the
    rest is waited for and held against the account.
    """
    async with await databases.connect(database_url) as opened:
        rows = int(await databases.number(opened, READINGS))
        settled = int(await databases.number(opened, ground.SETTLED))  # by earlier runs on the same ledger
    async with (
        bench.broker() as broker,
        ground.ingest(bench, database_url, broker.url, environment) as ingest,
        await databases.connect(database_url) as opened,
        ground.load(
            bench,
            of,
            broker.url,
            rate=rate,
            bound=None,
            alarms_per_s=alarms_per_s,
            alarm_kinds=ALARM_KINDS,
            values_per_message=values_per_message,
            **more,
        ) as load,
        ground.consumption(load.counters, database_url),
    ):
        watch = Watch(opened, ingest.pid, broker.pid, await postmaster(opened))
        await warmed_up(opened, of, values_per_message, settled)
        await asyncio.sleep(min(WARM_UP_S, max(1.0, seconds / 4)))
        before = await watch.look()
        await asyncio.sleep(seconds)
        ingest.expect_alive()
        after = await watch.look()
        while after.settled == before.settled and after.at < before.at + SLOW_S:  # a machine with much else to do
            await asyncio.sleep(0.2)
            after = await watch.look()
        told = await load.stop()
        drained_s = await drained(opened, settled + told.acknowledged + len(of.gateways))
        memory_mb = resident_mb(ingest.pid)
        lost = await lost_values(opened, told, rows + told.values + len(of.gateways))
        alarms = int(await databases.number(opened, ALARMS))
    return _between(before, after, told, lost, drained_s, memory_mb, alarms)


ALARMS = "select count(*) from condition_event where move = 'raise'"


def _between(
    before: _Look, after: _Look, told: LoadAccount, lost: int, drained_s: float, memory_mb: float, alarms: int
) -> LineRun:
    messages = after.settled - before.settled
    if messages <= 0:
        raise Trouble("no message came through while it was measured")
    each = 1e6 / messages
    return LineRun(
        seconds=after.at - before.at,
        messages=messages,
        values=after.stored - before.stored,
        ingest_us=(after.ingest_s - before.ingest_s) * each,
        broker_us=(after.broker_s - before.broker_s) * each,
        database_us=(after.database_s - before.database_s) * each,
        resident_mb=memory_mb,
        alarms=alarms,
        load=told,
        lost=lost,
        drained_s=drained_s,
    )


async def begun(opened: databases.Connection, settled: int, deadline_s: float = ground.READY_S) -> None:
    """More messages than these are settled; with the number of statuses: sites are loaded and rules bound."""
    until = time.monotonic() + deadline_s
    while (found := int(await databases.number(opened, ground.SETTLED))) <= settled:
        if time.monotonic() > until:
            raise Trouble(f"ingest settled {found} messages in {deadline_s:.0f} s, and not yet {settled}")
        await asyncio.sleep(0.05)


async def warmed_up(
    opened: databases.Connection, of: Grounds, values_per_message: int = VALUES_PER_MESSAGE, settled: int = 0
) -> None:
    """Every point has reported some times, beyond what had settled before."""
    online = settled + len(of.gateways)
    await begun(opened, online)
    await begun(opened, online + WARM_UP_ROUNDS * of.points // values_per_message, WARM_UP_MAX_S)


async def drained(opened: databases.Connection, settled: int, deadline_s: float = DRAIN_S) -> float:
    """Seconds until so many messages are settled. Raises Trouble at the deadline."""
    begun = time.monotonic()
    while (found := int(await databases.number(opened, ground.SETTLED))) < settled:
        if time.monotonic() > begun + deadline_s:
            raise Trouble(f"{settled - found} acknowledged messages are not in the account after {deadline_s:.0f} s")
        await asyncio.sleep(0.1)
    return time.monotonic() - begun


async def lost_values(opened: databases.Connection, told: LoadAccount, rows_expected: int) -> int:
    """Every good value that was acknowledged is a row; counted in the table itself, not in the account of it."""
    if told.broken or told.acknowledged != told.sent:
        raise Trouble(f"{told.sent - told.acknowledged} messages were not acknowledged by the broker: {told.broken}")
    return rows_expected - int(await databases.number(opened, READINGS))
