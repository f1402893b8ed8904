"""A connection as the broker sees it: what our fast lane acknowledges is what paho acknowledges, over TLS as well."""

import asyncio
import contextlib
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from ingest.delivery import Delivery, Untimed
from ingest.link import BrokerAddress, Endpoint, Link
from settings import MqttVersion
from tests.fix_wait import wait_until
from tests.ingest.test_frames import PINGRESP, publish

ROOT = Path(__file__).resolve().parents[2]
both = pytest.mark.parametrize("version", ["3.1.1", "5"])
NO_PROPERTIES: dict[MqttVersion, bytes] = {"3.1.1": b"", "5": b"\0"}


def stream(version: MqttVersion) -> bytes:
    say = partial(publish, properties=NO_PROPERTIES[version])
    many = (say(b"tz/v1/a/b/telemetry", b'{"values":{"x":%d}}' % number, packet_id=number) for number in range(1, 40))
    return b"".join(
        [
            *many,
            PINGRESP,
            say(b"tz/v1/a/b/telemetry", b"no acknowledgement", quality=0),
            say(b"tz/v1/a/b/telemetry", b"z" * 5_000, packet_id=77),
            say(b"tz/\xff", b"kept", kept=True, packet_id=78),
        ]
    )


EXPECTED = [*range(1, 40), 77, 78]


class Played:
    """A broker that greets, takes the subscription, plays its bytes in pieces, and keeps what it is told.

    `greeting` and `answer` are what follows the lengths of its CONNACK and, after the packet id, of its SUBACK.
    """

    def __init__(
        self, stream: bytes, piece: int, version: MqttVersion, greeting: bytes = b"\0\0", answer: bytes = b"\1"
    ) -> None:
        self.told = b""
        self.writer: asyncio.StreamWriter | None = None
        self.serving: set[asyncio.Task[None] | None] = set()
        self._stream, self._piece, self._no_properties = stream, piece, NO_PROPERTIES[version]
        self._greeting = greeting if len(greeting) > 2 else greeting + self._no_properties
        self._answer = answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.serving.add(asyncio.current_task())
        self.writer = writer
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await _frame(reader)
            writer.write(_framed(0x20, self._greeting))
            subscribe = await _frame(reader)
            writer.write(_framed(0x90, subscribe[:2] + self._no_properties + self._answer))
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


def _framed(header: int, body: bytes) -> bytes:
    return bytes([header, len(body)]) + body


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """The body of a short frame."""
    head = await reader.readexactly(2)
    return await reader.readexactly(head[1])


@asynccontextmanager
async def played(
    stream: bytes, piece: int, version: MqttVersion, tls: ssl.SSLContext | None = None, **more: bytes
) -> AsyncIterator[tuple[Played, str]]:
    broker = Played(stream, piece, version, **more)
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield broker, f"mqtt{'s' if tls else ''}://localhost:{port}"
    finally:
        server.close()
        await asyncio.gather(*(each for each in broker.serving if each is not None))


@asynccontextmanager
async def connected(url: str, version: MqttVersion, room: int = 1000) -> AsyncIterator[tuple[Link, list[Delivery]]]:
    """`room`: how many messages are taken."""
    arrived: list[Delivery] = []
    link = Link(
        1,
        Endpoint(BrokerAddress.parse(url), "x", ("tz/v1/#",), 1000, 1000, version),
        take=arrived.extend,
        room=lambda: (room - len(arrived), 10**6),
        now_ms=lambda: 0,
        untimed=Untimed(),
    )
    try:
        await link.open()
        yield link, arrived
    finally:
        await link.close()


@both
@pytest.mark.parametrize("piece", [1, 7, 100_000])
async def test_what_came_is_acknowledged_once_in_order_of_arrival(piece: int, version: MqttVersion) -> None:
    async with played(stream(version), piece, version) as (broker, url), connected(url, version) as (link, arrived):
        await wait_until(lambda: len(arrived) == len(EXPECTED) + 1)
        assert broker.told == b""
        link.acknowledge(arrived[:10])
        link.acknowledge(arrived[10:])
        await wait_until(lambda: broker.acknowledged == EXPECTED)


@both
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
async def test_over_tls_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: MqttVersion) -> None:
    directory = tmp_path / "tls"
    making = await asyncio.create_subprocess_exec(
        ROOT / "deploy" / "trial-certificate", directory, "localhost", stdout=asyncio.subprocess.DEVNULL
    )
    assert await making.wait() == 0
    certificate, key = directory / "fullchain.pem", directory / "privkey.pem"
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with (
        played(stream(version) * 50, 50_000, version, context) as (broker, url),
        connected(url, version) as (link, arrived),
    ):
        # The same ids again before the first are acknowledged: copies, but for those without an id.
        await wait_until(lambda: len(arrived) == len(EXPECTED) + 50)
        link.acknowledge(arrived)
        await wait_until(lambda: broker.acknowledged == EXPECTED)


