"""Ingest as others see it: metrics that agree with the ledger, live and ready and lagging, a schema that is current."""

import asyncio
import logging
from collections.abc import Callable

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from embedded.broker import Broker
from embedded.process import port_for
from ingest.errors import PortTaken
from ingest.vitals import HealthState, Vitals, health
from ledger.migrate import MigrationError
from settings import Settings
from tests.fix_wait import Eventually
from tests.line_rig import Line, line

WELL = Vitals(
    broker_connected=True,
    broker_connections=1,
    database_away=False,
    sites_held=2,
    engine_builds=1,
    queue_messages=0,
    unacknowledged_messages=0,
    oldest_unjudged_s=0.0,
    sound_tick_s=1.0,
)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, HealthState.READY),
        ({"oldest_unjudged_s": 10.1}, HealthState.LAGGING),
        ({"oldest_unjudged_s": 9.9}, HealthState.READY),
        ({"broker_connected": False}, HealthState.NOT_READY),
        ({"database_away": True, "oldest_unjudged_s": 99.0}, HealthState.NOT_READY),
        ({"sound_tick_s": None}, HealthState.NOT_READY),
        ({"sound_tick_s": 31.0}, HealthState.NOT_READY),
    ],
)
def test_ready_lagging_and_not(change: dict[str, object], state: HealthState) -> None:
    vitals = Vitals(**{**{name: getattr(WELL, name) for name in Vitals.__slots__}, **change})
    assert health(vitals, lag_max_s=10, tick_max_s=30).state is state


class Asked:
    """The door of a worker."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"

    async def get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self._base) as client:
            try:
                return await client.get(path)
            except httpx.ConnectError as error:
                raise AssertionError("the door is not open yet") from error

    async def metrics(self) -> dict[str, float]:
        """Sample name with its labels' values -> value."""
        text = (await self.get("/metrics")).text
        return {
            " ".join([sample.name, *sample.labels.values()]): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


async def test_the_metrics_agree_with_the_ledger(
    database_url: str, mqtt_url: str, unique_key: Callable[[str], str], eventually: Eventually, caplog
) -> None:
    port = port_for("ingest's door", None)
    caplog.set_level(logging.DEBUG, "ingest.watched")
    async with line(database_url, mqtt_url, unique_key("site"), ingest_http_port=port) as work:
        asked = Asked(port)
        work.say("lift", {"overspeed": True})
        work.say("pumps", {"outlet_pressure": 0.4}, ago=7)
        work.say("nowhere", {"outlet_pressure": 0.4})
        work.say_raw(f"{work.site}/pumps/telemetry", "not json")
        account = await work.received()
        await work.alarm("overspeed")

        async def counted() -> dict[str, float]:
            found = await asked.metrics()
            assert found["taizhang_ingest_batch_messages_sum"] == 4
            return found

        found = await eventually(counted)
        for name in ("accepted", "duplicate", "quarantined"):
            assert found[f"taizhang_ingest_messages_total {name}"] == account[name]
        for name in ("stored", "repeated", "conflict", "refused"):
            assert found[f"taizhang_ingest_values_total {name}"] == account[name]
        assert found["taizhang_ingest_quarantined_total unknown_facility"] == 1
        assert found["taizhang_ingest_quarantined_total not_json"] == 1
        assert found["taizhang_ingest_happenings_total alarm_raised"] == 1
        assert found["taizhang_ingest_happenings_total order_opened"] == 1
        assert found["taizhang_ingest_alarm_latency_seconds_count"] == 1
        assert found[f"taizhang_ingest_site_last_message_timestamp_seconds {work.site}"] == work.clock().timestamp()
        assert found["taizhang_ingest_sites_held"] == 1
        assert found["taizhang_ingest_unacknowledged_messages"] == 0
        assert found["taizhang_ingest_engine_builds_total"] >= 1
        assert found["process_resident_memory_bytes"] > 0
    events = [record.getMessage() for record in caplog.records]
    assert {"batch_committed", "alarm_raised", "order_opened"} <= set(events)
    (raised,) = [record for record in caplog.records if record.getMessage() == "alarm_raised"]
    assert raised.levelno == logging.INFO
    assert raised.taizhang_fields["rule"] == "overspeed"


async def test_ready_with_broker_and_database_and_not_without(
    database_url: str, broker: Broker, unique_key: Callable[[str], str], eventually: Eventually
) -> None:
    port = port_for("ingest's door", None)
    async with line(database_url, broker.url, unique_key("site"), ingest_http_port=port):
        asked = Asked(port)

        async def state() -> str:
            return str((await asked.get("/readiness")).json()["state"])

        async def ready() -> bool:
            return await state() == "ready"

        await eventually(ready)
        assert (await asked.get("/readiness")).status_code == 200
        await broker.stop()

        async def not_ready() -> bool:
            return await state() == "not_ready"

        await eventually(not_ready)
        answer = await asked.get("/readiness")
        assert answer.status_code == 503
        assert answer.json()["checks"]["broker"] == {"passing": False, "detail": "not connected"}
        assert (await asked.get("/health")).json() == {"status": "live"}
        await broker.start()
        await eventually(ready)


async def test_a_taken_port_ends_it_in_words(bench: Line, unique_key: Callable[[str], str]) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await bench.stop()
    bench.settings = bench.settings.model_copy(update={"ingest_http_port": port})
    bench.start()
    with pytest.raises(PortTaken, match=f"port {port}.*TAIZHANG_INGEST_HTTP_PORT"):
        await bench.ended()
    server.close()


async def test_it_does_not_begin_on_a_schema_that_is_not_current(bench: Line) -> None:
    await bench.stop()
    async with await psycopg.AsyncConnection.connect(bench.database_url) as connection:
        await connection.execute(
            "delete from schema_migration where version = (select max(version) from schema_migration)"
        )
    bench.start()
    with pytest.raises(MigrationError, match=r"lacks \d{4}_\w+: run `taizhang.py migrate`"):
        await bench.ended()


def test_a_door_to_the_world_needs_a_token() -> None:
    with pytest.raises(ValueError, match="set metrics_token"):
        Settings(ingest_http_port=8081, ingest_http_host="0.0.0.0")
    Settings(ingest_http_port=8081, ingest_http_host="0.0.0.0", metrics_token="long-and-random")  # type: ignore[arg-type]
