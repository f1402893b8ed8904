"""Work orders: the list, one with its journal and clocks, opened by hand, and everything people do to one."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api import paging
from api.catalogue import CATALOGUE
from api.context import Context, InContext, needs
from api.deeds import DeedOf
from api.field_words import listed
from api.journal_shapes import WorkOrderEventOut, WorkOrderJournal, work_order_event
from api.problems import refusals, unacceptable
from api.rights import Right
from api.shapes import Answered, Asked, FacilityRef, Id, Key, Limit, Moment, Name, PageOf, Reason, Text, Word
from api.signature_shapes import HazardOut, hazard_of
from ledger import facility_list, journals, order_papers, work_order_list, work_orders
from ledger.lifecycle import WorkOrderMove, WorkOrderState, legal_work_order_moves
from ledger.order_papers import PhotoStage
from ledger.pool import Connection
from ledger.records import Deadlines, Priority, Severity, Site, WorkOrder
from ledger.work_order_list import WorkOrderFilter
from rules.response import deadlines, profile_of

router = APIRouter(tags=["work orders"])

_JOURNAL_SHOWN_MAX = 200


class WorkOrderQuery(Limit):
    site: Key | None = None
    facility: Key | None = None
    work_class: Key | None = None
    assignee: Word | None = None
    open: Annotated[bool | None, Field(description="neither closed nor cancelled")] = None
    state: tuple[WorkOrderState, ...] = ()
    priority: tuple[Priority, ...] = ()
    begin: Annotated[Moment | None, Field(alias="from", description="opened at or after")] = None
    end: Annotated[Moment | None, Field(alias="until", description="opened before")] = None


class Suspension(Answered):
    """The order waits and its clocks stand still."""

    since: datetime
    state: WorkOrderState = Field(description="where it will go on")
    why: str


class ClocksOut(Answered):
    """What was promised; null: this contract makes no such promise. What was missed is in the journal."""

    accept_by: datetime | None
    arrive_by: datetime | None
    plan_by: datetime | None
    restore_by: datetime | None


class WorkOrderOut(Answered):
    id: int
    facility: FacilityRef
    work_class: str
    title: Name
    severity: Severity | None = Field(description="of its worst alarm; null: opened by hand")
    priority: Priority
    state: WorkOrderState
    suspended: Suspension | None
    opened_at: datetime
    opened_by: str
    open_reason: Reason
    assignee: str | None
    clocks: ClocksOut
    accepted_at: datetime | None
    arrived_at: datetime | None
    planned_at: datetime | None
    resolved_at: datetime | None
    ended_at: datetime | None
    alarms: Sequence[int]
    legal_moves: Sequence[WorkOrderMove] = Field(description="what is possible now")


class WorkOrderPage(PageOf):
    """Newest first, by `opened_at`."""

    items: Sequence[WorkOrderOut]


class OrderPhotoOut(Answered):
    """The picture itself is at `pictures/{sha256}` of the order."""

    sha256: str
    stage: PhotoStage
    caption: str | None
    width: int = Field(description="the right way up")
    height: int
    added_at: datetime
    added_by: str


class UsedPart(Answered):
    id: int
    name: str
    model: str | None
    quantity: float
    unit: str
    added_at: datetime
    added_by: str
    struck_at: datetime | None = Field(description="written down by mistake: it does not count")
    struck_by: str | None


class SignatureOut(Answered):
    id: int
    sha256: str
    signer: str
    signed_at: datetime
    taken_by: str


class CallBackOut(Answered):
    id: int
    spoken_with: str
    rating: int
    words: str | None
    called_at: datetime
    called_by: str


class WorkOrderDetail(Answered):
    """With all that belongs to it, oldest first."""

    work_order: WorkOrderOut
    photos: Sequence[OrderPhotoOut]
    parts: Sequence[UsedPart]
    signatures: Sequence[SignatureOut]
    call_backs: Sequence[CallBackOut]
    hazard: HazardOut | None = Field(description="null: of nothing that a round found")
    journal: Sequence[WorkOrderEventOut] = Field(description="oldest first; of a very long one the newest entries")


class Title(Asked):
    zh: Word
    en: Annotated[Word | None, Field(description="null: as in Chinese")] = None


class OrderIn(Asked):
    """An order opened by hand. Its clocks are those of `event_class` in the site's contract."""

    site: Key
    facility: Key
    work_class: Annotated[Key, Field(description="which crew: `work_class` of the catalogue")]
    title: Title
    priority: Priority
    event_class: Annotated[Key | None, Field(description="null: the class of its priority")] = None
    note: Text | None = None


@router.get("/work-orders", summary="Work orders, newest first", responses=refusals(), dependencies=[needs(Right.READ)])
async def list_work_orders(query: Annotated[WorkOrderQuery, Query()], context: InContext) -> WorkOrderPage:
    wanted = WorkOrderFilter(
        site=query.site,
        facility=query.facility,
        work_class=query.work_class,
        assignee=query.assignee,
        is_open=query.open,
        states=query.state,
        priorities=query.priority,
        begin=query.begin,
        end=query.end,
    )
    before = paging.moment_and_id(query.after)
    async with context.transaction() as connection:
        rows = await work_order_list.page(connection, wanted, before=before, limit=query.limit + 1)
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each.opened_at, each.id))
    return WorkOrderPage(items=[work_order(each) for each in shown], next=cursor)


