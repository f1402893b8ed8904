"""Whatever comes over the wire decodes or raises WireError: every reason by example, and any bytes and topics."""

import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest import wire
from ingest.wire import AlarmTopic, Reason, Status, StatusTopic, TelemetryTopic, WireError

TS = 1_763_818_200_000
BYTES_MAX, VALUES_MAX = 4096, 8


def decode(payload: bytes | str | object) -> wire.Telemetry:
    if isinstance(payload, str):
        payload = payload.encode()
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return wire.decode_telemetry(raw, bytes_max=BYTES_MAX, values_max=VALUES_MAX)


def refusal(payload: bytes | str | object) -> WireError:
    with pytest.raises(WireError) as caught:
        decode(payload)
    return caught.value


# ------------------------------------------------------------------ topics


@pytest.mark.parametrize(
    ("topic", "parsed"),
    [
        ("tz/v1/east/pumps/telemetry", TelemetryTopic("east", "pumps")),
        ("tz/v1/e-1_a/alarms/telemetry", TelemetryTopic("e-1_a", "alarms")),
        ("tz/v1/east/gateways/telemetry", TelemetryTopic("east", "gateways")),
        ("tz/v1/east/gateways/gw-1/status", StatusTopic("east", "gw-1")),
        ("tz/v1/east/alarms/17", AlarmTopic("east", 17)),
        (f"tz/v1/{'a' * 64}/b/telemetry", TelemetryTopic("a" * 64, "b")),
    ],
)
def test_topics_there_and_back(topic: str, parsed: object) -> None:
    assert wire.parse_topic(topic) == parsed
    assert str(parsed) == topic


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "/",
        "tz",
        "tz/v1",
        "tz/v1/east",
        "tz/v1/east/pumps",
        "tz/v1/east/pumps/telemetry/",
        "tz/v1/east/pumps/telemetry/now",
        "/tz/v1/east/pumps/telemetry",
        "tz/v2/east/pumps/telemetry",
        "TZ/v1/east/pumps/telemetry",
        "tz/v1/East/pumps/telemetry",
        "tz/v1/east/pump room/telemetry",
        "tz/v1//pumps/telemetry",
        "tz/v1/east//telemetry",
        f"tz/v1/{'a' * 65}/pumps/telemetry",
        "tz/v1/东苑/pumps/telemetry",
        "tz/v1/east/pumps/Telemetry",
        "tz/v1/east/gateways/gw/state",
        "tz/v1/east/alarms/0",
        "tz/v1/east/alarms/-1",
        "tz/v1/east/alarms/x",
        f"tz/v1/east/alarms/{'9' * 30}",
        "tz/v1/east/pumps\n/telemetry",
        "tz/v1/east/pumps/telemetry\n",
        "tz/v1/+/pumps/telemetry",
        "tz/v1/east/#",
    ],
)
def test_every_other_topic_is_refused(topic: str) -> None:
    with pytest.raises(WireError) as caught:
        wire.parse_topic(topic)
    assert caught.value.reason is Reason.BAD_TOPIC
    assert "\n" not in caught.value.detail


@pytest.mark.parametrize(
    ("topic", "site"),
    [
        ("tz/v1/east/pumps/telemetry", "east"),
        ("tz/v1/east/what/ever/this/is", "east"),
        ("tz/v1/east", "east"),
        ("tz/v1/East/x", ""),
        ("tz/v1/", ""),
        ("tz/v2/east/x", ""),
        ("elsewhere", ""),
    ],
)
def test_the_site_a_topic_names_however_wrong_the_rest_is(topic: str, site: str) -> None:
    assert wire.site_of(topic) == site


def test_only_alarms_are_alarm_topics() -> None:
    assert wire.is_alarm_topic("tz/v1/east/alarms/17")
    assert not wire.is_alarm_topic("tz/v1/east/alarms/telemetry")
    assert not wire.is_alarm_topic("tz/v1/east/alarms/17/x")
    assert not wire.is_alarm_topic("tz/v1/east/pumps/telemetry")


def test_subscriptions_hear_wrong_topics_of_their_sites_too() -> None:
    assert wire.subscriptions(["east", "west"]) == ["tz/v1/east/#", "tz/v1/west/#"]
    assert wire.subscriptions([]) == ["tz/v1/#"]


@given(st.text())
@example("tz/v1/a/b/telemetry\x00")
@example("tz/v1/\ud800/b/telemetry")
def test_any_topic_parses_or_is_refused(topic: str) -> None:
    try:
        assert str(wire.parse_topic(topic)) == topic
    except WireError as error:
        assert error.reason is Reason.BAD_TOPIC
        error.detail.encode()
    assert wire.site_of(topic) == "" or f"tz/v1/{wire.site_of(topic)}" in topic
    wire.is_alarm_topic(topic)


