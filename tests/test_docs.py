"""The pages of docs/ that speak of names in code or database name only what is there, and leave nothing out."""

import re
from pathlib import Path

import pytest

from ledger import audit
from tests.fix_database import Connection

ROOT = Path(__file__).parents[1]
INVARIANTS = ROOT / "docs/invariants.md"
# Keys without a meaning of their own: identities, and targets of foreign keys.
BARE_KEYS = re.compile(r".*_(pkey|site_id_unique|facility_id_unique)")
# Foreign keys, all of them asked by one query.
REFERENCES = re.compile(r".*_(same_site|same_facility|site_id_fkey)")


def rows(page: Path) -> list[list[str]]:
    """The cells of every row of every table, without headings."""
    found: list[list[str]] = []
    lines = page.read_text(encoding="utf-8").splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("|") and not line.startswith("|--") and not before.startswith("## "):
            found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def invariant_rows() -> list[list[str]]:
    return [row for row in rows(INVARIANTS) if len(row) == 4 and row[0] != "invariant"]


async def constraints(connection: Connection) -> set[str]:
    cursor = await connection.execute(
        "select conname from pg_constraint where connamespace = 'public'::regnamespace "
        "and contype in ('p', 'u', 'c', 'f', 'x') "
        "and not exists (select from pg_depend where objid = pg_constraint.oid and deptype = 'e') "
        "union select relname from pg_index join pg_class on pg_class.oid = indexrelid "
        "where indisunique and relnamespace = 'public'::regnamespace"
    )
    return {str(name) for (name,) in await cursor.fetchall()}


def test_every_audit_query_has_its_row_and_every_row_its_query() -> None:
    told = [name for row in invariant_rows() for name in named(row[0])]
    assert sorted(told) == sorted(audit.INVARIANTS)


def test_every_invariant_has_a_sentence_and_tests_that_exist() -> None:
    for name, sentence, _, tests in invariant_rows():
        assert sentence.endswith((".", "...")), name
        paths = named(tests)
        assert paths, f"{name} names no test"
        for path in paths:
            assert (ROOT / path).is_file(), f"{name}: there is no {path}"


async def test_the_page_names_every_constraint_and_no_other(connection: Connection) -> None:
    text = INVARIANTS.read_text(encoding="utf-8")
    there = await constraints(connection)
    with_meaning = {name for name in there if not BARE_KEYS.fullmatch(name) and not REFERENCES.fullmatch(name)}
    told = {
        name
        for row in rows(INVARIANTS)
        for cell in (row[2:3] if len(row) == 4 else row[:1])
        for name in named(cell)
        if "*" not in name
    }
    assert told <= there, f"not in the database: {sorted(told - there)}"
    assert with_meaning <= told, f"not on the page: {sorted(with_meaning - told)}"
    assert "`*_same_site`" in text


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"
