"""The command line, and the only module that knows all packages. `python taizhang.py --help` lists the commands.

Exit codes: 0 done; 1 refused or found something wrong, with a sentence on stderr; 2 wrong usage.

Each command imports what it runs: to import everything costs two seconds, which no process should pay for the others.
"""

import asyncio
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
import uvloop
from pydantic import ValidationError

import api.command_line
import credentials.errors
import demo.command_line
import embedded.errors
import estate.command_line
import estate.faults
import ingest.command_line
import ingest.errors
import ledger.errors
import ledger.migrate
import rules.packs
import simulators.errors
import watching.logs
from demo.services import ServiceEnded
from estate.language import Language
from settings import Clock, NotJson, Settings, from_environment, wall_clock

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
rules_app = typer.Typer(no_args_is_help=True, help="Rule packs: check them, explain what they make of a facility.")
app.add_typer(rules_app, name="rules")
gateway_app = typer.Typer(no_args_is_help=True, help="Credentials of gateways at the broker (Mosquitto's files).")
app.add_typer(gateway_app, name="gateway")

T = TypeVar("T")


ROOT = Path(__file__).resolve().parent

# What a person may run into and can do something about. Anything else is our fault and keeps its traceback.
_EXPECTED = (
    ledger.errors.LedgerError,
    credentials.errors.CredentialError,
    embedded.errors.EmbeddedError,
    ServiceEnded,
    ledger.migrate.MigrationError,
    rules.packs.PackErrors,
    estate.faults.EstateErrors,
    ingest.errors.WorkerError,
    simulators.errors.SimulationError,
)


@app.command("api")
def api_command() -> None:
    """Serve HTTP, until SIGTERM or Ctrl-C."""
    from api import server

    settings = _settings()
    packs = rules.packs.load(settings.packs_dir)
    _run(
        lambda stop: server.serve(
            settings, packs, clock=settings.clock(), stop=stop, database_url=_database_url(settings)
        )
    )


@app.command("simulate")
def simulate_command(
    estate_file: Annotated[Path, typer.Option("--estate", exists=True, dir_okay=False)] = ROOT / "estates/demo.yaml",
    seed: int = 1,
    speed: Annotated[float | None, typer.Option(min=0.1, max=3600, help="default: TAIZHANG_CLOCK_SPEED")] = None,
    faults: Annotated[str, typer.Option(help="none, random, or a script file")] = "none",
    duration_s: Annotated[float | None, typer.Option(help="simulated seconds; default: until stopped")] = None,
    truth_file: Annotated[Path | None, typer.Option("--truth", help="write what must come of it")] = None,
) -> None:
    """Publish a simulated estate to the broker in MQTT_URL."""
    from estate import reading
    from simulators import run as simulators_run

    settings = _settings()
    clock = settings.clock()
    if speed is not None:
        clock = Clock(origin=clock(), started=wall_clock()(), speed=speed)
    _run(
        lambda stop: simulators_run.simulate(
            estate=reading.read(estate_file),
            mqtt_url=_mqtt_url(settings),
            clock=clock,
            seed=seed,
            faults=faults,
            duration_s=duration_s,
            truth_file=truth_file,
            stop=stop,
        )
    )


@app.command("migrate")
def migrate_command() -> None:
    """Bring the database in DATABASE_URL to this version's schema, and make the services' logins that have a password."""
    from credentials import desk
    from ledger import logins, migrate, storage

    settings = _settings()
    passwords = _refusing(lambda: desk.login_passwords(settings))

    async def run() -> list[str]:
        applied = await migrate.migrate(_database_url(settings))
        await logins.ensure(_database_url(settings), passwords)
        await storage.compress_where_allowed(_database_url(settings))
        return applied

    applied = asyncio.run(_expected(run()))
    print("\n".join(f"applied {name}" for name in applied) or "nothing to do: the schema is current")
    for login in passwords:
        print(f"login {login}: there, with the password given")


@app.command("check")
def check_command() -> None:
    """Audit the ledger: one query per invariant of docs/invariants.md. Exit 1 with the rows that break it."""
    from ledger import audit
    from ledger.pool import INGEST_ROLE, open_pool, transaction

    settings = _settings()

    async def run(stop: asyncio.Event) -> int:
        del stop
        async with open_pool(_database_url(settings), role=INGEST_ROLE) as pool, transaction(pool) as connection:
            violations = await audit.run(connection)
        for violation in violations:
            print(f"{violation.invariant}: {len(violation.rows)} row(s)")
            for row in violation.rows[:20]:
                print(f"  {row}")
        print("the ledger holds" if not violations else f"{len(violations)} invariant(s) broken")
        return 1 if violations else 0

    _run(run)


@rules_app.command("check")
def rules_check_command(directory: Annotated[Path | None, typer.Argument(exists=True, file_okay=False)] = None) -> None:
    """Validate the rule packs: every fault with file, line and reason."""
    from rules import works

    place = directory or _settings().packs_dir
    packs = _refusing(lambda: rules.packs.load(place))
    kinds = _refusing(lambda: works.load(packs, place)).works
    count = sum(len(pack.rules) for pack in packs.values())
    print(f"{len(packs)} packs, {count} rules, {len(kinds)} kinds of work: in order")


