"""What the stream and the alarms topic say of a change: the whole new state of its subject, with a version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from ledger import alarms, gathering, outbox
from ledger.outbox import NewNotice
from ledger.pool import Connection
from ledger.records import Alarm

_ORDER_WORDS = ("work_class", "title_zh", "title_en", "severity", "priority", "state", "assignee")
_ORDER_TIMES = ("opened_at", "accept_by", "arrive_by", "plan_by", "restore_by", "resolved_at", "ended_at")


async def alarm_changed(connection: Connection, alarm_id: int, now: datetime) -> None:
    """Tell of an alarm: at once, or at the end of a transaction that gathers."""
    kept = gathering.of(connection)
    if kept is None:
        await changed(connection, {alarm_id: now}, {})
    else:
        kept.alarms[alarm_id] = now


async def work_order_changed(connection: Connection, work_order_id: int, now: datetime) -> None:
    """Likewise of a work order."""
    kept = gathering.of(connection)
    if kept is None:
        await changed(connection, {}, {work_order_id: now})
    else:
        kept.work_orders[work_order_id] = now


@dataclass(frozen=True, slots=True)
class Asked:
    """How alarms and orders stand, where the answers may still be on their way; and when each of them changed."""

    alarm_times: Mapping[int, datetime]
    order_times: Mapping[int, datetime]
    alarms: AsyncCursor[TupleRow] | None
    orders: AsyncCursor[TupleRow] | None


async def changed(
    connection: Connection, alarm_times: Mapping[int, datetime], order_times: Mapping[int, datetime]
) -> None:
    """Tell of alarms and orders as they are now. MQTT hears only of alarms that have rung: sirens know nothing of a
    historical one, and nothing of orders.
    """
    await tell(connection, await ask(connection, alarm_times, order_times))


async def ask(
    connection: Connection, alarm_times: Mapping[int, datetime], order_times: Mapping[int, datetime]
) -> Asked:
    """The first half of `changed`, for who has something else to ask before the answers are waited for."""
    return Asked(
        alarm_times,
        order_times,
        await alarms.ask(connection, list(alarm_times)) if alarm_times else None,
        await _ask_orders(connection, list(order_times)) if order_times else None,
    )


async def tell(connection: Connection, asked: Asked) -> None:
    """The second half of `changed`: nothing that was asked about may have changed since."""
    told: list[NewNotice] = []
    if asked.alarms is not None:
        rows = await asked.alarms.fetchall()
        told += [_of_alarm(alarms.alarm_from_row(row), asked.alarm_times) for row in rows]
    if asked.orders is not None:
        told += [_of_order(row, asked.order_times) for row in await asked.orders.fetchall()]
    assert len(told) == len(asked.alarm_times) + len(asked.order_times), "nothing vanishes under its own transaction"
    await outbox.append(connection, *told)


def _of_alarm(alarm: Alarm, times: Mapping[int, datetime]) -> NewNotice:
    topic = f"tz/v1/{alarm.site_key}/alarms/{alarm.condition_id}" if alarm.rang_at else None
    return NewNotice(
        alarm.site_id, "alarm", alarm.id, alarm.version, alarm_payload(alarm), times[alarm.id], topic=topic
    )


def alarm_payload(alarm: Alarm) -> Mapping[str, object]:
    """The JSON form of an alarm, on the wire and in the stream."""
    return {
        "alarm": alarm.id,
        "version": alarm.version,
        "site": alarm.site_key,
        "facility": alarm.facility_key,
        "kind": alarm.facility_kind,
        "facility_name": {"zh": alarm.facility_name_zh, "en": alarm.facility_name_en},
        "grade": alarm.grade.value,
        "part": alarm.part_key,
        "condition": alarm.condition_id,
        "rule": alarm.rule_key,
        "severity": alarm.severity.value,
        "priority": alarm.priority.value,
        "state": alarm.state.value,
        "shown": alarm.shown.value,
        "began_at": alarm.began_at.isoformat(),
        "raised_at": alarm.raised_at.isoformat(),
        "rang_at": alarm.rang_at and alarm.rang_at.isoformat(),
        "returned_at": alarm.returned_at and alarm.returned_at.isoformat(),
        "acknowledged_at": alarm.acknowledged_at and alarm.acknowledged_at.isoformat(),
        "acknowledged_by": alarm.acknowledged_by,
        "ended_at": alarm.ended_at and alarm.ended_at.isoformat(),
        "occurrences": alarm.occurrences,
        "late": alarm.late,
        "historical": alarm.historical,
        "work_orders": list(alarm.work_order_ids),
        "order_reason": alarm.order_reason,
    }


async def _ask_orders(connection: Connection, order_ids: list[int]) -> AsyncCursor[TupleRow]:
    return await connection.execute(
        "select work_order.site_id, work_order.id, journal_length, site.key, facility.key, "
        "work_class, title_zh, title_en, severity, priority, state, assignee, "
        "opened_at, accept_by, arrive_by, plan_by, restore_by, resolved_at, ended_at from work_order "
        "join site on site.id = work_order.site_id join facility on facility.id = work_order.facility_id "
        "where work_order.id = any(%s) order by work_order.id",
        [order_ids],
    )


def _of_order(row: TupleRow, times: Mapping[int, datetime]) -> NewNotice:
    site_id, order_id, version, site_key, facility_key = row[:5]
    words, moments = row[5 : 5 + len(_ORDER_WORDS)], row[5 + len(_ORDER_WORDS) :]
    payload = {
        "work_order": order_id,
        "version": version,
        "site": site_key,
        "facility": facility_key,
        **dict(zip(_ORDER_WORDS, words, strict=True)),
        **{name: value and value.isoformat() for name, value in zip(_ORDER_TIMES, moments, strict=True)},
    }
    return NewNotice(site_id, "work_order", order_id, version, payload, times[order_id])
