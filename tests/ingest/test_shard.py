"""Sites dealt to several workers: none twice, none forgotten, and however often their number changes no message is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from embedded.broker import Broker
from ingest import lease, shard
from ingest.errors import ShardUnknown, SiteTaken, SiteUnknown
from ingest.share import Shard, settings_of
from ledger import audit
from ledger.records import Site
from settings import Settings
from tests.fix_wait import wait_until
from tests.line_rig import NOON, PACKS, HandClock, Speaker, bring


def site(number: int, key: str) -> Site:
    return Site(number, key, key, key, "Asia/Shanghai", time(8), "standard", 1, {})


SITES = [site(3, "c"), site(1, "a"), site(9, "b"), site(4, "d")]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_every_site_has_one_worker(count: int) -> None:
    shares = [Shard(number, count).share(SITES, ()) for number in range(1, count + 1)]
    assert sorted(key for share in shares for key in share) == ["a", "b", "c", "d"]
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_site_brought_in_later_moves_nobody() -> None:
    before = [Shard(number, 3).share(SITES, ()) for number in (1, 2, 3)]
    after = [Shard(number, 3).share([*SITES, site(12, "aa")], ()) for number in (1, 2, 3)]
    assert all(then.items() <= now.items() for then, now in zip(before, after, strict=True))
    assert sum(map(len, after)) == 5


def test_the_sites_of_the_settings_are_dealt_and_no_others() -> None:
    assert Shard(1, 2).share(SITES, ("b", "c", "a")) == {"a": 0, "b": 2}
    assert Shard(2, 2).share(SITES, ("b", "c", "a")) == {"c": 1}
    with pytest.raises(SiteUnknown, match="'nowhere'"):
        Shard(1, 2).share(SITES, ("nowhere",))


def test_each_site_has_its_own_session_heartbeat_and_port(tmp_path: Path) -> None:
    settings = Settings(mqtt_client_id="w", heartbeat_file=tmp_path / "beat", ingest_http_port=9000)
    own = settings_of(settings, "east", 3)
    assert (own.sites, own.mqtt_client_id) == (("east",), "w-east")
    assert (own.heartbeat_file, own.ingest_http_port) == (tmp_path / "beat.east", 9003)


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "a/2", "1/", "-1/2", "1/2/3"])
def test_which_worker_this_is_must_be_said(text: str) -> None:
    with pytest.raises(ShardUnknown, match="2/4"):
        Shard.parse(text)


# ------------------------------------------------------------------ with a real broker and database


@dataclass
class Workers:
    """Shards in this process, with a speaker who counts per site what he said."""

    database_url: str
    mqtt_url: str
    settings: Settings
    speaker: Speaker
    clock: HandClock = field(default_factory=HandClock)
    said: dict[str, int] = field(default_factory=dict[str, int])
    _running: list[tuple[asyncio.Task[None], asyncio.Event]] = field(default_factory=list[Any])

    def start(self, number: int, count: int) -> asyncio.Task[None]:
        stop = asyncio.Event()
        running = shard.run(
            self.settings,
            PACKS,
            Shard(number, count),
            clock=self.clock,
            stop=stop,
            database_url=self.database_url,
            mqtt_url=self.mqtt_url,
        )
        self._running.append((asyncio.create_task(running), stop))
        return self._running[-1][0]

    async def all(self, count: int) -> None:
        """So many, each with its sites in hand."""
        for number in range(1, count + 1):
            self.start(number, count)
        await wait_until(self.held_by_all, 20)

    async def held_by_all(self) -> bool:
        (row,) = await self.rows("select count(*) as sites from site")
        return len(await self.holders()) == row["sites"]

    async def held_by_none(self) -> bool:
        """PostgreSQL ends a session some moments after it was left; who comes next waits for that."""
        return await self.holders() == []

    async def stop(self) -> None:
        running, self._running = self._running, []
        for _, stop in running:
            stop.set()
        await asyncio.gather(*(task for task, _ in running), return_exceptions=True)

    def say(self, site_key: str, times: int = 20) -> None:
        for _ in range(times):
            number = self.said[site_key] = self.said.get(site_key, 0) + 1
            ts = self.clock.ms - 100_000 + number
            self.speaker.say(f"tz/v1/{site_key}/lamp/telemetry", {"ts": ts, "values": {"room_temp": number % 30}})

    async def all_arrived(self) -> None:
        """Each message accepted once at its site, and no other message there."""

        async def arrived() -> bool:
            rows = await self.rows(
                "select site_key, sum(accepted)::int accepted, sum(quarantined)::int quarantined "
                "from intake_account group by site_key"
            )
            assert {row["site_key"]: row["accepted"] for row in rows} == self.said
            assert not any(row["quarantined"] for row in rows)
            return True

        await wait_until(arrived, 30)

    async def holders(self) -> list[str]:
        rows = await self.rows(
            "select application_name as name from pg_locks join pg_stat_activity using (pid) where locktype = 'advisory' "
            "and classid = 7482021 and granted and database = (select oid from pg_database where datname = "
            "current_database())"
        )
        return sorted(row["name"].split()[1] for row in rows)

    async def rows(self, statement: str) -> list[dict[str, Any]]:
        async with await psycopg.AsyncConnection.connect(self.database_url, row_factory=dict_row) as connection:
            return list(await (await connection.execute(statement)).fetchall())


Make = Callable[..., Any]


@pytest.fixture
async def workers(database_url: str, broker: Broker, tmp_path: Path, monkeypatch) -> AsyncIterator[Workers]:
    monkeypatch.setattr(shard, "DISCOVER_S", 0.2)
    monkeypatch.setattr(shard, "_BEAT_S", 0.05)
    monkeypatch.setattr(lease, "WAIT_S", 1.0)
    settings = Settings(mqtt_client_id="w", tick_ms=50, linger_ms=10, heartbeat_file=tmp_path / "beat")
    async with _made(database_url, broker.url, settings) as made:
        yield made


@asynccontextmanager
async def _made(database_url: str, mqtt_url: str, settings: Settings) -> AsyncIterator[Workers]:
    made = Workers(database_url, mqtt_url, settings, Speaker(mqtt_url, "speaker"))
    try:
        yield made
    finally:
        made.speaker.close()
        await made.stop()
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        assert await audit.run(connection) == []


async def test_no_message_is_lost_when_the_number_of_workers_changes(workers: Workers, tmp_path: Path) -> None:
    sites = ("east", "west", "south")
    await bring(workers.database_url, *sites, now=NOON - timedelta(days=1))
    for count in (2, 3, 1, 2):
        await workers.all(count)
        # The first time there is no session yet, and what is said before each is subscribed nobody keeps.
        await wait_until(lambda: all((tmp_path / f"beat.{each}").exists() for each in sites), 20)
        for each in sites:
            workers.say(each)
        await workers.all_arrived()
        await workers.stop()
        await wait_until(workers.held_by_none)
        for each in sites:
            workers.say(each)  # nobody is there; whoever comes next has to hear it
    await workers.all(1)
    await workers.all_arrived()
    assert await workers.holders() == ["w-east", "w-south", "w-west"]


async def test_a_site_brought_in_later_is_taken_by_one_of_them(workers: Workers, tmp_path: Path) -> None:
    await bring(workers.database_url, "east")
    await workers.all(2)
    await bring(workers.database_url, "west")
    await wait_until(workers.held_by_all)
    await wait_until(lambda: (tmp_path / "beat.west").exists() and (tmp_path / "beat").exists())
    for each in ("east", "west"):
        workers.say(each)
    await workers.all_arrived()


async def test_one_too_many_is_refused_and_told_who_has_the_site(workers: Workers) -> None:
    await bring(workers.database_url, "east")
    await workers.all(1)
    second = workers.start(1, 1)
    with pytest.raises(SiteTaken, match="site east is judged by taizhang w-east"):
        await asyncio.wait_for(second, 20)
    workers.say("east")
    await workers.all_arrived()
