"""Loads rule packs: one YAML file for each kind of facility, all of them or none.

Every fault of every file is found in one run and told with file and line: what is wrong, why, and what would do. The
packs that ship with Taizhang lie in `rules/packs`; a directory of one's own replaces a kind by a file of the same name
and adds the others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from rules.model import ANY_KIND, GATEWAY_KIND, Pack, Rule
from rules.pack_reading import Draft, read_kind
from rules.pack_text import Fault, Page
from rules.rule_reading import read_rules
from rules.vocabulary import near

SHIPPED = Path(__file__).with_name("packs")
WORKS_NAME = "works.yaml"  # in a directory of one's own: kinds of work, and no pack (rules.works)

Packs = Mapping[str, Pack]  # by kind; ANY_KIND holds the rules of every facility


class PackErrors(Exception):
    """The packs cannot be used. `faults` says everything that is wrong, in order of file and line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: Sequence[Fault] = sorted(set(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))


def load(directory: Path | None) -> Packs:
    """The shipped packs, with those of `directory` in place of or beside them. Raises PackErrors with every fault."""
    files = {path.name: path for path in sorted(SHIPPED.glob("*.yaml"))}
    if directory is not None:
        if not directory.is_dir():
            raise PackErrors([Fault(str(directory), 1, "there is no such directory of rule packs")])
        files |= {path.name: path for path in sorted(directory.glob("*.yaml")) if path.name != WORKS_NAME}
    faults: list[Fault] = []
    texts: dict[str, str] = {}
    for path in files.values():
        try:
            texts[str(path)] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            faults.append(Fault(str(path), 1, f"this is not UTF-8 text, from byte {error.start} on"))
        except OSError as error:
            faults.append(Fault(str(path), 1, f"this cannot be read: {error.strerror}"))
    return read(texts, faults)


def read(texts: Mapping[str, str], faults: Sequence[Fault] = ()) -> Packs:
    """The packs written in these texts (file name -> text). Raises PackErrors with every fault, those given included."""
    pages = {file: Page(file) for file in texts}
    drafts = [read_kind(page, block) for file, page in pages.items() if (block := page.root(texts[file])) is not None]
    without_rules = {draft.pack.kind: draft.pack for draft in drafts}
    unread = {Path(file).stem for file in texts} - without_rules.keys()
    rules: dict[str, Mapping[str, Rule]] = {}
    for draft in drafts:
        # What a file says that could not be read is not known: rules that lean on it are judged when it can be.
        leans_on = {kind for relation in draft.pack.relations.values() for kind in relation.to}
        if leans_on.isdisjoint(unread):
            _check_relations(draft, without_rules)
            rules[draft.pack.kind] = read_rules(draft, without_rules)
    for draft in drafts:
        _check_rules_of_any(draft, rules)
    found = [*faults, *(fault for page in pages.values() for fault in page.faults)]
    if found:
        raise PackErrors(found)
    return MappingProxyType(
        {kind: replace(pack, rules=MappingProxyType(rules[kind])) for kind, pack in without_rules.items()}
    )


def _check_relations(draft: Draft, packs: Packs) -> None:
    leads_to = [kind for kind in packs if kind not in (ANY_KIND, GATEWAY_KIND)]
    for relation in draft.pack.relations.values():
        for kind in relation.to:
            if kind not in leads_to:
                draft.suspect.add(relation.key)
                draft.block.fault(
                    f"relation {relation.key} leads to {kind}, and there is no such kind{near(kind, leads_to)}",
                    "relations",
                )


def _check_rules_of_any(draft: Draft, rules: Mapping[str, Mapping[str, Rule]]) -> None:
    """A facility has the rules of its kind and those of `any`: a key may not mean both."""
    if draft.pack.kind in (ANY_KIND, GATEWAY_KIND):
        return
    for key in rules.get(draft.pack.kind, {}).keys() & rules.get(ANY_KIND, {}).keys():
        draft.block.fault(f"rule {key}: the pack `any` has a rule of this key for every facility; rename one", "rules")
