"""Draws docs/lifecycles.md's diagrams from the tables of lifecycle.py, so that what people read is what runs.

`python -m ledger.lifecycle_diagram` brings the document up to date; tests/ledger/test_lifecycle.py fails while it is not.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from ledger.lifecycle import (
    CLOCK_MET_BY,
    CONDITION_MOVES,
    WORK_ORDER_MOVES,
    ConditionMove,
    ConditionState,
    WorkOrderClock,
    WorkOrderMove,
    WorkOrderState,
    legal_work_order_moves,
)

DOCUMENT = Path(__file__).parent.parent / "docs" / "lifecycles.md"

# Moves of the flags lead from every state to itself: a sentence tells it better than thirty loops.
_FLAG_MOVES = frozenset(
    {
        ConditionMove.SHELVE,
        ConditionMove.SUPPRESS,
        ConditionMove.UNSUPPRESS,
        ConditionMove.REMOVE_FROM_SERVICE,
        ConditionMove.RETURN_TO_SERVICE,
    }
)


def blocks() -> Mapping[str, str]:
    """What belongs between the marks of each name in the document."""
    return {
        "condition-diagram": condition_diagram(),
        "condition-table": condition_table(),
        "work-order-diagram": work_order_diagram(),
        "work-order-table": work_order_table(),
        "clock-table": clock_table(),
    }


def refreshed(text: str) -> str:
    """The document with every block as the tables have it now. Raises ValueError where a mark is missing."""
    for name, block in blocks().items():
        begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
        if begin not in text or end not in text:
            raise ValueError(f"docs/lifecycles.md has no marks for {name}")
        head, rest = text.split(begin, 1)
        text = head + begin + block + end + rest.split(end, 1)[1]
    return text


def condition_diagram() -> str:
    """Process states and the moves between them; loops and flag moves are left to the table."""
    edges = [
        (from_state.value, to_state.value, step.value)
        for (from_state, step), to_state in CONDITION_MOVES.items()
        if from_state is not to_state and step not in _FLAG_MOVES
    ]
    return _mermaid("NORM", edges, ends=())


def condition_table() -> str:
    header = ["from", *(move.value for move in ConditionMove)]
    rows = [
        [state.value, *(_cell(CONDITION_MOVES.get((state, move))) for move in ConditionMove)]
        for state in ConditionState
    ]
    return _markdown(header, rows)


def work_order_diagram() -> str:
    """Resuming leads back to where an order was suspended, so to every state with a way into SUSPENDED."""
    edges: list[tuple[str, str, str]] = []
    for (from_state, step), to_state in WORK_ORDER_MOVES.items():
        if to_state is not None:
            edges.append((from_state.value, to_state.value, step.value))
        if to_state is WorkOrderState.SUSPENDED:
            edges.append((to_state.value, from_state.value, WorkOrderMove.RESUME.value))
    return _mermaid("opened", edges, ends=("closed", "cancelled"))


def work_order_table() -> str:
    rows = [
        [state.value, ", ".join(move.value for move in legal_work_order_moves(state)) or "none: final"]
        for state in WorkOrderState
    ]
    return _markdown(["state", "possible moves"], rows)


def clock_table() -> str:
    rows = [
        [clock.value, ", ".join(move.value for move in WorkOrderMove if move in CLOCK_MET_BY[clock])]
        for clock in WorkOrderClock
    ]
    return _markdown(["clock", "met by"], rows)


def _cell(target: ConditionState | None) -> str:
    return "" if target is None else target.value


def _mermaid(start: str, edges: Iterable[tuple[str, str, str]], *, ends: Iterable[str]) -> str:
    """Edges with the same two ends become one, or nobody can read it."""
    moves: dict[tuple[str, str], list[str]] = {}
    for from_state, to_state, step in edges:
        moves.setdefault((from_state, to_state), []).append(step)
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {start}"]
    lines += [f"    {one} --> {other}: {', '.join(steps)}" for (one, other), steps in moves.items()]
    lines += [f"    {end} --> [*]" for end in ends]
    return "\n".join([*lines, "```", ""])


def _markdown(header: list[str], rows: Iterable[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


if __name__ == "__main__":
    DOCUMENT.write_text(refreshed(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
