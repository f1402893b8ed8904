"""The demo's estate, brought in as though it had been written today.

Equipment ends and is serviced on days. As its files stand the estate would grow old on the shelf, and greet whoever tries
it in a year with a screen full of extinguishers, so that every day in them is moved by what has passed since they were
written. Brought in by `taizhang.py import` they are a spreadsheet like any other, and say what they say.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import estate.bring_in
from estate import importing
from estate.facility_plan import FacilityPlan, lasting
from estate.plan import Packs, Plan, SitePlan
from estate.types import service_terms, shipped
from ledger import facilities, services
from ledger.inventory import AssetEntry
from ledger.pool import Connection

_ESTATES = Path(__file__).resolve().parent.parent / "estates"
ESTATE = _ESTATES / "demo.yaml"
FIRE_EQUIPMENT = _ESTATES / "demo_fire_equipment.csv"  # walked to, and so not simulated

WRITTEN_ON = date(2026, 11, 27)  # a day on which one piece has ended, one ends this week, and one is to be serviced
_WORKSHOP = "送修合格，淮海消防维修站"


async def bring_in(connection: Connection, files: Sequence[Path], packs: Packs, now: datetime) -> None:
    """What is missing. Pieces of facilities that are there already stay as they are: they have aged, or been replaced.

    Of new ones every service that was due until now is on record. Raises what `estate.bring_in` raises; commits nothing.
    """
    plan = await importing.plan(connection, files, packs)
    stands = await estate.bring_in.known(connection, [site.key for site in plan.sites])
    there = {site: standing.facilities.keys() for site, standing in stands.items()}
    await estate.bring_in.bring_in(connection, as_of(plan, there, now), now)
    ids = {each.key: each.id for each in await facilities.sites(connection)}
    for site in plan.sites:
        await _service(connection, ids[site.key], there.get(site.key, ()), _today(site, now), now)


def as_of(plan: Plan, there: Mapping[str, Collection[str]], now: datetime) -> Plan:
    """With every day as far from today as it was from WRITTEN_ON. `there`: facilities that have their pieces, by site."""

    def moved(site: SitePlan) -> SitePlan:
        by, has = _today(site, now) - WRITTEN_ON, there.get(site.key, ())
        return replace(site, facilities=[_moved(each, has, by) for each in site.facilities])

    return Plan([moved(site) for site in plan.sites])


def _moved(facility: FacilityPlan, has: Collection[str], by: timedelta) -> FacilityPlan:
    if facility.key in has:
        return replace(facility, assets=())
    of_type = None if facility.type is None else shipped()[facility.type]
    kinds = {part.key: part.kind for part in facility.parts}

    def moved(asset: AssetEntry) -> AssetEntry:
        made = None if asset.manufactured_on is None else asset.manufactured_on + by
        return lasting(replace(asset, manufactured_on=made, installed_on=asset.installed_on + by), of_type, kinds)

    return replace(facility, assets=[moved(each) for each in facility.assets])


def _today(site: SitePlan, now: datetime) -> date:
    return now.astimezone(ZoneInfo(site.time_zone)).date()


async def _service(connection: Connection, site_id: int, there: Collection[str], today: date, now: datetime) -> None:
    """Each on the day it was due: no piece has more of them than years, so this ends."""
    new = [each.id for each in await facilities.facilities(connection, site_id) if each.key not in there]
    while True:
        due: dict[date, list[services.Serviced]] = {}
        for piece in await services.of_facilities(connection, new, service_terms()):
            if piece.next_on is not None and piece.next_on <= today:
                due.setdefault(piece.next_on, []).append(piece)
        if not due:
            return
        for day, pieces in due.items():
            await services.record(connection, site_id, pieces, day, note=_WORKSHOP, actor="demo", now=now)
