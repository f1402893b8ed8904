"""kill -9 of ingest at full load, and its start: how long until it has caught up, and whether the promises held.

Promise 1 and 2 by the rows and the account, 3 and the rest by the audit, 4 (a restart is silent) by looking for alarms
at facilities where nothing was provoked.
"""

import asyncio
import time
from contextlib import AsyncExitStack

from bench import databases, ground, line_run
from bench.counters import SENT
from bench.figure import Figure, Goal
from bench.ground import Bench, Load, LoadAccount
from ledger import audit
from ledger.pool import INGEST_ROLE, open_pool, transaction

CATCH_UP_S = 180.0
LAG_S = 1.0  # caught up: no more than so much of what is sent waits


async def measure(bench: Bench) -> list[Figure]:
    grounds = bench.grounds(bench.facilities)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(bench.database(bench.facilities))
        broker = await stack.enter_async_context(bench.broker())
        opened = await stack.enter_async_context(await databases.connect(url))
        first = await stack.enter_async_context(ground.ingest(bench, url, broker.url))
        load = await stack.enter_async_context(
            ground.load(
                bench,
                grounds,
                broker.url,
                alarms_per_s=line_run.ALARMS_PER_S,
                alarm_kinds=line_run.ALARM_KINDS,
            )
        )
        await stack.enter_async_context(ground.consumption(load.counters, url))
        await line_run.warmed_up(opened, grounds)
        full_per_s = await _full_load(bench, opened)
        first.kill()
        killed = time.monotonic()
        load.pace(max(100, round(full_per_s / 2)), bound=0)
        await stack.enter_async_context(ground.ingest(bench, url, broker.url))
        up_s = time.monotonic() - killed
        backlog = load.counters[SENT] - await _settled(opened)
        caught_up_s = await _caught_up(opened, load, full_per_s / 2, killed)
        told = await load.stop()
        await line_run.drained(opened, told.acknowledged + len(grounds.gateways), CATCH_UP_S)
        lost = await line_run.lost_values(opened, told, told.values + len(grounds.gateways))
        twice = await _received(opened) - told.sent - len(grounds.gateways)
        unasked = await _unasked(opened, told)
        broken = await _violations(url)
    return [
        Figure(
            "restart.caught_up", caught_up_s, "s", note=f"since kill -9 at {full_per_s:,.0f} msg/s, half of it sent on"
        ),
        Figure("restart.up", up_s, "s", note=f"until it heard the broker again; {backlog:,} messages waited"),
        Figure("restart.redelivered", twice, "messages", note="counted as duplicates"),
        Figure("restart.lost", lost, "values", Goal.AT_MOST, 0, f"of {told.values:,} acknowledged to the generator"),
        Figure("restart.unasked", unasked, "alarms", Goal.AT_MOST, 0, "raised where nothing was provoked"),
        Figure("restart.broken", len(broken), "invariants", Goal.AT_MOST, 0, ", ".join(broken)),
    ]


async def _full_load(bench: Bench, opened: databases.Connection) -> float:
    seconds = bench.lasting(8, least=2.0)
    await asyncio.sleep(seconds / 2)
    before, begun = await _settled(opened), time.monotonic()
    await asyncio.sleep(seconds)
    return (await _settled(opened) - before) / (time.monotonic() - begun)


async def _caught_up(opened: databases.Connection, load: Load, rate: float, since: float) -> float | None:
    """Seconds since the kill; None: not in time."""
    while load.counters[SENT] - await _settled(opened) > max(200.0, LAG_S * rate):
        if time.monotonic() > since + CATCH_UP_S:
            return None
        await asyncio.sleep(0.05)
    return time.monotonic() - since


async def _settled(opened: databases.Connection) -> int:
    return int(await databases.number(opened, ground.SETTLED))


async def _received(opened: databases.Connection) -> int:
    return int(await databases.number(opened, "select coalesce(sum(received), 0) from intake_account"))


async def _unasked(opened: databases.Connection, told: LoadAccount) -> int:
    cursor = await opened.execute(
        "select distinct site.key, facility.key from condition_event "
        "join condition on condition.id = condition_id join facility on facility.id = condition.facility_id "
        "join site on site.id = facility.site_id where move = 'raise'"
    )
    return len(set(await cursor.fetchall()) - {(site, facility) for site, facility, _point, _at in told.alarms})


async def _violations(url: str) -> list[str]:
    async with open_pool(url, role=INGEST_ROLE) as pool, transaction(pool) as connection:
        return [each.invariant for each in await audit.run(connection)]
