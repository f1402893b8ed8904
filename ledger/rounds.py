"""Rounds that are walked: started once for each window of a plan, handed over, taken over, ended; each move on record.

Two who start the same round meet at the key of plan and window: one starts it, the other is told who walks it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from ledger import plans
from ledger.errors import Conflict, IllegalMove, Invalid, NotFound
from ledger.plans import PlanStop
from ledger.pool import Connection
from ledger.round_lifecycle import ROUND_MOVES, RoundMove, RoundState, legal_round_moves
from ledger.said import says_nothing


@dataclass(frozen=True, slots=True)
class Round:
    id: int
    site_id: int
    site_key: str
    plan_id: int
    plan_key: str
    plan_name_zh: str
    plan_name_en: str
    ordered: bool
    window_from: datetime
    window_until: datetime
    state: RoundState
    guard: str
    started_at: datetime
    ended_at: datetime | None
    stops: Sequence[PlanStop]


@dataclass(frozen=True, slots=True)
class RoundOfPlan:
    """`route`: the facilities of the plan when it was started, in order; what is added later was not missed."""

    id: int
    window_from: datetime
    window_until: datetime
    state: RoundState
    guard: str
    route: Sequence[int]
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class RoundEvent:
    seq: int
    move: RoundMove
    from_state: RoundState | None
    to_state: RoundState
    guard: str
    at: datetime
    actor: str
    note: str | None


_COLUMNS: LiteralString = (
    "select round.id, round.site_id, site.key, plan.id, plan.key, plan.name_zh, plan.name_en, plan.ordered, window_from, "
    "window_until, state, guard, started_at, ended_at from inspection_round as round "
    "join inspection_plan as plan on plan.id = plan_id join site on site.id = round.site_id "
)


async def start(
    connection: Connection,
    *,
    site_id: int,
    plan_id: int,
    window: tuple[datetime, datetime],
    guard: str,
    now: datetime,
) -> int:
    """The round's id; who walks it already gets it again. Raises Conflict for anybody else, and when it has ended."""
    cursor = await connection.execute(
        "insert into inspection_round (site_id, plan_id, window_from, window_until, state, guard, started_at, route) "
        "select %s, %s, %s, %s, 'walking', %s, %s, coalesce(array_agg(facility_id order by seq), '{}') "
        "from inspection_plan_stop join facility on facility.id = facility_id and facility.retired_at is null "
        "where plan_id = %s "
        "on conflict on constraint inspection_round_once do nothing returning id",
        [site_id, plan_id, *window, guard, now, plan_id],
    )
    row = await cursor.fetchone()
    if row is not None:
        await _journal(connection, int(row[0]), RoundMove.START, None, RoundState.WALKING, guard, guard, None, now)
        return int(row[0])
    cursor = await connection.execute(
        "select id from inspection_round where plan_id = %s and window_from = %s", [plan_id, window[0]]
    )
    row = await cursor.fetchone()
    assert row is not None, "a round is never removed"
    found = await get(connection, int(row[0]))
    if found.state is not RoundState.WALKING:
        raise Conflict(f"this round is {found.state}: it was walked by {found.guard} from {found.started_at:%H:%M} UTC")
    if found.guard != guard:
        raise Conflict(
            f"{found.guard} walks this round since {found.started_at:%H:%M} UTC: let him hand it over, or take it over"
        )
    return found.id


async def guard_at(connection: Connection, round_id: int, at: datetime) -> str:
    """Whose round it was then; before it began, whoever began it."""
    cursor = await connection.execute(
        "select guard from inspection_round_event where round_id = %(round)s "
        "order by at <= %(at)s desc, case when at <= %(at)s then -seq else seq end limit 1",
        {"round": round_id, "at": at},
    )
    row = await cursor.fetchone()
    assert row is not None, "a round has the entry of its beginning"
    return str(row[0])


async def move(
    connection: Connection, round_id: int, step: RoundMove, *, actor: str, note: str | None, now: datetime, to: str = ""
) -> Round:
    """Raises NotFound, Invalid, IllegalMove; Conflict when somebody does what only its guard may."""
    cursor = await connection.execute("select 1 from inspection_round where id = %s for update", [round_id])
    if await cursor.fetchone() is None:
        raise NotFound("round", round_id)
    found = await get(connection, round_id)
    if step is RoundMove.START or (found.state, step) not in ROUND_MOVES:
        raise IllegalMove(f"round {round_id}", found.state, step, legal_round_moves(found.state))
    guard = _guard_after(found, step, actor, note, to)
    state = ROUND_MOVES[found.state, step]
    await connection.execute(
        "update inspection_round set state = %s, guard = %s, ended_at = %s where id = %s",
        [state, guard, None if state is RoundState.WALKING else now, round_id],
    )
    await _journal(connection, round_id, step, found.state, state, guard, actor, note, now)
    return await get(connection, round_id)


