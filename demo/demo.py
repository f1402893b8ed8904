"""`make demo`: the whole service with a simulated estate, on one machine, until Ctrl-C.

Everything is real: the database, the broker, the processes an operator would run. The data stays in the data
directory, and the next run goes on with it.
"""

import asyncio
import contextlib
import secrets
import ssl
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

import ledger.migrate
import rules.packs
from demo import estates, ground, lan, lines, people, rounds, services
from demo.lan import Lan
from demo.services import Service, Services
from embedded import process
from ledger.pool import INGEST_ROLE, open_pool, transaction
from settings import Settings

_READY_S = 60.0
_POLL_S = 0.2
_HEARD_S = 20.0  # the estate speaks long before; if it does not, one may look all the same

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
    "speaks": ("正在等待设备上线……", "waiting for its devices to speak ..."),
    "rounds": ("正在发放巡检标签……", "issuing the tags of its rounds ..."),
    "patrol": ("巡检页(保安用手机)", "patrol page, for the guard's phone"),
    "phones": ("用手机打开", "with a phone"),
    "tags": ("可以扫的标签", "tags to scan"),
    "running": (
        "运行中。下面逐行显示告警和工单;按 Ctrl-C 结束。",
        "Running. A line for every alarm and work order; Ctrl-C ends it.",
    ),
    "stopping": ("正在停止……", "stopping ..."),
    "stopped": ("已停止,数据保存在", "stopped; the data stays in"),
}


@dataclass(frozen=True, slots=True)
class Reach:
    """Where the api is reached, by whom, and how it is told so."""

    url: str
    environment: Mapping[str, str]
    trusted: ssl.SSLContext | None  # None: no https
    phones: Lan | None


@asynccontextmanager
async def _reach(settings: Settings, directory: Path, asked: str | None) -> AsyncGenerator[Reach]:
    """On this machine, or at its address on the local network. Raises EmbeddedError."""
    chosen = None if asked is None else lan.address_of(asked)
    address = settings.api_host if chosen is None else chosen.address.address
    port = process.port_for("the API", settings.api_port, process.LOOPBACK if chosen is None else address)
    environment = {"TAIZHANG_API_PORT": str(port)}
    if chosen is None:
        url = f"http://{address}:{port}"
        environment["TAIZHANG_PUBLIC_URL"] = settings.public_url or f"http://127.0.0.1:{port}"
        yield Reach(url, environment, None, None)
        return
    async with lan.standing(directory, chosen, port, settings.clock()()) as phones:
        url = f"https://{address}:{port}"
        environment |= {**phones.environment, "TAIZHANG_PUBLIC_URL": settings.public_url or url}
        yield Reach(url, environment, ssl.create_default_context(cafile=str(phones.served.authority)), phones)


async def run(settings: Settings, *, language: str, seed: int, stop: asyncio.Event, at: str | None = None) -> int:
    """Run until `stop`; `at`: on the local network, as `lan.address_of` takes it. Raises EmbeddedError, ServiceEnded or LedgerError with what to do."""
    directory = settings.data_dir.absolute()
    process.make_directory(directory)
    async with _reach(settings, directory, at) as reach:
        say(_text(language, "starting"))
        async with ground.standing(settings, directory) as here:
            say(_text(language, "estate"))
            await ledger.migrate.migrate(here.database_url)
            await _bring_in(settings, here.database_url)
            logins = await people.bring_in(here.database_url, directory, settings.clock()())
            say(_text(language, "services"))
            token = _token(settings, directory)
            environment = {
                "DATABASE_URL": here.database_url,
                "MQTT_URL": here.mqtt_url,
                "TAIZHANG_API_TOKEN": token,
                **reach.environment,
            }
            async with services.running(directory / "logs", environment) as running:
                running.start(Service("ingest", ["ingest"]))
                running.start(Service("api", ["api"]))
                if await _until(stop, running, reach):
                    played = ["simulate", "--estate", str(estates.ESTATE), "--seed", str(seed), "--faults", "random"]
                    running.start(Service("simulate", played))
                    begun = settings.clock()()
                    await _tell(
                        reach,
                        token,
                        here.mqtt_url,
                        directory,
                        logins,
                        language,
                        lambda: heard(reach, token, begun, stop),
                    )
                    await _comment(settings, here.database_url, running, language, stop)
                say(_text(language, "stopping"))
    say(f"{_text(language, 'stopped')} {directory}")
    return 0


