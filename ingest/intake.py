"""What has come in and waits to be judged, cut into bounded batches; and the tally of what became of it (promise 2).

A batch ends at so many messages or so many bytes. Before that it is cut when the line is free for it: what comes in
while one is being written is the next. Only where batches would be many and small do they keep a distance, the farther
the longer they take, so that a busy line is not spent on transactions; a quiet one judges at once. Nothing is bounded
here but the batch: how much may wait is the session's bound.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ingest.delivery import Delivery
from ingest.wire import Reason
from ledger.intake import Account, AccountKey, Refusal
from ledger.readings import Fate
from ledger.records import from_ms

BATCH_BYTES_MAX = 1024 * 1024  # a store emptied in long lists must not make one transaction of a day
_BUSY_MESSAGES = 20  # a batch of so many is followed at the full linger, a smaller one sooner
_BUSY_SHARE = 0.5
_LINGER_MESSAGES = 200  # a large batch may come so many lingers after the last as it has this many messages
_LINGERS_MAX = 5
_LINGERS_BEHIND = 10
_NAMED_MAX = 5  # refused values of one message that are told in detail


class Intake:
    """Deliveries in order of arrival."""

    def __init__(self, *, messages_max: int, linger_s: float) -> None:
        self._messages_max, self._linger_s = messages_max, linger_s
        self._waiting: deque[Delivery] = deque()
        self._bytes = 0
        self._moved = asyncio.Event()
        self.is_behind = False  # what comes has been waiting at the broker
        self._cut_at, self._taken = 0.0, 0  # the last batch

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def oldest_received_ms(self) -> int | None:
        return self._waiting[0].received_ms if self._waiting else None

    def put(self, deliveries: Sequence[Delivery]) -> None:
        self._waiting.extend(deliveries)
        self._bytes += sum([len(each.payload) for each in deliveries])
        self._moved.set()

    def wake(self) -> None:
        """Let whoever waits for a batch look up."""
        self._moved.set()

    async def batch(self, until: float, *, may_linger: Callable[[], bool] = lambda: True) -> list[Delivery]:
        """The next batch; empty when nothing came until then (a moment of the loop's clock)."""
        loop = asyncio.get_running_loop()
        took_s = loop.time() - self._cut_at
        next_at = self._cut_at + distance_s(self._linger_s, self._taken, took_s, is_behind=self.is_behind)
        while True:
            due = min(until, next_at) if self._waiting else until
            if self._is_full or loop.time() >= due or not may_linger():
                return self._cut(loop.time())
            self._moved.clear()
            try:
                async with asyncio.timeout_at(due):
                    await self._moved.wait()
            except TimeoutError:
                return self._cut(loop.time())

    @property
    def _is_full(self) -> bool:
        return len(self._waiting) >= self._messages_max or self._bytes >= BATCH_BYTES_MAX

    def _cut(self, now_s: float) -> list[Delivery]:
        taken: list[Delivery] = []
        size = 0
        while self._waiting and len(taken) < self._messages_max and size < BATCH_BYTES_MAX:
            delivery = self._waiting.popleft()
            size += len(delivery.payload)
            taken.append(delivery)
        self._bytes -= size
        self._cut_at, self._taken = now_s, len(taken)
        return taken


def distance_s(linger_s: float, messages: int, took_s: float, *, is_behind: bool = False) -> float:
    """From the beginning of a batch to that of the next, by how many messages it had and how long they took: the linger;
    up to five times that where large batches would take more than half of the time; ten times where all of it is late
    anyway. A small batch takes long because of the alarms in it, and distance would only make the next ones late.
    """
    farthest_s = min(max(1.0, messages / _LINGER_MESSAGES), _LINGERS_MAX) * linger_s
    full_s = _LINGERS_BEHIND * linger_s if is_behind else min(max(linger_s, took_s / _BUSY_SHARE), farthest_s)
    return min(1.0, messages / _BUSY_MESSAGES) * full_s


@dataclass(slots=True)
class Outcome:
    """What became of one message, value by value, while it is being judged."""

    site_key: str = ""
    gateway_key: str = ""
    stored: int = 0
    repeated: int = 0
    conflict: int = 0
    refused: int = 0
    late: int = 0
    seq_gaps: int = 0
    reasons: Counter[Reason] = field(default_factory=Counter[Reason])
    details: dict[Reason, list[str]] = field(default_factory=dict[Reason, list[str]])

    def refuse(self, reason: Reason, detail: str, values: int) -> None:
        self.refused += values
        self.reasons[reason] += 1
        told = self.details.setdefault(reason, [])
        if len(told) < _NAMED_MAX:
            told.append(detail)

    def count(self, fate: Fate) -> None:
        if fate is Fate.STORED:
            self.stored += 1
        elif fate is Fate.REPEATED:
            self.repeated += 1
        else:
            self.conflict += 1

    def add_to(self, account: Account) -> None:
        """Exactly one of accepted, duplicate and quarantined. New values make it accepted; else known ones make it a
        duplicate, whatever was refused beside them, so that the redelivery of an accepted message is one always.
        """
        account.received += 1
        if self.stored:
            account.accepted += 1
        elif self.repeated or self.conflict:
            account.duplicate += 1
        else:
            account.quarantined += 1
        account.values_received += self.stored + self.repeated + self.conflict + self.refused
        account.stored += self.stored
        account.repeated += self.repeated
        account.conflict += self.conflict
        account.refused += self.refused
        account.late += self.late
        account.seq_gaps += self.seq_gaps

    def refusals(self, delivery: Delivery) -> list[Refusal]:
        """One entry per reason; the details of several values of one message stand together."""
        at = from_ms(delivery.received_ms)
        entries: list[Refusal] = []
        for reason, count in self.reasons.items():
            told = self.details[reason]
            more = f"; and {count - len(told)} more" if count > len(told) else ""
            detail = "; ".join(told) + more
            entries.append(Refusal(self.site_key, delivery.topic, reason, at, delivery.payload, detail))
        return entries


def tally(outcomes: Sequence[tuple[Delivery, Outcome]]) -> tuple[Mapping[AccountKey, Account], Sequence[Refusal]]:
    """The account of a batch, and what goes into quarantine."""
    accounts: dict[AccountKey, Account] = {}
    refusals: list[Refusal] = []
    minutes: dict[int, datetime] = {}
    for delivery, outcome in outcomes:
        number = delivery.received_ms // 60_000
        minute = minutes.get(number) or minutes.setdefault(number, from_ms(number * 60_000))
        key = AccountKey(minute, outcome.site_key, outcome.gateway_key)
        account = accounts.get(key) or accounts.setdefault(key, Account())
        outcome.add_to(account)
        if outcome.reasons:
            refusals.extend(outcome.refusals(delivery))
    return accounts, refusals
