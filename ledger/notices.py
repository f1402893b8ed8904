"""What the stream and the alarms topic say of a change: the whole new state of its subject, with a version."""

from collections.abc import Mapping
from datetime import datetime

from ledger import alarms, outbox
from ledger.pool import Connection
from ledger.records import Alarm


async def alarm_changed(connection: Connection, alarm_id: int, now: datetime) -> None:
    """Tell of an alarm. MQTT hears only of alarms that have rung: sirens know nothing of a historical one."""
    alarm = await alarms.get(connection, alarm_id)
    await outbox.append(
        connection,
        site_id=alarm.site_id,
        kind="alarm",
        subject_id=alarm.id,
        version=alarm.version,
        payload=alarm_payload(alarm),
        topic=f"tz/v1/{alarm.site_key}/alarms/{alarm.condition_id}" if alarm.rang_at else None,
        now=now,
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


async def work_order_changed(connection: Connection, work_order_id: int, version: int, now: datetime) -> None:
    """Tell the stream of a work order; MQTT carries alarms only."""
    cursor = await connection.execute(
        "select work_order.site_id, site.key, facility.key, work_class, title_zh, title_en, severity, priority, state, assignee, "
        "opened_at, accept_by, arrive_by, plan_by, restore_by, resolved_at, ended_at from work_order "
        "join site on site.id = work_order.site_id join facility on facility.id = work_order.facility_id "
        "where work_order.id = %s",
        [work_order_id],
    )
    row = await cursor.fetchone()
    assert row is not None, f"work order {work_order_id} vanished under its own transaction"
    names = ("work_class", "title_zh", "title_en", "severity", "priority", "state", "assignee")
    times = ("opened_at", "accept_by", "arrive_by", "plan_by", "restore_by", "resolved_at", "ended_at")
    await outbox.append(
        connection,
        site_id=row[0],
        kind="work_order",
        subject_id=work_order_id,
        version=version,
        payload={
            "work_order": work_order_id,
            "version": version,
            "site": row[1],
            "facility": row[2],
            **dict(zip(names, row[3:10], strict=True)),
            **{name: value and value.isoformat() for name, value in zip(times, row[10:], strict=True)},
        },
        now=now,
    )
