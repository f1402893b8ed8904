"""What people do to an alarm: a move of its condition, if it is still this alarm that stands."""

from datetime import datetime, timedelta

from ledger import alarms, conditions, dossier, timers
from ledger.conditions import Cause, Moved
from ledger.errors import IllegalMove
from ledger.lifecycle import ConditionMove, ConditionState
from ledger.pool import Connection
from ledger.records import TimerKind


async def move(
    connection: Connection,
    alarm_id: int,
    step: ConditionMove,
    cause: Cause,
    *,
    shelve_until: datetime | None = None,
    one_shot: bool = False,
    realarm_after: timedelta | None = None,
) -> Moved:
    """Move the condition of an open alarm. Raises NotFound, or IllegalMove, also when the alarm has ended meanwhile.

    Without that look a late click on yesterday's alarm would acknowledge today's, which nobody has read.
    """
    alarm = await alarms.get(connection, alarm_id)
    await dossier.lock_facilities(connection, [alarm.facility_id])
    alarm = await alarms.get(connection, alarm_id)  # as it is now that nobody else can change it
    if alarm.ended_at is not None:
        raise IllegalMove(f"alarm {alarm_id} (ended)", alarm.state, step, ())
    return await move_condition(
        connection,
        alarm.condition_id,
        step,
        cause,
        shelve_until=shelve_until,
        one_shot=one_shot,
        realarm_after=realarm_after,
    )


async def move_condition(
    connection: Connection,
    condition_id: int,
    step: ConditionMove,
    cause: Cause,
    *,
    shelve_until: datetime | None = None,
    one_shot: bool = False,
    realarm_after: timedelta | None = None,
) -> Moved:
    """A person's move of a condition. Where it becomes acknowledged while active, the re-alarm timer starts.

    Raises NotFound or IllegalMove.
    """
    moved = await conditions.move(connection, condition_id, step, cause, shelve_until=shelve_until, one_shot=one_shot)
    acknowledged = moved.to_state is ConditionState.ACKED and moved.from_state is not ConditionState.ACKED
    if acknowledged and realarm_after is not None:
        condition = await conditions.get(connection, condition_id)
        await timers.start(
            connection,
            site_id=condition.site_id,
            kind=TimerKind.REALARM,
            condition_id=condition_id,
            since=cause.now,
            due_at=cause.now + realarm_after,
        )
    return moved
