"""Is the process alive, and can it do its work. The only routes without the token."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import Field

from api.context import Context, InContext
from api.shapes import Answered
from ledger import readiness
from ledger.errors import LedgerError

router = APIRouter(tags=["health"])

INGEST_SILENT_AFTER = timedelta(minutes=5)


class Alive(Answered):
    status: Literal["alive"]


class ServiceState(StrEnum):
    READY = "ready"
    DEGRADED = "degraded"  # people can see and do everything, but nothing new comes in
    NOT_READY = "not_ready"


class CheckResult(StrEnum):
    PASSING = "passing"
    FAILING = "failing"


class Check(Answered):
    result: CheckResult
    detail: str


class Ready(Answered):
    """`not_ready` answers 503. A silent ingest only degrades: what is known must stay visible."""

    state: ServiceState
    checks: Mapping[Literal["database", "migrations", "ingest"], Check] = Field(
        description="in order; those after a failing one may be missing"
    )


@router.get("/health", summary="The process is alive")
async def get_health() -> Alive:
    return Alive(status="alive")


@router.get(
    "/readiness",
    summary="The database is reachable, its schema is ours, and ingest was heard lately",
    responses={503: {"model": Ready, "description": "Not ready; the checks say why"}},
)
async def get_readiness(context: InContext, response: Response) -> Ready:
    ready = await _look(context)
    if ready.state is ServiceState.NOT_READY:
        response.status_code = 503
    return ready


async def _look(context: Context) -> Ready:
    try:
        found = await readiness.look(context.pool)
    except LedgerError as error:
        return Ready(state=ServiceState.NOT_READY, checks={"database": _check(str(error), passing=False)})
    reached = _check("reachable", passing=True)
    if found.refusal is not None or found.missing:
        why = found.refusal or f"not applied yet: {', '.join(found.missing)}"
        return Ready(
            state=ServiceState.NOT_READY, checks={"database": reached, "migrations": _check(why, passing=False)}
        )
    heard = found.ingest_heard_at
    is_heard = heard is not None and context.clock() - heard <= INGEST_SILENT_AFTER
    when = "nothing has come in yet" if heard is None else f"last message {heard.isoformat()}"
    return Ready(
        state=ServiceState.READY if is_heard else ServiceState.DEGRADED,
        checks={
            "database": reached,
            "migrations": _check("all applied", passing=True),
            "ingest": _check(when, passing=is_heard),
        },
    )


def _check(detail: str, *, passing: bool) -> Check:
    return Check(result=CheckResult.PASSING if passing else CheckResult.FAILING, detail=detail)
