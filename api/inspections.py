"""What guards find, over HTTP: visits sent in batches from a phone that had no network, each kept once, each answered.

The batch itself is refused only when it cannot be read as one; whatever is wrong with one visit is told for that visit,
and the others are kept.
"""

import logging
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BeforeValidator, Field, JsonValue, StringConstraints, ValidationError, WithJsonSchema

from api import paging
from api.catalogue import CATALOGUE
from api.context import InContext, needs
from api.deeds import Deed, DeedOf
from api.problems import refusals
from api.rights import Right
from api.shapes import Answered, Asked, FacilityRef, Id, Key, Limit, Moment, Name, PageOf, Reason, Text, Word
from inspection import codes, recording
from inspection.judging import Outcome
from inspection.plausibility import Means, Position, Verdict
from inspection.recording import Sender, Sent
from ledger import facility_list, visits
from ledger.errors import LedgerError, Unavailable
from ledger.pool import Connection
from ledger.records import Grade, Severity, Site
from ledger.said import says_nothing, storable
from ledger.visits import Visit, VisitFilter, VisitPhoto

router = APIRouter(tags=["inspections"])
log = logging.getLogger(__name__)

VISITS_MAX = 50
_OFFSET_MAX = timedelta(days=36_500)
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
ItemKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


def _beginning(text: object) -> object:
    """Somebody else's code may be long; that it was scanned is kept all the same."""
    return text[: codes.TEXT_CHARS_MAX] if isinstance(text, str) else text


def _readable(note: object) -> object:
    """Without what nobody can see; a note that says nothing is none. Its guard is elsewhere by now, and writes no other."""
    if not isinstance(note, str):
        return note
    plain = "".join(each for each in note if each in "\t\n\r" or unicodedata.category(each) != "Cc")
    return None if says_nothing(plain) else plain


class PositionIn(Asked):
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    accuracy_m: Annotated[float, Field(ge=0, le=100_000)]


class PhotoOf(Asked):
    """A photo of the visit; the picture itself is uploaded to /inspections/photos, before or after."""

    sha256: Sha256
    item: ItemKey | None = None
    means: Means = Means.CAMERA


class VisitIn(Asked):
    """One scan with what was found. Times by the phone's clock; the id is made by the phone and never used twice."""

    id: UUID
    tag: Annotated[
        str | None,
        StringConstraints(max_length=codes.TEXT_CHARS_MAX),
        BeforeValidator(_beginning),
        Field(description="as it was read or typed; of a longer text the beginning"),
    ] = None
    facility: Annotated[Key | None, Field(description="what the guard took it for: the route's stop")] = None
    means: Means
    scanned_at: Moment
    finished_at: Moment
    checklist: Key | None = None
    checklist_version: Annotated[int | None, Field(ge=1, le=9999)] = None
    answers: Annotated[
        Mapping[ItemKey, bool | float | Annotated[str, StringConstraints(max_length=1000)]], Field(max_length=200)
    ] = Field(default_factory=dict[str, bool | float | str])
    photos: Annotated[Sequence[PhotoOf], Field(max_length=20)] = ()
    position: PositionIn | None = None
    note: Annotated[Text | None, BeforeValidator(_readable)] = None
    round: Id | None = None


_Visits = Annotated[
    Sequence[JsonValue],
    Field(min_length=1, max_length=VISITS_MAX),
    BeforeValidator(storable),  # half a character in one visit must not hold up the others
    WithJsonSchema(
        {
            "type": "array",
            "items": {"$ref": "#/components/schemas/VisitIn"},
            "minItems": 1,
            "maxItems": VISITS_MAX,
        }
    ),
]


class VisitsIn(Asked):
    """What lay on a phone, oldest first."""

    site: Key
    phone: Annotated[Word, Field(description="made once by each phone, and kept there")]
    sent_at: Annotated[Moment, Field(description="by the phone's clock, now: how far it is off")]
    visits: _Visits


class Kept(StrEnum):
    KEPT = "kept"
    KNOWN = "known"  # kept before; the answer is the one given then
    REFUSED = "refused"  # not kept: stays on the phone, with the reason
    LATER = "later"  # not kept: our fault, send it again


class OrderOf(Answered):
    id: int
    opened: bool = Field(description="false: it joined one that was open")


