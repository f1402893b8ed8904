"""A visit as it came from a phone, written into the ledger whole: judged, doubted, its order opened, its dossier entry.

Nothing a guard did is dropped. What does not fit (a retired tag, a checklist nobody knows, a clock in 1970) is kept with
its reason and told; refused is only another visit under an id that is in use. One visit is one transaction.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from inspection import codes, follow_up, judging, plausibility, succession
from inspection.checklist import Book, Checklist
from inspection.judging import NOTHING_TO_JUDGE_BY, Answer, Finding
from inspection.plausibility import BOUNDS, Means, Position, Reason, Scan, Walk
from ledger import dossier, facilities, facility_list, fitness, photos, tags, visits
from ledger.errors import Conflict, NotFound
from ledger.pool import Connection
from ledger.records import Facility, Site
from ledger.tags import Tag
from ledger.visits import Entry, VisitPhoto
from rules.response import ResponseTable

_AGE_MAX = timedelta(days=36_500)  # of what a clock says


@dataclass(frozen=True, slots=True)
class Sent:
    """One visit as the phone tells it; times by the phone's clock."""

    id: UUID
    said: str | None  # as read or typed
    expected: str | None  # key of the facility the guard took it for
    means: Means
    scanned_at: datetime
    finished_at: datetime
    checklist: str | None
    checklist_version: int | None
    answers: Mapping[str, Answer]
    photos: Sequence[VisitPhoto]
    position: Position | None
    note: str | None
    round_id: int | None

    def content_hash(self, person: str, phone: str) -> bytes:
        """Of everything that was said, and by whom."""
        said = {name: getattr(self, name) for name in Sent.__slots__}
        said["photos"] = [(each.sha256, each.item, each.means) for each in self.photos]
        said["position"] = None if self.position is None else [*_numbers(self.position)]
        plain = json.dumps([said, person, phone], sort_keys=True, default=str, ensure_ascii=False)
        return hashlib.sha256(plain.encode()).digest()


@dataclass(frozen=True, slots=True)
class Desk:
    """What a visit is judged with."""

    book: Book
    table: ResponseTable
    public_urls: Sequence[str]


@dataclass(frozen=True, slots=True)
class Sender:
    person: str
    phone: str
    clock_offset: timedelta  # ours less the phone's, at the time of sending


@dataclass(frozen=True, slots=True)
class _Subject:
    """Where the tag leads."""

    facility: Facility | None
    facility_type: str | None
    tag: Tag | None
    reasons: Sequence[Reason]


async def record(
    connection: Connection, desk: Desk, site: Site, sender: Sender, sent: Sent, now: datetime
) -> Mapping[str, object]:
    """Keep it, and say what came of it; what was kept before is answered as it was then. Raises Conflict."""
    content_hash = sent.content_hash(sender.person, sender.phone)
    known = await visits.take_turn(connection, sent.id)
    if known is not None:
        if known.content_hash != content_hash:
            raise Conflict(
                f"visit {sent.id} was kept with other content: it is not changed afterwards; make a new visit"
            )
        return known.answer
    await visits.lock_walks(connection, site.id)
    subject = await _subject(connection, desk, site, sent)
    if subject.facility is not None:
        await dossier.lock_facilities(connection, [subject.facility.id])
    scan = _scan(subject, sender, sent, now)
    walk = None if sent.round_id is None else await succession.walk_of(connection, site.id, sent.round_id, scan)
    finding, checklist_reasons = _judge(desk, site, subject, scan, sent)
    reasons = [
        *subject.reasons,
        *([Reason.ROUND_UNKNOWN] if walk is None and sent.round_id is not None else []),
        *checklist_reasons,
        *await _doubts(connection, site, sent.id, scan, walk),
    ]
    order = None
    if subject.facility is not None and finding.failures:
        found = follow_up.Found(site, subject.facility, _checklist(desk, sent), finding, str(sent.id))
        order = await follow_up.open_or_join(connection, desk.table, found, sender.person, now)
    verdict = plausibility.verdict(reasons)
    entry = _entry(site, sender, sent, subject, scan, finding, now)
    entry = replace(
        entry,
        round_id=None if walk is None else sent.round_id,
        verdict=verdict,
        reasons=list(dict.fromkeys(reasons)),
        work_order_id=None if order is None else order.id,
        content_hash=content_hash,
    )
    answer = _answer(entry, subject, finding, order)
    await visits.keep(connection, entry, answer)
    await succession.judge_again(connection, entry)
    await _doubt_photos(connection, entry)
    await _show_fitness(connection, entry)
    return answer


