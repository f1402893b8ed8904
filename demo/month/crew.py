"""The people of a site: who hears an alarm acknowledges it, who is sent goes, and an order ends when its cause has.

They are slower at what rings softly, and never close what still stands. Everything they do are moves of the ledger,
as the API would make them; only the deciding is a draw.
"""

import random
from datetime import datetime, timedelta

from ledger import alarm_list, alarm_moves, work_order_list, work_orders
from ledger.alarm_list import AlarmFilter
from ledger.conditions import Cause
from ledger.lifecycle import ACTIVE_STATES, ConditionMove, ConditionState, WorkOrderMove, WorkOrderState
from ledger.pool import Connection
from ledger.records import Alarm, Priority, WorkOrder
from ledger.work_order_list import WorkOrderFilter
from ledger.work_orders import Act

_OPEN_MAX = 1_000
_ENGINEER, _LEAD = "li", "wang"
_UNREAD = frozenset({ConditionState.UNACK, ConditionState.RTNUN, ConditionState.LATUN})

# Minutes until somebody has read it, at least and at most [E].
_READ_MIN = {Priority.URGENT: (0.5, 2), Priority.HIGH: (1, 5), Priority.MEDIUM: (2, 15), Priority.LOW: (5, 60)}
_RESET_MIN = (5.0, 20.0)  # a latch is released by somebody who has looked
# Minutes from one state of an order to the next [E]; resolving waits for the process besides.
_STEPS = {
    WorkOrderState.OPENED: (WorkOrderMove.DISPATCH, 1, 5),
    WorkOrderState.DISPATCHED: (WorkOrderMove.ACCEPT, 1, 10),
    WorkOrderState.ACCEPTED: (WorkOrderMove.ARRIVE, 5, 20),
    WorkOrderState.ARRIVED: (WorkOrderMove.PLAN, 5, 15),
    WorkOrderState.PLANNED: (WorkOrderMove.RESOLVE, 10, 40),
    WorkOrderState.RESOLVED: (WorkOrderMove.VERIFY, 20, 90),
    WorkOrderState.VERIFIED: (WorkOrderMove.CLOSE, 10, 60),
}


class Crew:
    """Looks at the site's open alarms and orders whenever it is told to."""

    def __init__(self, site_key: str, seed: int) -> None:
        self._site_key = site_key
        self._choice = random.Random(f"{seed}/{site_key}/crew")
        self._due: dict[tuple[str, int, str], datetime] = {}  # what somebody will do, and when
        self.next_at: datetime | None = None  # before then there is nothing to do unless something changes

    async def look(self, connection: Connection, now: datetime) -> None:
        """Do what is due of what is open, and know when to look again."""
        alarms = await alarm_list.page(connection, AlarmFilter(site=self._site_key, is_open=True), limit=_OPEN_MAX)
        orders = await work_order_list.page(
            connection, WorkOrderFilter(site=self._site_key, is_open=True), limit=_OPEN_MAX
        )
        standing = {alarm.id for alarm in alarms if alarm.state in ACTIVE_STATES}
        wanted: set[tuple[str, int, str]] = set()
        acted = False
        for alarm in alarms:
            step = _step_of(alarm)
            if step is not None:
                span = _RESET_MIN if step is ConditionMove.RESET else _READ_MIN[alarm.priority]
                key = ("alarm", alarm.id, f"{step} {alarm.occurrences}")
                wanted.add(key)
                if self._is_due(key, span, now):
                    acted = True
                    person = _LEAD if step is ConditionMove.RESET else _ENGINEER
                    await alarm_moves.move(connection, alarm.id, step, Cause(person, "person", at=now, now=now))
        for order in orders:
            if order.state not in _STEPS:
                continue
            move, *span = _STEPS[order.state]
            if move is WorkOrderMove.RESOLVE and standing.intersection(order.alarm_ids):
                continue
            key = ("order", order.id, order.state)
            wanted.add(key)
            if self._is_due(key, (span[0], span[1]), now):
                acted = True
                await self._do(connection, order, move, now)
        self._due = {key: at for key, at in self._due.items() if key in wanted and at > now}
        self.next_at = now if acted else min(self._due.values(), default=None)

    def _is_due(self, key: tuple[str, int, str], minutes: tuple[float, float], now: datetime) -> bool:
        if key not in self._due:
            self._due[key] = now + timedelta(minutes=self._choice.uniform(*minutes))
        return self._due[key] <= now

    async def _do(self, connection: Connection, order: WorkOrder, move: WorkOrderMove, now: datetime) -> None:
        second = move in (WorkOrderMove.VERIFY, WorkOrderMove.CLOSE, WorkOrderMove.DISPATCH)
        act = Act(_LEAD if second else _ENGINEER, "person", now)
        assignee = _ENGINEER if move is WorkOrderMove.DISPATCH else None
        await work_orders.move(connection, order.id, move, act, assignee=assignee)


def _step_of(alarm: Alarm) -> ConditionMove | None:
    """What an alarm waits for from a person; None: nothing, or nobody has been told of it."""
    if alarm.rang_at is None:
        return None
    if alarm.state in _UNREAD:
        return ConditionMove.ACKNOWLEDGE
    return ConditionMove.RESET if alarm.state is ConditionState.LATACK else None
