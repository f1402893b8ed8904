"""The booster set behaves as one: pressure held, pumps staged and replaced, the tank in balance."""

import pytest

from simulators.plant.booster import REPORTS, BoosterSet
from simulators.plant.surroundings import Surroundings

NIGHT, NOON, EVENING = Surroundings(3.0), Surroundings(12.0), Surroundings(19.5)
DARK = Surroundings(12.0, mains_ok=False)


def booster(pumps: int = 3, *, seed: int = 1, backup_feed: bool = False) -> BoosterSet:
    keys = [f"pump_{number}" for number in range(1, pumps + 1)]
    return BoosterSet(seed, "b", pumps=keys, sump_pumps=["sump"], parameters={"setpoint": 0.4}, backup_feed=backup_feed)


def run(plant: BoosterSet, seconds: int, surroundings: Surroundings = NOON) -> list[float]:
    pressures = []
    for _ in range(seconds):
        plant.step(1.0, surroundings)
        pressures.append(plant.pressure_mpa)
    return pressures


@pytest.mark.parametrize("pumps", [2, 3])
def test_pressure_stays_at_its_setpoint_through_the_day(pumps: int) -> None:
    plant = booster(pumps)
    for second in range(0, 24 * 3600, 2):
        plant.step(2.0, Surroundings(second / 3600))
        assert 0.33 < plant.pressure_mpa < 0.49
        assert 60 < plant.tank_percent < 90


def test_pressure_returns_after_a_step_of_demand() -> None:
    plant = booster()
    run(plant, 600, NIGHT)
    dip = run(plant, 120, EVENING)
    assert min(dip) < 0.39
    assert abs(dip[-1] - 0.4) < 0.01


def test_a_second_pump_comes_when_one_is_not_enough_and_goes_when_it_is() -> None:
    plant = booster()
    run(plant, 600, NIGHT)
    assert len(plant.running()) == 1
    run(plant, 600, EVENING)
    assert len(plant.running()) == 2
    run(plant, 1200, NIGHT)
    assert len(plant.running()) == 1


def test_the_duty_passes_to_another_pump_before_eight_hours() -> None:
    plant, longest, starts = booster(2), 0.0, 0
    was_running = plant.pump("pump_1").running
    for _ in range(24 * 900):
        plant.step(4.0, NOON)
        longest = max(longest, plant.duty().ran_s)
        starts += plant.pump("pump_1").running and not was_running
        was_running = plant.pump("pump_1").running
        assert plant.running()
    assert longest < 8 * 3600
    assert 1 <= starts <= 3


def test_a_preferred_pump_that_has_long_run_is_relieved_before_eight_hours_and_no_pump_comes_and_goes() -> None:
    plant = booster(3)
    run(plant, 60)
    long = plant.duty()
    long.ran_s = 5.9 * 3600
    plant.prefer(long.key)
    starts, ran_s, was = 0, 0.0, [pump.running for pump in plant.pumps]
    for _ in range(2 * 3600):
        plant.step(1.0, NOON)
        ran_s = max(ran_s, long.ran_s)
        starts += sum(pump.running and not before for pump, before in zip(plant.pumps, was, strict=True))
        was = [pump.running for pump in plant.pumps]
    assert 6.8 * 3600 < ran_s < 7.2 * 3600
    assert not long.running
    assert starts == 1


def test_a_preferred_pump_is_not_relieved_while_one_looks_at_it() -> None:
    plant = booster(2)
    run(plant, 60)
    plant.duty().ran_s = 6 * 3600 - 60.0
    standby = next(pump for pump in plant.pumps if not pump.running)
    plant.prefer(standby.key)
    run(plant, 1200)
    assert standby.running

    plant = booster(3)
    run(plant, 600, EVENING)
    first = plant.duty()
    plant.prefer(first.key)
    run(plant, 1200, NIGHT)
    assert plant.running() == [first]


@pytest.mark.parametrize("pumps", [2, 3])
@pytest.mark.parametrize("hour", [0, 6, 8, 13, 19, 21, 22])
def test_a_pump_that_lost_its_water_is_not_relieved_though_younger_ones_joined(pumps: int, hour: int) -> None:
    plant, now = booster(pumps), Surroundings(float(hour))
    run(plant, 900, now)
    dry = plant.duty()
    plant.prefer(dry.key)
    dry.airbound = True
    run(plant, 1800, now)
    assert dry.running


def test_the_standby_takes_over_from_a_broken_pump() -> None:
    plant = booster(2)
    run(plant, 60)
    broken = plant.duty()
    broken.broken = True
    low = [pressure for pressure in run(plant, 90) if pressure < 0.35]
    assert len(low) < 40  # seconds: it has to come up to speed
    assert abs(plant.pressure_mpa - 0.4) < 0.01
    assert [pump.key for pump in plant.running()] == [pump.key for pump in plant.pumps if pump is not broken]


def test_a_pump_without_water_draws_little_and_moves_nothing() -> None:
    plant = booster(2)
    run(plant, 60)
    dry = plant.duty()
    assert 0.4 * dry.rated_current_a < dry.current_a < dry.rated_current_a
    dry.airbound = True
    run(plant, 120)
    assert dry.running
    assert dry.current_a < 0.25 * dry.rated_current_a
    assert abs(plant.pressure_mpa - 0.4) < 0.02  # the other one carries the building


def test_a_burst_main_takes_the_pressure_and_empties_the_tank() -> None:
    plant = booster()
    run(plant, 60)
    before = plant.tank_percent
    plant.burst = 9.0
    run(plant, 300)
    assert plant.pressure_mpa < 0.2
    assert len(plant.running()) == 3
    assert 30 < plant.tank_percent < before - 5
    plant.burst = 0.0
    run(plant, 60)
    assert abs(plant.pressure_mpa - 0.4) < 0.02


def test_the_tank_is_never_negative_and_the_set_stops_before_it_is_empty() -> None:
    plant = booster()
    plant.inlet_shut = True
    plant.burst = 2.0
    for _ in range(6 * 3600):
        plant.step(1.0, EVENING)
        assert plant.tank_percent >= 0.0
    assert plant.tank_percent > 10.0
    assert not plant.running()
    assert plant.pressure_mpa < 0.05


def test_without_mains_the_pumps_stand_unless_there_is_another_feed() -> None:
    alone, backed = booster(2), booster(2, backup_feed=True)
    for plant in (alone, backed):
        run(plant, 60)
        run(plant, 30, DARK)
    assert not alone.running()
    assert alone.values()["mains_ok"] is False
    assert backed.running()
    assert backed.values() | {"mains_ok": True, "ats_position": "backup"} == backed.values()
    run(alone, 60)
    assert alone.running()


def test_every_reported_point_has_a_value() -> None:
    plant = booster()
    run(plant, 5)
    keys = {key.partition(".")[2] if "." in key else key for key in plant.values()}
    assert keys == {key.partition(".")[2] if "." in key else key for key in REPORTS}
