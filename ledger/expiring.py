"""Pieces of equipment whose life ends soon or that are to be serviced, and certificates: each with the facility it is of."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import LiteralString

from ledger import services
from ledger.certificates import COUNTS, CertificateKind
from ledger.pool import Connection
from ledger.records import Grade
from ledger.services import Term


class Interval(StrEnum):
    """What ends."""

    LIFE = "life"
    SERVICE = "service"


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
    interval: Interval
    ends_on: date


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
    interval: Interval = Interval.LIFE


@dataclass(frozen=True, slots=True)
class EndingCertificate:
    """As much of it as an alarm says."""

    id: int
    facility_id: int
    grade: Grade
    kind: CertificateKind
    number: str
    ends_on: date


# Of one site, the first to end, and services after what ends: none is missed, only told when those before it are replaced.
_ENDING_MAX = 5000
# A piece ends twice at most, and never on the same day.
_ENDS: LiteralString = (
    "(select id, 'life' as interval, expected_end_on as ends_on from asset where removed_on is null "  # noqa: S608 - literals all
    "and expected_end_on is not null union all select id, 'service', next_on from "
    + services.NEXT
    + " as serviced where next_on is not null) as ends"
)


async def pieces(
    connection: Connection, site_id: int, *, until: date, kinds: Collection[str], terms: Sequence[Term]
) -> list[EndingPiece]:
    """Installed at living facilities of these kinds, and ending on that day or before; services last."""
    cursor = await connection.execute(
        "select asset.id, facility.id, facility.grade, part.key, maker, model, ends_on, ends.interval from "  # noqa: S608 - literals all
        + _ENDS
        + " join asset on asset.id = ends.id join facility on facility.id = asset.facility_id "
        "left join part on part.id = asset.part_id "
        "where asset.site_id = %(site)s and facility.retired_at is null and ends_on <= %(until)s "
        "and facility.kind = any(%(kinds)s) order by ends.interval = 'service', ends_on, asset.id limit %(limit)s",
        {
            **services.terms_asked(terms),
            "site": site_id,
            "until": until,
            "kinds": sorted(kinds),
            "limit": _ENDING_MAX,
        },
    )
    return [
        EndingPiece(number, facility, Grade(grade), *rest, interval=Interval(interval))
        async for number, facility, grade, *rest, interval in cursor
    ]


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
    terms: Sequence[Term],
    kind: str | None = None,
    after: tuple[date, int] | None = None,
    limit: int = 100,
) -> list[Expiring]:
    """Installed pieces of living facilities that end on that day or before, the first to end first."""
    cursor = await connection.execute(
        "select asset.id, site.key, facility.id, facility.key, facility.kind, facility.type_key, facility.name_zh, facility.name_en, "  # noqa: S608 - literals all
        "facility.grade, location.name_zh, location.name_en, part.key, maker, model, serial, manufactured_on, "
        "ends.interval, ends_on from "
        + _ENDS
        + " join asset on asset.id = ends.id join facility on facility.id = asset.facility_id "
        "join site on site.id = asset.site_id join location on location.id = facility.location_id "
        "left join part on part.id = asset.part_id "
        "where site.key = %(site)s and facility.retired_at is null "
        "and ends_on <= %(until)s and (%(kind)s::text is null or facility.kind = %(kind)s) "
        "and (%(day)s::date is null or (ends_on, asset.id) > (%(day)s, %(id)s)) "
        "order by ends_on, asset.id limit %(limit)s",
        {
            **services.terms_asked(terms),
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
        fields[8], fields[16] = Grade(row[8]), Interval(row[16])
        found.append(Expiring(*fields))
    return found
