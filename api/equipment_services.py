"""Services of equipment: put on record, for many facilities at once; when each piece is to be serviced next."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response
from pydantic import Field

from api.context import needs
from api.deeds import DeedOf
from api.problems import refusals, unacceptable
from api.rights import Right
from api.shapes import Answered, Asked, Key, Text
from estate.types import service_terms
from ledger import facility_list, services
from ledger.pool import Connection

router = APIRouter(tags=["inspection plans"])

FACILITIES_MAX = 300


class ServicesIn(Asked):
    site: Key
    facilities: Annotated[Sequence[Key], Field(min_length=1, max_length=FACILITIES_MAX)]
    serviced_on: Annotated[date | None, Field(description="null: what is on record was not so, and counts no more")]
    note: Annotated[Text, Field(description="who did it; or why the record is struck")]


class ServicedOut(Answered):
    facility: str
    part: str | None = Field(description="where in the facility; null: the whole")
    serviced_on: date | None
    next_on: date | None = Field(description="null: it ends before, or nobody knows when it was made")


class ServicesOut(Answered):
    items: Sequence[ServicedOut]


@router.post(
    "/equipment-services",
    summary="Put a service on record: what hangs at these facilities came back from the workshop",
    response_model=ServicesOut,
    responses=refusals(404),
    dependencies=[needs(Right.ESTATE)],
)
async def record_services(asked: ServicesIn, deed: DeedOf) -> Response:
    """Of a piece the newest record counts, whatever day it says: who mistyped records it again."""

    async def act(connection: Connection) -> ServicesOut:
        site = await facility_list.find_site(connection, asked.site)
        if asked.serviced_on is not None and asked.serviced_on > deed.now.astimezone(ZoneInfo(site.time_zone)).date():
            raise unacceptable("body.serviced_on", "serviced_later")
        wanted = {(await facility_list.find(connection, asked.site, each)).id: each for each in asked.facilities}
        pieces = await services.of_facilities(connection, [*wanted], service_terms())
        bare = wanted.keys() - {each.facility_id for each in pieces}
        if bare:
            raise unacceptable("body.facilities", "nothing_serviced", facility=wanted[min(bare)])
        for each in pieces:
            if asked.serviced_on and each.manufactured_on and asked.serviced_on < each.manufactured_on:
                raise unacceptable("body.serviced_on", "serviced_before_made", facility=wanted[each.facility_id])
        note = asked.note
        await services.record(connection, site.id, pieces, asked.serviced_on, note=note, actor=deed.actor, now=deed.now)
        return ServicesOut(
            items=[
                ServicedOut(
                    facility=wanted[each.facility_id],
                    part=each.part_key,
                    serviced_on=each.serviced_on,
                    next_on=each.next_on,
                )
                for each in await services.of_facilities(connection, [*wanted], service_terms())
            ]
        )

    return await deed.do(act)
