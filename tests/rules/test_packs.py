"""Rule packs: every kind of fault is named with file and line, all of them in one run."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.records import Grade, PointKind, Severity
from rules import packs
from rules.model import ANY_KIND, Pack
from rules.packs import PackErrors

BOILER = """\
kind: boiler
title: {zh: 锅炉, en: Boiler}
grade:
  default: A
  reason: {zh: 危险, en: It is dangerous}
  source: "test"
parts:
  burner: {title: {zh: 燃烧器, en: Burner}}
points:
  pressure: {title: {zh: 压力, en: Pressure}, kind: measure, unit: MPa, range: [0, 2], report_interval: 30s}
  temp: {title: {zh: 温度, en: Temperature}, kind: measure, unit: °C, range: [-20, 150], report_interval: 1m}
  mode: {title: {zh: 模式, en: Mode}, kind: enum, values: [auto, manual, off], on_change: true}
  hours: {title: {zh: 小时, en: Hours}, kind: counter, unit: h, report_interval: 1h}
  knock: {title: {zh: 敲击, en: Knock}, kind: event, hold: 30s, on_change: true}
  burner.flame: {title: {zh: 火焰, en: Flame}, kind: state, on_change: true}
parameters:
  pressure_high: {title: {zh: 高压, en: High pressure}, unit: MPa, default: 1.2, range: [0.5, 1.9], source: "test"}
  burner.tries: {title: {zh: 次数, en: Tries}, default: 3, source: "test"}
relations:
  fed_by: {to: [tank], title: {zh: 水箱, en: Tank}}
rules:
  - key: pressure_high
    title: {zh: 压力高, en: Pressure high}
    when: pressure > pressure_high
    deadband: 0.05
    on_delay: 60s
    off_delay: 15s
    severity: warning
    suppress_when: fed_by.level < 10
    work_class: power
    guidance: {means: {zh: 看一看, en: Look at it}, check: {zh: 看一看, en: Look at it}, call: {zh: 看一看, en: Look at it}}
    source: "test"
  - key: flame_out
    title: {zh: 熄火, en: Flame out}
    for_each: burner
    when: self.flame == 0 and mode == 'auto' and not under_work
    severity: critical
    work_class: power
    guidance: {means: {zh: 看一看, en: Look at it}, check: {zh: 看一看, en: Look at it}, call: {zh: 看一看, en: Look at it}}
    source: "test"
"""

TANK = """\
kind: tank
title: {zh: 水箱, en: Tank}
grade: {default: C, reason: {zh: 小, en: Small}, source: "test"}
points:
  level: {title: {zh: 液位, en: Level}, kind: measure, unit: "%", range: [0, 100], report_interval: 30s}
"""


def read(boiler: str = BOILER, tank: str = TANK, **others: str) -> packs.Packs:
    return packs.read(
        {"boiler.yaml": boiler, "tank.yaml": tank, **{f"{kind}.yaml": text for kind, text in others.items()}}
    )


def faults(text: str, **others: str) -> list[str]:
    with pytest.raises(PackErrors) as caught:
        read(text, **others)
    return [str(fault) for fault in caught.value.faults]


def changed(old: str, new: str) -> tuple[str, int]:
    """The boiler's pack with one piece replaced, and the line of the replacement."""
    assert BOILER.count(old) == 1, old
    before, _, _ = BOILER.partition(old)
    return BOILER.replace(old, new), before.count("\n") + 1


def test_a_sound_pack_is_read_as_it_is_written() -> None:
    boiler = read()["boiler"]
    assert boiler.title.zh == "锅炉"
    assert boiler.grade.grade is Grade.A
    assert boiler.points["temp"].range_min == -20
    assert boiler.points["temp"].report_interval_s == 60
    assert boiler.points["mode"].values == ("auto", "manual", "off")  # `off` is a word here
    assert boiler.points["knock"].hold_s == 30
    assert boiler.points["burner.flame"].part_kind == "burner"
    assert boiler.points["burner.flame"].kind is PointKind.STATE
    assert boiler.parameters["burner.tries"].default == 3
    high = boiler.rules["pressure_high"]
    assert (high.on_delay_s, high.off_delay_s, high.deadband, high.unknown_max_s) == (60, 15, 0.05, 600)
    assert high.severity is Severity.WARNING
    assert not high.latch
    assert boiler.rules["flame_out"].for_each == "burner"


