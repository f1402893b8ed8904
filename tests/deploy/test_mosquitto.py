"""The Mosquitto configuration that we ship: keeps what a reader away will want, survives a stop, holds users to their
site. Only where Mosquitto is installed; CI installs it.
"""

import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path

import pytest

from embedded import process
from embedded.broker import User, answers_connect
from tests.fix_broker import MakeDevice
from tests.fix_wait import Eventually
from tests.source_tree import ROOT

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin")
INGEST, NORTH, SOUTH = User("ingest", "pi"), User("north", "pn"), User("south", "ps")

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="Mosquitto is not installed")


@dataclass
class Mosquitto:
    config: Path
    port: int
    child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    async def start(self) -> None:
        command = [MOSQUITTO or "", "-c", self.config]
        log = self.config.with_suffix(".log")
        self.child = process.spawn(command, log=log, dies_by=signal.SIGTERM)
        ready = await process.until_ready(self.child, lambda: answers_connect("127.0.0.1", self.port, INGEST), 10)
        assert ready, log.read_text(encoding="utf-8")

    async def stop(self) -> None:
        if self.child is not None:
            await process.stop(self.child, ((signal.SIGTERM, 10.0),))


def as_shipped_but_in(directory: Path, port: int) -> Path:
    """Our files with nothing changed but where things lie, the port, and the user it changes to when it is root."""
    passwords = directory / "passwd"
    passwords.touch()
    for user in (INGEST, NORTH, SOUTH):
        subprocess.run(["mosquitto_passwd", "-b", passwords, user.name, user.password], check=True, capture_output=True)
    acl = directory / "acl"
    shutil.copy(ROOT / "deploy" / "mosquitto.acl", acl)
    acl.chmod(0o600)
    text = (ROOT / "deploy" / "mosquitto.conf").read_text(encoding="utf-8")
    for setting, value in {
        "listener": f"{port} 127.0.0.1",
        "persistence_location": f"{directory}/",
        "password_file": str(passwords),
        "acl_file": str(acl),
    }.items():
        text, changed = re.subn(rf"^{setting} .*$", f"{setting} {value}", text, flags=re.MULTILINE)
        assert changed == 1, setting
    config = directory / "mosquitto.conf"
    config.write_text(f"{text}user {getuser()}\n", encoding="utf-8")
    return config


@pytest.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    port = process.port_for("Mosquitto", None)
    server = Mosquitto(as_shipped_but_in(tmp_path, port), port)
    await server.start()
    yield server
    await server.stop()


async def test_a_reader_away_finds_everything_also_after_a_restart(
    mosquitto: Mosquitto, device: MakeDevice, eventually: Eventually
) -> None:
    """More than the thousand messages at which Mosquitto's defaults begin to drop."""
    reader = await device(mosquitto.url, "reader", INGEST, clean=False).connect(eventually)
    assert await reader.subscribe("tz/v1/+/+/telemetry", eventually)
    reader.leave()
    writer = await device(mosquitto.url, "writer", NORTH).connect(eventually)
    for n in range(1500):
        writer.publish("tz/v1/north/pump-1/telemetry", str(n).encode(), wait=n % 100 == 99)
    writer.publish("tz/v1/north/pump-1/telemetry", b"1500")
    await mosquitto.stop()
    await mosquitto.start()
    again = await device(mosquitto.url, "reader", INGEST, clean=False).connect(eventually)
    await eventually(lambda: len(again.heard) >= 1501)
    assert {int(payload) for _, payload in again.heard} == set(range(1501))


async def test_users_are_held_to_their_site(mosquitto: Mosquitto, device: MakeDevice, eventually: Eventually) -> None:
    reader = await device(mosquitto.url, "reader", INGEST).connect(eventually)
    await reader.subscribe("tz/v1/#", eventually)
    gateway = await device(mosquitto.url, "gateway", NORTH).connect(eventually)
    await gateway.subscribe("tz/v1/#", eventually)
    refused = {
        "tz/v1/south/pump-1/telemetry": NORTH,
        "tz/v1/north/alarms/c1": NORTH,
        "tz/v1/north/pump-1": NORTH,
        "tz/v1/north/pump-1/telemetry": INGEST,
    }
    for number, (topic, user) in enumerate(refused.items()):
        # A client each: Mosquitto 2.0.11 closes the connection of one that writes where it may not.
        intruder = await device(mosquitto.url, f"intruder-{number}", user).connect(eventually)
        intruder.publish(topic, b"refused")
        intruder.leave()
    gateway.publish("tz/v1/north/pump-1/telemetry", b"1")
    gateway.publish("tz/v1/north/gateways/g1/status", b"2", retain=True)
    reader.publish("tz/v1/north/alarms/c1", b"3")
    await eventually(lambda: len(reader.heard) >= 3)
    assert [payload for _, payload in reader.heard] == [b"1", b"2", b"3"]
    assert gateway.heard == []


async def test_without_a_credential_nobody_enters(mosquitto: Mosquitto) -> None:
    assert answers_connect("127.0.0.1", mosquitto.port, SOUTH)
    assert not answers_connect("127.0.0.1", mosquitto.port)
    assert not answers_connect("127.0.0.1", mosquitto.port, User("south", "wrong"))
