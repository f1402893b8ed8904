"""Risk grades: what each asks for, the grade of every kind and facility and where it comes from, and changing it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from api.catalogue import CATALOGUE
from api.context import Context, InContext, needs
from api.decisions import DecisionOut, standing
from api.deeds import DeedOf
from api.facilities import kind_name
from api.problems import refusals
from api.rights import Right
from api.rulebook import named
from api.shapes import Answered, Asked, Key, Name, Reason, Text
from ledger import facilities, facility_list, grades, site_settings
from ledger.pool import Connection
from ledger.records import Facility, Grade, Priority, Severity, Site
from ledger.site_settings import Setting
from rules.model import GradeDefault, Title
from rules.response_table import Row, Timing

router = APIRouter(tags=["grades and contracts"])

_NO_PACK = GradeDefault(Grade.B, Title("没有规则包", "no rule pack"), "")


class TellingOut(Answered):
    after_s: float
    who: str


class WaitingOut(Answered):
    """What a rule has instead that can wait for the next round."""

    priority: Priority
    priority_reason: Reason
    order: Literal["at_once", "after", "next_round"]
    order_after_s: float | None = Field(description="how long it must stand; null: at once, or at the next round")


class ResponseOut(Answered):
    """What follows from an alarm of this severity at a facility of this grade."""

    severity: Severity
    priority: Priority
    priority_reason: Reason
    order: Literal["at_once", "after", "next_round"]
    order_after_s: float | None = Field(description="how long it must stand; null: at once, or at the next round")
    can_wait: WaitingOut | None = Field(description="of a rule that says `can_wait`; null: the same as of the others")
    tell: Sequence[TellingOut] = Field(description="who is told next when nothing has happened for so long")
    shelve_seconds_max: float | None = Field(description="null: never shelved")
    shelve_note_required: bool
    acknowledge_note_required: bool


class ScanInterval(Answered):
    least_s: float
    most_s: float


class GradeOut(Answered):
    """One grade: what it means, what it asks of people and devices, and how its alarms are answered."""

    grade: Grade
    title: Name
    means: Name
    scan_interval: ScanInterval | None = Field(description="a default for gateways; null: on event, or at the round")
    check_round: Name
    upkeep_evidence: Name
    keeper: Name
    source: str
    responses: Sequence[ResponseOut]


class GradesOut(Answered):
    items: Sequence[GradeOut]


class KindGradeOut(Answered):
    """The grade of one kind at a site: `decided` here, or the default of its pack."""

    kind: str
    title: Name
    grade: Grade
    default: Grade
    default_reason: Name
    default_source: str
    decided: DecisionOut | None
    facilities: int


class SiteGradesOut(Answered):
    """Every kind of which the site has something. A facility may have a grade of its own."""

    items: Sequence[KindGradeOut]


class FacilityGradeOut(Answered):
    """The grade in force at a facility, and where it comes from."""

    grade: Grade
    comes_from: Literal["facility", "kind", "default", "registered"] = Field(
        description="set for it; set for its kind at the site; its pack's default; or as it was first registered"
    )
    decided: DecisionOut | None = Field(description="for the facility itself")
    of_kind: KindGradeOut


class KindGradeIn(Asked):
    kind: Key
    grade: Annotated[Grade | None, Field(description="null: the default of its pack counts again")]
    reason: Text


class GradeIn(Asked):
    grade: Annotated[Grade | None, Field(description="null: graded as its kind again")]
    reason: Text


@router.get("/grades", summary="What each risk grade asks for", responses=refusals(), dependencies=[needs(Right.READ)])
async def list_grades(context: InContext) -> GradesOut:
    return GradesOut(items=[_grade(context, grade) for grade in Grade])


@router.get(
    "/sites/{site}/grades",
    summary="The grade of every kind at a site",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def list_site_grades(site: Key, context: InContext) -> SiteGradesOut:
    async with context.transaction() as connection:
        found = await facility_list.find_site(connection, site)
        return SiteGradesOut(items=await _kinds(connection, context, found))


@router.post(
    "/sites/{site}/grades",
    summary="Grade a kind at a site otherwise; facilities with a grade of their own keep it",
    response_model=SiteGradesOut,
    responses=refusals(404),
    dependencies=[needs(Right.POLICY)],
)
async def set_kind_grade(site: Key, asked: KindGradeIn, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> SiteGradesOut:
        found = await facility_list.find_site(connection, site)
        before = _kind(deed.context, asked.kind, await site_settings.in_force(connection, found.id), 0)
        await grades.set_for_kind(
            connection,
            found.id,
            asked.kind,
            asked.grade,
            default=_default(deed.context, asked.kind).grade,
            author=deed.actor,
            reason=asked.reason,
            now=deed.now,
        )
        deed.was["grade"] = before.grade
        return SiteGradesOut(items=await _kinds(connection, deed.context, found))

    return await deed.do(act)


@router.get(
    "/facilities/{site}/{facility}/grade",
    summary="The grade of a facility and where it comes from",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def get_facility_grade(site: Key, facility: Key, context: InContext) -> FacilityGradeOut:
    async with context.transaction() as connection:
        return await _facility(connection, context, site, facility)


@router.post(
    "/facilities/{site}/{facility}/grade",
    summary="Grade one facility otherwise",
    response_model=FacilityGradeOut,
    responses=refusals(404),
    dependencies=[needs(Right.POLICY)],
)
async def set_facility_grade(site: Key, facility: Key, asked: GradeIn, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> FacilityGradeOut:
        found = await facility_list.find(connection, site, facility)
        deed.was["grade"] = found.grade
        await grades.set_for_facility(
            connection,
            found,
            asked.grade,
            default=_default(deed.context, found.kind).grade,
            author=deed.actor,
            reason=asked.reason,
            now=deed.now,
        )
        return await _facility(connection, deed.context, site, facility)

    return await deed.do(act)


def _grade(context: Context, grade: Grade) -> GradeOut:
    table = context.response
    duties = table.grades[grade]
    interval = duties.scan_interval
    return GradeOut(
        grade=grade,
        title=CATALOGUE.text("grade", grade),
        means=named(duties.means),
        scan_interval=None
        if interval is None
        else ScanInterval(least_s=interval[0].total_seconds(), most_s=interval[1].total_seconds()),
        check_round=named(duties.check_round),
        upkeep_evidence=named(duties.upkeep_evidence),
        keeper=named(duties.keeper),
        source=duties.source,
        responses=[_response(severity, table.grading[severity, grade]) for severity in Severity],
    )


def _response(severity: Severity, row: Row) -> ResponseOut:
    return ResponseOut(
        severity=severity,
        priority=row.priority,
        priority_reason=CATALOGUE.reason("priority_reason", row.because),
        order=_order(row.order),
        order_after_s=_order_after_s(row.order),
        can_wait=None
        if row.waiting is None
        else WaitingOut(
            priority=row.waiting.priority,
            priority_reason=CATALOGUE.reason("priority_reason", row.waiting.because),
            order=_order(row.waiting.order),
            order_after_s=_order_after_s(row.waiting.order),
        ),
        tell=[TellingOut(after_s=each.after.total_seconds(), who=each.who) for each in row.tell],
        shelve_seconds_max=None if row.shelve is None else row.shelve.at_most / timedelta(seconds=1),
        shelve_note_required=row.shelve is not None and row.shelve.note_required,
        acknowledge_note_required=row.acknowledge_note_required,
    )


def _order(timing: Timing) -> Literal["at_once", "after", "next_round"]:
    if timing.after is None:
        return "next_round"
    return "at_once" if timing.at_once else "after"


def _order_after_s(timing: Timing) -> float | None:
    return None if timing.after is None or timing.at_once else timing.after.total_seconds()


def _default(context: Context, kind: str) -> GradeDefault:
    pack = context.packs.get(kind)
    return _NO_PACK if pack is None else pack.grade


async def _kinds(connection: Connection, context: Context, site: Site) -> Sequence[KindGradeOut]:
    there = Counter(each.kind for each in await facilities.facilities(connection, site.id))
    decided = await site_settings.in_force(connection, site.id)
    return [_kind(context, kind, decided, count) for kind, count in sorted(there.items())]


def _kind(context: Context, kind: str, decided: Mapping[str, Setting], count: int) -> KindGradeOut:
    default, said = _default(context, kind), standing(decided.get(f"{site_settings.GRADE}.{kind}"))
    return KindGradeOut(
        kind=kind,
        title=kind_name(context, kind),
        grade=default.grade if said is None else Grade(said.value),
        default=default.grade,
        default_reason=named(default.reason),
        default_source=default.source,
        decided=said,
        facilities=count,
    )


async def _facility(connection: Connection, context: Context, site_key: str, key: str) -> FacilityGradeOut:
    site = await facility_list.find_site(connection, site_key)
    facility: Facility = await facility_list.find(connection, site_key, key)
    said = standing((await site_settings.in_force(connection, site.id, facility.id)).get(site_settings.GRADE))
    there = [each for each in await facilities.facilities(connection, site.id) if each.kind == facility.kind]
    of_kind = _kind(context, facility.kind, await site_settings.in_force(connection, site.id), len(there))
    comes_from: Literal["facility", "kind", "default", "registered"] = "registered"
    if said is not None:
        comes_from = "facility"
    elif facility.grade == of_kind.grade:
        comes_from = "default" if of_kind.decided is None else "kind"
    return FacilityGradeOut(grade=facility.grade, comes_from=comes_from, decided=said, of_kind=of_kind)
