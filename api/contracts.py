"""Contracts: what each promises, the one in force at a site with the clocks people set there, and changing them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from api.catalogue import CATALOGUE
from api.context import Context, InContext, needs
from api.decisions import DecisionOut, decision, standing
from api.deeds import DeedOf
from api.field_words import listed, meant
from api.problems import refusals, unacceptable
from api.rights import Right
from api.rulebook import named
from api.shapes import Answered, Asked, Key, Name, Text
from ledger import facility_list, site_settings
from ledger.lifecycle import WorkOrderClock
from ledger.pool import Connection
from ledger.records import Site
from ledger.site_settings import Setting
from rules import spans
from rules.response import clocks_of, profile_of
from rules.response_table import Profile
from rules.spans import Clocks, Contradiction, out_of_order

router = APIRouter(tags=["grades and contracts"])

_SPAN = "15m, 4h, 2d; 5wd: working days, Monday to Friday; same_day: until midnight at the site"
_LEAST_S = 60  # a promise of seconds is a slip of the pen


class PromiseOut(Answered):
    """The clocks of one class of event, as written: absent clocks are promises this contract does not make."""

    event_class: str
    title: Name
    clocks: Mapping[WorkOrderClock, str] = Field(description=_SPAN)


class TargetOut(Answered):
    key: str
    title: Name
    percent: float


class ContractOut(Answered):
    key: str
    title: Name
    source: str
    classes: Sequence[PromiseOut]
    targets: Sequence[TargetOut]


class ContractsOut(Answered):
    items: Sequence[ContractOut]


class ClockOut(Answered):
    """One clock in force at a site. `contract`: what the contract says, null: nothing; `decided`: by whom, and why."""

    event_class: str
    clock: WorkOrderClock
    value: str = Field(description=_SPAN)
    contract: str | None
    decided: DecisionOut | None


class SiteContractOut(Answered):
    """The contract in force at a site. Orders that are open keep the deadlines they were opened with."""

    profile: str
    title: Name
    source: str
    decided: DecisionOut | None = Field(description="who chose it and why")
    clocks: Sequence[ClockOut]
    targets: Sequence[TargetOut]


class ContractIn(Asked):
    profile: Annotated[Key, Field(description="`key` of a contract")]
    reason: Text


class ClockIn(Asked):
    event_class: Key
    clock: WorkOrderClock
    value: Annotated[str | None, Field(max_length=20, description=f"{_SPAN}; null: the contract's counts again")]
    reason: Text


@router.get(
    "/contracts",
    summary="The contracts there are, with all they promise",
    responses=refusals(),
    dependencies=[needs(Right.READ)],
)
async def list_contracts(context: InContext) -> ContractsOut:
    return ContractsOut(items=[_contract(each) for each in context.response.profiles.values()])


@router.get(
    "/sites/{site}/contract",
    summary="The contract and clocks in force at a site",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def get_site_contract(site: Key, context: InContext) -> SiteContractOut:
    async with context.transaction() as connection:
        return await _in_force(connection, context, await facility_list.find_site(connection, site))


@router.post(
    "/sites/{site}/contract",
    summary="Put another contract in force; single clocks that people set stay set",
    response_model=SiteContractOut,
    responses=refusals(404),
    dependencies=[needs(Right.POLICY)],
)
async def set_site_contract(site: Key, asked: ContractIn, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> SiteContractOut:
        found = await _locked(connection, site)
        profiles = deed.context.response.profiles
        if asked.profile not in profiles:
            raise unacceptable(
                "body.profile", "contract_none", meant=meant(asked.profile, profiles), known=listed(profiles)
            )
        _check_clocks_set(deed.context, replace(found, sla_profile=asked.profile))
        deed.was["profile"] = found.sla_profile
        await site_settings.set_profile(
            connection, found.id, asked.profile, author=deed.actor, reason=asked.reason, now=deed.now
        )
        return await _in_force(connection, deed.context, await facility_list.find_site(connection, site))

    return await deed.do(act)


@router.post(
    "/sites/{site}/contract/clocks",
    summary="Put one clock in force in place of the contract's",
    response_model=SiteContractOut,
    responses=refusals(404),
    dependencies=[needs(Right.POLICY)],
)
async def set_site_clock(site: Key, asked: ClockIn, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> SiteContractOut:
        found = await _locked(connection, site)
        _check(deed.context, found, asked)
        stood = clocks_of(deed.context.response, found, asked.event_class).get(asked.clock)
        deed.was["value"] = None if stood is None else str(stood)
        await site_settings.set_clock(
            connection,
            found.id,
            asked.event_class,
            asked.clock,
            asked.value,
            author=deed.actor,
            reason=asked.reason,
            now=deed.now,
        )
        return await _in_force(connection, deed.context, await facility_list.find_site(connection, site))

    return await deed.do(act)


async def _locked(connection: Connection, key: str) -> Site:
    """The site, whose clocks nobody else sets meanwhile: two that agree with what was there may contradict each other."""
    await site_settings.lock(connection, (await facility_list.find_site(connection, key)).id)
    return await facility_list.find_site(connection, key)


def _check_clocks_set(context: Context, site: Site) -> None:
    """Raises Unacceptable when a clock that people set would contradict the contract that comes."""
    for event_class, agreed in profile_of(context.response, site).classes.items():
        in_force = clocks_of(context.response, site, event_class)
        contradiction = out_of_order(in_force)
        if contradiction is not None and in_force != agreed:
            raise unacceptable(
                "body.profile",
                "contract_contradicts",
                event_class=_class(event_class),
                why=_contradiction(contradiction),
            )


def _check(context: Context, site: Site, asked: ClockIn) -> None:
    """Raises Unacceptable for a class nobody knows, a value that is none, or one that contradicts the other clocks."""
    classes = profile_of(context.response, site).classes
    if asked.event_class not in classes:
        raise unacceptable(
            "body.event_class", "contract_no_class", meant=meant(asked.event_class, classes), known=listed(classes)
        )
    clocks = dict(clocks_of(context.response, site, asked.event_class))
    if asked.value is None:
        agreed = classes[asked.event_class].get(asked.clock)
        clocks = {clock: each for clock, each in clocks.items() if clock != asked.clock}
        clocks |= {} if agreed is None else {asked.clock: agreed}
    else:
        try:
            clocks[asked.clock] = spans.span(asked.value)
        except ValueError as error:
            raise unacceptable("body.value", "contract_clock", why=str(error), days=spans.DURATION_MAX.days) from error
        length = clocks[asked.clock].length
        if length is not None and length.total_seconds() < _LEAST_S:
            raise unacceptable("body.value", "contract_too_short", value=asked.value)
    contradiction = out_of_order(clocks, of=asked.clock)
    if contradiction is not None:
        raise unacceptable("body.value", "contract_contradiction", why=_contradiction(contradiction))


def _class(event_class: str) -> Name:
    return Name(zh=CATALOGUE.text("event_class", event_class).zh, en=event_class)


def _contradiction(found: Contradiction) -> Name:
    earlier, later = (CATALOGUE.text("work_order_clock", each).zh for each in (found.earlier, found.later))
    return Name(zh=f"{earlier}（{found.first}）晚于{later}（{found.second}）", en=str(found))


def _contract(profile: Profile) -> ContractOut:
    return ContractOut(
        key=profile.key,
        title=named(profile.title),
        source=profile.source,
        classes=[
            PromiseOut(
                event_class=key,
                title=CATALOGUE.text("event_class", key),
                clocks={clock: str(each) for clock, each in clocks.items()},
            )
            for key, clocks in profile.classes.items()
        ],
        targets=_targets(profile),
    )


def _targets(profile: Profile) -> Sequence[TargetOut]:
    return [
        TargetOut(key=key, title=CATALOGUE.text("contract_target", key), percent=percent)
        for key, percent in profile.targets.items()
    ]


async def _in_force(connection: Connection, context: Context, site: Site) -> SiteContractOut:
    profile = profile_of(context.response, site)
    decided = await site_settings.in_force(connection, site.id)
    chosen = decided.get(site_settings.PROFILE)
    return SiteContractOut(
        profile=profile.key,
        title=named(profile.title),
        source=profile.source,
        decided=None if chosen is None else decision(chosen),
        clocks=[
            each
            for event_class, agreed in profile.classes.items()
            for each in _clocks(event_class, clocks_of(context.response, site, event_class), agreed, decided)
        ],
        targets=_targets(profile),
    )


def _clocks(event_class: str, in_force: Clocks, agreed: Clocks, decided: Mapping[str, Setting]) -> Sequence[ClockOut]:
    return [
        ClockOut(
            event_class=event_class,
            clock=clock,
            value=str(in_force[clock]),
            contract=str(agreed[clock]) if clock in agreed else None,
            decided=standing(decided.get(f"clock.{event_class}.{clock}")),
        )
        for clock in WorkOrderClock
        if clock in in_force
    ]
