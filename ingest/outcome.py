"""What became of each message, and the tally of a batch (promise 2): every message counted once, and every value."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ingest.delivery import Delivery
from ingest.wire import Reason
from ledger.intake import Account, AccountKey, Refusal
from ledger.readings import Fate
from ledger.records import from_ms

_NAMED_MAX = 5  # refused values of one message that are told in detail


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
