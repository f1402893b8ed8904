"""A request done once: its key, what was asked, and the answer that was given, in the transaction that did it.

Two requests with one key meet at the primary key: the second waits until the first has committed and then gets its
answer, or has rolled back and then acts itself. A refused request leaves nothing behind, so it may be tried again.
"""

from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from ledger.errors import Conflict, Invalid
from ledger.pool import Connection


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: object


async def claim(connection: Connection, *, key: str, actor: str, request_hash: bytes, now: datetime) -> Answer | None:
    """None: the key is new and the caller acts now. Otherwise the answer that was given the first time.

    Raises Invalid when the key was used for another request, Conflict when it belongs to somebody in another scope.
    """
    cursor = await connection.execute(
        "insert into idempotency (key, actor, request_hash, created_at) values (%s, %s, %s, %s) "
        "on conflict on constraint idempotency_pkey do nothing",
        [key, actor, request_hash, now],
    )
    if cursor.rowcount == 1:
        return None
    cursor = await connection.execute(
        "select request_hash, status, body from idempotency where actor = %s and key = %s", [actor, key]
    )
    row = await cursor.fetchone()
    if row is None:
        raise Conflict(f"idempotency key {key!r} is taken")
    if bytes(row[0]) != request_hash:
        raise Invalid(f"idempotency key {key!r} was used for another request; a new request needs a new key")
    assert row[1] is not None, "a key is committed together with its answer"
    return Answer(row[1], row[2])


async def keep(connection: Connection, *, key: str, actor: str, answer: Answer) -> None:
    """Remember the answer beside what was done."""
    cursor = await connection.execute(
        "update idempotency set status = %s, body = %s where actor = %s and key = %s and status is null",
        [answer.status, Jsonb(answer.body), actor, key],
    )
    assert cursor.rowcount == 1, f"idempotency key {key!r} was not claimed in this transaction"


async def trim(connection: Connection, older_than: datetime, *, limit: int = 5_000) -> int:
    """Forget keys nobody will send again; returns how many."""
    cursor = await connection.execute(
        "delete from idempotency where (actor, key) in "
        "(select actor, key from idempotency where created_at < %s order by created_at limit %s)",
        [older_than, limit],
    )
    return cursor.rowcount
