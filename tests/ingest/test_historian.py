"""The historian makes hours and drops what is past its keeping by himself, and leaves alone what another is at."""

from datetime import timedelta
from typing import Any

import pytest

from ingest.historian import Historian, Keeping, TakenError
from ledger import history, readings
from ledger.pool import INGEST_ROLE, open_pool, transaction
from ledger.records import PointKind, Quality, Sample, to_ms
from tests.fix_database import Connection
from tests.line_rig import HandClock
from tests.small_estate import NOON, build_both, later


async def test_hours_are_made_and_old_readings_go_and_another_worker_is_left_in_peace(
    database_url: str, connection: Connection
) -> None:
    garden, _ = await build_both(connection)
    point = garden.points["outlet_pressure"]
    days = (0, 0.01, 60, 99)
    await readings.store(connection, [Sample(point, to_ms(later(days=at)), 1.0, Quality.GOOD, 0) for at in days])  # type: ignore[arg-type]
    await connection.commit()
    clock: Any = HandClock(NOON + timedelta(days=110))
    keeping = Keeping({PointKind.MEASURE: 90}, {PointKind.MEASURE: 3_660})
    async with open_pool(database_url, role=INGEST_ROLE) as pool:
        historian = Historian(pool, lambda: [garden.id], clock, keeping)
        await historian.catch_up()
        cursor = await connection.execute(
            "select count(*), sum(count), count(*) filter (where has_readings) from reading_hour"
        )
        assert await cursor.fetchone() == (3, 4, 2)
        await connection.commit()
        async with transaction(pool) as other:
            assert await history.is_mine(other, garden.id)
            clock.move(days=1)
            with pytest.raises(TakenError):
                await historian.catch_up()
