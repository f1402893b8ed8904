"""Work orders: opened, joined, moved and breached; every change with its journal, clocks, dossier entry and notice.

An order's clocks are timers. A clock is met by the moves the lifecycle names for it; one that runs out first becomes a
breach event and stays on record. While an order is suspended its clocks stand still; resuming moves the unmet ones by
the time that passed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncCursor
from psycopg.types.json import Jsonb

from ledger import dossier, fitness, hazards, notices, order_clocks, timers
from ledger.errors import IllegalMove, Invalid, NotFound
from ledger.lifecycle import (
    CLOCK_MET_BY,
    UNRESOLVED_STATES,
    WORK_ORDER_MOVES,
    WorkOrderClock,
    WorkOrderMove,
    WorkOrderState,
    legal_work_order_moves,
)
from ledger.pool import Connection
from ledger.records import Deadlines, Grade, Priority, Severity, TimerKind, WorkOrder

_STOPS_ALL_CLOCKS = frozenset({WorkOrderMove.CANCEL, WorkOrderMove.RESOLVE, WorkOrderMove.SUSPEND})
# The next one has to accept as well: what is left of that clock runs on.
_GIVEN_TO_ANOTHER = (WorkOrderMove.DISPATCH, WorkOrderState.ACCEPTED, WorkOrderClock.ACCEPT_BY)


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something to an order, why, and when."""

    actor: str
    reason: str
    now: datetime
    note: str | None = None
    detail: Mapping[str, object] | None = None


async def open_order(
    connection: Connection,
    act: Act,
    *,
    site_id: int,
    facility_id: int,
    work_class: str,
    title_zh: str,
    title_en: str,
    severity: Severity | None,
    priority: Priority,
    deadlines: Deadlines,
) -> int:
    """Open an order with its clocks running; returns its id."""
    await dossier.lock_facilities(connection, [facility_id])
    running = [(clock, deadline) for clock in WorkOrderClock if (deadline := deadlines.of(clock)) is not None]
    cursor = await connection.execute(
        "with opened as (insert into work_order (site_id, facility_id, work_class, title_zh, title_en, severity, "
        "priority, opened_at, opened_by, open_reason, accept_by, arrive_by, plan_by, restore_by, journal_length) "
        "values (%(site)s, %(facility)s, %(work_class)s, %(zh)s, %(en)s, %(severity)s, %(priority)s, %(now)s, "
        "%(actor)s, %(reason)s, %(accept_by)s, %(arrive_by)s, %(plan_by)s, %(restore_by)s, 1) "
        "returning id, site_id, state), "
        "running as (insert into timer (site_id, kind, work_order_id, clock, since, due_at) "
        "select site_id, 'order_clock', opened.id, given.clock, %(now)s, given.due_at from opened, "
        "unnest(%(clocks)s::work_order_clock[], %(due)s::timestamptz[]) as given (clock, due_at)) "
        "insert into work_order_event (site_id, work_order_id, seq, move, from_state, to_state, at, recorded_at, "
        "actor, reason, note, detail) select site_id, id, 1, 'open', state, state, %(now)s, %(now)s, %(actor)s, "
        "%(reason)s, %(note)s, %(detail)s from opened returning work_order_id",
        {
            "site": site_id,
            "facility": facility_id,
            "work_class": work_class,
            "zh": title_zh,
            "en": title_en,
            "severity": severity,
            "priority": priority,
            "now": act.now,
            "actor": act.actor,
            "reason": act.reason,
            "note": act.note,
            "detail": Jsonb(act.detail or {}),
            **{clock.value: deadlines.of(clock) for clock in WorkOrderClock},
            "clocks": [clock.value for clock, _ in running],
            "due": [deadline for _, deadline in running],
        },
    )
    row = await cursor.fetchone()
    assert row is not None
    order_id = int(row[0])
    opened = WorkOrderState.OPENED
    await _tell(connection, site_id, facility_id, order_id, "open", opened, opened, act, None, act.now)
    return order_id


async def add_alarm(connection: Connection, order_id: int, alarm_id: int, act: Act, *, move: str) -> None:
    """Link an alarm to an order; `move` is 'open' (it opened it), 'join' or 'link'. Joining twice does nothing."""
    cursor = await connection.execute(
        "insert into work_order_alarm (site_id, work_order_id, alarm_id, reason, linked_at) "
        "select site_id, id, %s, %s, %s from work_order where id = %s on conflict do nothing returning alarm_id",
        [alarm_id, act.reason, act.now, order_id],
    )
    if move != "open" and await cursor.fetchone() is not None:
        state = (await get(connection, order_id)).state
        await _journal(connection, order_id, move, state, state, act)


