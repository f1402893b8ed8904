"""One gateway without its socket: what it says, what it stores while nobody hears, what it says again. Pure.

Each step answers with the commands its connection must carry out, in order; `simulators.link` does so over MQTT,
tests read them. Per point, messages leave in the order of device time: a backlog goes before anything newer.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ingest.wire import Entry, Status, StatusTopic, TelemetryTopic, encode_backlog, encode_status, encode_telemetry
from simulators.plant.surroundings import Value
from simulators.reporting import Report, Reporter

BACKLOG_MESSAGES_MAX = 20_000
BACKLOG_MESSAGES_PER_PUBLISH = 50
RECENT_MESSAGES_MAX = 200


class Uplink(StrEnum):
    """What the gateway can do."""

    ONLINE = "online"
    STORING = "storing"  # the network is gone: it measures on and keeps what it cannot send
    DARK = "dark"  # the gateway itself has no power: nothing is measured, nothing kept


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a connection with `will` as its last will and say `hello` first of all; both retained, on `topic`."""

    topic: str
    will: bytes
    hello: bytes


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection breaks without goodbye: the broker must speak the last will. `forget`: unsent messages are lost."""

    forget: bool


@dataclass(frozen=True, slots=True)
class Leave:
    """Say `goodbye`, retained, on `topic` and close the connection in good order."""

    topic: str
    goodbye: bytes


@dataclass(frozen=True, slots=True)
class Publish:
    topic: str
    payload: bytes
    messages: int  # a list from the store carries several
    values: int
    again: bool = False  # sent before, with the same payload


Command = Connect | Drop | Leave | Publish


class Gateway:
    """The gateway `key` of a site and the facilities it speaks for, each with the reports of its points."""

    def __init__(
        self, site: str, key: str, facilities: Mapping[str, Mapping[str, Report]], *, clock_offset_ms: int = 0
    ) -> None:
        self.site = site
        self.key = key
        self.clock_offset_ms = clock_offset_ms
        self.backlog_dropped = 0
        self._facilities = {facility: Reporter(reports) for facility, reports in facilities.items()}
        self._backlog: dict[str, deque[Entry]] = {facility: deque() for facility in facilities}
        self._recent: deque[Publish] = deque(maxlen=RECENT_MESSAGES_MAX)
        self._wanted = Uplink.ONLINE
        self._uplink = Uplink.DARK
        self._repeat = 0
        self._seq = 0
        self._connected_ms = 0

    @property
    def facilities(self) -> Sequence[str]:
        return tuple(self._facilities)

    @property
    def status_topic(self) -> str:
        return str(StatusTopic(self.site, self.key))

    def go(self, uplink: Uplink) -> None:
        """From the next step on."""
        self._wanted = uplink

    def repeat(self, messages: int) -> int:
        """Say the last so many messages again with the next step; the number there are."""
        self._repeat = min(messages, len(self._recent))
        return self._repeat

    def interrupted(self) -> None:
        """The connection is gone though nobody meant it to be: store until there is another."""
        if self._uplink is Uplink.ONLINE:
            self._uplink = Uplink.STORING

    def step(self, now_ms: int, values: Mapping[str, Mapping[str, Value]], *, reachable: bool = True) -> list[Command]:
        """One moment of the gateway's life. `now_ms` is the true time; what goes out bears the gateway's own.

        `reachable`: whether trying to connect makes sense now; until it does the gateway stores.
        """
        device_ms = now_ms + self.clock_offset_ms
        commands = self._change(device_ms, reachable=reachable)
        if self._uplink is Uplink.DARK:
            return commands
        for facility, reporter in self._facilities.items():
            going = reporter.due(now_ms / 1000.0, values[facility])
            if going:
                self._seq += 1
                self._say(commands, facility, going, device_ms)
        if self._repeat and self._uplink is Uplink.ONLINE:
            commands.extend(replace(one, again=True) for one in list(self._recent)[-self._repeat :])
            self._repeat = 0
        return commands

    def leave(self) -> list[Command]:
        """The end of the run: a proper goodbye."""
        if self._uplink is not Uplink.ONLINE:
            return []
        self._uplink = self._wanted = Uplink.DARK
        return [Leave(self.status_topic, self._goodbye())]

    def _say(self, commands: list[Command], facility: str, going: Mapping[str, Value], device_ms: int) -> None:
        if self._uplink is Uplink.ONLINE:
            payload = encode_telemetry(going, ts_ms=device_ms, seq=self._seq)
            publish = Publish(self._telemetry_topic(facility), payload, 1, len(going))
            self._recent.append(publish)
            commands.append(publish)
            return
        backlog = self._backlog[facility]
        backlog.append(Entry(device_ms, going, self._seq))
        if len(backlog) > BACKLOG_MESSAGES_MAX // len(self._backlog):
            backlog.popleft()
            self.backlog_dropped += 1

    def _change(self, device_ms: int, *, reachable: bool) -> list[Command]:
        before, after = self._uplink, self._wanted
        if after is Uplink.ONLINE and not reachable:
            after = Uplink.STORING if before is not Uplink.ONLINE else before
        if before is after:
            return []
        self._uplink = after
        if Uplink.DARK in (before, after):
            self._lose_memory()
        if after is Uplink.ONLINE:
            self._connected_ms = device_ms
            hello = encode_status(Status(online=True, since_ms=device_ms))
            return [Connect(self.status_topic, self._goodbye(), hello), *self._emptied_backlog()]
        return [Drop(forget=after is Uplink.DARK)] if before is Uplink.ONLINE else []

    def _emptied_backlog(self) -> list[Publish]:
        emptied: list[Publish] = []
        while any(self._backlog.values()):
            for facility, backlog in self._backlog.items():
                part = [backlog.popleft() for _ in range(min(BACKLOG_MESSAGES_PER_PUBLISH, len(backlog)))]
                if part:
                    values = sum(len(entry.values) for entry in part)
                    emptied.append(Publish(self._telemetry_topic(facility), encode_backlog(part), len(part), values))
        return emptied

    def _lose_memory(self) -> None:
        self._seq = 0
        self._recent.clear()
        for facility, reporter in self._facilities.items():
            reporter.forget()
            self._backlog[facility].clear()

    def _telemetry_topic(self, facility: str) -> str:
        return str(TelemetryTopic(self.site, facility))

    def _goodbye(self) -> bytes:
        return encode_status(Status(online=False, since_ms=self._connected_ms))
