"""One page over plain http, for phones that trust nothing of ours yet: how to, and the certificate to trust. Nothing else."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from embedded.errors import from_os

_PATIENCE_S = 5.0
_HEAD_BYTES_MAX = 8_192
AT_ONCE_MAX = 64


@dataclass(frozen=True, slots=True)
class Sheet:
    media_type: str
    body: bytes


@asynccontextmanager
async def standing(address: str, port: int, sheets: Mapping[str, Sheet]) -> AsyncGenerator[int]:
    """Serves these by their path for the length of the block; gives the port. Raises EmbeddedError.

    Whoever comes while AT_ONCE_MAX are served is hung up on: nobody waits, so that nothing piles up here.
    """
    meetings: set[asyncio.Task[None]] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_answer(head, sheets))
                writer.close()
                await writer.wait_closed()  # it goes when all is sent
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # who says nothing we understand is told nothing
        finally:
            writer.transport.abort()

    def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(meetings) >= AT_ONCE_MAX:
            writer.transport.abort()
            return
        meeting = asyncio.create_task(meet(reader, writer))
        meetings.add(meeting)
        meeting.add_done_callback(meetings.discard)

    try:
        server = await asyncio.start_server(met, address, port, limit=_HEAD_BYTES_MAX)
    except OSError as error:
        raise from_os(error, f"the page for phones cannot listen on {address}:{port}") from error
    async with server:
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            for each in meetings:
                each.cancel()
            await asyncio.gather(*meetings, return_exceptions=True)


def _answer(head: bytes, sheets: Mapping[str, Sheet]) -> bytes:
    method, _, rest = head.partition(b" ")
    path = rest.split(b" ", 1)[0].split(b"?", 1)[0].decode("ascii", errors="replace")
    found = sheets.get(path)
    if method not in (b"GET", b"HEAD") or found is None:
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    lines = (
        "HTTP/1.1 200 OK",
        f"Content-Type: {found.media_type}",
        f"Content-Length: {len(found.body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'",
        "Connection: close",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if method == b"HEAD" else found.body)
