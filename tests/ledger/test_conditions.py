"""Conditions in the real ledger: every (state, flags, move), any sequence of moves, two people at once."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import alarms, conditions, dossier
from ledger.errors import IllegalMove, NotFound
from ledger.lifecycle import (
    CONDITION_MOVES,
    ConditionMove,
    ConditionState,
    is_move_shown_legal,
    legal_condition_moves,
)
from ledger.records import Condition, ConditionSpec, Severity
from tests.fix_database import Connection
from tests.fix_wait import Eventually
from tests.locks import waits_for_a_lock
from tests.small_estate import GRADING, NOON, SmallSite, build, cause, later, raise_alarm

C, M = ConditionState, ConditionMove

WAY_TO = {
    C.NORM: [],
    C.UNACK: [M.RAISE],
    C.ACKED: [M.RAISE, M.ACKNOWLEDGE],
    C.RTNUN: [M.RAISE, M.CLEAR],
    C.LATUN: [M.RAISE, M.LATCH],
    C.LATACK: [M.RAISE, M.ACKNOWLEDGE, M.LATCH],
}
FLAG_SETTERS = (M.REMOVE_FROM_SERVICE, M.SUPPRESS, M.SHELVE)


@pytest.fixture
async def site(connection: Connection) -> SmallSite:
    return await build(connection, "garden", "花园小区")


async def do(connection: Any, condition_id: int, step: ConditionMove, minute: int = 0, **more: Any) -> conditions.Moved:
    extra: dict[str, Any] = dict(more)
    if step is M.RAISE:
        extra.setdefault("grading", GRADING)
    if step is M.SHELVE:
        extra.setdefault("shelve_until", later(minutes=minute + 60))
    by = cause(later(minutes=minute), actor="王班长", reason="person", note="备注")
    return await conditions.move(connection, condition_id, step, by, **extra)


@asynccontextmanager
async def undone(connection: Any) -> AsyncIterator[None]:
    async with connection.transaction(force_rollback=True):
        yield


async def everything(connection: Any, facility_id: int) -> list[object]:
    """All rows a move could touch."""
    rows: list[object] = []
    for table in ("condition", "alarm", "condition_event", "dossier_entry", "timer", "outbox", "facility"):
        cursor = await connection.execute(f"select to_jsonb({table}) - 'body' from {table} order by id")
        rows += [(table, row[0]) for row in await cursor.fetchall()]
    return [facility_id, *rows]


async def scalar(connection: Any, statement: str, *values: object) -> Any:
    row = await (await connection.execute(statement, values)).fetchone()
    return row and row[0]


@pytest.mark.parametrize("flags", list(itertools.product((False, True), repeat=3)))
@pytest.mark.parametrize("state", list(C))
async def test_every_move_from_every_state_under_every_flag(
    connection: Connection, site: SmallSite, state: ConditionState, flags: tuple[bool, bool, bool]
) -> None:
    """Legal ones change what the table says and journal it once; illegal ones name the legal and change nothing."""
    number = site.conditions["flood"].id
    for step in (*WAY_TO[state], *itertools.compress(FLAG_SETTERS, flags)):
        await do(connection, number, step)
    before = await conditions.get(connection, number)
    assert before.state is state
    named = {"out_of_service": flags[0], "suppressed": flags[1], "shelved": flags[2]}
    for step in M:
        untouched = await everything(connection, site.booster)
        if (state, step) in CONDITION_MOVES and is_move_shown_legal(step, **named):
            async with undone(connection):
                await check_legal(connection, before, step)
        else:
            with pytest.raises(IllegalMove) as refusal:
                await do(connection, number, step, 5)
            assert refusal.value.legal == legal_condition_moves(state, **named)
            assert (refusal.value.state, refusal.value.move) == (state, step)
        assert await everything(connection, site.booster) == untouched


async def check_legal(connection: Any, before: Condition, step: ConditionMove) -> None:
    events = "select count(*) from condition_event where condition_id = %s"
    entries = "select count(*) from dossier_entry where facility_id = %s"
    journal, dossier = [
        await scalar(connection, *each) for each in ((events, before.id), (entries, before.facility_id))
    ]
    moved = await do(connection, before.id, step, 5)
    after = await conditions.get(connection, before.id)
    assert after.state is moved.to_state is CONDITION_MOVES[before.state, step]
    assert await scalar(connection, events, before.id) == journal + 1
    assert await scalar(connection, entries, before.facility_id) == dossier + 1
    assert after.out_of_service == {M.REMOVE_FROM_SERVICE: True, M.RETURN_TO_SERVICE: False}.get(
        step, before.out_of_service
    )
    assert after.suppressed == {M.SUPPRESS: True, M.UNSUPPRESS: False}.get(step, before.suppressed)
    shelved = {M.SHELVE: True, M.UNSHELVE: False, M.UNSHELVE_EXPIRED: False}.get(step, before.shelved_until is not None)
    assert (after.shelved_until is not None) == shelved
    timers = "select count(*) from timer where kind = 'shelving' and condition_id = %s"
    assert await scalar(connection, timers, before.id) == int(shelved)
    alarm = await alarms.open_at(connection, before.id)
    assert (alarm is None) == (after.state is C.NORM)
    assert moved.alarm_opened == (before.state is C.NORM and after.state is not C.NORM)
    if alarm is not None:
        assert moved.alarm_id == alarm.id
        assert alarm.state is after.state
        assert (alarm.acknowledged_at is not None) == (after.state in (C.ACKED, C.LATACK))
        assert (alarm.returned_at is not None) == (after.state in (C.RTNUN, C.LATUN, C.LATACK))


async def test_one_occurrence_is_one_alarm_with_its_whole_life(connection: Connection, site: SmallSite) -> None:
    number = site.conditions["outlet_pressure_low"].id
    raised = await raise_alarm(connection, site.conditions["outlet_pressure_low"], when="outlet_pressure < 0.3")
    assert raised.alarm_opened
    assert raised.alarm_id is not None
    await do(connection, number, M.CLEAR, 3)
    again = await do(connection, number, M.RAISE, 4)
    assert again.alarm_id == raised.alarm_id
    await do(connection, number, M.ACKNOWLEDGE, 5)
    await do(connection, number, M.CLEAR, 9)
    alarm = await alarms.get(connection, raised.alarm_id)
    assert (alarm.occurrences, alarm.state, alarm.acknowledged_by) == (2, C.NORM, "王班长")
    assert (alarm.began_at, alarm.returned_at, alarm.ended_at) == (NOON, later(minutes=9), later(minutes=9))
    assert alarm.acknowledged_at == later(minutes=5)
    assert alarm.explanation == {"when": "outlet_pressure < 0.3"}
    assert alarm.version == 5
    following = await do(connection, number, M.RAISE, 20)
    assert following.alarm_id != raised.alarm_id


async def test_a_realarm_asks_again(connection: Connection, site: SmallSite) -> None:
    number = site.conditions["flood"].id
    for step in (M.RAISE, M.ACKNOWLEDGE, M.REALARM):
        await do(connection, number, step)
    alarm = await alarms.open_at(connection, number)
    assert alarm is not None
    assert (alarm.state, alarm.acknowledged_by, alarm.occurrences) == (C.UNACK, None, 1)


async def test_one_shot_shelving_ends_with_the_occurrence(connection: Connection, site: SmallSite) -> None:
    number = site.conditions["flood"].id
    await do(connection, number, M.SHELVE, one_shot=True)
    await do(connection, number, M.RAISE)
    await do(connection, number, M.CLEAR)
    after = await conditions.get(connection, number)
    assert (after.shelved_until, after.state) == (None, C.RTNUN)
    last = await scalar(connection, "select reason from condition_event order by seq desc limit 1")
    assert last == "one_shot_ended"


async def test_shelving_without_one_shot_outlives_the_occurrence(connection: Connection, site: SmallSite) -> None:
    number = site.conditions["flood"].id
    for step in (M.SHELVE, M.RAISE, M.CLEAR):
        await do(connection, number, step)
    assert (await conditions.get(connection, number)).shelved_until == later(minutes=60)


async def test_a_repeat_is_counted_in_the_alarm_that_stands(connection: Connection, site: SmallSite) -> None:
    number = site.conditions["flood"].id
    await conditions.count_repeat(connection, number, NOON)
    assert await alarms.open_at(connection, number) is None
    await do(connection, number, M.RAISE)
    await conditions.count_repeat(connection, number, later(minutes=1))
    alarm = await alarms.open_at(connection, number)
    assert alarm is not None
    assert (alarm.occurrences, alarm.version) == (2, 2)


async def test_covers_knows_the_span_of_every_alarm(connection: Connection, site: SmallSite) -> None:
    number = site.conditions["flood"].id
    for minute, step in ((10, M.RAISE), (20, M.CLEAR), (25, M.ACKNOWLEDGE), (30, M.RAISE)):
        await do(connection, number, step, minute)
    answers = {minute: await conditions.covers(connection, number, later(minutes=minute)) for minute in range(5, 45, 5)}
    assert answers == {5: False, 10: True, 15: True, 20: True, 25: False, 30: True, 35: True, 40: True}


async def test_ensure_makes_retires_and_brings_back(connection: Connection, site: SmallSite) -> None:
    flood = site.conditions["flood"]
    only = [ConditionSpec(site.booster, None, "flood", Severity.LIFE_SAFETY)]
    others = [each.id for each in site.conditions.values() if each.id != flood.id]
    await conditions.retire(connection, others, later(minutes=1))
    left = await conditions.ensure(connection, site.id, only)
    assert [(each.id, each.severity) for each in left] == [(flood.id, Severity.LIFE_SAFETY)]
    back = [ConditionSpec(site.booster, None, "outlet_pressure_low", Severity.WARNING)]
    again = await conditions.ensure(connection, site.id, back)
    assert {each.id for each in again} == {flood.id, site.conditions["outlet_pressure_low"].id}
    await conditions.retire(connection, [each.id for each in again], later(minutes=3))
    assert await conditions.ensure(connection, site.id, []) == []


async def test_an_unknown_condition_is_not_found(connection: Connection, site: SmallSite) -> None:
    with pytest.raises(NotFound):
        await do(connection, 10**6, M.ACKNOWLEDGE)
    with pytest.raises(NotFound):
        await alarms.get(connection, 10**6)


@given(steps=st.lists(st.tuples(st.integers(0, 99), st.integers(0, 30)), max_size=14))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_sequence_of_moves_keeps_the_books(
    connection: Connection, site: SmallSite, steps: list[tuple[int, int]]
) -> None:
    """The journal replays to the state, an alarm is open exactly while not NORM, and the dossier's chain holds."""
    number, minute = site.conditions["flood"].id, 0
    async with undone(connection):
        for choice, pause in steps:
            minute, step = minute + pause, await chosen(connection, number, choice)
            try:
                async with connection.transaction():
                    await do(connection, number, step, minute, one_shot=step is M.SHELVE and pause % 2 == 0)
            except IllegalMove:
                continue
        await check_books(connection, site, number)


