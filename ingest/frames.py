"""PUBLISH frames of MQTT 3.1.1 cut out of what was read in bulk; every other frame is handed on as it is. Pure.

paho reads a packet in many small steps (45 to 90 microseconds each); nearly all of what comes is PUBLISH, and its few
fields can be cut in place. Whatever the bytes are, this ends in messages, frames for paho, or `flaw`: never in a
buffer that grows. A frame too large to be taken is not kept: its beginning is, and the rest is counted through.
"""

from typing import Final

from msgspec import structs

from ingest.delivery import SAMPLE_BYTES, Delivery

TOPICS_CACHED_MAX = 65_536
TOPIC_BYTES_MAX = 256  # longer than any topic of ours can be; of a longer one the beginning is kept
OTHER_FRAME_BYTES_MAX = 65_536  # acknowledgements and answers; a SUBACK has a byte per subscription

_PUBLISH: Final = 0x30
_LENGTH_BYTES_MAX: Final = 4


class Frames:
    """The bytes of one connection, in order: `feed` what was read, then `cut` while there may be more."""

    def __init__(self, connection: int, payload_bytes_max: int) -> None:
        self.flaw: str | None = None  # why nothing more can be understood
        self._connection, self._payload_bytes_max = connection, payload_bytes_max
        self._topics: dict[bytes, str] = {}
        self._data, self._position = b"", 0
        self._partial = bytearray()  # the beginning of a frame whose end has not come
        self._wanted = 0  # so many bytes are needed before looking again is worth it
        self._skip = 0  # so much of an oversize frame is still to come
        self._oversize: Delivery | None = None

    @property
    def is_paused(self) -> bool:
        """Whether the last `cut` stopped for want of room."""
        return self._position < len(self._data)

    def feed(self, chunk: bytes) -> None:
        """What came next. Not while paused; after a flaw nothing is taken any more."""
        assert not self.is_paused, "what is here is cut first"
        if self.flaw is not None:
            return
        if not self._partial:
            self._data, self._position = chunk, 0
            return
        self._partial += chunk
        if len(self._partial) >= self._wanted:
            self._data, self._position = bytes(self._partial), 0
            self._partial.clear()

    def cut(self, received_ms: int, messages_max: int, bytes_max: int) -> tuple[list[Delivery], bytes]:
        """Messages, until so many or so many bytes of payload are reached, and the other frames among them."""
        messages: list[Delivery] = []
        others: list[bytes] = []
        data, topics, connection, payload_max = self._data, self._topics, self._connection, self._payload_bytes_max
        there, held, self._wanted = len(data), 0, 0
        position = self._skip_through(received_ms, messages) if self._skip else self._position
        while position + 1 < there and len(messages) < messages_max and held < bytes_max:
            header, length, begin = data[position], data[position + 1], position + 2
            if length > 127:
                length, begin = self._long_length(position)
                if begin == 0:
                    break
            end = begin + length
            if header & 0xF0 != _PUBLISH:
                if not self._is_whole(header, position, end):
                    break
                others.append(data[position:end])
                position = end
                continue
            topic_begin, quality = begin + 2, header & 0x06
            if topic_begin > there and length >= 2:
                self._wanted = topic_begin - position
                break
            topic_end = topic_begin + (data[begin] << 8 | data[begin + 1]) if length >= 2 else end + 1
            payload_begin = topic_end + 2 if quality else topic_end
            size = end - payload_begin
            if size < 0 or topic_end == topic_begin or quality > 2:
                self.flaw = "a PUBLISH that is malformed" if quality <= 2 else "a PUBLISH of a quality nobody asked for"
                break
            kept_end = end if size <= payload_max else payload_begin + min(size, SAMPLE_BYTES)
            if kept_end > there:
                self._wanted = kept_end - position
                break
            packet_id = data[topic_end] << 8 | data[topic_end + 1] if quality else 0
            if quality and not packet_id:
                self.flaw = "a PUBLISH that bears no packet id"
                break
            raw = data[topic_begin:topic_end]
            topic = topics.get(raw) or self._name(raw)
            payload = data[payload_begin:kept_end]
            message = Delivery(topic, payload, size, received_ms, packet_id, connection, header & 1 == 1)
            if end > there:
                self._oversize, self._skip, position = message, end - there, there
                break
            held += kept_end - payload_begin
            messages.append(message)
            position = end
        self._put_back(position, is_full=len(messages) >= messages_max or held >= bytes_max)
        return messages, b"".join(others)

    def _is_whole(self, header: int, position: int, end: int) -> bool:
        """Whether a frame that is no PUBLISH is all there."""
        if end - position > OTHER_FRAME_BYTES_MAX:
            self.flaw = f"a frame of type {header >> 4} with {end - position} bytes"
        if self.flaw is not None or end > len(self._data):
            self._wanted = end - position
            return False
        return True

    def _put_back(self, position: int, *, is_full: bool) -> None:
        """Keep what is left: for the next call when there was no room, else for when more has come."""
        self._position = position
        if self.flaw is not None:
            self._data, self._position = b"", 0
        elif not is_full and position < len(self._data):
            self._partial += self._data[position:]
            self._data, self._position = b"", 0

    def _skip_through(self, received_ms: int, messages: list[Delivery]) -> int:
        """Pass over the rest of an oversize frame. It counts once all of it has come, as with any other."""
        passed = min(self._skip, len(self._data) - self._position)
        self._skip -= passed
        if not self._skip and self._oversize is not None:
            one, self._oversize = self._oversize, None
            messages.append(structs.replace(one, received_ms=received_ms))
        return self._position + passed

    def _long_length(self, position: int) -> tuple[int, int]:
        """A remaining length of more than one byte, and where it ends; (0, 0) when it is not all there, or none."""
        length = 0
        for place in range(_LENGTH_BYTES_MAX):
            at = position + 1 + place
            if at >= len(self._data):
                self._wanted = at - position + 1
                return 0, 0
            each = self._data[at]
            length |= (each & 0x7F) << (7 * place)
            if each < 128:
                return length, at + 1
        self.flaw = "a remaining length of more than four bytes"
        return 0, 0

    def _name(self, raw: bytes) -> str:
        """A topic as text, from now on known."""
        name = topic_of(raw)
        if len(raw) <= TOPIC_BYTES_MAX:
            if len(self._topics) >= TOPICS_CACHED_MAX:
                self._topics.clear()
            self._topics[raw] = name
        return name


def topic_of(raw: bytes) -> str:
    """A topic as text. One that is no UTF-8 is told so that a person can read it.

    What comes after us holds and remembers topics by their number: bounded here, they are bounded in bytes.
    """
    return raw[:TOPIC_BYTES_MAX].decode("utf-8", "backslashreplace")
