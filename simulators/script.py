"""Which fault happens when and where: written down in a script, given on the command line, or drawn from a seed.

A script is YAML: `duration`, and `faults`, each with `fault` (a key of the catalogue), `at` (from the start of the
run), and, where the catalogue's own will not do, `facility: site/key` or `gateway: site/key`, `part` and `for`. What
is left out is chosen: a free place of the right kind, the usual length. `clock_offsets` gives gateways a wrong clock.

Raises `ScriptError`, which names everything wrong with a script at once.
"""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from estate.description import EstateDescription, FacilityDescription
from simulators.errors import ScriptError
from simulators.faults import CATALOGUE
from simulators.scene import Fault

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Planned:
    """One fault to come. `target` is a facility, or a gateway where the fault is a gateway's."""

    fault: Fault
    at_s: float
    lasts_s: float
    site: str
    target: str
    part: str | None
    inner: tuple["Planned", ...] = ()  # what happens meanwhile at the gateway's facilities
    historical: bool = False  # over before anybody hears of it

    @property
    def until_s(self) -> float:
        return self.at_s + self.lasts_s

    @property
    def quiet_s(self) -> float:
        """From when on its place may be used again."""
        return self.until_s + self.fault.settles_s


@dataclass(frozen=True, slots=True)
class Script:
    """A finite plan, in order of time."""

    duration_s: float | None
    faults: tuple[Planned, ...]
    clock_offsets_s: Mapping[tuple[str, str], float]  # of gateways whose clock is wrong


def seconds(text: object) -> float:
    """`90s`, `10m`, `1h30m`; a bare number is seconds."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    found = re.findall(r"(\d+(?:\.\d+)?)([smhd])", str(text))
    if not found or "".join(number + unit for number, unit in found) != str(text):
        raise ValueError(f"{text!r} is no duration; write 90s, 10m or 1h30m")
    return sum(float(number) * _UNITS_S[unit] for number, unit in found)


def _signed_seconds(text: object) -> float:
    """A clock may be behind: `-40s`."""
    written = str(text)
    return -seconds(written[1:]) if written.startswith("-") else seconds(text)


Seconds = Annotated[float, BeforeValidator(seconds), Field(ge=0)]
SignedSeconds = Annotated[float, BeforeValidator(_signed_seconds)]
Place = Annotated[str, Field(pattern=r"^[a-z0-9_-]+/[a-z0-9_-]+$")]


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: str
    at: Seconds
    facility: Place | None = None
    gateway: Place | None = None
    part: str | None = None
    lasts: Seconds | None = Field(default=None, alias="for")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    duration: Seconds | None = None
    clock_offsets: dict[Place, SignedSeconds] = Field(default_factory=dict[str, float])
    faults: tuple[Entry, ...]


class Bookings:
    """Which facilities and gateways are taken when, so that no two faults blur each other's traces."""

    def __init__(self, estate: EstateDescription) -> None:
        self._sites = {site.key: site for site in estate.sites}
        self._taken: list[tuple[float, float, frozenset[str]]] = []

    def places(self, fault: Fault) -> list[tuple[str, str]]:
        """Every site and target of the kind that the fault needs."""
        if fault.at_gateway:
            return [
                (site.key, gateway.key)
                for site in self._sites.values()
                for gateway in site.gateways
                if all(self.behind(site.key, gateway.key, CATALOGUE[inner.fault]) for inner in fault.inner)
            ]
        return [
            (site.key, facility.key)
            for site in self._sites.values()
            for facility in site.facilities
            if facility.kind == fault.kind and facility.gateway is not None and can_have(facility, fault)
        ]

    def behind(self, site: str, gateway: str, fault: Fault) -> list[str]:
        """The facilities that a gateway speaks for and a fault can strike."""
        keys = [key for where, key in self.places(fault) if where == site]
        return [key for key in keys if self.facility(site, key).gateway == gateway]

    def book(self, planned: Planned) -> bool:
        """Takes the places it touches for its time; False, and nothing taken, if another has one of them."""
        touched = self._touched(planned)
        for from_s, to_s, others in self._taken:
            if from_s < planned.quiet_s and planned.at_s < to_s and touched & others:
                return False
        self._taken.append((planned.at_s, planned.quiet_s, touched))
        return True

    def release(self, now_s: float) -> None:
        self._taken = [one for one in self._taken if one[1] > now_s]

    def facility(self, site: str, key: str) -> FacilityDescription:
        return next(one for one in self._sites[site].facilities if one.key == key)

    def _touched(self, planned: Planned) -> frozenset[str]:
        site, fault = self._sites[planned.site], planned.fault
        touched = {f"{site.key} gateway {planned.target}"} if fault.at_gateway else set[str]()
        room = planned.target
        if fault.cuts_power:
            room = self.facility(site.key, room).relations.get("stands_in_for", room)
        for facility in site.facilities:
            spoken_for = fault.at_gateway and fault.silences and facility.gateway == planned.target
            struck = not fault.at_gateway and facility.key == planned.target
            dark = fault.cuts_power and (facility.key == room or room in facility.relations.values())
            wet = fault.pours and facility.kind == "drainage_sump"
            if spoken_for or struck or dark or wet:
                touched.add(f"{site.key} facility {facility.key}")
        return frozenset(touched)


