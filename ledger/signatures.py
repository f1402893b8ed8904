"""Who signed what of the rounds: the patroller his round, his supervisor after him, the fire manager a hazard put right.

A signature is of the person who is signed in, holds what was signed as bytes with their hash, and is never changed. It
covers the visits there were: results that a phone sends later want another, which stands beside it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ledger import hazards, work_orders
from ledger.dossier import entry_bytes
from ledger.errors import Conflict, IllegalMove, NotFound, Refused
from ledger.lifecycle import WorkOrderState, legal_work_order_moves
from ledger.pool import Connection
from ledger.round_lifecycle import RoundState
from ledger.work_orders import Act

VISITS_MAX = 5_000


class Part(StrEnum):
    """In which part somebody signs."""

    PATROLLER = "patroller"
    SUPERVISOR = "supervisor"
    FIRE_MANAGER = "fire_manager"


ROUND_PARTS = (Part.PATROLLER, Part.SUPERVISOR)


@dataclass(frozen=True, slots=True)
class Signer:
    person_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Signature:
    part: Part
    signer: str
    note: str | None
    signed_at: datetime
    sha256: str  # of what was signed
    holds: bool  # it covers all that the round's guards scanned; what others did is looked into by itself


@dataclass(frozen=True, slots=True)
class _Walk:
    """A round that ended, with who walked any of it."""

    site_id: int
    guard: str
    walkers: frozenset[str]
    visits: int
    content: bytes


async def sign_round(
    connection: Connection, round_id: int, part: Part, signer: Signer, *, note: str | None, now: datetime
) -> None:
    """Raises NotFound, Refused, Conflict when it is signed in this part."""
    walk = await _locked_walk(connection, round_id)
    standing = {each.part: each for each in await of_round(connection, round_id) if each.holds}
    if part in standing:
        raise Conflict(f"{standing[part].signer} signed this round at {standing[part].signed_at:%Y-%m-%d %H:%M} UTC")
    if part is Part.PATROLLER and signer.name != walk.guard:
        raise Refused(f"the patroller signs his own round, and that is {walk.guard}")
    if part is Part.SUPERVISOR:
        if signer.name in walk.walkers:
            raise Refused("who walked a round, or a part of it, does not countersign it: another must")
        if Part.PATROLLER not in standing:
            raise Refused(f"{walk.guard} signs first; results that came after his signature want another")
    await _put(connection, walk.site_id, signer, part, walk.content, walk.visits, note, now, round_id=round_id)


async def of_round(connection: Connection, round_id: int) -> list[Signature]:
    """Oldest first."""
    cursor = await connection.execute(
        "select part, signer, note, signed_at, encode(content_sha256, 'hex'), visits = "
        "(select count(*) from inspection_visit as visit where round_id = signature.round_id "
        "and person in (select event.guard from inspection_round_event as event where event.round_id = visit.round_id)) "
        "from inspection_signature as signature where round_id = %s order by id limit 200",
        [round_id],
    )
    return [Signature(Part(part), *rest) async for part, *rest in cursor]


async def lacking(connection: Connection, round_ids: Sequence[int]) -> dict[int, list[Part]]:
    """By round that has ended, the parts nobody has signed in for all there is; complete ones are left out."""
    cursor = await connection.execute(
        "select round.id, array(select part::text from inspection_signature as signature where round_id = round.id "
        "and visits = (select count(*) from inspection_visit as visit where round_id = round.id "
        "and person in (select event.guard from inspection_round_event as event where event.round_id = visit.round_id))) "
        "from inspection_round as round where id = any(%s) and state <> 'walking' order by id",
        [list(round_ids)],
    )
    found = {int(number): [part for part in ROUND_PARTS if part not in signed] async for number, signed in cursor}
    return {number: parts for number, parts in found.items() if parts}


async def confirm_hazard(
    connection: Connection, order_id: int, signer: Signer, *, note: str | None, now: datetime
) -> None:
    """The fire manager's word that what a round found is put right. Raises NotFound, IllegalMove, Refused, Conflict."""
    order = await work_orders.locked(connection, order_id)
    found = await hazards.findings(connection, order_id)
    if not found:
        raise Refused(f"work order {order_id} is of nothing that a round found: nobody has to confirm it")
    if order.resolved_at is None or order.state not in (WorkOrderState.RESOLVED, WorkOrderState.VERIFIED):
        legal = legal_work_order_moves(order.state)
        raise IllegalMove(f"work order {order_id}", order.state, "confirm", legal)
    if not await hazards.unconfirmed(connection, [order_id]):
        raise Conflict(f"that work order {order_id} is put right is confirmed already")
    resolution = await _resolution(connection, order_id)
    if signer.name == order.assignee or await _has_worked(connection, order_id, signer.name):
        raise Refused("who put it right does not confirm that it is: another must")
    content = entry_bytes(hazards.content(order_id, found, resolution, order.resolved_at))
    now = max(now, order.resolved_at)  # ours may be behind the clock that the resolution was written by
    digest = await _put(
        connection, order.site_id, signer, Part.FIRE_MANAGER, content, len(found), note, now, order_id=order_id
    )
    act = Act(signer.name, "person", now, note=note, detail={"sha256": digest})
    await work_orders.enter(connection, order, "confirm", act)


