"""The command that listens: one worker, several, or one of several. What it stands on is handed to it by taizhang.py."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Annotated, NoReturn, Protocol

import typer

from ingest.share import Shard
from rules.model import Pack
from settings import Settings

WORKERS_MAX = 64

Work = Callable[[asyncio.Event], Coroutine[object, object, int | None]]


class Entrance(Protocol):
    """What the command line has for all its commands. `entry`: the program itself, to start more of it."""

    entry: Path

    def settings(self) -> Settings: ...

    def packs(self, settings: Settings) -> Mapping[str, Pack]: ...

    def database_url(self, settings: Settings) -> str: ...

    def mqtt_url(self, settings: Settings) -> str: ...

    def run(self, work: Work) -> NoReturn: ...


def register(app: typer.Typer, entrance: Entrance) -> None:
    def ingest_command(
        workers: Annotated[
            int | None, typer.Option(min=1, max=WORKERS_MAX, help="so many processes, the sites dealt to them")
        ] = None,
        which: Annotated[
            str | None,
            typer.Option("--shard", metavar="I/N", help="be the i-th of n workers, started by somebody else"),
        ] = None,
        *,
        leashed: Annotated[bool, typer.Option("--leashed", hidden=True)] = False,
    ) -> None:
        """Listen to MQTT, judge, and write the ledger, until SIGTERM or Ctrl-C."""
        settings = entrance.settings()
        if workers is not None and which is not None:
            raise typer.BadParameter("--workers starts the shards itself; give one of the two")
        if workers is not None:
            _ = entrance.database_url(settings), entrance.mqtt_url(settings)  # refused once, not by every worker
            entrance.run(lambda stop: _several(entrance.entry, settings, workers, stop))
        entrance.run(lambda stop: _one(entrance, settings, which, stop, leashed=leashed))

    app.command("ingest")(ingest_command)


async def _several(entry: Path, settings: Settings, workers: int, stop: asyncio.Event) -> None:
    from ingest import supervisor

    def command(which: Shard) -> list[str]:
        return [sys.executable, str(entry), "ingest", "--shard", str(which), "--leashed"]

    await supervisor.run(command, workers, heartbeat_file=settings.heartbeat_file, stop=stop)


async def _one(
    entrance: Entrance, settings: Settings, which: str | None, stop: asyncio.Event, *, leashed: bool
) -> None:
    from ingest import leash, shard, worker

    if leashed:
        leash.hold(stop)
    packs, clock = entrance.packs(settings), settings.clock()
    database_url, mqtt_url = entrance.database_url(settings), entrance.mqtt_url(settings)
    if which is None:
        await worker.run(settings, packs, clock=clock, stop=stop, database_url=database_url, mqtt_url=mqtt_url)
        return
    await shard.run(
        settings, packs, Shard.parse(which), clock=clock, stop=stop, database_url=database_url, mqtt_url=mqtt_url
    )
