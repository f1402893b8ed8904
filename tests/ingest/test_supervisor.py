"""The processes of several workers: started again when they die, given up when they die again and again, stopped together."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import supervisor
from ingest.errors import WorkerFailing
from ingest.share import Shard
from tests.fix_wait import wait_until

# A worker that writes its pid and goes on until SIGTERM, or until its leash is let go of.
WORKER = "echo $$ >> {place}/{number}; trap 'exit 0' TERM; read -r _; exit 0"


@pytest.fixture(autouse=True)
def hurried(monkeypatch) -> None:
    monkeypatch.setattr(supervisor, "RETRY_FIRST_S", 0.01)
    monkeypatch.setattr(supervisor, "RETRY_LAST_S", 0.05)
    monkeypatch.setattr(supervisor, "_BEAT_S", 0.02)


class Crew:
    def __init__(self, place: Path, script: str = WORKER) -> None:
        self.place, self.stop = place, asyncio.Event()
        self._script = script
        self.task: asyncio.Task[None] | None = None

    def start(self, workers: int, heartbeat_file: Path | None = None) -> None:
        running = supervisor.run(self._command, workers, heartbeat_file=heartbeat_file, stop=self.stop)
        self.task = asyncio.create_task(running)

    def _command(self, which: Shard) -> list[str]:
        return ["/bin/sh", "-c", self._script.format(place=self.place, number=which.number)]

    def pids(self, number: int) -> list[int]:
        file = self.place / str(number)
        return [int(pid) for pid in file.read_text().split()] if file.exists() else []


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    made = Crew(tmp_path)
    yield made
    made.stop.set()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_one_that_dies_is_started_again_and_the_others_go_on(crew: Crew) -> None:
    crew.start(3)
    await wait_until(lambda: all(crew.pids(number) for number in (1, 2, 3)))
    os.kill(crew.pids(2)[0], 9)
    await wait_until(lambda: len(crew.pids(2)) == 2)
    assert [len(crew.pids(number)) for number in (1, 3)] == [1, 1]
    crew.stop.set()
    assert crew.task is not None
    await asyncio.wait_for(crew.task, 30)
    assert not any(is_alive(pid) for number in (1, 2, 3) for pid in crew.pids(number))


async def test_one_that_dies_again_and_again_ends_them_all(tmp_path: Path) -> None:
    crew = Crew(tmp_path, "if [ {number} = 2 ]; then echo $$ >> {place}/2; exit 7; fi; " + WORKER)
    crew.start(2)
    assert crew.task is not None
    with pytest.raises(WorkerFailing, match=r"worker 2/2 ended by itself 4 times in a row, at last with code 7"):
        await asyncio.wait_for(crew.task, 30)
    assert len(crew.pids(2)) == supervisor.FAILURES_MAX
    assert not any(is_alive(pid) for pid in crew.pids(1))


async def test_one_that_lasted_has_not_failed_in_a_row(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(supervisor, "STEADY_S", -1.0)
    crew = Crew(tmp_path, "echo $$ >> {place}/{number}; exit 1")
    crew.start(1)
    await wait_until(lambda: len(crew.pids(1)) > supervisor.FAILURES_MAX + 2)
    crew.stop.set()
    assert crew.task is not None
    await asyncio.wait_for(crew.task, 30)


async def test_one_that_does_not_stop_is_killed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(supervisor, "STOP_S", 0.1)
    crew = Crew(
        tmp_path, "trap '' TERM; echo $$ >> {place}/{number}; while :; do read -r _ || exec tail -f /dev/null; done"
    )
    crew.start(1)
    await wait_until(lambda: crew.pids(1))
    crew.stop.set()
    assert crew.task is not None
    await asyncio.wait_for(crew.task, 30)
    assert not is_alive(crew.pids(1)[0])


async def test_the_heart_beats_while_all_of_them_do(tmp_path: Path) -> None:
    heart = tmp_path / "heart"
    crew = Crew(tmp_path, WORKER)
    crew.start(2, heart)
    places = [tmp_path / "heart.worker-1", tmp_path / "heart.worker-2"]
    places[0].touch()
    await wait_until(lambda: all(crew.pids(number) for number in (1, 2)))
    assert not heart.exists()
    places[1].touch()
    await wait_until(heart.exists)
    first = heart.stat().st_mtime_ns
    places[0].touch()
    os.utime(places[1])
    await wait_until(lambda: heart.stat().st_mtime_ns > first)
    crew.stop.set()
    assert crew.task is not None
    await asyncio.wait_for(crew.task, 30)


async def test_a_worker_whose_supervisor_was_killed_stops(tmp_path: Path) -> None:
    """The leash: a pipe that the kernel closes, whatever became of whoever held it."""
    code = (
        "import asyncio\nfrom ingest import leash\n"
        "async def main():\n stop = asyncio.Event()\n leash.hold(stop)\n print('held', flush=True)\n"
        " await stop.wait()\n print('let go', flush=True)\nasyncio.run(main())\n"
    )
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdin=pipe, stdout=pipe, cwd=Path.cwd())
    assert child.stdout is not None
    assert child.stdin is not None
    assert await child.stdout.readline() == b"held\n"
    child.stdin.close()
    assert await asyncio.wait_for(child.stdout.readline(), 30) == b"let go\n"
    assert await child.wait() == 0
