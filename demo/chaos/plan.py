"""What will be done to the service, and when: drawn from a seed, so that a run that found something can be had again. Pure."""

import random
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A way to hurt. The first word is what is hurt: of one thing only one strike is under way at a time."""

    INGEST_KILL = "ingest kill"  # kill -9, started again after the hold
    INGEST_STOP = "ingest stop"  # SIGTERM: what it holds must be judged
    INGEST_FREEZE = "ingest freeze"  # a machine that was suspended: connections stay and nothing answers
    INGEST_CLOCK = "ingest clock"  # kill -9, started again with another idea of what time it is
    INGEST_RIVAL = "ingest rival"  # a second worker for the same sites: must be refused
    DATABASE_KILL = "database kill"
    BROKER_KILL = "broker kill"
    BROKER_STOP = "broker stop"
    DISK_FULL = "disk full"
    LISTENING_CUT = "listening cut"  # the cable between broker and ingest
    LISTENING_DEAF = "listening deaf"
    LISTENING_SLOW = "listening slow"
    WRITING_CUT = "writing cut"  # the cable between ingest and database
    WRITING_DEAF = "writing deaf"
    WRITING_SLOW = "writing slow"
    SPEAKING_CUT = "speaking cut"  # the cable between the devices and the broker
    SPEAKING_DEAF = "speaking deaf"
    DEVICE_AWAY = "device away"  # stores, and sends it in lists when it is back
    DEVICE_CLOCK = "device clock"
    DEVICE_REPEAT = "device repeat"  # says again what it said
    DEVICE_POISON = "device poison"
    DEVICE_BURST = "device burst"
    RULES_CHANGE = "rules change"  # somebody sets a parameter: the site is loaded again

    @property
    def target(self) -> str:
        return self.split(" ", maxsplit=1)[0]


@dataclass(frozen=True, slots=True)
class Strike:
    at_s: float  # after the beginning
    kind: Kind
    hold_s: float
    amount: float  # 0..1: how much, and of several things which

    def __str__(self) -> str:
        return f"{self.at_s:7.2f} s  {self.kind:<15} hold {self.hold_s:4.2f} s, amount {self.amount:.3f}"


_FIRST_S = 1.0
_PAUSE_S = (0.3, 2.5)
_HOLD_S = {
    Kind.INGEST_KILL: (0.0, 3.0),
    Kind.INGEST_STOP: (0.0, 1.5),
    Kind.INGEST_FREEZE: (0.5, 4.0),
    Kind.INGEST_CLOCK: (0.0, 0.5),
    Kind.DATABASE_KILL: (0.0, 3.0),
    Kind.BROKER_KILL: (0.0, 3.0),
    Kind.BROKER_STOP: (0.0, 2.0),
    Kind.DISK_FULL: (2.0, 5.0),
}
_HOLD_OTHERS_S = (0.5, 4.0)


def draw(seed: int, seconds: float, kinds: Collection[Kind]) -> list[Strike]:
    """Strikes until the seconds are over. All kinds are dealt, shuffled, before any comes again: a short run is as
    manifold as it can be. The same seed, seconds and kinds give the same strikes.
    """
    chance = random.Random(seed)  # noqa: S311 - a plan that can be had again, no secret
    deck: list[Kind] = []
    strikes: list[Strike] = []
    at_s = _FIRST_S
    while at_s < seconds:
        if not deck:
            deck = sorted(kinds)
            chance.shuffle(deck)
        kind = deck.pop()
        hold_s = chance.uniform(*_HOLD_S.get(kind, _HOLD_OTHERS_S))
        strikes.append(Strike(round(at_s, 2), kind, round(hold_s, 2), round(chance.random(), 3)))
        at_s += chance.uniform(*_PAUSE_S)
    return strikes
