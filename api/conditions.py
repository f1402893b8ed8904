"""Conditions: every rule that watches something, in which state, with its whole journal; and its flags, alarm or not."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api import paging, rulebook
from api.condition_moves import (
    Shelving,
    ShelvingOut,
    permit_shelving,
    persons_moves,
    shelving_out,
)
from api.context import Context, InContext, needs
from api.deeds import Deed, DeedOf
from api.journal_shapes import ConditionJournal, condition_event
from api.problems import refusals
from api.rights import Right
from api.shapes import NOTHING_SAID, Answered, FacilityRef, Id, Key, Limit, Name, PageOf, Remark, Why
from ledger import alarm_moves, condition_list, journals
from ledger.condition_list import ConditionEntry, ConditionFilter
from ledger.lifecycle import ConditionMove, ConditionState, ShownState
from ledger.pool import Connection
from ledger.records import Severity

router = APIRouter(tags=["conditions"])


class ConditionQuery(Limit):
    site: Key | None = None
    facility: Key | None = None
    rule: Key | None = None
    state: tuple[ConditionState, ...] = ()
    flagged: Annotated[bool | None, Field(description="out of service, suppressed or shelved")] = None


class ConditionOut(Answered):
    """One rule at one facility and part, for ever."""

    id: int
    facility: FacilityRef
    kind: str = Field(description="of the facility")
    part: str | None
    rule: str
    title: Name
    severity: Severity
    state: ConditionState
    state_since: datetime | None
    shown: ShownState
    suppressed: bool
    out_of_service: bool
    out_of_service_reason: str | None
    shelved_until: datetime | None
    shelved_by: str | None
    shelved_one_shot: bool
    alarm: int | None = Field(description="the one that stands now")
    legal_moves: Sequence[ConditionMove] = Field(description="what a person can do now")
    shelving: ShelvingOut | None = Field(description="null: it may not be shelved")


class ConditionPage(PageOf):
    items: Sequence[ConditionOut]


@router.get("/conditions", summary="Conditions, in order of id", responses=refusals(), dependencies=[needs(Right.READ)])
async def list_conditions(query: Annotated[ConditionQuery, Query()], context: InContext) -> ConditionPage:
    wanted = ConditionFilter(query.site, query.facility, query.rule, query.state, query.flagged)
    after = paging.number(query.after) or 0
    async with context.transaction() as connection:
        rows = await condition_list.page(connection, wanted, after_id=after, limit=query.limit + 1)
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each.id,))
    return ConditionPage(items=[_condition(context, each) for each in shown], next=cursor)


@router.get(
    "/conditions/{condition}", summary="One condition", responses=refusals(404), dependencies=[needs(Right.READ)]
)
async def get_condition(condition: Id, context: InContext) -> ConditionOut:
    async with context.transaction() as connection:
        return _condition(context, await condition_list.get(connection, condition))


@router.get(
    "/conditions/{condition}/journal",
    summary="Its moves, newest first",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def list_condition_journal(
    condition: Id, query: Annotated[Limit, Query()], context: InContext
) -> ConditionJournal:
    before = paging.number(query.after)
    async with context.transaction() as connection:
        await condition_list.get(connection, condition)
        rows = await journals.of_condition(connection, condition, before_seq=before, limit=query.limit + 1)
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each.seq,))
    return ConditionJournal(items=[condition_event(each) for each in shown], next=cursor)


@router.post(
    "/conditions/{condition}/shelve",
    summary="Silence it for a bounded time",
    response_model=ConditionOut,
    responses=refusals(403, 404, 409),
    dependencies=[needs(Right.SHELVE)],
)
async def shelve_condition(condition: Id, asked: Shelving, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> ConditionOut:
        found = await condition_list.get(connection, condition)
        permit_shelving(deed.context, deed.now, found.severity, found.grade, asked)
        step, cause = ConditionMove.SHELVE, deed.cause(asked.note)
        await alarm_moves.move_condition(
            connection, condition, step, cause, shelve_until=asked.until, one_shot=asked.one_shot
        )
        return _condition(deed.context, await condition_list.get(connection, condition))

    return await deed.do(act)


@router.post(
    "/conditions/{condition}/unshelve",
    summary="End the shelving before its time: comes back acknowledged",
    response_model=ConditionOut,
    responses=refusals(404, 409),
    dependencies=[needs(Right.SHELVE)],
)
async def unshelve_condition(condition: Id, deed: DeedOf, asked: Remark = NOTHING_SAID) -> Response:
    return await _move(deed, condition, ConditionMove.UNSHELVE, asked.note)


@router.post(
    "/conditions/{condition}/remove-from-service",
    summary="Take it out of service for maintenance, until somebody returns it",
    response_model=ConditionOut,
    responses=refusals(404, 409),
    dependencies=[needs(Right.OUT_OF_SERVICE)],
)
async def remove_condition_from_service(condition: Id, asked: Why, deed: DeedOf) -> Response:
    return await _move(deed, condition, ConditionMove.REMOVE_FROM_SERVICE, asked.note)


@router.post(
    "/conditions/{condition}/return-to-service",
    summary="Put it back into service",
    response_model=ConditionOut,
    responses=refusals(404, 409),
    dependencies=[needs(Right.OUT_OF_SERVICE)],
)
async def return_condition_to_service(condition: Id, deed: DeedOf, asked: Remark = NOTHING_SAID) -> Response:
    return await _move(deed, condition, ConditionMove.RETURN_TO_SERVICE, asked.note)


async def _move(deed: Deed, condition_id: int, step: ConditionMove, note: str | None) -> Response:
    async def act(connection: Connection) -> ConditionOut:
        found = await condition_list.get(connection, condition_id)
        await alarm_moves.move_condition(
            connection,
            condition_id,
            step,
            deed.cause(note),
            realarm_after=rulebook.realarm_after(deed.context.packs, found.facility_kind, found.rule_key),
        )
        return _condition(deed.context, await condition_list.get(connection, condition_id))

    return await deed.do(act)


def _condition(context: Context, found: ConditionEntry) -> ConditionOut:
    return ConditionOut(
        id=found.id,
        facility=FacilityRef.of(found),
        kind=found.facility_kind,
        part=found.part_key,
        rule=found.rule_key,
        title=rulebook.title_of(context.packs, found.facility_kind, found.rule_key),
        severity=found.severity,
        state=found.state,
        state_since=found.state_since,
        shown=found.shown,
        suppressed=found.suppressed,
        out_of_service=found.out_of_service,
        out_of_service_reason=found.out_of_service_reason,
        shelved_until=found.shelved_until,
        shelved_by=found.shelved_by,
        shelved_one_shot=found.shelved_one_shot,
        alarm=found.alarm_id,
        legal_moves=persons_moves(found),
        shelving=shelving_out(context, found.severity, found.grade),
    )
