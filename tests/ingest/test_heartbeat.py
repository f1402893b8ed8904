"""Ingest's heartbeat, for health checks: only after a round with broker and database there."""

from collections.abc import Callable
from pathlib import Path

from embedded.broker import Broker
from tests.fix_wait import Eventually
from tests.line_rig import line


async def test_it_beats_while_it_hears_and_stops_when_the_broker_is_away(
    database_url: str, broker: Broker, unique_key: Callable[[str], str], eventually: Eventually, tmp_path: Path
) -> None:
    heartbeat = tmp_path / "heartbeat"
    async with line(database_url, broker.url, unique_key("site"), heartbeat_file=heartbeat) as work:
        await eventually(heartbeat.exists)
        await broker.stop()

        async def silent() -> bool:
            heartbeat.unlink(missing_ok=True)
            await work.ticked(3)
            return not heartbeat.exists()

        await eventually(silent)
        await broker.start()
        await eventually(heartbeat.exists)


async def test_one_that_cannot_be_written_keeps_no_alarm_from_ringing(
    database_url: str, mqtt_url: str, unique_key: Callable[[str], str], tmp_path: Path
) -> None:
    nowhere = tmp_path / "missing" / "heartbeat"
    async with line(database_url, mqtt_url, unique_key("site"), heartbeat_file=nowhere) as work:
        await work.ticked(3)
        work.say("lift", {"overspeed": True})
        await work.alarm("overspeed")
