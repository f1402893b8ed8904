"""The two ways of PUBLISH: cut out by us in MQTT 3.1.1, read by paho in MQTT 5. All else is the same for both.

A lane has the client of one connection and makes deliveries of what was read from it, no more than may be taken.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.exception import MalformedPacket
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.client import KEPT_FOR_GOOD_S, SplitClient
from ingest.delivery import SAMPLE_BYTES, Delivery
from ingest.frames import Frames, topic_of

TURN_MESSAGES_MAX = 200  # of paho's, before others have the loop: some five milliseconds

Hear = Callable[[Sequence[Delivery]], None]


class Malformed(Exception):
    """The broker sends what is no MQTT; says what."""


class Lane(Protocol):
    client: SplitClient

    @property
    def is_paused(self) -> bool:
        """Whether something was read and is not yet taken."""
        ...

    def connect(self, host: str, port: int, keepalive_s: int) -> None:
        """Blocking. Raises OSError."""
        ...

    def read(self, chunk: bytes, received_ms: int, messages_max: int, bytes_max: int) -> None:
        """Take of what came, until so many messages or bytes of payload are reached; none comes while paused.

        Raises Malformed, after what was right before it was heard; where paho finds it, it ends the connection itself.
        """
        ...


class FastLane:
    """MQTT 3.1.1: `ingest.frames` cuts PUBLISH out, paho is given the rest."""

    def __init__(self, connection: int, client_id: str, payload_bytes_max: int, hear: Hear) -> None:
        self.client = SplitClient(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self._frames, self._hear = Frames(connection, payload_bytes_max), hear

    @property
    def is_paused(self) -> bool:
        return self._frames.is_paused

    def connect(self, host: str, port: int, keepalive_s: int) -> None:
        self.client.connect(host, port, keepalive_s)

    def read(self, chunk: bytes, received_ms: int, messages_max: int, bytes_max: int) -> None:
        if chunk:
            self._frames.feed(chunk)
        messages, others = self._frames.cut(received_ms, messages_max, bytes_max)
        if messages:
            self._hear(messages)
        self.client.read(others)
        if self._frames.flaw is not None:
            raise Malformed(self._frames.flaw)


class PahoLane:
    """MQTT 5: paho is given all of it, and tells each message; its socket is held when no more may be taken.

    The session never expires, as in 3.1.1. Receive Maximum keeps the broker from sending more than may be held. There is
    no Maximum Packet Size: what is larger a broker would throw away, and nobody would hear of it. Nor a Topic Alias
    Maximum, so that topics come as they are.
    """

    def __init__(
        self, connection: int, client_id: str, payload_bytes_max: int, unacknowledged_max: int, hear: Hear
    ) -> None:
        self.client = SplitClient(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self.client.on_message = self._on_message
        self._connection, self._payload_bytes_max, self._hear = connection, payload_bytes_max, hear
        self._unacknowledged_max = unacknowledged_max
        self._messages: list[Delivery] = []
        self._received_ms = self._messages_left = self._bytes_left = 0

    @property
    def is_paused(self) -> bool:
        socket = self.client.split()
        return socket is not None and socket.has_unread

    def connect(self, host: str, port: int, keepalive_s: int) -> None:
        asked = Properties(PacketTypes.CONNECT)
        asked.SessionExpiryInterval = KEPT_FOR_GOOD_S
        asked.ReceiveMaximum = self._unacknowledged_max
        self.client.connect(host, port, keepalive_s, clean_start=False, properties=asked)

    def read(self, chunk: bytes, received_ms: int, messages_max: int, bytes_max: int) -> None:
        self._received_ms, self._bytes_left = received_ms, bytes_max
        self._messages_left = min(messages_max, TURN_MESSAGES_MAX)
        self._hold_when_full()
        try:
            self.client.read(chunk)
        finally:
            messages, self._messages = self._messages, []
            if messages:
                self._hear(messages)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        topic, size = _raw_topic(message), len(message.payload)
        if not topic or (message.qos and not message.mid):
            raise MalformedPacket("a PUBLISH without topic or packet id")  # paho ends the connection for it
        payload = bytes(message.payload if size <= self._payload_bytes_max else message.payload[:SAMPLE_BYTES])
        self._messages.append(
            Delivery(topic_of(topic), payload, size, self._received_ms, message.mid, self._connection, message.retain)
        )
        self._messages_left -= 1
        self._bytes_left -= len(payload)
        self._hold_when_full()

    def _hold_when_full(self) -> None:
        """Between two packets only: paho reads on in a packet, and reads several in one turn while it publishes."""
        socket = self.client.split()
        if socket is not None:
            socket.is_held = min(self._messages_left, self._bytes_left) <= 0


def _raw_topic(message: MQTTMessage) -> bytes:
    try:
        return message.topic.encode()
    except UnicodeDecodeError as error:
        return error.object
