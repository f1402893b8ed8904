"""The account of a batch (promise 2), summed up from arrays: every message once, every value once."""

from collections.abc import Iterable, Mapping
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from ingest.feeding import SitePart
from ingest.intake import Outcome
from ledger.deposits import CONFLICT, REPEATED, STORED
from ledger.intake import Account, AccountKey, Refusal
from ledger.records import from_ms

_MINUTE_MS = 60_000
Accounts = Mapping[AccountKey, Account]


def of_site(part: SitePart) -> Accounts:
    """By minute of receipt and gateway. New values make a message accepted; else known ones make it a duplicate,
    whatever was refused beside them; what is left is quarantined.
    """
    counts = _by_message(part)
    stored, known = counts["stored"] > 0, (counts["repeated"] + counts["conflict"]) > 0
    counts["received"] = np.ones(len(stored), np.int64)
    counts["accepted"] = stored.astype(np.int64)
    counts["duplicate"] = (~stored & known).astype(np.int64)
    counts["quarantined"] = (~stored & ~known).astype(np.int64)
    counts["values_received"] = counts["stored"] + counts["repeated"] + counts["conflict"] + counts["refused"]
    minute = part.arrays.received_ms // _MINUTE_MS
    width = int(part.gateway_id.max(initial=0)) + 1
    groups, group = np.unique(minute * width + part.gateway_id, return_inverse=True)
    sums = {name: np.bincount(group, each, len(groups)).astype(np.int64) for name, each in counts.items()}
    keys = {each.id: key for key, each in part.site.addresses.gateways.items()}
    return {
        AccountKey(from_ms(code // width * _MINUTE_MS), part.site.site.key, keys.get(code % width, "")): Account(
            **{name: int(each[place]) for name, each in sums.items()}
        )
        for place, code in enumerate(groups.tolist())
    }


def _by_message(part: SitePart) -> dict[str, NDArray[np.int64]]:
    message, messages = part.arrays.message, len(part.columns.deliveries)

    def counted(which: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(message[which & part.is_counted], minlength=messages)

    counts = {
        "stored": counted(part.fates == STORED),
        "repeated": counted(part.fates == REPEATED),
        "conflict": counted(part.fates == CONFLICT),
        "late": counted(part.late),
        "refused": np.zeros(messages, np.int64),
        "seq_gaps": np.zeros(messages, np.int64),
    }
    for place, careful in part.columns.careful.items():
        counts["refused"][place] = careful.outcome.refused
        counts["repeated"][place] += careful.outcome.repeated
    for place, gap in part.seq_gaps.items():
        counts["seq_gaps"][place] = gap
    return counts


def refusals_of(part: SitePart) -> list[Refusal]:
    """What goes into quarantine."""
    careful: Iterable[tuple[Outcome, int]] = ((each.outcome, place) for place, each in part.columns.careful.items())
    return [
        refusal
        for outcome, place in careful
        if outcome.reasons
        for refusal in outcome.refusals(part.columns.deliveries[place])
    ]


def together(accounts: Iterable[Accounts]) -> Accounts:
    """The sum of accounts, key by key."""
    summed: dict[AccountKey, Account] = {}
    for each in accounts:
        for key, account in each.items():
            into = summed.setdefault(key, Account())
            for field in fields(Account):
                setattr(into, field.name, getattr(into, field.name) + getattr(account, field.name))
    return summed
