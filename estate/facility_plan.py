"""One facility against its kind's pack and its type: its parts, points, figures and pieces, or what is wrong with them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from estate.description import AssetDescription, FacilityDescription, PartDescription
from estate.faults import Faults, Place, Said
from estate.types import FacilityType, Life
from ledger.inventory import AssetEntry, PartEntry, PointEntry
from ledger.records import Grade
from rules.model import Pack, ParameterType, PointType, Title


@dataclass(frozen=True, slots=True)
class FacilityPlan:
    key: str
    kind: str
    type: str | None
    grade: Grade  # of a new one: what the file says, else the pack's default
    says_grade: bool
    name_zh: str
    name_en: str
    location: str
    gateway: str | None  # None: it is a gateway itself, or nothing is measured there
    parts: Sequence[PartEntry]
    points: Sequence[PointEntry]
    parameters: Mapping[str, float]
    relations: Mapping[str, str]
    assets: Sequence[AssetEntry]
    renamed_from: str | None


class FacilityCheck:
    def __init__(
        self,
        faults: Faults,
        place: Place,
        facility: FacilityDescription,
        pack: Pack,
        of_type: FacilityType | None,
        renamed_from: str | None,
    ) -> None:
        self._faults, self._place, self._facility, self._pack = faults, place, facility, pack
        self._type = of_type
        self._renamed_from = renamed_from
        self._kinds = {part.key: part.kind for part in facility.parts}

    def plan(self) -> FacilityPlan:
        facility, pack = self._facility, self._pack
        self._check_parts()
        self._check_without()
        self._check_parameters()
        self._check_assets()
        parts = [part_plan(part, pack) for part in self._parts()]
        return FacilityPlan(
            key=facility.key,
            kind=facility.kind,
            type=facility.type,
            grade=pack.grade.grade if facility.grade is None else Grade(facility.grade),
            says_grade=facility.grade is not None,
            name_zh=facility.name.zh,
            name_en=facility.name.en,
            location=facility.location,
            gateway=facility.gateway,
            parts=tuple(parts),
            points=tuple(self._points(parts)),
            parameters=dict(facility.parameters),
            relations=dict(facility.relations),
            assets=tuple(self._asset(asset) for asset in facility.assets),
            renamed_from=self._renamed_from,
        )

    def _parts(self) -> Sequence[PartDescription]:
        """As written; those of a type in its order, whichever of them the file names itself."""
        if self._type is None:
            return self._facility.parts
        order = {key: number for number, (key, _) in enumerate(self._type.part_keys())}
        return sorted(self._facility.parts, key=lambda part: order.get(part.key, len(order)))

    def _check_parts(self) -> None:
        place: Place = (*self._place, "parts")
        self._faults.repeated(Said("部件", "part"), place, [part.key for part in self._facility.parts])
        for number, part in enumerate(self._facility.parts):
            if part.kind not in self._pack.parts:
                what = Said(f"{self._pack.title.zh}的部件类别", f"kind of part in {self._pack.kind}")
                self._faults.unknown(what, (*place, number, "kind"), part.kind, self._pack.parts)

    def _points(self, parts: Sequence[PartEntry]) -> Iterator[PointEntry]:
        for point in self._pack.points.values():
            places = [None] if point.part_kind is None else [part for part in parts if part.kind == point.part_kind]
            for part in places:
                entry = _entry(point, part)
                if entry.key not in self._facility.without and point.name not in self._facility.without:
                    yield entry

    def _check_without(self) -> None:
        """Named by wire key (`pump_1.run`), or by the pack's name (`pump.run`) for every part of a kind."""
        if not self._facility.without:
            return
        types: dict[str, PointType] = dict(self._pack.points)
        for part in self._facility.parts:
            types |= {
                f"{part.key}.{point.key}": point for point in self._pack.points.values() if point.part_kind == part.kind
            }
        for number, name in enumerate(self._facility.without):
            place: Place = (*self._place, "without", number)
            if name not in types:
                what = Said(f"{self._pack.title.zh}的测点", f"point of {self._pack.kind}")
                self._faults.unknown(what, place, name, types)
            elif not types[name].optional:
                self._faults.tell(
                    place,
                    f"{name} 不是可选测点：{self._pack.title.zh}一定有它",
                    f"{name} is not optional: a {self._pack.kind} always has it",
                )

    def _check_parameters(self) -> None:
        for name, value in self._facility.parameters.items():
            place: Place = (*self._place, "parameters", name)
            found = self._parameter(name)
            if found is None:
                what = Said(f"{self._pack.title.zh}的参数", f"parameter of {self._pack.kind}")
                self._faults.unknown(what, place, name, self._parameter_names())
                continue
            low = -math.inf if found.range_min is None else found.range_min
            high = math.inf if found.range_max is None else found.range_max
            if not (math.isfinite(value) and low <= value <= high):
                unit = f" {found.unit}" if found.unit else ""
                self._faults.tell(
                    place,
                    f"{found.title.zh}（{name}）{value:g}{unit} 不在 {low:g} 到 {high:g}{unit} 之间",
                    f"{value:g}{unit} is not between {low:g} and {high:g}{unit}",
                )

    def _parameter(self, name: str) -> ParameterType | None:
        part, dot, key = name.partition(".")
        if not dot:
            found = self._pack.parameters.get(name)
            return found if found is not None and found.part_kind is None else None
        return self._pack.parameters.get(f"{self._kinds[part]}.{key}") if part in self._kinds else None

    def _parameter_names(self) -> Iterator[str]:
        for parameter in self._pack.parameters.values():
            if parameter.part_kind is None:
                yield parameter.key
            else:
                yield from (
                    f"{part}.{parameter.key}" for part, kind in self._kinds.items() if kind == parameter.part_kind
                )

    def _check_assets(self) -> None:
        place: Place = (*self._place, "assets")
        seen: set[tuple[str | None, object]] = set()
        for number, asset in enumerate(self._facility.assets):
            here: Place = (*place, number)
            if asset.part is not None and asset.part not in self._kinds:
                what = Said(f"{self._facility.key} 的部件", f"part of {self._facility.key}")
                self._faults.unknown(what, (*here, "part"), asset.part, self._kinds)
            if asset.manufactured_on is not None and asset.manufactured_on > asset.installed_on:
                self._faults.tell(here, "安装日期早于出厂日期", "it was installed before it was made")
            if (asset.part, asset.installed_on) in seen:
                self._faults.tell(
                    here,
                    f"同一位置在 {asset.installed_on} 已装了另一件",
                    f"another asset was installed there on {asset.installed_on} as well",
                )
            seen.add((asset.part, asset.installed_on))

    def _asset(self, asset: AssetDescription) -> AssetEntry:
        entry = AssetEntry(
            asset.part, asset.maker, asset.model, asset.serial, asset.manufactured_on, asset.installed_on
        )
        return lasting(entry, self._type, self._kinds)


