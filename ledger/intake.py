"""The account of everything that came in (promise 2), and what was refused and why.

Both are always counted and always bounded: the account has a row per minute, site and gateway; the quarantine a row per
topic and reason with samples, and a site that speaks of ever new topics gets one common row for the rest.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from operator import attrgetter, itemgetter
from typing import LiteralString

from ledger import arrays
from ledger.errors import NotFound
from ledger.pool import Connection

SAMPLES_MAX = 10
RENEWED_MAX = 20  # samples of one call, over all rows that have some
SAMPLE_BYTES_MAX = 4096
DETAIL_CHARS_MAX = 300
TOPIC_CHARS_MAX = 200
OTHER_TOPICS = "other"
_BLANKS = dict.fromkeys(map(ord, "\t\r\n"))

_LOCK_KEY = 7_482_020  # with a site's key: who adds topics to its quarantine


@dataclass(slots=True)
class Account:
    """What one gateway sent in one minute, in messages and in values. A tally to add to, hence not frozen."""

    received: int = 0
    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    values_received: int = 0
    stored: int = 0
    repeated: int = 0
    conflict: int = 0
    refused: int = 0
    late: int = 0
    seq_gaps: int = 0


@dataclass(frozen=True, slots=True, order=True)
class AccountKey:
    minute: datetime  # of receipt, our time, seconds cut off
    site_key: str  # '' where the topic names none we know
    gateway_key: str = ""  # '' likewise


_COUNTERS = tuple(field.name for field in fields(Account))
_counted: Callable[[Account], tuple[int, ...]] = attrgetter(*_COUNTERS)


async def add(connection: Connection, tally: Mapping[AccountKey, Account]) -> None:
    """Add a tally to the account. Rows are taken in order of their key."""
    if not tally:
        return
    keys = sorted(tally)
    counted = zip(*(_counted(tally[key]) for key in keys), strict=True)
    counters = {name: arrays.numbers(each) for name, each in zip(_COUNTERS, counted, strict=True)}
    await connection.execute(
        "insert into intake_account (minute, site_key, gateway_key, received, accepted, duplicate, quarantined, "
        "values_received, stored, repeated, conflict, refused, late, seq_gaps) "
        "select * from unnest(%(minute)s::timestamptz[], %(site)s::text[], %(gateway)s::text[], %(received)s::bigint[], "
        "%(accepted)s::bigint[], %(duplicate)s::bigint[], %(quarantined)s::bigint[], %(values_received)s::bigint[], "
        "%(stored)s::bigint[], %(repeated)s::bigint[], %(conflict)s::bigint[], %(refused)s::bigint[], %(late)s::bigint[], "
        "%(seq_gaps)s::bigint[]) "
        "on conflict on constraint intake_account_pkey do update set "
        "received = intake_account.received + excluded.received, accepted = intake_account.accepted + excluded.accepted, "
        "duplicate = intake_account.duplicate + excluded.duplicate, "
        "quarantined = intake_account.quarantined + excluded.quarantined, "
        "values_received = intake_account.values_received + excluded.values_received, "
        "stored = intake_account.stored + excluded.stored, repeated = intake_account.repeated + excluded.repeated, "
        "conflict = intake_account.conflict + excluded.conflict, refused = intake_account.refused + excluded.refused, "
        "late = intake_account.late + excluded.late, seq_gaps = intake_account.seq_gaps + excluded.seq_gaps",
        {
            "minute": arrays.moments(key.minute for key in keys),
            "site": arrays.texts(key.site_key for key in keys),
            "gateway": arrays.texts(key.gateway_key for key in keys),
            **counters,
        },
    )


_SUMS: LiteralString = (
    "coalesce(sum(received), 0)::bigint, coalesce(sum(accepted), 0)::bigint, coalesce(sum(duplicate), 0)::bigint, "
    "coalesce(sum(quarantined), 0)::bigint, coalesce(sum(values_received), 0)::bigint, coalesce(sum(stored), 0)::bigint, "
    "coalesce(sum(repeated), 0)::bigint, coalesce(sum(conflict), 0)::bigint, coalesce(sum(refused), 0)::bigint, "
    "coalesce(sum(late), 0)::bigint, coalesce(sum(seq_gaps), 0)::bigint "
)
_SPAN: LiteralString = (
    "from intake_account where (%(begin)s::timestamptz is null or minute >= %(begin)s) "
    "and (%(end)s::timestamptz is null or minute < %(end)s) and (%(site)s::text is null or site_key = %(site)s) "
)


async def totals(
    connection: Connection, *, begin: datetime | None = None, end: datetime | None = None, site_key: str | None = None
) -> Account:
    """The sums over all accounts in scope, or over a span or one site of them."""
    cursor = await connection.execute("select " + _SUMS + _SPAN, {"begin": begin, "end": end, "site": site_key})
    row = await cursor.fetchone()
    assert row is not None
    return Account(*row)


async def accounts(
    connection: Connection,
    *,
    begin: datetime | None = None,
    end: datetime | None = None,
    site_key: str | None = None,
    bucket_s: int = 60,
    after: AccountKey | None = None,
    limit: int = 500,
) -> list[tuple[AccountKey, Account]]:
    """A page of the accounts in scope, summed up over `bucket_s`, in order of key. `after`: the last key of the page before."""
    cursor = await connection.execute(
        "select * from (select date_bin(%(width)s, minute, timestamptz 'epoch') as minute, site_key, gateway_key, "  # noqa: S608 - literals all
        + _SUMS
        + _SPAN
        + "group by 1, 2, 3) as summed "
        "where %(after)s::timestamptz is null or (minute, site_key, gateway_key) > (%(after)s, %(after_site)s, %(after_gateway)s) "
        "order by minute, site_key, gateway_key limit %(limit)s",
        {
            "width": timedelta(seconds=bucket_s),
            "begin": begin,
            "end": end,
            "site": site_key,
            "after": after and after.minute,
            "after_site": after and after.site_key,
            "after_gateway": after and after.gateway_key,
            "limit": limit,
        },
    )
    return [(AccountKey(*row[:3]), Account(*row[3:])) async for row in cursor]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message, or one value of it, that was not taken."""

    site_key: str  # '' where the topic names none we know
    topic: str
    reason: str  # a named reason of ingest
    at: datetime
    payload: bytes
    detail: str = ""


