"""Work permits: who tests or works where, why, from when until when, and which rules are silent meanwhile.

A permit ends once: handed back by a person, or at its end by the clock - and then nobody has said that the work is
done, which is an overrun. It rings until a person settles it: says that the work is over, or goes on with it under
another permit. Beginning needs no move: the rules look at the times.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from ledger import dossier, facilities, outbox, timers
from ledger.errors import Invalid, NotFound, Refused
from ledger.outbox import NewNotice
from ledger.pool import Connection
from ledger.records import PermitKind, TimerKind
from ledger.said import says_nothing

DURATION_MAX = timedelta(days=7)  # of one permit, and of a chain of extensions unless its kind of work says otherwise
BEGUN_AT_MOST = timedelta(hours=1)  # before it was issued: what had to ring earlier is not hushed up afterwards
RULES_MAX = 50


@dataclass(frozen=True, slots=True)
class WorkPermit:
    """The whole permit, as people see it; the rules see the shorter `records.Permit`."""

    id: int
    site_id: int
    facility_id: int
    part_id: int | None
    work: str | None  # the kind of work; None: named by its rules alone
    kind: PermitKind
    rules: Sequence[str]
    holder: str
    reason: str
    answers: Mapping[str, str]  # what the kind of work asks for
    extends_id: int | None
    valid_from: datetime
    valid_until: datetime
    issued_by: str
    issued_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    overrun: bool
    settled_at: datetime | None  # overrun: when a person said that the work is over, or went on with it
    settled_by: str | None


@dataclass(frozen=True, slots=True)
class Request:
    """What a permit is asked for. Whether its rules exist and its work is known is for the rule packs to say,
    beforehand.
    """

    facility_id: int
    kind: PermitKind
    rules: Sequence[str]
    holder: str
    reason: str
    valid_from: datetime
    valid_until: datetime
    part_id: int | None = None
    work: str | None = None
    answers: Mapping[str, str] | None = None
    extends_id: int | None = None
    lasts_in_all: timedelta = DURATION_MAX  # from the begin of the first permit that this one goes on from, over others


async def issue(connection: Connection, asked: Request, *, issued_by: str, now: datetime) -> WorkPermit:
    """Issue a permit; its end is a timer from here on. One that extends another ends that one, or settles its overrun.

    Raises NotFound, Invalid for what a permit cannot be, or Refused when there is nothing left to extend.
    """
    _check(asked, now)
    await dossier.lock_facilities(connection, [asked.facility_id])
    if asked.extends_id is not None:
        await _go_on(connection, asked, asked.extends_id, issued_by, now)
    cursor = await connection.execute(
        "insert into work_permit (site_id, facility_id, part_id, work, kind, rules, holder, reason, answers, extends_id, "
        "valid_from, valid_until, issued_by, issued_at) "
        "select site_id, id, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s from facility "
        "where id = %s and retired_at is null returning id, site_id",
        [
            asked.part_id,
            asked.work,
            asked.kind,
            sorted(set(asked.rules)),
            asked.holder,
            asked.reason,
            Jsonb(dict(asked.answers or {})),
            asked.extends_id,
            asked.valid_from,
            asked.valid_until,
            issued_by,
            now,
            asked.facility_id,
        ],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("facility", asked.facility_id)
    await timers.start(
        connection, site_id=row[1], kind=TimerKind.PERMIT, permit_id=row[0], since=now, due_at=asked.valid_until
    )
    permit = await get(connection, row[0])
    await _record(connection, permit, "issued", issued_by, now)
    return permit


async def hand_back(
    connection: Connection, permit_id: int, *, actor: str, now: datetime, note: str | None = None
) -> WorkPermit:
    """The work is done and the rules count again; of an overrun permit: a person says that it is over after all.

    Raises NotFound, or Refused when that has been said already.
    """
    permit = await get(connection, permit_id)
    await dossier.lock_facilities(connection, [permit.facility_id])
    if await _end(connection, permit_id, actor, now):
        permit = await get(connection, permit_id)
        await _record(connection, permit, "handed_back", actor, now, note)
        return permit
    if await _settle(connection, permit_id, actor, now):
        permit = await get(connection, permit_id)
        await _record(connection, permit, "settled", actor, now, note)
        return permit
    raise Refused(f"{_how_it_ended(await get(connection, permit_id))}; nothing is left to hand back")


async def _go_on(connection: Connection, asked: Request, permit_id: int, actor: str, now: datetime) -> None:
    """The work of a permit goes on under another one from now on. The facility is locked."""
    permit = await get(connection, permit_id)
    if permit.facility_id != asked.facility_id:
        raise Invalid(f"work permit {permit_id} is of another facility; a permit extends one of its own")
    began = await _began(connection, permit_id)
    if asked.valid_until - began > asked.lasts_in_all:
        hours = asked.lasts_in_all / timedelta(hours=1)
        raise Refused(
            f"work permit {permit_id} goes back to {began.isoformat()}, and with its extensions such work lasts {hours:g} h "
            f"at most, until {(began + asked.lasts_in_all).isoformat()}; hand it back and issue a new one, which is "
            "approved anew"
        )
    if not (await _end(connection, permit_id, actor, now) or await _settle(connection, permit_id, actor, now)):
        raise Refused(f"{_how_it_ended(permit)}; nothing is left to extend")
    await _record(connection, await get(connection, permit_id), "extended", actor, now)


async def _began(connection: Connection, permit_id: int) -> datetime:
    """When the first of the permits began that this one goes on from, over however many others."""
    cursor = await connection.execute(
        "with recursive chain as (select extends_id, valid_from from work_permit where id = %s "
        "union all select earlier.extends_id, earlier.valid_from from work_permit earlier "
        "join chain on earlier.id = chain.extends_id) select min(valid_from) from chain",
        [permit_id],
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def _end(connection: Connection, permit_id: int, actor: str, now: datetime) -> bool:
    """End a permit that stands; False when it has ended."""
    cursor = await connection.execute(
        "update work_permit set ended_at = %s, ended_by = %s where id = %s and ended_at is null",
        [now, actor, permit_id],
    )
    if cursor.rowcount != 1:
        return False
    await timers.stop(connection, TimerKind.PERMIT, permit_id=permit_id)
    return True


async def _settle(connection: Connection, permit_id: int, actor: str, now: datetime) -> bool:
    """Take a person's word for an overrun permit; False when it is none, or settled already."""
    cursor = await connection.execute(
        "update work_permit set settled_at = %s, settled_by = %s where id = %s and overrun and settled_at is null",
        [now, actor, permit_id],
    )
    return cursor.rowcount == 1


