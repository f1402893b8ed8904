"""The few bytes of MQTT 3.1.1 that a load generator and a bare reader need. Pure."""

from urllib.parse import unquote, urlsplit

PUBACK = 0x40
PUBLISH = 0x30
SUBACK = 0x90
CONNACK = 0x20


def text(words: str) -> bytes:
    encoded = words.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def length(size: int) -> bytes:
    encoded = bytearray()
    while True:
        size, digit = divmod(size, 128)
        encoded.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(encoded)


def connect(client_id: str, url: str, *, clean: bool) -> bytes:
    """No keep-alive: whoever measures knows when it is done."""
    parts = urlsplit(url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    flags = (0x02 if clean else 0) | (0xC0 if user else 0)
    fields = [client_id, *((user, password) if user else ())]
    body = b"\x00\x04MQTT\x04" + bytes([flags]) + b"\x00\x00" + b"".join(map(text, fields))
    return b"\x10" + length(len(body)) + body


def subscribe(packet_id: int, topic_filter: str) -> bytes:
    body = packet_id.to_bytes(2, "big") + text(topic_filter) + b"\x01"
    return b"\x82" + length(len(body)) + body


def publish(topic: str, payload: bytes, packet_id: int, *, retain: bool = False) -> bytes:
    """At QoS 1."""
    body = text(topic) + packet_id.to_bytes(2, "big") + payload
    return bytes([0x33 if retain else 0x32]) + length(len(body)) + body


def packet_id_at(topic: str, size: int) -> int:
    """Where the packet id of such a frame begins; `size` is that of the whole frame."""
    header = 2 if size - 2 < 128 else 3 if size - 3 < 16_384 else 4
    return header + 2 + len(topic.encode())
