"""The audit finds nothing in a ledger that lived a full life, and each thing that somebody breaks by hand."""

import pytest

from ledger import audit, conditions, work_orders
from ledger.lifecycle import ConditionMove
from ledger.lifecycle import WorkOrderMove as V
from ledger.pool import INGEST_ROLE, open_pool, transaction
from tests.eventful_site import let_everything_happen
from tests.fix_database import Connection
from tests.orders import deadlines, do, open_order
from tests.small_estate import SmallSite, build_both, cause, later, raise_alarm

BREAKS: dict[str, list[tuple[str, ...]]] = {
    "alarm_open_while_not_normal": [
        ("update alarm set ended_at = raised_at where condition_id = (select min(condition_id) from alarm)",),
        ("drop index alarm_one_open", ("insert into alarm (site_id, condition_id, facility_id, severity, priority, "
         "priority_reason, began_at, raised_at, explanation) select site_id, condition_id, facility_id, severity, "
         "priority, priority_reason, began_at, raised_at, explanation from alarm")),
    ],
    "alarm_says_what_its_condition_says": [
        ("update alarm set acknowledged_at = raised_at, acknowledged_by = 'x'",),
        ("update alarm set returned_at = raised_at",),
    ],
    "alarm_was_raised": [
        ("update condition_event set alarm_id = null",),
        ("alter table alarm drop constraint alarm_occurrences_positive", "update alarm set occurrences = 0"),
    ],
    "alarm_and_order_share_their_facility": [
        ("update work_order set facility_id = (select facility_id from gateway limit 1)",),
    ],
    "condition_journal_unbroken": [
        ("delete from condition_event where seq = 1",),
        ("update condition_event set seq = seq + 100",),
        ("update condition_event set from_state = 'RTNUN'",),
        ("update condition set journal_length = 7",),
    ],
    "condition_journal_legal": [("update condition_event set move = 'reset'",)],
    "condition_journal_gives_state": [
        ("update condition set state = 'ACKED' where state = 'UNACK'",),
        ("update condition set suppressed = true",),
        ("update condition set out_of_service = true",),
        ("update condition set shelved_until = '2026-01-01', shelved_by = 'x'",),
    ],
    "condition_journal_names_its_alarm": [
        ("update condition_event set alarm_id = null",),
        (("update condition_event as one set alarm_id = (select alarm_id from condition_event as other "
         "where other.condition_id <> one.condition_id limit 1)"),),
    ],
    "order_journal_unbroken": [
        ("delete from work_order_event where seq = 1",),
        ("update work_order_event set from_state = 'planned' where seq = 2",),
        ("update work_order set journal_length = 0",),
    ],
    "order_journal_legal": [
        ("update work_order_event set move = 'verify' where seq = 2",),
        ("update work_order_event set move = 'note' where seq = 2",),
        ("update work_order_event set move = 'resume' where seq = 2",),
        ("update work_order_event set move = 'note' where seq = 1",),
    ],
    "order_journal_gives_state": [
        ("update work_order set state = 'arrived' where state = 'dispatched'",),
        ("update work_order set suspended_from = 'dispatched', assignee = 'x' where state = 'suspended'",),
    ],
    "order_clock_runs_until_met_or_missed": [
        ("delete from timer where kind = 'order_clock' and clock = 'plan_by'",),
        ("update timer set due_at = due_at + interval '1 s' where kind = 'order_clock'",),
        ("update work_order set accepted_at = opened_at",),
    ],
    "timer_fits_its_subject": [
        ("update condition set shelved_until = '2030-01-01' where shelved_until is not null",),
        ("update work_permit set ended_at = issued_at, ended_by = 'x'",),
        (("insert into timer (site_id, kind, condition_id, since, due_at) "
         "select site_id, 'on_delay', id, '2026-01-01', '2026-01-01' from condition where state = 'UNACK'"),),
        (("insert into timer (site_id, kind, condition_id, since, due_at) "
         "select site_id, 'off_delay', id, '2026-01-01', '2026-01-01' from condition where state = 'NORM'"),),
        (("insert into timer (site_id, kind, condition_id, since, due_at) "
         "select site_id, 'realarm', id, '2026-01-01', '2026-01-01' from condition where state = 'NORM'"),),
        (("insert into timer (site_id, kind, point_id, since, due_at) "
         "select site_id, 'event_hold', id, '2026-01-01', '2026-01-01' from point"),),
        (("insert into timer (site_id, kind, alarm_id, since, due_at) "
         "select site_id, 'order_due', id, '2026-01-01', '2026-01-01' from alarm"), "update alarm set ended_at = raised_at"),
    ],
    "shelving_and_permit_have_their_timer": [
        ("delete from timer where kind = 'shelving'",),
        ("delete from timer where kind = 'permit'",),
    ],
    "permit_ends_as_it_says": [
        ("update work_permit set overrun = true",),
        ("update work_permit set overrun = true, ended_at = valid_until, ended_by = 'somebody'",),
        ("update work_permit set ended_at = issued_at - interval '1 s', ended_by = 'somebody'",),
    ],
    "dossier_chain_unbroken": [
        ("delete from dossier_entry where seq = 2",),
        ("update dossier_entry set previous_hash = ''::bytea, hash = sha256(body) where seq = 2",),
    ],
    "dossier_hash_is_of_its_bytes": [
        ("alter table dossier_entry drop constraint dossier_entry_hash_holds", "update dossier_entry set body = '{}'"),
    ],
    "dossier_ends_where_its_facility_says": [
        ("delete from dossier_entry where seq = (select max(seq) from dossier_entry)",),
        ("update facility set chain_length = chain_length + 1 where chain_length > 0",),
        ("update facility set chain_head = '\\x00' where chain_length > 0",),
    ],
    "dossier_has_every_move": [
        (("insert into condition_event (site_id, condition_id, seq, move, from_state, to_state, at, recorded_at, actor, "
         "reason) select site_id, id, 99, 'suppress', 'NORM', 'NORM', '2026-01-01', '2026-01-01', 'x', 'x' "
         "from condition where state = 'NORM' limit 1"),),
        ("delete from work_order_event",),
    ],
    "outbox_tells_in_order_and_to_the_end": [
        ("update alarm set version = version + 1",),
        ("update outbox set version = 99 where id = (select min(id) from outbox where kind = 'work_order')",),
    ],
    "account_balances": [
        ("alter table intake_account drop constraint intake_account_messages_balance",
         "update intake_account set received = received + 1"),
        ("update intake_account set accepted = -1, duplicate = received - quarantined + 1",),
    ],
    "account_covers_every_reading": [("insert into reading select point_id, '2030-01-01', 1, 0 from reading limit 1",)],
    "quarantine_has_what_was_refused": [("delete from quarantine",)],
    "quarantine_is_bounded": [
        ("alter table quarantine drop constraint quarantine_samples_bounded",
         "update quarantine set samples = (select jsonb_agg('{}'::jsonb) from generate_series(1, 11)), count = 20"),
        ("update quarantine set samples = jsonb_build_array(jsonb_build_object('payload', repeat('x', 4097)))",),
        (("insert into quarantine (site_key, topic, reason, count, first_at, last_at) "
         "select '', n, 'x', 1, '2026-01-01', '2026-01-01' from generate_series(0, 10001) as n"),),
    ],
    "location_tree_has_no_circle": [
        (("update location as child set parent_id = (select id from location as other where other.parent_id = child.id) "
         "where parent_id is null"),),
    ],
    "asset_stands_alone": [
        (("insert into asset (site_id, facility_id, part_id, maker, model, installed_on, removed_on) "
         "select site_id, facility_id, part_id, 'x', 'x', installed_on - 1, installed_on + 1 from asset"),),
    ],
    "gateway_is_a_facility_of_its_kind": [
        ("update facility set kind = 'elevator' where kind = 'gateway'",),
        ("update facility set kind = 'gateway' where key = 'booster-1'",),
        ("update gateway set key = 'gw-2'",),
        ("update facility set gateway_id = gateway.id from gateway where facility_id = facility.id",),
    ],
    "point_is_named_after_its_part": [
        ("update point set part_id = null",),
        ("update point set key = 'pump_2.run' where key = 'pump_1.run'",),
        ("update point set key = 'run' where key = 'pump_1.run'",),
    ],
    "code_belongs_to_an_enumeration": [
        ("delete from point_code",),
        ("update point set kind = 'measure' where kind = 'enum'",),
    ],
    "reading_is_of_a_point": [("delete from point where key = 'outlet_pressure'",)],
    "hour_says_what_its_readings_say": [
        ("update reading_hour set mean = mean + 0.001",),
        ("delete from reading_hour",),
    ],
    "no_reading_is_lost": [
        ("delete from reading where ts = (select min(ts) from reading)",),
        ("delete from reading", "update reading_hour set has_readings = true"),
    ],
    "dossier_has_every_visit": [
        ("delete from dossier_entry where kind = 'inspection'",),
        ("delete from tag_event where move = 'issue'",),
        ("update inspection_visit set facility_id = (select min(id) from facility), tag_id = null",),
    ],
    "dossier_has_every_certificate": [
        ("delete from dossier_entry where kind = 'certificate'",),
        ("update certificate set number = 'WQ-2026-0118'",),
        ("update certificate set valid_until = valid_until + 1",),
        ("update certificate set withdrawn_at = added_at, withdrawn_by = 'x', withdrawn_why = 'x'",),
        ("alter table certificate_page disable trigger all", "delete from certificate_page"),
    ],
    "dossier_has_every_place_photo": [
        ("delete from dossier_entry where kind = 'place_photo'",),
        ("update place_photo set sha256 = repeat('0', 64)",),
        ("update place_photo set removed_at = added_at, removed_by = 'x'",),
    ],
    "dossier_has_every_service": [
        ("delete from dossier_entry where kind = 'asset_serviced'",),
        ("alter table asset_service disable trigger all", "update asset_service set serviced_on = null"),
        ("alter table asset_service disable trigger all", "delete from asset_service"),
    ],
    "round_journal_gives_state": [
        ("update inspection_round set guard = 'x'",),
        ("delete from inspection_round_event",),
        ("update inspection_round_event set seq = seq + 10", "update inspection_round set journal_length = 13"),
        ("update inspection_round_event set to_state = 'finished'", "update inspection_round set state = 'finished', ended_at = started_at"),
    ],
    "signature_is_of_who_may": [
        ("update inspection_signature set signer = '别人'",),
        ("update inspection_signature set part = 'supervisor'",),
        (("update inspection_signature set part = 'fire_manager', round_id = null, signer = (select actor from work_order_event "
          "where move = 'resolve' limit 1), work_order_id = (select work_order_id from work_order_event where move = 'resolve' limit 1)"),),
    ],
    "visit_order_is_of_its_facility": [
        ("update inspection_visit set work_order_id = (select min(id) from work_order), facility_id = (select min(id) from facility)",),
    ],
    "fitness_is_as_its_dossier_ends": [
        ("update facility_fitness set state = 'fit'",),
        ("update facility_fitness set journal_length = 2",),
        ("delete from facility_fitness",),
    ],
    "references_hold": [
        ("delete from site where key = 'harbour'",),
        ("update point set site_id = (select max(id) from site)",),
        ("update alarm set condition_id = 999 where id = (select min(id) from alarm)",),
    ],
}  # fmt: skip