FAULTS = {
    # what is wrong: (piece of the sound pack, what replaces it, words the fault must say)
    "unknown key": ("    severity: critical\n", "    severity: critical\n    on_dely: 5s\n", "no key `on_dely` (did you mean on_delay"),
    "unknown key of a point": ("unit: MPa, range: [0, 2]", "unit: MPa, rang: [0, 2]", "no key `rang`"),
    "duplicate key": ("    deadband: 0.05\n", "    deadband: 0.05\n    deadband: 0.06\n", "`deadband` stands here a second time (first in line"),
    "duplicate point": ("  temp: {", "  pressure: {title: {zh: 一, en: 1}, kind: state, on_change: true}\n  temp: {", "`pressure` stands here a second time"),
    "missing title": ("title: {zh: 锅炉, en: Boiler}\n", "", "the pack: `title` is missing"),
    "missing zh": ("{zh: 压力高, en: Pressure high}", "{en: Pressure high}", "rule pressure_high, title: `zh` is missing"),
    "missing en": ("{zh: 熄火, en: Flame out}", "{zh: 熄火}", "rule flame_out, title: `en` is missing"),
    "empty zh": ("{zh: 熄火, en: Flame out}", '{zh: "", en: Flame out}', "`zh` needs some text"),
    "missing guidance": ('    guidance: {means: {zh: 看一看, en: Look at it}, check: {zh: 看一看, en: Look at it}, call: {zh: 看一看, en: Look at it}}\n    source: "test"\n  - key', '    source: "test"\n  - key', "rule pressure_high: `guidance` is missing"),
    "guidance without a part": ('call: {zh: 看一看, en: Look at it}}\n    source: "test"\n  - key', '}\n    source: "test"\n  - key', "rule pressure_high, guidance: `call` is missing"),
    "guidance without a language": ('means: {zh: 看一看, en: Look at it}, check: {zh: 看一看, en: Look at it}, call: {zh: 看一看, en: Look at it}}\n    source: "test"\n  - key', 'means: {zh: 看一看}, check: {zh: 看一看, en: Look at it}, call: {zh: 看一看, en: Look at it}}\n    source: "test"\n  - key', "rule pressure_high, guidance, means: `en` is missing"),
    "empty guidance": ('call: {zh: 看一看, en: Look at it}}\n    source: "test"\n  - key', "call: {zh: ' ', en: Look at it}}\n    source: \"test\"\n  - key", "rule pressure_high, guidance, call: `zh` needs some text"),
    "guidance with a fourth part": ('call: {zh: 看一看, en: Look at it}}\n    source: "test"\n  - key', 'call: {zh: 看一看, en: Look at it}, pray: {}}\n    source: "test"\n  - key', "no key `pray`"),
    "empty clause": ("    deadband: 0.05\n", "    deadband: 0.05\n    clause: ''\n", "`clause` needs some text"),
    "missing source": ('    severity: warning\n    suppress_when: fed_by.level < 10\n    work_class: power\n    guidance: {means: {zh: 看一看, en: Look at it}, check: {zh: 看一看, en: Look at it}, call: {zh: 看一看, en: Look at it}}\n    source: "test"\n', "    severity: warning\n    work_class: power\n    guidance: {means: {zh: 看一看, en: Look at it}, check: {zh: 看一看, en: Look at it}, call: {zh: 看一看, en: Look at it}}\n", "rule pressure_high: `source` is missing"),
    "missing grade": ('grade:\n  default: A\n  reason: {zh: 危险, en: It is dangerous}\n  source: "test"\n', "", "`grade` is missing"),
    "bad grade": ("  default: A\n", "  default: D\n", "`default` is never D"),
    "wrong kind for the file": ("kind: boiler", "kind: boilers", "the file of kind boilers is called boilers.yaml"),
    "bad kind of point": ("kind: enum", "kind: enumeration", "`kind` is never enumeration; it is one of measure, state, enum"),
    "measure without range": ("unit: MPa, range: [0, 2]", "unit: MPa", "`range` is missing"),
    "measure without unit": ("unit: MPa, range: [0, 2]", "range: [0, 2]", "`unit` is missing"),
    "range upside down": ("range: [0, 2]", "range: [2, 0]", "`range` needs two numbers, the smaller first"),
    "range of a state": ("kind: state, on_change: true", "kind: state, range: [0, 1], on_change: true", "`range` is for a measure or a counter"),
    "never reports": ("range: [0, 2], report_interval: 30s", "range: [0, 2]", "say when it reports"),
    "bad report interval": ("report_interval: 1m}", "report_interval: 60}", "`report_interval` needs a duration with its unit"),
    "event without hold": ("kind: event, hold: 30s", "kind: event", "an event needs `hold`"),
    "hold of a state": ("kind: state, on_change: true", "kind: state, hold: 3s, on_change: true", "`hold` is for an event"),
    "enumeration without values": ("kind: enum, values: [auto, manual, off]", "kind: enum", "`values` is missing"),
    "label twice": ("[auto, manual, off]", "[auto, manual, auto]", "`values` says auto twice"),
    "wrap of a measure": ("unit: °C,", "unit: °C, wrap: 9,", "`wrap` is for a counter"),
    "point of an unknown part": ("  burner.flame:", "  buner.flame:", "there is no part kind buner (did you mean burner"),
    "name with a meaning of its own": ("  hours: {", "  self: {", "`self` has a meaning of its own"),
    "name that is no key": ("  hours: {", "  Hours: {", "the name 'Hours' is no key"),
    "point and parameter of one name": ("  pressure_high: {title", "  pressure: {title", "pressure is both a point and a parameter"),
    "default outside its range": ("default: 1.2", "default: 2.2", "`default` 2.2 lies outside `range` [0.5, 1.9]"),
    "default that is no number": ("default: 1.2", "default: high", "`default` needs a number"),
    "optional neither true nor false": ("report_interval: 1m}", "report_interval: 1m, optional: yes}", "`optional` is true or false"),
    "relation to an unknown kind": ("to: [tank]", "to: [tanks]", "relation fed_by leads to tanks, and there is no such kind (did you mean tank"),
    "two rules of one key": ("  - key: flame_out\n", "  - key: pressure_high\n", "rule pressure_high: there are two rules of this key (the first in line"),
    "rule without key": ("  - key: flame_out\n    title", "  - title", "rule: `key` is missing"),
    "for_each of an unknown part": ("for_each: burner", "for_each: burnr", "there is no part kind burnr (did you mean burner"),
    "for_each any in a kind": ("for_each: burner", "for_each: any", "there is no part kind any"),
    "bad duration": ("on_delay: 60s", "on_delay: 60", "`on_delay` needs a duration with its unit, as in 90s"),
    "endless duration": ("on_delay: 60s", "on_delay: 32d", "`on_delay` is longer than 31d"),
    "bad severity": ("severity: critical", "severity: fatal", "`severity` is never fatal; it is one of warning, critical, life_safety"),
    "bad work class": ("for_each: burner\n", "for_each: burner\n    latch: true\n    realarm_after: 0s\n", "`realarm_after` is longer than nothing"),
    "unknown work class": ("    suppress_when: fed_by.level < 10\n    work_class: power", "    work_class: powr", "there is no work class powr (did you mean power"),
    "unknown point": ("when: pressure > pressure_high", "when: presure > pressure_high", "`when`, column 1: there is no point or parameter presure (did you mean pressure"),
    "unknown parameter": ("when: pressure > pressure_high", "when: pressure > pressure_hihg", "column 12: there is no point or parameter pressure_hihg (did you mean pressure_high"),
    "unknown point of a relation": ("fed_by.level < 10", "fed_by.levle < 10", "`suppress_when`, column 1: fed_by has no point or parameter levle (did you mean level"),
    "unknown relation": ("fed_by.level < 10", "feed_by.level < 10", "there is no part or relation feed_by (did you mean fed_by"),
    "unknown label": ("mode == 'auto'", "mode == 'atuo'", "mode is never 'atuo' (did you mean auto"),
    "unknown function": ("when: pressure > pressure_high", "when: maen(pressure, 5m) > pressure_high", "there is no function maen (did you mean mean"),
    "no expression": ("when: pressure > pressure_high", "when: pressure >", "`when`, column 11: expected a value"),
    "no condition": ("when: pressure > pressure_high", "when: pressure", "expected a condition"),
    "units that do not fit": ("when: pressure > pressure_high", "when: temp > pressure_high", "°C and MPa do not go together"),
    "parameter in bar for a point in MPa": ("title: {zh: 高压, en: High pressure}, unit: MPa", "title: {zh: 高压, en: High pressure}, unit: bar", "`when`, column 10: MPa and bar do not go together"),
    "parameter in per cent for a point in MPa": ("title: {zh: 高压, en: High pressure}, unit: MPa", 'title: {zh: 高压, en: High pressure}, unit: "%"', "`when`, column 10: MPa and % do not go together"),
    "unit behind a factor": ("when: pressure > pressure_high", "when: temp > 0.5 * pressure_high", "°C and MPa do not go together"),
    "unit below a division": ("when: pressure > pressure_high", "when: temp > pressure_high / 2", "°C and MPa do not go together"),
    "units in a function of values": ("when: pressure > pressure_high", "when: highest(temp, pressure) > pressure_high", "°C and MPa do not go together"),
    "unit of a window": ("when: pressure > pressure_high", "when: mean(temp, 5m) > pressure_high", "°C and MPa do not go together"),
    "unit of a relation's point": ("fed_by.level < 10", "fed_by.level < pressure_high", "`suppress_when`, column 14: % and MPa do not go together"),
    "figures that never meet": ("when: pressure > pressure_high\n    deadband: 0.05", "when: pressure == 3", "`when`, column 10: this can never be true: the value lies between 0 and 2"),
    "limit above a share of the sensor's range": ("when: pressure > pressure_high", "when: pressure / 2 > pressure_high", "can never be true: the value lies between 0 and 1 and is compared with 1.2"),
    "limit above the sensor's range of a relation": ("fed_by.level < 10", "fed_by.level > 110", "`suppress_when`, column 14: this can never be true: the value lies between 0 and 100"),
    "point that the related kind lacks": ("fed_by.level < 10", "fed_by.pressure < 10", "`suppress_when`, column 1: fed_by has no point or parameter pressure"),
    "self without for_each": ("    for_each: burner\n", "", "`self` needs a rule with for_each"),
    "missing when": ("    when: pressure > pressure_high\n    deadband: 0.05\n", "", "rule pressure_high: `when` is missing"),
    "limit above the sensor's range": ("when: pressure > pressure_high", "when: pressure > pressure_high + 1", "column 10: this can never be true: the value lies between 0 and 2 and is compared with 2.2"),
    "limit below the sensor's range": ("when: pressure > pressure_high", "when: pressure > -1", "this can never be false"),
    "window of a value beyond its range": ("when: pressure > pressure_high", "when: max_over(pressure, 5m) >= 2.1", "can never be true"),
    "highest of values beyond their range": ("when: pressure > pressure_high", "when: highest(pressure, pressure_high) > 2", "can never be true"),
    "deadband beyond the sensor's range": ("deadband: 0.05", "deadband: 1.3", "with this deadband the alarm's end can never be true"),
    "deadband of nothing": ("deadband: 0.05", "deadband: 0", "`deadband` is above 0"),
    "deadband on a compound expression": ("when: pressure > pressure_high", "when: pressure > pressure_high and temp > 20", "`deadband` needs a single comparison"),
    "deadband together with clear_when": ("    deadband: 0.05\n", "    deadband: 0.05\n    clear_when: pressure < 1\n", "`deadband` and `clear_when` both say"),
    "clear_when that never comes": ("    deadband: 0.05\n", "    clear_when: pressure < 0\n", "`clear_when`, column 10: this can never be true"),
    "parts that are a list": ("parts:\n  burner: {", "parts:\n  - {", "`parts` names each part"),
    "not YAML": ("rules:\n", "rules: [\n", "this is not YAML"),
    "text with a hole": ("{zh: 熄火, en: Flame out}", '{zh: "\\0", en: Flame out}', "`zh` contains a character that cannot be stored"),
}  # fmt: skip


