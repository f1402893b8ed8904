"""How soon a piece of equipment ends, in the steps at which somebody is told: 60, 30 and 7 days ahead. Pure."""

from datetime import date, timedelta
from enum import StrEnum

LOOK_AHEAD_DAYS_MAX = 366


class Expiry(StrEnum):
    ENDED = "ended"
    WITHIN_7_DAYS = "within_7_days"
    WITHIN_30_DAYS = "within_30_days"
    WITHIN_60_DAYS = "within_60_days"
    LATER = "later"


_STEPS = ((7, Expiry.WITHIN_7_DAYS), (30, Expiry.WITHIN_30_DAYS), (60, Expiry.WITHIN_60_DAYS))


def expiry(ends_on: date, today: date) -> Expiry:
    """On its last day a piece may still be used."""
    if ends_on < today:
        return Expiry.ENDED
    left = ends_on - today
    return next((step for days, step in _STEPS if left <= timedelta(days=days)), Expiry.LATER)
