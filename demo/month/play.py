"""Plays one site's month: plants, gateways, rules, ledger and people, step by step in simulated time.

Plants take long steps while nothing is the matter, and seconds around everything that happens.
"""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import estate.bring_in
import estate.plan
import rules.packs
from demo.month.crew import Crew
from demo.month.line import Line
from estate.description import EstateDescription
from ingest import sites
from ingest.judgement import ACTOR
from ledger import alarm_list, audit, facilities, journals, work_order_list
from ledger.alarm_list import AlarmFilter
from ledger.journals import ConditionEvent
from ledger.lifecycle import ConditionMove
from ledger.pool import INGEST_ROLE, Connection, Pool, open_pool, transaction
from ledger.records import Alarm, WorkOrder, to_ms
from ledger.work_order_list import WorkOrderFilter
from rules import response
from rules.links import Tuning
from rules.model import Pack
from settings import Settings
from simulators.script import Planned
from simulators.stage import Stage
from simulators.truth import Truth
from simulators.world import REPORTS

# How often gateways repeat what has not changed; changes go out at once. Electricity meters are read every quarter hour.
INTERVAL_MIN_S = {kind: 900.0 if kind == "distribution_room" else 300.0 for kind in REPORTS}
_QUIET_STEP_S, _FINE_STEP_S = 20.0, 1.0
_QUIET_TICK_S, _FINE_TICK_S = 120.0, 10.0
_FINE_BEFORE_S, _FINE_AFTER_S = 30.0, 420.0
_CHATTER_WITHIN = timedelta(minutes=1)
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Job:
    """One site's part of a month, for a process of its own. The database is migrated and empty."""

    estate: EstateDescription  # of this site alone
    faults: tuple[Planned, ...]
    seed: int
    begun: datetime
    days: float
    database_url: str
    packs_dir: Path | None


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it."""

    truth: Truth
    alarms: Sequence[Alarm]
    orders: Sequence[WorkOrder]
    moves: Mapping[str, int]  # of conditions, as the rules made them
    chattered: int  # how often a condition was raised for the third time within a minute
    values: int
    refused: Sequence[str]
    broken: Sequence[str]  # invariants of the ledger


async def play(job: Job) -> Played:
    """Live the site's month. Raises LedgerError when the database fails."""
    settings = Settings()
    async with open_pool(job.database_url, role=None, size_max=1) as pool, transaction(pool) as connection:
        plan = estate.plan.check(job.estate, slowed(rules.packs.load(job.packs_dir)))
        await estate.bring_in.bring_in(connection, plan, job.begun)
    async with open_pool(job.database_url, role=INGEST_ROLE, size_max=1) as pool:
        line = await _line(pool, job, settings)
        stage = Stage(job.estate, iter(job.faults), seed=job.seed, started_at=job.begun, interval_min_s=INTERVAL_MIN_S)
        await _live(pool, line, stage, job)
        async with transaction(pool) as connection:
            broken = [f"{each.invariant}: {row}" for each in await audit.run(connection) for row in each.rows]
            return Played(
                stage.truth(speed=1.0),
                await _alarms(connection),
                await _orders(connection),
                *await _journal(connection, line.condition_ids),
                line.values,
                line.refused,
                broken,
            )


def slowed(packs: Mapping[str, Pack]) -> dict[str, Pack]:
    """The packs for gateways on a slow line: nothing is expected more often than they send it. No rule is touched."""
    return {kind: _slowed(pack, INTERVAL_MIN_S.get(kind, 0.0)) for kind, pack in packs.items()}


def _slowed(pack: Pack, least_s: float) -> Pack:
    points = {
        name: point
        if point.report_interval_s is None
        else replace(point, report_interval_s=max(point.report_interval_s, least_s))
        for name, point in pack.points.items()
    }
    return replace(pack, points=points)


