"""From bytes to samples: what belongs where, what a value is worth at its point, and what is refused for which reason."""

import json
from datetime import UTC, datetime, time
from math import inf, isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.addresses import addresses, measured
from ingest.delivery import Delivery
from ingest.resolve import Limits, Message, resolve
from ingest.wire import Reason
from ledger.records import (
    Facility,
    Gateway,
    Grade,
    Point,
    PointKind,
    Quality,
    Site,
    SiteConfiguration,
)

NOW = 1_763_818_200_000
LIMITS = Limits(payload_bytes_max=4096, values_max=20, future_max_ms=300_000)


def _point(number: int, facility: int, key: str, kind: PointKind, **more: object) -> Point:
    fields: dict[str, object] = {
        "unit": "",
        "scale": 1.0,
        "shift": 0.0,
        "range_min": None,
        "range_max": None,
        "report_interval_s": None,
        "hold_s": None,
        "codes": {},
        "name_zh": key,
        "name_en": key,
        **more,
    }
    return Point(id=number, facility_id=facility, part_id=None, key=key, kind=kind, **fields)


def _facility(number: int, key: str, kind: str, gateway: int | None) -> Facility:
    return Facility(number, 1, 1, gateway, key, kind, Grade.A, key, key)


SITE = SiteConfiguration(
    site=Site(1, "east", "东", "East", "Asia/Shanghai", time(8), "standard", 1, {}),
    gateways=[Gateway(5, 1, 1, "gw", None, None, None, None, None)],
    facilities=[
        _facility(1, "gw", "gateway", None),
        _facility(2, "pumps", "booster", 5),
        _facility(3, "box", "box", None),
    ],
    parts=[],
    points=[
        _point(10, 1, "online", PointKind.STATE),
        _point(11, 1, "battery", PointKind.MEASURE),
        _point(20, 2, "pressure", PointKind.MEASURE, scale=0.001, shift=-0.1, range_min=0.0, range_max=2.5),
        _point(21, 2, "pump_1.run", PointKind.STATE),
        _point(22, 2, "mode", PointKind.ENUM, codes={"main": 0, "backup": 1}),
        _point(23, 2, "total", PointKind.COUNTER),
        _point(24, 2, "button", PointKind.EVENT, hold_s=30.0),
        _point(30, 3, "seen", PointKind.STATE),
    ],
    relations={},
    parameters={},
    permits=[],
)
ADDRESSES = addresses(SITE)
SITES = {"east": ADDRESSES}
POINTS = ADDRESSES.facilities["pumps"].points


def take(topic: str, payload: object, *, received_ms: int = NOW) -> Message:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return resolve(Delivery(f"tz/v1/{topic}", raw, len(raw), received_ms), SITES, LIMITS)


def reasons(message: Message) -> dict[Reason, int]:
    return dict(message.outcome.reasons)


# ------------------------------------------------------------------ values


@pytest.mark.parametrize(
    ("key", "value", "worth"),
    [
        ("pressure", 350, (0.25, Quality.GOOD)),
        ("pressure", 350.0, (0.25, Quality.GOOD)),
        ("pressure", 100, (0.0, Quality.GOOD)),
        ("pressure", 99, (pytest.approx(-0.001), Quality.OUT_OF_RANGE)),
        ("pressure", 2601, (pytest.approx(2.501), Quality.OUT_OF_RANGE)),
        ("pump_1.run", True, (1.0, Quality.GOOD)),
        ("pump_1.run", 0, (0.0, Quality.GOOD)),
        ("pump_1.run", 1.0, (1.0, Quality.GOOD)),
        ("mode", "backup", (1.0, Quality.GOOD)),
        ("total", 10**12, (1e12, Quality.GOOD)),
        ("button", True, (1.0, Quality.GOOD)),
        ("button", False, (0.0, Quality.GOOD)),
    ],
)
def test_what_a_value_is_worth(key: str, value: object, worth: object) -> None:
    assert measured(POINTS[key], value) == worth


