"""Batches end at their first bound; every message is counted once, and every value."""

import asyncio
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import intake
from ingest.delivery import Delivery
from ingest.intake import Intake
from ingest.outcome import Outcome, tally
from ingest.wire import Reason
from ledger.intake import Account, AccountKey
from ledger.records import from_ms

MINUTE = 1_763_818_200_000


def delivery(number: int = 0, payload: bytes = b"{}", received_ms: int = MINUTE) -> Delivery:
    return Delivery(f"tz/v1/east/f{number}/telemetry", payload, len(payload), received_ms)


def intake_of(messages_max: int, linger_s: float = 100) -> Intake:
    return Intake(messages_max=messages_max, linger_s=linger_s, read_ahead=lambda _bundle: None)


def soon(seconds: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + seconds


# ------------------------------------------------------------------ batches


async def test_a_batch_ends_at_so_many_messages() -> None:
    waiting = intake_of(3)
    sent = [delivery(number) for number in range(7)]
    waiting.put(sent)
    assert (await waiting.batch(soon())).deliveries == sent[:3]
    assert (await waiting.batch(soon())).deliveries == sent[3:6]
    assert len(waiting) == 1
    assert waiting.oldest_received_ms == MINUTE


async def test_only_what_is_next_is_read_ahead() -> None:
    read: list[int] = []
    waiting = Intake(messages_max=3, linger_s=100, read_ahead=lambda bundle: read.append(len(bundle)))
    waiting.put([delivery(number) for number in range(7)])
    waiting.put([delivery(8)])
    assert read == [3, 3]
    await waiting.batch(soon())
    await waiting.batch(soon())
    waiting.put([delivery(9)])
    assert read == [3, 3, 3]  # two were left, and one came


async def test_a_batch_ends_at_so_many_bytes() -> None:
    waiting = intake_of(1000)
    large = b"x" * (intake.BATCH_BYTES_MAX // 2)
    for number in range(5):
        waiting.put([delivery(number, large)])
    assert len(await waiting.batch(soon())) == 2
    assert len(await waiting.batch(soon())) == 2
    assert len(await waiting.batch(soon(0))) == 1


async def test_a_quiet_line_judges_at_once() -> None:
    waiting = intake_of(1000)
    waiting.put([delivery(1)])
    assert len(await waiting.batch(soon(60))) == 1
    taking = asyncio.create_task(intake_of(1000).batch(soon(60)))
    await asyncio.wait([taking], timeout=0.01)
    assert not taking.done()  # nothing has come
    taking.cancel()


async def test_batches_of_a_busy_line_keep_their_distance_and_small_ones_less() -> None:
    clock = asyncio.get_running_loop().time
    for messages, distance_s in ((100, 0.2), (20, 0.2), (5, 0.05)):
        waiting = intake_of(1000, linger_s=0.2)
        waiting.put([delivery(number) for number in range(messages)])
        assert len(await waiting.batch(soon())) == messages
        began = clock()
        waiting.put([delivery(1)])
        waiting.put([delivery(2)])
        assert len(await waiting.batch(soon())) == 2
        assert distance_s - 0.02 <= clock() - began


def test_large_batches_that_take_long_come_farther_apart_up_to_twenty_lingers() -> None:
    assert intake.distance_s(0.005, messages=1_000, took_s=0.002) == pytest.approx(0.005)
    assert intake.distance_s(0.005, messages=1_000, took_s=0.03) == pytest.approx(0.06)
    assert intake.distance_s(0.005, messages=1_000, took_s=3.0) == pytest.approx(0.1)
    assert intake.distance_s(0.005, messages=400, took_s=3.0) == pytest.approx(0.04)
    assert intake.distance_s(0.005, messages=50, took_s=3.0) == pytest.approx(0.005)  # its alarms take long
    assert intake.distance_s(0.005, messages=2, took_s=3.0) == pytest.approx(0.0005)  # a quiet line hardly waits


def test_where_all_is_late_batches_are_large() -> None:
    assert intake.distance_s(0.005, messages=1_000, took_s=0.005, is_behind=True) == pytest.approx(0.2)
    assert intake.distance_s(0.005, messages=2, took_s=0.005, is_behind=True) == pytest.approx(0.02)


async def test_without_messages_it_comes_back_in_time_with_none() -> None:
    assert len(await intake_of(3).batch(soon(0.01))) == 0


async def test_the_linger_never_outlasts_the_moment_asked_for() -> None:
    waiting = intake_of(3)
    waiting.put([delivery()])
    assert len(await waiting.batch(soon(0.01))) == 1
    waiting.put([delivery()])
    assert len(await waiting.batch(soon(0.01))) == 1


async def test_who_is_woken_does_not_linger() -> None:
    waiting = intake_of(3)
    waiting.put([delivery()])
    assert len(await waiting.batch(soon())) == 1
    lingering = True
    taking = asyncio.create_task(waiting.batch(soon(100), may_linger=lambda: lingering))
    await asyncio.wait([taking], timeout=0.01)
    waiting.put([delivery()])
    lingering = False
    waiting.wake()
    assert len(await taking) == 1


# ------------------------------------------------------------------ the tally


def account(*outcomes: Outcome) -> Account:
    (found,) = tally([(delivery(), outcome) for outcome in outcomes])[0].values()
    return found


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (Outcome(stored=1), "accepted"),
        (Outcome(stored=1, repeated=5, conflict=1, refused=1), "accepted"),
        (Outcome(repeated=2), "duplicate"),
        (Outcome(conflict=1), "duplicate"),
        (Outcome(repeated=1, refused=1), "duplicate"),  # an accepted message with a refused value, come again
        (Outcome(refused=3), "quarantined"),
        (Outcome(), "quarantined"),
    ],
)
def test_every_message_has_one_verdict(outcome: Outcome, verdict: str) -> None:
    found = asdict(account(outcome))
    assert {name for name in ("accepted", "duplicate", "quarantined") if found[name]} == {verdict}
    assert found["received"] == 1


