"""Any sequence of moves of a work order, against a model that keeps the clocks a second time in the simplest way."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import dossier, work_orders
from ledger.errors import IllegalMove
from ledger.lifecycle import (
    CLOCK_MET_BY,
    WORK_ORDER_MOVES,
    WORKING_STATES,
    WorkOrderClock,
    WorkOrderMove,
    WorkOrderState,
    legal_work_order_moves,
)
from ledger.records import Deadlines
from ledger.work_orders import Act
from tests.fix_database import Connection
from tests.orders import K, V, W, breaches, deadlines, do, open_order, running, tick
from tests.small_estate import NOON, SmallSite, build, later


@pytest.fixture
async def site(connection: Connection) -> SmallSite:
    return await build(connection, "garden", "花园小区")


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
    async with connection.transaction(force_rollback=True):
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
