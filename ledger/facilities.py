"""What exists at a site, as ingest must know it to judge, and as people look it up; and how its gateways are doing.

Everything that changes what ingest has to know raises the site's `revision` in the same transaction. Ingest compares
that one number and reads the configuration again only when it has grown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString

from psycopg.rows import TupleRow

from ledger import arrays
from ledger.errors import NotFound, Unavailable
from ledger.pool import Connection
from ledger.records import (
    Facility,
    Gateway,
    Grade,
    Location,
    Part,
    Permit,
    PermitKind,
    Point,
    PointKind,
    Site,
    SiteConfiguration,
    to_ms,
)
from ledger.sharing import sharing

SITE_COLUMNS: LiteralString = (
    "select site.id, site.key, name_zh, name_en, time_zone, round_at, sla_profile, revision, "
    "(select coalesce(jsonb_object_agg(substr(name, 7), value), '{}') from (select distinct on (name) name, value "
    "from site_setting where site_id = site.id and facility_id is null and starts_with(name, 'clock.') "
    "order by name, id desc) as newest where value is not null) from site "
)

_READ_ATTEMPTS_MAX = 10
_ENDED_PERMITS_MAX = 200  # of a site; more than enough for the backlog of a gateway that was away


async def sites(connection: Connection) -> list[Site]:
    """All sites in scope, in order of key."""
    cursor = await connection.execute(SITE_COLUMNS + "order by site.key")
    return [Site(*row) async for row in cursor]


async def site(connection: Connection, site_id: int) -> Site:
    """Raises NotFound."""
    cursor = await connection.execute(SITE_COLUMNS + "where site.id = %s", [site_id])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("site", site_id)
    return Site(*row)


async def revisions(connection: Connection, site_ids: Sequence[int]) -> dict[int, int]:
    """The revision of each site: what ingest asks before every batch."""
    cursor = await connection.execute("select id, revision from site where id = any(%s)", [list(site_ids)])
    return {site_id: revision async for site_id, revision in cursor}


async def bump_revision(connection: Connection, site_id: int) -> None:
    """Let ingest read the site again once this transaction has committed.

    Called after the site's facilities are locked, never before: everyone locks facilities first, then the site.
    """
    cursor = await connection.execute("update site set revision = revision + 1 where id = %s returning id", [site_id])
    if await cursor.fetchone() is None:
        raise NotFound("site", site_id)


async def configuration(connection: Connection, site_id: int) -> SiteConfiguration:
    """Everything ingest must know of a site, as of one moment. Raises NotFound.

    Several statements see several moments; whoever changes anything raises the revision with it, so a revision that
    stood still over all of them proves that nothing came in between.
    """
    for _ in range(_READ_ATTEMPTS_MAX):
        before = await site(connection, site_id)
        found = SiteConfiguration(
            site=before,
            gateways=await gateways(connection, site_id),
            facilities=await facilities(connection, site_id),
            parts=await _parts(connection, site_id),
            points=await points(connection, site_id),
            relations=await _relations(connection, site_id),
            parameters=await _parameters(connection, site_id),
            permits=await _permits(connection, site_id),
        )
        if (await site(connection, site_id)).revision == before.revision:
            return found
    raise Unavailable(f"site {site_id} was changed while it was read, {_READ_ATTEMPTS_MAX} times over; try again")


async def configuration_of(connection: Connection, site_key: str) -> SiteConfiguration:
    """The same, by key. Raises NotFound."""
    cursor = await connection.execute("select id from site where key = %s", [site_key])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("site", site_key)
    return await configuration(connection, row[0])


async def locations(connection: Connection, site_id: int) -> list[Location]:
    """The site's tree, in order of key; parents by `parent_id`."""
    cursor = await connection.execute(
        "select id, site_id, parent_id, key, name_zh, name_en from location where site_id = %s order by key", [site_id]
    )
    return [Location(*row) async for row in cursor]


async def gateways(connection: Connection, site_id: int) -> list[Gateway]:
    cursor = await connection.execute(
        "select gateway.id, gateway.site_id, facility_id, gateway.key, online, online_since, heard_at, clock_offset_ms, "
        "last_seq from gateway join facility on facility.id = facility_id "
        "where gateway.site_id = %s and retired_at is null order by gateway.id",
        [site_id],
    )
    return [Gateway(*row) async for row in cursor]


