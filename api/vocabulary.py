"""The words of the service in both languages, for clients: the catalogue, and the rule packs' titles by kind."""

from collections.abc import Mapping

from fastapi import APIRouter
from pydantic import Field

from api.catalogue import CATALOGUE
from api.context import InContext, needs
from api.problems import refusals
from api.rights import Right
from api.rulebook import GuidanceOut, guidance_of, named
from api.shapes import Answered, Name
from ledger.records import Severity
from rules.model import Pack

router = APIRouter(tags=["vocabulary"])


class RuleWords(Answered):
    title: Name
    guidance: GuidanceOut
    severity: Severity
    work_class: str


class KindWords(Answered):
    """A kind of facility. Rules of the kind `any` hold for every facility that is not a gateway."""

    title: Name
    parts: Mapping[str, Name]
    points: Mapping[str, Name]
    parameters: Mapping[str, Name]
    rules: Mapping[str, RuleWords]


class VocabularyOut(Answered):
    words: Mapping[str, Mapping[str, Name]] = Field(description="section -> key -> words")
    kinds: Mapping[str, KindWords]


@router.get(
    "/vocabulary",
    summary="Every key a person may see, in Chinese and English",
    responses=refusals(),
    dependencies=[needs(Right.READ)],
)
async def get_vocabulary(context: InContext) -> VocabularyOut:
    return VocabularyOut(
        words=CATALOGUE.sections, kinds={kind: _kind(pack) for kind, pack in sorted(context.packs.items())}
    )


def _kind(pack: Pack) -> KindWords:
    return KindWords(
        title=named(pack.title),
        parts={key: named(each.title) for key, each in pack.parts.items()},
        points={key: named(each.title) for key, each in pack.points.items()},
        parameters={key: named(each.title) for key, each in pack.parameters.items()},
        rules={
            key: RuleWords(
                title=named(each.title),
                guidance=guidance_of(each),
                severity=each.severity,
                work_class=each.work_class,
            )
            for key, each in pack.rules.items()
        },
    )
