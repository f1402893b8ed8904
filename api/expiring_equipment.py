"""Equipment that has reached its end, or will soon: what to order, and what hangs there that does not count any more."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import Field

from api import paging
from api.catalogue import CATALOGUE
from api.context import InContext, needs
from api.facilities import kind_name
from api.problems import refusals
from api.rights import Right
from api.shapes import Answered, FacilityRef, Key, Limit, Name, PageOf
from estate.types import service_terms
from inspection.expiry import LOOK_AHEAD_DAYS_MAX, Expiry, expiry
from ledger import expiring, facility_list
from ledger.expiring import Expiring, Interval

router = APIRouter(tags=["inspection plans"])


class ExpiringQuery(Limit):
    site: Key
    kind: Key | None = None
    days: Annotated[int, Field(ge=0, le=LOOK_AHEAD_DAYS_MAX, description="so many days ahead; 0: what has ended")] = 60


class ExpiringOut(Answered):
    facility: FacilityRef
    kind: str
    kind_name: Name
    place: Name
    part: str | None = Field(description="where in the facility; null: the whole")
    maker: str
    model: str
    serial: str | None
    manufactured_on: date | None
    interval: Interval = Field(description="its life, or the time until it is serviced")
    interval_name: Name
    ends_on: date = Field(description="the last day of it, by its type, its age and the services on record")
    days_left: int = Field(description="by the site's calendar; below 0: so long ago")
    expiry: Expiry
    expiry_name: Name


class ExpiringPage(PageOf):
    """The first to end first."""

    items: Sequence[ExpiringOut]


@router.get(
    "/equipment-expiry",
    summary="Equipment that ends soon or has, and what is to be serviced",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def list_expiring_equipment(query: Annotated[ExpiringQuery, Query()], context: InContext) -> ExpiringPage:
    """Extinguishers by agent and age, hoses, detectors, lamps: whatever has a life in its type or a date of its own."""
    before = paging.day_and_id(query.after)
    async with context.transaction() as connection:
        site = await facility_list.find_site(connection, query.site)
        today = context.clock().astimezone(ZoneInfo(site.time_zone)).date()
        rows = await expiring.page(
            connection,
            query.site,
            terms=service_terms(),
            until=today + timedelta(days=query.days) if query.days else today - timedelta(days=1),
            kind=query.kind,
            after=before,
            limit=query.limit + 1,
        )
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each.ends_on.isoformat(), each.asset_id))
    return ExpiringPage(items=[_out(each, context, today) for each in shown], next=cursor)


def _out(found: Expiring, context: InContext, today: date) -> ExpiringOut:
    step = expiry(found.ends_on, today)
    return ExpiringOut(
        facility=FacilityRef.of(found),
        kind=found.facility_kind,
        kind_name=kind_name(context, found.facility_kind),
        place=Name(zh=found.location_name_zh, en=found.location_name_en),
        part=found.part_key,
        maker=found.maker,
        model=found.model,
        serial=found.serial,
        manufactured_on=found.manufactured_on,
        interval=found.interval,
        interval_name=CATALOGUE.text("expiry_interval", found.interval),
        ends_on=found.ends_on,
        days_left=(found.ends_on - today).days,
        expiry=step,
        expiry_name=CATALOGUE.text("expiry", step),
    )
