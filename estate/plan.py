"""What an estate description comes to once the rule packs have had their say: every row, resolved, or every fault.

Nothing here touches the ledger. A plan holds only what exists in the packs, so that bringing it in can fail only for
what the ledger already knows otherwise.
"""

import math
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from estate.description import (
    AssetDescription,
    EstateDescription,
    FacilityDescription,
    GatewayDescription,
    LocationDescription,
    PartDescription,
    SiteDescription,
)
from estate.reading import EstateErrors, Place, where
from ledger.inventory import AssetEntry, PointEntry
from ledger.records import Grade
from rules import response_table
from rules.model import ANY_KIND, GATEWAY_KIND, Pack, ParameterType, PointType, Title
from rules.vocabulary import near

Packs = Mapping[str, Pack]


@dataclass(frozen=True, slots=True)
class PartPlan:
    key: str
    kind: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class FacilityPlan:
    key: str
    kind: str
    grade: Grade
    name_zh: str
    name_en: str
    location: str
    gateway: str | None  # None: it is a gateway itself, or nothing is measured there
    parts: Sequence[PartPlan]
    points: Sequence[PointEntry]
    parameters: Mapping[str, float]
    relations: Mapping[str, str]
    assets: Sequence[AssetEntry]


@dataclass(frozen=True, slots=True)
class SitePlan:
    key: str
    name_zh: str
    name_en: str
    time_zone: str
    round_at: time
    sla_profile: str
    locations: Sequence[LocationDescription]  # parents before children
    gateways: Sequence[FacilityPlan]
    facilities: Sequence[FacilityPlan]


@dataclass(frozen=True, slots=True)
class Plan:
    sites: Sequence[SitePlan]


def check(description: EstateDescription, packs: Packs, profiles: Collection[str] | None = None) -> Plan:
    """The plan, or EstateErrors with everything that is wrong. `profiles`: the SLA profiles there are."""
    known_profiles = response_table.load().profiles if profiles is None else profiles
    faults = _Faults(description)
    faults.repeated("site", ("sites",), [site.key for site in description.sites])
    sites = [
        _SiteCheck(faults, ("sites", number), site, packs, known_profiles).plan()
        for number, site in enumerate(description.sites)
    ]
    if faults.told:
        raise EstateErrors(faults.told)
    return Plan(tuple(sites))


class _Faults:
    """Gathers what is wrong, each with its place."""

    def __init__(self, description: EstateDescription) -> None:
        self.told: list[str] = []
        self._description = description

    def tell(self, place: Place, message: str) -> None:
        self.told.append(f"{where(self._description, place)}: {message}")

    def repeated(self, what: str, place: Place, keys: Sequence[Hashable]) -> None:
        for number, key in enumerate(keys):
            if key in keys[:number]:
                self.tell((*place, number), f"{what} {key} stands here a second time: keys are unique")

    def unknown(self, what: str, place: Place, key: str, known: Iterable[str]) -> None:
        names = sorted(known)
        hint = near(key, names) or (f"; there are {', '.join(names)}" if names else "; there is none")
        self.tell(place, f"there is no {what} {key}{hint}")


