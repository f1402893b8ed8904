"""What belongs to a work order beside its moves: photos, parts used, signatures, call-backs; each is in its journal as well.

A picture lies in the directory of photos; what is known of it is a row of `ledger.photos`. Everything is bounded: an
order with more than that is not one order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import LiteralString

from ledger import work_orders
from ledger.errors import IllegalMove, NotFound, OwnWork, Refused
from ledger.lifecycle import WorkOrderState, legal_work_order_moves
from ledger.pool import Connection
from ledger.records import WorkOrder
from ledger.work_orders import Act

PHOTOS_MAX = 50
PARTS_MAX = 200
SIGNATURES_MAX = 20
CALL_BACKS_MAX = 20
_S = WorkOrderState
# Somebody has taken it, so that there is work to use parts for and to sign for.
_IN_HAND = frozenset({_S.ACCEPTED, _S.ARRIVED, _S.PLANNED, _S.SUSPENDED, _S.RESOLVED, _S.VERIFIED})
_AT_WORK = frozenset({_S.ARRIVED, _S.PLANNED, _S.SUSPENDED, _S.RESOLVED})
_RESOLVED = frozenset({_S.RESOLVED, _S.VERIFIED, _S.CLOSED})


class PhotoStage(StrEnum):
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class OrderPhoto:
    sha256: str
    stage: PhotoStage
    caption: str | None
    width: int
    height: int
    added_at: datetime
    added_by: str


@dataclass(frozen=True, slots=True)
class NewPart:
    name: str
    model: str | None
    quantity: float
    unit: str


@dataclass(frozen=True, slots=True)
class Part:
    id: int
    name: str
    model: str | None
    quantity: float
    unit: str
    added_at: datetime
    added_by: str
    struck_at: datetime | None
    struck_by: str | None


@dataclass(frozen=True, slots=True)
class Signature:
    id: int
    sha256: str
    signer: str
    signed_at: datetime
    taken_by: str


@dataclass(frozen=True, slots=True)
class CallBack:
    id: int
    spoken_with: str
    rating: int
    words: str | None
    called_at: datetime
    called_by: str


@dataclass(frozen=True, slots=True)
class Papers:
    """All of one order, oldest first."""

    photos: Sequence[OrderPhoto]
    parts: Sequence[Part]
    signatures: Sequence[Signature]
    call_backs: Sequence[CallBack]


async def add_photo(
    connection: Connection, order_id: int, act: Act, *, sha256: str, stage: PhotoStage, caption: str | None
) -> None:
    """The photo is kept already. The same picture twice is there once. Raises NotFound, Refused."""
    order = await work_orders.locked(connection, order_id)
    cursor = await connection.execute(
        "insert into work_order_photo (site_id, work_order_id, sha256, stage, caption, added_at, added_by) "
        "values (%s, %s, %s, %s, %s, %s, %s) on conflict on constraint work_order_photo_pkey do nothing",
        [order.site_id, order.id, sha256, stage, caption, act.now, act.actor],
    )
    if cursor.rowcount == 1:
        await _bound(connection, "select count(*) from work_order_photo where work_order_id = %s", order, PHOTOS_MAX)
        await _enter(connection, order, "photo", act, caption, {"sha256": sha256, "stage": stage})


async def add_part(connection: Connection, order_id: int, act: Act, part: NewPart) -> None:
    """Raises NotFound, IllegalMove, Refused."""
    order = await work_orders.locked(connection, order_id)
    _refuse_unless(order, _IN_HAND, "part")
    await connection.execute(
        "insert into work_order_part (site_id, work_order_id, name, model, quantity, unit, added_at, added_by) "
        "values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [order.site_id, order.id, part.name, part.model, part.quantity, part.unit, act.now, act.actor],
    )
    await _bound(connection, "select count(*) from work_order_part where work_order_id = %s", order, PARTS_MAX)
    used = {"name": part.name, "model": part.model, "quantity": part.quantity, "unit": part.unit}
    await _enter(connection, order, "part", act, None, used)


async def strike_part(connection: Connection, order_id: int, part_id: int, act: Act) -> None:
    """Entered by mistake: it stays on record and counts no more. Raises NotFound, IllegalMove."""
    order = await work_orders.locked(connection, order_id)
    _refuse_unless(order, _IN_HAND, "part_struck")
    cursor = await connection.execute(
        "update work_order_part set struck_at = %s, struck_by = %s where work_order_id = %s and id = %s "
        "and struck_at is null returning name, model, quantity::float8, unit",
        [act.now, act.actor, order.id, part_id],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("part used and not struck yet", part_id)
    name, model, quantity, unit = row
    used = {"name": name, "model": model, "quantity": quantity, "unit": unit}
    await _enter(connection, order, "part_struck", act, None, used)


async def sign(connection: Connection, order_id: int, act: Act, *, sha256: str, signer: str) -> None:
    """The picture is kept already. A later signature stands beside the earlier. Raises NotFound, IllegalMove, Refused."""
    order = await work_orders.locked(connection, order_id)
    _refuse_unless(order, _IN_HAND, "signature")
    await connection.execute(
        "insert into work_order_signature (site_id, work_order_id, sha256, signer, signed_at, taken_by) "
        "values (%s, %s, %s, %s, %s, %s)",
        [order.site_id, order.id, sha256, signer, act.now, act.actor],
    )
    await _bound(
        connection, "select count(*) from work_order_signature where work_order_id = %s", order, SIGNATURES_MAX
    )
    await _enter(connection, order, "signature", act, None, {"signer": signer, "sha256": sha256})


async def witness(connection: Connection, order_id: int, act: Act) -> None:
    """Somebody stood by while it was done; who scans again stood by once. Raises NotFound, IllegalMove before anybody
    arrived; OwnWork to whose work it is.
    """
    order = await work_orders.locked(connection, order_id)
    _refuse_unless(order, _AT_WORK, "witness")
    if order.arrived_at is None:  # planned or suspended from afar
        raise IllegalMove(f"work order {order.id}", order.state, "witness", legal_work_order_moves(order.state))
    cursor = await connection.execute(
        "select coalesce(bool_or(move in ('accept', 'arrive', 'plan', 'resolve')), false), "
        "coalesce(bool_or(move = 'witness' and at >= %s), false) "
        "from work_order_event where work_order_id = %s and actor = %s",
        [order.arrived_at, order.id, act.actor],
    )
    row = await cursor.fetchone()
    assert row is not None
    worked, witnessed = row
    if worked or act.actor == order.assignee:
        raise OwnWork("who does the work does not witness it: let one of your own people who stood by scan the tag")
    if not witnessed:
        await work_orders.enter(connection, order, "witness", act)


async def call_back(
    connection: Connection, order_id: int, act: Act, *, spoken_with: str, rating: int, words: str | None
) -> None:
    """What whoever reported it says of the work. Raises NotFound, IllegalMove before it is resolved, Refused."""
    order = await work_orders.locked(connection, order_id)
    _refuse_unless(order, _RESOLVED, "call_back")
    await connection.execute(
        "insert into work_order_call_back (site_id, work_order_id, spoken_with, rating, words, called_at, called_by) "
        "values (%s, %s, %s, %s, %s, %s, %s)",
        [order.site_id, order.id, spoken_with, rating, words, act.now, act.actor],
    )
    await _bound(
        connection, "select count(*) from work_order_call_back where work_order_id = %s", order, CALL_BACKS_MAX
    )
    await _enter(connection, order, "call_back", act, words, {"spoken_with": spoken_with, "rating": rating})


async def of_order(connection: Connection, order_id: int) -> Papers:
    photos = await connection.execute(
        "select sha256, stage, caption, photo.width, photo.height, added_at, added_by from work_order_photo as shown "
        "join inspection_photo as photo using (site_id, sha256) where work_order_id = %s order by added_at, sha256",
        [order_id],
    )
    found_photos = [OrderPhoto(sha256, PhotoStage(stage), *rest) async for sha256, stage, *rest in photos]
    parts = await connection.execute(
        "select id, name, model, quantity::float8, unit, added_at, added_by, struck_at, struck_by from work_order_part "
        "where work_order_id = %s order by id",
        [order_id],
    )
    found_parts = [Part(*row) async for row in parts]
    signatures = await connection.execute(
        "select id, sha256, signer, signed_at, taken_by from work_order_signature where work_order_id = %s order by id",
        [order_id],
    )
    found_signatures = [Signature(*row) async for row in signatures]
    calls = await connection.execute(
        "select id, spoken_with, rating, words, called_at, called_by from work_order_call_back "
        "where work_order_id = %s order by id",
        [order_id],
    )
    return Papers(found_photos, found_parts, found_signatures, [CallBack(*row) async for row in calls])


async def media_type(connection: Connection, order_id: int, sha256: str) -> str:
    """Of a picture that belongs to the order. Raises NotFound."""
    cursor = await connection.execute(
        "select media_type from inspection_photo as photo where sha256 = %(sha256)s "
        "and (site_id, sha256) in (select site_id, sha256 from work_order_photo where work_order_id = %(order)s "
        "union all select site_id, sha256 from work_order_signature where work_order_id = %(order)s)",
        {"order": order_id, "sha256": sha256},
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("picture", sha256)
    return str(row[0])


async def _enter(
    connection: Connection, order: WorkOrder, what: str, act: Act, note: str | None, detail: Mapping[str, object]
) -> None:
    told = Act(act.actor, act.reason, act.now, note=note, detail=detail)
    await work_orders.enter(connection, order, what, told)


def _refuse_unless(order: WorkOrder, states: frozenset[WorkOrderState], what: str) -> None:
    if order.state not in states:
        raise IllegalMove(f"work order {order.id}", order.state, what, legal_work_order_moves(order.state))


async def _bound(connection: Connection, counted: LiteralString, order: WorkOrder, at_most: int) -> None:
    cursor = await connection.execute(counted, [order.id])
    row = await cursor.fetchone()
    assert row is not None
    if row[0] > at_most:
        raise Refused(f"work order {order.id} has {at_most} of these already, and takes no more")
