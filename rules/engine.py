"""Judges a site: samples and ticks in, decisions out. No clock, no I/O; one engine per site, one caller.

Built from the ledger (conditions, delays) and warmed with recent readings it stands where the engine before it stood,
so that a restart decides nothing by itself. Its state runs ahead of the ledger until the caller's transaction commits:
when that fails the engine is thrown away and built anew.

Time is device time. Samples are judged in the order they arrive, never sorted: in-order data of any age is judged as if
it had come when it was measured, and a batch judged whole gives what its parts give. A sample not newer than its point's
newest is late: it completes the past and moves nothing, but for occurrences of latched rules (`rules.latecomers`).
Ticks only let time pass where no sample does (`rules.links` says how far).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.records import (
    Condition,
    Decision,
    Delay,
    DelayEnded,
    DelaySet,
    Point,
    Quality,
    Reading,
    Repeat,
    Sample,
    SiteConfiguration,
    TimerKind,
    to_ms,
)
from rules import latecomers
from rules.binding import bind
from rules.block import Block, BlockOutcome
from rules.company import companies, end_step, in_turn, leaders_first, with_company
from rules.links import Link, Tuning, by_read
from rules.model import GATEWAY_KIND, ONLINE_KEY, SILENT_AFTER, Pack
from rules.places import Places
from rules.schedule import Schedule
from rules.sieve import Sieve
from rules.signals import Signal
from rules.silence import Vigil
from rules.watch import Sink, Watch

SILENT_AFTER_S = 600.0  # where the gateway pack has no parameter for it
_NO_GATEWAY: Final = 0  # key of the link of facilities that have none, the gateways' own among them


class Engine:
    """The rules of one site at work."""

    def __init__(
        self,
        configuration: SiteConfiguration,
        packs: Mapping[str, Pack],
        conditions: Sequence[Condition],
        delays: Sequence[Delay],
        tuning: Tuning | None = None,
        moved_ms: Mapping[int, int] | None = None,
    ) -> None:
        """`moved_ms`: when the rules last moved each condition, in device time; conditions they never moved are absent.
        With it a restart goes on exactly where it was left; without it (None) that is made out as well as can be from
        when gateways were last heard.
        """
        self._places = Places(configuration, packs)
        self._links = self._make_links(tuning or Tuning())
        self._signals = {
            point.id: Signal.of(point, self._links[self._link_key(point.facility_id)], self._wrap(point))
            for point in configuration.points
        }
        self._point_ids = list(self._signals)
        self._slots = {point_id: slot for slot, point_id in enumerate(self._point_ids)}
        self._online = self._find_online()
        by_facility = {link.gateway.facility_id: link for link in self._links.values() if link.gateway is not None}
        self._vigil = Vigil(self._places, self._signals, by_facility)
        self._schedules = {key: Schedule() for key in self._links}
        self._users: Mapping[int, Sequence[Watch]] = {}  # point -> those who must see its samples
        self._in_dark: dict[int, list[Watch]] = defaultdict(list)  # gateway -> those who know less when it is offline
        self._tick_only: list[Watch] = []
        self._companies: Mapping[int, Sequence[Watch]] = {}  # condition -> whom it goes through time with
        self._judged_by: dict[int, Sequence[Watch]] = {}  # point -> its users with their companies, leaders first
        self._holds: dict[int, int] = {}  # event point -> when the occurrence it holds ends
        self._hold_ends: dict[int, list[tuple[int, int]]] = {key: [] for key in self._links}
        self._moved_ms = moved_ms
        self.judged = 0  # samples so far that were judged one by one
        self._watch_all(conditions, delays)
        self._take_up_holds(delays)
        self._sieve = Sieve(list(self._signals.values()), self._slots, self._judged_by, self._online)

    # ------------------------------------------------------------------ building

    def _make_links(self, tuning: Tuning) -> dict[int, Link]:
        links = {_NO_GATEWAY: Link.of(None, tuning, 0)}
        for gateway in self._places.configuration.gateways:
            facility = self._places.facilities.get(gateway.facility_id)
            silent_after_s = None if facility is None else self._places.parameter(facility, None, SILENT_AFTER)
            links[gateway.id] = Link.of(gateway, tuning, round((silent_after_s or SILENT_AFTER_S) * 1000))
            if gateway.heard_at is not None:
                # Where there is no gateway, time had got as far as anything was heard at all.
                links[_NO_GATEWAY].took_over(to_ms(gateway.heard_at))
        return links

    def _link_key(self, facility_id: int) -> int:
        facility = self._places.facilities[facility_id]
        # What a gateway says of itself must stay known while it is offline.
        if facility.kind == GATEWAY_KIND or facility.gateway_id not in self._links:
            return _NO_GATEWAY
        return facility.gateway_id

    def _wrap(self, point: Point) -> float | None:
        kind = self._places.point_type(point)
        return None if kind is None else kind.wrap

    def _find_online(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for gateway in self._places.configuration.gateways:
            facility = self._places.facilities.get(gateway.facility_id)
            point = None if facility is None else self._places.point(facility, None, ONLINE_KEY)
            if point is not None:
                found[point.id] = gateway.id
        return found

    def _watch_all(self, conditions: Sequence[Condition], delays: Sequence[Delay]) -> None:
        running = {delay.condition_id: delay for delay in delays if delay.condition_id is not None}
        tick_only = self._vigil.tick_only()
        watches: dict[tuple[int, int | None, str], Watch] = {}
        users: dict[int, list[Watch]] = defaultdict(list)
        for condition, asks in leaders_first(conditions, self._places):
            facility_id, part_id = condition.facility_id, condition.part_id
            places = [(key, (facility_id, place, key)) for key in asks for place in {part_id, None}]
            leaders = {key: watches[place] for key, place in places if place in watches}
            bound = bind(condition, self._places, self._signals, tick_only, latecomers.KEEP_MS, leaders)
            if bound is None:
                continue
            moved_ms = None if self._moved_ms is None else self._moved_ms.get(condition.id)
            watch = Watch.of(condition, bound, running.get(condition.id), moved_ms, tuple(leaders.values()))
            watches[facility_id, part_id, condition.rule_key] = watch
            if bound.is_tick_only:
                self._tick_only.append(watch)
                continue
            self._schedules[self._link_key(condition.facility_id)].put(watch, 0)
            for signal in bound.operands:
                users[signal.point.id].append(watch)
            for key in {self._link_key(each.point.facility_id) for each in bound.operands if each.stale_ms is None}:
                self._in_dark[key].append(watch)
        self._tick_only_operands = list(
            {each.point.id: each for watch in self._tick_only for each in watch.bound.operands}.values()
        )
        self._companies = companies(list(watches.values()))
        self._turns = in_turn(list(watches.values()), self._companies)
        self._users = {point_id: tuple(found) for point_id, found in users.items()}
        self._judged_by = {point_id: with_company(users, self._companies) for point_id, users in self._users.items()}

    def _take_up_holds(self, delays: Sequence[Delay]) -> None:
        for delay in delays:
            signal = None if delay.point_id is None else self._signals.get(delay.point_id)
            if delay.kind is TimerKind.EVENT_HOLD and signal is not None:
                signal.take_up_hold(delay.since_ms, delay.due_ms)
                self._hold(signal, delay.due_ms)

    def lookback_s(self) -> Mapping[int, float]:
        """How much history each point needs to be warmed; 0: its last reading is enough."""
        return {point_id: signal.history.keep_ms / 1000 for point_id, signal in self._signals.items()}

    def warm(self, readings: Iterable[Reading]) -> None:
        """Take in what had been judged before, in order of time per point. Decides nothing."""
        self._sieve.tell_all()
        for reading in readings:
            signal, ts_ms = self._signals.get(reading.point_id), to_ms(reading.ts)
            if signal is None:
                continue
            if signal.is_late(ts_ms):
                signal.take_late(ts_ms, reading.value, reading.quality)
                continue
            signal.take(ts_ms, reading.value, reading.quality)
            signal.link.took_over(ts_ms)
            gateway_id = self._online.get(reading.point_id)
            if gateway_id is not None and signal.value is not None:
                self._links[gateway_id].online = signal.value >= 0.5
        self._sieve.reload(range(len(self._signals)))

    def go_on_from(self, before: "Engine") -> None:
        """Take over what the engine that this one replaces in the same process had heard: a change of configuration
        must not make gateways unheard, or silence would begin anew with every permit.
        """
        links, received_ms = before.heard_so_far()
        for key in self._links.keys() & links.keys():
            self._links[key].go_on_from(links[key])
        for point_id in self._signals.keys() & received_ms.keys():
            self._signals[point_id].received_ms = received_ms[point_id]

    def heard_so_far(self) -> tuple[Mapping[int, Link], Mapping[int, int | None]]:
        """The gateways as heard, and when each point last came in."""
        self._sieve.tell_all()
        return self._links, {point_id: signal.received_ms for point_id, signal in self._signals.items()}

    # ------------------------------------------------------------------ what the caller asks

    def are_newer(self, slot: NDArray[np.int32], ts_ms: NDArray[np.int64]) -> bool:
        """Whether these samples are all newer than the newest so far of their points; not so where a slot is none (-1).
        One that is not would come too late to move anything.
        """
        return bool((slot >= 0).all() and (ts_ms > self._sieve.last_ms[slot]).all())

    def draining(self, gateway_id: int, now_ms: int) -> bool:
        """Whether the gateway is sending what it had stored."""
        link = self._links.get(gateway_id)
        return link is not None and link.is_draining(now_ms)

    def clock_offset_ms(self, gateway_id: int) -> int | None:
        """How far the gateway's clock is behind ours, the way included; None: not measured yet."""
        link = self._links.get(gateway_id)
        return None if link is None or link.offset_ms is None else round(link.offset_ms)

    # ------------------------------------------------------------------ samples

    def heard(self, gateway_id: int, received_ms: int, newest_ts_ms: int | None, ahead_ms: int | None = None) -> None:
        """A message of the gateway came in, its newest sample of that time; told before its samples are fed. None:
        nothing of it could be taken; `ahead_ms`: what was refused lay so far in the future.
        """
        link = self._links.get(gateway_id)
        if link is not None and link.heard(received_ms, newest_ts_ms, ahead_ms):
            # It speaks of now, so it is there, whatever its last status said: what it says must be judged.
            self._follow_status(gateway_id, online=True, sink=Sink(received_ms))

    def hears_in_bulk(self, gateway_id: int) -> bool:
        """Whether messages of the gateway may be told ahead of the samples they brought, together with those of others:
        while it does not count as offline, and as long as no sample of its status comes in between.
        """
        link = self._links.get(gateway_id)
        return link is None or not link.is_offline

    def heard_block(self, gateway_ids: Sequence[int], received_ms: Sequence[int], newest_ms: Sequence[int]) -> None:
        """As `heard` for one message after the other, in order of arrival, of any gateways."""
        for gateway_id, received, newest in by_read(gateway_ids, received_ms, newest_ms):
            link = self._links.get(gateway_id)
            if link is not None and not link.heard_together(received, newest):
                for each in newest:
                    self.heard(gateway_id, received, each)

    def slots(self) -> Mapping[int, int]:
        """By point, its place in the arrays of a block: 0 to n - 1, the same for as long as this engine lives."""
        return self._slots

    def feed_block(self, block: Block) -> BlockOutcome:
        """As `feed`, of samples in arrays. Whoever mixes blocks with statuses of gateways feeds what came before a
        status, then the status by itself, then what came after it.
        """
        sink = Sink(0)

        def judge(block: Block, place: int) -> bool:
            point_id = self._point_ids[int(block.slot[place])]
            quality, received_ms = Quality(int(block.quality[place])), int(block.received_ms[place])
            sample = Sample(point_id, int(block.ts_ms[place]), float(block.value[place]), quality, received_ms)
            return self._judge(sample, sink)

        late = self._sieve.sift(block, judge)
        return BlockOutcome(sink.decisions, late)

    def feed(self, samples: Sequence[Sample]) -> list[Decision]:
        """Judge samples that are new to the ledger, in order of arrival."""
        sink = Sink(0)
        for sample in samples:
            if sample.point_id in self._signals:
                self._judge(sample, sink)
        return sink.decisions

    def _judge(self, sample: Sample, sink: Sink) -> bool:
        """Judge one sample; True if it was late."""
        self.judged += 1
        point_id = sample.point_id
        signal, slot, judged = self._signals[point_id], self._slots[point_id], self._judged_by.get(point_id, ())
        self._sieve.settle(judged)
        self._sieve.tell_signals((signal,))
        sink.received_ms = signal.received_ms = sample.received_ms
        is_late = signal.is_late(sample.ts_ms)
        if is_late:
            self._feed_late(signal, sample, sink)
        else:
            self._feed_next(signal, sample, sink)
        self._sieve.renew(judged, slot)
        return is_late

    def _feed_late(self, signal: Signal, sample: Sample, sink: Sink) -> None:
        signal.take_late(sample.ts_ms, sample.value, sample.quality)
        for watch in self._users.get(sample.point_id, ()):
            watch.is_behind = True
            watch.floor_ms = 0  # it may leave a window sooner than anything before
            self._plan(watch)
            if sample.quality is Quality.GOOD:
                latecomers.raise_late(watch, signal, sample.ts_ms, sink)

    def _feed_next(self, signal: Signal, sample: Sample, sink: Sink) -> None:
        point_id, ts_ms, judged = sample.point_id, sample.ts_ms, self._judged_by.get(sample.point_id, ())
        for watch in judged:
            self._begin(watch, ts_ms)
        for watch in judged:
            watch.advance(ts_ms, sink)
        repeated = [watch for watch in self._users.get(point_id, ()) if watch.active and point_id in watch.bound.events]
        signal.take(ts_ms, sample.value, sample.quality)
        signal.link.reached(ts_ms)
        if signal.is_event:
            self._follow_event(signal, ts_ms, sink)
            if signal.value:
                sink.decisions.extend(Repeat(watch.condition_id, ts_ms) for watch in repeated)
        for watch in judged:
            watch.follow(point_id, ts_ms, sink)
            self._plan(watch)
        end_step(judged)
        if point_id in self._online and signal.value is not None:
            self._follow_status(self._online[point_id], online=signal.value >= 0.5, sink=sink)

    def _begin(self, watch: Watch, to_ms: int) -> None:
        if not watch.is_begun:
            left_ms = self._links[self._link_key(watch.bound.facility.id)].left_ms
            watch.begin(left_ms if self._moved_ms is None else None, to_ms)

    def _plan(self, watch: Watch) -> None:
        self._schedules[self._link_key(watch.bound.facility.id)].put(watch, watch.next_ms())

    def _follow_event(self, signal: Signal, ts_ms: int, sink: Sink) -> None:
        point_id, until_ms = signal.point.id, signal.hold_until_ms
        if until_ms is not None:
            sink.decisions.append(DelaySet(Delay(TimerKind.EVENT_HOLD, None, point_id, ts_ms, until_ms, None)))
            self._hold(signal, until_ms)
        elif self._holds.pop(point_id, None) is not None:
            sink.decisions.append(DelayEnded(TimerKind.EVENT_HOLD, None, point_id))

    def _hold(self, signal: Signal, until_ms: int) -> None:
        self._holds[signal.point.id] = until_ms
        heappush(self._hold_ends[self._link_key(signal.point.facility_id)], (until_ms, signal.point.id))

    def _follow_status(self, gateway_id: int, *, online: bool, sink: Sink) -> None:
        """Going offline leaves conditions in the dark from where time had got to; coming back ends that only with the
        next sample or tick, for what happened meanwhile may be on its way.
        """
        link, in_dark = self._links[gateway_id], self._in_dark[gateway_id]
        judged = with_company(in_dark, self._companies)
        self._sieve.settle(judged)
        self._sieve.tell_links()
        if not online and not link.is_offline:
            for watch in judged:
                own = self._links[self._link_key(watch.bound.facility.id)]
                if own.reached_ms is not None:
                    watch.advance(own.reached_ms, sink)
        if link.went(online=online, received_ms=sink.received_ms):
            for watch in in_dark if online else ():
                watch.is_returning = True
            for watch in judged:
                if not online and watch.clock_ms is not None:
                    watch.judge(watch.clock_ms, sink)
                self._plan(watch)
            self._sieve.reload_link(link)
        end_step(judged)
        self._sieve.renew(judged)

    # ------------------------------------------------------------------ ticks

    def tick(self, now_ms: int, connected_since_ms: int | None) -> list[Decision]:
        """Let time pass to `now_ms`. `connected_since_ms`: since when ingest hears everything that is sent; None: it
        does not, so silence means nothing and time stands still.
        """
        sink = Sink(now_ms)
        self._sieve.tell_signals(self._tick_only_operands)
        if connected_since_ms is not None:
            # With what was known before: edges and delays on the way are judged by it, this moment by what is known now.
            for watch in self._tick_only:
                watch.advance(now_ms, sink)
        self._vigil.judge(now_ms, connected_since_ms, self._sieve.tell_receipts)
        if connected_since_ms is not None:
            for watch in self._tick_only:
                watch.judge(now_ms, sink)
        for key, link in self._links.items():
            device_now_ms = link.device_now(now_ms, connected_since_ms)
            if device_now_ms is not None:
                self._pass_time(key, device_now_ms, sink)
        return sink.decisions

    def _pass_time(self, key: int, to_ms: int, sink: Sink) -> None:
        due = with_company(self._schedules[key].due(to_ms, self._sieve), self._companies)
        judged = sorted(due, key=lambda watch: self._turns[watch.condition_id])
        self._sieve.settle(judged)
        for watch in judged:
            self._begin(watch, to_ms)
        for watch in judged:
            watch.tick(to_ms, sink)
            self._plan(watch)
        end_step(judged)
        self._sieve.renew(judged)
        ends = self._hold_ends[key]
        while ends and ends[0][0] <= to_ms:
            until_ms, point_id = heappop(ends)
            if self._holds.get(point_id) == until_ms:
                del self._holds[point_id]
                sink.decisions.append(DelayEnded(TimerKind.EVENT_HOLD, None, point_id))
        self._links[key].reached(to_ms)
