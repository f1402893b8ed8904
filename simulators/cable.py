"""A cable that can be broken on command: a TCP proxy between a service, or a device, and a real server."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable
from urllib.parse import urlsplit, urlunsplit

_CHUNK_BYTES = 65536
_SLICE_S = 0.05


class FaultProxy:
    """Listens on loopback, forwards to a target, and can be told to fail.

    cut()        every present connection is reset; new ones are served
    refuse()     nobody listens: present connections are reset, new ones refused
    pause()      deaf: connections stay, new ones are taken, nothing is read or passed on
    throttle(n)  n bytes a second, each way and each connection
    restore()    as at the beginning
    """

    def __init__(self, target_host: str, target_port: int) -> None:
        self._target = (target_host, target_port)
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._open = asyncio.Event()
        self._open.set()
        self._changed = asyncio.Event()
        self._bytes_per_s: float | None = None
        self.port = 0
        self.accepted = 0
        self.passed_bytes = 0

    @property
    def connections(self) -> int:
        return len(self._links)

    def url(self, of: str) -> str:
        """The URL of the target's service, through this proxy."""
        parts = urlsplit(of)
        credential = parts.netloc.rpartition("@")[0]
        address = f"127.0.0.1:{self.port}"
        return urlunsplit(parts._replace(netloc=f"{credential}@{address}" if credential else address))

    @classmethod
    async def before(cls, url: str) -> "FaultProxy":
        """A started proxy before the server of that URL."""
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None, "a URL without a port"
        proxy = cls(parts.hostname, parts.port)
        await proxy.start()
        return proxy

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._stop_listening()
        await self.cut()

    async def cut(self) -> None:
        links = list(self._links)
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    async def refuse(self) -> None:
        self._stop_listening()
        await self.cut()

    def pause(self) -> None:
        self._open.clear()
        self._tell()

    def throttle(self, bytes_per_s: float) -> None:
        self._bytes_per_s = bytes_per_s
        self._tell()

    async def restore(self) -> None:
        self._bytes_per_s = None
        self._open.set()
        self._tell()
        if self._server is None:
            await self.start()

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _tell(self) -> None:
        """Wake whoever waits out a slice of throttled time."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.current_task()
        assert link is not None
        self._links.add(link)
        self.accepted += 1
        writers = [writer]
        end = asyncio.StreamWriter.close
        try:
            await self._open.wait()
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            writers.append(far_writer)
            await _first_of(self._pass_on(reader, far_writer), self._pass_on(far_reader, writer))
        except (OSError, asyncio.CancelledError):
            # Cancelled by cut(). Not raised on: asyncio's server would report it as a failure of this handler.
            end = _reset
        finally:
            self._links.discard(link)
            for each in writers:
                end(each)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await self._open.wait()
            rate = self._bytes_per_s
            chunk = await reader.read(_CHUNK_BYTES if rate is None else max(1, int(rate * _SLICE_S)))
            if not chunk:
                return
            await self._open.wait()  # what was read just as we went deaf waits too
            writer.write(chunk)
            await writer.drain()
            self.passed_bytes += len(chunk)
            if rate is not None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), len(chunk) / rate)


async def _first_of(*directions: Awaitable[None]) -> None:
    """One direction ending ends the link; the other is not left behind."""
    tasks = [asyncio.ensure_future(direction) for direction in directions]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _reset(writer: asyncio.StreamWriter) -> None:
    """A cut cable does not say goodbye: RST instead of FIN."""
    with contextlib.suppress(OSError):  # already gone
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
