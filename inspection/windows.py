"""The windows of a plan as they stand: by the plan as it is now, with what was walked in each."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from inspection import due
from inspection.due import Period, Window, WindowState
from ledger import plans, rounds
from ledger.plans import Plan, PlanStop
from ledger.pool import Connection

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


def planned(plan: Plan, begin: datetime, end: datetime) -> list[Window]:
    """That begin in the span, in order."""
    length = timedelta(minutes=plan.window_min)
    return list(due.windows(Period(plan.period), plan.days, plan.starts_at, length, plan.time_zone, begin, end))


async def of_plan(
    connection: Connection, plan: Plan, begin: datetime, end: datetime, now: datetime
) -> tuple[list[Walked], list[PlanStop]]:
    """Those that begin in the span, in order, and the stops of the route as it is now. What was walked by an earlier
    form of the plan stands at its own window, and is held against its own route.
    """
    stops = await plans.stops(connection, plan.id)
    walked = {each.window_from: each for each in await rounds.of_plan(connection, plan.id, begin=begin, end=end)}
    visited = await rounds.visited(connection, [each.id for each in walked.values()])
    windows = {each.begin: each for each in planned(plan, begin, end) if _is_in_force(plan, each)}
    length = timedelta(minutes=plan.window_min)
    found: list[Walked] = []
    for opens in sorted({*walked, *windows}):
        window = windows.get(opens) or Window(opens, opens + length)
        round_ = walked.get(opens)
        route = {each.facility_id for each in stops} if round_ is None else {*round_.route}
        seen: set[int] = set() if round_ is None else route & {*visited[round_.id]}
        state = None if round_ is None else round_.state
        stands = due.window_state(window, state, stops=len(route), visited=len(seen), now=now)
        number, guard = (None, None) if round_ is None else (round_.id, round_.guard)
        found.append(Walked(window, stands, len(route), len(seen), number, guard))
    return found, stops


def _is_in_force(plan: Plan, window: Window) -> bool:
    """One that was open when the plan was made can be walked, and so is due; one that its retirement cut short is not."""
    return plan.made_at < window.end and (plan.retired_at is None or window.end <= plan.retired_at)
