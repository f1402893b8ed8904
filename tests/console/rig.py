"""The whole service as a browser meets it, on one machine: database, broker, ingest and api are the real ones.

`Service` is what a test does behind the screen's back: alarms are raised, moved and ended as ingest would, on a connection
of its own. Playwright keeps an event loop of its own in the test's thread, so that coroutines run in another.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import paho.mqtt.client as mqtt
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

import demo.people
import tests.console.tower
from ledger import conditions, readings
from ledger.lifecycle import ConditionMove
from ledger.records import Condition, ConditionSpec, Priority, Quality, Sample, Severity, to_ms
from tests.console.tower import Tower
from tests.fix_wait import wait_until
from tests.small_estate import SmallSite, build_both, cause, raise_alarm

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "console" / "dist" / "index.html"
OUTPUT = ROOT / "test-output" / "console"
TOKEN = "a-token-of-the-console-tests"
WIDTHS = {390: 844, 1440: 900, 3840: 2160}
STOP_S = 10
PATIENCE_S = 190  # a machine with much else to do starts two services and a database in minutes

T = TypeVar("T")
Connection = psycopg.AsyncConnection[Any]
_elsewhere = ThreadPoolExecutor(1, thread_name_prefix="behind the screen")


def done(work: Awaitable[T]) -> T:
    """Run a coroutine to its end, outside Playwright's loop."""

    async def whole() -> T:
        return await work

    return _elsewhere.submit(asyncio.run, whole()).result(timeout=PATIENCE_S)


@dataclass
class Service:
    url: str
    database_url: str
    mqtt_url: str
    passwords: dict[str, str]
    garden: SmallSite
    harbour: SmallSite
    tower: Tower
    crowd: list[Condition] = field(default_factory=list)

    def act(self, deed: Callable[[Connection], Awaitable[T]]) -> T:
        """One transaction of the ledger's owner."""

        async def whole() -> T:
            async with await psycopg.AsyncConnection.connect(self.database_url) as connection:
                return await deed(connection)

        return done(whole())

    def ring(
        self, condition: Condition, *, ago_s: float = 0, priority: Priority = Priority.HIGH, **explanation: Any
    ) -> int:
        at = datetime.now(UTC) - timedelta(seconds=ago_s)

        async def whole(connection: Connection) -> int:
            moved = await raise_alarm(connection, condition, at, priority=priority, **explanation)
            assert moved.alarm_id is not None
            # It has rung when it was raised: what ingest's tick does a moment later.
            await connection.execute("update alarm set rang_at = raised_at where id = %s", [moved.alarm_id])
            return moved.alarm_id

        return self.act(whole)

    def ring_many(self, many: Sequence[Condition], priority: Priority = Priority.LOW) -> list[int]:
        async def whole(connection: Connection) -> list[int]:
            now = datetime.now(UTC)
            found = [await raise_alarm(connection, each, now, priority=priority) for each in many]
            return [each.alarm_id for each in found if each.alarm_id is not None]

        return self.act(whole)

    def move(self, condition: Condition, step: ConditionMove, *, actor: str = "rules", reason: str = "normal") -> None:
        now = datetime.now(UTC)
        self.act(lambda c: conditions.move(c, condition.id, step, cause(now, actor=actor, reason=reason)))

    def measure(self, point: int, *values: float) -> None:
        """One every half hour, the last one now."""
        now = datetime.now(UTC)

        async def whole(connection: Connection) -> None:
            told = [
                Sample(point, to_ms(now - timedelta(minutes=30 * back)), value, Quality.GOOD, 0)
                for back, value in enumerate(reversed(values))
            ]
            await readings.store(connection, sorted(told, key=lambda each: each.ts_ms))

        self.act(whole)

    def tower_speaks(self) -> None:
        """What the tower measured is of now, so that nothing of it looks old."""
        self.act(tests.console.tower.speak)

    def everything_ends(self) -> None:
        """Back to an estate where nothing is wrong, whatever a test left behind; screens hear of it as of anything."""

        async def whole(connection: Connection) -> None:
            now = datetime.now(UTC)
            cursor = await connection.execute(
                "select id, state::text, out_of_service, shelved_until is not null from condition order by id"
            )
            for condition, state, out_of_service, shelved in await cursor.fetchall():
                for step in _way_home(state, out_of_service=out_of_service, shelved=shelved):
                    await conditions.move(connection, condition, step, cause(now, reason="person"))

        self.act(whole)

    def nobody_has_chosen(self) -> None:
        """What a test's person saved with himself, such as a filter of the list, is not how the next one begins."""
        self.act(lambda connection: connection.execute("delete from person_setting"))

    def tell(self, site: str, facility: str, values: dict[str, Any]) -> None:
        """As a gateway would, over the broker."""
        host, _, port = self.mqtt_url.removeprefix("mqtt://").partition(":")
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"{site}-gateway")
        client.connect(host, int(port))
        client.loop_start()
        payload = {"ts": int(datetime.now(UTC).timestamp() * 1000), "values": values}
        client.publish(f"tz/v1/{site}/{facility}/telemetry", json.dumps(payload), qos=1).wait_for_publish(10)
        client.disconnect()
        client.loop_stop()


