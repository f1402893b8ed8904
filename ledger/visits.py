"""Visits: what a person found when he scanned a tag. Kept once, whatever is odd about them; then only looked at again.

The phone makes the id, so what is sent twice is known; two who send it at once take turns. Where the visit leads to a
facility, the facility's dossier has it in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from ledger import dossier, fitness
from ledger.errors import Conflict, NotFound, Refused
from ledger.pool import Connection
from ledger.records import Severity


@dataclass(frozen=True, slots=True)
class Known:
    """A visit that was kept before: what of, and what its sender was told."""

    site_id: int
    content_hash: bytes
    answer: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class VisitPhoto:
    sha256: str
    item: str | None
    means: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Everything of a visit that is to be kept. The enumerations are those of `inspection`, by their values."""

    id: UUID
    site_id: int
    facility_id: int | None
    tag_id: int | None
    round_id: int | None
    said: str | None
    means: str
    person: str
    phone: str
    checklist: str | None
    checklist_version: int | None
    answers: Mapping[str, object]
    failed: Sequence[str]
    severity: Severity | None
    outcome: str
    note: str | None
    latitude: float | None
    longitude: float | None
    accuracy_m: float | None
    phone_scanned_at: datetime
    phone_finished_at: datetime
    clock_offset_s: float
    scanned_at: datetime
    received_at: datetime
    verdict: str
    reasons: Sequence[str]
    work_order_id: int | None
    content_hash: bytes
    photos: Sequence[VisitPhoto]


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit as it is shown."""

    id: UUID
    site_key: str
    facility_key: str | None
    facility_name_zh: str | None
    facility_name_en: str | None
    facility_grade: str | None
    code: str | None
    round_id: int | None
    said: str | None
    means: str
    person: str
    phone: str
    checklist: str | None
    checklist_version: int | None
    answers: Mapping[str, object]
    failed: Sequence[str]
    severity: Severity | None
    outcome: str
    note: str | None
    clock_offset_s: float
    scanned_at: datetime
    received_at: datetime
    verdict: str
    reasons: Sequence[str]
    reviewed_at: datetime | None
    reviewed_by: str | None
    review_note: str | None
    work_order_id: int | None
    position: Mapping[str, float] | None  # latitude, longitude, accuracy_m
    photos: Sequence[Mapping[str, object]]  # sha256, item, means, arrived


@dataclass(frozen=True, slots=True)
class Step:
    """An earlier visit, as far as the next one is judged by it."""

    facility_id: int | None
    person: str
    phone: str
    scanned_at: datetime


@dataclass(frozen=True, slots=True)
class Later:
    """A visit that is kept already, as far as one that arrives now may change what is thought of it."""

    id: UUID
    facility_id: int | None
    round_id: int | None
    person: str
    phone: str
    means: str
    scanned_at: datetime
    finished_at: datetime
    clock_offset: timedelta
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class VisitFilter:
    """None: do not ask."""

    site: str | None = None
    facility: str | None = None
    person: str | None = None
    outcome: str | None = None
    verdict: str | None = None
    round_id: int | None = None


@dataclass(frozen=True, slots=True)
class LastCheck:
    """The newest visit at a facility that says how it is."""

    scanned_at: datetime
    outcome: str
    person: str
    failed: Sequence[str]


async def take_turn(connection: Connection, visit_id: UUID) -> Known | None:
    """Whoever sends the same visit meanwhile waits until this transaction ends. None: it is new in this scope."""
    await connection.execute("select pg_advisory_xact_lock(hashtextextended(%s::text, 0))", [visit_id])
    cursor = await connection.execute(
        "select site_id, content_hash, answer from inspection_visit where id = %s", [visit_id]
    )
    row = await cursor.fetchone()
    return None if row is None else Known(row[0], bytes(row[1]), row[2])


async def lock_walks(connection: Connection, site_id: int) -> None:
    """Visits of one site take turns: each is judged by the others, so none may be on its way unseen."""
    await connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 1))", [f"walks of site {site_id}"])


async def keep(connection: Connection, entry: Entry, answer: Mapping[str, object]) -> None:
    """Raises Conflict when the id is another site's, out of scope."""
    cursor = await connection.execute(
        "insert into inspection_visit (id, site_id, facility_id, tag_id, round_id, said, means, person, phone, checklist, "
        "checklist_version, answers, failed, severity, outcome, note, latitude, longitude, accuracy_m, phone_scanned_at, "
        "phone_finished_at, clock_offset_s, scanned_at, received_at, verdict, reasons, work_order_id, content_hash, answer) "
        "values (%(id)s, %(site_id)s, %(facility_id)s, %(tag_id)s, %(round_id)s, %(said)s, %(means)s, %(person)s, "
        "%(phone)s, %(checklist)s, %(checklist_version)s, %(answers)s, %(failed)s, %(severity)s, %(outcome)s, %(note)s, "
        "%(latitude)s, %(longitude)s, %(accuracy_m)s, %(phone_scanned_at)s, %(phone_finished_at)s, %(clock_offset_s)s, "
        "%(scanned_at)s, %(received_at)s, %(verdict)s, %(reasons)s, %(work_order_id)s, %(content_hash)s, %(answer)s) "
        "on conflict on constraint inspection_visit_pkey do nothing",
        {
            **{name: getattr(entry, name) for name in Entry.__slots__},
            "answers": Jsonb(entry.answers),
            "failed": list(entry.failed),
            "reasons": list(entry.reasons),
            "answer": Jsonb(answer),
        },
    )
    if cursor.rowcount != 1:
        raise Conflict(f"visit {entry.id}: the id is taken by another")
    await connection.cursor().executemany(
        "insert into inspection_visit_photo (site_id, visit_id, sha256, item, means) values (%s, %s, %s, %s, %s) "
        "on conflict do nothing",
        [(entry.site_id, entry.id, each.sha256, each.item, each.means) for each in entry.photos],
    )
    if entry.facility_id is not None:
        await _into_dossier(connection, entry, entry.facility_id)