async def facilities(connection: Connection, site_id: int) -> list[Facility]:
    """The living facilities of a site, its gateways among them."""
    cursor = await connection.execute(
        "select id, site_id, location_id, gateway_id, key, kind, grade, name_zh, name_en "
        "from facility where site_id = %s and retired_at is null order by id",
        [site_id],
    )
    return [_facility(row) async for row in cursor]


async def is_retired(connection: Connection, facility_id: int) -> bool:
    """Whether it is no more; False also for one that never was."""
    cursor = await connection.execute("select retired_at is not null from facility where id = %s", [facility_id])
    row = await cursor.fetchone()
    return bool(row and row[0])


async def facility(connection: Connection, facility_id: int) -> Facility:
    """Raises NotFound; a retired one is still found, for its history."""
    cursor = await connection.execute(
        "select id, site_id, location_id, gateway_id, key, kind, grade, name_zh, name_en from facility where id = %s",
        [facility_id],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("facility", facility_id)
    return _facility(row)


async def type_of(connection: Connection, facility_id: int) -> str | None:
    """The type it was picked as, if it was."""
    cursor = await connection.execute("select type_key from facility where id = %s", [facility_id])
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def parts(connection: Connection, facility_id: int) -> list[Part]:
    cursor = await connection.execute(
        "select id, facility_id, key, kind, name_zh, name_en from part where facility_id = %s and retired_at is null "
        "order by id",
        [facility_id],
    )
    return [Part(*row) async for row in cursor]


async def points(connection: Connection, site_id: int, facility_id: int | None = None) -> list[Point]:
    """The living points of a site, or of one facility of it."""
    cursor = await connection.execute(
        "select id, facility_id, part_id, key, kind, unit, scale, shift, range_min, range_max, report_interval_s, "
        "hold_s, (select coalesce(jsonb_object_agg(label, code), '{}') from point_code where point_id = point.id), "
        "name_zh, name_en from point "
        "where site_id = %s and (%s::int is null or facility_id = %s) and retired_at is null order by id",
        [site_id, facility_id, facility_id],
    )
    shared = sharing()
    return [_point(shared(row)) async for row in cursor]


@dataclass(frozen=True, slots=True)
class Asset:
    """The piece installed at a facility or part from one day to another."""

    id: int
    facility_id: int
    part_key: str | None
    maker: str
    model: str
    serial: str | None
    manufactured_on: date | None
    installed_on: date
    expected_end_on: date | None
    removed_on: date | None


async def assets(connection: Connection, facility_id: int) -> list[Asset]:
    """What is and was installed at a facility, newest first."""
    cursor = await connection.execute(
        "select asset.id, asset.facility_id, part.key, maker, model, serial, manufactured_on, installed_on, "
        "expected_end_on, removed_on from asset left join part on part.id = part_id "
        "where asset.facility_id = %s order by installed_on desc, asset.id desc",
        [facility_id],
    )
    return [Asset(*row) async for row in cursor]


@dataclass(frozen=True, slots=True)
class Heard:
    """What one batch heard of one gateway. None leaves what is known; gaps are added up."""

    gateway_id: int
    heard_at: datetime
    clock_offset_ms: int | None = None
    last_seq: int | None = None
    seq_gaps: int = 0


async def gateways_heard(connection: Connection, heard: Sequence[Heard]) -> None:
    """Note that gateways were heard: one row per gateway at most. `heard_at` never goes back."""
    await connection.execute(
        "with locked as (select id from gateway where id = any(%(ids)s::int[]) order by id for no key update) "
        "update gateway set heard_at = greatest(gateway.heard_at, heard.heard_at), "
        "clock_offset_ms = coalesce(heard.clock_offset_ms, gateway.clock_offset_ms), "
        "last_seq = coalesce(heard.last_seq, gateway.last_seq), seq_gaps = gateway.seq_gaps + heard.seq_gaps "
        "from locked join unnest(%(ids)s::int[], %(heard_at)s::timestamptz[], %(offsets)s::int[], %(seqs)s::bigint[], "
        "%(gaps)s::bigint[]) as heard (id, heard_at, clock_offset_ms, last_seq, seq_gaps) using (id) "
        "where gateway.id = locked.id",
        {
            "ids": arrays.numbers(one.gateway_id for one in heard),
            "heard_at": arrays.moments(one.heard_at for one in heard),
            "offsets": arrays.numbers(one.clock_offset_ms for one in heard),
            "seqs": arrays.numbers(one.last_seq for one in heard),
            "gaps": arrays.numbers(one.seq_gaps for one in heard),
        },
    )


async def gateway_status(connection: Connection, gateway_id: int, *, online: bool, since: datetime) -> bool:
    """Take a gateway's status unless a newer one is known; tells whether it was taken.

    `since` is the beginning of the connection it speaks of. Of one connection, `offline` is the last word: an `online`
    delivered again after it changes nothing.
    """
    cursor = await connection.execute(
        "update gateway set online = %(online)s, online_since = %(since)s where id = %(id)s and "
        "(online_since is null or online_since < %(since)s or (online_since = %(since)s and online and not %(online)s))",
        {"id": gateway_id, "online": online, "since": since},
    )
    return cursor.rowcount == 1


async def _parts(connection: Connection, site_id: int) -> list[Part]:
    cursor = await connection.execute(
        "select part.id, facility_id, part.key, part.kind, part.name_zh, part.name_en from part "
        "join facility on facility.id = facility_id where part.site_id = %s and part.retired_at is null "
        "and facility.retired_at is null order by part.id",
        [site_id],
    )
    return [Part(*row) async for row in cursor]


async def _relations(connection: Connection, site_id: int) -> Mapping[tuple[int, str], int]:
    cursor = await connection.execute(
        "select facility_id, name, target_id from facility_relation join facility on facility.id = facility_id "
        "join facility target on target.id = target_id "
        "where facility_relation.site_id = %s and facility.retired_at is null and target.retired_at is null",
        [site_id],
    )
    return {(facility_id, name): target_id async for facility_id, name, target_id in cursor}


async def _parameters(connection: Connection, site_id: int) -> Mapping[tuple[int, str], float]:
    cursor = await connection.execute(
        "select distinct on (facility_id, name) facility_id, name, value from rule_parameter "
        "where site_id = %s order by facility_id, name, id desc",
        [site_id],
    )
    return {(facility_id, name): value async for facility_id, name, value in cursor}


async def _permits(connection: Connection, site_id: int) -> list[Permit]:
    """The permits the rules look at, each for the time it really stood, and until when it was overrun after that.

    Ended ones belong to it: what a gateway stored while a permit stood may arrive after it was handed back.
    """
    cursor = await connection.execute(
        "(select id, facility_id, part_id, kind, rules, valid_from, valid_until, null::timestamptz from work_permit "
        "where site_id = %(site)s and (ended_at is null or overrun and settled_at is null)) union all "
        "(select id, facility_id, part_id, kind, rules, valid_from, least(valid_until, ended_at), "
        "coalesce(settled_at, ended_at) from work_permit "
        "where site_id = %(site)s and ended_at > valid_from and not (overrun and settled_at is null) "
        "order by ended_at desc, id desc limit %(limit)s) order by id",
        {"site": site_id, "limit": _ENDED_PERMITS_MAX},
    )
    return [
        Permit(
            number,
            facility_id,
            part_id,
            PermitKind(kind),
            frozenset(rules),
            to_ms(begin),
            to_ms(end),
            None if settled is None else to_ms(settled),
        )
        async for number, facility_id, part_id, kind, rules, begin, end, settled in cursor
    ]


def _facility(row: TupleRow) -> Facility:
    fields = list(row)
    fields[6] = Grade(row[6])
    return Facility(*fields)


_NO_CODES: Mapping[str, int] = {}  # one for tens of thousands of points that are no enumerations


def _point(fields: list[Any]) -> Point:
    fields[4], fields[12] = PointKind(fields[4]), fields[12] or _NO_CODES
    return Point(*fields)
