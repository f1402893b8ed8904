"""docs/connect-a-device.md as somebody follows it: every block is run as it stands, on a real broker, ingest and API, each
service with the login and the broker user that an installation gives it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from demo.services import Service, running
from embedded import process
from ledger import logins
from ledger.logins import API_LOGIN, INGEST_LOGIN
from tests.fix_wait import Eventually
from tests.ledger.test_logins import PASSWORDS, as_login
from tests.mosquitto_rig import INGEST, Mosquitto, mosquitto_in, needs_mosquitto
from tests.source_tree import ROOT

pytestmark = [pytest.mark.system, needs_mosquitto]

PAGE = ROOT / "docs/connect-a-device.md"
TRANSLATION = ROOT / "docs/connect-a-device.zh-CN.md"
TOKEN = "token-of-the-page"
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    language: str
    name: str
    text: str


def blocks(page: Path) -> list[Block]:
    return [Block(*found.groups(default="")) for found in _BLOCK.finditer(page.read_text(encoding="utf-8"))]


def block(name: str) -> Block:
    (found,) = (each for each in blocks(PAGE) if each.name == name)
    return found


def containing(words: str) -> Block:
    (found,) = (each for each in blocks(PAGE) if each.language == "sh" and words in each.text)
    return found


@dataclass
class Bench:
    """A terminal in an empty directory, beside a running service."""

    directory: Path
    broker: Mosquitto
    environment: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, each: Block) -> str:
        """The block as it stands. `taizhang` is the program of this checkout, `python3` the one that runs the tests."""
        program = (
            f'taizhang() {{ "{sys.executable}" "{ROOT}/taizhang.py" "$@"; }}; python3() {{ "{sys.executable}" "$@"; }}'
        )
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{program}\n{each.text}"],
            cwd=self.directory, env={**os.environ, **self.environment, **self.variables},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def asked(self, name: str) -> dict[str, Any]:
        return json.loads(self.run(block(name)))

    def publish(self, topic: str, payload: str) -> None:
        """As the page's own mosquitto_pub does."""
        said = next(each for each in blocks(PAGE) if "mosquitto_pub" in each.text).text
        said = re.sub(r"-t \S+ -m '.*'", '-t "$TOPIC" -m "$PAYLOAD"', said)
        self.variables |= {"TOPIC": topic, "PAYLOAD": payload}
        self.run(Block("sh", "", said))


@pytest.fixture
async def bench(tmp_path: Path, database_url: str) -> AsyncIterator[Bench]:
    assert shutil.which("mosquitto_pub"), "install mosquitto-clients"
    await logins.ensure(database_url, PASSWORDS)
    (tmp_path / "broker").mkdir()
    (tmp_path / "desk").mkdir()
    async with mosquitto_in(tmp_path / "broker") as broker:
        port = process.port_for("the api", None)
        ingest = {
            "DATABASE_URL": as_login(database_url, INGEST_LOGIN, PASSWORDS[INGEST_LOGIN]),
            "MQTT_URL": broker.inner_url.replace("://", f"://{INGEST.name}:{INGEST.password}@"),
            "TAIZHANG_HEARTBEAT_FILE": str(tmp_path / "heartbeat"),
        }
        api = {
            "DATABASE_URL": as_login(database_url, API_LOGIN, PASSWORDS[API_LOGIN]),
            "TAIZHANG_API_PORT": str(port),
            "TAIZHANG_API_TOKEN": TOKEN,
        }
        async with running(tmp_path / "ingest", ingest) as first, running(tmp_path / "api", api) as second:
            first.start(Service("ingest", ["ingest"]))
            second.start(Service("api", ["api"]))
            yield Bench(
                tmp_path / "desk",
                broker,
                {**broker.environment, "DATABASE_URL": database_url},
                {"MQTT_HOST": "localhost", "API": f"http://127.0.0.1:{port}", "TOKEN": TOKEN},
            )


