"""The watcher is watched: real processes under their own logins; ingest is killed, and the ledger says so; it comes back,
and the ledger says that too.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from embedded import process
from ledger import audit, logins
from ledger.logins import API_LOGIN, INGEST_LOGIN
from tests.fix_wait import Eventually
from tests.ledger.test_logins import PASSWORDS, as_login
from tests.line_rig import bring
from tests.source_tree import ROOT

pytestmark = pytest.mark.system

SERVICE = {"key": "ingest", "kind": "ingest_service", "name": {"zh": "接入服务", "en": "Ingest"}, "location": "house"}
BOUNDS = {
    "TAIZHANG_BEAT_S": "0.5",
    "TAIZHANG_INGEST_SILENT_S": "3",
    "TAIZHANG_TICK_MS": "200",
    "TAIZHANG_LOG_FORMAT": "json",
}


@asynccontextmanager
async def service(name: str, output: Path, given: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("TAIZHANG_", "DATABASE_"))}
    with output.open("ab") as log:
        started = await asyncio.create_subprocess_exec(
            sys.executable, ROOT / "taizhang.py", name, cwd=ROOT, env={**environment, **BOUNDS, **given},
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            yield started
        finally:
            if started.returncode is None:
                started.terminate()
                await asyncio.wait_for(started.wait(), 30)


async def test_a_killed_ingest_is_an_alarm_until_it_is_back(
    database_url: str, mqtt_url: str, unique_key: Callable[[str], str], eventually: Eventually, tmp_path: Path
) -> None:
    site = unique_key("site")
    await bring(database_url, site, now=datetime.now(UTC), also=[SERVICE])
    await logins.ensure(database_url, PASSWORDS)
    ingest = {
        "DATABASE_URL": as_login(database_url, INGEST_LOGIN, PASSWORDS[INGEST_LOGIN]),
        "MQTT_URL": mqtt_url,
        "TAIZHANG_MQTT_CLIENT_ID": f"worker-{site}",
        "TAIZHANG_SITES": f'["{site}"]',
    }
    api = {
        "DATABASE_URL": as_login(database_url, API_LOGIN, PASSWORDS[API_LOGIN]),
        "TAIZHANG_API_PORT": str(process.port_for("the api", None)),
        "TAIZHANG_API_TOKEN": "a token of this test",
    }
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True, row_factory=dict_row) as ledger:

        async def rows(statement: str) -> list[dict[str, Any]]:
            return list(await (await ledger.execute(statement)).fetchall())

        async def alarms() -> list[dict[str, Any]]:
            return await rows("select rang_at, returned_at from alarm join condition on condition.id = condition_id "
                              "where rule_key = 'ingest_silent'")  # fmt: skip

        async with service("api", tmp_path / "api", api):
            async with service("ingest", tmp_path / "ingest", ingest) as first:
                await eventually(lambda: rows("select 1 from ingest_beat where broker_connected"), 60)
                first.kill()
                await first.wait()
            (alarm,) = await eventually(alarms, 60)
            assert alarm["rang_at"] is not None
            async with service("ingest", tmp_path / "ingest", ingest):

                async def returned() -> bool:
                    (only,) = await alarms()
                    return only["returned_at"] is not None

                await eventually(returned, 60)
        journal = await rows("select move, actor, reason from condition_event join condition on condition.id = condition_id "
                             "where rule_key = 'ingest_silent' order by seq")  # fmt: skip
    assert [tuple(each.values()) for each in journal] == [
        ("raise", "watchdog", "ingest_silent"),
        ("clear", "rules", "normal"),
    ]
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        assert await audit.run(connection) == []
