"""The tick, on a real database: orders that are due, clocks that are missed, shelving that ends."""

from collections.abc import Sequence
from datetime import timedelta

from ledger import alarm_moves, conditions, work_orders
from ledger.conditions import Cause
from ledger.lifecycle import ConditionMove, WorkOrderMove
from ledger.work_orders import Act
from tests.fix_wait import wait_until
from tests.line_rig import NOON, Line

# Warning after ten seconds, normal again after a minute; power. At grade A an order after ten minutes.
BACKUP, MAIN = {"ats_position": "backup"}, {"ats_position": "main"}
POWER_LOST, POWER_BACK = {"mains_ok": False}, {"mains_ok": True}  # critical after two seconds; power


async def raise_warning(bench: Line, facility: str = "pumps") -> dict[str, object]:
    bench.say(facility, BACKUP, ago=20)
    bench.say(facility, BACKUP)
    return await bench.alarm("on_backup_supply", state="UNACK")


async def orders(bench: Line) -> Sequence[dict[str, object]]:
    return await bench.rows("select * from work_order order by id")


async def act_on(bench: Line, alarm: dict[str, object], step: ConditionMove, **more: object) -> None:
    """As a person does by the api."""
    async with await bench.act() as connection:
        cause = Cause("李工", "person", at=bench.clock.now, now=bench.clock.now, note="说明")
        await alarm_moves.move(connection, alarm["id"], step, cause, **more)


# ------------------------------------------------------------------ orders


async def test_a_warning_that_stands_has_its_order_after_ten_minutes(bench: Line) -> None:
    alarm = await raise_warning(bench)
    assert (alarm["order_reason"], alarm["orders"], alarm["priority"]) == ("waits_to_stand", [], "medium")
    bench.clock.move(minutes=9, seconds=59)
    await bench.ticked()
    assert await orders(bench) == []
    bench.clock.move(seconds=1)
    alarm = await bench.alarm("on_backup_supply", order_reason="stood_long_enough")
    (order,) = await orders(bench)
    assert alarm["orders"] == [order["id"]]
    assert order["arrive_by"] == NOON + timedelta(minutes=10, hours=2)
    assert order["title_en"] == "On backup supply" or order["title_en"]
    assert await bench.rows("select * from timer where kind = 'order_due'") == []


async def test_a_warning_that_went_away_needs_none(bench: Line) -> None:
    await raise_warning(bench)
    bench.clock.move(minutes=1)
    bench.say("pumps", MAIN)
    await bench.received()
    bench.clock.move(minutes=1, seconds=1)
    await bench.alarm("on_backup_supply", state="RTNUN")
    bench.clock.move(minutes=20)
    await bench.ticked()
    assert await orders(bench) == []
    bench.say("pumps", BACKUP, ago=15)
    bench.say("pumps", BACKUP)
    await bench.alarm("on_backup_supply", state="UNACK", occurrences=2, order_reason="waits_to_stand")
    bench.clock.move(minutes=10)
    await bench.alarm("on_backup_supply", order_reason="stood_long_enough")
    assert len([order for order in await orders(bench) if order["work_class"] == "power"]) == 1


async def test_a_minor_alarm_waits_for_the_round(bench: Line) -> None:
    bench.say("lamp", POWER_LOST, ago=10)
    bench.say("lamp", POWER_LOST)
    await bench.alarm("power_lost", state="UNACK", order_reason="waits_for_round", priority="medium")
    bench.clock.move(hours=19, minutes=59)  # 07:59 in Shanghai
    await bench.ticked()
    assert await orders(bench) == []
    bench.clock.move(minutes=1)
    await bench.alarm("power_lost", order_reason="stood_long_enough")


async def test_an_alarm_joins_the_order_that_is_open_for_the_same_work(bench: Line) -> None:
    await raise_warning(bench)
    bench.clock.move(minutes=10)
    await bench.alarm("on_backup_supply", order_reason="stood_long_enough")
    (order,) = await orders(bench)
    bench.say("pumps", POWER_LOST, ago=10)
    bench.say("pumps", {**POWER_LOST, **BACKUP})
    joined = await bench.alarm("power_lost", order_reason="same_facility_and_work")
    (same,) = await orders(bench)
    assert same["id"] == order["id"] == joined["orders"][0]
    assert same["priority"] == "high"
    assert same["accept_by"] == NOON + timedelta(minutes=25)  # the earlier of both
    assert same["restore_by"] == order["restore_by"]
    bench.say("pumps", {"door_open": True}, ago=70)
    bench.say("pumps", {"door_open": True})
    await bench.alarm("door_open_without_permit", order_reason="at_once")
    assert len(await orders(bench)) == 2  # other work


async def test_a_suspended_order_goes_on_when_an_alarm_joins_it(bench: Line) -> None:
    await raise_warning(bench)
    bench.clock.move(minutes=10)
    await bench.alarm("on_backup_supply", order_reason="stood_long_enough")
    (order,) = await orders(bench)
    async with await bench.act() as connection:
        await work_orders.move(
            connection, order["id"], WorkOrderMove.SUSPEND, Act("李工", "person", bench.clock.now, note="等配件")
        )
    bench.say("pumps", POWER_LOST, ago=10)
    bench.say("pumps", POWER_LOST)
    await bench.alarm("power_lost", order_reason="resumes_suspended")
    (order,) = await orders(bench)
    assert order["state"] == "opened"


