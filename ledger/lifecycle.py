"""States, moves and the tables between them, for conditions and work orders.

All transition logic of the ledger is here, and nothing here knows who asks: a person, a rule or a clock. Code
consults the tables and never decides by itself; an illegal move raises nothing here, it is simply absent, and
`legal_moves` tells what would be possible instead. The diagrams in docs/lifecycles.md are drawn from these tables.

A condition follows ANSI/ISA-18.2-2016 (domain.md 5.1). Its six process states say what the process does and whether a
person knows. Shelving, suppression by design and out of service lie beside them as flags that may coexist, because
evaluation goes on underneath: what comes back afterwards must be true.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class ConditionState(StrEnum):
    """What the process does, and whether a person has acknowledged it."""

    NORM = "NORM"  # normal, nothing to know
    UNACK = "UNACK"  # abnormal, nobody has acknowledged
    ACKED = "ACKED"  # abnormal, acknowledged
    RTNUN = "RTNUN"  # back to normal before anyone acknowledged
    LATUN = "LATUN"  # process normal, alarm kept by its latch, not acknowledged
    LATACK = "LATACK"  # process normal, alarm kept by its latch, acknowledged; waits for a reset


class ConditionMove(StrEnum):
    """Everything that can happen to the process state of a condition."""

    RAISE = "raise"  # the rule is true past its on-delay
    CLEAR = "clear"  # the rule is false past its off-delay, and does not latch
    LATCH = "latch"  # the rule is false past its off-delay, and latches
    ACKNOWLEDGE = "acknowledge"  # a person has seen it; there is no way back
    RESET = "reset"  # an authorised person releases a latch
    REALARM = "realarm"  # acknowledged for too long: ask again
    UNSHELVE = "unshelve"  # a person ends the shelving: comes back acknowledged
    UNSHELVE_EXPIRED = "unshelve_expired"  # the shelving ran out: comes back unacknowledged
    # Moves of the flags leave the process state alone, yet are journalled like the others:
    SHELVE = "shelve"
    SUPPRESS = "suppress"
    UNSUPPRESS = "unsuppress"
    REMOVE_FROM_SERVICE = "remove_from_service"
    RETURN_TO_SERVICE = "return_to_service"


_C, _M = ConditionState, ConditionMove

CONDITION_MOVES: Mapping[tuple[ConditionState, ConditionMove], ConditionState] = MappingProxyType(
    {
        (_C.NORM, _M.RAISE): _C.UNACK,
        (_C.RTNUN, _M.RAISE): _C.UNACK,
        (_C.LATUN, _M.RAISE): _C.UNACK,
        (_C.LATACK, _M.RAISE): _C.UNACK,
        (_C.UNACK, _M.CLEAR): _C.RTNUN,
        (_C.ACKED, _M.CLEAR): _C.NORM,
        (_C.UNACK, _M.LATCH): _C.LATUN,
        (_C.ACKED, _M.LATCH): _C.LATACK,
        (_C.UNACK, _M.ACKNOWLEDGE): _C.ACKED,
        (_C.RTNUN, _M.ACKNOWLEDGE): _C.NORM,
        (_C.LATUN, _M.ACKNOWLEDGE): _C.LATACK,
        # Reset before acknowledge is not allowed: nobody may make an alarm vanish that nobody has read.
        (_C.LATACK, _M.RESET): _C.NORM,
        (_C.ACKED, _M.REALARM): _C.UNACK,
        **{(state, _M.UNSHELVE): state for state in (_C.NORM, _C.ACKED, _C.LATACK)},
        (_C.UNACK, _M.UNSHELVE): _C.ACKED,
        (_C.RTNUN, _M.UNSHELVE): _C.NORM,
        (_C.LATUN, _M.UNSHELVE): _C.LATACK,
        **{(state, _M.UNSHELVE_EXPIRED): state for state in (_C.NORM, _C.UNACK, _C.RTNUN, _C.LATUN)},
        (_C.ACKED, _M.UNSHELVE_EXPIRED): _C.UNACK,
        (_C.LATACK, _M.UNSHELVE_EXPIRED): _C.LATUN,
        **{
            (state, move): state
            for state in ConditionState
            for move in (_M.SHELVE, _M.SUPPRESS, _M.UNSUPPRESS, _M.REMOVE_FROM_SERVICE, _M.RETURN_TO_SERVICE)
        },
    }
)

ACTIVE_STATES = frozenset({_C.UNACK, _C.ACKED})  # the process is abnormal now


class ShownState(StrEnum):
    """What a person sees for a condition: the strongest flag, else its process state."""

    OOSRV = "OOSRV"
    DSUPR = "DSUPR"
    SHLVD = "SHLVD"
    NORM = "NORM"
    UNACK = "UNACK"
    ACKED = "ACKED"
    RTNUN = "RTNUN"
    LATUN = "LATUN"
    LATACK = "LATACK"


def shown_state(state: ConditionState, *, out_of_service: bool, suppressed: bool, shelved: bool) -> ShownState:
    """Out of service before suppressed by design before shelved before the process state."""
    if out_of_service:
        return ShownState.OOSRV
    if suppressed:
        return ShownState.DSUPR
    if shelved:
        return ShownState.SHLVD
    return ShownState(state.value)


def is_move_shown_legal(move: ConditionMove, *, out_of_service: bool, suppressed: bool, shelved: bool) -> bool:
    """Whether the flags allow a move: a flag is set only when clear and released only when set."""
    needed = {
        _M.SHELVE: not shelved,
        _M.UNSHELVE: shelved,
        _M.UNSHELVE_EXPIRED: shelved,
        _M.SUPPRESS: not suppressed,
        _M.UNSUPPRESS: suppressed,
        _M.REMOVE_FROM_SERVICE: not out_of_service,
        _M.RETURN_TO_SERVICE: out_of_service,
    }
    return needed.get(move, True)


def legal_condition_moves(
    state: ConditionState, *, out_of_service: bool, suppressed: bool, shelved: bool
) -> tuple[ConditionMove, ...]:
    """The moves possible from here, in the order of the enumeration."""
    return tuple(
        move
        for move in ConditionMove
        if (state, move) in CONDITION_MOVES
        and is_move_shown_legal(move, out_of_service=out_of_service, suppressed=suppressed, shelved=shelved)
    )


class WorkOrderState(StrEnum):
    """Where a work order stands."""

    OPENED = "opened"
    DISPATCHED = "dispatched"  # somebody is named for it
    ACCEPTED = "accepted"  # and has taken it
    ARRIVED = "arrived"  # and is on site
    PLANNED = "planned"  # and has said what will be done
    RESOLVED = "resolved"  # and says it is done
    VERIFIED = "verified"  # a second person has seen that it is
    CLOSED = "closed"
    SUSPENDED = "suspended"  # waits for a reason outside the worker's power: clocks stand still
    CANCELLED = "cancelled"


class WorkOrderMove(StrEnum):
    """Everything a person can do to a work order."""

    DISPATCH = "dispatch"
    ACCEPT = "accept"
    ARRIVE = "arrive"
    PLAN = "plan"
    RESOLVE = "resolve"
    VERIFY = "verify"
    CLOSE = "close"
    SUSPEND = "suspend"
    RESUME = "resume"
    CANCEL = "cancel"
    REOPEN = "reopen"


# What happens to an order beside moves, and leaves its state alone.
WORK_ORDER_EVENTS = (
    "join",
    "link",
    "breach",
    "note",
    "alarm_cleared",
    "photo",
    "part",
    "part_struck",
    "signature",
    "call_back",
    "confirm",
    "witness",
)

_W, _V = WorkOrderState, WorkOrderMove

WORKING_STATES = (_W.OPENED, _W.DISPATCHED, _W.ACCEPTED, _W.ARRIVED, _W.PLANNED)
UNRESOLVED_STATES = frozenset({*WORKING_STATES, _W.SUSPENDED})  # an alarm may join an order in one of these

# `None` as target: back to the state the order was suspended from, kept in its row.
WORK_ORDER_MOVES: Mapping[tuple[WorkOrderState, WorkOrderMove], WorkOrderState | None] = MappingProxyType(
    {
        (_W.OPENED, _V.DISPATCH): _W.DISPATCHED,
        (_W.DISPATCHED, _V.DISPATCH): _W.DISPATCHED,  # to somebody else
        (_W.ACCEPTED, _V.DISPATCH): _W.DISPATCHED,  # taken from one and given to another
        (_W.DISPATCHED, _V.ACCEPT): _W.ACCEPTED,
        (_W.ACCEPTED, _V.ARRIVE): _W.ARRIVED,
        (_W.ACCEPTED, _V.PLAN): _W.PLANNED,  # planned from afar
        (_W.PLANNED, _V.ARRIVE): _W.PLANNED,  # planned from afar, now on site: without this arrive_by could not be met
        (_W.ARRIVED, _V.PLAN): _W.PLANNED,
        (_W.ARRIVED, _V.RESOLVE): _W.RESOLVED,
        (_W.PLANNED, _V.RESOLVE): _W.RESOLVED,
        (_W.RESOLVED, _V.VERIFY): _W.VERIFIED,
        (_W.RESOLVED, _V.REOPEN): _W.DISPATCHED,  # not done after all: the same person accepts again
        (_W.VERIFIED, _V.CLOSE): _W.CLOSED,
        **{(state, _V.SUSPEND): _W.SUSPENDED for state in WORKING_STATES},
        (_W.SUSPENDED, _V.RESUME): None,
        **{(state, _V.CANCEL): _W.CANCELLED for state in (*WORKING_STATES, _W.SUSPENDED)},
    }
)


def legal_work_order_moves(state: WorkOrderState) -> tuple[WorkOrderMove, ...]:
    """The moves possible from here, in the order of the enumeration."""
    return tuple(move for move in WorkOrderMove if (state, move) in WORK_ORDER_MOVES)


class WorkOrderClock(StrEnum):
    """The promises an order runs against. Each is met by the moves named in CLOCK_MET_BY and by no other."""

    ACCEPT_BY = "accept_by"
    ARRIVE_BY = "arrive_by"
    PLAN_BY = "plan_by"
    RESTORE_BY = "restore_by"


CLOCK_MET_BY: Mapping[WorkOrderClock, frozenset[WorkOrderMove]] = MappingProxyType(
    {
        WorkOrderClock.ACCEPT_BY: frozenset({_V.ACCEPT}),
        WorkOrderClock.ARRIVE_BY: frozenset({_V.ARRIVE}),
        WorkOrderClock.PLAN_BY: frozenset({_V.PLAN, _V.RESOLVE}),
        WorkOrderClock.RESTORE_BY: frozenset({_V.RESOLVE}),
    }
)
