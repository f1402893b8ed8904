"""One of several workers: a share of the sites, and a line of its own for each of them.

Each site has a session of its own at the broker, named after the site and not after the worker. So a site takes with it
what the broker holds for it, whichever worker it goes to: their number may change from one start to the next, and no
message is left in a session that nobody opens any more. Sites brought in later are found by themselves.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from ingest import worker
from ingest.errors import SiteTaken
from ingest.heartbeat import beaten, touch
from ingest.roster import DISCOVER_S
from ingest.share import Shard, settings_of
from ingest.sites import Packs
from ledger import facilities
from ledger.errors import Unavailable
from ledger.pool import INGEST_ROLE, Pool, open_pool, transaction
from settings import Clock, Settings

_BEAT_S = 1.0
_STARTING_S = 10.0  # so long a site that somebody else has means that we are one too many

_log = logging.getLogger(__name__)


async def run(
    settings: Settings,
    packs: Packs,
    shard: Shard,
    *,
    clock: Clock,
    stop: asyncio.Event,
    database_url: str,
    mqtt_url: str,
) -> None:
    """Judge this worker's sites until `stop`, those to come included; then what is held is judged and acknowledged.

    Raises what `worker.run` raises; SiteTaken only while starting: a site that somebody else has later is asked for
    again and again, for the others must not wait for it.
    """
    lines = _Lines(settings, packs, shard, clock, database_url, mqtt_url)
    retry_s = worker.RETRY_FIRST_S
    while not stop.is_set():
        try:
            async with open_pool(database_url, role=INGEST_ROLE, size_max=1) as pool:
                await lines.run(pool, stop)
        except Unavailable as error:
            _log.warning("%s; trying again", error)
        await _pause(retry_s, stop)
        retry_s = min(retry_s * 2, worker.RETRY_LAST_S)


class _Lines:
    """A line per site, each with its task and its own stop."""

    def __init__(
        self, settings: Settings, packs: Packs, shard: Shard, clock: Clock, database_url: str, mqtt_url: str
    ) -> None:
        self._settings, self._packs, self._shard = settings, packs, shard
        self._clock, self._database_url, self._mqtt_url = clock, database_url, mqtt_url
        self._lines: dict[str, tuple[asyncio.Task[None], asyncio.Event]] = {}
        self._share: Mapping[str, int] = {}
        self._beats: Mapping[str, int] = {}
        self._starting_until = 0.0

    async def run(self, pool: Pool, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        look_at = loop.time()
        self._starting_until = look_at + _STARTING_S
        try:
            while not stop.is_set():
                await self._reap()
                if loop.time() >= look_at:
                    await self._deal(pool)
                    look_at = loop.time() + DISCOVER_S
                await _pause(_BEAT_S, stop)
                self._beat()
        finally:
            await self._end(list(self._lines))

    async def _deal(self, pool: Pool) -> None:
        """Take on what is ours, and leave what is not: a site brought in at the same moment as another may have to move."""
        try:
            async with transaction(pool) as connection:
                share = self._shard.share(await facilities.sites(connection), self._settings.sites)
        except Unavailable as error:
            _log.warning("new sites are not looked for: %s", error)
            return
        await self._end([key for key in self._lines if key not in share])
        for key, place in share.items():
            if key not in self._lines:
                self._start(key, settings_of(self._settings, key, place))
        if share != self._share:
            _log.info("worker %s judges %s", self._shard, ", ".join(share))
        self._share = share

    def _start(self, key: str, settings: Settings) -> None:
        end = asyncio.Event()
        line = worker.run(
            settings,
            self._packs,
            clock=self._clock,
            stop=end,
            database_url=self._database_url,
            mqtt_url=self._mqtt_url,
        )
        self._lines[key] = asyncio.create_task(line), end

    async def _reap(self) -> None:
        """A line ends by itself only for a reason. A site that somebody else has judged meanwhile is left to them."""
        for key, (task, _) in list(self._lines.items()):
            if not task.done():
                continue
            del self._lines[key]
            try:
                await task
            except SiteTaken as taken:
                if asyncio.get_running_loop().time() < self._starting_until:
                    raise
                _log.error("%s; asking again", taken)

    async def _end(self, keys: Sequence[str]) -> None:
        ending = [self._lines.pop(key) for key in keys]
        for _, end in ending:
            end.set()
        for ended in await asyncio.gather(*(task for task, _ in ending), return_exceptions=True):
            if isinstance(ended, Exception):
                _log.error("a line did not end well: %r", ended)

    def _beat(self) -> None:
        """The heartbeat of this worker: every one of its lines has beaten since."""
        place = self._settings.heartbeat_file
        if place is None:
            return
        beats = {
            key: beaten(settings_of(self._settings, key, number).heartbeat_file) for key, number in self._share.items()
        }
        if all(beats[key] > self._beats.get(key, 0) for key in beats):
            self._beats = beats
            touch(place)


async def _pause(seconds: float, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
