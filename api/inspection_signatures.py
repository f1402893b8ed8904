"""Signing: the patroller his round, his supervisor after him, the fire safety manager that a hazard is put right.

Only people who are signed in sign: a token says whom it acts for, and nobody can ask that person.
"""

from fastapi import APIRouter, Response

from api.context import needs
from api.deeds import Deed, DeedOf
from api.inspection_rounds import RoundOut, round_of
from api.problems import refusals
from api.rights import Right
from api.shapes import NOTHING_SAID, Id, Remark
from api.work_orders import WorkOrderDetail, detail_of
from ledger import rounds, signatures, work_orders
from ledger.errors import Refused
from ledger.pool import Connection
from ledger.signatures import Part, Signer

router = APIRouter(tags=["inspection rounds"])


@router.post(
    "/inspection-rounds/{round}/sign",
    summary="The patroller signs the round he walked",
    response_model=RoundOut,
    responses=refusals(404, 409),
    dependencies=[needs(Right.INSPECT)],
)
async def sign_inspection_round(round: Id, deed: DeedOf, asked: Remark = NOTHING_SAID) -> Response:  # noqa: A002 - the path's name
    """Once it has ended. Results that come later want another signature."""
    return await _sign(deed, round, Part.PATROLLER, asked.note)


@router.post(
    "/inspection-rounds/{round}/countersign",
    summary="His supervisor signs after him",
    response_model=RoundOut,
    responses=refusals(404, 409),
    dependencies=[needs(Right.COUNTERSIGN)],
)
async def countersign_inspection_round(round: Id, deed: DeedOf, asked: Remark = NOTHING_SAID) -> Response:  # noqa: A002 - the path's name
    """Never somebody who walked any of it."""
    return await _sign(deed, round, Part.SUPERVISOR, asked.note)


@router.post(
    "/work-orders/{order}/confirm",
    summary="The fire safety manager confirms that a hazard is put right",
    response_model=WorkOrderDetail,
    responses=refusals(404, 409),
    dependencies=[needs(Right.CONFIRM)],
)
async def confirm_work_order(order: Id, deed: DeedOf, asked: Remark = NOTHING_SAID) -> Response:
    """Of an order that puts right what a round found, once it is resolved; without that it is not closed."""

    async def act(connection: Connection) -> WorkOrderDetail:
        await work_orders.get(connection, order)
        await signatures.confirm_hazard(connection, order, _signer(deed), note=asked.note, now=deed.now)
        return await detail_of(connection, order)

    return await deed.do(act)


async def _sign(deed: Deed, number: int, part: Part, note: str | None) -> Response:
    async def act(connection: Connection) -> RoundOut:
        await rounds.get(connection, number)
        await signatures.sign_round(connection, number, part, _signer(deed), note=note, now=deed.now)
        return await round_of(connection, deed.context, number)

    return await deed.do(act)


def _signer(deed: Deed) -> Signer:
    """Raises Refused."""
    person = deed.context.asking.principal.person
    if person is None:
        raise Refused("only a person who is signed in signs; a token does not")
    return Signer(person.id, person.name)
