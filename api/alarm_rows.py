"""Alarms as a list shows them: each with the value and limit it rests on, its orders and clock, and what can be done now.

One request for everything in sight. What an alarm is, is in `alarms`; this is the same beside what people look at first.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api import paging
from api.alarms import AlarmOut, alarm_out
from api.condition_moves import ShelvingOut, acknowledge_note_required, persons_moves, shelving_out
from api.context import Context, InContext, needs
from api.facilities import QUALITY_KEYS, shown_value
from api.problems import refusals
from api.rights import Right
from api.shapes import Answered, Asked, Id, Key, Limit, Name, PageOf
from ledger import alarm_grounds, alarm_list, condition_list
from ledger.alarm_grounds import Area, DealtWith, PointNow, Slot
from ledger.alarm_list import AlarmFilter
from ledger.condition_list import ConditionEntry
from ledger.lifecycle import ConditionMove, ShownState, WorkOrderClock, WorkOrderState
from ledger.pool import Connection
from ledger.records import Alarm, PointKind
from rules.grounds import Comparison, Ground, ground

router = APIRouter(tags=["alarms"])

IDS_MAX = 100
TRENDS_MAX = 40
_DAY = timedelta(days=1)
_SLOT = timedelta(minutes=30)


class RowQuery(Limit):
    id: Annotated[tuple[Id, ...], Field(max_length=IDS_MAX, description="only these, ended ones as well")] = ()
    site: Key | None = None
    shown: Annotated[tuple[ShownState, ...], Field(description="the state, or the strongest flag over it")] = ()


class GroundOut(Answered):
    """The point an alarm rests on first of all."""

    point: str
    name: Name
    kind: PointKind
    unit: str
    comparison: Comparison | None = Field(description="between the value and the limit; null: no limit fits beside it")
    limit: float | bool | str | None
    raised_with: float | bool | str | None = Field(description="its value when the alarm was raised")


class ClockDue(Answered):
    """The clock of an order that runs out next."""

    clock: WorkOrderClock
    at: datetime


class RowOrder(Answered):
    id: int
    state: WorkOrderState
    assignee: str | None
    due: ClockDue | None = Field(description="null: it waits, or everything that was promised is met")


class AreaOut(Answered):
    key: str
    name: Name


class AlarmRow(Answered):
    alarm: AlarmOut
    area: AreaOut = Field(description="where its facility stands")
    ground: GroundOut | None = Field(description="null: its rule looks at no point of this facility")
    orders: Sequence[RowOrder]
    legal_moves: Sequence[ConditionMove] = Field(description="what a person can do now")
    shelving: ShelvingOut | None = Field(description="null: it may not be shelved")
    acknowledge_note_required: bool = Field(description="whoever acknowledges it says what is done about it")
    shelved_by: str | None
    out_of_service_reason: str | None


class AlarmRowPage(PageOf):
    """Newest first, by `raised_at`."""

    items: Sequence[AlarmRow]


class TrendQuery(Asked):
    id: Annotated[tuple[Id, ...], Field(min_length=1, max_length=TRENDS_MAX, description="alarms")]


class SlotOut(Answered):
    ts: datetime = Field(description="its first moment")
    min: float
    max: float
    last: float


class TrendOut(Answered):
    """The last 24 hours of the point an alarm rests on, in spans of half an hour; spans without readings are left out."""

    alarm: int
    point: str
    limit: float | None = Field(description="as a number, also of what is on or off")
    value: float | bool | str | None = Field(
        description="the last one; null: the sensor says it is broken, or nothing yet"
    )
    ts: datetime | None = Field(description="when, in device time")
    quality: str | None
    slots: Sequence[SlotOut]


class TrendsOut(Answered):
    """Alarms that rest on no point, or are out of scope, are left out."""

    begin: datetime
    end: datetime
    slot_s: float
    items: Sequence[TrendOut]


@router.get(
    "/alarm-rows",
    summary="Open alarms as a list shows them, newest first",
    responses=refusals(),
    dependencies=[needs(Right.READ)],
)
async def list_alarm_rows(query: Annotated[RowQuery, Query()], context: InContext) -> AlarmRowPage:
    before = paging.moment_and_id(query.after)
    wanted = AlarmFilter(ids=query.id, site=query.site, shown=query.shown, is_open=None if query.id else True)
    async with context.transaction() as connection:
        found = await alarm_list.page(connection, wanted, before=before, limit=query.limit + 1)
        shown, cursor = paging.cut(found, query.limit, lambda each: (each.raised_at, each.id))
        rows = await _rows(connection, context, shown)
    return AlarmRowPage(items=rows, next=cursor)


@router.get(
    "/alarm-trends",
    summary="The last day of the points alarms rest on",
    responses=refusals(),
    dependencies=[needs(Right.READ)],
)
async def list_alarm_trends(query: Annotated[TrendQuery, Query()], context: InContext) -> TrendsOut:
    end = context.clock()
    begin = end - _DAY
    async with context.transaction() as connection:
        found = await alarm_list.page(connection, AlarmFilter(ids=query.id), limit=len(query.id))
        places = await _grounds(connection, found)
        ids = sorted({point.id for _, point in places.values()})
        days = await alarm_grounds.slots(connection, ids, begin, end, width=_SLOT)
    return TrendsOut(
        begin=begin,
        end=end,
        slot_s=_SLOT.total_seconds(),
        items=[_trend(alarm, *found, days[found[1].id]) for alarm, found in places.items()],
    )


async def _rows(connection: Connection, context: Context, alarms: Sequence[Alarm]) -> list[AlarmRow]:
    places = await _grounds(connection, alarms)
    orders = await alarm_grounds.orders(connection, [each.id for each in alarms])
    conditions = await condition_list.by_ids(connection, [each.condition_id for each in alarms])
    areas = await alarm_grounds.areas(connection, [each.facility_id for each in alarms])
    return [
        _row(
            context, each, conditions[each.condition_id], areas[each.facility_id], places.get(each.id), orders[each.id]
        )
        for each in alarms
    ]


async def _grounds(connection: Connection, alarms: Sequence[Alarm]) -> Mapping[int, tuple[Ground, PointNow]]:
    """By alarm; one that rests on no point of its facility is left out."""
    grounds = {each.id: (each.facility_id, ground(each.explanation)) for each in alarms}
    named = {alarm: (facility, found) for alarm, (facility, found) in grounds.items() if found is not None}
    wanted = sorted({(facility, found.point) for facility, found in named.values()})
    points = await alarm_grounds.points(connection, wanted)
    return {
        alarm: (found, points[facility, found.point])
        for alarm, (facility, found) in named.items()
        if (facility, found.point) in points
    }


def _row(
    context: Context,
    alarm: Alarm,
    condition: ConditionEntry,
    area: Area,
    place: tuple[Ground, PointNow] | None,
    orders: Sequence[DealtWith],
) -> AlarmRow:
    stands = alarm.ended_at is None
    return AlarmRow(
        alarm=alarm_out(context, alarm),
        area=AreaOut(key=area.key, name=Name(zh=area.name_zh, en=area.name_en)),
        ground=None if place is None else _ground(alarm, *place),
        orders=[RowOrder(id=each.id, state=each.state, assignee=each.assignee, due=next_due(each)) for each in orders],
        legal_moves=persons_moves(condition) if stands else (),
        shelving=shelving_out(context, alarm.severity, alarm.grade),
        acknowledge_note_required=acknowledge_note_required(context, alarm.severity, alarm.grade),
        shelved_by=condition.shelved_by if stands else None,
        out_of_service_reason=condition.out_of_service_reason if stands else None,
    )


def _ground(alarm: Alarm, rests_on: Ground, point: PointNow) -> GroundOut:
    values = alarm.explanation.get("values")
    raised_with: object = values.get(rests_on.point) if isinstance(values, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return GroundOut(
        point=point.key,
        name=Name(zh=point.name_zh, en=point.name_en),
        kind=point.kind,
        unit=point.unit,
        comparison=rests_on.comparison,
        limit=None if rests_on.limit is None else shown_value(point.kind, point.labels, rests_on.limit, None),
        raised_with=raised_with if isinstance(raised_with, bool | int | float | str) else None,
    )


def _trend(alarm: int, rests_on: Ground, point: PointNow, day: Sequence[Slot]) -> TrendOut:
    return TrendOut(
        alarm=alarm,
        point=point.key,
        limit=rests_on.limit,
        value=shown_value(point.kind, point.labels, point.value, point.quality),
        ts=point.ts,
        quality=None if point.quality is None else QUALITY_KEYS[point.quality],
        slots=[SlotOut(ts=each.ts, min=each.minimum, max=each.maximum, last=each.last) for each in day],
    )


def next_due(order: DealtWith) -> ClockDue | None:
    """Of the promises that are not met, the one that runs out first; a suspended order's clocks stand still."""
    if order.state is WorkOrderState.SUSPENDED or order.resolved_at is not None:
        return None
    deadlines = order.deadlines
    running = (
        (WorkOrderClock.ACCEPT_BY, deadlines.accept_by, order.accepted_at),
        (WorkOrderClock.ARRIVE_BY, deadlines.arrive_by, order.arrived_at),
        (WorkOrderClock.PLAN_BY, deadlines.plan_by, order.planned_at),
        (WorkOrderClock.RESTORE_BY, deadlines.restore_by, order.resolved_at),
    )
    due = [(at, clock) for clock, at, met_at in running if at is not None and met_at is None]
    if not due:
        return None
    at, clock = min(due)
    return ClockDue(clock=clock, at=at)
