"""Plans of rounds over HTTP, and what the law's calendar says is due at each facility."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api import paging
from api.catalogue import CATALOGUE
from api.context import Context, InContext, needs
from api.deeds import DeedOf
from api.inspections import Outcome
from api.problems import refusals, unacceptable
from api.rights import Right
from api.shapes import Answered, Asked, FacilityRef, Key, Limit, Name, PageOf, Word
from api.work_orders import Title
from inspection import due
from inspection.checklist import Period
from inspection.due import Due, DueState
from ledger import facility_list, inspection_due, plans
from ledger.inspection_due import Standing
from ledger.plans import Plan, PlanStop, Wanted
from ledger.pool import Connection
from ledger.records import Site

router = APIRouter(tags=["inspection plans"])

STOPS_MAX = 300
RoundPeriod = Literal["day", "week", "month"]


class StopIn(Asked):
    """`leg_s`: nobody walks here from the stop before in less; `dwell_s`: nobody looks at it in less."""

    facility: Key
    leg_s: Annotated[int, Field(ge=0, le=3600)] = 10
    dwell_s: Annotated[int, Field(ge=0, le=3600)] = 5


class PlanIn(Asked):
    """Makes the plan, or changes the one of this key as a whole."""

    site: Key
    key: Key
    name: Title
    grid: Annotated[Word | None, Field(description="网格")] = None
    officer: Annotated[Word, Field(description="who answers for it, and reviews what is doubted")]
    substitute: Word | None = None
    period: RoundPeriod
    days: Annotated[Sequence[Annotated[int, Field(ge=1, le=31)]], Field(max_length=31)] = ()
    starts_at: Annotated[time, Field(description="local time of the site")]
    window_min: Annotated[int, Field(ge=5, le=1440)]
    ordered: bool = False
    stops: Annotated[Sequence[StopIn], Field(min_length=1, max_length=STOPS_MAX)]


class StopOut(Answered):
    seq: int
    facility: str
    name: Name
    place: Name
    kind: str
    leg_s: int
    dwell_s: int


class PlanOut(Answered):
    site: str
    key: str
    name: Name
    grid: str | None
    officer: str
    substitute: str | None
    period: RoundPeriod
    days: Sequence[int]
    starts_at: time
    window_min: int
    ordered: bool
    made_at: datetime
    made_by: str
    retired_at: datetime | None
    stops: Sequence[StopOut]


class PlansOut(Answered):
    """Living ones, in order of site and key."""

    items: Sequence[PlanOut]


class PlansQuery(Asked):
    site: Key | None = None


class DueQuery(Limit):
    site: Key
    state: DueState | None = None
    kind: Key | None = None


class FacilityDue(Answered):
    facility: FacilityRef
    kind: str
    state: DueState
    state_name: Name
    period: Period
    period_name: Name
    begins_on: date
    ends_on: date
    checked_at: datetime | None
    outcome: Outcome | None
    has_tag: bool
    expected_end_on: date | None = Field(description="scrap date of the first piece there to reach it")


class DuePage(PageOf):
    """In order of key. `counts`: of all that the filters but `state` leave."""

    counts: Mapping[DueState, int]
    items: Sequence[FacilityDue]


@router.get(
    "/inspection-due", summary="What is due by the calendar", responses=refusals(404), dependencies=[needs(Right.READ)]
)
async def list_inspection_due(query: Annotated[DueQuery, Query()], context: InContext) -> DuePage:
    after = paging.two_keys(query.after)
    kinds = [each.kind for each in context.book.all_current() if query.kind in (None, each.kind)]
    async with context.transaction() as connection:
        site = await facility_list.find_site(connection, query.site)
        standings = await inspection_due.of_site(connection, site.id, kinds)
    told = [(each, _due(context, site, each)) for each in standings]
    counts = {state: sum(one.state is state for _, one in told) for state in DueState}
    shown = [(each, one) for each, one in told if query.state in (None, one.state)]
    rest = [each for each in shown if after is None or each[0].key > after[1]]
    cut, cursor = paging.cut(rest[: query.limit + 1], query.limit, lambda each: (site.key, each[0].key))
    return DuePage(counts=counts, items=[_due_out(site, *each) for each in cut], next=cursor)


def _due(context: Context, site: Site, standing: Standing) -> Due:
    checklist = context.book.current(standing.kind)
    assert checklist is not None, "only kinds with a checklist were asked for"
    period = due.period_at(checklist.interval, standing.place_names)
    return due.due(period, standing.checked_at, standing.tagged_at, site.time_zone, context.clock())


def _due_out(site: Site, standing: Standing, found: Due) -> FacilityDue:
    return FacilityDue(
        facility=FacilityRef(
            site=site.key,
            key=standing.key,
            name=Name(zh=standing.name_zh, en=standing.name_en),
            grade=standing.grade,
        ),
        kind=standing.kind,
        state=found.state,
        state_name=CATALOGUE.text("due_state", found.state),
        period=found.period,
        period_name=CATALOGUE.text("check_period", found.period),
        begins_on=found.begins_on,
        ends_on=found.ends_on,
        checked_at=standing.checked_at,
        outcome=None if standing.outcome is None else Outcome(standing.outcome),
        has_tag=standing.has_living_tag,
        expected_end_on=standing.expected_end_on,
    )


# ------------------------------------------------------------------ plans


@router.get("/inspection-plans", summary="Plans of rounds", responses=refusals(), dependencies=[needs(Right.READ)])
async def list_inspection_plans(query: Annotated[PlansQuery, Query()], context: InContext) -> PlansOut:
    async with context.transaction() as connection:
        found = await plans.of_site(connection, query.site)
        return PlansOut(items=[plan_out(each, await plans.stops(connection, each.id)) for each in found])


@router.get(
    "/inspection-plans/{site}/{plan}",
    summary="One plan with its route",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def get_inspection_plan(site: Key, plan: Key, context: InContext) -> PlanOut:
    async with context.transaction() as connection:
        return await _plan(connection, site, plan)


@router.post(
    "/inspection-plans",
    summary="Make or change a plan",
    response_model=PlanOut,
    responses=refusals(404),
    dependencies=[needs(Right.ESTATE)],
)
async def put_inspection_plan(asked: PlanIn, deed: DeedOf) -> Response:
    _require_days(asked)

    async def act(connection: Connection) -> PlanOut:
        site = await facility_list.find_site(connection, asked.site)
        stops = [
            ((await facility_list.find(connection, asked.site, each.facility)).id, each.leg_s, each.dwell_s)
            for each in asked.stops
        ]
        wanted = _wanted(site, asked, stops)
        await plans.put(connection, wanted, actor=deed.actor, now=deed.now)
        return await _plan(connection, asked.site, asked.key)

    return await deed.do(act)


@router.post(
    "/inspection-plans/{site}/{plan}/retire",
    summary="No more rounds by this plan",
    response_model=PlanOut,
    responses=refusals(404),
    dependencies=[needs(Right.ESTATE)],
)
async def retire_inspection_plan(site: Key, plan: Key, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> PlanOut:
        found = await plans.find(connection, site, plan)
        await plans.retire(connection, found.id, deed.now)
        return await _plan(connection, site, plan)

    return await deed.do(act)


@dataclass(frozen=True, slots=True)
class _Days:
    least: int
    most: int


_DAYS = {
    "day": _Days(0, 0),
    "week": _Days(1, 7),
    "month": _Days(1, 31),
}


def _require_days(asked: PlanIn) -> None:
    fits = _DAYS[asked.period]
    if not fits.least <= len(set(asked.days)) <= fits.most or any(each > fits.most for each in asked.days):
        raise unacceptable("body.days", f"plan_days_{asked.period}")
    named = [each.facility for each in asked.stops]
    twice = next((each for each in named if named.count(each) > 1), None)
    if twice is not None:
        raise unacceptable("body.stops", "plan_stop_twice", facility=twice)


def _wanted(site: Site, asked: PlanIn, stops: Sequence[tuple[int, int, int]]) -> Wanted:
    return Wanted(
        site_id=site.id,
        key=asked.key,
        name_zh=asked.name.zh,
        name_en=asked.name.en or asked.name.zh,
        grid=asked.grid,
        officer=asked.officer,
        substitute=asked.substitute,
        period=asked.period,
        days=sorted(set(asked.days)),
        starts_at=asked.starts_at.replace(tzinfo=None),
        window_min=asked.window_min,
        ordered=asked.ordered,
        stops=stops,
    )


async def _plan(connection: Connection, site: str, key: str) -> PlanOut:
    found = await plans.find(connection, site, key)
    return plan_out(found, await plans.stops(connection, found.id))


def plan_out(plan: Plan, stops: Sequence[PlanStop]) -> PlanOut:
    return PlanOut(
        site=plan.site_key,
        key=plan.key,
        name=Name(zh=plan.name_zh, en=plan.name_en),
        grid=plan.grid,
        officer=plan.officer,
        substitute=plan.substitute,
        period=plan.period,  # pyright: ignore[reportArgumentType]  the column is an enumeration of these
        days=plan.days,
        starts_at=plan.starts_at,
        window_min=plan.window_min,
        ordered=plan.ordered,
        made_at=plan.made_at,
        made_by=plan.made_by,
        retired_at=plan.retired_at,
        stops=[stop_out(each) for each in stops],
    )


def stop_out(stop: PlanStop) -> StopOut:
    return StopOut(
        seq=stop.seq,
        facility=stop.facility_key,
        name=Name(zh=stop.facility_name_zh, en=stop.facility_name_en),
        place=Name(zh=stop.location_name_zh, en=stop.location_name_en),
        kind=stop.facility_kind,
        leg_s=stop.leg_s,
        dwell_s=stop.dwell_s,
    )
