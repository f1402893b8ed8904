"""What a question is answered with: figures, each with its unit and the target it is held against."""

from dataclasses import dataclass
from enum import StrEnum


class Goal(StrEnum):
    """Which way a figure is to go."""

    AT_LEAST = ">="
    AT_MOST = "<="


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report. `value` None: it could not be had, and `note` says why."""

    name: str  # 'end_to_end.messages': the question, then what of it
    value: float | None
    unit: str
    goal: Goal | None = None  # None: told for its own sake, or a limit of somebody else's
    target: float | None = None
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """None: nothing was asked of it. A figure that could not be had has not reached its target."""
        if self.goal is None or self.target is None:
            return None
        if self.value is None:
            return False
        return self.value >= self.target if self.goal is Goal.AT_LEAST else self.value <= self.target


def missing(name: str, unit: str, why: str) -> Figure:
    return Figure(name, None, unit, note=why)
