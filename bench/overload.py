"""More than can be written: the broker is filled as fast as it takes it, while a cable throttles the database to a tenth.

Then the cable is whole again and nobody sends: how long until all of it is judged, what was lost, and what memory ingest
took over all that time.
"""

import asyncio
import time
from dataclasses import dataclass

from bench import databases, ground, line_run
from bench.figure import Figure, Goal, missing
from bench.ground import Bench, Child, Load, Trouble
from bench.process_figures import resident_mb
from simulators.cable import FaultProxy

SHARE = 0.1
DRAIN_S = 300.0
_SAMPLE_S = 0.5


@dataclass(frozen=True, slots=True)
class _Overload:
    memory_mb: list[float]
    throttled_per_s: float  # what still came through
    before_per_s: float


async def measure(bench: Bench) -> list[Figure]:
    grounds = bench.grounds(bench.facilities)
    async with bench.database(bench.facilities) as url, bench.broker() as broker:
        cable = await FaultProxy.before(url)
        try:
            async with (
                await databases.connect(url) as opened,
                ground.ingest(bench, cable.url(url), broker.url) as ingest,
                ground.load(bench, grounds, broker.url) as load,
                ground.consumption(load.counters, url),
            ):
                await line_run.warmed_up(opened, grounds)
                seen = await _overload(bench, cable, opened, ingest, load)
                told = await load.stop()
                left = told.acknowledged + len(grounds.gateways) - await _settled(opened)
                await cable.restore()
                try:
                    drain_s = await line_run.drained(opened, told.acknowledged + len(grounds.gateways), DRAIN_S)
                except Trouble as error:
                    return [*_memory(seen), missing("overload.lost", "values", str(error))]
                lost = await line_run.lost_values(opened, told, told.values + len(grounds.gateways))
                seen.memory_mb.append(resident_mb(ingest.pid))
        finally:
            await cable.stop()
    return [
        *_memory(seen),
        Figure("overload.lost", lost, "values", Goal.AT_MOST, 0, f"of {told.values:,} acknowledged to the generator"),
        Figure("overload.drain", drain_s, "s", note=f"{left:,} messages were waiting in the broker"),
        Figure("overload.drain_rate", left / max(drain_s, 0.1), "msg/s"),
    ]


async def _settled(opened: databases.Connection) -> int:
    return int(await databases.number(opened, ground.SETTLED))


async def _overload(
    bench: Bench, cable: FaultProxy, opened: databases.Connection, ingest: Child, load: Load
) -> _Overload:
    """First what the line does with a whole cable, in messages and in bytes; then a tenth of these bytes."""
    calm_s, seconds = bench.lasting(8, least=3.0), bench.lasting(60, least=3.0)
    await asyncio.sleep(calm_s / 2)
    before, passed, begun = await _settled(opened), cable.passed_bytes, time.monotonic()
    await asyncio.sleep(calm_s)
    lasted = time.monotonic() - begun
    normal_per_s = (await _settled(opened) - before) / lasted
    cable.throttle(max(10_000.0, (cable.passed_bytes - passed) / lasted * SHARE))
    load.pace(0, bound=0)
    before, begun = await _settled(opened), time.monotonic()
    memory_mb: list[float] = []
    while time.monotonic() < begun + seconds:
        ingest.expect_alive()
        memory_mb.append(resident_mb(ingest.pid))
        await asyncio.sleep(_SAMPLE_S)
    through = (await _settled(opened) - before) / (time.monotonic() - begun)
    return _Overload(memory_mb, through, normal_per_s)


def _memory(seen: _Overload) -> list[Figure]:
    third = max(1, len(seen.memory_mb) // 3)
    first, last = max(seen.memory_mb[:third]), max(seen.memory_mb[-third:])
    return [
        Figure("overload.memory", max(seen.memory_mb), "MB", Goal.AT_MOST, 400, "resident, of ingest, at most"),
        Figure("overload.memory_growth", last - first, "MB", note="from the first third of it to the last"),
        Figure(
            "overload.through", seen.throttled_per_s, "msg/s", note=f"while throttled; {seen.before_per_s:,.0f} before"
        ),
    ]
