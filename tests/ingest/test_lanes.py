"""MQTT 5 by paho's own reader says what 3.1.1 says by ours; and what a broker may say in MQTT 5 only."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client

from bench.brokers import Mosquitto
from embedded.broker import Broker
from ingest.delivery import SAMPLE_BYTES, Delivery
from ingest.lanes import TURN_MESSAGES_MAX, FastLane, PahoLane
from ingest.session import Session
from settings import MqttVersion
from tests.fix_wait import loop_turns, wait_until
from tests.ingest.test_frames import ALL, PAYLOAD_MAX, PINGRESP, Said, publish, said
from tests.ingest.test_link import connected, played
from tests.ingest.test_session import connected as subscribed
from tests.ingest.test_session import device, payloads, running
from tests.line_rig import line
from tests.mosquitto_rig import MOSQUITTO

# (the length,) a content type, a user property, a message expiry interval
PROPERTIES = (
    b"\0",
    b"\x07\x03\0\x04json",
    b"\x09\x26\0\x01a\0\x03b=c",
    b"\x05\x02\0\0\0\x3c",
    b"\x0a\x03\0\x07\xef\xbb\xbfjson",  # with a byte order mark, which is right, and which paho refuses
    b"\x02\x63\x00",  # one that there is not
    b"\x80\xfa\x01" + b"\x26\0\0\0\0" * 6_400,  # more of them than paho reads in a tenth of a second
)
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="Mosquitto is not installed")


class Read:
    """A lane at the end of a cable that leads nowhere, and what it heard at each turn."""

    def __init__(self, version: MqttVersion) -> None:
        self.turns: list[list[Delivery]] = []
        self._cable, mine = socket.socketpair()
        hear = self.turns.append
        self.lane = (
            FastLane(1, "x", PAYLOAD_MAX, hear) if version == "3.1.1" else PahoLane(1, "x", PAYLOAD_MAX, 100, hear)
        )
        with patch.object(Client, "_create_socket", lambda _: mine):
            self.lane.connect("nowhere", 1, 20)
        self.asked = self._cable.recv(1000)

    @property
    def is_over(self) -> bool:
        return self.lane.client.split() is None

    def read(self, chunk: bytes, messages_max: int = ALL) -> None:
        self.lane.read(chunk, 7, messages_max, ALL)
        while self.lane.is_paused:
            self.lane.read(b"", 7, messages_max, ALL)

    @property
    def heard(self) -> list[tuple[object, ...]]:
        return [
            (each.topic, each.payload, each.size, each.received_ms, each.packet_id, each.connection, each.kept)
            for turn in self.turns
            for each in turn
        ]

    def close(self) -> None:
        self._cable.close()
        self.lane.client._sock_close()


@contextmanager
def reading(version: MqttVersion) -> Iterator[Read]:
    made = Read(version)
    try:
        yield made
    finally:
        made.close()


@given(
    st.lists(st.tuples(said, st.sampled_from(PROPERTIES)) | st.just(PINGRESP), max_size=8),
    st.lists(st.integers(1, 40_000), max_size=6),
    st.integers(1, 3),
)
def test_the_same_messages_are_the_same_by_both(
    parts: list[tuple[Said, bytes] | bytes], splits: list[int], messages_max: int
) -> None:
    heard: list[object] = []
    for version in ("3.1.1", "5"):
        stream = b"".join(
            part if isinstance(part, bytes) else publish(*part[0], properties=part[1] if version == "5" else b"")
            for part in parts
        )
        bounds = sorted({0, len(stream), *(each for each in splits if each < len(stream))})
        with reading(version) as read:
            for begin, end in pairwise(bounds):
                read.read(stream[begin:end], messages_max)
            assert not read.is_over
            assert all(len(turn) <= messages_max for turn in read.turns)
            heard.append(read.heard)
    assert heard[0] == heard[1]


def test_it_asks_for_a_session_that_stays_and_for_no_more_than_may_be_held() -> None:
    with reading("5") as read:
        clean_and_more, keepalive, properties = read.asked[9], read.asked[10:12], read.asked[12:21]
    assert read.asked[2:9] == b"\0\4MQTT\5"
    assert (clean_and_more, keepalive) == (0, b"\0\x14")
    assert properties == b"\x08" + b"\x11\xff\xff\xff\xff" + b"\x21\0\x64"


def test_a_turn_ends_although_there_is_more() -> None:
    with reading("5") as read:
        read.read(b"".join(publish(b"tz", b"", packet_id=1, properties=b"\0") for _ in range(450)))
        assert [len(turn) for turn in read.turns] == [TURN_MESSAGES_MAX, TURN_MESSAGES_MAX, 50]


def test_of_an_oversize_payload_the_beginning_is_kept() -> None:
    with reading("5") as read:
        read.read(publish(b"t", b"z" * 1_000_000, packet_id=4, properties=b"\0"))
    ((topic, payload, size, *_),) = read.heard
    assert (topic, payload, size) == ("t", b"z" * SAMPLE_BYTES, 1_000_000)


@pytest.mark.parametrize(
    "stream",
    [
        b"\x32\x80\x80\x80\x80\x01",  # a length of five bytes
        b"\x32\x00",  # no topic
        b"\x32\x05\x00\x09ab\x01",  # a topic longer than the frame
        b"\x32\x06\x00\x02ab\x00\x01",  # no properties, not even their length
        b"\x32\x08\x00\x02ab\x00\x01\x05\x00",  # properties longer than the frame
        b"\x32\x07\x00\x02ab\x00\x00\x00",  # packet id 0
        b"\x32\x08\x00\x00\x00\x01\x03\x23\x00\x01",  # no topic but an alias, which nobody allowed
        b"\x36\x07\x00\x02ab\x00\x01\x00",  # quality 3
        b"\x34\x07\x00\x02ab\x00\x01\x00",  # quality 2: nobody subscribed to that
        b"\x20\x01\x00",  # a greeting that is too short
        b"\xf0\x00",  # an authentication that nobody began
    ],
)
def test_what_is_malformed_ends_it_after_what_was_right(stream: bytes) -> None:
    good = publish(b"tz", b"good", properties=b"\0")
    for chunks in ([good + stream + good], [good, *(stream[at : at + 1] for at in range(len(stream))), good]):
        with reading("5") as read:
            for chunk in chunks:
                read.read(chunk)
            assert read.is_over
            assert [each[1] for each in read.heard] == [b"good"]
            assert not read.lane.client.want_write()  # nothing that could be taken for an acknowledgement


@given(st.binary(max_size=400), st.integers(1, 50))
def test_any_bytes_end_in_messages_or_the_end_however_they_are_split(stream: bytes, step: int) -> None:
    found: list[object] = []
    for pieces in ([stream], [stream[at : at + step] for at in range(0, len(stream), step)]):
        with reading("5") as read:
            for piece in pieces:
                read.read(piece)
            found.append((read.heard, read.is_over))
    # To paho a zero where a packet should begin is none, but for one with more behind it.
    assert found[0] == found[1] or b"\0" in stream


# ------------------------------------------------------------------ what only MQTT 5 says, by a broker that is played


async def test_no_more_is_taken_than_there_is_room_for_whatever_the_broker_sends() -> None:
    """Also while much of our own waits to be confirmed, when paho reads many packets in one turn."""
    many = b"".join(publish(b"tz", b"%d" % n, packet_id=n, properties=b"\0") for n in range(1, 50))
    async with played(b"", 1, "5") as (broker, url), connected(url, "5", room=7) as (link, arrived):
        publishing = asyncio.create_task(link.publish([("tz/v1/a/alarms/1", b"")] * 20))
        await loop_turns(1)
        assert broker.writer is not None
        broker.writer.write(many)
        await wait_until(lambda: len(arrived) >= 7)
        await loop_turns(50)
        assert payloads(arrived) == [b"%d" % n for n in range(1, 8)]
        assert not publishing.done()
        await link.close()
        assert await publishing == [False] * 20


@pytest.mark.parametrize(
    ("greeting", "why"),
    [
        (b"\0\x87\0", "refused: Not authorized"),
        (b"\0\x8a\x07\x1f\0\x04away", "refused: Banned, 'away'"),
        (b"\0\x01", "it does not speak MQTT 5, which TAIZHANG_MQTT_VERSION asks for"),
    ],
)
async def test_a_greeting_that_refuses_says_why(greeting: bytes, why: str) -> None:
    """The last as a broker does that knows 3.1.1 only."""
    async with played(b"", 1, "5", greeting=greeting) as (_, url):
        with pytest.raises(Exception, match=why):
            async with connected(url, "5"):
                pass


async def test_a_subscription_that_is_refused_says_why() -> None:
    async with played(b"", 1, "5", answer=b"\x8f") as (_, url):
        with pytest.raises(Exception, match=r"does not let us hear tz/v1/# \(Topic filter invalid\)"):
            async with connected(url, "5"):
                pass


async def test_a_broker_that_ends_the_connection_says_why() -> None:
    goodbye = b"\xe0\x09\x8e\x07\x1f\0\x04gone"
    async with played(goodbye, 1, "5") as (_, url), connected(url, "5") as (link, _):
        async with asyncio.timeout(30):
            assert await link.lost == "the broker ends the connection: Session taken over, 'gone'"


async def test_a_session_that_is_not_kept_for_good_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async with played(b"", 1, "5", greeting=b"\0\0\x05\x11\0\0\x1c\x20") as (_, url), connected(url, "5"):
        assert "keeps our session for 7200 s only" in caplog.text


async def test_no_more_is_published_at_once_than_the_broker_takes() -> None:
    async with played(b"", 1, "5", greeting=b"\0\0\x03\x21\0\x02") as (broker, url), connected(url, "5") as (link, _):
        publishing = asyncio.create_task(link.publish([("tz", b"%d" % n) for n in range(5)]))
        done = 0
        while done < 5:
            said = min(5, done + 2)
            await wait_until(lambda: len(broker.told) >= 10 * said)  # noqa: B023
            await loop_turns(50)
            assert len(broker.told) == 10 * said
            assert broker.writer is not None
            for number in range(done, said):
                at = 10 * number
                assert broker.told[at : at + 6] == b"\x32\x08\0\x02tz"
                broker.writer.write(b"\x40\x02" + broker.told[at + 6 : at + 8])
            done = said
        assert await publishing == [True] * 5


async def test_what_the_broker_does_not_take_is_not_published(caplog: pytest.LogCaptureFixture) -> None:
    async with played(b"", 1, "5") as (broker, url), connected(url, "5") as (link, _):
        publishing = asyncio.create_task(link.publish([("tz", b"1"), ("tz", b"2"), ("tz", b"3")]))
        await wait_until(lambda: len(broker.told) >= 30)
        assert broker.writer is not None
        for number, reason in enumerate((b"\x87", b"\x10", b"\x87")):  # the second: nobody subscribes to it
            broker.writer.write(b"\x40\x03" + broker.told[10 * number + 6 : 10 * number + 8] + reason)
        assert await publishing == [False, True, False]
        assert caplog.text.count("does not take what we publish: Not authorized") == 1


# ------------------------------------------------------------------ real brokers


async def test_a_broker_that_speaks_3_1_1_only_is_named_with_what_to_do(tmp_path: Path, eventually, caplog) -> None:
    nats = Broker(tmp_path / "nats", sync_always=False)
    await nats.start()
    try:
        async with running(nats.url, "east", version="5"):
            await eventually(lambda: "does not speak MQTT 5" in caplog.text)
        assert "TAIZHANG_MQTT_VERSION" in caplog.text
        assert nats.url.removeprefix("mqtt://") in caplog.text
    finally:
        await nats.stop()


@asynccontextmanager
async def by_both(url: str, name: str) -> AsyncIterator[list[tuple[Session, list[Delivery]]]]:
    """The same topics heard in 3.1.1 and in 5."""
    async with (
        running(url, f"{name}-3", version="3.1.1", subscriptions=(f"tz/v1/{name}/#",)) as three,
        running(url, f"{name}-5", version="5", subscriptions=(f"tz/v1/{name}/#",)) as five,
    ):
        await subscribed(three[0])
        await subscribed(five[0])
        yield [three, five]


def told(arrived: list[Delivery]) -> list[tuple[object, ...]]:
    return [(each.topic, each.payload, each.size, each.packet_id > 0, each.kept) for each in arrived]


async def test_what_a_broker_delivers_is_the_same_by_both_until_it_is_acknowledged(
    mosquitto_url, unique_key, eventually
) -> None:
    name = unique_key("site")
    said = [b"", b"{}", "水泵".encode(), b"\xff\0", b"x" * 127, b"x" * 1000, b"y" * 1001, b"z" * 100_000]
    async with device(mosquitto_url, eventually, name) as speaker:
        async with by_both(mosquitto_url, name) as both:
            for number, payload in enumerate(said):
                speaker.publish(f"tz/v1/{name}/水泵{number}", payload)
                speaker.publish(f"tz/v1/{name}/{'long' * 100}", payload, quality=0)
            for _, arrived in both:
                await eventually(lambda: len(arrived) == 2 * len(said))  # noqa: B023
            first = [told(arrived) for _, arrived in both]
            assert first[0] == first[1]
            assert [each[2] for each in first[0]] == [len(each) for each in said for _ in range(2)]
            for made, arrived in both:
                made.settle(arrived[:6])
                assert await made.publish([("elsewhere", b"")]) == [True]  # it has read what we said before
        async with by_both(mosquitto_url, name) as both:
            for made, arrived in both:
                await eventually(lambda: len(arrived) == len(said) - 3)  # noqa: B023
                assert told(arrived) == [each for each in first[0][6:] if each[3]]
                made.settle(arrived)
                assert await made.publish([("elsewhere", b"")]) == [True]
        async with by_both(mosquitto_url, name) as both:
            speaker.publish(f"tz/v1/{name}/x", b"last")
            for _, arrived in both:
                await eventually(lambda: arrived)  # noqa: B023
                assert payloads(arrived) == [b"last"]


async def test_a_retained_message_is_told_to_be_kept_by_both(mosquitto_url, unique_key, eventually) -> None:
    name = unique_key("site")
    async with device(mosquitto_url, eventually, name) as speaker:
        speaker.publish(f"tz/v1/{name}/status", b"before", retain=True)
        async with by_both(mosquitto_url, name) as both:
            speaker.publish(f"tz/v1/{name}/status", b"now", retain=True)
            for _, arrived in both:
                await eventually(lambda: len(arrived) == 2)  # noqa: B023
                assert [(each.payload, each.kept) for each in arrived] == [(b"before", True), (b"now", False)]


@needs_mosquitto
async def test_a_session_outlives_the_change_of_version_and_a_restart_of_the_broker(tmp_path, eventually) -> None:
    broker = Mosquitto(tmp_path / "mosquitto")
    await broker.start()
    try:
        async with running(broker.url, "east", version="3.1.1") as (made, _):
            await subscribed(made)
        for number, version in enumerate(("5", "5", "3.1.1")):
            async with device(broker.url, eventually, "a") as speaker:
                speaker.publish("tz/v1/east/x", b"%d" % number)
            await broker.stop()
            await broker.start()
            async with running(broker.url, "east", version=version) as (made, arrived):
                await eventually(lambda: payloads(arrived) == [b"%d" % number])  # noqa: B023
                made.settle(arrived)
                assert await made.publish([("elsewhere", b"")]) == [True]
    finally:
        await broker.stop()


async def test_readings_and_alarms_by_version_5(database_url, mosquitto_url, unique_key, eventually) -> None:
    """The whole line once: into the ledger, and what follows out again."""
    async with line(database_url, mosquitto_url, unique_key("site"), mqtt_version="5") as bench:
        listener = f"tz/v1/{bench.site}/alarms/+"
        bench.speaker.listen(listener)
        bench.say("pumps", {"door_open": True}, ago=90)
        bench.say("pumps", {"door_open": True}, ago=5)
        bench.say_raw(f"{bench.site}/pumps/telemetry", b"no json")
        account = await bench.received()
        assert (account["accepted"], account["quarantined"], account["stored"]) == (2, 1, 2)
        await bench.alarm("door_open_without_permit", state="UNACK")
        await eventually(lambda: bench.speaker.heard)
        assert bench.speaker.heard[0][1]["rule"] == "door_open_without_permit"
        await bench.crash()
        bench.say("pumps", {"door_open": False})
        bench.start()
        account = await bench.received()
        assert (account["accepted"], account["duplicate"]) == (3, 0)
