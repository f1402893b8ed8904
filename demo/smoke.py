"""`make smoke`: a fixed script of faults through the real service, and the ledger held against the simulators' truth.

An hour is lived in two minutes: ingest, api and simulators share one clock that runs `SPEED` times as fast, so delays
run at speed and nothing looks late or early. The script starts at a fixed time of day, so that demand and traffic are
the same in every run; the seed only varies the noise.
"""

import asyncio
import json
import secrets
import tempfile
import urllib.request
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

import ledger.migrate
import rules.packs
import simulators.auditor
import simulators.truth
from demo import estates, ground, services
from demo.demo import answers
from demo.estates import ESTATE, FIRE_EQUIPMENT
from demo.services import Service, ServiceEnded, Services
from embedded import process
from ledger import audit, intake, scratch
from ledger.pool import INGEST_ROLE, Pool, open_pool, transaction
from rules import yaml_loader
from settings import Settings, wall_clock

SPEED = 30.0  # at 40 a machine that is busy for an eighth of a second rings for a starter that was let go long ago
_ROOT = Path(__file__).resolve().parent.parent
SCRIPT = _ROOT / "simulators/smoke.yaml"
ORIGIN = datetime(2026, 11, 2, 10, 0, tzinfo=UTC) - timedelta(hours=8)  # ten in the morning at the sites
_READY_S = 60.0
_SIMULATION_S = 300.0  # of the wall; the script itself says how long it takes
_CAUGHT_UP_S = 60.0
_POLL_S = 0.2
_PAGE = 200

Account = dict[str, object]


@dataclass(frozen=True, slots=True)
class _Stage:
    """A whole service at work: where to ask, and with which token."""

    database_url: str
    api_url: str
    token: str
    running: Services
    directory: Path


async def run(settings: Settings, *, seed: int, speed: float, packs_dir: Path | None = None) -> Account:
    """Play the script and give the account; its lists of missing, unexpected and audit are empty if all is well.

    `packs_dir` lets ingest judge by other rules than the script was written for: the account must then show what is
    missing. Raises EmbeddedError, ServiceEnded or LedgerError with what to do.
    """
    with tempfile.TemporaryDirectory(prefix="taizhang-smoke-") as name:
        truth_file, played = Path(name) / "truth.json", Path(name) / "estate.yaml"
        played.write_text(yaml.safe_dump(without_bystanders(ESTATE, SCRIPT), allow_unicode=True), encoding="utf-8")
        async with _stage(settings, Path(name), played, speed=speed, packs_dir=packs_dir) as stage:
            arguments = [
                "--estate",
                str(played),
                "--seed",
                str(seed),
                "--faults",
                str(SCRIPT),
                "--truth",
                str(truth_file),
            ]
            stage.running.start(Service("simulate", ["simulate", *arguments]))
            await _finished(stage.running)
            truth = simulators.truth.read_truth(truth_file)
            async with open_pool(stage.database_url, role=INGEST_ROLE, size_max=2) as pool:
                await _caught_up(pool, truth.published)
                async with transaction(pool) as connection:
                    totals = await intake.totals(connection)
                    broken = await audit.run(connection)
            alarms = await asyncio.to_thread(_all_of, stage, "alarms")
            orders = await asyncio.to_thread(_all_of, stage, "work-orders")
            findings = simulators.auditor.compare(truth, [_as_audited(alarm) for alarm in alarms], orders)
    return {
        "received": totals.received,
        "accepted": totals.accepted,
        "duplicate": totals.duplicate,
        "quarantined": totals.quarantined,
        "stored": totals.stored,
        "alarms_raised": len(alarms),
        "alarms_cleared": sum(1 for alarm in alarms if alarm["returned_at"] is not None),
        "work_orders_opened": len(orders),
        "priorities": {
            name: sum(1 for alarm in alarms if alarm["priority"] == name)
            for name in ("low", "medium", "high", "urgent")
        },
        "missing": findings.missing,
        "unexpected": findings.unexpected,
        "audit": [f"{violation.invariant}: {row}" for violation in broken for row in violation.rows],
    }


def without_bystanders(estate_file: Path, script_file: Path) -> dict[str, Any]:
    """The demo estate less the gateways that no fault names, with all that they speak for.

    They are lifts upon lifts: at thirty times real time two cores have better things to do than to ride in them.
    """
    described: Any = yaml_loader.load(estate_file.read_text(encoding="utf-8"))
    script: Any = yaml_loader.load(script_file.read_text(encoding="utf-8"))
    named = {fault.get("facility") or fault["gateway"] for fault in script["faults"]}
    for site in described["sites"]:
        speaking = {one.get("gateway") for one in site["facilities"] if f"{site['key']}/{one['key']}" in named}
        kept = {
            one["key"] for one in site["gateways"] if one["key"] in speaking or f"{site['key']}/{one['key']}" in named
        }
        site["gateways"] = [one for one in site["gateways"] if one["key"] in kept]
        site["facilities"] = [one for one in site["facilities"] if "gateway" not in one or one["gateway"] in kept]
    return described


