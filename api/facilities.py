"""Facilities: where they are, what is measured there now, what is installed, what is wrong."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from api import paging
from api.catalogue import CATALOGUE
from api.context import Context, InContext, needs
from api.place_photos import PlacePhotoOut, place_photo_out
from api.problems import refusals
from api.rights import Right
from api.shapes import Answered, Key, Limit, Name, PageOf, Word
from estate.types import service_terms
from ledger import facilities, facility_list, place_photos, services
from ledger.facility_list import CurrentValue, FacilityEntry, FacilityFilter
from ledger.fitness_lifecycle import FitnessState
from ledger.records import Grade, PointKind, Quality

router = APIRouter(tags=["facilities"])

_STALE_AFTER_INTERVALS = 3  # as the rules count it (rules/watch.py)


class FacilityQuery(Limit):
    site: Key | None = None
    kind: Key | None = None
    grade: Grade | None = None
    location: Annotated[Key | None, Field(description="at this place or anywhere in it")] = None
    gateway: Key | None = None
    words: Annotated[Word | None, Field(description="part of the key or of a name")] = None
    fitness: Annotated[
        Sequence[FitnessState] | None,
        Field(max_length=len(FitnessState), description="any of these; what nobody found anything wrong with is fit"),
    ] = None
    values: Annotated[bool, Field(description="with the current values")] = False


class Value(Answered):
    """What a point said last. `value` is a number, a boolean for states and events, a label for enumerations."""

    point: str
    part: str | None
    part_kind: str | None = Field(description="as in `parts` of the kind's vocabulary")
    part_name: Name | None
    name: Name
    kind: PointKind
    unit: str
    ts: datetime | None = Field(description="device time; null: it has never said anything")
    value: float | bool | str | None = Field(description="null: nothing yet, or the sensor says it is broken")
    quality: Literal["good", "sensor_fault", "out_of_range"] | None
    report_interval_s: float | None = Field(description="how often it speaks; null: when it changes")
    stale: bool | None = Field(
        description="silent for three of its intervals; a point that reports on change: its gateway is offline; "
        "null: nobody can say"
    )


class GatewayOut(Answered):
    key: str
    online: bool | None = Field(description="null: it has never said")
    heard_at: datetime | None


class FitnessOut(Answered):
    """Whether it can be used, by what people found who looked at it."""

    state: FitnessState
    state_name: Name
    since: datetime
    work_order: int | None = Field(description="of what was found; null: it is fit")


class FacilityOut(Answered):
    """A graded function in its place."""

    site: str
    key: str
    kind: str
    kind_name: Name
    type: str | None = Field(description="the facility type it was picked as; null: described by its parts alone")
    name: Name
    grade: Grade
    location: str
    location_name: Name
    gateway: GatewayOut | None = Field(description="the gateway that speaks for it; null: seen by people only")
    expected_end_on: date | None = Field(
        description="the earliest end of the expected life of what is installed there; null: nobody can say"
    )
    open_alarms: int
    open_work_orders: int
    fitness: FitnessOut | None = Field(description="null: no visit has found anything wrong with it yet")
    values: Sequence[Value] | None = Field(description="null: not asked for")


class FacilityPage(PageOf):
    items: Sequence[FacilityOut]


class PartOut(Answered):
    key: str
    kind: str
    name: Name


class AssetOut(Answered):
    """The piece installed at the facility or a part of it from one day to another."""

    part: str | None
    maker: str
    model: str
    serial: str | None
    manufactured_on: date | None
    installed_on: date
    expected_end_on: date | None = Field(description="end of its expected life; null: nobody can say")
    removed_on: date | None
    is_serviced: bool = Field(description="it goes to the workshop now and then")
    serviced_on: date | None = Field(description="null: no service is on record")
    next_service_on: date | None = Field(description="null: none before its end, or nobody can say")


class FacilityDetail(Answered):
    facility: FacilityOut
    parts: Sequence[PartOut]
    relations: dict[str, str] = Field(description="name of the relation -> key of the other facility")
    assets: Sequence[AssetOut]
    place_photo: PlacePhotoOut | None = Field(description="by which its place is found; null: nobody took one")


@router.get(
    "/facilities", summary="Facilities in order of site and key", responses=refusals(), dependencies=[needs(Right.READ)]
)
async def list_facilities(query: Annotated[FacilityQuery, Query()], context: InContext) -> FacilityPage:
    wanted = FacilityFilter(
        query.site, query.kind, query.grade, query.location, query.gateway, query.words, query.fitness
    )
    after = paging.two_keys(query.after)
    now = context.clock()
    async with context.transaction() as connection:
        rows = await facility_list.page(connection, wanted, after=after, limit=query.limit + 1)
        shown, cursor = paging.cut(rows, query.limit, lambda each: (each.site_key, each.key))
        found = await facility_list.current_values(connection, [each.id for each in shown if query.values])
    return FacilityPage(items=[_facility(context, each, found.get(each.id), now) for each in shown], next=cursor)


@router.get(
    "/facilities/{site}/{facility}",
    summary="One facility with all that belongs to it",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def get_facility(site: Key, facility: Key, context: InContext) -> FacilityDetail:
    now = context.clock()
    async with context.transaction() as connection:
        entry = await facility_list.get(connection, site, facility)
        values = (await facility_list.current_values(connection, [entry.id]))[entry.id]
        parts = await facilities.parts(connection, entry.id)
        relations = await facility_list.relations(connection, entry.id)
        assets = await facilities.assets(connection, entry.id)
        photo = await place_photos.find(connection, entry.id)
        pieces = await services.of_facilities(connection, [entry.id], service_terms())
        serviced = {each.asset_id: each for each in pieces}
    return FacilityDetail(
        facility=_facility(context, entry, values, now),
        parts=[PartOut(key=each.key, kind=each.kind, name=Name(zh=each.name_zh, en=each.name_en)) for each in parts],
        relations=dict(relations),
        assets=[
            AssetOut(
                part=each.part_key,
                maker=each.maker,
                model=each.model,
                serial=each.serial,
                manufactured_on=each.manufactured_on,
                installed_on=each.installed_on,
                expected_end_on=each.expected_end_on,
                removed_on=each.removed_on,
                is_serviced=each.id in serviced,
                serviced_on=serviced[each.id].serviced_on if each.id in serviced else None,
                next_service_on=serviced[each.id].next_on if each.id in serviced else None,
            )
            for each in assets
        ],
        place_photo=None if photo is None else place_photo_out(photo),
    )


def kind_name(context: Context, kind: str) -> Name:
    """The title of the kind's pack; a kind without a pack stands for itself."""
    pack = context.packs.get(kind)
    return Name(zh=kind, en=kind) if pack is None else Name(zh=pack.title.zh, en=pack.title.en)


