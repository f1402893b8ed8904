"""Prometheus with the configuration that we ship, at a real ingest and a real api: promtool has nothing to object, both are
scraped, every question of the dashboard is answered, every alert rule is at work, and ingest that stops is told.
"""

import asyncio
import json
import math
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from api.server import serve
from embedded import process
from settings import Settings
from tests.deploy.test_watching import QUERIES, RULES, panels
from tests.fix_wait import wait_until
from tests.line_rig import Line, line
from tests.shipped import PACKS
from tests.source_tree import ROOT

PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
pytestmark = pytest.mark.skipif(PROMETHEUS is None or PROMTOOL is None, reason="Prometheus is not installed")

SHIPPED = ROOT / "deploy/prometheus"
TOKEN = "only-metrics-0123456789"
CLOCK = Settings().clock()  # the wall's: Prometheus has no other
BEATS: dict[str, Any] = {"beat_s": 0.05, "ingest_silent_s": 3.0}
TILES = {
    panel["title"].rpartition(" / ")[2]: panel["targets"][0]["expr"] for panel in panels() if panel["type"] == "stat"
}


def as_shipped_but_in(directory: Path, changes: dict[str, str]) -> Path:
    """Both files side by side, each of `changes` put in the place of what it stands for, and the token's file."""
    token_file = directory / "token"
    token_file.write_text(f"{TOKEN}\n", encoding="utf-8")
    text = (SHIPPED / "prometheus.yml").read_text(encoding="utf-8")
    files = {"credentials_file: /etc/prometheus/taizhang-metrics-token": f"credentials_file: {token_file}"}
    for ours, here in {**files, **changes}.items():
        assert ours in text, ours
        text = text.replace(ours, here)
    config = directory / "prometheus.yml"
    config.write_text(text, encoding="utf-8")
    shutil.copy(SHIPPED / "taizhang-alerts.yml", directory)
    return config