@pytest.mark.parametrize("key", sorted(POINTS))
def test_null_is_the_sensors_own_word(key: str) -> None:
    value, quality = measured(POINTS[key], None)
    assert isinstance(value, float)
    assert isnan(value)
    assert quality is Quality.SENSOR_FAULT


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("pressure", "350", Reason.WRONG_TYPE),
        ("pressure", True, Reason.WRONG_TYPE),
        ("pressure", [1], Reason.WRONG_TYPE),
        ("pressure", {"v": 1}, Reason.WRONG_TYPE),
        ("pressure", inf, Reason.NOT_FINITE),
        ("pressure", 10**400, Reason.NOT_FINITE),
        ("total", False, Reason.WRONG_TYPE),
        ("pump_1.run", 2, Reason.WRONG_TYPE),
        ("pump_1.run", "on", Reason.WRONG_TYPE),
        ("button", 0.5, Reason.WRONG_TYPE),
        ("mode", 0, Reason.WRONG_TYPE),
        ("mode", True, Reason.WRONG_TYPE),
        ("mode", "Main", Reason.UNKNOWN_LABEL),
    ],
)
def test_what_suits_no_point_is_refused(key: str, value: object, reason: Reason) -> None:
    found, detail = measured(POINTS[key], value)
    assert found is reason
    assert key in str(detail)


@given(
    st.sampled_from(sorted(POINTS)),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()) | st.just(10**400),
)
def test_any_value_is_worth_something_or_refused(key: str, value: object) -> None:
    number, quality = measured(POINTS[key], value)
    if isinstance(quality, Quality):
        assert isinstance(number, float)
        assert isnan(number) == (quality is Quality.SENSOR_FAULT)
        assert number not in (inf, -inf)
    else:
        assert isinstance(number, Reason)


# ------------------------------------------------------------------ messages


def test_a_message_becomes_samples() -> None:
    message = take("east/pumps/telemetry", {"ts": NOW - 5, "values": {"pressure": 350, "pump_1.run": True}, "seq": 3})
    ((pressure, run),) = message.steps
    assert (pressure.point_id, pressure.ts_ms, pressure.value, pressure.received_ms) == (20, NOW - 5, 0.25, NOW)
    assert (run.point_id, run.value) == (21, 1.0)
    assert message.gateway is not None
    assert message.gateway.key == message.outcome.gateway_key == "gw"
    assert message.outcome.site_key == "east"
    assert message.seqs == [(3, NOW - 5)]
    assert message.newest_ms == NOW - 5
    assert not message.outcome.reasons


def test_without_a_time_that_of_receipt_counts() -> None:
    assert take("east/pumps/telemetry", {"values": {"pressure": 350}}).newest_ms == NOW


def test_a_facility_without_a_gateway_speaks_for_itself() -> None:
    message = take("east/box/telemetry", {"ts": NOW, "values": {"seen": True}})
    assert message.steps
    assert message.gateway is None
    assert message.outcome.gateway_key == ""


def test_a_gateway_speaks_for_itself_but_not_of_being_online() -> None:
    message = take("east/gw/telemetry", {"ts": NOW, "values": {"battery": 3.5, "online": True}})
    assert [sample.point_id for step in message.steps for sample in step] == [11]
    assert reasons(message) == {Reason.UNKNOWN_POINT: 1}
    assert message.outcome.gateway_key == "gw"


@pytest.mark.parametrize(
    ("topic", "payload", "reason", "site", "refused"),
    [
        ("west/pumps/telemetry", {"ts": NOW, "values": {"pressure": 1}}, Reason.UNKNOWN_SITE, "", 0),
        ("east/pump/telemetry", {"ts": NOW, "values": {"pressure": 1}}, Reason.UNKNOWN_FACILITY, "east", 0),
        ("east/gateways/gx/status", {"state": "online", "since": NOW}, Reason.UNKNOWN_GATEWAY, "east", 0),
        ("east/pumps/telemetrie", {"ts": NOW, "values": {"pressure": 1}}, Reason.BAD_TOPIC, "east", 0),
        ("EAST/pumps/telemetry", {"ts": NOW, "values": {"pressure": 1}}, Reason.BAD_TOPIC, "", 0),
        ("east/alarms/7", {"alarm": 1}, Reason.BAD_TOPIC, "east", 0),
        ("east/pumps/telemetry", b"x" * 4097, Reason.OVERSIZE, "east", 0),
        ("east/pumps/telemetry", b"\xff", Reason.NOT_UTF8, "east", 0),
        ("east/pumps/telemetry", b'{"values": {"pressure": NaN}}', Reason.NOT_JSON, "east", 0),
        ("east/pumps/telemetry", {"values": {}}, Reason.EMPTY, "east", 0),
        ("east/pumps/telemetry", {"ts": NOW + 300_001, "values": {"pressure": 1, "x": 1}}, Reason.FUTURE, "east", 2),
        ("east/pumps/telemetry", {"ts": NOW, "values": {"pressur": 1}}, Reason.UNKNOWN_POINT, "east", 1),
        ("east/pumps/telemetry", {"ts": NOW, "values": {"pressure": "1"}}, Reason.WRONG_TYPE, "east", 1),
        ("east/pumps/telemetry", b'{"ts": %d, "values": {"pressure": 1e999}}' % NOW, Reason.NOT_FINITE, "east", 1),
        ("east/pumps/telemetry", {"ts": NOW, "values": {"mode": "off"}}, Reason.UNKNOWN_LABEL, "east", 1),
        ("east/pumps/telemetry", {"ts": 5, "values": {"pressure": 1}}, Reason.BAD_TIMESTAMP, "east", 1),
        ("east/gateways/gw/status", {"state": "on", "since": NOW}, Reason.WRONG_SHAPE, "east", 1),
        ("east/gateways/gw/status", {"state": "online", "since": NOW + 300_001}, Reason.FUTURE, "east", 1),
    ],
)
def test_what_is_refused_and_where_it_is_counted(topic, payload, reason, site, refused) -> None:
    message = take(topic, payload)
    assert reasons(message) == {reason: 1}
    assert (message.outcome.site_key, message.outcome.refused) == (site, refused)
    assert not message.steps
    assert message.status is None


