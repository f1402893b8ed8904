"""Tells samples that change nothing from those that might, by the thousand, and remembers the former until they matter.

Each point has a quiet band of values (`rules.outlook`) and a moment until which nothing happens by itself to any
condition that is judged by it: no delay runs out, nothing goes stale, nothing leaves a window that matters. A good sample
in order, within the band, before that moment and after the last edge walked decides nothing, now or later, and leaves
every answer of every condition as it was. So it is only noted: newest time, value and receipt of its point, as arrays.

Whoever touches a condition settles it first: its signals, histories and clock are then as if every sample had been judged
one by one. Whoever has touched it renews it: what was noted of its bands and moments is worked out again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from rules.block import Block
from rules.links import Link
from rules.lists import Lists, Numbers
from rules.outlook import NEVER, Look, PointOutlook
from rules.signals import Signal
from rules.slots import Departure, Edge
from rules.stakes import NOTHING, Age, OverTime, Range
from rules.watch import Watch

_LONG_AGO = -(1 << 62)
_NOT_STALE = 1 << 60
_KEPT_MAX = 200_000  # samples on their way into histories before they are put there

Judge = Callable[[Block, int], bool]  # the sample at that place, by itself; True: it was late


@dataclass(slots=True)
class _Track:
    """One condition as the sieve follows it."""

    watch: Watch
    number: int
    minds: Numbers  # the points by whose samples it is judged
    slots: Numbers  # these, and those whose samples only take it through time
    looks: Sequence[Look]
    edges: Sequence[Edge]  # those that no quiet sample moves
    looked_at: Sequence[int]  # the slots of `looks`
    seen: int = 0  # the samples noted up to here are in its clock


class Sieve:
    """What is noted of every point of a site."""

    def __init__(
        self,
        signals: Sequence[Signal],
        slot_of: Mapping[int, int],
        judged_by: Mapping[int, Sequence[Watch]],
        loud: Iterable[int],
    ) -> None:
        """`loud`: the points of which every single sample is to be judged."""
        self._signals = signals
        self._slot_of = slot_of
        self._loud = {slot_of[point_id] for point_id in loud}
        self._touched: set[int] = set()
        count = len(signals)
        self._stale = np.array([_NOT_STALE if each.stale_ms is None else each.stale_ms for each in signals], np.int64)
        links: dict[int, int] = {}
        self._links: list[Link] = []
        for each in signals:
            if id(each.link) not in links:
                links[id(each.link)] = len(links)
                self._links.append(each.link)
        self._link = np.array([links[id(each.link)] for each in signals], np.int64)
        self._reached = np.full(len(links), _LONG_AGO, np.int64)
        self._keeps = np.array([each.keeps_history for each in signals], np.bool_)
        self.last_ms = np.full(count, _LONG_AGO, np.int64)
        self._value = np.zeros(count)
        self._received = np.zeros(count, np.int64)
        self._noted = np.zeros(count, np.bool_)  # what the signal does not know yet
        self._order = np.zeros(count, np.int64)  # of its last quiet sample among all of them
        self._counted = 0
        self._low, self._high = np.full(count, inf), np.full(count, -inf)
        self._from, self._until = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self._deadline = np.full(count + 1, NEVER, np.int64)  # the moment it goes stale; the last is nobody's
        self._kept: list[tuple[Numbers, NDArray[np.int64], NDArray[np.float64]]] = []
        self._kept_count = 0
        self._tracks: dict[int, _Track] = {}
        self._judged: list[Sequence[_Track]] = []
        self._follow(slot_of, judged_by)
        tracks = list(self._tracks.values())
        self._settled = np.zeros(len(tracks) + 1, np.int64)  # until when nothing happens to it; the last is nobody's
        self._walked = np.zeros(len(tracks) + 1, np.int64)
        self._settled[-1], self._walked[-1] = NEVER, _LONG_AGO
        self._of_slot = Lists.of([[each.number for each in judged] for judged in self._judged], len(tracks))
        self._of_track = Lists.of(
            [
                [slot_of[each.point.id] for each in track.watch.bound.operands if each.stale_ms is not None]
                for track in [*tracks]
            ]
            + [[]],
            count,
        )
        self.reload(range(count))

    def _follow(self, slot_of: Mapping[int, int], judged_by: Mapping[int, Sequence[Watch]]) -> None:
        self._outlooks = [PointOutlook(each) for each in self._signals]
        slots_of: dict[int, list[int]] = {}
        watches: dict[int, Watch] = {}
        for point_id, judged in judged_by.items():
            for watch in judged:
                watches[watch.condition_id] = watch
                slots_of.setdefault(watch.condition_id, []).append(slot_of[point_id])
        numbers: dict[tuple[int, ...], Numbers] = {}  # many conditions are judged by the same points

        def shared(of: Iterable[int]) -> Numbers:
            key = tuple(sorted(of))
            if key not in numbers:
                numbers[key] = np.array(key, np.int64)
            return numbers[key]

        for condition_id, watch in watches.items():
            looks = tuple(Look(stake) for stake in watch.bound.stakes if isinstance(stake, OverTime | Age))
            self._tracks[condition_id] = _Track(
                watch,
                len(self._tracks),
                shared(slot_of[point_id] for point_id in watch.minds),
                shared(slots_of[condition_id]),
                looks,
                _unmoved_edges(watch),
                tuple(slot_of[look.stake.signal.point.id] for look in looks),
            )
            for look, slot in zip(looks, self._tracks[condition_id].looked_at, strict=True):
                self._outlooks[slot].looks += (look,)
            for stake in watch.bound.stakes:
                self._outlooks[slot_of[stake.signal.point.id]].mind([stake])
        self._judged = [
            tuple(self._tracks[watch.condition_id] for watch in judged_by.get(each.point.id, ()))
            for each in self._signals
        ]

    # ------------------------------------------------------------------ telling quiet samples

    def sift(self, block: Block, judge: Judge) -> NDArray[np.bool_]:
        """Judge those of a block that might change something, in their places among the others, which are noted; tells
        which were late.
        """
        count = len(block)
        late = np.zeros(count, np.bool_)
        places = np.arange(count)
        quiet = self.quiet(block, places)
        is_worth_it = 2 * int(np.count_nonzero(quiet)) >= count
        if not is_worth_it:
            quiet[:] = False
        place = 0
        while place < count:
            found = int(quiet[place:].argmin())
            following = place + found if not quiet[place + found] else count
            if following > place:
                self.note(block, places[place:following])
            if following == count:
                break
            self._touched.clear()
            late[following] = judge(block, following)
            place = following + 1
            if is_worth_it and self._touched and place < count:
                changed = place + np.flatnonzero(np.isin(block.slot[place:], list(self._touched)))
                if len(changed):
                    quiet[changed] = self.quiet(block, changed)
        return late

    def quiet(self, block: Block, places: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the block's samples at these places, taken in this order, change nothing."""
        slot, ts_ms, value = block.slot[places], block.ts_ms[places], block.value[places]
        before = self._before(slot, ts_ms)
        found = (block.quality[places] == 0) & (value >= self._low[slot]) & (value <= self._high[slot])
        found &= (ts_ms > before) & (ts_ms - before <= self._stale[slot])
        in_time = (ts_ms < self._until[slot]) & (ts_ms >= self._from[slot])
        outrun = found & ~in_time
        if outrun.any():
            self._look_ahead(np.unique(slot[outrun]).astype(np.int64))
            in_time = (ts_ms < self._until[slot]) & (ts_ms >= self._from[slot])
        return found & in_time

    def _before(self, slot: NDArray[np.int32], ts_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of each sample, when the one before it at the same point was taken."""
        before = self.last_ms[slot]
        order = np.argsort(slot, kind="stable")
        again = slot[order[1:]] == slot[order[:-1]]
        if again.any():
            before[order[1:][again]] = ts_ms[order[:-1][again]]
        return before

    def _look_ahead(self, slots: Numbers) -> None:
        """Until when nothing happens to whoever is judged by these points, as far as is noted now."""
        tracks, begin, _ = self._of_slot.of_all(slots)
        each, where = np.unique(tracks, return_inverse=True)
        until, walked = self._nothing_before(each), self._walked[each]
        self._until[slots] = np.minimum.reduceat(until[where], begin)
        self._from[slots] = np.maximum.reduceat(walked[where], begin)

    def _nothing_before(self, numbers: Numbers) -> NDArray[np.int64]:
        """For each of these conditions, the moment before which nothing happens to it by itself."""
        operands, begin, length = self._of_track.of_all(numbers)
        goes_stale = self._deadline[operands]
        goes_stale[goes_stale <= np.repeat(self._walked[numbers], length)] = NEVER  # that edge lies behind
        return np.minimum(np.minimum.reduceat(goes_stale, begin), self._settled[numbers])

    def quiet_until(self, watches: Sequence[Watch]) -> Sequence[int]:
        """The moment before which nothing happens to each of these by itself; 0: not known."""
        tracks = [self._tracks.get(watch.condition_id) for watch in watches]
        numbers = np.array([-1 if track is None else track.number for track in tracks], np.int64)
        until: list[int] = np.where(numbers < 0, 0, self._nothing_before(numbers)).tolist()
        return until

    def note(self, block: Block, places: NDArray[np.int64]) -> None:
        """Take in samples that were found quiet."""
        slot, ts_ms, value = block.slot[places], block.ts_ms[places], block.value[places]
        # Of several at one point the last one stays, in each of these.
        self.last_ms[slot], self._value[slot], self._received[slot] = ts_ms, value, block.received_ms[places]
        self._noted[slot] = True
        known = self._deadline[slot] != NEVER
        self._deadline[slot] = np.where(known, ts_ms + self._stale[slot] + 1, NEVER)
        self._order[slot] = np.arange(self._counted + 1, self._counted + 1 + len(places))
        self._counted += len(places)
        np.maximum.at(self._reached, self._link[slot], ts_ms)
        kept = self._keeps[slot]
        if kept.any():
            self._kept.append((slot[kept].astype(np.int64), ts_ms[kept], value[kept]))
            self._kept_count += len(self._kept[-1][0])
            if self._kept_count > _KEPT_MAX:
                self._remember()

    # ------------------------------------------------------------------ before a condition is touched

    def settle(self, watches: Iterable[Watch]) -> None:
        """Let these conditions, and the points they look at, know all that was noted."""
        for watch in watches:
            track = self._tracks.get(watch.condition_id)
            if track is not None:
                self._settle(track)

    def _settle(self, track: _Track) -> None:
        slots = track.slots
        orders = self._order[slots]
        if track.seen == self._counted or int(orders.max()) <= track.seen:
            track.seen = self._counted
            return
        self._remember()
        watch = track.watch
        self.tell(track.minds)
        order = self._order[track.minds]
        last = int(order.argmax())
        judged = int(order[last])
        clock_ms = watch.clock_ms
        if judged > track.seen:
            clock_ms = int(self.last_ms[track.minds[last]])
        later = self.last_ms[slots[orders > max(judged, track.seen)]]
        if len(later) and clock_ms is not None:
            clock_ms = max(clock_ms, int(later.max()))
        watch.clock_ms = clock_ms
        if clock_ms is not None:
            for edges in watch.bound.edges:
                for edge in edges:
                    moment = edge(clock_ms)
                    if moment is not None and moment < watch.floor_ms:
                        watch.floor_ms = moment
        track.seen = self._counted

    def tell_signals(self, signals: Iterable[Signal]) -> None:
        """Let these signals know what was noted, and their histories."""
        slots = np.array([self._slot_of[each.point.id] for each in signals], np.int64)
        if self._keeps[slots].any():
            self._remember()
        self.tell(slots)

    def tell_receipts(self, signals: Iterable[Signal]) -> None:
        """Let these signals know when they last came in."""
        self.tell(np.array([self._slot_of[each.point.id] for each in signals], np.int64))

    def tell(self, slots: Numbers) -> None:
        """Let the signals of these points know what was noted."""
        noted: list[int] = slots[self._noted[slots]].tolist()
        for slot in noted:
            signal = self._signals[slot]
            signal.last_ms, signal.value = int(self.last_ms[slot]), float(self._value[slot])
            signal.received_ms = int(self._received[slot])
            self._noted[slot] = False

    def tell_all(self) -> None:
        """Let everybody know everything."""
        self._remember()
        for track in self._tracks.values():
            self._settle(track)
        self.tell(np.flatnonzero(self._noted))
        self.tell_links()

    def tell_links(self) -> None:
        """Let the gateways' links know how far time has come."""
        for place in np.flatnonzero(self._reached != _LONG_AGO).tolist():
            self._links[place].reached(int(self._reached[place]))
        self._reached[:] = _LONG_AGO

    def _remember(self) -> None:
        """Put the samples on their way into their histories."""
        if not self._kept:
            return
        slot, ts_ms, value = (np.concatenate(each) for each in zip(*self._kept, strict=True))
        self._kept, self._kept_count = [], 0
        order = np.argsort(slot, kind="stable")
        slot = slot[order]
        begins = np.flatnonzero(np.diff(slot, prepend=-1)).tolist()
        times, values = ts_ms[order].tolist(), value[order].tolist()
        for begin, end in zip(begins, [*begins[1:], len(times)], strict=True):
            self._signals[int(slot[begin])].history.extend(times[begin:end], values[begin:end])

    # ------------------------------------------------------------------ after a condition was touched

    def reload(self, slots: Iterable[int]) -> None:
        """Take in how the signals of these points stand."""
        for slot in slots:
            signal = self._signals[slot]
            last_ms = signal.last_ms
            self.last_ms[slot] = _LONG_AGO if last_ms is None else last_ms
            self._deadline[slot] = NEVER
            if signal.stale_ms is not None and last_ms is not None and signal.value is not None:
                self._deadline[slot] = last_ms + signal.stale_ms + 1
            self._low[slot], self._high[slot] = self._band(slot)

    def reload_link(self, link: Link) -> None:
        """Take in that a gateway came or went."""
        number = next((place for place, each in enumerate(self._links) if each is link), -1)
        slots: list[int] = np.flatnonzero(self._link == number).tolist()
        for slot in slots:
            self._low[slot], self._high[slot] = self._band(slot)
        self._touched.update(slots)

    def _band(self, slot: int) -> Range:
        return NOTHING if slot in self._loud else self._outlooks[slot].band()

    def renew(self, watches: Iterable[Watch], slot: int | None = None) -> None:
        """Work out anew what these conditions depend on, and the point that was judged."""
        touched: set[int] = set()
        for watch in watches:
            track = self._tracks.get(watch.condition_id)
            if track is not None and self._renew(track):
                touched.update(track.slots.tolist())
        if slot is not None:
            deadline = int(self._deadline[slot])
            self.reload((slot,))
            if deadline == NEVER or deadline <= self.last_ms[slot]:
                # It was worth nothing, and from now on it may go stale.
                for track in self._judged[slot]:
                    touched.update(track.slots.tolist())
            touched.add(slot)
        if touched:
            self._until[list(touched)] = 0
            self._touched |= touched

    def _renew(self, track: _Track) -> bool:
        watch, number = track.watch, track.number
        settled = watch.settled_until_ms()
        clock_ms = watch.clock_ms
        is_new = False
        if clock_ms is not None:
            for look in track.looks:
                before = look.within
                look.renew(clock_ms)
                is_new |= look.within != before
                settled = min(settled, look.until_ms)
            for edge in track.edges:
                moment = edge(clock_ms)
                if moment is not None and moment < settled:
                    settled = moment
        for slot in track.looked_at:
            self._low[slot], self._high[slot] = self._band(slot)
        is_new |= settled != self._settled[number] or watch.walked_ms != self._walked[number]
        self._settled[number], self._walked[number] = settled, watch.walked_ms
        return is_new


def _unmoved_edges(watch: Watch) -> Sequence[Edge]:
    """Its edges but those that quiet samples move away: of points that go stale, and of windows (`rules.outlook`)."""
    *moved, unmoved = watch.bound.edges
    found = list(unmoved)
    for signal, edges in zip(watch.bound.operands, moved, strict=True):
        own = 0 if signal.is_event else 1  # the first is the signal's own
        found += [edge for edge in edges[own:] if not isinstance(edge, Departure)]
    return tuple(found)
