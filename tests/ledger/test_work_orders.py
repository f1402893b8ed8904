"""Work orders in the real ledger: every (state, move), the clocks, joining, and a model that keeps its own account."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import dossier, timers, work_orders
from ledger.errors import IllegalMove, Invalid, NotFound
from ledger.lifecycle import (
    CLOCK_MET_BY,
    WORK_ORDER_MOVES,
    WORKING_STATES,
    WorkOrderClock,
    WorkOrderMove,
    WorkOrderState,
    legal_work_order_moves,
)
from ledger.records import Deadlines, Priority, Severity, TimerKind, WorkOrder
from ledger.work_orders import Act
from tests.fix_database import Connection
from tests.fix_wait import Eventually
from tests.locks import waits_for_a_lock
from tests.small_estate import NOON, SmallSite, build, later, raise_alarm

W, V, K = WorkOrderState, WorkOrderMove, WorkOrderClock

WAY_TO = {
    W.OPENED: [],
    W.DISPATCHED: [V.DISPATCH],
    W.ACCEPTED: [V.DISPATCH, V.ACCEPT],
    W.ARRIVED: [V.DISPATCH, V.ACCEPT, V.ARRIVE],
    W.PLANNED: [V.DISPATCH, V.ACCEPT, V.PLAN],
    W.RESOLVED: [V.DISPATCH, V.ACCEPT, V.ARRIVE, V.RESOLVE],
    W.VERIFIED: [V.DISPATCH, V.ACCEPT, V.ARRIVE, V.RESOLVE, V.VERIFY],
    W.CLOSED: [V.DISPATCH, V.ACCEPT, V.ARRIVE, V.RESOLVE, V.VERIFY, V.CLOSE],
    W.SUSPENDED: [V.DISPATCH, V.ACCEPT, V.SUSPEND],
    W.CANCELLED: [V.CANCEL],
}


@pytest.fixture
async def site(connection: Connection) -> SmallSite:
    return await build(connection, "garden", "花园小区")


def deadlines(
    start: datetime = NOON, *, accept: int = 15, arrive: int = 30, plan: int = 60, restore: int = 240
) -> Deadlines:
    minutes = (timedelta(minutes=each) for each in (accept, arrive, plan, restore))
    return Deadlines(*(start + each for each in minutes))


async def open_order(connection: Any, site: SmallSite, clocks: Deadlines | None = None) -> int:
    return await work_orders.open_order(
        connection,
        Act("rules", "opened_now", NOON),
        site_id=site.id,
        facility_id=site.booster,
        work_class="water_supply",
        title_zh="出水压力低",
        title_en="Outlet pressure low",
        severity=Severity.WARNING,
        priority=Priority.MEDIUM,
        deadlines=deadlines() if clocks is None else clocks,
    )


async def do(connection: Any, order_id: int, step: WorkOrderMove, minute: float = 0) -> WorkOrder:
    act = Act("李工", "person", later(minutes=minute), note="说明")
    return await work_orders.move(connection, order_id, step, act, assignee="张师傅" if step is V.DISPATCH else None)


async def scalar(connection: Any, statement: str, *values: object) -> Any:
    row = await (await connection.execute(statement, values)).fetchone()
    return row and row[0]


@asynccontextmanager
async def undone(connection: Any) -> AsyncIterator[None]:
    async with connection.transaction(force_rollback=True):
        yield


async def everything(connection: Any) -> list[object]:
    rows: list[object] = []
    for table in ("work_order", "work_order_event", "dossier_entry", "timer", "outbox"):
        cursor = await connection.execute(f"select to_jsonb({table}) from {table} order by id")
        rows += [row[0] for row in await cursor.fetchall()]
    return rows


async def running(connection: Any, order_id: int) -> dict[WorkOrderClock, datetime]:
    cursor = await connection.execute(
        "select clock, due_at from timer where kind = 'order_clock' and work_order_id = %s", [order_id]
    )
    return {K(clock): due_at for clock, due_at in await cursor.fetchall()}


async def breaches(connection: Any, order_id: int) -> list[tuple[str, datetime]]:
    cursor = await connection.execute(
        "select clock, at from work_order_event where work_order_id = %s and move = 'breach' order by seq", [order_id]
    )
    return [(clock, at) for clock, at in await cursor.fetchall()]


async def tick(connection: Any, site: SmallSite, minute: float) -> None:
    """What ingest's tick does with order clocks."""
    now = later(minutes=minute)
    for timer in await timers.due(connection, [site.id], now):
        assert timer.kind is TimerKind.ORDER_CLOCK
        if await timers.claim(connection, timer):
            await work_orders.breach(connection, timer, now)


