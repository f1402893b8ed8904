"""What is called otherwise from now on, and what is gone: renamed keys, and facilities taken out of the estate.

Nothing is deleted. A renamed facility keeps its number and with it everything recorded of it; a retired one keeps its
history and loses its points, so that nothing more is judged there. Locking and the site's revision are the caller's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ledger.pool import Connection


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What must be brought to an end before a facility may go."""

    facility_key: str
    open_alarms: int
    open_orders: int
    standing_permits: int


async def unfinished(connection: Connection, facility_ids: Sequence[int]) -> list[Unfinished]:
    """The facilities, of those named, at which something is still going on, in order of key."""
    cursor = await connection.execute(
        "with counted as (select key, "
        "(select count(*) from alarm where facility_id = facility.id and ended_at is null) as alarms, "
        "(select count(*) from work_order where facility_id = facility.id and ended_at is null) as orders, "
        "(select count(*) from work_permit where facility_id = facility.id and ended_at is null) as permits "
        "from facility where id = any(%s)) "
        "select key, alarms, orders, permits from counted where alarms + orders + permits > 0 order by key",
        [list(facility_ids)],
    )
    return [Unfinished(*row) async for row in cursor]


async def rename_facility(connection: Connection, facility_id: int, key: str) -> None:
    """Raises Conflict when the key is taken. A gateway's own key goes with its facility's."""
    await connection.execute("update facility set key = %s where id = %s", [key, facility_id])
    await connection.execute("update gateway set key = %s where facility_id = %s", [key, facility_id])


async def rename_location(connection: Connection, location_id: int, key: str) -> None:
    await connection.execute("update location set key = %s where id = %s", [key, location_id])


async def retire_facility(connection: Connection, facility_id: int, *, now: datetime, today: date) -> None:
    """The facility, its points, its relations and what was installed there, as of today (the site's)."""
    await connection.execute(
        "update facility set retired_at = %s where id = %s and retired_at is null", [now, facility_id]
    )
    await connection.execute(
        "update point set retired_at = %s where facility_id = %s and retired_at is null", [now, facility_id]
    )
    await connection.execute(
        "delete from timer using point where timer.kind = 'event_hold' and point_id = point.id and facility_id = %s",
        [facility_id],
    )
    await connection.execute("delete from facility_relation where facility_id = %s", [facility_id])
    await connection.execute(
        "update asset set removed_on = greatest(installed_on, %s) where facility_id = %s and removed_on is null",
        [today, facility_id],
    )
