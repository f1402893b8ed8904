"""Is the process alive, and can it do its work. The only routes without the token."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import Field

from api.service import InService, Service
from api.shapes import Answered
from ledger import readiness
from ledger.errors import LedgerError
from ledger.readiness import IngestState

router = APIRouter(tags=["health"])

CheckName = Literal["database", "migrations", "ingest", "lag"]


class Alive(Answered):
    status: Literal["alive"]


class ServiceState(StrEnum):
    READY = "ready"
    LAGGING = "lagging"  # what comes in is judged later than it should be
    DEGRADED = "degraded"  # people can see and do everything, but nothing new comes in
    NOT_READY = "not_ready"


class CheckResult(StrEnum):
    PASSING = "passing"
    FAILING = "failing"


class Check(Answered):
    result: CheckResult
    detail: str


class Ready(Answered):
    """`not_ready` answers 503. A silent or late ingest does not: what is known must stay visible."""

    state: ServiceState
    checks: Mapping[CheckName, Check] = Field(description="in order; those after a failing one may be missing")


@router.get("/health", summary="The process is alive")
async def get_health() -> Alive:
    return Alive(status="alive")


@router.get(
    "/readiness",
    summary="The database is reachable, its schema is ours, and ingest judges every site in time",
    responses={503: {"model": Ready, "description": "Not ready; the checks say why"}},
)
async def get_readiness(service: InService, response: Response) -> Ready:
    ready = await _look(service)
    if ready.state is ServiceState.NOT_READY:
        response.status_code = 503
    return ready


async def _look(service: Service) -> Ready:
    try:
        found = await readiness.look(service.pool)
    except LedgerError as error:
        return Ready(state=ServiceState.NOT_READY, checks={"database": _check(str(error), passing=False)})
    reached = _check("reachable", passing=True)
    if found.refusal is not None or found.missing:
        why = found.refusal or f"not applied yet: {', '.join(found.missing)}"
        return Ready(
            state=ServiceState.NOT_READY, checks={"database": reached, "migrations": _check(why, passing=False)}
        )
    checks: dict[CheckName, Check] = {
        "database": reached,
        "migrations": _check("all applied", passing=True),
        **_of_ingest(service, found.ingest),
    }
    state = ServiceState.READY
    if checks["ingest"].result is CheckResult.FAILING:
        state = ServiceState.DEGRADED
    elif checks["lag"].result is CheckResult.FAILING:
        state = ServiceState.LAGGING
    return Ready(state=state, checks=checks)


def _of_ingest(service: Service, ingest: IngestState | None) -> dict[CheckName, Check]:
    if ingest is None or ingest.oldest_beat_s is None:
        nothing = "no site has been judged yet"
        return {"ingest": _check(nothing, passing=False), "lag": _check(nothing, passing=False)}
    heard = "none yet" if ingest.heard_at is None else ingest.heard_at.isoformat()
    beat = f"{ingest.sites} sites, none without a sign of life for {ingest.oldest_beat_s:.0f} s; last message {heard}"
    if not ingest.broker_connected:
        beat += "; not connected to the broker"
    return {
        "ingest": _check(beat, passing=ingest.broker_connected and ingest.oldest_beat_s <= service.ingest_silent_s),
        "lag": _check(
            f"oldest message not judged {ingest.lag_s:.0f} s, bound {service.lag_max_s:g} s",
            passing=ingest.lag_s <= service.lag_max_s,
        ),
    }


def _check(detail: str, *, passing: bool) -> Check:
    return Check(result=CheckResult.PASSING if passing else CheckResult.FAILING, detail=detail)
