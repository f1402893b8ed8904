"""Occurrences of latched rules that arrived too late to move anything, yet must not be lost.

A late sample is put into the past and changes nothing, with one exception: a rule that latches exists because its
occurrence matters even when it is over. So it is raised, marked late, and latched at the moment it ended - if the past
proves it: the rule was true as of that sample and stayed so for its on-delay, until the next sample of the same point.
"""

from ledger.lifecycle import ConditionMove
from ledger.records import ConditionDecision, ConditionReason
from rules.binding import Bound
from rules.signals import Signal
from rules.truth import Getter
from rules.watch import Sink, Watch, explanation

KEEP_MS = 24 * 3_600_000  # how far back the operands of latched rules are remembered


def raise_late(watch: Watch, signal: Signal, ts_ms: int, sink: Sink) -> None:
    """Decide about the late sample of `signal` at `ts_ms`, which is in its history by now."""
    bound = watch.bound
    past = None if watch.active else watch.past()
    if past is None:
        return
    past_when, values = past
    span = _occurrence(bound, past_when, signal, ts_ms)
    if span is None:
        return
    raised_ms, ended_ms = span
    told = explanation(bound, raised_ms, ts_ms, values)
    for move, at_ms, reason in (
        (ConditionMove.RAISE, raised_ms, ConditionReason.LIMIT_LATE),
        (ConditionMove.LATCH, ended_ms, ConditionReason.NORMAL),
    ):
        sink.decisions.append(
            ConditionDecision(watch.condition_id, move, at_ms, sink.received_ms, reason, told, late=True)
        )


def _occurrence(bound: Bound, past_when: Getter, signal: Signal, ts_ms: int) -> tuple[int, int] | None:
    """When it was to be raised and when it was over; None if the past does not prove it."""
    if signal.history.latest(ts_ms) != ts_ms or not past_when(ts_ms):
        return None
    ended_ms = _end(signal, ts_ms)
    raised_ms = ts_ms + round(bound.rule.on_delay_s * 1000)
    if ended_ms is None or raised_ms > ended_ms:
        return None
    if past_when(ended_ms):
        return None  # it went on: the samples that followed have told, or will tell, of the same occurrence
    moments = {raised_ms} if raised_ms < ended_ms else set[int]()
    for operand in bound.operands:
        moment = operand.history.following(ts_ms)
        while moment is not None and moment < min(raised_ms, ended_ms):
            moments.add(moment)
            moment = operand.history.following(moment)
    return (raised_ms, ended_ms) if all(past_when(moment) for moment in moments) else None


def _end(signal: Signal, ts_ms: int) -> int | None:
    following = signal.history.following(ts_ms)
    if not signal.is_event:
        return following
    hold_ms = ts_ms + signal.hold_ms
    return hold_ms if following is None else min(hold_ms, following)
