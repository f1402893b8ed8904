"""A shift of guards against a running service: prepared, walked, audited. Nobody waits: the visits carry phones' times."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import httpx

from simulators.guards import auditor, roster
from simulators.guards.auditor import Findings
from simulators.guards.cheats import CHEATS
from simulators.guards.office import Office
from simulators.guards.phone import Phones, Told
from simulators.guards.roster import PAIRS, Roster
from simulators.guards.route import STOPS, Route
from simulators.guards.shift import Network, Shift

EVERY_CHEAT = (*CHEATS, *PAIRS)
_AT_ONCE = 4  # phones that send at the same time


@dataclass(frozen=True, slots=True)
class Account:
    """What the walk came to."""

    seed: int
    guards: int
    visits: int
    cheated: int  # visits that had to be marked
    sent: int  # every telling counted
    reasons: Mapping[str, int]  # marked visits, by the reason they had to have
    findings: Findings


async def walk(
    client: httpx.AsyncClient,
    clock: Callable[[], datetime],
    *,
    site: str,
    seed: int,
    cheats: Sequence[str] = EVERY_CHEAT,
    networks: Sequence[Network] = tuple(Network),
    stops: int = STOPS,
) -> Account:
    """`client` bears the service's token and its base address; the rest as `roster.draw`. Raises SimulationError, httpx.HTTPError."""
    office = Office(client, site)
    now = clock()
    route = await office.route(now)
    zone = await office.time_zone()
    names = [each.guard for each in roster.draw(seed, route, now, cheats, networks, stops).shifts]
    rounds = {
        guard: await office.begin_round(route, guard, f"walk_{seed}_{at}", zone) for at, guard in enumerate(names)
    }
    due = await office.photos_due(next(iter(rounds.values())))
    told_at = [replace(each, photos=due[each.facility]) for each in route.stops]
    drawn = roster.draw(seed, replace(route, stops=told_at), now, cheats, networks, stops)
    told = await _walked(client, clock, route, drawn, rounds, seed)
    places = {*(each.facility for each in route.stops), route.beyond.facility}
    dossiers = {each: await office.dossier(each) for each in sorted(places)}
    findings = auditor.compare(drawn.shifts, told, await office.visits(), dossiers)
    return _account(seed, drawn.shifts, told, findings)


async def _walked(
    client: httpx.AsyncClient,
    clock: Callable[[], datetime],
    route: Route,
    drawn: Roster,
    rounds: Mapping[str, int],
    seed: int,
) -> list[Told]:
    told: list[Told] = []
    for part in (drawn.first, drawn.then):
        phones = [Phones(client, clock, route.site, each, random.Random(f"{seed}/{each.guard}")) for each in part]
        lines = asyncio.Semaphore(_AT_ONCE)

        async def deliver(each: Phones, lines: asyncio.Semaphore = lines) -> None:
            async with lines:
                await each.deliver(rounds)

        async with asyncio.TaskGroup() as group:
            for each in phones:
                group.create_task(deliver(each))
        told += [each.told for each in phones]
    return told


def _account(seed: int, shifts: Sequence[Shift], told: Sequence[Told], findings: Findings) -> Account:
    visits = [visit for each in shifts for visit in each.visits]
    return Account(
        seed=seed,
        guards=len(shifts),
        visits=len(visits),
        cheated=sum(1 for each in visits if each.must),
        sent=sum(each.sent for each in told),
        reasons=dict(sorted(Counter(reason for each in visits for reason in each.must).items())),
        findings=findings,
    )
