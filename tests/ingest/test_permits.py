"""Work permits on the line: what is silent while one stands, what rings all the same, and what when nobody hands it back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from ledger import permits
from ledger.records import PermitKind
from tests.line_rig import NOON, Line

POWER_LOST = {"mains_ok": False}  # critical after two seconds


async def power_permit(bench: Line, **changes: Any) -> int:
    """A permit for work on the supply of `pumps`, until half an hour from noon."""
    (row,) = await bench.rows("select id from facility where key = 'pumps'")
    asked = permits.Request(
        facility_id=row["id"],
        kind=PermitKind.WORK,
        rules=["power_lost"],
        holder="张师傅",
        reason="换断路器",
        valid_from=NOON - timedelta(minutes=5),
        valid_until=NOON + timedelta(minutes=30),
    )
    async with await bench.act() as connection:
        issued = await permits.issue(connection, replace(asked, **changes), issued_by="李工", now=bench.clock.now)
    await bench.ticked()
    return issued.id


async def rung(bench: Line) -> set[str]:
    """The rules that raised an alarm at the pumps, but for those of silence: hours pass here in which nobody speaks."""
    found = {each["rule"] for each in await bench.alarms() if each["facility"] == "pumps"}
    return found - {"points_stale", "part_points_stale"}


async def test_a_permit_silences_its_rules_until_its_end(bench: Line) -> None:
    await power_permit(bench)
    bench.say("pumps", POWER_LOST, ago=60)
    bench.say("pumps", {**POWER_LOST, "door_open": True})
    await bench.received()
    await bench.ticked()
    assert await bench.alarms() == []
    bench.clock.move(minutes=30)
    await bench.alarm("work_permit_overrun", state="UNACK")
    bench.say("pumps", POWER_LOST)  # the site was loaded again: until it hears the gateway, time stands still
    await bench.received()
    bench.clock.move(seconds=3)
    alarm = await bench.alarm("power_lost", state="UNACK")
    assert alarm["began_at"] == NOON + timedelta(minutes=30, seconds=2)


async def test_an_overrun_permit_rings_until_somebody_says_that_the_work_is_over(bench: Line) -> None:
    permit = await power_permit(bench)
    bench.clock.move(minutes=35)
    alarm = await bench.alarm("work_permit_overrun", state="UNACK", order_reason="waits_to_stand", priority="medium")
    assert alarm["began_at"] == NOON + timedelta(minutes=30)
    rows = await bench.rows("select ended_at, ended_by, overrun, settled_at from work_permit")
    assert rows == [
        {"ended_at": NOON + timedelta(minutes=30), "ended_by": "clock", "overrun": True, "settled_at": None}
    ]
    bench.clock.move(minutes=10)
    await bench.alarm("work_permit_overrun", order_reason="stood_long_enough")
    async with await bench.act() as connection:
        await permits.hand_back(connection, permit, actor="张师傅", now=bench.clock.now, note="已恢复自动")
    back = await bench.alarm("work_permit_overrun", state="RTNUN")
    assert back["returned_at"] >= NOON + timedelta(minutes=45)
    assert {"work_class": "general"} in await bench.rows("select work_class from work_order")


async def test_an_overrun_rings_though_the_gateway_is_away_and_once_over_a_restart(bench: Line) -> None:
    await power_permit(bench)
    bench.status("gw", "offline")
    await bench.received()
    bench.clock.move(minutes=31)
    await bench.alarm("work_permit_overrun", state="UNACK")
    await bench.stop()
    bench.start()
    await bench.ticked(3)
    assert (await bench.alarm("work_permit_overrun", state="UNACK"))["occurrences"] == 1
    moves = "select move from condition_event join condition on condition.id = condition_id where rule_key = %s"
    assert await bench.rows(moves, "work_permit_overrun") == [{"move": "raise"}]


async def test_work_that_goes_on_under_another_permit_stays_silent(bench: Line) -> None:
    first = await power_permit(bench)
    bench.say("pumps", POWER_LOST, ago=60)
    bench.say("pumps", POWER_LOST)
    await bench.received()
    bench.clock.move(minutes=25)
    begin, end = bench.clock.now, bench.clock.now + timedelta(hours=1)
    await power_permit(bench, extends_id=first, valid_from=begin, valid_until=end)
    bench.say("pumps", POWER_LOST)
    await bench.received()
    bench.clock.move(minutes=30)
    await bench.ticked()
    assert await rung(bench) == set()
    bench.clock.move(minutes=31)
    await bench.alarm("work_permit_overrun", state="UNACK")
