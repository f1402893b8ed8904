"""All plants of an estate together: who feeds whom, what the hour is, and what the sensors make of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from estate.description import EstateDescription, FacilityDescription, SiteDescription
from simulators.plant import booster, distribution, elevator, fire_pump, fire_tank, generator, sump
from simulators.plant.surroundings import Surroundings, Value
from simulators.plant.weather import Weather
from simulators.reporting import Report

Place = tuple[str, str]  # site and facility


class Plant(Protocol):
    def step(self, dt_s: float, surroundings: Surroundings) -> None: ...

    def values(self) -> dict[str, Value]: ...


REPORTS: Mapping[str, Mapping[str, Report]] = {
    "booster_pump_room": booster.REPORTS,
    "distribution_room": distribution.REPORTS,
    "elevator": elevator.REPORTS,
    "fire_pump_room": fire_pump.REPORTS,
    "fire_water_tank": fire_tank.REPORTS,
    "generator": generator.REPORTS,
    "drainage_sump": sump.REPORTS,
}
# Whoever feeds others is stepped before them, so that they see this moment's supply.
_FIRST = ("distribution_room", "generator", "fire_water_tank")


@dataclass(slots=True)
class _Lie:
    """How wrong a sensor is by now, and how wrong it will be."""

    by: float
    per_s: float
    now: float = 0.0

    def step(self, dt_s: float) -> None:
        grown = self.now + self.per_s * dt_s
        self.now = min(grown, self.by) if self.by > 0 else max(grown, self.by)

    def told(self, value: Value) -> Value:
        return round(value + self.now, 4) if isinstance(value, int | float) else value


@dataclass(slots=True)
class _Flutter:
    """A contact that makes and breaks by itself."""

    made_s: float
    broken_s: float
    now_s: float = 0.0

    def step(self, dt_s: float) -> None:
        self.now_s = (self.now_s + dt_s) % (self.made_s + self.broken_s)

    def told(self, value: Value) -> Value:
        del value
        return self.now_s < self.made_s


# Some controllers lose their hold in steps that are long beside what they control.
_PACE_MAX_S: Mapping[str, float] = {"booster_pump_room": 4.0, "fire_pump_room": 5.0, "generator": 2.0}


class World:
    """The plants of every facility whose kind is simulated; others stay silent, as if nobody had wired them."""

    def __init__(
        self, estate: EstateDescription, seed: int, *, interval_min_s: Mapping[str, float] | None = None
    ) -> None:
        self._interval_min_s = interval_min_s or {}
        self.plants: dict[Place, Plant] = {}
        self.facilities: dict[Place, FacilityDescription] = {}
        self._absent: dict[Place, frozenset[str]] = {}
        self._zones: dict[str, ZoneInfo] = {}
        self._feeders: dict[Place, Place] = {}
        self._generators: dict[Place, generator.Generator] = {}  # by the room that each stands in for
        self._tanks: dict[Place, Place] = {}
        self._frozen: dict[Place, dict[str, Value]] = {}
        self._lies: dict[Place, dict[str, _Lie | _Flutter]] = {}
        self._mute: dict[Place, set[str]] = {}
        self.weather: dict[str, Weather] = {}
        for site in estate.sites:
            self._zones[site.key] = ZoneInfo(site.time_zone)
            self.weather[site.key] = Weather(seed, site.key)
            simulated = [one for one in site.facilities if one.kind in REPORTS and one.gateway is not None]
            for facility in sorted(simulated, key=_rank):
                self._add(site, facility, seed)

    def _add(self, site: SiteDescription, facility: FacilityDescription, seed: int) -> None:
        place = (site.key, facility.key)
        self.facilities[place] = facility
        plant = self.plants[place] = _build(facility, seed, f"{site.key}/{facility.key}")
        self._absent[place] = frozenset((*_wire_keys(facility, facility.without), *facility.without))
        relations = {name: (site.key, target) for name, target in facility.relations.items()}
        if isinstance(plant, generator.Generator) and "stands_in_for" in relations:
            self._feeders[place] = relations["stands_in_for"]
            self._generators[relations["stands_in_for"]] = plant
        elif "supplied_by" in relations:
            self._feeders[place] = relations["supplied_by"]
        if "tank" in relations:
            self._tanks[place] = relations["tank"]

    def reports(self, place: Place) -> dict[str, Report]:
        """How each point of a facility is reported, by its key on the wire."""
        facility = self.facilities[place]
        reports = REPORTS[facility.kind]
        keys = {wire: reports[pack] for pack in reports for wire in _wire_keys(facility, (pack,))}
        least_s = self._interval_min_s.get(facility.kind, 0.0)
        return {key: report.at_most_every(least_s) for key, report in keys.items() if key not in self._absent[place]}

    def step(self, dt_s: float, moment: datetime) -> None:
        """Everything moves on by `dt_s`, to `moment`."""
        hours = {site: _hour(moment.astimezone(zone)) for site, zone in self._zones.items()}
        for weather in self.weather.values():
            weather.step(dt_s)
        for lies in self._lies.values():
            for lie in lies.values():
                lie.step(dt_s)
        for place, plant in self.plants.items():
            around = self._around(place, hours[place[0]])
            paces = math.ceil(dt_s / _PACE_MAX_S.get(self.facilities[place].kind, dt_s))
            for _ in range(paces):
                plant.step(dt_s / paces, around)

    def _around(self, place: Place, hour: float) -> Surroundings:
        feeder = self._feeders.get(place)
        room = None if feeder is None else self.plants.get(feeder)
        tank = self.plants.get(self._tanks[place]) if place in self._tanks else None
        return Surroundings(
            hour,
            mains_ok=room.supply_ok if isinstance(room, distribution.DistributionRoom) else True,
            backup_ok=self._generators[feeder].bus_live if feeder in self._generators else True,
            water_ok=tank.has_water if isinstance(tank, fire_tank.FireTank) else True,
            drawn_m3h=self._drawn_from(place),
            rain_mm_h=self.weather[place[0]].rain_mm_h,
        )

    def _drawn_from(self, place: Place) -> float:
        drawing = [self.plants[user] for user, tank in self._tanks.items() if tank == place]
        return sum(plant.drawn_m3h for plant in drawing if isinstance(plant, fire_pump.FirePumpRoom))

    def values(self, place: Place) -> dict[str, Value]:
        """What the sensors of a facility say now; nothing of those that are mute."""
        values = self.plants[place].values()
        if place in self._frozen:
            values |= self._frozen[place]
        for key, lie in self._lies.get(place, {}).items():
            values[key] = lie.told(values[key])
        for key in self._mute.get(place, ()):
            del values[key]
        return values

    def freeze(self, place: Place, point: str) -> None:
        """From now on a sensor repeats what it last said."""
        self._frozen.setdefault(place, {})[point] = self.plants[place].values()[point]

    def thaw(self, place: Place, point: str) -> None:
        self._frozen.get(place, {}).pop(point, None)

    def mute(self, place: Place, point: str) -> None:
        """From now on a sensor says nothing."""
        self._mute.setdefault(place, set()).add(point)

    def unmute(self, place: Place, point: str) -> None:
        self._mute.get(place, set()).discard(point)

    def lie(self, place: Place, point: str, by: float, over_s: float) -> None:
        """From now on a sensor drifts until it is wrong by so much."""
        self._lies.setdefault(place, {})[point] = _Lie(by, by / over_s)

    def flutter(self, place: Place, point: str, made_s: float, broken_s: float) -> None:
        """From now on a contact chatters."""
        self._lies.setdefault(place, {})[point] = _Flutter(made_s, broken_s)

    def be_honest(self, place: Place, point: str) -> None:
        self._lies.get(place, {}).pop(point, None)

    def fed_by(self, place: Place) -> list[Place]:
        """Whoever loses its first feed with it, a generator that stands in for it among them."""
        return [fed for fed, feeder in self._feeders.items() if feeder == place]

    def generator_of(self, place: Place) -> Place | None:
        """The generator that stands in for a distribution room."""
        standing_in = self._generators.get(place)
        return next((fed for fed in self.fed_by(place) if self.plants[fed] is standing_in), None)


def _rank(facility: FacilityDescription) -> int:
    return _FIRST.index(facility.kind) if facility.kind in _FIRST else len(_FIRST)


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
                surveyed=[part.key for part in facility.parts if part.kind.startswith("ir_")],
                parameters=facility.parameters,
            )
        case "elevator":
            return elevator.Elevator(seed, name)
        case "fire_pump_room":
            return fire_pump.FirePumpRoom(
                seed,
                name,
                hydrant_pumps=parts("hydrant_pump"),
                sprinkler_pumps=parts("sprinkler_pump"),
                jockey_pumps=parts("jockey_pump"),
                diesel_pumps=parts("diesel_pump"),
                valves=parts("valve"),
                parameters=facility.parameters,
                second_feed="power_b_ok" not in facility.without,
            )
        case "fire_water_tank":
            return fire_tank.FireTank(seed, name, valves=parts("valve"), parameters=facility.parameters)
        case "generator":
            return generator.Generator(seed, name)
        case "drainage_sump":
            return sump.Sump(seed, name, pumps=parts("sump_pump"), parameters=facility.parameters)
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
