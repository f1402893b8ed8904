"""Starting and stopping: no token, a port that is taken, a database that is not there, and an orderly end."""

import asyncio
import contextlib
import gc
import logging
import socket
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from fastapi.routing import APIRoute

from api import server
from api.app import ShortToken
from api.server import AddressTaken, NoCertificate, listening, serve
from embedded import authority
from ledger.errors import LedgerError
from settings import Settings
from tests.api.conftest import PACKS, TOKEN, Estate, StandingClock
from tests.fix_proxy import OpenProxy
from tests.fix_wait import Eventually


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def settings(port: int, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TAIZHANG_API_TOKEN", TOKEN)
    monkeypatch.setenv("TAIZHANG_API_PORT", str(port))
    return Settings()


async def test_it_serves_until_it_is_told_to_stop(
    settings: Settings, database_url: str, estate: Estate, clock: StandingClock, eventually: Eventually
) -> None:
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(settings, PACKS, clock=clock, stop=stop, database_url=database_url))
    url = f"http://127.0.0.1:{settings.api_port}/api/v1"
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as client:

        async def alive() -> bool:
            try:
                return (await client.get(f"{url}/health")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(alive)
        assert [each["key"] for each in (await client.get(f"{url}/sites")).json()["items"]] == ["garden", "harbour"]
    stop.set()
    await asyncio.wait_for(serving, 30)
    with listening("127.0.0.1", settings.api_port):
        pass


async def test_routes_are_not_looked_through_for_garbage_while_people_wait(
    settings: Settings, database_url: str, estate: Estate, clock: StandingClock, eventually: Eventually
) -> None:
    stop = asyncio.Event()
    gc.unfreeze()
    serving = asyncio.create_task(serve(settings, PACKS, clock=clock, stop=stop, database_url=database_url))

    async def answers() -> bool:
        with contextlib.suppress(httpx.TransportError):
            async with httpx.AsyncClient() as client:
                return (await client.get(f"http://127.0.0.1:{settings.api_port}/api/v1/health")).status_code == 200
        return False

    await eventually(answers)
    assert not any(type(each) is APIRoute for each in gc.get_objects())
    stop.set()
    await asyncio.wait_for(serving, 30)


async def test_a_connection_that_a_client_still_keeps_is_not_closed_by_the_service(
    settings: Settings, database_url: str, clock: StandingClock, eventually: Eventually
) -> None:
    """Httpx keeps one for five seconds, as uvicorn does by default: whichever was first, now and then."""
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(settings, PACKS, clock=clock, stop=stop, database_url=database_url))

    async def alive() -> bool:
        with contextlib.suppress(OSError):
            _, opened = await asyncio.open_connection("127.0.0.1", settings.api_port)
            opened.close()
            return True
        return False

    await eventually(alive)
    reader, writer = await asyncio.open_connection("127.0.0.1", settings.api_port)
    for _ in range(2):
        writer.write(b"GET /api/v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        assert head.startswith(b"HTTP/1.1 200")
        await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 6)
    writer.close()
    stop.set()
    await asyncio.wait_for(serving, 30)


async def test_with_a_token_that_can_be_guessed_it_does_not_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, database_url: str, clock: StandingClock
) -> None:
    monkeypatch.setenv("TAIZHANG_API_TOKEN", "fifteen-letters")
    with pytest.raises(ShortToken, match="TAIZHANG_API_TOKEN"):
        await serve(Settings(), PACKS, clock=clock, stop=asyncio.Event(), database_url=database_url)


async def test_a_taken_port_is_told_in_words(settings: Settings, database_url: str, clock: StandingClock) -> None:
    with listening("127.0.0.1", settings.api_port), pytest.raises(AddressTaken, match=f"port {settings.api_port}"):
        await serve(settings, PACKS, clock=clock, stop=asyncio.Event(), database_url=database_url)


async def test_a_certificate_that_cannot_be_used_is_told_in_words(
    settings: Settings, database_url: str, clock: StandingClock, tmp_path: Path
) -> None:
    (tmp_path / "server.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    files = {"api_tls_certificate": tmp_path / "server.pem", "api_tls_key": tmp_path / "none.pem"}
    for wrong in (files, files | {"api_tls_certificate": tmp_path / "none.pem"}):
        with pytest.raises(NoCertificate, match="TAIZHANG_API_TLS_CERTIFICATE"):
            given = settings.model_copy(update=wrong)
            await serve(given, PACKS, clock=clock, stop=asyncio.Event(), database_url=database_url)


async def test_a_key_with_a_pass_phrase_is_refused_and_nobody_is_asked_for_it(
    settings: Settings, database_url: str, clock: StandingClock, tmp_path: Path
) -> None:
    served = authority.certify(tmp_path, "127.0.0.1", clock())
    key = serialization.load_pem_private_key(served.key.read_bytes(), password=None)
    locked = serialization.BestAvailableEncryption(b"secret")
    served.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
    given = settings.model_copy(update={"api_tls_certificate": served.certificate, "api_tls_key": served.key})
    with pytest.raises(NoCertificate, match="pass phrase"):
        await serve(given, PACKS, clock=clock, stop=asyncio.Event(), database_url=database_url)


async def test_a_database_that_is_not_there_yet_is_waited_for(
    settings: Settings,
    database_url: str,
    estate: Estate,
    clock: StandingClock,
    open_proxy: OpenProxy,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(server, "DATABASE_RETRY_S", 0.05)
    proxy = await open_proxy(database_url)
    await proxy.refuse()
    url = f"{proxy.url(database_url)}?connect_timeout=1"
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(settings, PACKS, clock=clock, stop=stop, database_url=url))
    async with httpx.AsyncClient(timeout=60) as client:
        asking = asyncio.create_task(client.get(f"http://127.0.0.1:{settings.api_port}/api/v1/health"))
        await eventually(lambda: "trying again" in caplog.text, 30)
        await proxy.restore()
        assert (await asking).status_code == 200
    stop.set()
    await asyncio.wait_for(serving, 30)


async def test_waiting_for_a_database_can_be_stopped(
    settings: Settings, database_url: str, clock: StandingClock, open_proxy: OpenProxy
) -> None:
    proxy = await open_proxy(database_url)
    await proxy.refuse()
    stop = asyncio.Event()
    url = f"{proxy.url(database_url)}?connect_timeout=1"
    serving = asyncio.create_task(serve(settings, PACKS, clock=clock, stop=stop, database_url=url))
    stop.set()
    await asyncio.wait_for(serving, 30)


def test_what_keeps_it_from_starting_is_expected_by_the_command_line() -> None:
    assert issubclass(ShortToken, LedgerError)
    assert issubclass(AddressTaken, LedgerError)


def test_listening_beyond_this_machine_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), listening("127.0.0.1", 0), listening("localhost", 0):
        assert not caplog.records
    with caplog.at_level(logging.WARNING), listening("0.0.0.0", 0):
        assert "put TLS in front of it" in caplog.text
