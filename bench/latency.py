"""From a gateway's publish to a screen on the live stream, while so many messages a second come in.

The faults are of rules without a delay and told by a message of their own, so that what is measured is the line:
broker, batch, judgement, commit, notification, API.
"""

import asyncio
import time
from collections.abc import Sequence

from bench import databases, ground, service
from bench.brokers import Mosquitto, Nats
from bench.figure import Figure, Goal, missing
from bench.ground import Bench, LoadAccount
from bench.line_run import WARM_UP_S, begun, warmed_up
from bench.service import Listener
from bench.traffic import AT_ONCE

RATES = (100, 1_000, 5_000)
ALARMS_PER_S = 10.0
_LAST_S = 5.0
_P50_MS, _P50_CALM_MS, _P99_MS = 20.0, 10.0, 100.0


async def measure(bench: Bench) -> list[Figure]:
    found: list[Figure] = []
    async with (
        bench.broker() as broker,
        bench.database(bench.facilities) as url,
        ground.ingest(bench, url, broker.url),
        service.api(bench, url) as screens,
        await databases.connect(url) as opened,
    ):
        await _warm_up(bench, broker, opened)
        played = 0
        for rate in RATES:
            listener = Listener(screens)
            listener.start()
            told, since = await _run(bench, broker, opened, rate, played)
            await asyncio.sleep(_LAST_S)
            played += len(told.alarms)
            found += _figures(rate, took_ms(told, listener, since), sum(each[3] >= since for each in told.alarms))
            listener.close()
    return found


async def _warm_up(bench: Bench, broker: Mosquitto | Nats, opened: databases.Connection) -> None:
    """Every point has reported some times: at a hundred messages a second that would take minutes."""
    grounds = bench.grounds(bench.facilities)
    async with ground.load(bench, grounds, broker.url, rate=RATES[-1], bound=0, alarms_per_s=0.0) as load:
        await warmed_up(opened, grounds)
        await load.stop()


async def _run(
    bench: Bench, broker: Mosquitto | Nats, opened: databases.Connection, rate: int, played: int
) -> tuple[LoadAccount, int]:
    """What was sent, and since when it counts: after a warm-up, in monotonic nanoseconds."""
    seconds = bench.lasting(20, least=2.0)
    async with ground.load(
        bench,
        bench.grounds(bench.facilities),
        broker.url,
        rate=rate,
        bound=0,
        alarms_per_s=ALARMS_PER_S,
        alarm_kinds=list(AT_ONCE),
        alarms_from=played,
    ) as load:
        await begun(opened, len(bench.grounds(bench.facilities).gateways))
        await asyncio.sleep(min(WARM_UP_S, seconds / 2))
        since = time.monotonic_ns()
        await asyncio.sleep(seconds)
        return await load.stop(), since


def took_ms(told: LoadAccount, listener: Listener, since: int) -> list[float]:
    """Of each fault that appeared; the points these faults are told by bear the names of their rules."""
    return [
        (listener.appeared[site, facility, point] - sent) / 1e6
        for site, facility, point, sent in told.alarms
        if sent >= since and (site, facility, point) in listener.appeared
    ]


def percentile(sorted_values: Sequence[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def _figures(rate: int, took: list[float], provoked: int) -> list[Figure]:
    name = f"latency.at_{rate}"
    if not took:
        return [missing(f"{name}_p50", "ms", f"none of {provoked} alarms appeared on the live stream")]
    took.sort()
    note = f"{len(took)} of {provoked} alarms appeared"
    p50 = _P50_CALM_MS if rate <= RATES[0] else _P50_MS
    return [
        Figure(f"{name}_p50", percentile(took, 0.5), "ms", Goal.AT_MOST, p50, note),
        Figure(f"{name}_p99", percentile(took, 0.99), "ms", Goal.AT_MOST, _P99_MS),
        Figure(f"{name}_missed", provoked - len(took), "alarms", Goal.AT_MOST, 0),
    ]
