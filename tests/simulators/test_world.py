"""The world as a whole: it speaks of exactly the points the packs know, and the same seed tells the same story."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger.records import PointKind
from simulators.gateway import Publish
from simulators.plant.surroundings import Value
from simulators.script import read_script
from simulators.stage import Stage
from simulators.world import REPORTS, World
from tests.shipped import PACKS
from tests.simulators.court import ROOT, configuration, demo

MORNING = datetime(2026, 11, 2, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("kind", REPORTS)
def test_plants_and_packs_know_the_same_points(kind: str) -> None:
    assert set(REPORTS[kind]) == {point.name for point in PACKS[kind].points.values()}


@pytest.mark.parametrize("kind", REPORTS)
def test_points_are_reported_as_their_packs_ask(kind: str) -> None:
    for point in PACKS[kind].points.values():
        report = REPORTS[kind][point.name]
        assert report.event == (point.kind is PointKind.EVENT)
        if point.report_interval_s is not None:
            assert report.interval_s <= point.report_interval_s


def test_every_value_suits_its_point() -> None:
    world = World(demo(), 1)
    world.step(1.0, MORNING)
    for site in demo().sites:
        known = configuration(site)
        for facility in known.facilities:
            place = (site.key, facility.key)
            if place not in world.plants:
                continue
            values = world.values(place)
            points = {point.key: point for point in known.points if point.facility_id == facility.id}
            assert set(points) == set(world.reports(place))
            for key, point in points.items():
                assert suits(values[key], point.kind), (place, key, values[key])
                assert not point.codes or values[key] in point.codes


def suits(value: Value, kind: PointKind) -> bool:
    if kind is PointKind.ENUM:
        return isinstance(value, str)
    if kind in (PointKind.STATE, PointKind.EVENT):
        return isinstance(value, bool)
    return isinstance(value, int | float) and not isinstance(value, bool)


def story(seed: int, minutes: int = 12) -> list[tuple[str, bytes]]:
    script = read_script(ROOT / "simulators/smoke.yaml", demo())
    stage = Stage(demo(), iter(script.faults), seed=seed, started_at=MORNING)
    told: list[tuple[str, bytes]] = []
    for _ in range(minutes * 60):
        for commands in stage.step().values():
            told += [(one.topic, one.payload) for one in commands if isinstance(one, Publish)]
    return told


def test_the_same_seed_tells_the_same_story_to_the_byte() -> None:
    assert story(1) == story(1)


def test_another_seed_tells_another() -> None:
    assert story(1, 1) != story(2, 1)


def test_what_is_added_to_an_estate_changes_nothing_else_of_it() -> None:
    whole = demo()
    site = whole.sites[0]
    all_of_it = World(whole, 5)
    rooms = [one for one in site.facilities if (site.key, one.key) in all_of_it.plants]
    fewer = site.model_copy(update={"facilities": tuple(rooms[:3])})
    part = whole.model_copy(update={"sites": (fewer,)})
    place = (site.key, rooms[0].key)
    some_of_it = World(part, 5)
    for second in range(300):
        moment = MORNING + timedelta(seconds=second)
        all_of_it.step(1.0, moment)
        some_of_it.step(1.0, moment)
    assert all_of_it.values(place) == some_of_it.values(place)


def test_who_is_fed_sees_the_loss_in_the_same_step() -> None:
    world = World(demo(), 1)
    world.step(1.0, MORNING)
    room = world.plants["jinxiu", "power_2"]
    room.mains_ok = False  # pyright: ignore[reportAttributeAccessIssue]
    world.step(1.0, MORNING)
    assert world.values(("jinxiu", "power_2"))["mains_ok"] is False
    assert world.values(("jinxiu", "lift_2_1"))["mains_ok"] is False
    assert world.values(("jinxiu", "lift_1_1"))["mains_ok"] is True


def test_a_frozen_sensor_repeats_itself_and_thaws() -> None:
    world, place = World(demo(), 1), ("jinxiu", "booster_low")
    world.step(1.0, MORNING)
    before = world.values(place)["outlet_pressure"]
    world.freeze(place, "outlet_pressure")
    said = set[Value]()
    for _ in range(100):
        world.step(1.0, MORNING)
        said.add(world.values(place)["outlet_pressure"])
    assert said == {before}
    world.thaw(place, "outlet_pressure")
    assert world.values(place)["outlet_pressure"] != before
