"""What the table of readings takes by a bare binary COPY with a synchronous commit for each batch: the database's limit."""

from bench import copying
from bench.figure import Figure
from bench.ground import Bench
from settings import wall_clock


async def measure(bench: Bench) -> list[Figure]:
    async with bench.database(bench.facilities) as url:
        begin_ms = int(wall_clock()().timestamp() * 1000)
        copied = await copying.copy(url, begin_ms, seconds=bench.lasting(10))
    rows_per_s = copied.rows / copied.seconds
    batch = f"{copying.BATCH_ROWS} rows to a commit, one connection"
    return [
        Figure("copy_limit.values", rows_per_s, "values/s", note=batch),
        Figure("copy_limit.messages", rows_per_s / 3, "msg/s", note="of three values"),
    ]
