"""The clocks of a work order: a deadline in its row, and while it runs a timer beside it.

A clock runs while its order is worked on, its deadline lies ahead and nobody has met it. What stops and moves it is
decided in work_orders.py; a timer that ran out is taken away exactly once, by the tick or by whoever acts first.
"""

from datetime import datetime

from psycopg import sql

from ledger import timers
from ledger.lifecycle import CLOCK_MET_BY, WorkOrderClock, WorkOrderMove
from ledger.pool import Connection
from ledger.records import TimerKind, WorkOrder


def deadline_of(order: WorkOrder, clock: WorkOrderClock) -> datetime | None:
    moment: datetime | None = getattr(order, clock.value)
    return moment


def is_met(order: WorkOrder, clock: WorkOrderClock) -> bool:
    """Whether one of the moves that meet it has been done (and not undone by a reopening)."""
    reached = {
        WorkOrderMove.ACCEPT: order.accepted_at,
        WorkOrderMove.ARRIVE: order.arrived_at,
        WorkOrderMove.PLAN: order.planned_at,
        WorkOrderMove.RESOLVE: order.resolved_at,
    }
    return any(reached[step] is not None for step in CLOCK_MET_BY[clock])


async def run(
    connection: Connection,
    site_id: int,
    order_id: int,
    clock: WorkOrderClock,
    since: datetime,
    deadline: datetime | None,
) -> None:
    """Start a clock; without a deadline there is none."""
    if deadline is not None:
        await timers.start(
            connection,
            site_id=site_id,
            kind=TimerKind.ORDER_CLOCK,
            work_order_id=order_id,
            clock=clock,
            since=since,
            due_at=deadline,
        )


async def set_deadline(
    connection: Connection, order: WorkOrder, clock: WorkOrderClock, now: datetime, deadline: datetime | None
) -> None:
    """Give a clock another deadline and start it again; with None it stops."""
    await connection.execute(
        sql.SQL("update work_order set {} = %s where id = %s").format(sql.Identifier(clock.value)),
        [deadline, order.id],
    )
    await timers.stop(connection, TimerKind.ORDER_CLOCK, work_order_id=order.id, clock=clock)
    await run(connection, order.site_id, order.id, clock, now, deadline)


async def take_missed(connection: Connection, order_id: int, now: datetime) -> list[tuple[WorkOrderClock, datetime]]:
    """Take away the clocks that have run out, with their deadlines, longest missed first."""
    cursor = await connection.execute(
        "delete from timer where kind = 'order_clock' and work_order_id = %s and due_at <= %s returning clock, due_at",
        [order_id, now],
    )
    missed = [(WorkOrderClock(clock), due_at) for clock, due_at in await cursor.fetchall()]
    return sorted(missed, key=lambda each: (each[1], list(WorkOrderClock).index(each[0])))
