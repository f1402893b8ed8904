"""Arrays by COPY and rows by INSERT leave the same readings and tell the same fates."""

from collections.abc import Sequence
from typing import LiteralString, cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection, AsyncCursor
from psycopg.errors import UniqueViolation
from psycopg.rows import TupleRow

from ledger import deposits
from ledger.deposits import CONFLICT, REPEATED, STORED, Columns, deposit, file
from ledger.records import to_ms
from tests.fix_database import Connection
from tests.small_estate import NOON

NOON_MS = to_ms(NOON)
Row = tuple[int, int, float, int]

values = st.sampled_from([0.0, -0.0, 1.0, 0.1 + 0.2, 1e300])
rows = st.tuples(st.integers(1, 3), st.integers(0, 3), values, st.sampled_from([0, 0, 2])) | st.tuples(
    st.integers(1, 3), st.integers(0, 3), st.just(float("nan")), st.just(1)
)


def columns(given_rows: list[Row]) -> Columns:
    return Columns(
        np.array([each[0] for each in given_rows], np.int32),
        np.array([NOON_MS + each[1] for each in given_rows], np.int64),
        np.array([each[2] for each in given_rows], np.float64),
        np.array([each[3] for each in given_rows], np.int16),
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(st.lists(rows, max_size=8), max_size=3))
async def test_both_ways_agree(connection: Connection, batches: list[list[Row]]) -> None:
    found: list[object] = []
    for rows_min in (0, 1000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(deposits, "COPY_ROWS_MIN", rows_min)
            fates = [(await deposit(connection, file(columns(each)))).tolist() for each in batches]
        cursor = await connection.execute(
            "select point_id, ts, value::text, quality from reading order by point_id, ts"
        )
        found.append((fates, await cursor.fetchall()))
        await connection.execute("delete from reading")
    assert found[0] == found[1]


async def test_many_new_rows_and_then_some_of_them_again(connection: Connection) -> None:
    many = [(point, at, float(at), 0) for point in range(1, 4) for at in range(100)]
    assert set((await deposit(connection, file(columns(many)))).tolist()) == {STORED}
    again = [*many[::2], (2, 7, 99.0, 0), (9, 1, 1.0, 0), *many[150:250]]
    fates = (await deposit(connection, file(columns(again)))).tolist()
    assert fates[:150] == [REPEATED] * 150
    assert fates[150:152] == [CONFLICT, STORED]
    assert fates[152:] == [REPEATED] * 100
    cursor = await connection.execute("select count(*) from reading")
    assert await cursor.fetchone() == (301,)


async def test_what_the_historian_deletes_in_between_is_new_again(database_url: str) -> None:
    """The insert finds it known, and by the time it is asked what is known there, it is gone."""
    rows = columns([(1, 5, 1.0, 0), (2, 5, 2.0, 0), (3, 5, 3.0, 0)])
    async with (
        await AsyncConnection[TupleRow].connect(database_url, autocommit=True) as historian,
        await AsyncConnection[TupleRow].connect(database_url) as ours,
    ):
        await deposit(historian, file(columns([(1, 5, 1.0, 0), (2, 5, 7.0, 0)])))
        statements = 0

        class Meddled:
            """Our connection, on which somebody else gets in after the first statement."""

            async def execute(self, statement: LiteralString, values: Sequence[object] = ()) -> AsyncCursor[TupleRow]:
                nonlocal statements
                cursor = await ours.execute(statement, values)
                statements += 1
                if statements == 1:
                    await historian.execute("delete from reading where point_id = 2")
                return cursor

        fates = await deposit(cast("Connection", Meddled()), file(rows))
        assert fates.tolist() == [REPEATED, STORED, STORED]
        cursor = await ours.execute("select point_id, value from reading order by point_id")
        assert await cursor.fetchall() == [(1, 1.0), (2, 2.0), (3, 3.0)]


@pytest.mark.parametrize("count", [3, 300])
async def test_what_is_known_to_be_new_is_written_while_something_else_is_done(
    connection: Connection, count: int
) -> None:
    given_rows = [(1 + at % 3, at, float(at), at % 2) for at in range(count)]
    done: list[str] = []
    async with deposits.writing(connection, file(columns(given_rows)).rows):
        done.append("meanwhile")
    cursor = await connection.execute("select point_id, ts, value, quality from reading order by ts")
    found = [(point_id, to_ms(ts) - NOON_MS, value, quality) async for point_id, ts, value, quality in cursor]
    assert (found, done) == (given_rows, ["meanwhile"])


@pytest.mark.parametrize("count", [3, 300])
async def test_what_was_known_after_all_is_refused_whole(connection: Connection, count: int) -> None:
    given_rows = [(1 + at % 3, at, float(at), 0) for at in range(count)]
    await deposit(connection, file(columns(given_rows[-1:])))
    with pytest.raises(UniqueViolation):
        async with connection.transaction(), deposits.writing(connection, file(columns(given_rows)).rows):
            pass
    cursor = await connection.execute("select count(*) from reading")
    assert await cursor.fetchone() == (1,)


@pytest.mark.parametrize("count", [3, 300])
async def test_what_fails_meanwhile_leaves_nothing(connection: Connection, count: int) -> None:
    given_rows = [(1 + at % 3, at, float(at), 0) for at in range(count)]
    with pytest.raises(ZeroDivisionError):
        async with connection.transaction(), deposits.writing(connection, file(columns(given_rows)).rows):
            raise ZeroDivisionError
    cursor = await connection.execute("select count(*) from reading")
    assert await cursor.fetchone() == (0,)