_Row = tuple[str, str, str]  # site's key, topic as it is kept, reason


async def quarantine(connection: Connection, refusals: Sequence[Refusal], *, topics_max: int) -> None:
    """Count what was refused and keep samples of it. A site's topics beyond `topics_max` go under one row.

    A new row keeps all samples it has room for; of what is refused as others were before, RENEWED_MAX become samples. When
    more comes at once, counts are exact all the same, and each row has its samples renewed now and then.
    """
    if not refusals:
        return
    newest = sorted(refusals, key=attrgetter("at"), reverse=True)
    await _take_turns(connection, {one.site_key for one in newest})
    wanted = {(one.site_key, bounded_topic(one.topic)) for one in newest}
    known = await _known(connection, wanted)
    admitted = {(site_key, topic) for site_key, topic, _ in known}
    if not wanted <= admitted:
        admitted |= await _admitted(connection, wanted - admitted, topics_max)
    by_row: dict[_Row, list[Refusal]] = {}
    for one in newest:
        topic = bounded_topic(one.topic)
        row = (one.site_key, topic if (one.site_key, topic) in admitted else OTHER_TOPICS, one.reason)
        by_row.setdefault(row, []).append(one)
    samples = _samples(by_row, known)
    await _keep(connection, sorted(samples), by_row, samples)
    await _count(connection, sorted(by_row.keys() - samples.keys()), by_row)


async def _take_turns(connection: Connection, site_keys: AbstractSet[str]) -> None:
    """Who adds topics to a site waits for the others: the count would else be looked at by two and passed by both."""
    await connection.execute(
        "select pg_advisory_xact_lock(%s, lock) from "
        "(select distinct hashtext(site_key) as lock from unnest(%s::text[]) as site_key order by lock) as in_order",
        [_LOCK_KEY, list(site_keys)],
    )


