"""The embedded PostgreSQL keeps what it was given, through every way of ending it, and refuses in plain words."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from embedded import errors, postgres, process
from embedded.errors import DirectoryInUseError, EmbeddedError, PortTakenError
from embedded.postgres import Server
from tests.embedded.conftest import Holder
from tests.fix_wait import Eventually


async def run(url: str, statement: str) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as opened:
        cursor = await opened.execute(statement.encode())
        return await cursor.fetchall() if cursor.description else []


async def test_data_survives_stop_and_start_at_the_same_url(postgres: Server) -> None:
    url = postgres.url
    await run(url, "CREATE TABLE kept AS SELECT 7 AS n")
    await postgres.stop()
    assert not postgres.alive
    await postgres.start()
    assert postgres.url == url
    assert await run(url, "SELECT n FROM kept") == [(7,)]


async def test_committed_data_survives_kill(postgres: Server) -> None:
    await run(postgres.url, "CREATE TABLE kept AS SELECT 7 AS n")
    held = await psycopg.AsyncConnection.connect(postgres.url)
    await held.execute("INSERT INTO kept VALUES (8)")
    postgres.kill()
    await postgres.start()
    await held.close()
    assert await run(postgres.url, "SELECT n FROM kept") == [(7,)]


async def test_it_is_utf8_utc_and_asks_for_the_password(postgres: Server) -> None:
    shown = await run(postgres.url, "SELECT current_setting('server_encoding'), current_setting('timezone'), '电梯'")
    assert shown == [("UTF8", "UTC", "电梯")]
    wrong = postgres.url.replace("taizhang:", "taizhang:not", 1)
    with pytest.raises(psycopg.OperationalError, match="password"):
        await psycopg.AsyncConnection.connect(wrong)


async def test_the_password_is_for_its_owner_alone(postgres: Server, tmp_path: Path) -> None:
    directory = tmp_path / "own_postgres"
    assert (directory / "password").stat().st_mode & 0o777 == 0o600
    assert directory.stat().st_mode & 0o777 == 0o700


async def test_running_gives_a_url_and_stops_at_the_end(tmp_path: Path) -> None:
    async with postgres.running(tmp_path / "pg", fsync=False) as url:
        assert await run(url, "SELECT 1") == [(1,)]
    with pytest.raises(psycopg.OperationalError):
        await psycopg.AsyncConnection.connect(url)


async def test_a_given_port_is_used_and_a_taken_one_refused(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"127.0.0.1:{port}.*choose another port"):
            await Server(tmp_path / "pg", port=port, fsync=False).start()
    server = Server(tmp_path / "pg", port=port, fsync=False)
    await server.start()
    assert f":{port}/" in server.url
    await server.stop()


async def test_a_directory_has_one_server(postgres: Server, tmp_path: Path) -> None:
    with pytest.raises(DirectoryInUseError, match=f"process {os.getpid()}"):
        await Server(tmp_path / "own_postgres").start()
    assert await run(postgres.url, "SELECT 1") == [(1,)]


async def test_a_pid_file_whose_pid_is_somebody_else_now_is_no_obstacle(
    postgres: Server, tmp_path: Path, stranger: subprocess.Popen[bytes]
) -> None:
    pid_file = tmp_path / "own_postgres" / "cluster" / "postmaster.pid"
    stale = pid_file.read_text(encoding="ascii")
    for crashed in (True, False):  # with the rest of a crash around, and with the file alone
        if crashed:
            postgres.kill()
        else:
            await postgres.stop()
        pid_file.write_text(stale.replace(stale.split("\n")[0], str(stranger.pid), 1), encoding="ascii")
        await postgres.start()
        assert await run(postgres.url, "SELECT 1") == [(1,)]
    assert stranger.poll() is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start stops it: the test after this")
async def test_the_server_ends_with_its_parent(
    tmp_path: Path, hold: Callable[[str, Path], Holder], eventually: Eventually
) -> None:
    cluster = tmp_path / "pg" / "cluster"
    holder, pid = hold("Server", tmp_path / "pg")
    assert process.works_in(pid, cluster)
    holder.kill()
    await eventually(lambda: not process.works_in(pid, cluster))


async def test_a_server_left_behind_is_stopped_and_replaced(postgres: Server, tmp_path: Path) -> None:
    """As after a parent's death where the kernel does not tell the child."""
    await run(postgres.url, "CREATE TABLE kept AS SELECT 7 AS n")
    left = postgres.pid
    child, postgres._child = postgres._child, None
    postgres._lock.release()
    await postgres.start()
    assert child is not None
    assert child.wait() == 0, "it was asked, not killed"
    assert postgres.pid != left
    assert await run(postgres.url, "SELECT n FROM kept") == [(7,)]


