"""What people change is in force with the next batch, whole; what is gone leaves no alarm behind."""

from datetime import timedelta
from typing import Any

from dispatch import alarms
from ledger import calendar_conditions, conditions, facilities, parameters
from ledger.conditions import Cause
from ledger.pool import Connection
from ledger.records import Condition, ConditionReason, ConditionSpec, SiteConfiguration
from rules import packs, response
from tests.fix_wait import wait_until
from tests.line_rig import NOON, Line


async def one(bench: Line, statement: str) -> int:
    (row,) = await bench.rows(statement)
    return row["id"]


async def test_a_new_limit_counts_from_the_next_message_on(bench: Line) -> None:
    bench.say("pumps", {"room_temp": 30}, ago=100)
    bench.say("pumps", {"room_temp": 30}, ago=30)
    await bench.received()
    assert await bench.alarms() == []
    pumps = await one(bench, "select id from facility where key = 'pumps'")
    names = await bench.rows("select name from rule_parameter")
    assert names == []
    async with await bench.act() as connection:
        await parameters.set_value(
            connection, pumps, "room_temp_high", 25.0, author="李工", reason="夏季", now=bench.clock.now
        )
    bench.say("pumps", {"room_temp": 30}, ago=25)
    await bench.received()  # or a tick might see the new limit first, and the delay would count from there
    bench.clock.move(seconds=40)
    bench.say("pumps", {"room_temp": 30})
    alarm = await bench.alarm("room_temp_high", state="UNACK")
    assert alarm["began_at"] >= NOON


async def test_no_batch_is_judged_by_half_old_rules_while_limits_change_under_load(bench: Line, monkeypatch) -> None:
    """Two limits are set in one transaction, again and again, while messages flow: whatever is loaded has both or neither."""
    pumps = await one(bench, "select id from facility where key = 'pumps'")
    real, seen = facilities.configuration, list[tuple[float, float]]()

    async def looked_at(*given: Any) -> SiteConfiguration:
        found = await real(*given)
        limits = [found.parameters.get((pumps, name)) for name in ("room_temp_high", "room_temp_very_high")]
        if None not in limits:
            seen.append((limits[0], limits[1]))
        return found

    monkeypatch.setattr(facilities, "configuration", looked_at)
    for number in range(12):
        async with await bench.act() as connection:
            for name, value in (("room_temp_high", 30.0 + number), ("room_temp_very_high", 32.0 + number)):
                await parameters.set_value(
                    connection, pumps, name, value, author="李工", reason="夏季", now=bench.clock.now
                )
        for step in range(20):
            bench.say("pumps", {"room_temp": 20.0 + step % 9}, at_ms=bench.clock.ms - 50_000 + number * 100 + step)
    account = await bench.received()
    assert account["accepted"] == bench.sent == 240
    assert account["quarantined"] == 0
    await wait_until(lambda: seen and seen[-1] == (41.0, 43.0))
    assert [high + 2 for high, _ in seen] == [very_high for _, very_high in seen]
    assert len(set(seen)) > 1, "it was loaded while messages flowed"


async def test_a_facility_that_is_gone_leaves_no_alarm_behind(bench: Line) -> None:
    bench.say("pumps", {"mains_ok": False}, ago=10)
    bench.say("pumps", {"mains_ok": False, "door_open": True})
    await bench.alarm("power_lost", state="UNACK")
    async with await bench.act() as connection:
        await connection.execute(
            "update point set retired_at = %s where facility_id = (select id from facility where key = 'pumps')", [NOON]
        )
        await connection.execute("update facility set retired_at = %s where key = 'pumps'", [NOON])
        await facilities.bump_revision(connection, await one(bench, "select id from site"))
    await bench.alarm("power_lost", state="RTNUN")
    (event,) = await bench.rows("select actor, reason from condition_event where move = 'clear'")
    assert event == {"actor": "rules", "reason": "configuration_changed"}
    delays = "select * from timer join condition on condition.id = condition_id where timer.kind = 'on_delay'"
    assert await bench.rows(delays) == []
    bench.say("pumps", {"mains_ok": True})
    account = await bench.received()
    assert account["quarantined"] == 1


async def test_a_site_that_cannot_be_loaded_loses_no_message(bench: Line, monkeypatch, caplog) -> None:
    real = facilities.configuration

    async def broken(*_: object) -> object:
        raise KeyError("what nobody thought of")

    monkeypatch.setattr(facilities, "configuration", broken)
    async with await bench.act() as connection:
        await facilities.bump_revision(connection, await one(bench, "select id from site"))
    bench.say("pumps", {"room_temp": 20})
    await wait_until(lambda: f"site {bench.site} cannot be loaded" in caplog.text)
    assert (await bench.account())["received"] == 0
    monkeypatch.setattr(facilities, "configuration", real)
    assert (await bench.received())["accepted"] == 1


