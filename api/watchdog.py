"""Watches over ingest, from the process that is always there: who has stopped cannot say so.

A site whose beat has not moved for `silent_s`, while we looked at it all the time, is not being judged, and its alarm is
raised in the ledger like any other: one open alarm, journal, dossier, order, notice. A database that was away makes the
wait begin anew, because ingest could not beat either. Ending the alarm is ingest's: it judges again, hence it is over.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from dispatch import alarms
from ledger import beats, conditions, dossier, facilities
from ledger.beats import Beat
from ledger.conditions import Cause
from ledger.errors import LedgerError, Unreachable
from ledger.pool import Connection, Pool, transaction
from ledger.records import Condition, ConditionReason
from rules.model import SERVICE_KIND, SILENT_RULE, Pack
from rules.response import ResponseTable
from settings import Now
from watching.logs import told

KIND, RULE = SERVICE_KIND, SILENT_RULE
ACTOR = "watchdog"
LOOK_S = 2.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Seen:
    beat_at: datetime
    since_s: float  # on our stopwatch
    is_told: bool = False


class Watchdog:
    def __init__(
        self, pool: Pool, packs: Mapping[str, Pack], table: ResponseTable, clock: Now, *, silent_s: float
    ) -> None:
        self._pool, self._packs, self._table, self._clock = pool, packs, table, clock
        self._silent_s = silent_s
        self._seen: dict[int, _Seen] = {}
        self.silent_sites = 0

    async def run(self, sites: Callable[[], Awaitable[list[int]]]) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look(await sites(), time.monotonic())
            except LedgerError as error:
                log.warning("nobody watches over ingest meanwhile: %s", error)
                self.lost_sight()
            except Exception:
                log.exception("the watch over ingest failed; it begins anew")  # nobody would miss it until it is needed
                self.lost_sight()
            await asyncio.sleep(min(LOOK_S, self._silent_s / 3))

    def lost_sight(self) -> None:
        """Of the ledger: whether ingest beats meanwhile nobody knows."""
        self._seen.clear()

    async def look(self, scope: list[int], now_s: float) -> None:
        """What is wrong with one site keeps no alarm of the others. Raises LedgerError where nothing can be seen."""
        async with transaction(self._pool, sites=scope) as connection:
            found = await beats.newest(connection)
        self._seen = {beat.site_id: self._seen_of(beat, now_s) for beat in found}
        silent = [beat for beat in found if now_s - self._seen[beat.site_id].since_s >= self._silent_s]
        self.silent_sites = len(silent)
        for beat in silent:
            seen = self._seen[beat.site_id]
            if not seen.is_told:
                try:
                    async with transaction(self._pool, sites=[beat.site_id]) as connection:
                        seen.is_told = await self._raise(connection, beat)
                except Unreachable:
                    raise
                except Exception:
                    log.exception("that nobody judges site %s is not told meanwhile", beat.site_id)

    def _seen_of(self, beat: Beat, now_s: float) -> _Seen:
        seen = self._seen.get(beat.site_id)
        return seen if seen is not None and seen.beat_at == beat.beat_at else _Seen(beat.beat_at, now_s)

    async def _raise(self, connection: Connection, beat: Beat) -> bool:
        """Raise the site's alarm unless it stands; tells whether there is nothing more to do about this beat."""
        if not await beats.watch(connection, beat.site_id):
            return False  # another api process is at it; look again
        condition_id = await beats.condition_of(connection, beat.site_id, KIND, RULE)
        if condition_id is None:
            told(log, logging.ERROR, "ingest_silent_untold", site_id=beat.site_id, worker=beat.worker)
            return True  # the site has no facility of that kind: docs/operations.md
        condition = await conditions.get(connection, condition_id)
        await dossier.lock_facilities(connection, [condition.facility_id])
        condition = await conditions.get(connection, condition_id)
        if not await beats.still_stands(connection, beat) or condition.active:
            return True
        now = self._clock()
        if await beats.is_under_work(connection, condition.facility_id, RULE, now):
            return False
        await self._move(connection, condition, beat, now)
        await facilities.bump_revision(connection, beat.site_id)  # or ingest, if it lives, would not know of it
        return True

    async def _move(self, connection: Connection, condition: Condition, beat: Beat, now: datetime) -> None:
        pack = self._packs.get(KIND)
        rule = None if pack is None else pack.rules.get(RULE)
        facility = await facilities.facility(connection, condition.facility_id)
        detail = {
            "rule": RULE,
            "values": {"last_beat": beat.beat_at.isoformat(), "worker": beat.worker},
            "silent_s": self._silent_s,
            "since": now.isoformat(),
        }
        cause = Cause(ACTOR, ConditionReason.INGEST_SILENT, at=now, now=now, detail=detail)
        alarm_id = await alarms.begin(connection, condition, rule, cause, self._table, now)
        told(
            log,
            logging.INFO,
            "alarm_raised",
            site_id=beat.site_id,
            facility=facility.key,
            rule=RULE,
            alarm=alarm_id,
        )
