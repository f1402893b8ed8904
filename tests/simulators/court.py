"""A stage played straight into the rules: no broker, no database, no clock; alarms as the API would tell them.

One engine per site. A command of a gateway becomes what the broker would make of it: a dropped connection is the last
will, a message is samples. Nobody acknowledges anything, so an alarm that comes back stands on and counts occurrences.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from math import nan
from pathlib import Path

from estate.bring_in import read
from estate.description import EstateDescription, SiteDescription
from ingest.wire import StatusTopic, TelemetryTopic, decode_status, decode_telemetry, parse_topic
from ledger.lifecycle import CONDITION_MOVES, ConditionMove, ConditionState
from ledger.records import (
    Condition,
    ConditionDecision,
    Decision,
    Facility,
    Gateway,
    Grade,
    Part,
    Point,
    Quality,
    Sample,
    Site,
    SiteConfiguration,
    from_ms,
    to_ms,
)
from rules.binding import conditions_for
from rules.engine import Engine
from rules.model import GATEWAY_KIND, Pack
from simulators.gateway import Command, Connect, Drop, Leave, Publish
from simulators.scene import CAN_WAIT, PRIORITIES
from simulators.stage import Stage
from tests.shipped import PACKS

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "estates/demo.yaml"
BACKED = Path(__file__).with_name("backed.yaml")


@cache
def demo() -> EstateDescription:
    return read(DEMO)


@cache
def backed() -> EstateDescription:
    """A site with a generator, and everybody behind it."""
    return read(BACKED)


def only(estate: EstateDescription, *facilities: str) -> EstateDescription:
    """The estate with these facilities ('site/key') and what feeds them, for tests that need no more."""
    sites = []
    for site in estate.sites:
        kept = {one.key for one in site.facilities if f"{site.key}/{one.key}" in facilities}
        kept |= {target for one in site.facilities if one.key in kept for target in one.relations.values()}
        if kept:
            chosen = tuple(one for one in site.facilities if one.key in kept)
            gateways = tuple(one for one in site.gateways if one.key in {facility.gateway for facility in chosen})
            sites.append(site.model_copy(update={"facilities": chosen, "gateways": gateways}))
    return estate.model_copy(update={"sites": tuple(sites)})


@dataclass
class Row:
    """An alarm in the making."""

    key: tuple[str, str, str | None, str]
    severity: str
    grade: str
    began_ms: int
    raised_ms: int
    rung: bool
    returned_ms: int | None = None
    occurrences: int = 1
    late: bool = False

    def told(self) -> dict[str, object]:
        site, facility, part, rule = self.key
        return {
            "site_key": site,
            "facility_key": facility,
            "part_key": part,
            "rule_key": rule,
            "severity": self.severity,
            "priority": "low" if self.key[3] in CAN_WAIT else PRIORITIES[self.severity, self.grade],
            "began_at": from_ms(self.began_ms).isoformat(),
            "raised_at": from_ms(self.raised_ms).isoformat(),
            "returned_at": None if self.returned_ms is None else from_ms(self.returned_ms).isoformat(),
            "ended_at": None,
            "late": self.late,
            "rang_at": from_ms(self.raised_ms).isoformat() if self.rung else None,
            "historical": None,
            "occurrences": self.occurrences,
            "work_order_ids": [],
        }


class Court:
    """The engine of one site, its conditions and its alarms."""

    def __init__(self, site: SiteDescription, since: datetime) -> None:
        self.site = site
        self.configuration = configuration(site)
        self.facilities = {one.id: one for one in self.configuration.facilities}
        self.parts = {one.id: one for one in self.configuration.parts}
        self.points = {(one.facility_id, one.key): one for one in self.configuration.points}
        self.gateways = {one.key: one for one in self.configuration.gateways}
        self.ids = {one.key: one.id for one in self.configuration.facilities}
        self.conditions = {
            number: Condition(
                number, 1, spec.facility_id, spec.part_id, spec.rule_key, spec.severity,
                ConditionState.NORM, suppressed=False, out_of_service=False, shelved_until=None,
            )
            for number, spec in enumerate(conditions_for(self.configuration, PACKS), 1)
        }  # fmt: skip
        self.engine = Engine(self.configuration, PACKS, list(self.conditions.values()), [])
        self.open: dict[int, Row] = {}
        self.rows: list[Row] = []
        self.since_ms = to_ms(since)
        self.seen: dict[int, set[int]] = {}

    def receive(self, topic: str, payload: bytes, received_ms: int) -> None:
        match parse_topic(topic):
            case StatusTopic(gateway=key):
                status = decode_status(payload, bytes_max=10_000)
                self.status(key, received_ms, online=status.online)
            case TelemetryTopic(facility=key):
                facility = self.ids[key]
                gateway = self.facilities[facility].gateway_id
                assert gateway is not None
                for entry in decode_telemetry(payload, bytes_max=262_144, values_max=5_000).entries:
                    assert entry.ts_ms is not None
                    self.engine.heard(gateway, received_ms, entry.ts_ms)
                    samples = [
                        _sample(self.points[facility, name], value, entry.ts_ms, received_ms)
                        for name, value in entry.values.items()
                    ]
                    self.judge(self.engine.feed(list(self._new(samples))), received_ms)
            case other:
                raise AssertionError(other)

    def status(self, key: str, at_ms: int, *, online: bool) -> None:
        point = self.points[self.gateways[key].facility_id, "online"]
        self.judge(self.engine.feed([Sample(point.id, at_ms, float(online), Quality.GOOD, at_ms)]), at_ms)

    def tick(self, now_ms: int) -> None:
        self.judge(self.engine.tick(now_ms, self.since_ms), now_ms)

    def _new(self, samples: Iterable[Sample]) -> Iterable[Sample]:
        """Without those that the ledger has already."""
        for sample in samples:
            known = self.seen.setdefault(sample.point_id, set())
            if sample.ts_ms not in known:
                known.add(sample.ts_ms)
                yield sample

    def judge(self, decisions: Sequence[Decision], now_ms: int) -> None:
        for decision in decisions:
            if isinstance(decision, ConditionDecision):
                self._move(decision, now_ms)

    def _move(self, decision: ConditionDecision, now_ms: int) -> None:
        condition = self.conditions[decision.condition_id]
        match decision.move:
            case ConditionMove.SUPPRESS | ConditionMove.UNSUPPRESS:
                suppressed = decision.move is ConditionMove.SUPPRESS
                self.conditions[condition.id] = replace(condition, suppressed=suppressed)
                if condition.active and not suppressed:
                    self.open[condition.id].rung = True
                return
            case ConditionMove.RAISE if condition.id in self.open:
                row = self.open[condition.id]
                row.occurrences, row.returned_ms = row.occurrences + 1, None
            case ConditionMove.RAISE:
                self.open[condition.id] = row = self._row(condition, decision, now_ms)
                self.rows.append(row)
            case _:
                self.open[condition.id].returned_ms = decision.at_ms
        state = CONDITION_MOVES[condition.state, decision.move]
        if state is ConditionState.RTNUN and not self.open[condition.id].rung:  # nobody was told: it ends quietly
            del self.open[condition.id]
            state = ConditionState.NORM
        self.conditions[condition.id] = replace(condition, state=state)

    def _row(self, condition: Condition, decision: ConditionDecision, now_ms: int) -> Row:
        facility = self.facilities[condition.facility_id]
        part = None if condition.part_id is None else self.parts[condition.part_id].key
        key = (self.site.key, facility.key, part, condition.rule_key)
        rung = not condition.suppressed
        return Row(key, condition.severity, facility.grade, decision.at_ms, now_ms, rung, late=decision.late)


def play(stage: Stage, estate: EstateDescription, until_s: float, *, tick_s: float = 5.0) -> list[Row]:
    """The alarms of so many seconds of a stage."""
    courts = {site.key: Court(site, stage.now) for site in estate.sites}
    for step in range(round(until_s / stage.step_s)):
        played = stage.step()
        now_ms = to_ms(stage.now)
        for (site, gateway), commands in played.items():
            for command in commands:
                carry_out(courts[site], gateway, command, now_ms)
        if step % round(tick_s / stage.step_s) == 0:
            for court in courts.values():
                court.tick(now_ms)
    return [row for court in courts.values() for row in court.rows]


def carry_out(court: Court, gateway: str, command: Command, now_ms: int) -> None:
    match command:
        case Connect(topic=topic, hello=hello):
            court.receive(topic, hello, now_ms)
        case Drop():
            court.status(gateway, now_ms, online=False)
        case Leave(topic=topic, goodbye=goodbye):
            court.receive(topic, goodbye, now_ms)
        case Publish(topic=topic, payload=payload):
            court.receive(topic, payload, now_ms)


def _sample(point: Point, value: object, ts_ms: int, received_ms: int) -> Sample:
    quality = Quality.GOOD
    if value is None:
        number, quality = nan, Quality.SENSOR_FAULT
    elif isinstance(value, str):
        number = float(point.codes[value])
    else:
        assert isinstance(value, bool | int | float)
        number = float(value)
        low, high = point.range_min, point.range_max
        assert low is None or number >= low, (point.key, value)
        assert high is None or number <= high, (point.key, value)
    return Sample(point.id, ts_ms, number, quality, received_ms)


def configuration(site: SiteDescription) -> SiteConfiguration:
    """What the ledger would say of a site that an estate file described."""
    described = [(one.key, GATEWAY_KIND, None, (), frozenset[str](), {}, None) for one in site.gateways]
    described += [
        (one.key, one.kind, one.gateway, one.parts, frozenset(one.without), one.parameters, one.grade)
        for one in site.facilities
    ]
    ids = {key: number for number, (key, *_) in enumerate(described, 1)}
    facilities: list[Facility] = []
    gateways: list[Gateway] = []
    parts: list[Part] = []
    points: list[Point] = []
    parameters: dict[tuple[int, str], float] = {}
    for key, kind, gateway, part_list, without, values, grade in described:
        number, pack = ids[key], PACKS[kind]
        facilities.append(
            Facility(
                number, 1, 1, None if gateway is None else ids[gateway], key, kind,
                pack.grade.grade if grade is None else Grade(grade), key, key,
            )
        )  # fmt: skip
        if kind == GATEWAY_KIND:
            gateways.append(Gateway(number, 1, number, key, None, None, None, None, None))
        mine = [
            Part(len(parts) + index, number, one.key, one.kind, one.key, one.key)
            for index, one in enumerate(part_list, 1)
        ]
        parts += mine
        points += _points(len(points), number, pack, mine, without)
        parameters |= {(number, name): value for name, value in values.items()}
    return SiteConfiguration(
        site=Site(1, site.key, site.name.zh, site.name.en, site.time_zone, site.round_at, site.sla_profile, 1, {}),
        gateways=gateways,
        facilities=facilities,
        parts=parts,
        points=points,
        relations={
            (ids[one.key], name): ids[target] for one in site.facilities for name, target in one.relations.items()
        },
        parameters=parameters,
        permits=[],
    )


def _points(count: int, facility: int, pack: Pack, parts: Sequence[Part], without: frozenset[str]) -> list[Point]:
    points: list[Point] = []
    for kind in pack.points.values():
        places: list[Part | None] = [None] if kind.part_kind is None else [p for p in parts if p.kind == kind.part_kind]
        for part in places:
            name = kind.key if part is None else f"{part.key}.{kind.key}"
            if name not in without and kind.name not in without:
                points.append(
                    Point(
                        count + len(points) + 1, facility, None if part is None else part.id, name, kind.kind, kind.unit,
                        kind.scale, kind.shift, kind.range_min, kind.range_max, kind.report_interval_s, kind.hold_s,
                        {label: code for code, label in enumerate(kind.values)}, name, name,
                    )
                )  # fmt: skip
    return points