counts = st.integers(0, 5)


@given(st.lists(st.builds(Outcome, stored=counts, repeated=counts, conflict=counts, refused=counts), min_size=1))
def test_the_account_balances(outcomes: list[Outcome]) -> None:
    found = account(*outcomes)
    assert found.received == len(outcomes) == found.accepted + found.duplicate + found.quarantined
    assert found.values_received == found.stored + found.repeated + found.conflict + found.refused


def test_accounts_are_kept_by_minute_site_and_gateway() -> None:
    accounts, _ = tally(
        [
            (delivery(received_ms=MINUTE + 59_999), Outcome("east", "gw", stored=1)),
            (delivery(received_ms=MINUTE), Outcome("east", "gw", stored=1)),
            (delivery(received_ms=MINUTE + 60_000), Outcome("east", "gw", stored=1)),
            (delivery(received_ms=MINUTE), Outcome("east", "other", stored=1)),
            (delivery(received_ms=MINUTE), Outcome("", "", refused=1)),
        ]
    )
    assert {key: each.received for key, each in accounts.items()} == {
        AccountKey(from_ms(MINUTE), "east", "gw"): 2,
        AccountKey(from_ms(MINUTE + 60_000), "east", "gw"): 1,
        AccountKey(from_ms(MINUTE), "east", "other"): 1,
        AccountKey(from_ms(MINUTE), "", ""): 1,
    }


def test_one_quarantine_entry_per_message_and_reason() -> None:
    outcome = Outcome("east", "gw", stored=1)
    for number in range(8):
        outcome.refuse(Reason.UNKNOWN_POINT, f"no point {number}", 1)
    outcome.refuse(Reason.WRONG_TYPE, "not a number", 1)
    _, refusals = tally([(delivery(payload=b"payload"), outcome)])
    assert [(each.reason, each.site_key, each.payload) for each in refusals] == [
        ("unknown_point", "east", b"payload"),
        ("wrong_type", "east", b"payload"),
    ]
    assert refusals[0].detail.startswith("no point 0; no point 1;")
    assert refusals[0].detail.endswith("no point 4; and 3 more")
    assert account(outcome).refused == 9
