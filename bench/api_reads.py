"""How long people wait for the ten reads they ask for most, with a month of readings in the ledger."""

import asyncio
import math
import time
from datetime import timedelta
from typing import cast
from urllib.parse import urlencode

from bench import databases, line_run, service
from bench.estates import Grounds
from bench.figure import Figure, Goal, missing
from bench.ground import Bench, Trouble
from bench.latency import percentile
from bench.service import Asking
from ingest.historian import Historian, Keeping
from ledger import facilities
from ledger.pool import INGEST_ROLE, open_pool, transaction
from ledger.records import PointKind
from settings import wall_clock

FACILITIES = 10  # 300 points
DAYS = 30
INTERVAL_S = 30
TIMES = 100
FOR_EVER = Keeping(dict.fromkeys(PointKind), dict.fromkeys(PointKind))
_P99_MS, _CHART_MS = 100.0, 200.0


async def measure(bench: Bench) -> list[Figure]:
    grounds = bench.grounds(FACILITIES)
    days = max(1, math.ceil(DAYS * min(1.0, bench.pace * 2)))
    async with bench.database(FACILITIES) as url:
        rows = await _lay_down(url, days)
        hours_s = await make_hours(url)
        # Something to read of every sort: alarms, orders, journals.
        await line_run.run(bench, grounds, url, bench.lasting(5), rate=500, alarms_per_s=20)
        async with service.api(bench, url) as running:
            note = f"{rows:,} readings of {days} days stored"
            found = await asyncio.to_thread(_ask, bench, running, _measured(grounds), note)
    return [*found, Figure("api.hours_made", hours_s, "s", note="the historian, without rest, over all of it")]


async def _lay_down(url: str, days: int) -> int:
    """Point by point, as the primary key has them, with the time of every half minute."""
    end = wall_clock()() - timedelta(minutes=5)
    async with await databases.connect(url) as opened:
        await opened.execute("set synchronous_commit = off")
        await opened.execute(
            "insert into reading (point_id, ts, value, quality) "
            "select point.id, %s - each * interval '1 second', 1 + sin(each / 7200.0) + random() / 10, 0 from point, "
            "generate_series(%s::bigint, 0, %s) as each order by 1, 2 on conflict do nothing",
            [end, days * 86_400, -INTERVAL_S],
        )
        await opened.execute("vacuum analyze reading")
        return int(await databases.number(opened, line_run.READINGS))


async def make_hours(url: str) -> float:
    """As ingest does beside the line, at once: charts of days are drawn from hours."""
    begun = time.monotonic()
    async with open_pool(url, role=INGEST_ROLE) as pool:
        async with transaction(pool) as connection:
            ids = [site.id for site in await facilities.sites(connection)]
        await Historian(pool, lambda: ids, wall_clock(), FOR_EVER).catch_up()
    return time.monotonic() - begun


def _measured(grounds: Grounds) -> tuple[str, str]:
    """A facility and a point of it that is drawn as a chart."""
    return next(
        (f"{place.site}/{place.key}", point)
        for place in grounds.places
        for point, value in grounds.normal[place.kind].items()
        if isinstance(value, float) and value
    )


def _ask(bench: Bench, running: service.Service, measured: tuple[str, str], note: str) -> list[Figure]:
    asking = Asking(running)
    found: list[Figure] = []
    everything: list[float] = []
    for name, path, limit_ms in _reads(asking, *measured):
        try:
            took = [asking.get(path)[0] for _ in range(max(5, round(TIMES * bench.pace)))]
        except Trouble as error:
            found.append(missing(f"api.{name}_p99", "ms", str(error)))
            continue
        everything += took
        took.sort()
        found += [
            Figure(f"api.{name}_p50", percentile(took, 0.5), "ms"),
            Figure(f"api.{name}_p99", percentile(took, 0.99), "ms", Goal.AT_MOST, limit_ms, path.partition("?")[0]),
        ]
    asking.close()
    everything.sort()
    if not everything:
        raise Trouble("no read was answered")
    return [Figure("api.all_p99", percentile(everything, 0.99), "ms", Goal.AT_MOST, _P99_MS, note), *found]


def _reads(asking: Asking, facility: str, point: str) -> list[tuple[str, str, float]]:
    """Name, path, and what its p99 may be. The ids come from the lists."""
    now = wall_clock()()
    place = f"/facilities/{facility}"
    alarm = _first_id(asking, "/alarms?limit=1")
    order = _first_id(asking, "/work-orders?limit=1")

    def since(days: int, **more: str) -> str:
        return urlencode({"from": (now - timedelta(days=days)).isoformat(), "until": now.isoformat(), **more})

    readings = f"{place}/points/{point}/readings"
    return [
        ("alarms_open", "/alarms?open=true", _P99_MS),
        ("alarms", "/alarms", _P99_MS),
        ("alarm", f"/alarms/{alarm}", _P99_MS),
        ("facilities", "/facilities?site=bench-1", _P99_MS),
        ("facility", place, _P99_MS),
        ("readings_day", f"{readings}?{since(1)}", _P99_MS),
        ("chart_day", f"{readings}?{since(1, bucket='5m')}", _P99_MS),
        ("chart_7_days", f"{readings}?{since(7, bucket='1h')}", _CHART_MS),
        ("work_orders", "/work-orders", _P99_MS),
        ("work_order", f"/work-orders/{order}", _P99_MS),
        ("dossier", f"{place}/dossier", _P99_MS),
    ]


def _first_id(asking: Asking, path: str) -> int:
    page = cast("dict[str, list[dict[str, int]]]", asking.get(path)[1])
    if not page["items"]:
        raise Trouble(f"{path} shows nothing")
    return page["items"][0]["id"]
