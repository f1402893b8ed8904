"""One condition being watched: its clock, its running delay, and the decisions that follow as time and samples come.

Between two samples of its operands a condition's truth is a step function of device time: it changes only at the
edges its slots know (an operand goes stale, an occurrence ends, a sample leaves a window, a permit begins). So advancing
it walks from edge to edge, and a delay that runs out on the way is decided at its due time, whether a tick looked just
then, a minute later, or a backlog brought the next sample days afterwards.

Unknown neither raises nor clears nor suppresses. It freezes a running delay, which goes on when the same truth is known again, or is
called off when that takes longer than the rule's `unknown_max`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.lifecycle import ConditionMove
from ledger.records import (
    Condition,
    ConditionDecision,
    ConditionReason,
    Decision,
    Delay,
    DelayEnded,
    DelaySet,
    TimerKind,
    from_ms,
)
from rules.binding import Bound, Past
from rules.slots import Shown

_NEVER = 1 << 62  # later than any moment
_EDGES_MAX = 100_000  # walked while looking for where a persisted state was left; far above any real gap


@dataclass(slots=True)
class Sink:
    """Where decisions go, and when what showed them was received."""

    received_ms: int
    decisions: list[Decision] = field(default_factory=list[Decision])


@dataclass(slots=True)
class Watch:
    condition_id: int
    bound: Bound
    active: bool
    suppressed: bool
    delay: Delay | None = None
    clock_ms: int | None = None  # judged up to here; None: nothing is known yet
    is_begun: bool = False
    is_returning: bool = (
        False  # an operand's gateway came back: until the next advance was the dark, which is not walked
    )
    doubted_ms: int | None = None  # since when the suppression is neither confirmed nor denied, as far as seen
    moved_ms: int | None = None  # when it last moved: nothing is dated before that
    leaders: tuple["Watch", ...] = ()  # those it asks after; judged before it, and never behind it in time
    minds: tuple[int, ...] = ()  # the points whose samples it is judged by: its own and its leaders'
    is_followed: bool = False
    is_behind: bool = False  # its past was completed, and it has not been asked since
    walked_ms: int = 0  # the last edge it passed: a sample older than that may find another truth
    is_out: bool = False  # of service: nobody hears of it, so nothing may hide behind it
    turns: tuple[tuple[int, bool], ...] = ()  # of its alarm, in this step
    past_once: Past | None = None
    # No edge comes between the clock and this moment. Most samples only move edges away (the point that reported goes
    # stale later than before), so looking at all of them again is put off until time gets here.
    floor_ms: int = 0

    @classmethod
    def of(
        cls,
        condition: Condition,
        bound: Bound,
        delay: Delay | None,
        moved_ms: int | None,
        leaders: tuple["Watch", ...] = (),
    ) -> "Watch":
        """As the ledger has it. A delay of the wrong direction cannot go on: the ledger keeps none."""
        wanted = TimerKind.OFF_DELAY if condition.active else TimerKind.ON_DELAY
        kept = delay if delay is not None and delay.kind is wanted else None
        own = (signal.point.id for signal in bound.operands)
        minds = tuple(dict.fromkeys((*own, *(point_id for leader in leaders for point_id in leader.minds))))
        for leader in leaders:
            leader.is_followed = True
        return cls(
            condition.id,
            bound,
            condition.active,
            condition.suppressed,
            kept,
            moved_ms=moved_ms,
            leaders=leaders,
            minds=minds,
            is_out=condition.out_of_service,
        )

    # ------------------------------------------------------------------ taking up where a persisted state was left

    def begin(self, reached_ms: int | None, to_ms: int) -> None:
        """Find how far this state had been judged when it was stored, and go on from there.

        At least as far as its newest sample, its last move, its delay and those of its leaders show. From there the engine before this one
        decided nothing more, so walking the same edges again decides nothing either, until it comes to what is new.
        Where last moves are not known, `reached_ms` stands in for them: time had got that far with all its edges, and
        the latest moment up to it is taken at which nothing is to be decided. If there is no such moment at all, the
        rule or its limits have changed, and it is judged afresh from `to_ms`.
        """
        self.is_begun = True
        known = self.known_ms()
        if self.bound.operands and not known:
            return
        marks = [*known, *self.marks()]
        start = max(marks, default=reached_ms)
        if start is None:
            return
        reached, place, found = max(start, reached_ms or start), start, None
        for _ in range(_EDGES_MAX):
            if place > reached and (found is not None or place > to_ms):
                break
            if self._is_settled(place):
                found = place
            following = self._edge(place)
            if place < reached and (following is None or following > reached):
                following = reached
            if following is None:
                break
            place = following
        self.clock_ms = found
        self.walked_ms = found or 0

    def past(self) -> Past | None:
        """`Bound.past`, compiled once: late samples come by the thousand."""
        self.past_once = self.past_once or self.bound.past()
        return self.past_once

    def known_ms(self) -> list[int]:
        """When what it is judged by last reported."""
        own = [signal.last_ms for signal in self.bound.operands if signal.last_ms is not None]
        return own + [moment for leader in self.leaders for moment in leader.known_ms()]

    def marks(self) -> list[int]:
        """Moments that its own decisions, or those of whom it asks after, have been carried to for sure."""
        marks = [] if self.moved_ms is None else [self.moved_ms]
        if self.delay is not None:
            marks += [self.delay.since_ms, self.delay.frozen_ms or self.delay.since_ms]
        return marks + [mark for leader in self.leaders for mark in leader.marks()]

    def _is_settled(self, at_ms: int) -> bool:
        """Whether nothing would be decided at that moment."""
        if self._suppression(at_ms) not in (None, self.suppressed):
            return False
        wanted, delay = self._wanted(at_ms), self.delay
        if wanted is None:
            return delay is None or (
                delay.frozen_ms is not None and delay.frozen_ms <= at_ms < self._gives_up_ms(delay)
            )
        if not wanted:
            return delay is None
        return delay is not None and delay.frozen_ms is None and delay.since_ms <= at_ms < delay.due_ms

    # ------------------------------------------------------------------ time passes

    def stood(self, at_ms: int) -> bool:
        """Whether its alarm stood at that moment of the step being judged: true from its raise to its return. That of
        a condition out of service stands for nobody.
        """
        if self.is_out:
            return False
        for moment, active in reversed(self.turns):
            if moment <= at_ms:
                return active
        return not self.turns[0][1] if self.turns else self.active

    def settled_until_ms(self) -> int:
        """The moment before which its delay and its doubts let nothing happen; 0: it is not sure where it stands."""
        if not self.is_begun or self.clock_ms is None or self.is_returning or self.is_behind:
            return 0
        doubt_ms = _NEVER if self.doubted_ms is None else self.doubted_ms + self._patience_ms + 1
        return min(self._timer(), doubt_ms if doubt_ms > self.clock_ms else _NEVER)

    def next_turn(self, at_ms: int) -> int | None:
        return min((moment for moment, _ in self.turns if moment > at_ms), default=None)

    def next_ms(self) -> int | None:
        """The moment before which nothing happens if no sample comes; None: nothing ever will."""
        if self.is_returning:
            return 0
        moment = min(self._timer(), max(self.floor_ms, self.clock_ms or 0))
        return None if self.clock_ms is None or moment == _NEVER else moment

    def advance(self, to_ms: int, sink: Sink) -> None:
        """Let time pass: whatever is due, at the moment it is due."""
        if self.clock_ms is None:
            return
        if any(leader.turns for leader in self.leaders):
            self.floor_ms = 0
        while True:
            moment = self._timer()
            if not self.is_returning:
                if self.floor_ms <= to_ms:
                    edge = self._edge(self.clock_ms)
                    self.floor_ms = _NEVER if edge is None else edge
                moment = min(moment, self.floor_ms)
            if moment > to_ms:
                break
            self._pass(moment, sink)
        self.clock_ms = max(self.clock_ms, to_ms)

    def follow(self, point_id: int, at_ms: int, sink: Sink) -> None:
        """A sample was taken in: judge by it if it is an operand's, or a leader's, and mind the edges it brought."""
        if point_id not in self.minds:
            return
        self.judge(at_ms, sink)
        for edge in self.bound.edges_moved_by(point_id):
            moment = edge(at_ms)
            if moment is not None and moment < self.floor_ms:
                self.floor_ms = moment

    def tick(self, now_ms: int, sink: Sink) -> None:
        """Time passes where no sample comes: as `advance`, and what was unknown or new is judged."""
        judged_before = self.clock_ms is not None and not self.is_returning
        self.advance(now_ms, sink)
        if not judged_before or any(leader.turns for leader in self.leaders):
            self.judge(now_ms, sink)

    def judge(self, at_ms: int, sink: Sink) -> None:
        """Ask the rule at this moment, and follow its answer. The clock stands there afterwards: a sample that is
        older than what other points have shown takes it back, and what comes next is judged from there.
        """
        if self.clock_ms is None or at_ms < self.clock_ms:
            self.floor_ms = 0
            self.walked_ms = min(self.walked_ms, at_ms)
        if self.clock_ms is None or self.is_returning:
            self.walked_ms = at_ms  # the dark before is not walked
        self.clock_ms, self.is_returning, self.is_behind = at_ms, False, False
        was_active = self.active
        if not was_active:
            self._judge_suppression(at_ms, sink)  # out of sight before it is raised
        self._judge_process(at_ms, sink)
        if was_active:
            self._judge_suppression(at_ms, sink)  # over before it comes into sight

    def _judge_process(self, at_ms: int, sink: Sink) -> None:
        wanted, delay = self._wanted(at_ms), self.delay
        if wanted is None:
            if delay is not None and delay.frozen_ms is None:
                self._set(
                    Delay(
                        delay.kind, self.condition_id, None, delay.since_ms, delay.due_ms, max(at_ms, delay.since_ms)
                    ),
                    sink,
                )
        elif not wanted:
            self._end_delay(sink)
        elif delay is None:
            self._start(at_ms, sink)
        elif delay.frozen_ms is not None:
            self._resume(delay, delay.frozen_ms, at_ms, sink)

    def _pass(self, moment: int, sink: Sink) -> None:
        self.walked_ms = max(self.walked_ms, moment)
        delay = self.delay
        if delay is not None and delay.frozen_ms is None and delay.due_ms <= moment:
            self._end_delay(sink)
            if not self.active and not self.is_returning:
                self._judge_suppression(max(moment, self.clock_ms or moment), sink)
            self._move(delay.due_ms, delay.since_ms, sink)
        elif delay is not None and delay.frozen_ms is not None and self._gives_up_ms(delay) <= moment:
            self._end_delay(sink)
        if not self.is_returning:
            self.judge(max(moment, self.clock_ms or moment), sink)

    def _timer(self) -> int:
        delay = self.delay
        if delay is None:
            return _NEVER
        return delay.due_ms if delay.frozen_ms is None else self._gives_up_ms(delay)

    def _gives_up_ms(self, delay: Delay) -> int:
        frozen_ms = delay.due_ms if delay.frozen_ms is None else delay.frozen_ms
        return frozen_ms + self._patience_ms + 1

    @property
    def _patience_ms(self) -> int:
        return round(self.bound.rule.unknown_max_s * 1000)

    def _edge(self, at_ms: int) -> int | None:
        found: int | None = None
        if self.doubted_ms is not None and self.doubted_ms + self._patience_ms + 1 > at_ms:
            found = self.doubted_ms + self._patience_ms + 1
        for edges in self.bound.edges:
            for edge in edges:
                moment = edge(at_ms)
                if moment is not None and (found is None or moment < found):
                    found = moment
        return found

    # ------------------------------------------------------------------ what follows

    def _wanted(self, at_ms: int) -> bool | None:
        """Whether the other side is true now: clear while active, `when` while not."""
        value = self.bound.clear(at_ms) if self.active else self.bound.when(at_ms)
        return None if value is None else bool(value)

    def _judge_suppression(self, at_ms: int, sink: Sink) -> None:
        value = self._suppression(at_ms)
        if value is None and self.suppressed:
            if self.doubted_ms is None:
                self.doubted_ms = at_ms
            self.floor_ms = 0  # what made it unknown has brought the edge at which patience ends
            return
        self.doubted_ms = None
        if value is None or value == self.suppressed:
            return
        self.suppressed = value
        move = ConditionMove.SUPPRESS if self.suppressed else ConditionMove.UNSUPPRESS
        reason = ConditionReason.SUPPRESSED_BY_RULE if self.suppressed else ConditionReason.SUPPRESSION_ENDED
        self._decide(move, at_ms, at_ms, reason, sink)

    def _suppression(self, at_ms: int) -> bool | None:
        """Whether it is to be suppressed; None: as it is. What is unknown holds a suppression for the rule's
        `unknown_max` and no longer: a dead sensor must not silence an alarm for ever.
        """
        if self.bound.suppress is None:
            return False  # the rule may have lost its suppression while this stood
        value = self.bound.suppress(at_ms)
        if value is not None:
            return bool(value)
        if not self.suppressed:
            return None
        unknown = [since for each in self.bound.suppressors if (since := each.unknown_since(at_ms)) is not None]
        since = [max(unknown)] if unknown else []
        if self.doubted_ms is not None:
            since.append(self.doubted_ms)
        return False if since and at_ms - min(since) > self._patience_ms else None

    def _start(self, at_ms: int, sink: Sink) -> None:
        rule = self.bound.rule
        delay_ms = round((rule.off_delay_s if self.active else rule.on_delay_s) * 1000)
        if delay_ms == 0:
            self._move(at_ms, at_ms, sink)
            return
        kind = TimerKind.OFF_DELAY if self.active else TimerKind.ON_DELAY
        self._set(Delay(kind, self.condition_id, None, at_ms, at_ms + delay_ms, None), sink)

    def _resume(self, delay: Delay, frozen_ms: int, at_ms: int, sink: Sink) -> None:
        if at_ms >= self._gives_up_ms(delay):
            self._end_delay(sink)
            self._start(at_ms, sink)
            return
        due_ms = delay.due_ms + max(0, at_ms - frozen_ms)
        self._set(Delay(delay.kind, self.condition_id, None, delay.since_ms, due_ms, None), sink)

    def _set(self, delay: Delay, sink: Sink) -> None:
        self.delay = delay
        sink.decisions.append(DelaySet(delay))

    def _end_delay(self, sink: Sink) -> None:
        if self.delay is not None:
            sink.decisions.append(DelayEnded(self.delay.kind, self.condition_id, None))
            self.delay = None

    def _move(self, at_ms: int, since_ms: int, sink: Sink) -> None:
        if self.active:
            move = ConditionMove.LATCH if self.bound.rule.latch else ConditionMove.CLEAR
            reason = ConditionReason.NORMAL
        else:
            move, reason = ConditionMove.RAISE, ConditionReason.LIMIT
        self._decide(move, at_ms, since_ms, reason, sink)
        self.active = not self.active
        if self.is_followed:
            self.turns += ((at_ms, self.active),)

    def _decide(self, move: ConditionMove, at_ms: int, since_ms: int, reason: ConditionReason, sink: Sink) -> None:
        at_ms = at_ms if self.moved_ms is None else max(at_ms, self.moved_ms)
        self.moved_ms = at_ms
        told = explanation(self.bound, at_ms, since_ms)
        sink.decisions.append(ConditionDecision(self.condition_id, move, at_ms, sink.received_ms, reason, told))


def explanation(
    bound: Bound, at_ms: int, since_ms: int, past: Mapping[str, Shown] | None = None
) -> Mapping[str, object]:
    """What a duty engineer needs to answer "why am I seeing this"; JSON-ready. `past`: values as they were."""
    rule, found = bound.rule, bound.told()
    values = found.values if past is None else past
    told: dict[str, object] = {
        "rule": rule.key,
        "when": rule.when_text,
        "values": {name: shown(at_ms) for name, shown in values.items()},
        "parameters": found.parameters,
        "on_delay_s": rule.on_delay_s,
        "off_delay_s": rule.off_delay_s,
        "since": from_ms(since_ms).isoformat(),
        "source": rule.source,
    }
    if rule.clear_when_text is not None:
        told["clear_when"] = rule.clear_when_text
    if rule.deadband is not None:
        told["deadband"] = rule.deadband
    return told