def can_have(facility: FacilityDescription, fault: Fault) -> bool:
    """Whether it has the parts, points and relations that the fault needs."""
    count = sum(part.kind == fault.part_kind for part in facility.parts)
    return (
        (fault.part_kind is None or count >= fault.parts_min)
        and (fault.needs_relation is None or fault.needs_relation in facility.relations)
        and not {*fault.needs} & {*facility.without}
    )


def read_script(path: Path, estate: EstateDescription) -> Script:
    """The script in a YAML file, its gaps filled in, the same way every time: a seed varies noise, not scripts."""
    try:
        written = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise ScriptError(f"{path}: {error}") from error
    return _planned(written, estate, str(path))


def parse_faults(text: str, estate: EstateDescription) -> Script:
    """Faults on one line: `burst_main@3m, entrapment@5m:jinxiu/lift_1_1`, in any order."""
    entries: list[dict[str, str]] = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        found = re.fullmatch(r"([a-z_]+)@([0-9.smhd]+)(?::([a-z0-9_-]+/[a-z0-9_-]+))?", part)
        if found is None:
            raise ScriptError(f"{part!r}: write fault@time or fault@time:site/facility, as in burst_main@3m")
        key, at, place = found.groups()
        at_gateway = key in CATALOGUE and CATALOGUE[key].at_gateway
        entries.append({"fault": key, "at": at} | ({"gateway" if at_gateway else "facility": place} if place else {}))
    try:
        written = _File.model_validate({"faults": entries})
    except ValidationError as error:
        raise ScriptError(str(error)) from error
    return _planned(written, estate, text)


def _planned(written: _File, estate: EstateDescription, name: str) -> Script:
    choice = random.Random("script")
    bookings = Bookings(estate)
    planned: list[Planned] = []
    gateways = {f"{site.key}/{gateway.key}" for site in estate.sites for gateway in site.gateways}
    wrong = [f"{name}: there is no gateway {place}" for place in written.clock_offsets if place not in gateways]
    for entry in sorted(written.faults, key=lambda one: one.at):
        try:
            planned.append(plan(entry, bookings, choice))
        except ScriptError as error:
            wrong.append(f"{name}: {entry.fault} at {entry.at:g} s: {error}")
    if written.duration is not None:
        wrong.extend(
            f"{name}: {one.fault.key} at {one.at_s:g} s ends after the run, which lasts {written.duration:g} s"
            for one in planned
            if one.until_s > written.duration
        )
    if wrong:
        raise ScriptError("\n".join(wrong))
    offsets_s = {(place.split("/")[0], place.split("/")[1]): s for place, s in written.clock_offsets.items()}
    return Script(written.duration, tuple(planned), offsets_s)