@pytest.mark.parametrize("kind", ["config", "rules"])
def test_promtool_has_nothing_to_object(kind: str, tmp_path: Path) -> None:
    config = as_shipped_but_in(tmp_path, {})
    file = config if kind == "config" else tmp_path / "taizhang-alerts.yml"
    command = [PROMTOOL or "", "check", kind, "--lint=all", "--lint-fatal", file]
    said = subprocess.run(command, check=False, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout + said.stderr
    assert f"{len(RULES)} rules found" in said.stdout
    assert not re.search("warn|deprecat", said.stdout + said.stderr, re.IGNORECASE)


class Duty(ThreadingHTTPServer):
    """Stands where Alertmanager would, and keeps what it is told: name -> the alert as it came last."""

    daemon_threads = True

    def __init__(self) -> None:
        self.told: dict[str, dict[str, Any]] = {}
        super().__init__(("127.0.0.1", 0), _Hears)


class _Hears(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Duty)
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/v2/alerts":
            self.server.told.update({each["labels"]["alertname"]: each for each in said})
        self.send_response(200)
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing on stderr."""


@contextmanager
def on_duty() -> Generator[Duty]:
    with Duty() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@asynccontextmanager
async def api_at(port: int, database_url: str, photos: Path) -> AsyncGenerator[None]:
    """Served on a real socket for the length of the block."""
    settings = Settings(api_port=port, metrics_token=SecretStr(TOKEN), photos_dir=photos, **BEATS)
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(settings, PACKS, clock=CLOCK, stop=stop, database_url=database_url))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(serving, 30)


@asynccontextmanager
async def prometheus_in(directory: Path, changes: dict[str, str]) -> AsyncGenerator[str]:
    """Running for the length of the block; gives where it answers."""
    url = f"http://127.0.0.1:{process.port_for('Prometheus', None)}"
    command = [
        PROMETHEUS or "",
        f"--config.file={as_shipped_but_in(directory, changes)}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        "--rules.alert.resend-delay=1s",  # it tells nobody before it has looked for Alertmanager, and again after a minute
    ]
    log = directory / "prometheus.log"
    child = process.spawn(command, log=log, dies_by=signal.SIGKILL)
    try:
        ready = await process.until_ready(child, lambda: is_ready(url), 20)
        assert ready, log.read_text(encoding="utf-8")
        yield url
    finally:
        await process.stop(child, ((signal.SIGTERM, 10.0),))


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready").status_code == 200
    except httpx.TransportError:
        return False


@dataclass
class Watched:
    """Ingest and api with Prometheus at them, which both have been reached by."""

    work: Line
    doors: dict[str, str]  # job -> where its /metrics are
    duty: Duty
    client: httpx.AsyncClient

    async def of_prometheus(self, path: str, **asked: str) -> Any:
        """What it answers; a refusal fails the test at once, with its words."""
        answer = await self.client.get(f"/api/v1/{path}", params=asked)
        said = answer.json()
        if said["status"] != "success" or said.get("warnings"):
            pytest.fail(f"{path} {asked}: {answer.text}")
        return said["data"]

    async def values(self, query: str) -> list[float]:
        """At this moment, one for each series; what is not a number is none."""
        found = [float(each["value"][1]) for each in (await self.of_prometheus("query", query=query))["result"]]
        return [each for each in found if not math.isnan(each)]

    async def alerts(self) -> dict[str, str]:
        """Those that are not at rest -> pending or firing."""
        found = (await self.of_prometheus("alerts"))["alerts"]
        return {each["labels"]["alertname"]: each["state"] for each in found}

    async def are_up(self) -> bool:
        targets = (await self.of_prometheus("targets"))["activeTargets"]
        found = {each["labels"]["job"]: (each["scrapeUrl"], each["health"]) for each in targets}
        assert found == {job: (url, "up") for job, url in self.doors.items()}, targets
        return True


@pytest.fixture
async def watched(
    tmp_path: Path, database_url: str, mqtt_url: str, unique_key: Callable[[str], str]
) -> AsyncIterator[Watched]:
    ports = {job: process.port_for(job, None) for job in ("taizhang-ingest", "taizhang-api")}
    async with AsyncExitStack() as stack:
        work = await stack.enter_async_context(
            line(
                database_url,
                mqtt_url,
                unique_key("site"),
                clock=CLOCK,
                ingest_http_port=ports["taizhang-ingest"],
                metrics_token=TOKEN,
                **BEATS,
            )
        )
        await stack.enter_async_context(api_at(ports["taizhang-api"], database_url, tmp_path / "photos"))
        duty = stack.enter_context(on_duty())
        changes = {
            "127.0.0.1:8082": f"127.0.0.1:{ports['taizhang-ingest']}",
            "127.0.0.1:8080": f"127.0.0.1:{ports['taizhang-api']}",
            "127.0.0.1:9093": f"127.0.0.1:{duty.server_port}",
            "_interval: 10s": "_interval: 1s",  # how often it scrapes, and how often it looks at the rules
        }
        url = await stack.enter_async_context(prometheus_in(tmp_path, changes))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=30))
        doors = {job: f"http://127.0.0.1:{port}/metrics" for job, port in ports.items()}
        made = Watched(work, doors, duty, client)
        await wait_until(made.are_up)
        yield made


def say_of_every_kind(work: Line) -> None:
    """What is stored, what raises an alarm, and what ends in quarantine."""
    work.say("pumps", {"outlet_pressure": 0.4}, ago=1)
    work.say("lift", {"overspeed": True})
    work.say_raw(f"{work.site}/pumps/telemetry", "not json")


async def test_the_dashboard_has_figures_and_the_alerts_tell_of_ingest_that_stops(watched: Watched) -> None:
    """One test: it takes Prometheus five seconds to look for the first time."""
    await the_dashboard_has_figures(watched)
    await the_alerts_are_at_work(watched)
    await ingest_that_stops_is_told(watched)


async def has_figures(watched: Watched, query: str) -> None:
    async def found() -> bool:
        assert await watched.values(query), f"nothing to show for {query}"
        return True

    await wait_until(found)


async def the_dashboard_has_figures(watched: Watched) -> None:
    """No query is left out: all of them have, and no variable of Grafana's stands in any."""
    async with httpx.AsyncClient() as anybody:
        assert [(await anybody.get(url)).status_code for url in watched.doors.values()] == [401, 401]
    say_of_every_kind(watched.work)  # only now: rates are of what was counted between two scrapes
    await watched.work.alarm("overspeed")
    for query in QUERIES:
        assert "$" not in query
        await has_figures(watched, query)

    async def are_right() -> bool:
        sought = {"Ingest up": 1, "Hears the broker": 1, "Database away": 0, "Silent sites": 0, "Sites held": 1}
        shown = {title: await watched.values(TILES[title]) for title in sought}
        assert shown == {title: [value] for title, value in sought.items()}
        heard_s = await watched.values("time() - taizhang_ingest_site_last_message_timestamp_seconds")
        assert [0 <= each < 60 for each in heard_s] == [True], heard_s
        for counted in ('messages_total{result="quarantined"}', 'happenings_total{what="alarm_raised"}'):
            rate = await watched.values(f"rate(taizhang_ingest_{counted}[1m])")
            assert [each > 0 for each in rate] == [True], counted
        return True

    await wait_until(are_right)


async def the_alerts_are_at_work(watched: Watched) -> None:
    async def are_sound() -> bool:
        (group,) = (await watched.of_prometheus("rules"))["groups"]
        found = [(each["name"], each["health"]) for each in group["rules"]]
        assert found == [(each["alert"], "ok") for each in RULES], group
        return True

    await wait_until(are_sound)
    for rule in RULES:  # what each of them compares is there: one that finds nothing would be at rest for ever
        compared = re.sub(r" (?:[<>]=?|==) [\d.]+", "", rule["expr"])
        await has_figures(watched, compared)

    async def is_quiet() -> bool:
        return await watched.alerts() == {"TaizhangDeadMansSwitch": "firing"}

    await wait_until(is_quiet)
    await wait_until(lambda: "TaizhangDeadMansSwitch" in watched.duty.told)


async def ingest_that_stops_is_told(watched: Watched) -> None:
    await watched.work.stop()

    async def is_told() -> bool:
        found = await watched.alerts()
        assert found.get("TaizhangIngestDown") == "pending", found  # for a minute, before it fires
        assert found.get("TaizhangSiteSilent") == "firing", found
        return "TaizhangSiteSilent" in watched.duty.told

    await wait_until(is_told)
    told = watched.duty.told["TaizhangSiteSilent"]
    assert told["labels"]["severity"] == "critical"
    assert told["annotations"]["summary"] == "1 site(s) are not being judged"
    assert await watched.values(TILES["Ingest up"]) == [0]
    for query in TILES.values():
        if "taizhang_ingest_" in query:
            assert await watched.values(query) == [], "of ingest nobody knows more than that it is down"