async def test_who_stops_while_the_broker_answers_is_stopped() -> None:
    """A session that is ended in the moment in which it begins would else wait for its connection to be lost."""
    async with played(b"", 1, "3.1.1") as (_, url):
        link = Link(
            1,
            Endpoint(BrokerAddress.parse(url), "x", ("tz/v1/#",), 1000, 1000, "3.1.1"),
            take=lambda _: None,
            room=lambda: (1000, 10**6),
            now_ms=lambda: 0,
            untimed=Untimed(),
        )
        opening = asyncio.create_task(link.open())
        link._subscribed.add_done_callback(lambda _: opening.cancel())
        with pytest.raises(asyncio.CancelledError):
            await opening
        await link.close()


@both
@pytest.mark.parametrize(
    "flaw", [b"\x32\x80\x80\x80\x80\x01", b"\xf0\x00", b"\x32\x04\x00\x09ab", publish(b"tz", b"\0at 2", quality=2)]
)
async def test_what_is_malformed_breaks_the_connection_after_what_was_right(flaw: bytes, version: MqttVersion) -> None:
    good = publish(b"tz", b"good", properties=NO_PROPERTIES[version])
    async with (
        played(good + flaw, 100_000, version) as (broker, url),
        connected(url, version) as (link, arrived),
    ):
        async with asyncio.timeout(30):
            assert await link.lost in ("unreadable", f"it sends what is no MQTT {version}")
        assert [each.payload for each in arrived] == [b"good"]
        assert broker.told == b""


# ------------------------------------------------------------------ packet ids


class _Told:
    """A link that writes down what it would acknowledge."""

    def __init__(self) -> None:
        self.arrived: list[Delivery] = []
        self.link = Link(
            1,
            Endpoint(BrokerAddress.parse("mqtt://127.0.0.1"), "x", (), 1000, 100, "3.1.1"),
            take=self.arrived.extend,
            room=lambda: (100, 100_000),
            now_ms=lambda: 0,
            untimed=Untimed(),
        )
        self.acknowledged: list[int] = []
        self.link._client.acknowledge = self.acknowledged.extend

    def hear(self, packet_id: int, *payloads: bytes, connection: int = 1) -> None:
        self.link._hear(
            [Delivery("tz/v1/east/x", each, len(each), 0, packet_id, connection) for each in payloads],
        )


async def test_a_packet_id_is_acknowledged_once_when_all_under_it_is_settled() -> None:
    """A copy that crossed our acknowledgement may lie under the same id as a new message: acknowledging the copy would
    lose the new one.
    """
    told = _Told()
    told.hear(7, b"old")
    told.link.acknowledge(told.arrived)
    assert told.acknowledged == [7]
    told.hear(7, b"old")  # the copy, on its way when we acknowledged
    told.hear(7, b"new", b"new")  # the broker has given the id away again, and sends that again as well
    assert [each.payload for each in told.arrived] == [b"old", b"old", b"new"]
    told.link.acknowledge(told.arrived[1:2])
    assert told.acknowledged == [7]
    told.link.acknowledge(told.arrived[2:])
    assert told.acknowledged == [7, 7]
    told.hear(7, b"third", b"fourth")
    told.link.acknowledge([told.arrived[4], told.arrived[3]])
    assert told.acknowledged == [7, 7, 7]
    await told.link.close()


async def test_without_an_id_there_is_nothing_to_acknowledge() -> None:
    told = _Told()
    told.hear(0, b"qos 0", b"qos 0")
    assert len(told.arrived) == 2
    told.link.acknowledge(told.arrived)
    assert told.acknowledged == []
    await told.link.close()


async def test_what_came_over_another_connection_is_not_acknowledged_on_this_one() -> None:
    told = _Told()
    told.hear(7, b"here")
    told.link.acknowledge([Delivery("tz/v1/east/x", b"elsewhere", 9, 0, 7, 2)])
    assert told.acknowledged == []
    told.link.acknowledge(told.arrived)
    assert told.acknowledged == [7]
    await told.link.close()


# ------------------------------------------------------------------ addresses


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://broker", BrokerAddress("broker", 1883, False, None, None)),
        ("mqtts://broker", BrokerAddress("broker", 8883, True, None, None)),
        ("mqtt://u:p%40ss%2F@10.0.0.1:1", BrokerAddress("10.0.0.1", 1, False, "u", "p@ss/")),
    ],
)
def test_addresses(url: str, address: BrokerAddress) -> None:
    assert BrokerAddress.parse(url) == address


@pytest.mark.parametrize("url", ["", "broker:1883", "http://broker", "mqtt://", "mqtt://u:hidden@"])
def test_what_is_no_address_is_refused_without_its_credential(url: str) -> None:
    with pytest.raises(ValueError, match="mqtt://") as caught:
        BrokerAddress.parse(url)
    assert "hidden" not in str(caught.value)