def _way_home(state: str, *, out_of_service: bool, shelved: bool) -> list[ConditionMove]:
    m = ConditionMove
    way = [*([m.RETURN_TO_SERVICE] if out_of_service else []), *([m.UNSHELVE] if shelved else [])]
    active = state in {"UNACK", "ACKED"}
    # Unshelved by hand it comes back acknowledged.
    unseen = state in {"UNACK", "RTNUN"} and not shelved
    return [*way, *([m.CLEAR] if active else []), *([m.ACKNOWLEDGE] if unseen else [])]


@contextmanager
def running(database_url: str, mqtt_url: str, directory: Path, port: int) -> Iterator[Service]:
    """Ingest and api as processes, on a database with two small sites, one to look at, and one login for each role."""
    garden, harbour, tower = done(_estate(database_url))
    told = dict(done(demo.people.bring_in(database_url, directory, datetime.now(UTC))))
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "MQTT_URL": mqtt_url,
        "TAIZHANG_API_TOKEN": TOKEN,
        "TAIZHANG_API_PORT": str(port),
        "TAIZHANG_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "TAIZHANG_SITES": '["harbour"]',
        "TAIZHANG_DATA_DIR": str(directory),
        # A provider that never answers: the button and what follows are real, and nobody comes in through it.
        "TAIZHANG_OIDC_ISSUER": "http://127.0.0.1:1",
        "TAIZHANG_OIDC_CLIENT_ID": "taizhang",
        "TAIZHANG_OIDC_NAME": "集团账号",
    }
    service = Service(f"http://127.0.0.1:{port}", database_url, mqtt_url, told, garden, harbour, tower)
    children = [_start(name, environment, directory) for name in ("ingest", "api")]
    try:
        done(wait_until(lambda: _ready(service.url, children), deadline_s=PATIENCE_S - 10))
        yield service
    finally:
        for child in children:
            child.send_signal(signal.SIGTERM)
        for child in children:
            try:
                child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _start(name: str, environment: dict[str, str], directory: Path) -> subprocess.Popen[bytes]:
    with (directory / f"{name}.log").open("wb") as log:
        command = [sys.executable, ROOT / "taizhang.py", name]
        return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)


def _ready(url: str, children: Sequence[subprocess.Popen[bytes]]) -> bool:
    for child in children:
        assert child.poll() is None, f"{child.args} ended with {child.returncode}"
    try:
        return httpx.get(f"{url}/api/v1/health", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


async def _estate(database_url: str) -> tuple[SmallSite, SmallSite, Tower]:
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        return *await build_both(connection), await tests.console.tower.build(connection)


CROWD_FACILITIES = 12


def crowd(service: Service) -> list[Condition]:
    """More conditions at the garden, two at each of a dozen facilities; the same ones every time."""
    severities = {"outlet_pressure_low": Severity.WARNING, "flood": Severity.CRITICAL}

    async def whole(connection: Connection) -> list[Condition]:
        cursor = await connection.execute(
            "insert into facility (site_id, location_id, key, kind, grade, name_zh, name_en) "
            "select %s, %s, 'crowd-' || n, 'booster_pump_room', 'B', n || ' 号泵组', 'Booster ' || n "
            "from generate_series(1, %s) n returning id",
            [service.garden.id, service.garden.room, CROWD_FACILITIES],
        )
        specs = [
            ConditionSpec(facility, None, rule, severity)
            for (facility,) in await cursor.fetchall()
            for rule, severity in severities.items()
        ]
        found = await conditions.ensure(connection, service.garden.id, specs)
        wanted = {(each.facility_id, each.rule_key) for each in specs}
        return [each for each in found if (each.facility_id, each.rule_key) in wanted]

    if not service.crowd:
        service.crowd = service.act(whole)
    return service.crowd
