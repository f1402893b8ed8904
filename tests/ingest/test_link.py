"""A connection as the broker sees it: what our fast lane acknowledges is what paho acknowledges, over TLS as well."""

import asyncio
import contextlib
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ingest.delivery import Delivery, Untimed
from ingest.link import BrokerAddress, Endpoint, Link
from tests.fix_wait import wait_until
from tests.ingest.test_frames import PINGRESP, publish

ROOT = Path(__file__).resolve().parents[2]
CONNACK = b"\x20\x02\x00\x00"
STREAM = b"".join(
    [
        *(
            publish(b"tz/v1/a/b/telemetry", b'{"values":{"x":%d}}' % number, packet_id=number)
            for number in range(1, 40)
        ),
        PINGRESP,
        publish(b"tz/v1/a/b/telemetry", b"no acknowledgement", quality=0),
        publish(b"tz/v1/a/b/telemetry", b"z" * 5_000, packet_id=77),
        publish(b"tz/\xff", b"kept", kept=True, packet_id=78),
    ]
)
EXPECTED = [*range(1, 40), 77, 78]


class Played:
    """A broker that greets, takes the subscription, plays its bytes in pieces, and keeps what it is told."""

    def __init__(self, stream: bytes, piece: int) -> None:
        self.told = b""
        self.serving: set[asyncio.Task[None] | None] = set()
        self._stream, self._piece = stream, piece

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.serving.add(asyncio.current_task())
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await _frame(reader)
            writer.write(CONNACK)
            subscribe = await _frame(reader)
            writer.write(b"\x90\x03" + subscribe[:2] + b"\x01")
            for begin in range(0, len(self._stream), self._piece):
                writer.write(self._stream[begin : begin + self._piece])
                await writer.drain()
            while chunk := await reader.read(1000):
                self.told += chunk
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    @property
    def acknowledged(self) -> list[int]:
        """The packet ids of PUBACK, which is all there may be before the goodbye."""
        told = self.told.removesuffix(b"\xe0\x00")
        assert all(told[at : at + 2] == b"\x40\x02" for at in range(0, len(told), 4))
        return [int.from_bytes(told[at + 2 : at + 4]) for at in range(0, len(told), 4)]


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """The body of a short frame."""
    head = await reader.readexactly(2)
    return await reader.readexactly(head[1])


@asynccontextmanager
async def played(stream: bytes, piece: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[Played, str]]:
    broker = Played(stream, piece)
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield broker, f"mqtt{'s' if tls else ''}://localhost:{port}"
    finally:
        server.close()
        await asyncio.gather(*(each for each in broker.serving if each is not None))


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[tuple[Link, list[Delivery]]]:
    arrived: list[Delivery] = []
    link = Link(
        1,
        Endpoint(BrokerAddress.parse(url), "x", ("tz/v1/#",), 1000),
        take=arrived.extend,
        room=lambda: (1000, 10**6),
        now_ms=lambda: 0,
        untimed=Untimed(),
    )
    await link.open()
    try:
        yield link, arrived
    finally:
        await link.close()


@pytest.mark.parametrize("piece", [1, 7, 100_000])
async def test_what_came_is_acknowledged_once_in_order_of_arrival(piece: int) -> None:
    async with played(STREAM, piece) as (broker, url), connected(url) as (link, arrived):
        await wait_until(lambda: len(arrived) == len(EXPECTED) + 1)
        assert broker.told == b""
        link.acknowledge(arrived[:10])
        link.acknowledge(arrived[10:])
        await wait_until(lambda: broker.acknowledged == EXPECTED)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
async def test_over_tls_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "tls"
    making = await asyncio.create_subprocess_exec(
        ROOT / "deploy" / "trial-certificate", directory, "localhost", stdout=asyncio.subprocess.DEVNULL
    )
    assert await making.wait() == 0
    certificate, key = directory / "fullchain.pem", directory / "privkey.pem"
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with played(STREAM * 50, 50_000, context) as (broker, url), connected(url) as (link, arrived):
        # The same ids again before the first are acknowledged: copies, but for those without an id.
        await wait_until(lambda: len(arrived) == len(EXPECTED) + 50)
        link.acknowledge(arrived)
        await wait_until(lambda: broker.acknowledged == EXPECTED)


@pytest.mark.parametrize("flaw", [b"\x32\x80\x80\x80\x80\x01", b"\xf0\x00", b"\x32\x04\x00\x09ab"])
async def test_what_is_malformed_breaks_the_connection_after_what_was_right(flaw: bytes) -> None:
    async with (
        played(publish(b"tz", b"good") + flaw, 100_000) as (_, url),
        connected(url) as (link, arrived),
    ):
        async with asyncio.timeout(30):
            await link.lost
        assert [each.payload for each in arrived] == [b"good"]
