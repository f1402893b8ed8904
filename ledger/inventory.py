"""Write down what exists: sites, places, gateways, facilities and what belongs to them, by key, as often as one likes.

Every function takes what ought to be and tells what it changed; written twice, the second time changes nothing. What a
row means is kept: kinds of facilities, parts and points do not change, labels keep their codes, assets are replaced and
not overwritten. Locking and the site's revision are the caller's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import LiteralString

from psycopg.rows import TupleRow

from ledger.errors import Conflict
from ledger.pool import Connection
from ledger.records import Grade, PointKind


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a row."""

    id: int
    created: bool
    changed: bool  # also true for a created one


@dataclass(frozen=True, slots=True)
class PointEntry:
    """A point as it ought to be. `labels` in order, for enumerations; new ones are appended to those known."""

    key: str
    part_key: str | None
    kind: PointKind
    unit: str
    scale: float
    shift: float
    range_min: float | None
    range_max: float | None
    report_interval_s: float | None
    hold_s: float | None
    name_zh: str
    name_en: str
    labels: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PartEntry:
    key: str
    kind: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class AssetEntry:
    part_key: str | None
    maker: str
    model: str
    serial: str | None
    manufactured_on: date | None
    installed_on: date
    expected_end_on: date | None = None


async def put_site(
    connection: Connection,
    *,
    key: str,
    name_zh: str,
    name_en: str,
    time_zone: str,
    round_at: time,
    sla_profile: str,
    now: datetime,
) -> Written:
    cursor = await connection.execute(
        # Not "on conflict": the row proposed would have to pass the policy for new sites, also where the site is there.
        "with changed as (update site set name_zh = %(name_zh)s, name_en = %(name_en)s, time_zone = %(time_zone)s, "
        "round_at = %(round_at)s where key = %(key)s and (name_zh, name_en, time_zone, round_at) is distinct from "
        "(%(name_zh)s, %(name_en)s, %(time_zone)s, %(round_at)s::time) returning id), "
        "created as (insert into site (key, name_zh, name_en, time_zone, round_at, sla_profile, created_at) "
        "select %(key)s, %(name_zh)s, %(name_en)s, %(time_zone)s, %(round_at)s, %(sla_profile)s, %(now)s "
        "where not exists (select from site where key = %(key)s) returning id) "
        "select id, true, true from created union all select id, false, true from changed "
        "union all select id, false, false from site where key = %(key)s and not exists (select from changed)",
        {
            "key": key,
            "name_zh": name_zh,
            "name_en": name_en,
            "time_zone": time_zone,
            "round_at": round_at,
            "sla_profile": sla_profile,
            "now": now,
        },
    )
    return _written(await cursor.fetchone())


async def put_location(
    connection: Connection, *, site_id: int, parent_id: int | None, key: str, name_zh: str, name_en: str
) -> Written:
    cursor = await connection.execute(
        "with written as (insert into location (site_id, parent_id, key, name_zh, name_en) "
        "values (%(site)s, %(parent)s, %(key)s, %(name_zh)s, %(name_en)s) "
        "on conflict on constraint location_key_unique do update "
        "set parent_id = excluded.parent_id, name_zh = excluded.name_zh, name_en = excluded.name_en "
        "where (location.parent_id, location.name_zh, location.name_en) is distinct from "
        "(excluded.parent_id, excluded.name_zh, excluded.name_en) returning id, xmax = 0 as created) "
        "select id, created, true from written union all select id, false, false from location "
        "where site_id = %(site)s and key = %(key)s and not exists (select from written)",
        {"site": site_id, "parent": parent_id, "key": key, "name_zh": name_zh, "name_en": name_en},
    )
    return _written(await cursor.fetchone())


