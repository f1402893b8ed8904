"""Puts the HTTP service together: routes, refusals, the bound on bodies, and the one reader of the live stream."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute
from pydantic import SecretStr

from api import (
    alarm_rows,
    alarms,
    audit_log,
    certificates,
    checklists,
    conditions,
    contracts,
    decisions,
    discoveries,
    dossiers,
    equipment_services,
    expiring_equipment,
    facilities,
    grades,
    health,
    imports,
    inspection_pictures,
    inspection_plans,
    inspection_reports,
    inspection_rounds,
    inspection_signatures,
    inspections,
    intake,
    live,
    people,
    permits,
    place_photos,
    problems,
    provider_sign_in,
    public_reports,
    public_scan,
    readings,
    roles,
    round_guards,
    rules,
    sessions,
    sites,
    tags,
    tokens,
    vocabulary,
    work_kinds,
    work_order_moves,
    work_order_papers,
    work_order_scans,
    work_orders,
)
from api.attempts import Attempts, Noted
from api.authentication import require_metrics_token, signed_in_or_token
from api.console import Console
from api.description import description
from api.doubt_watch import DoubtWatch
from api.expiry_watch import ExpiryWatch
from api.feed import Feed, Pace
from api.metrics import MEDIA_TYPE, Levels, Measured, Metrics
from api.oidc import Provider, Registration
from api.photo_watch import PhotoWatch
from api.report_watch import ReportWatch
from api.round_watch import RoundWatch
from api.secrets import digest_of
from api.service import Service, Sites
from api.strangers import Strangers
from api.transport import Transport
from api.vault import Vault
from api.watchdog import Watchdog
from credentials.passwords import Hasher
from inspection.checklist import Book
from inspection.decoding import Darkroom
from inspection.photo_store import PhotoStore
from inspection.recording import Desk
from inspection.report_shelf import Shelf
from ledger.errors import Refused
from ledger.pool import Pool
from rules import response, works
from rules.model import Pack
from settings import Now, Settings

PREFIX = "/api/v1"
TOKEN_CHARS_MIN = 16
RESOURCES = (
    sites,
    facilities,
    grades,
    contracts,
    decisions,
    readings,
    rules,
    dossiers,
    certificates,
    place_photos,
    alarms,
    alarm_rows,
    conditions,
    permits,
    work_kinds,
    work_orders,
    work_order_moves,
    work_order_papers,
    work_order_scans,
    tags,
    checklists,
    inspection_pictures,
    inspection_plans,
    equipment_services,
    expiring_equipment,
    inspection_rounds,
    inspection_signatures,
    round_guards,
    inspection_reports,
    inspections,
    public_reports,
    intake,
    discoveries,
    imports,
    vocabulary,
    live,
    people,
    roles,
    tokens,
    audit_log,
)


class ShortToken(Refused):
    """The service does not start with the operator's own token guessable: it opens everything."""


def furnish(
    app: FastAPI,
    settings: Settings,
    *,
    pool: Pool,
    packs: Mapping[str, Pack],
    book: Book,
    clock: Now,
    pace: Pace | None = None,
    hasher: Hasher | None = None,
) -> FastAPI:
    """`routes()` with what they serve from; the lifespan runs the live stream's reader and the watches. Raises ShortToken."""
    refuse_short_token(settings)
    known = Sites(pool)
    table = response.load()
    feed = Feed(pool, known.open, pace)
    watchdog = app.state.watchdog = Watchdog(pool, packs, table, clock, silent_s=settings.ingest_silent_s)
    app.state.round_watch = RoundWatch(pool, packs, table, clock)
    app.state.doubt_watch = DoubtWatch(pool, clock)
    photo_watch = app.state.photo_watch = PhotoWatch(pool, round(settings.photos_site_gib * 2**30))
    desk = Desk(book, table, _public_urls(settings))
    app.state.report_watch = ReportWatch(pool, book, clock)
    app.state.expiry_watch = ExpiryWatch(pool, packs, table, book, clock)
    app.state.metrics = Metrics(lambda: _levels(pool, feed, watchdog, photo_watch))
    app.state.service = Service(
        pool=pool,
        packs=packs,
        works=works.load(packs, settings.packs_dir),
        response=table,
        clock=clock,
        sites=known,
        feed=feed,
        vault=Vault(hasher),
        attempts=Attempts(),
        noted=Noted(),
        trusted_proxies=settings.trusted_proxies,
        session_idle=timedelta(hours=settings.session_idle_h),
        session_longest=timedelta(days=settings.session_days),
        provider=_provider(settings),
        provider_name=settings.oidc_name,
        provider_claim=settings.oidc_login_claim,
        provider_makes_people=settings.oidc_makes_people,
        token_sha256=_digest(settings.api_token),
        metrics_token_sha256=_digest(settings.metrics_token),
        ingest_silent_s=settings.ingest_silent_s,
        lag_max_s=settings.lag_max_s,
        visit_desk=desk,
        darkroom=Darkroom(),
        drawing_room=Darkroom(at_once_max=1, waiting_max=4),
        report_shelf=Shelf(),
        photo_store=PhotoStore(settings.photo_directory),
        photos_site_bytes_max=round(settings.photos_site_gib * 2**30),
        strangers=Strangers(),
        public_url=settings.public_url,
    )
    return app


