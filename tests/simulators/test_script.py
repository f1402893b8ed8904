"""Scripts say what is wrong with them, all at once; random faults are the seed's and keep out of each other's way."""

from itertools import islice
from pathlib import Path

import pytest
import yaml

from demo import smoke
from estate.bring_in import read
from simulators.errors import ScriptError
from simulators.faults import CATALOGUE
from simulators.script import parse_faults, random_faults, read_script, seconds
from tests.simulators.court import ROOT, backed, demo

SMOKE = ROOT / "simulators/smoke.yaml"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "script.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_smoke_script_plays_every_fault_but_nine_on_the_demo_estate() -> None:
    script = read_script(SMOKE, demo())
    assert {one.fault.key for one in script.faults} == set(CATALOGUE) - {
        "gateway_clock_jump",
        "booster_sensor_silent",
        "sump_sensor_silent",
        "lift_door_reopening",
        "ebike_in_lift",
        "machine_room_hot",
        "room_damp",
        "capacitors_out",
        "sump_in_manual",
    }
    assert script.duration_s is not None
    # What counts the starts of an hour, and what waits for a slow instrument, may still ring when the run ends.
    assert all(one.quiet_s <= script.duration_s for one in script.faults if one.fault.settles_s <= 10 * 60)
    assert sum(one.quiet_s > script.duration_s for one in script.faults) <= 5


@pytest.mark.parametrize(("text", "wanted"), [("90s", 90), ("10m", 600), ("1h30m", 5400), (45, 45), ("0.5s", 0.5)])
def test_durations(text: object, wanted: float) -> None:
    assert seconds(text) == wanted


@pytest.mark.parametrize("text", ["", "10", "10 m", "m", "1x", True])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        seconds(text)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("{fault: burst_pipe, at: 1m}", "there is no such fault; there are burst_main, "),
        (
            "{fault: burst_main, at: 1m, facility: jinxiu/lift_1_1}",
            "cannot strike jinxiu/lift_1_1; it can strike jinxiu",
        ),
        ("{fault: burst_main, at: 1m, facility: nowhere/booster_low}", "cannot strike nowhere/booster_low"),
        ("{fault: burst_main, at: 1m, gateway: jinxiu/gw_pump}", "strikes a facility"),
        ("{fault: gateway_offline, at: 1m, facility: jinxiu/booster_low}", "strikes a gateway"),
        ("{fault: burst_main, at: 1m, part: pump_1}", "strikes no part"),
        ("{fault: dry_run, at: 1m, facility: jinxiu/booster_low, part: pump_9}", "has no pump pump_9; it has pump_1"),
        ("{fault: frozen_sensor, at: 1m, for: 5m}", "what it must cause does not come"),
        ("{fault: burst_main, at: 58m}", "ends after the run"),
        ("{fault: transformer_overload, at: 1m, facility: binjiang/power_main}", "cannot strike binjiang/power_main"),
        ("{fault: late_burst, at: 1m, gateway: jinxiu/gw_lift}", "it can strike binjiang/gw_basement"),
    ],
)
def test_a_wrong_entry_is_refused_with_the_reason(tmp_path: Path, entry: str, why: str) -> None:
    with pytest.raises(ScriptError) as refused:
        read_script(written(tmp_path, f"duration: 1h\nfaults: [{entry}]"), demo())
    assert why in str(refused.value)


def test_all_reasons_come_at_once(tmp_path: Path) -> None:
    text = "duration: 10m\nfaults: [{fault: x, at: 1m}, {fault: y, at: 2m}, {fault: burst_main, at: 9m}]"
    with pytest.raises(ScriptError) as refused:
        read_script(written(tmp_path, text), demo())
    assert len(str(refused.value).splitlines()) == 3


@pytest.mark.parametrize(
    "text", ["faults: 7", "fault: []", "faults: [{fault: burst_main}]", "a: [", "faults: [{at: x}]"]
)
def test_what_is_no_script_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ScriptError):
        read_script(written(tmp_path, text), demo())


def test_clocks_may_be_wrong(tmp_path: Path) -> None:
    text = "clock_offsets: {jinxiu/gw_pump: 20s, binjiang/gw_lift: -1m30s}\nfaults: []"
    script = read_script(written(tmp_path, text), demo())
    assert script.clock_offsets_s == {("jinxiu", "gw_pump"): 20.0, ("binjiang", "gw_lift"): -90.0}
    with pytest.raises(ScriptError, match="there is no gateway jinxiu/gw_moon"):
        read_script(written(tmp_path, "clock_offsets: {jinxiu/gw_moon: 1s}\nfaults: []"), demo())


def test_two_faults_may_not_blur_each_other(tmp_path: Path) -> None:
    both = "{fault: %s, at: %s, facility: jinxiu/booster_low}"
    text = f"faults: [{both % ('burst_main', '1m')}, {both % ('flooded_room', '5m')}]"
    with pytest.raises(ScriptError, match="another fault has not settled there"):
        read_script(written(tmp_path, text), demo())
    text = f"faults: [{both % ('burst_main', '1m')}, {both % ('flooded_room', '30m')}]"
    assert len(read_script(written(tmp_path, text), demo()).faults) == 2


def test_a_room_without_power_takes_what_it_feeds_with_it() -> None:
    with pytest.raises(ScriptError, match="not settled"):
        parse_faults("supply_loss@1m:jinxiu/power_2, door_fault@2m:jinxiu/lift_2_1", demo())
    assert len(parse_faults("supply_loss@1m:jinxiu/power_2, door_fault@2m:jinxiu/lift_1_1", demo()).faults) == 2


def test_faults_on_one_line() -> None:
    script = parse_faults("entrapment@5m:jinxiu/lift_1_1, burst_main@1h30m", demo())
    assert [(one.fault.key, one.at_s) for one in script.faults] == [("entrapment", 300.0), ("burst_main", 5400.0)]
    with pytest.raises(ScriptError, match="write fault@time"):
        parse_faults("burst_main", demo())


def test_what_a_script_leaves_out_is_filled_in_the_same_way_every_time() -> None:
    text = "burst_main@1m, dry_run@1m, entrapment@1m, late_burst@30m"
    assert parse_faults(text, demo()) == parse_faults(text, demo())


def test_random_faults_are_the_seeds() -> None:
    estate = demo().model_copy(update={"sites": (*demo().sites, *backed().sites)})
    one, same, other = (list(islice(random_faults(estate, seed), 2 * len(CATALOGUE))) for seed in (1, 1, 2))
    assert one == same
    assert one != other
    assert {planned.fault.key for planned in one} == set(CATALOGUE)
    assert one[0].at_s <= 20
    assert [planned.at_s for planned in one] == sorted(planned.at_s for planned in one)


def test_every_fault_is_on_its_page() -> None:
    page = (ROOT / "docs/faults.md").read_text(encoding="utf-8")
    for fault in CATALOGUE.values():
        assert f"| `{fault.key}` | {fault.title_en} | {fault.title_zh} |" in page


def test_what_smoke_plays_is_the_estate_less_gateways_that_no_fault_names(tmp_path: Path) -> None:
    described = yaml.safe_dump(smoke.without_bystanders(smoke.ESTATE, SMOKE), allow_unicode=True)
    played = read(written(tmp_path, described))
    assert {one.key for one in played.sites[0].facilities} < {one.key for one in demo().sites[0].facilities}
    assert read_script(SMOKE, played).faults == read_script(SMOKE, demo()).faults
