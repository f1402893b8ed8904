"""Ordinary life: how often what happens to an estate in a month, drawn from a seed into a plan of faults.

The file says, for each fault of the catalogue, how many a facility of its kind has in a month, at which hours, how long
it lasts, and where the figure comes from. Days of bad weather make some faults more frequent and bring others of their
own. Times are drawn independently, as calls on a service desk are; what falls where another fault still has its
traces is put off until it does not, and counted when there is no room left.
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from estate.description import EstateDescription, FacilityDescription, SiteDescription
from simulators.errors import ScriptError
from simulators.faults import CATALOGUE
from simulators.scene import Fault, grade_of
from simulators.script import Bookings, Entry, Planned, Seconds, can_have, plan
from simulators.world import REPORTS

MONTH_FILE = Path(__file__).with_name("month.yaml")
DAY_S = 86_400.0
MONTH_S = 30 * DAY_S
_PUT_OFF_S = 1800.0
_PUT_OFF_TIMES = 24

Hours = Annotated[tuple[int, int], Field(description="local time, from and until; over midnight if the first is later")]


class Habit(BaseModel):
    """One line of the file: a fault, how often, when, and who says so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: str
    per_month: Annotated[float, Field(gt=0)] | None = None  # of one facility or gateway that can have it
    every: Annotated[Seconds, Field(gt=0)] | None = None  # a routine, kept by each that plays
    lasts: tuple[Seconds, Seconds] | None = None  # from and to; None: as the catalogue says
    hours: Hours = (0, 24)
    source: Annotated[str, Field(min_length=3)]

    @model_validator(mode="after")
    def _one_of_both(self) -> "Habit":
        if (self.per_month is None) == (self.every is None):
            raise ValueError(f"{self.fault}: either per_month, by chance, or every, by routine")
        return self


class Spell(BaseModel):
    """Days on which life is not ordinary: a storm, a cold snap."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    begins: Seconds
    lasts: Seconds
    times: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict[str, float])  # of a habit's frequency
    strikes: tuple[Entry, ...] = ()  # what happens for certain, timed from the spell's beginning


class Life(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    habits: tuple[Habit, ...]
    bad: tuple[Spell, ...] = ()
    rings_at_most: dict[str, int] = Field(default_factory=dict[str, int])  # for one happening of a fault
    peak_10_min_max: int = 10


@dataclass(frozen=True, slots=True)
class Cast:
    """The facilities that play, and for how many of the estate each stands."""

    estate: EstateDescription
    stands_for: Mapping[tuple[str, str], float]  # site and facility or gateway
    fellows: Mapping[tuple[str, str], Sequence[FacilityDescription]]  # of each facility, itself among them

    def share(self, fault: Fault, site: str, key: str) -> float:
        """For how many it has this fault: only those that can have it count, and it divides them with others that play."""
        if fault.at_gateway:
            return self.stands_for[site, key]
        fellows = self.fellows[site, key]
        playing = {one.key for each in self.estate.sites if each.key == site for one in each.facilities}
        able = [one for one in fellows if can_have(one, fault)]
        return len(able) / sum(one.key in playing for one in able)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A month that will be: what happens, and what there was no room for."""

    faults: tuple[Planned, ...]
    crowded_out: int


def read_life(path: Path = MONTH_FILE) -> Life:
    """Raises ScriptError with everything wrong."""
    try:
        life = Life.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise ScriptError(f"{path}: {error}") from error
    named = [
        *((f"habit {number}", habit.fault) for number, habit in enumerate(life.habits, 1)),
        *((f"{spell.title}, times", key) for spell in life.bad for key in spell.times),
        *((f"{spell.title}, strikes", entry.fault) for spell in life.bad for entry in spell.strikes),
    ]
    named += [("rings_at_most", key) for key in life.rings_at_most]
    wrong = [f"{path}: {where}: there is no fault {key}" for where, key in named if key not in CATALOGUE]
    wrong += [
        f"{path}: {habit.fault} lasts {habit.lasts[0]:g} to {habit.lasts[1]:g} s; what it must cause takes longer to come"
        for habit in life.habits
        if habit.fault in CATALOGUE
        and habit.lasts is not None
        and not CATALOGUE[habit.fault].lasts_min_s <= habit.lasts[0] <= habit.lasts[1]
    ]
    if wrong:
        raise ScriptError("\n".join(wrong))
    return life


def cast(estate: EstateDescription, *, everybody: bool = False) -> Cast:
    """One facility of each kind and grade at each site, and whoever feeds it; or all that are simulated at all.

    A month of sixty facilities takes hours to play. Where one plays for its fellows, it has the faults of all of them.
    """
    sites: list[SiteDescription] = []
    stands_for: dict[tuple[str, str], float] = {}
    fellows: dict[tuple[str, str], Sequence[FacilityDescription]] = {}
    for site in estate.sites:
        alive = [one for one in site.facilities if one.kind in REPORTS and one.gateway is not None]
        chosen = alive if everybody else _representatives(alive)
        keys = {one.key for one in chosen}
        gateways = tuple(one for one in site.gateways if one.key in {facility.gateway for facility in chosen})
        facilities = tuple(
            one.model_copy(update={"relations": {name: key for name, key in one.relations.items() if key in keys}})
            for one in site.facilities
            if one.key in keys
        )
        sites.append(site.model_copy(update={"facilities": facilities, "gateways": gateways}))
        for one in chosen:
            alike = [other for other in alive if _role(other) == _role(one)]
            fellows[site.key, one.key] = alike
            stands_for[site.key, one.key] = len(alike) / sum(_role(other) == _role(one) for other in chosen)
        speaking = {one.gateway for one in alive}
        for gateway in gateways:
            stands_for[site.key, gateway.key] = len(speaking) / len(gateways)
    return Cast(estate.model_copy(update={"sites": tuple(sites)}), stands_for, fellows)


