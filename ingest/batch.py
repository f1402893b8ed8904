"""One batch in one transaction: store, judge, decide, ring, account. Nothing here commits."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ingest import intake, judgement, ringing
from ingest.delivery import Delivery
from ingest.intake import Outcome
from ingest.judgement import Told
from ingest.resolve import Limits, Message, all_samples, resolve
from ingest.sites import GatewayMemory, JudgedSite
from ingest.wire import Reason
from ledger import dossier, facilities, readings
from ledger import intake as ledger_intake
from ledger.facilities import Heard
from ledger.intake import Account, AccountKey
from ledger.pool import Connection
from ledger.readings import Fate
from ledger.records import Decision, Quality, Sample, from_ms
from rules.response import ResponseTable

_SEQ_GAP_MAX = 1_000_000  # a jump beyond that is a device that made its number up
_INT4_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Done:
    """What a committed batch did, for those who keep watch."""

    changed: bool  # others have to hear of it
    told: Sequence[Told]
    accounts: Mapping[AccountKey, Account]
    refused: Mapping[str, int]  # refusals by reason
    device_lag_ms: int | None  # the largest age at receipt


@dataclass(slots=True)
class _Talk:
    """What a batch heard of one gateway."""

    received_ms: int = 0
    seq_gaps: int = 0


@dataclass(slots=True)
class _Judged:
    """What a batch does to one site."""

    site: JudgedSite
    decisions: list[Decision] = field(default_factory=list[Decision])
    talks: dict[int, _Talk] = field(default_factory=dict[int, _Talk])


async def judge(
    connection: Connection,
    deliveries: Sequence[Delivery],
    sites: Mapping[str, JudgedSite],
    table: ResponseTable,
    limits: Limits,
    *,
    quarantine_topics_max: int,
    now: datetime,
) -> Done:
    """Judge messages in order of arrival.

    `sites` are mutated ahead of the commit: when this raises, or the commit fails, they must be loaded again.
    """
    addresses = {key: site.addresses for key, site in sites.items()}
    messages = [resolve(delivery, addresses, limits) for delivery in deliveries]
    judged = {key: _Judged(site) for key, site in sites.items()}
    await _take_statuses(connection, messages, judged)
    samples = all_samples(messages)
    fates = (await readings.store(connection, samples)).fates if samples else ()
    _feed(messages, fates, judged)
    decided = [(one.site, one.decisions) for one in judged.values() if one.decisions]
    told = await carry_out(connection, decided, table, now)
    await facilities.gateways_heard(connection, [each for one in judged.values() for each in _heard(one)])
    accounts, refusals = intake.tally([(message.delivery, message.outcome) for message in messages])
    await ledger_intake.add(connection, accounts)
    if refusals:
        await ledger_intake.quarantine(connection, refusals, topics_max=quarantine_topics_max)
    lags = [each.delivery.received_ms - each.newest_ms for each in messages if each.newest_ms is not None]
    refused = Counter(refusal.reason for refusal in refusals)
    return Done(told is not None, told or (), accounts, refused, max(lags, default=None))


async def keep(
    connection: Connection,
    delivery: Delivery,
    sites: Mapping[str, JudgedSite],
    limits: Limits,
    flaw: Exception,
    *,
    quarantine_topics_max: int,
) -> bool:
    """Store a message's values though judging them failed: what was measured must not be lost for a flaw of ours.

    It counts as accepted, and stands in quarantine as well, for somebody to see. False: there is nothing to store. The
    engines have not seen the values: load their sites again, and they are judged from there.
    """
    message = resolve(delivery, {key: site.addresses for key, site in sites.items()}, limits)
    samples = all_samples([message])
    if not samples:
        return False
    for fate in (await readings.store(connection, samples)).fates:
        _count(message, fate)
    message.outcome.refuse(Reason.UNJUDGED, f"{type(flaw).__name__}: {flaw}", 0)
    accounts, refusals = intake.tally([(delivery, message.outcome)])
    await ledger_intake.add(connection, accounts)
    await ledger_intake.quarantine(connection, refusals, topics_max=quarantine_topics_max)
    return True


async def refuse(
    connection: Connection,
    delivery: Delivery,
    sites: Mapping[str, JudgedSite],
    limits: Limits,
    flaw: Exception,
    *,
    quarantine_topics_max: int,
) -> None:
    """Account for a message that cannot be stored, whatever its values are worth."""
    understood = resolve(delivery, {key: site.addresses for key, site in sites.items()}, limits)
    outcome = Outcome(understood.outcome.site_key, understood.outcome.gateway_key)
    values = understood.outcome.refused + sum(len(step) for step in understood.steps) + (understood.status is not None)
    outcome.refuse(Reason.UNSTORABLE, f"{type(flaw).__name__}: {flaw}", values)
    accounts, refusals = intake.tally([(delivery, outcome)])
    await ledger_intake.add(connection, accounts)
    await ledger_intake.quarantine(connection, refusals, topics_max=quarantine_topics_max)


# ------------------------------------------------------------------ statuses


async def _take_statuses(connection: Connection, messages: Sequence[Message], judged: Mapping[str, _Judged]) -> None:
    """A status that is news becomes a reading of the gateway's `online` point.

    It is told apart from a repeated one by `since`, never by the reading's time: the last will speaks of a connection
    begun long ago and takes effect now, and a device whose clock was set back must still be able to come online.
    """
    for message in messages:
        if message.status is None or message.gateway is None:
            continue
        status, gateway = message.status, message.gateway
        received_ms = message.delivery.received_ms
        # A connection cannot have begun after we were told of it: taken as it stands, a clock that is ahead would make
        # every later status look old.
        since_ms = min(status.since_ms, received_ms)
        memory = judged[message.outcome.site_key].site.memories.setdefault(gateway.id, GatewayMemory())
        claimed = (status.online, status.since_ms)
        is_news = memory.status != claimed and await facilities.gateway_status(
            connection, gateway.id, online=status.online, since=from_ms(since_ms)
        )
        if not is_news or gateway.online_point_id is None:
            message.outcome.repeated += 1
            continue
        ts_ms = since_ms if status.online else max(received_ms, since_ms + 1)
        if memory.online_ms is not None and ts_ms <= memory.online_ms:
            ts_ms = max(received_ms, memory.online_ms + 1)
        memory.status, memory.online_ms = claimed, ts_ms
        sample = Sample(gateway.online_point_id, ts_ms, float(status.online), Quality.GOOD, received_ms)
        message.steps.append([sample])


# ------------------------------------------------------------------ judging


def _feed(messages: Sequence[Message], fates: Sequence[Fate], judged: Mapping[str, _Judged]) -> None:
    """Let each site's engine judge what is new, message by message, moment by moment."""
    place = 0
    for message in messages:
        one = judged.get(message.outcome.site_key)
        if one is None:
            continue
        _hear(one, message)
        for step in message.steps:
            fresh: list[Sample] = []
            for sample in step:
                _count(message, fates[place])
                if fates[place] is Fate.STORED:
                    fresh.append(sample)
                place += 1
            engine = one.site.engine
            message.outcome.late += sum(engine.is_late(sample.point_id, sample.ts_ms) for sample in fresh)
            if fresh:
                one.decisions.extend(engine.feed(fresh))
        if message.outcome.stored and message.gateway is not None and not message.delivery.kept:
            _follow_sequence(one, message, message.gateway.id)
    assert place == len(fates), "every sample has its fate"


