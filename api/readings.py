"""Readings of a point: raw or in spans of time, as JSON for charts and as CSV for everything else."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from api.context import InContext, needs
from api.facilities import QUALITY_KEYS, shown_value
from api.problems import refusals, unacceptable
from api.rights import Right
from api.shapes import Answered, Asked, Key, Moment, Name, PointKey
from api.tables import csv_file
from ledger import facilities, facility_list, readings
from ledger.errors import NotFound
from ledger.pool import Connection
from ledger.readings import Bucket
from ledger.records import Point, PointKind, Quality, Reading, Site

router = APIRouter(tags=["readings"])

SPAN_MAX = timedelta(days=366)
ROWS_MAX = 10_000
CSV_ROWS_MAX = 100_000
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_BUCKET_S_MAX = 31 * 86400


def _width(text: str) -> str:
    match = re.fullmatch(r"([1-9][0-9]{0,6})([smhd])", text)
    if match is None or int(match[1]) * _UNIT_S[match[2]] > _BUCKET_S_MAX:
        raise PydanticCustomError("bucket", "a span is written as 30s, 5m, 1h or 1d, and has at most 31 days")
    return text


class SpanQuery(Asked):
    """From when until before when, in device time."""

    begin: Annotated[Moment, Field(alias="from", description="the first moment, RFC 3339 with zone")]
    end: Annotated[Moment, Field(alias="until", description="the first moment after it; at most 366 days later")]
    bucket: Annotated[
        str | None,
        AfterValidator(_width),
        Field(
            description="30s, 5m, 1h, 1d: figures for each span instead of the readings themselves; days are the site's"
        ),
    ] = None


class ReadingsQuery(SpanQuery):
    limit: Annotated[int, Field(ge=1, le=ROWS_MAX)] = 1_000


class ReadingOut(Answered):
    ts: datetime
    value: float | bool | str | None = Field(description="null: the sensor said that it is broken")
    quality: Literal["good", "sensor_fault", "out_of_range"]


class BucketOut(Answered):
    """Figures over the good readings of a span; null where there is none."""

    ts: datetime = Field(description="its first moment")
    min: float | None
    max: float | None
    mean: float | None
    last: float | None
    count: int
    bad: int = Field(description="readings that were not good")


class ReadingsOut(Answered):
    """Either `readings` or `buckets` is there. `next` goes into `from` of the next request; null: this is all."""

    bucket: str | None = Field(
        description="the spans of `buckets`: those asked for, or an hour where readings are past their keeping"
    )
    dropped_until: datetime | None = Field(
        description="of the time before, there are figures of whole hours only; null: every reading is there"
    )

    point: str
    name: Name
    kind: PointKind
    unit: str
    readings: Sequence[ReadingOut] | None
    buckets: Sequence[BucketOut] | None
    next: datetime | None


@router.get(
    "/facilities/{site}/{facility}/points/{point}/readings",
    summary="Readings of a point over a span, oldest first",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def list_readings(
    site: Key, facility: Key, point: PointKey, query: Annotated[ReadingsQuery, Query()], context: InContext
) -> ReadingsOut:
    _check_span(query)
    async with context.transaction() as connection:
        home, found = await _find(connection, site, facility, point)
        dropped_until = await readings.dropped_until(connection, found.id)
        bucket = _at_least_an_hour(query, dropped_until)
        if bucket is None:
            rows = await readings.series(connection, found.id, query.begin, query.end, limit=query.limit + 1)
            shown = [_reading(found, each) for each in rows[: query.limit]]
            spans = None
        else:
            rows = await _buckets(connection, home, found, query, bucket, query.limit + 1)
            shown = None
            spans = [_bucket(each) for each in rows[: query.limit]]
    return ReadingsOut(
        point=found.key,
        name=Name(zh=found.name_zh, en=found.name_en),
        kind=found.kind,
        unit=found.unit,
        bucket=bucket,
        dropped_until=dropped_until,
        readings=shown,
        buckets=spans,
        next=rows[query.limit].ts if len(rows) > query.limit else None,
    )


@router.get(
    "/facilities/{site}/{facility}/points/{point}/readings.csv",
    summary="The same as CSV (RFC 4180, UTF-8): all of it or a refusal, nothing cut off",
    responses={**refusals(404), 200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    response_class=Response,
    dependencies=[needs(Right.READ)],
)
async def list_readings_csv(
    site: Key, facility: Key, point: PointKey, query: Annotated[SpanQuery, Query()], context: InContext
) -> Response:
    _check_span(query)
    async with context.transaction() as connection:
        home, found = await _find(connection, site, facility, point)
        bucket = _at_least_an_hour(query, await readings.dropped_until(connection, found.id))
        if bucket is None:
            rows = await readings.series(connection, found.id, query.begin, query.end, limit=CSV_ROWS_MAX + 1)
            header = ["ts", "value", "quality"]
            lines = (_reading(found, each) for each in rows)
        else:
            rows = await _buckets(connection, home, found, query, bucket, CSV_ROWS_MAX + 1)
            header = ["ts", "min", "max", "mean", "last", "count", "bad"]
            lines = (_bucket(each) for each in rows)
    if len(rows) > CSV_ROWS_MAX:
        raise unacceptable("query.until", "too_many_readings", rows=CSV_ROWS_MAX)
    return await csv_file(f"{site}_{facility}_{point}.csv", header, lines)


def _at_least_an_hour(query: SpanQuery, dropped_until: datetime | None) -> str | None:
    """The spans to answer with: where readings are gone there is nothing finer than an hour."""
    if query.bucket is None or dropped_until is None or query.begin >= dropped_until:
        return query.bucket
    return query.bucket if _seconds(query.bucket) >= _UNIT_S["h"] else "1h"


def _seconds(bucket: str) -> int:
    return int(bucket[:-1]) * _UNIT_S[bucket[-1]]


def _check_span(query: SpanQuery) -> None:
    if not query.begin < query.end <= query.begin + SPAN_MAX:
        raise unacceptable("query.until", "span", days=SPAN_MAX.days)


async def _find(connection: Connection, site: str, facility: str, key: str) -> tuple[Site, Point]:
    home = await facility_list.find_site(connection, site)
    found = await facility_list.find(connection, site, facility)
    for point in await facilities.points(connection, home.id, found.id):
        if point.key == key:
            return home, point
    raise NotFound("point", f"{site}/{facility}/{key}")


async def _buckets(
    connection: Connection, site: Site, point: Point, span: SpanQuery, bucket: str, limit: int
) -> list[Bucket]:
    """Spans are counted from the site's midnight, so that its days are days."""
    origin = datetime(2000, 1, 1, tzinfo=ZoneInfo(site.time_zone)).astimezone(UTC)
    return await readings.buckets(
        connection, point.id, span.begin, span.end, bucket_s=_seconds(bucket), origin=origin, limit=limit
    )


def _reading(point: Point, reading: Reading) -> ReadingOut:
    labels: Mapping[int, str] = {code: label for label, code in point.codes.items()}
    return ReadingOut(
        ts=reading.ts,
        value=shown_value(point.kind, labels, reading.value, Quality(reading.quality)),
        quality=QUALITY_KEYS[Quality(reading.quality)],
    )


def _bucket(bucket: Bucket) -> BucketOut:
    return BucketOut(
        ts=bucket.ts,
        min=bucket.minimum,
        max=bucket.maximum,
        mean=bucket.mean,
        last=bucket.last,
        count=bucket.count,
        bad=bucket.bad,
    )
