"""The ingest line on a bench: a small estate, a worker at work, a gateway that speaks to it, and looks into the ledger.

`clock` stands still until a test moves it, so that hours pass without waiting. The estate has one site: `pumps` (a
booster set, grade A), `pumps_b` (the same at grade B), `lamp` (the same at grade C) and `lift` (an elevator) behind the
gateway `gw`; `far` behind the gateway `gw_far`.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from psycopg.rows import dict_row

from estate import bring_in
from estate.description import EstateDescription
from ingest import clockwork, wire, worker
from ingest.link import BrokerAddress
from ledger import audit
from ledger.records import to_ms
from settings import Settings
from tests.fix_wait import wait_until
from tests.shipped import PACKS

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # twelve o'clock in Shanghai

_OPTIONAL = {
    kind: tuple(name for name, point in PACKS[kind].points.items() if point.optional)
    for kind in ("booster_pump_room", "elevator")
}


LEDGER = (
    "reading",
    "condition",
    "alarm",
    "condition_event",
    "work_order",
    "work_order_event",
    "timer",
    "dossier_entry",
)


def named(word: str) -> dict[str, str]:
    return {"zh": f"{word}号", "en": word}


# Whatever the packs call optional, the facilities have these and nothing else of it.
_KEPT = ("mains_ok", "tank_level", "ats_position", "flow_total", "car_alarm_button", "overspeed", "passenger_trapped")


def _facility(key: str, kind: str, *, grade: str | None = None, gateway: str = "gw") -> Any:
    parts = {"booster_pump_room": ("pump", "sump_pump")}.get(kind, ())
    without = [
        f"{name.partition('.')[0]}_1.{name.partition('.')[2]}" if "." in name else name
        for name in _OPTIONAL[kind]
        if name not in _KEPT
    ]
    return {
        "key": key,
        "kind": kind,
        "name": named(key),
        "location": "house",
        "gateway": gateway,
        "grade": grade,
        "parts": [{"key": f"{part}_1", "kind": part} for part in parts],
        "without": without,
    }


def site_description(key: str) -> dict[str, Any]:
    return {
        "key": key,
        "name": named(key),
        "locations": [{"key": "house", "name": named("house")}],
        "gateways": [{"key": each, "name": named(each), "location": "house"} for each in ("gw", "gw_far")],
        "facilities": [
            _facility("pumps", "booster_pump_room"),
            _facility("pumps_b", "booster_pump_room", grade="B"),
            _facility("lamp", "booster_pump_room", grade="C"),
            _facility("lift", "elevator"),
            _facility("far", "booster_pump_room", gateway="gw_far"),
        ],
    }


async def bring(database_url: str, *sites: str, now: datetime = NOON, also: Sequence[Any] = ()) -> None:
    """`also`: more facilities at the house, as an estate file describes them."""
    described = [site_description(each) for each in sites]
    for each in described:
        each["facilities"] = [*each["facilities"], *also]
    description = EstateDescription.model_validate({"sites": described})
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await bring_in.bring_in(connection, bring_in.check(description, PACKS), now)


@dataclass
class HandClock:
    """Stands where it was put."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def move(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    @property
    def ms(self) -> int:
        return to_ms(self.now)


class Speaker:
    """A client that publishes, and hears the alarms."""

    def __init__(self, url: str, name: str) -> None:
        address = BrokerAddress.parse(url)
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=name)
        self._client.max_inflight_messages_set(500)
        self._client.on_message = self._on_message
        self._client.connect(address.host, address.port)
        self._client.loop_start()

    def _on_message(self, _client: object, _data: object, message: Any) -> None:
        self.heard.append((message.topic, json.loads(message.payload)))

    def listen(self, topic: str) -> None:
        self._client.subscribe(topic, qos=1)

    def say(self, topic: str, payload: bytes | str | Mapping[str, Any] | list[Any], *, retain: bool = False) -> None:
        raw = payload if isinstance(payload, bytes | str) else json.dumps(payload)
        self._client.publish(topic, raw, qos=1, retain=retain)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


async def open_session(url: str, client_id: str, site: str) -> None:
    """Make the worker's persistent session, as its first start does: from here on the broker keeps what is said."""
    address, granted = BrokerAddress.parse(url), []
    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False)
    client.on_subscribe = lambda *_: granted.append(True)
    client.connect(address.host, address.port)
    client.loop_start()
    client.subscribe(f"tz/v1/{site}/#", qos=1)
    await wait_until(lambda: granted)
    client.disconnect()
    client.loop_stop()