async def of_order(connection: Connection, order_id: int) -> list[Signature]:
    """Oldest first. It holds while the order is not resolved anew."""
    cursor = await connection.execute(
        "select part, signer, note, signed_at, encode(content_sha256, 'hex'), "
        "resolved_at is not null and signed_at >= resolved_at from inspection_signature as signature "
        "join work_order on work_order.id = work_order_id where work_order_id = %s order by signature.id limit 200",
        [order_id],
    )
    return [Signature(Part(part), *rest) async for part, *rest in cursor]


async def _has_worked(connection: Connection, order_id: int, person: str) -> bool:
    """Also he for whom somebody else entered that it is resolved."""
    cursor = await connection.execute(
        "select exists (select from work_order_event where work_order_id = %s and actor = %s "
        "and move in ('accept', 'arrive', 'plan', 'resolve'))",
        [order_id, person],
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def _resolution(connection: Connection, order_id: int) -> Mapping[str, object]:
    cursor = await connection.execute(
        "select actor, note from work_order_event where work_order_id = %s and move = 'resolve' order by seq desc limit 1",
        [order_id],
    )
    row = await cursor.fetchone()
    assert row is not None, "a resolved order has its resolution in the journal"
    return {"resolved_by": row[0], "words": row[1]}


async def _locked_walk(connection: Connection, round_id: int) -> _Walk:
    """With the lock no visit joins the round until it is signed: each visit holds its round's row."""
    cursor = await connection.execute(
        "select round.site_id, site.key, plan.key, window_from, window_until, state, guard, started_at, ended_at, "
        "array(select key from unnest(route) with ordinality as stop (facility_id, place) "
        "join facility on facility.id = stop.facility_id order by place), "
        "array(select distinct guard from inspection_round_event as event where event.round_id = round.id order by 1) "
        "from inspection_round as round join site on site.id = round.site_id "
        "join inspection_plan as plan on plan.id = plan_id where round.id = %s for update of round",
        [round_id],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("round", round_id)
    site_id, site, plan, opens, closes, state, guard, started_at, ended_at, route, guards = row
    if state == RoundState.WALKING:
        raise Refused(f"the round is still walked by {guard}: it is signed when it has ended")
    visits = await _visits(connection, round_id)
    signed = [each for each in visits if each["person"] in guards]
    told = {
        "round": round_id,
        "site": site,
        "plan": plan,
        "window_from": opens,
        "window_until": closes,
        "state": state,
        "guards": guards,
        "started_at": started_at,
        "ended_at": ended_at,
        "route": route,
        "visits": signed,
    }
    walkers = frozenset({*guards, *(str(each["person"]) for each in visits)})
    return _Walk(site_id, guard, walkers, len(signed), entry_bytes(told))


async def _visits(connection: Connection, round_id: int) -> list[Mapping[str, object]]:
    cursor = await connection.execute(
        "select visit.id::text, encode(content_hash, 'hex'), facility.key, person, scanned_at, outcome::text, failed "
        "from inspection_visit as visit left join facility on facility.id = facility_id where round_id = %s "
        "order by scanned_at, visit.id limit %s",
        [round_id, VISITS_MAX + 1],
    )
    names: Sequence[str] = ("visit", "sha256", "facility", "person", "scanned_at", "outcome", "failed")
    found: list[Mapping[str, object]] = [dict(zip(names, row, strict=True)) async for row in cursor]
    if len(found) > VISITS_MAX:
        raise Refused(f"the round has more than {VISITS_MAX} visits; nobody can sign for that many")
    return found


async def _put(
    connection: Connection,
    site_id: int,
    signer: Signer,
    part: Part,
    content: bytes,
    visits: int,
    note: str | None,
    now: datetime,
    *,
    round_id: int | None = None,
    order_id: int | None = None,
) -> str:
    """The hash of what was signed."""
    digest = hashlib.sha256(content)
    await connection.execute(
        "insert into inspection_signature (site_id, round_id, work_order_id, part, person_id, signer, note, signed_at, visits, "
        "content, content_sha256) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            *(site_id, round_id, order_id, part, signer.person_id, signer.name, note, now, visits),
            *(content.decode(), digest.digest()),
        ],
    )
    return digest.hexdigest()
