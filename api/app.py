"""Puts the HTTP service together: routes, refusals, the bound on bodies, and the one reader of the live stream."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute
from pydantic import SecretStr

from api import (
    alarm_rows,
    alarms,
    conditions,
    contracts,
    decisions,
    dossiers,
    facilities,
    grades,
    health,
    intake,
    live,
    permits,
    problems,
    readings,
    rules,
    sites,
    vocabulary,
    work_kinds,
    work_orders,
)
from api.console import Console
from api.context import Context, Sites, require_metrics_token, require_token
from api.description import description
from api.feed import Feed, Pace
from api.metrics import MEDIA_TYPE, Levels, Measured, Metrics
from api.transport import Transport
from api.watchdog import Watchdog
from ledger.errors import Refused
from ledger.pool import Pool
from rules import response, works
from rules.model import Pack
from settings import Now, Settings

PREFIX = "/api/v1"
TOKEN_CHARS_MIN = 16
_GUARDED = (
    sites, facilities, grades, contracts, decisions, readings, rules, dossiers, alarms, alarm_rows, conditions, permits, work_kinds, work_orders, intake, vocabulary, live
)  # fmt: skip


class NoToken(Refused):
    """The service does not start without a token: everything it shows and does would be open to anybody."""


def create_app(
    settings: Settings, *, pool: Pool, packs: Mapping[str, Pack], clock: Now, pace: Pace | None = None
) -> FastAPI:
    """The application; its lifespan runs the live stream's reader. Raises NoToken."""
    token = require_token_set(settings)
    known = Sites(pool)
    app = routes()
    table = response.load()
    feed = Feed(pool, known.refreshed, pace)
    watchdog = app.state.watchdog = Watchdog(pool, packs, table, clock, silent_s=settings.ingest_silent_s)
    app.state.metrics = Metrics(lambda: _levels(pool, feed, watchdog))
    app.state.context = Context(
        pool=pool,
        packs=packs,
        works=works.load(packs, settings.packs_dir),
        response=table,
        clock=clock,
        sites=known,
        feed=feed,
        token_sha256=hashlib.sha256(token.encode()).digest(),
        metrics_token_sha256=_digest(settings.metrics_token),
        ingest_silent_s=settings.ingest_silent_s,
        lag_max_s=settings.lag_max_s,
    )
    return app


def require_token_set(settings: Settings) -> str:
    """The token. Raises NoToken."""
    token = "" if settings.api_token is None else settings.api_token.get_secret_value()
    if not token:
        raise NoToken("TAIZHANG_API_TOKEN is not set: choose a long random one, clients send it as a bearer token")
    if len(token) < TOKEN_CHARS_MIN:
        raise NoToken(
            f"TAIZHANG_API_TOKEN has {len(token)} characters, and who guesses it reads and does everything: "
            f"{TOKEN_CHARS_MIN} at least; make one with `openssl rand -hex 24`"
        )
    return token


def routes() -> FastAPI:
    """Everything but what it serves from: enough to describe the interface."""
    app = FastAPI(
        title="Taizhang",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
        generate_unique_id_function=_operation_id,
    )
    guarded = APIRouter(prefix=PREFIX, dependencies=[Depends(require_token)])
    for resource in _GUARDED:
        guarded.include_router(resource.router)
    guarded.add_api_route("/openapi.json", _describe, include_in_schema=False)
    app.include_router(guarded)
    app.include_router(health.router, prefix=PREFIX)
    app.add_api_route("/metrics", _metrics, include_in_schema=False, dependencies=[Depends(require_metrics_token)])
    problems.install(app)
    app.add_middleware(Transport)
    app.add_middleware(Console)
    app.add_middleware(Measured)
    return app


def _digest(token: SecretStr | None) -> bytes | None:
    return None if token is None else hashlib.sha256(token.get_secret_value().encode()).digest()


def _levels(pool: Pool, feed: Feed, watchdog: Watchdog) -> Levels:
    stats = pool.get_stats()
    return Levels(
        live_streams=feed.subscribers,
        live_stream_current=feed.current,
        pool_connections=stats.get("pool_size", 0),
        pool_idle=stats.get("pool_available", 0),
        pool_waiting=stats.get("requests_waiting", 0),
        pool_errors=stats.get("connections_errors", 0) + stats.get("connections_lost", 0),
        ingest_silent_sites=watchdog.silent_sites,
    )


async def _metrics(request: Request) -> Response:
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.render(), media_type=MEDIA_TYPE)


async def _describe(request: Request) -> dict[str, Any]:
    return description(request.app, PREFIX)


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    context: Context = app.state.context
    watchdog: Watchdog = app.state.watchdog
    tasks = (
        asyncio.create_task(context.feed.run(), name="live stream reader"),
        asyncio.create_task(watchdog.run(context.sites), name="watch over ingest"),
    )
    try:
        yield
    finally:
        context.feed.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _operation_id(route: APIRoute) -> str:
    """The name of the route's function: stable, unique (tests/api/test_openapi.py), and fit for generated clients."""
    return route.name
