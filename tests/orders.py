"""What tests do with work orders again and again: open one, move it, look at its clocks, let the clocks tick."""

from datetime import datetime, timedelta
from typing import Any

from ledger import timers, work_orders
from ledger.lifecycle import WorkOrderClock, WorkOrderMove, WorkOrderState
from ledger.records import Deadlines, Priority, Severity, TimerKind, WorkOrder
from ledger.work_orders import Act
from tests.small_estate import NOON, SmallSite, later

W, V, K = WorkOrderState, WorkOrderMove, WorkOrderClock

WAY_TO = {
    W.OPENED: [],
    W.DISPATCHED: [V.DISPATCH],
    W.ACCEPTED: [V.DISPATCH, V.ACCEPT],
    W.ARRIVED: [V.DISPATCH, V.ACCEPT, V.ARRIVE],
    W.PLANNED: [V.DISPATCH, V.ACCEPT, V.PLAN],
    W.RESOLVED: [V.DISPATCH, V.ACCEPT, V.ARRIVE, V.RESOLVE],
    W.VERIFIED: [V.DISPATCH, V.ACCEPT, V.ARRIVE, V.RESOLVE, V.VERIFY],
    W.CLOSED: [V.DISPATCH, V.ACCEPT, V.ARRIVE, V.RESOLVE, V.VERIFY, V.CLOSE],
    W.SUSPENDED: [V.DISPATCH, V.ACCEPT, V.SUSPEND],
    W.CANCELLED: [V.CANCEL],
}


def deadlines(
    start: datetime = NOON, *, accept: int = 15, arrive: int = 30, plan: int = 60, restore: int = 240
) -> Deadlines:
    minutes = (timedelta(minutes=each) for each in (accept, arrive, plan, restore))
    return Deadlines(*(start + each for each in minutes))


async def open_order(connection: Any, site: SmallSite, clocks: Deadlines | None = None) -> int:
    return await work_orders.open_order(
        connection,
        Act("rules", "opened_now", NOON),
        site_id=site.id,
        facility_id=site.booster,
        work_class="water_supply",
        title_zh="出水压力低",
        title_en="Outlet pressure low",
        severity=Severity.WARNING,
        priority=Priority.MEDIUM,
        deadlines=deadlines() if clocks is None else clocks,
    )


async def do(connection: Any, order_id: int, step: WorkOrderMove, minute: float = 0) -> WorkOrder:
    act = Act("李工", "person", later(minutes=minute), note="说明")
    return await work_orders.move(connection, order_id, step, act, assignee="张师傅" if step is V.DISPATCH else None)


async def scalar(connection: Any, statement: str, *values: object) -> Any:
    row = await (await connection.execute(statement, values)).fetchone()
    return row and row[0]


async def running(connection: Any, order_id: int) -> dict[WorkOrderClock, datetime]:
    cursor = await connection.execute(
        "select clock, due_at from timer where kind = 'order_clock' and work_order_id = %s", [order_id]
    )
    return {K(clock): due_at for clock, due_at in await cursor.fetchall()}


async def breaches(connection: Any, order_id: int) -> list[tuple[str, datetime]]:
    cursor = await connection.execute(
        "select clock, at from work_order_event where work_order_id = %s and move = 'breach' order by seq", [order_id]
    )
    return [(clock, at) for clock, at in await cursor.fetchall()]


async def tick(connection: Any, site: SmallSite, minute: float) -> None:
    """What ingest's tick does with order clocks."""
    now = later(minutes=minute)
    for timer in await timers.due(connection, [site.id], now):
        assert timer.kind is TimerKind.ORDER_CLOCK
        if await timers.claim(connection, timer):
            await work_orders.breach(connection, timer, now)