async def chosen(connection: Any, number: int, choice: int) -> ConditionMove:
    """Mostly a legal move, or no example would come far."""
    now = await conditions.get(connection, number)
    flags = {
        "out_of_service": now.out_of_service,
        "suppressed": now.suppressed,
        "shelved": now.shelved_until is not None,
    }
    legal = legal_condition_moves(now.state, **flags)
    return legal[choice % len(legal)] if choice < 80 else list(M)[choice % len(M)]


async def check_books(connection: Any, site: SmallSite, number: int) -> None:
    condition = await conditions.get(connection, number)
    cursor = await connection.execute(
        "select seq, move, from_state, to_state from condition_event where condition_id = %s order by seq", [number]
    )
    state, flags = C.NORM, {"out_of_service": False, "suppressed": False, "shelved": False}
    for length, (seq, move, from_state, to_state) in enumerate(await cursor.fetchall(), start=1):
        assert seq == length
        assert from_state == state
        assert is_move_shown_legal(M(move), **flags)
        state = CONDITION_MOVES[state, M(move)]
        assert to_state == state
        flags = _flags_after(M(move), flags)
    assert condition.state is state
    assert flags == {
        "out_of_service": condition.out_of_service,
        "suppressed": condition.suppressed,
        "shelved": condition.shelved_until is not None,
    }
    open_alarms = await scalar(
        connection, "select count(*) from alarm where condition_id = %s and ended_at is null", number
    )
    assert open_alarms == (0 if state is C.NORM else 1)
    assert (await dossier.verify(connection, site.booster)).holds


