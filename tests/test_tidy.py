"""The habits that a machine can hold us to: docstrings, sizes, names, no left-overs, no sleeping tests, no machine
paths, locks with hashes and no addresses.

Each check is a function from a file's text to complaints, and is itself tried on a snippet that breaks it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from tests import source_tree

FUNCTION_LINES_MAX = 60
MODULE_LINES_MAX = 400
NAMES_THAT_SAY_NOTHING = {"util", "utils", "helper", "helpers", "common", "base", "manager", "misc"}
# Where `make test` looks for what has a stage of its own (Makefile): elsewhere such a test would be run by nobody.
STAGES = {
    "system": ("tests/system/", "tests/bench/", "tests/console/"),
    "alone": ("tests/system/",),
    "browser": ("tests/console/",),
}
FROM_AN_ADDRESS = re.compile(r'"resolved":|--(?:extra-)?index-url|--find-links|@ \w+://')
LOCKS = ("requirements.lock", "requirements-runtime.lock", "console/node.lock", "console/package-lock.json")
MAY_SLEEP = "tests/fix_wait.py"
# A class of one letter each, or this file would be its own first finding.
LEFT_OVERS = re.compile(r"\b(?:[T]ODO|[F]IXME|[X]XX|[H]ACK)\b")
MACHINE_PATHS = re.compile(r"(?<![\w.~])/(?:work|root|home|Users|mnt/\w+)/[\w.-]+")


def docstring(tree: ast.Module) -> Iterator[str]:
    if not (ast.get_docstring(tree) or "").strip():
        yield "has no docstring that says what it answers for"


def function_lengths(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{node.lineno}: {node.name} has {lines} lines, above {FUNCTION_LINES_MAX}"


def module_length(text: str) -> Iterator[str]:
    lines = len(text.splitlines())
    if lines > MODULE_LINES_MAX:
        yield f"has {lines} lines, above {MODULE_LINES_MAX}"


def file_name(name: str) -> Iterator[str]:
    for part in PurePosixPath(name).with_suffix("").parts:
        for word in set(re.split(r"[_-]", part.lower())) & NAMES_THAT_SAY_NOTHING:
            yield f"is named {word!r}, which says nothing"


def left_overs(text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if found := LEFT_OVERS.search(line):
            yield f"{number}: left over: {found.group()}"


def machine_paths(text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if found := MACHINE_PATHS.search(line):
            yield f"{number}: a path of somebody's machine: {found.group()}"


def stages(name: str, tree: ast.Module) -> Iterator[str]:
    marks = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for mark in sorted(marks & STAGES.keys()):
        if not name.startswith(STAGES[mark]):
            yield f"{name}: not where `make test` looks for tests marked {mark}"


def sleeps(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "sleep":
            yield f"{node.lineno}: sleeps; await a signal, or a condition with the fixture `eventually`"
        if isinstance(node, ast.ImportFrom) and any(alias.name == "sleep" for alias in node.names):
            yield f"{node.lineno}: imports sleep; use the fixture `eventually`"


def addresses_of_registries(lock: str) -> Iterator[str]:
    """A lock file holds versions and hashes: where a package is fetched from is each machine's own affair."""
    for number, line in enumerate(lock.splitlines(), 1):
        if FROM_AN_ADDRESS.search(line):
            yield f"{number}: names an address: {line.strip()}"
    if "--hash=sha256:" not in lock and '"integrity": "sha512-' not in lock:
        yield "holds no hash"


def findings(name: str, complaints: Iterator[str]) -> list[str]:
    return [f"{name}: {complaint}" for complaint in complaints]


def test_every_module_says_what_it_answers_for() -> None:
    found = [
        f for p in source_tree.python_files() for f in findings(source_tree.name(p), docstring(source_tree.tree(p)))
    ]
    assert not found, "\n".join(found)


def test_functions_are_short() -> None:
    paths = source_tree.python_files()
    found = [f for p in paths for f in findings(source_tree.name(p), function_lengths(source_tree.tree(p)))]
    assert not found, "\n".join(found)


def test_modules_are_short() -> None:
    paths = source_tree.python_files()
    found = [f for p in paths for f in findings(source_tree.name(p), module_length(p.read_text(encoding="utf-8")))]
    assert not found, "\n".join(found)


