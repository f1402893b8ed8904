"""Services of equipment on record, and when each piece is to be serviced next.

Of a piece the newest entry counts, whatever day it says: who mistyped records it again, and an entry without a day strikes
what was recorded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import LiteralString

from ledger import dossier
from ledger.dossier import NewEntry
from ledger.pool import Connection


@dataclass(frozen=True, slots=True)
class Term:
    """How often what is installed at a facility of this type is serviced, counted from the day it was made."""

    type_key: str
    of_parts: bool  # what is installed at parts of it, and not the whole
    first_months: int
    again_months: int


@dataclass(frozen=True, slots=True)
class Serviced:
    asset_id: int
    facility_id: int
    part_key: str | None
    manufactured_on: date | None
    serviced_on: date | None  # None: no service is on record
    next_on: date | None  # None: it is scrapped before, or nobody knows when it was made


# A piece is serviced while it lives: what comes after its end is none.
NEXT: LiteralString = (
    "(select asset.id, asset.site_id, asset.facility_id, asset.part_id, manufactured_on, newest.serviced_on, "
    "case when expected_end_on is null or next.due_on < expected_end_on then next.due_on end as next_on "
    "from asset join facility on facility.id = asset.facility_id "
    "join unnest(%(types)s::text[], %(of_parts)s::bool[], %(first)s::int[], %(again)s::int[]) "
    "as term (type_key, of_parts, first_months, again_months) "
    "on term.type_key = facility.type_key and term.of_parts = (asset.part_id is not null) "
    "left join lateral (select serviced_on from asset_service where asset_id = asset.id order by id desc limit 1) "
    "as newest on true "
    "cross join lateral (select coalesce(newest.serviced_on + make_interval(months => again_months), "
    "manufactured_on + make_interval(months => first_months))::date as due_on) as next where removed_on is null)"
)


def terms_asked(terms: Sequence[Term]) -> Mapping[str, object]:
    """What NEXT is asked with."""
    return {
        "types": [each.type_key for each in terms],
        "of_parts": [each.of_parts for each in terms],
        "first": [each.first_months for each in terms],
        "again": [each.again_months for each in terms],
    }


async def of_facilities(connection: Connection, facility_ids: Sequence[int], terms: Sequence[Term]) -> list[Serviced]:
    """Installed pieces that are serviced at all, in order of facility and part."""
    cursor = await connection.execute(
        "select piece.id, piece.facility_id, part.key, manufactured_on, serviced_on, next_on from "  # noqa: S608 - literals all
        + NEXT
        + " as piece left join part on part.id = piece.part_id where piece.facility_id = any(%(facilities)s) "
        "order by piece.facility_id, part.key, piece.id",
        {**terms_asked(terms), "facilities": list(facility_ids)},
    )
    return [Serviced(*row) async for row in cursor]


async def record(
    connection: Connection,
    site_id: int,
    pieces: Sequence[Serviced],
    serviced_on: date | None,
    *,
    note: str,
    actor: str,
    now: datetime,
) -> None:
    """Of each piece, an entry of its own in the dossier of its facility. `serviced_on` None strikes what was recorded."""
    await dossier.lock_facilities(connection, [each.facility_id for each in pieces])
    await connection.cursor().executemany(
        "insert into asset_service (site_id, asset_id, serviced_on, note, recorded_at, recorded_by) "
        "values (%s, %s, %s, %s, %s, %s)",
        [(site_id, each.asset_id, serviced_on, note, now, actor) for each in pieces],
    )
    day = None if serviced_on is None else serviced_on.isoformat()
    entries = [
        NewEntry(
            each.facility_id,
            "asset_serviced",
            {"asset": each.asset_id, "part": each.part_key, "serviced_on": day, "note": note, "actor": actor},
        )
        for each in pieces
    ]
    await dossier.append_all(connection, site_id, entries, now)
