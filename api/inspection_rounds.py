"""Rounds over HTTP: which are due, missed and walked; started, handed over, taken over, ended; all a phone needs offline.

A phone gets the hashes of the tags' codes, not the codes: it knows a tag that it reads, and nobody can type in what
only hangs on the wall.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.catalogue import CATALOGUE
from api.context import Context, InContext, needs
from api.deeds import Deed, DeedOf
from api.inspection_plans import StopOut, stop_out
from api.inspections import Outcome
from api.place_photos import PlacePhotoOut, place_photo_out
from api.problems import refusals
from api.rights import Right
from api.shapes import Answered, Asked, Id, Key, Moment, Name, Text
from api.signature_shapes import InspectionSignature, signature_out
from inspection import windows
from inspection.checklist import Checklist, wants_photo
from inspection.due import Window, WindowState
from inspection.recording import photo_draw
from ledger import inspection_due, place_photos, plans, rounds, signatures, visits
from ledger.errors import Invalid, Refused
from ledger.place_photos import PlacePhoto
from ledger.plans import Plan, PlanStop
from ledger.pool import Connection
from ledger.round_lifecycle import RoundMove, RoundState, legal_round_moves
from ledger.rounds import Round, RoundEvent
from ledger.signatures import Part, Signature

router = APIRouter(tags=["inspection rounds"])

SPAN_MAX = timedelta(days=62)
_UNSIGNED = Field(description="who has not signed for all there is, of a round that has ended")


class RoundsQuery(Asked):
    site: Key | None = None
    begin: Annotated[Moment, Field(alias="from")]
    end: Annotated[Moment, Field(alias="until")]


class RoundLine(Answered):
    site: str
    plan: str
    name: Name
    grid: str | None
    officer: str
    window_from: datetime
    window_until: datetime
    state: WindowState
    state_name: Name
    round: int | None = Field(description="null: nobody has started it")
    guard: str | None
    stops: int
    visited: int
    unsigned: Sequence[Part] = _UNSIGNED


class RoundsOut(Answered):
    """In order of window."""

    items: Sequence[RoundLine]


class StartIn(Asked):
    site: Key
    plan: Key


class TakeOver(Asked):
    note: Annotated[Text, Field(description="why its guard does not go on")]


class Finish(Asked):
    unsent: Annotated[int, Field(ge=0, le=10_000, description="results that still lie on the phone")] = 0
    note: Text | None = None


class Abandon(Asked):
    note: Annotated[Text, Field(description="why")]


class LastOut(Answered):
    at: datetime
    outcome: Outcome
    person: str
    failed: Sequence[str]


class RoundStop(Answered):
    stop: StopOut
    checklist: str | None
    checklist_version: int | None
    items: Sequence[str] = Field(description="keys of what is asked here, without follow-ups")
    photos: Sequence[str] = Field(description="items whose photo is compulsory today")
    tag_hashes: Sequence[str] = Field(
        description="SHA-256 of the codes of its tags; empty for who does not inspect there"
    )
    place_photo: PlacePhotoOut | None = Field(description="null: nobody took one")
    last: LastOut | None
    visited: bool


class RoundEventOut(Answered):
    seq: int
    move: RoundMove
    move_name: Name
    guard: str
    at: datetime
    actor: str
    note: str | None


class RoundOut(Answered):
    id: int
    site: str
    plan: str
    name: Name
    ordered: bool
    window_from: datetime
    window_until: datetime
    state: RoundState
    state_name: Name
    guard: str
    started_at: datetime
    ended_at: datetime | None
    legal_moves: Sequence[RoundMove]
    stops: Sequence[RoundStop]
    journal: Sequence[RoundEventOut]
    signatures: Sequence[InspectionSignature]
    unsigned: Sequence[Part] = _UNSIGNED


@router.get(
    "/inspection-rounds",
    summary="Rounds due, walked and missed in a span",
    responses=refusals(),
    dependencies=[needs(Right.READ)],
)
async def list_inspection_rounds(query: Annotated[RoundsQuery, Query()], context: InContext) -> RoundsOut:
    if not query.begin < query.end <= query.begin + SPAN_MAX:
        raise Invalid(f"query.until: after `from`, and at most {SPAN_MAX.days} days")
    found: list[RoundLine] = []
    async with context.transaction() as connection:
        for plan in await plans.of_site(connection, query.site, also_retired=True):
            found += await _lines(connection, plan, query.begin, query.end, context.clock())
    return RoundsOut(items=sorted(found, key=lambda each: (each.window_from, each.plan)))


async def _lines(connection: Connection, plan: Plan, begin: datetime, end: datetime, now: datetime) -> list[RoundLine]:
    walked, _ = await windows.of_plan(connection, plan, begin, end, now)
    lacking = await signatures.lacking(connection, [each.round_id for each in walked if each.round_id is not None])
    return [
        RoundLine(
            site=plan.site_key,
            plan=plan.key,
            name=Name(zh=plan.name_zh, en=plan.name_en),
            grid=plan.grid,
            officer=plan.officer,
            window_from=each.window.begin,
            window_until=each.window.end,
            state=each.state,
            state_name=CATALOGUE.text("window_state", each.state),
            round=each.round_id,
            guard=each.guard,
            stops=each.stops,
            visited=each.visited,
            unsigned=() if each.round_id is None else lacking.get(each.round_id, ()),
        )
        for each in walked
    ]


@router.post(
    "/inspection-rounds",
    summary="Start the round of this hour",
    status_code=201,
    response_model=RoundOut,
    responses=refusals(404, 409),
    dependencies=[needs(Right.INSPECT)],
)
async def start_inspection_round(asked: StartIn, deed: DeedOf) -> Response:
    """Its guard who starts it again, after his phone forgot, gets it again."""

    async def act(connection: Connection) -> RoundOut:
        plan = await plans.find(connection, asked.site, asked.plan)
        window = _window_now(plan, deed.now)
        number = await rounds.start(
            connection,
            site_id=plan.site_id,
            plan_id=plan.id,
            window=(window.begin, window.end),
            guard=deed.actor,
            now=deed.now,
        )
        return await round_of(connection, deed.context, number)

    return await deed.do(act, status=201)


def _window_now(plan: Plan, now: datetime) -> Window:
    """Raises Refused when there is none, saying when the next one is."""
    if plan.retired_at is not None:
        raise Refused(f"plan {plan.key} is retired")
    length = timedelta(minutes=plan.window_min)
    near = windows.planned(plan, plan.time_zone, now - length, now + timedelta(days=40))
    window = next((each for each in near if each.begin - windows.EARLY <= now < each.end), None)
    if window is None:
        coming = next((each.begin for each in near if each.begin > now), None)
        when = "none is coming" if coming is None else f"the next one begins {coming:%Y-%m-%d %H:%M} UTC"
        raise Refused(f"no round of {plan.key} is due now: {when}")
    return window


@router.get(
    "/inspection-rounds/{round}",
    summary="A round, with all a phone needs offline",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def get_inspection_round(round: Id, context: InContext) -> RoundOut:  # noqa: A002 - the path's name
    async with context.transaction() as connection:
        return await round_of(connection, context, round)


_MOVED = refusals(404, 409)


@router.post(
    "/inspection-rounds/{round}/take-over",
    summary="Go on with another's round",
    response_model=RoundOut,
    responses=_MOVED,
    dependencies=[needs(Right.INSPECT)],
)
async def take_over_inspection_round(round: Id, asked: TakeOver, deed: DeedOf) -> Response:  # noqa: A002 - the path's name
    return await _move(deed, round, RoundMove.TAKE_OVER, asked.note)


@router.post(
    "/inspection-rounds/{round}/finish",
    summary="End it",
    response_model=RoundOut,
    responses=_MOVED,
    dependencies=[needs(Right.INSPECT)],
)
async def finish_inspection_round(round: Id, asked: Finish, deed: DeedOf) -> Response:  # noqa: A002 - the path's name
    """With results still on the phone it may be ended; the journal says how many, and they count when they come."""
    unsent = f"{asked.unsent} unsent" if asked.unsent else None
    note = "; ".join(each for each in (asked.note, unsent) if each) or None
    return await _move(deed, round, RoundMove.FINISH, note)


@router.post(
    "/inspection-rounds/{round}/abandon",
    summary="Break it off",
    response_model=RoundOut,
    responses=_MOVED,
    dependencies=[needs(Right.INSPECT)],
)
async def abandon_inspection_round(round: Id, asked: Abandon, deed: DeedOf) -> Response:  # noqa: A002 - the path's name
    return await _move(deed, round, RoundMove.ABANDON, asked.note)


async def _move(deed: Deed, number: int, step: RoundMove, note: str | None) -> Response:
    async def act(connection: Connection) -> RoundOut:
        await rounds.move(connection, number, step, actor=deed.actor, note=note, now=deed.now)
        return await round_of(connection, deed.context, number)

    return await deed.do(act)


async def round_of(connection: Connection, context: Context, number: int) -> RoundOut:
    found = await rounds.get(connection, number)
    plan = await plans.find(connection, found.site_key, found.plan_key)
    inspects = found.site_id in await context.scope_of(Right.INSPECT)
    codes = await inspection_due.tag_codes(connection, [each.facility_id for each in found.stops]) if inspects else {}
    visited = {*(await rounds.visited(connection, [number]))[number]}
    day = context.clock().astimezone(ZoneInfo(plan.time_zone)).date().isoformat()
    places = await place_photos.of_facilities(connection, [each.facility_id for each in found.stops])
    stops = [await _stop(connection, context, each, codes, places, visited, day) for each in found.stops]
    events = await rounds.events(connection, number)
    signed = await signatures.of_round(connection, number)
    lacking = await signatures.lacking(connection, [number])
    return _round_out(found, stops, events, signed, lacking.get(number, ()))


async def _stop(
    connection: Connection,
    context: Context,
    stop: PlanStop,
    codes: Mapping[int, Sequence[str]],
    places: Mapping[int, PlacePhoto],
    visited: set[int],
    day: str,
) -> RoundStop:
    checklist = context.book.current(stop.facility_kind)
    last = await visits.last_check(connection, stop.facility_id)
    photo = places.get(stop.facility_id)
    return RoundStop(
        stop=stop_out(stop),
        checklist=None if checklist is None else checklist.kind,
        checklist_version=None if checklist is None else checklist.version,
        items=[] if checklist is None else [each.key for each in checklist.asked_of(stop.facility_type)],
        photos=[] if checklist is None else _photos(checklist, stop, day),
        tag_hashes=[hashlib.sha256(each.encode()).hexdigest() for each in codes.get(stop.facility_id, ())],
        place_photo=None if photo is None else place_photo_out(photo),
        last=None
        if last is None
        else LastOut(at=last.scanned_at, outcome=Outcome(last.outcome), person=last.person, failed=last.failed),
        visited=stop.facility_id in visited,
    )


def _photos(checklist: Checklist, stop: PlanStop, day: str) -> list[str]:
    draw = photo_draw(stop.facility_key, day)
    asked = checklist.asked_of(stop.facility_type)
    return [each.key for each in asked if wants_photo(each, failed=False, draw=draw)]


def _round_out(
    found: Round,
    stops: Sequence[RoundStop],
    events: Sequence[RoundEvent],
    signed: Sequence[Signature],
    lacking: Sequence[Part],
) -> RoundOut:
    return RoundOut(
        id=found.id,
        site=found.site_key,
        plan=found.plan_key,
        name=Name(zh=found.plan_name_zh, en=found.plan_name_en),
        ordered=found.ordered,
        window_from=found.window_from,
        window_until=found.window_until,
        state=found.state,
        state_name=CATALOGUE.text("round_state", found.state),
        guard=found.guard,
        started_at=found.started_at,
        ended_at=found.ended_at,
        legal_moves=legal_round_moves(found.state),
        stops=stops,
        journal=[
            RoundEventOut(
                seq=each.seq,
                move=each.move,
                move_name=CATALOGUE.text("round_move", each.move),
                guard=each.guard,
                at=each.at,
                actor=each.actor,
                note=each.note,
            )
            for each in events
        ],
        signatures=[signature_out(each) for each in signed],
        unsigned=lacking,
    )
