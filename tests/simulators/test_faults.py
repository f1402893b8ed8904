"""Every fault, alone, ends in exactly the alarms it declares; a day without faults ends in none."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from estate.description import EstateDescription
from simulators.auditor import Findings, compare
from simulators.faults import CATALOGUE
from simulators.script import Planned, parse_faults, random_faults, read_script
from simulators.stage import Stage
from simulators.truth import Declared, Demand, Truth
from tests.shipped import PACKS
from tests.simulators.court import ROOT, Row, backed, demo, only, play

NIGHT = datetime(2026, 11, 2, 18, 30, tzinfo=UTC)  # half past two in the morning at the sites
NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
BEHIND = {  # what it takes besides the struck facility: what it feeds, what a gateway speaks for
    "jinxiu/power_2": ("jinxiu/booster_high", "jinxiu/lift_2_1"),
    "binjiang/power_main": ("binjiang/booster_main", "binjiang/lift_1"),
    "binjiang/gw_basement": ("binjiang/booster_main", "binjiang/power_main"),
    "binjiang/gw_lift": ("binjiang/lift_1", "binjiang/lift_2"),
    "backed/plain_room": ("backed/plain_fire_pumps", "backed/float_sump"),
    "backed/sump": ("backed/float_sump",),
    **dict.fromkeys(
        ("backed/room", "backed/generator"),
        tuple(f"backed/{key}" for key in ("generator", "fire_pumps", "booster", "plain_booster", "sump", "lift")),
    ),
}
BY_THE_HOUR = ("booster_pump_room", "elevator")  # what they do depends on what people do
PLACES = {
    "burst_main": ("jinxiu/booster_low", "binjiang/booster_main"),
    "dry_run": ("jinxiu/booster_low", "jinxiu/booster_high"),
    "pump_failure": ("jinxiu/booster_low", "binjiang/booster_main"),
    "flooded_room": ("binjiang/booster_main",),
    "frozen_sensor": ("jinxiu/booster_high",),
    "pump_starts_too_often": ("binjiang/booster_main",),
    "chlorine_drift": ("jinxiu/booster_high",),
    "door_left_open": ("binjiang/booster_main",),
    "room_damp": ("jinxiu/booster_high",),
    "booster_sensor_silent": ("jinxiu/booster_high",),
    "transformer_overload": ("jinxiu/power_1",),
    "phase_loss": ("jinxiu/power_2", "binjiang/power_main", "backed/room", "backed/plain_room"),
    "supply_loss": ("jinxiu/power_2", "binjiang/power_main", "backed/room", "backed/plain_room"),
    "capacitors_out": ("binjiang/power_main",),
    "residual_current": ("binjiang/power_main",),
    "entrapment": ("jinxiu/lift_1_1", "binjiang/lift_1"),
    "door_fault": ("jinxiu/lift_2_1",),
    "lift_door_held": ("jinxiu/lift_2_1",),
    "lift_door_reopening": ("jinxiu/lift_2_1",),
    "ebike_in_lift": ("binjiang/lift_1",),
    "machine_room_hot": ("jinxiu/lift_2_1",),
    "lift_sensor_silent": ("jinxiu/lift_2_1",),
    "fire_pump_in_manual": ("backed/fire_pumps",),
    "jockey_leak": ("backed/fire_pumps", "backed/plain_fire_pumps"),
    "fire_pump_without_permit": ("backed/fire_pumps",),
    "hydrant_opened": ("backed/fire_pumps",),
    "main_valve_closed": ("backed/fire_pumps",),
    "lying_sensor": ("backed/fire_pumps",),
    "supply_a_lost": ("backed/fire_pumps",),
    "diesel_battery_low": ("backed/fire_pumps",),
    "tank_overflow": ("backed/reservoir",),
    "fire_reserve_low": ("backed/reservoir",),
    "fire_pump_room_open": ("backed/fire_pumps",),
    "tank_room_open": ("backed/reservoir",),
    "mains_loss": ("backed/generator",),
    "generator_fails_to_start": ("backed/generator",),
    "generator_low_fuel": ("backed/generator",),
    "generator_battery_low": ("backed/generator",),
    "generator_in_manual": ("backed/generator",),
    "generator_exercise": ("backed/generator",),
    "sump_flood": ("backed/sump", "backed/float_sump"),
    "sump_pump_failure": ("backed/sump",),
    "sump_in_manual": ("backed/sump",),
    "chattering_contact": ("backed/sump",),
    "sump_sensor_silent": ("backed/sump",),
    "gateway_offline": ("binjiang/gw_lift",),
    "duplicate_burst": ("binjiang/gw_basement",),
    "late_burst": ("binjiang/gw_basement",),
    "gateway_clock_jump": ("binjiang/gw_lift", "binjiang/gw_basement"),
}


def declared_of(stage: Stage) -> Truth:
    """Without what only the ledger can know: orders, and whether an alarm was over before it came in."""
    truth = stage.truth(speed=1.0)
    return replace(truth, declared=tuple(_without_ledger(one) for one in truth.declared))


def _without_ledger(one: Declared) -> Declared:
    rung = None if one.historical else one.rung
    return replace(one, work_order=None, historical=None, rung=rung)


def estate_of(place: str) -> EstateDescription:
    return backed() if place.startswith("backed/") else demo()


def played(
    place: str, faults: Sequence[Planned], until_s: float, *, seed: int, at: datetime
) -> tuple[Truth, list[Row]]:
    estate = only(estate_of(place), place, *BEHIND.get(place, ()))
    stage = Stage(estate, iter(faults), seed=seed, started_at=at)
    rows = play(stage, estate, until_s)
    return declared_of(stage), rows


def judged(truth: Truth, rows: list[Row]) -> Findings:
    return compare(truth, [row.told() for row in rows], [])


def test_every_fault_is_tried() -> None:
    assert set(PLACES) == set(CATALOGUE)


@pytest.mark.parametrize(
    ("fault", "place", "at"),
    [
        (fault, place, at)
        for fault, places in PLACES.items()
        for place in places
        for at in ((NIGHT, NOON) if CATALOGUE[fault].kind in BY_THE_HOUR else (NOON,))
    ],
)
def test_a_fault_ends_in_exactly_its_alarms(fault: str, place: str, at: datetime) -> None:
    script = parse_faults(f"{fault}@6m:{place}", estate_of(place))
    until_s = max(one.quiet_s for one in script.faults)
    truth, rows = played(place, script.faults, until_s, seed=7, at=at)
    findings = judged(truth, rows)
    assert (findings.missing, findings.unexpected) == ([], [])
    asked = [one for one in truth.declared if one.demand is Demand.MUST]
    assert len(asked) > 0 or fault in ("duplicate_burst", "generator_exercise")
    assert all(row.returned_ms is not None for row in rows)


@pytest.fixture(scope="module")
def smoke() -> tuple[Truth, list[Row]]:
    script = read_script(ROOT / "simulators/smoke.yaml", demo())
    assert script.duration_s is not None
    started_at = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
    offsets_s = script.clock_offsets_s
    stage = Stage(demo(), iter(script.faults), seed=3, started_at=started_at, clock_offsets_s=offsets_s)
    rows = play(stage, demo(), script.duration_s)
    return declared_of(stage), rows


def test_the_smoke_script_ends_in_exactly_its_alarms(smoke: tuple[Truth, list[Row]]) -> None:
    findings = judged(*smoke)
    assert (findings.missing, findings.unexpected) == ([], [])


def test_whatever_rule_is_switched_off_is_missed(smoke: tuple[Truth, list[Row]]) -> None:
    truth, rows = smoke
    for rule in {one.rule for one in truth.declared if one.demand is Demand.MUST}:
        findings = judged(truth, [row for row in rows if row.key[3] != rule])
        assert any(rule in missing for missing in findings.missing), rule


def test_every_rule_declared_exists_with_that_severity_and_work(smoke: tuple[Truth, list[Row]]) -> None:
    kinds = {(site.key, one.key): one.kind for site in demo().sites for one in site.facilities}
    for one in smoke[0].declared:
        pack = PACKS[kinds.get((one.site, one.facility), "gateway")]
        rule = pack.rules.get(one.rule) or PACKS["any"].rules[one.rule]
        assert (rule.severity, rule.work_class) == (one.severity, one.work_class), one


def test_random_faults_end_in_exactly_their_alarms() -> None:
    started_at = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    stage = Stage(backed(), random_faults(backed(), 4), seed=4, started_at=started_at)
    rows = play(stage, backed(), 3600)
    findings = judged(declared_of(stage), rows)
    assert (findings.missing, findings.unexpected) == ([], [])
    assert len(rows) > 10


@pytest.mark.timeout(600)  # fifteen seconds of work, on a machine with much else to do minutes
def test_a_day_without_faults_ends_without_alarms() -> None:
    estate = only(demo(), "binjiang/booster_main", "binjiang/lift_2")
    stage = Stage(estate, iter(()), seed=11, started_at=datetime(2026, 11, 1, 16, 0, tzinfo=UTC), step_s=4.0)
    rows = play(stage, estate, 24 * 3600, tick_s=60)
    assert [row.key for row in rows] == []


def test_hours_without_faults_in_rooms_that_wait_for_a_fire_end_without_alarms() -> None:
    estate = only(backed(), "backed/fire_pumps", "backed/sump", "backed/generator")
    stage = Stage(estate, iter(()), seed=12, started_at=datetime(2026, 11, 1, 16, 0, tzinfo=UTC), step_s=4.0)
    rows = play(stage, estate, 8 * 3600, tick_s=60)
    assert [row.key for row in rows] == []
