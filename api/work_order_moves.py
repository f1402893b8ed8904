"""Everything people do to a work order once it is there."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from api.context import needs
from api.deeds import Deed, DeedOf
from api.problems import refusals
from api.rights import Right
from api.shapes import NOTHING_SAID, Asked, Id, NoteIn, Remark, Text, Why, Word
from api.work_orders import WorkOrderDetail, detail_of
from ledger import facilities, work_orders
from ledger.lifecycle import WorkOrderMove
from ledger.pool import Connection
from rules.response import deadlines

router = APIRouter(tags=["work orders"])


class Dispatch(Asked):
    assignee: Annotated[Word, Field(description="who shall do it")]
    note: Text | None = None


_MOVED = refusals(404, 409)


@router.post(
    "/work-orders/{order}/dispatch",
    summary="Name who shall do it",
    response_model=WorkOrderDetail,
    responses=_MOVED,
    dependencies=[needs(Right.ASSIGN)],
)
async def dispatch_work_order(order: Id, asked: Dispatch, deed: DeedOf) -> Response:
    return await _move(deed, order, WorkOrderMove.DISPATCH, asked.note, assignee=asked.assignee)


@router.post(
    "/work-orders/{order}/accept",
    summary="Take it",
    response_model=WorkOrderDetail,
    responses=_MOVED,
    dependencies=[needs(Right.WORK)],
)
async def accept_work_order(order: Id, deed: DeedOf, asked: Remark = NOTHING_SAID) -> Response:
    return await _move(deed, order, WorkOrderMove.ACCEPT, asked.note)


@router.post(
    "/work-orders/{order}/arrive",
    summary="Be on site",
    response_model=WorkOrderDetail,
    responses=_MOVED,
    dependencies=[needs(Right.WORK)],
)
async def arrive_at_work_order(order: Id, deed: DeedOf, asked: Remark = NOTHING_SAID) -> Response:
    return await _move(deed, order, WorkOrderMove.ARRIVE, asked.note)


@router.post(
    "/work-orders/{order}/plan",
    summary="Say what will be done",
    response_model=WorkOrderDetail,
    responses=_MOVED,
    dependencies=[needs(Right.WORK)],
)
async def plan_work_order(order: Id, asked: Why, deed: DeedOf) -> Response:
    return await _move(deed, order, WorkOrderMove.PLAN, asked.note)


@router.post(
    "/work-orders/{order}/resolve",
    summary="Say that it is done",
    response_model=WorkOrderDetail,
    responses=_MOVED,
    dependencies=[needs(Right.WORK)],
)
async def resolve_work_order(order: Id, deed: DeedOf, asked: Remark = NOTHING_SAID) -> Response:
    return await _move(deed, order, WorkOrderMove.RESOLVE, asked.note)


@router.post(
    "/work-orders/{order}/verify",
    summary="See that it is",
    response_model=WorkOrderDetail,
    responses=_MOVED,
    dependencies=[needs(Right.VERIFY)],
)
async def verify_work_order(order: Id, deed: DeedOf, asked: Remark = NOTHING_SAID) -> Response:
    return await _move(deed, order, WorkOrderMove.VERIFY, asked.note)


@router.post(
    "/work-orders/{order}/close",
    summary="File it",
    response_model=WorkOrderDetail,
    responses=_MOVED,
    dependencies=[needs(Right.VERIFY)],
)
async def close_work_order(order: Id, deed: DeedOf, asked: Remark = NOTHING_SAID) -> Response:
    return await _move(deed, order, WorkOrderMove.CLOSE, asked.note)


@router.post(
    "/work-orders/{order}/suspend",
    summary="Let it wait; its clocks stand still",
    response_model=WorkOrderDetail,
    responses=_MOVED,
    dependencies=[needs(Right.ASSIGN)],
)
async def suspend_work_order(order: Id, asked: Why, deed: DeedOf) -> Response:
    return await _move(deed, order, WorkOrderMove.SUSPEND, asked.note)


@router.post(
    "/work-orders/{order}/resume",
    summary="Go on where it was; its clocks run on",
    response_model=WorkOrderDetail,
    responses=_MOVED,
    dependencies=[needs(Right.ASSIGN)],
)
async def resume_work_order(order: Id, deed: DeedOf, asked: Remark = NOTHING_SAID) -> Response:
    return await _move(deed, order, WorkOrderMove.RESUME, asked.note)


@router.post(
    "/work-orders/{order}/cancel",
    summary="It will not be done",
    response_model=WorkOrderDetail,
    responses=_MOVED,
    dependencies=[needs(Right.ASSIGN)],
)
async def cancel_work_order(order: Id, asked: Why, deed: DeedOf) -> Response:
    return await _move(deed, order, WorkOrderMove.CANCEL, asked.note)


@router.post(
    "/work-orders/{order}/reopen",
    summary="It is not done after all; with new deadlines",
    response_model=WorkOrderDetail,
    responses=_MOVED,
    dependencies=[needs(Right.VERIFY)],
)
async def reopen_work_order(order: Id, asked: Why, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> WorkOrderDetail:
        found = await work_orders.move(connection, order, WorkOrderMove.REOPEN, deed.act(asked.note))
        site = await facilities.site(connection, found.site_id)
        again = deadlines(deed.context.response, site, found.priority, deed.now)
        await work_orders.restart_clocks(connection, order, again, deed.act(None, reason="reopened"))
        return await detail_of(connection, order)

    return await deed.do(act)


@router.post(
    "/work-orders/{order}/notes",
    summary="Write something into its journal",
    status_code=201,
    response_model=WorkOrderDetail,
    responses=refusals(404),
    dependencies=[needs(Right.COMMENT)],
)
async def note_work_order(order: Id, asked: NoteIn, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> WorkOrderDetail:
        await work_orders.note(connection, order, deed.act(asked.text))
        return await detail_of(connection, order)

    return await deed.do(act, status=201)


async def _move(
    deed: Deed, order_id: int, step: WorkOrderMove, note: str | None, *, assignee: str | None = None
) -> Response:
    async def act(connection: Connection) -> WorkOrderDetail:
        await work_orders.move(connection, order_id, step, deed.act(note), assignee=assignee)
        return await detail_of(connection, order_id)

    return await deed.do(act)
