"""What an alarm list shows beside each alarm: the orders that deal with it, and the point it rests on with its last day.

Everything for many alarms at once: a screen full of rows is one statement each, not one per row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import TupleRow

from ledger.lifecycle import WorkOrderState
from ledger.pool import Connection
from ledger.records import Deadlines, PointKind, Quality


@dataclass(frozen=True, slots=True)
class DealtWith:
    """An order of an alarm, and who has it."""

    alarm_id: int
    id: int
    state: WorkOrderState
    assignee: str | None
    deadlines: Deadlines
    accepted_at: datetime | None
    arrived_at: datetime | None
    planned_at: datetime | None
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class PointNow:
    """A point and what it said last."""

    id: int
    facility_id: int
    key: str
    kind: PointKind
    unit: str
    name_zh: str
    name_en: str
    labels: Mapping[int, str]
    ts: datetime | None
    value: float | None
    quality: Quality | None


@dataclass(frozen=True, slots=True)
class Area:
    """The place a facility stands at."""

    key: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Slot:
    """Smallest, largest and last good value of a span."""

    ts: datetime
    minimum: float
    maximum: float
    last: float


async def orders(connection: Connection, alarm_ids: Sequence[int]) -> dict[int, list[DealtWith]]:
    """The orders of each alarm that are not cancelled, oldest first."""
    cursor = await connection.execute(
        "select alarm_id, work_order.id, state, assignee, accept_by, arrive_by, plan_by, restore_by, "
        "accepted_at, arrived_at, planned_at, resolved_at "
        "from work_order_alarm join work_order on work_order.id = work_order_id "
        "where alarm_id = any(%s) and state <> 'cancelled' order by work_order.id",
        [list(alarm_ids)],
    )
    found: dict[int, list[DealtWith]] = {alarm_id: [] for alarm_id in alarm_ids}
    async for row in cursor:
        found[row[0]].append(DealtWith(row[0], row[1], WorkOrderState(row[2]), row[3], Deadlines(*row[4:8]), *row[8:]))
    return found


async def areas(connection: Connection, facility_ids: Sequence[int]) -> dict[int, Area]:
    """By facility."""
    cursor = await connection.execute(
        "select facility.id, location.key, location.name_zh, location.name_en "
        "from facility join location on location.id = facility.location_id where facility.id = any(%s)",
        [list(facility_ids)],
    )
    return {row[0]: Area(*row[1:]) async for row in cursor}


async def points(connection: Connection, wanted: Sequence[tuple[int, str]]) -> dict[tuple[int, str], PointNow]:
    """By facility and key; what is not there or retired is left out."""
    cursor = await connection.execute(
        "select point.id, point.facility_id, point.key, point.kind, unit, point.name_zh, point.name_en, "
        "(select coalesce(jsonb_object_agg(code, label), '{}') from point_code where point_code.point_id = point.id), "
        "site_current.ts, site_current.value, site_current.quality "
        "from unnest(%s::integer[], %s::text[]) as wanted(facility_id, key) "
        "join point on point.facility_id = wanted.facility_id and point.key = wanted.key and retired_at is null "
        "left join lateral (select * from site_current where point_id = point.id) site_current on true",
        [[facility_id for facility_id, _ in wanted], [key for _, key in wanted]],
    )
    return {(row[1], row[2]): _point(row) async for row in cursor}


async def slots(
    connection: Connection, point_ids: Sequence[int], begin: datetime, end: datetime, *, width: timedelta
) -> dict[int, list[Slot]]:
    """The good readings of each point in spans counted from `begin`, oldest first; empty ones are left out."""
    cursor = await connection.execute(
        "select wanted.id, found.* from unnest(%(points)s::integer[]) as wanted(id) cross join lateral ("
        "select date_bin(%(width)s, ts, %(begin)s) as slot, min(value), max(value), "
        "(array_agg(value order by ts desc))[1] from site_reading "
        "where point_id = wanted.id and ts >= %(begin)s and ts < %(end)s and quality = 0 group by 1) as found "
        "order by wanted.id, slot",
        {"points": list(point_ids), "width": width, "begin": begin, "end": end},
    )
    found: dict[int, list[Slot]] = {point_id: [] for point_id in point_ids}
    async for point_id, *fields in cursor:
        found[point_id].append(Slot(*fields))
    return found


def _point(row: TupleRow) -> PointNow:
    return PointNow(
        id=row[0],
        facility_id=row[1],
        key=row[2],
        kind=PointKind(row[3]),
        unit=row[4],
        name_zh=row[5],
        name_en=row[6],
        labels={int(code): label for code, label in row[7].items()},
        ts=row[8],
        value=row[9],
        quality=None if row[10] is None else Quality(row[10]),
    )
