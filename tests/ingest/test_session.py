"""The session on a real broker: nothing is acknowledged before it is settled, nothing is taken twice, and what is held is bounded."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bench.brokers import Mosquitto
from embedded.broker import Broker, Limits, User
from ingest import link as links
from ingest.delivery import SAMPLE_BYTES, Delivery
from ingest.session import Session
from settings import MqttVersion
from tests.fix_proxy import OpenProxy
from tests.fix_wait import Eventually, wait_until
from tests.mosquitto_rig import MOSQUITTO
from tests.mqtt_device import Device

UniqueKey = Callable[[str], str]


@asynccontextmanager
async def running(
    url: str,
    name: str,
    *,
    version: MqttVersion,
    held_messages_max: int = 100,
    payload_bytes_max: int = 1000,
    subscriptions: tuple[str, ...] = (),
) -> AsyncIterator[tuple[Session, list[Delivery]]]:
    """A running session and what arrived in it."""
    arrived: list[Delivery] = []
    made = Session(
        url,
        name,
        subscriptions or (f"tz/v1/{name}/#",),
        arrived=arrived.extend,
        now_ms=lambda: 1234,
        held_messages_max=held_messages_max,
        payload_bytes_max=payload_bytes_max,
        version=version,
    )
    task = asyncio.create_task(made.run())
    try:
        yield made, arrived
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture(params=["3.1.1", "5"])
def version(request: pytest.FixtureRequest) -> MqttVersion:
    """Each test is one of both, 5 with Mosquitto, which speaks it; where it is not installed that half is skipped."""
    return request.param


@pytest.fixture
def session(version: MqttVersion) -> Any:
    """`session(url, name, ...)`: a running session and what arrived in it."""
    return partial(running, version=version)


@pytest.fixture
def mqtt_url(version: MqttVersion, request: pytest.FixtureRequest, mqtt_url: str) -> str:
    return mqtt_url if version == "3.1.1" else request.getfixturevalue("mosquitto_url")


@asynccontextmanager
async def own(version: MqttVersion, directory: Path, limits: Limits | None = None) -> AsyncIterator[Broker | Mosquitto]:
    if version == "5" and MOSQUITTO is None:
        pytest.skip("Mosquitto is not installed")
    made = Mosquitto(directory) if version == "5" else Broker(directory, limits=limits, sync_always=False)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@pytest.fixture
async def broker(version: MqttVersion, tmp_path: Path) -> AsyncIterator[Broker | Mosquitto]:
    async with own(version, tmp_path / "own") as made:
        yield made


@pytest.fixture
async def impatient_broker(version: MqttVersion, tmp_path: Path) -> AsyncIterator[Broker | Mosquitto]:
    """Sends again what is not acknowledged: NATS within a second, Mosquitto when the reader comes back."""
    async with own(version, tmp_path / "impatient", Limits(redeliver_after_s=1.0)) as made:
        yield made


only_nats = pytest.mark.parametrize("version", ["3.1.1"])


@asynccontextmanager
async def device(url: str, eventually: Eventually, name: str) -> AsyncIterator[Device]:
    made = await Device(url, f"device-{name}").connect(eventually)
    try:
        yield made
    finally:
        made.leave()


async def connected(made: Session) -> None:
    await wait_until(lambda: made.connected_since_ms is not None)


def payloads(arrived: list[Delivery]) -> list[bytes]:
    return [each.payload for each in arrived]


async def test_what_is_not_settled_comes_again_and_what_is_does_not(session, impatient_broker, eventually) -> None:
    name, mqtt_url = "east", impatient_broker.url
    async with device(mqtt_url, eventually, name) as speaker:
        async with session(mqtt_url, name) as (made, arrived):
            await connected(made)
            for number in range(4):
                speaker.publish(f"tz/v1/{name}/x", b"%d" % number)
            await eventually(lambda: len(arrived) == 4)
            assert payloads(arrived) == [b"0", b"1", b"2", b"3"]
            assert {each.topic for each in arrived} == {f"tz/v1/{name}/x"}
            assert made.held == 4
            made.settle([arrived[0], arrived[2]])
            assert made.held == 2
            # Taken over at once, a connection is not read to its end by Mosquitto: what it confirms came behind the rest.
            assert await made.publish([("elsewhere", b"")]) == [True]
        async with session(mqtt_url, name) as (made, again):
            await eventually(lambda: len(again) >= 2)
            speaker.publish(f"tz/v1/{name}/x", b"last")
            await eventually(lambda: b"last" in payloads(again))
            assert sorted(payloads(again)) == [b"1", b"3", b"last"]
            made.settle(again)
            assert await made.publish([("elsewhere", b"")]) == [True]
        async with session(mqtt_url, name) as (made, third):
            await connected(made)
            speaker.publish(f"tz/v1/{name}/x", b"only")
            await eventually(lambda: third)
            assert payloads(third) == [b"only"]


async def test_what_is_said_while_nobody_listens_is_kept(session, mqtt_url, unique_key, eventually) -> None:
    name = unique_key("site")
    async with session(mqtt_url, name) as (made, _):
        await connected(made)
    async with device(mqtt_url, eventually, name) as speaker:
        speaker.publish(f"tz/v1/{name}/x", b"meanwhile")
    async with session(mqtt_url, name) as (_, arrived):
        await eventually(lambda: payloads(arrived) == [b"meanwhile"])


async def test_no_more_is_held_than_may_be(session, mqtt_url, unique_key, eventually) -> None:
    name = unique_key("site")
    async with (
        device(mqtt_url, eventually, name) as speaker,
        session(mqtt_url, name, held_messages_max=5) as (made, arrived),
    ):
        await connected(made)
        for number in range(20):
            speaker.publish(f"tz/v1/{name}/x", b"%d" % number, wait=False)
        await eventually(lambda: len(arrived) == 5)
        speaker.publish(f"tz/v1/{name}/x", b"acknowledged")  # the broker has had time to send more
        assert len(arrived) == 5
        assert made.is_pressed
        assert made.pressed_ms is not None
        seen = 0
        while seen < 21:
            await eventually(lambda: len(arrived) > seen)  # noqa: B023
            assert made.held <= 5
            made.settle(arrived[seen:])
            seen = len(arrived)
        assert payloads(arrived) == [*(b"%d" % number for number in range(20)), b"acknowledged"]


async def test_bytes_are_bounded_too(session, mqtt_url, unique_key, eventually, monkeypatch) -> None:
    monkeypatch.setattr("ingest.session.HELD_BYTES_MAX", 2_000)
    name = unique_key("site")
    async with device(mqtt_url, eventually, name) as speaker, session(mqtt_url, name) as (made, arrived):
        await connected(made)
        for _ in range(5):
            speaker.publish(f"tz/v1/{name}/x", b"x" * 1000)
        await eventually(lambda: made.is_pressed)
        assert len(arrived) == 2
        made.settle(arrived[:1])
        await eventually(lambda: len(arrived) == 3)


async def test_of_an_oversize_payload_only_the_beginning_is_kept(session, mqtt_url, unique_key, eventually) -> None:
    name = unique_key("site")
    async with device(mqtt_url, eventually, name) as speaker, session(mqtt_url, name) as (made, arrived):
        await connected(made)
        speaker.publish(f"tz/v1/{name}/x", b"x" * 100_000)
        speaker.publish(f"tz/v1/{name}/x", b"x" * 1000)
        await eventually(lambda: len(arrived) == 2)
        assert [(len(each.payload), each.size) for each in arrived] == [(SAMPLE_BYTES, 100_000), (1000, 1000)]


@only_nats
async def test_a_redelivery_on_the_same_connection_is_ignored(session, impatient_broker, eventually) -> None:
    """NATS sends again what is not acknowledged within its ack_wait."""
    url = impatient_broker.url
    async with device(url, eventually, "a") as speaker, session(url, "east") as (made, arrived):
        await connected(made)
        link = made._link
        assert link is not None
        came: list[bytes] = []
        hear = link._lane._hear
        link._lane._hear = lambda messages: (came.extend(each.payload for each in messages), hear(messages))
        speaker.publish("tz/v1/east/x", b"slow")
        await eventually(lambda: len(came) > 1)  # it came a second time
        assert payloads(arrived) == [b"slow"]
        assert made.held == 1
        made.settle(arrived)
        speaker.publish("tz/v1/east/x", b"next")
        await eventually(lambda: payloads(arrived) == [b"slow", b"next"])


# ------------------------------------------------------------------ a broken cable


async def test_a_cut_connection_is_made_again_and_nothing_is_lost(
    session, broker: Broker | Mosquitto, open_proxy: OpenProxy, eventually
) -> None:
    proxy = await open_proxy(broker.url)
    async with (
        device(broker.url, eventually, "a") as speaker,
        session(proxy.url(broker.url), "east") as (made, arrived),
    ):
        await connected(made)
        speaker.publish("tz/v1/east/x", b"before")
        await eventually(lambda: arrived)
        await proxy.cut()
        await eventually(lambda: made.connections == 2 and made.connected_since_ms is not None)
        made.settle(arrived)  # of a connection that is gone: it says nothing to the broker
        assert made.held == 0
        speaker.publish("tz/v1/east/x", b"after")
        await eventually(lambda: b"after" in payloads(arrived))


async def test_a_refused_connection_is_tried_again(
    session, broker: Broker | Mosquitto, open_proxy: OpenProxy, eventually
) -> None:
    proxy = await open_proxy(broker.url)
    await proxy.refuse()
    async with session(proxy.url(broker.url), "east") as (made, _):
        await proxy.restore()
        await connected(made)
        await broker.stop()
        await eventually(lambda: made.connected_since_ms is None)
        await broker.start()
        await connected(made)


async def test_a_broker_that_does_not_answer_is_given_up(
    session, broker: Broker | Mosquitto, open_proxy: OpenProxy, eventually, monkeypatch
) -> None:
    monkeypatch.setattr(links, "CONNECT_TIMEOUT_S", 0.2)
    proxy = await open_proxy(broker.url)
    proxy.pause()
    async with session(proxy.url(broker.url), "east") as (made, _):
        await eventually(lambda: proxy.accepted >= 2)  # it took the first connection, and was left
        assert made.connected_since_ms is None
        await proxy.restore()
        await connected(made)


async def test_a_broker_that_falls_silent_is_noticed(
    session, broker: Broker | Mosquitto, open_proxy: OpenProxy, eventually, monkeypatch
) -> None:
    monkeypatch.setattr(links, "KEEPALIVE_S", 1)
    proxy = await open_proxy(broker.url)
    async with session(proxy.url(broker.url), "east") as (made, _):
        await connected(made)
        proxy.pause()
        await eventually(lambda: made.connected_since_ms is None)
        await proxy.restore()
        await connected(made)


async def test_pressed_for_longer_than_the_keep_alive_it_hangs_up_until_there_is_room(
    session, impatient_broker, eventually, monkeypatch
) -> None:
    monkeypatch.setattr(links, "KEEPALIVE_S", 1)
    url = impatient_broker.url
    async with (
        device(url, eventually, "a") as speaker,
        session(url, "east", held_messages_max=3) as (made, arrived),
    ):
        await connected(made)
        for number in range(9):
            speaker.publish("tz/v1/east/x", b"%d" % number)
        await eventually(lambda: len(arrived) == 3)
        await eventually(lambda: made.connected_since_ms is None)
        assert made.held == 3
        assert made.connections == 1
        heard: set[bytes] = set()
        while len(heard) < 9:
            await eventually(lambda: arrived)
            heard.update(payloads(arrived))
            made.settle(arrived)
            arrived.clear()
        await eventually(lambda: made.connections == 2)


@only_nats
async def test_what_may_not_be_heard_is_said_aloud(session, tmp_path: Path, eventually, caplog) -> None:
    user = User("reader", "secret", subscribe=("tz/v1/east/#",))
    broker = Broker(tmp_path / "broker", users=(user,), sync_always=False)
    await broker.start()
    try:
        async with session(broker.url_for(user), "west"):
            await eventually(lambda: "does not let us hear tz/v1/west/#" in caplog.text)
        wrong = User("reader", "wrong")
        async with session(broker.url_for(wrong), "east"):
            await eventually(lambda: "refused" in caplog.text)
        assert "secret" not in caplog.text
    finally:
        await broker.stop()


# ------------------------------------------------------------------ publishing


async def test_publishing_tells_what_the_broker_has_acknowledged(
    session, broker: Broker | Mosquitto, open_proxy: OpenProxy, eventually
) -> None:
    proxy = await open_proxy(broker.url)
    elsewhere = ("tz/v1/east/+/telemetry",)
    async with (
        device(broker.url, eventually, "a") as listener,
        session(proxy.url(broker.url), "east", subscriptions=elsewhere) as (made, _),
    ):
        assert await made.publish([("tz/v1/east/alarms/1", b"early")]) == [False]
        await connected(made)
        assert await listener.subscribe("tz/v1/east/alarms/+", eventually)
        many = [(f"tz/v1/east/alarms/{number}", b"%d" % number) for number in range(1, 500)]
        assert await made.publish(many) == [True] * 499
        await eventually(lambda: len(listener.heard) == 499)
        assert listener.heard == many
        proxy.pause()
        publishing = asyncio.create_task(made.publish([("tz/v1/east/alarms/1", b"lost")]))
        await asyncio.wait([publishing], timeout=0.1)
        assert not publishing.done()
        await proxy.cut()
        assert await publishing == [False]
