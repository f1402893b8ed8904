"""A second of the bench, so that it does not rot: real ingest, real servers, figures and nothing lost."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bench import console, run
from bench.brokers import Mosquitto, Nats
from bench.ground import Bench
from rules import packs
from settings import Settings
from tests.mosquitto_rig import needs_mosquitto

pytestmark = pytest.mark.system


@pytest.mark.parametrize("kind", [Nats, pytest.param(Mosquitto, marks=needs_mosquitto)])
async def test_figures_are_had_and_nothing_is_lost(
    kind: type[Mosquitto | Nats], database_server: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        bench = Bench(
            tmp_path,
            packs.load(Settings().packs_dir),
            database_server,
            stack,
            kind,
            pace=0.01,
            facilities=10,
            outstanding_max=300,
        )
        figures = await run.ask(bench, ["broker_limit", "end_to_end", "rules", "import", "decode"])
    found = {figure.name: figure for figure in figures}
    assert not [figure for figure in figures if figure.value is None and "TIMESCALE" not in figure.note]
    for name in ("broker_limit.messages", "end_to_end.messages", "end_to_end.cost", "end_to_end.raised", "rules.cost"):
        assert found[name].value, name
    assert found["end_to_end.lost"].value == 0
    assert found["import.refused_100"].note == "4 faults told at once"
    assert "; 0 differences" in found["import.again_100"].note, found
    assert found["end_to_end.of_broker_limit"].value
    assert found["decode.clean"].value == 1
    assert found["decode.wrong"].value == 0


async def test_a_console_that_shows_nothing_in_time_is_a_figure_missing_and_no_end_of_the_run(
    database_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "_PATIENCE_MS", 1.0)
    async with AsyncExitStack() as stack:
        bench = Bench(
            tmp_path, packs.load(Settings().packs_dir), database_server, stack, Nats, pace=0.01, facilities=10
        )
        (figure,) = await run.ask(bench, ["console"])
    if figure.note.startswith("there is no Chromium"):
        pytest.skip(figure.note)
    assert (figure.value, figure.note[:11]) == (None, "the browser")


async def test_it_is_had_how_long_a_person_waits_for_the_console(database_server: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        bench = Bench(
            tmp_path, packs.load(Settings().packs_dir), database_server, stack, Nats, pace=0.01, facilities=10
        )
        figures = await run.ask(bench, ["console"])
    if figures[0].note.startswith("there is no Chromium"):
        pytest.skip(figures[0].note)
    assert {figure.name for figure in figures} == {
        f"console.{when}.{part}" for when in ("first", "again", "crowded") for part in ("page", "rows", "opened")
    }
    assert all(figure.value for figure in figures), figures
