"""The whole line as fast as it goes: full packs, alarms, QoS 1, acknowledged after a synchronous commit; and its cost."""

from bench import databases, line_run
from bench.figure import Figure, Goal, missing
from bench.ground import Bench, Trouble
from bench.line_run import LineRun


async def measure(bench: Bench) -> list[Figure]:
    """On plain PostgreSQL, and on TimescaleDB when there is one."""
    grounds = bench.grounds(bench.facilities)
    seconds = bench.lasting(60)
    async with bench.database(bench.facilities) as url:
        found = _figures("end_to_end", await line_run.run(bench, grounds, url, seconds))
    if bench.timescale_url is None:
        return [*found, missing("end_to_end_timescale.messages", "msg/s", "TAIZHANG_BENCH_TIMESCALE_URL is not set")]
    try:
        async with databases.furnished(bench.timescale_url, grounds, bench.packs) as url:
            note = await _settings_of(url)
            found += _figures("end_to_end_timescale", await line_run.run(bench, grounds, url, seconds), note)
    except Trouble as error:
        found.append(missing("end_to_end_timescale.messages", "msg/s", str(error)))
    return found


async def _settings_of(url: str) -> str:
    async with await databases.connect(url) as opened:
        row = await (
            await opened.execute("select current_setting('fsync'), current_setting('synchronous_commit')")
        ).fetchone()
    assert row is not None
    return f"fsync {row[0]}, synchronous_commit {row[1]}"


def _figures(name: str, run: LineRun, note: str = "") -> list[Figure]:
    at_least, at_most = Goal.AT_LEAST, Goal.AT_MOST
    return [
        Figure(f"{name}.messages", run.messages_per_s, "msg/s", at_least, 20_000, note),
        Figure(f"{name}.values", run.values_per_s, "values/s", at_least, 60_000),
        Figure(f"{name}.cost", run.ingest_us, "us/msg", at_most, 25, "CPU of the ingest process"),
        Figure(f"{name}.broker_cpu", run.broker_us, "us/msg"),
        Figure(f"{name}.database_cpu", run.database_us, "us/msg"),
        Figure(f"{name}.generator_cpu", run.load.cpu_us, "us/msg", note="meant to stay below 6"),
        Figure(f"{name}.raised", run.alarms / run.load.seconds, "alarms/s", note="meant to be about 10"),
        Figure(f"{name}.memory", run.resident_mb, "MB"),
        Figure(f"{name}.lost", run.lost, "values", at_most, 0),
    ]