async def _show_fitness(connection: Connection, entry: Entry) -> None:
    """What failed counts at once, as its order does; what passed only where nobody has to look into the visit first."""
    if entry.facility_id is None:
        return
    if entry.severity is not None and entry.work_order_id is not None:
        await fitness.failed(
            connection,
            entry.id,
            site_id=entry.site_id,
            facility_id=entry.facility_id,
            severity=entry.severity,
            work_order_id=entry.work_order_id,
            scanned_at=entry.scanned_at,
            actor=entry.person,
            now=entry.received_at,
        )
    elif (
        entry.outcome == judging.Outcome.IN_ORDER
        and (await visits.get(connection, entry.id)).verdict
        == plausibility.Verdict.ACCEPTED  # its photos are looked at
    ):
        await fitness.passed(
            connection,
            entry.id,
            site_id=entry.site_id,
            facility_id=entry.facility_id,
            scanned_at=entry.scanned_at,
            actor=entry.person,
            now=entry.received_at,
        )


async def _subject(connection: Connection, desk: Desk, site: Site, sent: Sent) -> _Subject:
    if sent.said is None:
        return await _as_named(connection, site, sent, Reason.NO_TAG_READ)
    read = codes.read(sent.said, desk.public_urls)
    if read.code is None:
        return await _as_named(connection, site, sent, Reason.NOT_OUR_CODE)
    try:
        tag = await tags.find(connection, read.code)
    except NotFound:
        return await _as_named(connection, site, sent, Reason.TAG_UNKNOWN)
    if tag.site_id != site.id:
        return await _as_named(connection, site, sent, Reason.TAG_UNKNOWN)
    reasons: list[Reason] = []
    if tag.retired_at is not None:
        reasons.append(Reason.TAG_RETIRED)
    if tag.is_facility_retired:
        reasons.append(Reason.FACILITY_RETIRED)
    if sent.expected is not None and sent.expected != tag.facility_key:
        reasons.append(Reason.WRONG_PLACE)
    facility = await facilities.facility(connection, tag.facility_id)
    return _Subject(facility, tag.facility_type, tag, reasons)


async def _as_named(connection: Connection, site: Site, sent: Sent, reason: Reason) -> _Subject:
    """Where no tag of the site was read, or only a damaged one: what he found is of the facility that he names."""
    try:
        named = None if sent.expected is None else await facility_list.find(connection, site.key, sent.expected)
    except NotFound:
        named = None
    kind = None if named is None else await facilities.type_of(connection, named.id)
    return _Subject(named, kind, None, [reason])


def _scan(subject: _Subject, sender: Sender, sent: Sent, now: datetime) -> Scan:
    """The phone's times set right by how far its clock was off when it sent; what is to come has been by now."""
    facility_id = None if subject.facility is None else subject.facility.id
    scanned_at = min(_shifted(sent.scanned_at, sender.clock_offset, now), now)
    finished_at = _shifted(sent.finished_at, sender.clock_offset, now)
    return Scan(
        facility_id=facility_id,
        person=sender.person,
        phone=sender.phone,
        means=sent.means,
        scanned_at=scanned_at,
        finished_at=finished_at,
        clock_offset=sender.clock_offset,
        position=sent.position,
    )


def _shifted(moment: datetime, by: timedelta, now: datetime) -> datetime:
    try:
        return max(moment + by, now - _AGE_MAX)
    except OverflowError:  # a clock beyond the calendar says nothing: it was received, so it has been
        return now


