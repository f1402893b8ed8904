"""What leaves the ledger after commit: the live stream and the alarms topic read it, each at its own pace.

Transactions commit out of order, so an id alone cannot say "I have seen everything up to here": a later transaction
may commit a smaller id. A stream position is therefore (transaction, id), and only rows of transactions older than
every running one are shown. Nothing can then appear behind a position already handed out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncCursor
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from ledger.pool import Connection, pipelined

CHANNEL = "taizhang_outbox"

_HIDDEN = "select exists (select from outbox where transaction >= pg_snapshot_xmin(pg_current_snapshot()))"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the stream; `Position.parse(str(position))` gives it back."""

    transaction: int
    id: int

    def __str__(self) -> str:
        return f"{self.transaction}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """Raises ValueError when the text is not a position."""
        transaction, dash, number = text.partition("-")
        if not dash or not (transaction.isascii() and transaction.isdigit() and number.isascii() and number.isdigit()):
            raise ValueError(f"not a position in the stream: {text!r}; expected <number>-<number>")
        if int(transaction) >= 2**63 or int(number) >= 2**63:
            raise ValueError(f"not a position in the stream: {text!r}; too large")
        return cls(int(transaction), int(number))


@dataclass(frozen=True, slots=True)
class Notice:
    """One entry of the stream."""

    position: Position
    site_id: int
    kind: str
    subject_id: int
    version: int
    payload: Mapping[str, object]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewNotice:
    site_id: int
    kind: str
    subject_id: int
    version: int
    payload: Mapping[str, object]
    now: datetime
    topic: str | None = None  # with one it is also on its way to MQTT


async def append(connection: Connection, *notices: NewNotice) -> None:
    """Put notices into the stream, in this order; listeners wake after commit."""
    if not notices:
        return
    await connection.execute(
        "with put as (insert into outbox (site_id, topic, kind, subject_id, version, payload, created_at) "
        "select site_id, topic, kind, subject_id, version, payload, created_at from unnest(%s::int[], %s::text[], "
        "%s::text[], %s::bigint[], %s::bigint[], %s::jsonb[], %s::timestamptz[]) with ordinality "
        "as told (site_id, topic, kind, subject_id, version, payload, created_at, place) order by place) "
        "select pg_notify(%s, '')",
        [
            [each.site_id for each in notices],
            [each.topic for each in notices],
            [each.kind for each in notices],
            [each.subject_id for each in notices],
            [each.version for each in notices],
            [Jsonb(each.payload) for each in notices],
            [each.now for each in notices],
            CHANNEL,
        ],
    )


async def newest(connection: Connection) -> Position:
    """The position after which a listener that starts now misses nothing."""
    cursor = await connection.execute(
        "select transaction::text::bigint, id from outbox where transaction < pg_snapshot_xmin(pg_current_snapshot()) "
        "order by transaction desc, id desc limit 1"
    )
    row = await cursor.fetchone()
    return Position(row[0], row[1]) if row else Position(0, 0)


async def holds(connection: Connection, position: Position) -> bool:
    """Whether a stream can be resumed after `position`: it was handed out here, and nothing behind it is trimmed away.

    Trimming takes the oldest first, in the order of the stream: while anything at or before the position is left,
    everything behind it is. A position ahead of every running transaction comes from another life of this database.
    """
    cursor = await connection.execute(
        "select %(tx)s::text::xid8 < pg_snapshot_xmin(pg_current_snapshot()) and ("
        "exists (select from outbox where (transaction, id) <= (%(tx)s::text::xid8, %(id)s)) "
        # from the very beginning: the first notice ever is still there, or there has been none
        "or %(tx)s = 0 and (exists (select from outbox where id = 1) or not exists (select from outbox)))",
        {"tx": position.transaction, "id": position.id},
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def hidden(connection: Connection) -> bool:
    """Whether there are committed notices that `after` does not show yet, because an older transaction still runs.

    Nobody is woken when that one ends without a notice of its own: a listener has to look again by itself.
    """
    cursor = await connection.execute(_HIDDEN)
    row = await cursor.fetchone()
    return bool(row and row[0])


async def after(connection: Connection, position: Position, *, limit: int = 500) -> list[Notice]:
    """The next notices in order of position; those of transactions that may still be joined by others stay hidden."""
    return [_notice(row) async for row in await _ask_after(connection, position, limit)]


async def _ask_after(connection: Connection, position: Position, limit: int) -> AsyncCursor[TupleRow]:
    return await connection.execute(
        "select transaction::text::bigint, id, site_id, kind, subject_id, version, payload, created_at from outbox "
        "where (transaction, id) > (%s::text::xid8, %s) and transaction < pg_snapshot_xmin(pg_current_snapshot()) "
        "order by transaction, id limit %s",
        [position.transaction, position.id, limit],
    )


def _notice(row: TupleRow) -> Notice:
    transaction, number, *rest = row
    return Notice(Position(transaction, number), *rest)


async def next_page(connection: Connection, position: Position, *, limit: int) -> tuple[bool, list[Notice]]:
    """`hidden`, then `after`, asked together. In this order: what stops being hidden between the two is on the page, or
    said to be hidden; what comes to be hidden between them wakes listeners.
    """
    async with pipelined(connection):
        asked = await connection.execute(_HIDDEN)
        page = await _ask_after(connection, position, limit)
        row = await asked.fetchone()
        return bool(row and row[0]), [_notice(each) async for each in page]


@dataclass(frozen=True, slots=True)
class Publication:
    id: int
    topic: str
    payload: Mapping[str, object]


async def unpublished(
    connection: Connection, site_ids: Sequence[int], *, after_id: int = 0, limit: int = 200
) -> list[Publication]:
    """What still has to go out to MQTT for these sites, behind this id, oldest first."""
    cursor = await connection.execute(
        "select id, topic, payload from outbox where topic is not null and published_at is null and site_id = any(%s) "
        "and id > %s order by id limit %s",
        [list(site_ids), after_id, limit],
    )
    return [Publication(number, topic, payload) async for number, topic, payload in cursor]


async def mark_published(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    """After the broker has acknowledged: a crash before this publishes again, never forgets."""
    await connection.execute(
        "update outbox set published_at = %s where id = any(%s) and published_at is null", [now, list(ids)]
    )


async def trim(connection: Connection, older_than: datetime, *, limit: int = 5_000) -> int:
    """Remove notices nobody will ask for any more, oldest first in the order of the stream; returns how many.

    It stops at the first that is young, so that what is left has no holes (see `holds`), and always leaves the newest,
    which marks the end. What could not be published by then is no news to a siren: it goes as well, or a site without
    a worker would keep everybody's for ever.
    """
    cursor = await connection.execute(
        "delete from outbox where id in (select id from outbox where (transaction, id) < ("
        "select transaction, id from outbox where created_at >= %s or (transaction, id) = (select transaction, id from outbox order by transaction desc, id desc limit 1) "
        "order by transaction, id limit 1) order by transaction, id limit %s)",
        [older_than, limit],
    )
    return cursor.rowcount
