"""How soon a piece ends: the steps at 60, 30 and 7 days, and its last day."""

from datetime import date, timedelta

import pytest

from inspection.expiry import Expiry, expiry, fire_kinds
from tests.shipped import BOOK

TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("left", "step"),
    [
        (-1, Expiry.ENDED),
        (0, Expiry.WITHIN_7_DAYS),
        (7, Expiry.WITHIN_7_DAYS),
        (8, Expiry.WITHIN_30_DAYS),
        (30, Expiry.WITHIN_30_DAYS),
        (31, Expiry.WITHIN_60_DAYS),
        (60, Expiry.WITHIN_60_DAYS),
        (61, Expiry.LATER),
    ],
)
def test_somebody_is_told_in_steps(left: int, step: Expiry) -> None:
    assert expiry(TODAY + timedelta(days=left), TODAY) is step


def test_fire_equipment_is_what_hangs_there_and_no_machine_room() -> None:
    kinds = fire_kinds(BOOK)
    assert {"extinguisher", "indoor_hydrant", "emergency_light", "smoke_detector", "fire_alarm_control_unit"} < kinds
    assert not kinds & {"fire_pump_room", "booster_pump_room", "elevator", "escape_stair"}
