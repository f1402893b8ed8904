"""The auditor names every kind of difference, and nothing where there is none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulators.auditor import Findings, compare, read_truth
from simulators.truth import Declared, Demand, Happened, Truth, Window

START = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


BURST = Declared(
    demand=Demand.MUST,
    fault="burst_main",
    site="garden",
    facility="booster",
    part=None,
    rule="outlet_pressure_very_low",
    work_class="water_supply",
    raised=Window(at(60), at(90)),
    returned=Window(at(300), at(330)),
    severity="critical",
    priority="high",
    work_order=True,
    historical=False,
)
BELOW = replace(
    BURST,
    demand=Demand.MAY,
    rule="outlet_pressure_low",
    returned=None,
    severity="warning",
    work_order=None,
    historical=None,
    rung=False,
)
NEVER = replace(BURST, demand=Demand.MUST_NOT, rule="no_pump_running", raised=Window(at(0), at(400)))
PUMP = replace(BURST, part="pump_1", rule="pump_fault", raised=Window(at(500), at(510)), returned=None, work_order=None)


def truth(*declared: Declared) -> Truth:
    happened = Happened("burst_main", "garden", "booster", None, at(0), at(290))
    return Truth(7, 60.0, START, at(1000), declared or (BURST, BELOW, NEVER), (happened,))


def alarm(**other: object) -> dict[str, object]:
    row: dict[str, object] = {
        "id": 1,
        "site_key": "garden",
        "facility_key": "booster",
        "part_key": None,
        "rule_key": "outlet_pressure_very_low",
        "severity": "critical",
        "priority": "high",
        "began_at": at(70).isoformat(),
        "raised_at": at(71).isoformat(),
        "rang_at": at(72).isoformat(),
        "returned_at": at(310).isoformat().replace("+00:00", "Z"),
        "ended_at": None,
        "late": False,
        "historical": False,
        "work_order_ids": [4],
    }
    return row | other


ORDERS: list[dict[str, object]] = [{"id": 4}]


def judged(*alarms: dict[str, object], of: Truth | None = None) -> Findings:
    return compare(of or truth(), alarms, ORDERS)


def test_what_was_declared_and_found_is_no_difference() -> None:
    findings = judged(alarm(), alarm(rule_key="outlet_pressure_low", rang_at=None))
    assert findings.clean
    assert judged(alarm()).clean  # what may be need not be


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"began_at": at(200).isoformat()}, "must raise it 02:01:00 to 02:01:30, raised at 02:03:20 instead"),
        ({"severity": "warning"}, "severity is warning, must be critical"),
        ({"priority": "medium"}, "priority is medium, must be high"),
        ({"historical": True}, "historical is True, must be False"),
        ({"returned_at": None}, "still stands, must return 02:05:00 to 02:05:30"),
        ({"returned_at": at(200).isoformat()}, "returned at 02:03:20, must return 02:05:00 to 02:05:30"),
        ({"work_order_ids": []}, "no work order, must have one"),
        ({"work_order_ids": [4, 5]}, "names work order 5, which does not exist"),
    ],
)
def test_a_difference_is_named(found: dict[str, object], said: str) -> None:
    findings = judged(alarm(**found))
    assert len(findings.missing) == 1
    assert findings.missing[0].startswith("garden/booster outlet_pressure_very_low: burst_main")
    assert said in findings.missing[0]
    assert findings.unexpected == []


def test_an_alarm_that_never_came_is_missing() -> None:
    (missing,) = judged().missing
    assert missing == (
        "garden/booster outlet_pressure_very_low: burst_main must raise it 02:01:00 to 02:01:30, never raised"
    )


def test_an_order_nobody_asked_for_is_a_difference() -> None:
    of = truth(replace(BURST, work_order=False))
    (missing,) = judged(alarm(), of=of).missing
    assert "has work order 4, must have none" in missing


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"rule_key": "flood"}, "garden/booster flood: raised at 02:01:10, critical, high: nobody declared it"),
        ({"part_key": "pump_1"}, "garden/booster pump_1 outlet_pressure_very_low: raised at 02:01:10"),
        ({"rule_key": "no_pump_running"}, "burst_main must not raise it"),
        ({"rule_key": "outlet_pressure_low", "began_at": at(700).isoformat()}, "nobody declared it"),
        ({"rule_key": "outlet_pressure_low"}, "it rang, and must stay silent below what burst_main raises"),
        ({"began_at": at(700).isoformat()}, "declared, but not for then"),
        ({"site_key": "harbour"}, "harbour/booster outlet_pressure_very_low"),
    ],
)
def test_an_alarm_nobody_declared_is_unexpected(found: dict[str, object], said: str) -> None:
    findings = judged(alarm(), alarm(**found))
    assert findings.missing == []
    (unexpected,) = findings.unexpected
    assert said in unexpected


def test_the_same_alarm_twice_is_one_too_many() -> None:
    (unexpected,) = judged(alarm(), alarm(id=2, began_at=at(75).isoformat())).unexpected
    assert "declared, but not for then" in unexpected


def test_a_second_occurrence_of_a_standing_alarm_answers_a_second_fault() -> None:
    again = replace(BURST, raised=Window(at(500), at(530)), returned=Window(at(700), at(730)))
    of = truth(BURST, again)
    returned = at(710).isoformat()
    assert judged(alarm(occurrences=2, returned_at=returned), of=of).clean
    assert len(judged(alarm(occurrences=1, returned_at=returned), of=of).missing) == 2
    assert len(judged(alarm(occurrences=2), of=of).missing) == 1


def test_what_is_outside_the_run_is_none_of_its_business() -> None:
    before, after = alarm(rule_key="flood", began_at=at(-5).isoformat()), alarm(began_at=at(1001).isoformat())
    assert judged(alarm(), before, after).clean


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without zone"):
        judged(alarm(began_at="2026-11-02T02:01:10"))


def test_the_truth_survives_its_file(tmp_path: Path) -> None:
    of = truth(BURST, BELOW, NEVER, PUMP)
    of.write(tmp_path / "truth.json")
    assert read_truth(tmp_path / "truth.json") == of
