"""Kinds of work that need a permit, from works.yaml: which rules each silences where, for how long, and what it asks for.

A permit silences a rule only where the rule's own condition asks for it, by `under_test` or `under_work`; a kind of work
that names another rule would promise a silence that nobody keeps, and is refused with its line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

from ledger.records import PermitKind, Severity
from rules.model import ANY_KIND, GATEWAY_KIND, Pack, Rule, Title
from rules.pack_text import Block, Fault, Page
from rules.packs import WORKS_NAME, PackErrors
from rules.syntax import names
from rules.vocabulary import near

SHIPPED = Path(__file__).with_name(WORKS_NAME)
DURATION_MAX = timedelta(days=7)
IN_ALL_MAX = timedelta(days=14)
_ASKED_BY = {PermitKind.TEST: "under_test", PermitKind.WORK: "under_work"}
_APPROVAL = "approved_by"

Packs = Mapping[str, Pack]


@dataclass(frozen=True, slots=True)
class Work:
    key: str
    title: Title
    permit: PermitKind
    silences: Mapping[str, Sequence[str]]  # kind of facility -> keys of rules; ANY_KIND: at every facility
    lasts: timedelta
    lasts_at_most: timedelta
    lasts_in_all: timedelta  # with every extension, from the begin of the first permit
    asks: Sequence[str]
    before: Sequence[Title]
    after: Sequence[Title]
    source: str
    clause: str | None

    def rules_at(self, kind: str) -> Sequence[str] | None:
        """The rules it silences at a facility of this kind; None: it is no work for it."""
        return self.silences.get(kind, None if kind == GATEWAY_KIND else self.silences.get(ANY_KIND))


@dataclass(frozen=True, slots=True)
class Works:
    asks: Mapping[str, Title]
    works: Mapping[str, Work]


def silenced_by(rule: Rule) -> frozenset[PermitKind]:
    """The kinds of permit that its condition asks for."""
    nodes = [node for node in (rule.when, rule.clear_when, rule.suppress_when) if node is not None]
    words = {name.key for node in nodes for name in names(node) if name.scope is None}
    return frozenset(kind for kind, word in _ASKED_BY.items() if word in words)


def load(packs: Packs, directory: Path | None = None) -> Works:
    """The shipped kinds of work, or those in the directory of one's own packs. Raises PackErrors with every fault."""
    own = None if directory is None else directory / WORKS_NAME
    path = own if own is not None and own.is_file() else SHIPPED
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise PackErrors([Fault(str(path), 1, f"this is not UTF-8 text, from byte {error.start} on")]) from error
    except OSError as error:
        raise PackErrors([Fault(str(path), 1, f"this cannot be read: {error.strerror}")]) from error
    return read(text, str(path), packs)


def read(text: str, file: str, packs: Packs) -> Works:
    """The kinds of work in this text. Raises PackErrors with every fault."""
    page = Page(file)
    root = page.root(text)
    if root is None:
        raise PackErrors(page.faults)
    asks = {key: _title(block) for key, block in root.blocks("asks", "question")}
    works = {key: _work(key, block, asks, packs) for key, block in root.blocks("works", "kind of work")}
    root.done()
    if page.faults:
        raise PackErrors(page.faults)
    return Works(MappingProxyType(asks), MappingProxyType(works))


def _work(key: str, block: Block, asks: Mapping[str, Title], packs: Packs) -> Work:
    title, permit = block.title("title"), block.choice("permit", PermitKind) or PermitKind.WORK
    asked = block.words("asks", required=True)
    for each in asked:
        if each not in asks:
            block.fault(f"there is no question {each}{near(each, asks)}; describe it under `asks` at the top", "asks")
    lasts, at_most = (timedelta(seconds=block.duration(word, 0.0)) for word in ("lasts", "lasts_at_most"))
    if not timedelta(0) < lasts <= at_most <= DURATION_MAX:
        block.fault(
            f"`lasts` and `lasts_at_most` are durations, the longer last, {DURATION_MAX.days}d at most", "lasts"
        )
    in_all = timedelta(seconds=block.duration("lasts_in_all", 0.0))
    if not at_most <= in_all <= IN_ALL_MAX:
        block.fault(
            f"`lasts_in_all` bounds a permit and its extensions: from `lasts_at_most` to {IN_ALL_MAX.days}d",
            "lasts_in_all",
        )
    work = Work(
        key=key,
        title=title,
        permit=permit,
        silences=_silences(block, permit, asked, packs),
        lasts=lasts,
        lasts_at_most=at_most,
        lasts_in_all=in_all,
        asks=asked,
        before=[_title(each) for each in block.listed("before", "step")],
        after=[_title(each) for each in block.listed("after", "step")],
        source=block.text("source"),
        clause=block.optional_text("clause"),
    )
    block.done()
    return work


def _silences(block: Block, permit: PermitKind, asked: Sequence[str], packs: Packs) -> Mapping[str, Sequence[str]]:
    inner = block.block("silences")
    if inner is None:
        return {}
    found: dict[str, Sequence[str]] = {}
    for kind in inner.names():
        keys = inner.words(kind, required=True)
        if kind not in packs:
            inner.fault(f"there is no kind of facility {kind}{near(kind, packs)}", kind)
            continue
        found[kind] = keys
        known = _rules_of(kind, packs)
        for key in keys:
            fault = _fault_of(known.get(key), permit, asked)
            if key not in known:
                fault = f"no such rule{near(key, known)}"
            if fault is not None:
                inner.fault(f"{kind}, {key}: {fault}", kind)
    inner.done()
    return MappingProxyType(found)


def _rules_of(kind: str, packs: Packs) -> Mapping[str, Rule]:
    every: Mapping[str, Rule] = {} if kind == GATEWAY_KIND or ANY_KIND not in packs else packs[ANY_KIND].rules
    return {**every, **packs[kind].rules}


def _fault_of(rule: Rule | None, permit: PermitKind, asked: Sequence[str]) -> str | None:
    if rule is None:
        return None
    if permit not in silenced_by(rule):
        return f"its condition does not ask for `{_ASKED_BY[permit]}`, so no such permit can silence it"
    if rule.severity is Severity.LIFE_SAFETY and permit is PermitKind.WORK and _APPROVAL not in asked:
        return f"it guards lives: work silences it only with `{_APPROVAL}` among its `asks`"
    return None


def _title(block: Block) -> Title:
    title = Title(zh=block.text("zh"), en=block.text("en"))
    block.done()
    return title