# ------------------------------------------------------------------ telemetry


def test_one_entry() -> None:
    payload = {"ts": TS, "values": {"a": 0.42, "p.run": True, "mode": "main", "broken": None, "n": 3}, "seq": 17}
    decoded = decode(payload)
    assert not decoded.refused
    (entry,) = decoded.entries
    assert (entry.ts_ms, entry.seq) == (TS, 17)
    assert entry.values == payload["values"]
    assert type(entry.values["p.run"]) is bool


def test_a_list_keeps_its_order() -> None:
    decoded = decode([{"ts": TS + n, "values": {"a": n}, "seq": n} for n in range(3)])
    assert [(entry.ts_ms, entry.values["a"]) for entry in decoded.entries] == [(TS, 0), (TS + 1, 1), (TS + 2, 2)]


@pytest.mark.parametrize(
    ("ts", "ms"),
    [
        (TS, TS),
        (float(TS), TS),
        ("2025-11-22T13:30:00Z", TS),
        ("2025-11-22T21:30:00+08:00", TS),
        ("2025-11-22t13:30:00.000z", TS),
        ("2025-11-22T13:30:00.123456Z", TS + 123),
        (946_684_800_000, 946_684_800_000),
        (253_402_300_799_999, 253_402_300_799_999),
        (None, None),
    ],
)
def test_times(ts: object, ms: int | None) -> None:
    (entry,) = decode({"ts": ts, "values": {"a": 1}}).entries
    assert entry.ts_ms == ms


def test_a_missing_time_is_that_of_receipt() -> None:
    assert decode({"values": {"a": 1}}).entries[0].ts_ms is None