async def join(
    connection: Connection,
    order_id: int,
    alarm_id: int | None,
    act: Act,
    *,
    priority: Priority,
    severity: Severity,
    deadlines: Deadlines,
) -> None:
    """Let an alarm, or what a person found, join an unresolved order: earlier clocks, higher priority; it is resumed."""
    order = await locked(connection, order_id)
    assert order.state in UNRESOLVED_STATES, "only an unresolved order is joined"
    await _breach_missed(connection, order, act.now)
    if order.state is WorkOrderState.SUSPENDED:
        await move(connection, order_id, WorkOrderMove.RESUME, act)
        order = await get(connection, order_id)
    await connection.execute(
        "update work_order set priority = greatest(priority, %s), severity = greatest(severity, %s) where id = %s",
        [priority, severity, order_id],
    )
    for clock in WorkOrderClock:
        offered, running = deadlines.of(clock), order_clocks.deadline_of(order, clock)
        if offered is not None and not order_clocks.is_met(order, clock) and (running is None or offered < running):
            await order_clocks.set_deadline(connection, order, clock, act.now, offered)
    if alarm_id is None:
        await _journal(connection, order_id, "join", order.state, order.state, act)
    else:
        await add_alarm(connection, order_id, alarm_id, act, move="join")


async def move(
    connection: Connection, order_id: int, step: WorkOrderMove, act: Act, *, assignee: str | None = None
) -> WorkOrder:
    """Do one move and return the order as it is afterwards.

    DISPATCH needs an assignee; SUSPEND, CANCEL and REOPEN keep `act.note` as their reason and need it. Raises NotFound,
    Invalid, or IllegalMove, which changes nothing and names the legal moves; Refused when a hazard shall be closed that the
    fire manager has not confirmed.
    """
    order = await locked(connection, order_id)
    if (order.state, step) not in WORK_ORDER_MOVES:
        raise IllegalMove(f"work order {order_id}", order.state, step, legal_work_order_moves(order.state))
    _require(step, act, assignee)
    if step is WorkOrderMove.CLOSE:
        await hazards.require_confirmed(connection, order_id)
    await _breach_missed(connection, order, act.now)
    to_state = WORK_ORDER_MOVES[order.state, step] or order.suspended_from
    assert to_state is not None, "a suspended order remembers where it was"
    cursor = await connection.execute(
        "update work_order set state = %(to)s, assignee = coalesce(%(assignee)s, assignee), "
        "suspended_from = case when %(step)s = 'suspend' then state end, "
        "suspended_at = case when %(step)s = 'suspend' then %(now)s::timestamptz end, "
        "suspended_reason = case when %(step)s = 'suspend' then %(note)s end, "
        "accepted_at = case %(step)s when 'accept' then %(now)s when 'dispatch' then null when 'reopen' then null "
        "else accepted_at end, "
        "arrived_at = case %(step)s when 'arrive' then coalesce(arrived_at, %(now)s) when 'reopen' then null else arrived_at end, "
        "planned_at = case %(step)s when 'plan' then %(now)s when 'reopen' then null else planned_at end, "
        "resolved_at = case %(step)s when 'resolve' then %(now)s when 'reopen' then null else resolved_at end, "
        "ended_at = case when %(step)s in ('close', 'cancel') then %(now)s::timestamptz end "
        "where id = %(id)s and state = %(from)s returning id",
        {
            "id": order_id,
            "from": order.state,
            "to": to_state,
            "step": step.value,
            "now": act.now,
            "note": act.note,
            "assignee": assignee,
        },
    )
    assert await cursor.fetchone() is not None, "the facility's lock keeps the order from moving under us"
    await _turn_clocks(connection, order, step, act.now)
    await _journal(connection, order_id, step.value, order.state, to_state, act)
    if step is WorkOrderMove.CLOSE:
        await fitness.order_closed(connection, order, act.actor, act.now)
    return await get(connection, order_id)


async def restart_clocks(connection: Connection, order_id: int, deadlines: Deadlines, act: Act) -> None:
    """Give an order new deadlines, as after a reopening; clocks without one stop."""
    order = await locked(connection, order_id)
    for clock in WorkOrderClock:
        await order_clocks.set_deadline(connection, order, clock, act.now, deadlines.of(clock))


