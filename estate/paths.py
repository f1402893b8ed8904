"""Places written as paths (`1号楼/3层/电梯厅`): found in a site's tree by their names, or made with keys that stay the same.

A made key is spelt from what can be spelt (buildings, units, floors, latin letters and figures) and for the rest from a
digest of the name, so that the same path gives the same key on every machine and every day.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from unicodedata import normalize

KEY_LENGTH_MAX = 64
DEPTH_MAX = 10
_PARTED = re.compile(r"\s*[/\\>＞→|]\s*")
_FIGURES: Mapping[str, str] = {word: str(number) for number, word in enumerate("零一二三四五六七八九十")}
# What stands in a path -> key and English name; the figure is filled in.
_SPELT: Sequence[tuple[re.Pattern[str], str, str]] = tuple(
    (re.compile(pattern), key, english)
    for pattern, key, english in (
        (r"([a-z0-9]{1,3})(?:号|#)?(?:楼栋|楼|栋|幢|座)", "b{}", "Building {}"),
        (r"([a-z0-9]{1,3})(?:号)?单元", "u{}", "Unit {}"),
        (r"(?:第)?(\d{1,3})(?:层|f)", "f{}", "Floor {}"),
        (r"(?:地下|负|b)(\d)(?:层|f)?", "basement{}", "Basement {}"),
        (r"(?:地库|地下车库|车库)", "garage", "Garage"),
        (r"(?:地下室)", "basement", "Basement"),
        (r"(?:屋顶|屋面|天面|楼顶)", "roof", "Roof"),
        (r"(?:大堂|门厅)", "lobby", "Lobby"),
        (r"(?:电梯厅|电梯前室)", "lift_lobby", "Lift lobby"),
        (r"(?:楼梯间|疏散楼梯)", "stair", "Stair"),
        (r"(?:走道|走廊|过道)", "corridor", "Corridor"),
        (r"(?:配电房|配电室|变配电室)", "power_room", "Distribution room"),
        (r"(?:消防泵房|消防水泵房)", "fire_pump_room", "Fire pump room"),
        (r"(?:泵房|生活泵房|水泵房)", "pump_room", "Pump room"),
        (r"(?:消控室|消防控制室|监控室|监控中心)", "control_room", "Control room"),
        (r"(?:电梯机房)", "machine_room", "Lift machine room"),
        (r"(?:发电机房)", "generator_room", "Generator room"),
        (r"(?:园区|室外|外场)", "grounds", "Grounds"),
        (r"([a-z0-9])区", "zone_{}", "Zone {}"),
    )
)


@dataclass(frozen=True, slots=True)
class Place:
    key: str
    name_zh: str
    name_en: str
    inside: str | None


class Ambiguous(ValueError):
    """Several places are called that; their keys are the argument."""


class Paths:
    """A site's tree by names. `made` are the places that were not there, parents first."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = {place.key: place for place in places}
        self.made: dict[str, Place] = {}
        self._named: dict[tuple[str | None, str], str] = {}
        self._alone: dict[str, set[str]] = {}
        for place in places:
            self._index(place)

    def _index(self, place: Place) -> None:
        for name in (place.name_zh, place.name_en):
            self._named.setdefault((place.inside, _folded(name)), place.key)
            self._alone.setdefault(_folded(name), set()).add(place.key)

    def learn(self, places: Sequence[Place]) -> None:
        """Places of a sheet, whose `inside` is a key, or a name that only one place has."""
        for place in places:
            self._places[place.key] = place
            for name in (place.name_zh, place.name_en):
                self._alone.setdefault(_folded(name), set()).add(place.key)
        for place in places:
            inside = None if place.inside is None else self.parent(place.inside)
            self._places[place.key] = replace(place, inside=inside)
            self._index(self._places[place.key])

    def parent(self, word: str) -> str:
        """The key that is meant; the word itself where that is not clear."""
        alone = self._alone.get(_folded(word), set())
        return word if word in self._places or len(alone) != 1 else next(iter(alone))

    def key(self, path: str) -> str:
        """The key of the place the path leads to, made if need be. Raises Ambiguous, or ValueError for no path."""
        if path in self._places:
            return path
        steps = [step for step in _PARTED.split(path) if step]
        if not 0 < len(steps) <= DEPTH_MAX:
            raise ValueError(path)
        first = _folded(steps[0])
        if (None, first) not in self._named and len(self._alone.get(first, ())) > 1:
            raise Ambiguous(sorted(self._alone[first]))
        here: str | None = None
        for depth, step in enumerate(steps):
            found = self._named.get((here, _folded(step)))
            if found is None and depth == 0:
                found = next(iter(self._alone.get(first, ())), None)
            here = found if found is not None else self._make(here, step)
        assert here is not None
        return here

    def _make(self, inside: str | None, name: str) -> str:
        spelt, english = spell(name)
        key = spelt if inside is None else f"{inside}-{spelt}"
        if len(key) > KEY_LENGTH_MAX or key in self._places:
            mark = hashlib.sha256(f"{inside}/{name}".encode()).hexdigest()[:8]
            key = f"{key[: KEY_LENGTH_MAX - 9]}-{mark}"
        place = Place(key, name, english, inside)
        self._places[key] = self.made[key] = place
        self._index(place)
        return key


def spell(name: str) -> tuple[str, str]:
    """A key for one step of a path, and its English name."""
    folded = _folded(name)
    for pattern, key, english in _SPELT:
        found = pattern.fullmatch(folded)
        figure = found.group(1) if found is not None and found.groups() else ""
        if found is not None and figure.isascii():
            return key.format(figure), english.format(figure.upper())
    latin = re.sub(r"[^a-z0-9]+", "_", folded).strip("_")
    if latin and latin == re.sub(r"[\s_-]+", "_", folded):
        return latin[:32], name
    mark = hashlib.sha256(folded.encode()).hexdigest()[:6]
    return (f"{latin[:16]}_{mark}" if latin else f"p{mark}"), name


def _folded(name: str) -> str:
    """Without what does not tell names apart: width, case, spaces; figures written out become figures."""
    text = re.sub(r"\s+", "", normalize("NFKC", name)).casefold()
    return re.sub("|".join(_FIGURES), lambda found: _FIGURES[found.group()], text)
