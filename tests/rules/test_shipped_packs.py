"""The packs that ship: without fault, in both languages, and counted by the page that explains them."""

from pathlib import Path

from ledger.records import PointKind, Severity
from rules import packs
from rules.model import ANY_KIND, GATEWAY_KIND
from rules.rule_reading import WORK_CLASSES
from rules.syntax import names
from rules.vocabulary import BUILT_IN, BUILT_IN_GATEWAY, FUNCTIONS
from tests.shipped import PACKS


def test_the_shipped_packs_have_no_fault() -> None:
    assert {"booster_pump_room", "distribution_room", "elevator", ANY_KIND, GATEWAY_KIND} <= PACKS.keys()


def test_every_parameter_of_a_shipped_pack_is_used() -> None:
    for pack in PACKS.values():
        used = {"silent_after"}
        for rule in pack.rules.values():
            for node in (rule.when, rule.clear_when, rule.suppress_when):
                for name in () if node is None else names(node):
                    used.add(f"{rule.for_each}.{name.key}" if name.scope == "self" else name.text)
        assert pack.parameters.keys() <= used, f"{pack.kind}: {pack.parameters.keys() - used}"


def test_shipped_rules_speak_both_languages_to_a_person() -> None:
    for pack in PACKS.values():
        for rule in pack.rules.values():
            guidance = (rule.guidance.means, rule.guidance.check, rule.guidance.call)
            for text in (rule.title, *guidance):
                assert any("一" <= letter <= "鿿" for letter in text.zh), rule.key
            for text in guidance:
                assert text.zh.endswith("。"), rule.key
                assert text.en.endswith("."), rule.key
                assert text.en.isascii(), rule.key
            assert rule.work_class in WORK_CLASSES


def test_life_safety_is_kept_for_life() -> None:
    """A severity everything has means nothing: at most one rule in ten, each latched so that nobody misses it."""
    rules = [rule for pack in PACKS.values() for rule in pack.rules.values()]
    for_life = [rule for rule in rules if rule.severity is Severity.LIFE_SAFETY]
    assert len(for_life) * 10 <= len(rules)
    assert all(rule.latch for rule in for_life)


# ---------------------------------------------------------------------- docs/rules.md

PAGE = Path(__file__).parent.parent.parent / "docs" / "rules.md"


def test_the_worked_example_of_the_page_is_a_sound_pack() -> None:
    example = PAGE.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    texts = {path.name: path.read_text(encoding="utf-8") for path in packs.SHIPPED.glob("*.yaml")}
    assert packs.read({**texts, "heating_station.yaml": example})["heating_station"].rules.keys() == {"supply_temp_low"}


def test_the_page_counts_the_rules_that_ship() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for kind, pack in PACKS.items():
        if not pack.points and not pack.rules:
            assert f"`{kind}`" in page, kind
            continue
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{kind}` |")]
        for_life = sum(rule.severity is Severity.LIFE_SAFETY for rule in pack.rules.values())
        assert line.endswith(f"| {len(pack.rules)} | {for_life} |")


def test_the_page_names_every_word_of_the_language() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for word in (*FUNCTIONS, *BUILT_IN, *BUILT_IN_GATEWAY, *WORK_CLASSES, *PointKind, *Severity):
        assert f"`{word}" in page or f"`{word}(" in page, word


# What leaves the building without a protection for as long as it stands: acknowledged is not repaired.
STANDING = {
    "booster_pump_room": {"flood", "pumps_all_faulted", "disinfection_fault_long"},
    "distribution_room": {"flood", "sf6_very_high", "o2_very_low", "ir_clamp_critical"},
    "elevator": {"passenger_trapped_between_floors", "passenger_trapped_level", "passenger_trapped_reported"},
    "fire_pump_room": {"hydrant_not_auto", "sprinkler_not_auto", "diesel_not_auto", "valve_closed", "power_lost"}
    | {
        f"{switch}_no_start"
        for switch in ("hydrant_pressure_switch", "hydrant_flow_switch", "alarm_valve_pressure_switch")
    }
    | {f"sprinkler_{switch}_switch_no_start" for switch in ("pressure", "flow")},
    "fire_water_tank": {"fire_tank_level_very_low", "valve_closed"},
    "generator": {"selector_not_auto", "start_failed", "not_started", "no_power", "bus_dead"},
    "drainage_sump": {"flood", "sump_pumps_all_faulted"},
}


def test_what_leaves_the_building_unprotected_asks_again_though_acknowledged() -> None:
    """Not before half an hour, or it would only teach people to press the button twice."""
    for kind, keys in STANDING.items():
        assert all(PACKS[kind].rules[key].realarm_after_s for key in keys), kind
    for pack in PACKS.values():
        for rule in pack.rules.values():
            assert rule.realarm_after_s is None or rule.realarm_after_s >= 1800, rule.key
