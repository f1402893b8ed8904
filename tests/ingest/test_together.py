"""Promise 7: readings, alarms, orders and the account of one batch appear together or not at all."""

import psycopg

from tests.fix_wait import wait_until
from tests.line_rig import Line

RULE = "door_open_without_permit"
TABLES = ("reading", "alarm", "condition_event", "work_order", "dossier_entry", "outbox", "intake_account")


async def counted(bench: Line) -> dict[str, int]:
    counts = {table: await bench.rows(f"select count(*) as number from {table}") for table in TABLES}
    return {table: rows[0]["number"] for table, rows in counts.items()}


async def test_nothing_of_a_batch_shows_before_all_of_it_does(bench: Line) -> None:
    """The account is written last: while it has to wait, the batch's work is done, and nobody sees any of it."""
    before = await counted(bench)
    async with await psycopg.AsyncConnection.connect(bench.database_url) as holder:
        await holder.execute("lock table intake_account in share row exclusive mode")
        bench.say("pumps", {"door_open": True}, ago=90)
        bench.say("pumps", {"door_open": True}, ago=5)

        async def waits() -> bool:
            waiting = await bench.rows(
                "select 1 from pg_locks where relation = 'intake_account'::regclass and not granted"
            )
            return bool(waiting)

        await wait_until(waits)
        assert await counted(bench) == before
        await holder.rollback()
    await bench.received()
    await bench.alarm(RULE, state="UNACK")
    after = await counted(bench)
    assert all(after[table] > before[table] for table in TABLES), after


async def test_a_batch_that_fails_at_its_end_leaves_nothing_and_is_done_again(bench: Line) -> None:
    """Its last statement gives up waiting: all before it is undone, nothing was acknowledged, and it comes once."""
    before = await counted(bench)
    async with await psycopg.AsyncConnection.connect(bench.database_url) as holder:
        await holder.execute("lock table intake_account in share row exclusive mode")
        bench.say("pumps", {"door_open": True}, ago=90)
        bench.say("pumps", {"door_open": True}, ago=5)

        async def pids() -> set[int]:
            waiting = await bench.rows(
                "select pid from pg_locks where relation = 'intake_account'::regclass and not granted"
            )
            return {row["pid"] for row in waiting}

        for pid in await wait_until(pids):
            await bench.rows("select pg_terminate_backend(%s)", pid)
        assert {**await counted(bench)} == before
        await holder.rollback()
    account = await bench.received()
    await bench.alarm(RULE, state="UNACK")
    assert (account["received"], account["accepted"]) == (2, 2)
    after = await counted(bench)
    assert (after["reading"], after["alarm"], after["work_order"]) == (2, 1, 1)
