"""The service's own processes, run as an operator would run them: by the command line, each on its own.

They start in the order given, are stopped in reverse with SIGTERM and patience, and one that ends by itself ends the
run with its last words.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from embedded import process

_ENTRY = Path(__file__).resolve().parent.parent / "taizhang.py"
_STOP_STEPS = ((signal.SIGTERM, 15.0),)
_WATCH_S = 0.2


class ServiceEnded(Exception):
    """A service ended though nobody asked it to; the message carries its last words."""


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    arguments: Sequence[str]


class Services:
    """Running processes, in the order they were started."""

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        self._logs = logs
        self._environment = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
        self._children: list[tuple[Service, subprocess.Popen[bytes]]] = []

    def start(self, service: Service) -> None:
        log = self.log(service.name)
        process.fresh_log(log)
        child = process.spawn(
            [sys.executable, _ENTRY, *service.arguments],
            log=log,
            dies_by=signal.SIGTERM,
            environment=self._environment,
        )
        self._children.append((service, child))

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    async def watch(self) -> None:
        """Returns never; raises ServiceEnded when one of them is gone."""
        while True:
            for service, child in self._children:
                if child.poll() is not None:
                    raise ServiceEnded(self._last_words(service, child.returncode))
            await asyncio.sleep(_WATCH_S)

    async def finished(self, name: str, deadline_s: float) -> int | None:
        """The exit code of one that is meant to end by itself; None if it still runs at the deadline."""
        for index, (service, child) in enumerate(self._children):
            if service.name == name:
                code = await process.finished(child, deadline_s)
                if code == 0:
                    del self._children[index]
                return code
        raise KeyError(name)

    async def stop(self) -> None:
        while self._children:
            _, child = self._children.pop()
            await process.stop(child, _STOP_STEPS)

    def _last_words(self, service: Service, code: int) -> str:
        said = self.log(service.name).read_text(encoding="utf-8", errors="replace").strip().splitlines()[-12:]
        return f"{service.name} ended by itself with code {code}; its last words:\n  " + "\n  ".join(said or ["(none)"])


@asynccontextmanager
async def running(logs: Path, environment: Mapping[str, str]) -> AsyncGenerator[Services]:
    """Services for the length of the block; all are stopped on leaving, however that happens."""
    process.make_directory(logs)
    services = Services(logs, environment)
    try:
        yield services
    finally:
        await services.stop()
