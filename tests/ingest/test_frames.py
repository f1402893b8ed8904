"""PUBLISH cut in bulk says what paho's own reader says, wherever the bytes are split; malformed bytes end, never hang."""

import socket
import struct
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from ingest.delivery import SAMPLE_BYTES, Delivery
from ingest.frames import OTHER_FRAME_BYTES_MAX, TOPIC_BYTES_MAX, Frames

PAYLOAD_MAX = 300
ALL = 1_000_000
# (topic, payload, quality, packet id, kept)
Said = tuple[bytes, bytes, int, int, bool]
PINGRESP, SUBACK = b"\xd0\x00", b"\x90\x03\x00\x01\x01"


def length_of(count: int) -> bytes:
    pieces = bytearray()
    while True:
        count, low = divmod(count, 128)
        pieces.append(low | (0x80 if count else 0))
        if not count:
            return bytes(pieces)


def publish(
    topic: bytes, payload: bytes, quality: int = 1, packet_id: int = 1, kept: bool = False, properties: bytes = b""
) -> bytes:
    """Of MQTT 5 with `properties`, their length before them; of 3.1.1 without."""
    packet = struct.pack(">H", packet_id) if quality else b""
    body = struct.pack(">H", len(topic)) + topic + packet + properties + payload
    return bytes([0x30 | quality << 1 | kept]) + length_of(len(body)) + body


def cut(
    chunks: Iterable[bytes], *, messages_max: int = ALL, payload_max: int = PAYLOAD_MAX
) -> tuple[list[Delivery], bytes, str | None]:
    frames = Frames(1, payload_max)
    messages: list[Delivery] = []
    others = b""
    for chunk in chunks:
        frames.feed(chunk)
        while True:
            some, more = frames.cut(7, messages_max, ALL)
            assert len(some) <= messages_max
            messages += some
            others += more
            if not frames.is_paused:
                break
        assert len(frames._partial) <= payload_max + 65_535 + 10
    return messages, others, frames.flaw


def told(messages: Iterable[Delivery]) -> list[tuple[str, bytes, int, int, bool]]:
    return [(each.topic, each.payload, each.size, each.packet_id, each.kept) for each in messages]


