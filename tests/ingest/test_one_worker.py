"""A restart is silent, and a site has one worker at a time, whoever comes, goes or loses his lock."""

import asyncio
from datetime import timedelta

import psycopg
import pytest

from ingest.worker import SiteTaken, SiteUnknown
from ledger.errors import LedgerError
from tests.fix_wait import wait_until
from tests.line_rig import NOON, HandClock, Line, line, settings_for
from tests.locks import waits_for_a_lock

OPEN = {"door_open": True}
RULE = "door_open_without_permit"  # critical after a minute

# ------------------------------------------------------------------ restarts


async def test_a_restart_is_silent_and_delays_go_on(bench: Line) -> None:
    bench.say("lift", {"overspeed": True}, ago=1)
    bench.say("pumps", OPEN)
    await bench.alarm("overspeed", state="UNACK", order_reason="life_safety")
    await bench.received()
    await bench.stop()
    before = await bench.everything()
    for _ in range(2):
        bench.clock.move(seconds=20)
        bench.start()
        await bench.ticked()
        await bench.stop()
        assert await bench.everything() == before
    bench.start()
    bench.say("pumps", {"room_temp": 20})  # heard again: time may pass
    bench.clock.move(seconds=25)
    alarm = await bench.alarm(RULE)
    assert alarm["began_at"] == NOON + timedelta(seconds=60)


async def test_a_stopping_worker_judges_what_it_holds(bench: Line) -> None:
    for number in range(300):
        bench.say("lamp", {"room_temp": number % 50}, ago=400 - number)
    await bench.received(1)
    await bench.stop()
    first = (await bench.account())["received"]
    bench.start()
    account = await bench.received()
    assert account["received"] == account["accepted"] == 300
    assert account["duplicate"] == 0
    assert first >= 1


# ------------------------------------------------------------------ one worker a site

_HOLDING = (
    "from pg_locks where locktype = 'advisory' and classid = 7482021 and granted "
    "and database = (select oid from pg_database where datname = current_database())"
)


async def test_the_second_worker_refuses_and_names_the_holder(bench: Line, monkeypatch) -> None:
    monkeypatch.setattr("ingest.lease.WAIT_S", 0.1)
    second = Line(
        bench.site,
        bench.database_url,
        bench.mqtt_url,
        HandClock(),
        bench.settings.model_copy(update={"mqtt_client_id": f"second-{bench.site}"}),
        bench.speaker,
    )
    await bench.ticked()
    second.start()
    assert second._task is not None
    with pytest.raises(SiteTaken) as caught:
        await second._task
    assert f"site {bench.site} is judged by taizhang worker-{bench.site}" in str(caught.value)
    assert "TAIZHANG_SITES" in str(caught.value)
    bench.say("lamp", {"room_temp": 20})
    assert (await bench.received())["accepted"] == 1


async def test_after_the_first_has_gone_the_second_may(bench: Line) -> None:
    await bench.ticked()
    await bench.crash()
    bench.start()
    bench.say("lamp", {"room_temp": 20})
    await bench.received()


async def test_without_its_lock_a_worker_does_not_judge_until_it_has_it_again(bench: Line, caplog) -> None:
    await bench.ticked()
    (first,) = await bench.rows(f"select pid {_HOLDING}")
    await bench.rows("select pg_terminate_backend(%s)", first["pid"])
    bench.say("lamp", {"room_temp": 20})
    assert (await bench.received())["accepted"] == 1
    (again,) = await bench.rows(f"select pid {_HOLDING}")
    assert again["pid"] != first["pid"]
    assert "must be taken again" in caplog.text or "is gone" in caplog.text


async def test_a_site_that_somebody_took_meanwhile_is_left_to_them(bench: Line, monkeypatch) -> None:
    monkeypatch.setattr("ingest.lease.WAIT_S", 0.1)
    await bench.ticked()
    (holder,) = await bench.rows(f"select pid {_HOLDING}")
    async with await psycopg.AsyncConnection.connect(bench.database_url, autocommit=True) as other:
        queueing = asyncio.create_task(other.execute("select pg_advisory_lock(7482021, (select id from site))"))
        await wait_until(lambda: waits_for_a_lock(bench.database_url, other.info.backend_pid))
        await bench.rows("select pg_terminate_backend(%s)", holder["pid"])
        await queueing
        with pytest.raises(SiteTaken, match=f"session {other.info.backend_pid}"):
            await bench.ended()


async def test_a_site_that_the_ledger_does_not_have_is_named(database_url, mqtt_url, unique_key) -> None:
    async with line(database_url, mqtt_url, unique_key("site"), start=False) as made:
        made.settings = made.settings.model_copy(update={"sites": (made.site, "nowhere")})
        made.start()
        with pytest.raises(SiteUnknown, match="'nowhere'"):
            await made.ended()


async def test_a_database_without_a_schema_is_refused(database_server, database_url, mqtt_url, bench) -> None:
    del database_url  # its roles are the server's
    elsewhere = Line("x", database_server, mqtt_url, HandClock(), settings_for("x"), bench.speaker)
    elsewhere.start()
    with pytest.raises(LedgerError, match="schema is not current"):
        await elsewhere.ended()