async def breach(connection: Connection, timer: timers.Timer, now: datetime) -> None:
    """A clock ran out before it was met: on record for good. The caller has claimed the timer."""
    assert timer.work_order_id is not None
    assert timer.clock is not None
    order = await locked(connection, timer.work_order_id)
    await _journal_breach(connection, order, timer.clock, timer.due_at, now)


async def note(connection: Connection, order_id: int, act: Act) -> None:
    """Words of a person in the order's journal. Raises NotFound."""
    await enter(connection, await locked(connection, order_id), "note", act)


async def enter(connection: Connection, order: WorkOrder, what: str, act: Act) -> None:
    """What happens to a locked order and moves it nowhere: a note, a photo, a part used."""
    await _journal(connection, order.id, what, order.state, order.state, act)


async def alarm_cleared(connection: Connection, alarm_id: int, now: datetime) -> None:
    """Tell every unfinished order of an alarm that the process is back to normal; people still verify and close."""
    cursor = await connection.execute(
        "select work_order.id, work_order.state from work_order_alarm "
        "join work_order on work_order.id = work_order_alarm.work_order_id "
        "where alarm_id = %s and work_order.ended_at is null order by 1",
        [alarm_id],
    )
    for order_id, state in await cursor.fetchall():
        act = Act("rules", "alarm_cleared", now, detail={"alarm": alarm_id})
        await _journal(connection, order_id, "alarm_cleared", WorkOrderState(state), WorkOrderState(state), act)


WORK_ORDER_COLUMNS = (
    "select work_order.id, work_order.site_id, site.key as site_key, facility_id, facility.key as facility_key, "
    "facility.name_zh as facility_name_zh, facility.name_en as facility_name_en, grade, work_class, title_zh, title_en, severity, "
    "priority, state, suspended_from, suspended_at, suspended_reason, opened_at, opened_by, open_reason, assignee, "
    "accept_by, arrive_by, plan_by, restore_by, accepted_at, arrived_at, planned_at, resolved_at, ended_at, "
    "array(select alarm_id from work_order_alarm where work_order_id = work_order.id order by 1) as alarm_ids "
    "from work_order join site on site.id = work_order.site_id join facility on facility.id = work_order.facility_id "
)


async def get(connection: Connection, order_id: int) -> WorkOrder:
    """Raises NotFound."""
    async with connection.cursor(row_factory=work_order_row) as cursor:
        await cursor.execute(WORK_ORDER_COLUMNS + "where work_order.id = %s", [order_id])
        order = await cursor.fetchone()
    if order is None:
        raise NotFound("work order", order_id)
    return order


async def unresolved(connection: Connection, facility_id: int) -> list[WorkOrder]:
    """Orders of a facility that an alarm could join, oldest first."""
    async with connection.cursor(row_factory=work_order_row) as cursor:
        await cursor.execute(
            WORK_ORDER_COLUMNS
            + "where facility_id = %s and state = any(%s::work_order_state[]) order by work_order.id",
            [facility_id, [state.value for state in UNRESOLVED_STATES]],
        )
        return await cursor.fetchall()


async def of_standing(connection: Connection, condition_id: int, rules: Iterable[str]) -> list[int]:
    """The own orders of alarms of these rules that stand at the place of a condition, and are in service.

    An alarm is linked to what was open when its own order was opened, so its own is the newest of its orders.
    """
    cursor = await connection.execute(
        "select max(work_order_id) from work_order_alarm join alarm on alarm.id = alarm_id "
        "join condition on condition.id = alarm.condition_id join condition as asking on asking.id = %s "
        "where condition.facility_id = asking.facility_id and condition.id <> asking.id "
        "and (condition.part_id is null or asking.part_id is null or condition.part_id = asking.part_id) "
        "and condition.rule_key = any(%s) and not condition.out_of_service "
        "and alarm.ended_at is null and alarm.returned_at is null group by alarm.id order by 1",
        [condition_id, sorted(rules)],
    )
    return [row[0] async for row in cursor]


def work_order_row(cursor: AsyncCursor[object]) -> Callable[[Sequence[object]], WorkOrder]:
    del cursor  # the columns are ours and fixed
    return _make_work_order


def _make_work_order(values: Sequence[object]) -> WorkOrder:
    fields = list(values)
    fields[7] = Grade(str(fields[7]))
    fields[11] = fields[11] and Severity(str(fields[11]))
    fields[12] = Priority(str(fields[12]))
    fields[13] = WorkOrderState(str(fields[13]))
    fields[14] = fields[14] and WorkOrderState(str(fields[14]))
    return WorkOrder(*fields)  # pyright: ignore[reportArgumentType]  the columns stand in the record's order