FAULTS_THAT_ARE_TWO = {"unknown key of a point", "point and parameter of one name", "parts that are a list"}


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_is_named_and_draws_no_others_behind_it(what: str) -> None:
    old, new, words = FAULTS[what]
    text, _ = changed(old, new)
    found = faults(text)
    assert [each for each in found if words in each], "\n".join(found)
    assert len(found) == 1 or what in FAULTS_THAT_ARE_TWO, "\n".join(found)
    assert all(each.startswith("boiler.yaml:") for each in found)


@pytest.mark.parametrize(
    "what",
    ["bad duration", "unknown point", "event without hold", "label twice", "deadband of nothing", "bad severity"],
)
def test_a_fault_is_told_at_its_own_line(what: str) -> None:
    old, new, _ = FAULTS[what]
    text, line = changed(old, new)
    assert [each.split(": ")[0] for each in faults(text)] == [f"boiler.yaml:{line}"]


def test_a_line_is_told_inside_blocks_that_span_several() -> None:
    text, line = changed("when: pressure > pressure_high", "when: >-\n      pressure\n      > nothing")
    assert faults(text) == [
        f"boiler.yaml:{line}: rule pressure_high: `when`, column 12: there is no point or parameter nothing"
    ]


def test_everything_wrong_in_every_file_is_told_at_once() -> None:
    text = BOILER.replace("on_delay: 60s", "on_delay: soon").replace("self.flame", "self.flam").replace("[0, 2]", "[2]")
    found = faults(text, tank=TANK.replace("default: C", "default: X"))
    assert [each.split(": ")[0] for each in found] == [
        "boiler.yaml:10",
        "boiler.yaml:26",
        "boiler.yaml:36",
        "tank.yaml:3",
    ]


