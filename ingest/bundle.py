"""What is judged together, in order of arrival, and read while it waits: so reading costs the line nothing as long as
the ledger is busy with the bundle before.

What was read ahead holds only by the addresses it was read by. When the configuration has changed since, it is read
again by the new one; no message is understood by half-old addresses.
"""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet

from ingest import wire
from ingest.addresses import SiteAddresses
from ingest.columns import SiteColumns
from ingest.delivery import Delivery
from ingest.resolve import Limits

Known = Callable[[str], SiteAddresses | None]  # a site's addresses by its key; None: it is not loaded


class Bundle:
    """Grows by `put`, then is judged as a whole."""

    def __init__(self, deliveries: Iterable[Delivery] = (), *, has_failed: bool = False) -> None:
        self.has_failed = has_failed  # to be stored: alone, or as part of a larger one
        self.deliveries: list[Delivery] = []
        self.payload_bytes = 0
        self._by_site: dict[str, SiteColumns] = {}
        self._strays: list[Delivery] = []
        self._read = 0  # so many deliveries
        self._is_readable = True
        for delivery in deliveries:
            self.put(delivery)

    def __len__(self) -> int:
        return len(self.deliveries)

    def put(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        self.payload_bytes += len(delivery.payload)

    @property
    def site_keys(self) -> AbstractSet[str]:
        """The sites that the messages name; '' among them where one names none."""
        unread = self.deliveries[self._read :]
        return {*self._by_site, *(wire.site_of(each.topic) for each in (*self._strays, *unread))}

    def read_ahead(self, known: Known, limits: Limits) -> None:
        """Read what has come since. What fails here fails again when it is judged, and is told there."""
        if not self._is_readable:
            return
        try:
            self._read_on(known, limits)
        except Exception:  # noqa: BLE001 - one message's flaw must not break the connection that brought it
            self._is_readable = False
            self._forget()

    def sorted(
        self, addresses: Mapping[str, SiteAddresses], limits: Limits
    ) -> tuple[list[SiteColumns], list[Delivery]]:
        """By site, read by these addresses; and what is of none of these sites. Whoever asks may write into it: asked
        again, it is read again.
        """
        if not self._holds_by(addresses):
            self._forget()
        try:
            self._read_on(addresses.get, limits)
            return [*self._by_site.values()], self._strays
        finally:
            self._forget()

    def _holds_by(self, addresses: Mapping[str, SiteAddresses]) -> bool:
        by_these = all(columns.addresses is addresses.get(key) for key, columns in self._by_site.items())
        return by_these and not any(wire.site_of(each.topic) in addresses for each in self._strays)

    def _read_on(self, known: Known, limits: Limits) -> None:
        by_site = self._by_site
        for delivery in self.deliveries[self._read :]:
            key = wire.site_of(delivery.topic)
            columns = by_site.get(key)
            if columns is None:
                addresses = known(key)
                if addresses is None:
                    self._strays.append(delivery)
                    continue
                columns = by_site[key] = SiteColumns(key, addresses, limits)
            columns.put(delivery)
        self._read = len(self.deliveries)

    def _forget(self) -> None:
        self._by_site, self._strays, self._read = {}, [], 0
