"""What the api counts of itself. Names are a contract: dashboard, alert rules and docs/operations.md are tested against
them. A route is told by its template, never by what was asked for: every label has a bounded set of values.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE = CONTENT_TYPE_LATEST
NO_ROUTE = "(none)"
_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"))
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Levels:
    """Of this moment."""

    live_streams: int
    live_stream_current: bool
    pool_connections: int
    pool_idle: int
    pool_waiting: int  # requests that wait for a connection
    pool_errors: int  # connections that were lost or could not be made, since the start
    ingest_silent_sites: int  # as the watchdog sees it
    photos_fullest: float  # of the room for pictures at the fullest site, the part that is taken


class Metrics:
    def __init__(self, levels: Callable[[], Levels]) -> None:
        registry = self._registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=registry)
        registry.register(_Now(levels))
        self._requests = Counter(
            "taizhang_api_requests", "Requests answered", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "taizhang_api_request_seconds", "Until the answer began", ["route"], buckets=_SECONDS, registry=registry
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def render(self) -> bytes:
        return generate_latest(self._registry)


class _Now(Collector):
    def __init__(self, levels: Callable[[], Levels]) -> None:
        self._levels = levels

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        now = self._levels()
        for name, text, value in (
            ("live_streams", "Clients of the live stream", now.live_streams),
            ("live_stream_current", "1 while the live stream hears the ledger", now.live_stream_current),
            ("pool_connections", "Connections to the database", now.pool_connections),
            ("pool_idle_connections", "Those of them nobody uses", now.pool_idle),
            ("pool_waiting_requests", "Requests that wait for a connection", now.pool_waiting),
            ("ingest_silent_sites", "Sites that ingest gives no sign of life for", now.ingest_silent_sites),
            (
                "photos_fullest_ratio",
                "Of the room for pictures at the fullest site, the part taken",
                now.photos_fullest,
            ),
        ):
            yield GaugeMetricFamily(f"taizhang_api_{name}", text, value=value)
        yield CounterMetricFamily(
            "taizhang_api_pool_errors", "Connections lost or not to be had", value=now.pool_errors
        )


class Measured:
    """ASGI, outermost: counts what was answered. An answer that streams counts when it begins."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun_s = time.perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path_format", NO_ROUTE)
                metrics: Metrics = scope["app"].state.metrics
                metrics.answered(scope["method"], route, message["status"], time.perf_counter() - begun_s)
            await send(message)

        await self._app(scope, receive, counted)
