"""Pieces of equipment whose life ends soon, or has, and certificates: each with the facility it is of."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from ledger.certificates import COUNTS, CertificateKind
from ledger.pool import Connection
from ledger.records import Grade


@dataclass(frozen=True, slots=True)
class Expiring:
    asset_id: int
    site_key: str
    facility_id: int
    facility_key: str
    facility_kind: str
    facility_type: str | None
    facility_name_zh: str
    facility_name_en: str
    grade: Grade
    location_name_zh: str
    location_name_en: str
    part_key: str | None
    maker: str
    model: str
    serial: str | None
    manufactured_on: date | None
    expected_end_on: date


@dataclass(frozen=True, slots=True)
class EndingPiece:
    """As much of it as an alarm says."""

    id: int
    facility_id: int
    grade: Grade
    part_key: str | None
    maker: str
    model: str
    ends_on: date


@dataclass(frozen=True, slots=True)
class EndingCertificate:
    """As much of it as an alarm says."""

    id: int
    facility_id: int
    grade: Grade
    kind: CertificateKind
    number: str
    ends_on: date


_ENDING_MAX = 5000  # of one site, the first to end: none is missed, only told when those before it are replaced


async def pieces(connection: Connection, site_id: int, *, until: date, kinds: Collection[str]) -> list[EndingPiece]:
    """Installed at living facilities of these kinds, and ending on that day or before."""
    cursor = await connection.execute(
        "select asset.id, facility.id, facility.grade, part.key, maker, model, expected_end_on "
        "from asset join facility on facility.id = asset.facility_id left join part on part.id = asset.part_id "
        "where asset.site_id = %s and facility.retired_at is null and removed_on is null and expected_end_on <= %s "
        "and facility.kind = any(%s) order by expected_end_on, asset.id limit %s",
        [site_id, until, sorted(kinds), _ENDING_MAX],
    )
    return [EndingPiece(number, facility, Grade(grade), *rest) async for number, facility, grade, *rest in cursor]


async def certificates(
    connection: Connection, site_id: int, *, until: date, kinds: Collection[CertificateKind]
) -> list[EndingCertificate]:
    """Of these kinds, that count at living facilities and end on that day or before."""
    cursor = await connection.execute(
        "select held.id, facility.id, facility.grade, held.kind, held.number, held.valid_until "  # noqa: S608 - literals all
        "from certificate as held join facility on facility.id = held.facility_id "
        "where held.site_id = %s and facility.retired_at is null and held.valid_until <= %s "
        f"and held.kind = any(%s::certificate_kind[]) and {COUNTS} order by held.valid_until, held.id limit %s",
        [site_id, until, sorted(kinds), _ENDING_MAX],
    )
    return [
        EndingCertificate(number, facility, Grade(grade), CertificateKind(kind), *rest)
        async for number, facility, grade, kind, *rest in cursor
    ]


async def page(
    connection: Connection,
    site_key: str,
    *,
    until: date,
    kind: str | None = None,
    after: tuple[date, int] | None = None,
    limit: int = 100,
) -> list[Expiring]:
    """Installed pieces of living facilities that end on that day or before, the first to end first."""
    cursor = await connection.execute(
        "select asset.id, site.key, facility.id, facility.key, facility.kind, facility.type_key, facility.name_zh, facility.name_en, "
        "facility.grade, location.name_zh, location.name_en, part.key, maker, model, serial, manufactured_on, "
        "expected_end_on from asset join facility on facility.id = asset.facility_id "
        "join site on site.id = asset.site_id join location on location.id = facility.location_id "
        "left join part on part.id = asset.part_id "
        "where site.key = %(site)s and facility.retired_at is null and removed_on is null "
        "and expected_end_on <= %(until)s and (%(kind)s::text is null or facility.kind = %(kind)s) "
        "and (%(day)s::date is null or (expected_end_on, asset.id) > (%(day)s, %(id)s)) "
        "order by expected_end_on, asset.id limit %(limit)s",
        {
            "site": site_key,
            "until": until,
            "kind": kind,
            "day": None if after is None else after[0],
            "id": None if after is None else after[1],
            "limit": limit,
        },
    )
    found: list[Expiring] = []
    async for row in cursor:
        fields = list(row)
        fields[8] = Grade(row[8])
        found.append(Expiring(*fields))
    return found
