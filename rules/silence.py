"""Which points and gateways have gone quiet, and whose clock is wrong: judged at ticks only, from the times of receipt.

A point is stale when nothing of it came for three of its intervals although its gateway kept talking. While the gateway
itself is offline, silent or sending what it had stored, nothing is said of its points: its loss is one alarm, not a
hundred. Nothing counts from before ingest was connected, so a restart begins with not knowing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from rules.links import Link
from rules.places import Places
from rules.signals import Signal
from rules.slots import TickOnly
from rules.truth import Getter, Value

Tell = Callable[[Iterable[Signal]], None]


@dataclass(slots=True)
class _Group:
    """The points of one facility, or of one part, that report at intervals."""

    link: Link
    signals: list[Signal]
    count: Value = None
    quiet_until_ms: int = 0  # nothing can be stale before

    def judge(self, now_ms: int, connected_since_ms: int | None, tell: Tell) -> None:
        link = self.link
        if (
            connected_since_ms is None
            or link.is_offline
            or link.is_draining(now_ms)
            or link.is_silent(now_ms, connected_since_ms)
        ):
            self.count, self.quiet_until_ms = None, 0
        elif now_ms > self.quiet_until_ms:
            tell(self.signals)
            self._count(now_ms, connected_since_ms)

    def _count(self, now_ms: int, connected_since_ms: int) -> None:
        stale = unknown = 0
        earliest: int | None = None
        for signal in self.signals:
            is_known = signal.received_ms is not None and signal.received_ms >= connected_since_ms
            base_ms = signal.received_ms if is_known and signal.received_ms is not None else connected_since_ms
            deadline_ms = base_ms + (signal.stale_ms or 0)
            earliest = deadline_ms if earliest is None else min(earliest, deadline_ms)
            if now_ms > deadline_ms and self._spoke_since(deadline_ms):
                stale += 1
            elif now_ms > deadline_ms or not is_known:
                unknown += 1
        # Some are stale for sure, whatever is unknown of others: the count is then the least it can be.
        self.count = float(stale) if stale or not unknown else None
        self.quiet_until_ms = 0 if stale or unknown or earliest is None else earliest

    def _spoke_since(self, deadline_ms: int) -> bool:
        link = self.link
        return link.gateway is None or (link.heard_ms is not None and link.heard_ms >= deadline_ms)


@dataclass(slots=True)
class Vigil:
    """Keeps watch over what is asked of it while rules are bound."""

    places: Places
    signals: Mapping[int, Signal]
    links: Mapping[int, Link]  # by the facility that the gateway itself is
    _groups: dict[tuple[int, int | None], _Group] = field(default_factory=dict[tuple[int, int | None], _Group])
    _silent: dict[int, Value] = field(default_factory=dict[int, Value])
    _offset_s: dict[int, Value] = field(default_factory=dict[int, Value])

    def tick_only(self) -> TickOnly:
        return TickOnly(self._ask_stale, self._ask_silent, self._ask_offset)

    def _ask_stale(self, facility_id: int, part_id: int | None) -> Getter:
        found = [self.signals[point.id] for point in self.places.points_of(facility_id, part_id)]
        found = [signal for signal in found if signal.stale_ms is not None]
        if not found:
            return lambda _at: None
        group = self._groups.setdefault((facility_id, part_id), _Group(found[0].link, found))
        return lambda _at: group.count

    def _ask_silent(self, facility_id: int) -> Getter:
        self._silent.setdefault(facility_id, None)  # asked anew, it stays what it is
        return lambda _at: self._silent[facility_id]

    def _ask_offset(self, facility_id: int) -> Getter:
        self._offset_s.setdefault(facility_id, None)
        return lambda _at: self._offset_s[facility_id]

    def judge(self, now_ms: int, connected_since_ms: int | None, tell: Tell) -> None:
        """`tell`: lets signals know of samples that were only noted."""
        for group in self._groups.values():
            group.judge(now_ms, connected_since_ms, tell)
        for facility_id in self._silent:
            link = self.links.get(facility_id)
            self._silent[facility_id] = None if link is None else link.is_silent(now_ms, connected_since_ms)
        for facility_id in self._offset_s:
            link = self.links.get(facility_id)
            is_there = link is not None and connected_since_ms is not None and not link.is_offline
            self._offset_s[facility_id] = link.clock.offset_s(now_ms) if is_there and link is not None else None