def lasting(asset: AssetEntry, of_type: FacilityType | None, kinds: Mapping[str, str]) -> AssetEntry:
    """With the day it ends by what the type says of its life, or none. `kinds`: of the facility's parts, by key."""
    life = None
    if of_type is not None:
        life = of_type.life if asset.part_key is None else of_type.part_life.get(kinds.get(asset.part_key, ""))
    end = None if life is None else expected_end(life, asset.manufactured_on, asset.installed_on)
    return replace(asset, expected_end_on=end)


def expected_end(life: Life, manufactured_on: date | None, installed_on: date) -> date | None:
    """The day its years are over; None where they count from a day that is not known."""
    begin = installed_on if life.since == "installed" else manufactured_on
    if begin is None:
        return None
    months = begin.month - 1 + round(life.years * 12)
    year, month = begin.year + months // 12, months % 12 + 1
    if year > date.max.year:
        return None
    for day in range(begin.day, 0, -1):  # the 29th of February becomes the 28th
        try:
            return date(year, month, day)
        except ValueError:
            continue
    raise AssertionError("every month has a first day")


def part_plan(part: PartDescription, pack: Pack) -> PartEntry:
    if part.name is not None:
        return PartEntry(part.key, part.kind, part.name.zh, part.name.en)
    found = pack.parts.get(part.kind)
    title = Title(part.kind, part.kind) if found is None else found.title
    # `pump_1` is pump number 1, `phase_a` phase A.
    number = "" if part.key == part.kind else part.key.removeprefix(f"{part.kind}_").upper()
    return PartEntry(part.key, part.kind, f"{title.zh} {number}".strip(), f"{title.en} {number}".strip())


def _entry(point: PointType, part: PartEntry | None) -> PointEntry:
    return PointEntry(
        key=point.key if part is None else f"{part.key}.{point.key}",
        part_key=None if part is None else part.key,
        kind=point.kind,
        unit=point.unit,
        scale=point.scale,
        shift=point.shift,
        range_min=point.range_min,
        range_max=point.range_max,
        report_interval_s=point.report_interval_s,
        hold_s=point.hold_s,
        name_zh=point.title.zh if part is None else f"{part.name_zh} {point.title.zh}",
        name_en=point.title.en if part is None else f"{part.name_en} {point.title.en}",
        labels=point.values,
    )
