"""The watch over ingest: an alarm in the ledger when no beat comes, once, and none when it was us who could not look."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import psycopg
import pytest

from api.watchdog import Watchdog
from ledger import audit, beats, conditions
from ledger.pool import API_ROLE, Pool, open_pool
from ledger.records import ConditionSpec, Severity
from rules import response
from settings import wall_clock
from tests.api import busy
from tests.api.conftest import PACKS, Estate, StandingClock
from tests.fix_wait import Eventually
from tests.line_rig import Line, line
from tests.small_estate import one

SERVICE = {"key": "ingest", "kind": "ingest_service", "name": {"zh": "接入服务", "en": "Ingest"}, "location": "house"}
SILENT_S = 30.0


@pytest.fixture
async def work(database_url: str, mqtt_url: str, unique_key: Callable[[str], str]) -> AsyncIterator[Line]:
    async with line(database_url, mqtt_url, unique_key("site"), also=[SERVICE], beat_s=0.05, ingest_silent_s=5) as made:
        yield made


@pytest.fixture
async def pool(work: Line) -> AsyncIterator[Pool]:
    async with open_pool(work.database_url, role=API_ROLE) as opened:
        yield opened


@pytest.fixture
async def pool_of_nothing(database_url: str) -> AsyncIterator[Pool]:
    async with open_pool(database_url, role=API_ROLE) as opened:
        yield opened


def watchdog(pool: Pool, work: Line) -> Watchdog:
    return Watchdog(pool, PACKS, response.load(), work.clock, silent_s=SILENT_S)


async def scope(work: Line) -> list[int]:
    return [each["id"] for each in await work.rows("select id from site")]


async def beating(work: Line, eventually: Eventually) -> None:
    async def there() -> bool:
        return bool(await work.rows("select 1 from ingest_beat join reading on true limit 1"))

    await eventually(there)


async def test_silence_raises_one_alarm_and_ingest_ends_it(work: Line, pool: Pool, eventually: Eventually) -> None:
    await beating(work, eventually)
    await work.crash()
    sites, dog, another = await scope(work), watchdog(pool, work), watchdog(pool, work)
    for each in (dog, another):
        await each.look(sites, 0.0)
        await each.look(sites, SILENT_S - 0.1)
    assert await work.alarms() == []
    await dog.look(sites, SILENT_S)
    await another.look(sites, SILENT_S)
    await dog.look(sites, 10 * SILENT_S)
    alarm = await work.alarm("ingest_silent", facility="ingest", state="UNACK", occurrences=1)
    assert alarm["rang_at"] is not None
    assert len(alarm["orders"]) == 1
    (event,) = await work.rows("select actor, reason, detail from condition_event")
    assert (event["actor"], event["reason"]) == ("watchdog", "ingest_silent")
    assert event["detail"]["silent_s"] == SILENT_S

    work.clock.move(minutes=2)
    work.start()
    await eventually(lambda: _ended_by_tick(work))
    await work.alarm("ingest_silent", state="RTNUN", occurrences=1)
    before = await work.rows("select beat_at from ingest_beat")
    await dog.look(sites, 11 * SILENT_S)
    assert before
    assert dog.silent_sites == 0


async def _ended_by_tick(work: Line) -> bool:
    """The off-delay runs in the clock that the test moves."""
    work.clock.move(seconds=6)
    (alarm,) = await work.alarms()
    return alarm["returned_at"] is not None


async def test_a_living_ingest_that_was_called_silent_says_otherwise(
    work: Line, pool: Pool, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stalled for longer than the bound, not dead: it reads the site again and ends the alarm."""
    await beating(work, eventually)
    frozen = beats.put

    async def no_beat(*_: Any, **__: Any) -> None:
        return

    monkeypatch.setattr(beats, "put", no_beat)
    await work.ticked()
    sites, dog = await scope(work), watchdog(pool, work)
    await dog.look(sites, 0.0)
    await dog.look(sites, SILENT_S)
    await work.alarm("ingest_silent")
    monkeypatch.setattr(beats, "put", frozen)
    await eventually(lambda: _ended_by_tick(work))
    async with await psycopg.AsyncConnection.connect(work.database_url) as connection:
        assert await audit.run(connection) == []


