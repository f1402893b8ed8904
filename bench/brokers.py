"""The broker of a run: Mosquitto as docker-compose.yml ships it, where it is installed; else the embedded NATS."""

import re
import shutil
import signal
import subprocess
import sys
from getpass import getuser
from pathlib import Path

from embedded import process
from embedded.broker import Broker, answers_connect
from embedded.errors import EmbeddedError

SHIPPED = Path(__file__).resolve().parent.parent / "deploy" / "mosquitto" / "mosquitto.conf"
_PROGRAM = shutil.which(
    "mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin:/opt/homebrew/bin"
)
_READY_S = 10.0
_STOP_STEPS = ((signal.SIGTERM, 10.0),)


class Nats(Broker):
    """Durable against kill -9 of the broker, not against a power cut: written through it takes a tenth."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, sync_always=False)

    VERSION = (str(Path(sys.executable).with_name("nats-server")), "--version")


class Mosquitto:
    """With the file we ship; it differs in where it listens and keeps its store, and in that anybody may connect."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._port = directory, process.port_for("Mosquitto", None)
        self._child: subprocess.Popen[bytes] | None = None

    VERSION = (_PROGRAM or "mosquitto", "-h")

    @property
    def url(self) -> str:
        return f"mqtt://{process.LOOPBACK}:{self._port}"

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    async def start(self) -> None:
        """Raises EmbeddedError when it does not answer in time."""
        places = self._directory / "conf.d"
        places.mkdir(parents=True, exist_ok=True)
        shipped = SHIPPED.read_text(encoding="utf-8")
        for line, ours in (
            (r"password_file .*", ""),
            (r"acl_file .*", ""),
            (r"allow_anonymous .*", "allow_anonymous true"),
            (r"include_dir .*", f"include_dir {places}"),
        ):
            shipped = re.sub(rf"^{line}$", ours, shipped, flags=re.MULTILINE)
        file = self._directory / "mosquitto.conf"
        file.write_text(f"user {getuser()}\n{shipped}", encoding="utf-8")
        (places / "here.conf").write_text(
            f"persistence_location {self._directory}/\nlistener {self._port} {process.LOOPBACK}\n", encoding="utf-8"
        )
        log = self._directory / "mosquitto.log"
        self._child = process.spawn([_PROGRAM or "", "-c", file], log=log, dies_by=signal.SIGTERM)
        if not await process.until_ready(self._child, lambda: answers_connect(process.LOOPBACK, self._port), _READY_S):
            said = log.read_text(encoding="utf-8", errors="replace")
            await self.stop()
            raise EmbeddedError(f"Mosquitto does not answer: {said[-500:]}")

    async def stop(self) -> None:
        if self._child is not None:
            await process.stop(self._child, _STOP_STEPS)


class Unknown(Exception):
    """The broker asked for is none that a run knows, or is not installed."""


def chosen(asked: str | None) -> type[Mosquitto | Nats]:
    """`asked` is what TAIZHANG_BENCH_BROKER says. Raises Unknown."""
    if asked not in (None, "", "mosquitto", "nats"):
        raise Unknown(f"TAIZHANG_BENCH_BROKER is {asked!r}; it may be mosquitto or nats")
    if asked == "mosquitto" and _PROGRAM is None:
        raise Unknown("TAIZHANG_BENCH_BROKER is mosquitto, and Mosquitto is not installed")
    return Nats if asked == "nats" or _PROGRAM is None else Mosquitto
