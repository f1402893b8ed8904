"""What an estate description comes to once the rule packs have had their say: every row, resolved, or every fault.

Nothing here touches the ledger. What stands there already is given as a value: a description may lean on places,
gateways and facilities that it does not name. A plan holds only what exists in the packs.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from estate.description import (
    EstateDescription,
    FacilityDescription,
    GatewayDescription,
    LocationDescription,
    RemovalDescription,
    SiteDescription,
)
from estate.facility_plan import FacilityCheck, FacilityPlan
from estate.faults import TOLD, EstateErrors, Faults, Place, Said
from estate.reading import positions_of
from estate.types import Types, shipped
from ledger.standing import Standing, StandingFacility
from rules import response_table
from rules.model import ANY_KIND, GATEWAY_KIND, SERVICE_KIND, Pack

Packs = Mapping[str, Pack]

# A facility's key is a level of its topic, and below a site these two levels are taken: `alarms` by what only ingest
# writes (the broker denies a gateway telemetry there), `gateways` by their status.
RESERVED = frozenset(("alarms", "gateways"))

_LOCATION, _GATEWAY, _FACILITY = Said("位置", "location"), Said("网关", "gateway"), Said("设施", "facility")


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
    removed: Sequence[RemovalDescription]


@dataclass(frozen=True, slots=True)
class Plan:
    sites: Sequence[SitePlan]


def check(
    description: EstateDescription,
    packs: Packs,
    profiles: Collection[str] | None = None,
    known: Mapping[str, Standing] | None = None,
    types: Types | None = None,
) -> Plan:
    """The plan, or EstateErrors with everything that is wrong.

    `profiles`: the SLA profiles there are; `known`: the sites that stand in the ledger, by key.
    """
    faults = Faults(positions_of(description))
    faults.repeated(Said("项目", "site"), ("sites",), [site.key for site in description.sites])
    given = _Given(
        packs,
        response_table.load().profiles if profiles is None else profiles,
        shipped() if types is None else types,
    )
    sites = [
        _SiteCheck(faults, ("sites", number), site, given, (known or {}).get(site.key)).plan()
        for number, site in enumerate(description.sites)
    ]
    if faults.told:
        raise EstateErrors(sorted(faults.told, key=lambda one: (one.position.file, one.position.line or 0)))
    return Plan(tuple(sites))


@dataclass(frozen=True, slots=True)
class _Given:
    packs: Packs
    profiles: Collection[str]
    types: Types


class _SiteCheck:
    def __init__(
        self, faults: Faults, place: Place, site: SiteDescription, given: _Given, standing: Standing | None
    ) -> None:
        self._faults, self._place, self._site, self._given, self._standing = faults, place, site, given, standing
        self._there: Mapping[str, StandingFacility] = {} if standing is None else standing.facilities
        gone = {each.key for each in site.removed}
        gone |= {each.renamed_from for each in (*site.facilities, *site.gateways) if each.renamed_from is not None}
        staying = {key: one for key, one in self._there.items() if not one.retired and key not in gone}
        moved = {each.renamed_from for each in site.locations if each.renamed_from is not None}
        self._places = {each.key for each in site.locations}
        self._locations: set[str] = set() if standing is None else standing.locations.keys() - moved
        self._locations |= self._places
        self._gateways = {each.key for each in site.gateways}
        self._gateways |= {key for key, one in staying.items() if one.kind == GATEWAY_KIND}
        self._kinds = {key: one.kind for key, one in staying.items()}
        self._kinds |= {each.key: each.kind for each in site.facilities}

    def plan(self) -> SitePlan:
        site = self._site
        self._check_site()
        self._check_keys()
        gateways = [self._gateway(number, gateway) for number, gateway in enumerate(site.gateways)]
        facilities = [
            plan for number, each in enumerate(site.facilities) if (plan := self._facility(number, each)) is not None
        ]
        there = None if self._standing is None else self._standing.site
        said = site.model_fields_set
        return SitePlan(
            site.key,
            site.name.zh if site.name is not None else ("" if there is None else there.name_zh),
            site.name.en if site.name is not None else ("" if there is None else there.name_en),
            site.time_zone if there is None or "time_zone" in said else there.time_zone,
            site.round_at if there is None or "round_at" in said else there.round_at,
            site.sla_profile if there is None or "sla_profile" in said else there.sla_profile,
            tuple(self._tree()),
            tuple(gateways),
            tuple(facilities),
            site.removed,
        )

    def _check_site(self) -> None:
        site, place, faults = self._site, self._place, self._faults
        if site.name is None and self._standing is None:
            faults.tell(
                place,
                f"项目 {site.key} 还不在台账里，需要名称（zh 和 en）",
                f"the site {site.key} is not in the ledger yet, so it needs a name (zh and en)",
            )
        try:
            ZoneInfo(site.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            faults.tell(
                (*place, "time_zone"),
                f"没有时区 {site.time_zone}；写成 Asia/Shanghai 这样",
                f"there is no time zone {site.time_zone}; write it like Asia/Shanghai",
            )
        if site.round_at.tzinfo is not None:
            faults.tell(
                (*place, "round_at"),
                "巡检时间是当地时间：不要写时区",
                "the time of the round is local: write it without a zone",
            )
        if site.sla_profile not in self._given.profiles:
            faults.unknown(
                Said("时限方案", "SLA profile"), (*place, "sla_profile"), site.sla_profile, self._given.profiles
            )

    def _check_keys(self) -> None:
        site, place, faults = self._site, self._place, self._faults
        faults.repeated(_LOCATION, (*place, "locations"), [location.key for location in site.locations])
        faults.repeated(_GATEWAY, (*place, "gateways"), [gateway.key for gateway in site.gateways])
        faults.repeated(_FACILITY, (*place, "facilities"), [facility.key for facility in site.facilities])
        for what, items in (("gateways", site.gateways), ("facilities", site.facilities)):
            for number, each in enumerate(items):
                if each.key in RESERVED:
                    faults.tell(
                        (*place, what, number, "key"),
                        f"{each.key} 在 MQTT 主题里另有含义，不能作编号：换一个",
                        f"{each.key} means something else in the MQTT topics and cannot be a key: choose another",
                    )
        named = {gateway.key for gateway in site.gateways}
        for number, facility in enumerate(site.facilities):
            if facility.key in named:
                faults.tell(
                    (*place, "facilities", number, "key"),
                    f"{facility.key} 是网关，而网关也是同编号的设施：改掉一个",
                    f"{facility.key} is a gateway, and a gateway is a facility of the same key: rename one",
                )
        named |= {facility.key for facility in site.facilities}
        for number, removal in enumerate(site.removed):
            here: Place = (*place, "removed", number, "key")
            if removal.key in named:
                faults.tell(
                    here,
                    f"{removal.key} 同时写在设施里：要么保留，要么拆除",
                    f"{removal.key} is described as well: it either stays or goes",
                )
            elif removal.key not in self._there:
                faults.unknown(
                    Said(f"{site.key} 的设施", f"facility of site {site.key} in the ledger"),
                    here,
                    removal.key,
                    self._there,
                )
        faults.repeated(_FACILITY, (*place, "removed"), [removal.key for removal in site.removed])
        self._check_renamed("gateways", site.gateways)
        self._check_renamed("facilities", site.facilities)
        self._check_renamed("locations", site.locations)

    def _check_renamed(
        self, what: str, items: Sequence[GatewayDescription | FacilityDescription | LocationDescription]
    ) -> None:
        """Either the old key is in the ledger, or the renaming has been done: the new one is. Or neither, of a new site."""
        there: Collection[str] = self._there
        if what == "locations":
            there = {} if self._standing is None else self._standing.locations
        described = {each.key for each in self._site.locations}
        if what != "locations":
            described = {each.key for each in (*self._site.gateways, *self._site.facilities, *self._site.removed)}
        taken: set[str] = set()
        for number, each in enumerate(items):
            place: Place = (*self._place, what, number, "renamed_from")
            old = each.renamed_from
            if old is None or self._standing is None:
                continue
            if old in taken or (old in described and old != each.key):
                self._faults.tell(
                    place,
                    f"{old} 改成 {each.key}，又在别处写着：一个编号只能变成一个；分两次导入",
                    f"{old} becomes {each.key} and is named elsewhere as well: bring the renaming in first, by itself",
                )
                continue
            taken.add(old)
            if old in there and each.key in there:
                self._faults.tell(
                    place,
                    f"{old} 和 {each.key} 都已在台账里，不能改成同一个编号",
                    f"{old} and {each.key} are both in the ledger: one cannot become the other",
                )
            elif old not in there and each.key not in there:
                self._faults.unknown(Said("原编号", "key in the ledger"), place, old, there)

    def _tree(self) -> Iterator[LocationDescription]:
        """The locations, parents first. Those that are inside each other in a circle are left out and told."""
        waiting = dict(enumerate(self._site.locations))
        placed = self._locations - self._places
        for number, location in list(waiting.items()):
            if location.inside is not None and location.inside not in self._locations:
                place = (*self._place, "locations", number, "inside")
                self._faults.unknown(_LOCATION, place, location.inside, self._locations - {location.key})
                del waiting[number]
        while ready := [n for n, each in waiting.items() if each.inside is None or each.inside in placed]:
            for number in ready:
                location = waiting.pop(number)
                placed.add(location.key)
                yield location
        self._check_circles()

    def _check_circles(self) -> None:
        """No place lies inside itself, by way of the file's places or those of the ledger."""
        above = {} if self._standing is None else {key: one.inside for key, one in self._standing.locations.items()}
        above |= {location.key: location.inside for location in self._site.locations}
        for number, location in enumerate(self._site.locations):
            here, steps = location.inside, 0
            while here is not None and here != location.key and steps <= len(above):
                here, steps = above.get(here), steps + 1
            if here == location.key:
                self._faults.tell(
                    (*self._place, "locations", number, "inside"),
                    f"{location.key} 经 {location.inside} 又在它自己里面",
                    f"{location.key} lies, by way of {location.inside}, inside itself",
                )

    def _gateway(self, number: int, gateway: GatewayDescription) -> FacilityPlan:
        place: Place = (*self._place, "gateways", number)
        self._check_location(place, gateway.location)
        self._check_kind(place, gateway.key, gateway.renamed_from, GATEWAY_KIND)
        pack = self._given.packs[GATEWAY_KIND]
        described = FacilityDescription(
            key=gateway.key, kind=GATEWAY_KIND, name=gateway.name, location=gateway.location, gateway=None
        )
        return FacilityCheck(self._faults, place, described, pack, None, gateway.renamed_from).plan()

    def _check_location(self, place: Place, key: str) -> None:
        if key not in self._locations and key != TOLD:
            self._faults.unknown(_LOCATION, (*place, "location"), key, self._locations)

    def _check_kind(self, place: Place, key: str, renamed_from: str | None, kind: str) -> None:
        """What is in the ledger under this key cannot become something else."""
        there = self._there.get(key) or self._there.get(renamed_from or "")
        if there is not None and there.kind != kind:
            self._faults.tell(
                (*place, "key"),
                f"{key} 在台账里是 {there.kind}，不能变成 {kind}：换一个编号",
                f"facility {key} is a {there.kind} in the ledger and cannot become a {kind}: give it another key",
            )

    def _facility(self, number: int, facility: FacilityDescription) -> FacilityPlan | None:
        place: Place = (*self._place, "facilities", number)
        self._check_location(place, facility.location)
        if facility.gateway is not None and facility.gateway not in self._gateways:
            self._faults.unknown(_GATEWAY, (*place, "gateway"), facility.gateway, self._gateways)
        if facility.kind == TOLD:
            return None
        pack = self._given.packs.get(facility.kind)
        if pack is None or facility.kind in (ANY_KIND, GATEWAY_KIND):
            kinds = self._given.packs.keys() - {ANY_KIND, GATEWAY_KIND}
            self._faults.unknown(Said("设施种类", "kind of facility"), (*place, "kind"), facility.kind, kinds)
            return None
        self._check_kind(place, facility.key, facility.renamed_from, facility.kind)
        if pack.points and facility.gateway is None and facility.kind != SERVICE_KIND:
            self._faults.tell(
                place,
                f"{pack.title.zh}有测点，需要写明采集它的网关",
                f"a {pack.kind} is measured, so it needs a `gateway` that speaks for it",
            )
        self._check_relations(place, facility, pack)
        of_type = None if facility.type is None else self._given.types.get(facility.type)
        return FacilityCheck(self._faults, place, facility, pack, of_type, facility.renamed_from).plan()

    def _check_relations(self, place: Place, facility: FacilityDescription, pack: Pack) -> None:
        for name, target in facility.relations.items():
            here: Place = (*place, "relations", name)
            relation = pack.relations.get(name)
            if relation is None:
                what = Said(f"{pack.title.zh}的关系", f"relation of {pack.kind}")
                self._faults.unknown(what, here, name, pack.relations)
            elif target == facility.key:
                self._faults.tell(
                    here, f"{facility.key} 不能与自己有关系", f"{facility.key} cannot be related to itself"
                )
            elif target not in self._kinds:
                what = Said(f"{self._site.key} 的设施", f"facility of site {self._site.key}")
                self._faults.unknown(what, here, target, self._kinds.keys())
            elif self._kinds[target] not in relation.to and self._kinds[target] != TOLD:
                self._faults.tell(
                    here,
                    f"{target} 是 {self._kinds[target]}；{name} 只能指向 {' 或 '.join(relation.to)}",
                    f"{target} is a {self._kinds[target]}; {name} leads to {' or '.join(relation.to)}",
                )