def _count(message: Message, fate: Fate) -> None:
    outcome = message.outcome
    if fate is Fate.STORED:
        outcome.stored += 1
    elif fate is Fate.REPEATED:
        outcome.repeated += 1
    else:
        outcome.conflict += 1


def _hear(one: _Judged, message: Message) -> None:
    """The gateway spoke. Not so for what the broker kept, nor for a status: the last will is the broker's own word."""
    gateway, received_ms = message.gateway, message.delivery.received_ms
    if gateway is None or message.status is not None or message.delivery.kept:
        return
    talk = one.talks.setdefault(gateway.id, _Talk())
    talk.received_ms = max(talk.received_ms, received_ms)
    one.site.engine.heard(gateway.id, received_ms, message.newest_ms, message.ahead_ms)


def _follow_sequence(one: _Judged, message: Message, gateway_id: int) -> None:
    """Count what is missing between sequence numbers. A lower number with a later time is a gateway that began anew;
    a lower one with an earlier time is a redelivery.
    """
    memory = one.site.memories.setdefault(gateway_id, GatewayMemory())
    for seq, ts_ms in message.seqs:
        if memory.seq is not None and seq > memory.seq + 1:
            gap = min(seq - memory.seq - 1, _SEQ_GAP_MAX)
            message.outcome.seq_gaps += gap
            one.talks[gateway_id].seq_gaps += gap
        is_anew = memory.seq_ms is not None and ts_ms > memory.seq_ms
        if memory.seq is None or seq > memory.seq or is_anew:
            memory.seq, memory.seq_ms = seq, ts_ms
        elif memory.seq_ms is None:
            memory.seq_ms = ts_ms  # after our restart: which of the two it is, the next one shows


def _heard(one: _Judged) -> list[Heard]:
    rows: list[Heard] = []
    for gateway_id, talk in one.talks.items():
        offset_ms = one.site.engine.clock_offset_ms(gateway_id)
        bounded = None if offset_ms is None else max(-_INT4_MAX, min(offset_ms, _INT4_MAX))
        memory = one.site.memories.get(gateway_id)
        seq = None if memory is None else memory.seq
        rows.append(Heard(gateway_id, from_ms(talk.received_ms), bounded, seq, talk.seq_gaps))
    return rows


# ------------------------------------------------------------------ what follows


async def carry_out(
    connection: Connection,
    decided: Sequence[tuple[JudgedSite, Sequence[Decision]]],
    table: ResponseTable,
    now: datetime,
) -> Sequence[Told] | None:
    """Do what the engines decided, and ring. Gives what happened that is told of, None if nothing changed at all."""
    locked = {facility for site, decisions in decided for facility in judgement.touched(site, decisions)}
    if locked:
        await dossier.lock_facilities(connection, locked)
    told: list[Told] = []
    for site, decisions in decided:
        applied = await judgement.apply(connection, site, decisions, table, now)
        if applied.may_ring:
            found = await ringing.waiting(connection, site)
            await ringing.ring(connection, site, found, applied, locked, table, now)
        told += applied.told
    return told if locked else None
