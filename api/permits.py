"""Work permits: who works or tests where, why, until when, and which rules are silent meanwhile."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api import paging, rulebook
from api.context import Context, InContext
from api.deeds import DeedOf
from api.problems import ProblemField, Unacceptable, refusals
from api.shapes import Answered, Asked, Id, Key, Limit, Moment, Name, PageOf, Text, Word
from ledger import facilities, facility_list, permit_list, permits
from ledger.errors import NotFound
from ledger.permit_list import PermitEntry, PermitFilter
from ledger.pool import Connection
from ledger.records import Facility, Part, PermitKind
from rules.binding import conditions_for

router = APIRouter(tags=["work permits"])


class PermitQuery(Limit):
    site: Key | None = None
    facility: Key | None = None
    standing: Annotated[bool | None, Field(description="not ended; one that has not begun is standing, too")] = None


class SilencedRule(Answered):
    key: str
    title: Name


class PermitOut(Answered):
    id: int
    site: str
    facility: str
    part: str | None = Field(description="null: the whole facility")
    kind: PermitKind
    rules: Sequence[SilencedRule]
    holder: str
    reason: str
    valid_from: datetime
    valid_until: datetime
    issued_by: str
    issued_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    state: Literal["ahead", "standing", "handed_back", "overrun"]


class PermitPage(PageOf):
    """Newest first."""

    items: Sequence[PermitOut]


class PermitIn(Asked):
    """Bounded: at most seven days. Rules it does not name go on as ever."""

    site: Key
    facility: Key
    part: Annotated[Key | None, Field(description="null: the whole facility")] = None
    kind: PermitKind
    rules: Annotated[tuple[Key, ...], Field(min_length=1, max_length=permits.RULES_MAX)]
    holder: Annotated[Word, Field(description="who works or tests")]
    reason: Text
    begin: Annotated[Moment | None, Field(alias="from", description="null: now")] = None
    end: Annotated[Moment, Field(alias="until")]


@router.get("/permits", summary="Work permits, newest first", responses=refusals())
async def list_permits(query: Annotated[PermitQuery, Query()], context: InContext) -> PermitPage:
    wanted = PermitFilter(query.site, query.facility, query.standing)
    before = paging.number(query.after)
    async with context.transaction() as connection:
        rows = await permit_list.page(connection, wanted, before_id=before, limit=query.limit + 1)
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each.permit.id,))
    return PermitPage(items=[_permit(context, each) for each in shown], next=cursor)


@router.get("/permits/{permit}", summary="One work permit", responses=refusals(404))
async def get_permit(permit: Id, context: InContext) -> PermitOut:
    async with context.transaction() as connection:
        return _permit(context, await permit_list.get(connection, permit))


@router.post(
    "/permits",
    summary="Issue a work permit",
    status_code=201,
    response_model=PermitOut,
    responses=refusals(404),
)
async def issue_permit(asked: PermitIn, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> PermitOut:
        facility = await facility_list.find(connection, asked.site, asked.facility)
        part = None if asked.part is None else await _part(connection, facility, asked.part)
        await _check_rules(connection, deed.context, facility, part, asked.rules)
        request = permits.Request(
            facility_id=facility.id,
            part_id=None if part is None else part.id,
            kind=asked.kind,
            rules=asked.rules,
            holder=asked.holder,
            reason=asked.reason,
            valid_from=asked.begin or deed.now,
            valid_until=asked.end,
        )
        issued = await permits.issue(connection, request, issued_by=deed.actor, now=deed.now)
        return _permit(deed.context, await permit_list.get(connection, issued.id))

    return await deed.do(act, status=201)


@router.post(
    "/permits/{permit}/hand-back",
    summary="The work is done and the rules count again",
    response_model=PermitOut,
    responses=refusals(404, 409),
)
async def hand_back_permit(permit: Id, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> PermitOut:
        await permits.hand_back(connection, permit, actor=deed.actor, now=deed.now)
        return _permit(deed.context, await permit_list.get(connection, permit))

    return await deed.do(act)


async def _part(connection: Connection, facility: Facility, key: str) -> Part:
    for part in await facilities.parts(connection, facility.id):
        if part.key == key:
            return part
    raise NotFound("part", f"{facility.key}/{key}")


async def _check_rules(
    connection: Connection, context: Context, facility: Facility, part: Part | None, rules: Sequence[str]
) -> None:
    """Every rule named holds there, or the permit would promise a silence that nobody keeps."""
    configuration = await facilities.configuration(connection, facility.site_id)
    there = {
        each.rule_key
        for each in conditions_for(configuration, context.packs)
        if each.facility_id == facility.id and (part is None or each.part_id in (None, part.id))
    }
    unknown = [
        ProblemField(field=f"body.rules.{place}", message=f"no rule {rule!r} holds at {facility.key}")
        for place, rule in enumerate(rules)
        if rule not in there
    ]
    if unknown:
        raise Unacceptable("; ".join(each.message for each in unknown[:5]), unknown)


def _permit(context: Context, entry: PermitEntry) -> PermitOut:
    permit = entry.permit
    state: Literal["ahead", "standing", "handed_back", "overrun"] = "standing"
    if permit.ended_at is not None:
        state = "overrun" if permit.overrun else "handed_back"
    elif context.clock() < permit.valid_from:
        state = "ahead"
    return PermitOut(
        id=permit.id,
        site=entry.site_key,
        facility=entry.facility_key,
        part=entry.part_key,
        kind=permit.kind,
        rules=[
            SilencedRule(key=rule, title=rulebook.title_of(context.packs, entry.facility_kind, rule))
            for rule in permit.rules
        ],
        holder=permit.holder,
        reason=permit.reason,
        valid_from=permit.valid_from,
        valid_until=permit.valid_until,
        issued_by=permit.issued_by,
        issued_at=permit.issued_at,
        ended_at=permit.ended_at,
        ended_by=permit.ended_by,
        state=state,
    )