async def _into_dossier(connection: Connection, entry: Entry, facility_id: int) -> None:
    body = {
        "visit": str(entry.id),
        "person": entry.person,
        "scanned_at": entry.scanned_at,
        "means": entry.means,
        "checklist": entry.checklist,
        "checklist_version": entry.checklist_version,
        "outcome": entry.outcome,
        "answers": entry.answers,
        "failed": list(entry.failed),
        "note": entry.note,
        "photos": [each.sha256 for each in entry.photos],
        "verdict": entry.verdict,
        "reasons": list(entry.reasons),
        "work_order": entry.work_order_id,
    }
    await dossier.append(
        connection,
        site_id=entry.site_id,
        facility_id=facility_id,
        kind="inspection",
        body=body,
        now=entry.received_at,
    )


_COLUMNS: LiteralString = (
    "select visit.id, site.key, facility.key, facility.name_zh, facility.name_en, facility.grade, tag.code, visit.round_id, "
    "said, means, person, phone, checklist, checklist_version, answers, failed, severity, outcome, note, clock_offset_s, "
    "scanned_at, received_at, verdict, reasons, reviewed_at, reviewed_by, review_note, work_order_id, "
    "case when latitude is not null then jsonb_build_object('latitude', latitude, 'longitude', longitude, "
    "'accuracy_m', accuracy_m) end, "
    "(select coalesce(jsonb_agg(jsonb_build_object('sha256', said.sha256, 'item', item, 'means', said.means, "
    "'arrived', photo.sha256 is not null) order by said.sha256), '[]') from inspection_visit_photo as said "
    "left join inspection_photo as photo on photo.site_id = said.site_id and photo.sha256 = said.sha256 "
    "where said.visit_id = visit.id) "
    "from inspection_visit as visit join site on site.id = visit.site_id "
    "left join facility on facility.id = visit.facility_id left join tag on tag.id = visit.tag_id "
)


async def page(
    connection: Connection, wanted: VisitFilter, *, before: tuple[datetime, UUID] | None = None, limit: int = 100
) -> list[Visit]:
    """Newest first, by the time they were received."""
    cursor = await connection.execute(
        _COLUMNS + "where (%(site)s::text is null or site.key = %(site)s) "
        "and (%(facility)s::text is null or facility.key = %(facility)s) "
        "and (%(person)s::text is null or person = %(person)s) "
        "and (%(outcome)s::visit_outcome is null or outcome = %(outcome)s) "
        "and (%(verdict)s::visit_verdict is null or verdict = %(verdict)s) "
        "and (%(round)s::bigint is null or visit.round_id = %(round)s) "
        "and (%(before_at)s::timestamptz is null or (received_at, visit.id) < (%(before_at)s, %(before_id)s::uuid)) "
        "order by received_at desc, visit.id desc limit %(limit)s",
        {
            "site": wanted.site,
            "facility": wanted.facility,
            "person": wanted.person,
            "outcome": wanted.outcome,
            "verdict": wanted.verdict,
            "round": wanted.round_id,
            "before_at": before and before[0],
            "before_id": before and before[1],
            "limit": limit,
        },
    )
    return [_visit(row) async for row in cursor]


async def get(connection: Connection, visit_id: UUID) -> Visit:
    """Raises NotFound."""
    cursor = await connection.execute(_COLUMNS + "where visit.id = %s", [visit_id])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("visit", str(visit_id))
    return _visit(row)


