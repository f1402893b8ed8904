"""What keeps an alarm quiet has a bound (decision 0008): a store that is never empty, a shelving, a false status."""

from datetime import timedelta

from ledger import alarm_moves, work_orders
from ledger.conditions import Cause
from ledger.lifecycle import ConditionMove, WorkOrderMove
from ledger.work_orders import Act
from tests.fix_wait import wait_until
from tests.line_rig import Line, line

RULE = "door_open_without_permit"
POWER_LOST, POWER_BACK = {"mains_ok": False}, {"mains_ok": True}  # critical after two seconds; power


async def rung(bench: Line, rule: str) -> list[object]:
    return [each["rang_at"] for each in await bench.alarms() if each["rule"] == rule]


async def test_an_alarm_rings_though_its_gateway_never_empties_its_store(database_url, mqtt_url, unique_key) -> None:
    """Lags that jump about are neither a shrinking backlog nor a steady wrong clock; ten minutes are enough of that."""
    async with line(database_url, mqtt_url, unique_key("site"), settle_s=30.0) as bench:

        def send(ago: int, values: dict[str, object]) -> None:
            entry = {"ts": bench.clock.ms - ago * 1000, "values": values}
            bench.say_raw(f"{bench.site}/pumps/telemetry", [entry])

        bench.say("pumps", {"door_open": False})
        await bench.received()
        bench.clock.move(hours=1)
        send(3500, {"door_open": True})
        send(3430, {"door_open": True})
        await bench.received()
        for step in range(20):
            bench.clock.move(seconds=25)
            send(3300 if step % 2 else 3000, {"room_temp": 20.0 + step / 10})
            await bench.received()
        assert await rung(bench, RULE) == [None], "after eight minutes it may still be over"
        for step in range(8):
            bench.clock.move(seconds=25)
            send(3300 if step % 2 else 3000, {"room_temp": 25.0 + step / 10})
            await bench.received()
        await bench.ticked()
        (alarm,) = [each for each in await bench.alarms() if each["rule"] == RULE]
        assert alarm["rang_at"] is not None
        assert len(alarm["orders"]) == 1


async def test_what_is_raised_again_under_a_shelving_sends_nobody(bench: Line) -> None:
    bench.say("pumps", POWER_LOST, ago=20)
    bench.say("pumps", POWER_LOST, ago=1)
    alarm = await bench.alarm("power_lost", state="UNACK")
    async with await bench.act() as connection:
        (order,) = alarm["orders"]
        await work_orders.move(
            connection, order, WorkOrderMove.CANCEL, Act("李工", "person", bench.clock.now, note="说明")
        )
        cause = Cause("李工", "person", at=bench.clock.now, now=bench.clock.now, note="说明")
        await alarm_moves.move(
            connection,
            alarm["id"],
            ConditionMove.SHELVE,
            cause,
            shelve_until=bench.clock.now + timedelta(hours=1),
        )
    bench.clock.move(seconds=30)
    bench.say("pumps", POWER_BACK)
    await bench.received()
    bench.clock.move(seconds=120)
    bench.say("pumps", POWER_BACK)
    await bench.alarm("power_lost", state="RTNUN")
    bench.clock.move(seconds=30)
    bench.say("pumps", POWER_LOST)
    await bench.received()
    bench.clock.move(seconds=10)
    bench.say("pumps", POWER_LOST)
    await bench.alarm("power_lost", state="UNACK", occurrences=2)
    assert [row["state"] for row in await bench.rows("select state from work_order")] == ["cancelled"]


async def test_a_value_that_the_broker_kept_is_not_taken_for_one_of_now(bench: Line) -> None:
    """A gateway that publishes retained, and is dead since: after each of our restarts the broker says it again."""
    topic = f"tz/v1/{bench.site}/pumps/telemetry"
    bench.sent += 1
    bench.speaker.say(topic, {"values": {"room_temp": 20}}, retain=True)
    assert (await bench.received())["accepted"] == 1, "said now, it counts from now"
    (heard,) = await bench.rows("select heard_at from gateway where key = 'gw'")
    await bench.stop()
    bench.clock.move(days=7)
    bench.start()

    async def is_refused() -> bool:
        account = await bench.account()
        assert (account["accepted"], account["quarantined"]) == (1, 1), account
        return True

    await wait_until(is_refused)
    (refused,) = await bench.rows("select topic, reason from quarantine")
    assert (refused["topic"], refused["reason"]) == (topic, "bad_timestamp")
    assert len(await bench.rows("select from reading")) == 1
    assert await bench.rows("select heard_at from gateway where key = 'gw'") == [heard], "the broker spoke, not it"
