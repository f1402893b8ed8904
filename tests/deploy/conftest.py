"""A Mosquitto of the test's own, configured as we ship it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.mosquitto_rig import Mosquitto, mosquitto_in


@pytest.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with mosquitto_in(tmp_path) as server:
        yield server
