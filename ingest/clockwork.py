"""The tick: time passes where no message does. Delays and silence in device time, by the engine; timers in ours."""

from collections.abc import Sequence
from datetime import datetime

from ingest import judgement, ringing
from ingest.judgement import Applied, Told
from ingest.sites import JudgedSite
from ledger import alarms, closing, conditions, dossier, permits, timers, work_orders
from ledger.conditions import Cause
from ledger.errors import IllegalMove
from ledger.lifecycle import ConditionMove
from ledger.pool import Connection, pipelined
from ledger.records import Decision, TimerKind
from ledger.timers import Timer
from rules.response import ResponseTable

ACTOR = "clock"


async def tick(
    connection: Connection,
    site: JudgedSite,
    table: ResponseTable,
    *,
    judged_ms: int,
    connected_since_ms: int | None,
    now: datetime,
    before: Sequence[Decision] = (),
) -> Sequence[Told] | None:
    """Let a site's time pass; gives what happened that is told of, None if nothing changed that others have to hear of.

    `judged_ms`: up to when everything that came in has been judged. Rules look no further: what still waits might say
    otherwise. `before` are decisions of the engine that are still to be carried out. `now` is for the clocks of people, which do not wait.
    """
    decisions = [*before, *site.engine.tick(judged_ms, connected_since_ms)]
    due = await timers.due(connection, [site.site.id], now)
    waiting = await ringing.waiting(connection, site)
    if not decisions and not due and not waiting:
        return None
    locked = {
        *judgement.touched(site, decisions),
        *(timer.facility_id for timer in due),
        *(alarm.facility_id for alarm in waiting),
    }
    async with pipelined(connection), closing.gathered(connection):
        if locked:
            await dossier.lock_facilities(connection, locked)
        applied = await judgement.apply(connection, site, decisions, table, now)
        for timer in due:
            if await timers.claim(connection, timer):
                await _act(connection, site, timer, applied, table, now)
        if locked:
            found = await ringing.waiting(connection, site)
            await ringing.ring(connection, site, found, applied, locked, table, now)
    return applied.told if locked else None


async def _act(
    connection: Connection, site: JudgedSite, timer: Timer, applied: Applied, table: ResponseTable, now: datetime
) -> None:
    """What a timer that ran out asks for, if it still makes sense."""
    match timer.kind:
        case TimerKind.SHELVING:
            await _move(connection, timer, ConditionMove.UNSHELVE_EXPIRED, "shelving_expired", now)
        case TimerKind.REALARM:
            await _move(connection, timer, ConditionMove.REALARM, "realarm", now)
        case TimerKind.ORDER_DUE:
            await _order(connection, site, timer, applied, table, now)
        case TimerKind.ORDER_CLOCK:
            await work_orders.breach(connection, timer, now)
        case TimerKind.PERMIT:
            assert timer.permit_id is not None
            await permits.expire(connection, timer.permit_id, now)
        case TimerKind.ON_DELAY | TimerKind.OFF_DELAY | TimerKind.EVENT_HOLD:
            raise AssertionError(f"{timer.kind} runs in device time and is the engine's")


async def _move(connection: Connection, timer: Timer, step: ConditionMove, reason: str, now: datetime) -> None:
    assert timer.condition_id is not None
    try:
        await conditions.move(connection, timer.condition_id, step, Cause(ACTOR, reason, at=now, now=now))
    except IllegalMove:
        return  # a person was first, or the process is back to normal: nothing is left to do


async def _order(
    connection: Connection, site: JudgedSite, timer: Timer, applied: Applied, table: ResponseTable, now: datetime
) -> None:
    """The alarm has stood as long as it had to: open its order, unless it went away or nobody wants to hear of it."""
    assert timer.alarm_id is not None
    alarm = await alarms.get(connection, timer.alarm_id)
    if alarm.ended_at is not None or alarm.state not in ringing.STANDING:
        return
    if alarm.shown in ringing.SILENCED:
        await ringing.ask_again(connection, alarm, now)
        return
    await ringing.follow_up(connection, site, alarm, applied, table, now, waited=True)
