"""Handing a round over: to whom it may be given, and giving it.

A name alone walks nothing and signs for nothing, so that it goes to somebody with an account who may inspect there.
"""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from api.context import InContext, needs
from api.deeds import DeedOf
from api.inspection_rounds import RoundOut, round_of
from api.problems import refusals, unacceptable
from api.rights import Right, rights_of
from api.shapes import Answered, Asked, Id, Text, Word
from ledger import people, plans, rounds
from ledger.pool import Connection
from ledger.round_lifecycle import RoundMove
from ledger.rounds import Round

router = APIRouter(tags=["inspection rounds"])


class HandOver(Asked):
    to: Annotated[Word, Field(description="who goes on with it: one of its `guards`")]
    note: Text | None = None


class GuardOut(Answered):
    name: str
    substitute: bool = Field(description="whom the plan names for when its officer is away")


class GuardsOut(Answered):
    """The substitute first, then by name."""

    items: Sequence[GuardOut]


@router.get(
    "/inspection-rounds/{round}/guards",
    summary="Whom a round may be handed over to",
    responses=refusals(404),
    dependencies=[needs(Right.INSPECT)],
)
async def list_round_guards(round: Id, context: InContext) -> GuardsOut:  # noqa: A002 - the path's name
    """Who has an account with the right to inspect at its site, without its present guard."""
    async with context.transaction() as connection:
        found = await rounds.get(connection, round)
        plan = await plans.find(connection, found.site_key, found.plan_key)
        names = await _guards(connection, found)
    there = [GuardOut(name=each, substitute=each == plan.substitute) for each in names]
    return GuardsOut(items=sorted(there, key=lambda each: (not each.substitute, each.name)))


async def _guards(connection: Connection, found: Round) -> list[str]:
    there = await people.colleagues(connection, found.site_id)
    return [name for name, roles in there.items() if Right.INSPECT in rights_of(roles) and name != found.guard]


@router.post(
    "/inspection-rounds/{round}/hand-over",
    summary="Give it to another guard",
    response_model=RoundOut,
    responses=refusals(404, 409),
    dependencies=[needs(Right.INSPECT)],
)
async def hand_over_inspection_round(round: Id, asked: HandOver, deed: DeedOf) -> Response:  # noqa: A002 - the path's name
    """To somebody with an account who may inspect there: a name alone could sign for nothing."""

    async def act(connection: Connection) -> RoundOut:
        found = await rounds.get(connection, round)
        if asked.to != found.guard and asked.to not in await _guards(connection, found):
            raise unacceptable("body.to", "no_guard")
        await rounds.move(
            connection, round, RoundMove.HAND_OVER, actor=deed.actor, note=asked.note, now=deed.now, to=asked.to
        )
        return await round_of(connection, deed.context, round)

    return await deed.do(act)
