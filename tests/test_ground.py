"""The fixtures themselves: the proxy breaks what it says, waiting ends, databases are apart, nobody leaves loopback."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from psycopg import sql

from simulators.cable import FaultProxy
from tests.fix_database import Connection, _drop, _run, clone, with_database
from tests.fix_proxy import OpenProxy
from tests.fix_sockets import OutsideWorldError, is_local
from tests.fix_wait import Eventually


@asynccontextmanager
async def echo_server() -> AsyncIterator[str]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


@pytest.fixture
async def echo(open_proxy: OpenProxy) -> AsyncIterator[FaultProxy]:
    """A proxy before a server that says back what it hears."""
    async with echo_server() as url:
        yield await open_proxy(url)


class Line:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def says_back(self, text: bytes, within_s: float = 5.0) -> bool:
        self.writer.write(text)
        try:
            return await asyncio.wait_for(self.reader.readexactly(len(text)), within_s) == text
        except TimeoutError:
            return False


@asynccontextmanager
async def line(proxy: FaultProxy) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield Line(reader, writer)
    finally:
        writer.transport.abort()


async def test_the_proxy_passes_everything_on(echo: FaultProxy) -> None:
    async with line(echo) as opened:
        assert await opened.says_back(b"x" * 1_000_000)
    assert echo.accepted == 1


async def test_cut_resets_what_is_open_and_serves_what_comes(echo: FaultProxy) -> None:
    async with line(echo) as opened:
        assert await opened.says_back(b"hello")
        await echo.cut()
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await opened.says_back(b"hello")
    assert echo.connections == 0
    async with line(echo) as opened:
        assert await opened.says_back(b"hello")


async def test_refuse_turns_everyone_away_until_restored(echo: FaultProxy) -> None:
    port = echo.port
    await echo.refuse()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    await echo.restore()
    assert echo.port == port
    async with line(echo) as opened:
        assert await opened.says_back(b"hello")


async def test_pause_is_deaf_and_loses_nothing(echo: FaultProxy) -> None:
    async with line(echo) as opened:
        assert await opened.says_back(b"before")
        echo.pause()
        assert not await opened.says_back(b"during", within_s=0.1)
        async with line(echo) as late:
            assert not await late.says_back(b"late", within_s=0.1)
            await echo.restore()
            assert await opened.reader.readexactly(6) == b"during"
            assert await late.reader.readexactly(4) == b"late"


async def test_throttle_slows_and_restore_lets_go(echo: FaultProxy) -> None:
    async with line(echo) as opened:
        echo.throttle(10_000)
        begun = time.monotonic()
        assert await opened.says_back(b"x" * 3_000)
        assert time.monotonic() - begun > 0.2
        assert not await opened.says_back(b"x" * 100_000, within_s=0.1)
        await echo.restore()
        assert len(await asyncio.wait_for(opened.reader.readexactly(100_000), 30)) == 100_000


async def test_the_proxy_s_url_keeps_the_credential_and_the_path(open_proxy: OpenProxy) -> None:
    async with echo_server() as url:
        proxy = await open_proxy(url)
    assert proxy.url("postgresql://u:p@127.0.0.1:5/db") == f"postgresql://u:p@127.0.0.1:{proxy.port}/db"
    assert proxy.url("mqtt://127.0.0.1:5") == f"mqtt://127.0.0.1:{proxy.port}"


async def test_eventually_gives_the_first_true_answer(eventually: Eventually) -> None:
    answers = iter([0, None, 3])

    async def predicate() -> int | None:
        return next(answers)

    assert await eventually(predicate) == 3


async def test_eventually_ends_with_the_last_reason(eventually: Eventually) -> None:
    with pytest.raises(pytest.fail.Exception, match="still 0 after"):
        await eventually(lambda: 0, 0.05)

    def doubtful() -> bool:
        raise AssertionError("two of three")

    with pytest.raises(AssertionError, match="two of three"):
        await eventually(doubtful, 0.05)


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.org", 80)])
def test_nobody_leaves_loopback(address: tuple[str, int]) -> None:
    with socket.socket() as outward, pytest.raises(OutsideWorldError, match=address[0]):
        outward.connect(address)
    with socket.socket() as outward, pytest.raises(OutsideWorldError):
        outward.connect_ex(address)


def test_loopback_is_local() -> None:
    assert is_local(socket.AF_INET, ("127.0.0.1", 1))
    assert is_local(socket.AF_INET, ("localhost", 1))
    assert is_local(socket.AF_INET6, ("::1", 1, 0, 0))
    assert is_local(socket.AF_UNIX, "/any")
    assert not is_local(socket.AF_INET6, ("2001:db8::1", 1, 0, 0))


async def test_clones_are_apart_and_dropped_while_in_use(database_server: str) -> None:
    await _run(database_server, sql.SQL("CREATE DATABASE {}"), "tz_ground_template")
    try:
        for name in ("tz_ground_one", "tz_ground_two"):
            await clone(database_server, "tz_ground_template", name)
        one = await psycopg.AsyncConnection.connect(with_database(database_server, "tz_ground_one"), autocommit=True)
        await one.execute("CREATE TABLE mine (n int)")
        two = await psycopg.AsyncConnection.connect(with_database(database_server, "tz_ground_two"), autocommit=True)
        with pytest.raises(psycopg.errors.UndefinedTable):
            await two.execute("SELECT * FROM mine")
        await _drop(database_server, "tz_ground_one")
        await one.close()
        await two.close()
    finally:
        for name in ("tz_ground_one", "tz_ground_two", "tz_ground_template"):
            await _drop(database_server, name)


async def test_a_test_s_database_is_migrated_and_in_a_transaction(connection: Connection) -> None:
    found = await (await connection.execute("SELECT count(*) FROM pg_tables WHERE tablename = 'site'")).fetchone()
    assert found == (1,)
    assert connection.info.transaction_status is psycopg.pq.TransactionStatus.INTRANS
