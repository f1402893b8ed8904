"""What ingest says of itself at each site: a beat that others watch, and the points of the site's `ingest_service`.

Its points are judged by rules like everybody's. A value is said when it has changed, so often while something is wrong
that delays run on though no gateway is heard, and now and then otherwise, for the charts.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ingest.sites import JudgedSite
from ingest.watched import Watched
from ledger import beats, readings
from ledger.pool import Connection
from ledger.readings import Fate
from ledger.records import Decision, Quality, Sample, to_ms
from rules.model import SERVICE_KIND

CALM_S = 300.0


@dataclass(slots=True)
class _Said:
    beat_s: float  # when, on our stopwatch
    values_s: float
    values: dict[str, float]


@dataclass(slots=True)
class SelfReport:
    watched: Watched
    worker: str
    every_s: float
    _said: dict[int, _Said] = field(default_factory=dict[int, _Said])

    def forget(self, site_id: int) -> None:
        """What was said was rolled back."""
        self._said.pop(site_id, None)

    async def speak(self, connection: Connection, site: JudgedSite, now: datetime) -> Sequence[Decision]:
        """In the site's tick; gives what its engine decided by it."""
        vitals, now_s, number = self.watched.vitals(), time.monotonic(), site.site.id
        values = {
            "beating": 1.0,
            "broker_connected": float(vitals.broker_connected),
            "lag": float(round(vitals.oldest_unjudged_s)),
        }
        said = self._said.setdefault(number, _Said(float("-inf"), float("-inf"), {}))
        is_due = now_s - said.beat_s >= self.every_s
        if is_due:
            said.beat_s = now_s
            await beats.put(
                connection,
                number,
                self.worker,
                broker_connected=vitals.broker_connected,
                lag_s=vitals.oldest_unjudged_s,
            )
        is_wrong = not vitals.broker_connected or values["lag"] > 0
        is_news = values["broker_connected"] != said.values.get("broker_connected")
        if not (is_news or (is_due and (is_wrong or values != said.values)) or now_s - said.values_s >= CALM_S):
            return ()
        said.values, said.values_s = values, now_s
        return await _measure(connection, site, values, to_ms(now))


async def _measure(
    connection: Connection, site: JudgedSite, values: dict[str, float], now_ms: int
) -> Sequence[Decision]:
    own = [each.key for each in site.facilities.values() if each.kind == SERVICE_KIND]
    points = [site.addresses.facilities[key].points for key in own]
    samples = [
        Sample(there[key].id, now_ms, value, Quality.GOOD, now_ms)
        for there in points
        for key, value in values.items()
        if key in there
    ]
    if not samples:
        return ()
    fates = (await readings.store(connection, samples)).fates
    return site.engine.feed([each for each, fate in zip(samples, fates, strict=True) if fate is Fate.STORED])