class VisitAnswer(Answered):
    id: str
    result: Kept
    why: str | None = Field(description="of what was not kept")
    facility: str | None
    outcome: Outcome | None
    failed: Sequence[str]
    missing: Sequence[str] = Field(description="compulsory items without an answer that fits")
    photos_missing: Sequence[str]
    verdict: Verdict | None
    reasons: Sequence[Reason]
    work_order: OrderOf | None


class VisitsAnswer(Answered):
    """In the order they were sent."""

    received_at: datetime
    clock_offset_s: float = Field(description="ours less the phone's")
    items: Sequence[VisitAnswer]


class VisitPhotoOut(Answered):
    sha256: str
    item: str | None
    means: Means
    arrived: bool


class VisitOut(Answered):
    id: UUID
    site: str
    facility: FacilityRef | None = Field(description="null: its tag led nowhere")
    tag: str | None = Field(description="the last four characters of its code; whoever scans it knows the others")
    said: str | None = Field(description="what was read or typed, where it led to no tag")
    means: Means
    person: str
    phone: str
    round: int | None
    checklist: str | None
    checklist_version: int | None
    answers: Mapping[str, bool | float | str]
    failed: Sequence[str]
    severity: Severity | None
    outcome: Outcome
    outcome_name: Name
    note: str | None
    scanned_at: datetime = Field(description="the phone's time, set right by how far its clock was off")
    received_at: datetime
    clock_offset_s: float
    position: PositionIn | None = Field(description="where the phone said it was")
    verdict: Verdict
    verdict_name: Name
    reasons: Sequence[Reason]
    reviewed_at: datetime | None
    reviewed_by: str | None
    review_note: str | None
    work_order: int | None
    photos: Sequence[VisitPhotoOut]


class VisitPage(PageOf):
    """Newest first, by the time they were received."""

    items: Sequence[VisitOut]


class VisitQuery(Limit):
    site: Key | None = None
    facility: Key | None = None
    person: Word | None = None
    outcome: Outcome | None = None
    verdict: Annotated[Verdict | None, Field(description="to_review: the officer's queue")] = None
    round: Id | None = None


class Review(Asked):
    upheld: Annotated[bool, Field(description="false: it does not count as a visit")]
    note: Text | None = None


# ------------------------------------------------------------------ from a phone


@router.post(
    "/inspections",
    summary="Send what a phone has saved",
    response_model=VisitsAnswer,
    responses=refusals(404),
    dependencies=[needs(Right.INSPECT)],
)
async def send_inspections(asked: VisitsIn, deed: DeedOf) -> Response:
    """Each visit is kept once, under the id its phone made: send everything again that you have no answer for."""
    async with deed.context.transaction() as connection:
        site = await facility_list.find_site(connection, asked.site)
        await deed.write_down(connection)
    offset = max(-_OFFSET_MAX, min(_OFFSET_MAX, deed.now - asked.sent_at))
    sender = Sender(deed.actor, asked.phone, offset)
    items = [await _keep(deed, site, sender, each) for each in asked.visits]
    answer = VisitsAnswer(received_at=deed.now, clock_offset_s=offset.total_seconds(), items=items)
    return JSONResponse(answer.model_dump(mode="json"))


async def _keep(deed: Deed, site: Site, sender: Sender, written: JsonValue) -> VisitAnswer:
    """One visit in one transaction; whatever goes wrong with it is its own answer."""
    name = str(written.get("id", ""))[:64] if isinstance(written, dict) else ""
    try:
        asked = VisitIn.model_validate(written)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:5]]
        return _not_kept(name, Kept.REFUSED, "; ".join(faults))
    try:
        async with deed.context.transaction() as connection:
            is_known = await visits.take_turn(connection, asked.id) is not None
            told = await recording.record(connection, deed.context.visit_desk, site, sender, _sent(asked), deed.now)
    except Unavailable as error:
        return _not_kept(name, Kept.LATER, str(error))
    except Exception as error:
        if isinstance(error, LedgerError) and type(error) is not LedgerError:
            return _not_kept(name, Kept.REFUSED, str(error))
        log.exception("visit %s of %s failed", asked.id, site.key)
        return _not_kept(name, Kept.LATER, "the fault is ours; it has been logged")
    return _kept(asked.id, Kept.KNOWN if is_known else Kept.KEPT, told)


def _sent(asked: VisitIn) -> Sent:
    position = asked.position
    return Sent(
        id=asked.id,
        said=asked.tag,
        expected=asked.facility,
        means=asked.means,
        scanned_at=asked.scanned_at,
        finished_at=asked.finished_at,
        checklist=asked.checklist,
        checklist_version=asked.checklist_version,
        answers=asked.answers,
        photos=[VisitPhoto(each.sha256, each.item, each.means) for each in asked.photos],
        position=None if position is None else Position(position.latitude, position.longitude, position.accuracy_m),
        note=asked.note,
        round_id=asked.round,
    )