@pytest.mark.parametrize(("state", "step"), list(itertools.product(W, V)))
async def test_every_move_from_every_state(
    connection: Connection, site: SmallSite, state: WorkOrderState, step: WorkOrderMove
) -> None:
    """Legal ones change the state, once in the journal; illegal ones name the legal and change nothing."""
    order_id = await open_order(connection, site)
    for on_the_way in WAY_TO[state]:
        await do(connection, order_id, on_the_way)
    before = await work_orders.get(connection, order_id)
    assert before.state is state
    untouched = await everything(connection)
    if (state, step) not in WORK_ORDER_MOVES:
        with pytest.raises(IllegalMove) as refusal:
            await do(connection, order_id, step, 1)
        assert refusal.value.legal == legal_work_order_moves(state)
        assert await everything(connection) == untouched
        return
    after = await do(connection, order_id, step, 1)
    assert after.state is (WORK_ORDER_MOVES[state, step] or before.suspended_from)
    event = await (
        await connection.execute(
            "select seq, move, from_state, to_state, actor, note, at from work_order_event "
            "where work_order_id = %s order by seq desc limit 1",
            [order_id],
        )
    ).fetchone()
    assert event == (len(WAY_TO[state]) + 2, step, state, after.state, "李工", "说明", later(minutes=1))
    assert (after.ended_at is not None) == (after.state in (W.CLOSED, W.CANCELLED))
    assert (after.suspended_from is not None) == (after.state is W.SUSPENDED)
    entries = await dossier.entries(connection, site.booster)
    assert len(entries) == event[0]
    assert entries[-1].body["move"] == step


@pytest.mark.parametrize("step", [V.SUSPEND, V.CANCEL, V.REOPEN, V.DISPATCH])
async def test_what_must_be_said_is_asked_for(connection: Connection, site: SmallSite, step: WorkOrderMove) -> None:
    order_id = await open_order(connection, site)
    for on_the_way in WAY_TO[W.RESOLVED if step is V.REOPEN else W.OPENED]:
        await do(connection, order_id, on_the_way)
    untouched = await everything(connection)
    with pytest.raises(Invalid, match=step.value):
        await work_orders.move(connection, order_id, step, Act("李工", "person", NOON))
    assert await everything(connection) == untouched


async def test_an_unknown_order_is_not_found(connection: Connection, site: SmallSite) -> None:
    with pytest.raises(NotFound):
        await do(connection, 10**6, V.ACCEPT)


async def test_a_clock_is_met_by_its_own_moves_only(connection: Connection, site: SmallSite) -> None:
    order_id = await open_order(connection, site)
    assert set(await running(connection, order_id)) == set(K)
    for step, left in (
        (V.DISPATCH, {*K}),
        (V.ACCEPT, {K.ARRIVE_BY, K.PLAN_BY, K.RESTORE_BY}),
        (V.PLAN, {K.ARRIVE_BY, K.RESTORE_BY}),
        (V.ARRIVE, {K.RESTORE_BY}),
        (V.RESOLVE, set[WorkOrderClock]()),
    ):
        await do(connection, order_id, step, 1)
        assert set(await running(connection, order_id)) == left, step
    assert await breaches(connection, order_id) == []


async def test_arriving_after_planning_from_afar_keeps_the_first_arrival(
    connection: Connection, site: SmallSite
) -> None:
    order_id = await open_order(connection, site)
    for minute, step in enumerate((V.DISPATCH, V.ACCEPT, V.PLAN, V.ARRIVE, V.ARRIVE)):
        await do(connection, order_id, step, minute)
    assert (await work_orders.get(connection, order_id)).arrived_at == later(minutes=3)


