"""`taizhang.py walk`: guards on rounds over HTTP, and the ledger held against what they did.

By itself it makes a database, brings in the demo's estate and starts the API; with an address it walks at a service that
runs, where it leaves its plans, tags and visits behind: not at one that people use.
"""

import json
import secrets
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

import httpx

import ledger.migrate
import rules.packs
from demo import estates, ground, services
from demo.estates import ESTATE, FIRE_EQUIPMENT
from demo.services import Service
from demo.smoke import ready
from embedded import process
from ledger import scratch
from ledger.pool import open_pool, transaction
from settings import Settings
from simulators.errors import SimulationError
from simulators.guards import walk
from simulators.guards.walk import Account

_PATIENCE_S = 120.0


async def run(settings: Settings, *, seed: int, site: str, url: str | None) -> Account:
    """Raises EmbeddedError, ServiceEnded, LedgerError or SimulationError with what to do."""
    async with _service(settings, url) as (address, token):
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=f"{address}/api/v1", headers=headers, timeout=_PATIENCE_S) as client:
            try:
                return await walk.walk(client, settings.clock(), site=site, seed=seed)
            except httpx.TransportError as error:
                raise SimulationError(f"the API at {address} does not answer: {error!r}") from error


@asynccontextmanager
async def _service(settings: Settings, url: str | None) -> AsyncGenerator[tuple[str, str]]:
    """Address and token: of the one named, or of one that lives as long as the block."""
    if url is not None:
        if settings.api_token is None:
            raise SimulationError("walking at a running API needs its token in TAIZHANG_API_TOKEN")
        yield url.rstrip("/"), settings.api_token.get_secret_value()
        return
    with tempfile.TemporaryDirectory(prefix="taizhang-walk-") as name:
        directory = Path(name)
        async with (
            ground.standing(settings, directory, durable=False) as here,
            scratch.database(here.database_url) as fresh,
        ):
            await ledger.migrate.migrate(fresh)
            async with open_pool(fresh, role=None, size_max=1) as pool, transaction(pool) as connection:
                packs = rules.packs.load(settings.packs_dir)
                await estates.bring_in(connection, [ESTATE, FIRE_EQUIPMENT], packs, settings.clock()())
            token = secrets.token_urlsafe(24)
            port = process.port_for("the API", None)
            environment = {
                "DATABASE_URL": fresh,
                "TAIZHANG_API_TOKEN": token,
                "TAIZHANG_API_PORT": str(port),
                "TAIZHANG_PHOTOS_DIR": str(directory / "photos"),
            }
            async with services.running(directory / "logs", environment) as running:
                running.start(Service("api", ["api"]))
                address = f"http://127.0.0.1:{port}"
                await ready(running, address)
                yield address, token


def told(account: Account) -> list[str]:
    """For people: every finding, then what was walked."""
    findings = account.findings
    return [
        *(f"UNMARKED {each}" for each in findings.unmarked),
        *(f"WRONGED {each}" for each in findings.wronged),
        *(f"LOST {each}" for each in findings.lost),
        f"{account.guards} guards made {account.visits} visits and sent them {account.sent} times",
        f"{account.cheated} of them cheated: " + ", ".join(f"{name} {n}" for name, n in account.reasons.items()),
    ]


def as_json(account: Account) -> str:
    return json.dumps(asdict(account), ensure_ascii=False)
