"""What gateways say of themselves: believed by `since`, kept by the broker, told once."""

from datetime import timedelta

from tests.fix_wait import wait_until
from tests.line_rig import NOON, Line, line


async def states(bench: Line) -> list[float]:
    rows = await bench.rows(
        "select value from reading join point on point.id = point_id where key = 'online' order by ts"
    )
    return [row["value"] for row in rows]


async def gateway(bench: Line) -> tuple[bool | None, object]:
    (row,) = await bench.rows("select online, online_since from gateway where key = 'gw'")
    return row["online"], row["online_since"]


async def test_a_gateway_comes_goes_and_comes_back(bench: Line) -> None:
    bench.status("gw", "online", ago=50)
    account = await bench.received()
    assert (account["accepted"], account["stored"]) == (1, 1)
    assert await gateway(bench) == (True, NOON - timedelta(seconds=50))
    bench.status("gw", "offline", ago=50)  # the last will of that connection
    bench.say("lamp", {"room_temp": 20})
    await bench.received()
    assert await gateway(bench) == (False, NOON - timedelta(seconds=50))
    bench.clock.move(seconds=61)
    await bench.alarm("gateway_offline", state="UNACK", order_reason="waits_for_round")
    bench.status("gw", "online")
    account = await bench.received()
    assert account["quarantined"] == 0
    bench.clock.move(seconds=6)
    await bench.alarm("gateway_offline", state="RTNUN")
    assert await states(bench) == [1, 0, 1]


async def test_an_old_word_does_not_overrule_a_newer_one(bench: Line) -> None:
    bench.status("gw", "online", ago=20)
    bench.status("gw", "offline", ago=90)  # the will of the connection before, late
    bench.status("gw", "online", ago=90)
    account = await bench.received()
    assert (account["accepted"], account["duplicate"]) == (1, 2)
    assert await gateway(bench) == (True, NOON - timedelta(seconds=20))
    bench.status("gw", "offline", ago=20)
    bench.status("gw", "online", ago=20)  # of one connection, `offline` is the last word
    account = await bench.received()
    assert (account["accepted"], account["duplicate"]) == (2, 3)
    assert (await gateway(bench))[0] is False
    assert await states(bench) == [1, 0]


async def test_the_same_word_again_is_a_duplicate_over_restarts_too(bench: Line) -> None:
    bench.status("gw", "online", ago=20, retain=True)
    await bench.received()
    await bench.stop()
    bench.start()  # the broker tells again what it keeps, to every new subscription
    bench.say("lamp", {"room_temp": 20})

    async def heard_both() -> bool:
        account = await bench.account()
        assert account["accepted"] == 2, account
        assert account["duplicate"] >= 1, account
        return True

    await wait_until(heard_both)
    assert await states(bench) == [1]


async def test_what_the_broker_kept_is_heard_by_a_worker_that_comes_later(database_url, mqtt_url, unique_key) -> None:
    async with line(database_url, mqtt_url, unique_key("site"), start=False) as made:
        made.status("gw", "offline", ago=3600, retain=True)
        made.start()
        await made.received()
        assert await gateway(made) == (False, NOON - timedelta(hours=1))
        (reading,) = await made.rows("select ts from reading")
        assert reading["ts"] == NOON  # it takes effect when we hear of it


async def test_a_clock_that_was_set_back_can_still_come_online(bench: Line) -> None:
    bench.status("gw", "online", ago=-200)  # two hundred seconds ahead
    bench.status("gw", "offline", ago=-200)
    await bench.received()
    assert await states(bench) == [1, 0]
    bench.clock.move(seconds=260)
    bench.status("gw", "online", ago=5)  # set right in between; later than its last word all the same
    await bench.received()
    assert await states(bench) == [1, 0, 1]
    bench.clock.move(seconds=10)
    bench.say("lamp", {"room_temp": 20})
    await bench.ticked()
    assert [each["rule"] for each in await bench.alarms() if each["state"] == "UNACK"] == []


async def test_the_loss_of_a_gateway_is_one_alarm_and_its_points_are_unknown(bench: Line) -> None:
    bench.status("gw", "online", ago=5)
    for facility in ("pumps", "pumps_b", "lamp"):
        bench.say(facility, {"room_temp": 20, "room_humidity": 50, "outlet_pressure": 0.35})
    bench.say("far", {"room_temp": 20})
    await bench.received()
    bench.status("gw", "offline", ago=5)
    await bench.received()
    bench.clock.move(minutes=9)
    bench.say("far", {"room_temp": 20, "room_humidity": 50, "outlet_pressure": 0.35})
    await bench.received()
    bench.clock.move(seconds=30)
    await bench.alarm("gateway_offline", state="UNACK")
    await bench.ticked()
    assert {each["facility"] for each in await bench.alarms()} == {"gw"}
