"""How ingest is, at this moment: live, ready, lagging. Decided here, shown by the door, counted by the metrics.

Live is who answers at all: the loop turns. Ready is who hears the broker, reaches the database with the schema it
needs, and holds its sites. Lagging is ready, and behind: what came in is not judged within the bound.
"""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from http import HTTPStatus

from watching.door import Answer


@dataclass(frozen=True, slots=True)
class Vitals:
    """Ages in seconds of the wall."""

    broker_connected: bool
    broker_connections: int  # made since the start
    database_away: bool
    sites_held: int
    engine_builds: int  # sites loaded since the start
    queue_messages: int  # read and not yet taken into a batch
    unacknowledged_messages: int
    oldest_unjudged_s: float  # 0: nothing waits
    sound_tick_s: float | None  # since every site was last looked at with broker and database there; None: never yet


class HealthState(StrEnum):
    READY = "ready"
    LAGGING = "lagging"
    NOT_READY = "not_ready"


@dataclass(frozen=True, slots=True)
class Check:
    passing: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Health:
    state: HealthState
    checks: dict[str, Check]


def health(vitals: Vitals, *, lag_max_s: float, tick_max_s: float) -> Health:
    tick_s = vitals.sound_tick_s
    looked = "not yet" if tick_s is None else f"{tick_s:.1f} s ago"
    checks = {
        "broker": Check(vitals.broker_connected, "connected" if vitals.broker_connected else "not connected"),
        "database": Check(not vitals.database_away, "away" if vitals.database_away else "reachable, schema current"),
        "sites": Check(
            tick_s is not None and tick_s <= tick_max_s, f"{vitals.sites_held} held, all looked at {looked}"
        ),
    }
    is_ready = all(check.passing for check in checks.values())
    is_lagging = vitals.oldest_unjudged_s > lag_max_s
    checks["lag"] = Check(
        not is_lagging, f"oldest message not judged: {vitals.oldest_unjudged_s:.1f} s, bound {lag_max_s:g} s"
    )
    if not is_ready:
        return Health(HealthState.NOT_READY, checks)
    return Health(HealthState.LAGGING if is_lagging else HealthState.READY, checks)


def live() -> Answer:
    return Answer(HTTPStatus.OK, b'{"status": "live"}')


def readiness(found: Health) -> Answer:
    """Lagging answers 200: to restart it would only make it later."""
    status = HTTPStatus.SERVICE_UNAVAILABLE if found.state is HealthState.NOT_READY else HTTPStatus.OK
    checks = {name: asdict(check) for name, check in found.checks.items()}
    return Answer(status, json.dumps({"state": found.state.value, "checks": checks}).encode())
