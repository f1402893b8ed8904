"""The embedded broker keeps what it acknowledged, holds users to their permissions, and refuses in plain words."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from embedded import broker as embedded_broker
from embedded import process
from embedded.broker import Broker, Limits, User, answers_connect, gateway_user, ingest_user
from embedded.errors import DirectoryInUseError, EmbeddedError, PortTakenError
from tests.embedded.conftest import Holder
from tests.fix_broker import MakeDevice
from tests.fix_wait import Eventually

TELEMETRY = "tz/v1/{}/pump-1/telemetry"


async def test_an_acknowledged_message_survives_kill_and_restart(
    broker: Broker, device: MakeDevice, eventually: Eventually
) -> None:
    reader = await device(broker.url, "reader", clean=False).connect(eventually)
    assert await reader.subscribe("tz/v1/+/+/telemetry", eventually)
    reader.leave()
    writer = await device(broker.url, "writer").connect(eventually)
    for n in range(200):
        writer.publish(TELEMETRY.format("site"), str(n).encode())
    writer.leave()
    url = broker.url
    broker.kill()
    await broker.start()
    assert broker.url == url
    again = await device(broker.url, "reader", clean=False).connect(eventually)
    assert again.session_present == [True]
    await eventually(lambda: len(again.heard) >= 200)
    assert {int(payload) for _, payload in again.heard} == set(range(200))


async def test_a_retained_status_survives_stop_and_start(
    broker: Broker, device: MakeDevice, eventually: Eventually
) -> None:
    gateway = await device(broker.url, "gateway").connect(eventually)
    gateway.publish("tz/v1/site/gateways/g1/status", b"online", retain=True)
    gateway.leave()
    await broker.stop()
    await broker.start()
    reader = await device(broker.url, "reader").connect(eventually)
    await reader.subscribe("tz/v1/+/gateways/+/status", eventually)
    await eventually(lambda: reader.heard == [("tz/v1/site/gateways/g1/status", b"online")])


async def test_running_gives_a_url_and_stops_at_the_end(tmp_path: Path) -> None:
    async with embedded_broker.running(tmp_path / "mqtt") as url:
        port = urlsplit(url).port
        assert port is not None
        assert answers_connect("127.0.0.1", port)
    assert not answers_connect("127.0.0.1", port)


async def test_users_are_held_to_what_is_theirs(tmp_path: Path, device: MakeDevice, eventually: Eventually) -> None:
    north, south = gateway_user("north", "g1", "p 'x\"1"), gateway_user("south", "g1", "$ecret")
    ingest = ingest_user("ingest", "pi#")
    async with embedded_broker.running(tmp_path / "mqtt", users=[north, south, ingest]) as url:
        reader = await device(url, "reader", ingest).connect(eventually)
        assert await reader.subscribe("tz/v1/+/+/telemetry", eventually)
        assert await reader.subscribe("tz/v1/+/gateways/+/status", eventually)
        assert await reader.subscribe("tz/v1/+/alarms/+", eventually)
        assert not await reader.subscribe("other/#", eventually)
        gateway = await device(url, "gateway", north).connect(eventually)
        for refused in (
            "tz/v1/south/pump-1/telemetry",
            "tz/v1/north/gateways/g2/status",
            "tz/v1/north/alarms/c1",
            "tz/v1/north/pump-1",
            "other",
        ):
            gateway.publish(refused, b"refused")
        gateway.publish("tz/v1/north/pump-1/telemetry", b"1")
        gateway.publish("tz/v1/north/gateways/g1/status", b"2", retain=True)
        reader.publish("tz/v1/north/alarms/c1", b"3")
        reader.publish("tz/v1/north/pump-1/telemetry", b"refused: ingest writes no telemetry")
        neighbour = await device(url, "neighbour", south).connect(eventually)
        neighbour.publish("tz/v1/south/pump-1/telemetry", b"4")
        await eventually(lambda: len(reader.heard) >= 4)
        assert sorted(payload for _, payload in reader.heard) == [b"1", b"2", b"3", b"4"]
        for topic in ("tz/v1/north/#", "tz/v1/south/#", "#", "tz/v1/north/alarms/+"):
            assert not await gateway.subscribe(topic, eventually), topic


async def test_without_a_credential_nobody_enters(tmp_path: Path, device: MakeDevice, eventually: Eventually) -> None:
    known = gateway_user("north", "gw", "p1")
    async with embedded_broker.running(tmp_path / "mqtt", users=[known]) as url:
        for user in (None, User(known.name, "wrong"), User("stranger", "p1")):
            refused = await device(url, "refused", user).connect(eventually)
            assert refused.connected[0] is False
            refused.leave()
        port = urlsplit(url).port or 0
        assert not answers_connect("127.0.0.1", port)
        assert answers_connect("127.0.0.1", port, known)


async def test_passwords_are_for_the_owner_alone(tmp_path: Path) -> None:
    user = User("gw/1", "p@ss")
    server = Broker(tmp_path / "mqtt", users=[user])
    await server.start()
    config = tmp_path / "mqtt" / "nats.conf"
    assert "p@ss" in config.read_text(encoding="utf-8")
    assert config.stat().st_mode & 0o777 == 0o600
    assert server.url_for(user) == server.url.replace("://", "://gw%2F1:p%40ss@")
    await server.stop()


async def test_a_reader_that_does_not_acknowledge_is_sent_so_much_and_no_more(
    tmp_path: Path, device: MakeDevice, eventually: Eventually
) -> None:
    limits = Limits(unacknowledged_max=10, redeliver_after_s=60)
    async with embedded_broker.running(tmp_path / "mqtt", limits=limits, sync_always=False) as url:
        reader = device(url, "reader")
        reader._client.manual_ack_set(True)
        await reader.connect(eventually)
        await reader.subscribe("tz/v1/+/+/telemetry", eventually)
        writer = await device(url, "writer").connect(eventually)
        for n in range(20):
            writer.publish(TELEMETRY.format("site"), str(n).encode())
        await eventually(lambda: len(reader.heard) == 10)
        # An answer to a later subscription shows that the broker had time to send an eleventh.
        await reader.subscribe("tz/v1/+/alarms/+", eventually)
        assert len(reader.heard) == 10


async def test_a_given_port_is_used_and_a_taken_one_refused(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"127.0.0.1:{port}.*choose another port"):
            await Broker(tmp_path / "mqtt", port=port).start()
    async with embedded_broker.running(tmp_path / "mqtt", port=port) as url:
        assert url == f"mqtt://127.0.0.1:{port}"


async def test_a_directory_has_one_broker(broker: Broker, tmp_path: Path) -> None:
    with pytest.raises(DirectoryInUseError, match=f"process {os.getpid()}"):
        await Broker(tmp_path / "own_broker").start()
    assert broker.alive


async def test_a_pid_file_whose_pid_is_somebody_else_now_is_no_obstacle(
    broker: Broker, tmp_path: Path, stranger: subprocess.Popen[bytes]
) -> None:
    broker.kill()
    (tmp_path / "own_broker" / "nats.pid").write_text(str(stranger.pid), encoding="ascii")
    await broker.start()
    assert broker.alive
    assert stranger.poll() is None


async def test_a_broker_left_behind_is_stopped_and_replaced(broker: Broker) -> None:
    """As after a parent's death where the kernel does not tell the child."""
    child, broker._child = broker._child, None
    broker._lock.release()
    await broker.start()
    assert child is not None
    assert child.wait() >= 0, "it was asked, not killed"
    assert broker.pid != child.pid
    assert broker.alive


async def test_a_configuration_it_refuses_is_reported_in_its_words(tmp_path: Path) -> None:
    twice = User("same", "p")
    with pytest.raises(EmbeddedError, match=r"did not start; its last words(.|\n)*[Dd]uplicate user"):
        await Broker(tmp_path / "mqtt", users=[twice, twice]).start()


async def test_a_path_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match=r"cannot use .* as a data directory"):
        await Broker(tmp_path / "file" / "mqtt").start()


async def test_ctrl_c_in_the_terminal_does_not_reach_the_broker(broker: Broker) -> None:
    assert os.getsid(broker.pid) != os.getsid(0)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start stops it")
async def test_the_broker_ends_with_its_parent(
    tmp_path: Path, hold: Callable[[str, Path], Holder], eventually: Eventually
) -> None:
    config = tmp_path / "mqtt" / "nats.conf"
    holder, pid = hold("Broker", tmp_path / "mqtt")
    assert process.works_in(pid, config)
    holder.kill()
    await eventually(lambda: not process.works_in(pid, config))
