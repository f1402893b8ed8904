"""The response table as data: read from YAML, every fault of the file told at once, then frozen.

What is decided with it is in `rules.response`.
"""

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ledger.lifecycle import WorkOrderClock
from ledger.records import Grade, Priority, Severity
from rules.model import Title
from rules.spans import Clocks, Span, out_of_order, span
from rules.yaml_loader import Loader

FILE = Path(__file__).with_name("response.yaml")
STANDARD_PROFILE = "standard"


class ResponseErrors(Exception):
    """What is wrong with a response table: every fault with its place."""

    def __init__(self, path: Path, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{path}: {fault}" for fault in self.faults))


class PriorityReason(StrEnum):
    """Why an alarm has its priority. Stored with it."""

    SEVERITY = "severity"  # what the severity says by itself
    GRADE_FLOOR = "grade_floor"  # lifted to the least priority of the facility's grade
    WARNING_AT_GRADE_A = "warning_at_grade_a"  # a warning is not lifted to grade A's floor, only above other warnings
    CAN_WAIT = "can_wait"  # its rule says that nothing is lost until the next round, whatever the grade
    LIFE_SAFETY = "life_safety"


@dataclass(frozen=True, slots=True)
class Timing:
    """When an order is opened: at once (`after` zero), after standing so long, or at the next round (`after` None)."""

    after: timedelta | None

    @property
    def at_once(self) -> bool:
        return self.after == timedelta(0)


@dataclass(frozen=True, slots=True)
class Telling:
    """Who is told next when nothing has happened for so long."""

    after: timedelta
    who: str


@dataclass(frozen=True, slots=True)
class Shelving:
    """Who may shelve, for how long at most, and whether he has to say why."""

    by: Sequence[str]
    at_most: timedelta
    note_required: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a rule that `can_wait` has in place of its cell's."""

    priority: Priority
    because: PriorityReason
    order: Timing


@dataclass(frozen=True, slots=True)
class Row:
    """One cell of severity x grade."""

    priority: Priority
    because: PriorityReason
    order: Timing
    tell: Sequence[Telling]
    shelve: Shelving | None  # None: never
    acknowledge_note_required: bool = False  # whoever acknowledges says what he does about it
    waiting: Waiting | None = None  # None: a rule that can wait has what the others have

    def for_rule(self, *, can_wait: bool) -> "Row":
        """The cell as a rule of its severity has it."""
        if not can_wait or self.waiting is None:
            return self
        return replace(self, priority=self.waiting.priority, because=self.waiting.because, order=self.waiting.order)


class Target(StrEnum):
    """What a contract is measured by beside its clocks, in percent. Data for the reports to come."""

    AVAILABILITY = "availability"  # of facilities
    COMPLAINTS_IN_TIME = "complaints_in_time"
    SATISFACTION = "satisfaction"
    CALL_BACK = "call_back"  # closed orders that somebody called back about
    LIGHTS_WORKING = "lights_working"
    FIRE_WATER_WORKING = "fire_water_working"


@dataclass(frozen=True, slots=True)
class GradeDuties:
    """What a grade asks of people and devices beside the response to alarms."""

    grade: Grade
    means: Title
    scan_interval: tuple[timedelta, timedelta] | None  # from, to; None: on event or round
    check_round: Title
    upkeep_evidence: Title
    keeper: Title
    source: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What one kind of contract promises: event class -> clocks; and the targets it is measured by, in percent."""

    key: str
    title: Title
    source: str
    classes: Mapping[str, Clocks]
    targets: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ResponseTable:
    grades: Mapping[Grade, GradeDuties]
    grading: Mapping[tuple[Severity, Grade], Row]
    profiles: Mapping[str, Profile]


def load(path: Path = FILE) -> ResponseTable:
    """Raises ResponseErrors with every fault of the file."""
    try:
        document: object = _StrictLoader(path.read_text(encoding="utf-8")).get_single_data()
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ResponseErrors(path, [str(error)]) from error
    try:
        written = _File.model_validate(document)
    except ValidationError as error:
        raise ResponseErrors(path, [_fault(each["loc"], each["msg"]) for each in error.errors()]) from error
    faults = [*_missing_grades(written), *_missing_cells(written), *_profile_faults(written)]
    if faults:
        raise ResponseErrors(path, faults)
    grading = {
        (severity, grade): _row(cell) for severity, cells in written.grading.items() for grade, cell in cells.items()
    }
    grades = {grade: _duties(grade, duties) for grade, duties in written.grades.items()}
    profiles = {key: _profile(written, key) for key in written.profiles}
    return ResponseTable(MappingProxyType(grades), MappingProxyType(grading), MappingProxyType(profiles))


# ------------------------------------------------------------------ the file's shape

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(text: object) -> object:
    match = re.fullmatch(r"([1-9][0-9]{0,4})([smhd])", text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a duration such as 90s, 15m, 4h or 2d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _timing(text: object) -> object:
    if text == "now":
        return Timing(timedelta(0))
    if text == "next_round":
        return Timing(None)
    word, _, rest = text.partition(" ") if isinstance(text, str) else ("", "", "")
    if word != "after":
        raise ValueError(f"{text!r} is not a time for an order: now, after <duration>, or next_round")
    after = _duration(rest)
    assert isinstance(after, timedelta)
    return Timing(after)


_Duration = Annotated[timedelta, BeforeValidator(_duration)]
_Span = Annotated[Span, BeforeValidator(span)]
_Percent = Annotated[float, Field(gt=0, le=100)]
_Key = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,64}$")]


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class _Title(_Written):
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def said(self) -> Title:
        return Title(zh=self.zh, en=self.en)


class _WrittenGrade(_Written):
    means: _Title
    scan_interval: tuple[_Duration, _Duration] | Literal["on_event"]
    check_round: _Title
    upkeep_evidence: _Title
    keeper: _Title
    source: str = Field(min_length=1)


class _WrittenTelling(_Written):
    after: _Duration
    who: _Key


class _WrittenShelving(_Written):
    by: tuple[_Key, ...] = Field(min_length=1)
    at_most: _Duration
    note: Literal["required", "optional"]


class _WrittenWaiting(_Written):
    priority: Priority
    because: PriorityReason
    order: Annotated[Timing, BeforeValidator(_timing)]


class _WrittenRow(_Written):
    priority: Priority
    because: PriorityReason
    order: Annotated[Timing, BeforeValidator(_timing)]
    tell: tuple[_WrittenTelling, ...]
    shelve: Literal["never"] | _WrittenShelving
    acknowledge_note: Literal["required", "optional"] = "optional"
    can_wait: _WrittenWaiting | None = None


class _WrittenProfile(_Written):
    title: _Title
    source: str = Field(min_length=1)
    like: _Key | None = None
    classes: dict[_Key, dict[WorkOrderClock, _Span]]
    targets: dict[Target, _Percent] = Field(default_factory=dict[Target, _Percent])


class _File(_Written):
    grades: dict[Grade, _WrittenGrade]
    grading: dict[Severity, dict[Grade, _WrittenRow]]
    profiles: dict[_Key, _WrittenProfile]


class _StrictLoader(Loader):
    """Refuses a key written twice, which YAML would silently let win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:  # noqa: FBT001, FBT002
        seen: set[str] = set()
        for key, _ in node.value:
            word = str(key.value)
            if word in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{word!r} twice", key.start_mark)
            seen.add(word)
        return super().construct_mapping(node, deep=deep)


# ------------------------------------------------------------------ what the shape cannot say


def _fault(place: Sequence[object], message: str) -> str:
    return f"{'.'.join(map(str, place)) or 'the file'}: {message}"


def _missing_grades(written: _File) -> list[str]:
    faults = [f"grades.{grade}: missing" for grade in Grade if grade not in written.grades]
    for grade, duties in written.grades.items():
        if not isinstance(duties.scan_interval, str) and duties.scan_interval[0] > duties.scan_interval[1]:
            faults.append(f"grades.{grade}.scan_interval: the shorter interval stands first")
    return faults


def _missing_cells(written: _File) -> list[str]:
    """Every severity has an answer at every grade, and no answer contradicts what life safety means."""
    faults: list[str] = []
    for severity in Severity:
        for grade in Grade:
            cell = written.grading.get(severity, {}).get(grade)
            place = f"grading.{severity}.{grade}"
            if cell is None:
                faults.append(f"{place}: missing")
            elif severity is not Severity.WARNING and cell.can_wait is not None:
                faults.append(f"{place}.can_wait: only a warning can wait")
            elif severity is Severity.LIFE_SAFETY and cell.shelve != "never":
                faults.append(f"{place}.shelve: life safety is never shelved")
            elif severity is Severity.LIFE_SAFETY and not cell.order.at_once:
                faults.append(f"{place}.order: life safety has its order now")
    return faults


def _profile_faults(written: _File) -> list[str]:
    faults: list[str] = []
    if STANDARD_PROFILE not in written.profiles:
        faults.append(f"profiles: {STANDARD_PROFILE!r} is missing; a site whose profile is unknown falls back to it")
    for key, profile in written.profiles.items():
        likened = None if profile.like is None else written.profiles.get(profile.like)
        if profile.like is not None and (likened is None or likened.like is not None):
            faults.append(f"profiles.{key}.like: {profile.like!r} is no profile that stands for itself")
            continue
        classes = {**(likened.classes if likened else {}), **profile.classes}
        faults.extend(f"profiles.{key}.classes.{each}: missing" for each in Priority if each.value not in classes)
        faults.extend(
            f"profiles.{key}.classes.{name}: {wrong}"
            for name, clocks in profile.classes.items()
            if (wrong := out_of_order(clocks)) is not None
        )
    return faults


def _row(cell: _WrittenRow) -> Row:
    return Row(
        priority=cell.priority,
        because=cell.because,
        order=cell.order,
        tell=tuple(Telling(each.after, each.who) for each in cell.tell),
        shelve=None
        if isinstance(cell.shelve, str)
        else Shelving(cell.shelve.by, cell.shelve.at_most, cell.shelve.note == "required"),
        acknowledge_note_required=cell.acknowledge_note == "required",
        waiting=None
        if cell.can_wait is None
        else Waiting(cell.can_wait.priority, cell.can_wait.because, cell.can_wait.order),
    )


def _duties(grade: Grade, written: _WrittenGrade) -> GradeDuties:
    return GradeDuties(
        grade=grade,
        means=written.means.said(),
        scan_interval=None if isinstance(written.scan_interval, str) else written.scan_interval,
        check_round=written.check_round.said(),
        upkeep_evidence=written.upkeep_evidence.said(),
        keeper=written.keeper.said(),
        source=written.source,
    )


def _profile(written: _File, key: str) -> Profile:
    profile = written.profiles[key]
    inherited = written.profiles[profile.like].classes if profile.like else {}
    classes = {name: MappingProxyType(clocks) for name, clocks in {**inherited, **profile.classes}.items()}
    targets = MappingProxyType({target.value: percent for target, percent in profile.targets.items()})
    return Profile(key, profile.title.said(), profile.source, MappingProxyType(classes), targets)
