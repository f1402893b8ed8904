"""`make demo`: the whole service with a simulated estate, on one machine, until Ctrl-C.

Everything is real: the database, the broker, the processes an operator would run. The data stays in the data
directory, and the next run goes on with it.
"""

import asyncio
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import estate.bring_in
import estate.importing
import ledger.migrate
import rules.packs
from demo import ground, lines, people, rounds, services
from demo.services import Service, Services
from embedded import process
from ledger.pool import INGEST_ROLE, open_pool, transaction
from settings import Settings

_ESTATES = Path(__file__).resolve().parent.parent / "estates"
ESTATE = _ESTATES / "demo.yaml"
FIRE_EQUIPMENT = _ESTATES / "demo_fire_equipment.csv"  # walked to, and so not simulated
_READY_S = 60.0
_POLL_S = 0.2

_LOOK = (
    ("alarms?open=true", "alarms"),
    ("facilities?site=jinxiu", "facilities"),
    ("live", "live"),
    ("openapi.json", "openapi"),
)
_TEXTS: Mapping[str, tuple[str, str]] = {
    "starting": ("正在启动数据库和消息服务器……", "starting the database and the broker ..."),
    "estate": ("正在载入演示小区……", "bringing in the demo estate ..."),
    "services": ("正在启动服务……", "starting the services ..."),
    "look": ("在这里看", "where to look"),
    "alarms": ("未结束的告警", "open alarms"),
    "facilities": ("设施和当前值", "facilities with current values"),
    "live": ("实时变化", "changes as they happen"),
    "openapi": ("接口描述", "the interface described"),
    "token": ("接口令牌", "bearer token"),
    "sign_in": ("在浏览器里登录", "sign in with a browser"),
    "broker": ("消息服务器", "broker"),
    "logs": ("日志", "logs"),
    "rounds": ("正在发放巡检标签……", "issuing the tags of its rounds ..."),
    "patrol": ("巡检页(保安用手机)", "patrol page, for the guard's phone"),
    "tags": ("可以扫的标签", "tags to scan"),
    "running": (
        "运行中。下面逐行显示告警和工单;按 Ctrl-C 结束。",
        "Running. A line for every alarm and work order; Ctrl-C ends it.",
    ),
    "stopping": ("正在停止……", "stopping ..."),
    "stopped": ("已停止,数据保存在", "stopped; the data stays in"),
}


async def run(settings: Settings, *, language: str, seed: int, stop: asyncio.Event) -> int:
    """Run until `stop`. Raises EmbeddedError, ServiceEnded or LedgerError with what to do."""

    def text(key: str) -> str:
        return _TEXTS[key][0 if language == "zh" else 1]

    def say(line: str) -> None:
        print(line, flush=True)

    directory = settings.data_dir.absolute()
    process.make_directory(directory)
    port = process.port_for("the API", settings.api_port)
    say(text("starting"))
    async with ground.standing(settings, directory) as here:
        say(text("estate"))
        await ledger.migrate.migrate(here.database_url)
        await _bring_in(settings, here.database_url)
        logins = await people.bring_in(here.database_url, directory, settings.clock()())
        say(text("services"))
        token = _token(settings, directory)
        environment = {
            "DATABASE_URL": here.database_url,
            "MQTT_URL": here.mqtt_url,
            "TAIZHANG_API_TOKEN": token,
            "TAIZHANG_API_PORT": str(port),
            "TAIZHANG_PUBLIC_URL": settings.public_url or f"http://127.0.0.1:{port}",
        }
        async with services.running(directory / "logs", environment) as running:
            running.start(Service("ingest", ["ingest"]))
            running.start(Service("api", ["api"]))
            url = f"http://{settings.api_host}:{port}"
            if await _until(stop, running, url):
                running.start(
                    Service(
                        "simulate", ["simulate", "--estate", str(ESTATE), "--seed", str(seed), "--faults", "random"]
                    )
                )
                say(f"\n  {text('token')}: {token}\n  {text('broker')}: {here.mqtt_url}")
                say(f"  {text('logs')}: {directory / 'logs'}\n  {text('look')}:")
                for path, meaning in _LOOK:
                    say(f'    curl -N -H "Authorization: Bearer {token}" "{url}/api/v1/{path}"   # {text(meaning)}')
                say(text("rounds"))
                sheet = await rounds.bring_in(url, token, directory)
                say(f"\n  {text('patrol')}: {url}/patrol\n  {text('tags')}: {sheet}")
                say(f"\n  {text('sign_in')}: {url}/")
                for login, (_, name) in people.PEOPLE.items():
                    say(f"    {login:<12} {logins[login]:<16} {name}")
                say("")
                say(text("running"))
                await _comment(settings, here.database_url, running, language, stop)
            say(text("stopping"))
    say(f"{text('stopped')} {directory}")
    return 0


async def _bring_in(settings: Settings, database_url: str) -> None:
    async with open_pool(database_url, role=None) as pool, transaction(pool) as connection:
        files = [ESTATE, FIRE_EQUIPMENT]
        plan = await estate.importing.plan(connection, files, rules.packs.load(settings.packs_dir))
        await estate.bring_in.bring_in(connection, plan, settings.clock()())


def _token(settings: Settings, directory: Path) -> str:
    """The operator's own, or one made for this data directory and kept with it."""
    if settings.api_token is not None:
        return settings.api_token.get_secret_value()
    kept = directory / "api_token"
    if not kept.exists():
        process.write_private(kept, secrets.token_urlsafe(24))
    return kept.read_text(encoding="utf-8").strip()


async def _until(stop: asyncio.Event, running: Services, url: str) -> bool:
    """Wait for the API to say it is ready; False when stopped first. Raises ServiceEnded."""
    watch = asyncio.create_task(running.watch())
    try:
        deadline = asyncio.get_running_loop().time() + _READY_S
        while not stop.is_set():
            if watch.done():
                watch.result()
            if await asyncio.to_thread(answers, f"{url}/api/v1/health"):
                return True
            if asyncio.get_running_loop().time() > deadline:
                raise services.ServiceEnded(f"the API did not answer at {url} in {_READY_S:.0f} s; see its log")
            await asyncio.sleep(_POLL_S)
    finally:
        watch.cancel()
    return False


def answers(url: str) -> bool:
    """Whether a GET there gives a 2xx."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own loopback address
            return 200 <= response.status < 300
    except (urllib.error.URLError, OSError):
        return False


async def _comment(
    settings: Settings, database_url: str, running: Services, language: str, stop: asyncio.Event
) -> None:
    """Say what happens until stopped or a service ends."""
    packs = rules.packs.load(settings.packs_dir)
    async with open_pool(database_url, role=INGEST_ROLE, size_max=1) as pool:
        tasks: list[asyncio.Task[object]] = [
            asyncio.create_task(running.watch()),
            asyncio.create_task(lines.follow(pool, packs, language, lambda line: print(line, flush=True))),
            asyncio.create_task(stop.wait()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
