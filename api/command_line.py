"""The commands about people and machines: `admin create`, `token create|list|revoke`. They speak to the ledger itself, so
that they work before the service does. A password comes from a prompt or from standard input, never from an argument:
arguments are seen by everybody on the machine, and kept in histories.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, NoReturn, Protocol

import typer

from api.rights import Right
from settings import Settings

Work = Callable[[asyncio.Event], Coroutine[object, object, int | None]]
_LONGEST_DAYS = 5 * 366


class Entrance(Protocol):
    """What the command line has for all its commands."""

    def settings(self) -> Settings: ...

    def database_url(self, settings: Settings) -> str: ...

    def run(self, work: Work) -> NoReturn: ...


def register(app: typer.Typer, entrance: Entrance) -> None:
    admin = typer.Typer(no_args_is_help=True, help="Administrators of all sites: make the first one.")
    admin.command("create")(_create_command(entrance))
    app.add_typer(admin, name="admin")
    token = typer.Typer(no_args_is_help=True, help="Tokens for machines: make, list, revoke.")
    token.command("create")(_token_command(entrance))
    token.command("list")(_list_command(entrance))
    token.command("revoke")(_revoke_command(entrance))
    app.add_typer(token, name="token")


def _create_command(entrance: Entrance) -> Callable[..., None]:
    def create_command(
        login: Annotated[str, typer.Option(help="a-z, 0-9, '.', '_', '@', '-'")],
        name: Annotated[str, typer.Option(help="as journals will name him")],
        language: Annotated[str, typer.Option(help="zh or en")] = "zh",
    ) -> None:
        """Make an administrator of all sites. The password is asked for, or read as one line from standard input."""
        from api import at_command_line

        settings = entrance.settings()
        password = at_command_line.asked_password()

        async def run(stop: asyncio.Event) -> None:
            del stop
            await at_command_line.create_administrator(
                entrance.database_url(settings), login, name, language, password, settings.clock()()
            )
            print(f"{login} is administrator of all sites")

        entrance.run(run)

    return create_command


def _token_command(entrance: Entrance) -> Callable[..., None]:
    def token_command(
        name: Annotated[str, typer.Option(help="of what uses it; unique among those in use")],
        right: Annotated[list[Right], typer.Option(help="may be given several times")],
        site: Annotated[list[str] | None, typer.Option(help="may be given several times")] = None,
        *,
        all_sites: Annotated[bool, typer.Option("--all-sites", help="those to come included")] = False,
        days: Annotated[int, typer.Option(min=1, max=_LONGEST_DAYS)] = 366,
    ) -> None:
        """Make a token and print it, this once, as the only line on standard output."""
        from api import at_command_line

        settings = entrance.settings()

        async def run(stop: asyncio.Event) -> None:
            del stop
            url, now = entrance.database_url(settings), settings.clock()()
            sites = at_command_line.sites_asked(site, all_sites=all_sites)
            print(await at_command_line.create_token(url, name, right, sites, days, now))

        entrance.run(run)

    return token_command


def _list_command(entrance: Entrance) -> Callable[..., None]:
    def list_command() -> None:
        """Print the tokens there are, newest first."""
        from api import at_command_line

        settings = entrance.settings()

        async def run(stop: asyncio.Event) -> None:
            del stop
            lines = await at_command_line.listed_tokens(entrance.database_url(settings), settings.clock()())
            print("\n".join(lines) or "there is no token")

        entrance.run(run)

    return list_command


def _revoke_command(entrance: Entrance) -> Callable[..., None]:
    def revoke_command(name: Annotated[str, typer.Argument(help="of the token")]) -> None:
        """Revoke a token: it opens nothing from now on."""
        from api import at_command_line

        settings = entrance.settings()

        async def run(stop: asyncio.Event) -> None:
            del stop
            await at_command_line.revoke_token(entrance.database_url(settings), name, settings.clock()())
            print(f"token {name} is revoked")

        entrance.run(run)

    return revoke_command
