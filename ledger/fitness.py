"""Fitness of facilities: moved by visits and by the closing of their orders, each change an entry of the dossier.

The caller has locked the facility, so that nobody moves it meanwhile; the statement asks for the state it moves from all
the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import LiteralString
from uuid import UUID

from ledger import dossier
from ledger.fitness_lifecycle import FITNESS_MOVES, FitnessMove, FitnessState, move_of_finding
from ledger.pool import Connection
from ledger.records import Severity, WorkOrder

_LOOKS = (FitnessMove.FIND_FAULT, FitnessMove.FIND_UNUSABLE, FitnessMove.FIND_FIT)


@dataclass(frozen=True, slots=True)
class Fitness:
    state: FitnessState
    since: datetime
    seen_at: datetime
    work_order_id: int
    mended_from: FitnessState | None  # what it was before a visit, and no repair, made it fit


@dataclass(frozen=True, slots=True)
class _Seen:
    """What moves it: who, when, and what of his the dossier names."""

    site_id: int
    facility_id: int
    move: FitnessMove
    at: datetime
    actor: str
    now: datetime
    cause: Mapping[str, object]
    work_order_id: int | None = None


async def of_facility(connection: Connection, facility_id: int) -> Fitness | None:
    """None: nothing was ever found wrong there."""
    cursor = await connection.execute(
        "select state, since, seen_at, work_order_id, mended_from from facility_fitness where facility_id = %s",
        [facility_id],
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    state, since, seen_at, order, mended_from = row
    return Fitness(
        FitnessState(state), since, seen_at, order, None if mended_from is None else FitnessState(mended_from)
    )


async def failed(
    connection: Connection,
    visit: UUID,
    *,
    site_id: int,
    facility_id: int,
    severity: Severity,
    work_order_id: int,
    scanned_at: datetime,
    actor: str,
    now: datetime,
) -> None:
    """A visit found something wrong, which is of this order."""
    move = move_of_finding(severity)
    cause = {"visit": str(visit), "work_order": work_order_id}
    seen = _Seen(site_id, facility_id, move, scanned_at, actor, now, cause, work_order_id)
    standing = await of_facility(connection, facility_id)
    if standing is not None and scanned_at >= standing.seen_at:
        await _move(connection, standing, seen)
    elif standing is not None:
        await _found_behind(connection, standing, seen)
    else:
        await _begin(connection, seen)
        await _stand_on_newest(connection, facility_id, now)  # what arrives late says nothing of now


async def passed(
    connection: Connection,
    visit: UUID,
    *,
    site_id: int,
    facility_id: int,
    scanned_at: datetime,
    actor: str,
    now: datetime,
) -> None:
    """A visit that counts found all in order."""
    standing = await of_facility(connection, facility_id)
    if standing is not None and scanned_at >= standing.seen_at:
        cause = {"visit": str(visit)}
        await _move(
            connection, standing, _Seen(site_id, facility_id, FitnessMove.FIND_FIT, scanned_at, actor, now, cause)
        )


async def order_closed(connection: Connection, order: WorkOrder, actor: str, now: datetime) -> None:
    """Puts right what visits found, unless another order of theirs is still open."""
    cursor = await connection.execute(
        "select count(*) filter (where id = %(order)s), count(*) filter (where ended_at is null and id <> %(order)s) "
        "from work_order where facility_id = %(facility)s "
        "and id in (select work_order_id from inspection_visit where facility_id = %(facility)s)",
        {"order": order.id, "facility": order.facility_id},
    )
    row = await cursor.fetchone()
    standing = await of_facility(connection, order.facility_id)
    if row == (1, 0) and standing is not None:
        cause = {"work_order": order.id}
        await _move(
            connection, standing, _Seen(order.site_id, order.facility_id, FitnessMove.REPAIR, now, actor, now, cause)
        )


_PASSED: LiteralString = (
    "select from inspection_visit as visit where visit.facility_id = fitness.facility_id and outcome = 'in_order' "
    "and verdict in ('accepted', 'upheld') and scanned_at "
)
_NEWEST_FINDING: LiteralString = (
    "(select scanned_at from inspection_visit as visit where visit.facility_id = fitness.facility_id "
    "and severity is not null and work_order_id is not null order by scanned_at desc limit 1)"
)
# Fit by visits alone, and none of those counts any more. The first condition is within the second, and asks one row.
_IN_DOUBT: LiteralString = (
    f"(mended_from is not null and not exists ({_PASSED} >= seen_at) "
    f"and not exists ({_PASSED} >= coalesce({_NEWEST_FINDING}, since)))"
)
# Not fit, though one that counts has found all in order since: its doubt was cleared, or it is the earlier of two.
_CLEARED: LiteralString = f"(state <> 'fit' and exists ({_PASSED} > {_NEWEST_FINDING}))"
_ROWS: LiteralString = "select site_id, facility_id from facility_fitness as fitness "
_ASTRAY: LiteralString = _ROWS + f"where ({_IN_DOUBT} or {_CLEARED}) "
_PASSES: LiteralString = (
    "select site_id, newest.id, newest.scanned_at, newest.person from facility_fitness as fitness "
    "cross join lateral (select id, scanned_at, person from inspection_visit as visit "
    "where visit.facility_id = fitness.facility_id and outcome = 'in_order' and verdict in ('accepted', 'upheld') "
    "order by scanned_at desc limit 1) as newest "
)


async def astray(connection: Connection, *, limit: int) -> list[tuple[int, int]]:
    """Site and facility of what is fit by visits alone that came to be doubted, or is not although one stands for it."""
    cursor = await connection.execute(_ASTRAY + "order by facility_id limit %s", [limit])
    return [(int(site_id), int(facility_id)) async for site_id, facility_id in cursor]


async def set_right(connection: Connection, site_id: int, facility_id: int, now: datetime) -> bool:
    """In a transaction of its own, which locks this facility and no other. False: it is as its visits have it by now."""
    await dossier.lock_facilities(connection, [facility_id])
    cursor = await connection.execute(_ASTRAY + "and facility_id = %s", [facility_id])
    standing = await of_facility(connection, facility_id)
    if await cursor.fetchone() is None or standing is None:
        return False
    if standing.state is not FitnessState.FIT:
        return await _stand_on_newest(connection, facility_id, now)
    move = _DOUBTS[standing.mended_from]
    await _move(connection, standing, _Seen(site_id, facility_id, move, now, "rules", now, {}))
    return True


_STANDS: LiteralString = (
    _ROWS + f"where facility_id = %(facility)s and not exists ({_PASSED} > %(at)s and scanned_at < {_NEWEST_FINDING}) "
    "and not exists (select from dossier_entry as entry where entry.facility_id = fitness.facility_id "
    "and kind = 'fitness' and convert_from(body, 'UTF8')::jsonb ->> 'move' = 'repair' "
    "and (convert_from(body, 'UTF8')::jsonb ->> 'at')::timestamptz > %(at)s)"
)


async def _found_behind(connection: Connection, standing: Fitness, seen: _Seen) -> None:
    """A finding that arrives behind a later look, as if it had come in its turn, where neither a repair nor a visit that
    counts has put it right before the newest finding. Where it is fit, it is what the facility falls back to.
    """
    state = FITNESS_MOVES[standing.mended_from or standing.state, seen.move]
    cursor = await connection.execute(_STANDS, {"facility": seen.facility_id, "at": seen.at})
    if state is (standing.mended_from or standing.state) or await cursor.fetchone() is None:
        return
    if standing.state is not FitnessState.FIT:
        await _move(connection, standing, seen)
        return
    await connection.execute(
        "update facility_fitness set mended_from = %s, work_order_id = %s where facility_id = %s and state = 'fit'",
        [state, seen.work_order_id, seen.facility_id],
    )


_DOUBTS: Mapping[FitnessState | None, FitnessMove] = MappingProxyType(
    {FitnessState.FAULTY: FitnessMove.DOUBT_FAULTY, FitnessState.OUT_OF_USE: FitnessMove.DOUBT_UNUSABLE}
)


async def _stand_on_newest(connection: Connection, facility_id: int, now: datetime) -> bool:
    """Finds it fit by the newest visit that counts and found all in order. False: something was found since."""
    cursor = await connection.execute(
        _PASSES + f"where facility_id = %s and newest.scanned_at > {_NEWEST_FINDING}",
        [facility_id],
    )
    row = await cursor.fetchone()
    standing = await of_facility(connection, facility_id)
    if row is None or standing is None:
        return False
    site_id, visit, scanned_at, person = row
    cause = {"visit": str(visit)}
    await _move(connection, standing, _Seen(site_id, facility_id, FitnessMove.FIND_FIT, scanned_at, person, now, cause))
    return True


async def _begin(connection: Connection, seen: _Seen) -> None:
    assert seen.work_order_id is not None, "a finding has its order"
    state = FITNESS_MOVES[FitnessState.FIT, seen.move]
    await connection.execute(
        "insert into facility_fitness (facility_id, site_id, state, since, seen_at, work_order_id, journal_length) "
        "values (%s, %s, %s, %s, %s, %s, 1)",
        [seen.facility_id, seen.site_id, state, seen.at, seen.at, seen.work_order_id],
    )
    await _enter(connection, seen, FitnessState.FIT, state)


async def _move(connection: Connection, standing: Fitness, seen: _Seen) -> None:
    """What a closing or a doubt says is no look at the facility: `seen_at` is of visits."""
    state = FITNESS_MOVES[standing.state, seen.move]
    changes = state is not standing.state
    looked_at = max(seen.at, standing.seen_at) if seen.move in _LOOKS else standing.seen_at
    mended_from = None
    if seen.move is FitnessMove.FIND_FIT:
        mended_from = standing.state if changes else standing.mended_from
    cursor = await connection.execute(
        "update facility_fitness set state = %(to)s, since = case when %(changes)s then %(at)s else since end, "
        "seen_at = %(looked_at)s, mended_from = %(mended_from)s, work_order_id = coalesce(%(order)s, work_order_id), "
        "journal_length = journal_length + %(changes)s::int "
        "where facility_id = %(facility)s and state = %(from)s and seen_at = %(seen_before)s returning 1",
        {
            "to": state,
            "from": standing.state,
            "changes": changes,
            "at": seen.at,
            "looked_at": looked_at,
            "mended_from": mended_from,
            "seen_before": standing.seen_at,
            "order": seen.work_order_id,
            "facility": seen.facility_id,
        },
    )
    assert await cursor.fetchone() is not None, "the facility's lock keeps its fitness from moving under us"
    if changes:
        await _enter(connection, seen, standing.state, state)


async def _enter(connection: Connection, seen: _Seen, before: FitnessState, after: FitnessState) -> None:
    body = {"move": seen.move, "from": before, "to": after, "at": seen.at, "actor": seen.actor, **seen.cause}
    await dossier.append(
        connection, site_id=seen.site_id, facility_id=seen.facility_id, kind="fitness", body=body, now=seen.now
    )