@dataclass
class Line:
    site: str
    database_url: str
    mqtt_url: str
    clock: Any
    settings: Settings
    speaker: Speaker
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None
    sent: int = 0
    ticks: int = 0
    origin_ms: int = 0  # a while before the test began
    worker_database_url: str | None = None  # where it leads through a proxy

    # ------------------------------------------------------------------ the worker

    def start(self) -> None:
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(
            worker.run(
                self.settings,
                PACKS,
                clock=self.clock,
                stop=self._stop,
                database_url=self.worker_database_url or self.database_url,
                mqtt_url=self.mqtt_url,
            )
        )

    async def stop(self) -> None:
        """As SIGTERM does."""
        if self._task is not None:
            self._stop.set()
            task, self._task = self._task, None
            await task

    async def ended(self) -> None:
        """Wait for it to end by itself; raises what it raised."""
        assert self._task is not None
        task, self._task = self._task, None
        await asyncio.wait_for(task, 30)

    async def crash(self) -> None:
        """Gone in the middle of whatever it does."""
        assert self._task is not None
        task, self._task = self._task, None
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    # ------------------------------------------------------------------ speaking

    def __post_init__(self) -> None:
        self.origin_ms = to_ms(self.clock()) - 100_000

    def say(
        self, facility: str, values: Mapping[str, Any], *, ago: float = 0, at_ms: int | None = None, **more: Any
    ) -> None:
        ts = to_ms(self.clock()) - round(ago * 1000) if at_ms is None else at_ms
        self.sent += 1
        self.speaker.say(f"tz/v1/{self.site}/{facility}/telemetry", {"ts": ts, "values": dict(values), **more})

    def say_raw(self, level: str, payload: bytes | str | Mapping[str, Any] | list[Any]) -> None:
        self.sent += 1
        self.speaker.say(f"tz/v1/{level}", payload)

    def status(self, gateway: str, state: str, *, ago: float = 0, retain: bool = False) -> None:
        self.sent += 1
        topic = str(wire.StatusTopic(self.site, gateway))
        self.speaker.say(topic, {"state": state, "since": to_ms(self.clock()) - round(ago * 1000)}, retain=retain)

    # ------------------------------------------------------------------ looking

    def act(self) -> Any:
        """A transaction of a person or a tool beside the worker."""
        return psycopg.AsyncConnection.connect(self.database_url)

    async def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        async with await psycopg.AsyncConnection.connect(self.database_url, row_factory=dict_row) as connection:
            return list(await (await connection.execute(statement, values)).fetchall())

    async def account(self) -> dict[str, int]:
        (row,) = await self.rows(
            "select coalesce(sum(received), 0)::int received, coalesce(sum(accepted), 0)::int accepted, "
            "coalesce(sum(duplicate), 0)::int duplicate, coalesce(sum(quarantined), 0)::int quarantined, "
            "coalesce(sum(values_received), 0)::int values_received, coalesce(sum(stored), 0)::int stored, "
            "coalesce(sum(repeated), 0)::int repeated, coalesce(sum(conflict), 0)::int conflict, "
            "coalesce(sum(refused), 0)::int refused, coalesce(sum(late), 0)::int late, "
            "coalesce(sum(seq_gaps), 0)::int seq_gaps from intake_account"
        )
        return row

    async def received(self, messages: int | None = None, deadline_s: float = 30.0) -> dict[str, int]:
        """The account once it has so many messages; without a number, all that were said."""
        wanted = self.sent if messages is None else messages

        async def there() -> dict[str, int] | None:
            account = await self.account()
            assert account["received"] >= wanted, f"{account['received']} of {wanted} messages"
            return account

        return await wait_until(there, deadline_s)

    async def everything(self) -> dict[str, list[str]]:
        """Every row that neither a redelivery nor a restart may touch."""
        return {
            table: [str(row) for row in await self.rows(f"select * from {table} order by 1, 2, 3")] for table in LEDGER
        }

    async def alarms(self) -> list[dict[str, Any]]:
        return await self.rows(
            "select alarm.id, facility.key facility, part.key part, rule_key rule, condition.state, priority, rang_at, "
            "began_at, raised_at, returned_at, ended_at, occurrences, late, historical, order_reason, "
            "array(select work_order_id from work_order_alarm where alarm_id = alarm.id order by 1) orders "
            "from alarm join condition on condition.id = condition_id join facility on facility.id = alarm.facility_id "
            "left join part on part.id = condition.part_id order by alarm.id"
        )

    async def alarm(self, rule: str, **wanted: Any) -> dict[str, Any]:
        """The one alarm of a rule, once it is as wanted."""

        async def there() -> dict[str, Any]:
            found = [each for each in await self.alarms() if each["rule"] == rule]
            assert len(found) == 1, f"{rule}: {found}"
            assert {key: found[0][key] for key in wanted} == wanted, found
            return found[0]

        return await wait_until(there)

    async def ticked(self, times: int = 2) -> None:
        """Wait until time has been looked at; twice, because once may have been under way already."""
        wanted = self.ticks + times
        await wait_until(lambda: self.ticks >= wanted)


def settings_for(site: str, **bounds: Any) -> Settings:
    """Quick to look, and quick to take a silence for one."""
    quick: dict[str, Any] = {"linger_ms": 2, "tick_ms": 20, "settle_s": 1.0, "sites": (site,)}
    return Settings(mqtt_client_id=f"worker-{site}", **{**quick, **bounds})


@asynccontextmanager
async def line(
    database_url: str,
    mqtt_url: str,
    site: str,
    *,
    clock: Any = None,
    start: bool = True,
    also: Sequence[Any] = (),
    **settings: Any,
) -> AsyncIterator[Line]:
    """A brought-in site with its worker at work."""
    await bring(database_url, site, now=NOON if clock is None else clock(), also=also)
    client_id = f"worker-{site}"
    await open_session(mqtt_url, client_id, site)
    made = Line(
        site,
        database_url,
        mqtt_url,
        clock or HandClock(),
        settings_for(site, **settings),
        Speaker(mqtt_url, f"speaker-{site}"),
    )
    real_tick = clockwork.tick  # counted, so that a test can say that nothing came of looking at the time

    async def counted(*args: Any, **more: Any) -> Any:
        made.ticks += 1
        return await real_tick(*args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clockwork, "tick", counted)
        if start:
            made.start()
        try:
            yield made
        finally:
            made.speaker.close()
            await made.stop()
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        assert await audit.run(connection) == []
