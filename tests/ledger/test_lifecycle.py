"""The tables of lifecycle.py against domain.md 5.1, written out here a second time by hand, and the drawn document."""

import itertools

import pytest

from ledger.lifecycle import (
    ACTIVE_STATES,
    CLOCK_MET_BY,
    CONDITION_MOVES,
    UNRESOLVED_STATES,
    WORK_ORDER_MOVES,
    WORKING_STATES,
    ConditionMove,
    ConditionState,
    ShownState,
    WorkOrderClock,
    WorkOrderMove,
    WorkOrderState,
    is_move_shown_legal,
    legal_condition_moves,
    legal_work_order_moves,
    shown_state,
)
from ledger.lifecycle_diagram import DOCUMENT, refreshed

C, M, W, V = ConditionState, ConditionMove, WorkOrderState, WorkOrderMove

# domain.md 5.1, row by row. "SHLVD: timer ends, un-shelve -> re-evaluate" is refined by design.md section 8: expired
# shelving comes back unacknowledged, manual unshelving acknowledged. "LATUN, reset -> not allowed" is the choice made.
DOMAIN_5_1 = {
    ("NORM", "raise"): "UNACK",
    ("UNACK", "acknowledge"): "ACKED",
    ("UNACK", "clear"): "RTNUN",
    ("UNACK", "latch"): "LATUN",
    ("ACKED", "clear"): "NORM",
    ("ACKED", "latch"): "LATACK",
    ("RTNUN", "acknowledge"): "NORM",
    ("RTNUN", "raise"): "UNACK",
    ("LATUN", "acknowledge"): "LATACK",
    ("LATUN", "raise"): "UNACK",
    ("LATACK", "raise"): "UNACK",
    ("LATACK", "reset"): "NORM",
    ("ACKED", "realarm"): "UNACK",
}
BACK_ACKNOWLEDGED = {
    "NORM": "NORM", "UNACK": "ACKED", "ACKED": "ACKED", "RTNUN": "NORM", "LATUN": "LATACK", "LATACK": "LATACK"
}  # fmt: skip
BACK_UNACKNOWLEDGED = {
    "NORM": "NORM", "UNACK": "UNACK", "ACKED": "UNACK", "RTNUN": "RTNUN", "LATUN": "LATUN", "LATACK": "LATUN"
}  # fmt: skip
FLAG_MOVES = ("shelve", "suppress", "unsuppress", "remove_from_service", "return_to_service")

WORK_ORDERS = {
    "opened": {"dispatch": "dispatched", "suspend": "suspended", "cancel": "cancelled"},
    "dispatched": {"dispatch": "dispatched", "accept": "accepted", "suspend": "suspended", "cancel": "cancelled"},
    "accepted": {
        "dispatch": "dispatched", "arrive": "arrived", "plan": "planned", "suspend": "suspended", "cancel": "cancelled"
    },
    "arrived": {"plan": "planned", "resolve": "resolved", "suspend": "suspended", "cancel": "cancelled"},
    "planned": {"arrive": "planned", "resolve": "resolved", "suspend": "suspended", "cancel": "cancelled"},
    "resolved": {"verify": "verified", "reopen": "dispatched"},
    "verified": {"close": "closed"},
    "closed": {},
    "suspended": {"resume": None, "cancel": "cancelled"},
    "cancelled": {},
}  # fmt: skip


def expected_condition_move(state: str, move: str) -> str | None:
    if move == "unshelve":
        return BACK_ACKNOWLEDGED[state]
    if move == "unshelve_expired":
        return BACK_UNACKNOWLEDGED[state]
    if move in FLAG_MOVES:
        return state
    return DOMAIN_5_1.get((state, move))


@pytest.mark.parametrize(("state", "move"), list(itertools.product(C, M)))
def test_the_condition_table_is_that_of_the_standard(state: ConditionState, move: ConditionMove) -> None:
    assert CONDITION_MOVES.get((state, move)) == expected_condition_move(state.value, move.value)


