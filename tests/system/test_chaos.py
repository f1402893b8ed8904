"""A short `make chaos`: the real processes struck by a plan, and no promise broken. Longer runs are for nights."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.system, pytest.mark.alone, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]


def test_a_short_run_breaks_no_promise() -> None:
    answer = subprocess.run(
        [sys.executable, ROOT / "taizhang.py", "chaos", "--seconds", "14", "--seed", "7"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=280,
        cwd=ROOT,
    )
    account = json.loads(answer.stdout.strip().splitlines()[-1])
    assert account["breaches"] == [], answer.stdout
    assert answer.returncode == 0
    assert account["seed"] == 7
    assert sum(account["strikes"].values()) >= 8
    assert account["accepted"] > 100
    assert account["received"] == account["accepted"] + account["duplicate"] + account["quarantined"]
