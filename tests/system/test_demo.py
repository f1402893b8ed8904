"""`make demo` as its user meets it: it comes up, comments, stops on Ctrl-C, goes on, and recovers from a bad end."""

import asyncio
import json
import os
import signal
import socket
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

import psycopg
import pytest

from embedded.broker import Broker
from tests.fix_sockets import free_port
from tests.fix_wait import Eventually

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Demo:
    process: subprocess.Popen[bytes]
    output: Path
    port: int

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
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {self.token()}"}
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)


@contextmanager
def demo(data_dir: Path, output: Path, port: int, **given: str) -> Iterator[Demo]:
    """`given`: DATABASE_URL and MQTT_URL, where the demo shall use those."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "MQTT_URL")}
    environment = kept | {"TAIZHANG_DATA_DIR": str(data_dir), "TAIZHANG_API_PORT": str(port)} | given
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, ROOT / "taizhang.py", "demo"],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=ROOT,
            start_new_session=True,
        )
        try:
            yield Demo(process, output, port)
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
    port = free_port()
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
    port = free_port()
    with demo(tmp_path / "data", tmp_path / "first", port) as first:
        await is_up(first, eventually)
        assert await stopped_by(signal.SIGKILL, first, eventually) == -signal.SIGKILL
    with demo(tmp_path / "data", tmp_path / "second", port) as second:
        await is_up(second, eventually)
        assert await stopped_by(signal.SIGINT, second, eventually) == 0, second.said()
        assert "Traceback" not in second.said()


async def test_servers_that_are_given_are_used(
    tmp_path: Path, database_url: str, broker: Broker, eventually: Eventually
) -> None:
    with demo(
        tmp_path / "data", tmp_path / "output", free_port(), DATABASE_URL=database_url, MQTT_URL=broker.url
    ) as running:
        await is_up(running, eventually)
        await eventually(lambda: asyncio.to_thread(running.stored), 60)
        with psycopg.connect(database_url) as connection:
            stored = connection.execute("select count(*) from reading").fetchone()
        assert stored is not None
        assert stored[0] > 0
        assert not (tmp_path / "data" / "postgres").exists()
        assert not (tmp_path / "data" / "broker").exists()
        assert await stopped_by(signal.SIGINT, running, eventually) == 0, running.said()


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
    with demo(tmp_path / "data", tmp_path / "output", free_port()) as refused:
        await eventually(lambda: refused.process.poll() is not None, 30)
        assert refused.process.returncode == 1
        assert str(tmp_path / "data") in refused.said()
        assert "Traceback" not in refused.said()


async def test_two_demos_in_one_directory_are_refused(tmp_path: Path, eventually: Eventually) -> None:
    with demo(tmp_path / "data", tmp_path / "first", free_port()) as first:
        await is_up(first, eventually)
        with demo(tmp_path / "data", tmp_path / "second", free_port()) as second:
            await eventually(lambda: second.process.poll() is not None, 30)
            assert second.process.returncode == 1
            assert "in use" in second.said()
        assert first.process.poll() is None, "the running one goes on"
        assert await stopped_by(signal.SIGINT, first, eventually) == 0
