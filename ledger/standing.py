"""A whole site as it stands in the ledger, by keys: what an estate file is held against, and what an export gives back.

Retired facilities belong to it: their keys are taken, and one that is named again comes back.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg.rows import TupleRow

from ledger import facilities, site_settings
from ledger.inventory import AssetEntry, PointEntry
from ledger.pool import Connection
from ledger.records import Grade, PointKind, Site


@dataclass(frozen=True, slots=True)
class StandingLocation:
    id: int
    key: str
    name_zh: str
    name_en: str
    inside: str | None


@dataclass(frozen=True, slots=True)
class StandingPart:
    key: str
    kind: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class StandingFacility:
    id: int
    key: str
    kind: str
    type: str | None
    grade: Grade  # in force
    said_grade: str | None  # what the files said last, in force or not
    name_zh: str
    name_en: str
    location: str
    gateway: str | None
    retired: bool
    parts: Mapping[str, StandingPart]  # the living ones
    points: Mapping[str, PointEntry]  # the living ones
    parameters: Mapping[str, float]  # in force
    said: Mapping[str, float]  # what the files said last, in force or not
    relations: Mapping[str, str]
    assets: Sequence[AssetEntry]  # oldest first


@dataclass(frozen=True, slots=True)
class Standing:
    site: Site
    said_profile: str | None  # the contract the files said last, in force or not
    kind_grades: Mapping[str, Grade]  # set for a kind at the site, in place of its pack's default
    locations: Mapping[str, StandingLocation]
    gateways: Mapping[str, int]  # key -> id, those whose facility is retired as well
    facilities: Mapping[str, StandingFacility]  # the gateways' own among them


async def of_site(connection: Connection, site: Site, author: str) -> Standing:
    """`author`: whose settings count as the files' own."""
    cursor = await connection.execute(
        "select location.id, location.key, location.name_zh, location.name_en, parent.key from location "
        "left join location parent on parent.id = location.parent_id where location.site_id = %s order by location.id",
        [site.id],
    )
    locations = {row[1]: StandingLocation(*row) async for row in cursor}
    cursor = await connection.execute("select key, id from gateway where site_id = %s order by id", [site.id])
    gateways = {key: gateway_id async for key, gateway_id in cursor}
    parts = await _parts(connection, site.id)
    points = await _points(connection, site.id)
    in_force = await _parameters(connection, site.id, None)
    said = await _parameters(connection, site.id, author)
    settled = await site_settings.in_force(connection, site.id)
    decided = await site_settings.last_by(connection, site.id, author)
    relations = await _relations(connection, site.id)
    assets = await _assets(connection, site.id)
    cursor = await connection.execute(
        "select facility.id, facility.key, kind, type_key, grade, name_zh, name_en, (select key from location "
        "where location.id = location_id), (select key from gateway where gateway.id = gateway_id), "
        "retired_at is not null from facility where site_id = %s order by facility.id",
        [site.id],
    )
    found: dict[str, StandingFacility] = {}
    async for row in cursor:
        number, key, kind, type_key, grade, name_zh, name_en, location, gateway, retired = row
        found[key] = StandingFacility(
            id=number,
            key=key,
            kind=kind,
            type=type_key,
            grade=Grade(grade),
            said_grade=decided.get((number, site_settings.GRADE)),
            name_zh=name_zh,
            name_en=name_en,
            location=location,
            gateway=gateway,
            retired=retired,
            parts=parts[number],
            points=points[number],
            parameters=in_force[number],
            said=said[number],
            relations=relations[number],
            assets=assets[number],
        )
    kind_grades = {
        name.removeprefix(f"{site_settings.GRADE}."): Grade(setting.value)
        for name, setting in settled.items()
        if name.startswith(f"{site_settings.GRADE}.") and setting.value is not None
    }
    said_profile = decided.get((None, site_settings.PROFILE))
    return Standing(site, said_profile, kind_grades, locations, gateways, found)


async def of_sites(connection: Connection, keys: Sequence[str], author: str) -> dict[str, Standing]:
    """Those of the sites that are there."""
    there = await facilities.sites(connection)
    return {site.key: await of_site(connection, site, author) for site in there if site.key in keys}


async def _parts(connection: Connection, site_id: int) -> defaultdict[int, dict[str, StandingPart]]:
    cursor = await connection.execute(
        "select facility_id, key, kind, name_zh, name_en from part where site_id = %s and retired_at is null order by id",
        [site_id],
    )
    found: defaultdict[int, dict[str, StandingPart]] = defaultdict(dict)
    async for facility_id, *fields in cursor:
        found[facility_id][fields[0]] = StandingPart(*fields)
    return found


async def _points(connection: Connection, site_id: int) -> defaultdict[int, dict[str, PointEntry]]:
    cursor = await connection.execute(
        "select point.facility_id, point.key, part.key, point.kind, unit, scale, shift, range_min, range_max, "
        "report_interval_s, hold_s, point.name_zh, point.name_en, "
        "array(select label from point_code where point_id = point.id order by code) "
        "from point left join part on part.id = part_id where point.site_id = %s and point.retired_at is null "
        "order by point.id",
        [site_id],
    )
    found: defaultdict[int, dict[str, PointEntry]] = defaultdict(dict)
    async for row in cursor:
        found[row[0]][row[1]] = _point(row)
    return found


def _point(row: TupleRow) -> PointEntry:
    fields = list(row[1:])
    fields[2] = PointKind(fields[2])
    fields[-1] = tuple(fields[-1])
    return PointEntry(*fields)


async def _parameters(connection: Connection, site_id: int, author: str | None) -> defaultdict[int, dict[str, float]]:
    cursor = await connection.execute(
        "select distinct on (facility_id, name) facility_id, name, value from rule_parameter "
        "where site_id = %s and (%s::text is null or author = %s) order by facility_id, name, id desc",
        [site_id, author, author],
    )
    found: defaultdict[int, dict[str, float]] = defaultdict(dict)
    async for facility_id, name, value in cursor:
        found[facility_id][name] = value
    return found


async def _relations(connection: Connection, site_id: int) -> defaultdict[int, dict[str, str]]:
    cursor = await connection.execute(
        "select facility_id, name, target.key from facility_relation join facility target on target.id = target_id "
        "where facility_relation.site_id = %s order by facility_id, name",
        [site_id],
    )
    found: defaultdict[int, dict[str, str]] = defaultdict(dict)
    async for facility_id, name, target in cursor:
        found[facility_id][name] = target
    return found


async def _assets(connection: Connection, site_id: int) -> defaultdict[int, list[AssetEntry]]:
    cursor = await connection.execute(
        "select asset.facility_id, part.key, maker, model, serial, manufactured_on, installed_on, expected_end_on "
        "from asset left join part on part.id = part_id where asset.site_id = %s "
        "order by asset.facility_id, part.id nulls first, installed_on, asset.id",
        [site_id],
    )
    found: defaultdict[int, list[AssetEntry]] = defaultdict(list)
    async for facility_id, *fields in cursor:
        found[facility_id].append(AssetEntry(*fields))
    return found
