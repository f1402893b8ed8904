"""Other processes for the tests of embedded servers: a stranger, one that will not stop, and holders of a server."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_HOLDER = """
import asyncio, sys
from pathlib import Path
from embedded.broker import Broker
from embedded.postgres import Server

async def main():
    server = {"Broker": Broker, "Server": Server}[sys.argv[1]](Path(sys.argv[2]))
    await server.start()
    print(server.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
_DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); print(flush=True); input()"

Holder = tuple[subprocess.Popen[bytes], int]


@pytest.fixture
def start_process() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts Python with these arguments; killed afterwards."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PYTHONPATH": "."}
        command = [sys.executable, *arguments]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def stranger(start_process: Callable[..., subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    """A process that has nothing to do with us and stays."""
    return start_process("-c", "input()")


@pytest.fixture
def deaf(start_process: Callable[..., subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    """A process that ignores the first request to stop."""
    process = start_process("-c", _DEAF)
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.fixture
def hold(start_process: Callable[..., subprocess.Popen[bytes]]) -> Callable[[str, Path], Holder]:
    """`hold("Server" or "Broker", directory)`: a process that runs one there, and the pid of what it runs."""

    def start(kind: str, directory: Path) -> Holder:
        holder = start_process("-c", _HOLDER, kind, str(directory))
        assert holder.stdout is not None
        return holder, int(holder.stdout.readline())

    return start
