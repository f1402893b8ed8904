"""Who may import whom, and where each outside technology lives.

The table below is the house; a new edge is a line here, in a commit of its own that says why. Each check is a function
from a module's syntax tree to complaints, and is itself tried on a snippet that breaks it.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from tests import source_tree

ANYTHING = ("",)
# Package or top-level module -> what of ours it may import. A module named alone opens nothing beside it.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "settings": ("watching.logs",),  # the words its log settings may say
    "watching": ("watching",),  # how services tell of themselves; knows nothing of what they do
    "ledger": ("ledger",),
    "rules": ("rules", "ledger.records", "ledger.lifecycle"),
    # Checklists are data like packs, read by the same reader; an order of what a person found is decided like an alarm's.
    "inspection": ("inspection", "ledger", "rules.model", "rules.pack_text", "rules.response", "rules.rule_reading"),
    # What follows from an alarm, done: rings and orders are the same whether ingest's rules or the api's watchdog raised it.
    "dispatch": ("dispatch", "ledger", "rules"),
    "ingest": ("dispatch", "ingest", "ledger", "rules", "settings", "watching"),
    "api": (
        "api",
        "credentials.passwords",  # hashing, which the command line does as well
        "dispatch",
        "estate",  # what people bring in over HTTP, by the same rules as from the command line
        "ingest.wire",  # which facility a refused message spoke of
        "ledger",
        "inspection",
        "rules",
        "settings",
        "watching",
    ),  # rules: to read and to back-test
    "estate": ("estate", "ledger", "rules", "settings"),  # reads an estate file, checks it, writes it into the ledger
    # Who may speak to the broker; asks the ledger whether there is such a gateway and what it speaks for.
    "credentials": ("credentials", "ingest.wire", "ledger", "settings"),
    "simulators": ("simulators", "ingest.wire", "estate.description", "settings"),  # else over the wire
    "embedded": ("embedded",),
    # The whole service on one machine: it puts the parts beside each other and starts them as processes. A month is too
    # long for processes that wait: there ingest's own judging is called with the simulators' messages.
    "demo": (
        "credentials.passwords",
        "demo",
        "embedded",
        "estate",
        "ingest",
        "ledger",
        "rules",
        "simulators",
        "settings",
    ),
    "taizhang": ANYTHING,
}
OURS = {*MAY_IMPORT, "bench", "console", "tests"}

# An outside technology -> the only places that know it.
HOMES: dict[str, tuple[str, ...]] = {
    "psycopg": ("ledger",),
    "psycopg_pool": ("ledger",),
    "paho": ("ingest", "simulators"),
    "fastapi": ("api",),
    "starlette": ("api",),
    "pydantic_settings": ("settings",),
    "joserfc": ("api.oidc",),
    "cryptography": ("embedded.authority",),
    "argon2": ("credentials.passwords",),
    "prometheus_client": ("ingest.metrics", "api.metrics"),
}
SQL_HOME = ("ledger",)
CLOCK_HOME = ("settings",)
COMMIT_HOME = ("ledger.pool",)

# Decisions: state, input and `now` in; new state and named reasons out.
PURE = ("rules", "ledger.records", "ledger.lifecycle")
IMPURE = {"asyncio", "psycopg", "psycopg_pool", "random", "secrets", "socket", "subprocess", "threading", "time"}

SQL = re.compile(
    r"\s*(?:select\s.*\sfrom\s|select\s+[\w.]+\(|insert\s+into\s|update\s+\S+\s+(?:\w+\s+)?set\s|delete\s+from\s"
    r"|with\s+(?:recursive\s+)?\w+\s*(?:\([^)]*\)\s*)?as\s+(?:not\s+)?(?:materialized\s+)?\()",
    re.IGNORECASE | re.DOTALL,
)
CLOCK_CALLS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
}


def within(module: str, places: tuple[str, ...]) -> bool:
    return any(place in ("", module) or module.startswith(f"{place}.") for place in places)


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full name of all that is imported, wherever in the module: `from ledger import pool` is ledger.pool."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)


def forbidden_imports(module: str, tree: ast.Module) -> Iterator[str]:
    home = module.split(".", maxsplit=1)[0]
    if home not in MAY_IMPORT:
        yield f"{home} has no line in the table of who may import whom"
        return
    for line, name in imports(tree):
        if name.startswith("."):
            yield f"{line}: relative import; name the package"
        elif name.split(".")[0] in OURS and not within(name, MAY_IMPORT[home]):
            yield f"{line}: {home} may not import {name}"


def strangers(module: str, tree: ast.Module) -> Iterator[str]:
    for line, name in imports(tree):
        places = HOMES.get(name.split(".")[0])
        if places is not None and not within(module, places):
            yield f"{line}: {name.split('.')[0]} belongs to {' and '.join(places)}"


def sql_abroad(module: str, tree: ast.Module) -> Iterator[str]:
    if within(module, SQL_HOME):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value):
            yield f"{node.lineno}: SQL belongs to {SQL_HOME[0]}: {node.value.strip()[:40]!r}"


def clock_reads(module: str, tree: ast.Module) -> Iterator[str]:
    """Read or passed on: `Clock(time.time)` reads it as well."""
    if within(module, CLOCK_HOME):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value
            owner_name = getattr(owner, "attr", None) or getattr(owner, "id", None)
            if (owner_name, node.attr) in CLOCK_CALLS:
                yield f"{node.lineno}: {owner_name}.{node.attr} reads the wall clock; take `now` from the caller"
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            for alias in node.names:
                if ("time", alias.name) in CLOCK_CALLS:
                    yield f"{node.lineno}: imports time.{alias.name}, the wall clock; take `now` from the caller"


def commits(module: str, tree: ast.Module) -> Iterator[str]:
    if within(module, COMMIT_HOME):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "commit":
            yield f"{node.lineno}: only {COMMIT_HOME[0]} commits"


def impurities(module: str, tree: ast.Module) -> Iterator[str]:
    if not within(module, PURE):
        return
    for line, name in imports(tree):
        if name.split(".")[0] in IMPURE:
            yield f"{line}: {module} decides and does no I/O; it may not import {name.split('.')[0]}"
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await):
            yield f"{node.lineno}: {module} decides and waits for nothing; no async"


CHECKS = (forbidden_imports, strangers, sql_abroad, clock_reads, commits, impurities)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_house_is_in_order(check) -> None:
    found = [
        f"{source_tree.name(path)}: {complaint}"
        for path in source_tree.source_files()
        for complaint in check(source_tree.module(path), source_tree.tree(path))
    ]
    assert not found, "\n".join(found)


def test_the_table_names_only_what_exists() -> None:
    """A line left behind by a package that was renamed would allow what nobody decided."""
    roots = {source_tree.module(path).split(".")[0] for path in source_tree.source_files()}
    assert not set(MAY_IMPORT) - roots


# -- the checks themselves


def complaints(check, module: str, code: str) -> list[str]:
    return list(check(module, ast.parse(code)))


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("ledger.pool", "import settings"),
        ("ledger.pool", "from rules import engine"),
        ("rules.engine", "from ledger.pool import transaction"),
        ("rules.engine", "import ledger"),
        ("rules.engine", "def f():\n    from ledger import pool"),
        ("ingest.worker", "import api.app"),
        ("inspection.rounds", "from rules.engine import judge"),
        ("api.alarms", "from ingest import worker"),
        ("simulators.fleet", "from ingest.worker import run"),
        ("simulators.fleet", "from ledger.records import Reading"),
        ("embedded.broker", "import settings"),
        ("settings", "from ledger.records import Reading"),
        ("estate.load", "from api import app"),
        ("ledger.pool", "from tests import fix_wait"),
        ("ledger.pool", "import bench.intake"),
        ("ledger.pool", "import taizhang"),
        ("ledger.pool", "from . import records"),
        ("surprise", "import json"),
    ],
)
def test_a_forbidden_import_is_found(module: str, code: str) -> None:
    assert complaints(forbidden_imports, module, code)


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("rules.engine", "from ledger.records import Reading\nfrom ledger import lifecycle\nimport rules.model"),
        ("ingest.worker", "from ledger.pool import transaction\nimport rules.engine\nfrom settings import Settings"),
        ("simulators.fleet", "from ingest import wire\nfrom estate.description import Estate"),
        ("taizhang", "import api.app\nfrom embedded import broker"),
        ("ledger.pool", "import json\nfrom ledger.errors import Unavailable"),
    ],
)
def test_an_allowed_import_is_not(module: str, code: str) -> None:
    assert not complaints(forbidden_imports, module, code)


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("api.alarms", "import psycopg"),
        ("ingest.worker", "from psycopg.rows import dict_row"),
        ("ingest.worker", "import psycopg_pool"),
        ("api.live", "import paho.mqtt.client as mqtt"),
        ("ledger.pool", "from fastapi import Depends"),
        ("taizhang", "from pydantic_settings import BaseSettings"),
    ],
)
def test_a_technology_away_from_home_is_found(module: str, code: str) -> None:
    assert complaints(strangers, module, code)


def test_a_technology_at_home_is_not() -> None:
    assert not complaints(strangers, "ledger.pool", "import psycopg, psycopg_pool")
    assert not complaints(strangers, "simulators.link", "from paho.mqtt import client")


@pytest.mark.parametrize(
    "statement",
    [
        "select id from alarm",
        "\n  SELECT count(*)\n  FROM alarm",
        "select set_config('a', 'b', true)",
        "insert into alarm values (1)",
        "update alarm set state = 1",
        "delete from alarm",
        "with old as (select 1) select",
    ],
)
def test_sql_abroad_is_found(statement: str) -> None:
    assert complaints(sql_abroad, "api.alarms", f"x = {statement!r}")
    assert complaints(sql_abroad, "api.alarms", f"x = f{statement + ' {n}'!r}")
    assert not complaints(sql_abroad, "ledger.alarms", f"x = {statement!r}")


def test_prose_is_not_sql() -> None:
    for prose in ("select a site", "update the estate", "with care", "Delete nothing", "insert a row"):
        assert not complaints(sql_abroad, "api.alarms", f"x = {prose!r}")


@pytest.mark.parametrize(
    "code",
    [
        "datetime.now(UTC)",
        "datetime.datetime.now()",
        "datetime.utcnow()",
        "date.today()",
        "time.time()",
        "Clock(read=time.time)",
        "from time import time",
    ],
)
def test_a_clock_read_is_found(code: str) -> None:
    assert complaints(clock_reads, "ingest.worker", code)
    assert not complaints(clock_reads, "settings", code)


def test_a_stopwatch_is_no_clock() -> None:
    assert not complaints(clock_reads, "ingest.worker", "time.monotonic()\nself.now()\nreading.time")


def test_a_commit_is_found() -> None:
    assert complaints(commits, "ledger.alarms", "await connection.commit()")
    assert complaints(commits, "api.alarms", "x = connection.commit")
    assert not complaints(commits, "ledger.pool", "await connection.commit()")


@pytest.mark.parametrize(
    "code", ["import asyncio", "from time import monotonic", "import psycopg", "import random", "async def f(): pass"]
)
def test_an_impurity_is_found(code: str) -> None:
    for module in ("rules.engine", "ledger.records", "ledger.lifecycle"):
        assert complaints(impurities, module, code)
    assert not complaints(impurities, "ingest.worker", code)
