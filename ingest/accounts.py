"""The account of a batch (promise 2), summed up from arrays: every message once, every value once."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from ingest.feeding import SitePart
from ingest.outcome import Outcome
from ledger.deposits import CONFLICT, REPEATED, STORED
from ledger.intake import Account, AccountKey, Refusal
from ledger.records import from_ms

_MINUTE_MS = 60_000
_COUNTERS = tuple(field.name for field in fields(Account))
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
    none = [0] * len(groups)  # most is nearly always nothing
    sums = [
        np.bincount(group, counts[name], len(groups)).astype(np.int64).tolist() if counts[name].any() else none
        for name in _COUNTERS
    ]
    keys = {each.id: key for key, each in part.site.addresses.gateways.items()}
    codes: list[int] = groups.tolist()
    minutes = {number: from_ms(number * _MINUTE_MS) for number in {code // width for code in codes}}
    return {
        AccountKey(minutes[code // width], part.site.site.key, keys.get(code % width, "")): Account(*counted)
        for code, counted in zip(codes, zip(*sums, strict=True), strict=True)
    }


def _by_message(part: SitePart) -> dict[str, NDArray[np.int64]]:
    message, messages = part.arrays.message, len(part.columns.deliveries)

    def counted(which: NDArray[np.bool_]) -> NDArray[np.int64]:
        which = which & part.is_counted
        return np.bincount(message[which], minlength=messages) if which.any() else np.zeros(messages, np.int64)

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
            if key not in summed:
                summed[key] = replace(account)
                continue
            into = summed[key]
            for name in _COUNTERS:
                setattr(into, name, getattr(into, name) + getattr(account, name))
    return summed
