"""Everything that came in is counted, everything refused is kept within bounds, whatever was sent."""

import asyncio
import base64
import json

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import intake
from ledger.intake import (
    OTHER_TOPICS,
    RENEWED_MAX,
    SAMPLE_BYTES_MAX,
    SAMPLES_MAX,
    Account,
    AccountKey,
    Quarantined,
    Refusal,
)
from ledger.pool import API_ROLE, INGEST_ROLE, open_pool, transaction
from tests.fix_database import Connection
from tests.fix_wait import Eventually
from tests.small_estate import NOON, build_both, later

KEY = AccountKey(NOON, "garden", "gw-1")


def refusal(topic: str = "tz/v1/garden/x/telemetry", *, at_s: float = 0, payload: bytes = b"{}", site: str = "garden",
            reason: str = "not_json", detail: str = "") -> Refusal:  # fmt: skip
    return Refusal(site, topic, reason, later(seconds=at_s), payload, detail)


async def put(connection: Connection, *refusals: Refusal, topics_max: int = 5) -> list[Quarantined]:
    await intake.quarantine(connection, refusals, topics_max=topics_max)
    return await intake.quarantined(connection)


async def test_tallies_add_up(connection: Connection) -> None:
    one = Account(received=3, accepted=2, quarantined=1, values_received=5, stored=4, refused=1, late=2, seq_gaps=1)
    other = AccountKey(later(minutes=1), "", "")
    await intake.add(connection, {KEY: one, other: Account(received=1, quarantined=1)})
    await intake.add(connection, {KEY: one})
    assert await intake.accounts(connection) == [
        (KEY, Account(6, 4, 0, 2, 10, 8, 0, 0, 2, 4, 2)),
        (other, Account(received=1, quarantined=1)),
    ]
    assert (await intake.totals(connection)).received == 7
    assert (await intake.totals(connection, site_key="garden", begin=NOON, end=later(minutes=1))).received == 6
    assert await intake.totals(connection, begin=later(hours=1)) == Account()


async def test_an_empty_tally_is_nothing(connection: Connection) -> None:
    await intake.add(connection, {})
    assert await intake.totals(connection) == Account()


