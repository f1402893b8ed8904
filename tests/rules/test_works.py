"""Kinds of work: the shipped ones name only rules that a permit can silence; every fault of a file with its line."""

from pathlib import Path

import pytest

from ledger.records import PermitKind, Severity
from rules import packs, works
from rules.packs import PackErrors
from tests.shipped import PACKS

WORKS = works.load(PACKS)
GOOD = """\
asks:
  approved_by: {zh: 批准人, en: Approved by}
works:
  fan_work:
    title: {zh: 风机检修, en: Fan work}
    permit: work
    silences:
      distribution_room: [fan_fault]
    lasts: 2h
    lasts_at_most: 4h
    lasts_in_all: 8h
    asks: [approved_by]
    before:
      - {zh: 停电, en: Switch off}
    after: []
    source: test
"""


def faults(*changes: tuple[str, str]) -> list[str]:
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(PackErrors) as caught:
        works.read(text, "works.yaml", PACKS)
    return [str(fault) for fault in caught.value.faults]


def test_the_works_of_the_trade_are_there() -> None:
    assert WORKS.works.keys() >= {
        "monthly_pump_test",
        "generator_test",
        "lift_service",
        "tank_cleaning",
        "fire_tank_cleaning",
        "impairment",
        "transformer_maintenance",
        "switchgear_maintenance",
    }
    for work in WORKS.works.values():
        assert work.before, work.key
        assert work.after, work.key
        for title in (work.title, *work.before, *work.after):
            assert any("一" <= letter <= "鿿" for letter in title.zh), work.key
            assert title.en.isascii(), work.key


def test_a_pump_test_silences_the_run_without_a_test_and_not_the_empty_tank() -> None:
    silent = WORKS.works["monthly_pump_test"].rules_at("fire_pump_room") or ()
    assert {"hydrant_pump_running", "sprinkler_pump_running", "diesel_pump_running"} <= set(silent)
    assert {"hydrant_start_slow", "flood", "power_lost", "hydrant_flow_switch_no_start"}.isdisjoint(silent)
    assert WORKS.works["monthly_pump_test"].rules_at("fire_water_tank") is None


def test_what_guards_lives_rings_during_an_impairment() -> None:
    """A pump that runs, or water that is drawn, while the system is out of service is taken for a fire."""
    work = WORKS.works["impairment"]
    assert {"approved_by", "emergency_plan", "public_notice"} <= set(work.asks)
    for kind, rules in work.silences.items():
        assert all(PACKS[kind].rules[rule].severity is not Severity.LIFE_SAFETY for rule in rules)


def test_work_for_every_facility_is_none_for_a_gateway() -> None:
    instrument = WORKS.works["instrument_work"]
    assert instrument.rules_at("extinguisher") == ("points_stale", "part_points_stale")
    assert "gateway_offline" in (instrument.rules_at("gateway") or ())
    assert WORKS.works["lift_service"].rules_at("gateway") is None


def test_what_a_permit_can_silence() -> None:
    rules = PACKS["fire_pump_room"].rules
    assert works.silenced_by(rules["hydrant_pump_running"]) == {PermitKind.TEST}
    assert works.silenced_by(rules["hydrant_not_auto"]) == {PermitKind.TEST, PermitKind.WORK}
    assert works.silenced_by(rules["flood"]) == frozenset()


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("distribution_room:", "distribution_rom:"), 8, "no kind of facility distribution_rom (did you mean"),
        (("[fan_fault]", "[fan_falt]"), 8, "distribution_room, fan_falt: no such rule (did you mean"),
        (("[fan_fault]", "[flood]"), 8, "does not ask for `under_work`"),
        (("permit: work", "permit: test"), 8, "does not ask for `under_test`"),
        (("permit: work", "permit: nap"), 6, "`permit` is never nap"),
        (("lasts: 2h", "lasts: 5h"), 9, "the longer last"),
        (("lasts_at_most: 4h", "lasts_at_most: 8d"), 9, "7d at most"),
        (("lasts_in_all: 8h", "lasts_in_all: 3h"), 11, "from `lasts_at_most` to 14d"),
        (("lasts_in_all: 8h", "lasts_in_all: 15d"), 11, "from `lasts_at_most` to 14d"),
        (("lasts: 2h", "lasts: soon"), 9, "needs a duration"),
        (("asks: [approved_by]", "asks: [aproved_by]"), 12, "no question aproved_by (did you mean approved_by?)"),
        (("    source: test\n", ""), 4, "`source` is missing"),
        (("    after: []", "    after: []\n    aftre: 5"), 16, "there is no key `aftre`"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(change: tuple[str, str], line: int, words: str) -> None:
    assert any(each.startswith(f"works.yaml:{line}: ") and words in each for each in faults(change)), faults(change)


def test_all_faults_are_told_at_once() -> None:
    assert len(faults(("[fan_fault]", "[flood, nothing]"), ("lasts: 2h", "lasts: 5h"))) == 3


def test_work_silences_what_guards_lives_only_with_an_approval() -> None:
    rule = "moving_with_door_open"
    assert PACKS["elevator"].rules[rule].severity is Severity.LIFE_SAFETY
    lift = ("distribution_room: [fan_fault]", f"elevator: [{rule}]")
    assert works.read(GOOD.replace(*lift), "works.yaml", PACKS).works["fan_work"].rules_at("elevator") == (rule,)
    (fault,) = faults(lift, ("asks: [approved_by]", "asks: []"))
    assert "it guards lives" in fault


def test_a_file_of_ones_own_takes_its_place_and_is_no_pack(tmp_path: Path) -> None:
    (tmp_path / "works.yaml").write_text(GOOD, encoding="utf-8")
    own = packs.load(tmp_path)
    assert own.keys() == PACKS.keys()
    assert works.load(own, tmp_path).works.keys() == {"fan_work"}
    (tmp_path / "works.yaml").write_bytes(b"\xff")
    with pytest.raises(PackErrors, match="not UTF-8"):
        works.load(own, tmp_path)
