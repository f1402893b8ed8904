"""What is attacked: database, broker and ingest as real processes, the cables between them, and a small disk.

Ingest runs by the command line, as an operator's does. Servers that the environment names are used and never stopped:
then only their cables are attacked.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import ledger.migrate
from embedded import process
from embedded.broker import Broker, Limits
from embedded.postgres import Server
from ledger import scratch
from settings import Clock, Settings
from simulators.cable import FaultProxy

ENTRY = Path(__file__).resolve().parents[2] / "taizhang.py"
CLIENT_ID = "chaos-ingest"
REDELIVER_S = 3.0  # short, so that what was sent and not acknowledged comes again within the run
_DISK_BYTES = 320 * 1024 * 1024
_STOP_S = 120.0  # a laden machine is slow, and slow is not wrong
_MS_DETACH = 2


class Disk:
    """A file system of a bounded size, for the database to run full. Needs root: `mounted` is False without."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._ballast = place / "ballast"
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.mounted = False

    def mount(self) -> None:
        process.make_directory(self.place)
        if sys.platform == "linux" and os.geteuid() == 0:
            options = f"size={_DISK_BYTES}".encode()
            self.mounted = self._libc.mount(b"tmpfs", bytes(self.place), b"tmpfs", 0, options) == 0

    def unmount(self) -> None:
        if self.mounted:
            self._libc.umount2(bytes(self.place), _MS_DETACH)

    def fill(self) -> None:
        free = os.statvfs(self.place)
        with self._ballast.open("wb") as file, suppress(OSError):
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize)

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Cables:
    listening: FaultProxy  # broker - ingest
    writing: FaultProxy  # ingest - database
    speaking: FaultProxy  # devices - broker


class Ingest:
    """One `taizhang.py ingest` after another. What ends without being told to is a finding."""

    def __init__(
        self, environment: Mapping[str, str], directory: Path, clock: Clock, arguments: tuple[str, ...]
    ) -> None:
        self._environment = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
        self._clock, self._arguments = clock, arguments
        self.log, self.rival_log = directory / "ingest.log", directory / "rival.log"
        self._heartbeat = Path(environment["TAIZHANG_HEARTBEAT_FILE"])
        self._child: subprocess.Popen[bytes] | None = None
        self._offset_s = 0.0
        self._beat_at_start = 0
        self.starts = 0

    def start(self) -> None:
        self._beat_at_start = self.beat()
        self._child = self._spawn({}, self.log)
        self.starts += 1

    def _spawn(self, other: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, ENTRY, "ingest", *self._arguments]
        environment = {**self._environment, **self._time(), **other}
        return process.spawn(command, log=log, dies_by=signal.SIGTERM, environment=environment)

    @property
    def is_several(self) -> bool:
        return "--workers" in self._arguments

    def beat(self) -> int:
        """When it last had everything it needs, by the file system's clock; 0: never."""
        return self._heartbeat.stat().st_mtime_ns if self._heartbeat.exists() else 0

    def _time(self) -> dict[str, str]:
        """The clock it is to believe in: ours, or some way beside it."""
        now: datetime = self._clock()
        origin = now + timedelta(seconds=self._offset_s)
        return {"TAIZHANG_CLOCK_ORIGIN": origin.isoformat(), "TAIZHANG_CLOCK_STARTED": now.isoformat()}

    def shift(self, offset_s: float) -> None:
        """From the next start on."""
        self._offset_s = offset_s

    def kill(self) -> None:
        if self._child is not None:
            process.kill(self._child)
            self._child = None

    async def stop(self) -> int | None:
        """The exit code after SIGTERM; None if it did not end, and was killed. One that has not got so far as to hear
        SIGTERM holds nothing and may end by it.
        """
        child, self._child = self._child, None
        if child is None:
            return 0
        was_at_work = self.beat() > self._beat_at_start
        child.send_signal(signal.SIGTERM)
        code = await process.finished(child, _STOP_S)
        if code is None:
            process.kill(child)
        return 0 if code == -signal.SIGTERM and not was_at_work else code

    def signal(self, number: signal.Signals) -> None:
        if self._child is not None:
            self._child.send_signal(number)

    def ended(self) -> int | None:
        """The exit code if it ended though nobody told it to; once."""
        code = None if self._child is None else self._child.poll()
        if code is not None:
            self._child = None
        return code

    def rival(self) -> subprocess.Popen[bytes]:
        """A second one for the same sites, under another name."""
        elsewhere = str(self._heartbeat.with_name("rival"))
        other = {"TAIZHANG_MQTT_CLIENT_ID": f"{CLIENT_ID}-rival", "TAIZHANG_HEARTBEAT_FILE": elsewhere}
        process.fresh_log(self.rival_log)
        return self._spawn(other, self.rival_log)


@dataclass(frozen=True, slots=True)
class House:
    directory: Path
    disk: Disk
    database: Server | None  # None: somebody else's
    database_url: str
    broker: Broker | None
    broker_url: str
    cables: Cables
    ingest: Ingest


@asynccontextmanager
async def standing(
    settings: Settings, directory: Path, clock: Clock, sites: tuple[str, ...], arguments: tuple[str, ...]
) -> AsyncGenerator[House]:
    """All of it but ingest, which the caller starts when there is something to judge. Raises EmbeddedError."""
    async with AsyncExitStack() as stack:
        disk = Disk(directory / "disk")
        disk.mount()
        stack.callback(disk.unmount)
        database = None if settings.database_url else Server(disk.place / "postgres", fsync=False)
        if database is not None:
            stack.push_async_callback(database.stop)
            await database.start()
            database_url = database.url
        else:
            assert settings.database_url is not None
            given = settings.database_url.get_secret_value()
            database_url = await stack.enter_async_context(scratch.database(given))
        await ledger.migrate.migrate(database_url)
        limits = Limits(redeliver_after_s=REDELIVER_S)
        broker = None if settings.mqtt_url else Broker(directory / "broker", limits=limits, sync_always=False)
        if broker is not None:
            stack.push_async_callback(broker.stop)
            await broker.start()
            broker_url = broker.url
        else:
            assert settings.mqtt_url is not None
            broker_url = settings.mqtt_url.get_secret_value()
        cables = Cables(*[await _cable(stack, url) for url in (broker_url, database_url, broker_url)])
        environment = {
            "DATABASE_URL": cables.writing.url(database_url),
            "MQTT_URL": cables.listening.url(broker_url),
            "TAIZHANG_MQTT_CLIENT_ID": CLIENT_ID,
            "TAIZHANG_SITES": json.dumps(sites),
            "TAIZHANG_TICK_MS": "200",
            "TAIZHANG_HEARTBEAT_FILE": str(directory / "heartbeat"),
        }
        ingest = Ingest(environment, directory, clock, arguments)
        stack.callback(ingest.kill)
        yield House(directory, disk, database, database_url, broker, broker_url, cables, ingest)


async def _cable(stack: AsyncExitStack, url: str) -> FaultProxy:
    proxy = await FaultProxy.before(url)
    stack.push_async_callback(proxy.stop)
    return proxy
