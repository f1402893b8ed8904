"""The dossier (一机一档): an append-only chain of entries per facility.

Each entry's hash covers the previous hash and exactly the bytes stored, so that an entry changed, removed or slipped in
later breaks every hash after it. The chain proves nothing against somebody who can rewrite the whole database: its
daily digest has to leave it (docs/operations.md).
"""

import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from ledger import gathering
from ledger.errors import NotFound
from ledger.gathering import GatheredEntry
from ledger.pool import Connection

CHAIN_START = bytes(32)  # the "previous hash" of a chain's first entry


@dataclass(frozen=True, slots=True)
class DossierEntry:
    seq: int
    recorded_at: datetime
    kind: str
    body: Mapping[str, object]
    hash: bytes


@dataclass(frozen=True, slots=True)
class NewEntry:
    facility_id: int
    kind: str
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """What `verify` found: the chain as the facility's row has it, and the first entry that does not fit."""

    length: int
    head: bytes | None
    broken_at: int | None  # seq of the first entry that does not fit; length + 1 when the head itself does not

    @property
    def holds(self) -> bool:
        return self.broken_at is None


def entry_bytes(body: Mapping[str, object]) -> bytes:
    """The stored form of a body: UTF-8 JSON, keys sorted, times as RFC 3339."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain).encode()


def entry_hash(previous: bytes, body: bytes) -> bytes:
    return hashlib.sha256(previous + body).digest()


async def lock_facilities(connection: Connection, facility_ids: Iterable[int]) -> None:
    """Take the facilities' row locks in order of id, and with them everything that happens to them.

    Whoever moves something of several facilities in one transaction calls this first with all of them: two
    transactions that lock in the same order cannot wait for each other for ever.
    """
    await connection.execute(
        "select 1 from facility where id = any(%s) order by id for no key update", [sorted(set(facility_ids))]
    )


async def append(
    connection: Connection, *, site_id: int, facility_id: int, kind: str, body: Mapping[str, object], now: datetime
) -> None:
    """Add one entry to a facility's chain. The facility's row lock makes appends to one chain take turns."""
    kept = gathering.of(connection)
    if kept is not None:
        kept.entries.append(GatheredEntry(site_id, facility_id, kind, body, now))
        return
    await append_all(connection, site_id, [NewEntry(facility_id, kind, body)], now)


async def append_all(connection: Connection, site_id: int, entries: Sequence[NewEntry], now: datetime) -> None:
    """Add entries to the chains of a site's facilities, in order; two statements, however many they are. At once,
    also where single entries are gathered.
    """
    if not entries:
        return
    cursor = await connection.execute(
        "select id, chain_length, chain_head from facility where site_id = %s and id = any(%s) order by id "
        "for no key update",
        [site_id, list({entry.facility_id for entry in entries})],
    )
    chains = {
        int(facility_id): (int(length), CHAIN_START if head is None else bytes(head))
        async for facility_id, length, head in cursor
    }
    rows: list[tuple[int, int, str, bytes, bytes, bytes]] = []
    for entry in entries:
        assert entry.facility_id in chains, f"facility {entry.facility_id} of site {site_id} vanished meanwhile"
        length, head = chains[entry.facility_id]
        stored = entry_bytes(entry.body)
        digest = entry_hash(head, stored)
        rows.append((entry.facility_id, length + 1, entry.kind, stored, head, digest))
        chains[entry.facility_id] = (length + 1, digest)
    await connection.execute(
        "with put as (insert into dossier_entry (site_id, facility_id, seq, recorded_at, kind, body, previous_hash, hash) "
        "select %s, facility_id, seq, %s, kind, body, previous_hash, hash from unnest(%s::int[], %s::bigint[], "
        "%s::text[], %s::bytea[], %s::bytea[], %s::bytea[]) with ordinality "
        "as entry (facility_id, seq, kind, body, previous_hash, hash, place) order by place) "
        "update facility set chain_length = length, chain_head = head "
        "from unnest(%s::int[], %s::bigint[], %s::bytea[]) as entry (facility_id, length, head) where id = facility_id",
        [
            *(site_id, now),
            *([row[column] for row in rows] for column in range(6)),
            *(list(chains), [length for length, _ in chains.values()], [head for _, head in chains.values()]),
        ],
    )


async def entries(
    connection: Connection, facility_id: int, *, after_seq: int = 0, limit: int = 100
) -> list[DossierEntry]:
    """A page of a facility's dossier, oldest first."""
    return await _read(connection, "seq > %s order by seq", [facility_id, after_seq, limit])


async def latest(
    connection: Connection, facility_id: int, *, before_seq: int | None = None, limit: int = 100
) -> list[DossierEntry]:
    """A page of it, newest first."""
    return await _read(connection, "seq < coalesce(%s, 2147483647) order by seq desc", [facility_id, before_seq, limit])


async def _read(connection: Connection, which: LiteralString, values: list[object]) -> list[DossierEntry]:
    cursor = await connection.execute(
        f"select seq, recorded_at, kind, body, hash from dossier_entry where facility_id = %s and {which} limit %s",  # noqa: S608 - literals all
        values,
    )
    return [
        DossierEntry(seq=seq, recorded_at=recorded_at, kind=kind, body=json.loads(bytes(body)), hash=bytes(digest))
        async for seq, recorded_at, kind, body, digest in cursor
    ]


async def verify(connection: Connection, facility_id: int) -> ChainCheck:
    """Compute a facility's whole chain anew from the stored bytes. Raises NotFound.

    One statement, so one snapshot: an entry appended meanwhile cannot look like a break.
    """
    cursor = await connection.execute(
        "select chain_length, chain_head, coalesce("
        "(select min(seq) from (select seq, body, previous_hash, hash, row_number() over in_order as place, "
        "lag(hash, 1, %(start)s::bytea) over in_order as expected from dossier_entry "
        "where facility_id = facility.id window in_order as (order by seq)) as entry "
        "where seq <> place or previous_hash <> expected or hash <> sha256(previous_hash || body)), "
        "case when chain_length <> (select count(*) from dossier_entry where facility_id = facility.id) "
        "or chain_head is distinct from (select hash from dossier_entry where facility_id = facility.id "
        "order by seq desc limit 1) then chain_length + 1 end) "
        "from facility where id = %(id)s",
        {"id": facility_id, "start": CHAIN_START},
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("facility", facility_id)
    length, head, broken_at = row
    return ChainCheck(length, None if head is None else bytes(head), broken_at)


async def heads(connection: Connection) -> AsyncIterator[tuple[str, str, int, bytes]]:
    """Site key, facility key, length and head of every chain: the digest that has to leave the database."""
    cursor = await connection.execute(
        "select site.key, facility.key, chain_length, chain_head from facility join site on site.id = facility.site_id "
        "where chain_length > 0 order by site.key, facility.key"
    )
    async for site_key, facility_key, length, head in cursor:
        yield site_key, facility_key, length, bytes(head)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot stand in a dossier")