def test_a_refused_value_does_not_cost_the_others() -> None:
    values = {"pressure": 350, "nope": 1, "mode": "off", "total": None, "pump_1.run": "yes", "no_2": 2}
    message = take("east/pumps/telemetry", {"ts": NOW, "values": values})
    assert [sample.point_id for step in message.steps for sample in step] == [20, 23]
    assert reasons(message) == {Reason.UNKNOWN_POINT: 2, Reason.UNKNOWN_LABEL: 1, Reason.WRONG_TYPE: 1}
    assert message.outcome.refused == 4


def test_entries_from_the_future_do_not_cost_the_others() -> None:
    entries = [
        {"ts": NOW + shift, "values": {"pressure": 1}, "seq": n} for n, shift in enumerate((0, 400_000, 300_000))
    ]
    message = take("east/pumps/telemetry", entries)
    assert [step[0].ts_ms for step in message.steps] == [NOW, NOW + 300_000]
    assert message.seqs == [(0, NOW), (2, NOW + 300_000)]
    assert reasons(message) == {Reason.FUTURE: 1}


def test_oversize_goes_by_the_true_length_though_only_the_beginning_is_kept() -> None:
    message = resolve(Delivery("tz/v1/east/pumps/telemetry", b"x" * 100, 10_000_000, NOW), SITES, LIMITS)
    assert reasons(message) == {Reason.OVERSIZE: 1}
    assert "10000000" in message.outcome.details[Reason.OVERSIZE][0]


def test_a_status_says_what_it_claims() -> None:
    message = take("east/gateways/gw/status", {"state": "offline", "since": NOW - 1000})
    assert message.status is not None
    assert (message.status.online, message.status.since_ms) == (False, NOW - 1000)
    assert message.gateway is not None
    assert message.gateway.online_point_id == 10


levels = st.sampled_from(["tz", "v1", "east", "west", "pumps", "gw", "gateways", "telemetry", "status", "alarms", "7"])
points = st.sampled_from(sorted(POINTS)) | st.text(max_size=5)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
entries = st.fixed_dictionaries(
    {"values": st.dictionaries(points, scalars, max_size=6)},
    optional={
        "ts": st.integers(NOW - 10**6, NOW + 10**6)
        | st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
        | scalars,
        "seq": st.integers(-5, 10**6) | scalars,
    },
)


@given(
    st.lists(levels, max_size=6).map("/".join) | st.text() | st.just("tz/v1/east/pumps/telemetry"),
    st.binary(max_size=80)
    | (entries | st.lists(entries | scalars, max_size=4)).map(lambda each: json.dumps(each).encode()),
)
def test_whatever_comes_in_ends_as_samples_or_with_a_reason(topic: str, payload: bytes) -> None:
    message = resolve(Delivery(topic, payload, len(payload), NOW), SITES, LIMITS)
    outcome = message.outcome
    assert message.steps or message.status or outcome.reasons
    assert outcome.site_key in ("", "east")
    assert sum(len(told) for told in outcome.details.values()) <= sum(outcome.reasons.values())
    for step in message.steps:
        assert step
        assert {sample.ts_ms for sample in step} == {step[0].ts_ms}
        assert all(sample.ts_ms <= NOW + LIMITS.future_max_ms for sample in step)
        assert len({sample.point_id for sample in step}) == len(step)
