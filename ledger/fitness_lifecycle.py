"""Whether a facility can be used, by what people find who look at it: one table, asked by everyone.

Telemetry has its alarms; this is of what nothing measures. docs/inspection.md has it in words.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from ledger.records import Severity


class FitnessState(StrEnum):
    FIT = "fit"
    FAULTY = "faulty"  # something is wrong with it, and it can be used
    OUT_OF_USE = "out_of_use"  # it is not to be relied on


class FitnessMove(StrEnum):
    FIND_FAULT = "find_fault"  # an item failed that does not take its use away
    FIND_UNUSABLE = "find_unusable"  # a critical one did
    FIND_FIT = "find_fit"  # looked at whole, in order, and not doubted
    REPAIR = "repair"  # the last order of such a finding was closed
    DOUBT_FAULTY = "doubt_faulty"  # the visit that found it fit is doubted: it is as before, faulty
    DOUBT_UNUSABLE = "doubt_unusable"  # the same, and it was out of use


_S, _M = FitnessState, FitnessMove

# Out of use it stays until it passes whole or is repaired: who finds less wrong with it has not mended it.
FITNESS_MOVES: Mapping[tuple[FitnessState, FitnessMove], FitnessState] = MappingProxyType(
    {
        (_S.FIT, _M.FIND_FAULT): _S.FAULTY,
        (_S.FIT, _M.FIND_UNUSABLE): _S.OUT_OF_USE,
        (_S.FIT, _M.FIND_FIT): _S.FIT,
        (_S.FIT, _M.REPAIR): _S.FIT,
        (_S.FIT, _M.DOUBT_FAULTY): _S.FAULTY,
        (_S.FIT, _M.DOUBT_UNUSABLE): _S.OUT_OF_USE,
        (_S.FAULTY, _M.FIND_FAULT): _S.FAULTY,
        (_S.FAULTY, _M.FIND_UNUSABLE): _S.OUT_OF_USE,
        (_S.FAULTY, _M.FIND_FIT): _S.FIT,
        (_S.FAULTY, _M.REPAIR): _S.FIT,
        (_S.OUT_OF_USE, _M.FIND_FAULT): _S.OUT_OF_USE,
        (_S.OUT_OF_USE, _M.FIND_UNUSABLE): _S.OUT_OF_USE,
        (_S.OUT_OF_USE, _M.FIND_FIT): _S.FIT,
        (_S.OUT_OF_USE, _M.REPAIR): _S.FIT,
    }
)


def move_of_finding(severity: Severity) -> FitnessMove:
    """By the worst item that failed."""
    return FitnessMove.FIND_FAULT if severity is Severity.WARNING else FitnessMove.FIND_UNUSABLE
