"""What every question stands on: servers with production's settings, processes, and a deadline for each thing."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bench import databases
from bench.brokers import Mosquitto, Nats
from bench.counters import BOUND, CONSUMED, RATE, STARTED, STOP, Counters
from bench.estates import Grounds, Packs, grounds
from bench.load import Spec
from embedded import process
from settings import wall_clock

ROOT = Path(__file__).resolve().parent.parent
READY_S = 120.0
OUTSTANDING_MAX = 20_000  # what the generator keeps ahead of whoever consumes: about a second
_STOP_STEPS = ((signal.SIGTERM, 20.0),)
_POLL_S = 0.05


class Trouble(Exception):
    """A figure cannot be had; the message says why."""


@dataclass(slots=True)
class Bench:
    """One run of the bench. `pace` shortens everything that lasts: 1 for the full one."""

    directory: Path
    packs: Packs
    server_url: str  # of PostgreSQL's owner
    stack: AsyncExitStack
    broker_kind: type[Mosquitto | Nats]
    pace: float = 1.0
    timescale_url: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])  # more settings of ingest and api
    facilities: int = 1_000
    outstanding_max: int = OUTSTANDING_MAX
    _templates: dict[int, str] = field(default_factory=dict[int, str])
    _grounds: dict[int, Grounds] = field(default_factory=dict[int, Grounds])

    def lasting(self, seconds: float, least: float = 1.0) -> float:
        return max(least, seconds * self.pace)

    def grounds(self, facilities: int) -> Grounds:
        if facilities not in self._grounds:
            self._grounds[facilities] = grounds(self.packs, facilities, wall_clock()())
        return self._grounds[facilities]

    @asynccontextmanager
    async def database(self, facilities: int) -> AsyncGenerator[str]:
        """The URL of a fresh database with an estate of that size."""
        if facilities not in self._templates:
            self._templates[facilities] = await self.stack.enter_async_context(
                databases.template(self.server_url, self.grounds(facilities), self.packs)
            )
        async with databases.clone(self.server_url, self._templates[facilities]) as url:
            yield url

    @asynccontextmanager
    async def broker(self) -> AsyncGenerator[Mosquitto | Nats]:
        """A fresh one: what another run left in it would be written and delivered in this one."""
        broker = self.broker_kind(self.directory / f"broker-{time.monotonic_ns()}")
        await broker.start()
        try:
            yield broker
        finally:
            await broker.stop()


class Child:
    """A process of ours: ended by its id, whatever happens."""

    def __init__(self, name: str, child: subprocess.Popen[bytes], log: Path) -> None:
        self.name, self.log, self._child = name, log, child

    @property
    def pid(self) -> int:
        return self._child.pid

    def expect_alive(self) -> None:
        if (code := self._child.poll()) is not None:
            raise Trouble(f"{self.name} ended by itself with code {code}: {self.last_words()}")

    def last_words(self) -> str:
        said = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-6:]
        return " | ".join(said) or "(it said nothing)"

    async def finished(self, deadline_s: float) -> None:
        if await process.finished(self._child, deadline_s) is None:
            raise Trouble(f"{self.name} did not end in {deadline_s:.0f} s")

    def kill(self) -> None:
        process.kill(self._child)

    async def stop(self) -> None:
        await process.stop(self._child, _STOP_STEPS)


@asynccontextmanager
async def child(
    bench: Bench, name: str, command: Sequence[str | Path], environment: Mapping[str, str]
) -> AsyncGenerator[Child]:
    log = bench.directory / f"{name}-{time.monotonic_ns()}.log"
    log.touch(mode=0o600)
    started = process.spawn(
        [sys.executable, *command],
        log=log,
        dies_by=signal.SIGTERM,
        environment={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **environment},
    )
    running = Child(name, started, log)
    try:
        yield running
    finally:
        await running.stop()


async def until(
    ready: Callable[[], bool], what: str, deadline_s: float = READY_S, watched: Child | None = None
) -> None:
    end = time.monotonic() + deadline_s
    while not ready():
        if watched is not None:
            watched.expect_alive()
        if time.monotonic() > end:
            raise Trouble(f"{what} took longer than {deadline_s:.0f} s")
        await asyncio.sleep(_POLL_S)


@asynccontextmanager
async def ingest(
    bench: Bench, database_url: str, mqtt_url: str, environment: Mapping[str, str] | None = None
) -> AsyncGenerator[Child]:
    """`taizhang.py ingest`, as an operator runs it: ready when broker and database were there and every site looked at."""
    heartbeat = bench.directory / f"heartbeat-{time.monotonic_ns()}"
    given = {
        "DATABASE_URL": database_url,
        "MQTT_URL": mqtt_url,
        "TAIZHANG_HEARTBEAT_FILE": str(heartbeat),
        **bench.environment,
        **(environment or {}),
    }
    async with child(bench, "ingest", [ROOT / "taizhang.py", "ingest"], given) as running:
        await until(heartbeat.exists, "the first heartbeat of ingest", watched=running)
        yield running


class Load:
    """The load generator at work."""

    def __init__(self, running: Child, counters: Counters) -> None:
        self.process, self.counters = running, counters

    def pace(self, messages_per_s: int, bound: int) -> None:
        self.counters[RATE], self.counters[BOUND] = messages_per_s, bound

    async def stop(self, deadline_s: float = 90.0) -> "LoadAccount":
        """No more is sent; what was sent is waited for until it is acknowledged."""
        self.counters[STOP] = 1
        await self.process.finished(deadline_s)
        said = self.process.log.read_text(encoding="utf-8").strip().splitlines()
        try:
            return msgspec.json.decode(said[-1], type=LoadAccount)
        except (IndexError, msgspec.MsgspecError) as error:
            raise Trouble(f"the load generator failed: {self.process.last_words()}") from error


class LoadAccount(msgspec.Struct, frozen=True):
    """What the load generator says at its end."""

    sent: int
    values: int
    poison: int
    acknowledged: int
    alarms: list[tuple[str, str, str, int]]
    broken: str
    seconds: float
    cpu_s: float

    @property
    def cpu_us(self) -> float:
        return self.cpu_s / max(1, self.sent) * 1e6


@asynccontextmanager
async def load(
    bench: Bench, of: Grounds, url: str, *, rate: int = 0, bound: int | None = None, **more: object
) -> AsyncGenerator[Load]:
    """The generator, sending already. `bound`: messages that nobody has consumed yet, 0 for as many as the broker takes.
    `more` are fields of `bench.load.Spec`.
    """
    stamp = time.monotonic_ns()
    path = bench.directory / f"counters-{stamp}"
    with Counters(path, create=True) as counters:
        counters[RATE], counters[BOUND] = rate, bench.outstanding_max if bound is None else bound
        spec = Spec(
            url=url,
            counters=str(path),
            places=[(place.site, place.key, place.kind) for place in of.places],
            gateways=list(of.gateways),
            normal={kind: dict(values) for kind, values in of.normal.items()},
            name=f"bench-{stamp % 1_000_000_000}",
            **more,  # pyright: ignore[reportArgumentType]
        )
        file = bench.directory / f"spec-{stamp}.json"
        file.write_bytes(msgspec.json.encode(spec))
        async with child(bench, "load", ["-m", "bench.load", str(file)], {}) as running:
            await until(lambda: counters[STARTED] != 0, "the load generator", watched=running)
            yield Load(running, counters)


@asynccontextmanager
async def consumption(counters: Counters, database_url: str) -> AsyncGenerator[None]:
    """Tells the generator what ingest has committed, so that it keeps just ahead."""

    async def tell() -> None:
        async with await databases.connect(database_url) as opened:
            while True:
                counters[CONSUMED] = int(await databases.number(opened, SETTLED))
                await asyncio.sleep(_POLL_S)

    task = asyncio.create_task(tell())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


# Each message once, however often the broker sent it.
SETTLED = "select coalesce(sum(accepted + quarantined), 0) from intake_account"
