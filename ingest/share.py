"""Which sites are one worker's, of several, and what each of its lines is called. Pure.

A site's share is its place among all sites in the order they were brought in, dealt round: it stays where it is as long
as the number of workers does, and one brought in later goes to the next worker in turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.errors import ShardUnknown, SiteUnknown
from ledger.records import Site
from settings import Settings


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`th of `count` workers, from 1 on."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """`2/4`. Raises ShardUnknown."""
        number, slash, count = text.partition("/")
        if not (slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
            raise ShardUnknown(text)
        return cls(int(number), int(count))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def share(self, sites: Sequence[Site], chosen: Sequence[str]) -> dict[str, int]:
        """The keys of this worker's sites, each with its place among all. `chosen`: the sites of the settings, none means
        all. Raises SiteUnknown.
        """
        known = [site.key for site in sorted(sites, key=lambda site: site.id)]
        for key in chosen:
            if key not in known:
                raise SiteUnknown(key)
        places = enumerate(key for key in known if not chosen or key in chosen)
        return {key: place for place, key in places if place % self.count == self.number - 1}


def settings_of(settings: Settings, site_key: str, place: int) -> Settings:
    """Those of the one line that judges a site: its own session, heartbeat and port."""
    beat, port = settings.heartbeat_file, settings.ingest_http_port
    own = {
        "sites": (site_key,),
        "mqtt_client_id": f"{settings.mqtt_client_id}-{site_key}",
        "heartbeat_file": None if beat is None else beat.with_name(f"{beat.name}.{site_key}"),
        "ingest_http_port": None if port is None else port + place,
    }
    return settings.model_copy(update=own)
