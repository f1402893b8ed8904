"""Driver errors become ledger errors once, by the name of the constraint; no constraint is without a sentence."""

import psycopg
import pytest

from ledger.constraints import CONSTRAINT_ERRORS, ENDINGS, meaning_of, translate
from ledger.errors import Conflict, Invalid, LedgerError, TookTooLong
from ledger.pool import INGEST_ROLE, open_pool, transaction
from tests.fix_database import Connection
from tests.small_estate import NOON, build

_SITE = "insert into site (key, name_zh, name_en, time_zone, sla_profile, created_at) values "


async def names_in(connection: Connection) -> set[str]:
    """Every constraint and unique index of the ledger; NOT NULL has no name of ours."""
    cursor = await connection.execute(
        "select conname from pg_constraint where connamespace = 'public'::regnamespace "
        "and contype in ('p', 'u', 'c', 'f', 'x') "
        "and not exists (select from pg_depend where objid = pg_constraint.oid and deptype = 'e') "
        "union select relname from pg_index join pg_class on pg_class.oid = indexrelid "
        "where indisunique and relnamespace = 'public'::regnamespace"
    )
    return {str(name) for (name,) in await cursor.fetchall()}


async def test_every_constraint_has_its_sentence_and_every_sentence_its_constraint(connection: Connection) -> None:
    names = await names_in(connection)
    assert not {name for name in names if meaning_of(name) is None}
    assert not set(CONSTRAINT_ERRORS) - names
    assert not {ending for ending in ENDINGS if not any(name.endswith(ending) for name in names)}


def test_a_sentence_tells_what_is_wrong_and_not_what_it_is_called() -> None:
    for name, (kind, meaning) in {**CONSTRAINT_ERRORS, **ENDINGS}.items():
        assert issubclass(kind, Invalid | Conflict), name
        assert name not in meaning
        assert len(meaning) > 15, name
        assert not meaning.endswith("."), name


@pytest.mark.parametrize(
    ("statement", "kind", "meaning"),
    [
        (_SITE + "('garden', '', '', 'UTC', 'standard', %s)", Conflict, "there is a site of this key already"),
        (_SITE + "('Garden', '', '', 'UTC', 'standard', %s)", Invalid, "a key is 1 to 64 of"),
        ("insert into alarm_note (site_id, alarm_id, text, actor, at) select id, 999, 'x', 'y', %s from site",
         Invalid, "names something of another site"),
        ("insert into reading values (1, %s, 'infinity', 0)", Invalid, "a reading is a finite number"),
        ("insert into reading values (1, %s, null, 0)", Invalid, "null value"),
        ("select %s::timestamptz, 1 / 0", Invalid, "division by zero"),
        ("delete from point_code where %s::timestamptz is not null", Invalid, "point_code is append-only"),
        ("select %s::timestamptz from nowhere", LedgerError, "nowhere"),
        ("set statement_timeout = 1; select pg_sleep(60)", TookTooLong, "the ledger is busy"),
    ],
)  # fmt: skip
async def test_what_the_driver_says_is_said_in_our_words(
    connection: Connection, statement: str, kind: type[LedgerError], meaning: str
) -> None:
    await build(connection, "garden", "花园")
    values = [NOON] if "%s" in statement else None
    with pytest.raises(psycopg.Error) as error:
        await connection.execute(statement.encode(), values)
    translated = translate(error.value)
    assert type(translated) is kind
    assert meaning in str(translated)


async def test_a_transaction_speaks_our_words(database_url: str) -> None:
    async with open_pool(database_url, role=INGEST_ROLE) as pool:
        with pytest.raises(Invalid, match="a reading is a finite number"):
            async with transaction(pool) as connection:
                await connection.execute("insert into reading values (1, '2026-01-01', 'infinity', 0)")
        with pytest.raises(LedgerError, match="permission denied"):
            async with transaction(pool) as connection:
                await connection.execute("delete from dossier_entry")
