"""libyaml's scanner under Python's composer: the same nodes, the same words for what is wrong, and no depth that kills."""

from pathlib import Path

import pytest
import yaml

import rules.packs
from rules.yaml_loader import compose, load
from tests.source_tree import ROOT

FILES = [*sorted((Path(rules.packs.__file__).parent / "packs").glob("*.yaml")), ROOT / "estates/demo.yaml"]


def plain(node: yaml.Node | None) -> object:
    """What a reader of nodes may see of one."""
    assert node is not None
    where = (node.tag, node.start_mark.line, node.start_mark.column)
    if isinstance(node, yaml.MappingNode):
        return (*where, [(plain(key), plain(value)) for key, value in node.value])
    if isinstance(node, yaml.SequenceNode):
        return (*where, [plain(value) for value in node.value])
    return (*where, node.value)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_gives_the_nodes_that_pythons_own_scanner_gives(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert plain(compose(text)) == plain(yaml.compose(text, Loader=yaml.SafeLoader))


@pytest.mark.parametrize("text", ["kind: [tank", "kind: a\n\tb: c", "a: b: c", "&x [*y]", "'open", "- a\nb: c"])
def test_what_is_wrong_is_told_in_the_same_words(text: str) -> None:
    with pytest.raises(yaml.YAMLError) as ours:
        compose(text)
    with pytest.raises(yaml.YAMLError) as theirs:
        yaml.compose(text, Loader=yaml.SafeLoader)
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 50_000, "{a: " * 50_000], ids=["flow", "block", "mapping"])
def test_a_bottomless_text_is_refused_and_ends_nothing(text: str) -> None:
    with pytest.raises(RecursionError):
        compose(text)


def test_nothing_but_plain_values_is_made() -> None:
    with pytest.raises(yaml.constructor.ConstructorError):
        load("!!python/object/apply:os.system [true]")
