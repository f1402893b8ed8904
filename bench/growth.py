"""Whether a message costs more when there are more points, or more days in the ledger. All at one gentle rate."""

import json
from datetime import timedelta

from bench import databases, line_run
from bench.api_reads import make_hours
from bench.estates import Grounds
from bench.figure import Figure, Goal, missing
from bench.ground import Bench, Trouble
from ledger.records import PointKind
from settings import wall_clock

RATE = 2_000  # so that batches are alike whatever the size
FACILITIES = (10, 100, 1_000)  # 300, 3,000 and 30,000 points
DAYS = (1, 30, 365)
DAYS_FACILITIES = 100
ROWS_PER_DAY = 27_000
FLAT = 1.2
_FOR_EVER = json.dumps(dict.fromkeys(PointKind))
# Days of measurements are kept for less than a year by default, and would be dropped while they are counted.
_KEPT = {"TAIZHANG_READINGS_DAYS": _FOR_EVER, "TAIZHANG_HOURS_DAYS": _FOR_EVER}


async def measure(bench: Bench) -> list[Figure]:
    found = await _points(bench)
    async with bench.database(DAYS_FACILITIES) as url:
        found += await _days(bench, url, "days")
    if bench.timescale_url is None:
        return [*found, missing("growth.chunks", "us/msg", "TAIZHANG_BENCH_TIMESCALE_URL is not set")]
    async with databases.furnished(bench.timescale_url, bench.grounds(DAYS_FACILITIES), bench.packs) as url:
        return [*found, *await _days(bench, url, "chunks")]


async def _points(bench: Bench) -> list[Figure]:
    found: list[Figure] = []
    for facilities in [each for each in FACILITIES if each <= bench.facilities] or [bench.facilities]:
        grounds = bench.grounds(facilities)
        async with bench.database(facilities) as url:
            found.append(
                await _cost(bench, grounds, url, f"growth.points_{facilities * 30}", f"{grounds.points} points")
            )
    return [*found, _flat("growth.points_flat", found)]


async def _days(bench: Bench, url: str, what: str) -> list[Figure]:
    grounds = bench.grounds(DAYS_FACILITIES)
    # So that every point has said what is normal there: days of anything else would ring wherever a site is loaded.
    await line_run.run(bench, grounds, url, bench.lasting(2), rate=RATE, alarms_per_s=0)
    found: list[Figure] = []
    there = 0
    for days in DAYS:
        rows = await _lay_down(url, there, days, max(1_000, round(ROWS_PER_DAY * min(1.0, bench.pace))))
        there = days
        await make_hours(url)
        found.append(await _cost(bench, grounds, url, f"growth.{what}_{days}", f"{rows:,.0f} rows there"))
    return [*found, _flat(f"growth.{what}_flat", found)]


async def _cost(bench: Bench, grounds: Grounds, url: str, name: str, note: str) -> Figure:
    try:
        run = await line_run.run(bench, grounds, url, bench.lasting(12), rate=RATE, alarms_per_s=0, environment=_KEPT)
    except Trouble as error:  # the other sizes may be measured all the same
        return missing(name, "us/msg", str(error))
    if run.lost:
        return missing(name, "us/msg", f"{run.lost} values are lost")
    return Figure(name, run.ingest_us + run.database_us, "us/msg", note=f"ingest and database; {note}")


def _flat(name: str, found: list[Figure]) -> Figure:
    costs = [figure.value for figure in found if figure.value]
    if len(costs) < len(found):
        return missing(name, "times", "not all of them could be measured")
    return Figure(
        name, max(costs) / min(costs), "times", Goal.AT_MOST, FLAT, "the dearest of them against the cheapest"
    )


async def _lay_down(url: str, first: int, last: int, per_day: int) -> float:
    """Each point's last value again on the days before yesterday, from the `first` to the `last` back; returns how many
    rows are there.
    """
    yesterday = wall_clock()() - timedelta(days=1)
    async with await databases.connect(url) as opened:
        await opened.execute(
            "insert into reading (point_id, ts, value, quality) "
            "select point_id, %(end)s - each * %(step)s * interval '1 second', value, 0 "
            "from (select distinct on (point_id) point_id, value from reading order by point_id, ts desc) as said, "
            "generate_series(%(first)s, %(last)s - 1) as each order by 1, 2",
            _series(yesterday, first, last, per_day, int(await databases.number(opened, "select count(*) from point"))),
        )
        await opened.execute("vacuum analyze reading")
        return await databases.number(opened, line_run.READINGS)


def _series(end: object, first: int, last: int, per_day: int, points: int) -> dict[str, object]:
    rounds = max(1, per_day // points)  # of a day: every point once in each
    return {"end": end, "step": 86_400 / rounds, "first": first * rounds, "last": last * rounds}
