"""Tags over HTTP: issued one by one or for all that lack one, retired, replaced, looked up by what was scanned or typed."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field, StringConstraints

from api import paging
from api.catalogue import CATALOGUE
from api.context import InContext, needs
from api.deeds import Deed, DeedOf
from api.problems import refusals
from api.rights import Right
from api.shapes import Answered, Asked, FacilityRef, Key, Limit, Name, PageOf, Word
from inspection import codes
from ledger import dossier, facility_list, tags
from ledger.errors import Conflict, NotFound
from ledger.pool import Connection
from ledger.tags import Tag, TagEvent, TagFilter, TagMove

router = APIRouter(tags=["inspection tags"])

BULK_MAX = 500
_DRAWS_MAX = 5  # one is enough, but for once in the life of a galaxy
Code = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class TagOut(Answered):
    code: str
    shown: str = Field(description="as it is printed and typed")
    link: str | None = Field(description="what its QR code says; null: TAIZHANG_PUBLIC_URL is not set")
    facility: FacilityRef
    kind: str
    place: Name
    issued_at: datetime
    issued_by: str
    replaces: str | None
    replaced_by: str | None
    retired_at: datetime | None
    retired_by: str | None
    retired_reason: str | None
    printed: int = Field(description="how many times a sheet with it was made")
    scanned_at: datetime | None = Field(description="the last time; null: never")


class TagEventOut(Answered):
    move: TagMove
    move_name: Name
    at: datetime
    actor: str
    note: str | None


class TagDetail(Answered):
    tag: TagOut
    history: Sequence[TagEventOut] = Field(description="newest first")


class TagPage(PageOf):
    """Newest first."""

    items: Sequence[TagOut]


class TagsIssued(Answered):
    items: Sequence[TagOut]
    more: bool = Field(description="others still lack one: ask again")


class TagQuery(Limit):
    site: Key | None = None
    facility: Key | None = None
    kind: Key | None = None
    living: Annotated[bool | None, Field(description="false: the retired ones")] = None
    scanned: Annotated[bool | None, Field(description="false: those that nobody ever scanned")] = None


class TagIn(Asked):
    site: Key
    facility: Key


class BulkIn(Asked):
    """For every living facility of these kinds that carries no living tag."""

    site: Key
    kinds: Annotated[Sequence[Key] | None, Field(max_length=50, description="null: all that have a checklist")] = None


class Retirement(Asked):
    reason: Annotated[Word, Field(description="lost, damaged, copied ...")]


@router.get("/tags", summary="Tags, newest first", responses=refusals(), dependencies=[needs(Right.ESTATE)])
async def list_tags(query: Annotated[TagQuery, Query()], context: InContext) -> TagPage:
    """For whoever prints them: with a list of codes somebody could walk a round in his chair."""
    wanted = TagFilter(query.site, query.facility, query.kind, query.living, query.scanned)
    before = paging.number(query.after)
    async with context.transaction() as connection:
        rows = await tags.page(connection, wanted, before_id=before, limit=query.limit + 1)
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each.id,))
    return TagPage(items=[tag_out(each, context.public_url) for each in shown], next=cursor)


@router.get(
    "/tags/{code}", summary="One tag with its history", responses=refusals(404), dependencies=[needs(Right.READ)]
)
async def get_tag(code: Code, context: InContext) -> TagDetail:
    async with context.transaction() as connection:
        return await _detail(connection, await find(connection, code), context.public_url)


@router.post(
    "/tags",
    summary="Issue a tag",
    status_code=201,
    response_model=TagDetail,
    responses=refusals(404),
    dependencies=[needs(Right.ESTATE)],
)
async def issue_tag(asked: TagIn, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> TagDetail:
        facility = await facility_list.find(connection, asked.site, asked.facility)
        code = await _issue(connection, deed, facility.site_id, facility.id)
        return await _detail(connection, await tags.find(connection, code), deed.context.public_url)

    return await deed.do(act, status=201)


@router.post(
    "/tags/bulk",
    summary="Issue a tag to every facility that lacks one",
    status_code=201,
    response_model=TagsIssued,
    responses=refusals(404),
    dependencies=[needs(Right.ESTATE)],
)
async def issue_tags_in_bulk(asked: BulkIn, deed: DeedOf) -> Response:
    """At most 500 at a time; `more` says whether to ask again."""

    async def act(connection: Connection) -> TagsIssued:
        await facility_list.find_site(connection, asked.site)
        kinds = asked.kinds or [each.kind for each in deed.context.book.all_current()]
        lacking = await tags.without(connection, asked.site, kinds=kinds, limit=BULK_MAX + 1)
        await dossier.lock_facilities(connection, [facility_id for _, facility_id in lacking[:BULK_MAX]])
        issued = [await _issue(connection, deed, *each) for each in lacking[:BULK_MAX]]
        found = await tags.by_codes(connection, issued)
        public_url = deed.context.public_url
        return TagsIssued(items=[tag_out(each, public_url) for each in found], more=len(lacking) > BULK_MAX)

    return await deed.do(act, status=201)


@router.post(
    "/tags/{code}/retire",
    summary="From here on whoever scans it is told that it counts no more",
    response_model=TagDetail,
    responses=refusals(404, 409),
    dependencies=[needs(Right.ESTATE)],
)
async def retire_tag(code: Code, asked: Retirement, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> TagDetail:
        found = await find(connection, code)
        await tags.retire(connection, found, reason=asked.reason, actor=deed.actor, now=deed.now)
        return await _detail(connection, await tags.find(connection, found.code), deed.context.public_url)

    return await deed.do(act)


@router.post(
    "/tags/{code}/replace",
    summary="Retire it, and issue another in its place",
    status_code=201,
    response_model=TagDetail,
    responses=refusals(404, 409),
    dependencies=[needs(Right.ESTATE)],
)
async def replace_tag(code: Code, asked: Retirement, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> TagDetail:
        found = await find(connection, code)
        if found.retired_at is None:
            await tags.retire(connection, found, reason=asked.reason, actor=deed.actor, now=deed.now)
        newer = await _issue(connection, deed, found.site_id, found.facility_id, replaces_id=found.id)
        return await _detail(connection, await tags.find(connection, newer), deed.context.public_url)

    return await deed.do(act, status=201)


async def _issue(
    connection: Connection, deed: Deed, site_id: int, facility_id: int, *, replaces_id: int | None = None
) -> str:
    for _ in range(_DRAWS_MAX):
        code = codes.make(secrets.token_bytes(codes.RANDOM_BYTES))
        try:
            await tags.issue(
                connection,
                site_id=site_id,
                facility_id=facility_id,
                code=code,
                actor=deed.actor,
                now=deed.now,
                replaces_id=replaces_id,
            )
        except Conflict:
            continue
        return code
    raise Conflict("no code is free: the machine's random numbers are none")


async def find(connection: Connection, text: str) -> Tag:
    """By its code, however it is written. Raises NotFound."""
    read = codes.typed(text)
    if read.code is None:
        raise NotFound("tag", text)
    return await tags.find(connection, read.code)


async def _detail(connection: Connection, tag: Tag, public_url: str | None) -> TagDetail:
    history = await tags.events(connection, tag.id)
    return TagDetail(tag=tag_out(tag, public_url), history=[_event(each) for each in history])


def tag_out(tag: Tag, public_url: str | None) -> TagOut:
    return TagOut(
        code=tag.code,
        shown=codes.shown(tag.code),
        link=None if public_url is None else codes.link(public_url, tag.code),
        facility=FacilityRef(
            site=tag.site_key,
            key=tag.facility_key,
            name=Name(zh=tag.facility_name_zh, en=tag.facility_name_en),
            grade=tag.facility_grade,
        ),
        kind=tag.facility_kind,
        place=Name(zh=tag.location_name_zh, en=tag.location_name_en),
        issued_at=tag.issued_at,
        issued_by=tag.issued_by,
        replaces=tag.replaces_code,
        replaced_by=tag.replaced_by_code,
        retired_at=tag.retired_at,
        retired_by=tag.retired_by,
        retired_reason=tag.retired_reason,
        printed=tag.printed,
        scanned_at=tag.scanned_at,
    )


def _event(event: TagEvent) -> TagEventOut:
    return TagEventOut(
        move=event.move,
        move_name=CATALOGUE.text("tag_move", event.move),
        at=event.at,
        actor=event.actor,
        note=event.note,
    )