@pytest.mark.parametrize(("state", "move"), list(itertools.product(W, V)))
def test_the_work_order_table_is_the_one_decided(state: WorkOrderState, move: WorkOrderMove) -> None:
    assert ((state, move) in WORK_ORDER_MOVES) == (move.value in WORK_ORDERS[state.value])
    if (state, move) in WORK_ORDER_MOVES:
        assert WORK_ORDER_MOVES[state, move] == WORK_ORDERS[state.value][move.value]


def test_what_a_state_means_follows_from_its_name() -> None:
    assert {C.UNACK, C.ACKED} == ACTIVE_STATES
    assert {*WORKING_STATES, W.SUSPENDED} == UNRESOLVED_STATES


@pytest.mark.parametrize("flags", list(itertools.product((False, True), repeat=3)))
def test_out_of_service_is_shown_before_suppressed_before_shelved_before_the_state(
    flags: tuple[bool, bool, bool],
) -> None:
    out_of_service, suppressed, shelved = flags
    for state in C:
        shown = shown_state(state, out_of_service=out_of_service, suppressed=suppressed, shelved=shelved)
        expected = "OOSRV" if out_of_service else "DSUPR" if suppressed else "SHLVD" if shelved else state.value
        assert shown is ShownState(expected)


@pytest.mark.parametrize("flags", list(itertools.product((False, True), repeat=3)))
def test_a_flag_is_set_only_when_clear_and_released_only_when_set(flags: tuple[bool, bool, bool]) -> None:
    out_of_service, suppressed, shelved = flags
    named = {"out_of_service": out_of_service, "suppressed": suppressed, "shelved": shelved}
    legal = {move for move in M if is_move_shown_legal(move, **named)}
    assert (M.SHELVE in legal) is not shelved
    assert (M.UNSHELVE in legal) is (M.UNSHELVE_EXPIRED in legal) is shelved
    assert (M.SUPPRESS in legal) is not suppressed
    assert (M.UNSUPPRESS in legal) is suppressed
    assert (M.REMOVE_FROM_SERVICE in legal) is not out_of_service
    assert (M.RETURN_TO_SERVICE in legal) is out_of_service
    for state in C:
        expected = tuple(move for move in M if move in legal and (state, move) in CONDITION_MOVES)
        assert legal_condition_moves(state, **named) == expected


def test_every_clock_is_met_by_a_move_that_some_way_to_its_end_takes() -> None:
    """From every working state, each clock can still be met, or has been on the way there."""
    assert set(CLOCK_MET_BY) == set(WorkOrderClock)
    for clock, moves in CLOCK_MET_BY.items():
        for state in WORKING_STATES:
            assert _reachable_moves(state) & moves or clock is WorkOrderClock.ACCEPT_BY, (clock, state)


def test_legal_work_order_moves_come_in_the_order_of_the_enumeration() -> None:
    for state in W:
        assert [move.value for move in legal_work_order_moves(state)] == sorted(
            WORK_ORDERS[state.value], key=[move.value for move in V].index
        )


def test_every_state_is_reached_and_only_final_ones_have_no_way_out() -> None:
    reached = {W.OPENED, *(state for state in WORK_ORDER_MOVES.values() if state is not None)}
    assert reached == set(W)
    assert {state for state in W if not legal_work_order_moves(state)} == {W.CLOSED, W.CANCELLED}
    assert {C.NORM, *CONDITION_MOVES.values()} == set(C)


def test_the_document_shows_the_tables_that_run() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == refreshed(text), "run: python -m ledger.lifecycle_diagram"


def test_a_document_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="condition-diagram"):
        refreshed("# Lifecycles\n")


def _reachable_moves(start: WorkOrderState) -> set[WorkOrderMove]:
    seen, waiting, moves = {start}, [start], set[WorkOrderMove]()
    while waiting:
        state = waiting.pop()
        for move in legal_work_order_moves(state):
            moves.add(move)
            target = WORK_ORDER_MOVES[state, move]
            if target is not None and target not in seen:
                seen.add(target)
                waiting.append(target)
    return moves