async def test_suspending_stops_the_clocks_and_resuming_moves_what_was_ahead(
    connection: Connection, site: SmallSite
) -> None:
    order_id = await open_order(connection, site)
    await do(connection, order_id, V.DISPATCH, 1)
    await tick(connection, site, 16)  # accept_by, at 15, is missed
    await do(connection, order_id, V.SUSPEND, 20)
    assert await running(connection, order_id) == {}
    await tick(connection, site, 500)
    order = await do(connection, order_id, V.RESUME, 1020)
    assert await breaches(connection, order_id) == [("accept_by", later(minutes=15))]
    assert order.accept_by == later(minutes=15)
    assert (order.arrive_by, order.plan_by, order.restore_by) == tuple(
        later(minutes=minute + 1000) for minute in (30, 60, 240)
    )
    assert set(await running(connection, order_id)) == {K.ARRIVE_BY, K.PLAN_BY, K.RESTORE_BY}


async def test_a_breach_is_written_once_whoever_comes_first(connection: Connection, site: SmallSite) -> None:
    order_id = await open_order(connection, site)
    await tick(connection, site, 15)
    await tick(connection, site, 16)
    await do(connection, order_id, V.DISPATCH, 17)
    await do(connection, order_id, V.ACCEPT, 18)
    assert await breaches(connection, order_id) == [("accept_by", later(minutes=15))]


@pytest.mark.parametrize("step", [V.ACCEPT, V.SUSPEND, V.CANCEL])
async def test_acting_late_but_before_the_tick_does_not_hide_the_breach(
    connection: Connection, site: SmallSite, step: WorkOrderMove
) -> None:
    order_id = await open_order(connection, site)
    await do(connection, order_id, V.DISPATCH, 1)
    await do(connection, order_id, step, 40)
    await tick(connection, site, 41)
    assert await breaches(connection, order_id) == [
        ("accept_by", later(minutes=15)),
        ("arrive_by", later(minutes=30)),
    ]


async def test_the_next_one_has_to_accept_too(connection: Connection, site: SmallSite) -> None:
    order_id = await open_order(connection, site)
    for step in (V.DISPATCH, V.ACCEPT, V.DISPATCH):
        await do(connection, order_id, step, 1)
    assert (await running(connection, order_id))[K.ACCEPT_BY] == later(minutes=15)
    await do(connection, order_id, V.ACCEPT, 2)
    await do(connection, order_id, V.DISPATCH, 20)  # the time to accept is over, and was met
    assert K.ACCEPT_BY not in await running(connection, order_id)


async def test_reopening_takes_new_deadlines(connection: Connection, site: SmallSite) -> None:
    order_id = await open_order(connection, site)
    for step in WAY_TO[W.RESOLVED]:
        await do(connection, order_id, step, 1)
    reopened = await do(connection, order_id, V.REOPEN, 100)
    assert (reopened.accepted_at, reopened.arrived_at, reopened.planned_at, reopened.resolved_at) == (None,) * 4
    assert reopened.assignee == "张师傅"
    again = Deadlines(accept_by=later(minutes=115))
    await work_orders.restart_clocks(connection, order_id, again, Act("李工", "reopened", later(minutes=100)))
    assert await running(connection, order_id) == {K.ACCEPT_BY: later(minutes=115)}
    await tick(connection, site, 116)
    assert await breaches(connection, order_id) == [("accept_by", later(minutes=115))]


async def test_joining_takes_the_earlier_of_each_clock_and_the_higher_priority(
    connection: Connection, site: SmallSite
) -> None:
    order_id = await open_order(connection, site, deadlines(accept=30, arrive=30, plan=60))
    await do(connection, order_id, V.DISPATCH, 1)
    await do(connection, order_id, V.ACCEPT, 2)
    alarm = await raise_alarm(connection, site.conditions["flood"])
    assert alarm.alarm_id is not None
    offered = Deadlines(later(minutes=5), later(minutes=20), later(minutes=90), None)
    act = Act("rules", "joins_open_order", later(minutes=3))
    for _ in range(2):
        await work_orders.join(
            connection,
            order_id,
            alarm.alarm_id,
            act,
            priority=Priority.HIGH,
            severity=Severity.CRITICAL,
            deadlines=offered,
        )
    order = await work_orders.get(connection, order_id)
    assert (order.priority, order.severity, order.alarm_ids) == (Priority.HIGH, Severity.CRITICAL, [alarm.alarm_id])
    assert order.accept_by == later(minutes=30), "a clock that is met stays as it was"
    assert (order.arrive_by, order.plan_by, order.restore_by) == (
        later(minutes=20),
        later(minutes=60),
        later(minutes=240),
    )
    assert (await running(connection, order_id))[K.ARRIVE_BY] == later(minutes=20)
    assert await scalar(connection, "select count(*) from work_order_event where move = 'join'") == 1


