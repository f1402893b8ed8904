"""A fire-water tank is full, loses what is drawn, gets what its float valve gives, and spills what is too much."""

from dataclasses import replace

import pytest

from simulators.plant.fire_tank import REPORTS, FireTank
from simulators.plant.surroundings import Surroundings

NOON = Surroundings(12.0)


def tank() -> FireTank:
    return FireTank(1, "t", valves=["valve_1"], parameters={"overflow_level": 106.0})


def run(plant: FireTank, seconds: int, surroundings: Surroundings = NOON) -> None:
    for _ in range(seconds):
        plant.step(1.0, surroundings)


def test_it_stays_full_by_itself() -> None:
    plant = tank()
    for _ in range(24 * 360):
        plant.step(10.0, NOON)
        assert 100.0 < plant.level_percent < 101.5
    assert not plant.overflowing


def test_what_is_drawn_is_missing_and_comes_back() -> None:
    plant = tank()
    before = plant.level_percent
    plant.inlet_shut = True
    run(plant, 600, replace(NOON, drawn_m3h=36.0))  # six cubic metres of 36
    assert before - plant.level_percent == pytest.approx(100 / 6, abs=0.1)
    plant.inlet_shut = False
    run(plant, 1800)
    assert plant.level_percent > 100.0


def test_inflow_less_drawn_less_spilt_is_what_it_holds_more() -> None:
    plant = tank()
    held, fed = plant.level_percent, 0.0
    plant.float_stuck = True
    for _ in range(1800):
        plant.step(1.0, replace(NOON, drawn_m3h=5.0))
        fed += (plant.inflow_m3h - 5.0 - 0.004) / 3600.0
    assert plant.spilt_m3 > 5.0
    assert (plant.level_percent - held) * 0.36 == pytest.approx(fed - plant.spilt_m3, abs=0.01)


def test_a_float_that_hangs_makes_it_overflow_in_minutes() -> None:
    plant = tank()
    plant.float_stuck = True
    run(plant, 120)
    assert not plant.overflowing
    run(plant, 480)
    assert plant.values()["tank_overflow"] is True
    assert 106.0 < plant.level_percent < 112.0
    plant.float_stuck, plant.draining = False, True
    run(plant, 600)
    assert not plant.overflowing
    assert 100.0 < plant.level_percent < 101.5


def test_it_is_never_less_than_empty() -> None:
    plant = tank()
    plant.inlet_shut = True
    run(plant, 3600, replace(NOON, drawn_m3h=120.0))
    assert plant.level_percent == 0.0
    assert not plant.has_water


def test_every_reported_point_has_a_value() -> None:
    keys = {"valve.position" if key == "valve_1.position" else key for key in tank().values()}
    assert keys == set(REPORTS)
