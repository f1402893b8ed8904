"""Carries out the plan: each strike hurts one thing for a while and then leaves it as it was."""

import asyncio
import signal
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack

from demo.chaos.devices import Device
from demo.chaos.house import House
from demo.chaos.people import People
from demo.chaos.plan import Kind, Strike
from embedded import process
from simulators.cable import FaultProxy

CLOCK_OF_INGEST_S = 120.0  # off by at most that, either way
CLOCK_OF_DEVICE_S = 60.0  # together less than future_max_s, or ingest would be right to refuse
SLOW_BYTES_PER_S = (4_000.0, 60_000.0)
BURST_MESSAGES = (100, 500)
_READY_S, _REFUSED_S = 60.0, 120.0
_POLL_S = 0.1
# What is not to be hurt while a strike is under way.
_ALSO: Mapping[str, tuple[str, ...]] = {"disk": ("database",)}
_ALONE = (Kind.INGEST_RIVAL,)
_ONE_OF_US = ("ingest", "database", "disk", "writing")


class Striker:
    """`breaches` are promises seen broken on the way; `account` is what was done, in order."""

    def __init__(self, house: House, devices: Sequence[Device], people: People) -> None:
        self._house, self._devices, self._people = house, devices, people
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.breaches: list[str] = []
        self.notes: list[str] = []

    def possible(self) -> list[Kind]:
        """The kinds that this machine and these servers allow."""
        house = self._house
        without: set[Kind] = set()
        if house.database is None:
            without |= {Kind.DATABASE_KILL, Kind.DISK_FULL}
        if not house.disk.mounted:
            without.add(Kind.DISK_FULL)
        if house.broker is None:
            without |= {Kind.BROKER_KILL, Kind.BROKER_STOP}
        return [kind for kind in Kind if kind not in without]

    async def carry_out(self, plan: Sequence[Strike], say: Callable[[str], None]) -> None:
        """Each at its time, or later when what it hurts is being hurt already."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        watching = asyncio.create_task(self._watch())
        try:
            async with asyncio.TaskGroup() as group:
                for strike in plan:
                    await asyncio.sleep(max(0.0, begun + strike.at_s - loop.time()))
                    say(str(strike))
                    group.create_task(self._strike(strike))
        finally:
            watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    async def _strike(self, strike: Strike) -> None:
        targets = {strike.kind.target, *_ALSO.get(strike.kind.target, ())}
        if strike.kind in _ALONE:
            targets.update(_ONE_OF_US)
        async with AsyncExitStack() as stack:
            for target in sorted(targets):
                await stack.enter_async_context(self._locks[target])
            await self._act(strike)

    async def _act(self, strike: Strike) -> None:
        kind, hold_s, amount = strike.kind, strike.hold_s, strike.amount
        cables = self._house.cables
        acts: dict[Kind, Callable[[], Awaitable[None]]] = {
            Kind.INGEST_KILL: lambda: self._kill_ingest(hold_s),
            Kind.INGEST_STOP: lambda: self._stop_ingest(hold_s),
            Kind.INGEST_FREEZE: lambda: self._freeze_ingest(hold_s),
            Kind.INGEST_CLOCK: lambda: self._shift_ingest(hold_s, (2 * amount - 1) * CLOCK_OF_INGEST_S),
            Kind.INGEST_RIVAL: self._rival,
            Kind.DATABASE_KILL: lambda: self._kill_database(hold_s),
            Kind.BROKER_KILL: lambda: self._end_broker(hold_s, kill=True),
            Kind.BROKER_STOP: lambda: self._end_broker(hold_s, kill=False),
            Kind.DISK_FULL: lambda: self._fill_disk(hold_s),
            Kind.LISTENING_CUT: lambda: _cut(cables.listening, hold_s, amount),
            Kind.LISTENING_DEAF: lambda: _deafen(cables.listening, hold_s),
            Kind.LISTENING_SLOW: lambda: _slow(cables.listening, hold_s, amount),
            Kind.WRITING_CUT: lambda: _cut(cables.writing, hold_s, amount),
            Kind.WRITING_DEAF: lambda: _deafen(cables.writing, hold_s),
            Kind.WRITING_SLOW: lambda: _slow(cables.writing, hold_s, amount),
            Kind.SPEAKING_CUT: lambda: _cut(cables.speaking, hold_s, amount),
            Kind.SPEAKING_DEAF: lambda: _deafen(cables.speaking, hold_s),
            Kind.RULES_CHANGE: lambda: self._people.change_rules(amount),
        }
        device = self._devices[int(amount * len(self._devices))]
        match kind:
            case Kind.DEVICE_AWAY:
                device.go_away()
                await asyncio.sleep(hold_s)
                device.come_back()
            case Kind.DEVICE_CLOCK:
                device.set_clock(round((amount * 7919 % 2 - 1) * CLOCK_OF_DEVICE_S * 1000))
            case Kind.DEVICE_REPEAT:
                device.repeat(50)
            case Kind.DEVICE_POISON:
                device.poison(1 + round(amount * 5))
            case Kind.DEVICE_BURST:
                device.burst(round(BURST_MESSAGES[0] + amount * (BURST_MESSAGES[1] - BURST_MESSAGES[0])))
            case _:
                await acts[kind]()

    # ------------------------------------------------------------------ ingest

    async def _watch(self) -> None:
        """Ingest waits for what is away; it never ends by itself."""
        while True:
            self.look_after_ingest()
            await asyncio.sleep(_POLL_S)

    def look_after_ingest(self) -> None:
        code = self._house.ingest.ended()
        if code is not None:
            said = self._house.ingest.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            self.breaches.append(f"ingest ended by itself with code {code}: {' '.join(said)}")
            self._house.ingest.start()

    async def _kill_ingest(self, hold_s: float) -> None:
        self._house.ingest.kill()
        await asyncio.sleep(hold_s)
        self._house.ingest.start()

    async def _stop_ingest(self, hold_s: float) -> None:
        await self.stop_ingest()
        await asyncio.sleep(hold_s)
        self._house.ingest.start()

    async def stop_ingest(self) -> None:
        code = await self._house.ingest.stop()
        if code != 0:
            self.breaches.append(f"SIGTERM did not end ingest in good order: code {code}")

    async def _freeze_ingest(self, hold_s: float) -> None:
        self._house.ingest.signal(signal.SIGSTOP)
        await asyncio.sleep(hold_s)
        self._house.ingest.signal(signal.SIGCONT)

    async def _shift_ingest(self, hold_s: float, offset_s: float) -> None:
        self._house.ingest.shift(offset_s)
        await self._kill_ingest(hold_s)

    async def _rival(self) -> None:
        if not await self.ready():
            self.notes.append("no rival was sent: ingest was not ready")
            return
        rival = self._house.ingest.rival()
        code = await process.finished(rival, _REFUSED_S)
        if code is None:
            process.kill(rival)
        said = self._house.ingest.rival_log.read_text(encoding="utf-8", errors="replace")
        # Several workers ask a few times more before they give up together.
        if "is judged by" not in said or code not in ((1, None) if self._house.ingest.is_several else (1,)):
            self.breaches.append(f"a second worker was not refused: code {code}: {' '.join(said.split())[-300:]}")

    async def ready(self) -> bool:
        """Whether ingest has, from now on, once had everything it needs."""
        loop = asyncio.get_running_loop()
        before, until = self._house.ingest.beat(), loop.time() + _READY_S
        while self._house.ingest.beat() <= before and loop.time() < until:  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(_POLL_S)
        return self._house.ingest.beat() > before

    # ------------------------------------------------------------------ servers

    async def _kill_database(self, hold_s: float) -> None:
        assert self._house.database is not None
        self._house.database.kill()
        await asyncio.sleep(hold_s)
        await self._house.database.start()

    async def _fill_disk(self, hold_s: float) -> None:
        """Without room for its log PostgreSQL gives up, at once or at the next restart: then it is started again."""
        assert self._house.database is not None
        self._house.disk.fill()
        await asyncio.sleep(hold_s)
        self._house.disk.free()
        if not self._house.database.alive:
            await self._house.database.stop()
            await self._house.database.start()

    async def _end_broker(self, hold_s: float, *, kill: bool) -> None:
        assert self._house.broker is not None
        if kill:
            self._house.broker.kill()
        else:
            await self._house.broker.stop()
        await asyncio.sleep(hold_s)
        await self._house.broker.start()


async def _cut(cable: FaultProxy, hold_s: float, amount: float) -> None:
    """Now and then several times in a row, or with nobody there for a while."""
    if amount < 0.5:
        await cable.refuse()
        await asyncio.sleep(hold_s)
        await cable.restore()
        return
    for _ in range(1 + int((amount - 0.5) * 10)):
        await cable.cut()
        await asyncio.sleep(hold_s / 5)


async def _deafen(cable: FaultProxy, hold_s: float) -> None:
    cable.pause()
    await asyncio.sleep(hold_s)
    await cable.restore()


async def _slow(cable: FaultProxy, hold_s: float, amount: float) -> None:
    least, most = SLOW_BYTES_PER_S
    cable.throttle(least + amount * (most - least))
    await asyncio.sleep(hold_s)
    await cable.restore()