def refuse_short_token(settings: Settings) -> None:
    """Raises ShortToken."""
    length = 0 if settings.api_token is None else len(settings.api_token.get_secret_value())
    if 0 < length < TOKEN_CHARS_MIN:
        raise ShortToken(
            f"TAIZHANG_API_TOKEN has {length} characters, and who guesses it reads and does everything: "
            f"{TOKEN_CHARS_MIN} at least; make one with `openssl rand -hex 24`, or leave it unset"
        )


def _public_urls(settings: Settings) -> tuple[str, ...]:
    """Addresses at which links of ours stand in tags."""
    return (*(() if settings.public_url is None else (settings.public_url,)), *settings.public_urls_before)


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
    guarded = APIRouter(prefix=PREFIX, dependencies=[Depends(signed_in_or_token)])
    for resource in RESOURCES:
        guarded.include_router(resource.router)
    guarded.add_api_route("/openapi.json", _describe, include_in_schema=False)
    app.include_router(guarded)
    app.include_router(sessions.router, prefix=PREFIX)
    app.include_router(provider_sign_in.router, prefix=PREFIX)
    app.include_router(health.router, prefix=PREFIX)
    app.include_router(public_scan.router)
    app.add_api_route("/metrics", _metrics, include_in_schema=False, dependencies=[Depends(require_metrics_token)])
    problems.install(app)
    app.add_middleware(Transport)
    app.add_middleware(Console)
    app.add_middleware(Measured)
    return app


def _provider(settings: Settings) -> Provider | None:
    if settings.oidc_issuer is None or settings.oidc_client_id is None or settings.public_url is None:
        return None  # the settings see to it that they are there together
    secret = settings.oidc_client_secret
    back = f"{settings.public_url.rstrip('/')}{PREFIX}/session/provider/back"
    return Provider(
        Registration(
            settings.oidc_issuer,
            settings.oidc_client_id,
            None if secret is None else secret.get_secret_value(),
            back,
        )
    )


def _digest(token: SecretStr | None) -> bytes | None:
    return None if token is None else digest_of(token.get_secret_value())


def _levels(pool: Pool, feed: Feed, watchdog: Watchdog, photo_watch: PhotoWatch) -> Levels:
    stats = pool.get_stats()
    return Levels(
        live_streams=feed.subscribers,
        live_stream_current=feed.current,
        pool_connections=stats.get("pool_size", 0),
        pool_idle=stats.get("pool_available", 0),
        pool_waiting=stats.get("requests_waiting", 0),
        pool_errors=stats.get("connections_errors", 0) + stats.get("connections_lost", 0),
        ingest_silent_sites=watchdog.silent_sites,
        photos_fullest=photo_watch.fullest,
    )


async def _metrics(request: Request) -> Response:
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.render(), media_type=MEDIA_TYPE)


async def _describe(request: Request) -> dict[str, Any]:
    return description(request.app, PREFIX)


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    service: Service = app.state.service
    watchdog: Watchdog = app.state.watchdog
    round_watch: RoundWatch = app.state.round_watch
    doubt_watch: DoubtWatch = app.state.doubt_watch
    photo_watch: PhotoWatch = app.state.photo_watch
    report_watch: ReportWatch = app.state.report_watch
    expiry_watch: ExpiryWatch = app.state.expiry_watch
    tasks = (
        asyncio.create_task(service.feed.run(), name="live stream reader"),
        asyncio.create_task(watchdog.run(service.sites), name="watch over ingest"),
        asyncio.create_task(round_watch.run(service.sites), name="watch over rounds"),
        asyncio.create_task(doubt_watch.run(service.sites), name="watch over late doubts"),
        asyncio.create_task(photo_watch.run(service.sites), name="watch over the room for pictures"),
        asyncio.create_task(report_watch.run(service.sites), name="watch over reports"),
        asyncio.create_task(expiry_watch.run(service.sites), name="watch over what ends on a day"),
    )
    try:
        yield
    finally:
        service.feed.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        service.vault.close()
        if service.provider is not None:
            await service.provider.close()


def _operation_id(route: APIRoute) -> str:
    """The name of the route's function: stable, unique (tests/api/test_openapi.py), and fit for generated clients."""
    return route.name
