"""The fast way and the careful way mean the same, value for value; and the arrays' account is the messages' own."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest import accounts
from ingest.columns import NEVER_MS, SiteColumns
from ingest.delivery import AFTER_MS_MAX, Delivery, Untimed
from ingest.feeding import SitePart
from ingest.outcome import tally
from ingest.resolve import Message, resolve
from ingest.sites import SlotTable
from ledger.readings import Fate
from tests.ingest.test_resolve import ADDRESSES, LIMITS, NOW, POINTS, SITE, SITES

TOPICS = [*ADDRESSES.by_topic, "tz/v1/east/gateways/gw/status", "tz/v1/east/nowhere/telemetry", "tz/v1/east/pumps/x"]
FATES = (Fate.STORED, Fate.REPEATED, Fate.CONFLICT)

# Mostly right, so that the fast way is taken often.
right = st.fixed_dictionaries(
    {},
    optional={
        "pressure": st.floats(100, 2600) | st.integers(100, 2600),
        "pump_1.run": st.booleans() | st.sampled_from([0, 1, 1.0]),
        "mode": st.sampled_from(["main", "backup"]),
        "total": st.integers() | st.floats(allow_nan=False),
        "button": st.booleans(),
    },
)
odd = st.dictionaries(
    st.sampled_from([*sorted(POINTS), "nonsense"]),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([10**25, -(10**400), "main", "wrong", [1], {"a": 1}, 0.5, 2]),
    max_size=4,
)
moments = (
    st.none()
    | st.integers(NOW - 10**6, NOW + LIMITS.future_max_ms + 10)
    | st.sampled_from([0, True, 1.5, float(NOW), "2026-03-02T12:00:00Z", "yesterday", NOW // 1000])
)
seqs = st.none() | st.integers(-1, 10) | st.sampled_from([2**63, 2**63 - 1, 1.0, True])
entries = st.builds(
    lambda ts, values, seq: {
        **({} if ts is None else {"ts": ts}),
        "values": values,
        **({} if seq is None else {"seq": seq}),
    },
    moments,
    right | odd,
    seqs,
)
payloads = (
    (entries | st.lists(entries, max_size=4)).map(lambda each: json.dumps(each).encode())
    | st.just(json.dumps({"state": "online", "since": NOW - 5}).encode())
    | st.binary(max_size=20)
    | st.just(b" " * (LIMITS.payload_bytes_max + 1))
)
deliveries = st.builds(
    lambda topic, payload, late, kept, after_ms: Delivery(
        topic, payload, len(payload), NOW + late, kept=kept, after_ms=after_ms
    ),
    st.sampled_from(TOPICS),
    payloads,
    st.sampled_from([0, 0, 59_999, 70_000]),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([0, 0, 1, AFTER_MS_MAX]),
)


def both(batch: list[Delivery]) -> tuple[SiteColumns, list[Message]]:
    columns = SiteColumns("east", ADDRESSES, LIMITS)
    for each in batch:
        columns.put(each)
    return columns, [resolve(each, SITES, LIMITS) for each in batch]


def rows_of(messages: list[Message]) -> list[tuple[int, int, int, str, int]]:
    """As `SiteColumns` gives them: message, point, time, value, quality; a status has a row without a time."""
    rows: list[tuple[int, int, int, str, int]] = []
    for place, message in enumerate(messages):
        rows += [
            (place, each.point_id, each.ts_ms, repr(each.value), int(each.quality))
            for step in message.steps
            for each in step
        ]
        if message.status is not None and message.gateway is not None:
            assert message.gateway.online_point_id is not None
            rows.append((place, message.gateway.online_point_id, NEVER_MS, repr(float(message.status.online)), 0))
    return rows


@given(st.lists(deliveries, max_size=6))
def test_what_is_read_fast_is_what_is_read_carefully(batch: list[Delivery]) -> None:
    columns, messages = both(batch)
    arrays = columns.arrays()
    of = arrays.columns
    found = zip(
        arrays.message.tolist(),
        of.point_id.tolist(),
        of.ts_ms.tolist(),
        map(repr, of.value.tolist()),
        of.quality.tolist(),
        strict=True,
    )
    assert list(found) == rows_of(messages)
    assert columns.seqs == [(place, *each) for place, message in enumerate(messages) for each in message.seqs]
    for place, (facility, message) in enumerate(zip(columns.facilities, messages, strict=True)):
        if facility is None:
            assert columns.careful[place].outcome == message.outcome
        else:
            assert (facility.gateway, message.outcome.reasons) == (message.gateway, {})
            assert message.outcome.gateway_key == ("" if facility.gateway is None else facility.gateway.key)
        if message.status is None:
            assert arrays.newest_ms[place] == (NEVER_MS if message.newest_ms is None else message.newest_ms)
        assert arrays.received_ms[place] == batch[place].received_ms


def test_what_is_ordinary_is_read_fast() -> None:
    ordinary = [
        {"ts": NOW, "values": {"pressure": 500, "pump_1.run": True, "mode": "backup", "total": 7, "button": 0}},
        [{"ts": NOW - 5, "values": {"total": 7.5}, "seq": 1}, {"values": {"total": 8}, "seq": 2}],
    ]
    payloads = [json.dumps(each).encode() for each in ordinary]
    columns, _ = both([Delivery("tz/v1/east/pumps/telemetry", each, len(each), NOW) for each in payloads])
    assert columns.careful == {}
    assert len(columns) == 7


@given(st.lists(deliveries, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_account_of_the_arrays_is_that_of_the_messages(batch: list[Delivery], choose: Any) -> None:
    columns, messages = both(batch)
    site = cast("Any", SimpleNamespace(addresses=ADDRESSES, site=SITE.site, slots=SlotTable({})))
    part = SitePart.of(site, columns)
    for row in range(len(columns)):
        part.fates[row] = choose.randrange(3)
        part.late[row] = part.fates[row] == 0 and choose.random() < 0.3
    for place, message in enumerate(messages):
        if message.status is not None and choose.random() < 0.5:  # it was no news
            part.is_counted[columns.status_rows[place]] = False
            part.late[columns.status_rows[place]] = False
            columns.careful[place].outcome.repeated += 1
            message.outcome.repeated += 1
        if choose.random() < 0.3:
            part.seq_gaps[place] = message.outcome.seq_gaps = choose.randrange(1, 5)
    for row, place in enumerate(part.arrays.message.tolist()):
        if part.is_counted[row]:
            messages[place].outcome.count(FATES[part.fates[row]])
            messages[place].outcome.late += int(part.late[row])
    expected, refusals = tally([(message.delivery, message.outcome) for message in messages])
    found = accounts.together([accounts.of_site(part)])
    assert found == expected
    assert accounts.together([found, found]) == {
        key: replace(each, **{name: 2 * getattr(each, name) for name in each.__slots__})
        for key, each in expected.items()
    }
    assert accounts.refusals_of(part) == list(refusals)
    assert np.array_equal(part.gateway_id > 0, [message.gateway is not None for message in messages])


def test_messages_without_a_time_that_come_in_one_piece_are_no_conflict() -> None:
    here = next(topic for topic, each in ADDRESSES.by_topic.items() if "button" in each.points)
    off, on = b'{"values": {"button": false}}', b'{"values": {"button": true}}'
    untimed = Untimed()

    def came(topic: str, payload: bytes, received_ms: int) -> Delivery:
        (one,) = untimed.apart([Delivery(topic, payload, len(payload), received_ms)])
        return one

    said = [came(here, off, NOW), came("another", off, NOW), came(here, on, NOW), came(here, b'{"ts": 1}', NOW)]
    assert [each.after_ms for each in said] == [0, 0, 1, 0]
    first, second = (resolve(each, SITES, LIMITS).steps[0][0] for each in (said[0], said[2]))
    assert (first.ts_ms, second.ts_ms, second.received_ms) == (NOW, NOW + 1, NOW)
    assert came(here, off, NOW + 1).after_ms == 1  # nor with what the next piece brings
    assert came(here, off, NOW + 3).after_ms == 0
    assert came(here, off, NOW - 2 * AFTER_MS_MAX).after_ms == 0  # our clock was set back