async def test_an_initialisation_cut_short_is_done_again(tmp_path: Path) -> None:
    draft = tmp_path / "pg" / "cluster.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n", encoding="ascii")
    async with postgres.running(tmp_path / "pg", fsync=False) as url:
        assert await run(url, "SELECT 1") == [(1,)]
    assert not draft.exists()


async def test_a_cancelled_start_leaves_nothing_running(tmp_path: Path, eventually: Eventually) -> None:
    server = Server(tmp_path / "pg", fsync=False)
    start = asyncio.create_task(server.start())
    await eventually((tmp_path / "pg" / "cluster.new").exists)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert not server.alive
    await server.start()
    await server.stop()


async def test_a_cluster_of_another_version_is_refused(postgres: Server, tmp_path: Path) -> None:
    await postgres.stop()
    (tmp_path / "own_postgres" / "cluster" / "PG_VERSION").write_text("16\n", encoding="ascii")
    with pytest.raises(EmbeddedError, match="made by PostgreSQL 16, this is 18"):
        await postgres.start()


async def test_a_path_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match=r"cannot use .* as a data directory: (File exists|Not a directory)"):
        await Server(tmp_path / "file" / "pg").start()


async def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    """Longer than a unix socket's may be."""
    async with postgres.running(tmp_path / ("long" * 30) / "pg", fsync=False) as url:
        assert await run(url, "SELECT 1") == [(1,)]


async def test_ctrl_c_in_the_terminal_does_not_reach_the_server(postgres: Server) -> None:
    assert os.getsid(postgres.pid) != os.getsid(0)
    assert os.getpgid(postgres.pid) != os.getpgid(0)


@pytest.mark.parametrize(
    ("last_words", "advice"),
    [
        ('FATAL:  could not write lock file "postmaster.pid": No space left on device', "the disk is full"),
        ("ERROR:  could not extend file\nHINT:  Check free disk space.", "the disk is full"),
        ('could not bind IPv4 address "127.0.0.1": Address already in use', "port is taken"),
        ('Unix-domain socket path "/a/b" is too long (maximum 107 bytes)', "path of its data directory is too long"),
        ('could not open file "global/pg_control": Permission denied', "who owns the data directory"),
    ],
)
def test_a_server_s_last_words_become_advice(last_words: str, advice: str, tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text(last_words, encoding="utf-8")
    assert advice in str(process.failure("the server", log))


def test_unknown_last_words_are_shown(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("one\nsomething nobody foresaw\n", encoding="utf-8")
    assert errors.cause("something nobody foresaw") is None
    assert "something nobody foresaw" in str(process.failure("the server", log))


async def test_a_server_that_will_not_stop_is_killed(deaf: subprocess.Popen[bytes]) -> None:
    await process.stop(deaf, ((signal.SIGINT, 0.1),))
    assert deaf.returncode == -signal.SIGKILL


def user_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("Uid:")[2].split()[0])


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root has another user to become")
async def test_as_root_it_runs_as_another_user_also_where_that_user_may_not_go(tmp_path: Path) -> None:
    """As in a checkout below a directory with mode 0700. The directory's mode stays as it was."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = Server(closed / "pg", fsync=False)
    await server.start()
    assert user_of(server.pid) != 0
    assert await run(server.url, "SELECT 1") == [(1,)]
    await server.stop()
    assert closed.stat().st_mode & 0o777 == 0o700
