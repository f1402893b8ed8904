"""What the answers of one visit amount to, by its checklist. Pure: nothing is refused, everything odd is named."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from inspection.checklist import AnswerKind, Checklist, Item, wants_photo
from ledger.records import Severity

Answer = bool | float | str
Answers = Mapping[str, Answer]


class Outcome(StrEnum):
    """What the visit found. Stored with it."""

    IN_ORDER = "in_order"
    DEFECTIVE = "defective"
    UNFINISHED = "unfinished"  # nothing failed, and something compulsory was not answered
    UNJUDGED = "unjudged"  # nothing to judge it by: its tag leads nowhere, or nobody knows its checklist


@dataclass(frozen=True, slots=True)
class Failure:
    item: Item
    answer: Answer


@dataclass(frozen=True, slots=True)
class Finding:
    outcome: Outcome
    failures: Sequence[Failure] = ()
    missing: Sequence[str] = ()  # compulsory items without an answer that fits
    photos_missing: Sequence[str] = ()  # items whose photo was compulsory
    unknown: Sequence[str] = ()  # answers to what was not asked; kept all the same

    @property
    def severity(self) -> Severity | None:
        """The worst of what failed."""
        order = list(Severity)
        return max((each.item.severity for each in self.failures), key=order.index, default=None)


NOTHING_TO_JUDGE_BY = Finding(Outcome.UNJUDGED)


def judge(
    checklist: Checklist, facility_type: str | None, answers: Answers, *, photos: Collection[str], draw: str
) -> Finding:
    """`photos`: keys of items with a photo. `draw`: what the random photos of this visit are drawn from."""
    failures: list[Failure] = []
    missing: list[str] = []
    photos_missing: list[str] = []
    asked: set[str] = set()
    for item in _asked(checklist.asked_of(facility_type), facility_type, answers):
        asked.add(item.key)
        answer = answers.get(item.key)
        failed = answer is not None and fits(item, answer) and fails(item, answer)
        if answer is None or not fits(item, answer):
            if not item.optional or answer is not None:
                missing.append(item.key)
        elif failed:
            failures.append(Failure(item, answer))
        if item.key not in photos and wants_photo(item, failed=failed, draw=draw):
            photos_missing.append(item.key)
    outcome = Outcome.DEFECTIVE if failures else Outcome.UNFINISHED if missing or photos_missing else Outcome.IN_ORDER
    unknown = tuple(key for key in answers if key not in asked)
    return Finding(outcome, tuple(failures), tuple(missing), tuple(photos_missing), unknown)


def _asked(items: Sequence[Item], facility_type: str | None, answers: Answers) -> Iterator[Item]:
    """The items, and what follows from those that failed, in the order a person sees them."""
    for item in items:
        yield item
        answer = answers.get(item.key)
        if answer is not None and fits(item, answer) and fails(item, answer):
            follow_up = [each for each in item.follow_up if each.is_asked_of(facility_type)]
            yield from _asked(follow_up, facility_type, answers)


def fits(item: Item, answer: Answer) -> bool:
    """Whether the answer is one of this item's kind."""
    match item.kind:
        case AnswerKind.CHECK:
            return isinstance(answer, bool)
        case AnswerKind.READING:
            return isinstance(answer, int | float) and not isinstance(answer, bool)
        case AnswerKind.CHOICE:
            return any(each.key == answer for each in item.choices)
        case AnswerKind.TEXT:
            return isinstance(answer, str)


def fails(item: Item, answer: Answer) -> bool:
    """Of an answer that fits."""
    match item.kind:
        case AnswerKind.CHECK:
            return answer is False
        case AnswerKind.READING:
            assert isinstance(answer, int | float)
            return (item.low is not None and answer < item.low) or (item.high is not None and answer > item.high)
        case AnswerKind.CHOICE:
            return any(each.fails for each in item.choices if each.key == answer)
        case AnswerKind.TEXT:
            return False
