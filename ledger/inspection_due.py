"""When each facility was last looked at, and what of it is about to run out: what `inspection.due` decides from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ledger.pool import Connection
from ledger.records import Grade

FACILITIES_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Standing:
    """A living facility that is looked at."""

    facility_id: int
    key: str
    kind: str
    type_key: str | None
    grade: Grade
    name_zh: str
    name_en: str
    place_names: Sequence[str]  # from the root to its place, Chinese and English
    tagged_at: datetime | None  # its first tag
    has_living_tag: bool
    checked_at: datetime | None
    outcome: str | None  # of that visit
    manufactured_on: date | None
    expected_end_on: date | None  # the earliest of what is installed there


async def of_site(connection: Connection, site_id: int, kinds: Sequence[str]) -> list[Standing]:
    """In order of key."""
    cursor = await connection.execute(
        "with recursive way as (select id, parent_id, array[name_zh, name_en] as names from location "
        "where site_id = %(site)s and parent_id is null union all "
        "select below.id, below.parent_id, names || array[below.name_zh, below.name_en] from location as below "
        "join way on below.parent_id = way.id) "
        "select facility.id, facility.key, kind, type_key, grade, name_zh, name_en, way.names, "
        "(select min(issued_at) from tag where tag.facility_id = facility.id), "
        "exists (select from tag where tag.facility_id = facility.id and retired_at is null), "
        "newest.scanned_at, newest.outcome::text, "
        "(select min(manufactured_on) from asset where asset.facility_id = facility.id and removed_on is null), "
        "(select min(expected_end_on) from asset where asset.facility_id = facility.id and removed_on is null) "
        "from facility join way on way.id = location_id left join lateral ("
        "select scanned_at, outcome from inspection_visit as visit where visit.facility_id = facility.id "
        "and outcome in ('in_order', 'defective') and verdict <> 'struck' order by scanned_at desc limit 1"
        ") as newest on true "
        "where facility.site_id = %(site)s and facility.retired_at is null and kind = any(%(kinds)s) "
        "order by facility.key limit %(limit)s",
        {"site": site_id, "kinds": list(kinds), "limit": FACILITIES_MAX},
    )
    found: list[Standing] = []
    async for row in cursor:
        fields = list(row)
        fields[4] = Grade(row[4])
        found.append(Standing(*fields))
    return found


async def tag_codes(connection: Connection, facility_ids: Sequence[int]) -> dict[int, list[str]]:
    """Living codes by facility."""
    cursor = await connection.execute(
        "select facility_id, code from tag where facility_id = any(%s) and retired_at is null order by id",
        [list(facility_ids)],
    )
    found: dict[int, list[str]] = {}
    async for facility_id, code in cursor:
        found.setdefault(int(facility_id), []).append(str(code))
    return found