async def test_life_safety_has_an_order_of_its_own_linked_to_the_others(bench: Line) -> None:
    bench.say("lift", {"mains_ok": False}, ago=10)
    bench.say("lift", {"mains_ok": False})
    await bench.alarm("mains_lost", order_reason="at_once")
    bench.say("lift", {"overspeed": True})
    alarm = await bench.alarm("overspeed", order_reason="life_safety_linked", priority="urgent")
    first, own = await orders(bench)
    assert alarm["orders"] == [first["id"], own["id"]]
    moves = await bench.rows("select work_order_id, move from work_order_event order by id")
    assert [(row["work_order_id"], row["move"]) for row in moves] == [
        (first["id"], "open"),
        (own["id"], "open"),
        (first["id"], "link"),
    ]


async def test_a_missed_clock_is_a_breach_once(bench: Line) -> None:
    bench.say("lift", {"overspeed": True})
    await bench.alarm("overspeed", order_reason="life_safety")
    for _ in range(3):
        bench.clock.move(minutes=6)
        await bench.ticked()
    breaches = await bench.rows("select clock, at from work_order_event where move = 'breach'")
    assert breaches == [{"clock": "accept_by", "at": NOON + timedelta(minutes=15)}]
    bench.clock.move(hours=1)

    async def all_of_them() -> bool:
        rows = await bench.rows("select clock from work_order_event where move = 'breach' order by id")
        return [row["clock"] for row in rows] == ["accept_by", "arrive_by", "plan_by"]

    await wait_until(all_of_them)


# ------------------------------------------------------------------ flags


async def test_shelving_that_runs_out_comes_back_unacknowledged(bench: Line) -> None:
    alarm = await raise_warning(bench)
    await act_on(bench, alarm, ConditionMove.ACKNOWLEDGE)
    await act_on(bench, alarm, ConditionMove.SHELVE, shelve_until=NOON + timedelta(minutes=30))
    bench.clock.move(minutes=15)
    await bench.ticked()
    assert await orders(bench) == []  # due, and nobody wants to hear of it
    bench.clock.move(minutes=15)
    await bench.alarm("on_backup_supply", state="UNACK")
    bench.clock.move(minutes=10)
    await bench.alarm("on_backup_supply", order_reason="stood_long_enough")


async def test_what_came_and_went_while_shelved_ends_without_a_sound(bench: Line) -> None:
    await bench.ticked()
    async with await bench.act() as connection:
        (row,) = await bench.rows(
            "select condition.id from condition join facility on facility.id = facility_id "
            "where rule_key = 'on_backup_supply' and facility.key = 'pumps'"
        )
        cause = Cause("李工", "person", at=NOON, now=NOON, note="说明")
        until = NOON + timedelta(minutes=30)
        await conditions.move(connection, row["id"], ConditionMove.SHELVE, cause, shelve_until=until)
    await raise_warning(bench)
    bench.clock.move(seconds=1)
    bench.say("pumps", MAIN)
    await bench.received()
    bench.clock.move(minutes=1, seconds=1)
    await bench.alarm("on_backup_supply", state="RTNUN", rang_at=None)
    bench.clock.move(minutes=30)
    alarm = await bench.alarm("on_backup_supply", state="NORM", rang_at=None, historical=False)
    events = await bench.rows("select reason from condition_event where alarm_id = %s order by seq", alarm["id"])
    assert events[-1]["reason"] == "ended_silenced"


async def test_a_raise_under_a_flag_rings_when_the_flag_is_gone(bench: Line) -> None:
    await bench.ticked()
    async with await bench.act() as connection:
        (row,) = await bench.rows("select id from condition where rule_key = 'overspeed'")
        cause = Cause("李工", "person", at=NOON, now=NOON, note="调试")
        await conditions.move(connection, row["id"], ConditionMove.REMOVE_FROM_SERVICE, cause)
    bench.say("lift", {"overspeed": True})
    await bench.alarm("overspeed", state="UNACK", rang_at=None, orders=[])
    async with await bench.act() as connection:
        await conditions.move(connection, row["id"], ConditionMove.RETURN_TO_SERVICE, cause)
    alarm = await bench.alarm("overspeed", rang_at=NOON)
    assert len(alarm["orders"]) == 1


async def test_acknowledged_for_too_long_it_asks_again(bench: Line) -> None:
    alarm = await raise_warning(bench)
    await act_on(bench, alarm, ConditionMove.ACKNOWLEDGE, realarm_after=timedelta(hours=1))
    bench.clock.move(minutes=61)
    await bench.alarm("on_backup_supply", state="UNACK")
    (event,) = await bench.rows("select actor, reason from condition_event where move = 'realarm'")
    assert event == {"actor": "clock", "reason": "realarm"}
