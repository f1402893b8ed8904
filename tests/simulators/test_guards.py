"""Guards over HTTP at a served API: every cheat is marked by its name, nobody honest is, and each visit is there once."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from api.server import serve
from settings import Settings
from simulators.guards import auditor
from simulators.guards.auditor import Findings
from simulators.guards.phone import Told
from simulators.guards.route import Stop
from simulators.guards.shift import Network, Shift, Visit
from simulators.guards.walk import EVERY_CHEAT, walk
from tests.fix_wait import Eventually
from tests.shipped import PACKS
from tests.small_estate import NOON, build_both

TOKEN = "a-token-of-the-guards"
PLACES = 13


@pytest.fixture
async def client(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> AsyncIterator[httpx.AsyncClient]:
    """Bears the token at a service of its own, whose clock stands at NOON and whose garden has thirteen stairs."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        garden, _ = await build_both(connection)
        await connection.cursor().executemany(
            "insert into facility (site_id, location_id, key, kind, grade, name_zh, name_en) "
            "values (%s, %s, %s, 'escape_stair', 'B', %s, %s)",
            [[garden.id, garden.room, f"stair-{at:02}", f"{at}号楼梯", f"Stair {at}"] for at in range(PLACES)],
        )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("TAIZHANG_API_TOKEN", TOKEN)
    monkeypatch.setenv("TAIZHANG_API_PORT", str(port))
    monkeypatch.setenv("TAIZHANG_PHOTOS_DIR", str(tmp_path))
    settings, stop = Settings(), asyncio.Event()
    serving = asyncio.create_task(serve(settings, PACKS, clock=lambda: NOON, stop=stop, database_url=database_url))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", headers=headers, timeout=60) as opened:

        async def alive() -> bool:
            try:
                return (await opened.get("/health")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(alive)
        yield opened
    stop.set()
    await serving


async def test_who_cheats_is_marked_and_nobody_else(client: httpx.AsyncClient) -> None:
    """Each seed has a third of the cheats and a network beside the scouts': together they are all there."""
    for seed in (1, 2, 3):
        account = await walk(
            client,
            lambda: NOON,
            site="garden",
            seed=seed,
            cheats=EVERY_CHEAT[seed - 1 :: 3],
            networks=[[*Network][seed]],
            stops=7,
        )
        assert account.findings == auditor.Findings()
        assert 10 < account.cheated < account.visits - 30
        assert account.sent > account.visits


# ------------------------------------------------------------------ the auditor itself

STOP = Stop("ext-01", "tag", "extinguisher", 1, ["body"], {}, [], (31.0, 121.0))
VISIT = Visit(
    id=UUID(int=7, version=4),
    stop=STOP,
    said="tag",
    expected="ext-01",
    means="camera",
    scanned_at=NOON,
    finished_at=NOON,
    failed=[],
    shots=[],
    position=None,
    phone="phone-1",
    version=1,
    round_of="保安赵",
)


def audited(visit: Visit, reasons: list[str], *, rows: int = 1, entries: int = 1, answers: str = "kept") -> Findings:
    row: dict[str, Any] = {
        "id": str(visit.id),
        "person": "保安赵",
        "reasons": [{"key": each} for each in reasons],
        "verdict": "to_review" if reasons else "accepted",
        "facility": {"key": "ext-01"},
        "work_order": None,
        "note": None,
    }
    shift = Shift("保安赵", "phone-1", None, Network.ONLINE, timedelta(), [visit])
    entry = {"kind": "inspection", "body": {"visit": str(visit.id), "person": "保安赵"}}
    told = Told({str(visit.id): answers.split()})
    return auditor.compare([shift], [told], [row] * rows, {"ext-01": [entry] * entries})


def test_the_auditor_finds_what_is_wrong() -> None:
    cheated = replace(VISIT, must=frozenset({"typed"}))
    assert audited(VISIT, []).clean
    assert audited(cheated, ["typed"]).clean
    assert audited(VISIT, [], answers="kept known").clean
    assert audited(cheated, []).unmarked
    assert audited(cheated, ["photo_file"]).unmarked
    assert audited(cheated, ["typed", "pace"]).wronged
    assert audited(VISIT, ["pace"]).wronged
    for lost in (
        audited(VISIT, [], rows=0),
        audited(VISIT, [], rows=2),
        audited(VISIT, [], entries=0),
        audited(VISIT, [], entries=2),
        audited(VISIT, [], answers="kept kept"),
        audited(VISIT, [], answers="later"),
        audited(replace(VISIT, failed=["body"]), []),
        audited(replace(VISIT, retold=True), []),
    ):
        assert lost.lost