async def _line(pool: Pool, job: Job, settings: Settings) -> Line:
    tuning = Tuning(round(settings.backlog_lag_s * 1000), round(settings.settle_s * 1000))
    async with transaction(pool) as connection:
        (known,) = await facilities.sites(connection)
        site = await sites.load(
            connection, known.id, rules.packs.load(job.packs_dir), tuning, now=job.begun, heard_ms=to_ms(job.begun)
        )
    return Line(pool, site, response.load(), settings, job.begun)


async def _live(pool: Pool, line: Line, stage: Stage, job: Job) -> None:
    crew = Crew(job.estate.sites[0].key, job.seed)
    until = job.begun + timedelta(days=job.days)
    moments = _Moments(job.faults)
    tick_at = told_at = job.begun
    while stage.now < until:
        if stage.now >= told_at:
            told_at += timedelta(days=1)
            day = round((stage.now - job.begun) / timedelta(days=1))
            print(f"{job.estate.sites[0].key}: day {day} of {job.days:g}", file=sys.stderr, flush=True)
        fine = moments.fine((stage.now - job.begun).total_seconds())
        stage.step_s = _FINE_STEP_S if fine else _QUIET_STEP_S
        for (_, gateway), commands in stage.step().items():
            if commands:
                await line.take(gateway, commands, stage.now)
        if stage.now < tick_at:
            continue
        tick_at = stage.now + timedelta(seconds=_FINE_TICK_S if fine else _QUIET_TICK_S)
        changed = await line.tick(stage.now)
        if changed or (crew.next_at is not None and crew.next_at <= stage.now):
            async with transaction(pool) as connection:
                await crew.look(connection, stage.now)


class _Moments:
    """When something begins or ends, so that seconds count. Asked in order of time."""

    def __init__(self, faults: Sequence[Planned]) -> None:
        spans = [
            span
            for one in faults
            for span in (
                (one.at_s - _FINE_BEFORE_S, min(one.at_s + _FINE_AFTER_S, one.quiet_s)),
                (one.until_s - _FINE_BEFORE_S, min(one.until_s + _FINE_AFTER_S, one.quiet_s)),
            )
        ]
        self._coming = sorted(spans, reverse=True)
        self._until_s = 0.0

    def fine(self, at_s: float) -> bool:
        while self._coming and self._coming[-1][0] <= at_s:
            self._until_s = max(self._until_s, self._coming.pop()[1])
        return at_s < self._until_s


async def _journal(connection: Connection, condition_ids: Sequence[int]) -> tuple[Mapping[str, int], int]:
    """What the rules did to conditions, and how often one was raised for the third time within a minute."""
    moves: Counter[str] = Counter()
    chattered = 0
    for condition_id in condition_ids:
        events = await _events(connection, condition_id)
        moves.update(event.move.value for event in events if event.actor == ACTOR)
        raised = [event.at for event in events if event.move is ConditionMove.RAISE]
        chattered += sum(third - first <= _CHATTER_WITHIN for first, third in zip(raised, raised[2:], strict=False))
    return moves, chattered


async def _events(connection: Connection, condition_id: int) -> list[ConditionEvent]:
    """Oldest first."""
    found: list[ConditionEvent] = []
    while page := await journals.of_condition(
        connection, condition_id, before_seq=found[-1].seq if found else None, limit=_PAGE
    ):
        found.extend(page)
    return found[::-1]


async def _alarms(connection: Connection) -> list[Alarm]:
    found: list[Alarm] = []
    while page := await alarm_list.page(
        connection, AlarmFilter(), before=(found[-1].raised_at, found[-1].id) if found else None, limit=_PAGE
    ):
        found.extend(page)
    return found


async def _orders(connection: Connection) -> list[WorkOrder]:
    found: list[WorkOrder] = []
    while page := await work_order_list.page(
        connection, WorkOrderFilter(), before=(found[-1].opened_at, found[-1].id) if found else None, limit=_PAGE
    ):
        found.extend(page)
    return found
