"""What a person saved for himself, as filters and columns of a list: his own only, whoever else may see the person."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from ledger.errors import NotFound, Refused
from ledger.pool import Connection

PER_PERSON_MAX = 100


@dataclass(frozen=True, slots=True)
class Saved:
    value: object
    set_at: datetime


async def get(connection: Connection, person_id: int, key: str) -> Saved:
    """Raises NotFound."""
    cursor = await connection.execute(
        "select value, set_at from person_setting where person_id = %s and key = %s", [person_id, key]
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("setting", key)
    return Saved(*row)


async def put(connection: Connection, person_id: int, key: str, value: object, now: datetime) -> Saved:
    """Raises Invalid when it is too large, Refused when there are too many."""
    await connection.execute(
        "insert into person_setting (person_id, key, value, set_at) values (%s, %s, %s, %s) "
        "on conflict on constraint person_setting_pkey do update set value = excluded.value, set_at = excluded.set_at",
        [person_id, key, Jsonb(value), now],
    )
    cursor = await connection.execute("select count(*) from person_setting where person_id = %s", [person_id])
    row = await cursor.fetchone()
    assert row is not None
    if row[0] > PER_PERSON_MAX:
        raise Refused(f"there are {PER_PERSON_MAX} saved settings already; save under a name that is in use")
    return Saved(value, now)
