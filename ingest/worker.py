"""The line: take a batch -> one transaction -> acknowledge; and between batches the tick.

One task does both, so that nothing is judged beside anything else, and time is let pass only up to where everything
that came in has been judged. A message is acknowledged after its transaction has committed, never before. What can go
wrong is of two kinds: the ledger cannot be had, or we are wrong ourselves, and then everything waits unacknowledged; or
one message cannot be stored or judged, and then it is found by halving the batch and goes into quarantine alone; its
values are kept if the ledger takes them.
"""

import asyncio
import logging
import os
import socket
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

from ingest import batch, clockwork, wire
from ingest.bundle import Bundle
from ingest.delivery import Delivery
from ingest.errors import SiteTaken, SiteUnknown, WorkerError
from ingest.historian import Historian, Keeping
from ingest.intake import Intake
from ingest.lease import Lease
from ingest.publisher import Publisher
from ingest.resolve import Limits
from ingest.roster import Roster, Trouble
from ingest.self_report import SelfReport
from ingest.session import Session
from ingest.sites import JudgedSite, Packs
from ingest.watched import Watched
from ledger import readiness
from ledger.errors import LedgerError, TookTooLong, Unavailable
from ledger.pool import INGEST_ROLE, Pool, open_pool, transaction
from ledger.records import to_ms
from rules import response
from rules.links import Tuning
from settings import Clock, Settings

__all__ = ["SiteTaken", "SiteUnknown", "WorkerError", "run"]

RETRY_FIRST_S = 0.2
RETRY_LAST_S = 5.0
DRAIN_S = 10.0  # how long a stopping worker goes on to judge what it holds
UNSTORABLE_IN_A_ROW_MAX = 20  # beyond that it is not the messages
TOO_SLOW_IN_A_ROW_MAX = 5  # how often one message may meet the statement's time limit before it counts as unstorable
POOL_SIZE_MAX = 4
BEHIND_MS = 1_000  # where even the youngest message was so long on its way, what counts is how soon the rest is there

_log = logging.getLogger(__name__)

_Done = TypeVar("_Done")


async def run(
    settings: Settings, packs: Packs, *, clock: Clock, stop: asyncio.Event, database_url: str, mqtt_url: str
) -> None:
    """Judge until `stop`; then what is held is judged and acknowledged.

    Waits for a database or a broker that is away. Raises SiteTaken when another worker has one of our sites,
    SiteUnknown for a site the ledger does not have, and LedgerError when the database is not what we need.
    """
    retry_s = RETRY_FIRST_S
    watched = Watched(settings, clock)
    async with watched.door():
        while not stop.is_set():
            try:
                async with open_pool(database_url, role=INGEST_ROLE, size_max=POOL_SIZE_MAX) as pool:
                    await readiness.require_current(pool)
                    await Worker(settings, packs, clock, pool, database_url, mqtt_url, watched).run(stop)
                    return
            except Unavailable as error:  # before the line began; from then on it waits by itself
                _log.warning("%s; trying again", error)
            await _pause(retry_s, stop)
            retry_s = min(retry_s * 2, RETRY_LAST_S)


