"""Devices that know what they said: QoS 1, store and forward, repeated words, poison, wrong clocks; and the truth of it.

Every value has a moment of its own, so that the ledger must hold exactly what was said, whatever came twice or late. What
the broker did not acknowledge is said again until it does, so at the end of a run all of it was acknowledged.
"""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ingest.wire import (
    Entry,
    Reason,
    Status,
    StatusTopic,
    TelemetryTopic,
    encode_backlog,
    encode_status,
    encode_telemetry,
)
from simulators.gateway import Connect, Drop, Publish
from simulators.link import BrokerAddress, Link

PACE_S = 0.1
STORED_MAX = 5_000
_LIST_ENTRIES_MAX = 40
_REMEMBERED = 60
_FUTURE_MS = 2 * 3600 * 1000
_EPISODE_CHANCE, _EPISODE_ENDS_CHANCE = 0.04, 0.2

Point = tuple[str, str, str]  # site, facility, point


@dataclass(slots=True)
class Truth:
    """What a device said. `newest` is by device time: what must be in force when everything has been judged."""

    values: dict[Point, dict[int, float]] = field(default_factory=dict[Point, dict[int, float]])
    messages: int = 0  # with at least one good value: accepted once, however often they come
    refused: Counter[Reason] = field(default_factory=Counter[Reason])  # at least so many refusals
    wholly_refused: int = 0  # messages of which nothing is good

    def say(self, site: str, facility: str, ts_ms: int, values: Mapping[str, float | bool]) -> None:
        for point, value in values.items():
            self.values.setdefault((site, facility, point), {})[ts_ms] = float(value)


class Device:
    """A gateway that speaks for one facility: a few measures, and one state that is now and then wrong for a while."""

    def __init__(
        self,
        url: str,
        site: str,
        key: str,
        facility: str,
        measures: tuple[str, ...],
        state: tuple[str, bool],
        *,
        now_ms: Callable[[], int],
        seed: str,
    ) -> None:
        self.site, self.key, self.facility = site, key, facility
        self.state = state  # the point, and its value when nothing is wrong
        self.truth = Truth()
        self.link = Link(BrokerAddress.parse(url), f"chaos-{site}-{key}")
        self._measures, self._now_ms, self._chance = measures, now_ms, random.Random(seed)  # noqa: S311 - repeatable
        self._topic = str(TelemetryTopic(site, facility))
        self._status_topic = str(StatusTopic(site, key))
        self._offset_ms = 0
        self._used_ms: set[int] = set()
        self._newest_ms = 0
        self._count = self._seq = 0
        self._stored: deque[Entry] = deque()
        self._recent: deque[Publish] = deque(maxlen=_REMEMBERED)
        self._online = False
        self._wanted = True
        self._calm = self._quiet = False
        self._wrong = False

    async def run(self) -> None:
        """Speak until cancelled."""
        while True:
            self._keep_connected()
            if not self._quiet:
                self._speak()
            await self.link.room()
            await asyncio.sleep(PACE_S)

    # ------------------------------------------------------------------ what is done to it

    def go_away(self) -> None:
        self._wanted = False
        if self._online:
            self._online = False
            self.link.submit([Drop(forget=False)])

    def come_back(self) -> None:
        self._wanted = True

    def set_clock(self, offset_ms: int) -> None:
        self._offset_ms = offset_ms

    def repeat(self, messages: int) -> None:
        if self._online:
            self.link.submit(list(self._recent)[-messages:])

    def burst(self, messages: int) -> None:
        for _ in range(messages):
            self._speak()

    def poison(self, rounds: int) -> None:
        for _ in range(rounds):
            self.link.submit(self._poison())

    def calm_down(self) -> None:
        """Everything is right again, and time goes on from the newest that was said: nothing is late any more."""
        self.come_back()
        self._calm = True
        self._offset_ms = max(0, self._newest_ms - self._now_ms())

    def be_quiet(self) -> None:
        self._quiet = True

    @property
    def has_told_all(self) -> bool:
        return self._online and not self._stored

    # ------------------------------------------------------------------ speaking

    def _keep_connected(self) -> None:
        if self.link.take_loss():
            self._online = False
        if self._online or not self._wanted or not self.link.may_connect:
            return
        self._online = True
        since_ms = self._now_ms()
        offline, online = (encode_status(Status(online=each, since_ms=since_ms)) for each in (False, True))
        self.link.submit([Connect(self._status_topic, offline, online), *self._emptied()])

    def _emptied(self) -> Iterator[Publish]:
        while self._stored:
            part = [self._stored.popleft() for _ in range(min(_LIST_ENTRIES_MAX, len(self._stored)))]
            self.truth.messages += 1
            yield Publish(self._topic, encode_backlog(part), len(part), sum(len(each.values) for each in part))

    def _speak(self) -> None:
        ts_ms, values = self._moment(), self._values()
        self._seq += 1
        self.truth.say(self.site, self.facility, ts_ms, values)
        if not self._online and len(self._stored) < STORED_MAX:
            self._stored.append(Entry(ts_ms, values, self._seq))
            return
        self.truth.messages += 1
        message = Publish(self._topic, encode_telemetry(values, ts_ms=ts_ms, seq=self._seq), 1, len(values))
        self._recent.append(message)
        self.link.submit([message])

    def _moment(self) -> int:
        """By its own clock, and never twice the same."""
        ts_ms = self._now_ms() + self._offset_ms
        while ts_ms in self._used_ms:
            ts_ms += 1
        self._used_ms.add(ts_ms)
        self._newest_ms = max(self._newest_ms, ts_ms)
        return ts_ms

    def _values(self) -> dict[str, float | bool]:
        self._count += 1
        ends = self._chance.random() < _EPISODE_ENDS_CHANCE
        begins = self._chance.random() < _EPISODE_CHANCE
        self._wrong = not self._calm and (not ends if self._wrong else begins)
        point, right = self.state
        values: dict[str, float | bool] = dict.fromkeys(self._measures, 20 + self._count % 500 / 100)
        return values | {point: right != self._wrong}

    def _poison(self) -> list[Publish]:
        """One of each way to be wrong; the last is half good, and its good half must be kept."""
        refused, measure = self.truth.refused, self._measures[0]
        broken = encode_telemetry({measure: 20.0}, ts_ms=self._now_ms())[:-3]
        wholly = [
            (Reason.NOT_JSON, self._topic, broken),
            (Reason.BAD_TOPIC, f"{self._topic}x", b"{}"),
            (Reason.UNKNOWN_FACILITY, str(TelemetryTopic(self.site, "nothing")), b'{"values": {"x": 1}}'),
            (Reason.FUTURE, self._topic, encode_telemetry({measure: 1.0}, ts_ms=self._now_ms() + _FUTURE_MS)),
            (Reason.WRONG_TYPE, self._topic, encode_telemetry({measure: "warm"}, ts_ms=self._now_ms())),
        ]
        refused.update(reason for reason, _, _ in wholly)
        refused[Reason.UNKNOWN_POINT] += 1
        self.truth.wholly_refused += len(wholly)
        ts_ms, values = self._moment(), self._values()
        self.truth.say(self.site, self.facility, ts_ms, values)
        self.truth.messages += 1
        half_good = Publish(self._topic, encode_telemetry({**values, "nonsense": 1.0}, ts_ms=ts_ms), 1, len(values))
        return [*(Publish(topic, payload, 1, 1) for _, topic, payload in wholly), half_good]
