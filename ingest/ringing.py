"""Telling people: which alarms ring now, which are history by the time they arrive, and what work follows.

An alarm rings in the transaction that raised it, unless its gateway is sending what it had stored: then nobody knows
yet whether it still stands, and it rings when the store is empty. One that had ended before it arrived is historical:
kept, without sound or order. Its order is decided before it rings, so that sirens hear of it once, with its order.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from dispatch import orders
from dispatch.orders import Subject
from ingest.judgement import ACTOR, Applied, Happening
from ingest.sites import JudgedSite
from ledger import alarms, annunciation, conditions, timers
from ledger.conditions import Cause
from ledger.lifecycle import ConditionMove, ConditionState, ShownState
from ledger.pool import Connection
from ledger.records import Alarm, Severity, TimerKind, to_ms
from rules.response import ResponseTable

WAITING_MAX = 5_000
DRAIN_PATIENCE = timedelta(minutes=10)
DRAIN_PATIENCE_LIFE_SAFETY = timedelta(minutes=1)
_ASK_AGAIN = timedelta(minutes=10)

HISTORICAL = "historical"
ENDED_SILENCED = "ended_silenced"  # it came and went under a flag that silenced it

STANDING = frozenset({ConditionState.UNACK, ConditionState.ACKED, ConditionState.LATUN, ConditionState.LATACK})
SILENCED = frozenset({ShownState.OOSRV, ShownState.DSUPR, ShownState.SHLVD})


async def waiting(connection: Connection, site: JudgedSite) -> list[Alarm]:
    return await alarms.waiting_to_ring(connection, [site.site.id], limit=WAITING_MAX)


async def ring(
    connection: Connection,
    site: JudgedSite,
    found: Sequence[Alarm],
    applied: Applied,
    locked: Collection[int],
    table: ResponseTable,
    now: datetime,
) -> None:
    """Ring what waits to ring, of the facilities that are locked, and follow up what was raised again."""
    for alarm in found:
        if alarm.facility_id not in locked or _may_be_over(site, alarm, now):
            continue
        if alarm.state is ConditionState.RTNUN and not _stood_when_it_came(alarm, applied):
            await _end_quietly(connection, alarm, applied.raised, now)
            continue
        await follow_up(connection, site, alarm, applied, table, now)
        await annunciation.ring(connection, alarm.id, now)
    for alarm_id in dict.fromkeys(applied.reraised):
        alarm = await alarms.get(connection, alarm_id)
        if alarm.rang_at is None or alarm.state not in STANDING:
            continue
        if alarm.shown in SILENCED or _may_be_over(site, alarm, now):
            await ask_again(connection, alarm, now)
        else:
            await follow_up(connection, site, alarm, applied, table, now)


def _may_be_over(site: JudgedSite, alarm: Alarm, now: datetime) -> bool:
    """Whether its gateway is still sending what may end it. A store that is never empty must not keep an alarm from
    ringing: of two errors, a late silence is the cheaper one.
    """
    patience = DRAIN_PATIENCE_LIFE_SAFETY if alarm.severity is Severity.LIFE_SAFETY else DRAIN_PATIENCE
    return now - alarm.raised_at < patience and site.draining(alarm.facility_id, to_ms(now))


def _stood_when_it_came(alarm: Alarm, applied: Applied) -> bool:
    """Raised and over within one batch: what came in later may end it, what came in with it shows that it was over."""
    raised_ms, cleared_ms = applied.raised.get(alarm.condition_id), applied.cleared.get(alarm.condition_id)
    return raised_ms is not None and cleared_ms is not None and cleared_ms > raised_ms


async def ask_again(connection: Connection, alarm: Alarm, now: datetime) -> None:
    """Its order has to wait while nobody wants to hear of the alarm, or nobody knows whether it stands."""
    await timers.start(
        connection,
        site_id=alarm.site_id,
        kind=TimerKind.ORDER_DUE,
        alarm_id=alarm.id,
        since=now,
        due_at=now + _ASK_AGAIN,
    )


async def _end_quietly(connection: Connection, alarm: Alarm, raised: Mapping[int, int], now: datetime) -> None:
    silenced = alarm.condition_id not in raised and await annunciation.was_silenced(connection, alarm.id)
    reason = ENDED_SILENCED if silenced else HISTORICAL
    cause = Cause(ACTOR, reason, at=now, now=now)
    await conditions.move(connection, alarm.condition_id, ConditionMove.ACKNOWLEDGE, cause)
    if not silenced:
        await annunciation.mark_historical(connection, alarm.id, now)


# ------------------------------------------------------------------ the work that follows


async def follow_up(
    connection: Connection,
    site: JudgedSite,
    alarm: Alarm,
    applied: Applied,
    table: ResponseTable,
    now: datetime,
    *,
    waited: bool = False,
) -> None:
    """Decide about the alarm's work order, and do it."""
    condition = site.conditions.get(alarm.condition_id)
    subject = Subject(
        site.site,
        site.rule(alarm.facility_kind, alarm.rule_key),
        site.parts.get(condition.part_id or 0) if condition is not None else None,
        site.kin(alarm.facility_kind, alarm.rule_key),
    )
    opened = await orders.follow_up(connection, ACTOR, subject, alarm, table, now, waited=waited)
    if opened is not None:
        applied.note(site, Happening.ORDER_OPENED, alarm.condition_id, alarm_id=alarm.id, order_id=opened)
