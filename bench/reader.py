"""A bare QoS 1 reader that discards: the least that can be done with a message. `python -m bench.reader URL COUNTERS`.

It cuts packets out of what the socket gives, gathers PUBACKs and sends them in one write. A persistent session, as
ingest has one.
"""

import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bench import frames
from bench.counters import CONSUMED, STARTED, STOP, Counters

_RECEIVE_BYTES = 1 << 18
_QUIET_S = 0.2
_CLIENT_ID = "bench-reader"


def main(arguments: Sequence[str]) -> None:
    url, path = arguments
    parts = urlsplit(url)
    with (
        Counters(Path(path)) as counters,
        socket.create_connection((parts.hostname, parts.port), timeout=30) as connection,
    ):
        connection.sendall(frames.connect(_CLIENT_ID, url, clean=False))
        if connection.recv(4, socket.MSG_WAITALL)[3:] != b"\0":
            raise ConnectionError("the broker does not take the reader")
        connection.sendall(frames.subscribe(1, "tz/v1/#"))
        connection.settimeout(_QUIET_S)
        counters[STARTED] = time.monotonic_ns()
        _discard(connection, counters)


def _discard(connection: socket.socket, counters: Counters) -> None:
    rest, seen = b"", 0
    while not counters[STOP]:
        try:
            data = connection.recv(_RECEIVE_BYTES)
        except TimeoutError:
            continue
        if not data:
            raise ConnectionError("the broker closed the reader's connection")
        acknowledgements, rest = cut(rest + data)
        seen += len(acknowledgements) // 4
        connection.sendall(acknowledgements)
        counters[CONSUMED] = seen


def cut(data: bytes) -> tuple[bytes, bytes]:
    """The PUBACKs for every whole QoS 1 PUBLISH in it, and the bytes of the packet that is not whole yet."""
    acknowledgements: list[bytes] = []
    at, end = 0, len(data)
    while end - at >= 5:
        kind, size, body = data[at], data[at + 1], at + 2
        if size & 0x80:
            size, body = (size & 0x7F) | data[body] << 7, body + 1
            if size & 0x4000:
                size, body = (size & 0x3FFF) | data[body] << 14, body + 1
        if body + size > end:
            break
        if kind & 0xF6 == frames.PUBLISH | 0x02:
            packet_id = body + 2 + (data[body] << 8 | data[body + 1])
            acknowledgements.append(b"\x40\x02" + data[packet_id : packet_id + 2])
        at = body + size
    return b"".join(acknowledgements), data[at:]


if __name__ == "__main__":
    main(sys.argv[1:])