async def test_the_page_as_somebody_follows_it(bench: Bench, eventually: Eventually) -> None:
    follow_to_the_credential(bench)
    heartbeat = bench.directory.parent / "heartbeat"
    await eventually(heartbeat.exists, 30)  # ingest is connected: nothing sent from here on is missed

    bench.run(containing('"flood": true'))
    # The very first message of a site: its gateway counts as heard, and nothing waits for half a minute to hear it again.
    alarm = await eventually(lambda: next(iter(bench.asked("alarms")["items"]), None), 20)
    assert (alarm["rule"], alarm["facility"]["key"]) == ("flood", "booster"), alarm
    assert current(bench, "outlet_pressure") == 0.36

    (bench.directory / "device.py").write_text(block("device.py").text, encoding="utf-8")
    bench.run(containing("python3 device.py"))
    await eventually(lambda: current(bench, "outlet_pressure") == 0.35)

    template = block("template").text
    registers = {"TIMESTAMP_MS": "1767225600000", "PT101": "0.4", "LT101": "71.5", "P1_RUN": "1", "P1_FAULT": "null"}
    assert set(re.findall(r"\$\{(\w+)\}", template)) == set(registers)
    filled = re.sub(r"\$\{(\w+)\}", lambda match: registers[match[1]], template)
    bench.publish("tz/v1/trial/booster/telemetry", filled.replace(registers["TIMESTAMP_MS"], str(now_ms(bench))))
    await eventually(lambda: current(bench, "tank_level") == 71.5)

    for topic, payload in sketch(now_ms(bench)):
        bench.publish(topic, payload)
    await eventually(lambda: current(bench, "outlet_pressure") == 0.123)

    bench.run(containing("presure"))
    refused = await eventually(lambda: bench.asked("quarantine")["items"])
    assert [(each["reason"]["key"], each["count"]) for each in refused] == [("unknown_point", 1)], refused


def follow_to_the_credential(bench: Bench) -> None:
    trial = block("trial.yaml")
    (bench.directory / trial.name).write_text(trial.text, encoding="utf-8")
    bench.run(containing("taizhang import"))
    printed = bench.run(block("credential"))
    bench.broker.reload()
    told = dict(re.findall(r"^  (host|port|user name|password) +(\S+)$", printed, re.MULTILINE))
    assert "tz/v1/trial/booster/telemetry" in printed
    bench.variables |= {
        "MQTT_PORT": told["port"],
        "MQTT_USER": told["user name"],
        "MQTT_PASSWORD": told["password"],
        "MQTT_CA": str(bench.broker.ca),
    }
    assert told["host"] == bench.variables["MQTT_HOST"]
    assert set(re.findall(r"\b([A-Z_]+)=", block("settings").text)) == set(bench.variables)


def current(bench: Bench, point: str) -> object:
    """The value of a point as the page's own request shows it."""
    facility = bench.asked("value")
    return next((each["value"] for each in facility["facility"]["values"] if each["point"] == point), None)


def now_ms(bench: Bench) -> int:
    return int(
        subprocess.run(["date", "+%s%3N"], capture_output=True, text=True, check=True, cwd=bench.directory).stdout
    )


def sketch(at_ms: int) -> list[tuple[str, str]]:
    """What the ESP32 would send: its own topics, and its own formats filled in by printf's rules."""
    constants = dict(re.findall(r'^const char\* (\w+) = "(.*)";$', block("device.ino").text, re.MULTILINE))
    constants = {name: json.loads(f'"{text}"').replace("%lld", "%d") for name, text in constants.items()}
    assert constants["USER"] == "trial.gw_1"
    return [
        (constants["STATUS_TOPIC"], constants["STATUS_FORMAT"] % ("online", at_ms)),
        (constants["TELEMETRY_TOPIC"], constants["TELEMETRY_FORMAT"] % (at_ms, 0.123, "false")),
    ]


def test_both_languages_have_the_same_blocks() -> None:
    """Only the credential is printed in the reader's language."""
    english = [Block(each.language, each.name, each.text.replace(" --language en", "")) for each in blocks(PAGE)]
    assert english == blocks(TRANSLATION)
    assert len(english) > 10
