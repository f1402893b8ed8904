"""Serves the application over HTTP until it is told to stop, and then lets every stream say its last word."""

import asyncio
import contextlib
import gc
import logging
import socket
import ssl
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from api.app import furnish, refuse_short_token, routes
from api.service import Service
from inspection import checklist_reading
from ledger.errors import Refused, Unavailable
from ledger.pool import API_ROLE, Pool, open_pool
from rules.model import Pack
from settings import Now, Settings, is_loopback

POOL_SIZE_MAX = 16
SHUTDOWN_S = 5
DATABASE_RETRY_S = 2
# Longer than clients and proxies keep a connection they do not use (httpx 5 s, most proxies 60 s): who closes first
# must be the one who sends, else now and then a request meets a connection that is being closed.
KEEP_ALIVE_S = 75
log = logging.getLogger(__name__)


class AddressTaken(Refused):
    """Nothing can listen there."""


class NoCertificate(Refused):
    """The certificate or its key cannot be used."""


@dataclass(frozen=True, slots=True)
class Tls:
    certificate: Path
    key: Path

    def require(self) -> None:
        """Raises NoCertificate in words, instead of a traceback from the depth of a server or a question at a terminal."""
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key, self._refuse_encrypted)
        except OSError as error:  # ssl.SSLError is one
            raise NoCertificate(
                f"TAIZHANG_API_TLS_CERTIFICATE {self.certificate} with TAIZHANG_API_TLS_KEY {self.key} cannot be used: "
                f"{error.strerror or error}"
            ) from error

    def _refuse_encrypted(self) -> str:
        """Called for a pass phrase: nobody stands by who could give it."""
        raise NoCertificate(
            f"TAIZHANG_API_TLS_KEY {self.key} has a pass phrase: give a key without one, readable by the service only "
            f"(openssl pkey -in {self.key} -out KEY)"
        )


async def serve(
    settings: Settings, packs: Mapping[str, Pack], *, clock: Now, stop: asyncio.Event, database_url: str
) -> None:
    """Serve until `stop` is set; a database that is not there yet is waited for. Raises ShortToken, AddressTaken, NoCertificate."""
    refuse_short_token(settings)
    tls = None
    if settings.api_tls_certificate is not None and settings.api_tls_key is not None:
        tls = Tls(settings.api_tls_certificate, settings.api_tls_key)
        tls.require()
    with listening(settings.api_host, settings.api_port, in_clear=tls is None) as listener:
        async with contextlib.AsyncExitStack() as stack:
            pool = await _patient_pool(stack, database_url, stop)
            if pool is not None:
                book = checklist_reading.load()
                app = furnish(routes(), settings, pool=pool, packs=packs, book=book, clock=clock)
                _put_aside_what_stays()
                await run(app, listener, stop, tls)


def _put_aside_what_stays() -> None:
    """Routes, packs and what was imported are some hundred thousand objects. Each time Python's garbage collector looked
    through them, whoever waited for an answer or an alarm waited a tenth of a second longer.
    """
    gc.collect()
    gc.freeze()


async def _patient_pool(stack: contextlib.AsyncExitStack, database_url: str, stop: asyncio.Event) -> Pool | None:
    """The pool, as soon as the database is there; None when it was told to stop before that."""
    while not stop.is_set():
        try:
            return await stack.enter_async_context(open_pool(database_url, role=API_ROLE, size_max=POOL_SIZE_MAX))
        except Unavailable as error:
            log.warning("%s; trying again", error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), DATABASE_RETRY_S)
    return None


@contextlib.contextmanager
def listening(host: str, port: int, *, in_clear: bool = True) -> Generator[socket.socket]:
    """A bound socket. Raises AddressTaken in words, instead of a traceback from the depth of a server."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise AddressTaken(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    if in_clear and not is_loopback(host):
        log.warning("the api listens on %s: put TLS in front of it, passwords and tokens travel in clear", host)
    with listener:
        yield listener


async def run(app: FastAPI, listener: socket.socket, stop: asyncio.Event, tls: Tls | None = None) -> None:
    """Serve on a bound socket until `stop` is set; then end the streams, finish what is being answered, and return."""
    service: Service = app.state.service
    config = uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        proxy_headers=False,
        server_header=False,
        ssl_certfile=None if tls is None else tls.certificate,
        ssl_keyfile=None if tls is None else tls.key,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="http server")
    stopping = asyncio.create_task(stop.wait(), name="wait for stop")
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        service.feed.close()
        server.should_exit = True
        await serving
    finally:
        for task in (serving, stopping):
            task.cancel()
        await asyncio.gather(serving, stopping, return_exceptions=True)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: who started us watches the signals and sets `stop`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield
