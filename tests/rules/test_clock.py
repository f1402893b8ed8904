"""Whether a gateway's clock is right: the most favourable message counts, a store being emptied says nothing."""

from rules.clock import GatewayClock
from tests.rules.rig import GATEWAY, Plan, Rig
from tests.shipped import PACKS

RULE = "gateway_clock_wrong"
MINUTE = 60_000


def test_one_message_that_is_nearly_right_clears_the_clock_of_ten_minutes() -> None:
    clock = GatewayClock()
    for minute, lag_s in enumerate([90, 80, 2, 95, 90, 90]):
        clock.live(minute * MINUTE, lag_s * 1000)
    assert clock.offset_s(6 * MINUTE) == -2.0
    assert GatewayClock().offset_s(0) is None


def test_an_hour_without_a_message_leaves_it_unknown() -> None:
    clock = GatewayClock()
    clock.live(0, 90_000)
    assert clock.offset_s(9 * MINUTE) == -90.0
    assert clock.offset_s(60 * MINUTE) is None
    clock.live(60 * MINUTE, 5_000)
    assert clock.offset_s(61 * MINUTE) == -5.0


def test_the_end_of_a_store_is_no_clock_until_five_minutes_have_said_the_same() -> None:
    clock = GatewayClock()
    clock.live(0, 1_000)
    clock.live(11 * MINUTE, 110_000)  # cut off for ten minutes, and the newest of what was stored
    assert clock.offset_s(12 * MINUTE) is None
    clock.live(12 * MINUTE, 2_000)
    assert clock.offset_s(12 * MINUTE) == -2.0
    slow = GatewayClock()
    for minute in range(11, 18):
        slow.live(minute * MINUTE, 110_000)
    assert slow.offset_s(17 * MINUTE) == -110.0


def test_one_refused_message_is_no_wrong_clock_but_five_minutes_of_nothing_else_are() -> None:
    clock = GatewayClock()
    clock.ahead(0, 3_600_000)
    assert clock.offset_s(MINUTE) is None
    clock.live(2 * MINUTE, 1_000)
    clock.ahead(3 * MINUTE, 3_600_000)
    clock.ahead(7 * MINUTE, 3_600_000)
    assert clock.offset_s(7 * MINUTE) == -1.0
    clock.ahead(8 * MINUTE, 3_600_000)
    assert clock.offset_s(8 * MINUTE) == 3600.0


def test_emptying_a_store_rings_nothing_however_long_it_takes() -> None:
    """Two hours of readings, sent off at twenty for each that is due: the newest come last, and are live."""
    rig = Rig(PACKS, {"here": Plan("booster_pump_room")})
    received_s, measured_s = 7_200.0, 0.0
    while measured_s < received_s:
        rig.send(measured_s, {"here/outlet_pressure": 0.35}, received_s=received_s)
        rig.tick(received_s)
        received_s, measured_s = received_s + 1.5, measured_s + 30.0
    for _ in range(30):
        rig.send(received_s, {"here/outlet_pressure": 0.35})
        received_s += 30.0
        rig.tick(received_s)
    assert [move for move in rig.brief if move[2] == RULE] == []


def test_values_of_a_clock_set_back_move_nothing_until_it_is_right_again() -> None:
    """What the alarm's guidance says. The clock is set back by an hour, and after forty minutes set right."""
    rig = Rig(PACKS, {"here": Plan("booster_pump_room")})
    rig.send(0, {f"{GATEWAY}/online": True})
    for at_s in range(0, 6_000, 30):
        is_back = 1_800 <= at_s < 4_200
        is_open = at_s >= 2_400  # the door, open without a permit
        rig.send(at_s - (3_607 if is_back else 0), {"here/door_open": is_open}, received_s=at_s)
        rig.tick(at_s + 1)
    assert [move[:2] for move in rig.brief if move[2] == RULE] == [(2_161.0, "raise"), (4_261.0, "clear")]
    door = [move[:2] for move in rig.brief if move[2] == "door_open_without_permit"]
    assert [move for _, move in door] == ["raise"]
    assert door[0][0] >= 4_200
