"""Let a site's engine hear and judge its part of a batch: whole stretches at a time, message by message where it has to be.

What a gateway's messages say of the time over there may be told ahead of their values, unless the gateway counts as
offline or its status comes in the same batch: then the messages of that gateway, and statuses, go one by one and in
their place.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.columns import NEVER_MS, Arrays, SiteColumns
from ingest.sites import GatewayMemory, JudgedSite
from ledger.deposits import STORED
from ledger.facilities import Heard
from ledger.records import Decision, from_ms
from rules.block import Block

SEQ_GAP_MAX = 1_000_000  # a jump beyond that is a device that made its number up
_INT4_MAX = 2**31 - 1


@dataclass(slots=True)
class SitePart:
    """What a batch brings to one site, and what came of it."""

    site: JudgedSite
    columns: SiteColumns
    arrays: Arrays
    gateway_id: NDArray[np.int64]  # of each message; 0: none we know
    slot: NDArray[np.int32]  # of each row, its point's place in the engine; -1: none
    is_counted: NDArray[np.bool_]  # of each row: not so a status that is no news
    fates: NDArray[np.int8]  # of each row
    late: NDArray[np.bool_]  # of each row
    decisions: list[Decision] = field(default_factory=list[Decision])
    seq_gaps: dict[int, int] = field(default_factory=dict[int, int])  # by message
    heard: list[Heard] = field(default_factory=list[Heard])
    behind_ms: int | None = None  # how long even the youngest message was on its way; None: nobody knows

    @classmethod
    def of(cls, site: JudgedSite, columns: SiteColumns) -> "SitePart":
        arrays = columns.arrays()
        gateway_id = np.array([0 if each is None else each.gateway_id for each in columns.facilities], np.int64)
        for place, message in columns.careful.items():
            gateway_id[place] = 0 if message.gateway is None else message.gateway.id
        rows = len(columns)
        return cls(
            site,
            columns,
            arrays,
            gateway_id,
            site.slots.of(arrays.columns.point_id),
            np.ones(rows, np.bool_),
            np.zeros(rows, np.int8),
            np.zeros(rows, np.bool_),
        )


def brings_only_newer(part: SitePart) -> bool:
    """Whether each row that counts is of a later time than all that the site's engine knows of its point, which is all
    that the ledger has of it: then none of them can be a redelivery.
    """
    slot, ts_ms = part.slot[part.is_counted], part.arrays.columns.ts_ms[part.is_counted]
    return part.site.engine.are_newer(slot, ts_ms)


def feed(part: SitePart) -> None:
    """When the fate of every row is known. From here on the site is ahead of the ledger."""
    part.site.is_ahead = True
    speaks = _speaks(part)
    _follow_sequences(part, speaks)
    is_fed = part.is_counted & (part.fates == STORED) & (part.slot >= 0)
    alone = _alone(part)
    for begin, end in _stretches(len(part.columns.deliveries), alone):
        _hear(part, speaks, begin, end)
        first, last = np.searchsorted(part.arrays.message, (begin, end))
        rows = first + np.flatnonzero(is_fed[first:last])
        if len(rows):
            _judge(part, rows)
    part.heard = _heard(part, speaks)


def _judge(part: SitePart, rows: NDArray[np.intp]) -> None:
    columns, arrays = part.arrays.columns, part.arrays
    outcome = part.site.engine.feed_block(
        Block(
            part.slot[rows],
            columns.ts_ms[rows],
            columns.value[rows],
            columns.quality[rows],
            arrays.received_ms[arrays.message[rows]],
        )
    )
    part.decisions.extend(outcome.decisions)
    part.late[rows] = outcome.late


def _speaks(part: SitePart) -> NDArray[np.int64]:
    """Of each message the gateway that spoke. Not so for what the broker kept, nor for a status: the last will is the
    broker's own word.
    """
    speaks = part.gateway_id.copy()
    for place, message in part.columns.careful.items():
        if message.status is not None or message.delivery.kept:
            speaks[place] = 0
    return speaks


def _alone(part: SitePart) -> list[int]:
    """The messages that are told and judged one by one."""
    careful, engine = part.columns.careful, part.site.engine
    statuses = [place for place in careful if careful[place].status is not None]
    apart = {int(part.gateway_id[place]) for place in statuses}
    apart |= {gateway_id for gateway_id in set(part.gateway_id.tolist()) if not engine.hears_in_bulk(gateway_id)}
    apart.discard(0)
    if not apart:
        return statuses
    return sorted({*statuses, *np.flatnonzero(np.isin(part.gateway_id, list(apart))).tolist()})


def _stretches(messages: int, alone: list[int]) -> Iterator[tuple[int, int]]:
    begin = 0
    for place in alone:
        if begin < place:
            yield begin, place
        yield place, place + 1
        begin = place + 1
    if begin < messages:
        yield begin, messages


def _hear(part: SitePart, speaks: NDArray[np.int64], begin: int, end: int) -> None:
    """Tell the engine who spoke. In order for each gateway; of what was wholly refused one by one."""
    arrays, engine = part.arrays, part.site.engine
    places = begin + np.flatnonzero(speaks[begin:end])
    said_nothing = arrays.newest_ms[places] == NEVER_MS
    if said_nothing.any():
        is_apart = np.isin(speaks[places], speaks[places[said_nothing]])
        for place in places[is_apart].tolist():
            newest_ms, message = int(arrays.newest_ms[place]), part.columns.careful.get(place)
            engine.heard(
                int(speaks[place]),
                int(arrays.received_ms[place]),
                None if newest_ms == NEVER_MS else newest_ms,
                None if message is None else message.ahead_ms,
            )
        places = places[~is_apart]
    if len(places):
        engine.heard_block(
            speaks[places].tolist(), arrays.received_ms[places].tolist(), arrays.newest_ms[places].tolist()
        )


def _follow_sequences(part: SitePart, speaks: NDArray[np.int64]) -> None:
    """Count what is missing between the sequence numbers of messages that brought something new. A lower number with a
    later time is a gateway that began anew; a lower one with an earlier time is a redelivery.
    """
    if not part.columns.seqs:
        return
    is_new = np.zeros(len(speaks), np.bool_)
    is_new[part.arrays.message[part.is_counted & (part.fates == STORED)]] = True
    follows: list[int] = np.where(is_new, speaks, 0).tolist()
    memories = part.site.memories
    for place, seq, ts_ms in part.columns.seqs:
        gateway_id = follows[place]
        if not gateway_id:
            continue
        memory = memories.get(gateway_id) or memories.setdefault(gateway_id, GatewayMemory())
        if memory.seq is not None and seq > memory.seq + 1:
            part.seq_gaps[place] = part.seq_gaps.get(place, 0) + min(seq - memory.seq - 1, SEQ_GAP_MAX)
        is_anew = memory.seq_ms is not None and ts_ms > memory.seq_ms
        if memory.seq is None or seq > memory.seq or is_anew:
            memory.seq, memory.seq_ms = seq, ts_ms
        elif memory.seq_ms is None:
            memory.seq_ms = ts_ms  # after our restart: which of the two it is, the next one shows


def _heard(part: SitePart, speaks: NDArray[np.int64]) -> list[Heard]:
    gateway_ids, place_of = np.unique(speaks, return_inverse=True)
    received_ms = np.zeros(len(gateway_ids), np.int64)
    np.maximum.at(received_ms, place_of, part.arrays.received_ms)
    gaps = np.zeros(len(gateway_ids), np.int64)
    for message, gap in part.seq_gaps.items():
        gaps[place_of[message]] += gap
    offsets_ms = np.zeros(len(gateway_ids), np.int64)
    rows: list[Heard] = []
    for place, gateway_id in enumerate(gateway_ids.tolist()):
        if not gateway_id:
            continue
        offset_ms = part.site.engine.clock_offset_ms(gateway_id)
        bounded = None if offset_ms is None else max(-_INT4_MAX, min(offset_ms, _INT4_MAX))
        offsets_ms[place] = bounded or 0
        memory = part.site.memories.get(gateway_id)
        seq = None if memory is None else memory.seq
        rows.append(Heard(gateway_id, from_ms(int(received_ms[place])), bounded, seq, int(gaps[place])))
    part.behind_ms = _behind_ms(part, speaks, offsets_ms[place_of])
    return rows


def _behind_ms(part: SitePart, speaks: NDArray[np.int64], offset_ms: NDArray[np.int64]) -> int | None:
    """By a clock that is known to be behind nothing is late."""
    newest_ms = part.arrays.newest_ms
    said = (speaks > 0) & (newest_ms > NEVER_MS)
    late_ms = part.arrays.received_ms[said] - newest_ms[said] - offset_ms[said]
    return int(late_ms.min()) if len(late_ms) else None
