"""Time that must survive a restart: every running delay, shelving, order clock and permit is a row.

A subject has at most one timer of a kind. `due` only finds them; what follows is decided by the caller and done in the
same transaction, which also clears the timer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql
from psycopg.rows import TupleRow

from ledger.lifecycle import WorkOrderClock
from ledger.pool import Connection
from ledger.records import Delay, TimerKind, from_ms, to_ms


@dataclass(frozen=True, slots=True)
class Timer:
    id: int
    site_id: int
    facility_id: int
    kind: TimerKind
    condition_id: int | None
    point_id: int | None
    alarm_id: int | None
    work_order_id: int | None
    permit_id: int | None
    clock: WorkOrderClock | None
    since: datetime
    due_at: datetime


async def start(
    connection: Connection,
    *,
    site_id: int,
    kind: TimerKind,
    since: datetime,
    due_at: datetime,
    condition_id: int | None = None,
    point_id: int | None = None,
    alarm_id: int | None = None,
    work_order_id: int | None = None,
    permit_id: int | None = None,
    clock: WorkOrderClock | None = None,
    frozen_at: datetime | None = None,
) -> None:
    """Start a timer, or give the subject's timer of that kind new times."""
    await connection.execute(
        "insert into timer (site_id, kind, condition_id, point_id, alarm_id, work_order_id, permit_id, clock, "
        "since, due_at, frozen_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
        "on conflict on constraint timer_subject do update "
        "set since = excluded.since, due_at = excluded.due_at, frozen_at = excluded.frozen_at",
        [site_id, kind, condition_id, point_id, alarm_id, work_order_id, permit_id, clock, since, due_at, frozen_at],
    )


async def stop(
    connection: Connection,
    kind: TimerKind,
    *,
    condition_id: int | None = None,
    point_id: int | None = None,
    alarm_id: int | None = None,
    work_order_id: int | None = None,
    permit_id: int | None = None,
    clock: WorkOrderClock | None = None,
) -> None:
    """Take a subject's timer of that kind away, if there is one. Without a clock: those of all clocks."""
    subjects = {
        "condition_id": condition_id,
        "point_id": point_id,
        "alarm_id": alarm_id,
        "work_order_id": work_order_id,
        "permit_id": permit_id,
    }
    ((column, subject),) = [(name, number) for name, number in subjects.items() if number is not None]
    await connection.execute(
        sql.SQL(
            "delete from timer where kind = %s and {} = %s and (%s::work_order_clock is null or clock = %s)"
        ).format(sql.Identifier(column)),
        [kind, subject, clock, clock],
    )


async def keep_delays(connection: Connection, site_id: int, delays: Sequence[Delay]) -> None:
    """Write delays of the rules as the timers they are; no two of one subject and kind."""
    if not delays:
        return
    await connection.execute(
        "insert into timer (site_id, kind, condition_id, point_id, since, due_at, frozen_at) "
        "select %s, given.* from unnest(%s::timer_kind[], %s::int[], %s::int[], %s::timestamptz[], %s::timestamptz[], "
        "%s::timestamptz[]) as given on conflict on constraint timer_subject do update "
        "set since = excluded.since, due_at = excluded.due_at, frozen_at = excluded.frozen_at",
        [
            site_id,
            [each.kind.value for each in delays],
            [each.condition_id for each in delays],
            [each.point_id for each in delays],
            [from_ms(each.since_ms) for each in delays],
            [from_ms(each.due_ms) for each in delays],
            [None if each.frozen_ms is None else from_ms(each.frozen_ms) for each in delays],
        ],
    )


async def end_delays(
    connection: Connection, conditions: Sequence[tuple[TimerKind, int]], held_points: Sequence[int]
) -> None:
    """Take delays of conditions and holds of points away, as far as there are any."""
    if conditions:
        await connection.execute(
            "delete from timer using unnest(%s::timer_kind[], %s::int[]) as given (kind, condition_id) "
            "where timer.kind = given.kind and timer.condition_id = given.condition_id",
            [[kind.value for kind, _ in conditions], [each for _, each in conditions]],
        )
    if held_points:
        await connection.execute(
            "delete from timer where kind = 'event_hold' and condition_id is null and point_id = any(%s)",
            [list(held_points)],
        )


async def delays(connection: Connection, site_id: int) -> list[Delay]:
    """The delays and holds that were running, as the rules left them."""
    cursor = await connection.execute(
        "select kind, condition_id, point_id, since, due_at, frozen_at from timer "
        "where site_id = %s and kind in ('on_delay', 'off_delay', 'event_hold')",
        [site_id],
    )
    return [
        Delay(TimerKind(kind), condition_id, point_id, to_ms(since), to_ms(due_at), frozen_at and to_ms(frozen_at))
        async for kind, condition_id, point_id, since, due_at, frozen_at in cursor
    ]


async def due(connection: Connection, site_ids: Sequence[int], now: datetime, *, limit: int = 500) -> list[Timer]:
    """Timers that ran out in our time (not the delays, which run in device time), longest overdue first.

    Nothing is locked: the caller locks the facilities in order, then takes each timer with `claim`, and what somebody
    else has stopped or claimed meanwhile is not his any more.
    """
    cursor = await connection.execute(
        "select timer.id, timer.site_id, "
        "coalesce(condition.facility_id, alarm.facility_id, work_order.facility_id, work_permit.facility_id), "
        "timer.kind, timer.condition_id, timer.point_id, timer.alarm_id, timer.work_order_id, timer.permit_id, "
        "timer.clock, timer.since, timer.due_at from timer "
        "left join condition on condition.id = timer.condition_id left join alarm on alarm.id = timer.alarm_id "
        "left join work_order on work_order.id = timer.work_order_id "
        "left join work_permit on work_permit.id = timer.permit_id "
        "where timer.site_id = any(%s) and timer.due_at <= %s "
        "and timer.kind in ('shelving', 'realarm', 'order_due', 'order_clock', 'permit') "
        "order by timer.due_at, timer.id limit %s",
        [list(site_ids), now, limit],
    )
    return [_timer(row) async for row in cursor]


def _timer(row: TupleRow) -> Timer:
    clock = None if row[9] is None else WorkOrderClock(row[9])
    return Timer(
        row[0], row[1], row[2], TimerKind(row[3]), row[4], row[5], row[6], row[7], row[8], clock, row[10], row[11]
    )


async def claim(connection: Connection, timer: Timer) -> bool:
    """Take a due timer out of the ledger; False when it was stopped, moved or claimed meanwhile."""
    cursor = await connection.execute(
        "delete from timer where id = %s and due_at = %s returning id", [timer.id, timer.due_at]
    )
    return await cursor.fetchone() is not None
