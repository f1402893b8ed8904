"""Facilities as people look them up: by key, filtered, with their place, what is measured there now and what is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import LiteralString

from psycopg.rows import TupleRow

from ledger.errors import NotFound
from ledger.facilities import SITE_COLUMNS
from ledger.fitness_lifecycle import FitnessState
from ledger.pool import Connection
from ledger.records import Facility, Grade, PointKind, Quality, Site


@dataclass(frozen=True, slots=True)
class FacilityEntry:
    """A facility with its place and its gateway, and how many alarms are open there."""

    id: int
    site_id: int
    site_key: str
    key: str
    kind: str
    grade: Grade
    name_zh: str
    name_en: str
    location_key: str
    location_name_zh: str
    location_name_en: str
    gateway_key: str | None
    gateway_online: bool | None
    gateway_heard_at: datetime | None
    type_key: str | None
    expected_end_on: date | None  # the earliest of what is installed there now
    open_alarms: int
    open_orders: int
    fitness: FitnessState | None  # None: nothing was ever found wrong there
    fitness_since: datetime | None
    fitness_order: int | None  # of the finding; None: it is fit


@dataclass(frozen=True, slots=True)
class CurrentValue:
    """A point with its newest reading, if it has one."""

    point_id: int
    facility_id: int
    part_key: str | None
    part_kind: str | None
    part_name_zh: str | None
    part_name_en: str | None
    key: str
    kind: PointKind
    unit: str
    name_zh: str
    name_en: str
    report_interval_s: float | None
    labels: Mapping[int, str]  # enumerations: stored code -> label
    ts: datetime | None
    value: float | None
    quality: Quality | None


@dataclass(frozen=True, slots=True)
class FacilityFilter:
    """What to show. None: do not ask. `location`: at this place or anywhere below it; `words`: part of key or name."""

    site: str | None = None
    kind: str | None = None
    grade: Grade | None = None
    location: str | None = None
    gateway: str | None = None
    words: str | None = None
    fitness: Sequence[FitnessState] | None = None  # what nobody ever found anything wrong with is fit


_COLUMNS: LiteralString = (
    "select facility.id, facility.site_id, site.key, facility.key, facility.kind, grade, facility.name_zh, "
    "facility.name_en, location.key, location.name_zh, location.name_en, gateway.key, gateway.online, gateway.heard_at, "
    "type_key, (select min(expected_end_on) from asset where asset.facility_id = facility.id and removed_on is null), "
    "(select count(*) from alarm where alarm.facility_id = facility.id and alarm.ended_at is null), "
    "(select count(*) from work_order where work_order.facility_id = facility.id and work_order.ended_at is null), "
    "fitness.state, fitness.since, case when fitness.state <> 'fit' then fitness.work_order_id end "
    "from facility join site on site.id = facility.site_id join location on location.id = facility.location_id "
    "left join gateway on gateway.id = facility.gateway_id "
    "left join facility_fitness as fitness on fitness.facility_id = facility.id "
)


async def page(
    connection: Connection, wanted: FacilityFilter, *, after: tuple[str, str] | None = None, limit: int = 100
) -> list[FacilityEntry]:
    """Living facilities in scope, in order of site and key. `after`: both keys of the last one of the page before."""
    cursor = await connection.execute(
        _COLUMNS + "where facility.retired_at is null and (%(site)s::text is null or site.key = %(site)s) "  # noqa: S608 - literals all
        "and (%(kind)s::text is null or facility.kind = %(kind)s) "
        "and (%(grade)s::risk_grade is null or grade = %(grade)s) "
        "and (%(gateway)s::text is null or gateway.key = %(gateway)s) "
        "and (%(words)s::text is null "
        "or strpos(lower(facility.key || ' ' || facility.name_zh || ' ' || facility.name_en), lower(%(words)s)) > 0) "
        "and (%(location)s::text is null or location.id in (with recursive below as ("
        "select place.id from location place where place.key = %(location)s union all "
        "select place.id from location place join below on place.parent_id = below.id) select id from below)) "
        "and (%(fitness)s::fitness_state[] is null or coalesce(fitness.state, 'fit') = any (%(fitness)s)) "
        "and (%(after_site)s::text is null or (site.key, facility.key) > (%(after_site)s, %(after_key)s)) "
        "order by site.key, facility.key limit %(limit)s",
        {
            "site": wanted.site,
            "kind": wanted.kind,
            "grade": wanted.grade,
            "location": wanted.location,
            "gateway": wanted.gateway,
            "words": wanted.words,
            "fitness": None if wanted.fitness is None else [*wanted.fitness],
            "after_site": after and after[0],
            "after_key": after and after[1],
            "limit": limit,
        },
    )
    return [_entry(row) async for row in cursor]


async def get(connection: Connection, site_key: str, facility_key: str) -> FacilityEntry:
    """Raises NotFound; a retired one is still found, for its history."""
    cursor = await connection.execute(_COLUMNS + "where site.key = %s and facility.key = %s", [site_key, facility_key])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("facility", f"{site_key}/{facility_key}")
    return _entry(row)


async def find(connection: Connection, site_key: str, facility_key: str) -> Facility:
    """The bare facility, by its keys. Raises NotFound."""
    cursor = await connection.execute(
        "select facility.id, site_id, location_id, gateway_id, facility.key, kind, grade, facility.name_zh, "
        "facility.name_en from facility join site on site.id = site_id where site.key = %s and facility.key = %s",
        [site_key, facility_key],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("facility", f"{site_key}/{facility_key}")
    fields = list(row)
    fields[6] = Grade(row[6])
    return Facility(*fields)


async def find_site(connection: Connection, site_key: str) -> Site:
    """Raises NotFound."""
    cursor = await connection.execute(SITE_COLUMNS + "where site.key = %s", [site_key])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("site", site_key)
    return Site(*row)


async def current_values(connection: Connection, facility_ids: Sequence[int]) -> Mapping[int, Sequence[CurrentValue]]:
    """The points of each facility in order of id, with what they said last."""
    cursor = await connection.execute(
        "select point.id, point.facility_id, part.key, part.kind, part.name_zh, part.name_en, point.key, point.kind, "
        "unit, point.name_zh, point.name_en, "
        "report_interval_s, "
        "(select coalesce(jsonb_object_agg(code, label), '{}') from point_code where point_code.point_id = point.id), "
        "site_current.ts, site_current.value, site_current.quality "
        "from point left join part on part.id = point.part_id "
        "left join lateral (select * from site_current where point_id = point.id) site_current on true "
        "where point.facility_id = any(%s) and point.retired_at is null order by point.id",
        [list(facility_ids)],
    )
    found: dict[int, list[CurrentValue]] = {facility_id: [] for facility_id in facility_ids}
    async for row in cursor:
        found[row[1]].append(_value(row))
    return found


async def relations(connection: Connection, facility_id: int) -> Mapping[str, str]:
    """What the facility leans on: name of the relation -> key of the other facility."""
    cursor = await connection.execute(
        "select name, target.key from facility_relation join facility target on target.id = target_id "
        "where facility_id = %s order by name",
        [facility_id],
    )
    return {name: key async for name, key in cursor}


def _entry(row: TupleRow) -> FacilityEntry:
    fields = list(row)
    fields[5] = Grade(row[5])
    fields[-3] = row[-3] and FitnessState(row[-3])
    return FacilityEntry(*fields)


def _value(row: TupleRow) -> CurrentValue:
    fields = list(row)
    fields[7] = PointKind(row[7])
    fields[12] = {int(code): label for code, label in row[12].items()}
    fields[15] = None if row[15] is None else Quality(row[15])
    return CurrentValue(*fields)