def _how_it_ended(permit: WorkPermit) -> str:
    if permit.settled_at is not None:
        return (
            f"work permit {permit.id} expired and was settled by {permit.settled_by} at {permit.settled_at.isoformat()}"
        )
    assert permit.ended_at is not None
    return f"work permit {permit.id} was handed back by {permit.ended_by} at {permit.ended_at.isoformat()}"


async def expire(connection: Connection, permit_id: int, now: datetime) -> WorkPermit | None:
    """Its end has come and nobody has handed it back: an overrun. None when it had ended otherwise meanwhile.

    The caller has claimed the timer. The permit ends when it said it would, however late the clock looked.
    """
    permit = await get(connection, permit_id)
    await dossier.lock_facilities(connection, [permit.facility_id])
    cursor = await connection.execute(
        "update work_permit set ended_at = valid_until, ended_by = 'clock', overrun = true "
        "where id = %s and ended_at is null and valid_until <= %s returning id",
        [permit_id, now],
    )
    if await cursor.fetchone() is None:
        return None
    permit = await get(connection, permit_id)
    await timers.stop(connection, TimerKind.PERMIT, permit_id=permit_id)
    await _record(connection, permit, "overrun", "clock", now)
    return permit


_COLUMNS: LiteralString = (
    "select id, site_id, facility_id, part_id, work, kind, rules, holder, reason, answers, extends_id, valid_from, "
    "valid_until, issued_by, issued_at, ended_at, ended_by, overrun, settled_at, settled_by from work_permit "
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


def _check(asked: Request, now: datetime) -> None:
    count, least = len(set(asked.rules)), 1 if asked.work is None else 0
    if not least <= count <= RULES_MAX:
        raise Invalid(f"a work permit names the rules it silences: {least} to {RULES_MAX}, not {count}")
    if says_nothing(asked.holder) or says_nothing(asked.reason):
        raise Invalid("a work permit has a holder and a reason: neither may be empty")
    if not timedelta(0) < asked.valid_until - asked.valid_from <= DURATION_MAX:
        raise Invalid(f"a work permit ends after it begins, at most {DURATION_MAX.days} days later")
    if asked.valid_until <= now:
        raise Invalid(f"a work permit cannot end in the past: {asked.valid_until.isoformat()}")
    if now - asked.valid_from > BEGUN_AT_MOST:
        hours = BEGUN_AT_MOST / timedelta(hours=1)
        raise Invalid(f"a work permit begins at most {hours:g} h before it is issued: {asked.valid_from.isoformat()}")


async def _record(
    connection: Connection, permit: WorkPermit, step: str, actor: str, now: datetime, note: str | None = None
) -> None:
    """Dossier entry, notice, and the revision that makes ingest look."""
    body: Mapping[str, object] = {
        "permit": permit.id,
        "step": step,
        "actor": actor,
        "note": note,
        "work": permit.work,
        "kind": permit.kind,
        "part": permit.part_id,
        "rules": list(permit.rules),
        "holder": permit.holder,
        "reason": permit.reason,
        "answers": dict(permit.answers),
        "extends": permit.extends_id,
        "valid_from": permit.valid_from.isoformat(),
        "valid_until": permit.valid_until.isoformat(),
        "ended_at": permit.ended_at and permit.ended_at.isoformat(),
        "overrun": permit.overrun,
        "settled_at": permit.settled_at and permit.settled_at.isoformat(),
    }
    await dossier.append(
        connection, site_id=permit.site_id, facility_id=permit.facility_id, kind="permit", body=body, now=now
    )
    version = 1 if permit.ended_at is None else 2 if permit.settled_at is None else 3
    payload = {**body, "facility": permit.facility_id}
    await outbox.append(connection, NewNotice(permit.site_id, "permit", permit.id, version, payload, now))
    await facilities.bump_revision(connection, permit.site_id)


def _permit(row: TupleRow) -> WorkPermit:
    fields = list(row)
    fields[5] = PermitKind(row[5])
    return WorkPermit(*fields)