async def test_joining_never_lowers_and_resumes_what_is_suspended(connection: Connection, site: SmallSite) -> None:
    order_id = await open_order(connection, site)
    await do(connection, order_id, V.DISPATCH, 1)
    await do(connection, order_id, V.SUSPEND, 2)
    alarm = await raise_alarm(connection, site.conditions["flood"])
    assert alarm.alarm_id is not None
    await work_orders.join(
        connection,
        order_id,
        alarm.alarm_id,
        Act("rules", "joins_open_order", later(minutes=12)),
        priority=Priority.LOW,
        severity=Severity.WARNING,
        deadlines=Deadlines(),
    )
    order = await work_orders.get(connection, order_id)
    assert (order.state, order.priority, order.severity) == (W.DISPATCHED, Priority.MEDIUM, Severity.WARNING)
    assert order.accept_by == later(minutes=25)


async def test_unresolved_orders_are_those_an_alarm_may_join(connection: Connection, site: SmallSite) -> None:
    found: dict[WorkOrderState, int] = {}
    for state, way in WAY_TO.items():
        found[state] = await open_order(connection, site)
        for step in way:
            await do(connection, found[state], step)
    joinable = {order.state for order in await work_orders.unresolved(connection, site.booster)}
    assert joinable == {*WORKING_STATES, W.SUSPENDED}


async def test_a_cleared_alarm_is_told_to_its_unfinished_orders(connection: Connection, site: SmallSite) -> None:
    alarm = await raise_alarm(connection, site.conditions["flood"])
    assert alarm.alarm_id is not None
    act = Act("rules", "opened_now", NOON)
    orders = [await open_order(connection, site) for _ in range(2)]
    for order_id in orders:
        await work_orders.add_alarm(connection, order_id, alarm.alarm_id, act, move="open")
    await do(connection, orders[0], V.CANCEL)
    await work_orders.alarm_cleared(connection, alarm.alarm_id, later(minutes=1))
    cursor = await connection.execute("select work_order_id from work_order_event where move = 'alarm_cleared'")
    assert await cursor.fetchall() == [(orders[1],)]


async def test_a_note_is_journalled(connection: Connection, site: SmallSite) -> None:
    order_id = await open_order(connection, site)
    await work_orders.note(connection, order_id, Act("李工", "person", NOON, note="等配件"))
    assert await scalar(connection, "select note from work_order_event where move = 'note'") == "等配件"


async def test_of_two_who_accept_at_once_one_does(
    connection: Connection, database_url: str, eventually: Eventually
) -> None:
    site = await build(connection, "garden", "花园小区")
    order_id = await open_order(connection, site)
    await do(connection, order_id, V.DISPATCH)
    await connection.commit()
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await do(connection, order_id, V.ACCEPT, 1)
        second = asyncio.create_task(do(other, order_id, V.ACCEPT, 1))
        await eventually(lambda: waits_for_a_lock(database_url, other.info.backend_pid))
        await connection.commit()
        with pytest.raises(IllegalMove, match="accepted"):
            await second
        await other.rollback()
    assert await scalar(connection, "select count(*) from work_order_event where move = 'accept'") == 1


async def test_the_tick_and_a_person_at_once_write_one_breach(
    connection: Connection, database_url: str, eventually: Eventually
) -> None:
    site = await build(connection, "garden", "花园小区")
    order_id = await open_order(connection, site)
    await do(connection, order_id, V.DISPATCH)
    await connection.commit()
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await do(connection, order_id, V.ACCEPT, 20)
        second = asyncio.create_task(tick(other, site, 20))
        await eventually(lambda: waits_for_a_lock(database_url, other.info.backend_pid))
        await connection.commit()
        await second
        await other.commit()
    assert await breaches(connection, order_id) == [("accept_by", later(minutes=15))]


