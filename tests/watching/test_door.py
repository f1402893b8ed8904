"""The small listener: answers what it has, refuses everything else in time and in bounds."""

import asyncio
import contextlib
from http import HTTPStatus

import httpx
import pytest

from watching import door
from watching.door import Answer, DoorTaken, Page, opened

LOOPBACK = "127.0.0.1"


def broken() -> Answer:
    raise RuntimeError("no vitals today")


PAGES = {
    "/health": Page(lambda: Answer(HTTPStatus.OK, b"{}")),
    "/metrics": Page(lambda: Answer(HTTPStatus.OK, b"a 1\n", "text/plain"), guarded=True),
    "/broken": Page(broken),
}


async def raw(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


async def test_it_answers_its_pages_and_guards_some() -> None:
    async with (
        opened(LOOPBACK, 0, PAGES, "secret") as port,
        httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}") as client,
    ):
        assert (await client.get("/health?x=1")).json() == {}
        assert (await client.get("/metrics")).status_code == 401
        assert (await client.get("/metrics", headers={"Authorization": "Bearer secre"})).status_code == 401
        assert (await client.get("/metrics", headers={"Authorization": "Bearer secret"})).text == "a 1\n"
        assert (await client.get("/elsewhere")).status_code == 404
        assert (await client.post("/health")).status_code == 405
        assert (await client.get("/broken")).status_code == 500
        assert (await client.get("/health")).status_code == 200


async def test_without_a_token_nothing_is_guarded() -> None:
    async with opened(LOOPBACK, 0, PAGES, None) as port, httpx.AsyncClient() as client:
        assert (await client.get(f"http://{LOOPBACK}:{port}/metrics")).text == "a 1\n"


async def test_nonsense_and_length_are_refused() -> None:
    async with opened(LOOPBACK, 0, PAGES, None) as port:
        assert b" 400 " in await raw(port, b"hello\r\n\r\n")
        assert b" 431 " in await raw(port, b"GET /health HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n")


async def test_whoever_says_nothing_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "REQUEST_S", 0.05)
    async with opened(LOOPBACK, 0, PAGES, None) as port:
        assert await raw(port, b"GET /hea") == b""


async def test_too_many_at_once_are_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "CONNECTIONS_MAX", 1)
    async with opened(LOOPBACK, 0, PAGES, None) as port:
        reader, slow = await asyncio.open_connection(LOOPBACK, port)
        slow.write(b"GET /hea")
        await slow.drain()
        with contextlib.suppress(ConnectionResetError):
            assert await raw(port, b"GET /health HTTP/1.1\r\n\r\n") == b""
        slow.write(b"lth HTTP/1.1\r\n\r\n")
        assert b" 200 " in await reader.read()
        slow.close()


async def test_a_taken_port_is_said_in_words() -> None:
    async with opened(LOOPBACK, 0, PAGES, None) as port:
        with pytest.raises(DoorTaken, match=f"cannot listen on {LOOPBACK} port {port}"):
            async with opened(LOOPBACK, port, PAGES, None):
                pass