def _require(step: WorkOrderMove, act: Act, assignee: str | None) -> None:
    if step is WorkOrderMove.DISPATCH and not assignee:
        raise Invalid("dispatch needs an assignee: name who shall do it")
    if step in (WorkOrderMove.SUSPEND, WorkOrderMove.CANCEL, WorkOrderMove.REOPEN) and not act.note:
        raise Invalid(f"{step.value} needs a note: say why")


async def locked(connection: Connection, order_id: int) -> WorkOrder:
    """The order, read after its facility is locked, so that nobody changes it until this transaction ends."""
    order = await get(connection, order_id)
    await dossier.lock_facilities(connection, [order.facility_id])
    return await get(connection, order_id)


async def _turn_clocks(connection: Connection, order: WorkOrder, step: WorkOrderMove, now: datetime) -> None:
    for clock in WorkOrderClock:
        deadline = order_clocks.deadline_of(order, clock)
        if deadline is None:
            continue
        if step in CLOCK_MET_BY[clock] or step in _STOPS_ALL_CLOCKS:
            await timers.stop(connection, TimerKind.ORDER_CLOCK, work_order_id=order.id, clock=clock)
        elif step is WorkOrderMove.RESUME and not order_clocks.is_met(order, clock):
            assert order.suspended_at is not None
            if deadline > order.suspended_at:  # one missed before stays missed, and has its breach already
                stood_still = now - order.suspended_at
                await order_clocks.set_deadline(connection, order, clock, now, deadline + stood_still)
        elif (step, order.state, clock) == _GIVEN_TO_ANOTHER and deadline > now:
            await order_clocks.run(connection, order.site_id, order.id, clock, now, deadline)


async def _breach_missed(connection: Connection, order: WorkOrder, now: datetime) -> None:
    """Whoever acts on an order after a deadline but before the clocks are looked at again does not hide the breach."""
    for clock, deadline in await order_clocks.take_missed(connection, order.id, now):
        await _journal_breach(connection, order, clock, deadline, now)


async def _journal_breach(
    connection: Connection, order: WorkOrder, clock: WorkOrderClock, deadline: datetime, now: datetime
) -> None:
    act = Act("clock", f"{clock.value}_missed", now, detail={"deadline": deadline.isoformat()})
    await _journal(connection, order.id, "breach", order.state, order.state, act, clock=clock, at=deadline)


async def _journal(
    connection: Connection,
    order_id: int,
    move: str,
    from_state: WorkOrderState,
    to_state: WorkOrderState,
    act: Act,
    *,
    clock: WorkOrderClock | None = None,
    at: datetime | None = None,
) -> None:
    """Journal entry, dossier entry and notice of one change."""
    at = at or act.now
    cursor = await connection.execute(
        "with moved as (update work_order set journal_length = journal_length + 1 where id = %s "
        "returning id, site_id, facility_id, journal_length), "
        "entered as (insert into work_order_event (site_id, work_order_id, seq, move, from_state, to_state, clock, at, "
        "recorded_at, actor, reason, note, detail) "
        "select site_id, id, journal_length, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s from moved) "
        "select site_id, facility_id from moved",
        [
            order_id,
            move,
            from_state,
            to_state,
            clock,
            at,
            act.now,
            act.actor,
            act.reason,
            act.note,
            Jsonb(act.detail or {}),
        ],
    )
    row = await cursor.fetchone()
    assert row is not None
    await _tell(connection, row[0], row[1], order_id, move, from_state, to_state, act, clock, at)


async def _tell(
    connection: Connection,
    site_id: int,
    facility_id: int,
    order_id: int,
    move: str,
    from_state: WorkOrderState,
    to_state: WorkOrderState,
    act: Act,
    clock: WorkOrderClock | None,
    at: datetime,
) -> None:
    body = {
        "work_order": order_id,
        "move": move,
        "from": from_state,
        "to": to_state,
        "clock": clock,
        "at": at,
        "actor": act.actor,
        "reason": act.reason,
        "note": act.note,
        **({} if act.detail is None else {"detail": act.detail}),
    }
    await dossier.append(
        connection, site_id=site_id, facility_id=facility_id, kind="work_order", body=body, now=act.now
    )
    await notices.work_order_changed(connection, order_id, act.now)
