"""Estates of the size asked for, and what their sensors say while nothing is wrong.

The facilities are of the simulated kinds with all their points; what is normal comes from the simulated plants after
some minutes of running, so that no figure is invented here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from estate.description import (
    EstateDescription,
    FacilityDescription,
    GatewayDescription,
    LocationDescription,
    Name,
    PartDescription,
    SiteDescription,
)
from ledger.records import PointKind
from rules.model import Pack
from simulators.world import World

Normal = bool | float | str
Packs = Mapping[str, Pack]

# Kind -> share of an estate in hundredths, and its parts. Together about 32 points a facility.
_MIX: Mapping[str, tuple[int, tuple[tuple[str, int], ...]]] = {
    "elevator": (30, ()),
    "booster_pump_room": (25, (("pump", 2), ("sump_pump", 1))),
    "distribution_room": (15, (("transformer", 1), ("feeder", 4))),
    "fire_pump_room": (
        12,
        (("hydrant_pump", 2), ("sprinkler_pump", 2), ("jockey_pump", 2), ("valve", 4)),
    ),
    "drainage_sump": (8, (("sump_pump", 2),)),
    "fire_water_tank": (6, (("valve", 1),)),
    "generator": (4, ()),
}
# A car that stands: one caught on its way would be on it for ever.
_STANDING: Mapping[str, Normal] = {
    "car_moving": False, "speed": 0.0, "in_door_zone": True, "occupied": False, "door_state": "closed",
}  # fmt: skip
FACILITIES_PER_GATEWAY = 10
_WARM_UP_STEPS, _STEP_S = 600, 2.0


@dataclass(frozen=True, slots=True)
class Place:
    """A facility as the load generator knows it."""

    site: str
    key: str
    kind: str

    @property
    def topic(self) -> str:
        return f"tz/v1/{self.site}/{self.key}/telemetry"


@dataclass(frozen=True, slots=True)
class Grounds:
    """An estate, described; and its normal values by kind and point key, events left out."""

    description: EstateDescription
    places: Sequence[Place]
    gateways: Sequence[tuple[str, str]]  # site and key
    normal: Mapping[str, Mapping[str, Normal]]

    @property
    def points(self) -> int:
        """As many as are reported."""
        return sum(len(self.normal[place.kind]) for place in self.places)


def grounds(packs: Packs, facilities: int, now: datetime, *, sites: int = 4) -> Grounds:
    """`facilities` of them in the mix above, spread over sites, ten to a gateway."""
    kinds = _spread(facilities)
    sites = min(sites, max(1, facilities // FACILITIES_PER_GATEWAY))
    described: list[SiteDescription] = []
    places: list[Place] = []
    gateways: list[tuple[str, str]] = []
    for number in range(sites):
        site = _site(f"bench-{number + 1}", kinds[number::sites])
        described.append(site)
        places += [Place(site.key, each.key, each.kind) for each in site.facilities]
        gateways += [(site.key, each.key) for each in site.gateways]
    normal = {kind: normal_of(kind, packs[kind], now) for kind in sorted(set(kinds))}
    return Grounds(EstateDescription(sites=tuple(described)), places, gateways, normal)


def _spread(facilities: int) -> list[str]:
    """The kinds in turn, each as often as its share says, evenly mixed."""
    owed = dict.fromkeys(_MIX, 0)
    chosen: list[str] = []
    for _ in range(facilities):
        for kind, (share, _parts) in _MIX.items():
            owed[kind] += share
        most = max(owed, key=lambda kind: owed[kind])
        owed[most] -= 100
        chosen.append(most)
    return chosen


def _site(key: str, kinds: Sequence[str]) -> SiteDescription:
    name = Name(zh="测试小区", en=key)
    count = -(-len(kinds) // FACILITIES_PER_GATEWAY)
    return SiteDescription(
        key=key,
        name=name,
        locations=(LocationDescription(key="plant", name=name),),
        gateways=tuple(
            GatewayDescription(key=f"gw-{number:04d}", name=name, location="plant") for number in range(count)
        ),
        facilities=tuple(
            _facility(f"f{number:04d}", kind, f"gw-{number // FACILITIES_PER_GATEWAY:04d}")
            for number, kind in enumerate(kinds)
        ),
    )


def _facility(key: str, kind: str, gateway: str) -> FacilityDescription:
    return FacilityDescription(
        key=key,
        kind=kind,
        name=Name(zh=key, en=key),
        location="plant",
        gateway=gateway,
        parts=tuple(
            PartDescription(key=f"{part}_{number}", kind=part)
            for part, count in _MIX[kind][1]
            for number in range(1, count + 1)
        ),
    )


@cache
def _settled(kind: str, now: datetime) -> Mapping[str, Normal]:
    """What the sensors of such a facility say after some minutes."""
    site = _site("bench", [kind])
    world = World(EstateDescription(sites=(site,)), seed=1)
    for step in range(_WARM_UP_STEPS):
        world.step(_STEP_S, now + timedelta(seconds=_STEP_S * step))
    values = world.values((site.key, site.facilities[0].key))
    return {key: value for key, value in values.items() if value is not None}


def normal_of(kind: str, pack: Pack, now: datetime) -> Mapping[str, Normal]:
    # At ten in the morning in Shanghai: pumps run, and no rule of the night is on.
    said = _settled(kind, now.replace(hour=2, minute=0, second=0, microsecond=0))
    found: dict[str, Normal] = {}
    facility = _facility("one", kind, "gw")
    for point in pack.points.values():
        if point.kind is PointKind.EVENT:
            continue
        parts = [part.key for part in facility.parts if part.kind == point.part_kind]
        for key in [f"{part}.{point.key}" for part in parts] if point.part_kind else [point.key]:
            if key in said:
                found[key] = said[key]
    return {**found, **_STANDING} if kind == "elevator" else found
