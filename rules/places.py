"""Finds points, parts, relations, parameters and permits of a site by what rules call them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ledger.records import Facility, Part, Permit, PermitKind, Point, SiteConfiguration
from rules.model import ANY_KIND, GATEWAY_KIND, Pack, PointType, Rule


class Places:
    """A site's configuration beside the rule packs, indexed. Changes nothing and decides nothing."""

    def __init__(self, configuration: SiteConfiguration, packs: Mapping[str, Pack]) -> None:
        self.configuration = configuration
        self.packs = packs
        self.facilities: Mapping[int, Facility] = {each.id: each for each in configuration.facilities}
        self.part_by_id: Mapping[int, Part] = {each.id: each for each in configuration.parts}
        self._parts: dict[int, list[Part]] = defaultdict(list)
        for part in configuration.parts:
            self._parts[part.facility_id].append(part)
        self._points = {(each.facility_id, each.key): each for each in configuration.points}
        self._points_at: dict[tuple[int, int | None], list[Point]] = defaultdict(list)
        for point in configuration.points:
            self._points_at[point.facility_id, point.part_id].append(point)
        self._rules: dict[str, Sequence[Rule]] = {}  # by kind of facility
        self._permits: dict[int, list[Permit]] = defaultdict(list)
        for permit in configuration.permits:
            self._permits[permit.facility_id].append(permit)

    def parts(self, facility: Facility, kind: str | None = None) -> Sequence[Part]:
        """The facility's parts, of one kind or (`None` or `any`) of every kind."""
        every = kind is None or kind == ANY_KIND
        return [part for part in self._parts[facility.id] if every or part.kind == kind]

    def point(self, facility: Facility, part: Part | None, key: str) -> Point | None:
        return self._points.get((facility.id, key if part is None else f"{part.key}.{key}"))

    def points_of(self, facility_id: int, part_id: int | None) -> Sequence[Point]:
        return self._points_at[facility_id, part_id]

    def related(self, facility: Facility, relation: str) -> Facility | None:
        target = self.configuration.relations.get((facility.id, relation))
        return None if target is None else self.facilities.get(target)

    def parameter(self, facility: Facility, part: Part | None, key: str) -> float | None:
        """The value in force: what was set here, else the pack's default; None if it is no parameter."""
        pack = self.packs.get(facility.kind)
        kind = pack and pack.parameters.get(key if part is None else f"{part.kind}.{key}")
        if kind is None:
            return None
        name = key if part is None else f"{part.key}.{key}"
        return self.configuration.parameters.get((facility.id, name), kind.default)

    def point_type(self, point: Point) -> PointType | None:
        facility = self.facilities.get(point.facility_id)
        pack = None if facility is None else self.packs.get(facility.kind)
        if pack is None:
            return None
        part = None if point.part_id is None else self.part_by_id.get(point.part_id)
        key = point.key.rpartition(".")[2]
        return pack.points.get(key if part is None else f"{part.kind}.{key}")

    def rules(self, facility: Facility) -> Sequence[Rule]:
        """The rules of its kind, and those of `any` unless it is a gateway; those of the calendar hold nowhere."""
        if facility.kind not in self._rules:
            own = self.packs.get(facility.kind)
            every = None if facility.kind == GATEWAY_KIND else self.packs.get(ANY_KIND)
            found = [rule for pack in (own, every) if pack for rule in pack.rules.values()]
            self._rules[facility.kind] = [rule for rule in found if not rule.by_calendar]
        return self._rules[facility.kind]

    def rule(self, facility: Facility, key: str) -> Rule | None:
        kinds = (facility.kind,) if facility.kind == GATEWAY_KIND else (facility.kind, ANY_KIND)
        for pack in (self.packs.get(kind) for kind in kinds):
            if pack is not None and key in pack.rules:
                return pack.rules[key]
        return None

    def permits_of(self, facility_id: int) -> Sequence[Permit]:
        """Every permit of the facility and its parts, whatever it silences."""
        return self._permits[facility_id]

    def permits(self, facility_id: int, part_id: int | None, kind: PermitKind, rule_key: str) -> Sequence[Permit]:
        """The permits that silence this rule here: of the whole facility, or of the same part."""
        return [
            permit
            for permit in self._permits[facility_id]
            if permit.kind is kind and rule_key in permit.rules and permit.part_id in (None, part_id)
        ]
