"""What the tests of the line share: a site of their own on the session's broker, and a broker that is impatient."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from embedded.broker import Broker, Limits
from tests.line_rig import Line, line


@pytest.fixture
async def bench(database_url, mqtt_url, unique_key) -> AsyncIterator[Line]:
    """The small estate with a worker at work, and a clock that stands still."""
    async with line(database_url, mqtt_url, unique_key("site")) as made:
        yield made


@pytest.fixture
async def impatient_broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """Sends again what is not acknowledged within a second."""
    own = Broker(tmp_path / "impatient", limits=Limits(redeliver_after_s=1.0), sync_always=False)
    await own.start()
    yield own
    await own.stop()
