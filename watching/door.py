"""A small HTTP listener for a service that is none: answers GET with what its pages say, and nothing else.

For health checks and Prometheus only, on loopback unless somebody asked for more. A request is read with a bound on its
size and its time, one per connection, and only so many connections at once.
"""

import asyncio
import contextlib
import hmac
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

REQUEST_BYTES_MAX = 8 * 1024
REQUEST_S = 5.0
CONNECTIONS_MAX = 16

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    status: HTTPStatus
    body: bytes
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Page:
    """`guarded`: shown to whoever has the token, where there is one."""

    answer: Callable[[], Answer]
    guarded: bool = False


class DoorTaken(Exception):
    """Nothing can listen there."""


@contextlib.asynccontextmanager
async def opened(host: str, port: int, pages: Mapping[str, Page], token: str | None) -> AsyncGenerator[int]:
    """Answer until left; gives the port. Raises DoorTaken."""
    door = _Door(pages, token)
    try:
        server = await asyncio.start_server(door.serve, host, port, limit=REQUEST_BYTES_MAX)
    except OSError as error:
        raise DoorTaken(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    try:
        async with server:
            yield server.sockets[0].getsockname()[1]
    finally:
        await door.hang_up()


class _Door:
    def __init__(self, pages: Mapping[str, Page], token: str | None) -> None:
        self._pages, self._token = pages, token
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def hang_up(self) -> None:
        """On whoever is still there."""
        waiting = list(self._open)
        for writer in self._open.values():
            writer.close()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._open) >= CONNECTIONS_MAX:
            writer.close()
            return
        self._open[task] = writer
        try:
            async with asyncio.timeout(REQUEST_S):
                writer.write(_bytes_of(await self._answer(reader)))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            pass  # whoever asked is gone or says nothing
        finally:
            del self._open[task]
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> Answer:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.LimitOverrunError:
            return _plain(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        request, *lines = head.split("\r\n")
        words = request.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return _plain(HTTPStatus.BAD_REQUEST)
        if words[0] != "GET":
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED)
        page = self._pages.get(words[1].partition("?")[0])
        if page is None:
            return _plain(HTTPStatus.NOT_FOUND)
        if page.guarded and not self._may_enter(lines):
            return _plain(HTTPStatus.UNAUTHORIZED)
        try:
            return page.answer()
        except Exception:  # noqa: BLE001 - whoever asks after us must not end us
            _log.exception("a page could not be made")
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR)

    def _may_enter(self, lines: list[str]) -> bool:
        if self._token is None:
            return True
        given = next((line[14:].strip() for line in lines if line.lower().startswith("authorization:")), "")
        return hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode())


def _bytes_of(answer: Answer) -> bytes:
    head = (
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}\r\nContent-Type: {answer.media_type}\r\n"
        f"Content-Length: {len(answer.body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode("latin-1") + answer.body


def _plain(status: HTTPStatus) -> Answer:
    return Answer(status, status.phrase.encode(), "text/plain")
