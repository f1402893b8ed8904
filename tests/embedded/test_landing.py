"""The page over plain http: what it has, and nothing else; who sends rubbish or nothing keeps nobody out."""

import asyncio
import contextlib

import httpx

from embedded import landing
from embedded.landing import Sheet

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
