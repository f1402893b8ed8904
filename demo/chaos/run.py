"""`make chaos`: builds the house, lets it live, strikes it by plan, lets it recover, and holds it to its promises."""

import asyncio
import json
import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import estate.bring_in
import rules.packs
from demo.chaos import house, plan, town, verdict
from demo.chaos.devices import Device
from demo.chaos.house import House
from demo.chaos.people import People
from demo.chaos.strikes import Striker
from demo.services import ServiceEnded
from ledger.pool import INGEST_ROLE, Pool, open_pool, transaction
from ledger.records import to_ms
from settings import Settings, wall_clock

SITES = 2
_CALM_S = 8.0  # longer than the off-delays of what the devices speak of
_SETTLED_S = 60.0
_CAUGHT_UP_S = 90.0
_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Account:
    """What was done, what came of it, and what was broken: nothing, if all is well."""

    seed: int
    seconds: float
    strikes: dict[str, int]
    left_out: list[str]
    publishes_acknowledged: int
    publishes_resent: int
    received: int
    accepted: int
    duplicate: int
    quarantined: int
    late: int
    stored: int
    alarms: int
    people: int
    rules_changed: int
    ingest_started: int
    recovered_s: float
    notes: list[str]
    breaches: list[str]

    def json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


async def run(
    settings: Settings,
    *,
    seed: int,
    seconds: float,
    workers: int | None = None,
    say: Callable[[str], None] = print,
) -> Account:
    """`workers`: as many as `taizhang.py ingest --workers` is given. Raises EmbeddedError, ServiceEnded or LedgerError
    with what to do.
    """
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # that the database is away is no news here
    clock, sites = wall_clock(), town.keys(SITES)
    packs = rules.packs.load(settings.packs_dir)
    arguments = () if workers is None else ("--workers", str(workers))
    with tempfile.TemporaryDirectory(prefix="taizhang-chaos-") as name:
        async with AsyncExitStack() as stack:
            here = await stack.enter_async_context(house.standing(settings, Path(name), clock, sites, arguments))
            pool = await stack.enter_async_context(open_pool(here.database_url, role=INGEST_ROLE, size_max=3))
            owner = await stack.enter_async_context(open_pool(here.database_url, role=None, size_max=1))
            async with transaction(owner) as connection:
                described = estate.bring_in.check(town.description(sites, packs), packs)
                await estate.bring_in.bring_in(connection, described, clock())
            speaking = here.cables.speaking.url(here.broker_url)
            devices = town.devices(speaking, sites, now_ms=lambda: to_ms(clock()), seed=seed)
            people = People(owner, clock)
            striker = Striker(here, devices, people)
            here.ingest.start()
            if not await striker.ready():
                raise ServiceEnded(f"ingest was not ready in time; its log:\n{_tail(here)}")
            strikes = plan.draw(seed, seconds, striker.possible())
            left_out = sorted(set(plan.Kind) - set(striker.possible()))
            say(
                f"seed {seed}, {seconds:g} s, {len(strikes)} strikes; left out here: {', '.join(left_out) or 'nothing'}"
            )
            tasks = [asyncio.create_task(each) for one in devices for each in (one.link.run(), one.run())]
            stack.push_async_callback(_end, tasks)
            working = asyncio.create_task(people.run())
            try:
                await striker.carry_out(strikes, say)
            finally:
                await _end([working])
            found, recovered_s = await _recover(devices, striker, pool, say)
            async with transaction(pool) as connection:
                breaches = [*striker.breaches, *await verdict.judge(connection, devices, found)]
            if breaches:
                say(f"the last words of ingest:\n{_tail(here)}")
    return _account(seed, seconds, strikes, left_out, devices, striker, people, here, found, recovered_s, breaches)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended


async def _recover(
    devices: Sequence[Device], striker: Striker, pool: Pool, say: Callable[[str], None]
) -> tuple[verdict.Found, float]:
    """Nothing is hurt any more: devices come back and calm down, and everything they said has to come through."""
    loop = asyncio.get_running_loop()
    say("everything is left alone from here on")
    begun = loop.time()
    for device in devices:
        device.calm_down()
    await asyncio.sleep(_CALM_S)
    until = loop.time() + _SETTLED_S
    while not all(device.has_told_all for device in devices) and loop.time() < until:  # noqa: ASYNC110 - links tell no one
        await asyncio.sleep(_POLL_S)
    for device in devices:
        device.be_quiet()
    for device in devices:
        if not await device.link.settled(max(1.0, until - loop.time())):
            striker.breaches.append(f"the broker did not take all that {device.key} of {device.site} said")
    truths = [device.truth for device in devices]
    until = loop.time() + _CAUGHT_UP_S
    while True:
        striker.look_after_ingest()
        async with transaction(pool) as connection:
            found = await verdict.look(connection)
        waiting = verdict.still_missing(truths, found)
        if not waiting or loop.time() > until:
            break
        await asyncio.sleep(_POLL_S)
    recovered_s = loop.time() - begun
    striker.breaches += waiting
    await striker.stop_ingest()
    async with transaction(pool) as connection:
        return await verdict.look(connection), recovered_s


def _tail(here: House, lines: int = 30) -> str:
    return "\n".join(here.ingest.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _account(
    seed: int,
    seconds: float,
    strikes: Sequence[plan.Strike],
    left_out: Sequence[str],
    devices: Sequence[Device],
    striker: Striker,
    people: People,
    here: House,
    found: verdict.Found,
    recovered_s: float,
    breaches: list[str],
) -> Account:
    return Account(
        seed=seed,
        seconds=seconds,
        strikes=dict(Counter(str(strike.kind) for strike in strikes)),
        left_out=[*left_out],
        publishes_acknowledged=sum(one.link.counts.publishes_acknowledged for one in devices),
        publishes_resent=sum(one.link.counts.publishes_resent for one in devices),
        received=found.account.received,
        accepted=found.account.accepted,
        duplicate=found.account.duplicate,
        quarantined=found.account.quarantined,
        late=found.account.late,
        stored=found.account.stored,
        alarms=len(found.alarms),
        people=people.moves,
        rules_changed=people.changes,
        ingest_started=here.ingest.starts,
        recovered_s=round(recovered_s, 1),
        notes=[*striker.notes, *people.notes],
        breaches=breaches,
    )
