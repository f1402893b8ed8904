"""Certificates of a facility: what somebody outside certified, until when, and its pages. Nothing of it is ever removed.

A certificate counts until it is withdrawn or another came in its place. The bytes of a page lie in the directory of photos.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import LiteralString

from psycopg.rows import TupleRow

from ledger import dossier, facilities
from ledger.errors import Conflict, NotFound, Refused, Retired, Superseded, Withdrawn
from ledger.pool import Connection
from ledger.records import Facility, Grade

CERTIFICATES_MAX = 200  # that count, of one facility
EVER_MAX = 2000  # on record of one facility, replaced and withdrawn ones too
PAGES_MAX = 20  # of one certificate


class CertificateKind(StrEnum):
    FIRE_FACILITY_TEST = "fire_facility_test"
    FIRE_PRODUCT = "fire_product"
    ELECTRICAL_FIRE_TEST = "electrical_fire_test"
    LIFT_PERIODIC_INSPECTION = "lift_periodic_inspection"
    LIFT_SELF_TESTING = "lift_self_testing"
    USE_REGISTRATION = "use_registration"
    PRESSURE_GAUGE_CALIBRATION = "pressure_gauge_calibration"
    SAFETY_VALVE_CALIBRATION = "safety_valve_calibration"
    INSTRUMENT_CALIBRATION = "instrument_calibration"
    WATER_QUALITY_TEST = "water_quality_test"
    WATER_SANITARY_PERMIT = "water_sanitary_permit"
    TANK_CLEANING = "tank_cleaning"
    LIGHTNING_PROTECTION_TEST = "lightning_protection_test"
    ACCEPTANCE = "acceptance"
    OTHER = "other"


class CertificateMove(StrEnum):
    """What the dossier says of it."""

    ADD = "add"
    PAGE = "page"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class NewCertificate:
    kind: CertificateKind
    number: str
    issuer: str
    issued_on: date
    valid_until: date | None
    note: str | None
    replaces_id: int | None


@dataclass(frozen=True, slots=True)
class Page:
    sha256: str
    media_type: str
    bytes: int
    added_at: datetime
    added_by: str


@dataclass(frozen=True, slots=True)
class Certificate:
    id: int
    site_id: int
    site_key: str
    facility_id: int
    facility_key: str
    facility_name_zh: str
    facility_name_en: str
    grade: Grade
    kind: CertificateKind
    number: str
    issuer: str
    issued_on: date
    valid_until: date | None
    note: str | None
    replaces_id: int | None
    replaced_by_id: int | None  # the newest that is not withdrawn
    added_at: datetime
    added_by: str
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_why: str | None

    @property
    def counts(self) -> bool:
        return self.withdrawn_at is None and self.replaced_by_id is None


_COLUMNS: LiteralString = (
    "select held.id, held.site_id, site.key, facility.id, facility.key, facility.name_zh, facility.name_en, facility.grade, "
    "held.kind, held.number, held.issuer, held.issued_on, held.valid_until, held.note, held.replaces_id, "
    "(select max(newer.id) from certificate as newer where newer.replaces_id = held.id and newer.withdrawn_at is null) "
    "as replaced_by_id, held.added_at, held.added_by, held.withdrawn_at, held.withdrawn_by, held.withdrawn_why "
    "from certificate as held join facility on facility.id = held.facility_id join site on site.id = held.site_id "
)
COUNTS: LiteralString = (
    "held.withdrawn_at is null and not exists (select from certificate as newer "
    "where newer.replaces_id = held.id and newer.withdrawn_at is null) "
)


async def add(connection: Connection, facility: Facility, new: NewCertificate, *, actor: str, now: datetime) -> int:
    """Raises NotFound for what it is to replace, Refused when that counts no longer or is of another kind or there are too
    many, Retired where the facility is, Conflict for one that is there already.
    """
    await dossier.lock_facilities(connection, [facility.id])
    if await facilities.is_retired(connection, facility.id):
        raise Retired(f"facility {facility.key} is retired, and nothing is certified of it any more")
    held = await of_facility(connection, facility.id)
    _refuse_too_many(held, facility, new)
    if new.replaces_id is not None:
        _refuse_to_replace(held, new, new.replaces_id)
    same = next((each for each in held if each.counts and _names(each) == _names(new)), None)
    if same is not None and same.id != new.replaces_id:
        raise Conflict(f"certificate {new.number} of {new.issuer} is registered at {facility.key} already")
    cursor = await connection.execute(
        "insert into certificate (site_id, facility_id, kind, number, issuer, issued_on, valid_until, note, replaces_id, "
        "added_at, added_by) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning id",
        [
            facility.site_id,
            facility.id,
            new.kind,
            new.number,
            new.issuer,
            new.issued_on,
            new.valid_until,
            new.note,
            new.replaces_id,
            now,
            actor,
        ],
    )
    row = await cursor.fetchone()
    assert row is not None
    number = int(row[0])
    said = {
        "issued_on": new.issued_on.isoformat(),
        "valid_until": None if new.valid_until is None else new.valid_until.isoformat(),
        "replaces": new.replaces_id,
        "note": new.note,
    }
    added = await get(connection, number)
    await _enter(connection, added, CertificateMove.ADD, said, actor=actor, now=now)
    return number


def _refuse_too_many(held: Sequence[Certificate], facility: Facility, new: NewCertificate) -> None:
    if new.replaces_id is None and sum(each.counts for each in held) >= CERTIFICATES_MAX:
        raise Refused(f"facility {facility.key} has {CERTIFICATES_MAX} certificates that count, and takes no more")
    if len(held) >= EVER_MAX:
        raise Refused(f"facility {facility.key} has {EVER_MAX} certificates on record, and takes no more")


def _refuse_to_replace(held: Sequence[Certificate], new: NewCertificate, replaces_id: int) -> None:
    old = next((each for each in held if each.id == replaces_id), None)
    if old is None:
        raise NotFound("certificate of this facility", replaces_id)
    if not old.counts:
        raise Refused(f"certificate {old.number} counts no longer: it was withdrawn, or another came in its place")
    if old.kind is not new.kind:
        raise Refused(f"certificate {old.number} is of kind {old.kind}, and replaced by one of its kind only")


def _names(named: Certificate | NewCertificate) -> tuple[CertificateKind, str, str]:
    return named.kind, named.issuer, named.number


async def withdraw(connection: Connection, number: int, *, why: str, actor: str, now: datetime) -> None:
    """It was entered by mistake, or its issuer took it back: it counts no more, and what it replaced counts again.

    Raises NotFound, Withdrawn when it is already, Superseded when what came in its place is not: what it replaced
    would count beside that.
    """
    found = await _locked(connection, number)
    if found.withdrawn_at is not None:
        raise Withdrawn(f"certificate {found.number} is withdrawn already")
    if found.replaced_by_id is not None:
        newer = await get(connection, found.replaced_by_id)
        raise Superseded(f"certificate {newer.number} came in place of {found.number}: withdraw that one first")
    await connection.execute(
        "update certificate set withdrawn_at = %s, withdrawn_by = %s, withdrawn_why = %s where id = %s",
        [now, actor, why, number],
    )
    await _enter(connection, found, CertificateMove.WITHDRAW, {"note": why}, actor=actor, now=now)


async def _locked(connection: Connection, number: int) -> Certificate:
    """As it is once nobody else can change what its facility has. Raises NotFound."""
    await dossier.lock_facilities(connection, [(await get(connection, number)).facility_id])
    return await get(connection, number)


async def add_page(connection: Connection, number: int, page: Page) -> None:
    """The bytes are kept already. The same twice is there once. Raises NotFound, Refused, Withdrawn."""
    found = await _locked(connection, number)
    if not await lacks_page(connection, found, page.sha256):
        return
    await connection.execute(
        "insert into certificate_page (site_id, certificate_id, sha256, media_type, bytes, added_at, added_by) "
        "values (%s, %s, %s, %s, %s, %s, %s)",
        [found.site_id, number, page.sha256, page.media_type, page.bytes, page.added_at, page.added_by],
    )
    said = {"sha256": page.sha256, "media_type": page.media_type}
    await _enter(connection, found, CertificateMove.PAGE, said, actor=page.added_by, now=page.added_at)


async def lacks_page(connection: Connection, of: Certificate, sha256: str) -> bool:
    """Whether that page is still to be added. Raises Refused where it would be one too many, Withdrawn."""
    if of.withdrawn_at is not None:
        raise Withdrawn(f"certificate {of.number} is withdrawn, and takes no pages any more")
    held = (await pages(connection, [of.id]))[of.id]
    if any(each.sha256 == sha256 for each in held):
        return False
    if len(held) >= PAGES_MAX:
        raise Refused(f"certificate {of.number} has {PAGES_MAX} pages already, and takes no more")
    return True


async def get(connection: Connection, number: int) -> Certificate:
    """Raises NotFound."""
    cursor = await connection.execute(_COLUMNS + "where held.id = %s", [number])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("certificate", number)
    return _certificate(row)


async def of_facility(connection: Connection, facility_id: int) -> list[Certificate]:
    """All there ever were; what counts and ends first comes first, then what counts no longer, the newest first."""
    cursor = await connection.execute(
        _COLUMNS + f"where held.facility_id = %s order by not ({COUNTS}), "
        f"case when {COUNTS} then held.valid_until end, held.id desc limit %s",
        [facility_id, EVER_MAX],
    )
    return [_certificate(row) async for row in cursor]


async def ending(
    connection: Connection,
    site_key: str,
    *,
    until: date,
    after: tuple[date, int] | None = None,
    limit: int = 100,
) -> list[Certificate]:
    """Those that count at living facilities and end on that day or before, the first to end first."""
    cursor = await connection.execute(
        _COLUMNS + f"where site.key = %(site)s and facility.retired_at is null and held.valid_until <= %(until)s "
        f"and {COUNTS} and (%(day)s::date is null or (held.valid_until, held.id) > (%(day)s, %(id)s)) "
        "order by held.valid_until, held.id limit %(limit)s",
        {
            "site": site_key,
            "until": until,
            "day": None if after is None else after[0],
            "id": None if after is None else after[1],
            "limit": limit,
        },
    )
    return [_certificate(row) async for row in cursor]


async def pages(connection: Connection, numbers: Sequence[int]) -> Mapping[int, Sequence[Page]]:
    """Of each certificate, oldest first."""
    found: dict[int, list[Page]] = {number: [] for number in numbers}
    cursor = await connection.execute(
        "select certificate_id, sha256, media_type, bytes, added_at, added_by from certificate_page "
        "where certificate_id = any(%s) order by added_at, sha256",
        [list(numbers)],
    )
    async for number, *page in cursor:
        found[number].append(Page(*page))
    return found


async def page_of(connection: Connection, number: int, sha256: str) -> Page:
    """Raises NotFound."""
    found = (await pages(connection, [number]))[number]
    page = next((each for each in found if each.sha256 == sha256), None)
    if page is None:
        raise NotFound("page of the certificate", sha256)
    return page


async def _enter(
    connection: Connection,
    of: Certificate,
    move: CertificateMove,
    said: Mapping[str, object],
    *,
    actor: str,
    now: datetime,
) -> None:
    body = {
        "certificate": of.id,
        "move": move.value,
        "kind": of.kind.value,
        "number": of.number,
        "issuer": of.issuer,
        **said,
        "actor": actor,
    }
    await dossier.append(
        connection, site_id=of.site_id, facility_id=of.facility_id, kind="certificate", body=body, now=now
    )


def _certificate(row: TupleRow) -> Certificate:
    fields = list(row)
    fields[7], fields[8] = Grade(row[7]), CertificateKind(row[8])
    return Certificate(*fields)
