"""Tags on facilities: issued, printed, retired, replaced; each step on record, and in the facility's dossier but for prints.

A code says nothing of whose it is, so it is unique over all sites; what makes it and what it looks like is for
inspection.codes. A retired code is never used again: whoever scans it is told, and the scan is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import LiteralString

from psycopg.rows import TupleRow

from ledger import dossier
from ledger.errors import Conflict, Invalid, NotFound
from ledger.pool import Connection
from ledger.records import Grade
from ledger.said import says_nothing


class TagMove(StrEnum):
    ISSUE = "issue"
    PRINT = "print"
    RETIRE = "retire"


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag with the facility it hangs on."""

    id: int
    site_id: int
    site_key: str
    facility_id: int
    facility_key: str
    facility_kind: str
    facility_type: str | None
    facility_name_zh: str
    facility_name_en: str
    facility_grade: Grade
    is_facility_retired: bool
    location_name_zh: str  # the whole way to it: 1号楼 / 3层 / 电梯厅
    location_name_en: str
    code: str
    replaces_code: str | None
    replaced_by_code: str | None
    issued_at: datetime
    issued_by: str
    retired_at: datetime | None
    retired_by: str | None
    retired_reason: str | None
    printed: int
    scanned_at: datetime | None  # the last time anybody did


@dataclass(frozen=True, slots=True)
class TagEvent:
    move: TagMove
    at: datetime
    actor: str
    note: str | None


@dataclass(frozen=True, slots=True)
class TagFilter:
    """None: do not ask. `living`: retired or not; `scanned`: whether it ever was."""

    site: str | None = None
    facility: str | None = None
    kind: str | None = None
    living: bool | None = None
    scanned: bool | None = None


_COLUMNS: LiteralString = (
    "select tag.id, tag.site_id, site.key, tag.facility_id, facility.key, facility.kind, facility.type_key, "
    "facility.name_zh, facility.name_en, facility.grade, facility.retired_at is not null, place.zh, place.en, tag.code, "
    "(select code from tag as older where older.id = tag.replaces_id), "
    "(select code from tag as newer where newer.replaces_id = tag.id), "
    "tag.issued_at, tag.issued_by, tag.retired_at, tag.retired_by, tag.retired_reason, "
    "(select count(*) from tag_event where tag_id = tag.id and move = 'print'), "
    "(select max(scanned_at) from inspection_visit where inspection_visit.tag_id = tag.id) "
    "from tag join facility on facility.id = tag.facility_id join site on site.id = tag.site_id "
    "cross join lateral (with recursive way as ("
    "select id, parent_id, name_zh, name_en, 0 as height from location where id = facility.location_id union all "
    "select above.id, above.parent_id, above.name_zh, above.name_en, height + 1 "
    "from location as above join way on above.id = way.parent_id) "
    "select string_agg(name_zh, ' / ' order by height desc) as zh, string_agg(name_en, ' / ' order by height desc) as en "
    "from way) as place "
)


async def issue(
    connection: Connection,
    *,
    site_id: int,
    facility_id: int,
    code: str,
    actor: str,
    now: datetime,
    replaces_id: int | None = None,
) -> int:
    """A new tag for a facility; returns its id. Raises Conflict when the code is taken or the old one was replaced."""
    await dossier.lock_facilities(connection, [facility_id])
    cursor = await connection.execute(
        "insert into tag (site_id, facility_id, code, replaces_id, issued_at, issued_by) values (%s, %s, %s, %s, %s, %s) "
        "on conflict on constraint tag_code_unique do nothing returning id",
        [site_id, facility_id, code, replaces_id, now, actor],
    )
    row = await cursor.fetchone()
    if row is None:
        raise Conflict("this code is taken; draw another")
    tag_id = int(row[0])
    await _event(connection, site_id, tag_id, TagMove.ISSUE, actor, None, now)
    body = {
        "move": TagMove.ISSUE,
        "tag": tag_id,
        "code_ends": code[-4:],
        "replaces": replaces_id,
        "actor": actor,
        "at": now,
    }
    await dossier.append(connection, site_id=site_id, facility_id=facility_id, kind="tag", body=body, now=now)
    return tag_id


