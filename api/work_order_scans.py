"""Maintenance by scan: who arrives at an order scans the tag of its facility, and so does who witnesses the work.

What is scanned has to hang at the order's facility. The journal keeps the last four characters of the code and how it was
read: who typed it in was perhaps never there, and whoever verifies the order sees that.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints

from api.context import needs
from api.deeds import DeedOf
from api.problems import WrongTag, refusals
from api.rights import Right
from api.shapes import Asked, Id, Name, Text
from api.tags import find
from api.work_orders import WorkOrderDetail, detail_of
from inspection import codes
from inspection.plausibility import Means
from ledger import order_papers, work_orders
from ledger.lifecycle import WorkOrderMove
from ledger.pool import Connection

router = APIRouter(tags=["work orders"])


class ScanIn(Asked):
    """At the order's facility."""

    tag: Annotated[
        str,
        StringConstraints(min_length=1, max_length=codes.TEXT_CHARS_MAX),
        Field(description="as it was read or typed: the link or the code"),
    ]
    means: Means
    note: Text | None = None


@router.post(
    "/work-orders/{order}/arrival-scan",
    summary="Be on site, by the tag of its facility",
    response_model=WorkOrderDetail,
    responses=refusals(404, 409),
    dependencies=[needs(Right.WORK)],
)
async def scan_at_work_order(order: Id, asked: ScanIn, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> WorkOrderDetail:
        seen = await _seen(connection, order, asked, deed.context.visit_desk.public_urls)
        await work_orders.move(connection, order, WorkOrderMove.ARRIVE, deed.act(asked.note, detail=seen))
        return await detail_of(connection, order)

    return await deed.do(act)


@router.post(
    "/work-orders/{order}/witness-scan",
    summary="Sign as witness, by the tag of its facility",
    status_code=201,
    response_model=WorkOrderDetail,
    responses=refusals(404, 409),
    dependencies=[needs(Right.VERIFY)],
)
async def witness_work_order(order: Id, asked: ScanIn, deed: DeedOf) -> Response:
    """One of one's own people who stood by while others worked: not the one whose work it is."""

    async def act(connection: Connection) -> WorkOrderDetail:
        seen = await _seen(connection, order, asked, deed.context.visit_desk.public_urls)
        await order_papers.witness(connection, order, deed.act(asked.note, detail=seen))
        return await detail_of(connection, order)

    return await deed.do(act, status=201)


async def _seen(
    connection: Connection, order_id: int, asked: ScanIn, public_urls: Sequence[str]
) -> Mapping[str, object]:
    """Raises NotFound, or WrongTag for a tag that does not hang there."""
    order = await work_orders.get(connection, order_id)
    here = Name(zh=order.facility_name_zh, en=order.facility_name_en)
    read = codes.read(asked.tag, public_urls)
    if read.code is None:
        said = f"what was scanned is no tag of ours: scan the one at {order.facility_name_zh}"
        raise WrongTag("foreign", said, here=here)
    tag = await find(connection, read.code)
    if tag.facility_id != order.facility_id:
        said = (
            f"this tag hangs at {tag.facility_name_zh}; the order is for {order.facility_name_zh}: scan the one there"
        )
        there = Name(zh=tag.facility_name_zh, en=tag.facility_name_en)
        raise WrongTag("elsewhere", said, here=here, there=there)
    if tag.retired_at is not None:
        raise WrongTag("retired", f"tag ...{tag.code[-4:]} is retired: scan the one that hangs there now", here=here)
    return {"tag": tag.code[-4:], "means": asked.means}
