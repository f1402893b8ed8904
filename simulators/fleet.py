"""The gateways of a run on a real broker: time from the shared clock, one connection each, a steady stream.

The stage is moved on second by second up to what the clock says. If the machine or the broker cannot keep up, the
stage falls behind and catches up in order; nothing is left out and nothing grows without bound.
"""

import asyncio
from dataclasses import fields
from datetime import datetime, timedelta

from settings import Clock
from simulators.errors import BrokerUnreachable
from simulators.link import BrokerAddress, Link
from simulators.stage import Stage
from simulators.truth import Traffic
from simulators.world import Place

_FIRST_CONNECTION_S = 15.0
_SETTLED_S = 30.0
_STEPS_PER_TURN = 20  # before the connections get the loop


async def play(
    stage: Stage,
    address: BrokerAddress,
    clock: Clock,
    *,
    client_prefix: str,
    until: datetime | None,
    stop: asyncio.Event,
) -> Traffic:
    """Play until `until`, or until stopped; then say goodbye. Raises BrokerUnreachable when there never was a broker."""
    links = {place: Link(address, f"{client_prefix}-{place[0]}-{place[1]}") for place in stage.gateways}
    running = [asyncio.create_task(link.run()) for link in links.values()]
    try:
        _step(stage, links)
        await _connected(links)
        while not stop.is_set() and (until is None or stage.now < until):
            await _catch_up(stage, links, clock, until, stop)
        for place, commands in stage.leave().items():
            links[place].submit(commands)
        await asyncio.gather(*(link.settled(_SETTLED_S) for link in links.values()))
    finally:
        for task in running:
            task.cancel()
        ended = await asyncio.gather(*running, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error
    return _traffic(stage, links)


async def _catch_up(
    stage: Stage, links: dict[Place, Link], clock: Clock, until: datetime | None, stop: asyncio.Event
) -> None:
    """To the clock's time, then sleep until there is another step to make."""
    target = clock() if until is None else min(clock(), until)
    steps = 0
    while stage.now + timedelta(seconds=stage.step_s) <= target and not stop.is_set():
        _step(stage, links)
        steps += 1
        if steps % _STEPS_PER_TURN == 0:
            await asyncio.sleep(0)
        for link in links.values():
            await link.room()
    due_s = (stage.now + timedelta(seconds=stage.step_s) - clock()).total_seconds()
    await asyncio.sleep(min(max(clock.real_s(due_s), 0.001), 0.5))


def _step(stage: Stage, links: dict[Place, Link]) -> None:
    for place, link in links.items():
        if link.take_loss():
            stage.gateways[place].interrupted()
    for place, commands in stage.step(lambda place: links[place].may_connect).items():
        links[place].submit(commands)


async def _connected(links: dict[Place, Link]) -> None:
    """Wait for the first connection of everybody: a wrong address is better told at once."""
    try:
        async with asyncio.timeout(_FIRST_CONNECTION_S):
            for link in links.values():
                await link.connected()
    except TimeoutError:
        pass
    troubles = {link.trouble or "no answer" for link in links.values() if not link.counts.connections}
    if troubles:
        raise BrokerUnreachable("; ".join(sorted(troubles)))


def _traffic(stage: Stage, links: dict[Place, Link]) -> Traffic:
    total = {
        field.name: sum(getattr(link.counts, field.name) for link in links.values())
        for field in fields(next(iter(links.values())).counts)
    }
    return Traffic(
        publishes_sent=total["publishes_sent"],
        publishes_acknowledged=total["publishes_acknowledged"],
        publishes_repeated=total["publishes_repeated"],
        publishes_resent=total["publishes_resent"],
        publishes_lost=total["publishes_lost"],
        messages=total["messages_acknowledged"],
        values=total["values_acknowledged"],
        values_repeated=total["values_repeated"],
        messages_dropped=sum(gateway.backlog_dropped for gateway in stage.gateways.values()),
        statuses=total["statuses_acknowledged"] + total["wills"],
    )
