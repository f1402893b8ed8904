"""Sites, and the tree of places in each."""

from collections.abc import Sequence
from datetime import time

from fastapi import APIRouter

from api.context import InContext, needs
from api.problems import refusals
from api.rights import Right
from api.shapes import Answered, Key, Name
from ledger import facilities, facility_list
from ledger.records import Location, Site

router = APIRouter(tags=["sites"])


class SiteOut(Answered):
    """An estate with its own time zone, round and contract."""

    key: str
    name: Name
    time_zone: str
    round_at: time
    sla_profile: str


class SitesOut(Answered):
    items: Sequence[SiteOut]


class LocationOut(Answered):
    """A place with the places in it."""

    key: str
    name: Name
    locations: Sequence["LocationOut"]


class LocationsOut(Answered):
    """The roots of a site's tree."""

    site: str
    items: Sequence[LocationOut]


@router.get(
    "/sites", summary="Every site in scope, in order of key", responses=refusals(), dependencies=[needs(Right.READ)]
)
async def list_sites(context: InContext) -> SitesOut:
    async with context.transaction() as connection:
        return SitesOut(items=[_site(each) for each in await facilities.sites(connection)])


@router.get("/sites/{site}", summary="One site", responses=refusals(404), dependencies=[needs(Right.READ)])
async def get_site(site: Key, context: InContext) -> SiteOut:
    async with context.transaction() as connection:
        return _site(await facility_list.find_site(connection, site))


@router.get(
    "/sites/{site}/locations",
    summary="The tree of places of a site",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def list_locations(site: Key, context: InContext) -> LocationsOut:
    async with context.transaction() as connection:
        found = await facility_list.find_site(connection, site)
        return LocationsOut(site=site, items=_below(None, await facilities.locations(connection, found.id)))


def _site(site: Site) -> SiteOut:
    return SiteOut(
        key=site.key,
        name=Name(zh=site.name_zh, en=site.name_en),
        time_zone=site.time_zone,
        round_at=site.round_at,
        sla_profile=site.sla_profile,
    )


def _below(parent_id: int | None, locations: Sequence[Location]) -> list[LocationOut]:
    return [
        LocationOut(key=each.key, name=Name(zh=each.name_zh, en=each.name_en), locations=_below(each.id, locations))
        for each in locations
        if each.parent_id == parent_id
    ]
