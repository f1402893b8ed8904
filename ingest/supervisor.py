"""Several workers side by side: a process for each share of the sites, kept alive, stopped together.

The workers are `taizhang.py ingest --shard i/n`, and could as well be started on several machines by somebody else. What
is done here is to start them, to start one again that died, later each time, and to hand on the wish to stop. A worker
stops by itself when its leash, the standard input, is let go of: a supervisor that was killed leaves nobody behind.
"""

import asyncio
import logging
import os
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ingest.errors import WorkerFailing
from ingest.heartbeat import beaten, touch
from ingest.share import Shard

HEARTBEAT = "TAIZHANG_HEARTBEAT_FILE"
RETRY_FIRST_S = 0.5
RETRY_LAST_S = 10.0
STEADY_S = 60.0  # one that lasted so long has not failed in a row
FAILURES_MAX = 4
STOP_S = 20.0  # a worker goes on for ten seconds to judge what it holds
_BEAT_S = 1.0

_log = logging.getLogger(__name__)


async def run(
    command: Callable[[Shard], Sequence[str]], workers: int, *, heartbeat_file: Path | None, stop: asyncio.Event
) -> None:
    """Keep so many workers running until `stop`; then wait until they have stopped. Raises WorkerFailing."""
    shards = [Shard(number, workers) for number in range(1, workers + 1)]
    beats = {each: _beat_of(heartbeat_file, each) for each in shards}
    beating = asyncio.create_task(_pass_on_beats(list(beats.values()), heartbeat_file))
    keeping = [asyncio.create_task(_keep(each, command(each), _environment(beats[each]), stop)) for each in shards]
    try:
        await asyncio.wait(keeping, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in (beating, *keeping):
            task.cancel()
        await asyncio.gather(beating, *keeping, return_exceptions=True)
    for task in keeping:
        if not task.cancelled():
            task.result()


async def _keep(which: Shard, command: Sequence[str], environment: Mapping[str, str], stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    failures, retry_s = 0, RETRY_FIRST_S
    while not stop.is_set():
        began = loop.time()
        code = await _one(command, environment, stop)
        if stop.is_set():
            return
        if loop.time() - began > STEADY_S:
            failures, retry_s = 0, RETRY_FIRST_S
        failures += 1
        if failures >= FAILURES_MAX:
            raise WorkerFailing(str(which), code, failures)
        _log.warning("worker %s ended by itself with code %d; starting it again in %.1f s", which, code, retry_s)
        await _pause(retry_s, stop)
        retry_s = min(retry_s * 2, RETRY_LAST_S)


async def _one(command: Sequence[str], environment: Mapping[str, str], stop: asyncio.Event) -> int:
    """One life of a worker; its exit code. It is never left behind, whatever ends this."""
    child = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, env=environment)
    stopping, ending = asyncio.create_task(stop.wait()), asyncio.create_task(child.wait())
    try:
        await asyncio.wait([stopping, ending], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        await _end(child)
    return await ending


async def _end(child: Process) -> None:
    if child.returncode is not None:
        return
    child.terminate()
    try:
        await asyncio.wait_for(child.wait(), STOP_S)
    except TimeoutError:
        _log.warning("worker process %d did not stop in %.0f s; it is killed", child.pid, STOP_S)
        child.kill()
        await child.wait()


async def _pause(seconds: float, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def _pass_on_beats(places: Sequence[Path | None], heartbeat_file: Path | None) -> None:
    """Ours is touched when every worker has touched its own since."""
    if heartbeat_file is None:
        return
    seen = [0 for _ in places]
    while True:
        beats = [beaten(place) for place in places]
        if all(new > old for new, old in zip(beats, seen, strict=True)):
            seen = beats
            touch(heartbeat_file)
        await asyncio.sleep(_BEAT_S)


def _beat_of(heartbeat_file: Path | None, which: Shard) -> Path | None:
    return None if heartbeat_file is None else heartbeat_file.with_name(f"{heartbeat_file.name}.worker-{which.number}")


def _environment(heartbeat_file: Path | None) -> dict[str, str]:
    return {**os.environ, HEARTBEAT: "" if heartbeat_file is None else str(heartbeat_file)}
