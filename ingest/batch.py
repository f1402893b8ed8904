"""One batch in one transaction: store, judge, decide, ring, account. Nothing here commits."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest import accounts, feeding, judgement, ringing, wire
from ingest.accounts import together
from ingest.addresses import GatewayAddress
from ingest.bundle import Bundle
from ingest.delivery import Delivery
from ingest.feeding import SitePart
from ingest.judgement import Told
from ingest.outcome import Outcome, tally
from ingest.resolve import Limits, Message, all_samples, resolve
from ingest.sites import GatewayMemory, JudgedSite
from ingest.wire import Reason
from ledger import closing, deposits, dossier, facilities, readings
from ledger import intake as ledger_intake
from ledger.deposits import Columns
from ledger.intake import Account, AccountKey
from ledger.pool import Connection, pipelined
from ledger.records import Decision, from_ms
from rules.response import ResponseTable


@dataclass(frozen=True, slots=True)
class Done:
    """What a committed batch did, for those who keep watch."""

    changed: bool  # others have to hear of it
    told: Sequence[Told]
    accounts: Mapping[AccountKey, Account]
    refused: Mapping[str, int]  # refusals by reason
    device_lag_ms: int | None  # the largest age at receipt
    behind_ms: int | None  # how long even the youngest message was on its way, as far as its gateway's clock is known


async def judge(
    connection: Connection,
    bundle: Bundle,
    sites: Mapping[str, JudgedSite],
    table: ResponseTable,
    limits: Limits,
    *,
    quarantine_topics_max: int,
    now: datetime,
) -> Done:
    """Judge messages in order of arrival.

    `sites` may be mutated ahead of the commit: when this raises, or the commit fails, those that are ahead must be
    loaded again.
    """
    by_site, unknown = bundle.sorted({key: site.addresses for key, site in sites.items()}, limits)
    parts = [SitePart.of(sites[columns.key], columns) for columns in by_site]
    strays = [resolve(delivery, {}, limits) for delivery in unknown]
    for part in parts:
        await _take_statuses(connection, part)
    await _deposit_and_feed(connection, parts, side_by_side=not bundle.has_failed)
    decided = [(part.site, part.decisions) for part in parts if part.decisions]
    heard = [each for part in parts for each in part.heard]
    stray_accounts, refusals = tally([(message.delivery, message.outcome) for message in strays])
    account = together([stray_accounts, *(accounts.of_site(part) for part in parts)])
    refusals = [*refusals, *(each for part in parts for each in accounts.refusals_of(part))]
    async with pipelined(connection), closing.gathered(connection):
        told = await carry_out(connection, decided, table, now)
        if heard:
            await facilities.gateways_heard(connection, heard)
        await ledger_intake.add(connection, account)
        if refusals:
            await ledger_intake.quarantine(connection, refusals, topics_max=quarantine_topics_max)
    lags = [lag_ms for part in parts if (lag_ms := part.arrays.lag_ms) is not None]
    behind = [part.behind_ms for part in parts if part.behind_ms is not None]
    refused = Counter(refusal.reason for refusal in refusals)
    return Done(told is not None, told or (), account, refused, max(lags, default=None), min(behind, default=None))


async def _deposit_and_feed(connection: Connection, parts: Sequence[SitePart], *, side_by_side: bool) -> None:
    """Store the values of all sites in one piece, note the fate of each, and let the engines judge what is new.

    Where the engines know already that all of it is, they judge while the ledger writes. Not a second time: each
    failure after the engines have been told something costs loading their sites.
    """
    given = [part.arrays.columns.only(part.is_counted) for part in parts]
    filed = deposits.file(Columns.together(given)) if any(len(each) for each in given) else None
    newer = side_by_side and all(feeding.brings_only_newer(part) for part in parts)
    if newer and filed is not None and filed.all_differ:
        async with deposits.writing(connection, filed.rows):
            _feed(parts)
        return
    if filed is not None:
        fates, begin = await deposits.deposit(connection, filed), 0
        for part, columns in zip(parts, given, strict=True):
            part.fates[part.is_counted] = fates[begin : begin + len(columns)]
            begin += len(columns)
    _feed(parts)


def _feed(parts: Sequence[SitePart]) -> None:
    for part in parts:
        feeding.feed(part)


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
        message.outcome.count(fate)
    message.outcome.refuse(Reason.UNJUDGED, f"{type(flaw).__name__}: {flaw}", 0)
    accounts, refusals = tally([(delivery, message.outcome)])
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
    accounts, refusals = tally([(delivery, outcome)])
    await ledger_intake.add(connection, accounts)
    await ledger_intake.quarantine(connection, refusals, topics_max=quarantine_topics_max)


# ------------------------------------------------------------------ statuses


async def _take_statuses(connection: Connection, part: SitePart) -> None:
    """A status that is news becomes a reading of the gateway's `online` point.

    It is told apart from a repeated one by `since`, never by the reading's time: the last will speaks of a connection
    begun long ago and takes effect now, and a device whose clock was set back must still be able to come online.
    """
    for place, message in part.columns.careful.items():
        if message.status is None or message.gateway is None:
            continue
        row = part.columns.status_rows.get(place)
        ts_ms = await _status_news(connection, part.site, message, message.status, message.gateway)
        if row is not None and ts_ms is not None:
            part.arrays.columns.ts_ms[row] = ts_ms
            continue
        message.outcome.repeated += 1
        if row is not None:
            part.is_counted[row] = False


async def _status_news(
    connection: Connection, site: JudgedSite, message: Message, status: wire.Status, gateway: GatewayAddress
) -> int | None:
    """When the status takes effect; None: it is known already, or nothing is to be done about it."""
    received_ms = message.delivery.received_ms
    # A connection cannot have begun after we were told of it: taken as it stands, a clock that is ahead would make
    # every later status look old.
    since_ms = min(status.since_ms, received_ms)
    memory = site.memories.setdefault(gateway.id, GatewayMemory())
    claimed = (status.online, status.since_ms)
    is_news = memory.status != claimed and await facilities.gateway_status(
        connection, gateway.id, online=status.online, since=from_ms(since_ms)
    )
    if not is_news or gateway.online_point_id is None:
        return None
    ts_ms = since_ms if status.online else max(received_ms, since_ms + 1)
    if memory.online_ms is not None and ts_ms <= memory.online_ms:
        ts_ms = max(received_ms, memory.online_ms + 1)
    site.is_ahead = True
    memory.status, memory.online_ms = claimed, ts_ms
    return ts_ms


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
