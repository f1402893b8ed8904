"""Bring an estate file into the ledger: read it, check it against the rule packs, write what is not there yet.

Bringing in the same file twice changes nothing. What the file does not name is left alone; a point that a facility no
longer has is retired and keeps its readings.
"""

from collections.abc import Mapping
from datetime import datetime

from estate.plan import FacilityPlan, Plan, SitePlan, check
from estate.reading import EstateErrors, read
from ledger import dossier, facilities, inventory, parameters
from ledger.pool import Connection

__all__ = ["EstateErrors", "Plan", "bring_in", "check", "read"]

AUTHOR = "estate"  # of the parameters that stand in the file


async def bring_in(connection: Connection, plan: Plan, now: datetime) -> None:
    """Write a plan. New and changed facilities get a dossier entry, a changed site a new revision.

    Raises Conflict where the ledger knows something under the same key that cannot become what the plan says.
    """
    for site in plan.sites:
        await _bring_in_site(connection, site, now)


async def _bring_in_site(connection: Connection, site: SitePlan, now: datetime) -> None:
    await _lock(connection, site.key)
    written = await inventory.put_site(
        connection,
        key=site.key,
        name_zh=site.name_zh,
        name_en=site.name_en,
        time_zone=site.time_zone,
        round_at=site.round_at,
        sla_profile=site.sla_profile,
        now=now,
    )
    site_id, changed = written.id, written.changed
    locations: dict[str, int] = {}
    for location in site.locations:
        written = await inventory.put_location(
            connection,
            site_id=site_id,
            parent_id=None if location.inside is None else locations[location.inside],
            key=location.key,
            name_zh=location.name.zh,
            name_en=location.name.en,
        )
        locations[location.key] = written.id
        changed |= written.changed
    gateways: dict[str, int] = {}
    for gateway in site.gateways:
        facility_id, facility_changed = await _bring_in_facility(connection, site_id, gateway, locations, {}, now)
        gateway_written = await inventory.put_gateway(
            connection, site_id=site_id, facility_id=facility_id, key=gateway.key
        )
        gateways[gateway.key] = gateway_written.id
        changed |= facility_changed or gateway_written.changed
    ids: dict[str, int] = {}
    for facility in site.facilities:
        ids[facility.key], facility_changed = await _bring_in_facility(
            connection, site_id, facility, locations, gateways, now
        )
        changed |= facility_changed
    for facility in site.facilities:
        targets = {name: ids[target] for name, target in facility.relations.items()}
        changed |= await inventory.put_relations(
            connection, site_id=site_id, facility_id=ids[facility.key], targets=targets
        )
    if changed:
        await facilities.bump_revision(connection, site_id)


async def _lock(connection: Connection, site_key: str) -> None:
    """Everybody locks facilities before their site; writing the site first would turn that round."""
    for known in await facilities.sites(connection):
        if known.key == site_key:
            there = await facilities.facilities(connection, known.id)
            await dossier.lock_facilities(connection, [each.id for each in there])


async def _bring_in_facility(
    connection: Connection,
    site_id: int,
    plan: FacilityPlan,
    locations: Mapping[str, int],
    gateways: Mapping[str, int],
    now: datetime,
) -> tuple[int, bool]:
    written = await inventory.put_facility(
        connection,
        site_id=site_id,
        location_id=locations[plan.location],
        gateway_id=None if plan.gateway is None else gateways[plan.gateway],
        key=plan.key,
        kind=plan.kind,
        grade=plan.grade,
        name_zh=plan.name_zh,
        name_en=plan.name_en,
    )
    if written.changed:
        await dossier.append(
            connection,
            site_id=site_id,
            facility_id=written.id,
            kind="registered" if written.created else "changed",
            body={
                "key": plan.key,
                "kind": plan.kind,
                "grade": plan.grade,
                "name_zh": plan.name_zh,
                "name_en": plan.name_en,
                "location": plan.location,
                "gateway": plan.gateway,
            },
            now=now,
        )
    changed = written.changed
    for part in plan.parts:
        part_written = await inventory.put_part(
            connection,
            site_id=site_id,
            facility_id=written.id,
            key=part.key,
            kind=part.kind,
            name_zh=part.name_zh,
            name_en=part.name_en,
        )
        changed |= part_written.changed
    changed |= await inventory.put_points(
        connection, site_id=site_id, facility_id=written.id, entries=plan.points, now=now
    )
    changed |= await _bring_in_assets(connection, site_id, written.id, plan, now)
    changed |= await _bring_in_parameters(connection, written.id, plan, now)
    return written.id, changed


async def _bring_in_assets(
    connection: Connection, site_id: int, facility_id: int, plan: FacilityPlan, now: datetime
) -> bool:
    changed = False
    for asset in sorted(plan.assets, key=lambda each: each.installed_on):
        written = await inventory.put_asset(connection, site_id=site_id, facility_id=facility_id, entry=asset)
        if not written.created:
            continue
        changed = True
        await dossier.append(
            connection,
            site_id=site_id,
            facility_id=facility_id,
            kind="asset_installed",
            body={
                "asset": written.id,
                "part": asset.part_key,
                "maker": asset.maker,
                "model": asset.model,
                "serial": asset.serial,
                "manufactured_on": asset.manufactured_on and asset.manufactured_on.isoformat(),
                "installed_on": asset.installed_on.isoformat(),
            },
            now=now,
        )
    return changed


async def _bring_in_parameters(connection: Connection, facility_id: int, plan: FacilityPlan, now: datetime) -> bool:
    """Set what the file says, once: what a person has set since stands until the file says something new."""
    said = await parameters.last_by(connection, facility_id, AUTHOR)
    changed = False
    for name, value in plan.parameters.items():
        if said.get(name) != value:
            await parameters.set_value(
                connection, facility_id, name, value, author=AUTHOR, reason="estate file", now=now
            )
            changed = True
    return changed
