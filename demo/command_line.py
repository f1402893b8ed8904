"""The commands that play: demo, smoke, month, walk, chaos. What they stand on is handed to them by taizhang.py."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Annotated, NoReturn, Protocol

import typer

from estate.language import Language
from ledger.pool import open_pool, transaction
from rules import packs
from settings import Settings

Work = Callable[[asyncio.Event], Coroutine[object, object, int | None]]


class Entrance(Protocol):
    """What the command line has for all its commands."""

    def settings(self) -> Settings: ...

    def database_url(self, settings: Settings) -> str: ...

    def run(self, work: Work) -> NoReturn: ...


def register(app: typer.Typer, entrance: Entrance) -> None:
    app.command("demo")(_demo_command(entrance))
    app.command("demo-estate")(_demo_estate_command(entrance))
    app.command("smoke")(_smoke_command(entrance))
    app.command("month")(_month_command(entrance))
    app.command("walk")(_walk_command(entrance))
    app.command("chaos")(_chaos_command(entrance))


def _demo_command(entrance: Entrance) -> Callable[..., None]:
    def demo_command(
        language: Language = Language.ZH,
        seed: int = 1,
        lan: Annotated[
            str | None, typer.Option(help="for phones, over https: 1, or the address of this machine to be reached at")
        ] = None,
    ) -> None:
        """Run the whole service with a simulated estate until Ctrl-C."""
        from demo import demo

        entrance.run(lambda stop: demo.run(entrance.settings(), language=language.value, seed=seed, stop=stop, at=lan))

    return demo_command


def _demo_estate_command(entrance: Entrance) -> Callable[..., None]:
    def demo_estate_command() -> None:
        """Bring the demo's estate into a ledger, its days moved to today's; what is there already stays as it is."""
        from demo import estates

        settings = entrance.settings()

        async def run(stop: asyncio.Event) -> None:
            del stop
            async with (
                open_pool(entrance.database_url(settings), role=None) as pool,
                transaction(pool) as connection,
            ):
                files = [estates.ESTATE, estates.FIRE_EQUIPMENT]
                await estates.bring_in(connection, files, packs.load(settings.packs_dir), settings.clock()())

        entrance.run(run)

    return demo_estate_command


def _smoke_command(entrance: Entrance) -> Callable[..., None]:
    def smoke_command(seed: int = 1, speed: float | None = None) -> None:
        """Run a fixed script of faults and compare the ledger with the simulators' truth; the last line is JSON."""
        from demo import smoke

        async def run(stop: asyncio.Event) -> int:
            del stop  # a smoke run is bounded; Ctrl-C cancels it
            account = await smoke.run(entrance.settings(), seed=seed, speed=speed or smoke.SPEED)
            print(json.dumps(account, ensure_ascii=False))
            return 1 if account["missing"] or account["unexpected"] or account["audit"] else 0

        entrance.run(run)

    return smoke_command


def _month_command(entrance: Entrance) -> Callable[..., None]:
    def month_command(
        seed: int = 1,
        days: Annotated[float, typer.Option(min=0.01, max=366)] = 30.0,
        *,
        bad: Annotated[bool, typer.Option("--bad", help="with the storm of simulators/month.yaml")] = False,
        everybody: Annotated[
            bool, typer.Option("--everybody", help="every facility plays itself: takes hours")
        ] = False,
    ) -> None:
        """Live a month of the demo estate in minutes and compare the ledger with the truth; the last line is JSON."""
        from demo.month import account as accounts
        from demo.month import run as month

        async def run(stop: asyncio.Event) -> int:
            account = await month.until(stop, entrance.settings(), seed=seed, days=days, bad=bad, everybody=everybody)
            print("\n".join([*accounts.table(account), *account.findings, account.json()]))
            return 1 if account.findings else 0

        entrance.run(run)

    return month_command


def _walk_command(entrance: Entrance) -> Callable[..., None]:
    def walk_command(
        seed: int = 1,
        url: Annotated[str | None, typer.Option(help="of a running API; its token in TAIZHANG_API_TOKEN")] = None,
        site: str = "jinxiu",
    ) -> None:
        """Guards walk rounds over HTTP, honest and cheating; the ledger is held against the truth; the last line is JSON."""
        from demo import walk

        async def run(stop: asyncio.Event) -> int:
            del stop  # a walk is bounded; Ctrl-C cancels it
            account = await walk.run(entrance.settings(), seed=seed, site=site, url=url)
            print("\n".join([*walk.told(account), walk.as_json(account)]))
            return 0 if account.findings.clean else 1

        entrance.run(run)

    return walk_command


def _chaos_command(entrance: Entrance) -> Callable[..., None]:
    def chaos_command(
        seconds: Annotated[
            float, typer.Option(min=1, max=86_400, help="how long to strike; recovery comes on top")
        ] = 60.0,
        seed: int = 1,
        workers: Annotated[int | None, typer.Option(min=1, max=8, help="as `ingest --workers`")] = None,
    ) -> None:
        """Attack the real service by a seeded plan and hold it to its promises; the last line is JSON, exit 1 on a breach."""
        from demo.chaos import run as chaos

        async def run(stop: asyncio.Event) -> int:
            del stop  # a chaos run is bounded; Ctrl-C cancels it
            account = await chaos.run(entrance.settings(), seed=seed, seconds=seconds, workers=workers)
            print("\n".join([*(f"BREACH {each}" for each in account.breaches), account.json()]))
            return 1 if account.breaches else 0

        entrance.run(run)

    return chaos_command