async def _pause(seconds: float, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


class Worker:
    """Wires the parts and runs the line."""

    def __init__(
        self,
        settings: Settings,
        packs: Packs,
        clock: Clock,
        pool: Pool,
        database_url: str,
        mqtt_url: str,
        watched: Watched,
    ) -> None:
        self._settings, self._clock, self._pool = settings, clock, pool
        self._table = response.load()
        self._limits = Limits(
            settings.payload_bytes_max, settings.values_per_message_max, round(settings.future_max_s * 1000)
        )
        tuning = Tuning(round(settings.backlog_lag_s * 1000), round(settings.settle_s * 1000))
        name = f"taizhang {settings.mqtt_client_id} {socket.gethostname()} pid {os.getpid()}"
        self._lease = Lease(database_url, name)
        self._roster = Roster(settings.sites, self._lease, packs, tuning, clock)
        self._unstorable_in_a_row = 0
        self._too_slow_in_a_row = 0
        self._stop = asyncio.Event()
        self._intake = Intake(
            messages_max=settings.batch_messages_max,
            linger_s=settings.linger_ms / 1000,
            read_ahead=lambda bundle: bundle.read_ahead(self._roster.addresses, self._limits),
        )
        self._session = Session(
            mqtt_url,
            settings.mqtt_client_id,
            wire.subscriptions(settings.sites),
            arrived=self._arrived,
            now_ms=lambda: to_ms(clock()),
            held_messages_max=settings.inflight_messages_max,
            payload_bytes_max=settings.payload_bytes_max,
            version=settings.mqtt_version,
        )
        self._publisher = Publisher(pool, self._session, lambda: list(self._roster.keys), clock)
        self._watched = watched
        self._report = SelfReport(watched, name, settings.beat_s)
        watched.attach(self._session, self._intake, self._roster)
        keeping = Keeping.of(settings)
        self._historian = Historian(pool, lambda: list(self._roster.keys), clock, keeping)

    async def run(self, stop: asyncio.Event) -> None:
        self._stop = stop
        try:
            await self._roster.take_all(self._pool)
            _log.info("judging %s", ", ".join(self._roster.keys.values()) or "no site yet")
            await self._run_tasks()
        finally:
            await self._lease.close()

    async def _run_tasks(self) -> None:
        """The line ends when it is told to; what runs beside it never, but by failing."""
        line = asyncio.create_task(self._line())
        endless = (self._session.run(), self._publisher.run(), self._historian.run())
        beside = [asyncio.create_task(each) for each in endless]
        waking = asyncio.create_task(self._wake_on_stop())
        try:
            await asyncio.wait([line, *beside], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (waking, line, *beside):
                task.cancel()
            results = await asyncio.gather(line, *beside, waking, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _wake_on_stop(self) -> None:
        await self._stop.wait()
        self._intake.wake()

    def _arrived(self, deliveries: Sequence[Delivery]) -> None:
        own = [each for each in deliveries if wire.is_alarm_topic(each.topic)]
        if own:  # we hear the whole of a site, our own words included
            self._session.settle(own)
            deliveries = [each for each in deliveries if not wire.is_alarm_topic(each.topic)]
        self._intake.put(deliveries)

    # ------------------------------------------------------------------ the line

    async def _line(self) -> None:
        loop = asyncio.get_running_loop()
        tick_s = self._settings.tick_ms / 1000
        tick_at = loop.time()
        while not self._stop.is_set():
            bundle = await self._intake.batch(tick_at, may_linger=lambda: not self._stop.is_set())
            if len(bundle):
                await self._judge(bundle)
            if loop.time() >= tick_at and not self._stop.is_set():
                await self._tick()
                tick_at = max(tick_at + tick_s, loop.time())
        self._session.stop_reading()
        drained_by = loop.time() + DRAIN_S
        while len(self._intake) and loop.time() < drained_by:
            if not await self._judge(await self._intake.batch(loop.time())):
                break

    async def _judge(self, bundle: Bundle) -> bool:
        """Judge a bundle, whole if possible. False: the worker was stopped in trouble, and the rest is not settled."""
        # With each part the flaw for which its one message is to be refused; None: it is to be judged.
        parts: deque[tuple[Bundle, Exception | None]] = deque([(bundle, None)])
        retry_s = RETRY_FIRST_S
        while parts:
            part, flaw = parts[0]
            deliveries = part.deliveries
            self._watched.took(deliveries[0].received_ms)
            try:
                await (self._store(part) if flaw is None else self._refuse(part, flaw))
            except SiteTaken:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is one message's, or it is waited out
                self._roster.rolled_back(self._roster.ids_of(part.site_keys))
                self._watched.failed(error)
                was_hasty, part.has_failed = not part.has_failed, True
                if flaw is not None or self._is_not_theirs(error, deliveries):
                    _log.warning("judging waits: %s", error or repr(error), exc_info=not isinstance(error, Unavailable))
                    if self._stop.is_set():
                        return False
                    await _pause(retry_s, self._stop)
                    retry_s = min(retry_s * 2, RETRY_LAST_S)
                    continue
                parts.popleft()
                if middle := len(part) // 2:
                    halves = (deliveries[middle:], deliveries[:middle])
                    parts.extendleft((Bundle(each, has_failed=True), None) for each in halves)
                else:  # judged side by side, it may only have been wrong that the ledger did not have it: once more
                    parts.appendleft((part, None if was_hasty else error))
                continue
            parts.popleft()
            self._session.settle(deliveries)
            retry_s = RETRY_FIRST_S
        self._watched.took(None)
        return True

    def _is_not_theirs(self, error: Exception, part: Sequence[Delivery]) -> bool:
        """Whether no message is to blame: the ledger is away, or a statement or a right of ours is missing, or so many
        messages in a row would be to blame that it must be us. Refusing them would throw away what is good.

        What took too long is tried in halves; one message alone several times, before it counts as one to blame.
        """
        if isinstance(error, TookTooLong):
            self._too_slow_in_a_row = self._too_slow_in_a_row + 1 if len(part) == 1 else 0
            if len(part) > 1 or self._too_slow_in_a_row >= TOO_SLOW_IN_A_ROW_MAX:
                return self._unstorable_in_a_row >= UNSTORABLE_IN_A_ROW_MAX
        if isinstance(error, Unavailable | Trouble) or type(error) is LedgerError:
            return True
        return self._unstorable_in_a_row >= UNSTORABLE_IN_A_ROW_MAX

    async def _store(self, bundle: Bundle) -> None:
        site_keys = bundle.site_keys
        if self._roster.knows_not(site_keys):
            await self._roster.discover(self._pool, at_once=True)
        begun_s, named = time.monotonic(), self._roster.ids_of(site_keys)
        heard_ms = bundle.deliveries[0].received_ms
        if bundle.has_failed:  # loaded before and by itself: loaded within, it is lost when this part fails as well
            async with transaction(self._pool) as connection:
                await self._roster.ready(connection, named, heard_ms)
            self._roster.committed(named)
        async with transaction(self._pool) as connection:
            sites = await self._roster.ready(connection, named, heard_ms)
            done = await batch.judge(
                connection,
                bundle,
                sites,
                self._table,
                self._limits,
                quarantine_topics_max=self._settings.quarantine_topics_max,
                now=self._clock(),
            )
        self._roster.committed(named)
        self._unstorable_in_a_row = self._too_slow_in_a_row = 0
        self._watched.committed(done, time.monotonic() - begun_s)
        self._intake.is_behind = done.behind_ms is not None and done.behind_ms > BEHIND_MS
        if done.changed:
            self._publisher.wake()

    async def _refuse(self, bundle: Bundle, flaw: Exception) -> None:
        """The values of its one message are kept if the ledger takes them: then it was judging them that failed."""
        (delivery,), named = bundle.deliveries, self._roster.ids_of(bundle.site_keys)
        _log.error("a message on %s cannot be judged: %r", wire.shown(delivery.topic), flaw, exc_info=flaw)
        try:
            is_kept = await self._put_away(batch.keep, delivery, named, flaw)
        except (Unavailable, SiteTaken, Trouble):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the message is refused for it
            _log.error("nor can it be stored: %r", error)
            is_kept = False
            self._roster.rolled_back(named)
        if is_kept:
            self._roster.forget(named)  # the engine has not seen it
        else:
            await self._put_away(batch.refuse, delivery, named, flaw)
        self._unstorable_in_a_row += 1
        self._too_slow_in_a_row = 0  # the next one has all its tries

    async def _put_away(
        self, act: Callable[..., Awaitable[_Done]], delivery: Delivery, named: Sequence[int], flaw: Exception
    ) -> _Done:
        topics_max = self._settings.quarantine_topics_max
        async with transaction(self._pool) as connection:
            sites = await self._roster.ready(connection, named, delivery.received_ms)
            done = await act(connection, delivery, sites, self._limits, flaw, quarantine_topics_max=topics_max)
        self._roster.committed(named)
        return done

    # ------------------------------------------------------------------ the tick

    async def _tick(self) -> None:
        try:
            await self._roster.discover(self._pool)
        except Unavailable as error:
            self._lease.doubt()
            self._watched.failed(error)
            _log.warning("no tick: %s", error)
            return
        sound = self._session.connected_since_ms is not None
        for site_id, key in list(self._roster.keys.items()):
            try:
                await self._tick_site(site_id, key)
            except SiteTaken:
                raise
            except Exception as error:  # noqa: BLE001 - a site that cannot be ticked must not keep the others from it
                self._roster.rolled_back([site_id])
                self._report.forget(site_id)
                self._watched.failed(error)
                sound = False
                _log.warning(
                    "no tick for %s: %s", key, error or repr(error), exc_info=not isinstance(error, Unavailable)
                )
        if sound:
            self._watched.sound()
            self._beat()

    def _beat(self) -> None:
        """For a health check: broker and database were there, and every site was looked at."""
        if self._settings.heartbeat_file is None:
            return
        try:
            self._settings.heartbeat_file.touch()
        except OSError as error:  # a health check that cannot be written must not keep alarms from ringing
            _log.warning("%s: %s", self._settings.heartbeat_file, error.strerror)

    async def _tick_site(self, site_id: int, key: str) -> None:
        async with transaction(self._pool) as connection:
            site = (await self._roster.ready(connection, [site_id], self._judged_ms(self._clock())))[key]
            now, site.is_ahead = self._clock(), True
            before = await self._report.speak(connection, site, now)
            told = await clockwork.tick(
                connection,
                site,
                self._table,
                judged_ms=self._judged_ms(now),
                connected_since_ms=self._connected_since_ms(site),
                now=now,
                before=before,
            )
        self._roster.committed([site_id])
        if told is not None:
            self._watched.happened(told)
            self._publisher.wake()

    def _judged_ms(self, now: datetime) -> int:
        """Up to when all that came in has been judged."""
        return min(to_ms(now), self._intake.oldest_received_ms or to_ms(now))

    def _connected_since_ms(self, site: JudgedSite) -> int | None:
        """Since when we hear all that is said, as far as silence counts; None: we do not.

        Not while the socket is not read, not from before; nor from before this engine began, which was told nothing.
        """
        session = self._session
        if session.connected_since_ms is None or session.is_pressed:
            return None
        return max(session.connected_since_ms, session.pressed_ms or 0, site.told_since_ms)
