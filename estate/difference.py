"""What an estate file would change in the ledger: every added, changed, renamed and removed thing, with what it was and becomes.

Pure: the plan on one side, what stands on the other. Bringing an estate in writes exactly what is found here, so what
a dry run shows is what a real run does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from estate.description import LocationDescription
from estate.facility_plan import FacilityPlan
from estate.plan import Plan, SitePlan
from ledger.inventory import AssetEntry, PointEntry
from ledger.standing import Standing, StandingFacility
from rules.model import SERVICE_KIND


class Change(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    RENAMED = "renamed"
    REMOVED = "removed"


class Subject(StrEnum):
    SITE = "site"
    LOCATION = "location"
    GATEWAY = "gateway"
    FACILITY = "facility"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One thing about it. `name` is a word of estate.wording's, `of` which part, parameter or relation it is."""

    name: str
    of: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that becomes another. A renamed one may be changed as well, and says both."""

    change: Change
    subject: Subject
    site: str
    key: str
    name_zh: str
    name_en: str
    was_key: str | None = None
    reason: str | None = None  # of a removal
    fields: Sequence[FieldChange] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    items: Sequence[Item]

    def counts(self) -> Mapping[Change, int]:
        return {change: sum(item.change is change for item in self.items) for change in Change}

    def of(self, subject: Subject) -> Mapping[tuple[str, str], Item]:
        """Site and key of everything of that sort that changes, however it changes."""
        return {(item.site, item.key): item for item in self.items if item.subject is subject}


def compare(plan: Plan, known: Mapping[str, Standing]) -> Difference:
    return Difference(tuple(item for site in plan.sites for item in _site(site, known.get(site.key))))


def unwatched(plan: Plan, known: Mapping[str, Standing]) -> list[str]:
    """The sites where something will be measured and no facility is there to ring when measuring itself stops."""
    return [site.key for site in plan.sites if _is_unwatched(site, known.get(site.key))]


def _is_unwatched(plan: SitePlan, standing: Standing | None) -> bool:
    replaced = {key for each in plan.facilities for key in (each.key, each.renamed_from)}
    gone = replaced | {each.key for each in plan.removed}
    there: Mapping[str, StandingFacility] = {} if standing is None else standing.facilities
    stay = [(each.kind, each.gateway) for each in there.values() if not each.retired and each.key not in gone]
    after = [*stay, *((each.kind, each.gateway) for each in plan.facilities)]
    return any(gateway for _, gateway in after) and all(kind != SERVICE_KIND for kind, _ in after)


def _site(plan: SitePlan, standing: Standing | None) -> Iterator[Item]:
    if standing is None:
        yield Item(Change.ADDED, Subject.SITE, plan.key, plan.key, plan.name_zh, plan.name_en)
    else:
        there = standing.site
        fields = _fields(
            ("name_zh", there.name_zh, plan.name_zh),
            ("name_en", there.name_en, plan.name_en),
            ("time_zone", there.time_zone, plan.time_zone),
            ("round_at", f"{there.round_at:%H:%M}", f"{plan.round_at:%H:%M}"),
            ("sla_profile", there.sla_profile, _new(plan.sla_profile, standing.said_profile, there.sla_profile)),
        )
        if fields:
            yield Item(Change.CHANGED, Subject.SITE, plan.key, plan.key, plan.name_zh, plan.name_en, fields=fields)
    for location in plan.locations:
        yield from _location(plan.key, location, standing)
    there_by_key: Mapping[str, StandingFacility] = {} if standing is None else standing.facilities
    renamed = {each.renamed_from: each.key for each in (*plan.gateways, *plan.facilities) if each.renamed_from}
    moved = {each.renamed_from: each.key for each in plan.locations if each.renamed_from}
    keys = {**renamed, **{f"@{old}": new for old, new in moved.items()}}
    for gateway in plan.gateways:
        yield from _facility(plan.key, Subject.GATEWAY, gateway, there_by_key, keys)
    for facility in plan.facilities:
        yield from _facility(plan.key, Subject.FACILITY, facility, there_by_key, keys)
    for removal in plan.removed:
        gone = there_by_key.get(removal.key)
        if gone is not None and not gone.retired:
            subject = Subject.GATEWAY if gone.kind == "gateway" else Subject.FACILITY
            yield Item(Change.REMOVED, subject, plan.key, gone.key, gone.name_zh, gone.name_en, reason=removal.reason)


def _location(site: str, plan: LocationDescription, standing: Standing | None) -> Iterator[Item]:
    there = None if standing is None else standing.locations.get(plan.key)
    was_key = None
    if there is None and standing is not None and plan.renamed_from is not None:
        there = standing.locations.get(plan.renamed_from)
        was_key = None if there is None else there.key
    if there is None:
        yield Item(Change.ADDED, Subject.LOCATION, site, plan.key, plan.name.zh, plan.name.en)
        return
    fields = _fields(
        ("name_zh", there.name_zh, plan.name.zh),
        ("name_en", there.name_en, plan.name.en),
        ("inside", there.inside, plan.inside),
    )
    if fields or was_key is not None:
        change = Change.CHANGED if was_key is None else Change.RENAMED
        yield Item(change, Subject.LOCATION, site, plan.key, plan.name.zh, plan.name.en, was_key, None, fields)


def _facility(
    site: str,
    subject: Subject,
    plan: FacilityPlan,
    there_by_key: Mapping[str, StandingFacility],
    keys: Mapping[str, str],
) -> Iterator[Item]:
    there, was_key = there_by_key.get(plan.key), None
    if there is None and plan.renamed_from is not None and plan.renamed_from in there_by_key:
        there, was_key = there_by_key[plan.renamed_from], plan.renamed_from
    if there is None:
        yield Item(Change.ADDED, subject, site, plan.key, plan.name_zh, plan.name_en)
        return
    fields = facility_fields(plan, there, keys)
    if fields or was_key is not None:
        change = Change.CHANGED if was_key is None else Change.RENAMED
        yield Item(change, subject, site, plan.key, plan.name_zh, plan.name_en, was_key, None, fields)


def facility_fields(plan: FacilityPlan, there: StandingFacility, keys: Mapping[str, str]) -> tuple[FieldChange, ...]:
    """`keys`: what is called otherwise by the same plan, so that following a renamed gateway is no change of its own."""
    location = keys.get(f"@{there.location}", there.location)
    gateway = keys.get(there.gateway or "", there.gateway)
    plain = _fields(
        ("retired", "yes" if there.retired else None, None),
        ("name_zh", there.name_zh, plan.name_zh),
        ("name_en", there.name_en, plan.name_en),
        ("type", there.type, plan.type),
        ("grade", there.grade.value, _new(plan.says_grade and plan.grade.value, there.said_grade, there.grade.value)),
        ("location", location, plan.location),
        ("gateway", gateway, plan.gateway),
    )
    return (
        *plain,
        *_parts(plan, there),
        *_points(plan, there),
        *_parameters(plan, there),
        *_each("relation", {name: keys.get(key, key) for name, key in there.relations.items()}, plan.relations),
        *_assets(plan, there),
    )


def _new(said: str | Literal[False], before: str | None, stands: str) -> str:
    """What a person has decided since stands until the file says something new."""
    return stands if said is False or said == before else said


def _fields(*compared: tuple[str, str | None, str | None]) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(name, "", before, after) for name, before, after in compared if before != after)


def _each(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[FieldChange]:
    for of in (*before, *(key for key in after if key not in before)):
        if before.get(of) != after.get(of):
            yield FieldChange(name, of, before.get(of), after.get(of))


def _parts(plan: FacilityPlan, there: StandingFacility) -> Iterator[FieldChange]:
    return _each(
        "part",
        {part.key: f"{part.name_zh} / {part.name_en} ({part.kind})" for part in there.parts.values()},
        {part.key: f"{part.name_zh} / {part.name_en} ({part.kind})" for part in plan.parts},
    )


def _points(plan: FacilityPlan, there: StandingFacility) -> Iterator[FieldChange]:
    wanted = {point.key: point for point in plan.points}
    gone, new = there.points.keys() - wanted.keys(), wanted.keys() - there.points.keys()
    other = [key for key in wanted if key in there.points and not _same_point(there.points[key], wanted[key])]
    if gone:
        yield FieldChange("points_gone", "", " ".join(sorted(gone)), None)
    if new:
        yield FieldChange("points_new", "", None, " ".join(sorted(new)))
    if other:
        yield FieldChange("points_other", "", None, " ".join(other))


def _same_point(there: PointEntry, wanted: PointEntry) -> bool:
    """Labels are appended to those known and never taken away."""
    if not set(wanted.labels) <= set(there.labels):
        return False
    return all(getattr(there, name) == getattr(wanted, name) for name in PointEntry.__slots__ if name != "labels")


def _parameters(plan: FacilityPlan, there: StandingFacility) -> Iterator[FieldChange]:
    """What a person has set since stands until the file says something new."""
    for name, value in plan.parameters.items():
        if value not in (there.said.get(name), there.parameters.get(name)):
            before = there.parameters.get(name)
            yield FieldChange("parameter", name, None if before is None else f"{before:g}", f"{value:g}")


def _assets(plan: FacilityPlan, there: StandingFacility) -> Iterator[FieldChange]:
    known = {_identity(asset): asset for asset in there.assets}
    for asset in plan.assets:
        same = known.get(_identity(asset))
        if same != asset:
            yield FieldChange("asset", asset.part_key or "", None if same is None else _shown(same), _shown(asset))


def _identity(asset: AssetEntry) -> tuple[object, ...]:
    return (asset.part_key, asset.maker, asset.model, asset.serial, asset.installed_on)


def _shown(asset: AssetEntry) -> str:
    words = (asset.maker, asset.model, asset.serial, asset.installed_on.isoformat())
    made = "" if asset.manufactured_on is None else f" (* {asset.manufactured_on})"
    end = "" if asset.expected_end_on is None else f" -> {asset.expected_end_on}"
    return " ".join(word for word in words if word) + made + end
