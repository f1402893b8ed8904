"""Where the guards walk: the stops of one route as the service tells them, and what hangs on the walls there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

STOPS = 12  # fewer than eleven could not be scanned too many to a minute
LEG_S = 20  # of every plan that is made here: nobody walks from stop to stop in less
DWELL_S = 5
_METRES_APART = 22.0
_METRES_OF_A_DEGREE = 111_195.0


@dataclass(frozen=True, slots=True)
class Stop:
    """`checks`: its compulsory items, all answered yes where nothing is wrong. `photos`: items to be photographed today."""

    facility: str
    tag: str  # what its code says to a camera
    checklist: str
    version: int
    checks: Sequence[str]
    others: Mapping[str, float | str]  # compulsory items that are no yes or no, with an answer that is in order
    photos: Sequence[str]
    place: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Route:
    """One window, the same stops for everybody. `beyond`: a facility with a tag that is not on it."""

    site: str
    window_from: datetime
    window_until: datetime
    stops: Sequence[Stop]
    beyond: Stop
    retired_tag: str  # hung at the first stop, and was replaced
    foreign_tag: str  # of another site


def place_of(number: int) -> tuple[float, float]:
    """Stops stand in a line to the north."""
    return 31.2 + number * _METRES_APART / _METRES_OF_A_DEGREE, 121.5
