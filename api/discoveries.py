"""What the quarantine speaks of and the ledger does not know, accepted into it: facilities, gateways, points.

What was refused until then stays refused: it was never stored, and its samples are all that is left of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from api.context import InContext, needs
from api.deeds import Deed, DeedOf
from api.estate_words import DifferenceOut, EstateFaulty, difference_out
from api.problems import refusals
from api.rights import Right
from api.shapes import Answered, Asked, Id, Key, Name, PointKey, Word
from estate import bring_in, discovery
from estate.discovery import Likeness, Way
from estate.faults import EstateErrors
from estate.plan import Plan
from estate.types import shipped
from ingest import wire
from ledger import intake
from ledger.errors import Conflict, Refused
from ledger.intake import Quarantined
from ledger.pool import Connection
from ledger.standing import Standing
from rules.model import GATEWAY_KIND

router = APIRouter(tags=["intake"])

_SAMPLE_BYTES_MAX = 64 * 1024
_VALUES_MAX = 10_000


class NameIn(Asked):
    zh: Word
    en: Annotated[Word | None, Field(description="null: as in Chinese")] = None


class NewFacilityIn(Asked):
    type: Annotated[Key, Field(description="a facility type: what it has, and which rules watch it")]
    name: NameIn
    location: Key
    gateway: Annotated[Key | None, Field(description="the gateway that speaks for it")] = None


class NewGatewayIn(Asked):
    name: NameIn
    location: Key


class NewPointsIn(Asked):
    points: Annotated[Sequence[PointKey], Field(min_length=1, max_length=200)]


class PlaceOut(Answered):
    """`name` is the whole path."""

    key: str
    name: Name


class TypeOut(Answered):
    key: str
    name: Name
    heard: int = Field(description="how many of the points heard of it has")
    unheard_of: Sequence[str] = Field(description="what was heard and it has not: refused in future as well")


class UnknownPointOut(Answered):
    key: str
    way: Way | None = Field(description="how it can become a point; null: its kind has no such point")


class ProposalOut(Answered):
    """What can be accepted, and among what one chooses."""

    subject: Literal["facility", "gateway", "points"]
    site: str
    key: str
    known: bool = Field(description="nothing is left to accept: the ledger knows it now")
    heard: Sequence[str] = Field(description="points named in the samples")
    points: Sequence[UnknownPointOut]
    types: Sequence[TypeOut] = Field(description="the one most like what was heard first")
    locations: Sequence[PlaceOut]
    gateways: Sequence[PlaceOut]


class AcceptedOut(Answered):
    difference: DifferenceOut
    refused_before: int = Field(description="how many messages were refused until now; they stay refused")


@dataclass(frozen=True, slots=True)
class _Spoken:
    """What an entry of the quarantine speaks of."""

    entry: Quarantined
    subject: Literal["facility", "gateway", "points"]
    key: str
    heard: frozenset[str]


@router.get(
    "/quarantine/{entry}/proposal",
    summary="What of a refused topic can be accepted into the ledger",
    responses=refusals(404, 409),
    dependencies=[needs(Right.ESTATE)],
)
async def get_proposal(entry: Id, context: InContext) -> ProposalOut:
    async with context.transaction() as connection:
        spoken = _spoken(await intake.quarantined_entry(connection, entry))
        standing = await _standing(connection, spoken.entry.site_key)
    there = standing.facilities.get(spoken.key)
    living = there if there is not None and not there.retired else None
    pack = None if living is None else context.packs.get(living.kind)
    points = [] if living is None or pack is None else discovery.unknown_points(living, pack, spoken.heard)
    types = shipped()
    return ProposalOut(
        subject=spoken.subject,
        site=spoken.entry.site_key,
        key=spoken.key,
        known=not points if spoken.subject == "points" else living is not None,
        heard=sorted(spoken.heard),
        points=[UnknownPointOut(key=each.key, way=each.way) for each in points],
        types=[_type(each) for each in discovery.alike(types, context.packs, spoken.heard)],
        locations=list(_places(standing)),
        gateways=[
            PlaceOut(key=each.key, name=Name(zh=each.name_zh, en=each.name_en))
            for each in standing.facilities.values()
            if each.kind == GATEWAY_KIND and not each.retired
        ],
    )


@router.post(
    "/quarantine/{entry}/facility",
    summary="Accept an unknown facility",
    status_code=201,
    response_model=AcceptedOut,
    responses=refusals(404, 409),
    dependencies=[needs(Right.ESTATE)],
)
async def accept_facility(entry: Id, asked: NewFacilityIn, deed: DeedOf) -> Response:
    def plan(standing: Standing, spoken: _Spoken) -> Plan:
        return discovery.facility(
            standing,
            deed.context.packs,
            shipped(),
            key=spoken.key,
            type_key=asked.type,
            name=_names(asked.name),
            location=asked.location,
            gateway=asked.gateway,
        )

    return await _accept(deed, entry, "facility", plan)


@router.post(
    "/quarantine/{entry}/gateway",
    summary="Accept an unknown gateway",
    status_code=201,
    response_model=AcceptedOut,
    responses=refusals(404, 409),
    dependencies=[needs(Right.ESTATE)],
)
async def accept_gateway(entry: Id, asked: NewGatewayIn, deed: DeedOf) -> Response:
    def plan(standing: Standing, spoken: _Spoken) -> Plan:
        return discovery.gateway(
            standing,
            deed.context.packs,
            shipped(),
            key=spoken.key,
            name=_names(asked.name),
            location=asked.location,
        )

    return await _accept(deed, entry, "gateway", plan)


@router.post(
    "/quarantine/{entry}/points",
    summary="Accept points that a known facility was not known to have",
    status_code=201,
    response_model=AcceptedOut,
    responses=refusals(404, 409),
    dependencies=[needs(Right.ESTATE)],
)
async def accept_points(entry: Id, asked: NewPointsIn, deed: DeedOf) -> Response:
    def plan(standing: Standing, spoken: _Spoken) -> Plan:
        there = standing.facilities.get(spoken.key)
        if there is None or there.retired:
            raise Conflict(f"facility {spoken.key} is not there any more")
        return discovery.points(standing, deed.context.packs, shipped(), key=spoken.key, wanted=asked.points)

    return await _accept(deed, entry, "points", plan)


async def _accept(deed: Deed, entry: int, subject: str, plan: Callable[[Standing, _Spoken], Plan]) -> Response:
    async def act(connection: Connection) -> AcceptedOut:
        spoken = _spoken(await intake.quarantined_entry(connection, entry))
        if spoken.subject != subject:
            raise Refused(f"this entry speaks of a {spoken.subject}, not of a {subject}")
        standing = await _standing(connection, spoken.entry.site_key)
        there = standing.facilities.get(spoken.key)
        if subject != "points" and there is not None and not there.retired:
            raise Conflict(f"{spoken.key} is in the ledger already; what it says is accepted now")
        try:
            found = await bring_in.bring_in(connection, plan(standing, spoken), deed.now)
        except EstateErrors as error:
            raise EstateFaulty(error) from None
        return AcceptedOut(difference=difference_out(found, dry_run=False), refused_before=spoken.entry.count)

    return await deed.do(act, status=201)


async def _standing(connection: Connection, site_key: str) -> Standing:
    stands = await bring_in.known(connection, [site_key])
    if site_key not in stands:
        raise Refused("the topic names no site of the ledger: bring the site in first")
    return stands[site_key]


def _spoken(entry: Quarantined) -> _Spoken:
    """Raises Refused for what nothing can be accepted from."""
    try:
        topic = wire.parse_topic(entry.topic)
    except wire.WireError:
        raise Refused("the topic names no facility: correct it in the device") from None
    match topic, entry.reason:
        case wire.TelemetryTopic(facility=key), wire.Reason.UNKNOWN_FACILITY:
            return _Spoken(entry, "facility", key, frozenset(_heard(entry)))
        case wire.TelemetryTopic(facility=key), wire.Reason.UNKNOWN_POINT:
            return _Spoken(entry, "points", key, frozenset(_heard(entry)))
        case wire.StatusTopic(gateway=key), wire.Reason.UNKNOWN_GATEWAY:
            return _Spoken(entry, "gateway", key, frozenset())
        case _:
            raise Refused("what is faulty is corrected in the device; only what is unknown can be accepted")


def _heard(entry: Quarantined) -> Iterator[str]:
    """The points named in its samples. Of one that was cut off nothing is known."""
    for sample in entry.samples:
        if sample["encoding"] != "text" or sample["truncated"]:
            continue
        try:
            told = wire.decode_telemetry(
                str(sample["payload"]).encode(), bytes_max=_SAMPLE_BYTES_MAX, values_max=_VALUES_MAX
            )
        except wire.WireError:
            continue
        yield from (key for each in told.entries for key in each.values)


def _names(name: NameIn) -> Mapping[str, str]:
    return {"zh": name.zh, "en": name.en or name.zh}


def _type(likeness: Likeness) -> TypeOut:
    title = likeness.type.title
    return TypeOut(
        key=likeness.type.key,
        name=Name(zh=title.zh, en=title.en),
        heard=len(likeness.heard),
        unheard_of=likeness.unheard_of,
    )


def _places(standing: Standing) -> Iterator[PlaceOut]:
    for each in standing.locations.values():
        way, here = [each], each
        while here.inside is not None and (here := standing.locations[here.inside]) not in way:
            way.insert(0, here)
        yield PlaceOut(
            key=each.key,
            name=Name(zh=" / ".join(one.name_zh for one in way), en=" / ".join(one.name_en for one in way)),
        )
