"""The kinds of work that need a permit: what each silences where, how long it lasts, what it asks for."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api import rulebook
from api.context import Context, InContext, needs
from api.facilities import kind_name
from api.permits import SilencedRule
from api.problems import refusals
from api.rights import Right
from api.shapes import Answered, Asked, Key, Name
from ledger.records import PermitKind
from rules.works import Work

router = APIRouter(tags=["work permits"])


class WorkKindQuery(Asked):
    kind: Annotated[Key | None, Field(description="only work for this kind of facility")] = None


class Question(Answered):
    key: str
    title: Name


class SilencedKind(Answered):
    """What it silences at one kind of facility; `any`: at every one. No rules: nothing is measured there."""

    kind: str
    title: Name
    rules: Sequence[SilencedRule]


class WorkKindOut(Answered):
    key: str
    title: Name
    permit: PermitKind
    silences: Sequence[SilencedKind]
    lasts_s: float = Field(description="where the permit says no end")
    lasts_at_most_s: float
    lasts_in_all_s: float = Field(description="a permit and its extensions together")
    asks: Sequence[Question] = Field(description="`answers` that a permit for it needs")
    before: Sequence[Name] = Field(description="what is done before the work")
    after: Sequence[Name] = Field(description="what is done before the permit is handed back")
    source: str
    clause: str | None = Field(description="of the standard, where one names it")


class WorkKindsOut(Answered):
    items: Sequence[WorkKindOut]


@router.get(
    "/work-kinds",
    summary="The kinds of work that need a permit, and what each silences",
    responses=refusals(),
    dependencies=[needs(Right.READ)],
)
async def list_work_kinds(query: Annotated[WorkKindQuery, Query()], context: InContext) -> WorkKindsOut:
    return WorkKindsOut(
        items=[
            _work(context, each)
            for each in context.works.works.values()
            if query.kind is None or each.rules_at(query.kind) is not None
        ]
    )


def _work(context: Context, work: Work) -> WorkKindOut:
    return WorkKindOut(
        key=work.key,
        title=rulebook.named(work.title),
        permit=work.permit,
        silences=[
            SilencedKind(
                kind=kind,
                title=kind_name(context, kind),
                rules=[SilencedRule(key=key, title=rulebook.title_of(context.packs, kind, key)) for key in rules],
            )
            for kind, rules in work.silences.items()
        ],
        lasts_s=work.lasts.total_seconds(),
        lasts_at_most_s=work.lasts_at_most.total_seconds(),
        lasts_in_all_s=work.lasts_in_all.total_seconds(),
        asks=[Question(key=key, title=rulebook.named(context.works.asks[key])) for key in work.asks],
        before=[rulebook.named(each) for each in work.before],
        after=[rulebook.named(each) for each in work.after],
        source=work.source,
        clause=work.clause,
    )
