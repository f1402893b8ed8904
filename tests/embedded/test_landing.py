"""The page over plain http: what it has, and nothing else; who sends rubbish or nothing keeps nobody out."""

import asyncio
import contextlib

import httpx
import pytest

from embedded import landing
from embedded.landing import Sheet
from tests.fix_wait import Eventually

SHEETS = {"/": Sheet("text/html", b"<p>hello"), "/ca.crt": Sheet("application/x-x509-ca-cert", b"\x30\x00")}


async def test_it_hands_out_its_sheets_and_nothing_else() -> None:
    async with (
        landing.standing("127.0.0.1", 0, SHEETS) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        found = await client.get("/ca.crt?x=1")
        assert (found.content, found.headers["content-type"]) == (b"\x30\x00", "application/x-x509-ca-cert")
        assert (await client.head("/")).headers["content-length"] == "8"
        for path in ("/ca.crt/", "/x/ca.crt", "/api/v1/health"):
            assert (await client.get(path)).status_code == 404
        assert (await client.post("/")).status_code == 404
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]
        rubbish = await asyncio.open_connection("127.0.0.1", port)
        rubbish[1].write(b"x" * 20_000 + b"\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):  # closed on it before all was read
            assert await rubbish[0].read() == b""
        assert (await client.get("/")).text == "<p>hello"
        for _, writer in [*idle, rubbish]:
            writer.close()


async def test_more_than_it_serves_are_hung_up_on_and_the_rest_find_room_again(
    monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(landing, "_PATIENCE_S", 60.0)
    async with landing.standing("127.0.0.1", 0, SHEETS) as port, httpx.AsyncClient() as client:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(landing.AT_ONCE_MAX)]
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.wait_for(reader.read(), 30) == b""
            writer.close()
        assert not any(reader.at_eof() for reader, _ in idle)
        for _, writer in idle:
            writer.close()

        async def answered() -> bool:
            try:
                return (await client.get(f"http://127.0.0.1:{port}/")).text == "<p>hello"
            except httpx.TransportError:
                return False

        await eventually(answered)


async def test_who_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "_PATIENCE_S", 0.05)
    async with landing.standing("127.0.0.1", 0, SHEETS) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 30) == b""
        writer.close()
