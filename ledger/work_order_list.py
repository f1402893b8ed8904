"""The work order list, newest first, by what people look for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger.lifecycle import WorkOrderState
from ledger.pool import Connection
from ledger.records import Priority, WorkOrder
from ledger.work_orders import WORK_ORDER_COLUMNS, work_order_row


@dataclass(frozen=True, slots=True)
class WorkOrderFilter:
    """What to show. None or empty: do not ask. `begin` and `end` are about `opened_at`; `alarm_id`: orders of an alarm."""

    site: str | None = None
    facility: str | None = None
    work_class: str | None = None
    assignee: str | None = None
    is_open: bool | None = None  # neither closed nor cancelled
    states: Sequence[WorkOrderState] = ()
    priorities: Sequence[Priority] = ()
    alarm_id: int | None = None
    begin: datetime | None = None
    end: datetime | None = None


async def page(
    connection: Connection, wanted: WorkOrderFilter, *, before: tuple[datetime, int] | None = None, limit: int = 100
) -> list[WorkOrder]:
    """Orders in scope, newest first. `before`: opened_at and id of the last one of the page before."""
    async with connection.cursor(row_factory=work_order_row) as cursor:
        await cursor.execute(
            WORK_ORDER_COLUMNS + "where (%(site)s::text is null or site.key = %(site)s) "
            "and (%(facility)s::text is null or facility.key = %(facility)s) "
            "and (%(work_class)s::text is null or work_class = %(work_class)s) "
            "and (%(assignee)s::text is null or assignee = %(assignee)s) "
            "and (%(open)s::boolean is null or (ended_at is null) = %(open)s) "
            "and (%(states)s::work_order_state[] is null or state = any(%(states)s)) "
            "and (%(priorities)s::priority[] is null or priority = any(%(priorities)s)) "
            "and (%(alarm)s::bigint is null or exists (select from work_order_alarm "
            "where work_order_id = work_order.id and alarm_id = %(alarm)s)) "
            "and (%(begin)s::timestamptz is null or opened_at >= %(begin)s) "
            "and (%(end)s::timestamptz is null or opened_at < %(end)s) "
            "and (%(before)s::timestamptz is null or (opened_at, work_order.id) < (%(before)s, %(before_id)s::bigint)) "
            "order by opened_at desc, work_order.id desc limit %(limit)s",
            {
                "site": wanted.site,
                "facility": wanted.facility,
                "work_class": wanted.work_class,
                "assignee": wanted.assignee,
                "open": wanted.is_open,
                "states": [each.value for each in wanted.states] or None,
                "priorities": [each.value for each in wanted.priorities] or None,
                "alarm": wanted.alarm_id,
                "begin": wanted.begin,
                "end": wanted.end,
                "before": before and before[0],
                "before_id": before and before[1],
                "limit": limit,
            },
        )
        return await cursor.fetchall()
