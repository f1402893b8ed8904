"""The runner: `python -m bench.run [--quick] [QUESTION ...]`. One JSON line for each run in bench/results.jsonl.

Every question has a deadline; one that fails or overruns leaves a figure without a value and with the reason.
"""

import argparse
import asyncio
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg

import rules.packs
from bench import (
    api_reads,
    broker_limit,
    brokers,
    console,
    copy_limit,
    databases,
    decode,
    disk,
    end_to_end,
    growth,
    latency,
    overload,
    poison,
    restart,
    rules_cost,
    spreadsheet,
    wide,
    yardstick,
)
from bench.figure import Figure, Goal, missing
from bench.ground import OUTSTANDING_MAX, ROOT, Bench, Trouble
from embedded import postgres
from embedded.errors import EmbeddedError
from ledger.errors import LedgerError
from settings import Settings, wall_clock

RESULTS = ROOT / "bench" / "results.jsonl"
QUICK = 0.12

Measure = Callable[[Bench], Awaitable[list[Figure]]]


@dataclass(frozen=True, slots=True)
class Question:
    measure: Measure
    deadline_s: float  # of the full run


QUESTIONS: Mapping[str, Question] = {
    "broker_limit": Question(broker_limit.measure, 90),
    "yardstick": Question(yardstick.measure, 120),
    "copy_limit": Question(copy_limit.measure, 60),
    "end_to_end": Question(end_to_end.measure, 420),
    "wide": Question(wide.measure, 120),
    "latency": Question(latency.measure, 180),
    "overload": Question(overload.measure, 480),
    "growth": Question(growth.measure, 480),
    "restart": Question(restart.measure, 300),
    "rules": Question(rules_cost.measure, 120),
    "api": Question(api_reads.measure, 300),
    "console": Question(console.measure, 300),
    "poison": Question(poison.measure, 180),
    "disk": Question(disk.measure, 120),
    "decode": Question(decode.measure, 300),
    "import": Question(spreadsheet.measure, 180),
}


async def ask(bench: Bench, names: Sequence[str]) -> list[Figure]:
    """The figures of each question in turn, and what follows from them together."""
    found: list[Figure] = []
    for name in names:
        begun = time.monotonic()
        print(f"{name} ...", file=sys.stderr, flush=True)
        deadline_s = QUESTIONS[name].deadline_s
        try:
            async with asyncio.timeout(deadline_s):
                answers = await QUESTIONS[name].measure(bench)
        except TimeoutError:
            answers = [missing(name, "", f"not answered in {deadline_s:.0f} s")]
        except (Trouble, EmbeddedError, LedgerError, psycopg.Error, OSError) as error:
            answers = [missing(name, "", str(error) or repr(error))]
        for figure in answers:
            print(f"  {told(figure)}", file=sys.stderr, flush=True)
        print(f"  ({time.monotonic() - begun:.0f} s)", file=sys.stderr, flush=True)
        found += answers
    return [*found, *ratios(found)]


def ratios(found: Sequence[Figure]) -> list[Figure]:
    """The line beside what limits it, and beside the yardstick, of this same run."""
    values = {figure.name: figure.value for figure in found}
    line = values.get("end_to_end.messages")
    made: list[Figure] = []
    for of, target in (("broker_limit", 0.45), ("yardstick", 1.5)):
        other = values.get(f"{of}.messages")
        if line is not None and other:
            made.append(Figure(f"end_to_end.of_{of}", line / other, "times", Goal.AT_LEAST, target))
    return made


def told(figure: Figure) -> str:
    value = "-" if figure.value is None else f"{figure.value:,.{0 if abs(figure.value) >= 1000 else 2}f}"
    goal = "" if figure.goal is None else f" ({figure.goal} {figure.target:g}: {'yes' if figure.reached else 'NO'})"
    return f"{figure.name}: {value} {figure.unit}{goal}{f'; {figure.note}' if figure.note else ''}"


async def run(
    names: Sequence[str],
    *,
    broker_kind: type[brokers.Mosquitto | brokers.Nats],
    pace: float,
    facilities: int,
    ahead: int,
    directory: Path,
) -> dict[str, object]:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGTERM, task.cancel
    )  # servers and directories are cleared away
    settings = Settings()
    async with AsyncExitStack() as stack:
        server_url = await stack.enter_async_context(postgres.running(directory / "postgres"))
        bench = Bench(
            directory,
            rules.packs.load(settings.packs_dir),
            server_url,
            stack,
            broker_kind,
            pace=pace,
            facilities=facilities,
            outstanding_max=ahead,
            timescale_url=os.environ.get("TAIZHANG_BENCH_TIMESCALE_URL"),
        )
        about = await circumstances(bench)
        figures = await ask(bench, names)
    return {**about, "figures": [{**asdict(each), "reached": each.reached} for each in figures]}


async def circumstances(bench: Bench) -> dict[str, object]:
    """Machine, commit, versions: what a figure means nothing without."""
    return {
        "at": wall_clock()().isoformat(timespec="seconds"),
        "commit": _said("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "pace": bench.pace,
        "facilities": bench.facilities,
        "machine": {
            "cores": os.cpu_count(),
            "processor": _processor(),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
            "system": f"{platform.system()} {platform.release()}",
            "load_before": round(os.getloadavg()[0], 2),
        },
        "versions": {
            "python": platform.python_version(),
            "postgresql": await _server_version(bench.server_url),
            "timescaledb": await _timescale_version(bench.timescale_url),
            "broker": _said(*bench.broker_kind.VERSION).splitlines()[0],
        },
    }


async def _server_version(url: str) -> str:
    async with await databases.connect(url) as opened:
        row = await (await opened.execute("select current_setting('server_version')")).fetchone()
    return str(row[0]) if row else ""


async def _timescale_version(url: str | None) -> str | None:
    if url is None:
        return None
    async with await databases.connect(url) as opened:
        row = await (
            await opened.execute("select default_version from pg_available_extensions where name = 'timescaledb'")
        ).fetchone()
    return f"{row[0] if row else 'none'} on {await _server_version(url)}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.run", description=__doc__)
    parser.add_argument("questions", nargs="*", choices=[*QUESTIONS, []], help="none: all of them")
    parser.add_argument("--quick", action="store_true", help="short runs: for looking, not for comparing")
    parser.add_argument("--pace", type=float, help="the share of its full length that each run lasts")
    parser.add_argument("--facilities", type=int, default=1_000)
    parser.add_argument("--ahead", type=int, default=OUTSTANDING_MAX, help="messages sent and not yet consumed")
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    pace = chosen.pace or (QUICK if chosen.quick else 1.0)
    try:
        broker_kind = brokers.chosen(os.environ.get("TAIZHANG_BENCH_BROKER"))
    except brokers.Unknown as error:
        parser.error(str(error))
    with tempfile.TemporaryDirectory(prefix="taizhang-bench-") as name:
        answered = run(
            chosen.questions or list(QUESTIONS),
            broker_kind=broker_kind,
            pace=pace,
            facilities=chosen.facilities,
            ahead=chosen.ahead,
            directory=Path(name),
        )
        try:
            line = asyncio.run(answered)
        except (asyncio.CancelledError, KeyboardInterrupt):
            print("stopped before it was done: nothing is written", file=sys.stderr)
            return 1
    with chosen.results.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
