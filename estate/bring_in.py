"""Bring an estate into the ledger: find out what differs from what stands there, and write exactly that.

Bringing in the same file twice changes nothing. What the file does not name is left alone; a point that a facility no
longer has is retired and keeps its readings.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from estate.difference import Change, Difference, Item, Subject, compare
from estate.facility_plan import FacilityPlan
from estate.faults import EstateErrors, Said, StillNeeded
from estate.plan import Plan, SitePlan, check
from estate.reading import read
from estate.registering import AUTHOR, REASON, Place, installed, register, registered, together
from ledger import departures, dossier, facilities, grades, inventory, newcomers, parameters, site_settings, standing
from ledger.inventory import Written
from ledger.pool import Connection
from ledger.records import Grade
from ledger.standing import Standing

__all__ = ["EstateErrors", "Plan", "bring_in", "check", "difference", "read"]


async def difference(connection: Connection, plan: Plan) -> Difference:
    """What bringing it in would change."""
    return compare(plan, await known(connection, [site.key for site in plan.sites]))


async def known(connection: Connection, keys: list[str]) -> dict[str, Standing]:
    """Those of the sites that stand in the ledger."""
    return await standing.of_sites(connection, keys, AUTHOR)


async def bring_in(connection: Connection, plan: Plan, now: datetime) -> Difference:
    """Write a plan and tell what changed. Facilities get a dossier entry of it, a changed site a new revision.

    Raises Conflict where the ledger knows something under the same key that cannot become what the plan says, and where
    something that is to go is still in use. Nothing is committed here.
    """
    for site in plan.sites:
        await _lock(connection, site.key)
    found = await difference(connection, plan)
    for site in plan.sites:
        await _Site(connection, site, found, now).write()
    return found


async def rehearse(connection: Connection, plan: Plan, now: datetime) -> Difference:
    """What bringing it in would change, found by doing it and taking all of it back, so that whatever the ledger would
    refuse is refused here as well. Raises what `bring_in` raises.
    """
    async with connection.transaction(force_rollback=True):
        return await bring_in(connection, plan, now)


async def _lock(connection: Connection, site_key: str) -> None:
    """Everybody locks facilities before their site; writing the site first would turn that round."""
    for each in await facilities.sites(connection):
        if each.key == site_key:
            there = await facilities.facilities(connection, each.id)
            await dossier.lock_facilities(connection, [one.id for one in there])


class _Site:
    """One site's share of the difference, written."""

    def __init__(self, connection: Connection, plan: SitePlan, found: Difference, now: datetime) -> None:
        self._connection, self._plan, self._now = connection, plan, now
        self._items = [item for item in found.items if item.site == plan.key]
        self._site_id = 0
        self._locations: dict[str, int] = {}
        self._gateways: dict[str, int] = {}
        self._facilities: dict[str, int] = {}
        self._kind_grades: Mapping[str, Grade] = {}

    async def write(self) -> None:
        if not self._items:
            return
        plan, connection = self._plan, self._connection
        written = await inventory.put_site(
            connection,
            key=plan.key,
            name_zh=plan.name_zh,
            name_en=plan.name_en,
            time_zone=plan.time_zone,
            round_at=plan.round_at,
            sla_profile=plan.sla_profile,
            now=self._now,
        )
        self._site_id = written.id
        said = [field for item in self._items if item.subject is Subject.SITE for field in item.fields]
        if written.created or any(field.name == "sla_profile" for field in said):
            await site_settings.set_profile(
                connection, self._site_id, plan.sla_profile, author=AUTHOR, reason=REASON, now=self._now
            )
        await self._look_up()
        await self._rename()
        changed = {subject: self._changed(subject) for subject in Subject}
        for location in plan.locations:
            if location.key in changed[Subject.LOCATION]:
                put = await inventory.put_location(
                    connection,
                    site_id=self._site_id,
                    parent_id=None if location.inside is None else self._locations[location.inside],
                    key=location.key,
                    name_zh=location.name.zh,
                    name_en=location.name.en,
                )
                self._locations[location.key] = put.id
        for gateway in plan.gateways:
            if (item := changed[Subject.GATEWAY].get(gateway.key)) is not None:
                await self._facility(gateway, item)
                put = await inventory.put_gateway(
                    connection, site_id=self._site_id, facility_id=self._facilities[gateway.key], key=gateway.key
                )
                self._gateways[gateway.key] = put.id
        there = [each for each in plan.facilities if each.key in changed[Subject.FACILITY]]
        await self._put_facilities(there, changed[Subject.FACILITY])
        await self._remove()
        await facilities.bump_revision(connection, self._site_id)

    def _changed(self, subject: Subject) -> Mapping[str, Item]:
        return {item.key: item for item in self._items if item.subject is subject and item.change is not Change.REMOVED}

    async def _look_up(self) -> None:
        stands = (await known(self._connection, [self._plan.key]))[self._plan.key]
        self._locations = {key: location.id for key, location in stands.locations.items()}
        self._gateways = dict(stands.gateways)
        self._facilities = {key: facility.id for key, facility in stands.facilities.items()}
        self._kind_grades = stands.kind_grades

    async def _rename(self) -> None:
        """First of all, so that whatever follows finds things under the keys they now have."""
        for item in self._items:
            if item.change is not Change.RENAMED or item.was_key is None:
                continue
            if item.subject is Subject.LOCATION:
                self._locations[item.key] = self._locations.pop(item.was_key)
                await departures.rename_location(self._connection, self._locations[item.key], item.key)
                continue
            self._facilities[item.key] = self._facilities.pop(item.was_key)
            await departures.rename_facility(self._connection, self._facilities[item.key], item.key)
            if item.subject is Subject.GATEWAY:
                self._gateways[item.key] = self._gateways.pop(item.was_key)
            await self._enter(item.key, "renamed", {"key": item.key, "was": item.was_key})

    async def _put_facilities(self, plans: Sequence[FacilityPlan], items: Mapping[str, Item]) -> None:
        """New ones together; then their relations, when whatever they name is there."""
        connection, site_id = self._connection, self._site_id
        new = [plan for plan in plans if plan.key not in self._facilities and together(plan)]
        others = [plan for plan in plans if plan.key in self._facilities or not together(plan)]
        place = Place(site_id, self._locations, self._gateways)
        self._facilities |= await register(connection, place, new, self._graded, self._now)
        for plan in others:
            await self._facility(plan, items[plan.key])
        ids = self._facilities
        related = [(ids[one.key], name, ids[target]) for one in new for name, target in one.relations.items()]
        await newcomers.relate(connection, site_id, related)
        for plan in others:
            targets = {name: ids[target] for name, target in plan.relations.items()}
            await inventory.put_relations(connection, site_id=site_id, facility_id=ids[plan.key], targets=targets)

    def _graded(self, plan: FacilityPlan) -> Grade:
        """Of a new one."""
        return plan.grade if plan.says_grade else self._kind_grades.get(plan.kind, plan.grade)

    async def _facility(self, plan: FacilityPlan, item: Item) -> None:
        connection = self._connection
        grade = self._graded(plan)
        written = await inventory.put_facility(
            connection,
            site_id=self._site_id,
            location_id=self._locations[plan.location],
            gateway_id=None if plan.gateway is None else self._gateways[plan.gateway],
            key=plan.key,
            kind=plan.kind,
            grade=grade,
            name_zh=plan.name_zh,
            name_en=plan.name_en,
            type_key=plan.type,
        )
        self._facilities[plan.key] = written.id
        if written.changed:
            kind, more = ("registered", {"grade": grade}) if written.created else ("changed", {})
            await self._enter(plan.key, kind, {**registered(plan), **more})
        if plan.says_grade:
            await self._grade(plan, written, item)
        for part in plan.parts:
            await inventory.put_part(
                connection,
                site_id=self._site_id,
                facility_id=written.id,
                key=part.key,
                kind=part.kind,
                name_zh=part.name_zh,
                name_en=part.name_en,
            )
        await inventory.put_points(
            connection, site_id=self._site_id, facility_id=written.id, entries=plan.points, now=self._now
        )
        await inventory.retire_other_parts(connection, written.id, [part.key for part in plan.parts], self._now)
        await self._assets(plan, written.id)
        for field in item.fields if not written.created else ():
            if field.name == "parameter":
                await self._parameter(written.id, field.of, plan.parameters[field.of])
        if written.created:
            for name, value in plan.parameters.items():
                await self._parameter(written.id, name, value)

    async def _grade(self, plan: FacilityPlan, written: Written, item: Item) -> None:
        """Of a new facility its registration tells the grade; of another, what becomes of it is an entry of its own."""
        if written.created:
            await site_settings.put(
                self._connection,
                self._site_id,
                site_settings.GRADE,
                plan.grade.value,
                facility_id=written.id,
                author=AUTHOR,
                reason=REASON,
                now=self._now,
            )
        elif any(field.name == "grade" for field in item.fields):
            facility = await facilities.facility(self._connection, written.id)
            await grades.put(
                self._connection,
                facility,
                plan.grade,
                default=plan.grade,
                author=AUTHOR,
                reason=REASON,
                now=self._now,
            )

    async def _parameter(self, facility_id: int, name: str, value: float) -> None:
        await parameters.set_value(
            self._connection, facility_id, name, value, author=AUTHOR, reason=REASON, now=self._now
        )

    async def _assets(self, plan: FacilityPlan, facility_id: int) -> None:
        for asset in sorted(plan.assets, key=lambda each: each.installed_on):
            written = await inventory.put_asset(
                self._connection, site_id=self._site_id, facility_id=facility_id, entry=asset
            )
            if not written.changed:
                continue
            await self._enter(
                plan.key, "asset_installed" if written.created else "asset_corrected", installed(asset, written.id)
            )

    async def _remove(self) -> None:
        gone = {item.key: item for item in self._items if item.change is Change.REMOVED}
        if not gone:
            return
        ids = [self._facilities[key] for key in gone]
        await self._refuse_in_use(gone, ids)
        today = self._now.astimezone(ZoneInfo(self._plan.time_zone)).date()
        for key, item in gone.items():
            await self._enter(key, "retired", {"key": key, "reason": item.reason})
            await departures.retire_facility(self._connection, self._facilities[key], now=self._now, today=today)

    async def _refuse_in_use(self, gone: Mapping[str, Item], ids: list[int]) -> None:
        told = [
            Said(
                f"{each.facility_key} 暂时不能撤销：还有 {each.open_alarms} 条未结束报警、{each.open_orders} 张未完工单、"
                f"{each.standing_permits} 张有效作业票；请先处理完",
                f"{each.facility_key} cannot be removed yet: {each.open_alarms} open alarm(s), {each.open_orders} open "
                f"work order(s), {each.standing_permits} standing permit(s); close them first",
            )
            for each in await departures.unfinished(self._connection, ids)
        ]
        stands = (await known(self._connection, [self._plan.key]))[self._plan.key]
        for key, facility in stands.facilities.items():
            if facility.retired or key in gone:
                continue
            if facility.gateway in gone:
                told.append(
                    Said(
                        f"{facility.gateway} 不能撤销：它是 {key} 的网关；请先给 {key} 换一个",
                        f"{facility.gateway} cannot be removed: it is the gateway of {key}; give {key} another",
                    )
                )
            told.extend(
                Said(
                    f"{target} 不能撤销：{key} 的 {name} 是它；请先修改 {key} 或一并撤销",
                    f"{target} cannot be removed: {key} names it as {name}; change {key} or remove it as well",
                )
                for name, target in facility.relations.items()
                if target in gone
            )
        if told:
            raise StillNeeded(told)

    async def _enter(self, key: str, kind: str, body: Mapping[str, object]) -> None:
        await dossier.append(
            self._connection,
            site_id=self._site_id,
            facility_id=self._facilities[key],
            kind=kind,
            body=body,
            now=self._now,
        )
