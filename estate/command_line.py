"""The commands about an estate: import, export, types, template. What they stand on is handed to them by taizhang.py.

As there, each imports what it runs: other commands do not wait for spreadsheets.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, Protocol

import typer

from estate.language import Language
from ledger.errors import NotFound
from ledger.pool import open_pool, transaction
from rules import packs
from settings import Settings

if TYPE_CHECKING:
    from estate.types import FacilityType

Work = Callable[[asyncio.Event], Coroutine[object, object, int | None]]


class Form(StrEnum):
    YAML = "yaml"
    CSV = "csv"
    XLSX = "xlsx"


class Entrance(Protocol):
    """What the command line has for all its commands."""

    def settings(self) -> Settings: ...

    def database_url(self, settings: Settings) -> str: ...

    def run(self, work: Work, language: Language) -> NoReturn: ...


def register(app: typer.Typer, entrance: Entrance) -> None:
    app.command("import")(_import_command(entrance))
    app.command("export")(_export_command(entrance))
    app.command("types")(_types_command(entrance))
    app.command("template")(_template_command(entrance))


def _import_command(entrance: Entrance) -> Callable[..., None]:
    def import_command(
        files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="YAML, CSV or XLSX, together")],
        *,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="show the difference and write nothing")] = False,
        ignore: Annotated[list[str] | None, typer.Option(help="header of a column that means nothing here")] = None,
        language: Language = Language.ZH,
    ) -> None:
        """Bring an estate into the ledger and show what changes; running it twice changes nothing."""
        from estate import bring_in, importing, wording
        from estate.difference import unwatched

        settings = entrance.settings()

        async def run(stop: asyncio.Event) -> None:
            del stop
            options = importing.Options(ignored=ignore or ())
            async with (
                open_pool(entrance.database_url(settings), role=None) as pool,
                transaction(pool) as connection,
            ):
                plan = await importing.plan(connection, files, packs.load(settings.packs_dir), options)
                silent = unwatched(plan, await bring_in.known(connection, [site.key for site in plan.sites]))
                write = bring_in.rehearse if dry_run else bring_in.bring_in
                found = await write(connection, plan, settings.clock()())
            print("\n".join(wording.difference(found, language.value, dry_run=dry_run)))
            for line in wording.unwatched(silent, language.value):
                print(line, file=sys.stderr)

        entrance.run(run, language)

    return import_command


def _export_command(entrance: Entrance) -> Callable[..., None]:
    def export_command(
        sites: Annotated[list[str] | None, typer.Argument(help="keys of sites; none: all")] = None,
        *,
        form: Annotated[Form, typer.Option("--format", help="csv: a directory of tables")] = Form.YAML,
        output: Annotated[Path, typer.Option("--output", "-o", help="file, or directory for csv")],
        language: Language = Language.ZH,
    ) -> None:
        """Write what is in the ledger as `import` reads it."""
        from estate import exporting

        settings = entrance.settings()

        async def run(stop: asyncio.Event) -> None:
            del stop
            async with (
                open_pool(entrance.database_url(settings), role=None) as pool,
                transaction(pool) as connection,
            ):
                found = await exporting.describe(connection, sites or [], packs.load(settings.packs_dir))
            exporting.write(found, output, form.value, language.value)
            print(f"{output}: {', '.join(str(site['key']) for site in found)}")

        entrance.run(run, language)

    return export_command


def _types_command(entrance: Entrance) -> Callable[..., None]:
    def types_command(
        key: Annotated[str | None, typer.Argument(help="explain this one")] = None,
        language: Language = Language.ZH,
    ) -> None:
        """List the facility types; with a KEY, everything about one of them."""
        from estate import type_text

        async def run(stop: asyncio.Event) -> None:
            del stop
            known = packs.load(entrance.settings().packs_dir)
            chosen = _chosen([] if key is None else [key])
            lines = (
                type_text.listing(chosen, known, language.value)
                if key is None
                else type_text.explain(chosen[0], known, language.value)
            )
            print("\n".join(lines))

        entrance.run(run, language)

    return types_command


def _template_command(entrance: Entrance) -> Callable[..., None]:
    def template_command(
        output: Annotated[Path, typer.Option("--output", "-o", help="an .xlsx or .csv file")],
        types: Annotated[str, typer.Option(help="keys of types, parted by commas; none: all")] = "",
        language: Language = Language.ZH,
    ) -> None:
        """Write a workbook to fill in, made from the facility types."""
        from estate import template

        async def run(stop: asyncio.Event) -> None:
            del stop
            chosen = _chosen([key for key in types.split(",") if key])
            template.write(output, chosen, packs.load(entrance.settings().packs_dir), language.value)
            print(f"{output}: {len(chosen)}")

        entrance.run(run, language)

    return template_command


def _chosen(keys: list[str]) -> "list[FacilityType]":
    from estate.types import shipped

    known = shipped()
    for key in keys:
        if key not in known:
            raise NotFound("facility type", key)
    return [known[key] for key in keys] if keys else list(known.values())
