"""What is known of one gateway: whether it is online, when it was heard, and what time it is over there.

Rules run in device time. Samples bring it with them; where none comes, a tick lets it pass, but only as far as it is
certain that no older sample is still on its way:

- offline, silent, or ingest itself not connected: time stands still, for whatever happened meanwhile may yet arrive;
- just back (or not heard since ingest connected): the same until the first message, or until `settle` has passed;
- draining, that is sending what it had stored: as far as the newest sample heard;
- otherwise now, less the steady offset of its clock.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ledger.records import Gateway, to_ms
from rules.clock import GatewayClock

# The offset is the least lag heard, allowed to grow by this much, so that a clock that was set right is believed again.
_OFFSET_DRIFT = 0.001
# A lag above the backlog bound that stays within this band for this long is no backlog (which shrinks as it is sent)
# but a clock that is wrong.
_STEADY_BAND_MS = 10_000
_STEADY_AFTER_MS = 300_000


@dataclass(frozen=True, slots=True)
class Tuning:
    """Bounds in milliseconds; the same for every gateway of a site."""

    backlog_lag_ms: int = 120_000
    settle_ms: int = 30_000


@dataclass(slots=True)
class Link:
    """One gateway, or (`gateway` None) the absent one of facilities that have none: always online, always now."""

    gateway: Gateway | None
    tuning: Tuning
    silent_after_ms: int
    online: bool | None = None
    heard_ms: int | None = None
    newest_ms: int | None = None  # device time of the newest sample heard
    offset_ms: float | None = None
    lag_ms: int = 0  # of the last message
    offline_ms: int | None = None  # when we were told that it is offline; None: not since this engine began
    waiting_since_ms: int | None = None  # just back: time stands still from here on, for at most `settle`
    reached_ms: int | None = None  # how far device time has come, by samples and ticks
    left_ms: int | None = None  # how far it had come when this engine took over, as far as can be told
    offset_at_ms: int = 0
    trial: tuple[int, int] | None = field(default=None)  # received, lag: a large lag that may prove steady
    clock: GatewayClock = field(default_factory=GatewayClock)

    @classmethod
    def of(cls, gateway: Gateway | None, tuning: Tuning, silent_after_ms: int) -> "Link":
        link = cls(gateway, tuning, silent_after_ms)
        if gateway is not None:
            link.online = gateway.online
            link.offset_ms = gateway.clock_offset_ms
            if gateway.heard_at is not None:
                link.offset_at_ms = to_ms(gateway.heard_at)
                link.took_over(to_ms(gateway.heard_at) - (gateway.clock_offset_ms or 0))
        return link

    def go_on_from(self, before: "Link") -> None:
        """What the link of the engine before this one, in the same process, had heard: it is not heard again."""
        self.heard_ms, self.newest_ms, self.lag_ms = before.heard_ms, before.newest_ms, before.lag_ms
        self.offset_ms, self.offset_at_ms, self.trial = before.offset_ms, before.offset_at_ms, before.trial
        self.waiting_since_ms, self.offline_ms = before.waiting_since_ms, before.offline_ms
        self.clock = before.clock

    def took_over(self, device_ms: int) -> None:
        """The engine before this one had come at least as far."""
        self.reached(device_ms)
        self.left_ms = self.reached_ms

    def reached(self, device_ms: int) -> None:
        self.reached_ms = device_ms if self.reached_ms is None else max(self.reached_ms, device_ms)

    @property
    def is_offline(self) -> bool:
        """Known to be offline; a gateway that never said anything is not."""
        return self.online is False

    def heard(self, received_ms: int, newest_ms: int | None, ahead_ms: int | None = None) -> bool:
        """Take in a message; True if the gateway counts as offline and yet speaks: its status is wrong or was lost.

        `newest_ms` None: all of it was refused; `ahead_ms`: how far what was refused lay in the future.
        """
        if newest_ms is None:
            if ahead_ms is not None:
                self.clock.ahead(received_ms, ahead_ms)
            if self.is_draining(received_ms):
                return False
            # The gateway is there, and nothing new is known of the time over there.
            newest_ms = received_ms - round(self.offset_ms or 0)
            self._measure(received_ms, newest_ms)
        else:
            self._measure(received_ms, newest_ms)
            if not self._is_backlog():
                self.clock.live(received_ms, self.lag_ms)
                if self.offset_ms is not None and self.offset_ms < 0:
                    self._believe_a_clock_set_right()
        if self.online is not False:
            return False
        return not self._is_backlog() and newest_ms + (self.offset_ms or 0) > (self.offline_ms or 0)

    def heard_together(self, received_ms: int, newest_ms: Sequence[int]) -> bool:
        """As `heard` of each of these messages, received in the same millisecond, where that can be told at a glance: the
        gateway is there, none is a backlog, and no clock is ahead. False: nothing was taken in, tell them one by one.
        """
        newest, oldest = max(newest_ms), min(newest_ms)
        offset_ms = self.offset_ms
        if (
            self.online is False
            or newest > received_ms
            or received_ms - oldest > self.tuning.backlog_lag_ms
            or (offset_ms is not None and offset_ms < 0)
        ):
            return False
        self._measure(received_ms, newest)  # of lags that are none below 0 the least counts, for offset and clock alike
        self.clock.live(received_ms, self.lag_ms)
        self.lag_ms = received_ms - newest_ms[-1]
        return True

    def _measure(self, received_ms: int, newest_ms: int) -> None:
        # Every message comes through here: comparisons are written out because calls cost three times as much.
        if self.heard_ms is None or received_ms > self.heard_ms:
            self.heard_ms = received_ms
        if self.newest_ms is None or newest_ms > self.newest_ms:
            self.newest_ms = newest_ms
        self.lag_ms = received_ms - newest_ms
        self.waiting_since_ms = None
        if self._is_backlog():
            self._try_steady(received_ms)
            return
        self.trial = None
        offset = self.lag_ms
        if self.offset_ms is not None:
            drifted = self.offset_ms + max(0, received_ms - self.offset_at_ms) * _OFFSET_DRIFT
            offset = min(offset, drifted)
        self.offset_ms, self.offset_at_ms = offset, received_ms

    def _believe_a_clock_set_right(self) -> None:
        """A clock that was ahead and is not any more would be followed for days, and everything behind it look stale."""
        lag_ms = self.clock.steady_lag_ms
        if lag_ms is not None and self.offset_ms is not None and self.offset_ms < min(lag_ms, 0):
            self.offset_ms = lag_ms

    def _is_backlog(self) -> bool:
        # A clock that is ahead (of one facility among several behind it, say) makes nobody else's messages a backlog.
        offset_ms = self.offset_ms
        lag_ms = self.lag_ms - offset_ms if offset_ms is not None and offset_ms > 0 else self.lag_ms
        return lag_ms > self.tuning.backlog_lag_ms

    def _try_steady(self, received_ms: int) -> None:
        if self.trial is None or abs(self.lag_ms - self.trial[1]) > _STEADY_BAND_MS:
            self.trial = (received_ms, self.lag_ms)
        elif received_ms - self.trial[0] >= _STEADY_AFTER_MS:
            self.offset_ms, self.offset_at_ms, self.trial = min(self.lag_ms, self.trial[1]), received_ms, None
            self.clock.starts_anew(received_ms, self.lag_ms)

    def is_draining(self, now_ms: int) -> bool:
        return self.heard_ms is not None and now_ms - self.heard_ms <= self.tuning.settle_ms and self._is_backlog()

    def is_silent(self, now_ms: int, connected_since_ms: int | None) -> bool | None:
        """Whether nothing came for too long; None while that cannot be told. Time before ingest connected is no
        silence.
        """
        if self.gateway is None:
            return False
        if connected_since_ms is None or self.is_offline:
            return None
        if now_ms - max(self.heard_ms or 0, connected_since_ms) > self.silent_after_ms:
            return True
        return False if self.heard_ms is not None and self.heard_ms >= connected_since_ms else None

    def went(self, *, online: bool, received_ms: int) -> bool:
        """Take in a status; True if it changed anything for those who wait for time to pass."""
        before, self.online = self.is_offline, online
        if not online:
            self.offline_ms = received_ms
        if before and online:
            self.waiting_since_ms = received_ms
        return before != self.is_offline

    def device_now(self, now_ms: int, connected_since_ms: int | None) -> int | None:
        """How far device time may pass at a tick; None: it stands still."""
        if connected_since_ms is None:
            return None
        if self.gateway is None:
            return now_ms
        if self.is_offline or self.is_silent(now_ms, connected_since_ms):
            return None
        waiting = self.waiting_since_ms
        if self.heard_ms is None or self.heard_ms < connected_since_ms:
            waiting = connected_since_ms if waiting is None else max(waiting, connected_since_ms)
        if waiting is not None and now_ms - waiting < self.tuning.settle_ms:
            return None
        if self.is_draining(now_ms):
            return self.newest_ms
        return now_ms - round(self.offset_ms or 0)


def by_read(
    gateway_ids: Sequence[int], received_ms: Sequence[int], newest_ms: Sequence[int]
) -> Iterator[tuple[int, int, list[int]]]:
    """Messages of many gateways by gateway and millisecond of receipt: in order for each gateway, not among them."""
    together: dict[int, tuple[int, list[int]]] = {}
    for gateway_id, received, newest in zip(gateway_ids, received_ms, newest_ms, strict=True):
        before = together.get(gateway_id)
        if before is not None and before[0] == received:
            before[1].append(newest)
            continue
        if before is not None:
            yield gateway_id, *before
        together[gateway_id] = received, [newest]
    for gateway_id, last in together.items():
        yield gateway_id, *last
