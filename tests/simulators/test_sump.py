"""A sump takes what runs in, lifts it out by its floats, in turn, and stands full when that is not enough."""

from simulators.plant.sump import REPORTS, Sump
from simulators.plant.surroundings import Surroundings
from simulators.plant.weather import Weather

DRY, SHOWER, CLOUDBURST = Surroundings(12.0), Surroundings(12.0, rain_mm_h=6.0), Surroundings(12.0, rain_mm_h=70.0)


def sump() -> Sump:
    return Sump(1, "s", pumps=["sump_pump_1", "sump_pump_2"], parameters={"sump_high": 1.2, "sump_very_high": 1.5})


def run(plant: Sump, seconds: int, surroundings: Surroundings) -> list[float]:
    levels = []
    for _ in range(seconds):
        plant.step(1.0, surroundings)
        levels.append(plant.level_m)
    return levels


def starts(plant: Sump) -> list[int]:
    return [pump.starts for pump in plant.pumps]


def test_in_dry_weather_it_pumps_a_few_times_a_day() -> None:
    plant = sump()
    for second in range(0, 24 * 3600, 5):
        plant.step(5.0, Surroundings(second / 3600))
        assert 0.3 < plant.level_m < 0.9
    assert 1 <= sum(starts(plant)) <= 8


def test_in_rain_the_pumps_change_places_and_hold_the_level() -> None:
    plant = sump()
    levels = run(plant, 4 * 3600, SHOWER)
    first, second = starts(plant)
    assert max(levels) < 0.9
    assert abs(first - second) <= 1
    assert 3 <= first + second <= 10


def test_a_cloudburst_keeps_them_busy_and_does_not_flood() -> None:
    plant = sump()
    assert max(run(plant, 3600, CLOUDBURST)) < 1.1
    assert sum(starts(plant)) < 15


def test_the_standby_takes_over_and_without_either_the_water_rises_to_the_floor() -> None:
    plant = sump()
    plant.pumps[0].broken = True
    assert max(run(plant, 3600, SHOWER)) < 1.1
    assert starts(plant)[0] == 0
    plant.pumps[1].broken = True
    run(plant, 2400, CLOUDBURST)
    said = plant.values()
    assert (said["sump_float_high"], said["sump_float_very_high"], said["flood"]) == (True, True, True)
    for pump in plant.pumps:
        pump.broken = False
    run(plant, 1200, DRY)
    assert plant.level_m < 0.9


def test_without_power_or_not_in_auto_no_pump_starts() -> None:
    dark, manual = sump(), sump()
    manual.selector = "manual"
    run(dark, 3600, Surroundings(12.0, mains_ok=False, rain_mm_h=20.0))
    run(manual, 3600, Surroundings(12.0, rain_mm_h=20.0))
    assert starts(dark) == starts(manual) == [0, 0]
    assert min(dark.level_m, manual.level_m) > 0.95


def test_showers_come_and_go_and_are_the_seeds() -> None:
    first, same, other = Weather(1, "a"), Weather(1, "a"), Weather(1, "b")
    rain: list[tuple[float, ...]] = []
    for _ in range(30 * 24 * 6):
        for weather in (first, same, other):
            weather.step(600.0)
        rain.append((first.rain_mm_h, same.rain_mm_h, other.rain_mm_h))
    wet = sum(one > 0 for one, _, _ in rain) / len(rain)
    assert 0.005 < wet < 0.2
    assert all(one == two for one, two, _ in rain)
    assert any(one != three for one, _, three in rain)
    assert max(one for one, _, _ in rain) <= 8.0


def test_every_reported_point_has_a_value() -> None:
    points = {key.partition(".")[2] if "." in key else key for key in sump().values()}
    assert points == {key.partition(".")[2] if "." in key else key for key in REPORTS}
