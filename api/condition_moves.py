"""What a person may do to a condition, with or without an alarm, and what he has to say with it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from api.context import Context
from api.problems import unacceptable
from api.shapes import Answered, Asked, Moment, Text
from ledger.condition_list import ConditionEntry
from ledger.errors import NotPermitted
from ledger.lifecycle import ConditionMove, legal_condition_moves
from ledger.records import Grade, Severity
from rules.response import may_shelve

# The others are the rules' and the clock's.
PERSONS_MOVES = frozenset(
    {
        ConditionMove.ACKNOWLEDGE,
        ConditionMove.RESET,
        ConditionMove.SHELVE,
        ConditionMove.UNSHELVE,
        ConditionMove.REMOVE_FROM_SERVICE,
        ConditionMove.RETURN_TO_SERVICE,
    }
)


class Shelving(Asked):
    until: Annotated[Moment, Field(description="when it comes back by itself, unacknowledged")]
    one_shot: Annotated[bool, Field(description="also when this occurrence is over")] = False
    note: Annotated[Text | None, Field(description="why; the response table may ask for it")] = None


class ShelvingOut(Answered):
    """How long it may be shelved at most, and whether one has to say why."""

    seconds_max: float
    note_required: bool


def persons_moves(condition: ConditionEntry) -> Sequence[ConditionMove]:
    """What is possible now."""
    legal = legal_condition_moves(
        condition.state,
        out_of_service=condition.out_of_service,
        suppressed=condition.suppressed,
        shelved=condition.shelved_until is not None,
    )
    return [move for move in legal if move in PERSONS_MOVES]


def permit_shelving(context: Context, now: datetime, severity: Severity, grade: Grade, asked: Shelving) -> None:
    """Raises NotPermitted with what the response table would permit."""
    refusal = may_shelve(context.response, severity, grade, until=asked.until, now=now, note=asked.note)
    if refusal is not None:
        raise NotPermitted(refusal.text)


def acknowledge_note_required(context: Context, severity: Severity, grade: Grade) -> bool:
    return context.response.grading[severity, grade].acknowledge_note_required


def permit_acknowledging(context: Context, severity: Severity, grade: Grade, note: str | None) -> None:
    """Raises Unacceptable where the response table wants to be told what is done about it."""
    if note is None and acknowledge_note_required(context, severity, grade):
        raise unacceptable("body.note", "acknowledge_note", severity=severity.value, grade=grade.value)


def shelving_out(context: Context, severity: Severity, grade: Grade) -> ShelvingOut | None:
    limit = context.response.grading[severity, grade].shelve
    if limit is None:
        return None
    return ShelvingOut(seconds_max=limit.at_most / timedelta(seconds=1), note_required=limit.note_required)