# ------------------------------------------------------------------ any sequence of moves


@dataclass
class Book:
    """The clocks of one order, kept a second time in the simplest way: by what is left of each when it last stopped."""

    ahead: dict[WorkOrderClock, timedelta]
    missed: list[tuple[str, datetime]] = field(default_factory=list[tuple[str, datetime]])
    met: set[WorkOrderClock] = field(default_factory=set[WorkOrderClock])
    over: set[WorkOrderClock] = field(default_factory=set[WorkOrderClock])

    def pass_time(self, state: WorkOrderState, now: datetime, pause: timedelta) -> None:
        for clock in K:
            if clock in self.met:
                self.ahead[clock] -= pause  # nobody waits for it, not even while the order is suspended
            if state not in WORKING_STATES or clock in self.met | self.over:
                continue
            self.ahead[clock] -= pause
            if self.ahead[clock] <= timedelta():
                self.over.add(clock)
                self.missed.append((clock.value, now + self.ahead[clock]))

    def move(self, before: WorkOrderState, step: WorkOrderMove, clocks: Deadlines, now: datetime) -> None:
        self.met |= {clock for clock, moves in CLOCK_MET_BY.items() if step in moves and clock not in self.over}
        if step is V.DISPATCH and before is W.ACCEPTED and self.ahead[K.ACCEPT_BY] > timedelta():
            self.met.discard(K.ACCEPT_BY)
        if step is V.REOPEN:
            self.met.clear()
            self.over.clear()
            for clock in K:
                deadline = clocks.of(clock)
                assert deadline is not None
                self.ahead[clock] = deadline - now


def chosen(state: WorkOrderState, number: int) -> WorkOrderMove:
    """Mostly a legal move, or no example would come far."""
    legal = legal_work_order_moves(state)
    return legal[number % len(legal)] if legal and number < 48 else list(V)[number % len(V)]


@given(steps=st.lists(st.tuples(st.integers(0, 59), st.integers(0, 25), st.booleans()), max_size=16))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_sequence_of_moves_keeps_the_books(
    connection: Connection, site: SmallSite, steps: list[tuple[int, int, bool]]
) -> None:
    """The journal replays to the state; every missed deadline is a breach, once, whether or not a tick saw it first."""
    async with undone(connection):
        order_id, minute, state = await open_order(connection, site), 0, W.OPENED
        book = Book({clock: deadline - NOON for clock in K if (deadline := deadlines().of(clock))})
        for number, pause, with_tick in steps:
            minute, step = minute + pause, chosen(state, number)
            now = later(minutes=minute)
            book.pass_time(state, now, timedelta(minutes=pause))
            if with_tick:
                await tick(connection, site, minute)
            try:
                order = await do(connection, order_id, step, minute)
            except IllegalMove:
                continue
            book.move(state, step, deadlines(now), now)
            state = order.state
            if step is V.REOPEN:
                act = Act("李工", "reopened", now)
                await work_orders.restart_clocks(connection, order_id, deadlines(now), act)
        await tick(connection, site, minute)
        await check_books(connection, site, order_id, book)


async def check_books(connection: Any, site: SmallSite, order_id: int, book: Book) -> None:
    order = await work_orders.get(connection, order_id)
    cursor = await connection.execute(
        "select move, from_state, to_state from work_order_event where work_order_id = %s order by seq", [order_id]
    )
    state = W.OPENED
    suspended_from = None
    for move, from_state, to_state in await cursor.fetchall():
        assert from_state == state
        if move not in ("open", "breach"):
            target = WORK_ORDER_MOVES[state, V(move)] or suspended_from
            assert to_state == target
            suspended_from = state if move == "suspend" else None
        state = W(to_state)
    assert order.state is state
    assert sorted(await breaches(connection, order_id)) == sorted(book.missed)
    expected = {clock for clock in K if state in WORKING_STATES and clock not in book.met | book.over}
    assert set(await running(connection, order_id)) == expected
    assert (await dossier.verify(connection, site.booster)).holds