class _Paho(Client):
    """paho's own reader, at the end of a cable."""

    def __init__(self) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311, manual_ack=True, client_id="x"
        )
        self.cable, self._mine = socket.socketpair()
        self.heard: list[tuple[str, bytes, int, int, bool]] = []
        self.on_message = self._note
        self.connect("nowhere")
        self.cable.recv(1000)

    def _create_socket(self) -> socket.socket:
        return self._mine

    def _note(self, _client: object, _data: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError as error:
            topic = error.object.decode("utf-8", "backslashreplace")
        size = len(message.payload)
        payload = message.payload if size <= PAYLOAD_MAX else message.payload[:SAMPLE_BYTES]
        self.heard.append((topic, payload, size, message.mid, message.retain))

    def hear(self, stream: bytes) -> bool:
        """Whether the connection outlived it."""
        for begin in range(0, len(stream), 50_000):
            self.cable.sendall(stream[begin : begin + 50_000])
            while True:
                if self.loop_read() is not MQTTErrorCode.MQTT_ERR_SUCCESS or self._sock is None:
                    return False
                try:
                    self._mine.recv(1, socket.MSG_PEEK)
                except BlockingIOError:
                    break
        return True

    def close(self) -> None:
        self.cable.close()
        self._mine.close()


topics = st.binary(min_size=1, max_size=20) | st.just("tz/v1/塔/x/telemetry".encode())
said = st.tuples(
    topics,
    st.binary(max_size=60) | st.sampled_from([b"", b"x" * 127, b"y" * 300, b"z" * 301, b"w" * 20_000]),
    st.sampled_from([0, 1]),
    st.integers(1, 65_535),
    st.booleans(),
)
streams = st.lists(said.map(lambda each: publish(*each)) | st.sampled_from([PINGRESP, SUBACK]), max_size=8)


@given(streams, st.lists(st.integers(1, 40_000), max_size=6), st.integers(1, 3))
def test_the_same_bytes_say_the_same_as_through_paho(parts: list[bytes], splits: list[int], messages_max: int) -> None:
    stream = b"".join(parts)
    paho = _Paho()
    try:
        assert paho.hear(stream)
    finally:
        paho.close()
    bounds = sorted({0, len(stream), *(each for each in splits if each < len(stream))})
    chunks = [stream[begin:end] for begin, end in pairwise(bounds)]
    messages, others, flaw = cut(chunks, messages_max=messages_max)
    assert flaw is None
    assert told(messages) == paho.heard
    assert others == b"".join(each for each in parts if each in (PINGRESP, SUBACK))


def test_it_may_be_split_at_every_byte() -> None:
    parts = [
        publish(b"tz/v1/a/b/telemetry", b'{"values":{"x":1}}', packet_id=300),
        PINGRESP,
        publish(b"t", b"z" * 400, packet_id=2),
        publish(b"tz", b"", quality=0),
        SUBACK,
        publish(b"tz/\xff", b"kept", kept=True),
        publish(b"t", b"z" * 5_000, packet_id=4),
        publish(b"t", b"last", packet_id=5),
    ]
    stream = b"".join(parts)
    whole = cut([stream])
    assert len(whole[0]) == 6
    assert [len(each.payload) for each in whole[0]] == [18, 400, 0, 4, SAMPLE_BYTES, 4]
    for at in range(len(stream) + 1):
        found = cut([stream[:at], stream[at:]])
        assert (told(found[0]), *found[1:]) == (told(whole[0]), *whole[1:])
    found = cut([stream[at : at + 1] for at in range(len(stream))])
    assert (told(found[0]), *found[1:]) == (told(whole[0]), *whole[1:])


def test_of_a_frame_of_256_megabytes_nothing_is_kept_but_its_beginning() -> None:
    frames = Frames(1, PAYLOAD_MAX)
    size = 268_435_455 - 2 - 1 - 2
    frames.feed(b"\x32\xff\xff\xff\x7f" + b"\0\x01t" + b"\0\x09")
    assert frames.cut(7, ALL, ALL) == ([], b"")
    chunk, left = b"x" * 1_000_000, size
    while left > len(chunk):
        frames.feed(chunk)
        assert frames.cut(7, ALL, ALL) == ([], b"")
        assert len(frames._partial) <= 1_100_000
        left -= len(chunk)
    frames.feed(b"x" * left + PINGRESP)
    (message,), others = frames.cut(8, ALL, ALL)
    assert (message.size, len(message.payload), message.packet_id) == (size, SAMPLE_BYTES, 9)
    assert message.received_ms == 8
    assert others == PINGRESP


@pytest.mark.parametrize(
    "stream",
    [
        b"\x32\x80\x80\x80\x80\x01",  # a length of five bytes
        b"\x32\x00",  # no topic
        b"\x32\x01\x00",
        b"\x32\x05\x00\x09ab\x01",  # a topic longer than the frame
        b"\x32\x04\x00\x02ab",  # no room for a packet id
        b"\x32\x06\x00\x02ab\x00\x00",  # packet id 0
        b"\x32\x04\x00\x00\x00\x01",  # an empty topic
        b"\x36\x06\x00\x02ab\x00\x01",  # quality 3
        b"\x34\x06\x00\x02ab\x00\x01",  # quality 2: nobody subscribed to that
        b"\x90" + length_of(OTHER_FRAME_BYTES_MAX),
    ],
)
def test_what_is_malformed_ends_it_after_what_was_right(stream: bytes) -> None:
    good = publish(b"tz", b"good")
    for chunks in ([good + stream + good], [good, *(stream[at : at + 1] for at in range(len(stream)))]):
        messages, _, flaw = cut(chunks)
        assert told(messages) == [("tz", b"good", 4, 1, False)]
        assert flaw is not None


@given(st.binary(max_size=400), st.integers(1, 50))
def test_any_bytes_end_in_messages_or_a_flaw_however_they_are_split(stream: bytes, step: int) -> None:
    whole = cut([stream])
    pieces = cut([stream[at : at + step] for at in range(0, len(stream), step)])
    assert told(pieces[0]) == told(whole[0])
    assert pieces[1:] == whole[1:]


def test_of_a_topic_longer_than_any_of_ours_the_beginning_is_kept() -> None:
    long = b"tz/v1/east/" + b"x" * 60_000
    messages, _, flaw = cut([publish(long, b"{}"), publish(b"tz/v1/east/f/telemetry", b"{}", packet_id=2)])
    assert flaw is None
    assert [each.topic for each in messages] == [long[:TOPIC_BYTES_MAX].decode(), "tz/v1/east/f/telemetry"]
    longest = f"tz/v1/{'s' * 64}/gateways/{'g' * 64}/status"
    assert len(longest) < TOPIC_BYTES_MAX
