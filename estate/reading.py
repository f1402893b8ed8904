"""Read an estate file: YAML whose values know their lines, then its shape. Every fault is told at once, by file and line.

Scalars are taken as they are written and typed by the description, not by YAML: `18:30` stays a time and a serial
number `0012` keeps its zeros.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import PrivateAttr, ValidationError

from estate.description import EstateDescription
from estate.encoding import decode, read_bytes
from estate.faults import EstateErrors, Fault, Faults, Place, Position, Said, fault_at
from estate.from_type import fill_in
from estate.types import Types, shipped
from rules.yaml_loader import compose

BYTES_MAX = 8 * 1024 * 1024
_NODES_MAX = 500_000  # a few aliases of aliases would otherwise unfold without end
_NULL = "tag:yaml.org,2002:null"
_FAULTS_SHAPE_ZH: Mapping[str, str] = {
    "missing": "缺少这一项",
    "extra_forbidden": "不认识的一项",
    "string_pattern_mismatch": "编号只能用小写字母、数字、下划线和连字符，最多 64 个",
    "literal_error": "只能是 A、B 或 C",
    "float_parsing": "应是数字",
    "date_from_datetime_parsing": "应是日期，写成 2024-05-01",
    "date_parsing": "应是日期，写成 2024-05-01",
    "time_parsing": "应是时间，写成 08:00",
    "string_too_short": "不能是空的",
    "string_too_long": "太长：最多 200 个字",
    "control_character": "含有控制字符",
    "nothing_seen": "里面没有看得见的字",
}


@dataclass(slots=True)
class Raw:
    """What stands in a file before its shape is checked, where each piece of it stands, and what is wrong so far."""

    file: str
    document: object
    positions: dict[Place, Position] = field(default_factory=dict[Place, Position])
    faults: list[Fault] = field(default_factory=list[Fault])


class EstateFile(EstateDescription):
    """A description that remembers where it was written."""

    _positions: Mapping[Place, Position] = PrivateAttr(default_factory=dict[Place, Position])

    def remember(self, positions: Mapping[Place, Position]) -> None:
        self._positions = positions

    @property
    def positions(self) -> Mapping[Place, Position]:
        return self._positions


def read(path: Path, types: Types | None = None) -> EstateDescription:
    """One file, which names all it needs. Raises EstateErrors."""
    return shaped(read_raw(path), shipped() if types is None else types)


def parse(text: str, file: str, types: Types | None = None) -> EstateDescription:
    """The same from a text. Raises EstateErrors."""
    return shaped(parse_raw(text, file), shipped() if types is None else types)


def read_raw(path: Path) -> Raw:
    """Raises EstateErrors where it is not even YAML."""
    return parse_raw(decode(read_bytes(path, BYTES_MAX), path), str(path))


def parse_raw(text: str, file: str) -> Raw:
    unfolding = _Unfolding(file)
    try:
        document = unfolding.unfold(compose(text), ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        line = 1 if mark is None else mark.line + 1
        raise EstateErrors([Fault(Position(file, line), Said(f"不是 YAML：{said}", f"not YAML: {said}"))]) from error
    except RecursionError as error:
        told = Said("嵌套太深，不可能是台账", "nested far too deeply to be an estate")
        raise EstateErrors([Fault(Position(file), told)]) from error
    except (yaml.YAMLError, ValueError) as error:
        raise EstateErrors([Fault(Position(file), Said(f"不是 YAML：{error}", f"not YAML: {error}"))]) from error
    return Raw(file, document, unfolding.positions, unfolding.faults)


def shaped(raw: Raw, types: Types) -> EstateDescription:
    """The description that a document comes to. Raises EstateErrors with every fault of its shape."""
    faults = Faults(raw.positions, Position(raw.file))
    fill_in(raw.document, types, faults)
    try:
        described = EstateFile.model_validate(raw.document)
    except ValidationError as error:
        found = [*raw.faults, *faults.told, *_shape_faults(error, raw)]
        found.sort(key=lambda fault: (fault.position.sheet or "", fault.position.line or 0))
        raise EstateErrors(found) from error
    if raw.faults or faults.told:
        raise EstateErrors([*raw.faults, *faults.told])
    described.remember(raw.positions)
    return described


def positions_of(description: EstateDescription) -> Mapping[Place, Position]:
    """Where its pieces stand, as far as that is known."""
    return description.positions if isinstance(description, EstateFile) else {}


class _Unfolding:
    """Turns nodes into plain values, and notes the line of each place and keys that stand twice."""

    def __init__(self, file: str) -> None:
        self.positions: dict[Place, Position] = {}
        self.faults: list[Fault] = []
        self._file = file
        self._nodes = 0

    def unfold(self, node: yaml.Node | None, place: Place) -> object:
        self._nodes += 1
        if self._nodes > _NODES_MAX:
            raise ValueError(f"more than {_NODES_MAX} values")
        if node is None:
            return None
        self.positions.setdefault(place, Position(self._file, int(node.start_mark.line) + 1))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            items = cast("list[yaml.Node]", node.value)
            return [self.unfold(item, (*place, number)) for number, item in enumerate(items)]
        return None if node.tag == _NULL else str(node.value)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, object]:
        values: dict[str, object] = {}
        for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            here = Position(self._file, int(key.start_mark.line) + 1)
            if not isinstance(key, yaml.ScalarNode):
                self.faults.append(Fault(here, Said("键只能是一个词", "a key must be one word")))
                continue
            name = str(key.value)
            if name in values:
                first = self.positions[(*place, name)].line
                zh, en = (
                    f"{name!r} 第二次出现（第一次在第 {first} 行）",
                    f"{name!r} stands here a second time (first in line {first})",
                )
                self.faults.append(Fault(here, Said(zh, en)))
                continue
            self.positions[(*place, name)] = here
            values[name] = self.unfold(value, (*place, name))
        return values


def _shape_faults(error: ValidationError, raw: Raw) -> Iterator[Fault]:
    found = error.errors()
    for each in found:
        place: Place = each["loc"]
        # A list all of whose items are refused is called too short as well: that says nothing new.
        if each["type"] == "too_short" and any(
            other["loc"][: len(place)] == place and other is not each for other in found
        ):
            continue
        zh = _FAULTS_SHAPE_ZH.get(each["type"], f"不合要求：{each['msg']}")
        yield fault_at(
            raw.positions, place, Said(zh, _in_english(cast("dict[str, Any]", each))), (), Position(raw.file)
        )


def _in_english(error: Mapping[str, Any]) -> str:
    """Pydantic's own words, but for keys, whose pattern says nothing to a person."""
    if error["type"] == "string_pattern_mismatch":
        return "a key is made of lower-case letters, figures, underscores and hyphens, 64 at most"
    return str(error["msg"])
