"""The text of a pack: YAML in which every value knows its line, no key stands twice, and faults are gathered.

Whoever reads a block takes its keys one by one; a key that is missing or of the wrong kind is noted as a fault and a
harmless stand-in is returned, so that reading goes on and one run names everything. What was read is used only when no
fault was noted. Scalars are taken as they are written (`off` is a word, not a boolean).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from typing import TypeVar, cast

import yaml

from rules.model import Title
from rules.tokens import SECONDS_OF
from rules.vocabulary import WINDOW_S_MAX, near
from rules.yaml_loader import compose

CHARACTERS_MAX = 1_000_000

_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd])")
_NULL = "tag:yaml.org,2002:null"

_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong in a file: where, what, and what would do."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(slots=True)
class Page:
    """One file being read, with what was found wrong in it so far."""

    file: str
    faults: list[Fault] = field(default_factory=list[Fault])

    def fault(self, line: int, message: str) -> None:
        self.faults.append(Fault(self.file, line, message))

    def root(self, text: str) -> "Block | None":
        """The file's outermost mapping; None, with the fault noted, if it is not one."""
        if len(text) > CHARACTERS_MAX:
            self.fault(1, f"the file is longer than {CHARACTERS_MAX:,} characters; split it")
            return None
        try:
            node = compose(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.fault(1 if mark is None else mark.line + 1, f"this is not YAML: {_said(error)}")
            return None
        except RecursionError:
            self.fault(1, "this is nested far too deeply to be a pack")
            return None
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            self.fault(1, f"this is not YAML: {error}")
            return None
        if not isinstance(node, yaml.MappingNode):
            self.fault(1, "a pack is a mapping that begins with `kind:`")
            return None
        return Block(self, node, "the pack")


def _said(error: yaml.MarkedYAMLError) -> str:
    return ", ".join(part for part in (error.context, error.problem) if part)


class Block:
    """One mapping of a file. `what` names it in messages."""

    def __init__(self, page: Page, node: yaml.MappingNode, what: str) -> None:
        self.page = page
        self.what = what
        self.line = _line(node)
        self._values: dict[str, yaml.Node] = {}
        self._lines: dict[str, int] = {}
        self._asked: list[str] = []
        for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            self._enter(key, value)

    def _enter(self, key: yaml.Node, value: yaml.Node) -> None:
        if not isinstance(key, yaml.ScalarNode):
            self.page.fault(_line(key), f"{self.what}: a key must be one word")
            return
        name = str(key.value)
        if name in self._values:
            self.page.fault(
                _line(key),
                f"{self.what}: `{name}` stands here a second time (first in line {self._lines[name]}); remove one",
            )
            return
        self._values[name], self._lines[name] = value, _line(key)

    def fault(self, message: str, key: str | None = None) -> None:
        """Note a fault of this block, at the line of one of its keys if it is there."""
        self.page.fault(self._lines.get(key or "", self.line), f"{self.what}: {message}")

    def has(self, key: str) -> bool:
        return key in self._values

    def names(self) -> list[str]:
        """The keys it has, for a block whose keys are names."""
        return list(self._values)

    def give_up(self) -> None:
        """It cannot be told what else this block may say."""
        self._asked.extend(self._values)

    def done(self) -> None:
        """Everything this block may say has been asked for: the rest is unknown."""
        for key in self._values:
            if key not in self._asked:
                hint = near(key, self._asked) or f"; it may say {', '.join(self._asked)}"
                self.fault(f"there is no key `{key}`{hint}", key)

    # ------------------------------------------------------------------ one key each

    def text(self, key: str, default: str | None = None) -> str:
        """Some text; compulsory unless there is a default."""
        node = self._take(key, required=default is None)
        if node is None:
            return default or ""
        if not isinstance(node, yaml.ScalarNode) or node.tag == _NULL or not str(node.value).strip():
            self.fault(f"`{key}` needs some text", key)
            return default or ""
        return self._storable(str(node.value).strip(), key)

    def _storable(self, text: str, key: str) -> str:
        if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            self.fault(f"`{key}` contains a character that cannot be stored", key)
            return ""
        return text

    def unit(self, *, required: bool) -> str:
        """What `unit` says; `unit: ""` says on purpose that there is none."""
        node = self._values.get("unit")
        if isinstance(node, yaml.ScalarNode) and node.tag != _NULL and not str(node.value).strip():
            self._asked.append("unit")
            return ""
        return self.text("unit", None if required else "")

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if self.has(key) else self._absent(key)

    def number(self, key: str, default: float | None = None) -> float:
        node = self._take(key, required=default is None)
        if node is None:
            return default or 0.0
        value = _number(node)
        if value is None:
            self.fault(f"`{key}` needs a number, as in 0.05", key)
            return default or 0.0
        return value

    def optional_number(self, key: str) -> float | None:
        return self.number(key) if self.has(key) else self._absent(key)

    def duration(self, key: str, default: float) -> float:
        """Seconds, written with a unit."""
        seconds = self.optional_duration(key)
        return default if seconds is None else seconds

    def optional_duration(self, key: str) -> float | None:
        node = self._take(key, required=False)
        if node is None:
            return None
        match = _DURATION.fullmatch(str(node.value).strip()) if isinstance(node, yaml.ScalarNode) else None
        if match is None:
            self.fault(f"`{key}` needs a duration with its unit, as in 90s, 10m, 8h or 30d", key)
            return None
        seconds = float(match[1]) * SECONDS_OF[match[2]]
        if seconds > WINDOW_S_MAX:
            self.fault(f"`{key}` is longer than 31d", key)
            return None
        return seconds

    def flag(self, key: str) -> bool:
        """Said to be true; what is not said is false."""
        node = self._take(key, required=False)
        if node is None:
            return False
        word = str(node.value) if isinstance(node, yaml.ScalarNode) else ""
        if word not in ("true", "false"):
            self.fault(f"`{key}` is true or false", key)
        return word == "true"

    def choice(self, key: str, choices: type[_Choice]) -> _Choice | None:
        """One of a few words; None, with the fault noted, if it is another."""
        word = self.text(key)
        for each in choices:
            if word == each.value:
                return each
        if word:
            known = [each.value for each in choices]
            self.fault(f"`{key}` is never {word}{near(word, known)}; it is one of {', '.join(known)}", key)
        return None

    def span(self, key: str) -> tuple[float, float] | None:
        """Two numbers in brackets, the smaller first; None if it is not said."""
        if not self.has(key):
            return self._absent(key)
        values = [_number(each) for each in self._items(key)]
        match values:
            case [float(low), float(high)] if low < high:
                return low, high
            case _:
                self.fault(f"`{key}` needs two numbers, the smaller first, as in [0, 2.5]", key)
                return None

    def words(self, key: str, *, required: bool) -> tuple[str, ...]:
        """A list of single words."""
        if not self.has(key) and not required:
            self._asked.append(key)
            return ()
        found: list[str] = []
        for node in self._items(key):
            if not isinstance(node, yaml.ScalarNode) or not str(node.value).strip():
                self.fault(f"`{key}` is a list of words, as in [main, backup]", key)
            elif str(node.value) in found:
                self.fault(f"`{key}` says {node.value} twice", key)
            else:
                found.append(self._storable(str(node.value).strip(), key))
        return tuple(found)

    def title(self, key: str) -> Title:
        """What people read, in both languages."""
        block = self.block(key)
        if block is None:
            return Title("", "")
        title = Title(zh=block.text("zh"), en=block.text("en"))
        block.done()
        return title

    # ------------------------------------------------------------------ blocks inside

    def block(self, key: str) -> "Block | None":
        """The mapping under a key; None, with the fault noted, if there is none."""
        node = self._take(key, required=True)
        if node is None:
            return None
        if not isinstance(node, yaml.MappingNode):
            self.fault(f"`{key}` needs keys of its own", key)
            return None
        inner = Block(self.page, node, f"{self.what}, {key}")
        inner.line = self._lines[key]
        return inner

    def blocks(self, key: str, what: str) -> Iterator[tuple[str, "Block"]]:
        """The mappings under the keys of a mapping: `points`, `parameters`. Nothing if the key is not there."""
        node = self._take(key, required=False)
        if node is None or (isinstance(node, yaml.ScalarNode) and node.tag == _NULL):
            return
        if not isinstance(node, yaml.MappingNode):
            self.fault(f"`{key}` names each {what} and describes it", key)
            return
        inner = Block(self.page, node, key)
        for name, value in inner._values.items():
            if isinstance(value, yaml.MappingNode):
                block = Block(self.page, value, f"{what} {name}")
                block.line = inner._lines[name]
                yield name, block
            else:
                inner.fault(f"{what} {name} needs a description in braces", name)

    def listed(self, key: str, what: str) -> Iterator["Block"]:
        """The mappings of a list: `rules`. Nothing if the key is not there."""
        if not self.has(key):
            self._asked.append(key)
            return
        for node in self._items(key):
            if isinstance(node, yaml.MappingNode):
                yield Block(self.page, node, what)
            else:
                self.page.fault(_line(node), f"a {what} begins with `- key:`")

    # ------------------------------------------------------------------ what they are made of

    def _take(self, key: str, *, required: bool) -> yaml.Node | None:
        self._asked.append(key)
        if required and key not in self._values:
            self.fault(f"`{key}` is missing")
        return self._values.get(key)

    def _absent(self, key: str) -> None:
        self._asked.append(key)

    def _items(self, key: str) -> list[yaml.Node]:
        node = self._take(key, required=True)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.fault(f"`{key}` is a list", key)
            return []
        return cast("list[yaml.Node]", node.value)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _number(node: yaml.Node) -> float | None:
    if not isinstance(node, yaml.ScalarNode) or _NUMBER.fullmatch(str(node.value)) is None:
        return None
    value = float(node.value)
    return value if isfinite(value) else None