def _judge(desk: Desk, site: Site, subject: _Subject, scan: Scan, sent: Sent) -> tuple[Finding, Sequence[Reason]]:
    facility = subject.facility
    if facility is None:
        return NOTHING_TO_JUDGE_BY, []
    checklist = _find(desk, sent)
    if checklist is None:
        return NOTHING_TO_JUDGE_BY, [Reason.CHECKLIST_UNKNOWN]
    if checklist.kind != facility.kind:
        return NOTHING_TO_JUDGE_BY, [Reason.CHECKLIST_OF_ANOTHER_KIND]
    day = scan.scanned_at.astimezone(ZoneInfo(site.time_zone)).date()
    with_photo = {each.item for each in sent.photos if each.item is not None}
    finding = judging.judge(
        checklist,
        subject.facility_type,
        sent.answers,
        photos=with_photo,
        draw=photo_draw(facility.key, day.isoformat()),
    )
    reasons: list[Reason] = []
    if checklist is not desk.book.current(checklist.kind):
        reasons.append(Reason.CHECKLIST_RETIRED)
    if finding.unknown:
        reasons.append(Reason.ANSWERS_UNKNOWN)
    if finding.missing:
        reasons.append(Reason.ANSWERS_MISSING)
    if finding.photos_missing:
        reasons.append(Reason.PHOTO_MISSING)
    return finding, reasons


def photo_draw(facility_key: str, day: str) -> str:
    """What decides whether a random photo is asked for: the same all day, so that asking again draws nothing new."""
    return f"{facility_key}/{day}"


def _find(desk: Desk, sent: Sent) -> Checklist | None:
    if sent.checklist is None or sent.checklist_version is None:
        return None
    return desk.book.find(sent.checklist, sent.checklist_version)


def _checklist(desk: Desk, sent: Sent) -> Checklist:
    found = _find(desk, sent)
    assert found is not None, "something failed, so there was a checklist"
    return found


async def _doubts(
    connection: Connection, site: Site, visit_id: UUID, scan: Scan, walk: Walk | None
) -> Sequence[Reason]:
    earlier = await succession.earlier_of(connection, site.id, visit_id, scan)
    known_places = [] if scan.facility_id is None else await visits.places(connection, scan.facility_id)
    return plausibility.doubts(scan, earlier, walk, known_places)


async def _doubt_photos(connection: Connection, entry: Entry) -> None:
    for each in entry.photos:
        await doubt_photo(connection, entry.site_id, each.sha256, entry.received_at)


async def doubt_photo(connection: Connection, site_id: int, sha256: str, now: datetime) -> None:
    """A photo that another visit shows as well puts the later of the two to review: told when both are there."""
    since = now - BOUNDS.likeness_age
    pairs = await photos.visits_alike(connection, site_id, sha256, since=since, bits_max=BOUNDS.likeness_bits)
    for later, _ in pairs:
        await visits.doubt(connection, later, Reason.SAME_PHOTO)


def _entry(
    site: Site, sender: Sender, sent: Sent, subject: _Subject, scan: Scan, finding: Finding, now: datetime
) -> Entry:
    latitude, longitude, accuracy_m = (None, None, None) if sent.position is None else _numbers(sent.position)
    return Entry(
        id=sent.id,
        site_id=site.id,
        facility_id=scan.facility_id,
        tag_id=None if subject.tag is None else subject.tag.id,
        round_id=None,
        said=sent.said,
        means=sent.means,
        person=sender.person,
        phone=sender.phone,
        checklist=sent.checklist,
        checklist_version=sent.checklist_version,
        answers=sent.answers,
        failed=[each.item.key for each in finding.failures],
        severity=finding.severity,
        outcome=finding.outcome,
        note=sent.note,
        latitude=latitude,
        longitude=longitude,
        accuracy_m=accuracy_m,
        phone_scanned_at=sent.scanned_at,
        phone_finished_at=sent.finished_at,
        clock_offset_s=sender.clock_offset.total_seconds(),
        scanned_at=scan.scanned_at,
        received_at=now,
        verdict=plausibility.Verdict.ACCEPTED,
        reasons=(),
        work_order_id=None,
        content_hash=b"",
        photos=sent.photos,
    )


def _numbers(position: Position) -> tuple[float, float, float]:
    return position.latitude, position.longitude, position.accuracy_m


def _answer(entry: Entry, subject: _Subject, finding: Finding, order: "follow_up.Order | None") -> Mapping[str, object]:
    return {
        "facility": None if subject.facility is None else subject.facility.key,
        "outcome": entry.outcome,
        "failed": list(entry.failed),
        "missing": [*finding.missing],
        "photos_missing": [*finding.photos_missing],
        "verdict": entry.verdict,
        "reasons": list(entry.reasons),
        "work_order": None if order is None else {"id": order.id, "opened": order.opened},
    }