@router.get(
    "/work-orders/{order}",
    summary="One work order with its journal",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def get_work_order(order: Id, context: InContext) -> WorkOrderDetail:
    async with context.transaction() as connection:
        return await detail_of(connection, order)


@router.get(
    "/work-orders/{order}/journal",
    summary="All that happened to it, newest first",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def list_work_order_journal(order: Id, query: Annotated[Limit, Query()], context: InContext) -> WorkOrderJournal:
    before = paging.number(query.after)
    async with context.transaction() as connection:
        await work_orders.get(connection, order)
        rows = await journals.of_work_order(connection, order, before_seq=before, limit=query.limit + 1)
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each.seq,))
    return WorkOrderJournal(items=[work_order_event(each) for each in shown], next=cursor)


@router.post(
    "/work-orders",
    summary="Open an order by hand",
    status_code=201,
    response_model=WorkOrderDetail,
    responses=refusals(404),
    dependencies=[needs(Right.ASSIGN)],
)
async def open_work_order(asked: OrderIn, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> WorkOrderDetail:
        site = await facility_list.find_site(connection, asked.site)
        facility = await facility_list.find(connection, asked.site, asked.facility)
        order_id = await work_orders.open_order(
            connection,
            deed.act(asked.note, reason="by_hand"),
            site_id=site.id,
            facility_id=facility.id,
            work_class=_known_work_class(asked.work_class),
            title_zh=asked.title.zh,
            title_en=asked.title.en or asked.title.zh,
            severity=None,
            priority=asked.priority,
            deadlines=_deadlines(deed.context, site, asked, deed.now),
        )
        return await detail_of(connection, order_id)

    return await deed.do(act, status=201)


def _known_work_class(work_class: str) -> str:
    known = CATALOGUE.sections["work_class"]
    if work_class not in known:
        raise unacceptable("body.work_class", "no_work_class", known=listed(known))
    return work_class


def _deadlines(context: Context, site: Site, asked: OrderIn, now: datetime) -> Deadlines:
    event_class = asked.event_class or asked.priority.value
    known = profile_of(context.response, site).classes
    if event_class not in known:
        raise unacceptable("body.event_class", "contract_has_no_class", known=listed(known))
    return deadlines(context.response, site, event_class, now)


async def detail_of(connection: Connection, order_id: int) -> WorkOrderDetail:
    order = await work_orders.get(connection, order_id)
    newest = await journals.of_work_order(connection, order_id, limit=_JOURNAL_SHOWN_MAX)
    papers = await order_papers.of_order(connection, order_id)
    hazard = await hazard_of(connection, order_id)
    return WorkOrderDetail(
        work_order=_while_unconfirmed(work_order(order), hazard),
        photos=[OrderPhotoOut(**asdict(each)) for each in papers.photos],
        parts=[UsedPart(**asdict(each)) for each in papers.parts],
        signatures=[SignatureOut(**asdict(each)) for each in papers.signatures],
        call_backs=[CallBackOut(**asdict(each)) for each in papers.call_backs],
        hazard=hazard,
        journal=[work_order_event(each) for each in newest[::-1]],
    )


def _while_unconfirmed(order: WorkOrderOut, hazard: HazardOut | None) -> WorkOrderOut:
    """Closing is not possible before the fire safety manager's word."""
    if hazard is None or not hazard.wanted:
        return order
    return order.model_copy(
        update={"legal_moves": [each for each in order.legal_moves if each is not WorkOrderMove.CLOSE]}
    )


def work_order(order: WorkOrder) -> WorkOrderOut:
    suspended = None
    if order.suspended_at is not None and order.suspended_from is not None:
        suspended = Suspension(since=order.suspended_at, state=order.suspended_from, why=order.suspended_reason or "")
    return WorkOrderOut(
        id=order.id,
        facility=FacilityRef.of(order),
        work_class=order.work_class,
        title=Name(zh=order.title_zh, en=order.title_en),
        severity=order.severity,
        priority=order.priority,
        state=order.state,
        suspended=suspended,
        opened_at=order.opened_at,
        opened_by=order.opened_by,
        open_reason=CATALOGUE.reason("order_reason", order.open_reason),
        assignee=order.assignee,
        clocks=ClocksOut(
            accept_by=order.accept_by, arrive_by=order.arrive_by, plan_by=order.plan_by, restore_by=order.restore_by
        ),
        accepted_at=order.accepted_at,
        arrived_at=order.arrived_at,
        planned_at=order.planned_at,
        resolved_at=order.resolved_at,
        ended_at=order.ended_at,
        alarms=order.alarm_ids,
        legal_moves=legal_work_order_moves(order.state),
    )
