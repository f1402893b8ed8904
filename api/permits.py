"""Work permits: who works or tests where, why, until when, and which rules are silent meanwhile."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api import paging, rulebook
from api.context import Context, InContext, needs
from api.deeds import DeedOf
from api.permit_terms import Wish, check_end, grant
from api.problems import refusals
from api.rights import Right
from api.shapes import Answered, Asked, Id, Key, Limit, Moment, Name, PageOf, Text, Word
from ledger import facilities, facility_list, permit_list, permits
from ledger.errors import NotFound
from ledger.permit_list import PermitEntry, PermitFilter
from ledger.permits import WorkPermit
from ledger.pool import Connection
from ledger.records import Facility, Part, PermitKind
from rules.binding import conditions_for
from rules.model import Rule

router = APIRouter(tags=["work permits"])


class PermitQuery(Limit):
    site: Key | None = None
    facility: Key | None = None
    standing: Annotated[bool | None, Field(description="not ended; one that has not begun is standing, too")] = None
    unsettled: Annotated[bool | None, Field(description="overrun, and nobody has said that the work is over")] = None


class SilencedRule(Answered):
    key: str
    title: Name


class WorkRef(Answered):
    key: str
    title: Name


class AnswerOut(Answered):
    """What was said before the permit was issued, because its kind of work asks for it."""

    key: str
    title: Name
    text: str


class PermitOut(Answered):
    id: int
    site: str
    facility: str
    facility_name: Name
    part: str | None = Field(description="null: the whole facility")
    part_name: Name | None
    work: WorkRef | None = Field(description="the kind of work; null: named by its rules alone")
    kind: PermitKind
    rules: Sequence[SilencedRule]
    holder: str
    reason: str
    answers: Sequence[AnswerOut]
    extends: int | None = Field(description="the permit whose work goes on under this one")
    valid_from: datetime
    valid_until: datetime
    issued_by: str
    issued_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    settled_at: datetime | None = Field(description="overrun: when a person said that the work is over, or went on")
    settled_by: str | None
    state: Literal["ahead", "standing", "handed_back", "overrun", "settled"]


class PermitPage(PageOf):
    """Newest first."""

    items: Sequence[PermitOut]


class PermitIn(Asked):
    """Bounded: at most seven days. Rules it does not name go on as ever.

    With `work` the kind of permit, its rules and its end are those of that kind of work, unless said otherwise: fewer
    rules, another end. Without it `kind`, `rules` and `until` are needed.
    """

    site: Key
    facility: Key
    part: Annotated[Key | None, Field(description="null: the whole facility")] = None
    work: Annotated[Key | None, Field(description="`key` of `/work-kinds`")] = None
    kind: PermitKind | None = None
    rules: Annotated[tuple[Key, ...] | None, Field(min_length=1, max_length=permits.RULES_MAX)] = None
    answers: Annotated[dict[Key, Text], Field(max_length=20, description="what the kind of work asks for")] = Field(
        default_factory=dict[str, str]
    )
    holder: Annotated[Word, Field(description="who works or tests")]
    reason: Text
    begin: Annotated[Moment | None, Field(alias="from", description="null: now")] = None
    end: Annotated[Moment | None, Field(alias="until", description="null: as long as the kind of work lasts")] = None


class HandBack(Asked):
    note: Text | None = None


class Extension(Asked):
    reason: Text
    end: Annotated[Moment, Field(alias="until")]


NOTHING_SAID = HandBack()


@router.get("/permits", summary="Work permits, newest first", responses=refusals(), dependencies=[needs(Right.READ)])
async def list_permits(query: Annotated[PermitQuery, Query()], context: InContext) -> PermitPage:
    wanted = PermitFilter(query.site, query.facility, query.standing, query.unsettled)
    before = paging.number(query.after)
    async with context.transaction() as connection:
        rows = await permit_list.page(connection, wanted, before_id=before, limit=query.limit + 1)
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each.permit.id,))
    return PermitPage(items=[_permit(context, each) for each in shown], next=cursor)


@router.get("/permits/{permit}", summary="One work permit", responses=refusals(404), dependencies=[needs(Right.READ)])
async def get_permit(permit: Id, context: InContext) -> PermitOut:
    async with context.transaction() as connection:
        return _permit(context, await permit_list.get(connection, permit))


@router.post(
    "/permits",
    summary="Issue a work permit",
    status_code=201,
    response_model=PermitOut,
    responses=refusals(404),
    dependencies=[needs(Right.PERMIT)],
)
async def issue_permit(asked: PermitIn, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> PermitOut:
        facility = await facility_list.find(connection, asked.site, asked.facility)
        part = None if asked.part is None else await _part(connection, facility, asked.part)
        begin = asked.begin or deed.now
        there = await _rules_there(connection, deed.context, facility, part)
        wish = Wish(asked.work, asked.kind, asked.rules, asked.answers, begin, asked.end)
        granted = grant(deed.context.works, wish, facility, there, at_a_part=part is not None)
        request = permits.Request(
            facility_id=facility.id,
            part_id=None if part is None else part.id,
            work=asked.work,
            kind=granted.kind,
            rules=granted.rules,
            holder=asked.holder,
            reason=asked.reason,
            answers=asked.answers,
            valid_from=begin,
            valid_until=granted.until,
        )
        issued = await permits.issue(connection, request, issued_by=deed.actor, now=deed.now)
        return _permit(deed.context, await permit_list.get(connection, issued.id))

    return await deed.do(act, status=201)


@router.post(
    "/permits/{permit}/hand-back",
    summary="The work is done and the rules count again; of an overrun permit: it is over after all",
    response_model=PermitOut,
    responses=refusals(404, 409),
    dependencies=[needs(Right.PERMIT)],
)
async def hand_back_permit(permit: Id, deed: DeedOf, asked: HandBack = NOTHING_SAID) -> Response:
    async def act(connection: Connection) -> PermitOut:
        await permits.hand_back(connection, permit, actor=deed.actor, now=deed.now, note=asked.note)
        return _permit(deed.context, await permit_list.get(connection, permit))

    return await deed.do(act)


@router.post(
    "/permits/{permit}/extend",
    summary="The same work goes on under a new permit, from now; one that has not begun keeps its begin",
    status_code=201,
    response_model=PermitOut,
    responses=refusals(404, 409),
    dependencies=[needs(Right.PERMIT)],
)
async def extend_permit(permit: Id, asked: Extension, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> PermitOut:
        before = await permits.get(connection, permit)
        facility = await facilities.facility(connection, before.facility_id)
        work = None if before.work is None else deed.context.works.works.get(before.work)
        begin = max(deed.now, before.valid_from)
        check_end(work, begin, asked.end)
        request = permits.Request(
            facility_id=facility.id,
            part_id=before.part_id,
            work=before.work,
            kind=before.kind,
            rules=before.rules,
            holder=before.holder,
            reason=asked.reason,
            answers=before.answers,
            extends_id=permit,
            valid_from=begin,
            valid_until=asked.end,
            lasts_in_all=permits.DURATION_MAX if work is None else work.lasts_in_all,
        )
        issued = await permits.issue(connection, request, issued_by=deed.actor, now=deed.now)
        return _permit(deed.context, await permit_list.get(connection, issued.id))

    return await deed.do(act, status=201)


async def _part(connection: Connection, facility: Facility, key: str) -> Part:
    for part in await facilities.parts(connection, facility.id):
        if part.key == key:
            return part
    raise NotFound("part", f"{facility.key}/{key}")


async def _rules_there(
    connection: Connection, context: Context, facility: Facility, part: Part | None
) -> Mapping[str, Rule]:
    """The rules that hold at the facility and its parts, or at the one part: a permit for a part leaves the rules of
    the whole alone.
    """
    configuration = await facilities.configuration(connection, facility.site_id)
    keys = {
        each.rule_key
        for each in conditions_for(configuration, context.packs)
        if each.facility_id == facility.id and (part is None or each.part_id == part.id)
    }
    found = {key: rulebook.rule_of(context.packs, facility.kind, key) for key in keys}
    return {key: rule for key, rule in found.items() if rule is not None}


def _permit(context: Context, entry: PermitEntry) -> PermitOut:
    permit = entry.permit
    questions = context.works.asks
    return PermitOut(
        id=permit.id,
        site=entry.site_key,
        facility=entry.facility_key,
        facility_name=Name(zh=entry.facility_name_zh, en=entry.facility_name_en),
        part=entry.part_key,
        part_name=_part_name(entry),
        work=None if permit.work is None else _work(context, permit.work),
        kind=permit.kind,
        rules=[
            SilencedRule(key=rule, title=rulebook.title_of(context.packs, entry.facility_kind, rule))
            for rule in permit.rules
        ],
        holder=permit.holder,
        reason=permit.reason,
        answers=[
            AnswerOut(
                key=key, title=rulebook.named(questions[key]) if key in questions else Name(zh=key, en=key), text=text
            )
            for key, text in permit.answers.items()
        ],
        extends=permit.extends_id,
        valid_from=permit.valid_from,
        valid_until=permit.valid_until,
        issued_by=permit.issued_by,
        issued_at=permit.issued_at,
        ended_at=permit.ended_at,
        ended_by=permit.ended_by,
        settled_at=permit.settled_at,
        settled_by=permit.settled_by,
        state=_state(permit, context.clock()),
    )


def _part_name(entry: PermitEntry) -> Name | None:
    if entry.part_name_zh is None or entry.part_name_en is None:
        return None
    return Name(zh=entry.part_name_zh, en=entry.part_name_en)


def _work(context: Context, key: str) -> WorkRef:
    work = context.works.works.get(key)
    return WorkRef(key=key, title=Name(zh=key, en=key) if work is None else rulebook.named(work.title))


def _state(permit: WorkPermit, now: datetime) -> Literal["ahead", "standing", "handed_back", "overrun", "settled"]:
    if permit.settled_at is not None:
        return "settled"
    if permit.ended_at is not None:
        return "overrun" if permit.overrun else "handed_back"
    return "ahead" if now < permit.valid_from else "standing"
