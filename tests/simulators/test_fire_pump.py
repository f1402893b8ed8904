"""A fire pump room behaves as one: jockeys hold the mains, a fire pump comes when it must and stays until stopped."""

from dataclasses import replace

import pytest

from simulators.plant.fire_pump import REPORTS, FirePumpRoom
from simulators.plant.surroundings import Surroundings

NIGHT, NOON = Surroundings(3.0), Surroundings(12.0)
PARAMETERS = {"hydrant_main_start": 0.6, "hydrant_jockey_start": 0.68, "hydrant_jockey_stop": 0.73}


def room(*, seed: int = 1) -> FirePumpRoom:
    return FirePumpRoom(
        seed,
        "f",
        hydrant_pumps=["hydrant_pump_1", "hydrant_pump_2"],
        sprinkler_pumps=["sprinkler_pump_1", "sprinkler_pump_2"],
        jockey_pumps=[f"jockey_pump_{number}" for number in range(1, 5)],
        diesel_pumps=["diesel_pump"],
        valves=["valve_1", "valve_2"],
        parameters=PARAMETERS,
    )


def run(plant: FirePumpRoom, seconds: int, surroundings: Surroundings = NOON) -> list[float]:
    """The hydrant main's pressures."""
    pressures = []
    for _ in range(seconds):
        plant.step(1.0, surroundings)
        pressures.append(plant.mains["hydrant"].pressure_mpa)
    return pressures


def starts(plant: FirePumpRoom, system: str = "hydrant") -> list[int]:
    return [jockey.starts for jockey in plant.mains[system].jockeys]


def running(plant: FirePumpRoom) -> list[str]:
    return [pump.key for pump in plant.pumps if pump.running]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_jockeys_hold_their_band_with_a_few_starts_an_hour_each(seed: int) -> None:
    plant = room(seed=seed)
    pressures = run(plant, 6 * 3600)
    assert 0.678 < min(pressures) < max(pressures) < 0.732
    assert all(1 <= count / 6 <= 4 for system in plant.mains for count in starts(plant, system))
    assert not running(plant)


@pytest.mark.parametrize(("leak_l_s", "least", "most"), [(0.03, 10, 16), (0.135, 32, 42), (0.5, 66, 80)])
def test_the_more_it_leaks_the_oftener_they_come_and_hold_it_all_the_same(
    leak_l_s: float, least: int, most: int
) -> None:
    plant = room()
    plant.mains["hydrant"].leak_l_s = leak_l_s
    assert min(run(plant, 3600)) > 0.67
    assert least <= sum(starts(plant)) <= most


def test_drawn_water_starts_the_duty_pump_which_stops_only_by_hand() -> None:
    plant = room()
    run(plant, 60)
    plant.mains["hydrant"].drawn_l_s = 10.0
    run(plant, 30)
    assert running(plant) == ["hydrant_pump_1"]
    assert plant.values()["hydrant_flow_switch"] is True
    assert plant.drawn_m3h > 30.0
    assert plant.mains["hydrant"].pressure_mpa > 0.75
    plant.mains["hydrant"].drawn_l_s = 0.0
    run(plant, 1800)
    assert running(plant) == ["hydrant_pump_1"]
    plant.pump("hydrant_pump_1").stop()
    run(plant, 1800)
    assert not running(plant)
    assert 0.678 < plant.mains["hydrant"].pressure_mpa < 0.775


def test_a_start_takes_seconds_and_is_timed() -> None:
    plant = room()
    plant.pump("sprinkler_pump_2").start()
    run(plant, 30)
    assert 3.0 <= plant.pump("sprinkler_pump_2").start_time_s <= 15.0
    assert plant.values()["sprinkler_pump_2.start_time_to_rated"] == plant.pump("sprinkler_pump_2").start_time_s


def test_the_standby_comes_when_the_duty_pump_does_not_and_the_diesel_last() -> None:
    plant = room()
    plant.mains["hydrant"].drawn_l_s = 10.0
    plant.pump("hydrant_pump_1").broken = True
    run(plant, 30)
    assert running(plant) == ["hydrant_pump_2"]
    plant.pump("hydrant_pump_2").broken = True
    run(plant, 60)
    assert running(plant) == ["diesel_pump"]
    assert plant.mains["hydrant"].pressure_mpa > 0.7


def test_in_manual_nothing_starts_and_the_roof_tank_is_all_there_is() -> None:
    plant = room()
    plant.selectors |= {"hydrant": "manual", "diesel": "manual"}
    plant.mains["hydrant"].drawn_l_s = 10.0
    pressures = run(plant, 600)
    assert not running(plant)
    assert pressures[-1] == plant.mains["hydrant"].static_mpa < 0.6


def test_without_jockeys_ordinary_seepage_brings_the_fire_pump_within_the_hour() -> None:
    plant = room()
    for jockey in plant.jockeys:
        jockey.broken = True
    run(plant, 3600)
    assert running(plant) == ["hydrant_pump_1", "sprinkler_pump_1"]


def test_the_second_feed_takes_over_and_without_either_only_the_diesel_is_left() -> None:
    plant = room()
    run(plant, 5)
    on_b = replace(NOON, mains_ok=False)
    run(plant, 1800, on_b)
    said = plant.values()
    assert (said["power_a_ok"], said["power_b_ok"]) == (False, True)
    assert isinstance(said["ats_time"], float)
    assert 0 < said["ats_time"] <= 2
    assert plant.mains["hydrant"].pressure_mpa > 0.67
    run(plant, 3600, replace(on_b, backup_ok=False))
    assert running(plant) == ["diesel_pump"]


def test_a_dry_tank_gives_no_pressure() -> None:
    plant = room()
    plant.mains["hydrant"].drawn_l_s = 10.0
    run(plant, 60, replace(NOON, water_ok=False))
    assert plant.mains["hydrant"].pressure_mpa < 0.6


def test_a_failed_charger_lets_the_diesel_battery_go() -> None:
    plant = room()
    run(plant, 60)
    healthy = plant.values()["diesel_pump.battery_voltage"]
    plant.charger_failed, plant.battery_rest_v = True, 22.0
    run(plant, 600)
    empty = plant.values()["diesel_pump.battery_voltage"]
    assert isinstance(healthy, float)
    assert isinstance(empty, float)
    assert healthy > 26.5 > 22.5 > empty


def test_the_panel_inspects_itself_once_a_week_and_says_so_each_time() -> None:
    plant = room()
    for second in range(0, 15 * 86400, 60):
        plant.step(60.0, Surroundings(second / 3600 % 24))
    assert plant.inspections == 2
    assert plant.values()["auto_inspection_result"] == "pass"
    assert not running(plant)


def test_a_shut_valve_is_felt_at_the_worst_point_and_not_in_the_pump_room() -> None:
    plant = room()
    run(plant, 60)
    before = plant.values()["worst_point_static_pressure"]
    plant.turn_valve("valve_1", "closed")
    run(plant, 60)
    after = plant.values()
    assert isinstance(before, float)
    assert isinstance(after["worst_point_static_pressure"], float)
    assert after["valve_1.position"] == "closed"
    assert after["worst_point_static_pressure"] < before - 0.03
    assert plant.mains["hydrant"].pressure_mpa > 0.67


def test_every_reported_point_has_a_value() -> None:
    plant = room()
    run(plant, 5)
    points = {key.partition(".")[2] if "." in key else key for key in plant.values()} - {"auto_inspections"}
    assert points == {key.partition(".")[2] if "." in key else key for key in REPORTS}
