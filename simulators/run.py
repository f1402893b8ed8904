"""`taizhang simulate`: an estate that does not exist, on a broker that does."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from estate.description import EstateDescription
from settings import Clock
from simulators.errors import ScriptError, SimulationError
from simulators.fleet import play
from simulators.link import BrokerAddress
from simulators.script import Planned, Script, parse_faults, random_faults, read_script
from simulators.stage import Stage

__all__ = ["SimulationError", "simulate"]


async def simulate(
    *,
    estate: EstateDescription,
    mqtt_url: str,
    clock: Clock,
    seed: int,
    faults: str,
    duration_s: float | None,
    truth_file: Path | None,
    stop: asyncio.Event,
) -> None:
    """Publish the estate until `duration_s` of the clock's seconds have passed, or the script's, or `stop`.

    `faults`: `none`, `random` (from the seed, without end), a script file, or a list such as
    `burst_main@3m, entrapment@5m:jinxiu/lift_1_1`. The truth of the run is written to `truth_file` at its end.
    Raises SimulationError.
    """
    plan, script = _plan(estate, seed, faults)
    if duration_s is None:
        duration_s = script.duration_s
    try:
        address = BrokerAddress.parse(mqtt_url)
    except ValueError as error:
        raise SimulationError(str(error)) from error
    stage = Stage(estate, plan, seed=seed, started_at=clock(), clock_offsets_s=script.clock_offsets_s)
    until = None if duration_s is None else stage.now + timedelta(seconds=duration_s)
    traffic = await play(stage, address, clock, client_prefix="simulated", until=until, stop=stop)
    if truth_file is not None:
        stage.truth(speed=clock.speed, traffic=traffic).write(truth_file)


def _plan(estate: EstateDescription, seed: int, faults: str) -> tuple[Iterator[Planned], Script]:
    """What is to happen; and the script it comes from, which is empty where there is none."""
    script = Script(None, (), {})
    if faults == "random":
        return random_faults(estate, seed), script
    if "@" in faults:
        script = parse_faults(faults, estate)
    elif Path(faults).is_file():
        script = read_script(Path(faults), estate)
    elif faults != "none":
        raise ScriptError(f"--faults {faults}: no such file; write none, random, a script's path, or burst_main@3m")
    return iter(script.faults), script