CASES = [(invariant, statements) for invariant, breaks in BREAKS.items() for statements in breaks]


@pytest.fixture
async def lived_in(connection: Connection) -> tuple[SmallSite, SmallSite]:
    """Two sites with a history: an open alarm and order, one alarm that ended, a suspended order, a shelved condition."""
    sites = await build_both(connection)
    for site in sites:
        await let_everything_happen(connection, site)
        flood = site.conditions["flood"]
        await raise_alarm(connection, flood)
        for step in (ConditionMove.CLEAR, ConditionMove.ACKNOWLEDGE):
            await conditions.move(connection, flood.id, step, cause(later(minutes=1)))
        shelved = site.conditions["outlet_pressure_very_low"]
        await conditions.move(
            connection, shelved.id, ConditionMove.SHELVE, cause(actor="li"), shelve_until=later(hours=1)
        )
        await do(connection, await open_order(connection, site), V.SUSPEND)
    return sites


async def broken(connection: Connection) -> set[str]:
    return {violation.invariant for violation in await audit.run(connection)}  # type: ignore[arg-type]


async def test_nothing_is_found_where_nothing_is_wrong(
    connection: Connection, lived_in: tuple[SmallSite, SmallSite]
) -> None:
    assert await audit.run(connection) == []  # type: ignore[arg-type]


