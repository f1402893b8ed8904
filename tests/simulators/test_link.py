"""One gateway's connection to a real broker: in order, nothing lost, the last will when it breaks and not when it ends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from simulators.gateway import Connect, Drop, Leave, Publish
from simulators.link import BrokerAddress, Link
from tests.fix_proxy import OpenProxy
from tests.fix_wait import Eventually
from tests.mqtt_device import Device

HELLO, WILL, GOODBYE = b"hello", b"will", b"goodbye"


class Ear:
    """Hears a site and sorts what it heard."""

    def __init__(self, device: Device, site: str) -> None:
        self.device, self.site = device, site
        self.status_topic = f"tz/v1/{site}/gateways/gw/status"

    @property
    def statuses(self) -> list[bytes]:
        return [payload for topic, payload in self.device.heard if topic == self.status_topic]

    @property
    def numbers(self) -> list[int]:
        return [int(payload) for topic, payload in self.device.heard if topic != self.status_topic]

    @property
    def first_heard(self) -> list[int]:
        return list(dict.fromkeys(self.numbers))

    def connect(self) -> Connect:
        return Connect(self.status_topic, WILL, HELLO)

    def leave(self) -> Leave:
        return Leave(self.status_topic, GOODBYE)

    def messages(self, numbers: range) -> list[Publish]:
        return [Publish(f"tz/v1/{self.site}/one/telemetry", b"%d" % number, 1, 3) for number in numbers]


@pytest.fixture
async def ear(mqtt_url: str, unique_key: Callable[[str], str], eventually: Eventually) -> AsyncIterator[Ear]:
    site = unique_key("site")
    device = await Device(mqtt_url, unique_key("ear")).connect(eventually)
    assert await device.subscribe(f"tz/v1/{site}/#", eventually)
    yield Ear(device, site)
    device.leave()


@asynccontextmanager
async def linked(url: str, ear: Ear) -> AsyncIterator[Link]:
    link = Link(BrokerAddress.parse(url), f"gw-{ear.site}")
    running = asyncio.create_task(link.run())
    yield link
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_commands_are_carried_out_in_order_and_counted(ear: Ear, mqtt_url: str, eventually: Eventually) -> None:
    async with linked(mqtt_url, ear) as link:
        link.submit([ear.connect(), *ear.messages(range(500)), ear.leave()])
        assert await link.settled(10.0)
    await eventually(lambda: len(ear.statuses) == 2 and len(ear.numbers) == 500)
    assert ear.numbers == list(range(500))
    assert ear.statuses == [HELLO, GOODBYE]
    assert (link.counts.publishes_sent, link.counts.publishes_acknowledged) == (500, 500)
    assert (link.counts.values_acknowledged, link.counts.statuses_acknowledged) == (1500, 2)
    assert link.counts.wills == 0


async def test_its_status_is_retained(ear: Ear, mqtt_url: str, eventually: Eventually) -> None:
    async with linked(mqtt_url, ear) as link:
        link.submit([ear.connect()])
        assert await link.settled(10.0)
        late = await Device(mqtt_url, f"late-{ear.site}").connect(eventually)
        assert await late.subscribe(f"tz/v1/{ear.site}/#", eventually)
        await eventually(lambda: late.heard == [(ear.status_topic, HELLO)])
        late.leave()


async def test_a_dropped_connection_is_a_last_will_and_nothing_is_lost(
    ear: Ear, mqtt_url: str, eventually: Eventually
) -> None:
    async with linked(mqtt_url, ear) as link:
        before, after = ear.messages(range(100)), ear.messages(range(100, 120))
        link.submit([ear.connect(), *before, Drop(forget=False)])
        await eventually(lambda: ear.statuses == [HELLO, WILL])
        link.submit([ear.connect(), *after])
        assert await link.settled(10.0)
    await eventually(lambda: set(ear.numbers) == set(range(120)))
    assert ear.first_heard == sorted(ear.first_heard)
    assert link.counts.publishes_acknowledged == 120
    assert link.counts.connections == 2


async def test_a_gateway_without_power_forgets(ear: Ear, mqtt_url: str, eventually: Eventually) -> None:
    async with linked(mqtt_url, ear) as link:
        link.submit([ear.connect(), *ear.messages(range(100)), Drop(forget=True)])
        await eventually(lambda: ear.statuses == [HELLO, WILL])
        link.submit([ear.connect()])
        assert await link.settled(10.0)
    assert link.counts.publishes_acknowledged + link.counts.publishes_lost == 100
    assert not link.take_loss()  # it was meant


async def test_a_cut_cable_is_told_and_what_was_on_the_way_is_sent_again(
    ear: Ear, mqtt_url: str, open_proxy: OpenProxy, eventually: Eventually
) -> None:
    proxy = await open_proxy(mqtt_url)
    async with linked(proxy.url(mqtt_url), ear) as link:
        link.submit([ear.connect(), *ear.messages(range(50))])
        assert await link.settled(10.0)
        proxy.pause()
        link.submit(ear.messages(range(50, 150)))
        await eventually(lambda: link.counts.publishes_sent == 150)
        await proxy.cut()
        await eventually(link.take_loss)
        await proxy.restore()
        await eventually(lambda: link.may_connect)
        link.submit([ear.connect(), *ear.messages(range(150, 160))])
        assert await link.settled(10.0)
    await eventually(lambda: set(ear.numbers) == set(range(160)))
    assert ear.first_heard == list(range(160))
    assert link.counts.publishes_acknowledged == 160
    assert link.counts.publishes_resent == 100


async def test_a_slow_broker_makes_it_wait(ear: Ear, mqtt_url: str, open_proxy: OpenProxy) -> None:
    proxy = await open_proxy(mqtt_url)
    async with linked(proxy.url(mqtt_url), ear) as link:
        link.submit([ear.connect()])
        assert await link.settled(10.0)
        proxy.pause()
        link.submit(ear.messages(range(6_000)))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(link.room(), 0.2)
        await proxy.restore()
        await asyncio.wait_for(link.room(), 30.0)
        assert await link.settled(10.0)
    assert link.counts.publishes_acknowledged == 6_000


async def test_nobody_there_is_told_with_the_address(
    ear: Ear, mqtt_url: str, open_proxy: OpenProxy, eventually: Eventually
) -> None:
    proxy = await open_proxy(mqtt_url)
    await proxy.refuse()
    async with linked(proxy.url(mqtt_url), ear) as link:
        link.submit([ear.connect()])
        await link.connected()
        assert link.trouble is not None
        assert f"127.0.0.1:{proxy.port}" in link.trouble
        assert link.take_loss()
        assert not link.may_connect
        await eventually(lambda: link.may_connect)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://host", BrokerAddress("host", 1883)),
        ("mqtts://host", BrokerAddress("host", 8883, tls=True)),
        ("mqtt://a%40b:c%2Fd@host:9", BrokerAddress("host", 9, user="a@b", password="c/d")),
    ],
)
def test_addresses(url: str, address: BrokerAddress) -> None:
    assert BrokerAddress.parse(url) == address


@pytest.mark.parametrize("url", ["", "host:1883", "http://host", "mqtt://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must look like"):
        BrokerAddress.parse(url)