def _facility(
    context: Context, entry: FacilityEntry, values: Sequence[CurrentValue] | None, now: datetime
) -> FacilityOut:
    gateway = None
    if entry.gateway_key is not None:
        gateway = GatewayOut(key=entry.gateway_key, online=entry.gateway_online, heard_at=entry.gateway_heard_at)
    return FacilityOut(
        site=entry.site_key,
        key=entry.key,
        kind=entry.kind,
        kind_name=kind_name(context, entry.kind),
        type=entry.type_key,
        name=Name(zh=entry.name_zh, en=entry.name_en),
        grade=entry.grade,
        location=entry.location_key,
        location_name=Name(zh=entry.location_name_zh, en=entry.location_name_en),
        gateway=gateway,
        expected_end_on=entry.expected_end_on,
        open_alarms=entry.open_alarms,
        open_work_orders=entry.open_orders,
        fitness=None
        if entry.fitness is None or entry.fitness_since is None
        else FitnessOut(
            state=entry.fitness,
            state_name=CATALOGUE.text("fitness_state", entry.fitness),
            since=entry.fitness_since,
            work_order=entry.fitness_order,
        ),
        values=None if values is None else [_value(each, gateway, now) for each in values],
    )


def _value(point: CurrentValue, gateway: GatewayOut | None, now: datetime) -> Value:
    return Value(
        point=point.key,
        part=point.part_key,
        part_kind=point.part_kind,
        part_name=None
        if point.part_name_zh is None or point.part_name_en is None
        else Name(zh=point.part_name_zh, en=point.part_name_en),
        name=Name(zh=point.name_zh, en=point.name_en),
        kind=point.kind,
        unit=point.unit,
        ts=point.ts,
        value=shown_value(point.kind, point.labels, point.value, point.quality),
        quality=None if point.quality is None else QUALITY_KEYS[point.quality],
        report_interval_s=point.report_interval_s,
        stale=_is_stale(point, gateway, now),
    )


QUALITY_KEYS: dict[Quality, Literal["good", "sensor_fault", "out_of_range"]] = {
    Quality.GOOD: "good",
    Quality.SENSOR_FAULT: "sensor_fault",
    Quality.OUT_OF_RANGE: "out_of_range",
}
assert set(QUALITY_KEYS.values()) == set(CATALOGUE.sections["quality"])


def shown_value(
    kind: PointKind, labels: Mapping[int, str], value: float | None, quality: Quality | None
) -> float | bool | str | None:
    """A stored number as what it means: a boolean, a label, or itself."""
    if value is None or quality is Quality.SENSOR_FAULT:
        return None
    if kind in (PointKind.STATE, PointKind.EVENT):
        return value != 0
    if kind is PointKind.ENUM:
        return labels.get(int(value), str(int(value)))
    return value


def _is_stale(point: CurrentValue, gateway: GatewayOut | None, now: datetime) -> bool | None:
    if point.report_interval_s is None:
        return None if gateway is None or gateway.online is None else not gateway.online
    if point.ts is None:
        return None
    return now - point.ts > _STALE_AFTER_INTERVALS * timedelta(seconds=point.report_interval_s)
