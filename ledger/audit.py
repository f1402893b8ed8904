"""Audit the ledger: ask of every invariant which rows break it. For an operator, a smoke run, and after every test run.

The queries are in invariants.py. `references_hold` is asked here of every foreign key the catalogue knows: constraints
may have been off while somebody repaired something by hand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql
from psycopg.rows import DictRow, dict_row

from ledger.invariants import QUERIES
from ledger.lifecycle import ACTIVE_STATES, CONDITION_MOVES, WORK_ORDER_EVENTS, WORK_ORDER_MOVES, WORKING_STATES
from ledger.pool import Connection

REFERENCES = "references_hold"
INVARIANTS: Sequence[str] = (*QUERIES, REFERENCES)
ROWS_MAX = 100


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold, with the rows that break it, at most ROWS_MAX of them."""

    invariant: str
    rows: Sequence[Mapping[str, object]]


async def run(connection: Connection) -> list[Violation]:
    """Every invariant that does not hold. Each is asked of one moment of the ledger; none changes anything."""
    await connection.execute("set local statement_timeout = '30min'")  # the readings of years are counted, too
    found = [
        Violation(invariant, rows)
        for invariant, query in QUERIES.items()
        if (rows := await _rows(connection, sql.SQL(query), _parameters()))
    ]
    if broken := await _broken_references(connection):
        found.append(Violation(REFERENCES, broken))
    return found


async def _rows(
    connection: Connection, query: sql.SQL | sql.Composed, parameters: Mapping[str, object]
) -> list[DictRow]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, parameters)
        return await cursor.fetchmany(ROWS_MAX)


def _parameters() -> dict[str, object]:
    """The lifecycle tables as arrays, for queries that ask whether a move is in them."""
    orders = [(state, move, to) for (state, move), to in WORK_ORDER_MOVES.items() if to is not None]
    return {
        "condition_from": [state.value for state, _ in CONDITION_MOVES],
        "condition_move": [move.value for _, move in CONDITION_MOVES],
        "condition_to": [to.value for to in CONDITION_MOVES.values()],
        "order_from": [state.value for state, _, _ in orders],
        "order_move": [move.value for _, move, _ in orders],
        "order_to": [to.value for _, _, to in orders],
        "order_events": list(WORK_ORDER_EVENTS),
        "active": [state.value for state in ACTIVE_STATES],
        "working": [state.value for state in WORKING_STATES],
    }


async def _broken_references(connection: Connection) -> list[Mapping[str, object]]:
    """Rows whose foreign key leads nowhere. All of them carry the site, so they prove that no row points abroad."""
    cursor = await connection.execute(
        """
        select conname, conrelid::regclass::text, confrelid::regclass::text,
               array(select attname::text from unnest(conkey) with ordinality as key (number, place)
                     join pg_attribute on attrelid = conrelid and attnum = number order by place),
               array(select attname::text from unnest(confkey) with ordinality as key (number, place)
                     join pg_attribute on attrelid = confrelid and attnum = number order by place)
        from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace order by conname
        """
    )
    broken: list[Mapping[str, object]] = []
    for name, child, parent, columns, targets in await cursor.fetchall():
        query = sql.SQL(
            "select {name} as constraint, {columns} from {child} as child where {given} "
            "and not exists (select from {parent} as parent where {matches})"
        ).format(
            name=sql.Literal(name),
            columns=sql.SQL(", ").join(sql.Identifier("child", column) for column in columns),
            child=sql.Identifier(child.strip('"')),
            given=sql.SQL(" and ").join(
                sql.SQL("{} is not null").format(sql.Identifier("child", column)) for column in columns
            ),
            parent=sql.Identifier(parent.strip('"')),
            matches=sql.SQL(" and ").join(
                sql.SQL("{} = {}").format(sql.Identifier("parent", target), sql.Identifier("child", column))
                for column, target in zip(columns, targets, strict=True)
            ),
        )
        broken.extend(await _rows(connection, query, {}))
    return broken[:ROWS_MAX]
