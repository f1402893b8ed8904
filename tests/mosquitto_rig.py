"""A running Mosquitto with the configuration we ship, and the credentials that our own commands write for it.

Its two listeners are those of deploy/mosquitto/debian.conf on free ports: `inner` for ingest, `outer` with TLS for
gateways. Where Mosquitto or openssl is not installed, tests that need it are skipped; CI installs both.
"""

import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path

import pytest

from credentials.mosquitto import MosquittoFiles
from credentials.rights import GatewayName, ingest_rights
from embedded import process
from embedded.broker import User, answers_connect
from settings import Settings
from tests.source_tree import ROOT

PLACES = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin:/opt/homebrew/bin"
MOSQUITTO = shutil.which("mosquitto", path=PLACES)
needs_mosquitto = pytest.mark.skipif(
    MOSQUITTO is None or shutil.which("openssl") is None, reason="Mosquitto and openssl are not installed"
)
SHIPPED = ROOT / "deploy" / "mosquitto"
INGEST = User("ingest", "ingest-password-0123")


@dataclass
class Mosquitto:
    directory: Path
    inner_port: int
    outer_port: int
    under: tuple[str | Path, ...] = ()  # a command that Mosquitto is run by
    child: subprocess.Popen[bytes] | None = None

    @property
    def inner_url(self) -> str:
        return f"mqtt://127.0.0.1:{self.inner_port}"

    @property
    def outer_url(self) -> str:
        return f"mqtts://localhost:{self.outer_port}"

    @property
    def ca(self) -> Path:
        return self.directory / "tls" / "fullchain.pem"

    @property
    def files(self) -> MosquittoFiles:
        return MosquittoFiles(self.directory / "passwd", self.directory / "acl")

    @property
    def environment(self) -> dict[str, str]:
        """What an operator sets before `taizhang gateway add`."""
        return {
            "TAIZHANG_MQTT_PASSWORD_FILE": str(self.files.password_file),
            "TAIZHANG_MQTT_ACL_FILE": str(self.files.acl_file),
            "TAIZHANG_MQTT_PUBLIC_URL": self.outer_url,
        }

    def settings(self, **more: object) -> Settings:
        return Settings(
            mqtt_password_file=self.files.password_file,
            mqtt_acl_file=self.files.acl_file,
            mqtt_public_url=self.outer_url,
            **more,  # type: ignore[arg-type]
        )

    def admit(self, gateway: str, password: str) -> User:
        """A gateway's credential with a password the test knows."""
        name = GatewayName.parse(gateway)
        self.files.add(name.rights(), password, rotate=False)
        return User(name.user, password)

    async def start(self) -> None:
        log = self.directory / "mosquitto.log"
        self.child = process.spawn(
            [*self.under, MOSQUITTO or "", "-c", self.directory / "mosquitto.conf"], log=log, dies_by=signal.SIGTERM
        )
        ready = await process.until_ready(self.child, lambda: answers_connect("127.0.0.1", self.inner_port, INGEST), 10)
        assert ready, log.read_text(encoding="utf-8")

    def reload(self) -> None:
        """What `systemctl reload mosquitto` and `docker compose kill -s HUP broker` do."""
        assert self.child is not None
        self.child.send_signal(signal.SIGHUP)

    async def stop(self) -> None:
        if self.child is not None:
            await process.stop(self.child, ((signal.SIGTERM, 10.0),))


def _prepared(directory: Path) -> Mosquitto:
    """Our files with nothing changed but where things lie, the ports, and the user it changes to when it is root."""
    server = Mosquitto(
        directory, process.port_for("Mosquitto", None), process.port_for("Mosquitto's TLS listener", None)
    )
    subprocess.run(
        [ROOT / "deploy" / "trial-certificate", directory / "tls", "localhost", "127.0.0.1"],
        check=True,
        capture_output=True,
    )
    server.files.ensure(ingest_rights(), INGEST.password)
    (directory / "d").mkdir()
    main = _changed(
        SHIPPED / "mosquitto.conf",
        {
            "password_file": str(server.files.password_file),
            "acl_file": str(server.files.acl_file),
            "include_dir": str(directory / "d"),
        },
    )
    (directory / "mosquitto.conf").write_text(f"user {getuser()}\n{main}", encoding="utf-8")
    places = _changed(
        SHIPPED / "debian.conf",
        {
            "persistence_location": f"{directory}/",
            "listener 1883": f"{server.inner_port} 127.0.0.1",
            "listener 8883": f"{server.outer_port} 127.0.0.1",
            "certfile": str(server.ca),
            "keyfile": str(server.ca.with_name("privkey.pem")),
        },
    )
    (directory / "d" / "debian.conf").write_text(places, encoding="utf-8")
    return server


def _changed(file: Path, values: dict[str, str]) -> str:
    text = file.read_text(encoding="utf-8")
    for line, value in values.items():
        text, changed = re.subn(rf"^{line}( .*)?$", f"{line.split()[0]} {value}", text, flags=re.MULTILINE)
        assert changed == 1, line
    return text


@asynccontextmanager
async def mosquitto_in(directory: Path, under: tuple[str | Path, ...] = ()) -> AsyncIterator[Mosquitto]:
    """Running for the length of the block, with ingest's credential and no other."""
    server = _prepared(directory)
    server.under = under
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
