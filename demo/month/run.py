"""`make month`: draws the month, plays each site in a process of its own, and gives the account."""

import asyncio
import multiprocessing
import signal
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

import ledger.migrate
from demo.month.account import Account, Setting, account
from demo.month.play import Job, Played, play
from embedded import postgres
from estate import reading
from ledger import scratch
from settings import Settings
from simulators.errors import SimulationError
from simulators.life import Cast, Drawn, cast, draw, read_life

ESTATE = Path(__file__).resolve().parents[2] / "estates/demo.yaml"
BEGUN = datetime(2026, 11, 1, tzinfo=UTC) - timedelta(hours=8)  # midnight at the sites
OPERATORS = 1  # one duty room for both sites

_Done = TypeVar("_Done")


async def until(
    stop: asyncio.Event, settings: Settings, *, seed: int, days: float, bad: bool, everybody: bool
) -> Account:
    """The account, or SimulationError when it is stopped before there is one."""
    month = asyncio.create_task(run(settings, seed=seed, days=days, bad=bad, everybody=everybody))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([month, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not month.done():
        month.cancel()
        await asyncio.wait([month])
        raise SimulationError("stopped before the month was over; there is no account")
    return month.result()


async def run(
    settings: Settings,
    *,
    seed: int,
    days: float,
    bad: bool,
    everybody: bool = False,
    processes: int | None = None,
    packs_dir: Path | None = None,
) -> Account:
    """The account of the demo estate's month. `processes`: 1 plays the sites one after another in this one.

    Raises EmbeddedError, LedgerError or SimulationError with what to do.
    """
    described = reading.read(ESTATE)
    playing = cast(described, everybody=everybody)
    life = read_life()
    drawn = draw(life, playing, seed=seed, started_at=BEGUN, days=days, bad=bad)
    setting = Setting(
        seed=seed,
        days=days,
        bad=bad,
        begun=BEGUN,
        ended=BEGUN + timedelta(days=days),
        facilities=sum(len(site.facilities) for site in playing.estate.sites),
        stands_for=round(
            sum(playing.stands_for[site.key, one.key] for site in playing.estate.sites for one in site.facilities)
        ),
        operators=OPERATORS,
    )
    played = await _all_sites(settings, playing, drawn, seed=seed, days=days, processes=processes, packs_dir=packs_dir)
    return account(setting, life, drawn, played)


async def _all_sites(
    settings: Settings,
    playing: Cast,
    drawn: Drawn,
    *,
    seed: int,
    days: float,
    processes: int | None,
    packs_dir: Path | None,
) -> list[Played]:
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="taizhang-month-"))
        if settings.database_url is not None:
            server = settings.database_url.get_secret_value()
        else:
            server = await stack.enter_async_context(postgres.running(Path(directory) / "postgres", fsync=False))
        jobs: list[Job] = []
        for site in playing.estate.sites:
            fresh = await stack.enter_async_context(scratch.database(server))
            await ledger.migrate.migrate(fresh)
            jobs.append(
                Job(
                    estate=playing.estate.model_copy(update={"sites": (site,)}),
                    faults=tuple(one for one in drawn.faults if one.site == site.key),
                    seed=seed,
                    begun=BEGUN,
                    days=days,
                    database_url=fresh,
                    packs_dir=packs_dir or settings.packs_dir,
                )
            )
        if processes == 1:
            return [await play(job) for job in jobs]
        return list(await asyncio.gather(*(apart(job.estate.sites[0].key, _play, job) for job in jobs)))


async def apart(whose: str, work: Callable[..., _Done], *arguments: object) -> _Done:
    """What `work` gives in a process of its own, which does not outlive us. Raises SimulationError when it fails."""
    spawn = multiprocessing.get_context("spawn")  # a forked copy of an event loop is nobody's
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_tell, args=(theirs, work, arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        # Read by a thread: a loop that watches the pipe makes it one that does not block, and a month is more than one read.
        return await asyncio.to_thread(ours.recv)
    except EOFError:
        process.join()
        raise SimulationError(f"the month of {whose} ended with code {process.exitcode}") from None
    finally:
        process.terminate()
        process.join()


def _tell(told: Connection, work: Callable[..., object], arguments: Sequence[object]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started us, and ends us
    told.send(work(*arguments))


def _play(job: Job) -> Played:
    return asyncio.run(play(job))
