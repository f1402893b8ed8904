"""What people decided for a site, with who decided it and why: the shape that grades and contracts share, and the list."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api import paging
from api.context import InContext, needs
from api.problems import refusals
from api.rights import Right
from api.shapes import Answered, Key, Limit, PageOf
from ledger import facility_list, site_settings
from ledger.site_settings import Setting

router = APIRouter(tags=["grades and contracts"])


class DecisionOut(Answered):
    """The newest word on one thing. `value` null: what stands behind it counts again."""

    name: str = Field(description="`sla_profile`, `clock.high.arrive_by`, `grade.elevator`; of a facility: `grade`")
    facility: str | None = Field(description="null: of the whole site")
    value: str | None
    author: str
    reason: str
    set_at: datetime


class DecisionPage(PageOf):
    """Newest first."""

    items: Sequence[DecisionOut]


class DecisionQuery(Limit):
    name: Annotated[str | None, Field(max_length=200, description="as in `name` of a decision")] = None
    facility: Key | None = None


@router.get(
    "/sites/{site}/decisions",
    summary="Every grade, contract and clock that was decided for a site, newest first",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def list_decisions(site: Key, query: Annotated[DecisionQuery, Query()], context: InContext) -> DecisionPage:
    before = paging.number(query.after)
    async with context.transaction() as connection:
        found = await facility_list.find_site(connection, site)
        rows = await site_settings.history(
            connection, found.id, name=query.name, facility=query.facility, before_id=before, limit=query.limit + 1
        )
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each.id,))
    return DecisionPage(items=[decision(each) for each in shown], next=cursor)


def decision(setting: Setting) -> DecisionOut:
    return DecisionOut(
        name=setting.name,
        facility=setting.facility_key,
        value=setting.value,
        author=setting.author,
        reason=setting.reason,
        set_at=setting.set_at,
    )


def standing(setting: Setting | None) -> DecisionOut | None:
    """The decision, if it is one that still says something."""
    return None if setting is None or setting.value is None else decision(setting)
