"""What `rules explain` tells a person: the rules in force with their figures, and the others with the reason."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rules import packs
from rules.explain import Language, Setting, explain
from tests.rules.rig import Plan, Rig

PAGE = Path(__file__).parent.parent.parent / "docs" / "rules.md"

PLANS = {
    "booster": Plan(
        "booster_pump_room",
        parts={"pump_1": "pump", "pump_2": "pump"},
        without=("free_chlorine", "pump.phase_loss"),
        parameters={"setpoint": 0.42, "pump_2.rated_current": 30},
        relations={"supplied_by": "power"},
    ),
    "power": Plan("distribution_room", parts={"feeder_1": "feeder"}),
    "lift": Plan("elevator"),
}
SETTINGS = {
    "setpoint": Setting("li.wei", datetime(2026, 1, 2, 0, 30, tzinfo=UTC), "high-rise zone"),
    "pump_2.rated_current": Setting("li.wei", datetime(2026, 1, 2, 0, 30, tzinfo=UTC), "plate"),
}


@pytest.fixture(scope="module")
def rig() -> Rig:
    return Rig(packs.load(None), PLANS)


def told(rig: Rig, key: str, language: Language = "en", unheard: Sequence[str] = ()) -> list[str]:
    facility = next(each for each in rig.configuration.facilities if each.key == key)
    settings = SETTINGS if key == "booster" else {}
    heard = {point.id for name, point in rig.points.items() if name not in unheard}
    return explain(rig.configuration, rig.packs, facility, settings, heard, language)


def block(lines: list[str], first: str) -> list[str]:
    """The lines of one rule, up to the empty one."""
    begin = next(place for place, line in enumerate(lines) if line.startswith(f"{first} · "))
    end = lines.index("", begin)
    return lines[begin:end]


def test_it_begins_with_what_and_where(rig: Rig) -> None:
    assert told(rig, "booster")[0] == "booster (booster) · Domestic booster pump room · grade A"
    assert told(rig, "booster", "zh")[0] == "booster (booster) · 生活泵房 · A 级"


def test_a_parameter_that_was_set_says_by_whom_when_and_why(rig: Rig) -> None:
    lines = told(rig, "booster")
    assert (
        "  setpoint = 0.42 MPa  Outlet pressure setpoint (set by li.wei on 2026-01-02 08:30 "
        "because: high-rise zone; default 0.35 MPa)"
    ) in lines  # the site's own time
    assert "  pump_1.rated_current = 15 A  Motor rated current (default, after domain 1.1 [E]; read the plate)" in lines
    assert any(line.startswith("  pump_2.rated_current = 30 A") for line in lines)


def test_a_rule_is_told_with_the_figures_in_force(rig: Rig) -> None:
    guidance = rig.packs["booster_pump_room"].rules["outlet_pressure_very_low"].guidance
    assert block(told(rig, "booster"), "outlet_pressure_very_low") == [
        "outlet_pressure_very_low · Outlet pressure very low · critical · water_supply",
        "  when: outlet_pressure < setpoint - pressure_very_low_margin and any(pump.run)",
        "  over when: outlet_pressure >= setpoint - pressure_very_low_margin + 0.01 or not any(pump.run)",
        "  with: setpoint = 0.42, pressure_very_low_margin = 0.15",
        "  delays: rings after 1m, is over after 15s; begins anew if unknown for more than 10m",
        "  suppressed when: min_over(mains_ok, 5m) == 0 or min_over(supplied_by.mains_ok, 5m) == 0",
        "  source: domain 1.1 [E]",
        f"  means: {guidance.means.en}",
        f"  check first: {guidance.check.en}",
        f"  call: {guidance.call.en}",
    ]


def test_a_rule_for_parts_names_them_and_their_figures(rig: Rig) -> None:
    lines = block(told(rig, "booster"), "pump_dry_run")
    assert "  with: pump_1.rated_current = 15, pump_2.rated_current = 30, dry_run_ratio = 0.3" in lines
    assert "  at: pump_1, pump_2" in lines
    assert "  over when: the condition is no longer true" in lines


def test_a_deadband_is_told_as_what_it_means(rig: Rig) -> None:
    lines = block(told(rig, "booster"), "outlet_pressure_high")
    assert "  over when: outlet_pressure <= ((setpoint + pressure_high_margin) - 0.01)" in lines


def test_a_clause_is_told_where_a_standard_names_one() -> None:
    heating = PAGE.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    texts = {path.name: path.read_text(encoding="utf-8") for path in packs.SHIPPED.glob("*.yaml")}
    heating = heating.replace('    source: "[E]"\n', '    source: "[E]"\n    clause: "CJJ 34 [M]"\n')
    named = Rig(
        packs.read({**texts, "heating_station.yaml": heating}), {"heat": Plan("heating_station", {"p": "pump"})}
    )
    lines = block(told(named, "heat"), "supply_temp_low")
    assert lines[lines.index("  source: [E]") + 1] == "  clause: CJJ 34 [M]"
    assert "  call: Call the heating company if it is no warmer after half an hour." in lines


def test_a_latched_rule_says_so(rig: Rig) -> None:
    assert "  latched until somebody resets it" in block(told(rig, "lift"), "overspeed")
    assert "  自保持，须人工复位" in block(told(rig, "lift", "zh"), "overspeed")


def test_a_rule_is_told_to_be_blind_to_what_never_reported(rig: Rig) -> None:
    lines = told(rig, "booster", unheard=("booster/flood", "booster/pump_2.motor_current", "power/mains_ok"))
    assert "  never reported: flood; while unknown it may not ring" in block(lines, "flood")
    assert "  never reported: pump_2.motor_current; while unknown it may not ring" in block(lines, "pump_dry_run")
    blind = [line for line in lines if "never reported" in line]
    assert len(blind) < len([line for line in lines if line.startswith("  source: ")])
    assert not any("mains_ok" in line for line in blind), "a suppression that cannot be told hides nothing"
    assert not any("never reported" in line for line in told(rig, "booster"))


def test_an_event_that_never_occurred_is_no_blindness(rig: Rig) -> None:
    lines = told(rig, "lift", unheard=("lift/car_alarm_button", "lift/overspeed"))
    assert not any("never reported" in line for line in block(lines, "car_alarm_button"))
    assert any("never reported: overspeed" in line for line in block(lines, "overspeed"))


def test_rules_that_do_not_apply_are_told_with_the_reason(rig: Rig) -> None:
    lines = told(rig, "booster")
    assert "  chlorine_low · Free chlorine low: there is no free_chlorine" in lines
    assert "  pump_phase_loss · pump_1 · Pump motor phase loss: there is no self.phase_loss" in lines
    assert "  sump_pump_fault · Sump pump fault: there is no part of kind sump_pump" in lines
    power = told(rig, "power", "zh")
    assert "  power_factor_low · 功率因数偏低: 缺少 transformer.load_rate" in power


def test_everything_is_told_in_either_language(rig: Rig) -> None:
    for key in PLANS:
        zh, en = told(rig, key, "zh"), told(rig, key, "en")
        assert len(zh) == len(en)
        assert not any("一" <= letter <= "鿿" for line in en for letter in line)
        rules = {rule.key for rule in rig.packs[PLANS[key].kind].rules.values()}
        assert all(any(rule in line for line in en) for rule in rules)