@pytest.mark.parametrize(
    ("account", "constraint"),
    [
        (Account(received=1), "intake_account_messages_balance"),
        (Account(values_received=1), "intake_account_values_balance"),
        (Account(late=1), "intake_account_late_stored"),
    ],
)
async def test_an_account_that_does_not_balance_is_refused(
    connection: Connection, account: Account, constraint: str
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as error:
        await intake.add(connection, {KEY: account})
    assert error.value.diag.constraint_name == constraint


async def test_accounts_are_summed_and_paged(connection: Connection) -> None:
    keys = [AccountKey(later(minutes=minute), site, "gw") for minute in range(4) for site in ("a", "b")]
    await intake.add(connection, {key: Account(received=1, accepted=1) for key in keys})
    first = await intake.accounts(connection, limit=3)
    rest = await intake.accounts(connection, after=first[-1][0])
    assert [key for key, _ in first + rest] == keys
    summed = await intake.accounts(connection, bucket_s=120, site_key="a")
    assert [(key.minute, account.received) for key, account in summed] == [(NOON, 2), (later(minutes=2), 2)]


# -- quarantine


async def test_refusals_are_counted_by_topic_and_reason(connection: Connection) -> None:
    await put(connection, refusal(at_s=5), refusal(at_s=1), refusal(reason="future", detail="an hour ahead"))
    rows = await put(connection, refusal(at_s=3, payload=b'{"x": 1}'))
    found = {row.reason: (row.count, row.first_at, row.last_at) for row in rows}
    assert found == {"not_json": (3, later(seconds=1), later(seconds=5)), "future": (1, NOON, NOON)}
    assert rows[0].samples[0] == {
        "at": later(seconds=3).isoformat(),
        "detail": "",
        "payload": '{"x": 1}',
        "encoding": "text",
        "truncated": False,
    }


async def test_the_newest_samples_stay(connection: Connection) -> None:
    for batch in range(3):
        rows = await put(
            connection, *[refusal(payload=str(batch * 6 + n).encode(), at_s=batch * 6 + n) for n in range(6)]
        )
    assert rows[0].count == 18
    assert [sample["payload"] for sample in rows[0].samples] == [str(n) for n in range(17, 7, -1)]


async def test_in_a_storm_every_refusal_is_counted_and_some_become_samples(connection: Connection) -> None:
    """The newest of each row goes before the second of any: a few devices' storm hides nobody who is refused once."""
    storm = [f"storm {n}" for n in range(RENEWED_MAX - 1)]
    await put(connection, *[refusal(topic) for topic in ["quiet", *storm]], topics_max=100)
    again = [refusal(topic, at_s=10 + n) for n in range(30) for topic in storm]
    rows = await put(connection, refusal("quiet", at_s=5), *again, topics_max=100)
    of = {row.topic: row for row in rows}
    assert {row.count for row in rows} == {2, 31}
    assert (of["quiet"].count, len(of["quiet"].samples), of["quiet"].last_at) == (2, 2, later(seconds=5))
    assert sum(len(row.samples) for row in rows) == 2 * RENEWED_MAX
    assert {row.samples[0]["at"] for row in rows if row.topic != "quiet"} == {later(seconds=39).isoformat()}
    more = [refusal(topic, at_s=60 + n) for n in range(30) for topic in [*storm, "another storm"]]
    rows = await put(connection, *more, topics_max=100)
    assert sum(row.count for row in rows) == len(storm) * 61 + 2 + 30
    assert {row.last_at for row in rows if row.topic != "quiet"} == {later(seconds=89)}
    assert len({row.topic: row for row in rows}["another storm"].samples) == SAMPLES_MAX, "a new row fills at once"
    assert sum(len(row.samples) for row in rows) == 3 * RENEWED_MAX + SAMPLES_MAX


async def test_in_a_lasting_storm_no_row_goes_without_new_samples(connection: Connection) -> None:
    """Devices of one period speak in one order each time: who is first in it must not be left out for ever."""
    topics = [f"topic {n}" for n in range(RENEWED_MAX + 10)]
    calls = 30
    for call in range(calls):
        said = [refusal(topic, at_s=call * 60 + n / 1000) for n, topic in enumerate(topics)]
        rows = await put(connection, *said, topics_max=100)
    assert {row.count for row in rows} == {calls}
    a_while_ago = later(seconds=(calls - 12) * 60).isoformat()
    assert [row.topic for row in rows if row.samples[0]["at"] < a_while_ago] == []
    assert {len(row.samples) for row in rows} == {SAMPLES_MAX}


async def test_topics_beyond_the_bound_share_a_row(connection: Connection) -> None:
    rows = await put(connection, *[refusal(f"topic {n}") for n in range(9)], topics_max=3)
    assert {row.topic: row.count for row in rows} == {"topic 0": 1, "topic 1": 1, "topic 2": 1, OTHER_TOPICS: 6}
    rows = await put(
        connection, refusal("topic 1"), refusal("topic 8"), refusal("topic 1", site="harbour"), topics_max=3
    )
    assert {(row.site_key, row.topic): row.count for row in rows} == {
        ("garden", "topic 0"): 1,
        ("garden", "topic 1"): 2,
        ("garden", "topic 2"): 1,
        ("garden", OTHER_TOPICS): 7,
        ("harbour", "topic 1"): 1,
    }


async def test_two_workers_do_not_pass_the_bound_together(database_url: str, eventually: Eventually) -> None:
    async with open_pool(database_url, role=INGEST_ROLE) as pool:

        async def put_two(names: list[str]) -> None:
            async with transaction(pool) as connection:
                await intake.quarantine(connection, [refusal(name, site="") for name in names], topics_max=3)

        async with transaction(pool) as first:
            await intake.quarantine(first, [refusal("a", site=""), refusal("b", site="")], topics_max=3)
            other = asyncio.create_task(put_two(["c", "d"]))

            async def waits() -> bool:
                cursor = await first.execute("select count(*) from pg_locks where not granted")
                row = await cursor.fetchone()
                return row is not None and row[0] > 0

            await eventually(waits)
        await other
        async with transaction(pool) as connection:
            assert {row.topic for row in await intake.quarantined(connection)} == {"a", "b", "c", OTHER_TOPICS}


@pytest.mark.parametrize(
    ("payload", "encoding"),
    [
        ("压力 0.42 MPa".encode(), "text"),
        (("水" * 2000).encode(), "text"),  # cut in the middle of a character
        (b"\xff\xfe", "base64"),
        (b"a\0b", "base64"),
        (b"\x1b[31m", "base64"),
        (b"", "text"),
    ],
)
async def test_samples_are_text_where_they_are_text(connection: Connection, payload: bytes, encoding: str) -> None:
    sample = (await put(connection, refusal(payload=payload)))[0].samples[0]
    assert sample["encoding"] == encoding
    kept = str(sample["payload"])
    raw = kept.encode() if encoding == "text" else base64.b64decode(kept)
    assert payload.startswith(raw)
    assert len(raw) <= SAMPLE_BYTES_MAX
    assert sample["truncated"] is (len(payload) > SAMPLE_BYTES_MAX)


@given(
    topics=st.lists(st.text(max_size=400), min_size=1, max_size=8),
    payload=st.one_of(st.binary(max_size=6000), st.text(max_size=3000).map(lambda text: text.encode(errors="replace"))),
    detail=st.text(max_size=500),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_is_refused_can_be_kept(
    connection: Connection, topics: list[str], payload: bytes, detail: str
) -> None:
    """A refusal that the database refuses would stop ingest for good."""
    await connection.rollback()
    legal = [topic.encode(errors="replace").decode() for topic in topics]  # MQTT topics are UTF-8
    clean = detail.encode(errors="replace").decode()
    rows = await put(connection, *[refusal(topic, payload=payload, detail=clean) for topic in legal], topics_max=4)
    assert sum(row.count for row in rows) == len(legal)
    assert len(rows) <= 5
    assert all(len(row.samples) <= SAMPLES_MAX for row in rows)


@pytest.mark.parametrize("worst", ['"', "\\", "水", "\n", "\t"])
async def test_the_worst_payloads_keep_within_the_row_s_bound(connection: Connection, worst: str) -> None:
    many = [refusal("x" * 60_000, payload=worst.encode() * 5000, detail=worst * 400) for _ in range(12)]
    rows = await put(connection, *many)
    assert len(json.dumps(rows[0].samples, ensure_ascii=False)) > 10_000


async def test_pages_follow_each_other(connection: Connection) -> None:
    await put(connection, *[refusal(f"topic {n}", at_s=n // 2) for n in range(5)])
    first = await intake.quarantined(connection, limit=2)
    rest = await intake.quarantined(connection, before=(first[-1].last_at, first[-1].id))
    assert [row.topic for row in first + rest] == ["topic 4", "topic 3", "topic 2", "topic 1", "topic 0"]
    assert await intake.quarantined(connection, reason="future") == []


async def test_people_see_the_intake_of_their_sites_and_strays_only_with_the_scope_of_strays(
    database_url: str, connection: Connection
) -> None:
    garden, _ = await build_both(connection)
    for site in ("garden", "harbour", ""):
        await intake.add(connection, {AccountKey(NOON, site): Account(received=1, quarantined=1)})
        await put(connection, refusal(site=site))
    await connection.commit()
    async with open_pool(database_url, role=API_ROLE) as pool:
        for scope, expected in (([], set()), ([garden.id], {"garden"}), ([0, garden.id], {"", "garden"})):
            async with transaction(pool, sites=scope) as people:
                assert {row.site_key for row in await intake.quarantined(people)} == expected
                assert {key.site_key for key, _ in await intake.accounts(people)} == expected
