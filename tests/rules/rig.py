"""An engine on a bench: a site made from packs and a few words, and a ledger of dictionaries that keeps what it decides.

Times are seconds from `origin`. Every decision is checked against the lifecycle as the real ledger would, and `restart`
throws the engine away and builds one from what was kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from math import nan

from ledger.lifecycle import CONDITION_MOVES, ConditionMove, ConditionState, is_move_shown_legal
from ledger.records import (
    Condition,
    ConditionDecision,
    ConditionReason,
    Decision,
    Delay,
    DelayEnded,
    DelaySet,
    Facility,
    Gateway,
    Grade,
    Part,
    Permit,
    PermitKind,
    Point,
    PointKind,
    Quality,
    Reading,
    Repeat,
    Sample,
    Site,
    SiteConfiguration,
    from_ms,
    to_ms,
)
from rules.binding import conditions_for
from rules.engine import Engine
from rules.links import Tuning
from rules.model import GATEWAY_KIND, Pack

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # twelve o'clock in Shanghai
GATEWAY = "gw"

Value = bool | float | str | None


@dataclass(frozen=True)
class Plan:
    """A facility in a few words."""

    kind: str
    parts: Mapping[str, str] = field(default_factory=dict)  # key -> kind
    without: Sequence[str] = ()
    parameters: Mapping[str, float] = field(default_factory=dict)
    relations: Mapping[str, str] = field(default_factory=dict)  # relation -> facility key
    gateway: str | None = GATEWAY


@dataclass(frozen=True)
class Span:
    """A permit in a few words; times in seconds from the origin."""

    facility: str
    kind: PermitKind
    rules: frozenset[str]
    begin_s: float
    end_s: float
    part: str | None = None
    settled_s: float | None = 0.0  # when somebody says that the work is over, no later than its end; None: nobody does


@dataclass(frozen=True)
class Move:
    """What became of a condition, and when in device time."""

    at_s: float
    move: str
    rule: str
    facility: str
    part: str | None = None
    late: bool = False
    suppressed: bool = False  # nobody saw it
    active: bool = False  # whether the condition was active

    @property
    def brief(self) -> tuple[float, str, str]:
        return self.at_s, self.move, self.rule if self.part is None else f"{self.rule}@{self.part}"


class Rig:
    def __init__(
        self,
        packs: Mapping[str, Pack],
        plans: Mapping[str, Plan],
        *,
        permits: Sequence[Span] = (),
        origin: datetime = NOON,
        tuning: Tuning | None = None,
    ) -> None:
        self.packs, self.plans, self.origin, self.tuning = packs, plans, origin, tuning
        self.points: dict[str, Point] = {}  # 'facility/point'
        self.configuration = self._configuration(permits)
        self.facility_keys = {each.id: each.key for each in self.configuration.facilities}
        facilities = {each.id: each for each in self.configuration.facilities}
        self.gateway_of = {
            point.id: point.facility_id
            if facilities[point.facility_id].kind == GATEWAY_KIND
            else facilities[point.facility_id].gateway_id
            for point in self.points.values()
        }
        self.part_keys = {each.id: each.key for each in self.configuration.parts}
        self.conditions = {
            number: Condition(
                number, 1, spec.facility_id, spec.part_id, spec.rule_key, spec.severity,
                ConditionState.NORM, suppressed=False, out_of_service=False, shelved_until=None,
            )
            for number, spec in enumerate(conditions_for(self.configuration, packs), 1)
        }  # fmt: skip
        self.delays: dict[tuple[object, ...], Delay] = {}
        self.readings: list[Reading] = []
        self.seen: set[tuple[int, int]] = set()
        self.moves: list[Move] = []
        self.decisions: list[Decision] = []
        self.moved_ms: dict[int, int] = {}
        self.heard_at: dict[int, datetime] = {}
        self.connected_since_s: float | None = 0.0
        self.engine = self._engine()

    # ------------------------------------------------------------------ the site

    def _configuration(self, permits: Sequence[Span]) -> SiteConfiguration:
        facilities: list[Facility] = []
        parts: list[Part] = []
        gateways: list[Gateway] = []
        plans = dict(self.plans)
        for key in dict.fromkeys(plan.gateway for plan in plans.values() if plan.gateway is not None):
            plans.setdefault(key, Plan(GATEWAY_KIND, gateway=None))
        ids = {key: number for number, key in enumerate(plans, 1)}
        for key, plan in plans.items():
            gateway_id = None if plan.gateway is None else ids[plan.gateway]
            facilities.append(Facility(ids[key], 1, 1, gateway_id, key, plan.kind, Grade.A, key, key))
            for part_key, kind in plan.parts.items():
                parts.append(Part(len(parts) + 1, ids[key], part_key, kind, part_key, part_key))
            if plan.kind == GATEWAY_KIND:
                gateways.append(Gateway(ids[key], 1, ids[key], key, None, None, None, None, None))
            self._add_points(ids[key], key, plan, [part for part in parts if part.facility_id == ids[key]])
        part_ids = {(part.facility_id, part.key): part.id for part in parts}
        return SiteConfiguration(
            site=Site(1, "site", "站", "Site", "Asia/Shanghai", time(8), "standard", 1, {}),
            gateways=gateways,
            facilities=facilities,
            parts=parts,
            points=list(self.points.values()),
            relations={(ids[key], name): ids[to] for key, plan in plans.items() for name, to in plan.relations.items()},
            parameters={(ids[key], name): value for key, plan in plans.items() for name, value in plan.parameters.items()},
            permits=[
                Permit(
                    number, ids[span.facility], None if span.part is None else part_ids[ids[span.facility], span.part],
                    span.kind, span.rules, self.ms(span.begin_s), self.ms(span.end_s),
                    None if span.settled_s is None else self.ms(span.settled_s),
                )
                for number, span in enumerate(permits, 1)
            ],
        )  # fmt: skip

    def _add_points(self, facility_id: int, key: str, plan: Plan, parts: Iterable[Part]) -> None:
        parts = list(parts)
        pack = self.packs.get(plan.kind)
        for kind in pack.points.values() if pack is not None else ():
            places: list[Part | None] = (
                [None] if kind.part_kind is None else [p for p in parts if p.kind == kind.part_kind]
            )
            for part in places:
                name = kind.key if part is None else f"{part.key}.{kind.key}"
                if name in plan.without or kind.name in plan.without:
                    continue
                self.points[f"{key}/{name}"] = Point(
                    len(self.points) + 1, facility_id, None if part is None else part.id, name, kind.kind, kind.unit,
                    kind.scale, kind.shift, kind.range_min, kind.range_max, kind.report_interval_s, kind.hold_s,
                    {label: code for code, label in enumerate(kind.values)}, name, name,
                )  # fmt: skip

    def _engine(self, moved_ms: Mapping[int, int] | None = None) -> Engine:
        conditions, delays = list(self.conditions.values()), list(self.delays.values())
        return Engine(self.configuration, self.packs, conditions, delays, self.tuning, moved_ms)

    def ms(self, at_s: float) -> int:
        return to_ms(self.origin) + round(at_s * 1000)

    # ------------------------------------------------------------------ what happens

    def sample(self, point: str, value: Value, at_s: float, received_s: float | None = None) -> Sample:
        """As ingest would make it: labels as codes, null as a broken sensor, implausible values marked."""
        found = self.points[point]
        quality = Quality.GOOD
        if value is None:
            number, quality = nan, Quality.SENSOR_FAULT
        elif isinstance(value, str):
            number = float(found.codes[value])
        else:
            number = float(value)
            low, high = found.range_min, found.range_max
            if (low is not None and number < low) or (high is not None and number > high):
                quality = Quality.OUT_OF_RANGE
        return Sample(found.id, self.ms(at_s), number, quality, self.ms(at_s if received_s is None else received_s))

    def refused_ahead(self, at_s: float, ahead_s: float) -> None:
        """A message all of which was refused for being too far in the future, as ingest tells of it."""
        for gateway in self.configuration.gateways:
            self.engine.heard(gateway.id, self.ms(at_s), None, round(ahead_s * 1000))
            self.heard_at[gateway.id] = from_ms(self.ms(at_s))

    def send(self, at_s: float, values: Mapping[str, Value], received_s: float | None = None) -> None:
        """One message: values of points ('facility/point') taken at `at_s`."""
        self.feed([self.sample(point, value, at_s, received_s) for point, value in values.items()])

    def feed(self, samples: Sequence[Sample]) -> None:
        fresh = [sample for sample in samples if (sample.point_id, sample.ts_ms) not in self.seen]
        self.seen.update((sample.point_id, sample.ts_ms) for sample in fresh)
        for sample in fresh:
            gateway = self.gateway_of[sample.point_id]
            if gateway is not None:
                self.engine.heard(gateway, sample.received_ms, sample.ts_ms)
                self.heard_at[gateway] = from_ms(sample.received_ms)
        self.keep(fresh, self.engine.feed(fresh))

    def keep(self, samples: Sequence[Sample], decisions: Sequence[Decision]) -> None:
        """What the engine was fed, and what it decided."""
        self.readings += [Reading(s.point_id, from_ms(s.ts_ms), s.value, s.quality) for s in samples]
        self._keep(decisions)

    def tick(self, now_s: float) -> None:
        since = None if self.connected_since_s is None else self.ms(self.connected_since_s)
        self._keep(self.engine.tick(self.ms(now_s), since))

    def restart(self, *, knows_moves: bool = True, remembers_hearing: bool = True) -> None:
        """As a new process does: from conditions, delays, readings and the gateways' rows, and nothing else."""
        self.configuration = replace(
            self.configuration,
            gateways=[
                replace(each, heard_at=self.heard_at.get(each.id) if remembers_hearing else None)
                for each in self.configuration.gateways
            ],
        )
        self.engine = self._engine(self.moved_ms if knows_moves else None)
        assert set(self.engine.lookback_s()) == {point.id for point in self.configuration.points}
        self.engine.warm(sorted(self.readings, key=lambda reading: reading.ts))

    # ------------------------------------------------------------------ what is kept

    def _keep(self, decisions: Sequence[Decision]) -> None:
        self.decisions += decisions
        for decision in decisions:
            match decision:
                case ConditionDecision():
                    self._move(decision)
                case DelaySet(delay=delay):
                    assert (delay.condition_id is None) != (delay.point_id is None)
                    self.delays[delay.kind, delay.condition_id, delay.point_id] = delay
                case DelayEnded(kind=kind, condition_id=condition_id, point_id=point_id):
                    del self.delays[kind, condition_id, point_id]
                case Repeat(condition_id=condition_id, at_ms=at_ms):
                    self._note(self.conditions[condition_id], at_ms, "repeat")

    def _move(self, decision: ConditionDecision) -> None:
        before = self.conditions[decision.condition_id]
        assert (before.state, decision.move) in CONDITION_MOVES, (before, decision)
        assert is_move_shown_legal(decision.move, out_of_service=False, suppressed=before.suppressed, shelved=False)
        if decision.late:
            assert decision.reason is ConditionReason.LIMIT_LATE or decision.move is ConditionMove.LATCH
        if not decision.late:
            self.moved_ms[before.id] = decision.at_ms
        suppressed = {ConditionMove.SUPPRESS: True, ConditionMove.UNSUPPRESS: False}.get(
            decision.move, before.suppressed
        )
        after = replace(before, state=CONDITION_MOVES[before.state, decision.move], suppressed=suppressed)
        self.conditions[before.id] = after
        self._note(after, decision.at_ms, decision.move.value, late=decision.late)

    def _note(self, condition: Condition, at_ms: int, move: str, *, late: bool = False) -> None:
        self.moves.append(
            Move(
                (at_ms - to_ms(self.origin)) / 1000,
                move,
                condition.rule_key,
                self.facility_keys[condition.facility_id],
                None if condition.part_id is None else self.part_keys[condition.part_id],
                late=late,
                suppressed=condition.suppressed,
                active=condition.active,
            )
        )

    def kind_of(self, point: str) -> PointKind:
        return self.points[point].kind

    @property
    def brief(self) -> list[tuple[float, str, str]]:
        """All moves so far, as (seconds, move, rule or rule@part)."""
        return [move.brief for move in self.moves]