async def put_facility(
    connection: Connection,
    *,
    site_id: int,
    location_id: int,
    gateway_id: int | None,
    key: str,
    kind: str,
    grade: Grade,
    name_zh: str,
    name_en: str,
    type_key: str | None = None,
) -> Written:
    """A retired facility comes back; one that is there keeps its grade (ledger.grades). Raises Conflict when the key belongs to a facility of another kind."""
    await _refuse_other_kind(
        connection, "select kind from facility where site_id = %s and key = %s", [site_id, key], "facility", key, kind
    )
    cursor = await connection.execute(
        "with written as (insert into facility (site_id, location_id, gateway_id, key, kind, grade, name_zh, name_en, "
        "type_key) values (%(site)s, %(location)s, %(gateway)s, %(key)s, %(kind)s, %(grade)s, %(name_zh)s, "
        "%(name_en)s, %(type)s) "
        "on conflict on constraint facility_key_unique do update set location_id = excluded.location_id, "
        "gateway_id = excluded.gateway_id, name_zh = excluded.name_zh, "
        "name_en = excluded.name_en, type_key = excluded.type_key, retired_at = null "
        "where (facility.location_id, facility.gateway_id, facility.name_zh, facility.name_en, "
        "facility.type_key, facility.retired_at) is distinct from (excluded.location_id, excluded.gateway_id, "
        "excluded.name_zh, excluded.name_en, excluded.type_key, null) returning id, xmax = 0 as created) "
        "select id, created, true from written union all select id, false, false from facility "
        "where site_id = %(site)s and key = %(key)s and not exists (select from written)",
        {
            "site": site_id,
            "location": location_id,
            "gateway": gateway_id,
            "key": key,
            "kind": kind,
            "grade": grade,
            "name_zh": name_zh,
            "name_en": name_en,
            "type": type_key,
        },
    )
    return _written(await cursor.fetchone())


async def put_gateway(connection: Connection, *, site_id: int, facility_id: int, key: str) -> Written:
    """The gateway that a facility of kind `gateway` is. What it has said of itself stays."""
    cursor = await connection.execute(
        "with written as (insert into gateway (site_id, facility_id, key) values (%(site)s, %(facility)s, %(key)s) "
        "on conflict on constraint gateway_key_unique do nothing returning id) "
        "select id, true, true from written union all select id, false, false from gateway "
        "where site_id = %(site)s and key = %(key)s and not exists (select from written)",
        {"site": site_id, "facility": facility_id, "key": key},
    )
    return _written(await cursor.fetchone())


async def put_part(
    connection: Connection, *, site_id: int, facility_id: int, key: str, kind: str, name_zh: str, name_en: str
) -> Written:
    """Raises Conflict when the key belongs to a part of another kind."""
    await _refuse_other_kind(
        connection, "select kind from part where facility_id = %s and key = %s", [facility_id, key], "part", key, kind
    )
    cursor = await connection.execute(
        "with written as (insert into part (site_id, facility_id, key, kind, name_zh, name_en) "
        "values (%(site)s, %(facility)s, %(key)s, %(kind)s, %(name_zh)s, %(name_en)s) "
        "on conflict on constraint part_key_unique do update set name_zh = excluded.name_zh, "
        "name_en = excluded.name_en, retired_at = null where (part.name_zh, part.name_en, part.retired_at) "
        "is distinct from (excluded.name_zh, excluded.name_en, null) "
        "returning id, xmax = 0 as created) "
        "select id, created, true from written union all select id, false, false from part "
        "where facility_id = %(facility)s and key = %(key)s and not exists (select from written)",
        {
            "site": site_id,
            "facility": facility_id,
            "key": key,
            "kind": kind,
            "name_zh": name_zh,
            "name_en": name_en,
        },
    )
    return _written(await cursor.fetchone())


async def retire_other_parts(connection: Connection, facility_id: int, keys: Sequence[str], now: datetime) -> bool:
    """Parts that are not named any more, with whatever was installed there. Tells of any change."""
    cursor = await connection.execute(
        "with gone as (update part set retired_at = %(now)s where facility_id = %(facility)s and retired_at is null "
        "and key <> all(%(keys)s) returning id), taken_out as (update asset set removed_on = greatest(installed_on, "
        "%(now)s::date) from gone where part_id = gone.id and removed_on is null) select id from gone",
        {"facility": facility_id, "keys": list(keys), "now": now},
    )
    return cursor.rowcount > 0


