"""An alarm raised or ended by somebody else than ingest's rules, with all that follows. The caller has locked the facility."""

from datetime import datetime

from dispatch import orders
from dispatch.orders import Subject
from ledger import alarms, annunciation, conditions, facilities, work_orders
from ledger.conditions import Cause
from ledger.lifecycle import ConditionMove
from ledger.pool import Connection
from ledger.records import Condition
from rules import response
from rules.model import Rule
from rules.response import ResponseTable


async def begin(
    connection: Connection, condition: Condition, rule: Rule | None, cause: Cause, table: ResponseTable, now: datetime
) -> int:
    """Raise it, decide about its order, ring unless nobody shall hear; gives the alarm's id."""
    facility = await facilities.facility(connection, condition.facility_id)
    can_wait = rule is not None and rule.can_wait
    grading = response.grade_alarm(table, condition.severity, facility.grade, can_wait=can_wait)
    moved = await conditions.move(connection, condition.id, ConditionMove.RAISE, cause, grading=grading)
    assert moved.alarm_id is not None, "a raise has an alarm"
    if not (condition.suppressed or condition.out_of_service or condition.shelved_until is not None):
        alarm = await alarms.get(connection, moved.alarm_id)
        subject = Subject(await facilities.site(connection, condition.site_id), rule)
        await orders.follow_up(connection, cause.actor, subject, alarm, table, now)
        await annunciation.ring(connection, moved.alarm_id, now)
    return moved.alarm_id


async def end(connection: Connection, condition: Condition, cause: Cause, now: datetime) -> None:
    """What made it has ended; people still acknowledge, verify and close."""
    moved = await conditions.move(connection, condition.id, ConditionMove.CLEAR, cause)
    if moved.alarm_id is not None:
        await work_orders.alarm_cleared(connection, moved.alarm_id, now)