async def test_an_empty_ledger_is_in_order(connection: Connection) -> None:
    assert await audit.run(connection) == []  # type: ignore[arg-type]


def test_every_invariant_is_broken_by_a_test() -> None:
    assert set(BREAKS) == set(audit.INVARIANTS)


async def test_what_somebody_breaks_by_hand_is_found(
    connection: Connection, lived_in: tuple[SmallSite, SmallSite]
) -> None:
    """One ledger for all: each break is rolled back before the next, and those nobody noticed are told together."""
    unnoticed: list[str] = []
    for invariant, statements in CASES:
        async with connection.transaction(force_rollback=True):
            await connection.execute(
                "set local session_replication_role = replica"
            )  # neither triggers nor foreign keys
            for statement in statements:
                cursor = await connection.execute(statement.encode())
                assert cursor.rowcount != 0, f"breaks nothing: {statement}"
            found = {violation.invariant: violation.rows for violation in await audit.run(connection)}  # type: ignore[arg-type]
            if not 0 < len(found.get(invariant, ())) <= audit.ROWS_MAX:
                unnoticed.append(f"{invariant}: {statements}")
    assert not unnoticed, "\n".join(unnoticed)


async def test_an_order_given_to_another_after_its_deadline_was_accepted_in_time(
    connection: Connection, lived_in: tuple[SmallSite, SmallSite]
) -> None:
    order = await open_order(connection, lived_in[0])
    for step, minute in ((V.DISPATCH, 0), (V.ACCEPT, 1), (V.DISPATCH, 20)):
        await do(connection, order, step, minute)
    assert await broken(connection) == set()


