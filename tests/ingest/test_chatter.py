"""A condition that bounces within one batch costs a few moves, keeps its end state, and is counted."""

from ingest.judgement import CHATTER_MOVES_MAX, without_chatter
from ledger.lifecycle import ConditionMove
from ledger.records import ConditionDecision, ConditionReason, Decision

RAISE, CLEAR = ConditionMove.RAISE, ConditionMove.CLEAR


def bounced(condition_id: int, moves: int) -> list[Decision]:
    return [
        ConditionDecision(condition_id, CLEAR if at % 2 else RAISE, at, at, ConditionReason.LIMIT, {})
        for at in range(moves)
    ]


def kept(decisions: list[Decision]) -> list[tuple[int, ConditionMove]]:
    found, _ = without_chatter(decisions)
    return [(each.at_ms, each.move) for each in found if isinstance(each, ConditionDecision)]


def test_a_few_moves_are_all_made() -> None:
    few = bounced(1, CHATTER_MOVES_MAX)
    assert without_chatter(few) == (few, {})


def test_of_many_the_first_and_the_last_are_made_and_the_rest_is_counted() -> None:
    assert kept(bounced(1, 1000)) == [(0, RAISE), (1, CLEAR), (998, RAISE), (999, CLEAR)]
    assert without_chatter(bounced(1, 1000))[1] == {1: 498}


def test_an_odd_number_ends_as_it_would_have() -> None:
    made = kept(bounced(1, 101))
    assert [move for _, move in made] == [RAISE, CLEAR, RAISE, CLEAR, RAISE]
    assert made[-1] == (100, RAISE)


def test_each_condition_is_looked_at_alone() -> None:
    calm, wild = bounced(1, 4), bounced(2, 200)
    found, counted = without_chatter([*calm, *wild])
    assert set(counted) == {2}
    assert list(found[:4]) == calm


def test_a_follower_that_is_hidden_and_shown_as_often_does_so_twice() -> None:
    turns: list[Decision] = []
    for at in range(200):
        hide = ConditionMove.UNSUPPRESS if at % 2 else ConditionMove.SUPPRESS
        turns += [
            ConditionDecision(1, CLEAR if at % 2 else RAISE, at, at, ConditionReason.LIMIT, {}),
            ConditionDecision(2, hide, at, at, ConditionReason.SUPPRESSED_BY_RULE, {}),
        ]
    found, counted = without_chatter(turns)
    assert [each.move for each in found if isinstance(each, ConditionDecision) and each.condition_id == 2] == [
        ConditionMove.SUPPRESS,
        ConditionMove.UNSUPPRESS,
        ConditionMove.SUPPRESS,
        ConditionMove.UNSUPPRESS,
    ]
    assert counted == {1: 98}
