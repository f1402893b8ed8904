"""The wire: topic grammar and payloads, in both directions. Pure; simulators and sirens speak through it too.

    tz/v1/{site}/{facility}/telemetry        {"ts": 1763818200000, "values": {"outlet_pressure": 0.42}, "seq": 17}
                                             or a list of these
    tz/v1/{site}/gateways/{gateway}/status   {"state": "online" | "offline", "since": 1763818000000}
    tz/v1/{site}/alarms/{condition}          ours: the whole state of an alarm, with its id and version

Whatever bytes come in, they decode or raise `WireError`, nothing else. A list whose entries are partly unusable
decodes to the usable ones, with the others in `Telemetry.refused`: a store that is emptied is not lost for one line.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Literal, NoReturn, cast

import msgspec

PREFIX = "tz/v1"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TS_MIN_MS = 946_684_800_000  # 2000-01-01: what is older comes from a clock that was never set
TS_MAX_MS = 253_402_300_799_999  # 9999-12-31, the last moment a datetime can hold
SEQ_MAX = 2**63 - 1
_SHOWN_MAX = 80
_DIGITS_MAX = 300  # longer integers are beyond any float
_TOPICS_CACHED_MAX = 65_536


class Reason(StrEnum):
    """Why something is in quarantine."""

    BAD_TOPIC = "bad_topic"
    UNKNOWN_SITE = "unknown_site"
    UNKNOWN_FACILITY = "unknown_facility"
    UNKNOWN_GATEWAY = "unknown_gateway"
    OVERSIZE = "oversize"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"  # NaN and Infinity are not JSON
    WRONG_SHAPE = "wrong_shape"
    EMPTY = "empty"
    TOO_MANY_VALUES = "too_many_values"
    BAD_TIMESTAMP = "bad_timestamp"
    NO_ZONE = "no_zone"
    FUTURE = "future"
    UNKNOWN_POINT = "unknown_point"
    WRONG_TYPE = "wrong_type"
    NOT_FINITE = "not_finite"  # a number no float can hold
    UNKNOWN_LABEL = "unknown_label"
    UNSTORABLE = "unstorable"  # the ledger refused it for good
    UNJUDGED = "unjudged"  # stored, and judging it failed: a flaw of ours


class WireError(Exception):
    """The one error of this module. `values` is how many values the message is known to have carried."""

    def __init__(self, reason: Reason, detail: str, *, values: int = 0) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail, self.values = reason, detail, values


# ------------------------------------------------------------------ topics


@dataclass(frozen=True, slots=True)
class TelemetryTopic:
    site: str
    facility: str

    def __str__(self) -> str:
        return f"{PREFIX}/{self.site}/{self.facility}/telemetry"


@dataclass(frozen=True, slots=True)
class StatusTopic:
    site: str
    gateway: str

    def __str__(self) -> str:
        return f"{PREFIX}/{self.site}/gateways/{self.gateway}/status"


@dataclass(frozen=True, slots=True)
class AlarmTopic:
    site: str
    condition_id: int

    def __str__(self) -> str:
        return f"{PREFIX}/{self.site}/alarms/{self.condition_id}"


Topic = TelemetryTopic | StatusTopic | AlarmTopic

_KEY = re.compile(r"[a-z0-9_-]{1,64}")
_CONDITION = re.compile(r"[1-9][0-9]{0,17}")
_GRAMMAR = f"{PREFIX}/{{site}}/{{facility}}/telemetry or {PREFIX}/{{site}}/gateways/{{gateway}}/status"


@lru_cache(maxsize=_TOPICS_CACHED_MAX)
def parse_topic(topic: str) -> Topic:
    """Raises WireError(BAD_TOPIC) that says what a topic looks like."""
    match topic.split("/"):
        case ["tz", "v1", site, facility, "telemetry"]:
            return TelemetryTopic(_key("site", site), _key("facility", facility))
        case ["tz", "v1", site, "gateways", gateway, "status"]:
            return StatusTopic(_key("site", site), _key("gateway", gateway))
        case ["tz", "v1", site, "alarms", condition] if _CONDITION.fullmatch(condition):
            return AlarmTopic(_key("site", site), int(condition))
        case _:
            raise WireError(Reason.BAD_TOPIC, f"not a topic of ours: {shown(topic)}; expected {_GRAMMAR}")


@lru_cache(maxsize=_TOPICS_CACHED_MAX)
def site_of(topic: str) -> str:
    """The site a topic names, well formed or not, for the account; '' when it names none."""
    levels = topic.split("/", 3)
    named = len(levels) > 2 and levels[0] == "tz" and levels[1] == "v1" and _KEY.fullmatch(levels[2])
    return levels[2] if named else ""


def is_alarm_topic(topic: str) -> bool:
    """Whether it is one that we alone publish."""
    if "/alarms/" not in topic:
        return False
    try:
        return isinstance(parse_topic(topic), AlarmTopic)
    except WireError:
        return False


def subscriptions(sites: Sequence[str]) -> list[str]:
    """The filters that hear these sites; no site means all. Wrong topics below them are heard too, to be refused
    aloud: an integrator who mistypes a level has to find his message somewhere.
    """
    return [f"{PREFIX}/{site}/#" for site in sites] if sites else [f"{PREFIX}/#"]


def _key(what: str, key: str) -> str:
    if not _KEY.fullmatch(key):
        raise WireError(Reason.BAD_TOPIC, f"{what} {shown(key)} is not a key: 1 to 64 of a-z, 0-9, _ and -")
    return key


# ------------------------------------------------------------------ telemetry

WireValue = float | int | bool | str | None


class Entry(msgspec.Struct, frozen=True, gc=False):
    """Values of one moment. `ts_ms` None: the device gave no time, that of receipt counts. Values are as they came:
    whether a value suits its point is for whoever knows the point.
    """

    ts_ms: int | None
    values: Mapping[str, object]
    seq: int | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A part of a message that is not taken, though the rest may be. `values`: how many values that costs."""

    reason: Reason
    detail: str
    values: int


