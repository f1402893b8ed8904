"""Which rules become conditions where, why others do not, and what is left of a suppression without what it names."""

from pathlib import Path

import pytest

from ledger.records import ConditionSpec, Severity
from rules import packs
from rules.binding import LeftOut, conditions_for, left_out, present
from rules.expression import parse
from rules.syntax import names, written
from tests import shipped
from tests.rules.rig import GATEWAY, Plan, Rig

PACKS = packs.load(Path(__file__).parent / "packs")
EXTRA = """
  - {key: no_pump, title: {zh: 无泵, en: No pump}, when: not any(pump.run), severity: critical, work_class: power, guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}, source: test}
  - {key: supply, title: {zh: 供电, en: Supply}, when: supplied_by.mains_ok == 0, severity: critical, work_class: power, guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}, source: test}
  - {key: hot_cleared, title: {zh: 热, en: Hot}, when: pressure > 1, clear_when: temp < 20, severity: critical, work_class: power, guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}, source: test}
"""


@pytest.fixture(scope="module")
def tested():
    text = (Path(__file__).parent / "packs" / "tiny.yaml").read_text(encoding="utf-8")
    return {**PACKS, **packs.read({"tiny.yaml": text + EXTRA})}


def found(tested, **plan) -> tuple[set[str], dict[str, str]]:
    """Conditions of facility `a` as rule or rule@part, and what is left out with its reason."""
    rig = Rig(tested, {"a": Plan("tiny", **plan), "b": Plan("tiny", gateway=None)})

    def name(each: ConditionSpec | LeftOut) -> str:
        return each.rule_key if each.part_id is None else f"{each.rule_key}@{rig.part_keys[each.part_id]}"

    here = next(key for key, name in rig.facility_keys.items() if name == "a")
    return (
        {name(each) for each in conditions_for(rig.configuration, tested) if each.facility_id == here},
        {name(each): each.reason for each in left_out(rig.configuration, tested) if each.facility_id == here},
    )


def test_a_rule_for_each_part_is_a_condition_for_each_part(tested) -> None:
    conditions, _ = found(tested, parts={"pump_1": "pump", "pump_2": "pump"})
    assert {"pump_fault@pump_1", "pump_fault@pump_2", "pressure_low", "points_stale", "no_pump"} <= conditions


def test_an_optional_point_takes_the_rules_with_it_that_name_it(tested) -> None:
    conditions, out = found(tested, parts={"pump_1": "pump"}, without=["temp"])
    assert {"temp_high", "hot_cleared"}.isdisjoint(conditions)
    assert out["temp_high"] == out["hot_cleared"] == "a has no temp"


def test_an_aggregate_needs_a_part_to_go_over(tested) -> None:
    conditions, out = found(tested)
    assert "no_pump" not in conditions
    assert out["no_pump"] == "a has no part with pump.run"
    assert out["pump_fault"] == "a has no part of kind pump"


def test_parts_without_a_point_are_not_counted_in(tested) -> None:
    parts = {"pump_1": "pump", "pump_2": "pump"}
    conditions, out = found(tested, parts=parts, without=["pump_1.run"])
    assert "no_pump" in conditions
    assert out["pump_starts@pump_1"] == "a has no pump_1.run"
    assert "pump_starts@pump_2" in conditions
    conditions, _ = found(tested, parts=parts, without=["pump.run"])
    assert "no_pump" not in conditions


def test_a_relation_that_nobody_entered_leaves_the_rule_out(tested) -> None:
    conditions, out = found(tested)
    assert out["supply"] == "a has no relation supplied_by"
    assert "pressure_low" in conditions  # it only suppresses by the relation
    conditions, out = found(tested, relations={"supplied_by": "b"})
    assert "supply" in conditions


def test_what_never_reports_at_intervals_cannot_be_stale(tested) -> None:
    conditions, out = found(tested, parts={"pump_1": "pump"}, without=["temp", "pressure"])
    assert "points_stale" not in conditions
    assert out["points_stale"] == "a has no point that reports at intervals"
    assert out["part_points_stale@pump_1"] == "pump_1 has no point that reports at intervals"


def test_gateways_have_their_own_rules_and_not_those_of_every_facility(tested) -> None:
    rig = Rig(tested, {"a": Plan("tiny")})
    gateway = next(key for key, name in rig.facility_keys.items() if name == GATEWAY)
    specs = [each for each in conditions_for(rig.configuration, tested) if each.facility_id == gateway]
    assert {each.rule_key for each in specs} == {
        "gateway_offline",
        "gateway_offline_long",
        "gateway_silent",
        "gateway_clock_wrong",
        "work_permit_overrun",
    }
    assert specs[0] == ConditionSpec(gateway, None, "gateway_offline", Severity.WARNING)


@pytest.mark.parametrize(
    ("suppression", "left"),
    [
        ("x == 0", "x == 0"),
        ("gone == 0", "false"),
        ("x == 0 or gone == 0", "x == 0 or false"),
        ("x == 0 and gone == 0", "x == 0 and false"),
        ("x == 0 or not gone", "x == 0 or not true"),
        ("not (x == 0 or gone == 0)", "not (x == 0 or true)"),
        ("any(pump.gone)", "false"),
    ],
)
def test_what_is_not_there_suppresses_nothing(suppression, left) -> None:
    kept = present(parse(suppression), lambda node: any(name.key == "gone" for name in names(node)), positive=True)
    assert written(kept) == written(parse(left))


def test_pieces_at_which_nothing_is_measured_cost_next_to_nothing() -> None:
    """A site has hundreds of extinguishers: no signals, no rules of their own, nothing that a sample has to pass by."""
    tested = shipped.PACKS
    pieces = {f"piece_{number}": Plan("extinguisher", gateway=None) for number in range(300)}
    rig = Rig(tested, {"lift": Plan("elevator"), **pieces})
    alone = Rig(tested, {"lift": Plan("elevator")})
    of_pieces = {each.rule_key for each in rig.conditions.values() if "piece" in rig.facility_keys[each.facility_id]}
    assert of_pieces == {"work_permit_overrun"}
    assert rig.engine.lookback_s().keys() == alone.engine.lookback_s().keys()
