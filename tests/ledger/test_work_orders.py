"""Work orders in the real ledger: every (state, move), the clocks, joining, and a model that keeps its own account."""

import asyncio
import itertools
from typing import Any

import psycopg
import pytest

from ledger import dossier, work_orders
from ledger.errors import IllegalMove, Invalid, NotFound
from ledger.lifecycle import (
    WORK_ORDER_MOVES,
    WORKING_STATES,
    WorkOrderClock,
    WorkOrderMove,
    WorkOrderState,
    legal_work_order_moves,
)
from ledger.records import Deadlines, Priority, Severity
from ledger.work_orders import Act
from tests.fix_database import Connection
from tests.fix_wait import Eventually
from tests.locks import waits_for_a_lock
from tests.orders import WAY_TO, K, V, W, breaches, deadlines, do, open_order, running, scalar, tick
from tests.small_estate import NOON, SmallSite, build, later, raise_alarm


@pytest.fixture
async def site(connection: Connection) -> SmallSite:
    return await build(connection, "garden", "花园小区")


async def everything(connection: Any) -> list[object]:
    rows: list[object] = []
    for table in ("work_order", "work_order_event", "dossier_entry", "timer", "outbox"):
        cursor = await connection.execute(f"select to_jsonb({table}) from {table} order by id")
        rows += [row[0] for row in await cursor.fetchall()]
    return rows


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
