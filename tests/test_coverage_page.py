"""docs/coverage.md against the packs: what it names is there, and whatever is watched or is not stands on it."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from rules import packs
from rules.model import Pack
from rules.syntax import names

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/coverage.md"
PACKS = packs.load(ROOT / "rules/packs")
# The kinds whose figures are the trade's; `gateway`, `ingest_service` and `any` watch over the watching.
KINDS = sorted(kind for kind, pack in PACKS.items() if pack.points and kind not in ("gateway", "ingest_service"))


def named(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def table_rows() -> Iterator[tuple[list[str], list[str]]]:
    """Each row of each table: the kinds that its heading names, and its cells."""
    kinds: list[str] = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            kinds = named(line)
        elif line.startswith("|") and not line.startswith(("|--", "| 测点", "| 规则包")):
            yield kinds, [cell.strip() for cell in line.strip("|").split("|")]


def told() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Points and rules by kind, as the page tells them; a name of a section with two kinds counts for those that have it."""
    points: dict[str, set[str]] = defaultdict(set)
    rules: dict[str, set[str]] = defaultdict(set)
    for kinds, cells in table_rows():
        if len(cells) == 5:
            for kind in kinds:
                points[kind] |= {name for name in named(cells[3]) if name in PACKS[kind].points}
                rules[kind] |= {name for name in named(cells[4]) if name in PACKS[kind].rules}
    return points, rules


def unwatched(pack: Pack) -> set[str]:
    """The points that no rule's condition asks, of this pack or through another's relation."""
    asked: set[str] = set()
    for rule in pack.rules.values():
        for name in names(rule.when):
            asked.add(f"{rule.for_each}.{name.key}" if name.scope == "self" else name.text)
    for other in PACKS.values():
        for rule in other.rules.values():
            for name in names(rule.when):
                relation = other.relations.get(name.scope or "")
                if relation is not None and pack.kind in relation.to:
                    asked.add(name.key)
    return pack.points.keys() - asked


def test_every_name_on_the_page_is_in_a_pack_of_its_section() -> None:
    for kinds, cells in table_rows():
        if len(cells) != 5:
            continue
        assert named(cells[3]), f"{cells[0]} names no point"
        assert named(cells[4]), f"{cells[0]} names no rule"
        for name in named(cells[3]):
            assert any(name in PACKS[kind].points for kind in kinds), f"{cells[0]}: there is no point {name}"
        for name in named(cells[4]):
            assert any(name in PACKS[kind].rules for kind in kinds), f"{cells[0]}: there is no rule {name}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_tells_every_rule_and_every_point(kind: str) -> None:
    points, rules = told()
    assert not (missing := PACKS[kind].rules.keys() - rules[kind]), f"rules in no row: {sorted(missing)}"
    without = unwatched(PACKS[kind])
    assert not (missing := PACKS[kind].points.keys() - points[kind] - without), f"points in no row: {sorted(missing)}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_point_without_a_rule_is_listed_with_the_reason(kind: str) -> None:
    listed: set[str] = set()
    for _, cells in table_rows():
        if len(cells) == 3 and kind in named(cells[0]):
            listed |= set(named(cells[1]))
            assert len(cells[2].split()) >= 5, f"{cells[1]}: say why"
    assert listed == unwatched(PACKS[kind])
