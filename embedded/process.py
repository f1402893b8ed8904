"""One server child and its data directory: lock, spawn, wait until ready, stop in order, recognise one left behind.

Children are plain `subprocess` ones, watched by polling, so that a server may be started in one event loop and stopped
in another. Each runs in a session of its own: Ctrl-C in the terminal reaches us, and we stop the children in order.
"""

import asyncio
import errno
import fcntl
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from embedded.errors import DirectoryInUseError, EmbeddedError, PortTakenError, cause, from_os

_POLL_S = 0.02
_LAUNCHER = Path(__file__).with_name("child.py")
LOOPBACK = "127.0.0.1"
_NEVER_OUTGOING = range(20_000, 32_000)  # Linux gives out 32768 and above unless told otherwise, macOS 49152 and above
_DRAWN_MAX = 20


@dataclass(frozen=True, slots=True)
class Account:
    """The user a server runs as when we are root."""

    uid: int
    gid: int

    def can_reach(self, path: Path) -> bool:
        """Whether every directory on the way to `path` lets this user through."""
        for directory in path.resolve().parents:
            state = directory.stat()
            bit = 0o100 if state.st_uid == self.uid else 0o010 if state.st_gid == self.gid else 0o001
            if not state.st_mode & bit:
                return False
        return True


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    dies_by: signal.Signals,
    account: Account | None = None,
    walk: bool = False,
    stdin: bytes = b"",
    environment: dict[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command`, output to `log`. `dies_by` is what the kernel sends it should this process die (Linux)."""
    launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), f"--parent={os.getpid()}", f"--signal={int(dies_by)}"]
    if account is not None:
        launcher += [f"--uid={account.uid}", f"--gid={account.gid}"] + (["--walk"] if walk else [])
    with log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603 - the command is ours
            [*launcher, "--", *map(str, command)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    _feed(child, stdin)
    return child


def _feed(child: subprocess.Popen[bytes], stdin: bytes) -> None:
    pipe = child.stdin
    assert pipe is not None
    with suppress(BrokenPipeError):  # it ended already: its exit code tells more than this write
        pipe.write(stdin)
        pipe.flush()
    with suppress(BrokenPipeError):
        pipe.close()


async def finished(child: subprocess.Popen[bytes], deadline_s: float) -> int | None:
    """The exit code, or None if it still runs at the deadline."""
    until = time.monotonic() + deadline_s
    while (code := child.poll()) is None and time.monotonic() < until:  # noqa: ASYNC110 - processes have no event
        await asyncio.sleep(_POLL_S)
    return code


async def until_ready(child: subprocess.Popen[bytes], ready: Callable[[], bool], deadline_s: float) -> bool:
    """True when ready, False when the child ended first or the deadline passed."""
    until = time.monotonic() + deadline_s
    while child.poll() is None and time.monotonic() < until:
        if await asyncio.to_thread(ready):
            return True
        await asyncio.sleep(_POLL_S)
    return False


async def stop(child: subprocess.Popen[bytes], steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Ask with each signal in turn, as long as its patience in seconds; at last kill."""
    for ask, patience_s in steps:
        if child.poll() is None:
            child.send_signal(ask)
        if await finished(child, patience_s) is not None:
            return
    kill(child)


def kill(child: subprocess.Popen[bytes]) -> None:
    """What a power cut or the kernel's memory killer does."""
    child.kill()
    child.wait()


async def stop_left_behind(pid: int, belongs_to: Path, ask: signal.Signals, deadline_s: float) -> None:
    """Stop a server that outlived the process which started it. Does nothing if `pid` is somebody else by now."""
    until = time.monotonic() + deadline_s
    while works_in(pid, belongs_to):
        if time.monotonic() > until:
            raise EmbeddedError(
                f"a server left over from an earlier run (process {pid}) still uses {belongs_to} and does not stop; "
                f"end it with: kill -QUIT {pid}"
            )
        with suppress(ProcessLookupError):
            os.kill(pid, ask)
        await asyncio.sleep(_POLL_S * 5)


def works_in(pid: int, directory: Path) -> bool:
    """Whether process `pid` is a server of ours on `directory`: pids are reused, so its command line must name it."""
    command = _command_line(pid)
    if str(directory) in command:
        return True
    try:
        return bool(command) and Path(f"/proc/{pid}/cwd").readlink() == directory
    except OSError:
        return False


def _command_line(pid: int) -> str:
    """Empty for a process that is gone or a zombie."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return ""
    command = ["/bin/ps", "-p", str(pid), "-o", "command="]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a number
    return "" if "<defunct>" in shown.stdout else shown.stdout.strip()


class DirectoryLock:
    """Held while we run a server in a directory; the kernel drops it when we die, however that happens."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "lock"
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        file = self._path.open("a+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise DirectoryInUseError(
                f"{self._path.parent} is in use by another running Taizhang (process {holder}); "
                "stop that one or choose another data directory"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def make_directory(path: Path, account: Account | None = None) -> None:
    """A private directory, the account's if there is one; refusals as sentences."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        if account is not None and path.stat().st_uid != account.uid:
            os.chown(path, account.uid, account.gid)
        path.chmod(0o700)
    except OSError as error:
        raise from_os(error, f"cannot use {path} as a data directory") from error


def write_private(path: Path, text: str, account: Account | None = None) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    if account is not None:
        os.chown(draft, account.uid, account.gid)
    draft.replace(path)


def fresh_log(path: Path) -> None:
    """Begin a new log and keep the one before: a log never outgrows two runs."""
    if path.exists():
        path.replace(path.with_name(path.name + ".1"))
    path.touch(mode=0o600)


def failure(what: str, log: Path, shown_lines: int = 5) -> EmbeddedError:
    """Why a server did not come up, from its own last words."""
    output = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    known = cause(output)
    if known is not None:
        return EmbeddedError(f"{what} cannot run: {known} (its log: {log})")
    last = "\n  ".join(output.strip().splitlines()[-shown_lines:]) or "(it said nothing)"
    return EmbeddedError(f"{what} did not start; its last words in {log}:\n  {last}")


def port_for(what: str, wanted: int | None, address: str = LOOPBACK) -> int:
    """`wanted` if nobody listens there, or any free one that no system gives to outgoing connections by itself: such a
    one could be taken again before `what` listens. Raises PortTakenError.
    """
    if wanted is not None:
        return _bound(what, wanted, address)
    for port in random.sample(_NEVER_OUTGOING, _DRAWN_MAX):
        with suppress(PortTakenError):
            return _bound(what, port, address)
    return _bound(what, 0, address)


def _bound(what: str, port: int, address: str) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTakenError(
                    f"{what} cannot listen on {address}:{port}: another program does; stop it or choose another port"
                ) from None
            raise from_os(error, f"{what} cannot listen on {address}:{port}") from error
        return int(probe.getsockname()[1])