def test_what_is_wrong_with_units_limits_keys_and_relations_is_told_together_each_at_its_line() -> None:
    text = BOILER.replace("unit: MPa, default: 1.2", "unit: bar, default: 1.2").replace(
        "to: [tank]", "to: [tank, moon]"
    )
    text = text.replace("self.flame == 0 and", "self.flame == 0 and temp > 200 and")
    text += text[text.index("  - key: flame_out") :]  # a second rule of one key
    text = text.replace(
        "  burner: {title",
        "  pump: {title: {zh: 泵, en: Pump}}\n  pump: {title: {zh: 泵, en: Pump}}\n  burner: {title",
        1,
    )
    assert faults(text) == [
        "boiler.yaml:9: parts: `pump` stands here a second time (first in line 8); remove one",
        "boiler.yaml:21: the pack: relation fed_by leads to moon, and there is no such kind",
        "boiler.yaml:26: rule pressure_high: `when`, column 10: MPa and bar do not go together",
        "boiler.yaml:38: rule flame_out: `when`, column 26: this can never be true: the value lies between -20 and 150 and is compared with 200; correct the limit, or the range of the point",
        "boiler.yaml:43: rule flame_out: there are two rules of this key (the first in line 35); rename one",
    ]


def test_a_file_that_cannot_be_read_does_not_hide_the_others_faults() -> None:
    found = faults(BOILER.replace("[0, 2]", "[2]"), tank="kind: [tank")
    assert [each.split(": ")[0] for each in found] == ["boiler.yaml:10", "tank.yaml:1"]


