"""Real PostgreSQL for tests: one server a session, one migrated template in it, a clone of that for each test.

The server is the embedded one with fsync off, or that of TAIZHANG_TEST_DATABASE_URL (a superuser's URL; CI gives
TimescaleDB). `postgres` is another matter: a server of the test's own, to be stopped and killed.
"""

import asyncio
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from embedded.postgres import Server
from tests.fix_wait import wait_until

MEMORY = Path("/dev/shm")
MEMORY_BYTES_MIN = 4 * 2**30  # a container has 64 MB there by default: too little
_PREFIX = "taizhang-tests-"
_SESSION_S_MAX = 86_400
_ROLES_LOCK = 5_190_023  # any number nobody else uses

Connection = psycopg.AsyncConnection[tuple[object, ...]]


def with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def database_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A superuser's URL of the session's server. Sync, so that no test's event loop owns it."""
    given = os.environ.get("TAIZHANG_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with _quickest(tmp_path_factory) as directory:
        server = Server(directory, fsync=False)
        try:
            asyncio.run(server.start())
            yield server.url
        finally:
            asyncio.run(server.stop())  # or it would run on over a directory that is gone


@contextmanager
def _quickest(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """Memory where there is plenty: a clone is a thousand files, and half of what a short test costs otherwise."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES_MIN:
        _clear_away(time.time())
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=MEMORY, ignore_cleanup_errors=True) as directory:
            yield Path(directory)
    else:
        yield tmp_path_factory.mktemp("postgres")


def _clear_away(now_s: float) -> None:
    """What killed sessions left in memory; one of today may still be at work."""
    for left in MEMORY.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # another session may clear away as well, or it is another user's
            if left.stat().st_mtime < now_s - _SESSION_S_MAX:
                shutil.rmtree(left, ignore_errors=True)


@pytest.fixture(scope="session")
def template_database(database_server: str) -> Iterator[str]:
    """The name of a database migrated once, which nobody is connected to any more."""
    name = f"tz_template_{uuid.uuid4().hex[:12]}"
    asyncio.run(_make_template(database_server, name))
    yield name
    asyncio.run(_drop(database_server, name))


@pytest.fixture
async def database_url(database_server: str, template_database: str) -> AsyncIterator[str]:
    """A migrated database of this test's own, as the server's superuser; dropped afterwards, whoever is connected."""
    name = f"tz_test_{uuid.uuid4().hex[:12]}"
    await clone(database_server, template_database, name)
    yield with_database(database_server, name)
    await _drop(database_server, name)


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    """A connection to `database_url`; not autocommit, rolled back at the end."""
    opened = await psycopg.AsyncConnection.connect(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def postgres(tmp_path: Path) -> AsyncIterator[Server]:
    """A started server of this test's own, unmigrated, for faults: stop(), kill(), start() again on the same url."""
    server = Server(tmp_path / "own_postgres", fsync=False)
    await server.start()
    yield server
    await server.stop()


async def clone(server_url: str, template: str, name: str) -> None:
    """Retried: TimescaleDB's launcher may look into the template for a moment, and then it cannot be copied."""

    async def copied() -> bool:
        try:
            await _run(server_url, sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"), name, template)
        except psycopg.errors.ObjectInUse as error:
            raise AssertionError(str(error)) from error
        return True

    await wait_until(copied)


@asynccontextmanager
async def roles_to_ourselves(url: str) -> AsyncGenerator[None]:
    """Roles belong to the whole server, which test processes of CI share: two that change one at once, one fails."""
    async with await psycopg.AsyncConnection.connect(with_database(url, "postgres"), autocommit=True) as opened:
        await opened.execute("SELECT pg_advisory_lock(%s)", [_ROLES_LOCK])
        yield


async def _make_template(server_url: str, name: str) -> None:
    from ledger.migrate import migrate  # here, so that tests without a ledger run while it does not import

    await _run(server_url, sql.SQL("CREATE DATABASE {}"), name)
    async with roles_to_ourselves(server_url):
        await migrate(with_database(server_url, name))
    await _stop_timescale_workers(with_database(server_url, name))
    # Nobody may connect from now on: TimescaleDB's launcher would look into it again, and what is connected to cannot
    # be cloned.
    await _run(server_url, sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false"), name)


async def _stop_timescale_workers(url: str) -> None:
    """They would hold the template open, which cannot be cloned then."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as opened:
        found = await opened.execute("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'")
        if await found.fetchone():
            await opened.execute("SELECT _timescaledb_functions.stop_background_workers()")


async def _drop(server_url: str, name: str) -> None:
    await _run(server_url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"), name)


async def _run(server_url: str, statement: sql.SQL, *names: str) -> None:
    async with await psycopg.AsyncConnection.connect(server_url, autocommit=True) as opened:
        await opened.execute(statement.format(*map(sql.Identifier, names)))