async def retire(connection: Connection, tag: Tag, *, reason: str, actor: str, now: datetime) -> None:
    """From here on a scan of it is told so. Raises Invalid, or Conflict when it is retired already."""
    if says_nothing(reason):
        raise Invalid("a tag is retired for a reason: lost, damaged, copied ...")
    await dossier.lock_facilities(connection, [tag.facility_id])
    cursor = await connection.execute(
        "update tag set retired_at = %s, retired_by = %s, retired_reason = %s where id = %s and retired_at is null",
        [now, actor, reason, tag.id],
    )
    if cursor.rowcount != 1:
        raise Conflict(f"tag {tag.code} is retired already")
    await _event(connection, tag.site_id, tag.id, TagMove.RETIRE, actor, reason, now)
    body = {
        "move": TagMove.RETIRE,
        "tag": tag.id,
        "code_ends": tag.code[-4:],
        "actor": actor,
        "reason": reason,
        "at": now,
    }
    await dossier.append(connection, site_id=tag.site_id, facility_id=tag.facility_id, kind="tag", body=body, now=now)


async def printed(connection: Connection, found: Sequence[Tag], *, actor: str, now: datetime, note: str) -> None:
    """Who printed them: a copy of a tag is a second key to the same door."""
    await connection.cursor().executemany(
        "insert into tag_event (site_id, tag_id, move, at, actor, note) values (%s, %s, 'print', %s, %s, %s)",
        [(each.site_id, each.id, now, actor, note) for each in found],
    )


async def find(connection: Connection, code: str) -> Tag:
    """Raises NotFound."""
    cursor = await connection.execute(_COLUMNS + "where tag.code = %s", [code])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("tag", code)
    return _tag(row)


async def page(
    connection: Connection, wanted: TagFilter, *, before_id: int | None = None, limit: int = 100
) -> list[Tag]:
    """Newest first."""
    cursor = await connection.execute(
        _COLUMNS + "where (%(site)s::text is null or site.key = %(site)s) "
        "and (%(facility)s::text is null or facility.key = %(facility)s) "
        "and (%(kind)s::text is null or facility.kind = %(kind)s) "
        "and (%(living)s::bool is null or (tag.retired_at is null) = %(living)s) "
        "and (%(scanned)s::bool is null "
        "or exists (select from inspection_visit where inspection_visit.tag_id = tag.id) = %(scanned)s) "
        "and (%(before)s::bigint is null or tag.id < %(before)s) order by tag.id desc limit %(limit)s",
        {
            "site": wanted.site,
            "facility": wanted.facility,
            "kind": wanted.kind,
            "living": wanted.living,
            "scanned": wanted.scanned,
            "before": before_id,
            "limit": limit,
        },
    )
    return [_tag(row) async for row in cursor]


async def by_codes(connection: Connection, codes: Sequence[str]) -> list[Tag]:
    """In the order asked for. Raises NotFound for the first that is not there."""
    cursor = await connection.execute(_COLUMNS + "where tag.code = any(%s)", [list(codes)])
    found = {tag.code: tag for tag in [_tag(row) async for row in cursor]}
    missing = next((each for each in codes if each not in found), None)
    if missing is not None:
        raise NotFound("tag", missing)
    return [found[each] for each in codes]


async def without(connection: Connection, site_key: str, *, kinds: Sequence[str], limit: int) -> list[tuple[int, int]]:
    """Site and id of living facilities of these kinds that carry no living tag, in order of key."""
    cursor = await connection.execute(
        "select facility.site_id, facility.id from facility join site on site.id = site_id "
        "where site.key = %s and facility.retired_at is null and facility.kind = any(%s) "
        "and not exists (select from tag where tag.facility_id = facility.id and tag.retired_at is null) "
        "order by facility.key limit %s",
        [site_key, list(kinds), limit],
    )
    return [(int(site_id), int(facility_id)) async for site_id, facility_id in cursor]


async def events(connection: Connection, tag_id: int, *, limit: int = 200) -> list[TagEvent]:
    """Newest first."""
    cursor = await connection.execute(
        "select move, at, actor, note from tag_event where tag_id = %s order by id desc limit %s", [tag_id, limit]
    )
    return [TagEvent(TagMove(move), at, actor, note) async for move, at, actor, note in cursor]


async def _event(
    connection: Connection, site_id: int, tag_id: int, move: TagMove, actor: str, note: str | None, now: datetime
) -> None:
    await connection.execute(
        "insert into tag_event (site_id, tag_id, move, at, actor, note) values (%s, %s, %s, %s, %s, %s)",
        [site_id, tag_id, move, now, actor, note],
    )


def _tag(row: TupleRow) -> Tag:
    fields = list(row)
    fields[9] = Grade(row[9])
    return Tag(*fields)
