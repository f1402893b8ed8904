"""Telling people: an alarm rings, turns out historical, waits for an order, gets a note."""

from datetime import datetime

from ledger import alarms, dossier, notices
from ledger.pool import Connection


async def ring(connection: Connection, alarm_id: int, now: datetime) -> None:
    """From now on it counts as annunciated: sirens hear of it."""
    await connection.execute(
        "update alarm set rang_at = %s, version = version + 1 where id = %s and rang_at is null", [now, alarm_id]
    )
    await notices.alarm_changed(connection, alarm_id, now)


async def mark_historical(connection: Connection, alarm_id: int, now: datetime) -> None:
    """It began and ended before it arrived, and has ended here too: kept, without sound or order."""
    await connection.execute(
        "update alarm set historical = true, version = version + 1 "
        "where id = %s and rang_at is null and ended_at is not null",
        [alarm_id],
    )
    await notices.alarm_changed(connection, alarm_id, now)


async def was_silenced(connection: Connection, alarm_id: int) -> bool:
    """Whether a flag that silenced it - shelved, suppressed, out of service - was taken off it since it was raised."""
    cursor = await connection.execute(
        "select exists (select from condition_event where alarm_id = %s "
        "and move in ('unshelve', 'unshelve_expired', 'unsuppress', 'return_to_service'))",
        [alarm_id],
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def set_order_reason(connection: Connection, alarm_id: int, reason: str, now: datetime) -> None:
    """Why it opened, joined, links to, or waits for a work order."""
    await connection.execute(
        "update alarm set order_reason = %s, version = version + 1 where id = %s", [reason, alarm_id]
    )
    await notices.alarm_changed(connection, alarm_id, now)


async def note(connection: Connection, alarm_id: int, *, text: str, actor: str, now: datetime) -> None:
    """Add a person's words to the alarm's history (kept in the facility's dossier). Raises NotFound."""
    alarm = await alarms.get(connection, alarm_id)
    await dossier.append(
        connection,
        site_id=alarm.site_id,
        facility_id=alarm.facility_id,
        kind="alarm_note",
        body={"alarm": alarm_id, "condition": alarm.condition_id, "rule": alarm.rule_key, "text": text, "actor": actor},
        now=now,
    )
    await connection.execute(
        "insert into alarm_note (site_id, alarm_id, text, actor, at) values (%s, %s, %s, %s, %s)",
        [alarm.site_id, alarm_id, text, actor, now],
    )
    await notices.alarm_changed(connection, alarm_id, now)