def test_the_rules_of_any_may_use_what_every_facility_has() -> None:
    any_pack = "kind: any\ntitle: {zh: 一, en: All}\nrules:\n  - {key: stale, title: {zh: 一, en: S}, for_each: any, when: stale_points > 0, severity: warning, work_class: power, guidance: {means: {zh: 一, en: G}, check: {zh: 一, en: G}, call: {zh: 一, en: G}}, source: t}\n"
    assert read(any=any_pack)[ANY_KIND].rules["stale"].for_each == ANY_KIND
    assert (
        "there is no point or parameter pressure" in faults(BOILER, any=any_pack.replace("stale_points", "pressure"))[0]
    )
    assert "write for_each: any" in faults(BOILER, any=any_pack.replace("for_each: any", "for_each: burner"))[0]
    both = faults(BOILER, any=any_pack.replace("key: stale", "key: flame_out"))
    assert ["has a rule of this key" in each for each in both] == [True]
    with_points = any_pack.replace("rules:", "parameters: {x: {title: {zh: 一, en: X}, default: 1, source: t}}\nrules:")
    assert "the pack `any` has rules only" in faults(BOILER, any=with_points)[0]


def test_the_gateway_pack_has_what_ingest_needs() -> None:
    found = faults(BOILER, gateway="kind: gateway\ntitle: {zh: 网关, en: Gateway}\n")
    assert [word in each for word, each in zip(("silent_after", "online"), found, strict=True)] == [True, True]


