"""The distribution room behaves as one: load warms, fans cool, protection opens, a lost phase shows in the voltages."""

import math

import pytest

from simulators.plant.distribution import DistributionRoom
from simulators.plant.surroundings import Surroundings

NOON = Surroundings(12.0)


def room(*, seed: int = 1, transformers: int = 2) -> DistributionRoom:
    feeders = [f"feeder_{number}" for number in range(1, 3 * transformers + 1)]
    names = [f"transformer_{number}" for number in range(1, transformers + 1)]
    return DistributionRoom(seed, "d", transformers=names, feeders=feeders, parameters={})


def run(plant: DistributionRoom, seconds: int, surroundings: Surroundings = NOON) -> None:
    for _ in range(seconds):
        plant.step(1.0, surroundings)


def number(plant: DistributionRoom, key: str) -> float:
    value = plant.values()[key]
    assert isinstance(value, float)
    return value


def test_load_follows_the_hour() -> None:
    plant = room()
    run(plant, 60, Surroundings(4.0))
    night = plant.transformers[0].load
    run(plant, 60, Surroundings(20.0))
    assert plant.transformers[0].load > 1.8 * night


def test_windings_warm_with_their_time_constant() -> None:
    plant = room()
    run(plant, 10)
    transformer = plant.transformers[0]
    before = transformer.winding_c[1]
    transformer.extra_load = 0.2
    run(plant, 660)
    after_one = transformer.winding_c[1]
    run(plant, 6 * 660)
    after_many = transformer.winding_c[1]
    assert math.isclose((after_one - before) / (after_many - before), 1 - math.exp(-1), abs_tol=0.05)
    assert not transformer.fan_running


def test_the_fan_comes_at_ninety_and_goes_at_eighty() -> None:
    plant = room()
    run(plant, 10)
    transformer = plant.transformers[0]
    transformer.extra_load = 0.6
    came_at = went_at = 0.0
    for second in range(3 * 3600):
        plant.step(1.0, NOON)
        if transformer.fan_running and not came_at:
            came_at = max(transformer.winding_c)
        if came_at and not transformer.fan_running and not went_at:
            went_at = max(transformer.winding_c)
        if second == 5400:
            transformer.extra_load = 0.0
    assert 90.0 < came_at < 90.5
    assert 79.5 < went_at < 80.0


def test_an_overloaded_transformer_trips_with_its_feeders_and_nobody_elses() -> None:
    plant = room()
    run(plant, 10)
    first, second = plant.transformers
    first.extra_load = 1.72 - first.load
    run(plant, 1200)
    assert first.tripped
    assert not second.tripped
    assert all(feeder.tripped for feeder in first.feeders)
    assert not any(feeder.tripped for feeder in second.feeders)
    assert number(plant, "transformer_1.load_rate") == 0.0
    assert plant.mains_ok
    assert first.core_c < 120.0
    plant.restore(first)
    run(plant, 10)
    assert number(plant, "transformer_1.load_rate") > 20.0


def test_three_phases_belong_together() -> None:
    plant = room()
    run(plant, 60)
    volts = [number(plant, f"phase_voltage_{phase}") for phase in "abc"]
    lines = [number(plant, f"line_voltage_{pair}") for pair in ("ab", "bc", "ca")]
    assert max(lines) / min(volts) == pytest.approx(math.sqrt(3), rel=0.01)
    assert number(plant, "voltage_unbalance") < 1.0
    assert number(plant, "transformer_1.current_unbalance") < 10.0


def test_a_lost_phase_shows_in_voltages_and_currents() -> None:
    plant = room()
    plant.lost_phase = 2
    run(plant, 60)
    assert number(plant, "phase_voltage_c") < 60.0
    assert number(plant, "phase_voltage_a") > 200.0
    assert number(plant, "line_voltage_ab") > 380.0
    assert 200.0 < number(plant, "line_voltage_bc") < 280.0
    assert number(plant, "voltage_unbalance") > 50.0
    assert number(plant, "feeder_1.current_c") < 0.2 * number(plant, "feeder_1.current_a")
    assert plant.mains_ok
    assert not plant.supply_ok


def test_without_supply_nothing_flows() -> None:
    plant = room()
    plant.mains_ok = False
    run(plant, 60)
    values = plant.values()
    assert {values[f"line_voltage_{pair}"] for pair in ("ab", "bc", "ca")} == {0.0}
    assert values["feeder_1.current_a"] == 0.0
    assert values["feeder_1.residual_current"] == 0.0
    assert values["dc_voltage"] != 0.0