async def test_what_it_could_not_see_is_no_silence(work: Line, pool: Pool, eventually: Eventually) -> None:
    await beating(work, eventually)
    await work.crash()
    sites, dog = await scope(work), watchdog(pool, work)
    await dog.look(sites, 0.0)
    dog.lost_sight()
    await dog.look(sites, SILENT_S)
    assert await work.alarms() == []
    await dog.look(sites, 2 * SILENT_S)
    await work.alarm("ingest_silent")


async def test_planned_work_is_respected(work: Line, pool: Pool, eventually: Eventually) -> None:
    await beating(work, eventually)
    await work.crash()
    async with await psycopg.AsyncConnection.connect(work.database_url, autocommit=True) as owner:
        await owner.execute(
            "insert into work_permit (site_id, facility_id, kind, rules, holder, reason, valid_from, valid_until, "
            "issued_by, issued_at) select site_id, id, 'work', '{ingest_silent}', '王工', '升级', %(now)s, "
            "%(now)s + interval '1 hour', '李工', %(now)s from facility where key = 'ingest'",
            {"now": work.clock()},
        )
        sites, dog = await scope(work), watchdog(pool, work)
        await dog.look(sites, 0.0)
        await dog.look(sites, SILENT_S)
        assert await work.alarms() == []
        await owner.execute("update work_permit set ended_at = %s, ended_by = '王工'", [work.clock()])
    await dog.look(sites, SILENT_S + 1)
    await work.alarm("ingest_silent")


async def test_a_site_without_the_facility_is_said_in_the_log(
    database_url: str,
    mqtt_url: str,
    unique_key: Callable[[str], str],
    eventually: Eventually,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with line(database_url, mqtt_url, unique_key("site"), beat_s=0.05) as work:
        await eventually(lambda: work.rows("select 1 from ingest_beat"))
        await work.crash()
        async with open_pool(database_url, role=API_ROLE) as pool:
            dog, sites = watchdog(pool, work), await scope(work)
            await dog.look(sites, 0.0)
            await dog.look(sites, SILENT_S)
            await dog.look(sites, SILENT_S + 1)
    assert [record.message for record in caplog.records if record.name == "api.watchdog"] == ["ingest_silent_untold"]


async def test_a_site_that_others_hold_keeps_no_alarm_of_the_rest(
    owner: psycopg.AsyncConnection[Any], estate: Estate, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    sites = [estate.harbour, estate.garden]
    for each in sites:
        facility = await one(
            owner,
            "insert into facility (site_id, location_id, key, kind, grade, name_zh, name_en) "
            "values (%s, %s, 'ingest', 'ingest_service', 'A', '接入', 'Ingest') returning id",
            [each.id, each.room],
        )
        spec = ConditionSpec(facility, None, "ingest_silent", Severity.CRITICAL)
        await conditions.ensure(owner, each.id, [spec])
        await beats.put(owner, each.id, "w", broker_connected=True, lag_s=0)
    await busy.hold(owner, estate.harbour.id, "condition")
    async with open_pool(database_url, role=API_ROLE) as pool:
        dog = Watchdog(pool, PACKS, response.load(), StandingClock(), silent_s=SILENT_S)
        for at_s in (0.0, SILENT_S):
            await dog.look([each.id for each in sites], at_s)
        assert f"site {estate.harbour.id} is not told meanwhile" in caplog.text
        assert await _alarms(owner) == [(estate.garden.id,)]
        await owner.execute("drop policy held on condition")
        await dog.look([each.id for each in sites], SILENT_S + 1)
    assert await _alarms(owner) == [(estate.garden.id,), (estate.harbour.id,)]


async def _alarms(owner: psycopg.AsyncConnection[Any]) -> list[tuple[int]]:
    return await (await owner.execute("select site_id from alarm order by id")).fetchall()


async def test_a_watch_that_fails_goes_on(pool_of_nothing: Pool, eventually: Eventually) -> None:
    asked = 0

    async def failing_first() -> list[int]:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise KeyError("whatever it is")
        return []

    dog = Watchdog(pool_of_nothing, PACKS, response.load(), wall_clock(), silent_s=0.03)
    watching = asyncio.create_task(dog.run(failing_first))

    async def went_on() -> bool:
        return asked > 2

    await eventually(went_on)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
