"""A tag's link opened by anybody: what hangs there, when it was looked at, and a form to say that something is wrong.

Who is signed in and walks rounds is led on to the patrol page. For everybody else the scope of each transaction is the
one site of the tag, found by its code, which nobody guesses (inspection/codes.py). How often codes that are none and
reports may come from one address, and reports to one tag, is bounded; so is what is worked on at once.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import quote
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api import form_body, public_page
from api.authentication import COOKIE, by_cookie
from api.catalogue import CATALOGUE
from api.form_body import Form, Malformed
from api.origin import Origin, origin_of
from api.picture_bodies import require_room
from api.problems import PhotosFull, Unauthorized
from api.public_page import CONTACT_CHARS_MAX, MANNERS, WORDS_CHARS_MAX, Filled, Language, Shown
from api.rights import Right
from api.service import InService, Service
from api.shapes import Name
from inspection import codes, pictures, public_report
from inspection.pictures import NoPicture, Redrawn
from inspection.public_report import Said, Where
from ledger import audit_log, facilities, photos, public_reports, tags, visits
from ledger.audit_log import Doer
from ledger.errors import LedgerError, NotFound, Unavailable
from ledger.photos import Photo
from ledger.pool import Connection, transaction
from ledger.public_reports import PublicProblem
from ledger.said import says_nothing
from ledger.tags import Tag

router = APIRouter(include_in_schema=False)
log = logging.getLogger(__name__)

CODE_CHARS_MAX = 200
ARRIVING_S = 60.0  # who sends slower than that holds one of few places that others need


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a stranger."""

    service: Service
    origin: Origin
    language: Language

    def page(self, text: str, status: int = 200) -> Response:
        return HTMLResponse(text, status, {**MANNERS, "Content-Language": self.language})

    def plain(self, key: str, status: int) -> Response:
        return self.page(public_page.plain_page(key, self.language), status)

    def too_many(self, wait_s: float) -> Response:
        answer = self.plain("too_many", 429)
        answer.headers["Retry-After"] = str(int(wait_s) + 1)
        return answer


def _visit(request: Request, service: Service, lang: str | None) -> Visit:
    language = public_page.language_of(lang, request.headers.get("accept-language", ""))
    return Visit(service, origin_of(request, service.trusted_proxies), language)


@router.api_route("/t/{code:path}", methods=["GET", "HEAD"])
async def open_tag(
    code: str,
    request: Request,
    service: InService,
    lang: Annotated[str | None, Query(max_length=10)] = None,
    sent: UUID | None = None,
) -> Response:
    visit = _visit(request, service, lang)
    try:
        if await _walks_rounds(request, visit):
            return RedirectResponse(f"/patrol/t/{quote(code[:CODE_CHARS_MAX], safe='')}", 303, MANNERS)
        tag = await _find(visit, code)
        if not isinstance(tag, Tag):
            return tag
        return visit.page(await _facility_page(visit, tag, Filled(uuid4()), sent))
    except LedgerError:
        log.exception("the page of a tag could not be shown")
        return visit.plain("unavailable", 503)


@router.post("/t/{code:path}")
async def report_problem(
    code: str, request: Request, service: InService, lang: Annotated[str | None, Query(max_length=10)] = None
) -> Response:
    visit = _visit(request, service, lang)
    wait_s = service.strangers.forms.take(visit.origin.neighbourhood)
    if wait_s is not None:
        return visit.too_many(wait_s)
    if service.strangers.arriving.locked():
        return visit.plain("unavailable", 503)
    try:
        async with service.strangers.arriving:
            tag = await _find(visit, code)
            if not isinstance(tag, Tag):
                return tag
            async with asyncio.timeout(ARRIVING_S):
                body = await request.body()
            return await _report(visit, tag, request.headers.get("content-type", ""), body)
    except TimeoutError:
        return visit.plain("unavailable", 503)
    except LedgerError:
        log.exception("a stranger's report could not be kept")
        return visit.plain("unavailable", 503)