@dataclass(frozen=True, slots=True)
class Telemetry:
    entries: Sequence[Entry]
    refused: Sequence[Refusal]


class PlainEntry(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    values: dict[str, object]
    ts: int | str | None = None
    seq: int | None = None


class _WireStatus(msgspec.Struct, forbid_unknown_fields=True):
    state: Literal["online", "offline"]
    since: int | str


_ENTRIES: msgspec.json.Decoder[PlainEntry | list[PlainEntry]] = msgspec.json.Decoder(PlainEntry | list[PlainEntry])
_STATUS = msgspec.json.Decoder(_WireStatus)
_TIME = msgspec.json.Decoder(datetime)


def decode_plainly(payload: bytes) -> list[PlainEntry] | None:
    """The entries as they are written, of the right shape and not looked at any closer; None: `decode_telemetry` says
    what is wrong.
    """
    try:
        decoded = _ENTRIES.decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return decoded if isinstance(decoded, list) else [decoded]


def decode_telemetry(payload: bytes, *, bytes_max: int, values_max: int) -> Telemetry:
    """Raises WireError when nothing of the message is usable."""
    _check_size(payload, bytes_max)
    refused: list[Refusal] = []
    try:
        decoded = _ENTRIES.decode(payload)
    except msgspec.ValidationError:
        entries = _decode_leniently(payload, refused)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        _refuse_text(payload, error)
    else:
        wired = decoded if isinstance(decoded, list) else [decoded]
        entries = [entry for one in wired if (entry := _entry(one.ts, one.values, one.seq, refused)) is not None]
    carried = sum(len(entry.values) for entry in entries) + sum(part.values for part in refused)
    if carried > values_max:
        raise WireError(Reason.TOO_MANY_VALUES, f"{carried} values, at most {values_max} are taken", values=carried)
    if not entries:
        first = refused[0] if refused else Refusal(Reason.EMPTY, "an empty list: no values", 0)
        raise WireError(first.reason, first.detail, values=carried)
    return Telemetry(entries, refused)


def _entry(ts: object, values: Mapping[str, object], seq: int | None, refused: list[Refusal]) -> Entry | None:
    """One entry; None, and a reason in `refused`, when it is empty or its time or sequence is no such thing."""
    if not values:
        refused.append(Refusal(Reason.EMPTY, "`values` is empty", 0))
        return None
    if seq is not None and not 0 <= seq <= SEQ_MAX:
        refused.append(Refusal(Reason.WRONG_SHAPE, f"`seq` {shown(seq)} is not a count", len(values)))
        return None
    try:
        return Entry(None if ts is None else _timestamp("ts", ts), values, seq)
    except WireError as error:
        refused.append(Refusal(error.reason, error.detail, len(values)))
        return None


def _decode_leniently(payload: bytes, refused: list[Refusal]) -> list[Entry]:
    """Valid JSON of the wrong shape somewhere: keep the entries that are right.

    Here a number too large for a float becomes infinite and costs its own value only, and `1763818200000.0` is an
    integer.
    """
    try:
        decoded: object = json.loads(payload, parse_constant=_no_constant, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        _refuse_text(payload, error)
    listed = cast("list[object]", decoded if isinstance(decoded, list) else [decoded])
    entries: list[Entry] = []
    for position, each in enumerate(listed):
        where = f"entry {position}: " if isinstance(decoded, list) else ""
        try:
            ts, values, seq = _fields(each, where)
        except WireError as error:
            refused.append(Refusal(error.reason, error.detail, error.values))
            continue
        if (entry := _entry(ts, values, seq, refused)) is not None:
            entries.append(entry)
    return entries


def _fields(each: object, where: str) -> tuple[object, Mapping[str, object], int | None]:
    """The three fields of an entry in generic JSON. Raises WireError(WRONG_SHAPE)."""
    if not isinstance(each, dict):
        raise WireError(Reason.WRONG_SHAPE, f'{where}expected {{"ts": ..., "values": {{...}}}}, got {shown(each)}')
    fields = cast("dict[str, object]", each)
    if not isinstance(fields.get("values"), dict):
        raise WireError(Reason.WRONG_SHAPE, f"{where}`values` must be an object of point: value")
    values = cast("dict[str, object]", fields["values"])
    unknown = sorted(fields.keys() - {"ts", "values", "seq"})
    if unknown:
        names = ", ".join(shown(name) for name in unknown[:5])
        raise WireError(Reason.WRONG_SHAPE, f"{where}unknown field {names}; known: ts, values, seq", values=len(values))
    seq = _as_whole(fields.get("seq"))
    if seq is not None and (isinstance(seq, bool) or not isinstance(seq, int)):
        raise WireError(Reason.WRONG_SHAPE, f"{where}`seq` {shown(seq)} is not a count", values=len(values))
    return fields.get("ts"), values, seq


def encode_telemetry(values: Mapping[str, WireValue], *, ts_ms: int | None = None, seq: int | None = None) -> bytes:
    """One entry."""
    return msgspec.json.encode(_wired(values, ts_ms, seq))


def encode_backlog(entries: Sequence[Entry]) -> bytes:
    """A list of entries, as a store is emptied."""
    return msgspec.json.encode([_wired(entry.values, entry.ts_ms, entry.seq) for entry in entries])


def _wired(values: Mapping[str, object], ts_ms: int | None, seq: int | None) -> Mapping[str, object]:
    fields = {"ts": ts_ms, "values": values, "seq": seq}
    return {name: field for name, field in fields.items() if field is not None}


# ------------------------------------------------------------------ status and alarms


@dataclass(frozen=True, slots=True)
class Status:
    """What a gateway says of itself, or its last will: the state of the connection begun at `since_ms`."""

    online: bool
    since_ms: int


def decode_status(payload: bytes, *, bytes_max: int) -> Status:
    """Raises WireError."""
    _check_size(payload, bytes_max)
    try:
        status = _STATUS.decode(payload)
    except msgspec.ValidationError as error:
        expected = '{"state": "online" | "offline", "since": <epoch ms or RFC 3339>}'
        raise WireError(Reason.WRONG_SHAPE, f"{shown(str(error))}; expected {expected}", values=1) from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        _refuse_text(payload, error)
    try:
        return Status(status.state == "online", _timestamp("since", status.since))
    except WireError as error:
        raise WireError(error.reason, error.detail, values=1) from error


def encode_status(status: Status) -> bytes:
    return msgspec.json.encode({"state": "online" if status.online else "offline", "since": status.since_ms})


def encode_alarm(alarm: Mapping[str, object]) -> bytes:
    return msgspec.json.encode(alarm)


# ------------------------------------------------------------------ pieces


def shown(value: object) -> str:
    """A value as it may stand in a message: one line, printable, bounded."""
    text = type(cast("object", value)).__name__ if isinstance(value, dict | list) else repr(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."


def _timestamp(field: str, ts: object) -> int:
    """Epoch milliseconds. Raises WireError: BAD_TIMESTAMP or NO_ZONE."""
    ts = _as_whole(ts)
    if isinstance(ts, str):
        ms = _from_text(field, ts)
    elif isinstance(ts, int) and not isinstance(ts, bool):
        ms = ts
    else:
        raise WireError(Reason.BAD_TIMESTAMP, f"`{field}` {shown(ts)} is neither epoch milliseconds nor RFC 3339")
    if not TS_MIN_MS <= ms <= TS_MAX_MS:
        seconds = TS_MIN_MS <= ms * 1000 <= TS_MAX_MS
        hint = "; that looks like seconds, send milliseconds" if seconds else ""
        raise WireError(Reason.BAD_TIMESTAMP, f"`{field}` {shown(ts)} is not between 2000 and 9999{hint}")
    return ms


def _from_text(field: str, text: str) -> int:
    try:
        moment = _TIME.decode(json.dumps(text).encode())
    except (msgspec.MsgspecError, ValueError) as error:
        raise WireError(Reason.BAD_TIMESTAMP, f"`{field}` {shown(text)} is not RFC 3339") from error
    if moment.tzinfo is None:
        raise WireError(Reason.NO_ZONE, f"`{field}` {shown(text)} names no zone: end it with Z or +08:00")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _as_whole(number: object) -> object:
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS_MAX else math.copysign(math.inf, -1 if digits[0] == "-" else 1)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} found")


def _check_size(payload: bytes, bytes_max: int) -> None:
    if len(payload) > bytes_max:
        raise WireError(Reason.OVERSIZE, f"{len(payload)} bytes, at most {bytes_max} are taken")


def _refuse_text(payload: bytes, error: Exception) -> NoReturn:
    try:
        payload.decode()
    except UnicodeDecodeError as flaw:
        raise WireError(Reason.NOT_UTF8, f"byte {flaw.start} is not UTF-8") from error
    if isinstance(error, RecursionError):
        raise WireError(Reason.NOT_JSON, "nested too deeply") from error
    raise WireError(Reason.NOT_JSON, f"{error}; NaN and Infinity are not JSON, a broken sensor says null") from error
