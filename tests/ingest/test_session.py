"""The session on a real broker: nothing is acknowledged before it is settled, nothing is taken twice, and what is held is bounded."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from embedded.broker import Broker, User
from ingest import link as links
from ingest.delivery import SAMPLE_BYTES, Delivery, Untimed
from ingest.link import BrokerAddress, Endpoint, Link
from ingest.session import Session
from tests.fix_proxy import OpenProxy
from tests.fix_wait import Eventually, wait_until
from tests.mqtt_device import Device

UniqueKey = Callable[[str], str]


@asynccontextmanager
async def session(
    url: str,
    name: str,
    *,
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
    )
    running = asyncio.create_task(made.run())
    try:
        yield made, arrived
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


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


async def test_what_is_not_settled_comes_again_and_what_is_does_not(impatient_broker, eventually) -> None:
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
        async with session(mqtt_url, name) as (made, again):
            await eventually(lambda: len(again) >= 2)
            speaker.publish(f"tz/v1/{name}/x", b"last")
            await eventually(lambda: b"last" in payloads(again))
            assert sorted(payloads(again)) == [b"1", b"3", b"last"]
            made.settle(again)
        async with session(mqtt_url, name) as (made, third):
            await connected(made)
            speaker.publish(f"tz/v1/{name}/x", b"only")
            await eventually(lambda: third)
            assert payloads(third) == [b"only"]


async def test_what_is_said_while_nobody_listens_is_kept(mqtt_url, unique_key, eventually) -> None:
    name = unique_key("site")
    async with session(mqtt_url, name) as (made, _):
        await connected(made)
    async with device(mqtt_url, eventually, name) as speaker:
        speaker.publish(f"tz/v1/{name}/x", b"meanwhile")
    async with session(mqtt_url, name) as (_, arrived):
        await eventually(lambda: payloads(arrived) == [b"meanwhile"])


async def test_no_more_is_held_than_may_be(mqtt_url, unique_key, eventually) -> None:
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


async def test_bytes_are_bounded_too(mqtt_url, unique_key, eventually, monkeypatch) -> None:
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


async def test_of_an_oversize_payload_only_the_beginning_is_kept(mqtt_url, unique_key, eventually) -> None:
    name = unique_key("site")
    async with device(mqtt_url, eventually, name) as speaker, session(mqtt_url, name) as (made, arrived):
        await connected(made)
        speaker.publish(f"tz/v1/{name}/x", b"x" * 100_000)
        speaker.publish(f"tz/v1/{name}/x", b"x" * 1000)
        await eventually(lambda: len(arrived) == 2)
        assert [(len(each.payload), each.size) for each in arrived] == [(SAMPLE_BYTES, 100_000), (1000, 1000)]


async def test_a_redelivery_on_the_same_connection_is_ignored(impatient_broker, eventually) -> None:
    """NATS sends again what is not acknowledged within its ack_wait."""
    url = impatient_broker.url
    async with device(url, eventually, "a") as speaker, session(url, "east") as (made, arrived):
        await connected(made)
        link = made._link
        assert link is not None
        came: list[bytes] = []
        hear = link._hear
        link._hear = lambda messages: (came.extend(each.payload for each in messages), hear(messages))
        speaker.publish("tz/v1/east/x", b"slow")
        await eventually(lambda: len(came) > 1)  # it came a second time
        assert payloads(arrived) == [b"slow"]
        assert made.held == 1
        made.settle(arrived)
        speaker.publish("tz/v1/east/x", b"next")
        await eventually(lambda: payloads(arrived) == [b"slow", b"next"])


class _Told:
    """A link that writes down what it would acknowledge."""

    def __init__(self) -> None:
        self.arrived: list[Delivery] = []
        self.link = Link(
            1,
            Endpoint(BrokerAddress.parse("mqtt://127.0.0.1"), "x", (), 1000),
            take=self.arrived.extend,
            room=lambda: (100, 100_000),
            now_ms=lambda: 0,
            untimed=Untimed(),
        )
        self.acknowledged: list[int] = []
        self.link._client.acknowledge = self.acknowledged.extend

    def hear(self, packet_id: int, *payloads: bytes, connection: int = 1) -> None:
        self.link._hear(
            [Delivery("tz/v1/east/x", each, len(each), 0, packet_id, connection) for each in payloads],
        )


async def test_a_packet_id_is_acknowledged_once_when_all_under_it_is_settled() -> None:
    """A copy that crossed our acknowledgement may lie under the same id as a new message: acknowledging the copy would
    lose the new one.
    """
    told = _Told()
    told.hear(7, b"old")
    told.link.acknowledge(told.arrived)
    assert told.acknowledged == [7]
    told.hear(7, b"old")  # the copy, on its way when we acknowledged
    told.hear(7, b"new", b"new")  # the broker has given the id away again, and sends that again as well
    assert payloads(told.arrived) == [b"old", b"old", b"new"]
    told.link.acknowledge(told.arrived[1:2])
    assert told.acknowledged == [7]
    told.link.acknowledge(told.arrived[2:])
    assert told.acknowledged == [7, 7]
    told.hear(7, b"third", b"fourth")
    told.link.acknowledge([told.arrived[4], told.arrived[3]])
    assert told.acknowledged == [7, 7, 7]
    await told.link.close()


async def test_without_an_id_there_is_nothing_to_acknowledge() -> None:
    told = _Told()
    told.hear(0, b"qos 0", b"qos 0")
    assert len(told.arrived) == 2
    told.link.acknowledge(told.arrived)
    assert told.acknowledged == []
    await told.link.close()


async def test_what_came_over_another_connection_is_not_acknowledged_on_this_one() -> None:
    told = _Told()
    told.hear(7, b"here")
    told.link.acknowledge([Delivery("tz/v1/east/x", b"elsewhere", 9, 0, 7, 2)])
    assert told.acknowledged == []
    told.link.acknowledge(told.arrived)
    assert told.acknowledged == [7]
    await told.link.close()


# ------------------------------------------------------------------ a broken cable


async def test_a_cut_connection_is_made_again_and_nothing_is_lost(
    broker: Broker, open_proxy: OpenProxy, eventually
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


async def test_a_refused_connection_is_tried_again(broker: Broker, open_proxy: OpenProxy, eventually) -> None:
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
    broker: Broker, open_proxy: OpenProxy, eventually, monkeypatch
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
    broker: Broker, open_proxy: OpenProxy, eventually, monkeypatch
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
    impatient_broker, eventually, monkeypatch
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


async def test_what_may_not_be_heard_is_said_aloud(tmp_path: Path, eventually, caplog) -> None:
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
    broker: Broker, open_proxy: OpenProxy, eventually
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


# ------------------------------------------------------------------ addresses


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://broker", BrokerAddress("broker", 1883, False, None, None)),
        ("mqtts://broker", BrokerAddress("broker", 8883, True, None, None)),
        ("mqtt://u:p%40ss%2F@10.0.0.1:1", BrokerAddress("10.0.0.1", 1, False, "u", "p@ss/")),
    ],
)
def test_addresses(url: str, address: BrokerAddress) -> None:
    assert BrokerAddress.parse(url) == address


@pytest.mark.parametrize("url", ["", "broker:1883", "http://broker", "mqtt://", "mqtt://u:hidden@"])
def test_what_is_no_address_is_refused_without_its_credential(url: str) -> None:
    with pytest.raises(ValueError, match="mqtt://") as caught:
        BrokerAddress.parse(url)
    assert "hidden" not in str(caught.value)