def test_files_are_named_for_what_they_hold() -> None:
    names = [source_tree.name(path) for path in source_tree.files()]
    found = [f for name in names for f in findings(name, file_name(name))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("check", [left_overs, machine_paths])
def test_nothing_is_left_over(check) -> None:
    paths = source_tree.text_files()
    found = [f for p in paths for f in findings(source_tree.name(p), check(p.read_text(encoding="utf-8")))]
    assert not found, "\n".join(found)


def test_no_test_sleeps() -> None:
    paths = [path for path in source_tree.test_files() if source_tree.name(path) != MAY_SLEEP]
    found = [f for p in paths for f in findings(source_tree.name(p), sleeps(source_tree.tree(p)))]
    assert not found, "\n".join(found)


def test_every_stage_of_the_tests_is_run() -> None:
    found = [f for p in source_tree.test_files() for f in stages(source_tree.name(p), source_tree.tree(p))]
    assert not found, "\n".join(found)


# -- the checks themselves


@pytest.mark.parametrize("name", LOCKS)
def test_lock_files_hold_hashes_and_no_addresses(name: str) -> None:
    assert not findings(name, addresses_of_registries((source_tree.ROOT / name).read_text(encoding="utf-8")))


def test_docstring_is_missed() -> None:
    assert list(docstring(ast.parse("x = 1")))
    assert list(docstring(ast.parse('"""  """')))
    assert not list(docstring(ast.parse('"""Answers for one thing."""')))


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_long_function_is_found(kind: str) -> None:
    body = "    x = 1\n"
    assert not list(function_lengths(ast.parse(f"{kind} f():\n" + body * 59)))
    assert list(function_lengths(ast.parse(f"{kind} f():\n" + body * 60))) == ["1: f has 61 lines, above 60"]
    nested = f"class A:\n  {kind} g():\n" + "    x = 1\n" * 60
    assert list(function_lengths(ast.parse(nested)))


def test_a_long_module_is_found() -> None:
    assert not list(module_length("x\n" * 400))
    assert list(module_length("x\n" * 401))


@pytest.mark.parametrize(
    "name", ["ledger/utils.py", "common/a.py", "api/alarm_helpers.py", "api/base.ts", "x/manager.py"]
)
def test_a_name_that_says_nothing_is_found(name: str) -> None:
    assert list(file_name(name))


def test_names_that_only_contain_such_a_word_are_fine() -> None:
    assert not list(file_name("tests/fix_database.py"))
    assert not list(file_name("ledger/commons.py"))


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "XX" + "X"])
def test_a_left_over_is_found(word: str) -> None:
    assert list(left_overs(f"a\n# {word}: later")) == [f"2: left over: {word}"]
    assert not list(left_overs("mktemp cluster.XXXXXX"))


def test_a_test_that_no_stage_would_run_is_found() -> None:
    marked = ast.parse("pytestmark = [pytest.mark.system, pytest.mark.alone]")
    assert not list(stages("tests/system/test_x.py", marked))
    assert [each.split()[-1] for each in stages("tests/bench/test_x.py", marked)] == ["alone"]
    assert len(list(stages("tests/api/test_x.py", marked))) == 2


@pytest.mark.parametrize("folder", ["work", "root", "home", "Users"])
def test_a_machine_path_is_found(folder: str) -> None:
    assert list(machine_paths(f'path = "/{folder}/somebody/main"'))
    assert not list(machine_paths(f"https://example.org/{folder}/page and ./{folder}/x"))


def test_a_sleep_is_found() -> None:
    assert list(sleeps(ast.parse("await asyncio.sleep(1)")))
    assert list(sleeps(ast.parse("import time\ntime.sleep(1)")))
    assert list(sleeps(ast.parse("from time import sleep")))
    assert not list(sleeps(ast.parse("await eventually(ready)")))


@pytest.mark.parametrize(
    "lock",
    [
        "httpx==0.28.1\n",
        "--index-url https://registry.example/simple\nhttpx==0.28.1 --hash=sha256:00",
        "httpx @ https://registry.example/httpx.whl --hash=sha256:00",
        '"resolved": "https://registry.example/a.tgz",\n"integrity": "sha512-x"',
    ],
)
def test_a_lock_that_names_an_address_or_no_hash_is_found(lock: str) -> None:
    assert list(addresses_of_registries(lock))