# ---------------------------------------------------------------------- files


def test_a_directory_replaces_a_kind_and_adds_others(tmp_path: Path) -> None:
    (tmp_path / "boiler.yaml").write_text(
        BOILER.replace("to: [tank]", "to: [elevator]").replace("fed_by.level < 10", "fed_by.mains_ok == 0")
    )
    replaced = (packs.SHIPPED / "elevator.yaml").read_text(encoding="utf-8").replace("en: Elevator}", "en: Lift}")
    (tmp_path / "elevator.yaml").write_text(replaced, encoding="utf-8")
    loaded = packs.load(tmp_path)
    assert loaded["elevator"].title.en == "Lift"
    assert loaded["boiler"].rules.keys() == {"pressure_high", "flame_out"}
    assert loaded["booster_pump_room"].rules == packs.load(None)["booster_pump_room"].rules


def test_what_cannot_be_read_from_a_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("kind: caf\xe9".encode("latin-1"))
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(PackErrors) as caught:
        packs.load(tmp_path)
    told = {Path(fault.file).name: fault.message for fault in caught.value.faults}
    assert told.keys() == {"latin.yaml", "folder.yaml", "empty.yaml"}
    assert "UTF-8" in told["latin.yaml"]
    assert "cannot be read" in told["folder.yaml"]
    assert "begins with `kind:`" in told["empty.yaml"]


def test_a_missing_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(PackErrors, match="no such directory"):
        packs.load(tmp_path / "nowhere")


# ---------------------------------------------------------------------- any text


@settings(deadline=None)
@given(st.text())
@example("? [a]\n: b")
@example("a: &x [*x]")
@example('a: "\\UFFFFFFFF"')
@example("[" * 1500)
@example("--- a\n--- b")
def test_any_text_loads_or_is_refused(text: str) -> None:
    with pytest.raises(PackErrors):
        packs.read({"boiler.yaml": text})


WORDS = st.sampled_from(
    [
        "{",
        "}",
        "[",
        "]",
        ": ",
        "- ",
        "\n",
        "\n  ",
        "x",
        "0",
        "null",
        '"',
        "*a",
        "&a ",
        "!!int ",
        "self.flame",
        "<",
        "deadband",
    ]
)


@settings(deadline=None)
@given(st.integers(0, len(BOILER)), st.integers(0, 30), st.lists(WORDS, max_size=4))
def test_any_damage_to_a_pack_loads_or_is_refused(at: int, cut: int, put: list[str]) -> None:
    damaged = BOILER[:at] + "".join(put) + BOILER[at + cut :]
    try:
        loaded = read(damaged)
    except PackErrors as error:
        assert all(fault.line >= 1 and fault.message for fault in error.faults)
    else:
        assert isinstance(loaded["boiler"], Pack)
