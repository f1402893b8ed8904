"""Write down many new facilities of one site: a fixed number of statements for all of them, with whatever belongs to them.

For those that are not in the ledger yet, not even retired; `ledger.inventory` is for those that may be. What another
transaction wrote meanwhile under the same key is met as a constraint. Locking and the site's revision are the caller's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.inventory import AssetEntry, PartEntry, PointEntry, point_columns
from ledger.pool import Connection
from ledger.records import Grade


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A facility as it ought to be. At one place of it, the whole or a part, stands one piece at most."""

    key: str
    kind: str
    grade: Grade
    name_zh: str
    name_en: str
    type_key: str | None
    location_id: int
    gateway_id: int | None
    parts: Sequence[PartEntry]
    points: Sequence[PointEntry]
    assets: Sequence[AssetEntry]


@dataclass(frozen=True, slots=True)
class Registered:
    facility_id: int
    asset_ids: Mapping[str | None, int]  # by the key of the part, None for the whole


async def register(connection: Connection, site_id: int, newcomers: Sequence[Newcomer]) -> dict[str, Registered]:
    """By key, in the order given."""
    ids = await _facilities(connection, site_id, newcomers)
    mine = [(ids[one.key], one) for one in newcomers]
    await _parts(connection, site_id, [(at, part) for at, one in mine for part in one.parts])
    await _points(connection, site_id, [(at, point) for at, one in mine for point in one.points])
    placed = await _assets(connection, site_id, [(at, asset) for at, one in mine for asset in one.assets])
    return {one.key: Registered(at, placed.get(at, {})) for at, one in mine}


async def relate(connection: Connection, site_id: int, relations: Sequence[tuple[int, str, int]]) -> None:
    """Facility, name of the relation, target: of facilities that have none of these names yet."""
    await connection.execute(
        "insert into facility_relation (site_id, facility_id, name, target_id) "
        "select %s, * from unnest(%s::int[], %s::text[], %s::int[])",
        [site_id, *([row[column] for row in relations] for column in range(3))],
    )


async def _facilities(connection: Connection, site_id: int, newcomers: Sequence[Newcomer]) -> dict[str, int]:
    cursor = await connection.execute(
        "insert into facility (site_id, location_id, gateway_id, key, kind, grade, name_zh, name_en, type_key) "
        "select %(site)s, location_id, gateway_id, key, kind, grade, name_zh, name_en, type_key "
        "from unnest(%(locations)s::int[], %(gateways)s::int[], %(keys)s::text[], %(kinds)s::text[], "
        "%(grades)s::risk_grade[], %(names_zh)s::text[], %(names_en)s::text[], %(types)s::text[]) with ordinality "
        "as entry (location_id, gateway_id, key, kind, grade, name_zh, name_en, type_key, place) order by place "
        "returning key, id",
        {
            "site": site_id,
            "locations": [one.location_id for one in newcomers],
            "gateways": [one.gateway_id for one in newcomers],
            "keys": [one.key for one in newcomers],
            "kinds": [one.kind for one in newcomers],
            "grades": [one.grade.value for one in newcomers],
            "names_zh": [one.name_zh for one in newcomers],
            "names_en": [one.name_en for one in newcomers],
            "types": [one.type_key for one in newcomers],
        },
    )
    return {str(key): int(facility_id) async for key, facility_id in cursor}


async def _parts(connection: Connection, site_id: int, parts: Sequence[tuple[int, PartEntry]]) -> None:
    if not parts:
        return
    await connection.execute(
        "insert into part (site_id, facility_id, key, kind, name_zh, name_en) "
        "select %s, facility_id, key, kind, name_zh, name_en "
        "from unnest(%s::int[], %s::text[], %s::text[], %s::text[], %s::text[]) with ordinality "
        "as entry (facility_id, key, kind, name_zh, name_en, place) order by place",
        [
            site_id,
            [at for at, _ in parts],
            *([getattr(part, name) for _, part in parts] for name in ("key", "kind", "name_zh", "name_en")),
        ],
    )


async def _points(connection: Connection, site_id: int, points: Sequence[tuple[int, PointEntry]]) -> None:
    if not points:
        return
    await connection.execute(
        "insert into point (site_id, facility_id, part_id, key, kind, unit, scale, shift, range_min, range_max, "
        "report_interval_s, hold_s, name_zh, name_en) "
        "select %(site)s, entry.facility_id, part.id, entry.key, entry.kind, unit, scale, shift, range_min, range_max, "
        "report_interval_s, hold_s, entry.name_zh, entry.name_en "
        "from unnest(%(facilities)s::int[], %(keys)s::text[], %(parts)s::text[], %(kinds)s::point_kind[], "
        "%(units)s::text[], %(scales)s::float8[], %(shifts)s::float8[], %(minima)s::float8[], %(maxima)s::float8[], "
        "%(intervals)s::float8[], %(holds)s::float8[], %(names_zh)s::text[], %(names_en)s::text[]) with ordinality "
        "as entry (facility_id, key, part_key, kind, unit, scale, shift, range_min, range_max, report_interval_s, "
        "hold_s, name_zh, name_en, place) left join part on part.facility_id = entry.facility_id "
        "and part.key = part_key order by place",
        {"site": site_id, "facilities": [at for at, _ in points], **point_columns([point for _, point in points])},
    )
    labels = [
        (at, point.key, code, label) for at, point in points for code, label in enumerate(dict.fromkeys(point.labels))
    ]
    if labels:
        await connection.execute(
            "insert into point_code (site_id, point_id, code, label) select %s, point.id, code, label "
            "from unnest(%s::int[], %s::text[], %s::smallint[], %s::text[]) as entry (facility_id, key, code, label) "
            "join point on point.facility_id = entry.facility_id and point.key = entry.key",
            [site_id, *([row[column] for row in labels] for column in range(4))],
        )


async def _assets(
    connection: Connection, site_id: int, assets: Sequence[tuple[int, AssetEntry]]
) -> dict[int, dict[str | None, int]]:
    """The ids, by facility and place."""
    placed: dict[int, dict[str | None, int]] = {}
    if not assets:
        return placed
    columns = ("part_key", "maker", "model", "serial", "manufactured_on", "installed_on", "expected_end_on")
    cursor = await connection.execute(
        "with written as (insert into asset (site_id, facility_id, part_id, maker, model, serial, manufactured_on, "
        "installed_on, expected_end_on) select %s, entry.facility_id, part.id, maker, model, serial, manufactured_on, "
        "installed_on, expected_end_on from unnest(%s::int[], %s::text[], %s::text[], %s::text[], %s::text[], "
        "%s::date[], %s::date[], %s::date[]) with ordinality as entry (facility_id, part_key, maker, model, serial, "
        "manufactured_on, installed_on, expected_end_on, place) "
        "left join part on part.facility_id = entry.facility_id and part.key = part_key order by place "
        "returning id, facility_id, part_id) "
        "select written.facility_id, part.key, written.id from written left join part on part.id = part_id",
        [site_id, [at for at, _ in assets], *([getattr(asset, name) for _, asset in assets] for name in columns)],
    )
    async for facility_id, part_key, asset_id in cursor:
        placed.setdefault(facility_id, {})[part_key] = asset_id
    return placed