@asynccontextmanager
async def _stage(
    settings: Settings, directory: Path, played: Path, *, speed: float, packs_dir: Path | None
) -> AsyncGenerator[_Stage]:
    """Servers, a fresh ledger with the demo estate, ingest and api, ready."""
    async with (
        ground.standing(settings, directory, durable=False) as here,
        scratch.database(here.database_url) as fresh,
    ):
        await ledger.migrate.migrate(fresh)
        started = wall_clock()()
        packs = rules.packs.load(settings.packs_dir)
        async with open_pool(fresh, role=None, size_max=1) as pool, transaction(pool) as connection:
            await estates.bring_in(connection, [played, FIRE_EQUIPMENT], packs, ORIGIN)
        port = process.port_for("the API", None)
        token = secrets.token_urlsafe(24)
        environment = {
            "DATABASE_URL": fresh,
            "MQTT_URL": here.mqtt_url,
            "TAIZHANG_MQTT_CLIENT_ID": f"smoke-{secrets.token_hex(4)}",
            "TAIZHANG_API_TOKEN": token,
            "TAIZHANG_API_PORT": str(port),
            "TAIZHANG_CLOCK_ORIGIN": ORIGIN.isoformat(),
            "TAIZHANG_CLOCK_STARTED": started.isoformat(),
            "TAIZHANG_CLOCK_SPEED": str(speed),
            # A tick every simulated three seconds: what is due is seen as promptly as it would be at normal speed.
            "TAIZHANG_TICK_MS": "50",
            "TAIZHANG_LINGER_MS": "5",
            **({"TAIZHANG_PACKS_DIR": str(packs_dir)} if packs_dir else {}),
        }
        async with services.running(directory / "logs", environment) as running:
            running.start(Service("ingest", ["ingest"]))
            running.start(Service("api", ["api"]))
            url = f"http://127.0.0.1:{port}"
            await ready(running, url)
            yield _Stage(fresh, url, token, running, directory)


async def ready(running: Services, url: str) -> None:
    """Wait until the API there is ready. Raises ServiceEnded."""
    watch = asyncio.create_task(running.watch())
    try:
        async with asyncio.timeout(_READY_S):
            while not await asyncio.to_thread(answers, f"{url}/api/v1/readiness"):
                if watch.done():
                    watch.result()
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise ServiceEnded(f"the service was not ready at {url} in {_READY_S:.0f} s") from None
    finally:
        watch.cancel()


async def _finished(running: Services) -> None:
    """Wait for the simulators to play to the end. Raises ServiceEnded if they, or what they talk to, fail."""
    code = await running.finished("simulate", _SIMULATION_S)
    if code is None:
        raise ServiceEnded(
            f"the simulators did not finish in {_SIMULATION_S:.0f} s; their log: {running.log('simulate')}"
        )
    if code != 0:
        said = running.log("simulate").read_text(encoding="utf-8", errors="replace").strip()[-2000:]
        raise ServiceEnded(f"the simulators ended with code {code}; their last words:\n{said}")


async def _caught_up(pool: Pool, published: int) -> None:
    """Wait until every message that the broker took from the simulators is accounted for. Raises ServiceEnded."""
    received = 0
    try:
        async with asyncio.timeout(_CAUGHT_UP_S):
            while received < published:
                async with transaction(pool) as connection:
                    received = (await intake.totals(connection)).received
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise ServiceEnded(
            f"the broker took {published} messages, ingest accounted for {received} in {_CAUGHT_UP_S:.0f} s"
        ) from None


def _as_audited(alarm: Mapping[str, Any]) -> dict[str, object]:
    """The auditor knows nothing of our API: it is given flat rows."""
    facility = alarm["facility"]
    return {
        **alarm,
        "site_key": facility["site"],
        "facility_key": facility["key"],
        "part_key": alarm["part"],
        "rule_key": alarm["rule"],
        "work_order_ids": alarm["work_orders"],
    }


def _all_of(stage: _Stage, resource: str) -> list[dict[str, Any]]:
    """Every page of a list, as a person with curl would fetch it."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        query = urlencode({"limit": _PAGE} | ({"after": cursor} if cursor else {}))
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            f"{stage.api_url}/api/v1/{resource}?{query}", headers={"Authorization": f"Bearer {stage.token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            page = json.load(response)
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items
