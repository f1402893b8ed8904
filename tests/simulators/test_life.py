"""Ordinary life is drawn from a seed: as often as its file says, at its hours, and never two on one place at once."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from simulators.errors import ScriptError
from simulators.faults import CATALOGUE
from simulators.life import Drawn, Habit, Life, Spell, cast, draw, read_life
from simulators.scene import Scene, declare
from simulators.stage import Stage
from simulators.truth import Demand
from simulators.world import REPORTS
from tests.simulators.court import demo

BEGUN = datetime(2026, 10, 31, 16, tzinfo=UTC)
DAY_S = 86_400.0


def drawn(life: Life, *, seed: int = 1, days: float = 30, bad: bool = False) -> Drawn:
    return draw(life, cast(demo()), seed=seed, started_at=BEGUN, days=days, bad=bad)


def often(per_month: float, **more: object) -> Life:
    return Life(habits=(Habit(fault="door_fault", per_month=per_month, source="test", **more),))


def test_the_file_names_every_fault_of_the_catalogue_with_a_source() -> None:
    life = read_life()
    named = [habit.fault for habit in life.habits]
    assert sorted(named) == sorted(set(named)), "one line for each"
    assert set(CATALOGUE) == set(named) | {entry.fault for spell in life.bad for entry in spell.strikes}


def test_the_same_seed_draws_the_same_month() -> None:
    assert drawn(read_life(), seed=3) == drawn(read_life(), seed=3)
    assert drawn(read_life(), seed=3) != drawn(read_life(), seed=4)


def test_a_facility_has_as_many_as_it_stands_for() -> None:
    playing = cast(demo())
    lifts = sum(one.kind == "elevator" for site in demo().sites for one in site.facilities)
    expected = 2.0 * lifts
    counts = [len(drawn(often(2.0), seed=seed).faults) for seed in range(20)]
    assert abs(sum(counts) / 20 - expected) < 4 * (expected / 20) ** 0.5
    assert sum(playing.stands_for[site.key, one.key] for site in playing.estate.sites for one in site.facilities) == (
        pytest.approx(
            sum(one.kind in REPORTS and one.gateway is not None for site in demo().sites for one in site.facilities)
        )
    )


def test_only_those_that_can_have_a_fault_count() -> None:
    life = Life(habits=(Habit(fault="ebike_in_lift", per_month=2.0, source="test"),))
    lifts = [one for site in demo().sites for one in site.facilities if one.kind == "elevator"]
    seeing = sum("ebike_in_car" not in one.without for one in lifts)
    assert 0 < seeing < len(lifts)
    counts = [len(drawn(life, seed=seed).faults) for seed in range(20)]
    expected = 2.0 * seeing
    assert abs(sum(counts) / 20 - expected) < 4 * (expected / 20) ** 0.5


def test_most_of_what_must_ring_is_low_and_little_of_it_high() -> None:
    """A month is some fifty alarms and its mix a matter of luck; this is what it is drawn from."""
    playing = cast(demo()).estate
    stage = Stage(playing, iter(()), seed=1, started_at=BEGUN)
    spoken_for = {(site.key, one.key): one.gateway for site in playing.sites for one in site.facilities}
    rung: Counter[str] = Counter()
    for planned in (one for seed in range(12) for one in drawn(read_life(), seed=seed).faults):
        gateway = planned.target if planned.fault.at_gateway else spoken_for[planned.site, planned.target]
        offsets_ms = {key: 0 for site, key in spoken_for if site == planned.site} | {planned.target: 0}
        scene = Scene(
            stage.world,
            stage.gateways[planned.site, str(gateway)],
            offsets_ms,
            planned.site,
            planned.target,
            planned.part,
            planned.lasts_s,
        )
        told = declare(planned.fault, scene, BEGUN)
        rung.update(str(one.priority) for one in told if one.demand is Demand.MUST and one.rung is not False)
    share = {priority: 100.0 * count / rung.total() for priority, count in rung.items()}
    assert share["low"] > 70
    assert share["medium"] < 22
    assert share["high"] + share.get("urgent", 0.0) < 11


def test_everybody_plays_only_himself() -> None:
    playing = cast(demo(), everybody=True)
    assert set(playing.stands_for.values()) == {1.0}


def test_who_feeds_a_chosen_one_plays_as_well() -> None:
    for site in cast(demo()).estate.sites:
        keys = {one.key for one in site.facilities}
        assert all(set(one.relations.values()) <= keys for one in site.facilities)
        assert {one.gateway for one in site.facilities} == {one.key for one in site.gateways}


@pytest.mark.parametrize(("hours", "allowed"), [((7, 9), {7, 8}), ((22, 2), {22, 23, 0, 1})])
def test_things_happen_at_their_hours(hours: tuple[int, int], allowed: set[int]) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    faults = drawn(often(3.0, hours=hours)).faults
    put_off_s = 3600.0 * 2
    assert len(faults) > 10
    for one in faults:
        hour = (BEGUN + timedelta(seconds=one.at_s)).astimezone(zone).hour
        earlier = (BEGUN + timedelta(seconds=one.at_s - put_off_s)).astimezone(zone).hour
        assert {hour, earlier} & allowed


def test_what_is_written_to_last_longer_does() -> None:
    for one in drawn(often(5.0, lasts=("10m", "20m"))).faults:
        assert 600 <= one.lasts_s <= 1200


def test_no_two_faults_are_on_one_place_at_once() -> None:
    month = drawn(often(60.0))
    places = {(one.site, one.target) for one in month.faults}
    for place in places:
        mine = [one for one in month.faults if (one.site, one.target) == place]
        assert all(one.quiet_s <= later.at_s for one, later in pairwise(mine))
    assert len(month.faults) > 20


def test_nothing_outlasts_the_run() -> None:
    assert all(one.quiet_s < 2 * DAY_S for one in drawn(often(100.0), days=2).faults)


def test_a_spell_makes_some_things_frequent_for_its_days_and_only_in_a_bad_month() -> None:
    life = often(1.0).model_copy(
        update={"bad": (Spell(title="storm", begins="10d", lasts="5d", times={"door_fault": 20.0}),)}
    )
    ordinary, bad = drawn(life), drawn(life, bad=True)
    in_storm = Counter(10 <= one.at_s / DAY_S < 15 for one in bad.faults)
    assert in_storm[True] > 2 * in_storm[False] > 0
    assert len(bad.faults) > 2 * len(ordinary.faults)


def test_what_strikes_for_certain_is_there_at_its_time() -> None:
    strike = {"fault": "gateway_offline", "at": "1h", "gateway": "jinxiu/gw_lift"}
    life = Life(habits=(), bad=(Spell(title="storm", begins="2d", lasts="1d", strikes=(strike,)),))
    (one,) = drawn(life, bad=True).faults
    assert (one.fault.key, one.target, one.at_s) == ("gateway_offline", "gw_lift", 2 * DAY_S + 3600)
    assert drawn(life).faults == ()


def test_everything_wrong_with_a_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "life.yaml"
    file.write_text(
        "habits:\n"
        "  - {fault: door_fualt, per_month: 1, source: test}\n"
        "  - {fault: door_fault, per_month: 1, lasts: [10s, 20s], source: test}\n"
        "bad:\n"
        "  - {title: storm, begins: 1d, lasts: 1d, times: {rain: 3}}\n",
        encoding="utf-8",
    )
    with pytest.raises(ScriptError) as told:
        read_life(file)
    for piece in ("door_fualt", "10 to 20 s", "rain"):
        assert piece in str(told.value)
