"""Ingest's sign of life per site, and what whoever watches it has to know. Times are the database server's own."""

from dataclasses import dataclass
from datetime import datetime

from ledger.pool import Connection

_LOCK_CLASS = 7_482_023  # of the advisory lock, with the site's id


@dataclass(frozen=True, slots=True)
class Beat:
    site_id: int
    worker: str
    beat_at: datetime
    broker_connected: bool
    lag_s: float


async def put(connection: Connection, site_id: int, worker: str, *, broker_connected: bool, lag_s: float) -> None:
    await connection.execute(
        "insert into ingest_beat (site_id, worker, beat_at, broker_connected, lag_s) "
        "values (%s, %s, clock_timestamp(), %s, %s) on conflict on constraint ingest_beat_pkey do update "
        "set worker = excluded.worker, beat_at = excluded.beat_at, broker_connected = excluded.broker_connected, "
        "lag_s = excluded.lag_s",
        [site_id, worker[:200], broker_connected, lag_s],
    )


async def newest(connection: Connection) -> list[Beat]:
    """Of every site in scope that was ever judged."""
    cursor = await connection.execute(
        "select site_id, worker, beat_at, broker_connected, lag_s from ingest_beat order by site_id"
    )
    return [Beat(*row) async for row in cursor]


async def still_stands(connection: Connection, beat: Beat) -> bool:
    """Whether this is the site's last beat even now."""
    cursor = await connection.execute(
        "select beat_at = %s from ingest_beat where site_id = %s", [beat.beat_at, beat.site_id]
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def watch(connection: Connection, site_id: int) -> bool:
    """Whether we are the one who looks after this site until the transaction ends."""
    cursor = await connection.execute("select pg_try_advisory_xact_lock(%s, %s)", [_LOCK_CLASS, site_id])
    row = await cursor.fetchone()
    return bool(row and row[0])


async def condition_of(connection: Connection, site_id: int, facility_kind: str, rule_key: str) -> int | None:
    """The condition of a rule at the site's one facility of a kind; of several, the first."""
    cursor = await connection.execute(
        "select condition.id from condition join facility on facility.id = facility_id where condition.site_id = %s "
        "and facility.kind = %s and facility.retired_at is null and rule_key = %s and condition.retired_at is null "
        "order by condition.id limit 1",
        [site_id, facility_kind, rule_key],
    )
    row = await cursor.fetchone()
    return None if row is None else int(row[0])


async def is_under_work(connection: Connection, facility_id: int, rule_key: str, now: datetime) -> bool:
    """Whether a work permit silences the rule there now."""
    cursor = await connection.execute(
        "select exists (select from work_permit where facility_id = %s and ended_at is null and %s = any(rules) "
        "and valid_from <= %s and valid_until > %s)",
        [facility_id, rule_key, now, now],
    )
    row = await cursor.fetchone()
    return bool(row and row[0])