async def _tell(
    reach: Reach,
    token: str,
    mqtt_url: str,
    directory: Path,
    logins: Mapping[str, str],
    language: str,
    spoken: Callable[[], Awaitable[None]],
) -> None:
    """Where to look, and as whom: when there is something to see, and starting takes no time from who looks."""

    def text(key: str) -> str:
        return _text(language, key)

    url = reach.url
    say(f"\n  {text('token')}: {token}\n  {text('broker')}: {mqtt_url}")
    say(f"  {text('logs')}: {directory / 'logs'}\n  {text('look')}:")
    trusting = "" if reach.phones is None else f"--cacert {reach.phones.served.authority} "
    for path, meaning in _LOOK:
        say(f'    curl -N {trusting}-H "Authorization: Bearer {token}" "{url}/api/v1/{path}"   # {text(meaning)}')
    say(text("rounds"))
    sheet = await rounds.bring_in(url, token, directory, reach.trusted)
    say(text("speaks"))
    await spoken()
    say(f"\n  {text('patrol')}: {url}/patrol\n  {text('tags')}: {sheet}")
    if reach.phones is not None:
        say(f"\n  {text('phones')}:")
        for line in lan.told(reach.phones, url, language):
            say(f"    {line}")
    say(f"\n  {text('sign_in')}: {url}/")
    for login, (_, name) in people.PEOPLE.items():
        say(f"    {login:<12} {logins[login]:<16} {name}")
    say("")
    say(text("running"))


def _text(language: str, key: str) -> str:
    return _TEXTS[key][0 if language == "zh" else 1]


def say(line: str) -> None:
    print(line, flush=True)


async def _bring_in(settings: Settings, database_url: str) -> None:
    async with open_pool(database_url, role=None) as pool, transaction(pool) as connection:
        files = [estates.ESTATE, estates.FIRE_EQUIPMENT]
        await estates.bring_in(connection, files, rules.packs.load(settings.packs_dir), settings.clock()())


def _token(settings: Settings, directory: Path) -> str:
    """The operator's own, or one made for this data directory and kept with it."""
    if settings.api_token is not None:
        return settings.api_token.get_secret_value()
    kept = directory / "api_token"
    if not kept.exists():
        process.write_private(kept, secrets.token_urlsafe(24))
    return kept.read_text(encoding="utf-8").strip()


async def _until(stop: asyncio.Event, running: Services, reach: Reach) -> bool:
    """Wait for the API to say it is ready; False when stopped first. Raises ServiceEnded."""
    watch = asyncio.create_task(running.watch())
    try:
        deadline = asyncio.get_running_loop().time() + _READY_S
        while not stop.is_set():
            if watch.done():
                watch.result()
            if await asyncio.to_thread(answers, f"{reach.url}/api/v1/health", reach.trusted):
                return True
            if asyncio.get_running_loop().time() > deadline:
                raise services.ServiceEnded(f"the API did not answer at {reach.url} in {_READY_S:.0f} s; see its log")
            await asyncio.sleep(_POLL_S)
    finally:
        watch.cancel()
    return False


async def heard(reach: Reach, token: str, since: datetime, stop: asyncio.Event) -> None:
    """Wait until every gateway of the estate has spoken in this run, for a while. The API may be busy meanwhile."""
    deadline = asyncio.get_running_loop().time() + _HEARD_S
    verify = True if reach.trusted is None else reach.trusted
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=f"{reach.url}/api/v1", headers=headers, verify=verify) as client:
        while not stop.is_set() and asyncio.get_running_loop().time() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                answer = (await client.get("/facilities", params={"limit": 500})).raise_for_status()
                told = [each["gateway"]["heard_at"] for each in answer.json()["items"] if each["gateway"] is not None]
                if told and all(at is not None and datetime.fromisoformat(at) >= since for at in told):
                    return
            await asyncio.sleep(_POLL_S)


def answers(url: str, trusted: ssl.SSLContext | None = None) -> bool:
    """Whether a GET there gives a 2xx."""
    try:
        with urllib.request.urlopen(url, timeout=2, context=trusted) as response:  # noqa: S310 - our own address
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
