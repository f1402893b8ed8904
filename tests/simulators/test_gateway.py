"""A gateway without its socket: in order of device time, nothing said twice unasked, a store that is bounded."""

import json

import pytest

from simulators import gateway as module
from simulators.gateway import Connect, Drop, Gateway, Leave, Publish, Uplink
from simulators.reporting import counted

STATUS = "tz/v1/garden/gateways/gw/status"


def gateway(**options: int) -> Gateway:
    return Gateway("garden", "gw", {"one": {"n": counted(1.0)}, "two": {"n": counted(2.0)}}, **options)


def play(gate: Gateway, seconds: range, *, reachable: bool = True) -> list[module.Command]:
    commands: list[module.Command] = []
    for second in seconds:
        values = {"one": {"n": second}, "two": {"n": second}}
        commands += gate.step(second * 1000, values, reachable=reachable)
    return commands


def times(commands: list[module.Command], facility: str) -> list[int]:
    entries = []
    for one in commands:
        if isinstance(one, Publish) and not one.again and facility in one.topic:
            payload = json.loads(one.payload)
            entries += payload if isinstance(payload, list) else [payload]
    return [entry["ts"] // 1000 for entry in entries]


def test_it_connects_with_its_last_will_before_it_says_anything() -> None:
    first, *rest = play(gateway(), range(1, 4))
    assert isinstance(first, Connect)
    assert first.topic == STATUS
    assert json.loads(first.hello) == {"state": "online", "since": 1000}
    assert json.loads(first.will) == {"state": "offline", "since": 1000}
    assert all(isinstance(one, Publish) for one in rest)
    assert times(rest, "one") == [1, 2, 3]
    assert times(rest, "two") == [1, 3]


def test_what_it_stored_goes_first_and_in_order() -> None:
    gate = gateway()
    said = play(gate, range(1, 5))
    gate.go(Uplink.STORING)
    dropped = play(gate, range(5, 9))
    assert dropped == [Drop(forget=False)]
    gate.go(Uplink.ONLINE)
    back = play(gate, range(9, 12))
    assert isinstance(back[0], Connect)
    assert json.loads(back[0].hello)["since"] == 9000
    assert times(said + back, "one") == list(range(1, 12))
    assert times(said + back, "two") == [1, 3, 5, 7, 9, 11]
    stored = next(one for one in back if isinstance(one, Publish))
    assert (stored.messages, stored.values) == (4, 4)


def test_a_gateway_without_power_keeps_nothing_and_counts_anew() -> None:
    gate = gateway()
    play(gate, range(1, 5))
    gate.go(Uplink.DARK)
    assert play(gate, range(5, 9)) == [Drop(forget=True)]
    gate.go(Uplink.ONLINE)
    back = play(gate, range(9, 11))
    assert times(back, "one") == [9, 10]
    assert json.loads(next(one for one in back if isinstance(one, Publish)).payload)["seq"] == 1


def test_a_connection_that_breaks_by_itself_is_stored_over() -> None:
    gate = gateway()
    said = play(gate, range(1, 5))
    gate.interrupted()
    assert play(gate, range(5, 8), reachable=False) == []
    back = play(gate, range(8, 10))
    assert isinstance(back[0], Connect)
    assert times(said + back, "one") == list(range(1, 10))


def test_nobody_there_at_the_start_is_stored_over_as_well() -> None:
    gate = gateway()
    assert play(gate, range(1, 5), reachable=False) == []
    assert times(play(gate, range(5, 7)), "one") == [1, 2, 3, 4, 5, 6]


def test_a_repetition_is_the_same_to_the_byte() -> None:
    gate = gateway()
    play(gate, range(1, 30))
    assert gate.repeat(10) == 10
    said = play(gate, range(30, 31))
    publishes = [one for one in said if isinstance(one, Publish)]
    once = [one for one in publishes if not one.again]
    again = [one for one in publishes if one.again]
    assert [one.payload for one in again[-len(once) :]] == [one.payload for one in once]
    assert len(again) == 10
    assert not [one for one in play(gate, range(31, 40)) if isinstance(one, Publish) and one.again]


def test_a_full_store_drops_the_oldest_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKLOG_MESSAGES_MAX", 20)  # ten for each facility
    gate = gateway()
    play(gate, range(1, 3))
    gate.go(Uplink.STORING)
    play(gate, range(3, 33))
    gate.go(Uplink.ONLINE)
    assert times(play(gate, range(33, 34)), "one") == list(range(23, 34))
    assert gate.backlog_dropped == 30 - 10 + 15 - 10


def test_a_wrong_clock_shows_in_all_it_says() -> None:
    commands = play(gateway(clock_offset_ms=40_000), range(1, 3))
    assert times(commands, "one") == [41, 42]
    assert isinstance(commands[0], Connect)
    assert json.loads(commands[0].hello)["since"] == 41_000


def test_it_leaves_in_good_order_once() -> None:
    gate = gateway()
    play(gate, range(1, 3))
    (leave,) = gate.leave()
    assert isinstance(leave, Leave)
    assert json.loads(leave.goodbye) == {"state": "offline", "since": 1000}
    assert gate.leave() == []