@pytest.mark.parametrize(
    "steps",
    [
        (V.DISPATCH, V.ACCEPT, V.ARRIVE, V.RESOLVE, V.REOPEN, V.ACCEPT),
        (V.DISPATCH, V.ACCEPT, V.PLAN, V.RESOLVE, V.VERIFY, V.CLOSE),
        (V.DISPATCH, V.SUSPEND, V.RESUME, V.ACCEPT, V.SUSPEND, V.CANCEL),
        (V.SUSPEND, V.RESUME, V.CANCEL),
    ],
)
async def test_every_way_an_order_goes_leaves_a_ledger_in_order(
    connection: Connection, lived_in: tuple[SmallSite, SmallSite], steps: tuple[V, ...]
) -> None:
    order = await open_order(connection, lived_in[0])
    for number, step in enumerate(steps):
        minute = number * 12
        await do(connection, order, step, minute)
        if step is V.REOPEN:
            act = work_orders.Act("li", "reopened", later(minutes=minute))
            await work_orders.restart_clocks(connection, order, deadlines(later(minutes=minute)), act)  # type: ignore[arg-type]
        assert await broken(connection) == set(), f"after {step}"


async def test_ingest_s_role_may_ask_all_of_it(
    database_url: str, connection: Connection, lived_in: tuple[SmallSite, SmallSite]
) -> None:
    """`check` runs as ingest: the audit needs no more than reading everything."""
    await connection.execute("set local session_replication_role = replica")
    await connection.execute("update condition set suppressed = true")
    await connection.commit()
    async with open_pool(database_url, role=INGEST_ROLE) as pool, transaction(pool) as ingest:
        assert {violation.invariant for violation in await audit.run(ingest)} == {"condition_journal_gives_state"}
