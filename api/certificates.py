"""Certificates: what somebody outside certified of a facility, until when, and the pages that say so."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.catalogue import CATALOGUE
from api.context import InContext, needs
from api.deeds import Deed, DeedOf
from api.picture_bodies import PAGE_BODY, PictureQuery, Sha256, page_or_picture, require_room
from api.problems import NotAPicture, refusals, unacceptable
from api.rights import Right
from api.shapes import Answered, Asked, FacilityRef, Id, Key, Limit, Name, PageOf, Text, Why, Word
from inspection import documents
from inspection.expiry import LOOK_AHEAD_DAYS_MAX, Expiry, expiry
from inspection.pictures import NoPicture
from ledger import certificates, facilities, facility_list
from ledger.certificates import Certificate, CertificateKind, NewCertificate, Page
from ledger.errors import Conflict, Unavailable
from ledger.pool import Connection

router = APIRouter(tags=["certificates"])


class CertificateIn(Asked):
    kind: CertificateKind
    number: Word
    issuer: Annotated[Word, Field(description="who certifies it")]
    issued_on: date
    valid_until: Annotated[date | None, Field(description="its last day; null: open")] = None
    note: Annotated[Text | None, Field(description="compulsory for the kind `other`: what it certifies")] = None
    replaces: Annotated[Id | None, Field(description="the one of the same kind that it comes in place of")] = None


class PageOut(Answered):
    sha256: str
    media_type: str
    bytes: int
    added_at: datetime
    added_by: str


class CertificateOut(Answered):
    id: int
    facility: FacilityRef
    kind: CertificateKind
    kind_name: Name
    number: str
    issuer: str
    issued_on: date
    valid_until: date | None = Field(description="its last day; null: open")
    days_left: int | None = Field(description="by the site's calendar; below 0: so long ago; null: open")
    expiry: Expiry | None = Field(description="null: open, or it counts no longer")
    expiry_name: Name | None
    note: str | None
    counts: bool = Field(description="neither withdrawn nor replaced")
    replaces: int | None
    replaced_by: int | None
    added_at: datetime
    added_by: str
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_why: str | None
    pages: Sequence[PageOut]


class CertificatesOut(Answered):
    """All of a facility: those that count, the first to end first; then what counts no longer, newest first."""

    items: Sequence[CertificateOut]


class CertificatePage(PageOf):
    """The first to end first."""

    items: Sequence[CertificateOut]


class EndingQuery(Limit):
    site: Key
    days: Annotated[int, Field(ge=0, le=LOOK_AHEAD_DAYS_MAX, description="so many days ahead; 0: what has ended")] = 60


@router.get(
    "/facilities/{site}/{facility}/certificates",
    summary="Its certificates, also those that count no longer",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def list_certificates(site: Key, facility: Key, context: InContext) -> CertificatesOut:
    async with context.transaction() as connection:
        found = await facility_list.find(connection, site, facility)
        held = await certificates.of_facility(connection, found.id)
        pages = await certificates.pages(connection, [each.id for each in held])
        today = await _today(connection, found.site_id, context.clock())
    return CertificatesOut(items=[_out(each, pages, today) for each in held])


@router.post(
    "/facilities/{site}/{facility}/certificates",
    summary="Register a certificate",
    status_code=201,
    response_model=CertificateOut,
    responses=refusals(404, 409),
    dependencies=[needs(Right.ESTATE)],
)
async def add_certificate(site: Key, facility: Key, asked: CertificateIn, deed: DeedOf) -> Response:
    """One that `replaces` another ends it: the other stays on record."""

    async def act(connection: Connection) -> CertificateOut:
        found = await facility_list.find(connection, site, facility)
        _refuse_contradictions(asked, await _today(connection, found.site_id, deed.now))
        new = NewCertificate(
            asked.kind, asked.number, asked.issuer, asked.issued_on, asked.valid_until, asked.note, asked.replaces
        )
        try:
            number = await certificates.add(connection, found, new, actor=deed.actor, now=deed.now)
        except Conflict:
            raise unacceptable("body.number", "certificate_there") from None
        return await _one(connection, number, deed.now)

    return await deed.do(act, status=201)


def _refuse_contradictions(asked: CertificateIn, today: date) -> None:
    if asked.issued_on > today:
        raise unacceptable("body.issued_on", "certificate_issued_later")
    if asked.valid_until is not None and asked.valid_until < asked.issued_on:
        raise unacceptable("body.valid_until", "certificate_ends_first")
    if asked.kind is CertificateKind.OTHER and asked.note is None:
        raise unacceptable("body.note", "certificate_other")


@router.get(
    "/certificates",
    summary="Certificates of a site that end soon, or have",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def list_ending_certificates(query: Annotated[EndingQuery, Query()], context: InContext) -> CertificatePage:
    """Those that count, at facilities that are there."""
    after = paging.day_and_id(query.after)
    async with context.transaction() as connection:
        site = await facility_list.find_site(connection, query.site)
        today = context.clock().astimezone(ZoneInfo(site.time_zone)).date()
        until = today + timedelta(days=query.days or -1)
        rows = await certificates.ending(connection, query.site, until=until, after=after, limit=query.limit + 1)
        pages = await certificates.pages(connection, [each.id for each in rows])
    shown, cursor = paging.cut(rows, query.limit, _place)
    return CertificatePage(items=[_out(each, pages, today) for each in shown], next=cursor)


def _place(of: Certificate) -> Sequence[object]:
    assert of.valid_until is not None, "what is open does not end"
    return of.valid_until.isoformat(), of.id


@router.post(
    "/certificates/{certificate}/withdraw",
    summary="It was entered by mistake, or its issuer took it back; it stays on record",
    response_model=CertificateOut,
    responses=refusals(404, 409),
    dependencies=[needs(Right.ESTATE)],
)
async def withdraw_certificate(certificate: Id, asked: Why, deed: DeedOf) -> Response:
    """What it had replaced counts again."""

    async def act(connection: Connection) -> CertificateOut:
        await certificates.withdraw(connection, certificate, why=asked.note, actor=deed.actor, now=deed.now)
        return await _one(connection, certificate, deed.now)

    return await deed.do(act)


@router.post(
    "/certificates/{certificate}/pages",
    summary="Add a page of it: a PDF, or a picture of the paper",
    status_code=201,
    response_model=CertificateOut,
    responses=refusals(404, 409, 413, 507),
    openapi_extra=PAGE_BODY,
    dependencies=[needs(Right.ESTATE)],
)
async def add_certificate_page(certificate: Id, request: Request, deed: DeedOf) -> Response:
    """The same page again is there once."""
    page = await _keep(deed, certificate, await request.body())

    async def act(connection: Connection) -> CertificateOut:
        await certificates.add_page(connection, certificate, page)
        return await _one(connection, certificate, deed.now)

    return await deed.do(act, status=201)


@router.get(
    "/certificates/{certificate}/pages/{sha256}",
    summary="A page of it",
    response_class=Response,
    responses={**refusals(404), 200: {"content": {"application/pdf": {}, "image/*": {}}}},
    dependencies=[needs(Right.READ)],
)
async def get_certificate_page(
    certificate: Id, sha256: Sha256, query: Annotated[PictureQuery, Query()], context: InContext
) -> Response:
    async with context.transaction() as connection:
        page = await certificates.page_of(connection, certificate, sha256)
    return await page_or_picture(context.photo_store, sha256, page.media_type, small=query.small)


async def _keep(deed: Deed, certificate: int, data: bytes) -> Page:
    """The bytes in the directory, and what the ledger is to know of them.

    Raises NotFound, NoRight, NotAPicture, PhotosFull, Refused for a page too many, Withdrawn, Unavailable where the disk does not take it.
    """

    async def look(connection: Connection) -> None:
        found = await certificates.get(connection, certificate)
        sha256 = await require_room(connection, found.site_id, data, deed.context.photos_site_bytes_max)
        await certificates.lacks_page(
            connection, found, sha256
        )  # or what is refused would lie in the directory for ever

    await deed.look(look)

    def keep() -> Page:
        opened = documents.open_document(data)
        store = deed.context.photo_store
        sha256 = store.keep(data)
        if opened.small is not None:
            store.keep_small(sha256, opened.small)
        return Page(sha256, opened.media_type, len(data), deed.now, deed.actor)

    try:
        return await deed.context.darkroom.run(keep)
    except NoPicture as error:
        raise NotAPicture(error.fault, str(error)) from None
    except OSError as error:
        raise Unavailable(f"the page could not be stored: {error.strerror}; try again") from error


async def _today(connection: Connection, site_id: int, now: datetime) -> date:
    site = await facilities.site(connection, site_id)
    return now.astimezone(ZoneInfo(site.time_zone)).date()


async def _one(connection: Connection, number: int, now: datetime) -> CertificateOut:
    found = await certificates.get(connection, number)
    pages = await certificates.pages(connection, [number])
    return _out(found, pages, await _today(connection, found.site_id, now))


def _out(found: Certificate, pages: Mapping[int, Sequence[Page]], today: date) -> CertificateOut:
    step = expiry(found.valid_until, today) if found.counts and found.valid_until is not None else None
    return CertificateOut(
        id=found.id,
        facility=FacilityRef.of(found),
        kind=found.kind,
        kind_name=CATALOGUE.text("certificate_kind", found.kind),
        number=found.number,
        issuer=found.issuer,
        issued_on=found.issued_on,
        valid_until=found.valid_until,
        days_left=None if found.valid_until is None else (found.valid_until - today).days,
        expiry=step,
        expiry_name=None if step is None else CATALOGUE.text("expiry", step),
        note=found.note,
        counts=found.counts,
        replaces=found.replaces_id,
        replaced_by=found.replaced_by_id,
        added_at=found.added_at,
        added_by=found.added_by,
        withdrawn_at=found.withdrawn_at,
        withdrawn_by=found.withdrawn_by,
        withdrawn_why=found.withdrawn_why,
        pages=[
            PageOut(
                sha256=each.sha256,
                media_type=each.media_type,
                bytes=each.bytes,
                added_at=each.added_at,
                added_by=each.added_by,
            )
            for each in pages[found.id]
        ],
    )
