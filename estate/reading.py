"""Read an estate file: YAML whose values know their lines, then its shape. Every fault is told at once, by file and line.

Scalars are taken as they are written and typed by the description, not by YAML: `18:30` stays a time and a serial
number `0012` keeps its zeros.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import yaml
from pydantic import PrivateAttr, ValidationError

from estate.description import EstateDescription

BYTES_MAX = 8 * 1024 * 1024
_NODES_MAX = 500_000  # a few aliases of aliases would otherwise unfold without end
_NULL = "tag:yaml.org,2002:null"

Place = tuple[str | int, ...]  # ('sites', 0, 'facilities', 3, 'kind')


class EstateErrors(Exception):
    """The estate cannot be used. `errors` says everything that is wrong with it, one line each."""

    def __init__(self, errors: Sequence[str]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(self.errors))


class EstateFile(EstateDescription):
    """A description that remembers where it was written."""

    _file: str = PrivateAttr(default="")
    _lines: Mapping[Place, int] = PrivateAttr(default_factory=dict[Place, int])

    def remember(self, file: str, lines: Mapping[Place, int]) -> None:
        self._file, self._lines = file, lines

    def where(self, place: Place) -> str:
        return _where(self._file, self._lines, place)


def read(path: Path) -> EstateDescription:
    """Raises EstateErrors."""
    try:
        with path.open("rb") as file:
            content = file.read(BYTES_MAX + 1)
        if len(content) > BYTES_MAX:
            raise EstateErrors([f"{path}: longer than {BYTES_MAX // 1024 // 1024} MiB; is this an estate file?"])
        text = content.decode()
    except OSError as error:
        raise EstateErrors([f"{path}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise EstateErrors([f"{path}: not UTF-8 text, from byte {error.start} on"]) from error
    return parse(text, str(path))


def parse(text: str, file: str) -> EstateDescription:
    """The same from a text. Raises EstateErrors."""
    unfolding = _Unfolding(file)
    try:
        document = unfolding.unfold(yaml.compose(text, Loader=yaml.SafeLoader), ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise EstateErrors([f"{file}:{1 if mark is None else mark.line + 1}: not YAML: {said}"]) from error
    except RecursionError as error:
        raise EstateErrors([f"{file}: nested far too deeply to be an estate"]) from error
    except (yaml.YAMLError, ValueError) as error:
        raise EstateErrors([f"{file}: not YAML: {error}"]) from error
    try:
        described = EstateFile.model_validate(document)
    except ValidationError as error:
        faults = [*unfolding.faults, *_shape_faults(error, file, unfolding.lines)]
        raise EstateErrors([told for _, told in sorted(faults, key=lambda fault: fault[0])]) from error
    if unfolding.faults:
        raise EstateErrors([told for _, told in unfolding.faults])
    described.remember(file, unfolding.lines)
    return described


def where(description: EstateDescription, place: Place) -> str:
    """`file:line: sites.0.key` as far as it is known, for a message about this place."""
    if isinstance(description, EstateFile):
        return description.where(place)
    return ".".join(map(str, place))


class _Unfolding:
    """Turns nodes into plain values, and notes the line of each place and keys that stand twice."""

    def __init__(self, file: str) -> None:
        self.lines: dict[Place, int] = {}
        self.faults: list[tuple[int, str]] = []  # line and words
        self._file = file
        self._nodes = 0

    def unfold(self, node: yaml.Node | None, place: Place) -> object:
        self._nodes += 1
        if self._nodes > _NODES_MAX:
            raise ValueError(f"more than {_NODES_MAX} values")
        if node is None:
            return None
        self.lines.setdefault(place, int(node.start_mark.line) + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            items = cast("list[yaml.Node]", node.value)
            return [self.unfold(item, (*place, number)) for number, item in enumerate(items)]
        return None if node.tag == _NULL else str(node.value)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, object]:
        values: dict[str, object] = {}
        for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            line = int(key.start_mark.line) + 1
            if not isinstance(key, yaml.ScalarNode):
                self.faults.append((line, f"{self._file}:{line}: a key must be one word"))
                continue
            name = str(key.value)
            if name in values:
                first = self.lines[(*place, name)]
                told = f"{self._file}:{line}: {name!r} stands here a second time (first in line {first})"
                self.faults.append((line, told))
                continue
            self.lines[(*place, name)] = line
            values[name] = self.unfold(value, (*place, name))
        return values


def _shape_faults(error: ValidationError, file: str, lines: Mapping[Place, int]) -> Iterator[tuple[int, str]]:
    found = error.errors()
    for each in found:
        place = each["loc"]
        # A list all of whose items are refused is called too short as well: that says nothing new.
        within = [other["loc"] for other in found if other["loc"][: len(place)] == place]
        if each["type"] != "too_short" or within == [place]:
            yield _line(lines, place) or 0, f"{_where(file, lines, place)}: {each['msg']}"


def _line(lines: Mapping[Place, int], place: Place) -> int | None:
    """The line of the place itself, or of the nearest thing around it that is there."""
    return next((lines[place[:size]] for size in range(len(place), -1, -1) if place[:size] in lines), None)


def _where(file: str, lines: Mapping[Place, int], place: Place) -> str:
    line = _line(lines, place)
    return f"{file}{'' if line is None else f':{line}'}: {'.'.join(map(str, place)) or 'the file'}"
