"""What must hold of the engine for any stream of samples: splits, ticks, restarts and backlogs change no decision."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.records import ConditionDecision, Delay
from rules import packs
from tests.rules.rig import GATEWAY, Move, Plan, Rig, Value

# Functions of time on top of the rules that the scenarios show.
EXTRA = """
  - {key: temp_mean, title: {zh: 均温, en: Mean}, when: "mean(temp, 2m) > 60", off_delay: 10s, severity: warning, work_class: power, guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}, source: test}
  - {key: temp_low_long, title: {zh: 低, en: Low}, when: "max_over(temp, 90s) < 50", severity: warning, work_class: power, guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}, source: test}
  - {key: temp_frozen, title: {zh: 卡死, en: Frozen}, when: "frozen(temp, 2m) and door", on_delay: 30s, severity: warning, work_class: power, guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}, source: test}
  - {key: door_long, title: {zh: 久开, en: Long}, when: "door and age(door) > 4m", on_delay: 10s, severity: warning, work_class: security, guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}, source: test}
  - {key: door_unmoved, title: {zh: 未动, en: Unmoved}, when: "frozen(door, 3m) or min_over(door, 1m) == 1", on_delay: 40s, off_delay: 20s, severity: warning, work_class: security, guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}, source: test}
  - {key: presses, title: {zh: 多次, en: Presses}, when: "starts(button, 2m) >= 2", severity: warning, work_class: elevator, guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}, source: test}
  - {key: night_door, title: {zh: 夜, en: Night}, when: "door and local_hour >= 13", severity: warning, work_class: security, guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}, source: test}
  - {key: either, title: {zh: 或, en: Either}, when: "door or pressure < 0.3", on_delay: 45s, unknown_max: 30s, severity: warning, work_class: security, guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}, source: test}
  - {key: together, title: {zh: 与, en: Both}, when: "smoke and pressure < 0.3", on_delay: 20s, off_delay: 5s, latch: true, severity: critical, work_class: fire, guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}, source: test}
  - {key: very_low, title: {zh: 甚低, en: Very low}, when: "pressure < 0.25", deadband: 0.01, on_delay: 20s, off_delay: 15s, severity: critical, work_class: power, guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}, source: test}
  - {key: somewhat_low, title: {zh: 稍低, en: Low}, when: "pressure < 0.3", on_delay: 20s, off_delay: 5s, suppress_when: "raised('very_low') or raised('smoke')", severity: warning, work_class: power, guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}, source: test}
  - {key: hot_behind, title: {zh: 热, en: Hot}, when: "temp > 60", on_delay: 45s, suppress_when: "raised('somewhat_low') and max_over(temp, 90s) > 90 and not raised('door_long')", severity: warning, work_class: power, guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}, source: test}
  - {key: pump_at_rest, title: {zh: 停, en: At rest}, for_each: pump, when: "not self.run", on_delay: 5s, suppress_when: "raised('pump_fault') or raised('hot_behind') or raised('power_behind')", severity: warning, work_class: power, guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}, source: test}
  - {key: power_behind, title: {zh: 电, en: Power}, when: "supplied_by.mains_ok == 0", off_delay: 30s, unknown_max: 60s, severity: critical, work_class: power, guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}, source: test}
