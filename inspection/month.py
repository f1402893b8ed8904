"""The figures of a month of inspection at a site or in a grid, whole: a report is rendered from these and nothing else.

They are stored as they were issued, so a field may be added with a default, and none may change its meaning.
"""

from collections.abc import Sequence
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from inspection.checklist import Period
from inspection.due import WindowState
from inspection.expiry import Expiry
from ledger.expiring import Interval
from ledger.records import Severity
from ledger.signatures import Part

LINES_MAX = 1_000


class Said(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False, json_schema_serialization_defaults_required=True)


class Words(Said):
    zh: str
    en: str


class Place(Said):
    facility: str
    name: Words
    place: Words


class RoundFigures(Said):
    """By the windows that began in the month. `due` is the sum of the others, but stops."""

    due: int = 0
    done: int = Field(default=0, description="walked whole, and ended within their windows")
    late: int = Field(default=0, description="walked whole, and ended after their windows")
    incomplete: int = Field(default=0, description="ended with stops left out")
    abandoned: int = 0
    missed: int = Field(default=0, description="begun by nobody")
    walking: int = Field(default=0, description="not ended when the report was made")
    stops_due: int = 0
    stops_visited: int = 0


class PlanFigures(Said):
    plan: str
    name: Words
    grid: str | None
    officer: str
    rounds: RoundFigures


class Lapse(Said):
    """A round that was not done in time."""

    plan: str
    name: Words
    window_from: datetime
    window_until: datetime
    state: WindowState = Field(description="finished: but late")
    guard: str | None
    ended_at: datetime | None
    stops: int
    visited: int


class CheckFigures(Said):
    """Visits that were made in the month, whenever they were sent. Struck ones are in none of the outcomes."""

    visits: int = 0
    in_order: int = 0
    defective: int = 0
    unfinished: int = 0
    unjudged: int = 0
    to_review: int = Field(default=0, description="of them, not yet reviewed")
    struck: int = 0


class FindingFigures(Said):
    found: int = Field(default=0, description="visits at which something failed")
    put_right: int = Field(default=0, description="of them, those whose order is resolved")
    confirmed: int = Field(default=0, description="of these, confirmed by the fire safety manager")
    open: int = 0


class Finding(Said):
    at: Place
    failed: Sequence[Words]
    severity: Severity
    person: str
    scanned_at: datetime
    work_order: int | None
    state: str | None
    put_right_at: datetime | None
    put_right_by: str | None
    confirmed_by: str | None


class PersonFigures(Said):
    person: str
    rounds: int = Field(default=0, description="walked whole")
    late: int = Field(default=0, description="of them, late")
    visits: int = 0
    found: int = 0
    put_right: int = 0


class KindCoverage(Said):
    kind: str
    name: Words
    facilities: int
    due: int
    done: int


class Unseen(Said):
    """A facility that nobody looked at in some period of the law's calendar that ended in the month."""

    at: Place
    period: Period
    due: int
    done: int


class Coverage(Said):
    """By the law's calendar: each facility, in each of its periods that ended in the month and in which it had a tag."""

    facilities: int = 0
    without_tag: int = 0
    due: int = 0
    done: int = 0
    kinds: Sequence[KindCoverage] = ()
    unseen: Sequence[Unseen] = ()


class ExpiringPiece(Said):
    at: Place
    piece: str
    ends_on: date
    expiry: Expiry
    interval: Interval = Interval.LIFE  # reports that were issued before services were on record say nothing of it


class Unsigned(Said):
    round: int
    plan: str
    name: Words
    window_from: datetime
    guard: str
    lacking: Sequence[Part]


class Figures(Said):
    site: str
    site_name: Words
    month: date
    grid: str | None
    time_zone: str
    made_at: datetime
    rounds: RoundFigures
    plans: Sequence[PlanFigures]
    lapses: Sequence[Lapse]
    checks: CheckFigures
    findings: FindingFigures
    finding_list: Sequence[Finding]
    people: Sequence[PersonFigures]
    coverage: Coverage
    expiring: Sequence[ExpiringPiece]
    unsigned: Sequence[Unsigned]
    cut: Sequence[str] = Field(default=(), description="lists that were longer than is kept; the figures count all")
