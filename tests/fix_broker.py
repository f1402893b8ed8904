"""A real MQTT broker for tests: one a session, and one of a test's own to be stopped and killed.

The session's is the embedded NATS, or that of TAIZHANG_TEST_MQTT_URL (CI gives Mosquitto). MQTT 5, which NATS does not
speak, is tried on a Mosquitto of the session, where it is installed; CI installs it. Tests share brokers, with their
retained messages and sessions: use `unique_key` for sites and client ids.
"""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.brokers import Mosquitto
from embedded.broker import Broker, User
from tests.mosquitto_rig import MOSQUITTO
from tests.mqtt_device import Device

MakeDevice = Callable[..., Device]


@pytest.fixture(scope="session")
def mqtt_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The session's broker, mqtt://127.0.0.1:port, anonymous. Sync, so that no test's event loop owns it."""
    given = os.environ.get("TAIZHANG_TEST_MQTT_URL")
    if given:
        yield given
        return
    broker = Broker(tmp_path_factory.mktemp("broker"), sync_always=False)
    asyncio.run(broker.start())
    yield broker.url
    asyncio.run(broker.stop())


@pytest.fixture(scope="session")
def mosquitto_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The session's Mosquitto, with the configuration that we ship; anybody may connect."""
    if MOSQUITTO is None:
        pytest.skip("Mosquitto is not installed")
    server = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    asyncio.run(server.start())
    yield server.url
    asyncio.run(server.stop())


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """A started broker of this test's own, for faults: stop(), kill(), start() again on the same url."""
    own = Broker(tmp_path / "own_broker", sync_always=False)
    await own.start()
    yield own
    await own.stop()


@pytest.fixture
def unique_key() -> Callable[[str], str]:
    """Makes keys that nobody used before, as in `unique_key("site")`."""
    return lambda word: f"{word}-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def device() -> Iterator[MakeDevice]:
    """Makes MQTT clients: `device(url, client_id, user=None, clean=True, ca=None, will=None)`; all leave at the end."""
    made: list[Device] = []

    def make(url: str, name: str, user: User | None = None, **more: Any) -> Device:
        made.append(Device(url, name, user, **more))
        return made[-1]

    yield make
    for each in made:
        each.leave()
