"""The windows of a plan as they stand: each by the plan as it was when the window ended, with what was walked in it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from inspection import due
from inspection.due import Period, Window, WindowState
from ledger import plans, rounds
from ledger.plans import Form, Plan, PlanStop
from ledger.pool import Connection
from ledger.rounds import RoundOfPlan

EARLY = timedelta(minutes=30)  # [E]: so much before its window a round may be started


@dataclass(frozen=True, slots=True)
class Walked:
    """A window of a plan, and how its round stands."""

    window: Window
    state: WindowState
    stops: int
    visited: int
    round_id: int | None  # None: nobody has started it
    guard: str | None
    ended_at: datetime | None


def planned(plan: Plan | Form, zone: str, begin: datetime, end: datetime) -> list[Window]:
    """That begin in the span, in order."""
    length = timedelta(minutes=plan.window_min)
    return list(due.windows(Period(plan.period), plan.days, plan.starts_at, length, zone, begin, end))


async def of_plan(
    connection: Connection, plan: Plan, begin: datetime, end: datetime, now: datetime
) -> tuple[list[Walked], list[PlanStop]]:
    """Those that begin in the span, in order, and the stops of the route as it is now. What was walked is held against
    the route of the round, what was not against the route of its day.
    """
    walked = {each.window_from: each for each in await rounds.of_plan(connection, plan.id, begin=begin, end=end)}
    visited = await rounds.visited(connection, [each.id for each in walked.values()])
    windows: dict[datetime, tuple[Window, Form]] = {}
    for form in await plans.forms(connection, plan.id, since=begin):
        for each in planned(form, plan.time_zone, begin, end):
            if is_of(form, each):
                windows.setdefault(each.begin, (each, form))
    found: list[Walked] = []
    for opens in sorted({*walked, *windows}):
        round_ = walked.get(opens)
        if round_ is None:
            window, form = windows[opens]
            state = due.window_state(window, None, stops=len(form.route), visited=0, now=now)
            found.append(Walked(window, state, len(form.route), 0, None, None, None))
        else:
            found.append(_walked(round_, visited[round_.id], now))
    return found, await plans.stops(connection, plan.id)


def _walked(round_: RoundOfPlan, visited: list[int], now: datetime) -> Walked:
    window, route = Window(round_.window_from, round_.window_until), {*round_.route}
    seen = len(route & {*visited})
    state = due.window_state(window, round_.state, stops=len(route), visited=seen, now=now)
    return Walked(window, state, len(route), seen, round_.id, round_.guard, round_.ended_at)


def is_of(form: Form, window: Window) -> bool:
    """One that was open when the form came into force can be walked, and so is due; one cut short by its end is not."""
    return form.from_at < window.end and (form.until_at is None or window.end <= form.until_at)