def _flags_after(move: ConditionMove, flags: dict[str, bool]) -> dict[str, bool]:
    changes = {
        M.REMOVE_FROM_SERVICE: {"out_of_service": True},
        M.RETURN_TO_SERVICE: {"out_of_service": False},
        M.SUPPRESS: {"suppressed": True},
        M.UNSUPPRESS: {"suppressed": False},
        M.SHELVE: {"shelved": True},
        M.UNSHELVE: {"shelved": False},
        M.UNSHELVE_EXPIRED: {"shelved": False},
    }
    return flags | changes.get(move, {})


async def test_of_two_who_acknowledge_at_once_one_does(
    connection: Connection, database_url: str, eventually: Eventually
) -> None:
    """The second waits for the first, reads again, and is told what is possible now."""
    site = await build(connection, "garden", "花园小区")
    number = site.conditions["flood"].id
    await do(connection, number, M.RAISE)
    await connection.commit()
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await do(connection, number, M.ACKNOWLEDGE, 1)
        second = asyncio.create_task(do(other, number, M.ACKNOWLEDGE, 1))
        await eventually(lambda: waits_for_a_lock(database_url, other.info.backend_pid))
        await connection.commit()
        with pytest.raises(IllegalMove, match="ACKED"):
            await second
        await other.rollback()
    acknowledged = await scalar(connection, "select count(*) from condition_event where move = 'acknowledge'")
    assert acknowledged == 1


async def test_of_two_workers_who_raise_at_once_one_opens_the_alarm(
    connection: Connection, database_url: str, eventually: Eventually
) -> None:
    """Promise 3, through the front door."""
    site = await build(connection, "garden", "花园小区")
    number = site.conditions["flood"].id
    await connection.commit()
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await do(connection, number, M.RAISE)
        second = asyncio.create_task(do(other, number, M.RAISE))
        await eventually(lambda: waits_for_a_lock(database_url, other.info.backend_pid))
        await connection.commit()
        with pytest.raises(IllegalMove):
            await second
        await other.rollback()
    assert await scalar(connection, "select count(*) from alarm") == 1


async def test_a_second_open_alarm_is_impossible_even_past_the_code(connection: Connection, site: SmallSite) -> None:
    """Promise 3, by the index alone."""
    await do(connection, site.conditions["flood"].id, M.RAISE)
    with pytest.raises(psycopg.errors.UniqueViolation, match="alarm_one_open"):
        await connection.execute(
            "insert into alarm (site_id, condition_id, facility_id, severity, priority, priority_reason, began_at, "
            "raised_at, explanation) select site_id, condition_id, facility_id, severity, priority, priority_reason, "
            "began_at, raised_at, explanation from alarm"
        )
