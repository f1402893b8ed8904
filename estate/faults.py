"""What is wrong with the files an estate comes in: where it stands, in words of both languages, and what was perhaps meant.

A fault is data: the command line prints it, a console may mark the cell it speaks of.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice

from ledger.errors import Conflict

Place = tuple[str | int, ...]  # where in the document: ('sites', 0, 'facilities', 3, 'kind')

TOLD = "-"  # stands for a key that could not be understood: that has been told, and nothing more is said of it
_NAMED_MAX = 20  # of the words there are, in a message
_COMPARED_MAX = 400  # words an unknown one is compared with; finding the nearest of thousands would take minutes
_CLOSE = 0.6  # of two words, twice the letters they share in order, of all their letters


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, in both languages."""

    zh: str
    en: str

    def text(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Position:
    """Where in a file: a line of text, or a cell of a table."""

    file: str
    line: int | None = None  # or the row
    sheet: str | None = None  # of a workbook
    column: str | None = None  # letter
    header: str | None = None  # what stands over the column

    def text(self, language: str) -> str:
        """`estate.yaml:18`, `fire.csv:18 column D "类型"`, `estate.xlsx:设备!D18 "类型"`."""
        header = f' "{self.header}"' if self.header else ""
        if self.sheet is not None:
            cell = f"{self.column or ''}{self.line or ''}"
            return f"{self.file}:{self.sheet}{f'!{cell}' if cell else ''}{header}"
        line = "" if self.line is None else f":{self.line}"
        if self.column is None:
            return f"{self.file}{line}"
        return f"{self.file}{line} {'列' if language == 'zh' else 'column'} {self.column}{header}"


@dataclass(frozen=True, slots=True)
class Fault:
    position: Position
    said: Said
    path: str = ""  # the place in a YAML document: sites.0.key
    nearest: tuple[str, ...] = ()  # what was perhaps meant

    def text(self, language: str) -> str:
        parts = (self.position.text(language), self.path, self.said.text(language))
        meant = f"（是不是 {' 或 '.join(self.nearest)}？）"
        if language != "zh":
            meant = f" (did you mean {' or '.join(self.nearest)}?)"
        return ": ".join(part for part in parts if part) + (meant if self.nearest else "")


class StillNeeded(Conflict):
    """What is to be removed has open work, or something else leans on it. `said`: each of it, in both languages."""

    def __init__(self, said: Iterable[Said]) -> None:
        self.said: Sequence[Said] = tuple(said)
        super().__init__("\n".join(each.en for each in self.said))


class EstateErrors(Exception):
    """The estate cannot be used. `faults` says everything that is wrong with it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: Sequence[Fault] = tuple(faults)
        super().__init__("\n".join(self.errors))

    @property
    def errors(self) -> tuple[str, ...]:
        """One line each, in English."""
        return tuple(fault.text("en") for fault in self.faults)


class Faults:
    """Gathers what is wrong, each with its place in the document."""

    def __init__(self, positions: Mapping[Place, Position], unplaced: Position | None = None) -> None:
        self.told: list[Fault] = []
        self._positions = positions
        self._unplaced = unplaced

    def tell(self, place: Place, zh: str, en: str, nearest: tuple[str, ...] = ()) -> None:
        self.told.append(fault_at(self._positions, place, Said(zh, en), nearest, self._unplaced))

    def repeated(self, what: Said, place: Place, keys: Sequence[object]) -> None:
        seen: set[object] = set()
        for number, key in enumerate(keys):
            if key in seen:
                self.tell(
                    (*place, number, "key"),
                    f"{what.zh} {key} 在这里第二次出现：编号不能重复",
                    f"{what.en} {key} stands here a second time: keys are unique",
                )
            seen.add(key)

    def unknown(self, what: Said, place: Place, key: str, known: Iterable[str]) -> None:
        names = frozenset(known)
        close = nearest(key, names)
        hint_zh, hint_en = "", ""
        if not close:
            shown = sorted(names)[:_NAMED_MAX]
            more = "" if len(names) <= _NAMED_MAX else " ..."
            hint_zh = f"；有：{'、'.join(shown)}{more}" if shown else "；还没有任何一个"
            hint_en = f"; there are {', '.join(shown)}{more}" if shown else "; there is none"
        self.tell(place, f"没有{what.zh} {key}{hint_zh}", f"there is no {what.en} {key}{hint_en}", close)


def fault_at(
    positions: Mapping[Place, Position],
    place: Place,
    said: Said,
    near: tuple[str, ...] = (),
    unplaced: Position | None = None,
) -> Fault:
    """A fault at the place itself, or at the nearest thing around it whose position is known."""
    found = next((positions[place[:size]] for size in range(len(place), -1, -1) if place[:size] in positions), None)
    path = ".".join(map(str, place))
    if found is None and unplaced is None:  # a description that never was a file
        return Fault(Position(path or "the file"), said, "", near)
    found = found or unplaced
    assert found is not None
    return Fault(found, said, "" if found.column is not None else path or "the file", near)


def nearest(word: str, known: Iterable[str]) -> tuple[str, ...]:
    """The words of those known that are most like it, three at most."""
    return _nearest(word, frozenset(known))


@lru_cache(maxsize=512)
def _nearest(word: str, known: frozenset[str]) -> tuple[str, ...]:
    if len(known) <= _COMPARED_MAX:
        candidates = _sharing_letters(word, known)
    else:
        alike = (each for each in sorted(known) if each[:2] == word[:2] and abs(len(each) - len(word)) <= 2)
        candidates = list(islice(alike, _COMPARED_MAX))
    return tuple(get_close_matches(word, candidates, n=3, cutoff=_CLOSE))


def _sharing_letters(word: str, known: frozenset[str]) -> list[str]:
    """Those with enough of its letters to be close at all. Most have not, and comparing costs a hundred times as much."""
    words, holding = _letters(known)
    shared = Counter(number for letter in word for number in holding.get(letter, ()))
    return [
        words[number] for number in sorted(shared) if 2 * shared[number] >= _CLOSE * (len(word) + len(words[number]))
    ]


@lru_cache(maxsize=16)
def _letters(known: frozenset[str]) -> tuple[list[str], dict[str, list[int]]]:
    """The words in order, and which of them hold a letter."""
    words = sorted(known)
    holding: dict[str, list[int]] = {}
    for number, word in enumerate(words):
        for letter in set(word):
            holding.setdefault(letter, []).append(number)
    return words, holding