async def review(
    connection: Connection, visit_id: UUID, *, upheld: bool, actor: str, note: str | None, now: datetime
) -> None:
    """The officer's word on a visit that is to review, and not his own. Raises NotFound, Refused, Conflict for another."""
    found = await get(connection, visit_id)
    if found.person == actor:
        raise Refused(f"{actor} made this visit: another reviews it")
    cursor = await connection.execute("select facility_id from inspection_visit where id = %s", [visit_id])
    # before the visit's row, as whoever keeps a visit does: the other way round the two would wait for each other
    await dossier.lock_facilities(connection, [each async for (each,) in cursor if each is not None])
    cursor = await connection.execute(
        "update inspection_visit set verdict = %s, reviewed_at = %s, reviewed_by = %s, review_note = %s "
        "where id = %s and verdict = 'to_review' returning site_id, facility_id, outcome, scanned_at, person",
        ["upheld" if upheld else "struck", now, actor, note, visit_id],
    )
    row = await cursor.fetchone()
    if row is None:
        raise Conflict(f"visit {visit_id} is {found.verdict}: only one that is to_review is reviewed")
    if row[1] is not None:
        body = {"visit": str(visit_id), "upheld": upheld, "actor": actor, "note": note, "at": now}
        await dossier.append(
            connection, site_id=row[0], facility_id=row[1], kind="inspection_review", body=body, now=now
        )
        if upheld and row[2] == "in_order":
            await fitness.passed(
                connection, visit_id, site_id=row[0], facility_id=row[1], scanned_at=row[3], actor=row[4], now=now
            )


async def doubt(connection: Connection, visit_id: UUID, reason: str) -> None:
    """Something came to light afterwards. Who looked at it already keeps his word; the reason is added all the same."""
    await connection.execute(
        "update inspection_visit set reasons = array_append(reasons, %(reason)s), "
        "verdict = case verdict when 'accepted' then 'to_review' else verdict end "
        "where id = %(id)s and not %(reason)s = any (reasons) and cardinality(reasons) < 50",
        {"id": visit_id, "reason": reason},
    )


async def before(
    connection: Connection, site_id: int, visit_id: UUID, *, phone: str, person: str, at: datetime, since: datetime
) -> list[Step]:
    """What this phone and this person did at the site before, newest first."""
    cursor = await connection.execute(
        "select facility_id, person, phone, scanned_at from inspection_visit "
        "where site_id = %(site)s and id <> %(id)s and (phone = %(phone)s or person = %(person)s) "
        "and scanned_at between %(since)s and %(at)s order by scanned_at desc, received_at desc limit 50",
        {"site": site_id, "id": visit_id, "phone": phone, "person": person, "since": since, "at": at},
    )
    return [Step(*row) async for row in cursor]


async def after(connection: Connection, arrived: Entry, *, until: datetime, limit: int) -> list[Later]:
    """Not yet reviewed, scanned after it: until then by its person or its phone, at any time on its round. First first."""
    cursor = await connection.execute(
        "select id, facility_id, round_id, person, phone, means, scanned_at, "
        "phone_finished_at + clock_offset_s * interval '1 second', clock_offset_s * interval '1 second', reasons from inspection_visit "
        "where site_id = %(site)s and id <> %(id)s and scanned_at >= %(at)s and verdict in ('accepted', 'to_review') "
        "and (scanned_at <= %(until)s and (phone = %(phone)s or person = %(person)s) or round_id = %(round)s) "
        "order by scanned_at, received_at limit %(limit)s",
        {
            "site": arrived.site_id,
            "id": arrived.id,
            "at": arrived.scanned_at,
            "until": until,
            "phone": arrived.phone,
            "person": arrived.person,
            "round": arrived.round_id,
            "limit": limit,
        },
    )
    return [Later(*row) async for row in cursor]


async def judge_again(connection: Connection, visit_id: UUID, *, verdict: str, reasons: Sequence[str]) -> None:
    """Whoever reviewed it meanwhile keeps his word."""
    await connection.execute(
        "update inspection_visit set verdict = %s, reasons = %s where id = %s and verdict in ('accepted', 'to_review')",
        [verdict, list(dict.fromkeys(reasons))[:50], visit_id],
    )


async def places(connection: Connection, facility_id: int, *, limit: int = 20) -> list[tuple[float, float]]:
    """Where accepted visits of a facility were made, newest first: the nearest thing to its position there is."""
    cursor = await connection.execute(
        "select latitude, longitude from inspection_visit where facility_id = %s and verdict in ('accepted', 'upheld') "
        "and latitude is not null and longitude is not null and accuracy_m <= 50 order by scanned_at desc limit %s",
        [facility_id, limit],
    )
    return [(float(latitude), float(longitude)) async for latitude, longitude in cursor]


async def last_check(connection: Connection, facility_id: int) -> LastCheck | None:
    """The newest that counts; one that was struck says nothing of the facility."""
    cursor = await connection.execute(
        "select scanned_at, outcome, person, failed from inspection_visit where facility_id = %s "
        "and outcome in ('in_order', 'defective') and verdict <> 'struck' order by scanned_at desc limit 1",
        [facility_id],
    )
    row = await cursor.fetchone()
    return None if row is None else LastCheck(*row)


async def orders_of_visits(connection: Connection, facility_id: int) -> list[int]:
    """Orders that visits of the facility opened or joined."""
    cursor = await connection.execute(
        "select distinct work_order_id from inspection_visit where facility_id = %s and work_order_id is not null",
        [facility_id],
    )
    return [int(order_id) async for (order_id,) in cursor]


def _visit(row: TupleRow) -> Visit:
    fields = list(row)
    fields[16] = row[16] and Severity(row[16])
    return Visit(*fields)
