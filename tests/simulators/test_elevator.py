"""The lift behaves as one: it moves with its doors closed, stops at floors, and counts what it does."""

from simulators.plant.elevator import Elevator, Phase
from simulators.plant.surroundings import Surroundings

EVENING, NIGHT = Surroundings(18.0), Surroundings(3.0)
DARK = Surroundings(18.0, mains_ok=False)


def run(plant: Elevator, seconds: int, surroundings: Surroundings = EVENING) -> None:
    for _ in range(seconds):
        plant.step(1.0, surroundings)


def test_it_moves_only_with_closed_doors_and_stops_only_at_floors() -> None:
    plant = Elevator(1, "lift")
    for _ in range(4 * 3600):
        plant.step(1.0, EVENING)
        values = plant.values()
        if values["car_moving"]:
            assert values["door_state"] == "closed"
        else:
            assert values["in_door_zone"]
        assert 1 <= plant.floor <= 18


def test_traffic_follows_the_hour() -> None:
    busy, quiet = Elevator(1, "lift"), Elevator(1, "lift")
    trips = busy.trips
    run(busy, 3600, EVENING)
    run(quiet, 3600, NIGHT)
    assert busy.trips - trips > 5 * (quiet.trips - trips)


def test_counters_only_grow() -> None:
    plant = Elevator(1, "lift")
    before = (0, 0.0, 0.0, 0)
    for _ in range(3600):
        plant.step(1.0, EVENING)
        after = (plant.trips, plant.run_s, plant.run_m, plant.door_cycles)
        assert all(one <= other for one, other in zip(before, after, strict=True))
        before = after


def test_people_get_in_and_out_only_through_an_open_door() -> None:
    plant = Elevator(1, "lift")
    occupied = plant.occupied
    for _ in range(4 * 3600):
        plant.step(1.0, EVENING)
        if plant.occupied is not occupied:
            assert plant.phase is Phase.OPEN
            occupied = plant.occupied


def test_it_sticks_between_floors_with_somebody_inside_even_at_night() -> None:
    for seed in range(20):
        plant = Elevator(seed, "lift")
        run(plant, 1800, NIGHT)
        plant.stick = True
        run(plant, 150, NIGHT)
        values = plant.values()
        assert plant.phase is Phase.STUCK
        assert values | {"occupied": True, "car_moving": False, "in_door_zone": False} == values
        plant.stick = False
        inside = set[bool]()
        while plant.phase is not Phase.CLOSING:
            plant.step(1.0, NIGHT)
            inside.add(plant.occupied)
        assert False in inside  # somebody else may have got in at once


def test_a_jammed_door_stays_closing() -> None:
    for seed in range(20):
        plant = Elevator(seed, "lift")
        run(plant, 1800, NIGHT)
        plant.jam = True
        run(plant, 150, NIGHT)
        assert plant.values()["door_state"] == "closing"


def test_when_the_power_goes_everybody_gets_out() -> None:
    for seed in range(20):
        plant = Elevator(seed, "lift")
        run(plant, 600 + 7 * seed)
        run(plant, 60, DARK)
        assert not plant.occupied
        assert plant.in_door_zone
        assert not plant.values()["car_moving"]
