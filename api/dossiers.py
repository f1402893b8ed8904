"""The dossier of a facility (一机一档): its entries page by page, and whether its chain holds."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api import paging
from api.catalogue import CATALOGUE
from api.context import InContext, needs
from api.problems import refusals
from api.rights import Right
from api.shapes import Answered, Key, Limit, Name, PageOf
from ledger import dossier, facility_list
from ledger.dossier import ChainCheck, DossierEntry

router = APIRouter(tags=["dossier"])


class EntryOut(Answered):
    """`hash` is SHA-256 over the hash before it and the stored bytes of the body."""

    seq: int
    recorded_at: datetime
    kind: str
    kind_name: Name
    body: Mapping[str, object]
    hash: str


class ChainOut(Answered):
    """The chain, computed anew from the stored bytes."""

    length: int
    head: str | None = Field(description="the last hash; null: there is no entry yet")
    holds: bool
    broken_at: int | None = Field(description="seq of the first entry that does not fit; null: all do")


class DossierPage(PageOf):
    """Oldest first, or as it was asked for."""

    items: Sequence[EntryOut]
    chain: ChainOut | None = Field(description="null: not asked for")


class DossierQuery(Limit):
    newest_first: bool = False
    verify: Annotated[bool, Field(description="also verify the whole chain")] = False


@router.get(
    "/facilities/{site}/{facility}/dossier",
    summary="Its entries, oldest first or newest first",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def list_dossier(
    site: Key, facility: Key, query: Annotated[DossierQuery, Query()], context: InContext
) -> DossierPage:
    after = paging.number(query.after)
    async with context.transaction() as connection:
        found = await facility_list.find(connection, site, facility)
        if query.newest_first:
            rows = await dossier.latest(connection, found.id, before_seq=after, limit=query.limit + 1)
        else:
            rows = await dossier.entries(connection, found.id, after_seq=after or 0, limit=query.limit + 1)
        check = await dossier.verify(connection, found.id) if query.verify else None
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each.seq,))
    return DossierPage(
        items=[_entry(each) for each in shown], next=cursor, chain=None if check is None else _chain(check)
    )


@router.get(
    "/facilities/{site}/{facility}/dossier/verification",
    summary="Whether nothing was changed, removed or slipped in",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def verify_dossier(site: Key, facility: Key, context: InContext) -> ChainOut:
    async with context.transaction() as connection:
        found = await facility_list.find(connection, site, facility)
        return _chain(await dossier.verify(connection, found.id))


def _entry(entry: DossierEntry) -> EntryOut:
    return EntryOut(
        seq=entry.seq,
        recorded_at=entry.recorded_at,
        kind=entry.kind,
        kind_name=CATALOGUE.text("dossier_kind", entry.kind),
        body=entry.body,
        hash=entry.hash.hex(),
    )


def _chain(check: ChainCheck) -> ChainOut:
    head = None if check.head is None else check.head.hex()
    return ChainOut(length=check.length, head=head, holds=check.holds, broken_at=check.broken_at)
