"""Work permits: who tests or works where, why, from when until when, and which rules are silent meanwhile.

A permit ends once: handed back by a person, or at its end by the clock - and then nobody has said that the work is
done, which is an overrun and stays on record. Beginning needs no move: the rules look at the times.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from psycopg.rows import TupleRow

from ledger import dossier, facilities, outbox, timers
from ledger.errors import Invalid, NotFound, Refused
from ledger.pool import Connection
from ledger.records import PermitKind, TimerKind

DURATION_MAX = timedelta(days=7)
RULES_MAX = 50


@dataclass(frozen=True, slots=True)
class WorkPermit:
    """The whole permit, as people see it; the rules see the shorter `records.Permit`."""

    id: int
    site_id: int
    facility_id: int
    part_id: int | None
    kind: PermitKind
    rules: Sequence[str]
    holder: str
    reason: str
    valid_from: datetime
    valid_until: datetime
    issued_by: str
    issued_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    overrun: bool


async def issue(
    connection: Connection,
    *,
    facility_id: int,
    part_id: int | None = None,
    kind: PermitKind,
    rules: Sequence[str],
    holder: str,
    reason: str,
    valid_from: datetime,
    valid_until: datetime,
    issued_by: str,
    now: datetime,
) -> WorkPermit:
    """Issue a permit; its end is a timer from here on. Raises NotFound, or Invalid for what a permit cannot be.

    Whether the rules named exist at the facility is for the rule packs to say, beforehand.
    """
    _check(rules, holder, reason, valid_from, valid_until, now)
    await dossier.lock_facilities(connection, [facility_id])
    cursor = await connection.execute(
        "insert into work_permit (site_id, facility_id, part_id, kind, rules, holder, reason, valid_from, valid_until, "
        "issued_by, issued_at) select site_id, id, %s, %s, %s, %s, %s, %s, %s, %s, %s from facility "
        "where id = %s and retired_at is null returning id, site_id",
        [part_id, kind, sorted(set(rules)), holder, reason, valid_from, valid_until, issued_by, now, facility_id],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("facility", facility_id)
    await timers.start(
        connection, site_id=row[1], kind=TimerKind.PERMIT, permit_id=row[0], since=now, due_at=valid_until
    )
    permit = await get(connection, row[0])
    await _record(connection, permit, "issued", issued_by, now)
    return permit


async def hand_back(connection: Connection, permit_id: int, *, actor: str, now: datetime) -> WorkPermit:
    """The work is done and the rules count again. Raises NotFound, or Refused when it has ended already."""
    permit = await get(connection, permit_id)
    await dossier.lock_facilities(connection, [permit.facility_id])
    cursor = await connection.execute(
        "update work_permit set ended_at = %s, ended_by = %s where id = %s and ended_at is null",
        [now, actor, permit_id],
    )
    permit = await get(connection, permit_id)
    if cursor.rowcount != 1:
        assert permit.ended_at is not None
        how = "expired" if permit.overrun else f"was handed back by {permit.ended_by}"
        raise Refused(f"work permit {permit_id} {how} at {permit.ended_at.isoformat()}; nothing is left to hand back")
    await timers.stop(connection, TimerKind.PERMIT, permit_id=permit_id)
    await _record(connection, permit, "handed_back", actor, now)
    return permit


async def expire(connection: Connection, permit_id: int, now: datetime) -> WorkPermit | None:
    """Its end has come and nobody has handed it back: an overrun. None when it had ended otherwise meanwhile.

    The caller has claimed the timer. The permit ends when it said it would, however late the clock looked.
    """
    permit = await get(connection, permit_id)
    await dossier.lock_facilities(connection, [permit.facility_id])
    cursor = await connection.execute(
        "update work_permit set ended_at = valid_until, ended_by = 'clock', overrun = true "
        "where id = %s and ended_at is null and valid_until <= %s",
        [permit_id, now],
    )
    if cursor.rowcount != 1:
        return None
    permit = await get(connection, permit_id)
    await timers.stop(connection, TimerKind.PERMIT, permit_id=permit_id)
    await _record(connection, permit, "overrun", "clock", now)
    return permit


_COLUMNS: LiteralString = (
    "select id, site_id, facility_id, part_id, kind, rules, holder, reason, valid_from, valid_until, issued_by, "
    "issued_at, ended_at, ended_by, overrun from work_permit "
)


async def get(connection: Connection, permit_id: int) -> WorkPermit:
    """Raises NotFound."""
    cursor = await connection.execute(_COLUMNS + "where id = %s", [permit_id])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("work permit", permit_id)
    return _permit(row)


async def standing(connection: Connection, site_id: int, *, facility_id: int | None = None) -> list[WorkPermit]:
    """Permits not yet ended, those that have not begun among them, in order of their end."""
    cursor = await connection.execute(
        _COLUMNS + "where site_id = %s and (%s::int is null or facility_id = %s) and ended_at is null "
        "order by valid_until, id",
        [site_id, facility_id, facility_id],
    )
    return [_permit(row) async for row in cursor]


async def page(
    connection: Connection,
    *,
    site_id: int | None = None,
    facility_id: int | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> list[WorkPermit]:
    """All permits in scope, newest first, a page at a time."""
    cursor = await connection.execute(
        _COLUMNS + "where (%(site)s::int is null or site_id = %(site)s) "
        "and (%(facility)s::int is null or facility_id = %(facility)s) "
        "and (%(before)s::bigint is null or id < %(before)s) order by id desc limit %(limit)s",
        {"site": site_id, "facility": facility_id, "before": before_id, "limit": limit},
    )
    return [_permit(row) async for row in cursor]


def _check(
    rules: Sequence[str], holder: str, reason: str, valid_from: datetime, valid_until: datetime, now: datetime
) -> None:
    if not 1 <= len(set(rules)) <= RULES_MAX:
        raise Invalid(f"a work permit names the rules it silences: 1 to {RULES_MAX}, not {len(set(rules))}")
    if not holder.strip() or not reason.strip():
        raise Invalid("a work permit has a holder and a reason: neither may be empty")
    if not valid_from < valid_until <= valid_from + DURATION_MAX:
        raise Invalid(f"a work permit ends after it begins, at most {DURATION_MAX.days} days later")
    if valid_until <= now:
        raise Invalid(f"a work permit cannot end in the past: {valid_until.isoformat()}")


async def _record(connection: Connection, permit: WorkPermit, step: str, actor: str, now: datetime) -> None:
    """Dossier entry, notice, and the revision that makes ingest look."""
    body: Mapping[str, object] = {
        "permit": permit.id,
        "step": step,
        "actor": actor,
        "kind": permit.kind,
        "part": permit.part_id,
        "rules": list(permit.rules),
        "holder": permit.holder,
        "reason": permit.reason,
        "valid_from": permit.valid_from.isoformat(),
        "valid_until": permit.valid_until.isoformat(),
        "ended_at": permit.ended_at and permit.ended_at.isoformat(),
        "overrun": permit.overrun,
    }
    await dossier.append(
        connection, site_id=permit.site_id, facility_id=permit.facility_id, kind="permit", body=body, now=now
    )
    await outbox.append(
        connection,
        site_id=permit.site_id,
        kind="permit",
        subject_id=permit.id,
        version=1 if permit.ended_at is None else 2,
        payload={**body, "facility": permit.facility_id},
        now=now,
    )
    await facilities.bump_revision(connection, permit.site_id)


def _permit(row: TupleRow) -> WorkPermit:
    fields = list(row)
    fields[4] = PermitKind(row[4])
    return WorkPermit(*fields)