def plan(entry: Entry, bookings: Bookings, choice: random.Random) -> Planned:
    fault = CATALOGUE.get(entry.fault)
    if fault is None:
        raise ScriptError(f"there is no such fault; there are {', '.join(CATALOGUE)}")
    if (entry.facility if fault.at_gateway else entry.gateway) is not None:
        raise ScriptError(f"strikes a {'gateway' if fault.at_gateway else 'facility'}")
    named = entry.gateway if fault.at_gateway else entry.facility
    places = bookings.places(fault)
    if named is not None:
        site, _, key = named.partition("/")
        if (site, key) not in places:
            raise ScriptError(f"cannot strike {named}; it can strike {', '.join('/'.join(one) for one in places)}")
        places = [(site, key)]
    lasts_s = fault.lasts_s if entry.lasts is None else entry.lasts
    if lasts_s < fault.lasts_min_s:
        raise ScriptError(f"lasts {lasts_s:g} s; below {fault.lasts_min_s:g} s what it must cause does not come")
    for site, target in choice.sample(places, len(places)):
        part = _part(entry.part, fault, bookings, site, target, choice)
        inner = _inner(fault, entry.at, bookings, site, target, choice)
        planned = Planned(fault, entry.at, lasts_s, site, target, part, inner)
        if bookings.book(planned):
            return planned
    raise ScriptError("another fault has not settled there" if places else "nothing here can have it")


def _inner(
    outer: Fault, at_s: float, bookings: Bookings, site: str, gateway: str, choice: random.Random
) -> tuple[Planned, ...]:
    planned: list[Planned] = []
    for inner in outer.inner:
        fault = CATALOGUE[inner.fault]
        target = choice.choice(bookings.behind(site, gateway, fault))
        part = _part(None, fault, bookings, site, target, choice)
        planned.append(
            Planned(fault, at_s + inner.at_s, inner.lasts_s, site, target, part, historical=inner.historical)
        )
    return tuple(planned)


def _part(
    named: str | None, fault: Fault, bookings: Bookings, site: str, target: str, choice: random.Random
) -> str | None:
    if fault.at_gateway or fault.part_kind is None:
        if named is not None:
            raise ScriptError("strikes no part")
        return None
    parts = [part.key for part in bookings.facility(site, target).parts if part.kind == fault.part_kind]
    if named is None:
        return choice.choice(parts)
    if named not in parts:
        raise ScriptError(f"{target} has no {fault.part_kind} {named}; it has {', '.join(parts)}")
    return named


# Faults that ring within seconds: whoever has just started the demo sees what it is about.
_SOON = frozenset({"pump_failure", "flooded_room", "main_valve_closed", "supply_a_lost", "sump_pump_failure"})


def random_faults(estate: EstateDescription, seed: int, *, every_s: float = 180.0) -> Iterator[Planned]:
    """Faults without end, the first after ten seconds, then one about every `every_s`, where nothing else goes on.

    They are dealt like cards: each comes once, where the estate can have it, before any comes again.
    """
    choice = random.Random(f"{seed}/random")
    bookings = Bookings(estate)
    deck = choice.sample(list(CATALOGUE.values()), len(CATALOGUE))
    deck.sort(key=lambda fault: fault.key not in _SOON)
    deck[1:] = choice.sample(deck[1:], len(deck) - 1)
    at_s = 10.0
    while True:
        bookings.release(at_s)
        for fault in deck:
            try:
                planned = plan(Entry(fault=fault.key, at=at_s), bookings, choice)
            except ScriptError:
                continue
            deck.remove(fault)
            yield planned
            break
        else:
            deck = choice.sample(list(CATALOGUE.values()), len(CATALOGUE))
        at_s += choice.uniform(0.3, 1.7) * every_s