async def _known(connection: Connection, wanted: AbstractSet[tuple[str, str]]) -> set[_Row]:
    """The rows there are of these topics, and of those that share one."""
    named = [*wanted, *{(site_key, OTHER_TOPICS) for site_key, _ in wanted}]
    cursor = await connection.execute(
        "select coalesce(array_agg(site_key), '{}'), coalesce(array_agg(topic), '{}'), coalesce(array_agg(reason), '{}') "
        "from quarantine where (site_key, topic) in (select * from unnest(%s::text[], %s::text[]))",
        [arrays.texts(site_key for site_key, _ in named), arrays.texts(topic for _, topic in named)],
    )
    row = await cursor.fetchone()
    assert row is not None
    return set(zip(*row, strict=True))


async def _admitted(connection: Connection, new: AbstractSet[tuple[str, str]], topics_max: int) -> set[tuple[str, str]]:
    """Which of these may have a row of their own."""
    cursor = await connection.execute(
        "select site_key, count(distinct topic) from quarantine where site_key = any(%s) and topic <> %s group by site_key",
        [list({site_key for site_key, _ in new}), OTHER_TOPICS],
    )
    left: dict[str, int] = {site_key: topics_max - topics async for site_key, topics in cursor}
    admitted: set[tuple[str, str]] = set()
    for site_key, topic in sorted(new):
        left[site_key] = left.get(site_key, topics_max) - 1
        if left[site_key] >= 0:
            admitted.add((site_key, topic))
    return admitted


def _samples(by_row: Mapping[_Row, Sequence[Refusal]], known: AbstractSet[_Row]) -> Mapping[_Row, Sequence[Refusal]]:
    """What becomes samples, newest first: all that a new row has room for, and RENEWED_MAX for those there are. The newest
    of each row goes before the second of any. Among more rows than that lots are drawn: in the order in which devices
    speak, the same would be left out each time.
    """
    samples = {row: list(of_row[:SAMPLES_MAX]) for row, of_row in by_row.items() if row not in known}
    again = [
        (place, _lot(one), row, one)
        for row, of_row in by_row.items()
        if row in known
        for place, one in enumerate(of_row[:SAMPLES_MAX])
    ]
    for _, _, row, one in sorted(again, key=itemgetter(0, 1))[:RENEWED_MAX]:
        samples.setdefault(row, []).append(one)
    return samples


def _lot(one: Refusal) -> int:
    """Another for each message of a device, and the same whoever asks: what becomes a sample follows from what came."""
    return zlib.crc32(f"{one.at.isoformat()} {one.reason} {one.topic}".encode(errors="replace"))


async def _keep(
    connection: Connection,
    rows: Sequence[_Row],
    by_row: Mapping[_Row, Sequence[Refusal]],
    samples: Mapping[_Row, Sequence[Refusal]],
) -> None:
    """Make these rows, or add to them; their samples make room for the newer ones."""
    if not rows:
        return
    await connection.execute(
        "insert into quarantine (site_key, topic, reason, count, first_at, last_at, samples) "
        "select * from unnest(%(sites)s::text[], %(topics)s::text[], %(reasons)s::text[], %(counts)s::bigint[], "
        "%(first)s::timestamptz[], %(last)s::timestamptz[], %(samples)s::jsonb[]) "
        "on conflict on constraint quarantine_topic_reason_unique do update set "
        "count = quarantine.count + excluded.count, first_at = least(quarantine.first_at, excluded.first_at), "
        "last_at = greatest(quarantine.last_at, excluded.last_at), "
        "samples = (select jsonb_agg(sample order by place) from "
        "jsonb_array_elements(excluded.samples || quarantine.samples) with ordinality as kept (sample, place) "
        "where place <= %(kept)s)",
        {
            **_columns(rows, by_row),
            "samples": arrays.texts(json.dumps([sample_of(one) for one in samples[row]]) for row in rows),
            "kept": SAMPLES_MAX,
        },
    )


