"""Facility types as data: what an engineer picks ("booster set, 3 pumps") instead of writing parts and points down.

A type belongs to a kind; points, units, ranges and rules come from the kind's pack, parts, absent points, usual figures
and how long such a thing lasts come from the type. `estate/types` holds those that ship.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from unicodedata import normalize

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from estate.description import Key, Name, PointKey
from ledger.services import Term
from rules import yaml_loader
from rules.model import Pack

SHIPPED = Path(__file__).with_name("types")


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Life(_Data):
    """How long it is expected to serve, counted from the day it was made or installed."""

    years: Annotated[float, Field(gt=0, le=100)]
    since: Literal["manufactured", "installed"] = "installed"
    source: str


class Service(_Data):
    """When it goes to the workshop: years after it was made, and years between later times. For the inspection."""

    first_years: Annotated[float, Field(gt=0)]
    again_years: Annotated[float, Field(gt=0)]
    source: str


class FacilityType(_Data):
    key: Key
    kind: Key
    title: Name
    also: tuple[str, ...] = ()  # other names that stand in people's spreadsheets
    parts: dict[Key, Annotated[int, Field(ge=1, le=99)]] = Field(
        default_factory=dict[str, int]
    )  # part kind -> how many
    without: tuple[PointKey, ...] = ()
    parameters: dict[str, float] = Field(default_factory=dict[str, float])
    relations: tuple[Key, ...] = ()  # those worth filling in, out of the pack's
    life: Life | None = None
    part_life: dict[Key, Life] = Field(default_factory=dict[str, Life])  # by part kind
    service: Service | None = None

    def part_keys(self) -> Iterator[tuple[str, str]]:
        """Key and kind of every part: `pump_1`, `pump_2`."""
        for kind, count in self.parts.items():
            yield from ((f"{kind}_{number}", kind) for number in range(1, count + 1))


Types = Mapping[str, FacilityType]


@lru_cache(maxsize=1)
def shipped() -> Types:
    """The types that ship, in order of file and place in it."""
    found: dict[str, FacilityType] = {}
    for path in sorted(SHIPPED.glob("*.yaml")):
        written: object = yaml_loader.load(path.read_text(encoding="utf-8"))
        for each in TypeAdapter(list[FacilityType]).validate_python(written):
            if each.key in found:
                raise ValueError(f"{path.name}: the type {each.key} is there already")
            found[each.key] = each
    return found


@lru_cache(maxsize=1)
def service_terms() -> Sequence[Term]:
    """Of the types that are serviced."""
    return [
        Term(each.key, bool(each.part_life), round(12 * each.service.first_years), round(12 * each.service.again_years))
        for each in shipped().values()
        if each.service is not None
    ]


def misfits(one: FacilityType, packs: Mapping[str, Pack]) -> Iterator[str]:
    """What a type says that its kind's pack does not know."""
    pack = packs.get(one.kind)
    if pack is None:
        yield f"{one.key}: there is no kind {one.kind}"
        return
    yield from (f"{one.key}: no part kind {kind}" for kind in {*one.parts, *one.part_life} - pack.parts.keys())
    yield from (f"{one.key}: no relation {name}" for name in one.relations if name not in pack.relations)
    for name in one.without:
        if name not in pack.points or not pack.points[name].optional:
            yield f"{one.key}: no optional point {name}"
    kinds = dict(one.part_keys())
    for name, value in one.parameters.items():
        part, dot, key = name.rpartition(".")
        found = pack.parameters.get(f"{kinds.get(part)}.{key}" if dot else name)
        if found is None:
            yield f"{one.key}: no parameter {name}"
        elif not (found.range_min or value) <= value <= (found.range_max or value):
            yield f"{one.key}: {name} {value:g} is out of range"


class Names:
    """Finds a type, or failing that a kind, by what people call it: key, title or one of its other names."""

    def __init__(self, types: Types, packs: Mapping[str, Pack]) -> None:
        self._types: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        for each in types.values():
            for word in (each.title.zh, each.title.en, *each.also, each.key):
                self._types.setdefault(folded(word), each.key)
        for pack in packs.values():
            for word in (pack.kind, pack.title.zh, pack.title.en):
                self._kinds.setdefault(folded(word), pack.kind)
        shown = {each.title.zh for each in types.values()} | {each.key for each in types.values()}
        self.words: Sequence[str] = sorted(shown | {pack.title.zh for pack in packs.values()})

    def type(self, word: str) -> str | None:
        return self._types.get(folded(word))

    def kind(self, word: str) -> str | None:
        return self._kinds.get(folded(word))


def folded(word: str) -> str:
    """A word without what does not tell it apart: width, case, spaces, hyphens and the marks around figures."""
    return re.sub(r"[\s_,，、()（）\[\]【】/-]+", "", normalize("NFKC", word)).casefold()