async def test_a_decision_the_ledger_refuses_costs_nothing_but_a_reload(bench: Line, caplog) -> None:
    """Somebody repaired the ledger by hand, and the engine does not know."""
    bench.say("pumps", {"mains_ok": False}, ago=10)
    bench.say("pumps", {"mains_ok": False})
    await bench.alarm("power_lost", state="UNACK")
    async with await bench.act() as connection:
        (row,) = await bench.rows("select id from condition where state = 'UNACK'")
        # The journal goes with it, or the audit at the end of every test would find the difference.
        await connection.execute("set session_replication_role = replica")
        await connection.execute("delete from condition_event")
        await connection.execute("delete from dossier_entry")
        await connection.execute("update facility set chain_length = 0, chain_head = null")
        await connection.execute("delete from work_order_alarm; delete from work_order_event; delete from timer")
        await connection.execute("delete from work_order; delete from alarm")
        # What the lost mains suppress counts as never suppressed as well.
        await connection.execute(
            "update condition set state = 'NORM', state_since = null, suppressed = false, journal_length = 0"
        )
    bench.clock.move(seconds=10)
    bench.say("pumps", {"mains_ok": True})
    bench.clock.move(seconds=10)
    await wait_until(lambda: "was refused, the site is loaded again" in caplog.text)
    bench.say("pumps", {"mains_ok": False}, ago=5)
    bench.clock.move(seconds=5)
    alarm = await bench.alarm("power_lost", state="UNACK")
    assert alarm["began_at"] == NOON + timedelta(seconds=17)
    assert row["id"]


async def test_what_the_calendar_of_rounds_raised_stays_when_the_site_is_loaded_and_gets_its_order(bench: Line) -> None:
    pumps = await one(bench, "select id from facility where key = 'pumps'")
    site = await one(bench, "select id from site")
    rule = packs.load(None)["any"].rules["round_missed"]
    async with await bench.act() as connection:
        made = await calendar_conditions.at(connection, site, ConditionSpec(pumps, None, rule.key, rule.severity))
        cause = Cause("calendar", ConditionReason.CALENDAR_LAPSED, at=bench.clock.now, now=bench.clock.now)
        await alarms.begin(connection, made, rule, cause, response.load(), bench.clock.now)
    await bench.alarm("round_missed", state="UNACK", order_reason="waits_to_stand")
    bench.clock.move(minutes=11)  # ingest has not loaded the site since, and opens the order of what it does not know
    await bench.alarm("round_missed", state="UNACK", order_reason="stood_long_enough")
    async with await bench.act() as connection:
        await facilities.bump_revision(connection, site)
    bench.say("pumps", {"mains_ok": False}, ago=10)
    bench.say("pumps", {"mains_ok": False, "door_open": True})
    await bench.alarm("power_lost", state="UNACK")
    await bench.alarm("round_missed", state="UNACK")
    (row,) = await bench.rows("select retired_at from condition where rule_key = 'round_missed'")
    assert row == {"retired_at": None}


async def test_what_the_calendar_raises_while_the_site_is_being_loaded_is_not_retired(bench: Line, monkeypatch) -> None:
    """The api commits it after ingest has read which conditions there are, and before it retires those of no rule."""
    await bench.ticked()
    pumps = await one(bench, "select id from facility where key = 'pumps'")
    site = await one(bench, "select id from site")
    rule = packs.load(None)["any"].rules["round_missed"]
    real, made = conditions.standing, list[int]()

    async def overtaken(connection: Connection, site_id: int) -> list[Condition]:
        found = await real(connection, site_id)
        if not made:
            async with await bench.act() as other:
                spec = ConditionSpec(pumps, None, rule.key, rule.severity)
                made.append((await calendar_conditions.at(other, site_id, spec)).id)
        return found

    monkeypatch.setattr(conditions, "standing", overtaken)
    async with await bench.act() as connection:
        await facilities.bump_revision(connection, site)
    bench.say("pumps", {"mains_ok": False}, ago=10)
    bench.say("pumps", {"mains_ok": False})
    await bench.alarm("power_lost", state="UNACK")
    assert await bench.rows("select id, retired_at from condition where rule_key = 'round_missed'") == [
        {"id": made[0], "retired_at": None}
    ]