async def _count(connection: Connection, rows: Sequence[_Row], by_row: Mapping[_Row, Sequence[Refusal]]) -> None:
    """Add to rows that are there: whoever takes one away takes turns with us."""
    if not rows:
        return
    await connection.execute(
        "update quarantine set count = quarantine.count + given.count, first_at = least(quarantine.first_at, given.first_at), "
        "last_at = greatest(quarantine.last_at, given.last_at) "
        "from unnest(%(sites)s::text[], %(topics)s::text[], %(reasons)s::text[], %(counts)s::bigint[], "
        "%(first)s::timestamptz[], %(last)s::timestamptz[]) as given (site_key, topic, reason, count, first_at, last_at) "
        "where (quarantine.site_key, quarantine.topic, quarantine.reason) = (given.site_key, given.topic, given.reason)",
        _columns(rows, by_row),
    )


def _columns(rows: Sequence[_Row], by_row: Mapping[_Row, Sequence[Refusal]]) -> Mapping[str, object]:
    return {
        "sites": arrays.texts(site_key for site_key, _, _ in rows),
        "topics": arrays.texts(topic for _, topic, _ in rows),
        "reasons": arrays.texts(reason for _, _, reason in rows),
        "counts": arrays.numbers(len(by_row[row]) for row in rows),
        "first": arrays.moments(by_row[row][-1].at for row in rows),
        "last": arrays.moments(by_row[row][0].at for row in rows),
    }


def bounded_topic(topic: str) -> str:
    """A topic as the quarantine keeps it. Long ones are cut, and stay apart by a digest; an index entry has its limits."""
    clean = topic.replace("\0", "\ufffd")
    if len(clean) <= TOPIC_CHARS_MAX:
        return clean
    return f"{clean[:TOPIC_CHARS_MAX]}…{hashlib.sha256(clean.encode()).hexdigest()[:16]}"


def sample_of(refusal: Refusal) -> dict[str, object]:
    """A refused message as it is kept: text where it is text, else base64; never more than SAMPLE_BYTES_MAX of it."""
    cut = refusal.payload[:SAMPLE_BYTES_MAX]
    text = _as_text(cut)
    return {
        "at": refusal.at.isoformat(),
        "detail": refusal.detail[:DETAIL_CHARS_MAX].replace("\0", "\ufffd"),
        "payload": base64.b64encode(cut).decode() if text is None else text,
        "encoding": "base64" if text is None else "text",
        "truncated": len(refusal.payload) > SAMPLE_BYTES_MAX,
    }


def _as_text(payload: bytes) -> str | None:
    """The payload as text a person can read, or None. A character cut in half by the bound is left off."""
    for shortened in range(min(4, len(payload) + 1)):
        try:
            text = payload[: len(payload) - shortened].decode()
        except UnicodeDecodeError:
            if len(payload) < SAMPLE_BYTES_MAX:
                return None
            continue
        return text if text.translate(_BLANKS).isprintable() else None
    return None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row of the quarantine."""

    id: int
    site_key: str
    topic: str
    reason: str
    count: int
    first_at: datetime
    last_at: datetime
    samples: Sequence[Mapping[str, object]]  # newest first: at, detail, payload, encoding, truncated


async def quarantined_entry(connection: Connection, entry_id: int) -> Quarantined:
    """Raises NotFound."""
    cursor = await connection.execute(
        "select id, site_key, topic, reason, count, first_at, last_at, samples from quarantine where id = %s",
        [entry_id],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("entry of the quarantine", entry_id)
    return Quarantined(*row)


async def quarantined(
    connection: Connection,
    *,
    site_key: str | None = None,
    reason: str | None = None,
    before: tuple[datetime, int] | None = None,
    limit: int = 100,
) -> list[Quarantined]:
    """A page of the quarantine in scope, newest first. `before`: last_at and id of the last row of the page before."""
    cursor = await connection.execute(
        "select id, site_key, topic, reason, count, first_at, last_at, samples from quarantine "
        "where (%(site)s::text is null or site_key = %(site)s) and (%(reason)s::text is null or reason = %(reason)s) "
        "and (%(at)s::timestamptz is null or (last_at, id) < (%(at)s, %(id)s::bigint)) "
        "order by last_at desc, id desc limit %(limit)s",
        {
            "site": site_key,
            "reason": reason,
            "at": before and before[0],
            "id": before and before[1],
            "limit": limit,
        },
    )
    return [Quarantined(*row) async for row in cursor]
