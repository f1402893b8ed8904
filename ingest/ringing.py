"""Telling people: which alarms ring now, which are history by the time they arrive, and what work follows.

An alarm rings in the transaction that raised it, unless its gateway is sending what it had stored: then nobody knows
yet whether it still stands, and it rings when the store is empty. One that had ended before it arrived is historical:
kept, without sound or order. Its order is decided before it rings, so that sirens hear of it once, with its order.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from ingest.judgement import ACTOR, Applied
from ingest.sites import JudgedSite
from ledger import alarms, annunciation, conditions, timers, work_orders
from ledger.conditions import Cause
from ledger.lifecycle import ConditionMove, ConditionState, ShownState
from ledger.pool import Connection
from ledger.records import Alarm, Severity, TimerKind, to_ms
from ledger.work_orders import Act
from rules import response
from rules.response import AlarmFacts, OrderAction, OrderDecision, ResponseTable

WAITING_MAX = 5_000
DRAIN_PATIENCE = timedelta(minutes=10)
DRAIN_PATIENCE_LIFE_SAFETY = timedelta(minutes=1)
_ASK_AGAIN = timedelta(minutes=10)
_WORK_CLASS_UNKNOWN = "general"  # of a rule that has left its pack while its alarm stood

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
        await follow_up(connection, site, alarm, table, now)
        await annunciation.ring(connection, alarm.id, now)
    for alarm_id in dict.fromkeys(applied.reraised):
        alarm = await alarms.get(connection, alarm_id)
        if alarm.rang_at is None or alarm.state not in STANDING:
            continue
        if alarm.shown in SILENCED or _may_be_over(site, alarm, now):
            await ask_again(connection, alarm, now)
        else:
            await follow_up(connection, site, alarm, table, now)


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
    table: ResponseTable,
    now: datetime,
    *,
    waited: bool = False,
) -> None:
    """Decide about the alarm's work order, and do it."""
    rule = site.rule(alarm.facility_kind, alarm.rule_key)
    facts = AlarmFacts(
        severity=alarm.severity,
        grade=alarm.grade,
        facility_id=alarm.facility_id,
        work_class=_WORK_CLASS_UNKNOWN if rule is None else rule.work_class,
        order_ids=alarm.work_order_ids,
        kin_order_ids=await _kin_orders(connection, site, alarm),
        waited=waited,
    )
    unresolved = await work_orders.unresolved(connection, alarm.facility_id)
    decision = response.decide_order(table, facts, unresolved, site.site, now)
    if decision.action is OrderAction.NOTHING:
        return
    if decision.action is OrderAction.WAIT:
        await _wait(connection, alarm, decision, now)
    else:
        await timers.stop(connection, TimerKind.ORDER_DUE, alarm_id=alarm.id)
        act = Act(ACTOR, decision.reason, now, detail={"alarm": alarm.id})
        if decision.action is OrderAction.JOIN:
            assert decision.order_id is not None
            await work_orders.join(
                connection,
                decision.order_id,
                alarm.id,
                act,
                priority=decision.priority,
                severity=alarm.severity,
                deadlines=decision.deadlines,
            )
        else:
            await _open(connection, site, alarm, facts.work_class, decision, act)
    await annunciation.set_order_reason(connection, alarm.id, decision.reason, now)


async def _kin_orders(connection: Connection, site: JudgedSite, alarm: Alarm) -> Sequence[int]:
    rules = site.kin(alarm.facility_kind, alarm.rule_key)
    if alarm.severity is not Severity.LIFE_SAFETY or not rules:
        return ()
    return await work_orders.of_standing(connection, alarm.condition_id, rules)


async def _wait(connection: Connection, alarm: Alarm, decision: OrderDecision, now: datetime) -> None:
    assert decision.due_at is not None
    await timers.start(
        connection,
        site_id=alarm.site_id,
        kind=TimerKind.ORDER_DUE,
        alarm_id=alarm.id,
        since=now,
        due_at=decision.due_at,
    )


async def _open(
    connection: Connection, site: JudgedSite, alarm: Alarm, work_class: str, decision: OrderDecision, act: Act
) -> None:
    title_zh, title_en = _titles(site, alarm)
    order_id = await work_orders.open_order(
        connection,
        act,
        site_id=alarm.site_id,
        facility_id=alarm.facility_id,
        work_class=work_class,
        title_zh=title_zh,
        title_en=title_en,
        severity=alarm.severity,
        priority=decision.priority,
        deadlines=decision.deadlines,
    )
    await work_orders.add_alarm(connection, order_id, alarm.id, act, move="open")
    for linked_id in decision.linked_ids:
        await work_orders.add_alarm(connection, linked_id, alarm.id, act, move="link")


def _titles(site: JudgedSite, alarm: Alarm) -> tuple[str, str]:
    """What the rule is called, with the part it speaks of."""
    rule = site.rule(alarm.facility_kind, alarm.rule_key)
    if rule is None:
        return alarm.rule_key, alarm.rule_key
    condition = site.conditions.get(alarm.condition_id)
    part = site.parts.get(condition.part_id or 0) if condition is not None else None
    if part is None:
        return rule.title.zh, rule.title.en
    return f"{part.name_zh} {rule.title.zh}", f"{part.name_en}: {rule.title.en}"
