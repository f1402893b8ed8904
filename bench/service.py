"""The API as a process, and the two ways people use it: asking, and listening to the live stream."""

import contextlib
import http.client
import json
import secrets
import socket
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from bench import ground
from bench.ground import Bench, Child, Trouble
from embedded.process import LOOPBACK, port_for

_ANSWER_S = 30.0


@dataclass(frozen=True, slots=True)
class Service:
    port: int
    token: str
    process: Child

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def connection(self, timeout_s: float = _ANSWER_S) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(LOOPBACK, self.port, timeout=timeout_s)

    def answers(self) -> bool:
        try:
            with contextlib.closing(self.connection(2.0)) as connection:
                connection.request("GET", "/api/v1/health")
                return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False


@asynccontextmanager
async def api(bench: Bench, database_url: str) -> AsyncGenerator[Service]:
    port, token = port_for("the API", None), secrets.token_urlsafe(16)
    environment = {
        "DATABASE_URL": database_url,
        "TAIZHANG_API_TOKEN": token,
        "TAIZHANG_API_PORT": str(port),
        **bench.environment,
    }
    async with ground.child(bench, "api", [ground.ROOT / "taizhang.py", "api"], environment) as running:
        service = Service(port, token, running)
        await ground.until(service.answers, "the API", watched=running)
        yield service


class Asking:
    """One client on one connection."""

    def __init__(self, service: Service) -> None:
        self._service, self._connection = service, service.connection()

    def get(self, path: str) -> tuple[float, object]:
        """Milliseconds until the whole answer was there, and the answer. Raises Trouble for any but 200."""
        begun = time.perf_counter()
        self._connection.request("GET", f"/api/v1{path}", headers=self._service.headers)
        response = self._connection.getresponse()
        body = response.read()
        took_ms = (time.perf_counter() - begun) * 1000
        if response.status != http.HTTPStatus.OK:
            raise Trouble(f"GET {path} answers {response.status}: {body[:200].decode(errors='replace')}")
        return took_ms, json.loads(body)

    def close(self) -> None:
        self._connection.close()


class Listener(threading.Thread):
    """A screen: hears the live stream and notes when each alarm first appeared."""

    def __init__(self, service: Service) -> None:
        super().__init__(daemon=True)
        self._connection = service.connection()
        self._connection.request("GET", "/api/v1/live", headers=service.headers)
        self._socket = self._connection.sock
        self._response = self._connection.getresponse()
        if self._response.status != http.HTTPStatus.OK:
            raise Trouble(f"the live stream answers {self._response.status}")
        self.appeared: dict[tuple[str, str, str], int] = {}  # site, facility, rule -> monotonic nanoseconds
        self.ended = ""

    def run(self) -> None:
        kind = ""
        try:
            while line := self._response.readline():
                at = time.monotonic_ns()
                if line.startswith(b"event:"):
                    kind = line[6:].strip().decode()
                elif line.startswith(b"data:") and kind == "alarm":
                    self._note(line[5:], at)
        except (OSError, ValueError, http.client.HTTPException) as error:
            self.ended = repr(error)

    def _note(self, data: bytes, at: int) -> None:
        body = cast("dict[str, object]", json.loads(data)["body"])
        key = (str(body["site"]), str(body["facility"]), str(body["rule"]))
        self.appeared.setdefault(key, at)

    def close(self) -> None:
        """The thread reads to the end first: closing the file under it would break it."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.join(_ANSWER_S)
        self._connection.close()
