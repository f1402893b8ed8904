"""What one guard does on one round: every scan with its time, its answers, its photos, and what has to be said of it.

Pure and from the seed alone. An honest shift is drawn here; `simulators.guards.cheats` makes of it what a cheat would.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from simulators.guards.route import DWELL_S, LEG_S, Route, Stop

_FAULTY_ONE_IN = 15
_PHOTO_ONE_IN = 4
_UNDERGROUND_ONE_IN = 5


class Network(StrEnum):
    """How what lies on the phone gets out."""

    ONLINE = "online"  # each visit as it is made
    CELLAR = "cellar"  # all at the end
    PATCHY = "patchy"  # some at a time, and the answer is lost now and then: the same is sent again
    JUMBLED = "jumbled"  # the middle of the round comes last: it was refused room the first time


@dataclass(frozen=True, slots=True)
class Shot:
    """A photo: which scene it shows, and how often it was squeezed since. `before`: it is uploaded before its visit."""

    scene: int
    squeezed: int
    item: str | None
    before: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """True times. `must`: the reasons it has to be marked with; empty: it is honest, and no mark may be on it."""

    id: UUID
    stop: Stop  # where it has to be kept
    said: str | None
    expected: str
    means: str
    scanned_at: datetime
    finished_at: datetime
    failed: Sequence[str]
    shots: Sequence[Shot]
    position: tuple[float, float] | None
    phone: str
    version: int
    round_of: str  # the guard whose round it claims to be of
    must: frozenset[str] = frozenset()
    retold: bool = False  # afterwards sent again under its id with other answers


@dataclass(frozen=True, slots=True)
class Shift:
    """One guard, one round."""

    guard: str
    phone: str
    cheat: str | None
    network: Network
    clock_error: timedelta
    visits: Sequence[Visit] = field(default_factory=tuple[Visit, ...])

    def with_visits(self, visits: Sequence[Visit]) -> "Shift":
        return replace(self, visits=tuple(visits))


def honest(
    dice: random.Random,
    route: Route,
    guard: str,
    begin: datetime,
    *,
    haste: float,
    network: Network,
    always_located: bool = False,
) -> Shift:
    """`haste` 1: as quick as nobody should be doubted for; 0: with all the time of the world."""
    phone = f"phone-{dice.getrandbits(40):010x}"
    at = begin
    made: list[Visit] = []
    for stop in route.stops:
        look = timedelta(seconds=DWELL_S + 1 + (1 - haste) * dice.uniform(5, 40))
        visit = _visit(dice, stop, guard, phone, at, look)
        if always_located or dice.randrange(_UNDERGROUND_ONE_IN):
            visit = replace(visit, position=_seen(dice, stop.place))
        made.append(visit)
        walk = timedelta(seconds=LEG_S + 1 + (1 - haste) * dice.uniform(5, 60))
        at += look + walk
    clock_error = timedelta(seconds=dice.uniform(-45, 45))
    return Shift(guard, phone, None, network, clock_error, tuple(made))


def _visit(dice: random.Random, stop: Stop, guard: str, phone: str, at: datetime, look: timedelta) -> Visit:
    failed = [dice.choice(stop.checks)] if stop.checks and dice.randrange(_FAULTY_ONE_IN) == 0 else []
    wanted = [*stop.photos, *failed]
    if not wanted and dice.randrange(_PHOTO_ONE_IN) == 0:
        wanted = [stop.checks[0]]
    shots = [Shot(dice.getrandbits(48), 0, each, dice.random() < 0.5) for each in dict.fromkeys(wanted)]
    return Visit(
        id=UUID(int=dice.getrandbits(128), version=4),
        stop=stop,
        said=stop.tag,
        expected=stop.facility,
        means="camera",
        scanned_at=at,
        finished_at=at + look,
        failed=failed,
        shots=shots,
        position=None,
        phone=phone,
        version=stop.version,
        round_of=guard,
    )


def _seen(dice: random.Random, place: tuple[float, float]) -> tuple[float, float]:
    """As a phone tells it: some ten metres off."""
    return place[0] + dice.gauss(0, 1e-4), place[1] + dice.gauss(0, 1e-4)
