"""`make bench-report`: every run of bench/results.jsonl as a table and a picture, the newest against those before it.

Runs are comparable on one machine with one broker at one pace and size only: earlier ones of another kind are left out.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from matplotlib.figure import Figure as Drawing

from bench.figure import Figure, Goal
from bench.run import RESULTS

REPORT = RESULTS.with_name("report.md")
PICTURE = RESULTS.with_name("report.png")
REGRESSION = 0.1  # worse by more than this against the median of the runs before: said aloud
_RUNS_SHOWN = 12
_COLUMNS = 3


class Machine(msgspec.Struct, frozen=True):
    cores: int
    processor: str
    memory_gb: float
    system: str
    load_before: float


class Run(msgspec.Struct, frozen=True):
    """A line of the results."""

    at: str
    commit: str
    pace: float
    facilities: int
    machine: Machine
    versions: dict[str, str | None]
    figures: list[Figure]

    def __getitem__(self, name: str) -> Figure | None:
        return next((figure for figure in self.figures if figure.name == name), None)

    def is_like(self, other: "Run") -> bool:
        mine, theirs = self.machine, other.machine
        return (self.pace, self.facilities, mine.cores, mine.processor, self.broker) == (
            other.pace, other.facilities, theirs.cores, theirs.processor, other.broker,
        )  # fmt: skip

    @property
    def broker(self) -> str:
        """Which program, whatever its version."""
        return (self.versions.get("broker") or "").split(" ")[0]


def read(results: Path) -> list[Run]:
    """Oldest first."""
    decoder = msgspec.json.Decoder(Run)
    return [decoder.decode(line) for line in results.read_bytes().splitlines() if line.strip()]


def comparable(runs: Sequence[Run]) -> list[Run]:
    """The newest run and those before it that it can be held against."""
    return [run for run in runs if run.is_like(runs[-1])][-_RUNS_SHOWN:]


def change(figure: Figure, before: Sequence[Run]) -> float | None:
    """Against the median of the runs before; None where there is nothing to compare."""
    values = sorted(each.value for run in before if (each := run[figure.name]) is not None and each.value is not None)
    if figure.value is None or not values or not values[len(values) // 2]:
        return None
    return figure.value / values[len(values) // 2] - 1


def is_worse(figure: Figure, changed: float | None) -> bool:
    if changed is None or figure.goal is None:
        return False
    return changed < -REGRESSION if figure.goal is Goal.AT_LEAST else changed > REGRESSION


# ------------------------------------------------------------------ the table


def table(runs: Sequence[Run]) -> str:
    """Markdown: the newest run with its targets, and what has changed."""
    newest, before = runs[-1], runs[:-1]
    machine = newest.machine
    versions = ", ".join(f"{name} {version}" for name, version in newest.versions.items() if version)
    about = (
        f"{newest.at}, commit {newest.commit}, {machine.cores} cores of {machine.processor}, {machine.memory_gb:g} GB, "
        f"{machine.system}; {versions}; load before it began {machine.load_before:g}."
    )
    shortened = "" if newest.pace >= 1 else " (shortened: for looking, not for comparing)"
    against = (
        f"{newest.facilities:,} facilities, pace {newest.pace:g}{shortened}; held against {len(before)} earlier run(s) "
        "of the same kind. What each figure means: docs/bench.md."
    )
    lines = [
        "# How fast the line is",
        "",
        about,
        against,
        "",
        "| figure | value | unit | target | reached | change | |",
        "|---|---:|---|---:|---|---:|---|",
        *(_row(figure, change(figure, before)) for figure in newest.figures),
    ]
    return "\n".join(lines) + "\n"


def _row(figure: Figure, changed: float | None) -> str:
    value = "-" if figure.value is None else shown(figure.value)
    target = "" if figure.goal is None or figure.target is None else f"{figure.goal} {shown(figure.target)}"
    reached = "" if figure.reached is None else "yes" if figure.reached else "**no**"
    moved = "" if changed is None else f"{changed:+.0%}" + (" **worse**" if is_worse(figure, changed) else "")
    return f"| {figure.name} | {value} | {figure.unit} | {target} | {reached} | {moved} | {figure.note} |"


def shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


# ------------------------------------------------------------------ the picture


def picture(runs: Sequence[Run], path: Path) -> None:
    """A small chart for each figure that has a target: the runs in order, the target as a line."""
    wanted = [figure for figure in runs[-1].figures if figure.goal is not None]
    rows = max(1, -(-len(wanted) // _COLUMNS))
    drawing: Any = Drawing(figsize=(5 * _COLUMNS, 2.2 * rows + 0.5), layout="tight")
    axes: Any = drawing.subplots(rows, _COLUMNS, squeeze=False)
    flat = list(axes.flat)
    for axis, figure in zip(flat, wanted, strict=False):
        _draw(axis, figure, runs)
    for axis in flat[len(wanted) :]:
        axis.set_axis_off()
    drawing.suptitle(f"{runs[-1].commit}, {runs[-1].at}", fontsize=10)
    drawing.savefig(path, dpi=90, metadata={"Software": None})


def _draw(axis: Any, figure: Figure, runs: Sequence[Run]) -> None:
    values: Mapping[int, float] = {
        number: found.value
        for number, run in enumerate(runs)
        if (found := run[figure.name]) is not None and found.value is not None
    }
    axis.bar(list(values), list(values.values()), width=0.6, color="#4c78a8" if figure.reached else "#e45756")
    if figure.target is not None:
        axis.axhline(figure.target, color="black", linewidth=1, linestyle="--")
    axis.set_xticks(range(len(runs)), [run.commit[:7] for run in runs], rotation=45, fontsize=6)
    axis.set_xlim(-0.6, max(3.6, len(runs) - 0.4))
    axis.tick_params(axis="y", labelsize=7)
    axis.set_title(f"{figure.name} ({figure.unit}, {figure.goal} {shown(figure.target or 0)})", fontsize=8)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.report", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", type=Path, default=REPORT)
    parser.add_argument("--picture", type=Path, default=PICTURE)
    chosen = parser.parse_args()
    if not chosen.results.exists():
        print(f"there is no {chosen.results}: run `make bench` first", file=sys.stderr)
        return 1
    runs = comparable(read(chosen.results))
    text = table(runs)
    chosen.report.write_text(text + f"\n![the runs]({chosen.picture.name})\n", encoding="utf-8")
    picture(runs, chosen.picture)
    print(text)
    print(f"{chosen.report} and {chosen.picture} are written", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
