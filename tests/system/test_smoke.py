"""`make smoke`, and proof that it can fail: a rule switched off must be missed.

One seed on the embedded servers is enough for every run of the tests: the seed only varies the noise in the values, the
script and what must come of it are the same, and `.ci/run` ends with another seed on TimescaleDB and Mosquitto. Three
in a row: `pytest tests/system/test_smoke.py --smoke-seeds 1,2,3`.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import estate.reading
import rules.packs
from demo import smoke
from settings import Settings
from simulators.script import read_script
from simulators.stage import Stage
from simulators.truth import Demand

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

ROOT = Path(__file__).resolve().parents[2]


def played(*arguments: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the last line as JSON, and all output of a smoke run by the command line."""
    answer = subprocess.run(
        [sys.executable, ROOT / "taizhang.py", "smoke", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
        cwd=ROOT,
    )
    return answer.returncode, json.loads(answer.stdout.strip().splitlines()[-1]), answer.stdout


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", [int(word) for word in metafunc.config.getoption("--smoke-seeds").split(",")])


@pytest.mark.alone
def test_the_ledger_agrees_with_the_truth(seed: int) -> None:
    code, account, output = played("--seed", str(seed))
    assert (account["missing"], account["unexpected"], account["audit"]) == ([], [], []), output
    assert code == 0
    assert account["received"] == account["accepted"] + account["duplicate"] + account["quarantined"]
    assert account["duplicate"] > 0, "the script has a duplicate burst"
    assert account["alarms_raised"] >= 12
    assert sum(account["priorities"].values()) == account["alarms_raised"]


def without_rules(directory: Path, keys: set[str]) -> Path:
    """Our packs, with some rules that wait for longer than anybody plays: others may ask whether they are raised."""
    shipped = Path(rules.packs.__file__).parent / "packs"
    for file in sorted(shipped.glob("*.yaml")):
        lines: list[str] = []
        waits = False
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("  - key: "):
                waits = line.removeprefix("  - key: ") in keys
                lines += [line, "    on_delay: 24h"] if waits else [line]
            elif not (waits and line.startswith("    on_delay: ")):
                lines.append(line)
        (directory / file.name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return directory


def rules_named_by_script() -> set[str]:
    """Every rule that a fault of the script must ring; the plan is the same whatever the clock's speed."""
    described = estate.reading.read(smoke.ESTATE)
    script = read_script(smoke.SCRIPT, described)
    stage = Stage(
        described,
        iter(script.faults),
        seed=1,
        started_at=smoke.ORIGIN,
        clock_offsets_s=script.clock_offsets_s,
    )
    while (stage.now - smoke.ORIGIN).total_seconds() < script.duration_s:
        stage.step()
    return {one.rule for one in stage.truth(speed=1).declared if one.demand is Demand.MUST}


async def test_rules_switched_off_are_missed(tmp_path: Path) -> None:
    """One real run without any rule that the script's faults name: each of them must be reported missing.

    Twice as fast as a run that has to agree, and beside other tests: what comes late or rings too much is not looked at.
    """
    named = rules_named_by_script()
    assert len(named) >= 10
    account = await smoke.run(Settings(), seed=1, speed=2 * smoke.SPEED, packs_dir=without_rules(tmp_path, named))
    missed = "\n".join(str(entry) for entry in account["missing"])
    assert {key for key in named if key not in missed} == set()
