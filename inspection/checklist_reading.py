"""Reads checklists from YAML: every fault of every file with its line and what would do, or the book, whole."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from inspection.checklist import AnswerKind, Book, Checklist, Choice, Interval, Item, Period, PhotoNeed
from ledger.records import Severity
from rules.model import Title
from rules.pack_text import Block, Fault, Page
from rules.rule_reading import WORK_CLASSES

SHIPPED = Path(__file__).with_name("checklists")
ITEMS_MAX = 100
_FILE = re.compile(r"([a-z][a-z0-9_]{0,63})\.([1-9][0-9]{0,3})\.yaml")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NO_INTERVAL = Interval(Period.MONTH, Period.MONTH, "")  # stands in for an interval with a fault


class ChecklistErrors(Exception):
    """What is wrong with the checklists: every fault with its file and line."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))


def load(directory: Path | None = None) -> Book:
    """Every version there is. Raises ChecklistErrors."""
    faults: list[Fault] = []
    found: dict[tuple[str, int], Checklist] = {}
    directory = directory or SHIPPED
    for path in sorted(directory.glob("*.yaml")):
        page = Page(path.name)
        read = _file(page, path.read_text(encoding="utf-8"))
        if read is not None:
            found[read.kind, read.version] = read
        faults += page.faults
    faults += _gaps(found)
    if not found and not faults:
        faults.append(Fault(str(directory), 1, "there is no checklist here"))
    if faults:
        raise ChecklistErrors(faults)
    return Book(found)


def _gaps(found: Mapping[tuple[str, int], Checklist]) -> Iterator[Fault]:
    """A version that was in force stays: results filled in with it may still lie on a phone."""
    for kind, version in sorted(found):
        if version > 1 and (kind, version - 1) not in found:
            yield Fault(
                f"{kind}.{version}.yaml", 1, f"version {version - 1} is missing; keep {kind}.{version - 1}.yaml"
            )


def _file(page: Page, text: str) -> Checklist | None:
    named = _FILE.fullmatch(page.file)
    if named is None:
        page.fault(1, "a checklist's file is called after its kind and version, as in fire_door.1.yaml")
        return None
    block = page.root(text)
    if block is None:
        return None
    kind, version = block.text("kind"), int(block.number("version", 0))
    if (kind, str(version)) != (named[1], named[2]):
        block.fault(f"kind {kind} and version {version} belong into {kind}.{version}.yaml; rename one", "kind")
    work_class = block.text("work_class")
    if work_class and work_class not in WORK_CLASSES:
        block.fault(f"`work_class` is one of {', '.join(WORK_CLASSES)}, not {work_class}", "work_class")
    source = block.text("source")
    taken: set[str] = set()
    read = Checklist(
        kind=kind,
        version=version,
        title=block.title("title"),
        work_class=work_class,
        interval=_interval(block.block("every")),
        items=tuple(_items(block, "items", source, taken)),
    )
    if not read.items and not page.faults:
        block.fault("`items` is empty: name at least one")
    if len(taken) > ITEMS_MAX:
        block.fault(f"{len(taken)} items are more than anybody fills in; {ITEMS_MAX} at most", "items")
    block.done()
    return None if page.faults else read


def _interval(block: Block | None) -> Interval:
    if block is None:
        return _NO_INTERVAL
    usual = block.choice("usual", Period) or Period.MONTH
    below = block.choice("below_ground", Period) if block.has("below_ground") else usual
    read = Interval(usual, below or usual, block.text("source"))
    if not block.has("below_ground"):
        block.optional_text("below_ground")
    block.done()
    return read


def _items(block: Block, key: str, source: str, taken: set[str]) -> Iterator[Item]:
    for name, described in block.blocks(key, "item"):
        if _KEY.fullmatch(name) is None:
            described.fault("a key is lower-case letters, figures and underscores, beginning with a letter, 64 at most")
        if name in taken:
            described.fault("stands in this checklist already; answers go by key, so every key is used once")
        taken.add(name)
        yield _item(name, described, source, taken)


def _item(key: str, block: Block, source: str, taken: set[str]) -> Item:
    kind = block.choice("answer", AnswerKind) or AnswerKind.CHECK
    photo = (block.choice("photo", PhotoNeed) if block.has("photo") else None) or PhotoNeed.NEVER
    severity = block.choice("severity", Severity) if kind is not AnswerKind.TEXT else Severity.WARNING
    read = Item(
        key=key,
        ask=block.title("ask"),
        kind=kind,
        severity=severity or Severity.WARNING,
        source=block.text("source", source),
        photo=photo,
        optional=block.flag("optional"),
        types=frozenset(block.words("types", required=False)),
        unit=block.unit(required=kind is AnswerKind.READING),
        low=block.optional_number("low"),
        high=block.optional_number("high"),
        choices=tuple(_choices(block)),
        follow_up=tuple(_items(block, "follow_up", source, taken)),
    )
    for fault in _misfits(read):
        block.fault(fault)
    if not block.has("photo"):
        block.optional_text("photo")
    block.done()
    return read


def _choices(block: Block) -> Iterator[Choice]:
    for key, described in block.blocks("choices", "choice"):
        fails = described.flag("fails")
        yield Choice(key, _words(described), fails)
        described.done()


def _words(block: Block) -> Title:
    return Title(zh=block.text("zh"), en=block.text("en"))


def _misfits(item: Item) -> Iterator[str]:
    is_reading, is_choice = item.kind is AnswerKind.READING, item.kind is AnswerKind.CHOICE
    if is_reading and item.low is None and item.high is None:
        yield "a reading without `low` or `high` can never fail: give a limit, or ask for text"
    if not is_reading and (item.low is not None or item.high is not None):
        yield "only a reading has `low` and `high`"
    if item.low is not None and item.high is not None and item.low >= item.high:
        yield f"`low` ({item.low:g}) is not below `high` ({item.high:g})"
    if is_choice and (len(item.choices) < 2 or not any(each.fails for each in item.choices)):
        yield "a choice has two `choices` at least, and one that `fails: true`"
    if not is_choice and item.choices:
        yield "only a choice has `choices`"
    if item.kind is AnswerKind.TEXT and item.follow_up:
        yield "a text cannot fail, so nothing follows from it"
