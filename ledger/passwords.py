"""The hashes of people's passwords, at the desk only. Making and comparing them is not done here (credentials/passwords.py)."""

from dataclasses import dataclass
from datetime import datetime

from ledger.pool import Connection


@dataclass(frozen=True, slots=True)
class Kept:
    hash: str
    must_change: bool


async def of(connection: Connection, person_id: int) -> Kept | None:
    """None: has none, and signs in through a provider or not at all."""
    cursor = await connection.execute("select hash, must_change from person_password where person_id = %s", [person_id])
    row = await cursor.fetchone()
    return None if row is None else Kept(*row)


async def put(connection: Connection, person_id: int, hashed: str, *, must_change: bool, now: datetime) -> None:
    await connection.execute(
        "insert into person_password (person_id, hash, must_change, set_at) values (%s, %s, %s, %s) "
        "on conflict on constraint person_password_pkey do update "
        "set hash = excluded.hash, must_change = excluded.must_change, set_at = excluded.set_at",
        [person_id, hashed, must_change, now],
    )


async def rehash(connection: Connection, person_id: int, old: str, new: str) -> None:
    """The same password under newer parameters; nothing if it was changed meanwhile."""
    await connection.execute(
        "update person_password set hash = %s where person_id = %s and hash = %s", [new, person_id, old]
    )
