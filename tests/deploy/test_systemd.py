"""The systemd units: understood by systemd itself where it is installed, hardened, and started by commands that exist."""

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import taizhang
from tests.source_tree import ROOT

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
HOME = "/opt/taizhang"
EXPOSURE_MAX = 20  # of 100, as systemd counts: below 20 it calls a unit safe
each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)


def parsed(unit: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(unit.read_text(encoding="utf-8"))
    return parser


@each_unit
def test_it_starts_a_command_of_ours_from_where_the_page_installs_it(unit: Path) -> None:
    service = parsed(unit)["Service"]
    ((python, program, command),) = re.findall(r"(/\S+/python) (\S+\.py) (\w+)", service["ExecStart"])
    assert python == f"{HOME}/.venv/bin/python"
    assert service["WorkingDirectory"] == HOME
    assert (ROOT / program).is_file()
    assert command in typer.main.get_command(taizhang.app).commands  # type: ignore[attr-defined]
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert service["EnvironmentFile"] in page
    assert unit.name in page


@each_unit
def test_it_is_restarted_and_starts_after_the_schema(unit: Path) -> None:
    sections = parsed(unit)
    once = sections["Service"]["Type"] == "oneshot"
    assert sections["Service"]["Restart"] == ("on-failure" if once else "always")
    assert once or sections["Unit"]["Requires"] == "taizhang-migrate.service"
    assert once is ("until" in sections["Service"]["ExecStart"]), "who requires it is given up when it fails once"
    assert sections["Install"]["WantedBy"] == "multi-user.target"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_them_and_finds_them_safe(tmp_path: Path) -> None:
    """With the paths of this checkout, because systemd looks whether the program is there."""
    here: list[Path] = []
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace(f"{HOME}/.venv/bin/python", sys.executable)
        here.append(tmp_path / unit.name)
        here[-1].write_text(text.replace(HOME, str(ROOT)), encoding="utf-8")
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *here], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    for unit in here:
        weighed = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE_MAX}", unit],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert weighed.returncode == 0, weighed.stdout + weighed.stderr


def test_the_schema_is_tried_for_until_the_database_is_there(tmp_path: Path) -> None:
    """The shell's line as it stands; the database comes at the third attempt."""
    line = parsed(ROOT / "deploy/systemd/taizhang-migrate.service")["Service"]["ExecStart"]
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\necho "$@" >>attempts\ntest "$(wc -l <attempts)" -ge 3\n', encoding="utf-8")
    program.chmod(0o755)
    words = shlex.split(line.replace(f"{HOME}/.venv/bin/python", str(program)).replace("sleep 5", "sleep 0"))
    subprocess.run(words, cwd=tmp_path, check=True, timeout=30)
    assert (tmp_path / "attempts").read_text(encoding="utf-8") == "taizhang.py migrate\n" * 3
