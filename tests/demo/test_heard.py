"""The demo waits for its estate to speak, whatever the API answers meanwhile, and not longer than whoever started it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

from demo.demo import Reach, heard

BEGUN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def told(at: datetime | None) -> bytes:
    gateway = {"heard_at": None if at is None else at.isoformat()}
    body = json.dumps({"items": [{"gateway": gateway}, {"gateway": None}]}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)


async def asked_before_it_went_on(answers: list[bytes], stop: asyncio.Event) -> int:
    left, asked = iter(answers), 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(next(left))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await heard(Reach(f"http://127.0.0.1:{port}", {}, None, None), "token", BEGUN, stop)
    return asked


async def test_it_waits_for_this_run_s_words_through_errors() -> None:
    busy = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    earlier, now = told(BEGUN - timedelta(days=1)), told(BEGUN)
    assert await asked_before_it_went_on([busy, b"", told(None), earlier, now], asyncio.Event()) == 5


async def test_it_does_not_wait_for_who_has_stopped() -> None:
    stop = asyncio.Event()
    stop.set()
    assert await asked_before_it_went_on([], stop) == 0