async def put_points(
    connection: Connection, *, site_id: int, facility_id: int, entries: Sequence[PointEntry], now: datetime
) -> bool:
    """The points a facility has from now on, all of them: others are retired, named ones come back. Tells of any change.

    Parts must have been written before. Raises Conflict when a point would change its kind or unit: what is stored
    would mean something else.
    """
    await _refuse_other_meaning(connection, facility_id, entries)
    cursor = await connection.execute(
        "insert into point (site_id, facility_id, part_id, key, kind, unit, scale, shift, range_min, range_max, "
        "report_interval_s, hold_s, name_zh, name_en) "
        "select %(site)s, %(facility)s, part.id, entry.key, entry.kind, unit, scale, shift, range_min, range_max, "
        "report_interval_s, hold_s, entry.name_zh, entry.name_en "
        "from unnest(%(keys)s::text[], %(parts)s::text[], %(kinds)s::point_kind[], %(units)s::text[], "
        "%(scales)s::float8[], %(shifts)s::float8[], %(minima)s::float8[], %(maxima)s::float8[], "
        "%(intervals)s::float8[], %(holds)s::float8[], %(names_zh)s::text[], %(names_en)s::text[]) with ordinality "
        "as entry (key, part_key, kind, unit, scale, shift, range_min, range_max, report_interval_s, hold_s, name_zh, "
        "name_en, place) left join part on part.facility_id = %(facility)s and part.key = part_key order by place "
        "on conflict on constraint point_key_unique do update set part_id = excluded.part_id, scale = excluded.scale, "
        "shift = excluded.shift, range_min = excluded.range_min, range_max = excluded.range_max, "
        "report_interval_s = excluded.report_interval_s, hold_s = excluded.hold_s, name_zh = excluded.name_zh, "
        "name_en = excluded.name_en, retired_at = null "
        "where (point.part_id, point.scale, point.shift, point.range_min, point.range_max, point.report_interval_s, "
        "point.hold_s, point.name_zh, point.name_en, point.retired_at) is distinct from (excluded.part_id, "
        "excluded.scale, excluded.shift, excluded.range_min, excluded.range_max, excluded.report_interval_s, "
        "excluded.hold_s, excluded.name_zh, excluded.name_en, null)",
        {"site": site_id, "facility": facility_id, **point_columns(entries)},
    )
    changed = cursor.rowcount > 0
    cursor = await connection.execute(
        "update point set retired_at = %s where facility_id = %s and retired_at is null and key <> all(%s)",
        [now, facility_id, [entry.key for entry in entries]],
    )
    changed |= cursor.rowcount > 0
    await connection.execute(
        "delete from timer using point where timer.kind = 'event_hold' and point_id = point.id and facility_id = %s "
        "and retired_at is not null",
        [facility_id],
    )
    for entry in entries:
        if entry.labels:
            changed |= await _put_labels(connection, facility_id, entry)
    return changed


async def put_relations(connection: Connection, *, site_id: int, facility_id: int, targets: Mapping[str, int]) -> bool:
    """The relations a facility has from now on, all of them. Tells of any change."""
    cursor = await connection.execute(
        "delete from facility_relation where facility_id = %s and name <> all(%s)", [facility_id, list(targets)]
    )
    changed = cursor.rowcount > 0
    cursor = await connection.execute(
        "insert into facility_relation (site_id, facility_id, name, target_id) "
        "select %s, %s, * from unnest(%s::text[], %s::int[]) "
        "on conflict on constraint facility_relation_pkey do update set target_id = excluded.target_id "
        "where facility_relation.target_id <> excluded.target_id",
        [site_id, facility_id, list(targets), list(targets.values())],
    )
    return changed or cursor.rowcount > 0


