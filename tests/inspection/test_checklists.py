"""The checklists that ship are whole and in both languages; one with a fault says file, line and reason."""

from pathlib import Path

import pytest

from estate import types
from inspection import checklist_reading, judging
from inspection.checklist import Item, PhotoNeed, wants_photo
from inspection.checklist_reading import ChecklistErrors
from inspection.judging import Outcome
from ledger.records import Severity
from tests.shipped import BOOK, PACKS

ASKED_FOR = {
    "extinguisher", "indoor_hydrant", "outdoor_hydrant", "fire_department_connection", "smoke_detector", "heat_detector",
    "manual_call_point", "emergency_light", "exit_sign", "fire_door", "fire_shutter", "fire_lane", "escape_stair",
    "fire_pump_room", "booster_pump_room", "distribution_room", "elevator", "fire_control_room",
}  # fmt: skip
GOOD = """\
kind: fire_door
version: 1
title: {zh: 防火门, en: Fire door}
work_class: fire
every: {usual: month, source: x}
source: x
items:
  closes: {ask: {zh: 关, en: Closes}, answer: check, severity: critical}
"""


def every_item(items: tuple[Item, ...]) -> list[Item]:
    return [each for item in items for each in (item, *every_item(item.follow_up))]


def test_every_kind_that_is_asked_for_has_one() -> None:
    assert {each.kind for each in BOOK.all_current()} >= ASKED_FOR


def test_they_are_of_kinds_and_types_that_exist() -> None:
    kinds, known = PACKS, types.shipped()
    for checklist in BOOK.versions.values():
        assert checklist.kind in kinds
        for item in every_item(checklist.items):
            assert all(known[each].kind == checklist.kind for each in item.types), (checklist.kind, item.key)


def test_every_extinguisher_is_asked_for_its_charge_in_its_own_way() -> None:
    found = BOOK.current("extinguisher")
    assert found is not None
    asked = {
        each.key: {item.key for item in found.asked_of(each.key)} & {"pressure_green", "weight_loss"}
        for each in types.shipped().values()
        if each.kind == "extinguisher"
    }
    assert all(len(each) == 1 for each in asked.values()), asked
    assert asked["extinguisher_co2"] == {"weight_loss"}


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (("answer: check", "answer: chek"), 8, "check"),
        (("severity: critical", "severity: bad"), 8, "life_safety"),
        (("severity: critical}", "severity: critical, low: 3}"), 8, "only a reading"),
        (("answer: check, severity: critical}", "answer: reading, severity: critical, unit: MPa}"), 8, "never fail"),
        (("answer: check, severity: critical}", "answer: choice, severity: warning, choices: {a: {zh: 甲, en: A}}}"), 8, "two"),
        (("work_class: fire", "work_class: fyre"), 4, "work_class"),
        (("usual: month", "usual: fortnight"), 5, "half_month"),
        (("version: 1", "version: 2"), 1, "rename"),
        (("answer: check,", "answer: check, surprise: 1,"), 8, "surprise"),
        (("zh: 关, ", ""), 8, "zh"),
        (("items:", "items: {"), 9, "YAML"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_file_line_and_reason(
    tmp_path: Path, change: tuple[str, str], line: int, said: str
) -> None:
    assert change[0] in GOOD
    (tmp_path / "fire_door.1.yaml").write_text(GOOD.replace(*change), encoding="utf-8")
    with pytest.raises(ChecklistErrors) as raised:
        checklist_reading.load(tmp_path)
    assert any(
        fault.file == "fire_door.1.yaml" and fault.line == line and said in fault.message
        for fault in raised.value.faults
    ), raised.value


def test_a_version_that_was_in_force_may_not_go(tmp_path: Path) -> None:
    (tmp_path / "fire_door.2.yaml").write_text(GOOD.replace("version: 1", "version: 2"), encoding="utf-8")
    with pytest.raises(ChecklistErrors, match=r"keep fire_door\.1\.yaml"):
        checklist_reading.load(tmp_path)
    (tmp_path / "fire_door.1.yaml").write_text(GOOD, encoding="utf-8")
    book = checklist_reading.load(tmp_path)
    newest = book.current("fire_door")
    assert newest is not None
    assert newest.version == 2
    assert book.find("fire_door", 1) is not None


def judged(answers: judging.Answers, photos: frozenset[str] = frozenset(), draw: str = "x") -> judging.Finding:
    checklist = BOOK.current("fire_pump_room")
    assert checklist is not None
    return judging.judge(checklist, None, answers, photos=photos, draw=draw)


WELL: judging.Answers = {
    **dict.fromkeys(("auto", "power", "valves", "tank_level", "leaks", "lighting_phone", "clear"), True),
    "outlet_pressure": 0.9,
}
PHOTOS = frozenset({"auto", "outlet_pressure", "power", "tank_level"})


def test_what_is_answered_well_is_in_order() -> None:
    assert judged(WELL, PHOTOS).outcome is Outcome.IN_ORDER


def test_the_worst_that_failed_counts_and_asks_what_follows() -> None:
    found = judged({**WELL, "auto": False, "leaks": False, "outlet_pressure": 0.02}, PHOTOS)
    assert [each.item.key for each in found.failures] == ["auto", "outlet_pressure", "leaks"]
    assert found.severity is Severity.LIFE_SAFETY
    assert "why_manual" in found.missing


def test_what_is_missing_or_of_the_wrong_kind_leaves_it_unfinished() -> None:
    found = judged({**WELL, "outlet_pressure": "0.9", "power": 1.0, "nobody_asked": True}, PHOTOS)
    assert found.outcome is Outcome.UNFINISHED
    assert set(found.missing) == {"outlet_pressure", "power"}
    assert found.unknown == ("nobody_asked",)
    assert judged({}).outcome is Outcome.UNFINISHED


def test_a_random_photo_is_asked_for_now_and_then_and_the_same_all_day() -> None:
    checklist = BOOK.current("fire_door")
    assert checklist is not None
    item = checklist.items[0]
    assert item.photo is PhotoNeed.RANDOM
    drawn = [wants_photo(item, failed=False, draw=f"door-{n}/2026-03-01") for n in range(800)]
    assert 60 <= sum(drawn) <= 140  # one in eight; three and a half deviations
    assert drawn == [wants_photo(item, failed=False, draw=f"door-{n}/2026-03-01") for n in range(800)]
    assert wants_photo(item, failed=True, draw="any")