async def _walks_rounds(request: Request, visit: Visit) -> bool:
    """Whether somebody who may inspect is signed in here."""
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        return False
    try:
        asking = await by_cookie(visit.service, cookie, visit.origin, is_use=False)
    except Unauthorized:
        return False
    return asking.principal.holding.holds_somewhere(Right.INSPECT)


async def _find(visit: Visit, code: str) -> Tag | Response:
    """The living tag, or the page that says why there is none."""
    strangers = visit.service.strangers
    wait_s = strangers.unknown_codes.left_in_s(visit.origin.neighbourhood)
    if wait_s is not None:
        return visit.too_many(wait_s)
    tag = await _tag(visit.service, code)
    if tag is None:
        strangers.unknown_codes.take(visit.origin.neighbourhood)
        return visit.plain("unknown", 404)
    if tag.retired_at is not None or tag.is_facility_retired:
        return visit.plain("retired", 410)
    return tag


async def _tag(service: Service, code: str) -> Tag | None:
    read = codes.typed(code[:CODE_CHARS_MAX])
    if read.code is None:
        return None
    async with transaction(service.pool, sites=await service.sites()) as connection:
        try:
            return await tags.find(connection, read.code)
        except NotFound:
            return None


async def _facility_page(visit: Visit, tag: Tag, filled: Filled, sent: UUID | None = None) -> str:
    async with transaction(visit.service.pool, sites=[tag.site_id]) as connection:
        site = await facilities.site(connection, tag.site_id)
        last = await visits.last_check(connection, tag.facility_id)
        standing = await public_reports.standing(connection, tag.facility_id)
        report = None if sent is None else await public_reports.find(connection, sent)
    pack = visit.service.packs.get(tag.facility_kind)
    is_of_here = report is not None and report.facility_id == tag.facility_id
    shown = Shown(
        name=Name(zh=tag.facility_name_zh, en=tag.facility_name_en),
        place=Name(zh=tag.location_name_zh, en=tag.location_name_en),
        kind=Name(zh=tag.facility_kind, en=tag.facility_kind)
        if pack is None
        else Name(zh=pack.title.zh, en=pack.title.en),
        code=codes.shown(tag.code),
        zone=site.time_zone,
        checked_at=None if last is None else last.scanned_at,
        was_in_order=last is not None and last.outcome == "in_order",
        reported_at=None if standing is None else standing[1],
        sent=report.work_order_id if report is not None and is_of_here else None,
        filled=None if is_of_here else filled,
    )
    return public_page.facility_page(shown, visit.language)


# ------------------------------------------------------------------ a report


class _Unfit(Exception):
    """The form is not as it should be; says how, in words for whoever filled it in."""

    def __init__(self, words: Name) -> None:
        super().__init__(words.en)
        self.words = words


async def _report(visit: Visit, tag: Tag, content_type: str, body: bytes) -> Response:
    filled = Filled(uuid4())
    try:
        form = form_body.parse(content_type, body)
        filled = _filled(form)
        said = _said(form, filled)
        picture = await _photo(visit, tag, form)
    except Malformed:
        wrong = CATALOGUE.text("public_page", "malformed")
        return visit.page(await _facility_page(visit, tag, _with(filled, wrong)), 422)
    except _Unfit as error:
        return visit.page(await _facility_page(visit, tag, _with(filled, error.words)), 422)
    wait_s = visit.service.strangers.reports.take(tag.code)
    if wait_s is not None:
        return visit.too_many(wait_s)
    await _keep(visit, tag, said, picture)
    return RedirectResponse(f"/t/{tag.code}?lang={visit.language}&sent={said.id}", 303, MANNERS)


def _filled(form: Form) -> Filled:
    try:
        number = UUID(form.fields.get("report", ""))
    except ValueError:
        raise Malformed("the form has lost its number") from None
    named = form.fields.get("problem", "")
    problem = next((each for each in PublicProblem if each.value == named), None)
    words, contact = (_one_text(form.fields.get(each, "")) for each in ("words", "contact"))
    return Filled(number, problem, words, contact)


