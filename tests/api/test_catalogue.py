"""Every key a person may see has its words in both languages, and there are no words for what does not exist."""

import json
import re
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from api import catalogue
from api.catalogue import CATALOGUE
from api.health import CheckResult, ServiceState
from api.rights import Right, Role
from estate import wording
from ingest import wire
from inspection.checklist import Period
from inspection.codes import Misread
from inspection.due import DueState, WindowState
from inspection.expiry import Expiry
from inspection.judging import Outcome
from inspection.pictures import Fault
from inspection.plausibility import Reason, Verdict
from ledger.certificates import CertificateKind, CertificateMove
from ledger.expiring import Interval
from ledger.fitness_lifecycle import FitnessMove, FitnessState
from ledger.lifecycle import (
    WORK_ORDER_EVENTS,
    ConditionMove,
    ConditionState,
    ShownState,
    WorkOrderClock,
    WorkOrderMove,
    WorkOrderState,
)
from ledger.place_photos import PlacePhotoMove
from ledger.public_reports import PublicProblem
from ledger.records import ConditionReason, Grade, PermitKind, PointKind, Priority, Severity
from ledger.round_lifecycle import RoundMove, RoundState
from ledger.signatures import Part
from ledger.tags import TagMove
from rules import response, yaml_loader
from rules.response import OrderReason, PriorityReason
from rules.response_table import Target
from tests.shipped import PACKS

SECTIONS: dict[str, type[Enum]] = {
    "grade": Grade,
    "severity": Severity,
    "priority": Priority,
    "condition_state": ConditionState,
    "shown_state": ShownState,
    "condition_move": ConditionMove,
    "priority_reason": PriorityReason,
    "work_order_state": WorkOrderState,
    "work_order_clock": WorkOrderClock,
    "point_kind": PointKind,
    "permit_kind": PermitKind,
    "quarantine_reason": wire.Reason,
    "check_result": CheckResult,
    "service_state": ServiceState,
    "contract_target": Target,
    "role": Role,
    "right": Right,
    "expiry": Expiry,
    "expiry_interval": Interval,
    "certificate_kind": CertificateKind,
    "certificate_move": CertificateMove,
    "place_photo_move": PlacePhotoMove,
    "tag_move": TagMove,
    "public_problem": PublicProblem,
    "check_period": Period,
    "visit_outcome": Outcome,
    "fitness_state": FitnessState,
    "fitness_move": FitnessMove,
    "visit_verdict": Verdict,
    "visit_reason": Reason,
    "due_state": DueState,
    "window_state": WindowState,
    "round_state": RoundState,
    "round_move": RoundMove,
    "signature_part": Part,
    "code_misread": Misread,
    "picture_fault": Fault,
}
# Enumerations, and what is said beside them without one.
SECTIONS_AND_MORE: dict[str, tuple[type[Enum], set[str]]] = {
    "condition_reason": (ConditionReason, {"historical"}),
    "work_order_move": (WorkOrderMove, {"open", *WORK_ORDER_EVENTS}),
    "order_reason": (
        OrderReason,
        {
            "inspection_finding",
            "public_report",
            "by_hand",
            "person",
            "reopened",
            "alarm_cleared",
            *(f"{clock.value}_missed" for clock in WorkOrderClock),
        },
    ),
}


@pytest.mark.parametrize("section", list(SECTIONS))
def test_every_value_of_the_enumeration_has_its_words(section: str) -> None:
    assert set(CATALOGUE.sections[section]) == {each.value for each in SECTIONS[section]}


@pytest.mark.parametrize("section", list(SECTIONS_AND_MORE))
def test_and_so_has_what_is_said_beside_it(section: str) -> None:
    enumeration, more = SECTIONS_AND_MORE[section]
    assert set(CATALOGUE.sections[section]) == {each.value for each in enumeration} | more


def test_every_work_class_of_the_packs_has_its_words() -> None:
    used = {rule.work_class for pack in PACKS.values() for rule in pack.rules.values()}
    assert set(CATALOGUE.sections["work_class"]) >= used


def test_every_event_class_of_the_contracts_has_its_words() -> None:
    used = {key for profile in response.load().profiles.values() for key in profile.classes}
    assert set(CATALOGUE.sections["event_class"]) == used


def test_every_label_of_the_packs_points_has_its_words() -> None:
    points = [point for pack in PACKS.values() for point in pack.points.values()]
    labels = {label for point in points for label in point.values}
    said = set(CATALOGUE.sections["point_label"])
    assert {each for each in said if "." not in each} == labels
    assert {each for each in said if "." in each} <= {
        f"{point.key.rpartition('.')[2]}.{label}" for point in points for label in point.values
    }
    assert said >= {"breaker_state.open", "breaker_state.closed"}, "a breaker that is closed carries current"


def members(schema: dict[str, Any], schemas: dict[str, Any]) -> set[str]:
    """Of a body, and of what is in it."""
    found = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    parts = [*found.get("anyOf", ()), *([found["items"]] if "items" in found else ())]
    named = found.get("properties", {})
    return set(named).union(*(members(each, schemas) for each in [*parts, *named.values()]))


def test_what_the_audit_log_says_has_its_words() -> None:
    described: Any = json.loads((Path(catalogue.__file__).parents[1] / "openapi.json").read_text(encoding="utf-8"))
    writing = [
        operation for path in described["paths"].values() for method, operation in path.items() if method != "get"
    ]
    assert set(CATALOGUE.sections["operation"]) == {each["operationId"] for each in writing} | {"report_problem"}
    schemas = described["components"]["schemas"]
    bodies = [
        body["schema"]
        for each in writing
        for kind, body in each.get("requestBody", {"content": {}})["content"].items()
        if kind == "application/json"
    ]
    asked = set[str]().union(*(members(each, schemas) for each in bodies)) - {"password", "new_password"}
    beside = {"after", "before", "beginning", "body", "bytes", "identity", "media_type", "sha256", "way", "work_order"}
    former = {"changes", "more_changes", "particulars", *wording.FIELDS}  # of what an import changed
    assert set(CATALOGUE.sections["asked"]) == asked | beside | former


def test_the_words_are_chinese_and_english() -> None:
    for section, entries in CATALOGUE.sections.items():
        for key, words in entries.items():
            assert re.search(r"[\u4e00-\u9fff]", words.zh), (section, key)
            assert re.fullmatch(r"[\x20-\x7e]+", words.en), (section, key)


def test_no_words_end_at_a_comma() -> None:
    """YAML takes what follows a comma without quotes for a key of its own, and the sentence is cut there."""
    document: Any = yaml_loader.load(catalogue.FILE.read_text(encoding="utf-8"))
    cut = [(section, key) for section, found in document.items() for key, words in found.items() if len(words) != 2]
    assert cut == []


def test_a_key_nobody_has_words_for_stands_for_itself() -> None:
    assert CATALOGUE.text("grade", "D").zh == "D"
    assert catalogue.load().sections == CATALOGUE.sections
