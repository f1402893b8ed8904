"""A generator goes through its sequence in the times of the trade, and says so."""

from itertools import pairwise

from simulators.plant.generator import REPORTS, Generator, Phase
from simulators.plant.surroundings import Surroundings

ON, OFF = Surroundings(12.0), Surroundings(12.0, mains_ok=False)


def run(plant: Generator, seconds: int, surroundings: Surroundings) -> list[Phase]:
    phases = []
    for _ in range(seconds):
        plant.step(1.0, surroundings)
        phases.append(plant.phase)
    return phases


def generator() -> Generator:
    plant = Generator(1, "g")
    run(plant, 60, ON)
    return plant


def test_it_carries_the_load_within_fifteen_seconds() -> None:
    plant = generator()
    run(plant, 15, OFF)
    assert plant.start_s is not None
    assert plant.start_s <= 10
    said = plant.values()
    assert (said["run"], said["mains_ok"], said["emergency_bus_ok"]) == (True, False, True)
    run(plant, 60, OFF)
    assert 0.3 < plant.load < 0.7


def test_the_bus_is_dead_for_as_long_as_the_start_takes() -> None:
    plant, dead_s = generator(), 0
    for _ in range(60):
        plant.step(1.0, OFF)
        dead_s += not plant.bus_live
    assert 5 <= dead_s <= 15


def test_the_load_returns_when_the_mains_stay_and_the_engine_cools_down() -> None:
    plant = generator()
    run(plant, 300, OFF)
    run(plant, 50, ON)
    assert plant.on_generator
    run(plant, 20, ON)
    assert not plant.on_generator
    assert plant.bus_live
    assert plant.phase is Phase.COOLING
    run(plant, 200, ON)
    assert plant.phase is Phase.STANDBY
    assert plant.values()["run"] is False


def test_a_flicker_does_not_crank() -> None:
    plant = generator()
    assert Phase.CRANKING not in run(plant, 1, OFF) + run(plant, 30, ON)


def test_three_tries_half_a_minute_apart_and_then_it_stays_locked_out() -> None:
    plant = generator()
    plant.will_not_start = True
    phases = run(plant, 200, OFF)
    tries = [index for index in range(1, 200) if phases[index] is Phase.CRANKING is not phases[index - 1]]
    assert len(tries) == 3
    assert all(30 <= later - earlier <= 40 for earlier, later in pairwise(tries))
    assert plant.phase is Phase.FAILED
    assert plant.values()["start_failed"] is True
    run(plant, 300, ON)
    assert plant.phase is Phase.FAILED
    plant.will_not_start = False
    plant.reset()
    assert run(plant, 5, ON)[-1] is Phase.STANDBY


def test_not_in_auto_it_stands_still() -> None:
    plant = generator()
    plant.selector = "manual"
    assert set(run(plant, 120, OFF)) == {Phase.STANDBY}
    assert plant.values()["emergency_bus_ok"] is False


def test_a_test_run_takes_no_load() -> None:
    plant = generator()
    plant.test_run = True
    run(plant, 600, ON)
    assert plant.values()["run"] is True
    assert not plant.on_generator
    assert plant.load < 0.01
    plant.test_run = False
    run(plant, 200, ON)
    assert plant.phase is Phase.STANDBY


def test_fuel_lasts_for_eight_hours_and_more_at_the_load_of_a_day_and_then_it_stops() -> None:
    plant, hours = generator(), 0.0
    while plant.phase is not Phase.FAILED and hours < 48:
        for _ in range(360):
            plant.step(10.0, Surroundings(hours % 24, mains_ok=False))
        hours += 1.0
    assert 8 < hours < 30
    assert plant.fuel_percent == 0.0


def test_the_battery_dips_while_cranking_and_is_charged_again() -> None:
    plant, lowest = generator(), 99.0
    assert plant.battery_v > 26.5
    for _ in range(12):
        plant.step(1.0, OFF)
        lowest = min(lowest, plant.battery_v)
    assert 20.0 < lowest < 23.0
    run(plant, 120, OFF)
    assert plant.battery_v > 27.5


def test_every_reported_point_has_a_value() -> None:
    assert set(generator().values()) == set(REPORTS)
