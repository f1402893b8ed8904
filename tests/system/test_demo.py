"""`make demo` as its user meets it: it comes up, comments, stops on Ctrl-C, goes on, and recovers from a bad end."""

import asyncio
import hashlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import psycopg
import pytest

from embedded.broker import Broker
from embedded.process import port_for
from tests.fix_wait import Eventually

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Demo:
    process: subprocess.Popen[bytes]
    output: Path
    port: int
    scheme: str
    trusted: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    def token(self) -> str:
        return next(line.split(": ", 1)[1] for line in self.said().splitlines() if "接口令牌" in line).strip()

    def stored(self, *, before: datetime | None = None) -> int:
        """Values stored in the last hour, as the intake account has them, or of those received before a moment."""
        until = before or datetime.now(UTC) + timedelta(minutes=1)
        span = {"from": (until - timedelta(hours=1)).isoformat(), "until": until.isoformat()}
        return int(self.get(f"/api/v1/intake?{urlencode(span)}")["total"]["stored"])

    def get(self, path: str) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.url}{path}", headers={"Authorization": f"Bearer {self.token()}"})
        with urllib.request.urlopen(request, timeout=10, context=self.trusted) as response:
            return json.load(response)


@contextmanager
def demo(data_dir: Path, output: Path, port: int, **given: str) -> Iterator[Demo]:
    """`given`: DATABASE_URL and MQTT_URL, where the demo shall use those; `arguments` of its command line."""
    arguments = given.pop("arguments", "").split()
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "MQTT_URL")}
    environment = kept | {"TAIZHANG_DATA_DIR": str(data_dir), "TAIZHANG_API_PORT": str(port)} | given
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, ROOT / "taizhang.py", "demo", *arguments],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=ROOT,
            start_new_session=True,
        )
        try:
            yield Demo(process, output, port, "https" if arguments else "http")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def processes_naming(text: str) -> list[str]:
    """Command lines of living processes that mention `text`."""
    shown = subprocess.run(["/bin/ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in shown.splitlines() if text in line and "/bin/ps" not in line]


async def stopped_by(sign: signal.Signals, running: Demo, eventually: Eventually) -> int:
    running.process.send_signal(sign)
    await eventually(lambda: running.process.poll() is not None, 60)
    return int(running.process.returncode)


async def is_up(running: Demo, eventually: Eventually) -> None:
    def up() -> bool:
        assert running.process.poll() is None, running.said()
        return "运行中" in running.said()

    await eventually(up, 90)


async def test_comes_up_stops_and_goes_on(tmp_path: Path, eventually: Eventually) -> None:
    """Ctrl-C ends every process with exit code 0; a second run has the same login and the same readings."""
    port = port_for("the demo", None)
    with demo(tmp_path / "data", tmp_path / "first", port) as first:
        await is_up(first, eventually)
        sites = await asyncio.to_thread(first.get, "/api/v1/sites")
        assert len(sites["items"]) == 2
        now = datetime.now(UTC)
        span = {"from": (now - timedelta(days=1)).isoformat(), "until": now.isoformat()}
        rounds = (await asyncio.to_thread(first.get, f"/api/v1/inspection-rounds?{urlencode(span)}"))["items"]
        assert "tower_1_daily" in {each["plan"] for each in rounds}, "the guard has a round today"
        (sheet,) = (tmp_path / "data").glob("tags_*.pdf")
        assert sheet.read_bytes().startswith(b"%PDF")

        ends = [f"/api/v1/alarms?rule={rule}&open=true" for rule in ("equipment_ended", "equipment_ends_soon")]
        await eventually(lambda: asyncio.to_thread(lambda: all(first.get(each)["items"] for each in ends)), 60)
        told = [len((await asyncio.to_thread(first.get, each))["items"]) for each in ends]
        assert told == [1, 2], "its equipment is of the age it has in the files, whatever day it is"
        await eventually(lambda: asyncio.to_thread(first.stored), 60)
        token = first.token()
        assert await stopped_by(signal.SIGINT, first, eventually) == 0, first.said()
        assert "Traceback" not in first.said()
    await eventually(lambda: not processes_naming(str(tmp_path)), 10)

    began = datetime.now(UTC)
    with demo(tmp_path / "data", tmp_path / "second", port) as second:
        await is_up(second, eventually)
        assert second.token() == token
        assert await asyncio.to_thread(second.stored, before=began), "what the first run stored is still there"
        assert await stopped_by(signal.SIGTERM, second, eventually) == 0, second.said()


async def test_recovers_from_an_unclean_stop(tmp_path: Path, eventually: Eventually) -> None:
    port = port_for("the demo", None)
    with demo(tmp_path / "data", tmp_path / "first", port) as first:
        await is_up(first, eventually)
        assert await stopped_by(signal.SIGKILL, first, eventually) == -signal.SIGKILL
    with demo(tmp_path / "data", tmp_path / "second", port) as second:
        await is_up(second, eventually)
        assert await stopped_by(signal.SIGINT, second, eventually) == 0, second.said()
        assert "Traceback" not in second.said()


async def test_servers_that_are_given_are_used_and_phones_have_https(
    tmp_path: Path, database_url: str, broker: Broker, eventually: Eventually
) -> None:
    """LAN=1: over plain http nothing but the way to trust; over https everything, with cookies that never go in clear."""
    port, data = port_for("the demo", None), tmp_path / "data"
    given = {"DATABASE_URL": database_url, "MQTT_URL": broker.url, "arguments": "--lan 127.0.0.1"}
    with demo(data, tmp_path / "output", port, **given) as running:
        await is_up(running, eventually)
        authority = await handed_out(running)
        running.trusted = ssl.create_default_context(cadata=authority)
        await eventually(lambda: asyncio.to_thread(running.stored), 60)
        await as_a_phone(running)
        with psycopg.connect(database_url) as connection:
            stored = connection.execute("select count(*) from reading").fetchone()
        assert stored is not None
        assert stored[0] > 0
        assert not (data / "postgres").exists()
        assert not (data / "broker").exists()
        assert await stopped_by(signal.SIGINT, running, eventually) == 0, running.said()
    for kept in (data / "lan").iterdir():
        assert kept.stat().st_mode & 0o077 == 0, kept


async def handed_out(running: Demo) -> bytes:
    """The authority that the page over plain http gives away, which is the one that the terminal named."""
    landing = re.search(r"打开 (http://127\.0\.0\.1:\d+/) ", running.said())
    assert landing is not None, running.said()
    async with httpx.AsyncClient() as plain:
        page = (await plain.get(landing[1])).text
        found = (await plain.get(f"{landing[1]}taizhang-ca.crt")).content
        assert (await plain.get(f"{landing[1]}api/v1/health")).status_code == 404
        with pytest.raises(httpx.ConnectError):  # who was not told trusts nothing
            await plain.get(f"{running.url}/api/v1/health")
    fingerprint = hashlib.sha256(found).digest().hex(":").upper()
    assert fingerprint not in page, "compared is what the phone shows with what the terminal does"
    assert fingerprint in running.said()
    return found


async def as_a_phone(running: Demo) -> None:
    assert running.trusted is not None
    async with httpx.AsyncClient(base_url=running.url, verify=running.trusted) as phone:
        worker = await phone.get("/patrol-worker.js")
        assert (worker.status_code, "javascript" in worker.headers["content-type"]) == (200, True)
        password = re.search(r"^    guard +(\S+)", running.said(), re.MULTILINE)
        assert password is not None
        signed_in = await phone.post("/api/v1/session", json={"login": "guard", "password": password[1]})
        assert signed_in.status_code == 200, signed_in.text
        assert "Secure" in signed_in.headers["set-cookie"]
    tags = await asyncio.to_thread(running.get, "/api/v1/tags")
    assert tags["items"][0]["link"].startswith(f"{running.url}/"), "what is printed leads there"


async def test_a_taken_port_is_a_sentence(tmp_path: Path, eventually: Eventually) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with demo(tmp_path / "data", tmp_path / "output", int(taken.getsockname()[1])) as refused:
            await eventually(lambda: refused.process.poll() is not None, 30)
            assert refused.process.returncode == 1
            assert "another program" in refused.said()
            assert "Traceback" not in refused.said()


async def test_an_unusable_directory_is_a_sentence(tmp_path: Path, eventually: Eventually) -> None:
    (tmp_path / "data").write_text("a file where the directory should be")
    with demo(tmp_path / "data", tmp_path / "output", port_for("the demo", None)) as refused:
        await eventually(lambda: refused.process.poll() is not None, 30)
        assert refused.process.returncode == 1
        assert str(tmp_path / "data") in refused.said()
        assert "Traceback" not in refused.said()


async def test_two_demos_in_one_directory_are_refused(tmp_path: Path, eventually: Eventually) -> None:
    with demo(tmp_path / "data", tmp_path / "first", port_for("the demo", None)) as first:
        await is_up(first, eventually)
        with demo(tmp_path / "data", tmp_path / "second", port_for("the demo", None)) as second:
            await eventually(lambda: second.process.poll() is not None, 30)
            assert second.process.returncode == 1
            assert "in use" in second.said()
        assert first.process.poll() is None, "the running one goes on"
        assert await stopped_by(signal.SIGINT, first, eventually) == 0
