"""What the broker takes and hands on at QoS 1 when nobody does anything with it: the limit of every line behind it."""

import asyncio
import time
from contextlib import AsyncExitStack

from bench import ground
from bench.counters import CONSUMED, STARTED, STOP, Counters
from bench.figure import Figure
from bench.ground import Bench, Trouble
from bench.process_figures import cpu_s


async def measure(bench: Bench) -> list[Figure]:
    seconds = bench.lasting(15)
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(bench.broker())
        counters = stack.enter_context(Counters(bench.directory / "reader", create=True))
        reader = await stack.enter_async_context(
            ground.child(bench, "reader", ["-m", "bench.reader", broker.url, str(counters.path)], {})
        )
        await ground.until(lambda: counters[STARTED] != 0, "the bare reader", watched=reader)
        load = await stack.enter_async_context(ground.load(bench, bench.grounds(bench.facilities), broker.url))
        telling = asyncio.create_task(tell(counters, load.counters))
        await asyncio.sleep(min(2.0, seconds / 2))
        seen, spent, begun = counters[CONSUMED], cpu_s(reader.pid), time.monotonic()
        broker_s = cpu_s(broker.pid)
        await asyncio.sleep(seconds)
        reader.expect_alive()
        messages, lasted = counters[CONSUMED] - seen, time.monotonic() - begun
        spent = cpu_s(reader.pid) - spent
        broker_s = cpu_s(broker.pid) - broker_s
        told = await load.stop()
        counters[STOP] = 1
        telling.cancel()
    if not messages:
        raise Trouble("the bare reader saw nothing")
    return [
        Figure(
            "broker_limit.messages", messages / lasted, "msg/s", note="generator, broker and a reader that discards"
        ),
        Figure("broker_limit.reader_cpu", spent / messages * 1e6, "us/msg"),
        Figure("broker_limit.broker_cpu", broker_s / messages * 1e6, "us/msg"),
        Figure("broker_limit.generator_cpu", told.cpu_us, "us/msg", note="meant to stay below 6"),
    ]


async def tell(reader: Counters, generator: Counters) -> None:
    while True:
        generator[CONSUMED] = reader[CONSUMED]
        await asyncio.sleep(0.02)
