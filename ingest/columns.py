"""From bytes to arrays: the values of one site's messages, in order of arrival, without an object for each.

A message is read here only if everything in it is as it nearly always is: a topic of ours, times in bounds, values that
fit their points and their ranges. Whatever else comes takes `ingest.resolve`'s careful way, which alone knows what it
means, and its samples join the others in their place. tests/ingest/test_columns.py holds the two ways equal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest import wire
from ingest.addresses import FacilityAddress, SiteAddresses
from ingest.delivery import Delivery
from ingest.resolve import Limits, Message, resolve
from ledger.deposits import Columns
from ledger.records import Quality

NEVER_MS: Final = int(np.iinfo(np.int64).min)
_UNKNOWN_MS: Final = NEVER_MS  # the time of a status, until the ledger has been asked


class _OutOfTheOrdinaryError(Exception):
    """Let the message take the careful way."""


@dataclass(frozen=True, slots=True)
class Arrays:
    """One site's part of a batch, in order of arrival."""

    columns: Columns  # a row is a value
    message: NDArray[np.intp]  # of each row, its place among the messages
    received_ms: NDArray[np.int64]  # of each message
    newest_ms: NDArray[np.int64]  # of each message, of its rows; NEVER_MS: it has none

    @property
    def lag_ms(self) -> int | None:
        """The largest age of a message at receipt."""
        said = self.newest_ms > NEVER_MS
        return int((self.received_ms[said] - self.newest_ms[said]).max()) if said.any() else None


class SiteColumns:
    """Grows message by message, then becomes `Arrays`."""

    def __init__(self, key: str, addresses: SiteAddresses, limits: Limits) -> None:
        self.deliveries: list[Delivery] = []
        self.facilities: list[FacilityAddress | None] = []  # None: look at `careful`
        self.careful: dict[int, Message] = {}  # by place among the messages
        self.status_rows: dict[int, int] = {}  # message -> row
        self.key, self.addresses, self._limits = key, addresses, limits
        self._by_topic = addresses.by_topic
        self._points: list[int] = []
        self._values: list[float] = []
        self._qualities: dict[int, int] = {}  # of rows that are not good
        self._run_ts: list[int] = []  # a run is the values of one moment
        self._run_count: list[int] = []
        self._run_message: list[int] = []
        self.seqs: list[tuple[int, int, int]] = []  # message, sequence number, its time

    def __len__(self) -> int:
        return len(self._points)

    def put(self, delivery: Delivery) -> None:
        facility = self._by_topic.get(delivery.topic)
        if facility is None or delivery.kept or delivery.size > self._limits.payload_bytes_max:
            self._put_carefully(delivery)
            return
        decoded = wire.decode_plainly(delivery.payload)
        if decoded is None or not self._put_plainly(delivery, facility, decoded):
            self._put_carefully(delivery)

    def _put_plainly(self, delivery: Delivery, facility: FacilityAddress, entries: Sequence[wire.PlainEntry]) -> bool:
        """False, and nothing is put, when anything in it is out of the ordinary."""
        points, begin, runs, seqs = self._points, len(self._points), len(self._run_ts), len(self.seqs)
        message, received_ms = len(self.deliveries), delivery.received_ms
        latest_ms = min(received_ms + self._limits.future_max_ms, wire.TS_MAX_MS)
        try:
            for entry in entries:
                ts_ms, before = entry.ts, len(points)
                if ts_ms is None:
                    ts_ms = received_ms + delivery.after_ms
                elif type(ts_ms) is not int or not wire.TS_MIN_MS <= ts_ms <= latest_ms:
                    return self._take_back(begin, runs, seqs)
                self._put_values(facility, entry.values)
                self._run_ts.append(ts_ms)
                self._run_count.append(len(points) - before)
                self._run_message.append(message)
                if entry.seq is not None:
                    if not 0 <= entry.seq <= wire.SEQ_MAX:
                        return self._take_back(begin, runs, seqs)
                    self.seqs.append((message, entry.seq, ts_ms))
        except (_OutOfTheOrdinaryError, LookupError, OverflowError, TypeError):
            return self._take_back(begin, runs, seqs)
        if len(points) - begin > self._limits.values_max or not all(self._run_count[runs:]) or len(points) == begin:
            return self._take_back(begin, runs, seqs)
        self.deliveries.append(delivery)
        self.facilities.append(facility)
        return True

    def _put_values(self, facility: FacilityAddress, given: Mapping[str, Any]) -> None:
        numbers, points, values = facility.numbers, self._points, self._values
        for key, value in given.items():
            kind = type(value)  # pyright: ignore[reportUnknownVariableType]
            if kind is float or kind is int:
                known = numbers.get(key)
                if known is not None:
                    point_id, scale, shift, low, high = known
                    number = value * scale + shift
                    if not low <= number <= high:
                        raise _OutOfTheOrdinaryError
                elif value in (0, 1):
                    point_id, number = facility.switches[key], float(value)
                else:
                    raise _OutOfTheOrdinaryError
            elif kind is bool:
                point_id, number = facility.switches[key], float(value)
            else:
                point_id, number = facility.labels[key, value]
            points.append(point_id)
            values.append(number)

    def _take_back(self, begin: int, runs: int, seqs: int) -> bool:
        del self._points[begin:], self._values[begin:], self.seqs[seqs:]
        del self._run_ts[runs:], self._run_count[runs:], self._run_message[runs:]
        return False

    def _put_carefully(self, delivery: Delivery) -> None:
        message = resolve(delivery, {self.key: self.addresses}, self._limits)
        place = len(self.deliveries)
        self.deliveries.append(delivery)
        self.facilities.append(None)
        self.careful[place] = message
        for step in message.steps:
            for sample in step:
                if sample.quality is not Quality.GOOD:
                    self._qualities[len(self._points)] = int(sample.quality)
                self._points.append(sample.point_id)
                self._values.append(sample.value)
            self._put_run(place, step[0].ts_ms, len(step))
        self.seqs.extend((place, seq, ts_ms) for seq, ts_ms in message.seqs)
        gateway = message.gateway
        if message.status is not None and gateway is not None and gateway.online_point_id is not None:
            self.status_rows[place] = len(self._points)
            self._points.append(gateway.online_point_id)
            self._values.append(float(message.status.online))
            self._put_run(place, _UNKNOWN_MS, 1)

    def _put_run(self, message: int, ts_ms: int, count: int) -> None:
        self._run_ts.append(ts_ms)
        self._run_count.append(count)
        self._run_message.append(message)

    def arrays(self) -> Arrays:
        run_ts, run_count = np.array(self._run_ts, np.int64), np.array(self._run_count, np.intp)
        run_message = np.array(self._run_message, np.intp)
        quality = np.zeros(len(self._points), np.int16)
        for row, each in self._qualities.items():
            quality[row] = each
        newest_ms = np.full(len(self.deliveries), NEVER_MS, np.int64)
        np.maximum.at(newest_ms, run_message, run_ts)
        columns = Columns(
            np.array(self._points, np.int32),
            np.repeat(run_ts, run_count),
            np.array(self._values, np.float64),
            quality,
        )
        received_ms = np.array([each.received_ms for each in self.deliveries], np.int64)
        return Arrays(columns, np.repeat(run_message, run_count), received_ms, newest_ms)
