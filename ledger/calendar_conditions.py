"""Conditions that a calendar judges and no engine, of rounds or of what ends on a day: made when one is first raised, at the
place it stands at.
"""

from collections.abc import Sequence
from enum import IntEnum

from ledger import conditions
from ledger.pool import Connection
from ledger.records import Condition, ConditionSpec


class Calendar(IntEnum):
    """Classes of the advisory lock, with the site's id."""

    ROUNDS = 7_482_026
    EXPIRY = 7_482_028


async def watch(connection: Connection, site_id: int, calendar: Calendar) -> bool:
    """Whether we are the one who looks after this calendar of the site until the transaction ends."""
    cursor = await connection.execute("select pg_try_advisory_xact_lock(%s, %s)", [calendar, site_id])
    row = await cursor.fetchone()
    return bool(row and row[0])


async def standing(connection: Connection, site_id: int, rules: Sequence[str]) -> list[Condition]:
    """Those of these rules whose alarm has not returned; also at facilities that are gone, as nobody wants them to stand."""
    cursor = await connection.execute(
        "select id from condition where site_id = %s and rule_key = any(%s) and retired_at is null "
        "and state in ('UNACK', 'ACKED') order by id",
        [site_id, list(rules)],
    )
    return [await conditions.get(connection, int(number)) for (number,) in await cursor.fetchall()]


async def at(connection: Connection, site_id: int, spec: ConditionSpec) -> Condition:
    """The condition, made if it is not there; one that was retired comes back."""
    cursor = await connection.execute(
        "insert into condition (site_id, facility_id, part_id, rule_key, severity) values (%s, %s, %s, %s, %s) "
        "on conflict on constraint condition_identity_unique do update "
        "set severity = excluded.severity, retired_at = null returning id",
        [site_id, spec.facility_id, spec.part_id, spec.rule_key, spec.severity],
    )
    row = await cursor.fetchone()
    assert row is not None, "an insert that updates instead always returns"
    return await conditions.get(connection, int(row[0]))
