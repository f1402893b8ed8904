"""The work order of an alarm: decided by `rules.response`, written into the ledger. The caller has locked the facility."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from ledger import annunciation, timers, work_orders
from ledger.pool import Connection
from ledger.records import Alarm, Part, Severity, Site, TimerKind
from ledger.work_orders import Act
from rules import response
from rules.model import Rule
from rules.response import AlarmFacts, OrderAction, OrderDecision, ResponseTable

_WORK_CLASS_UNKNOWN = "general"  # of a rule that has left its pack while its alarm stood


@dataclass(frozen=True, slots=True)
class Subject:
    """What the alarm is about, as configuration has it."""

    site: Site
    rule: Rule | None  # None: it has left its pack since the condition was made
    part: Part | None = None
    kin: AbstractSet[str] = frozenset()  # the rules that tell of one cause with it


async def follow_up(
    connection: Connection,
    actor: str,
    subject: Subject,
    alarm: Alarm,
    table: ResponseTable,
    now: datetime,
    *,
    waited: bool = False,
) -> int | None:
    """Decide about the alarm's work order, and do it. Gives the order's id when one was opened."""
    facts = AlarmFacts(
        severity=alarm.severity,
        grade=alarm.grade,
        facility_id=alarm.facility_id,
        work_class=_WORK_CLASS_UNKNOWN if subject.rule is None else subject.rule.work_class,
        can_wait=subject.rule is not None and subject.rule.can_wait,
        order_ids=alarm.work_order_ids,
        kin_order_ids=await _kin_orders(connection, subject, alarm),
        waited=waited,
    )
    unresolved = await work_orders.unresolved(connection, alarm.facility_id)
    decision = response.decide_order(table, facts, unresolved, subject.site, now)
    if decision.action is OrderAction.NOTHING:
        return None
    opened = None
    if decision.action is OrderAction.WAIT:
        await _wait(connection, alarm, decision, now)
    else:
        await timers.stop(connection, TimerKind.ORDER_DUE, alarm_id=alarm.id)
        act = Act(actor, decision.reason, now, detail={"alarm": alarm.id})
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
            opened = await _open(connection, subject, alarm, facts.work_class, decision, act)
    await annunciation.set_order_reason(connection, alarm.id, decision.reason, now)
    return opened


async def _kin_orders(connection: Connection, subject: Subject, alarm: Alarm) -> list[int]:
    if alarm.severity is not Severity.LIFE_SAFETY or not subject.kin:
        return []
    return list(await work_orders.of_standing(connection, alarm.condition_id, subject.kin))


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
    connection: Connection, subject: Subject, alarm: Alarm, work_class: str, decision: OrderDecision, act: Act
) -> int:
    title_zh, title_en = _titles(subject, alarm)
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
    return order_id


def _titles(subject: Subject, alarm: Alarm) -> tuple[str, str]:
    """What the rule is called, with the part it speaks of."""
    rule, part = subject.rule, subject.part
    if rule is None:
        return alarm.rule_key, alarm.rule_key
    if part is None:
        return rule.title.zh, rule.title.en
    return f"{part.name_zh} {rule.title.zh}", f"{part.name_en}: {rule.title.en}"
