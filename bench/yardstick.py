"""How far a competent engineer's script gets (`bench.script`), with the same generator, broker and database."""

import asyncio
import time
from contextlib import AsyncExitStack

from bench import ground
from bench.broker_limit import tell
from bench.counters import CONSUMED, STARTED, STOP, Counters
from bench.figure import Figure
from bench.ground import Bench, Trouble
from bench.process_figures import family_cpu_s


async def measure(bench: Bench) -> list[Figure]:
    seconds = bench.lasting(20)
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(bench.broker())
        url = await stack.enter_async_context(bench.database(bench.facilities))
        counters = stack.enter_context(Counters(bench.directory / "script", create=True))
        command = ["-m", "bench.script", url, broker.url, str(counters.path)]
        script = await stack.enter_async_context(ground.child(bench, "script", command, {}))
        await ground.until(lambda: counters[STARTED] != 0, "the script", watched=script)
        load = await stack.enter_async_context(ground.load(bench, bench.grounds(bench.facilities), broker.url))
        telling = asyncio.create_task(tell(counters, load.counters))
        await asyncio.sleep(min(3.0, seconds / 2))
        seen, spent, begun = counters[CONSUMED], family_cpu_s(script.pid), time.monotonic()
        await asyncio.sleep(seconds)
        script.expect_alive()
        messages, lasted = counters[CONSUMED] - seen, time.monotonic() - begun
        spent = family_cpu_s(script.pid) - spent
        await load.stop()
        counters[STOP] = 1
        telling.cancel()
    if not messages:
        raise Trouble("the script wrote nothing")
    return [
        Figure(
            "yardstick.messages",
            messages / lasted,
            "msg/s",
            note="paho callback, COPY per 500 messages or 100 ms, no rules, acknowledged before the write",
        ),
        Figure("yardstick.cpu", spent / messages * 1e6, "us/msg"),
    ]
