"""States and moves of a round that somebody walks: one table, asked by everyone. docs/inspection.md has it in words.

A round that nobody starts has no state: its window passes, and it is missed. Results of a phone without network may
still arrive for a round that has ended; they are its results, and move nothing.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class RoundState(StrEnum):
    WALKING = "walking"
    FINISHED = "finished"
    ABANDONED = "abandoned"


class RoundMove(StrEnum):
    START = "start"
    HAND_OVER = "hand_over"  # its guard gives it to another
    TAKE_OVER = "take_over"  # another goes on with it, because its guard cannot
    FINISH = "finish"
    ABANDON = "abandon"


_S, _M = RoundState, RoundMove

# None: nobody has started it.
ROUND_MOVES: Mapping[tuple[RoundState | None, RoundMove], RoundState] = MappingProxyType(
    {
        (None, _M.START): _S.WALKING,
        (_S.WALKING, _M.HAND_OVER): _S.WALKING,
        (_S.WALKING, _M.TAKE_OVER): _S.WALKING,
        (_S.WALKING, _M.FINISH): _S.FINISHED,
        (_S.WALKING, _M.ABANDON): _S.ABANDONED,
    }
)


def legal_round_moves(state: RoundState | None) -> tuple[RoundMove, ...]:
    return tuple(move for (each, move) in ROUND_MOVES if each is state)
