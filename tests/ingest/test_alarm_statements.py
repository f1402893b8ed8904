"""What an alarm costs the line: so many statements, and one notice, however often the transaction moves it. Counts do not
depend on the machine, so they are held here and not in the bench alone.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import pytest
from psycopg import AsyncCursor

from ingest import batch
from ingest.delivery import Delivery
from tests.line_rig import Line

RULE = "door_open_without_permit"
FOLLOWED_MAX = 20  # raised, put under work, rung, and what it hides hidden; 39 when each was written by itself
CLEARED_MAX = 15  # and its order told

_said: ContextVar[list[str] | None] = ContextVar("statements of this task", default=None)


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[tuple[batch.Done, list[str]]]:
    """Of each batch what it did, and its statements."""
    found: list[tuple[batch.Done, list[str]]] = []
    execute, judge = AsyncCursor.execute, batch.judge

    async def counted(self: Any, query: Any, *rest: Any, **more: Any) -> Any:
        said = _said.get()
        if said is not None:
            said.append(str(query))
        return await execute(self, query, *rest, **more)

    async def watched(connection: Any, deliveries: Sequence[Delivery], *rest: Any, **more: Any) -> batch.Done:
        said: list[str] = []
        token = _said.set(said)
        try:
            done = await judge(connection, deliveries, *rest, **more)
        finally:
            _said.reset(token)
        found.append((done, said))
        return done

    monkeypatch.setattr(AsyncCursor, "execute", counted)
    monkeypatch.setattr(batch, "judge", watched)
    return found


def statements_of(batches: Sequence[tuple[batch.Done, list[str]]], what: str) -> list[str]:
    (found,) = [said for done, said in batches if what in {each.what for each in done.told}]
    return found


def door(bench: Line, *, open_: bool, moments: Sequence[float]) -> None:
    """In one message, so that one batch has the whole of it and no tick comes in between."""
    entries = [{"ts": bench.clock.ms - round(ago * 1000), "values": {"door_open": open_}} for ago in moments]
    bench.say_raw(f"{bench.site}/pumps/telemetry", entries)


async def test_an_alarm_is_few_statements_and_one_notice(batches: list[Any], bench: Line) -> None:
    bench.say("lamp", {"room_temp": 20}, ago=91)
    await bench.received()
    without = max(len(said) for _, said in batches)  # readings, gateways and account
    door(bench, open_=True, moments=(90, 5))
    alarm = await bench.alarm(RULE, state="UNACK", priority="high", order_reason="at_once")
    raised = statements_of(batches, "alarm_raised")
    assert len(raised) - without <= FOLLOWED_MAX, raised
    told = await bench.rows("select kind, subject_id, topic is not null as to_sirens from outbox order by id")
    assert [(row["kind"], row["subject_id"], row["to_sirens"]) for row in told] == [
        ("alarm", alarm["id"], True),
        ("work_order", alarm["orders"][0], False),
    ]
    bench.clock.move(seconds=20)
    door(bench, open_=False, moments=(19, 0))
    await bench.alarm(RULE, state="RTNUN")
    cleared = statements_of(batches, "alarm_cleared")
    assert len(cleared) - without <= CLEARED_MAX, cleared
    assert len(await bench.rows("select 1 from outbox where kind = 'alarm'")) == 2
