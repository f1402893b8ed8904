"""What the simulators reckon of an alarm's priority and order agrees with the response table, which they do not read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rules import response_table
from simulators.scene import PRIORITIES, with_orders
from simulators.truth import Declared, Demand, Priority, Severity, Window

START = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)


def declared(severity: Severity, priority: Priority, from_s: float, to_s: float | None, **other: object) -> Declared:
    """Stands from `from_s` to `to_s`, each with twenty seconds of tolerance."""
    returned = None if to_s is None else Window.after(START + timedelta(seconds=to_s), 0, 20)
    raised = Window.after(START + timedelta(seconds=from_s), 0, 20)
    one = Declared(Demand.MUST, "f", "s", "room", None, "r", "power", raised, returned, severity, priority)
    return replace(one, **other)


def orders(*of: Declared) -> list[bool | None]:
    return [one.work_order for one in with_orders(of)]


def test_priorities_are_those_of_the_response_table() -> None:
    grading = response_table.load().grading
    assert {(str(severity), str(grade)): str(row.priority) for (severity, grade), row in grading.items()} == PRIORITIES


@pytest.mark.parametrize(
    ("severity", "priority", "lasts_s", "order"),
    [
        ("life_safety", "urgent", 10, True),
        ("critical", "high", 10, True),
        ("critical", "medium", 300, False),
        ("critical", "medium", 900, True),
        ("warning", "medium", 300, False),
        ("warning", "medium", 600, None),  # the windows leave it open
        ("warning", "medium", 900, True),
        ("warning", "medium", None, None),
        ("warning", "low", 900, None),  # waits for a round
    ],
)
def test_orders_by_severity_and_time(
    severity: Severity, priority: Priority, lasts_s: float | None, order: bool | None
) -> None:
    assert orders(declared(severity, priority, 0, lasts_s)) == [order]


def test_a_warning_joins_the_order_its_facility_has_for_the_same_work() -> None:
    first, second = declared("critical", "high", 0, 100), declared("warning", "medium", 200, 300)
    assert orders(first, second) == [True, True]
    assert orders(first, replace(second, work_class="fire")) == [True, False]
    assert orders(first, replace(second, facility="other")) == [True, False]
    assert orders(first, replace(second, raised=first.raised)) == [True, None]  # which came first is not known


def test_what_was_over_before_it_came_has_no_order() -> None:
    assert orders(declared("critical", "high", 0, 100, historical=True)) == [False]