def _role(facility: FacilityDescription) -> tuple[str, str]:
    return facility.kind, grade_of(facility)


def _representatives(alive: Sequence[FacilityDescription]) -> list[FacilityDescription]:
    """The best equipped of each role, the first of equals, and what they are related to: who stands in for others can
    have the faults of all of them.
    """
    by_key = {one.key: one for one in alive}
    roles = {_role(one) for one in alive}
    wanted = {min((one for one in alive if _role(one) == role), key=lambda one: len(one.without)).key for role in roles}
    waiting = list(wanted)
    while waiting:
        related = [key for key in by_key[waiting.pop()].relations.values() if key in by_key and key not in wanted]
        wanted.update(related)
        waiting.extend(related)
    return [one for one in alive if one.key in wanted]


def draw(life: Life, cast: Cast, *, seed: int, started_at: datetime, days: float, bad: bool) -> Drawn:
    """The faults of so many days, in order of time. A longer run has the same beginning only for the same `days`."""
    choice = random.Random(f"{seed}/life")
    until_s = days * DAY_S
    spells = life.bad if bad else ()
    entries = [
        entry.model_copy(update={"at": entry.at + spell.begins})
        for spell in spells
        for entry in spell.strikes
        if entry.at + spell.begins < until_s
    ]
    for site in cast.estate.sites:
        for habit in life.habits:
            entries.extend(_of_habit(habit, site, cast, spells, choice, started_at, until_s))
    bookings = Bookings(cast.estate)
    planned: list[Planned] = []
    crowded_out = 0
    for entry in sorted(entries, key=lambda one: one.at):
        one = _placed(entry, bookings, choice, until_s)
        if one is None:
            crowded_out += 1
        else:
            planned.append(one)
    return Drawn(tuple(sorted(planned, key=lambda one: one.at_s)), crowded_out)


def _of_habit(
    habit: Habit,
    site: SiteDescription,
    cast: Cast,
    spells: Sequence[Spell],
    choice: random.Random,
    started_at: datetime,
    until_s: float,
) -> Iterator[Entry]:
    fault = CATALOGUE[habit.fault]
    zone = ZoneInfo(site.time_zone)
    for where, key in Bookings(cast.estate).places(fault):
        if where != site.key:
            continue
        if habit.every is not None:
            times = _by_routine(habit.every, choice, until_s)
        else:
            often = (habit.per_month or 0.0) * cast.share(fault, where, key) / MONTH_S
            times = _by_chance(often, habit.fault, spells, choice, until_s)
        for at_s in times:
            then_s = _within_hours(at_s, habit.hours, started_at, zone, choice)
            if then_s < until_s:
                yield _entry(habit, fault.at_gateway, f"{where}/{key}", then_s, choice)


def _by_routine(every_s: float, choice: random.Random, until_s: float) -> Iterator[float]:
    at_s = choice.uniform(0.0, every_s)
    while at_s < until_s:
        yield at_s
        at_s += every_s


def _by_chance(
    often: float, fault: str, spells: Sequence[Spell], choice: random.Random, until_s: float
) -> Iterator[float]:
    """Poisson, thinned to what is usual outside of the spells."""
    busiest = often * max([1.0, *(spell.times.get(fault, 1.0) for spell in spells)])
    at_s = 0.0
    while (at_s := at_s + choice.expovariate(busiest)) < until_s:
        times = [spell.times.get(fault, 1.0) for spell in spells if spell.begins <= at_s < spell.begins + spell.lasts]
        if choice.random() * busiest < often * math.prod(times):
            yield at_s


# Whole seconds, as the stage's finest steps are: what begins and ends between two of them would seem to end early.
def _entry(habit: Habit, at_gateway: bool, place: str, at_s: float, choice: random.Random) -> Entry:  # noqa: FBT001
    written: dict[str, object] = {
        "fault": habit.fault,
        "at": round(at_s),
        "gateway" if at_gateway else "facility": place,
    }
    if habit.lasts is not None:
        written["for"] = round(choice.uniform(*habit.lasts))
    return Entry.model_validate(written)


def _within_hours(at_s: float, hours: Hours, started_at: datetime, zone: ZoneInfo, choice: random.Random) -> float:
    """The same day, at an hour at which such things happen."""
    begin, end = hours
    if (begin, end) == (0, 24):
        return at_s
    moment = (started_at + timedelta(seconds=at_s)).astimezone(zone)
    hour = (begin + choice.random() * ((end - begin) % 24 or 24)) % 24
    today_s = at_s - (moment.hour * 3600 + moment.minute * 60 + moment.second)
    return today_s + hour * 3600 if today_s + hour * 3600 >= 0 else today_s + hour * 3600 + DAY_S


def _placed(entry: Entry, bookings: Bookings, choice: random.Random, until_s: float) -> Planned | None:
    """At its time, or as soon afterwards as what else happens there is over. What would outlast the run is left out."""
    for turn in range(_PUT_OFF_TIMES):
        at_s = entry.at + turn * _PUT_OFF_S
        try:
            one = plan(entry.model_copy(update={"at": at_s}), bookings, choice)
        except ScriptError:
            continue
        return one if one.quiet_s < until_s else None
    return None
