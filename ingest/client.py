"""The seam to paho: its client keeps what it is good at, and reads from us what its lane (`ingest.lanes`) leaves to it.

paho asks `_create_socket` for its connection. It is given one that sends as before and whose `recv` gives what was put
there for it; who reads from the network is `receive`. Acknowledgements go through paho's own queue, many in one piece,
so that none comes in between the halves of another packet.
"""

import logging
import socket
import ssl
import time
from collections.abc import Sequence

import numpy as np
from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties

RECEIVE_BYTES_MAX = 128 * 1024
KEPT_FOR_GOOD_S = 0xFFFFFFFF  # a session expiry interval that never ends
_PUBACK = 0x40
_ACKNOWLEDGEMENT = np.dtype([("head", ">u2"), ("packet_id", ">u2")])
_PUBACK_HEAD = _PUBACK << 8 | 2  # the type, and the length of what follows; MQTT 5 has the same where all is well
_QUALITY_1 = 0x02  # of the bits 0x06

_log = logging.getLogger(__name__)


class SplitSocket:
    """A socket of which paho reads only what is `put` there, and while it `is_held` nothing."""

    def __init__(self, inner: socket.socket) -> None:
        self.is_held = False
        self._inner = inner
        self._frames = bytearray()
        self._end: Exception | None = None
        self._is_ended = False

    @property
    def has_frames(self) -> bool:
        """Whether paho has something to read now, the end of the connection included."""
        return not self.is_held and (bool(self._frames) or self._is_ended)

    @property
    def has_unread(self) -> bool:
        """Whether something is left that was put there."""
        return bool(self._frames)

    def receive(self) -> bytes | None:
        """What has come, in bulk; None when nothing has, or when the connection has ended: then paho is to hear of it."""
        try:
            chunk = self._inner.recv(RECEIVE_BYTES_MAX)
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except OSError as error:
            self._end, self._is_ended = error, True
            return None
        self._is_ended = not chunk
        return chunk or None

    def put(self, frames: bytes) -> None:
        self._frames += frames

    @property
    def has_pending(self) -> bool:
        """Whether TLS has read what the selector therefore does not see any more."""
        return isinstance(self._inner, ssl.SSLSocket) and bool(self._inner.pending())

    # ------------------------------------------------------------------ what paho asks for

    def recv(self, buffer_size: int) -> bytes:
        if self.is_held:
            raise BlockingIOError
        if self._frames:
            taken = bytes(self._frames[:buffer_size])
            del self._frames[:buffer_size]
            return taken
        if self._end is not None:
            raise self._end
        if self._is_ended:
            return b""
        raise BlockingIOError

    def send(self, buffer: bytes | bytearray) -> int:
        return self._inner.send(buffer)

    def close(self) -> None:
        self._inner.close()

    def fileno(self) -> int:
        return self._inner.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - the name and shape paho calls
        self._inner.setblocking(flag)


class SplitClient(Client):
    """paho's client on a `SplitSocket`."""

    def _create_socket(self) -> SplitSocket:
        inner = super()._create_socket()
        assert isinstance(inner, socket.socket)
        return SplitSocket(inner)

    def split(self) -> SplitSocket | None:
        """None: not connected."""
        own: object = self._sock
        return own if isinstance(own, SplitSocket) else None

    def read(self, frames: bytes) -> None:
        """Handle them, until the socket is held or the connection ends."""
        socket = self.split()
        if socket is None:
            return
        socket.put(frames)
        while socket.has_frames and self.split() is socket:
            self.loop_read()

    def note_received(self) -> None:
        """Something came that paho does not see: the connection lives."""
        with self._msgtime_mutex:
            self._last_bytes_received = time.monotonic()

    def acknowledge(self, packet_ids: Sequence[int]) -> None:
        """PUBACK for each, in this order, as one piece."""
        pieces = np.empty(len(packet_ids), _ACKNOWLEDGEMENT)
        pieces["head"], pieces["packet_id"] = _PUBACK_HEAD, packet_ids
        self._packet_queue(_PUBACK, pieces.tobytes(), 0, 0)

    def heed(self, greeting: Properties) -> None:
        """What a broker may say of itself in MQTT 5. paho has an eye on its keep-alive only."""
        self._max_inflight_messages = min(self._max_inflight_messages, getattr(greeting, "ReceiveMaximum", 0xFFFF))
        kept_s: int = getattr(greeting, "SessionExpiryInterval", KEPT_FOR_GOOD_S)
        if kept_s < KEPT_FOR_GOOD_S:
            _log.warning(
                "the broker keeps our session for %d s only: what is said while ingest is away for longer is lost; "
                "raise its limit of the session expiry interval",
                kept_s,
            )

    def _handle_publish(self) -> MQTTErrorCode:
        """At quality 2, which nobody subscribes to, paho would answer by itself; such a PUBLISH is malformed."""
        if self._in_packet["command"] & 0x06 > _QUALITY_1:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        if self._protocol == MQTTProtocolVersion.MQTTv5:
            self._in_packet["packet"] = without_properties(self._in_packet["command"], self._in_packet["packet"])
        return super()._handle_publish()


def without_properties(command: int, body: bytearray) -> bytearray:
    """A PUBLISH of MQTT 5 with none. Nothing is asked of them, and paho refuses some that are right (U+FEFF in a text) and is
    slow at many: a gateway that says such a thing would end the connection for everybody, each time it is delivered again.

    What is too short for its own lengths is given back as it is: paho says what is wrong with it.
    """
    begin = 2 + int.from_bytes(body[:2], "big") + (2 if command & 0x06 else 0)
    length = shift = 0
    for place in range(begin, min(begin + 4, len(body))):
        length |= (body[place] & 0x7F) << shift
        shift += 7
        if body[place] < 0x80:
            end = place + 1 + length
            return body if end > len(body) else body[:begin] + b"\0" + body[end:]
    return body