def _one_text(said: str) -> str:
    """Without what cannot be stored or seen; browsers send lines with CR LF, and count them as one character."""
    plain = said.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(each for each in plain if each == "\n" or each.isprintable()).strip()


def _said(form: Form, filled: Filled) -> Said:
    """Raises _Unfit."""
    if filled.problem is None:
        raise _Unfit(CATALOGUE.text("public_page", "choose"))
    if len(filled.words) > WORDS_CHARS_MAX or len(filled.contact) > CONTACT_CHARS_MAX:
        raise _Unfit(CATALOGUE.text("public_page", "too_long"))
    has_photo = "photo" in form.files
    words = "" if says_nothing(filled.words) else filled.words
    if filled.problem is PublicProblem.OTHER and not words and not has_photo:
        raise _Unfit(CATALOGUE.text("public_page", "say_more"))
    return Said(filled.id, filled.problem, words, filled.contact or None, None)


async def _photo(visit: Visit, tag: Tag, form: Form) -> Redrawn | None:
    """Raises _Unfit."""
    data = form.files.get("photo")
    if data is None:
        return None
    try:
        redrawn = await visit.service.strangers.darkroom.run(lambda: pictures.redraw(pictures.open_picture(data)))
    except NoPicture as error:
        why, again = CATALOGUE.text("picture_fault", error.fault), CATALOGUE.text("public_page", "photo_again")
        raise _Unfit(Name(zh=f"{why.zh}{again.zh}", en=f"{why.en} {again.en}")) from None
    try:
        async with transaction(visit.service.pool, sites=[tag.site_id]) as connection:
            await require_room(connection, tag.site_id, redrawn.data, visit.service.photos_site_bytes_max)
    except PhotosFull:
        raise _Unfit(CATALOGUE.text("public_page", "photo_full")) from None
    return redrawn


async def _keep(visit: Visit, tag: Tag, said: Said, picture: Redrawn | None) -> None:
    service, now = visit.service, visit.service.clock()
    sha256 = None
    if picture is not None:
        try:
            sha256 = await asyncio.to_thread(service.photo_store.keep, picture.data)
        except OSError as error:
            raise Unavailable(f"the photo could not be stored: {error.strerror}") from error
    async with transaction(service.pool, sites=[tag.site_id]) as connection:
        if picture is not None and sha256 is not None:
            await photos.keep(connection, _kept(tag, sha256, picture, now))
        where = Where(
            await facilities.site(connection, tag.site_id),
            await facilities.facility(connection, tag.facility_id),
            tag.id,
        )
        said = Said(said.id, said.problem, said.words, said.contact, sha256)
        report = await public_report.keep(connection, service.book, service.response, where, said, now)
        await _write_down(connection, visit, tag, report.work_order_id)


def _kept(tag: Tag, sha256: str, picture: Redrawn, now: datetime) -> Photo:
    return Photo(
        site_id=tag.site_id,
        sha256=sha256,
        media_type="image/jpeg",
        bytes=len(picture.data),
        width=picture.width,
        height=picture.height,
        likeness=picture.likeness,
        uploaded_at=now,
        uploaded_by=public_report.ACTOR,
    )


async def _write_down(connection: Connection, visit: Visit, tag: Tag, order_id: int) -> None:
    """Whoever changes something is in the audit log: of a stranger, the address and the program."""
    await audit_log.write(
        connection,
        Doer(public_report.ACTOR, None, None, visit.origin.ip, visit.origin.user_agent),
        operation="report_problem",
        subject=f"t/{tag.code}",
        site_id=tag.site_id,
        asked={"work_order": order_id},
        now=visit.service.clock(),
    )


def _with(filled: Filled, wrong: Name) -> Filled:
    return Filled(filled.id, filled.problem, filled.words[:WORDS_CHARS_MAX], filled.contact[:CONTACT_CHARS_MAX], wrong)
