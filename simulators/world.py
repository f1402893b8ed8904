"""All plants of an estate together: who feeds whom, what the hour is, and what the sensors make of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from estate.description import EstateDescription, FacilityDescription, SiteDescription
from simulators.plant import booster, distribution, elevator
from simulators.plant.surroundings import Surroundings, Value
from simulators.reporting import Report

Place = tuple[str, str]  # site and facility


class Plant(Protocol):
    def step(self, dt_s: float, surroundings: Surroundings) -> None: ...

    def values(self) -> dict[str, Value]: ...


REPORTS: Mapping[str, Mapping[str, Report]] = {
    "booster_pump_room": booster.REPORTS,
    "distribution_room": distribution.REPORTS,
    "elevator": elevator.REPORTS,
}


class World:
    """The plants of every facility whose kind is simulated; others stay silent, as if nobody had wired them."""

    def __init__(self, estate: EstateDescription, seed: int, *, interval_min_s: float = 0.0) -> None:
        self._interval_min_s = interval_min_s
        self.plants: dict[Place, Plant] = {}
        self.facilities: dict[Place, FacilityDescription] = {}
        self._absent: dict[Place, frozenset[str]] = {}
        self._zones: dict[str, ZoneInfo] = {}
        self._feeders: dict[Place, Place] = {}
        self._frozen: dict[Place, dict[str, Value]] = {}
        for site in estate.sites:
            self._zones[site.key] = ZoneInfo(site.time_zone)
            # Whoever feeds others is stepped before them, so that they see this moment's supply.
            for facility in sorted(site.facilities, key=lambda one: one.kind != "distribution_room"):
                if facility.kind in REPORTS:
                    self._add(site, facility, seed)

    def _add(self, site: SiteDescription, facility: FacilityDescription, seed: int) -> None:
        place = (site.key, facility.key)
        self.facilities[place] = facility
        self.plants[place] = _build(facility, seed, f"{site.key}/{facility.key}")
        self._absent[place] = frozenset((*_wire_keys(facility, facility.without), *facility.without))
        if "supplied_by" in facility.relations:
            self._feeders[place] = (site.key, facility.relations["supplied_by"])

    def reports(self, place: Place) -> dict[str, Report]:
        """How each point of a facility is reported, by its key on the wire."""
        facility = self.facilities[place]
        reports = REPORTS[facility.kind]
        keys = {wire: reports[pack] for pack in reports for wire in _wire_keys(facility, (pack,))}
        least_s = self._interval_min_s
        return {key: report.at_most_every(least_s) for key, report in keys.items() if key not in self._absent[place]}

    def step(self, dt_s: float, moment: datetime) -> None:
        """Everything moves on by `dt_s`, to `moment`."""
        hours = {site: _hour(moment.astimezone(zone)) for site, zone in self._zones.items()}
        for place, plant in self.plants.items():
            plant.step(dt_s, Surroundings(hours[place[0]], mains_ok=self._fed(place)))

    def values(self, place: Place) -> dict[str, Value]:
        """What the sensors of a facility say now."""
        values = self.plants[place].values()
        for key, value in self._frozen.get(place, {}).items():
            values[key] = value
        return values

    def freeze(self, place: Place, point: str) -> None:
        """From now on a sensor repeats what it last said."""
        self._frozen.setdefault(place, {})[point] = self.plants[place].values()[point]

    def thaw(self, place: Place, point: str) -> None:
        self._frozen.get(place, {}).pop(point, None)

    def fed_by(self, place: Place) -> list[Place]:
        return [fed for fed, feeder in self._feeders.items() if feeder == place]

    def _fed(self, place: Place) -> bool:
        feeder = self.plants.get(self._feeders.get(place, place))
        return feeder.supply_ok if isinstance(feeder, distribution.DistributionRoom) else True


def _build(facility: FacilityDescription, seed: int, name: str) -> Plant:
    def parts(kind: str) -> list[str]:
        return [part.key for part in facility.parts if part.kind == kind]

    match facility.kind:
        case "booster_pump_room":
            return booster.BoosterSet(
                seed,
                name,
                pumps=parts("pump"),
                sump_pumps=parts("sump_pump"),
                parameters=facility.parameters,
                backup_feed="ats_position" not in facility.without,
            )
        case "distribution_room":
            return distribution.DistributionRoom(
                seed,
                name,
                transformers=parts("transformer"),
                feeders=parts("feeder"),
                parameters=facility.parameters,
            )
        case "elevator":
            return elevator.Elevator(seed, name)
        case _:
            raise ValueError(f"no plant of kind {facility.kind}")


def _wire_keys(facility: FacilityDescription, pack_keys: tuple[str, ...]) -> list[str]:
    """A pack's key `pump.run` on the wire: `pump_1.run` for every part of that kind."""
    keys: list[str] = []
    for pack_key in pack_keys:
        kind, dot, point = pack_key.partition(".")
        if dot:
            keys.extend(f"{part.key}.{point}" for part in facility.parts if part.kind == kind)
        else:
            keys.append(pack_key)
    return keys


def _hour(local: datetime) -> float:
    return local.hour + local.minute / 60.0 + local.second / 3600.0
