"""Facilities that are new to a site, many at a time: what `bring_in` does one by one for those that are there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from estate.facility_plan import FacilityPlan
from ledger import dossier, newcomers, parameters, site_settings
from ledger.inventory import AssetEntry
from ledger.newcomers import Newcomer, Registered
from ledger.pool import Connection
from ledger.records import Grade

AUTHOR, REASON = "estate", "estate file"  # of the parameters, the grades and the contract that stand in the file
_AT_ONCE = 500  # facilities: with their points they stay within tens of megabytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where they are to stand: the site, and the ids of what they name."""

    site_id: int
    locations: Mapping[str, int]
    gateways: Mapping[str, int]


def together(plan: FacilityPlan) -> bool:
    """Whether it can be written with others: a place whose pieces succeeded each other has a history to be told in order."""
    return len({asset.part_key for asset in plan.assets}) == len(plan.assets)


async def register(
    connection: Connection,
    place: Place,
    plans: Sequence[FacilityPlan],
    grade: Callable[[FacilityPlan], Grade],
    now: datetime,
) -> dict[str, int]:
    """Writes facilities that are not in the ledger, their dossiers' first entries among it. Their ids by key."""
    ids: dict[str, int] = {}
    for begin in range(0, len(plans), _AT_ONCE):
        chunk = plans[begin : begin + _AT_ONCE]
        found = await newcomers.register(
            connection, place.site_id, [_newcomer(plan, place, grade(plan)) for plan in chunk]
        )
        ids |= {key: each.facility_id for key, each in found.items()}
        entries = [entry for plan in chunk for entry in _entries(plan, found[plan.key], grade(plan))]
        await dossier.append_all(connection, place.site_id, entries, now)
        graded = {ids[plan.key]: plan.grade.value for plan in chunk if plan.says_grade}
        await site_settings.put_grades(connection, place.site_id, graded, author=AUTHOR, reason=REASON, now=now)
        values = [(ids[plan.key], name, value) for plan in chunk for name, value in plan.parameters.items()]
        await parameters.set_values(connection, place.site_id, values, author=AUTHOR, reason=REASON, now=now)
    return ids


def _newcomer(plan: FacilityPlan, place: Place, grade: Grade) -> Newcomer:
    return Newcomer(
        key=plan.key,
        kind=plan.kind,
        grade=grade,
        name_zh=plan.name_zh,
        name_en=plan.name_en,
        type_key=plan.type,
        location_id=place.locations[plan.location],
        gateway_id=None if plan.gateway is None else place.gateways[plan.gateway],
        parts=plan.parts,
        points=plan.points,
        assets=plan.assets,
    )


def _entries(plan: FacilityPlan, found: Registered, grade: Grade) -> Iterator[dossier.NewEntry]:
    yield dossier.NewEntry(found.facility_id, "registered", {**registered(plan), "grade": grade})
    for asset in sorted(plan.assets, key=lambda each: each.installed_on):
        body = installed(asset, found.asset_ids[asset.part_key])
        yield dossier.NewEntry(found.facility_id, "asset_installed", body)


def registered(plan: FacilityPlan) -> Mapping[str, object]:
    """What a dossier keeps of a facility."""
    return {
        "key": plan.key,
        "kind": plan.kind,
        "type": plan.type,
        "name_zh": plan.name_zh,
        "name_en": plan.name_en,
        "location": plan.location,
        "gateway": plan.gateway,
    }


def installed(asset: AssetEntry, asset_id: int) -> Mapping[str, object]:
    """What a dossier keeps of a piece."""
    return {
        "asset": asset_id,
        "part": asset.part_key,
        "maker": asset.maker,
        "model": asset.model,
        "serial": asset.serial,
        "manufactured_on": asset.manufactured_on and asset.manufactured_on.isoformat(),
        "installed_on": asset.installed_on.isoformat(),
        "expected_end_on": asset.expected_end_on and asset.expected_end_on.isoformat(),
    }
