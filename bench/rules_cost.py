"""What the engine alone costs for each value: full packs, steady readings, blocks as ingest would hand them over."""

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.estates import Grounds
from bench.figure import Figure, Goal
from bench.ground import Bench
from ingest.sites import JudgedSite, load
from ledger import facilities
from ledger.pool import INGEST_ROLE, open_pool, transaction
from ledger.records import Point, PointKind, to_ms
from rules.block import Block
from rules.links import Tuning
from settings import wall_clock

VALUES_PER_BLOCK = 6_000
ROUND_MS = 500


async def measure(bench: Bench) -> list[Figure]:
    grounds = bench.grounds(bench.facilities)
    async with (
        bench.database(bench.facilities) as url,
        open_pool(url, role=INGEST_ROLE) as pool,
        transaction(pool) as connection,
    ):
        now = wall_clock()()
        found = await facilities.sites(connection)
        points: list[Point] = []
        judged: list[JudgedSite] = []
        for site in found:
            configuration = await facilities.configuration(connection, site.id)
            points += configuration.points
            heard_ms = to_ms(now)
            judged.append(await load(connection, site.id, bench.packs, Tuning(), now=now, heard_ms=heard_ms))
    values = round(3_000_000 * bench.pace)
    spent_s = fed = 0.0
    for site in judged:
        cpu_s, count = _feed(site, _readings(site, points, grounds), to_ms(now), max(10_000, values // len(judged)))
        spent_s, fed = spent_s + cpu_s, fed + count
    return [
        Figure(
            "rules.cost",
            spent_s / fed * 1e6,
            "us/value",
            Goal.AT_MOST,
            1.0,
            f"{fed:,.0f} steady values of {grounds.points} points, blocks of {VALUES_PER_BLOCK}",
        )
    ]


Readings = Sequence[tuple[int, float, bool]]  # slot, what is normal, and whether it is measured: then it varies


def _readings(site: JudgedSite, points: Sequence[Point], grounds: Grounds) -> Readings:
    slots = site.engine.slots()
    found: list[tuple[int, float, bool]] = []
    for point in points:
        facility = site.facilities.get(point.facility_id)
        if facility is None or point.id not in slots:
            continue
        normal = grounds.normal.get(facility.kind, {}).get(point.key)
        if normal is None:
            continue
        value = float(point.codes[normal]) if isinstance(normal, str) else float(normal) * point.scale + point.shift
        # As in `bench.traffic`: what is a whole number is at rest, or a count.
        found.append((slots[point.id], value, point.kind is PointKind.MEASURE and not value.is_integer()))
    return found


def _feed(site: JudgedSite, readings: Readings, begin_ms: int, values: int) -> tuple[float, int]:
    """CPU seconds and how many values; after a first round that is not counted."""
    random = np.random.default_rng(1)
    slots = np.array([each[0] for each in readings], dtype=np.int32)
    normal = np.array([each[1] for each in readings])
    loose = np.array([0.002 * abs(each[1]) if each[2] else 0.0 for each in readings])
    spent_s, fed, round_number = 0.0, 0, 0
    while fed < values:
        ts_ms = begin_ms + round_number * ROUND_MS
        said = normal + loose * random.random(len(normal))
        for begin in range(0, len(slots), VALUES_PER_BLOCK):
            block = _block(slots[begin : begin + VALUES_PER_BLOCK], said[begin : begin + VALUES_PER_BLOCK], ts_ms)
            before = time.process_time()
            site.engine.feed_block(block)
            if round_number:
                spent_s += time.process_time() - before
                fed += len(block)
        round_number += 1
    return spent_s, fed


def _block(slots: NDArray[np.int32], values: NDArray[np.float64], ts_ms: int) -> Block:
    count = len(slots)
    times = np.full(count, ts_ms, dtype=np.int64)
    return Block(slots, times, values, np.zeros(count, dtype=np.int16), times)
