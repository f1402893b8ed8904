"""How soon a piece ends: the steps at 60, 30 and 7 days, and its last day."""

from datetime import date, timedelta

import pytest

from inspection.expiry import Expiry, expiry

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
