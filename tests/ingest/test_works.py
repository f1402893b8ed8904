"""The kinds of work of the trade, on the line: what is silent under their permits, and what rings all the same."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from ledger import conditions, permits
from ledger.conditions import Cause
from ledger.lifecycle import ConditionMove
from rules import works
from tests.line_rig import NOON, PACKS, Line, line, named

WORKS = works.load(PACKS)
# What the facilities of these tests have of what is optional in their packs.
KEPT = {"hydrant_pressure", "hydrant_selector", "flood", "door_open", "tank_hatch", "tank_level", "fire_tank_level"}


def facility(key: str, kind: str, **parts: str) -> Mapping[str, Any]:
    optional = [name for name, point in PACKS[kind].points.items() if point.optional and name not in KEPT]
    return {
        "key": key,
        "kind": kind,
        "name": named(key),
        "location": "house",
        "gateway": "gw",
        "parts": [{"key": part, "kind": of} for part, of in parts.items()],
        "without": [name for name in optional if "." not in name or name.partition(".")[0] in parts.values()],
    }


@pytest.fixture
async def bench(database_url, mqtt_url, unique_key) -> AsyncIterator[Line]:
    also = [
        facility("fire", "fire_pump_room", hydrant_pump_1="hydrant_pump"),
        facility("basin", "fire_water_tank"),
        facility("tank", "booster_pump_room", pump_1="pump"),
    ]
    async with line(database_url, mqtt_url, unique_key("site"), also=also) as made:
        yield made


async def permit(bench: Line, key: str, work: str, **changes: Any) -> int:
    """A permit for this kind of work from now on, as the api grants it."""
    (row,) = await bench.rows("select id, kind from facility where key = %s", key)
    named_by_work = WORKS.works[work]
    asked: dict[str, Any] = {
        "facility_id": row["id"],
        "work": work,
        "kind": named_by_work.permit,
        "rules": named_by_work.rules_at(row["kind"]) or (),
        "holder": "张师傅",
        "reason": "按计划",
        "valid_from": bench.clock.now - timedelta(minutes=5),
        "valid_until": bench.clock.now + named_by_work.lasts,
    }
    async with await bench.act() as connection:
        issued = await permits.issue(
            connection, permits.Request(**asked | changes), issued_by="李工", now=bench.clock.now
        )
    return issued.id


async def rung(bench: Line, key: str) -> set[str]:
    """The rules that raised an alarm at a facility, but for those of silence: much time passes here without a word."""
    found = {each["rule"] for each in await bench.alarms() if each["facility"] == key}
    return found - {"points_stale", "part_points_stale"}


async def said(bench: Line, key: str, values: Mapping[str, Any]) -> None:
    """So for two minutes, and judged."""
    bench.say(key, values, ago=120)
    bench.say(key, values)
    await bench.received()
    await bench.ticked()


async def test_a_fire_pump_that_runs_is_a_test_with_a_permit_and_a_fire_without(bench: Line) -> None:
    await permit(bench, "fire", "monthly_pump_test")
    await said(bench, "fire", {"hydrant_pump_1.run": True, "hydrant_selector": "manual"})
    assert await rung(bench, "fire") == set()
    bench.clock.move(hours=2, minutes=1)  # the test is over, the pump runs on and nobody put it back to auto
    await bench.alarm("work_permit_overrun", state="UNACK")
    await said(bench, "fire", {"hydrant_pump_1.run": True, "hydrant_selector": "manual"})
    alarm = await bench.alarm("hydrant_pump_running", state="UNACK", priority="urgent")
    assert alarm["part"] == "hydrant_pump_1"
    bench.clock.move(minutes=3)
    await said(bench, "fire", {"hydrant_pump_1.run": True, "hydrant_selector": "manual"})
    await bench.alarm("hydrant_not_auto", state="UNACK")
    rows = await bench.rows("select severity, title_en from work_order where severity = 'life_safety'")
    assert len(rows) == 1, "an order of its own"


async def test_a_run_without_a_permit_rings_for_life_at_once(bench: Line) -> None:
    await said(bench, "fire", {"hydrant_pump_1.run": True})
    await bench.alarm("hydrant_pump_running", state="UNACK", priority="urgent", order_reason="life_safety")


async def test_during_an_impairment_a_pump_that_runs_and_a_flood_ring(bench: Line) -> None:
    await permit(bench, "fire", "impairment")
    await said(bench, "fire", {"hydrant_selector": "off", "hydrant_pump_1.fault": True, "hydrant_pressure": 0.0})
    assert await rung(bench, "fire") == set()
    await said(bench, "fire", {"flood": True, "hydrant_pump_1.run": True})
    await bench.alarm("flood", state="UNACK")
    await bench.alarm("hydrant_pump_running", state="UNACK", priority="urgent")
    # It runs and nothing comes: no permit for work silences that either.
    assert await rung(bench, "fire") - {"hydrant_pressure_not_built"} == {"flood", "hydrant_pump_running"}


async def test_a_permit_handed_back_early_lets_the_rules_count_at_once(bench: Line) -> None:
    number = await permit(bench, "fire", "impairment")
    await said(bench, "fire", {"hydrant_selector": "off"})
    assert await rung(bench, "fire") == set()
    async with await bench.act() as connection:
        await permits.hand_back(connection, number, actor="张师傅", now=bench.clock.now)
    for _ in range(2):
        bench.clock.move(minutes=3)
        await said(bench, "fire", {"hydrant_selector": "off"})
    await bench.alarm("hydrant_not_auto", state="UNACK")
    assert await rung(bench, "fire") == {"hydrant_not_auto"}


async def test_what_stood_under_a_permit_rings_when_it_is_handed_back_though_nothing_new_is_said(bench: Line) -> None:
    number = await permit(bench, "fire", "monthly_pump_test")
    await said(bench, "fire", {"hydrant_pump_1.run": True})
    assert await rung(bench, "fire") == set()
    bench.clock.move(seconds=5)
    async with await bench.act() as connection:
        await permits.hand_back(connection, number, actor="张师傅", now=bench.clock.now)
    bench.clock.move(seconds=5)
    alarm = await bench.alarm("hydrant_pump_running", state="UNACK", priority="urgent", order_reason="life_safety")
    assert alarm["began_at"] == NOON + timedelta(seconds=5 + 2), "under the permit it was a test"


async def test_of_two_permits_that_overlap_the_longer_keeps_silence(bench: Line) -> None:
    first = await permit(bench, "fire", "impairment")
    await permit(bench, "fire", "monthly_pump_test", valid_until=NOON + timedelta(hours=4))
    await said(bench, "fire", {"hydrant_selector": "off"})
    async with await bench.act() as connection:
        await permits.hand_back(connection, first, actor="张师傅", now=bench.clock.now)
    for _ in range(2):
        bench.clock.move(minutes=3)
        await said(bench, "fire", {"hydrant_selector": "off", "hydrant_pump_1.fault": True})
    await bench.alarm("hydrant_pumps_all_faulted", state="UNACK")
    assert "hydrant_not_auto" not in await rung(bench, "fire"), "the test goes on, and silences no fault"


async def test_a_permit_for_one_part_leaves_the_others_alone(bench: Line) -> None:
    (part,) = await bench.rows(
        "select part.id from part join facility on facility.id = facility_id "
        "where facility.key = 'pumps' and part.key = 'pump_1'"
    )
    await permit(bench, "pumps", "pump_repair", part_id=part["id"], rules=["pump_fault"])
    await said(bench, "pumps", {"pump_1.fault": True, "sump_pump_1.fault": True})
    await bench.alarm("sump_pump_fault", state="UNACK")
    assert "pump_fault" not in await rung(bench, "pumps")


async def test_a_tank_is_cleaned_in_silence_and_a_flood_rings(bench: Line) -> None:
    await permit(bench, "tank", "tank_cleaning")
    await said(bench, "tank", {"tank_level": 5, "tank_hatch": True, "door_open": True})
    assert await rung(bench, "tank") == set()
    await said(bench, "tank", {"flood": True})
    await bench.alarm("flood", state="UNACK")
    await permit(bench, "basin", "fire_tank_cleaning")
    await said(bench, "basin", {"fire_tank_level": 10})
    assert await rung(bench, "basin") == set()


async def test_a_lift_is_serviced_in_silence_and_a_trapped_passenger_rings(bench: Line) -> None:
    await permit(bench, "lift", "lift_service")
    await said(bench, "lift", {"service_mode": "maintenance", "mains_ok": False})
    assert await rung(bench, "lift") == set()
    await said(bench, "lift", {"passenger_trapped": True})
    await bench.alarm("passenger_trapped_reported", state="UNACK", priority="urgent")


async def test_a_lift_in_maintenance_without_a_permit_rings(bench: Line) -> None:
    bench.say("lift", {"service_mode": "maintenance"}, ago=900)
    await said(bench, "lift", {"service_mode": "maintenance"})
    await bench.alarm("service_without_permit", state="UNACK")


TRAPPED = {
    "occupied": True,
    "car_moving": False,
    "in_door_zone": False,
    "door_state": "closed",
    "service_mode": "normal",
    "passenger_trapped": False,
}


async def trapped(bench: Line) -> int:
    """Between floors, as doors and floor show; returns the order."""
    bench.say("lift", TRAPPED, ago=70)
    await said(bench, "lift", TRAPPED)
    alarm = await bench.alarm("passenger_trapped_between_floors", state="UNACK", order_reason="life_safety")
    (order,) = alarm["orders"]
    return order


async def test_what_the_lift_says_later_of_the_same_entrapment_joins_its_order(bench: Line) -> None:
    order = await trapped(bench)
    bench.clock.move(minutes=3)
    await said(bench, "lift", TRAPPED | {"passenger_trapped": True})
    alarm = await bench.alarm("passenger_trapped_reported", state="UNACK", order_reason="same_cause", orders=[order])
    assert alarm["rang_at"] is not None, "it rings by itself"
    assert len(await bench.rows("select id from work_order where severity = 'life_safety'")) == 1


async def test_an_entrapment_after_the_first_was_over_has_an_order_of_its_own(bench: Line) -> None:
    order = await trapped(bench)
    bench.clock.move(minutes=5)
    await said(bench, "lift", TRAPPED | {"occupied": False})
    await bench.alarm("passenger_trapped_between_floors", state="LATUN")
    bench.clock.move(minutes=5)
    await said(bench, "lift", TRAPPED | {"occupied": False, "passenger_trapped": True})
    alarm = await bench.alarm("passenger_trapped_reported", state="UNACK", order_reason="life_safety_linked")
    assert [each > order for each in alarm["orders"]] == [False, True]


async def test_behind_a_word_of_the_lift_that_nobody_believes_no_entrapment_hides(bench: Line) -> None:
    bench.say("lift", TRAPPED | {"passenger_trapped": True}, ago=70)
    await said(bench, "lift", TRAPPED | {"passenger_trapped": True})
    await bench.alarm("passenger_trapped_reported", state="UNACK")
    (hidden,) = await bench.rows(
        "select suppressed, rang_at from condition left join alarm on condition_id = condition.id "
        "where rule_key = 'passenger_trapped_between_floors' and suppressed"
    )
    assert hidden["rang_at"] is None
    async with await bench.act() as connection:
        (row,) = await bench.rows("select id from condition where rule_key = 'passenger_trapped_reported'")
        by = Cause("王班长", "person", at=bench.clock.now, now=bench.clock.now, note="终端坏了")
        await conditions.move(connection, row["id"], ConditionMove.REMOVE_FROM_SERVICE, by)
    for _ in range(2):
        bench.clock.move(seconds=40)
        await said(bench, "lift", TRAPPED | {"passenger_trapped": True})
    alarm = await bench.alarm("passenger_trapped_between_floors", state="UNACK")
    assert alarm["rang_at"] is not None
    assert alarm["order_reason"] == "life_safety_linked"
