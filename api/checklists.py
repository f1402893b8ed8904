"""Checklists over HTTP: what is looked at, at each kind of facility, with everything a phone needs to ask it."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from api.catalogue import CATALOGUE
from api.context import InContext, needs
from api.problems import refusals
from api.rights import Right
from api.shapes import Answered, Key, Name
from inspection.checklist import AnswerKind, Checklist, Item, Period, PhotoNeed
from ledger.errors import NotFound
from ledger.records import Severity
from rules.model import Title

router = APIRouter(tags=["checklists"])


class ChoiceOut(Answered):
    key: str
    title: Name
    fails: bool


class ItemOut(Answered):
    key: str
    ask: Name
    answer: AnswerKind
    severity: Severity = Field(description="of its failing")
    photo: PhotoNeed
    optional: bool
    types: Sequence[str] = Field(description="facility types it is asked of; empty: of all")
    unit: str
    low: float | None = Field(description="a reading below fails")
    high: float | None
    choices: Sequence[ChoiceOut]
    follow_up: Sequence["ItemOut"] = Field(description="asked in place once it failed")
    source: str


class ChecklistOut(Answered):
    kind: str
    version: int
    is_current: bool
    title: Name
    work_class: str
    usual: Period
    usual_name: Name
    below_ground: Period
    below_ground_name: Name
    interval_source: str
    items: Sequence[ItemOut]


class ChecklistsOut(Answered):
    """Those in force, in order of kind."""

    items: Sequence[ChecklistOut]


@router.get("/checklists", summary="The checklists in force", responses=refusals(), dependencies=[needs(Right.READ)])
async def list_checklists(context: InContext) -> ChecklistsOut:
    return ChecklistsOut(items=[_checklist(each, is_current=True) for each in context.book.all_current()])


@router.get(
    "/checklists/{kind}/{version}",
    summary="One version of a checklist",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def get_checklist(kind: Key, version: Annotated[int, Path(ge=1, le=9999)], context: InContext) -> ChecklistOut:
    found = context.book.find(kind, version)
    if found is None:
        raise NotFound("checklist", f"{kind}.{version}")
    return _checklist(found, is_current=found is context.book.current(kind))


def _checklist(checklist: Checklist, *, is_current: bool) -> ChecklistOut:
    interval = checklist.interval
    return ChecklistOut(
        kind=checklist.kind,
        version=checklist.version,
        is_current=is_current,
        title=_name(checklist.title),
        work_class=checklist.work_class,
        usual=interval.usual,
        usual_name=CATALOGUE.text("check_period", interval.usual),
        below_ground=interval.below_ground,
        below_ground_name=CATALOGUE.text("check_period", interval.below_ground),
        interval_source=interval.source,
        items=[_item(each) for each in checklist.items],
    )


def _item(item: Item) -> ItemOut:
    return ItemOut(
        key=item.key,
        ask=_name(item.ask),
        answer=item.kind,
        severity=item.severity,
        photo=item.photo,
        optional=item.optional,
        types=sorted(item.types),
        unit=item.unit,
        low=item.low,
        high=item.high,
        choices=[ChoiceOut(key=each.key, title=_name(each.title), fails=each.fails) for each in item.choices],
        follow_up=[_item(each) for each in item.follow_up],
        source=item.source,
    )


def _name(title: Title) -> Name:
    return Name(zh=title.zh, en=title.en)
