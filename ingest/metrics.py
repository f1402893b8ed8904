"""What ingest counts and measures of itself, in one place. Names are a contract: dashboard, alert rules and
docs/operations.md are tested against them.

Counted once per batch, after its commit; gauges are read when somebody asks. Every label has a bounded set of values.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from ingest.judgement import Happening
from ingest.vitals import Vitals
from ingest.wire import Reason
from ledger.intake import Account, AccountKey
from watching.door import Answer

MESSAGE_RESULTS = ("accepted", "duplicate", "quarantined")  # fields of an account
VALUE_RESULTS = ("stored", "repeated", "conflict", "refused")
SITES_MAX = 200  # with a series of their own; those beyond are left out
_BATCH = (1, 5, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)


class Metrics:
    """One registry for one worker: two in one process (as in tests) count apart."""

    def __init__(self, vitals: Callable[[], Vitals]) -> None:
        registry = self._registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=registry)
        registry.register(_Now(vitals))
        self._messages = Counter(
            "taizhang_ingest_messages", "Messages judged and committed, by what became of them", ["result"],
            registry=registry,
        )  # fmt: skip
        self._values = Counter(
            "taizhang_ingest_values", "Values in them, by what became of each", ["result"], registry=registry
        )
        self._late = Counter(
            "taizhang_ingest_late_values", "Stored values that came too late to move a rule", registry=registry
        )
        self._seq_gaps = Counter(
            "taizhang_ingest_sequence_gaps", "Messages missing between sequence numbers", registry=registry
        )
        self._quarantined = Counter(
            "taizhang_ingest_quarantined", "Refusals put in quarantine, by reason", ["reason"], registry=registry
        )
        self._batches = Counter("taizhang_ingest_batches", "Batches, by outcome", ["outcome"], registry=registry)
        self._batch_messages = Histogram(
            "taizhang_ingest_batch_messages", "Messages in a committed batch", buckets=_BATCH, registry=registry
        )
        self._commit = Histogram(
            "taizhang_ingest_commit_seconds", "Storing, judging and committing one batch", buckets=_SECONDS,
            registry=registry,
        )  # fmt: skip
        self._alarm_latency = Histogram(
            "taizhang_ingest_alarm_latency_seconds", "From the receipt of what raised an alarm to its commit",
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self._happenings = Counter(
            "taizhang_ingest_happenings", "Alarms raised and cleared, work orders opened", ["what"], registry=registry
        )
        self._device_lag = Gauge(
            "taizhang_ingest_device_lag_seconds", "Largest age at receipt among the messages of the last batch",
            registry=registry,
        )  # fmt: skip
        self._last_message = Gauge(
            "taizhang_ingest_site_last_message_timestamp_seconds", "When a message of the site was last received",
            ["site"], registry=registry,
        )  # fmt: skip
        self._sites: set[str] = set()
        for result in MESSAGE_RESULTS:
            self._messages.labels(result)
        for result in VALUE_RESULTS:
            self._values.labels(result)
        for reason in Reason:
            self._quarantined.labels(reason.value)
        for outcome in ("committed", "failed"):
            self._batches.labels(outcome)
        for what in Happening:
            self._happenings.labels(what.value)

    def render(self) -> Answer:
        return Answer(HTTPStatus.OK, generate_latest(self._registry), CONTENT_TYPE_LATEST)

    def names(self) -> frozenset[str]:
        """Of every series, as a query names them."""
        return frozenset(sample.name for family in self._registry.collect() for sample in family.samples)

    # ------------------------------------------------------------------ once per batch

    def account(self, accounts: Mapping[AccountKey, Account], reasons: Mapping[str, int]) -> None:
        """What became of a batch's messages; `reasons`: how many refusals for each reason."""
        for name in MESSAGE_RESULTS:
            self._messages.labels(name).inc(sum(getattr(each, name) for each in accounts.values()))
        for name in VALUE_RESULTS:
            self._values.labels(name).inc(sum(getattr(each, name) for each in accounts.values()))
        self._late.inc(sum(each.late for each in accounts.values()))
        self._seq_gaps.inc(sum(each.seq_gaps for each in accounts.values()))
        for reason, count in reasons.items():
            self._quarantined.labels(reason).inc(count)

    def committed(self, messages: int, seconds: float) -> None:
        self._batches.labels("committed").inc()
        self._batch_messages.observe(messages)
        self._commit.observe(seconds)

    def failed(self) -> None:
        self._batches.labels("failed").inc()

    def happened(self, what: Happening, latency_s: float | None) -> None:
        """`latency_s`: from the receipt of what showed it to its commit."""
        self._happenings.labels(what.value).inc()
        if what is Happening.ALARM_RAISED and latency_s is not None:
            self._alarm_latency.observe(max(0.0, latency_s))

    def heard(self, site_keys: Iterable[str], at_s: float, device_lag_s: float | None) -> None:
        for key in site_keys:
            if key in self._sites or len(self._sites) < SITES_MAX:
                self._sites.add(key)
                self._last_message.labels(key).set(at_s)
        if device_lag_s is not None:
            self._device_lag.set(device_lag_s)


class _Now(Collector):
    """Gauges of this moment."""

    def __init__(self, vitals: Callable[[], Vitals]) -> None:
        self._vitals = vitals

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        now = self._vitals()
        for name, text, value in (
            ("broker_connected", "1 while subscribed and reading", now.broker_connected),
            ("database_away", "1 while the last thing tried with the database failed", now.database_away),
            ("sites_held", "Sites this worker judges", now.sites_held),
            ("queue_messages", "Messages read and not yet in a batch", now.queue_messages),
            ("unacknowledged_messages", "Messages held and not yet acknowledged", now.unacknowledged_messages),
            ("oldest_unjudged_seconds", "Age of the oldest message not yet judged; 0: none", now.oldest_unjudged_s),
            ("sound_tick_age_seconds", "Since every site was last looked at; NaN: never yet", now.sound_tick_s),
        ):
            yield GaugeMetricFamily(f"taizhang_ingest_{name}", text, value=float("nan") if value is None else value)
        for name, text, count in (
            ("broker_connections", "Connections made to the broker", now.broker_connections),
            ("engine_builds", "Sites loaded: at the start, after a change, after a failure", now.engine_builds),
        ):
            yield CounterMetricFamily(f"taizhang_ingest_{name}", text, value=count)
