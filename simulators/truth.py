"""What really happened in a run: the alarms its faults declare, with windows, and what was published. JSON.

Times are device times, the times in which rules run. The auditor compares this with what the service says.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal

import msgspec

Severity = Literal["warning", "critical", "life_safety"]
Priority = Literal["low", "medium", "high", "urgent"]


class Demand(StrEnum):
    MUST = "must"
    MAY = "may"  # allowed in the window, not asked for
    MUST_NOT = "must_not"  # says aloud what silence would mean as well: nothing may be raised that nobody declared


@dataclass(frozen=True, slots=True)
class Window:
    """From and until, both included."""

    from_at: datetime
    to_at: datetime

    @classmethod
    def after(cls, moment: datetime, from_s: float, to_s: float) -> "Window":
        return cls(moment + timedelta(seconds=from_s), moment + timedelta(seconds=to_s))

    def __contains__(self, moment: datetime) -> bool:
        return self.from_at <= moment <= self.to_at

    def __str__(self) -> str:
        return f"{_shown(self.from_at)} to {_shown(self.to_at)}"


@dataclass(frozen=True, slots=True)
class Declared:
    """An alarm that a fault must, may or must not cause. None where nothing is promised.

    `raised`: when its condition becomes an alarm. `returned`: when its process is back to normal.
    """

    demand: Demand
    fault: str
    site: str
    facility: str
    part: str | None
    rule: str
    work_class: str
    raised: Window
    returned: Window | None = None
    severity: Severity | None = None
    priority: Priority | None = None
    work_order: bool | None = None
    historical: bool | None = None
    rung: bool | None = None  # whether anybody was told; False of what lies below another alarm

    def __str__(self) -> str:
        part = f" {self.part}" if self.part else ""
        return f"{self.site}/{self.facility}{part} {self.rule}"


@dataclass(frozen=True, slots=True)
class Happened:
    """One fault as it was really brought about."""

    fault: str
    site: str
    target: str  # the facility or the gateway
    part: str | None
    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Traffic:
    """Telemetry of the whole fleet. Publishes and messages differ: a list from a store is one publish."""

    publishes_sent: int = 0
    publishes_acknowledged: int = 0
    publishes_repeated: int = 0
    publishes_resent: int = 0
    publishes_lost: int = 0
    messages: int = 0  # distinct ones that the broker has acknowledged
    values: int = 0
    values_repeated: int = 0
    messages_dropped: int = 0  # by full stores
    statuses: int = 0  # of gateways, acknowledged, and the broker's own: last wills


@dataclass(frozen=True, slots=True)
class Truth:
    """The whole run."""

    seed: int
    speed: float
    started_at: datetime
    ended_at: datetime
    declared: tuple[Declared, ...]
    happened: tuple[Happened, ...]
    traffic: Traffic = field(default_factory=Traffic)

    @property
    def published(self) -> int:
        """How many PUBLISH packets, at least, whoever listens must have received."""
        return self.traffic.publishes_acknowledged + self.traffic.statuses

    def write(self, path: Path) -> None:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1))


def read_truth(path: Path) -> Truth:
    """What `Truth.write` wrote."""
    return msgspec.json.decode(path.read_bytes(), type=Truth)


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%H:%M:%S")
