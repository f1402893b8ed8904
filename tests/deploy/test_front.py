"""nginx with the configuration that we ship, in front of something that answers: TLS, paths kept, the stream unheld."""

import re
import shutil
import signal
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from embedded import process
from tests.deploy import compose_file
from tests.mosquitto_rig import PLACES
from tests.source_tree import ROOT

NGINX = shutil.which("nginx", path=PLACES)
pytestmark = pytest.mark.skipif(NGINX is None or shutil.which("openssl") is None, reason="nginx is not installed")


class Behind(ThreadingHTTPServer):
    """Answers with the path it was asked for; on /api/v1/live with one event, and no end until `let_go`."""

    daemon_threads = True

    def __init__(self) -> None:
        self.let_go = threading.Event()
        super().__init__(("127.0.0.1", 0), _Answers)


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Behind)
        self.send_response(200)
        self.send_header("X-Seen-Proto", self.headers.get("X-Forwarded-Proto", ""))
        self.end_headers()
        self.wfile.write(self.path.encode())
        self.wfile.flush()
        if self.path == "/api/v1/live":
            self.server.let_go.wait(20)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def behind() -> Iterator[Behind]:
    with Behind() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.let_go.set()
        server.shutdown()
        thread.join()


def trial_certificate(directory: Path) -> None:
    subprocess.run([ROOT / "deploy/trial-certificate", directory, "localhost"], check=True, capture_output=True)


def as_shipped_but_in(directory: Path, https: int, health: int, behind: int) -> Path:
    text = (ROOT / "deploy/compose/nginx.conf").read_text(encoding="utf-8")
    for ours, here in {
        "/tmp/": f"{directory}/",
        "/run/tls/": f"{directory}/tls/",
        "listen 8443 ssl": f"listen 127.0.0.1:{https} ssl",
        "listen 127.0.0.1:8081": f"listen 127.0.0.1:{health}",
        "http://api:8080": f"http://127.0.0.1:{behind}",
    }.items():
        assert ours in text
        text = text.replace(ours, here)
    config = directory / "nginx.conf"
    config.write_text(text, encoding="utf-8")
    return config


@pytest.fixture
async def front(tmp_path: Path, behind: Behind) -> AsyncIterator[tuple[int, int]]:
    """The ports of HTTPS and of the health check."""
    https, health = process.port_for("nginx", None), process.port_for("nginx's health check", None)
    trial_certificate(tmp_path / "tls")
    config = as_shipped_but_in(tmp_path, https, health, behind.server_port)
    command = [NGINX or "", "-c", config, "-g", "daemon off;"]
    child = process.spawn(command, log=tmp_path / "nginx.log", dies_by=signal.SIGTERM)
    ready = await process.until_ready(child, lambda: asks(health, "/api/v1/health"), 10)
    assert ready, (tmp_path / "nginx.log").read_text(encoding="utf-8")
    yield https, health
    await process.stop(child, ((signal.SIGTERM, 10.0),))


def asks(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


async def test_the_api_is_reached_over_tls_and_the_stream_is_not_held_back(
    front: tuple[int, int], tmp_path: Path
) -> None:
    trusted = ssl.create_default_context(cafile=tmp_path / "tls/fullchain.pem")
    for path in ("/api/v1/alarms?open=true", "/api/v1/live"):
        connection = HTTPSConnection("localhost", front[0], context=trusted, timeout=5)
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.read1() == path.encode(), "on /live: before the answer has ended"
        assert answer.headers["X-Seen-Proto"] == "https"
        assert "max-age" in answer.headers["Strict-Transport-Security"]
        connection.close()
    assert not asks(front[0], "/api/v1/health"), "it answers without TLS"


async def test_the_health_check_of_the_front(front: tuple[int, int]) -> None:
    url = compose_file.services()["front"]["healthcheck"]["test"][-1]
    match = re.fullmatch(r"http://127\.0\.0\.1:8081(/\S+)", url)
    assert match is not None
    assert asks(front[1], match[1])
    assert not asks(front[1], "/api/v1/alarms")
