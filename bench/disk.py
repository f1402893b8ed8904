"""How much disk a million readings take, indexes included, written as telemetry arrives."""

from bench import copying, databases
from bench.figure import Figure, missing
from bench.ground import Bench
from settings import wall_clock

ROWS = 2_000_000
FACILITIES = 100


async def measure(bench: Bench) -> list[Figure]:
    rows = max(200_000, round(ROWS * bench.pace))
    async with bench.database(FACILITIES) as url:
        found = [await _figure("disk.plain", url, rows, "select pg_total_relation_size('reading')")]
    if bench.timescale_url is None:
        return [*found, missing("disk.timescale", "MB/million", "TAIZHANG_BENCH_TIMESCALE_URL is not set")]
    async with databases.furnished(bench.timescale_url, bench.grounds(FACILITIES), bench.packs) as url:
        found.append(await _figure("disk.timescale", url, rows, "select hypertable_size('reading')"))
    return found


async def _figure(name: str, url: str, rows: int, size: str) -> Figure:
    copied = await copying.copy(url, int(wall_clock()().timestamp() * 1000), rows_max=rows)
    async with await databases.connect(url) as opened:
        size_bytes = await databases.number(opened, size)
    return Figure(name, size_bytes / copied.rows, "MB/million", note=f"of {copied.rows:,} values, not compressed")