EVERY_REASON = [
    (Reason.OVERSIZE, b" " * (BYTES_MAX + 1), "4097"),
    (Reason.NOT_UTF8, b'{"values": {"\xff": 1}}', "byte 13"),
    (Reason.NOT_UTF8, b"\xfe\xfe", "byte 0"),
    (Reason.NOT_UTF8, '{"values": {"a": 1}}'.encode("utf-16"), ""),
    (Reason.NOT_JSON, b"", ""),
    (Reason.NOT_JSON, "hello", ""),
    (Reason.NOT_JSON, '{"values": {"a": 1}', ""),
    (Reason.NOT_JSON, '{"values": {"a": 1}} x', ""),
    (Reason.NOT_JSON, '{"values": {"a": NaN}}', "null"),
    (Reason.NOT_JSON, '{"values": {"a": Infinity}}', "null"),
    (Reason.NOT_JSON, '{"values": {"a": -Infinity}}', "null"),
    (Reason.NOT_JSON, '{"ts": 1.5, "values": {"a": NaN}}', "null"),
    (Reason.NOT_JSON, "{'values': {'a': 1}}", ""),
    (Reason.NOT_JSON, '\ufeff{"values": {"a": 1}}', ""),
    (Reason.NOT_JSON, "[" * 4000, "deep"),
    (Reason.NOT_JSON, '{"values": {"a": ' + "[" * 4000, "deep"),
    (Reason.NOT_JSON, '{"a":' * 700, ""),
    (Reason.WRONG_SHAPE, "1", "values"),
    (Reason.WRONG_SHAPE, "null", "values"),
    (Reason.WRONG_SHAPE, '"text"', "values"),
    (Reason.WRONG_SHAPE, "{}", "`values`"),
    (Reason.WRONG_SHAPE, {"ts": TS, "values": [1]}, "`values`"),
    (Reason.WRONG_SHAPE, {"ts": TS, "value": {"a": 1}}, "`values`"),
    (Reason.WRONG_SHAPE, {"timestamp": TS, "values": {"a": 1}}, "'timestamp'"),
    (Reason.WRONG_SHAPE, {"ts": TS, "values": {"a": 1}, "seq": -1}, "`seq`"),
    (Reason.WRONG_SHAPE, {"ts": TS, "values": {"a": 1}, "seq": 1.5}, "`seq`"),
    (Reason.WRONG_SHAPE, {"ts": TS, "values": {"a": 1}, "seq": "1"}, "`seq`"),
    (Reason.WRONG_SHAPE, {"ts": TS, "values": {"a": 1}, "seq": True}, "`seq`"),
    (Reason.WRONG_SHAPE, {"ts": TS, "values": {"a": 1}, "seq": 2**63}, "`seq`"),
    (Reason.WRONG_SHAPE, [1, 2], "entry 0"),
    (Reason.EMPTY, [], ""),
    (Reason.EMPTY, {"ts": TS, "values": {}}, "`values`"),
    (Reason.EMPTY, [{"ts": TS, "values": {}}], "`values`"),
    (Reason.TOO_MANY_VALUES, {"values": {f"p{n}": n for n in range(VALUES_MAX + 1)}}, "9 values"),
    (Reason.TOO_MANY_VALUES, [{"values": {"a": 1}}] * (VALUES_MAX + 1), "9 values"),
    (Reason.BAD_TIMESTAMP, {"ts": TS // 1000, "values": {"a": 1}}, "milliseconds"),
    (Reason.BAD_TIMESTAMP, {"ts": TS / 1000 + 0.25, "values": {"a": 1}}, "neither"),
    (Reason.BAD_TIMESTAMP, {"ts": 0, "values": {"a": 1}}, "2000"),
    (Reason.BAD_TIMESTAMP, {"ts": -TS, "values": {"a": 1}}, "2000"),
    (Reason.BAD_TIMESTAMP, {"ts": 10**15, "values": {"a": 1}}, "9999"),
    (Reason.BAD_TIMESTAMP, {"ts": 10**400, "values": {"a": 1}}, ""),
    (Reason.BAD_TIMESTAMP, '{"ts": 1e999, "values": {"a": 1}}', ""),
    (Reason.BAD_TIMESTAMP, {"ts": True, "values": {"a": 1}}, "True"),
    (Reason.BAD_TIMESTAMP, {"ts": [TS], "values": {"a": 1}}, "list"),
    (Reason.BAD_TIMESTAMP, {"ts": "yesterday", "values": {"a": 1}}, "RFC 3339"),
    (Reason.BAD_TIMESTAMP, {"ts": "2025-11-22", "values": {"a": 1}}, "RFC 3339"),
    (Reason.BAD_TIMESTAMP, {"ts": "2025-13-22T13:30:00Z", "values": {"a": 1}}, "RFC 3339"),
    (Reason.BAD_TIMESTAMP, {"ts": "1999-12-31T23:59:59Z", "values": {"a": 1}}, "2000"),
    (Reason.BAD_TIMESTAMP, {"ts": "0001-01-01T00:00:00+14:00", "values": {"a": 1}}, "2000"),
    (Reason.NO_ZONE, {"ts": "2025-11-22T13:30:00", "values": {"a": 1}}, "zone"),
]


@pytest.mark.parametrize(("reason", "payload", "told"), EVERY_REASON)
def test_every_refusal_says_why(reason: Reason, payload: object, told: str) -> None:
    error = refusal(payload)
    assert error.reason is reason
    assert told in error.detail
    assert len(error.detail) < 400


def test_every_reason_of_the_decoder_has_an_example() -> None:
    decided_elsewhere = {
        Reason.BAD_TOPIC,
        Reason.UNKNOWN_SITE,
        Reason.UNKNOWN_FACILITY,
        Reason.UNKNOWN_GATEWAY,
        Reason.FUTURE,
        Reason.UNKNOWN_POINT,
        Reason.WRONG_TYPE,
        Reason.NOT_FINITE,
        Reason.UNKNOWN_LABEL,
        Reason.UNSTORABLE,
        Reason.UNJUDGED,
    }
    assert {reason for reason, _, _ in EVERY_REASON} == set(Reason) - decided_elsewhere


def test_a_refused_message_tells_how_many_values_it_carried() -> None:
    assert refusal({"ts": 0, "values": {"a": 1, "b": 2}}).values == 2
    assert refusal({"ts": TS, "values": {"a": 1, "b": 2}, "sq": 1}).values == 2
    assert refusal({"values": {f"p{n}": n for n in range(9)}}).values == 9
    assert refusal("nonsense").values == 0


def test_one_bad_entry_does_not_cost_the_others() -> None:
    decoded = decode(
        [
            {"ts": TS, "values": {"a": 1}},
            "what",
            {"ts": 5, "values": {"a": 2, "b": 3}},
            {"ts": TS, "values": {}},
            {"ts": "2025-11-22T13:30:00", "values": {"a": 4}},
            {"ts": TS + 1, "values": {"a": 5}},
        ]
    )
    assert [entry.ts_ms for entry in decoded.entries] == [TS, TS + 1]
    assert [(part.reason, part.values) for part in decoded.refused] == [
        (Reason.WRONG_SHAPE, 0),
        (Reason.BAD_TIMESTAMP, 2),
        (Reason.EMPTY, 0),
        (Reason.NO_ZONE, 1),
    ]


def test_a_number_no_float_holds_costs_only_itself() -> None:
    (entry,) = decode(f'{{"ts": {TS}, "values": {{"a": 1e999, "b": 2}}}}').entries
    assert entry.values == {"a": float("inf"), "b": 2}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
nearly_right = st.fixed_dictionaries(
    {},
    optional={
        "ts": json_values | st.just(TS) | st.datetimes().map(datetime.isoformat),
        "values": json_values | st.dictionaries(st.text(max_size=8), json_values, max_size=5),
        "seq": json_values | st.integers(),
        "extra": json_values,
    },
)


def decodes_or_is_refused(payload: bytes) -> None:
    try:
        decoded = wire.decode_telemetry(payload, bytes_max=BYTES_MAX, values_max=VALUES_MAX)
    except WireError as error:
        error.detail.encode()  # fit for a log and a database
        assert "\0" not in error.detail
        assert error.values >= 0
        return
    assert decoded.entries
    for entry in decoded.entries:
        assert entry.values
        assert entry.seq is None or (type(entry.seq) is int and 0 <= entry.seq < 2**63)
        assert entry.ts_ms is None or datetime.fromtimestamp(entry.ts_ms / 1000, UTC).year >= 2000


@given(st.binary(max_size=300))
@example(b"\x00")
@example(b'"\\ud800"')
@example(b'{"ts":1.5,"values":{"\\ud800":1}}')
@example(b'{"ts":true,"values":{"a":' + b"9" * 4000 + b"}}")
def test_any_bytes_decode_or_are_refused(payload: bytes) -> None:
    decodes_or_is_refused(payload)
    try:
        wire.decode_status(payload, bytes_max=BYTES_MAX)
    except WireError as error:
        error.detail.encode()


@given(nearly_right | st.lists(nearly_right | json_values, max_size=4))
def test_anything_nearly_right_decodes_or_is_refused(payload: object) -> None:
    decodes_or_is_refused(json.dumps(payload).encode())


@given(
    st.lists(
        st.builds(
            wire.Entry,
            st.none() | st.integers(946_684_800_000, 253_402_300_799_999),
            st.dictionaries(
                st.text(st.characters(codec="utf-8"), max_size=8),
                st.none()
                | st.booleans()
                | st.integers(-(2**53), 2**53)
                | st.floats(allow_nan=False, allow_infinity=False)
                | st.text(st.characters(codec="utf-8"), max_size=8),
                min_size=1,
                max_size=4,
            ),
            st.none() | st.integers(0, 2**63 - 1),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_encoded_is_decoded(entries: list[wire.Entry]) -> None:
    bounds = {"bytes_max": 10**6, "values_max": 100}
    assert list(wire.decode_telemetry(wire.encode_backlog(entries), **bounds).entries) == entries
    one = entries[0]
    encoded = wire.encode_telemetry(one.values, ts_ms=one.ts_ms, seq=one.seq)
    assert list(wire.decode_telemetry(encoded, **bounds).entries) == [one]


# ------------------------------------------------------------------ status and alarms


@given(st.booleans(), st.integers(946_684_800_000, 253_402_300_799_999))
def test_a_status_there_and_back(online, since_ms) -> None:
    status = Status(online, since_ms)
    assert wire.decode_status(wire.encode_status(status), bytes_max=BYTES_MAX) == status


@pytest.mark.parametrize(
    ("reason", "payload"),
    [
        (Reason.OVERSIZE, b" " * (BYTES_MAX + 1)),
        (Reason.NOT_UTF8, b'{"state": "\xff"}'),
        (Reason.NOT_JSON, b"online"),
        (Reason.NOT_JSON, b'{"state": "online", "since": 1763818200000'),
        (Reason.WRONG_SHAPE, b'{"state": "online", "since": ' + b"[" * 4000),
        (Reason.WRONG_SHAPE, b"{}"),
        (Reason.WRONG_SHAPE, b'{"' + b"x" * 4000 + b'": 1}'),
        (Reason.WRONG_SHAPE, b'"online"'),
        (Reason.WRONG_SHAPE, b'{"state": "online"}'),
        (Reason.WRONG_SHAPE, b'{"state": "on", "since": 1763818200000}'),
        (Reason.WRONG_SHAPE, b'{"state": "online", "since": null}'),
        (Reason.WRONG_SHAPE, b'{"state": "online", "since": 1763818200000, "ip": "10.0.0.1"}'),
        (Reason.BAD_TIMESTAMP, b'{"state": "online", "since": 1763818200}'),
        (Reason.NO_ZONE, b'{"state": "offline", "since": "2025-11-22T13:30:00"}'),
    ],
)
def test_a_status_is_refused_with_its_reason(reason: Reason, payload: bytes) -> None:
    with pytest.raises(WireError) as caught:
        wire.decode_status(payload, bytes_max=BYTES_MAX)
    assert caught.value.reason is reason
    assert len(caught.value.detail) < 400


def test_an_alarm_goes_out_as_json() -> None:
    assert msgspec.json.decode(wire.encode_alarm({"alarm": 1, "name": {"zh": "泵"}})) == {
        "alarm": 1,
        "name": {"zh": "泵"},
    }
