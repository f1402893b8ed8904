"""Alarms: the list, one with everything one asks about it, and what people do to it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api import paging, rulebook
from api.catalogue import CATALOGUE
from api.condition_moves import (
    Shelving,
    ShelvingOut,
    acknowledge_note_required,
    permit_acknowledging,
    permit_shelving,
    persons_moves,
    shelving_out,
)
from api.context import Context, InContext, needs
from api.deeds import Deed, DeedOf
from api.journal_shapes import ConditionEventOut, condition_event
from api.problems import refusals
from api.rights import Right
from api.rulebook import GuidanceOut
from api.shapes import (
    NOTHING_SAID,
    Answered,
    FacilityRef,
    Id,
    Key,
    Limit,
    Moment,
    Name,
    NoteIn,
    PageOf,
    Reason,
    Remark,
    Why,
)
from api.work_orders import WorkOrderOut, work_order
from ledger import alarm_list, alarm_moves, alarms, annunciation, condition_list, journals, work_order_list
from ledger.alarm_list import AlarmFilter
from ledger.lifecycle import ConditionMove, ConditionState, ShownState
from ledger.pool import Connection
from ledger.records import Alarm, Priority, Severity
from ledger.work_order_list import WorkOrderFilter

router = APIRouter(tags=["alarms"])


class AlarmQuery(Limit):
    site: Key | None = None
    facility: Key | None = None
    rule: Key | None = None
    open: Annotated[bool | None, Field(description="not yet ended")] = None
    state: tuple[ConditionState, ...] = ()
    shown: Annotated[tuple[ShownState, ...], Field(description="the state, or the strongest flag over it")] = ()
    severity: tuple[Severity, ...] = ()
    priority: tuple[Priority, ...] = ()
    begin: Annotated[Moment | None, Field(alias="from", description="raised at or after")] = None
    end: Annotated[Moment | None, Field(alias="until", description="raised before")] = None


class AlarmOut(Answered):
    """One occurrence of a condition. `began_at` and `returned_at` are device time, the others ours."""

    id: int
    version: int = Field(description="grows with every change: of two answers the larger one is newer")
    facility: FacilityRef
    kind: str = Field(description="of the facility")
    part: str | None
    condition: int
    rule: str
    title: Name
    by_calendar: bool = Field(
        description="raised because a day has come: not by anything measured, nor by the hour of a round"
    )
    severity: Severity
    priority: Priority
    priority_reason: Reason
    state: ConditionState
    shown: ShownState
    began_at: datetime
    raised_at: datetime
    rang_at: datetime | None
    returned_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    ended_at: datetime | None
    shelved_until: datetime | None
    occurrences: int
    late: bool
    historical: bool
    order_reason: Reason | None
    work_orders: Sequence[int]


class AlarmPage(PageOf):
    """Newest first, by `raised_at`."""

    items: Sequence[AlarmOut]


class NoteOut(Answered):
    text: str
    actor: str
    at: datetime


class AlarmDetail(Answered):
    """An alarm with why it is there, what to do, what happened, and what is possible now."""

    alarm: AlarmOut
    guidance: GuidanceOut | None = Field(description="null: the rule is no more")
    explanation: Mapping[str, object] = Field(
        description="rule, values, limits and delays at the moment of raising: why am I seeing this"
    )
    legal_moves: Sequence[ConditionMove] = Field(description="what a person can do now")
    shelving: ShelvingOut | None = Field(description="null: it may not be shelved")
    acknowledge_note_required: bool = Field(description="whoever acknowledges it says what is done about it")
    journal: Sequence[ConditionEventOut] = Field(description="of this alarm, oldest first")
    notes: Sequence[NoteOut]
    work_orders: Sequence[WorkOrderOut]


@router.get("/alarms", summary="Alarms, newest first", responses=refusals(), dependencies=[needs(Right.READ)])
async def list_alarms(query: Annotated[AlarmQuery, Query()], context: InContext) -> AlarmPage:
    wanted = AlarmFilter(
        site=query.site,
        facility=query.facility,
        rule=query.rule,
        is_open=query.open,
        states=query.state,
        shown=query.shown,
        severities=query.severity,
        priorities=query.priority,
        begin=query.begin,
        end=query.end,
    )
    before = paging.moment_and_id(query.after)
    async with context.transaction() as connection:
        rows = await alarm_list.page(connection, wanted, before=before, limit=query.limit + 1)
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each.raised_at, each.id))
    return AlarmPage(items=[alarm_out(context, each) for each in shown], next=cursor)


@router.get(
    "/alarms/{alarm}",
    summary="One alarm with everything one asks about it",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def get_alarm(alarm: Id, context: InContext) -> AlarmDetail:
    async with context.transaction() as connection:
        return await _detail(connection, context, alarm)


@router.post(
    "/alarms/{alarm}/acknowledge",
    summary="I have seen it. There is no way back",
    response_model=AlarmDetail,
    responses=refusals(404, 409),
    dependencies=[needs(Right.ACKNOWLEDGE)],
)
async def acknowledge_alarm(alarm: Id, deed: DeedOf, asked: Remark = NOTHING_SAID) -> Response:
    return await _move(deed, alarm, ConditionMove.ACKNOWLEDGE, asked.note)


@router.post(
    "/alarms/{alarm}/reset",
    summary="Release the latch of an acknowledged alarm whose process is normal",
    response_model=AlarmDetail,
    responses=refusals(404, 409),
    dependencies=[needs(Right.RESET)],
)
async def reset_alarm(alarm: Id, deed: DeedOf, asked: Remark = NOTHING_SAID) -> Response:
    return await _move(deed, alarm, ConditionMove.RESET, asked.note)


@router.post(
    "/alarms/{alarm}/shelve",
    summary="Silence its condition for a bounded time",
    response_model=AlarmDetail,
    responses=refusals(403, 404, 409),
    dependencies=[needs(Right.SHELVE)],
)
async def shelve_alarm(alarm: Id, asked: Shelving, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> AlarmDetail:
        found = await alarms.get(connection, alarm)
        permit_shelving(deed.context, deed.now, found.severity, found.grade, asked)
        step, cause = ConditionMove.SHELVE, deed.cause(asked.note)
        await alarm_moves.move(connection, alarm, step, cause, shelve_until=asked.until, one_shot=asked.one_shot)
        return await _detail(connection, deed.context, alarm)

    return await deed.do(act)


@router.post(
    "/alarms/{alarm}/unshelve",
    summary="End the shelving before its time: comes back acknowledged",
    response_model=AlarmDetail,
    responses=refusals(404, 409),
    dependencies=[needs(Right.SHELVE)],
)
async def unshelve_alarm(alarm: Id, deed: DeedOf, asked: Remark = NOTHING_SAID) -> Response:
    return await _move(deed, alarm, ConditionMove.UNSHELVE, asked.note)


@router.post(
    "/alarms/{alarm}/remove-from-service",
    summary="Take its condition out of service for maintenance, until somebody returns it",
    response_model=AlarmDetail,
    responses=refusals(404, 409),
    dependencies=[needs(Right.OUT_OF_SERVICE)],
)
async def remove_alarm_from_service(alarm: Id, asked: Why, deed: DeedOf) -> Response:
    return await _move(deed, alarm, ConditionMove.REMOVE_FROM_SERVICE, asked.note)


@router.post(
    "/alarms/{alarm}/return-to-service",
    summary="Put its condition back into service",
    response_model=AlarmDetail,
    responses=refusals(404, 409),
    dependencies=[needs(Right.OUT_OF_SERVICE)],
)
async def return_alarm_to_service(alarm: Id, deed: DeedOf, asked: Remark = NOTHING_SAID) -> Response:
    return await _move(deed, alarm, ConditionMove.RETURN_TO_SERVICE, asked.note)


@router.post(
    "/alarms/{alarm}/notes",
    summary="Write something to its history",
    status_code=201,
    response_model=AlarmDetail,
    responses=refusals(404),
    dependencies=[needs(Right.COMMENT)],
)
async def note_alarm(alarm: Id, asked: NoteIn, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> AlarmDetail:
        await annunciation.note(connection, alarm, text=asked.text, actor=deed.actor, now=deed.now)
        return await _detail(connection, deed.context, alarm)

    return await deed.do(act, status=201)


async def _move(deed: Deed, alarm_id: int, step: ConditionMove, note: str | None) -> Response:
    async def act(connection: Connection) -> AlarmDetail:
        found = await alarms.get(connection, alarm_id)
        if step is ConditionMove.ACKNOWLEDGE:
            permit_acknowledging(deed.context, found.severity, found.grade, note)
        realarm_after = rulebook.realarm_after(deed.context.packs, found.facility_kind, found.rule_key)
        await alarm_moves.move(connection, alarm_id, step, deed.cause(note), realarm_after=realarm_after)
        return await _detail(connection, deed.context, alarm_id)

    return await deed.do(act)


async def _detail(connection: Connection, context: Context, alarm_id: int) -> AlarmDetail:
    alarm = await alarms.get(connection, alarm_id)
    condition = await condition_list.get(connection, alarm.condition_id)
    rule = rulebook.rule_of(context.packs, alarm.facility_kind, alarm.rule_key)
    orders = await work_order_list.page(connection, WorkOrderFilter(alarm_id=alarm_id))
    return AlarmDetail(
        alarm=alarm_out(context, alarm),
        guidance=None if rule is None else rulebook.guidance_of(rule),
        explanation=alarm.explanation,
        legal_moves=persons_moves(condition) if alarm.ended_at is None else (),
        shelving=shelving_out(context, alarm.severity, alarm.grade),
        acknowledge_note_required=acknowledge_note_required(context, alarm.severity, alarm.grade),
        journal=[condition_event(each) for each in await journals.of_alarm(connection, alarm_id)],
        notes=[
            NoteOut(text=each.text, actor=each.actor, at=each.at) for each in await journals.notes(connection, alarm_id)
        ],
        work_orders=[work_order(each) for each in orders],
    )


def alarm_out(context: Context, alarm: Alarm) -> AlarmOut:
    reason = CATALOGUE.reason
    return AlarmOut(
        id=alarm.id,
        version=alarm.version,
        facility=FacilityRef.of(alarm),
        kind=alarm.facility_kind,
        part=alarm.part_key,
        condition=alarm.condition_id,
        rule=alarm.rule_key,
        title=rulebook.title_of(context.packs, alarm.facility_kind, alarm.rule_key),
        by_calendar=rulebook.is_by_calendar(context.packs, alarm.facility_kind, alarm.rule_key),
        severity=alarm.severity,
        priority=alarm.priority,
        priority_reason=reason("priority_reason", alarm.priority_reason),
        state=alarm.state,
        shown=alarm.shown,
        began_at=alarm.began_at,
        raised_at=alarm.raised_at,
        rang_at=alarm.rang_at,
        returned_at=alarm.returned_at,
        acknowledged_at=alarm.acknowledged_at,
        acknowledged_by=alarm.acknowledged_by,
        ended_at=alarm.ended_at,
        shelved_until=alarm.shelved_until,
        occurrences=alarm.occurrences,
        late=alarm.late,
        historical=alarm.historical,
        order_reason=None if alarm.order_reason is None else reason("order_reason", alarm.order_reason),
        work_orders=alarm.work_order_ids,
    )
