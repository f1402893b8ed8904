"""What is wrong with a piece of an estate, and what it would change, as answers: with its place, in both languages."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import Field

from api.problems import Declined, Kind, ProblemField
from api.shapes import Answered, Name
from estate import wording
from estate.difference import Change, Difference
from estate.faults import EstateErrors, Fault

FAULTS_MAX = 1_000
ESTATE_FAULTY = Kind("estate_faulty", 422)


class EstateFaulty(Declined):
    """What was to become part of the estate cannot; every fault is named."""

    kind = ESTATE_FAULTY

    def __init__(self, error: EstateErrors) -> None:
        first = error.faults[0]
        super().__init__(
            "; ".join(one.said.en for one in error.faults[:5]),
            [
                ProblemField(field="body", message=one.text("en"), text=Name(zh=one.text("zh"), en=one.text("en")))
                for one in error.faults[:FAULTS_MAX]
            ],
            faults=Name(zh=first.said.zh, en=first.said.en),
            count=len(error.faults),
        )


class FaultOut(Answered):
    """One thing that is wrong, and where."""

    file: str
    sheet: str | None
    row: int | None = Field(description="or the line")
    column: str | None = Field(description="its letter")
    header: str | None
    path: str = Field(description="in a YAML document")
    said: Name
    nearest: Sequence[str] = Field(description="what was perhaps meant")


class DifferenceOut(Answered):
    """What changes, line by line as `taizhang import --dry-run` prints it, and how many of what."""

    zh: Sequence[str]
    en: Sequence[str]
    counts: Mapping[Change, int]


def fault_out(fault: Fault) -> FaultOut:
    at = fault.position
    return FaultOut(
        file=Path(at.file).name,
        sheet=at.sheet,
        row=at.line,
        column=at.column,
        header=at.header,
        path=fault.path,
        said=Name(zh=fault.said.zh, en=fault.said.en),
        nearest=fault.nearest,
    )


def difference_out(found: Difference, *, dry_run: bool) -> DifferenceOut:
    return DifferenceOut(
        zh=wording.difference(found, "zh", dry_run=dry_run),
        en=wording.difference(found, "en", dry_run=dry_run),
        counts=found.counts(),
    )
