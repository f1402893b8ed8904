"""Promise 9: who is bound to one site can read and touch nothing of another, whatever the table or the route forgot.

The tests ask the catalogue which tables there are, so a new one without a policy, or without a row in
tests/eventful_site.py, fails here.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import sql

from ledger.pool import API_ROLE, INGEST_ROLE
from tests.eventful_site import let_everything_happen
from tests.fix_database import Connection
from tests.small_estate import SmallSite, build_both

READER_ROLE = "taizhang_reader"
NOBODY_ELSE_S = {"person_password", "session", "person_setting"}  # one's own, or of the desk that recognises people
SHARED = {"schema_migration"}  # belongs to no site and tells nothing of any
BEHIND_VIEWS = {"reading", "reading_hour", "stale_hour"}  # no policy; people reach them through views or not at all
JOURNALS = {
    "audit_log",
    "dossier_entry",
    "condition_event",
    "work_order_event",
    "alarm_note",
    "rule_parameter",
    "point_code",
}
REFUSED = psycopg.errors.InsufficientPrivilege
ANY_ROW = sql.SQL("true")


@dataclass(frozen=True)
class Sites:
    """Two sites with a row in every table; `owner` sees all, `people` acts as the api, at first without a scope."""

    garden: SmallSite
    harbour: SmallSite
    owner: Connection
    people: Connection
    tables: tuple[str, ...]

    async def scope(self, *sites: int) -> None:
        await self.people.rollback()
        await self.people.execute("select set_config('taizhang.sites', %s, true)", [",".join(map(str, sites))])


@pytest.fixture
async def sites(database_url: str) -> AsyncIterator[Sites]:
    async with (
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as owner,
        await psycopg.AsyncConnection.connect(database_url) as people,
    ):
        async with owner.transaction():
            garden, harbour = await build_both(owner)
            for site in (garden, harbour):
                await let_everything_happen(owner, site)
        await people.execute(sql.SQL("set role {}").format(sql.Identifier(API_ROLE)))
        await people.commit()
        yield Sites(garden, harbour, owner, people, await _tables(owner))


async def _tables(connection: Connection) -> tuple[str, ...]:
    cursor = await connection.execute("select tablename from pg_tables where schemaname = 'public' order by 1")
    return tuple(str(name) for (name,) in await cursor.fetchall() if name not in SHARED | BEHIND_VIEWS | NOBODY_ELSE_S)


def belongs_to(table: str, site: SmallSite) -> sql.Composed:
    """How a row of this table says whose it is."""
    column = {
        "site": sql.SQL("id = {id}"),
        "person": sql.SQL("id in (select person_id from membership where site_id = {id})"),
        "api_token": sql.SQL("{id} = any(sites)"),
        "idempotency": sql.SQL("{id} = any(scope)"),
        "intake_account": sql.SQL("site_key = {key}"),
        "quarantine": sql.SQL("site_key = {key}"),
    }.get(table, sql.SQL("site_id = {id}"))
    return column.format(id=sql.Literal(site.id), key=sql.Literal(site.key))


async def count(connection: Connection, table: str, condition: sql.Composable = ANY_ROW) -> int:
    query = sql.SQL("select count(*) from {} where {}").format(sql.Identifier(table), condition)
    row = await (await connection.execute(query)).fetchone()
    assert row is not None
    return int(str(row[0]))


async def test_every_table_has_a_row_of_both_sites_or_this_file_proves_nothing(sites: Sites) -> None:
    for table in sites.tables:
        for site in (sites.garden, sites.harbour):
            assert await count(sites.owner, table, belongs_to(table, site)), f"{table} has no row of {site.key}"


async def test_people_see_all_of_their_site_and_nothing_of_another(sites: Sites) -> None:
    for table in sites.tables:
        await sites.scope(sites.garden.id)
        mine = await count(sites.owner, table, belongs_to(table, sites.garden))
        assert await count(sites.people, table) == mine, table
        assert await count(sites.people, table, belongs_to(table, sites.harbour)) == 0, table
        await sites.scope(sites.garden.id, sites.harbour.id)
        assert await count(sites.people, table) == await count(sites.owner, table), table


@pytest.mark.parametrize("scope", [None, ""])
async def test_without_a_scope_people_see_nothing(sites: Sites, scope: str | None) -> None:
    if scope is not None:
        await sites.people.execute("select set_config('taizhang.sites', %s, true)", [scope])
    for table in (*sites.tables, "site_reading", "site_current", "site_reading_hour"):
        assert await count(sites.people, table) == 0, table


async def test_a_scope_ends_with_its_transaction(sites: Sites) -> None:
    await sites.scope(sites.garden.id)
    assert await count(sites.people, "facility") > 0
    await sites.people.commit()
    assert await count(sites.people, "facility") == 0


async def test_people_cannot_write_a_row_of_another_site(sites: Sites) -> None:
    for table in sites.tables:
        query = sql.SQL("select to_jsonb(t) from {} as t where {} limit 1")
        cursor = await sites.owner.execute(
            query.format(sql.Identifier(table), belongs_to(table, sites.harbour)),
        )
        row = await cursor.fetchone()
        assert row is not None
        await sites.scope(sites.garden.id)
        statement = sql.SQL(
            "insert into {t} overriding system value select * from jsonb_populate_record(null::public.{t}, %s)"
        )
        with pytest.raises(REFUSED):
            await sites.people.execute(statement.format(t=sql.Identifier(table)), [json.dumps(row[0])])


async def test_people_cannot_change_or_remove_a_row_of_another_site(sites: Sites) -> None:
    for table in sites.tables:
        columns = await _columns_granted(sites.owner, table, "update")
        assignments = sql.SQL(", ").join(sql.SQL("{0} = {0}").format(sql.Identifier(each)) for each in columns)
        statements = [sql.SQL("delete from {} where {}")]
        if columns:
            statements.append(sql.SQL("update {} set {} where {}"))
        for statement in statements:
            parts = [sql.Identifier(table), belongs_to(table, sites.harbour)]
            if "update" in statement.as_string():
                parts.insert(1, assignments)
            await sites.scope(sites.garden.id)
            try:
                cursor = await sites.people.execute(statement.format(*parts))
            except REFUSED:
                continue
            assert cursor.rowcount == 0, f"{table}: {statement.as_string()}"


async def test_people_cannot_give_their_row_to_another_site(sites: Sites) -> None:
    for table in sites.tables:
        if "site_id" not in await _columns_granted(sites.owner, table, "update"):
            continue
        await sites.scope(sites.garden.id)
        statement = sql.SQL("update {} set site_id = {}").format(sql.Identifier(table), sql.Literal(sites.harbour.id))
        with pytest.raises(REFUSED):
            await sites.people.execute(statement)


async def _columns_granted(owner: Connection, table: str, privilege: str) -> list[str]:
    cursor = await owner.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped "
        "and attidentity = '' and has_column_privilege(%s, attrelid, attnum, %s)",
        [table, API_ROLE, privilege],
    )
    return [str(name) for (name,) in await cursor.fetchall()]


# -- readings


@pytest.mark.parametrize(
    "statement",
    [
        "select count(*) from reading",
        "insert into reading values (1, '2026-01-01', 1, 0)",
        "delete from reading",
        "update reading set value = 0",
        "copy reading to stdout",
        "select count(*) from reading_hour",
        "delete from reading_hour",
        "insert into stale_hour (point_id, hour) values (1, '2026-01-01')",
        "select count(*) from stale_hour",
    ],
)
async def test_people_cannot_reach_readings_directly(sites: Sites, statement: str) -> None:
    await sites.scope(sites.garden.id)
    with pytest.raises(REFUSED):
        await sites.people.execute(statement.encode())


async def test_people_cannot_reach_a_chunk_of_the_readings_either(sites: Sites) -> None:
    """TimescaleDB keeps them in tables of another schema."""
    cursor = await sites.owner.execute(
        "select inhrelid::regclass::text from pg_inherits where inhparent = 'reading'::regclass "
        "and has_table_privilege(%s, inhrelid, 'select')",
        [API_ROLE],
    )
    assert await cursor.fetchall() == []


@pytest.mark.parametrize("view", ["site_reading", "site_current", "site_reading_hour"])
async def test_the_views_tell_nobody_else_s_readings_even_to_a_function_that_looks(sites: Sites, view: str) -> None:
    """A cheap function in the condition would see every row first, if the view were no barrier."""
    value = sql.Identifier("mean" if view == "site_reading_hour" else "value")
    await sites.owner.execute(
        "create function look(point int, value float8) returns bool language plpgsql cost 0.0001 as "
        "$$ begin raise notice 'saw %', point; return true; end $$"
    )
    seen: set[str] = set()
    sites.people.add_notice_handler(lambda notice: seen.add(str(notice.message_primary)))
    await sites.scope(sites.garden.id)
    statement = sql.SQL("select * from {} where look(point_id, {})").format(sql.Identifier(view), value)
    await sites.people.execute(statement)
    assert seen == {f"saw {sites.garden.points['outlet_pressure']}"}


# -- what the roles are


async def test_every_table_has_a_policy_for_both_services(sites: Sites) -> None:
    cursor = await sites.owner.execute(
        "select relname, relrowsecurity, array_agg(distinct rolname::text order by rolname::text) from pg_class "
        "left join pg_policy on polrelid = pg_class.oid left join pg_roles on pg_roles.oid = any(polroles) "
        "where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') group by 1, 2 order by 1"
    )
    for table, enabled, roles in await cursor.fetchall():
        if table in SHARED | BEHIND_VIEWS:
            assert not enabled, table
        else:
            assert enabled, f"{table} has no row-level security"
            assert {API_ROLE, INGEST_ROLE} <= set(roles), f"{table} lacks a policy"  # type: ignore[call-overload]


async def test_the_roles_own_no_table_and_cannot_pass_by_policies(sites: Sites) -> None:
    for role in (API_ROLE, INGEST_ROLE, READER_ROLE):
        cursor = await sites.owner.execute(
            "select rolsuper or rolbypassrls or rolcreaterole or rolcanlogin, "
            "(select count(*) from pg_class where relowner = pg_roles.oid and relkind in ('r', 'p')), "
            "(select count(*) from pg_auth_members where member = pg_roles.oid) from pg_roles where rolname = %s",
            [role],
        )
        assert await cursor.fetchone() == (False, 0, 0), role


async def test_every_view_people_may_read_is_a_barrier_owned_by_who_owns_nothing_else(sites: Sites) -> None:
    cursor = await sites.owner.execute(
        "select relname, rolname, reloptions from pg_class join pg_roles on pg_roles.oid = relowner "
        "where relkind in ('v', 'm') and relnamespace = 'public'::regnamespace "
        "and has_table_privilege(%s, pg_class.oid, 'select') "
        "and not exists (select from pg_depend where objid = pg_class.oid and deptype = 'e') order by 1",
        [API_ROLE],
    )
    assert await cursor.fetchall() == [
        ("every_site", READER_ROLE, ["security_barrier=true"]),  # names only: what there is to have a scope of
        ("ingest_heard", READER_ROLE, ["security_barrier=true"]),  # one moment, nobody's
        ("ingest_state", READER_ROLE, ["security_barrier=true"]),
        ("site_current", READER_ROLE, ["security_barrier=true"]),
        ("site_reading", READER_ROLE, ["security_barrier=true"]),
        ("site_reading_hour", READER_ROLE, ["security_barrier=true"]),
    ]


async def test_two_functions_of_ours_run_with_their_owner_s_rights_each_for_one_service(sites: Sites) -> None:
    """Only the owner of a table can drop a chunk of it (decision 0017); who belongs to all sites is shown to none by a policy,
    and by name to each. No other function has such rights.
    """
    cursor = await sites.owner.execute(
        "select proname, has_function_privilege(%(ingest)s, oid, 'execute'), has_function_privilege(%(api)s, oid, 'execute'), "
        "array_to_string(proconfig, ' ') like '%%search_path=pg_catalog, public, pg_temp%%' from pg_proc where prosecdef and pronamespace = 'public'::regnamespace "
        "and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e') order by proname",
        {"ingest": INGEST_ROLE, "api": API_ROLE},
    )
    assert await cursor.fetchall() == [
        ("colleagues_of_all_sites", False, True, True),
        ("drop_expired_chunk", True, False, True),
    ]


@pytest.mark.parametrize("role", [API_ROLE, INGEST_ROLE])
async def test_nobody_may_change_or_empty_a_journal(sites: Sites, role: str) -> None:
    for table in JOURNALS:
        for privilege in ("update", "delete", "truncate"):
            cursor = await sites.owner.execute(
                "select has_table_privilege(%s, %s, %s) or (%s <> 'truncate' and %s <> 'delete' "
                "and has_any_column_privilege(%s, %s, 'update'))",
                [role, table, privilege, privilege, privilege, role, table],
            )
            assert await cursor.fetchone() == (False,), f"{role} may {privilege} {table}"


@pytest.mark.parametrize("role", [API_ROLE, INGEST_ROLE])
async def test_nobody_may_empty_a_table_or_hang_triggers_on_it(sites: Sites, role: str) -> None:
    cursor = await sites.owner.execute(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') "
        "and (has_table_privilege(%(role)s, oid, 'truncate') or has_table_privilege(%(role)s, oid, 'trigger') "
        "or has_table_privilege(%(role)s, oid, 'references'))",
        {"role": role},
    )
    assert await cursor.fetchall() == []


async def test_ingest_sees_every_site(sites: Sites, database_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as ingest:
        await ingest.execute(sql.SQL("set role {}").format(sql.Identifier(INGEST_ROLE)))
        for table in (*sites.tables, *BEHIND_VIEWS):
            assert await count(ingest, table) == await count(sites.owner, table), table


async def test_an_answer_is_given_again_only_to_a_scope_that_covers_its_own(sites: Sites) -> None:
    await sites.scope(sites.garden.id, sites.harbour.id)
    await sites.people.execute(
        "insert into idempotency (key, actor, request_hash, created_at) values ('both', 'a', '', '2026-01-01')"
    )
    await sites.people.commit()
    for scope, seen in (((sites.garden.id,), 0), ((sites.harbour.id, sites.garden.id, 99), 1)):
        await sites.scope(*scope)
        assert await count(sites.people, "idempotency", sql.SQL("key = 'both'")) == seen


async def test_who_belongs_to_all_sites_is_known_by_name_where_one_acts_and_by_nothing_else(sites: Sites) -> None:
    await sites.owner.execute(
        "insert into person (login, name, language, created_at, created_by) values ('everywhere', '周机动', 'zh', now(), 'test')"
    )
    await sites.owner.execute(
        "insert into membership (person_id, site_id, role, set_at, set_by) "
        "select id, null, 'patrol_guard', now(), 'test' from person where login = 'everywhere'"
    )
    asked = "select name, role from colleagues_of_all_sites(%s)"
    await sites.scope(sites.garden.id)
    assert await (await sites.people.execute(asked, [sites.garden.id])).fetchall() == [("周机动", "patrol_guard")]
    assert await (await sites.people.execute(asked, [sites.harbour.id])).fetchall() == []
    hidden = await sites.people.execute("select from person where login = 'everywhere'")
    assert await hidden.fetchall() == []
    await sites.scope()
    assert await (await sites.people.execute(asked, [sites.garden.id])).fetchall() == []
    await sites.owner.execute("update person set disabled_at = now(), disabled_by = 'test' where login = 'everywhere'")
    await sites.scope(sites.garden.id)
    assert await (await sites.people.execute(asked, [sites.garden.id])).fetchall() == []
