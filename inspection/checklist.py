"""What is looked at, at one kind of facility: items, how each is answered, how bad it is when it fails. Pure.

A checklist is data with a version (inspection/checklists). Every version that was ever in force stays, because results
that waited on a phone are judged by the one they were filled in with.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ledger.records import Severity
from rules.model import Title


class AnswerKind(StrEnum):
    CHECK = "check"  # in order, or not
    READING = "reading"  # a figure with its limits, as off a gauge
    CHOICE = "choice"
    TEXT = "text"


class PhotoNeed(StrEnum):
    NEVER = "never"
    ON_FAIL = "on_fail"
    ALWAYS = "always"
    RANDOM = "random"  # one time in PHOTO_ONE_IN, by a draw the guard cannot repeat until it suits


class Period(StrEnum):
    """How often somebody has to look. By the calendar of the site's time zone."""

    DAY = "day"
    WEEK = "week"
    HALF_MONTH = "half_month"
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"


PHOTO_ONE_IN = 8


@dataclass(frozen=True, slots=True)
class Choice:
    key: str
    title: Title
    fails: bool


@dataclass(frozen=True, slots=True)
class Item:
    key: str
    ask: Title
    kind: AnswerKind
    severity: Severity  # of its failing
    source: str
    photo: PhotoNeed = PhotoNeed.NEVER
    optional: bool = False
    types: frozenset[str] = frozenset()  # facility types it is asked of; empty: of all
    unit: str = ""
    low: float | None = None  # a reading below fails ...
    high: float | None = None  # ... and so does one above
    choices: tuple[Choice, ...] = ()
    follow_up: tuple["Item", ...] = ()  # asked in place once it failed

    def is_asked_of(self, facility_type: str | None) -> bool:
        """A facility without a type is asked only what all are."""
        return not self.types or facility_type in self.types


@dataclass(frozen=True, slots=True)
class Interval:
    """How often, by place; the reason stands beside it."""

    usual: Period
    below_ground: Period
    source: str


@dataclass(frozen=True, slots=True)
class Checklist:
    kind: str  # of facility
    version: int
    title: Title
    work_class: str
    interval: Interval
    items: tuple[Item, ...]

    def asked_of(self, facility_type: str | None) -> Sequence[Item]:
        return [each for each in self.items if each.is_asked_of(facility_type)]


@dataclass(frozen=True, slots=True)
class Book:
    """Every version of every checklist."""

    versions: Mapping[tuple[str, int], Checklist]

    def current(self, kind: str) -> Checklist | None:
        """The one in force for a kind of facility."""
        newest = max((version for each, version in self.versions if each == kind), default=None)
        return None if newest is None else self.versions[kind, newest]

    def find(self, kind: str, version: int) -> Checklist | None:
        return self.versions.get((kind, version))

    def all_current(self) -> Iterator[Checklist]:
        for kind in sorted({kind for kind, _ in self.versions}):
            found = self.current(kind)
            assert found is not None, "a kind that is listed has a version"
            yield found


def wants_photo(item: Item, *, failed: bool, draw: str) -> bool:
    """Whether a photo is compulsory. `draw`: what the random ones are drawn from, the same on the phone and here."""
    match item.photo:
        case PhotoNeed.NEVER:
            return False
        case PhotoNeed.ON_FAIL:
            return failed
        case PhotoNeed.ALWAYS:
            return True
        case PhotoNeed.RANDOM:
            drawn = hashlib.sha256(f"{draw}/{item.key}".encode()).digest()
            return failed or int.from_bytes(drawn[:8]) % PHOTO_ONE_IN == 0