"""
TINY = (Path(__file__).parent / "packs" / "tiny.yaml").read_text(encoding="utf-8")
GATEWAY_TEXT = (packs.SHIPPED / "gateway.yaml").read_text(encoding="utf-8")
PACKS = packs.read({"tiny.yaml": TINY + EXTRA, "gateway.yaml": GATEWAY_TEXT})
PLANS = {
    "a": Plan("tiny", {"pump_1": "pump"}, relations={"supplied_by": "b"}),
    "b": Plan("tiny", without=["temp"]),
}

Event = tuple[float, str, Value]  # seconds, point, value

VALUES: dict[str, st.SearchStrategy[Value]] = {
    "a/pressure": st.sampled_from([0.2, 0.29, 0.305, 0.35, None]),
    "a/temp": st.sampled_from([20.0, 85.0, 95.0, 900.0]),
    "a/door": st.booleans(),
    "a/mode": st.sampled_from(["auto", "manual"]),
    "a/button": st.sampled_from([True, True, False]),
    "a/smoke": st.sampled_from([True, False, None]),
    "a/pump_1.run": st.booleans(),
    "a/pump_1.fault": st.booleans(),
    "b/mains_ok": st.booleans(),
    "b/pressure": st.sampled_from([0.29, 0.35]),
}
LOOKED_BACK = {"a/pump_1.run", "a/temp", "a/door", "a/button"}
GAPS = st.sampled_from([0.0, 0.5, 1.0, 3.0, 15.0, 20.0, 30.0, 30.0, 60.0, 200.0])


@st.composite
def streams(draw: st.DrawFn, least: int = 1, most: int = 40) -> list[Event]:
    """Samples in order of time; no point has two at the same moment."""
    found: list[Event] = []
    at_s = 0.0
    taken: set[tuple[float, str]] = set()
    for _ in range(draw(st.integers(least, most))):
        at_s += draw(GAPS)
        point = draw(st.sampled_from(sorted(VALUES)))
        if (at_s, point) not in taken:
            taken.add((at_s, point))
            found.append((at_s, point, draw(VALUES[point])))
    return found


few = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def in_time(stream: list[Event], tick_s: float, until_s: float, *, restart_at: int | None = None) -> Rig:
    """The stream as it happens, with ticks of that length in between, and a restart before the n-th sample."""
    rig = Rig(PACKS, PLANS)
    now_s = 0.0
    for number, (at_s, point, value) in enumerate(stream):
        while now_s + tick_s < at_s:
            now_s += tick_s
            rig.tick(now_s)
        if number == restart_at:
            rig.restart()
            rig.connected_since_s = at_s
        rig.send(at_s, {point: value})
    while now_s + tick_s < until_s:
        now_s += tick_s
        rig.tick(now_s)
    rig.tick(until_s)
    return rig


def kept(rig: Rig) -> tuple[list[Move], object, object]:
    delays: list[Delay] = sorted(rig.delays.values(), key=str)
    return (
        sorted(rig.moves, key=lambda move: (move.at_s, move.facility, move.rule, move.part or "")),
        rig.conditions,
        delays,
    )


def end_of(stream: list[Event]) -> float:
    return stream[-1][0] + 400.0


@few
@given(streams(), st.data())
def test_a_batch_judged_whole_gives_what_its_parts_give(stream, data) -> None:
    whole, split = Rig(PACKS, PLANS), Rig(PACKS, PLANS)
    samples = [whole.sample(point, value, at_s) for at_s, point, value in stream]
    whole.feed(samples)
    place = 0
    while place < len(samples):
        size = data.draw(st.integers(1, 7))
        split.feed(samples[place : place + size])
        place += size
    assert split.decisions == whole.decisions


@few
@given(streams(), st.sampled_from([3.0, 7.0, 45.0]))
def test_ticks_change_nothing_but_when_it_is_noticed(stream, tick_s) -> None:
    often = in_time(stream, tick_s, end_of(stream))
    never = in_time(stream, 1e9, end_of(stream))
    assert kept(often) == kept(never)


@few
@given(streams(), st.data(), st.sampled_from([5.0, 20.0]))
def test_a_restart_changes_nothing(stream, data, tick_s) -> None:
    place = data.draw(st.integers(0, len(stream) - 1))
    once = in_time(stream, tick_s, end_of(stream))
    twice = in_time(stream, tick_s, end_of(stream), restart_at=place)
    assert kept(twice) == kept(once)


@few
@given(streams(), st.booleans(), st.booleans())
def test_a_restart_is_silent(stream, offline, knows_moves) -> None:
    rig = in_time(stream, 20.0, stream[-1][0] + 5)
    if offline:
        rig.send(stream[-1][0] + 6, {f"{GATEWAY}/online": False})
    rig.tick(stream[-1][0] + 7)  # what can be judged at ticks only has seen everything
    before = len(rig.decisions)
    rig.restart(knows_moves=knows_moves)
    rig.connected_since_s = stream[-1][0] + 7
    rig.tick(stream[-1][0] + 8)
    assert [each for each in rig.decisions[before:] if isinstance(each, ConditionDecision)] == []


@few
@given(streams(least=5), st.sampled_from([130.0, 3_600.0, 30 * 86_400.0]))
def test_a_backlog_is_judged_as_if_it_had_come_in_time(stream, age_s) -> None:
    last_s = stream[-1][0]
    timely = in_time(stream, 5.0, last_s)
    backlog = Rig(PACKS, PLANS)
    received_s = last_s + age_s
    for at_s, point, value in stream:
        received_s += 0.01
        backlog.send(at_s, {point: value}, received_s)
        backlog.tick(received_s)
    for rig in (timely, backlog):
        rig.tick(received_s + 100)
    at_least = [move for move in kept(backlog)[0] if move.at_s <= last_s]
    assert at_least == [move for move in kept(timely)[0] if move.at_s <= last_s]


@few
@given(streams(), streams(most=10), st.data())
def test_late_samples_move_nothing_but_latched_rules(stream, others, data) -> None:
    clean, mixed = Rig(PACKS, PLANS), Rig(PACKS, PLANS)
    newest: dict[str, float] = {}
    waiting = list(others)
    for at_s, point, value in stream:
        for rig in (clean, mixed):
            rig.send(at_s, {point: value})
        newest[point] = at_s
        # functions of time look back, so what is late of their points rightly counts from then on
        if waiting and data.draw(st.booleans()) and waiting[0][1] not in LOOKED_BACK:
            late_s, late_point, late_value = waiting.pop(0)
            if late_s < newest.get(late_point, -1.0):
                mixed.send(late_s, {late_point: late_value}, received_s=at_s)
    assert [move for move in mixed.moves if not move.late] == clean.moves
    assert {move.rule for move in mixed.moves if move.late} <= {"smoke", "button_pressed", "together"}


@few
@given(streams(), st.data())
def test_any_order_of_arrival_leads_to_legal_moves_only(stream, data) -> None:
    rig = Rig(PACKS, PLANS)
    for number, (at_s, point, value) in enumerate(data.draw(st.permutations(stream))):
        rig.send(at_s, {point: value}, received_s=end_of(stream) + number)
        if number % 5 == 0:
            rig.tick(end_of(stream) + number)
        if number % 7 == 0:
            rig.restart()


@pytest.mark.parametrize("tick_s", [1.0, 33.0])
def test_the_streams_above_make_something_happen(tick_s) -> None:
    """Guards the properties against being true of nothing."""
    stream: list[Event] = [(30.0 * n, "a/pressure", 0.29 if n < 6 else 0.35) for n in range(12)]
    rig = in_time(stream, tick_s, 500.0)
    lows = [move for move in rig.brief if move[2] == "pressure_low"]
    assert lows == [(60.0, "raise", "pressure_low"), (195.0, "clear", "pressure_low")]