def _kept(visit_id: UUID, result: Kept, told: Mapping[str, Any]) -> VisitAnswer:
    order = told["work_order"]
    return VisitAnswer(
        id=str(visit_id),
        result=result,
        why=None,
        facility=told["facility"],
        outcome=Outcome(told["outcome"]),
        failed=told["failed"],
        missing=told["missing"],
        photos_missing=told["photos_missing"],
        verdict=Verdict(told["verdict"]),
        reasons=[CATALOGUE.reason("visit_reason", each) for each in told["reasons"]],
        work_order=None if order is None else OrderOf(**order),
    )


def _not_kept(name: str, result: Kept, why: str) -> VisitAnswer:
    return VisitAnswer(
        id=name,
        result=result,
        why=why,
        facility=None,
        outcome=None,
        failed=(),
        missing=(),
        photos_missing=(),
        verdict=None,
        reasons=(),
        work_order=None,
    )


# ------------------------------------------------------------------ looked at


@router.get("/inspections", summary="Visits, newest first", responses=refusals(), dependencies=[needs(Right.READ)])
async def list_inspections(query: Annotated[VisitQuery, Query()], context: InContext) -> VisitPage:
    wanted = VisitFilter(
        site=query.site,
        facility=query.facility,
        person=query.person,
        outcome=query.outcome,
        verdict=query.verdict,
        round_id=query.round,
    )
    before = paging.moment_and_uuid(query.after)
    async with context.transaction() as connection:
        rows = await visits.page(connection, wanted, before=before, limit=query.limit + 1)
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each.received_at, str(each.id)))
    return VisitPage(items=[visit_out(each) for each in shown], next=cursor)


@router.get("/inspections/{visit}", summary="One visit", responses=refusals(404), dependencies=[needs(Right.READ)])
async def get_inspection(visit: UUID, context: InContext) -> VisitOut:
    async with context.transaction() as connection:
        return visit_out(await visits.get(connection, visit))


@router.post(
    "/inspections/{visit}/review",
    summary="The officer's word on a visit that is to review",
    response_model=VisitOut,
    responses=refusals(404, 409),
    dependencies=[needs(Right.VERIFY)],
)
async def review_inspection(visit: UUID, asked: Review, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> VisitOut:
        await visits.review(connection, visit, upheld=asked.upheld, actor=deed.actor, note=asked.note, now=deed.now)
        return visit_out(await visits.get(connection, visit))

    return await deed.do(act)


def visit_out(visit: Visit) -> VisitOut:
    facility = None
    if visit.facility_key is not None:
        facility = FacilityRef(
            site=visit.site_key,
            key=visit.facility_key,
            name=Name(zh=visit.facility_name_zh or "", en=visit.facility_name_en or ""),
            grade=Grade(visit.facility_grade),
        )
    return VisitOut(
        id=visit.id,
        site=visit.site_key,
        facility=facility,
        tag=None if visit.code is None else visit.code[-4:],
        said=visit.said if visit.code is None else None,
        means=Means(visit.means),
        person=visit.person,
        phone=visit.phone,
        round=visit.round_id,
        checklist=visit.checklist,
        checklist_version=visit.checklist_version,
        answers={key: answer for key, answer in visit.answers.items() if isinstance(answer, bool | float | int | str)},
        failed=visit.failed,
        severity=visit.severity,
        outcome=Outcome(visit.outcome),
        outcome_name=CATALOGUE.text("visit_outcome", visit.outcome),
        note=visit.note,
        scanned_at=visit.scanned_at,
        received_at=visit.received_at,
        clock_offset_s=visit.clock_offset_s,
        verdict=Verdict(visit.verdict),
        verdict_name=CATALOGUE.text("visit_verdict", visit.verdict),
        reasons=[CATALOGUE.reason("visit_reason", each) for each in visit.reasons],
        position=None if visit.position is None else PositionIn.model_validate(visit.position),
        reviewed_at=visit.reviewed_at,
        reviewed_by=visit.reviewed_by,
        review_note=visit.review_note,
        work_order=visit.work_order_id,
        photos=[VisitPhotoOut.model_validate(each) for each in visit.photos],
    )
