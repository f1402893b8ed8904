"""What came in over MQTT: the account of all of it, and the quarantine of what was refused and why."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from api import paging
from api.catalogue import CATALOGUE
from api.context import InContext, needs
from api.problems import refusals, unacceptable
from api.rights import Right
from api.shapes import Answered, Key, Limit, Moment, PageOf, Reason
from ledger import intake
from ledger.intake import AccountKey, Quarantined

router = APIRouter(tags=["intake"])

_BUCKET_S = {"1m": 60, "15m": 900, "1h": 3600, "1d": 86400}
_SPAN_MAX = timedelta(days=366)


class CountsOut(Answered):
    """received = accepted + duplicate + quarantined; values_received = stored + repeated + conflict + refused."""

    received: int
    accepted: int
    duplicate: int
    quarantined: int
    values_received: int
    stored: int
    repeated: int
    conflict: int
    refused: int
    late: int
    seq_gaps: int


class AccountOut(Answered):
    """What one gateway sent in one span. Empty keys: the topic named none we know."""

    begin: datetime
    site: str
    gateway: str
    counts: CountsOut


class AccountPage(PageOf):
    """Oldest first. `total` is over the whole span asked for, not over the page."""

    items: Sequence[AccountOut]
    total: CountsOut


class AccountQuery(Limit):
    site: Key | None = None
    begin: Annotated[Moment, Field(alias="from", description="received at or after, our time")]
    end: Annotated[Moment, Field(alias="until", description="received before; at most 366 days later")]
    bucket: Literal["1m", "15m", "1h", "1d"] = "1h"


class QuarantineQuery(Limit):
    site: Key | None = None
    reason: Key | None = None


class SampleOut(Answered):
    """One refused message, or as much of it as is kept."""

    at: datetime
    detail: str
    payload: str
    encoding: Literal["text", "base64"] = Field(description="of `payload`")
    truncated: bool


class QuarantinedOut(Answered):
    """All that was refused of one topic for one reason; empty site: the topic names none we know."""

    id: int
    site: str
    topic: str
    reason: Reason
    count: int
    first_at: datetime
    last_at: datetime
    samples: Sequence[SampleOut] = Field(
        description="ten at most, newest first; where many are refused at once, not each of them becomes one"
    )


class QuarantinePage(PageOf):
    """By `last_at`, newest first."""

    items: Sequence[QuarantinedOut]


@router.get("/intake", summary="The account of what came in", responses=refusals(), dependencies=[needs(Right.READ)])
async def list_intake(query: Annotated[AccountQuery, Query()], context: InContext) -> AccountPage:
    if not query.begin < query.end <= query.begin + _SPAN_MAX:
        raise unacceptable("query.until", "span", days=_SPAN_MAX.days)
    place = paging.moment_and_two_keys(query.after)
    async with context.transaction() as connection:
        rows = await intake.accounts(
            connection,
            begin=query.begin,
            end=query.end,
            site_key=query.site,
            bucket_s=_BUCKET_S[query.bucket],
            after=None if place is None else AccountKey(*place),
            limit=query.limit + 1,
        )
        total = await intake.totals(connection, begin=query.begin, end=query.end, site_key=query.site)
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each[0].minute, each[0].site_key, each[0].gateway_key))
    return AccountPage(
        items=[
            AccountOut(
                begin=key.minute, site=key.site_key, gateway=key.gateway_key, counts=CountsOut(**asdict(account))
            )
            for key, account in shown
        ],
        next=cursor,
        total=CountsOut(**asdict(total)),
    )


@router.get(
    "/quarantine",
    summary="What was refused, by topic and reason",
    responses=refusals(),
    dependencies=[needs(Right.READ)],
)
async def list_quarantine(query: Annotated[QuarantineQuery, Query()], context: InContext) -> QuarantinePage:
    before = paging.moment_and_id(query.after)
    async with context.transaction() as connection:
        rows = await intake.quarantined(
            connection, site_key=query.site, reason=query.reason, before=before, limit=query.limit + 1
        )
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each.last_at, each.id))
    return QuarantinePage(items=[_quarantined(each) for each in shown], next=cursor)


def _quarantined(found: Quarantined) -> QuarantinedOut:
    return QuarantinedOut(
        id=found.id,
        site=found.site_key,
        topic=found.topic,
        reason=CATALOGUE.reason("quarantine_reason", found.reason),
        count=found.count,
        first_at=found.first_at,
        last_at=found.last_at,
        samples=[SampleOut.model_validate(each) for each in found.samples],
    )
