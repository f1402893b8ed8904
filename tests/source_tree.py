"""The project's own files, for the tests that hold it to its habits: what is source, what is a test, what is text."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT_SUFFIXES = {
    ".py",
    ".sql",
    ".yaml",
    ".yml",
    ".toml",
    ".md",
    ".conf",
    ".acl",
    ".ts",
    ".tsx",
    ".css",
    ".html",
    ".json",
}
TEXT_NAMES = {"Makefile", "Dockerfile", ".gitignore"}
NOT_OURS = {".git", ".venv", ".taizhang", "node_modules", "__pycache__", "dist", "test-output"}


def files() -> Iterator[Path]:
    yield from _files_below(ROOT)


def _files_below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in NOT_OURS or path.name.endswith("_cache") or path.is_symlink():
            continue
        if path.is_dir():
            yield from _files_below(path)
        else:
            yield path


def text_files() -> list[Path]:
    return [p for p in files() if p.suffix in TEXT_SUFFIXES or p.name in TEXT_NAMES or p.parent.name == ".ci"]


def python_files() -> list[Path]:
    return [path for path in files() if path.suffix == ".py"]


def test_files() -> list[Path]:
    return [path for path in python_files() if path.relative_to(ROOT).parts[0] == "tests"]


def source_files() -> list[Path]:
    """What runs in production: neither tests nor benchmarks."""
    return [path for path in python_files() if path.relative_to(ROOT).parts[0] not in {"tests", "bench"}]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module(path: Path) -> str:
    """`ledger/pool.py` is `ledger.pool`, `ledger/__init__.py` is `ledger`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
