"""The same line with messages of ten values, of the facilities that have as many points."""

from dataclasses import replace

from bench import line_run
from bench.figure import Figure, Goal
from bench.ground import Bench

VALUES = 10


async def measure(bench: Bench) -> list[Figure]:
    grounds = bench.grounds(bench.facilities)
    wide = [place for place in grounds.places if len(grounds.normal[place.kind]) >= VALUES]
    async with bench.database(bench.facilities) as url:
        chosen = replace(grounds, places=wide)
        run = await line_run.run(bench, chosen, url, bench.lasting(20), values_per_message=VALUES)
    return [
        Figure("wide.values", run.values_per_s, "values/s", Goal.AT_LEAST, 100_000, f"{VALUES} to a message"),
        Figure("wide.messages", run.messages_per_s, "msg/s"),
        Figure("wide.cost", run.ingest_us, "us/msg"),
        Figure("wide.lost", run.lost, "values", Goal.AT_MOST, 0),
    ]
