"""Which sites are ours: chosen, held against other workers, loaded, and loaded again when they have changed."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from ingest.addresses import SiteAddresses
from ingest.errors import SiteTaken, SiteUnknown
from ingest.garbage import long_lived
from ingest.lease import Lease
from ingest.sites import JudgedSite, Packs, load
from ledger import facilities, leases
from ledger.constraints import translated
from ledger.errors import TookTooLong, Unavailable
from ledger.pool import Connection, Pool, pipelined, transaction
from ledger.records import Site
from rules.links import Tuning

DISCOVER_S = 5.0  # how often new sites are looked for, when no message speaks of one

_log = logging.getLogger(__name__)


class Trouble(Exception):
    """We cannot judge, and no message is to blame."""


class Roster:
    """`chosen` are the keys of the settings; none means every site there is, those to come included."""

    def __init__(
        self, chosen: Sequence[str], lease: Lease, packs: Packs, tuning: Tuning, now: Callable[[], datetime]
    ) -> None:
        self._chosen, self._lease = tuple(chosen), lease
        self._packs, self._tuning, self._now = packs, tuning, now
        self._keys: dict[int, str] = {}
        self._loaded: dict[int, JudgedSite] = {}
        self._failed: dict[int, JudgedSite] = {}  # not to be judged by any more; what they heard is still true
        self._discover_at = 0.0
        self.builds = 0  # sites loaded so far

    @property
    def keys(self) -> Mapping[int, str]:
        """The sites held, id -> key."""
        return self._keys

    async def take_all(self, pool: Pool) -> None:
        """Raises SiteUnknown, SiteTaken or Unavailable."""
        async with transaction(pool) as connection:
            wanted = self._wanted(await facilities.sites(connection))
        await self._lease.hold(wanted)
        self._keys = wanted

    def _wanted(self, known: Sequence[Site]) -> dict[int, str]:
        if not self._chosen:
            return {site.id: site.key for site in known}
        ids = {site.key: site.id for site in known}
        for key in self._chosen:
            if key not in ids:
                raise SiteUnknown(key)
        return {ids[key]: key for key in self._chosen}

    async def discover(self, pool: Pool, *, at_once: bool = False) -> None:
        """Take on sites brought in since; one that somebody else took stays theirs. Raises Unavailable."""
        loop_s = asyncio.get_running_loop().time()
        if self._chosen or (loop_s < self._discover_at and not at_once):
            return
        self._discover_at = loop_s + DISCOVER_S
        async with transaction(pool) as connection:
            known = self._wanted(await facilities.sites(connection))
        for site_id, key in known.items():
            if site_id in self._keys:
                continue
            try:
                await self._lease.hold({site_id: key})
            except SiteTaken as taken:
                _log.warning("a new site is not ours: %s", taken)
                continue
            self._keys[site_id] = key
            _log.info("judging the new site %s", key)

    def ids_of(self, keys: AbstractSet[str]) -> list[int]:
        """Those of these sites that are ours."""
        return [site_id for site_id, key in self._keys.items() if key in keys]

    def knows_not(self, keys: AbstractSet[str]) -> bool:
        """Whether one of these may have been brought in just now."""
        return not keys <= {"", *self._keys.values()}

    def addresses(self, key: str) -> SiteAddresses | None:
        """Of a site as it was loaded last; what the ledger has now, `ready` tells. None: it is not loaded."""
        return next((each.addresses for each in self._loaded.values() if each.site.key == key), None)

    async def ready(self, connection: Connection, site_ids: Sequence[int], heard_ms: int) -> dict[str, JudgedSite]:
        """These sites, held by us and as the ledger has them now: asked in the transaction that judges by them, so that
        no message is judged by half-old rules. `heard_ms`: when the oldest message came in that is still to be judged;
        a site built only now is told everything since then.

        Raises Unavailable, SiteTaken, or Trouble when a site cannot be loaded: that is no message's fault.
        """
        try:
            with translated():
                await self._make_ready(connection, site_ids, heard_ms)
        except TookTooLong as error:  # smaller batches would not help
            raise Trouble(f"the sites cannot be made ready: {error}") from error
        return {self._keys[site_id]: self._loaded[site_id] for site_id in site_ids}

    async def _make_ready(self, connection: Connection, site_ids: Sequence[int], heard_ms: int) -> None:
        pid = await self._lease.hold(self._keys)
        async with pipelined(connection):
            fenced = await leases.fence(connection, pid, self._keys)
            revisions = await facilities.revisions(connection, site_ids)
            await leases.require(fenced, self._keys)
        changed = [each for each in site_ids if not self._is_current(each, revisions.get(each))]
        if changed:
            with long_lived(replaces=not (self._loaded.keys() | self._failed.keys()).isdisjoint(changed)):
                for site_id in changed:
                    await self._build(connection, site_id, heard_ms)

    def _is_current(self, site_id: int, revision: int | None) -> bool:
        site = self._loaded.get(site_id)
        return site is not None and not site.is_out_of_step and site.site.revision == revision

    async def _build(self, connection: Connection, site_id: int, heard_ms: int) -> None:
        try:
            before = self._loaded.get(site_id) or self._failed.get(site_id)
            with translated():
                self._loaded[site_id] = await load(
                    connection, site_id, self._packs, self._tuning, now=self._now(), heard_ms=heard_ms, before=before
                )
            self._failed.pop(site_id, None)
            self.builds += 1
        except Unavailable:
            raise
        except Exception as error:
            raise Trouble(f"site {self._keys[site_id]} cannot be loaded: {error!r}") from error

    def committed(self, site_ids: Iterable[int]) -> None:
        """What these sites know, the ledger has."""
        for site_id in site_ids:
            self._loaded[site_id].is_ahead = False

    def rolled_back(self, site_ids: Iterable[int]) -> None:
        """A transaction failed: what an engine has seen in it, the ledger has not."""
        self._lease.doubt()
        self.forget([each for each in site_ids if each in self._loaded and self._loaded[each].is_ahead])

    def forget(self, site_ids: Iterable[int]) -> None:
        """Load these sites again before they are judged: they and the ledger do not know the same."""
        for site_id in site_ids:
            failed = self._loaded.pop(site_id, None)
            if failed is not None:
                self._failed[site_id] = failed