class _SiteCheck:
    def __init__(
        self, faults: _Faults, place: Place, site: SiteDescription, packs: Packs, profiles: Collection[str]
    ) -> None:
        self._faults, self._place, self._site, self._packs = faults, place, site, packs
        self._profiles = profiles
        self._locations = {location.key for location in site.locations}
        self._gateways = {gateway.key for gateway in site.gateways}
        self._kinds = {facility.key: facility.kind for facility in site.facilities}

    def plan(self) -> SitePlan:
        site = self._site
        self._check_site()
        gateways = [self._gateway(number, gateway) for number, gateway in enumerate(site.gateways)]
        facilities = [
            plan for number, each in enumerate(site.facilities) if (plan := self._facility(number, each)) is not None
        ]
        return SitePlan(
            site.key,
            site.name.zh,
            site.name.en,
            site.time_zone,
            site.round_at,
            site.sla_profile,
            tuple(self._tree()),
            tuple(gateways),
            tuple(facilities),
        )

    def _check_site(self) -> None:
        site, place, faults = self._site, self._place, self._faults
        faults.repeated("location", (*place, "locations"), [location.key for location in site.locations])
        faults.repeated("gateway", (*place, "gateways"), [gateway.key for gateway in site.gateways])
        faults.repeated("facility", (*place, "facilities"), [facility.key for facility in site.facilities])
        try:
            ZoneInfo(site.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            faults.tell((*place, "time_zone"), f"there is no time zone {site.time_zone}; write it like Asia/Shanghai")
        if site.round_at.tzinfo is not None:
            faults.tell((*place, "round_at"), "the time of the round is local: write it without a zone")
        if site.sla_profile not in self._profiles:
            faults.unknown("SLA profile", (*place, "sla_profile"), site.sla_profile, self._profiles)
        for number, facility in enumerate(site.facilities):
            if facility.key in self._gateways:
                faults.tell(
                    (*place, "facilities", number, "key"),
                    f"{facility.key} is a gateway, and a gateway is a facility of the same key: rename one",
                )

    def _tree(self) -> Iterator[LocationDescription]:
        """The locations, parents first. Those that are inside each other in a circle are left out and told."""
        waiting = dict(enumerate(self._site.locations))
        placed: set[str] = set()
        for number, location in list(waiting.items()):
            if location.inside is not None and location.inside not in self._locations:
                place = (*self._place, "locations", number, "inside")
                self._faults.unknown("location", place, location.inside, self._locations - {location.key})
                del waiting[number]
        while ready := [n for n, each in waiting.items() if each.inside is None or each.inside in placed]:
            for number in ready:
                location = waiting.pop(number)
                placed.add(location.key)
                yield location
        unknown = self._locations - placed - {location.key for location in waiting.values()}
        for number, location in waiting.items():
            if location.inside not in unknown:
                place = (*self._place, "locations", number, "inside")
                self._faults.tell(place, f"{location.key} lies, by way of {location.inside}, inside itself")

    def _gateway(self, number: int, gateway: GatewayDescription) -> FacilityPlan:
        place: Place = (*self._place, "gateways", number)
        self._check_location(place, gateway.location)
        pack = self._packs.get(GATEWAY_KIND)
        return FacilityPlan(
            key=gateway.key,
            kind=GATEWAY_KIND,
            grade=Grade.B if pack is None else pack.grade.grade,
            name_zh=gateway.name.zh,
            name_en=gateway.name.en,
            location=gateway.location,
            gateway=None,
            parts=(),
            points=() if pack is None else tuple(_entry(point, None) for point in pack.points.values()),
            parameters={},
            relations={},
            assets=(),
        )

    def _check_location(self, place: Place, key: str) -> None:
        if key not in self._locations:
            self._faults.unknown("location", (*place, "location"), key, self._locations)

    def _facility(self, number: int, facility: FacilityDescription) -> FacilityPlan | None:
        place: Place = (*self._place, "facilities", number)
        self._check_location(place, facility.location)
        if facility.gateway is not None and facility.gateway not in self._gateways:
            self._faults.unknown("gateway", (*place, "gateway"), facility.gateway, self._gateways)
        pack = self._packs.get(facility.kind)
        if pack is None or facility.kind in (ANY_KIND, GATEWAY_KIND):
            kinds = self._packs.keys() - {ANY_KIND, GATEWAY_KIND}
            self._faults.unknown("kind of facility", (*place, "kind"), facility.kind, kinds)
            return None
        if pack.points and facility.gateway is None:
            self._faults.tell(place, f"a {pack.kind} is measured, so it needs a `gateway` that speaks for it")
        self._check_relations(place, facility, pack)
        return _FacilityCheck(self._faults, place, facility, pack).plan()

    def _check_relations(self, place: Place, facility: FacilityDescription, pack: Pack) -> None:
        for name, target in facility.relations.items():
            here: Place = (*place, "relations", name)
            relation = pack.relations.get(name)
            if relation is None:
                self._faults.unknown(f"relation of {pack.kind}", here, name, pack.relations)
            elif target == facility.key:
                self._faults.tell(here, f"{facility.key} cannot be related to itself")
            elif target not in self._kinds:
                self._faults.unknown(f"facility of site {self._site.key}", here, target, self._kinds.keys())
            elif self._kinds[target] not in relation.to:
                self._faults.tell(
                    here, f"{target} is a {self._kinds[target]}; {name} leads to {' or '.join(relation.to)}"
                )


class _FacilityCheck:
    """One facility against its pack."""

    def __init__(self, faults: _Faults, place: Place, facility: FacilityDescription, pack: Pack) -> None:
        self._faults, self._place, self._facility, self._pack = faults, place, facility, pack
        self._kinds = {part.key: part.kind for part in facility.parts}

    def plan(self) -> FacilityPlan:
        facility, pack = self._facility, self._pack
        self._check_parts()
        self._check_without()
        self._check_parameters()
        self._check_assets()
        parts = [_part(part, pack) for part in facility.parts]
        return FacilityPlan(
            key=facility.key,
            kind=facility.kind,
            grade=pack.grade.grade if facility.grade is None else Grade(facility.grade),
            name_zh=facility.name.zh,
            name_en=facility.name.en,
            location=facility.location,
            gateway=facility.gateway,
            parts=tuple(parts),
            points=tuple(self._points(parts)),
            parameters=dict(facility.parameters),
            relations=dict(facility.relations),
            assets=tuple(_asset(asset) for asset in facility.assets),
        )

    def _check_parts(self) -> None:
        place: Place = (*self._place, "parts")
        self._faults.repeated("part", place, [part.key for part in self._facility.parts])
        for number, part in enumerate(self._facility.parts):
            if part.kind not in self._pack.parts:
                self._faults.unknown(
                    f"kind of part in {self._pack.kind}", (*place, number, "kind"), part.kind, self._pack.parts
                )

    def _points(self, parts: Sequence[PartPlan]) -> Iterator[PointEntry]:
        for point in self._pack.points.values():
            places = [None] if point.part_kind is None else [part for part in parts if part.kind == point.part_kind]
            for part in places:
                entry = _entry(point, part)
                if entry.key not in self._facility.without and point.name not in self._facility.without:
                    yield entry

    def _check_without(self) -> None:
        """Named by wire key (`pump_1.run`), or by the pack's name (`pump.run`) for every part of a kind."""
        types: dict[str, PointType] = dict(self._pack.points)
        for part in self._facility.parts:
            types |= {
                f"{part.key}.{point.key}": point for point in self._pack.points.values() if point.part_kind == part.kind
            }
        for number, name in enumerate(self._facility.without):
            place: Place = (*self._place, "without", number)
            if name not in types:
                self._faults.unknown(f"point of {self._pack.kind}", place, name, types)
            elif not types[name].optional:
                self._faults.tell(place, f"{name} is not optional: a {self._pack.kind} always has it")

    def _check_parameters(self) -> None:
        for name, value in self._facility.parameters.items():
            place: Place = (*self._place, "parameters", name)
            found = self._parameter(name)
            if found is None:
                self._faults.unknown(f"parameter of {self._pack.kind}", place, name, self._parameter_names())
                continue
            low = -math.inf if found.range_min is None else found.range_min
            high = math.inf if found.range_max is None else found.range_max
            if not (math.isfinite(value) and low <= value <= high):
                unit = f" {found.unit}" if found.unit else ""
                self._faults.tell(place, f"{value:g}{unit} is not between {low:g} and {high:g}{unit}")

    def _parameter(self, name: str) -> ParameterType | None:
        part, dot, key = name.partition(".")
        if not dot:
            found = self._pack.parameters.get(name)
            return found if found is not None and found.part_kind is None else None
        return self._pack.parameters.get(f"{self._kinds[part]}.{key}") if part in self._kinds else None

    def _parameter_names(self) -> Iterator[str]:
        for parameter in self._pack.parameters.values():
            if parameter.part_kind is None:
                yield parameter.key
            else:
                yield from (
                    f"{part}.{parameter.key}" for part, kind in self._kinds.items() if kind == parameter.part_kind
                )

    def _check_assets(self) -> None:
        place: Place = (*self._place, "assets")
        seen: set[tuple[str | None, object]] = set()
        for number, asset in enumerate(self._facility.assets):
            here: Place = (*place, number)
            if asset.part is not None and asset.part not in self._kinds:
                self._faults.unknown(f"part of {self._facility.key}", (*here, "part"), asset.part, self._kinds)
            if asset.manufactured_on is not None and asset.manufactured_on > asset.installed_on:
                self._faults.tell(here, "it was installed before it was made")
            if (asset.part, asset.installed_on) in seen:
                self._faults.tell(here, f"another asset was installed there on {asset.installed_on} as well")
            seen.add((asset.part, asset.installed_on))


def _part(part: PartDescription, pack: Pack) -> PartPlan:
    if part.name is not None:
        return PartPlan(part.key, part.kind, part.name.zh, part.name.en)
    found = pack.parts.get(part.kind)
    title = Title(part.kind, part.kind) if found is None else found.title
    # `pump_1` is pump number 1, `phase_a` phase A.
    number = "" if part.key == part.kind else part.key.removeprefix(f"{part.kind}_").upper()
    return PartPlan(part.key, part.kind, f"{title.zh} {number}".strip(), f"{title.en} {number}".strip())


def _entry(point: PointType, part: PartPlan | None) -> PointEntry:
    return PointEntry(
        key=point.key if part is None else f"{part.key}.{point.key}",
        part_key=None if part is None else part.key,
        kind=point.kind,
        unit=point.unit,
        scale=point.scale,
        shift=point.shift,
        range_min=point.range_min,
        range_max=point.range_max,
        report_interval_s=point.report_interval_s,
        hold_s=point.hold_s,
        name_zh=point.title.zh if part is None else f"{part.name_zh} {point.title.zh}",
        name_en=point.title.en if part is None else f"{part.name_en} {point.title.en}",
        labels=point.values,
    )


def _asset(asset: AssetDescription) -> AssetEntry:
    return AssetEntry(asset.part, asset.maker, asset.model, asset.serial, asset.manufactured_on, asset.installed_on)
