"""What messages that are no telemetry cost the good ones: 1 % and 50 % of all facilities send nothing else."""

from bench import line_run
from bench.figure import Figure, Goal
from bench.ground import Bench

SHARES = (0.01, 0.5)


async def measure(bench: Bench) -> list[Figure]:
    clean = await _good_per_s(bench, 0.0)
    found = [Figure("poison.none", clean, "good msg/s")]
    for share in SHARES:
        good = await _good_per_s(bench, share)
        percent = f"{share:.0%}".replace("%", "_percent")
        found += [
            Figure(f"poison.{percent}", good, "good msg/s"),
            Figure(
                f"poison.{percent}_kept",
                good / (clean * (1 - share)),
                "times",
                Goal.AT_LEAST,
                1.0,
                "of the good throughput without, less the share of the poison",
            ),
        ]
    return found


async def _good_per_s(bench: Bench, share: float) -> float:
    grounds = bench.grounds(bench.facilities)
    async with bench.database(bench.facilities) as url:
        run = await line_run.run(bench, grounds, url, bench.lasting(12), poison=share)
    return run.values_per_s / 3