def _guard_after(found: Round, step: RoundMove, actor: str, note: str | None, to: str) -> str:
    if step is RoundMove.TAKE_OVER:
        if actor == found.guard:
            raise Invalid("who walks the round has it already")
        if note is None or says_nothing(note):
            raise Invalid("taking a round over needs a note: say why its guard does not go on")
        return actor
    if actor != found.guard:
        raise Conflict(f"only {found.guard}, who walks the round, may do that; take it over first")
    if step is RoundMove.HAND_OVER:
        if says_nothing(to) or to == actor:
            raise Invalid("a round is handed over to somebody else: name him")
        return to
    if step is RoundMove.ABANDON and (note is None or says_nothing(note)):
        raise Invalid("abandoning a round needs a note: say why")
    return found.guard


async def get(connection: Connection, round_id: int) -> Round:
    """Raises NotFound."""
    cursor = await connection.execute(_COLUMNS + "where round.id = %s", [round_id])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("round", round_id)
    fields = list(row)
    fields[10] = RoundState(row[10])
    return Round(*fields, stops=await plans.stops(connection, row[3]))


async def of_plan(connection: Connection, plan_id: int, *, begin: datetime, end: datetime) -> list[RoundOfPlan]:
    """Those whose windows begin in the span."""
    cursor = await connection.execute(
        "select id, window_from, window_until, state, guard, route, ended_at from inspection_round "
        "where plan_id = %s and window_from >= %s and window_from < %s order by window_from",
        [plan_id, begin, end],
    )
    return [
        RoundOfPlan(number, opens, closes, RoundState(state), guard, route, ended_at)
        async for number, opens, closes, state, guard, route, ended_at in cursor
    ]


async def visited(connection: Connection, round_ids: Sequence[int]) -> dict[int, list[int]]:
    """By round, facilities in the order of their scans. A visit that was struck is none."""
    found: dict[int, list[int]] = {each: [] for each in round_ids}
    cursor = await connection.execute(
        "select round_id, facility_id from inspection_visit where round_id = any(%s) and facility_id is not null "
        "and verdict <> 'struck' order by scanned_at, received_at",
        [list(round_ids)],
    )
    async for round_id, facility_id in cursor:
        found[round_id].append(int(facility_id))
    return found


async def visited_before(connection: Connection, round_id: int, at: datetime) -> list[int]:
    """Facilities scanned on the round before that moment, in the order of their scans."""
    cursor = await connection.execute(
        "select facility_id from inspection_visit where round_id = %s and facility_id is not null "
        "and verdict <> 'struck' and scanned_at < %s order by scanned_at, received_at",
        [round_id, at],
    )
    return [int(facility_id) async for (facility_id,) in cursor]


async def events(connection: Connection, round_id: int) -> list[RoundEvent]:
    """Oldest first."""
    cursor = await connection.execute(
        "select seq, move, from_state, to_state, guard, at, actor, note from inspection_round_event "
        "where round_id = %s order by seq limit 500",
        [round_id],
    )
    return [
        RoundEvent(seq, RoundMove(step), before and RoundState(before), RoundState(after), guard, at, actor, note)
        async for seq, step, before, after, guard, at, actor, note in cursor
    ]


async def _journal(
    connection: Connection,
    round_id: int,
    step: RoundMove,
    before: RoundState | None,
    after: RoundState,
    guard: str,
    actor: str,
    note: str | None,
    now: datetime,
) -> None:
    cursor = await connection.execute(
        "update inspection_round set journal_length = journal_length + 1 where id = %s returning site_id, journal_length",
        [round_id],
    )
    row = await cursor.fetchone()
    assert row is not None, "the round is there"
    await connection.execute(
        "insert into inspection_round_event (site_id, round_id, seq, move, from_state, to_state, guard, at, actor, note) "
        "values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [row[0], round_id, row[1], step, before, after, guard, now, actor, note],
    )