@rules_app.command("explain")
def rules_explain_command(
    facility: Annotated[str, typer.Argument(help="SITE/FACILITY")],
    language: Language = Language.ZH,
) -> None:
    """Print the effective rules of a facility with the parameters in force."""
    from ledger import facilities, parameters, readings
    from ledger.pool import INGEST_ROLE, open_pool, transaction
    from rules.explain import Setting, explain

    settings = _settings()

    async def run(stop: asyncio.Event) -> None:
        del stop
        packs = rules.packs.load(settings.packs_dir)
        site_key, _, facility_key = facility.partition("/")
        async with open_pool(_database_url(settings), role=INGEST_ROLE) as pool, transaction(pool) as connection:
            configuration = await facilities.configuration_of(connection, site_key)
            found = next((one for one in configuration.facilities if one.key == facility_key), None)
            if found is None:
                raise ledger.errors.NotFound("facility", facility)
            in_force = await parameters.in_force(connection, found.id)
            heard = await readings.latest(connection, [one.id for one in configuration.points])
        set_by = {one.name: Setting(one.author, one.set_at, one.reason) for one in in_force}
        print("\n".join(explain(configuration, packs, found, set_by, heard, language.value)))

    _run(run)


@gateway_app.command("add")
def gateway_add_command(
    gateway: Annotated[str, typer.Argument(help="SITE/GATEWAY")],
    *,
    rotate: Annotated[bool, typer.Option("--rotate", help="give it a new password and end the old one")] = False,
    language: Language = Language.ZH,
) -> None:
    """Make a gateway's credential and print, this once, what to type into the gateway."""
    from credentials import desk

    print(asyncio.run(_expected(desk.add(_settings(), gateway, rotate=rotate, language=language.value))))


@gateway_app.command("list")
def gateway_list_command() -> None:
    """Print the gateways that have a credential."""
    from credentials import desk

    print("\n".join(_refusing(lambda: desk.listed(_settings()))) or "no gateway has a credential")


@gateway_app.command("remove")
def gateway_remove_command(gateway: Annotated[str, typer.Argument(help="SITE/GATEWAY")]) -> None:
    """Take a gateway's credential away."""
    from credentials import desk

    _refusing(lambda: desk.remove(_settings(), gateway))
    print(f"{gateway} has no credential any more; Mosquitto knows it after a reload")


@app.command("broker-users")
def broker_users_command() -> None:
    """Write the service's own users into the broker's files; running it twice changes nothing."""
    from credentials import desk

    changed = _refusing(lambda: desk.ensure_service_users(_settings()))
    print("\n".join(f"changed: {user}" for user in changed) or "nothing to do: the users are there")


@app.command("schema")
def schema_command() -> None:
    """Write ledger/schema.sql, the readable sum of the migrations, from a fresh database."""
    from demo import ground
    from ledger import migrate, schema, scratch

    settings = _settings()

    async def run(stop: asyncio.Event) -> None:
        del stop
        with tempfile.TemporaryDirectory(prefix="taizhang-schema-") as name:
            async with (
                ground.standing(settings, Path(name), durable=False) as here,
                scratch.database(here.database_url) as fresh,
            ):
                await migrate.migrate(fresh)
                schema.SCHEMA_FILE.write_text(await schema.schema_sql(fresh), encoding="utf-8")

    _run(run)


@app.command("openapi")
def openapi_command() -> None:
    """Write openapi.json from the routes."""
    from api import openapi

    (ROOT / "openapi.json").write_text(openapi.render(), encoding="utf-8")


def _settings() -> Settings:
    try:
        return from_environment()
    except ValidationError as error:
        _refuse("\n".join(f"setting {_variable(one['loc'])}: {one['msg']}" for one in error.errors()))
    except NotJson as error:
        _refuse(f"setting {_variable((error.field,))}: not JSON ({error})")


def _packs(settings: Settings) -> rules.packs.Packs:
    return rules.packs.load(settings.packs_dir)


def _variable(location: tuple[int | str, ...]) -> str:
    """The environment variable of a setting; several when the fault lies between them."""
    name = str(location[0]) if location else "combination"
    return name if name.isupper() or not location else f"TAIZHANG_{name.upper()}"


def _database_url(settings: Settings) -> str:
    if settings.database_url is None:
        _refuse("DATABASE_URL is not set; for example postgresql://user:password@localhost/taizhang")
    return settings.database_url.get_secret_value()


def _mqtt_url(settings: Settings) -> str:
    if settings.mqtt_url is None:
        _refuse("MQTT_URL is not set; for example mqtt://user:password@localhost:1883")
    return settings.mqtt_url.get_secret_value()


def _run(
    work: Callable[[asyncio.Event], Coroutine[object, object, int | None]], language: Language = Language.EN
) -> NoReturn:
    """Run until it is done or SIGINT/SIGTERM set the stop event; a second signal does not hurry it into half a stop."""

    async def main() -> int:
        stop = asyncio.Event()
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        assert task is not None
        return await _expected(work(stop), language) or 0

    settings = _settings()
    watching.logs.start(settings.log_level, settings.log_format)
    sys.exit(uvloop.run(main()))  # a statement costs two thirds of what it does on asyncio's own loop


async def _expected(work: Awaitable[T], language: Language = Language.EN) -> T:
    try:
        return await work
    except estate.faults.EstateErrors as error:
        from estate import wording

        _refuse("\n".join(wording.faults(error, language.value)))
    except _EXPECTED as error:
        _refuse(str(error))


def _refusing(work: Callable[[], T]) -> T:
    try:
        return work()
    except _EXPECTED as error:
        _refuse(str(error))


def _refuse(message: str) -> NoReturn:
    print(f"taizhang: {message}", file=sys.stderr)
    sys.exit(1)


class _Entrance:
    entry = ROOT / "taizhang.py"
    settings = staticmethod(_settings)
    packs = staticmethod(_packs)
    database_url = staticmethod(_database_url)
    mqtt_url = staticmethod(_mqtt_url)
    run = staticmethod(_run)


estate.command_line.register(app, _Entrance())
ingest.command_line.register(app, _Entrance())
demo.command_line.register(app, _Entrance())
api.command_line.register(app, _Entrance())

if __name__ == "__main__":
    app()
