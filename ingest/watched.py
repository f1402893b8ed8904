"""The worker as others see it: its vitals, its metrics, its log lines, and the door where they are asked for.

The line tells it what it did, once per batch and tick; nothing here can fail a batch.
"""

import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from ingest import vitals
from ingest.batch import Done
from ingest.errors import PortTaken
from ingest.intake import Intake
from ingest.judgement import Told
from ingest.metrics import Metrics
from ingest.roster import Roster
from ingest.session import Session
from ingest.vitals import Health, Vitals
from ledger.errors import Unavailable
from ledger.records import to_ms
from settings import Clock, Settings
from watching import door
from watching.door import Page
from watching.logs import told

SOUND_S = 30.0  # a round of all sites, with broker and database there, is not older than this, or we are not ready

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Parts:
    session: Session
    intake: Intake
    roster: Roster


class Watched:
    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._parts: _Parts | None = None
        self._in_hand_ms: int | None = None  # receipt of the oldest message of the batch being judged
        self._database_away = True
        self._sound_at: float | None = None
        self.metrics = Metrics(self.vitals)

    def attach(self, session: Session, intake: Intake, roster: Roster) -> None:
        self._parts = _Parts(session, intake, roster)
        self._database_away = False

    @contextlib.asynccontextmanager
    async def door(self) -> AsyncGenerator[None]:
        """Health and metrics over HTTP, if the settings want them. Raises PortTaken."""
        settings = self._settings
        if settings.ingest_http_port is None:
            yield
            return
        token = None if settings.metrics_token is None else settings.metrics_token.get_secret_value()
        pages = {
            "/health": Page(vitals.live),
            "/readiness": Page(lambda: vitals.readiness(self.health())),
            "/metrics": Page(self.metrics.render, guarded=True),
        }
        try:
            async with door.opened(settings.ingest_http_host, settings.ingest_http_port, pages, token) as port:
                _log.info("health and metrics on %s port %d", settings.ingest_http_host, port)
                yield
        except door.DoorTaken as error:
            raise PortTaken(str(error)) from error

    # ------------------------------------------------------------------ what the line tells

    def took(self, oldest_received_ms: int | None) -> None:
        """These are being judged; None: nothing is."""
        self._in_hand_ms = oldest_received_ms

    def committed(self, done: Done, seconds: float) -> None:
        self._database_away = False
        now = self._clock()
        metrics, messages = self.metrics, sum(each.received for each in done.accounts.values())
        metrics.account(done.accounts, done.refused)
        metrics.committed(messages, seconds)
        sites = {key.site_key for key in done.accounts} - {""}
        metrics.heard(sites, now.timestamp(), None if done.device_lag_ms is None else done.device_lag_ms / 1000)
        told(
            _log,
            logging.DEBUG,
            "batch_committed",
            messages=messages,
            values=sum(each.stored for each in done.accounts.values()),
            seconds=round(seconds, 4),
            happenings=len(done.told),
        )
        self.happened(done.told)

    def happened(self, happenings: Sequence[Told]) -> None:
        """Alarms and orders, once they are committed."""
        if not happenings:
            return
        now_ms = to_ms(self._clock())
        for each in happenings:
            told(
                _log,
                logging.INFO,
                each.what,
                site=each.site,
                facility=each.facility,
                rule=each.rule,
                alarm=each.alarm_id,
                order=each.order_id,
            )
            self.metrics.happened(each.what, self._wall_s(now_ms - each.received_ms) if each.received_ms else None)

    def failed(self, error: Exception) -> None:
        """A batch or a site's tick was rolled back."""
        self.metrics.failed()
        self._database_away = isinstance(error, Unavailable)

    def sound(self) -> None:
        """A round over all sites is done, with broker and database there and no site left out."""
        self._sound_at = time.monotonic()
        self._database_away = False

    # ------------------------------------------------------------------ what others ask

    def vitals(self) -> Vitals:
        parts = self._parts
        return Vitals(
            broker_connected=parts is not None and parts.session.connected_since_ms is not None,
            broker_connections=0 if parts is None else parts.session.connections,
            database_away=self._database_away,
            sites_held=0 if parts is None else len(parts.roster.keys),
            engine_builds=0 if parts is None else parts.roster.builds,
            queue_messages=0 if parts is None else len(parts.intake),
            unacknowledged_messages=0 if parts is None else parts.session.held,
            oldest_unjudged_s=self.oldest_unjudged_s(),
            sound_tick_s=None if self._sound_at is None else time.monotonic() - self._sound_at,
        )

    def oldest_unjudged_s(self) -> float:
        """In seconds of the wall, whatever speed our clock runs at."""
        waiting_ms = None if self._parts is None else self._parts.intake.oldest_received_ms
        received_ms = [each for each in (self._in_hand_ms, waiting_ms) if each is not None]
        if not received_ms:
            return 0.0
        return max(0.0, self._wall_s(to_ms(self._clock()) - min(received_ms)))

    def _wall_s(self, ms: int) -> float:
        return ms / 1000 / self._settings.clock_speed

    def health(self) -> Health:
        tick_max_s = max(SOUND_S, 3 * self._settings.tick_ms / 1000)
        return vitals.health(self.vitals(), lag_max_s=self._settings.lag_max_s, tick_max_s=tick_max_s)
