"""Which rounds somebody has to be told of: soon over and not begun, or over and not done. Pure; takes what stands.

A plan is as its newest window that says anything: one that is still open says nothing of what was missed before it, so
what was missed stays told until a round of the plan has been walked whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from inspection.due import WindowState
from inspection.windows import Walked
from ledger.plans import PlanStop
from ledger.records import Grade


class Lapse(StrEnum):
    """Keys of the rules that the calendar judges, in the pack `any`."""

    DUE_SOON = "round_due_soon"
    MISSED = "round_missed"


_BEGUN_LATE = {WindowState.OVERDUE, WindowState.MISSED}
_ENDED_BADLY = {WindowState.INCOMPLETE, WindowState.ABANDONED}


@dataclass(frozen=True, slots=True)
class Told:
    """One lapse of a plan, with the window it is about."""

    lapse: Lapse
    walked: Walked


def of_plan(windows: Sequence[Walked], now: datetime) -> Sequence[Told]:
    """`windows`: newest first."""
    found: list[Told] = []
    for each in windows:
        if each.state is WindowState.DUE_SOON:
            found.append(Told(Lapse.DUE_SOON, each))
        if each.state is WindowState.FINISHED:
            break
        is_over = each.state in _BEGUN_LATE or (each.state in _ENDED_BADLY and now >= each.window.end)
        if is_over:
            found.append(Told(Lapse.MISSED, each))
            break
    return found


def chief(stops: Sequence[PlanStop]) -> PlanStop | None:
    """The stop whose grade the round's is: of the gravest, the first on the route. Its alarm stands there."""
    order = list(Grade)
    return min(stops, key=lambda each: (order.index(each.facility_grade), each.seq), default=None)


def by_place(told: Mapping[int, Sequence[tuple[str, Told]]]) -> Mapping[tuple[int, str], Mapping[str, object]]:
    """What an alarm says, by facility and lapse: the plans, each with its window. Plans by the facility they stand at."""
    found: dict[tuple[int, str], list[Mapping[str, object]]] = {}
    for facility_id, lapses in told.items():
        for plan, each in lapses:
            found.setdefault((facility_id, each.lapse.value), []).append(_said(plan, each.walked))
    return {place: {"rule": place[1], "plans": plans} for place, plans in found.items()}


def _said(plan: str, walked: Walked) -> Mapping[str, object]:
    return {
        "plan": plan,
        "from": walked.window.begin.isoformat(),
        "until": walked.window.end.isoformat(),
        "state": walked.state.value,
        "stops": walked.stops,
        "visited": walked.visited,
    }