async def put_asset(connection: Connection, *, site_id: int, facility_id: int, entry: AssetEntry) -> Written:
    """The piece installed at a place from a day on. What stood there before is removed that day, or earlier.

    A piece older than what stands there now takes its place in the past.
    """
    place = {
        "site": site_id,
        "facility": facility_id,
        "part_key": entry.part_key,
        "maker": entry.maker,
        "model": entry.model,
        "serial": entry.serial,
        "made": entry.manufactured_on,
        "installed": entry.installed_on,
        "end": entry.expected_end_on,
    }
    cursor = await connection.execute(
        "with there as (select asset.id from asset left join part on part.id = part_id "
        "where asset.facility_id = %(facility)s and part.key is not distinct from %(part_key)s "
        "and (maker, model) = (%(maker)s, %(model)s) and serial is not distinct from %(serial)s "
        "and installed_on = %(installed)s), "
        "written as (update asset set manufactured_on = %(made)s, expected_end_on = %(end)s from there "
        "where asset.id = there.id and (manufactured_on, expected_end_on) is distinct from (%(made)s::date, %(end)s::date) "
        "returning asset.id) select id, false, id in (select id from written) from there",
        place,
    )
    if (row := await cursor.fetchone()) is not None:
        return _written(row)
    await connection.execute(
        "update asset set removed_on = %(installed)s where facility_id = %(facility)s and part_id is not distinct from "
        "(select id from part where facility_id = %(facility)s and key = %(part_key)s) "
        "and removed_on is null and installed_on <= %(installed)s",
        place,
    )
    cursor = await connection.execute(
        "insert into asset (site_id, facility_id, part_id, maker, model, serial, manufactured_on, installed_on, "
        "expected_end_on, removed_on) select %(site)s, %(facility)s, here.part_id, %(maker)s, %(model)s, %(serial)s, %(made)s, "
        "%(installed)s, %(end)s, (select min(installed_on) from asset where facility_id = %(facility)s "
        "and asset.part_id is not distinct from here.part_id and installed_on > %(installed)s) "
        "from (select (select id from part where facility_id = %(facility)s and key = %(part_key)s) as part_id) as here "
        "returning id, true, true",
        place,
    )
    return _written(await cursor.fetchone())


async def _refuse_other_meaning(connection: Connection, facility_id: int, entries: Sequence[PointEntry]) -> None:
    cursor = await connection.execute("select key, kind, unit from point where facility_id = %s", [facility_id])
    known = {key: (kind, unit) async for key, kind, unit in cursor}
    for entry in entries:
        if entry.key in known and known[entry.key] != (entry.kind.value, entry.unit):
            was, is_now = " ".join(known[entry.key]).strip(), f"{entry.kind.value} {entry.unit}".strip()
            raise Conflict(
                f"point {entry.key} is a {was} in the ledger and cannot become a {is_now}: its readings would lie"
            )


def point_columns(entries: Sequence[PointEntry]) -> dict[str, Sequence[object]]:
    """The entries as one array per column."""

    def floats(name: str) -> list[float | None]:
        return [None if (value := getattr(entry, name)) is None else float(value) for entry in entries]

    return {
        "keys": [entry.key for entry in entries],
        "parts": [entry.part_key for entry in entries],
        "kinds": [entry.kind.value for entry in entries],
        "units": [entry.unit for entry in entries],
        "scales": floats("scale"),
        "shifts": floats("shift"),
        "minima": floats("range_min"),
        "maxima": floats("range_max"),
        "intervals": floats("report_interval_s"),
        "holds": floats("hold_s"),
        "names_zh": [entry.name_zh for entry in entries],
        "names_en": [entry.name_en for entry in entries],
    }


async def _put_labels(connection: Connection, facility_id: int, entry: PointEntry) -> bool:
    """Give new labels the next codes, in their order; those known keep theirs."""
    cursor = await connection.execute(
        "insert into point_code (site_id, point_id, code, label) "
        "select point.site_id, point.id, (select coalesce(max(code), -1) from point_code where point_id = point.id) "
        "+ row_number() over (order by place), label "
        "from point cross join unnest(%s::text[]) with ordinality as wanted (label, place) "
        "where point.facility_id = %s and point.key = %s "
        "and not exists (select from point_code where point_id = point.id and point_code.label = wanted.label)",
        [list(entry.labels), facility_id, entry.key],
    )
    return cursor.rowcount > 0


async def _refuse_other_kind(
    connection: Connection, query: LiteralString, values: list[object], what: str, key: str, kind: str
) -> None:
    cursor = await connection.execute(query, values)
    row = await cursor.fetchone()
    if row is not None and row[0] != kind:
        raise Conflict(f"{what} {key} is a {row[0]} in the ledger and cannot become a {kind}: give it another key")


def _written(row: TupleRow | None) -> Written:
    assert row is not None, "written or there already"
    return Written(*row)
