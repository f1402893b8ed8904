"""What a month came to, for people as a table and for machines as one line of JSON."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime

from demo.month.figures import BOUNDS, MIX_TARGET, MIX_TOLERANCE, Figures, Rung, measure
from demo.month.play import Played
from ledger.lifecycle import ACTIVE_STATES
from ledger.records import Alarm, Priority
from simulators.auditor import Findings, compare
from simulators.life import Drawn, Life
from simulators.scene import with_orders
from simulators.truth import Declared, Truth

_WIDE = 22


@dataclass(frozen=True, slots=True)
class Cause:
    """What one fault of the catalogue came to. `rung_at_most`: for one of its happenings."""

    times: int
    rung: int
    rung_at_most: int
    silent: int
    work_orders: int


@dataclass(frozen=True, slots=True)
class Setting:
    """What was played."""

    seed: int
    days: float
    bad: bool
    begun: datetime
    ended: datetime
    facilities: int  # that played
    stands_for: int  # facilities of the estate
    operators: int


def audited(played: Sequence[Played]) -> Findings:
    """The ledger held against the truth, each site against its own."""
    findings = Findings()
    for one in played:
        truth = replace(one.truth, declared=tuple(_with_people(each) for each in one.truth.declared))
        found = compare(truth, [_as_audited(alarm) for alarm in one.alarms], [{"id": each.id} for each in one.orders])
        findings.missing.extend(found.missing)
        findings.unexpected.extend(found.unexpected)
    return findings


def _with_people(declared: Declared) -> Declared:
    """In a run where people close orders, an alarm is sure of one only if its own time or priority asks for it."""
    (alone,) = with_orders([replace(declared, work_order=None)])
    return alone if alone.work_order or alone.historical else replace(alone, work_order=None)


def _as_audited(alarm: Alarm) -> dict[str, object]:
    return {
        "site_key": alarm.site_key,
        "facility_key": alarm.facility_key,
        "part_key": alarm.part_key,
        "rule_key": alarm.rule_key,
        "severity": alarm.severity,
        "priority": alarm.priority,
        "began_at": alarm.began_at,
        "returned_at": alarm.returned_at,
        "historical": alarm.historical,
        "rang_at": alarm.rang_at,
        "occurrences": alarm.occurrences,
        "work_order_ids": alarm.work_order_ids,
    }


@dataclass(frozen=True, slots=True)
class Account:
    """Everything measured. `missing`, `unexpected`, `refused` and `audit` are empty if all is well."""

    setting: Setting
    crowded_out: int  # faults that found no room beside others
    values: int
    condition_changes: int  # every word of the rules on a condition: raised, cleared, latched, suppressed and back
    raises: int
    occurrences: int
    alarms: int
    historical: int  # over before they came in
    never_rung: int  # came and went below another alarm
    rung: int
    work_orders: int
    chattering: int  # how often a condition was raised for the third time within a minute
    figures: Figures
    by_severity_and_grade: Mapping[str, int]  # of what rang: the response table makes priorities of these
    causes: Mapping[str, Cause]
    missing: Sequence[str]
    unexpected: Sequence[str]
    refused: Sequence[str]
    audit: Sequence[str]
    over: Sequence[str]  # what rang more than simulators/month.yaml allows for one cause, or in ten minutes

    @property
    def findings(self) -> list[str]:
        """What is not as it must be, a line each."""
        return [
            f"{name}: {line}"
            for name, lines in (
                ("missing", self.missing),
                ("unexpected", self.unexpected),
                ("refused", self.refused),
                ("audit", self.audit),
                ("over", self.over),
            )
            for line in lines
        ]

    def json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, default=str)


def account(setting: Setting, life: Life, drawn: Drawn, played: Sequence[Played]) -> Account:
    findings = audited(played)
    by_fault = causes(played)
    alarms = [alarm for one in played for alarm in one.alarms]
    rung = [_rung(alarm) for alarm in alarms if alarm.rang_at is not None]
    moves: Counter[str] = Counter()
    for one in played:
        moves.update(one.moves)
    figures = measure(rung, setting.begun, setting.ended, operators=setting.operators)
    return Account(
        setting=setting,
        crowded_out=drawn.crowded_out,
        values=sum(one.values for one in played),
        condition_changes=moves.total(),
        raises=moves["raise"],
        occurrences=sum(alarm.occurrences for alarm in alarms),
        alarms=len(alarms),
        historical=sum(alarm.historical for alarm in alarms),
        never_rung=sum(alarm.rang_at is None and not alarm.historical for alarm in alarms),
        rung=len(rung),
        work_orders=sum(len(one.orders) for one in played),
        chattering=sum(one.chattered for one in played),
        figures=figures,
        by_severity_and_grade=dict(
            Counter(f"{alarm.severity.value} {alarm.grade.value}" for alarm in alarms if alarm.rang_at is not None)
        ),
        causes=by_fault,
        missing=findings.missing,
        unexpected=findings.unexpected,
        refused=[each for one in played for each in one.refused],
        audit=[each for one in played for each in one.broken],
        over=_over(life, by_fault, figures.peak_10_min),
    )


def _over(life: Life, by_fault: Mapping[str, Cause], peak_10_min: int) -> list[str]:
    found = [
        f"{fault}: {by_fault[fault].rung_at_most} alarms rang for one of its happenings, at most {bound} may"
        for fault, bound in life.rings_at_most.items()
        if fault in by_fault and by_fault[fault].rung_at_most > bound
    ]
    if peak_10_min > life.peak_10_min_max:
        found.append(f"{peak_10_min} alarms rang in ten minutes, at most {life.peak_10_min_max} may")
    return found


def _rung(alarm: Alarm) -> Rung:
    assert alarm.rang_at is not None
    source = "/".join((alarm.site_key, alarm.facility_key, alarm.part_key or "", alarm.rule_key))
    over = alarm.returned_at if alarm.state not in ACTIVE_STATES else None
    return Rung(alarm.rang_at, source, Priority(alarm.priority), over, alarm.ended_at)


def causes(played: Sequence[Played]) -> dict[str, Cause]:
    """For each fault: how often it happened, what rang for it, what was kept silent below it, and its orders."""
    times: Counter[str] = Counter()
    rung: dict[str, Counter[tuple[str, int]]] = defaultdict(Counter)  # each site counts its happenings from nought
    silent: Counter[str] = Counter()
    orders: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for one in played:
        times.update(each.fault for each in one.truth.happened)
        for alarm in one.alarms:
            fault, number = _cause(alarm, one.truth)
            orders[fault].update((alarm.site_key, each) for each in alarm.work_order_ids)
            if alarm.rang_at is None:
                silent[fault] += 1
            else:
                rung[fault][alarm.site_key, number] += 1
    return {
        fault: Cause(
            times=times[fault],
            rung=rung[fault].total(),
            rung_at_most=max(rung[fault].values(), default=0),
            silent=silent[fault],
            work_orders=len(orders[fault]),
        )
        for fault in sorted({*times, *rung, *silent})
    }


def _cause(alarm: Alarm, truth: Truth) -> tuple[str, int]:
    """The fault that declared an alarm, and which of its happenings: the latest there, else the latest anywhere."""
    key = (alarm.site_key, alarm.facility_key, alarm.part_key, alarm.rule_key)
    for declared in truth.declared:
        if key != (declared.site, declared.facility, declared.part, declared.rule):
            continue
        if alarm.began_at not in declared.raised:
            continue
        begun = [
            number
            for number, each in enumerate(truth.happened)
            if each.fault == declared.fault and each.began_at <= alarm.began_at
        ]
        there = [number for number in begun if truth.happened[number].target == alarm.facility_key]
        return declared.fault, max(there or begun, default=-1)
    return "nobody", -1


def table(told: Account) -> list[str]:
    """For people: the figures beside their bounds, then how little of it rang, then the causes."""
    figures = asdict(told.figures) | {"chattering": told.chattering}
    lines = [f"{'measured':{_WIDE}} {'value':>12}  good"]
    lines += [
        f"{name:{_WIDE}} {value!s:>12}  {BOUNDS.get(name, '')}".rstrip()
        for name, value in figures.items()
        if name != "mix_percent"
    ]
    lines += [
        f"{'mix ' + name + ' %':{_WIDE}} {value:>12}  {MIX_TARGET[name]:g} +/- {MIX_TOLERANCE:g}"
        for name, value in told.figures.mix_percent.items()
    ]
    lines += ["", *(f"{name:{_WIDE}} {count:>12}" for name, count in sorted(told.by_severity_and_grade.items()))]
    funnel = ("values", "condition_changes", "raises", "occurrences", "alarms", "historical", "never_rung", "rung")
    lines += ["", *(f"{name:{_WIDE}} {getattr(told, name):>12}" for name in (*funnel, "work_orders", "crowded_out"))]
    heads = [field.name for field in fields(Cause)]
    lines += ["", f"{'cause':{_WIDE}} " + " ".join(f"{head:>12}" for head in heads)]
    for fault, cause in told.causes.items():
        lines.append(f"{fault:{_WIDE}} " + " ".join(f"{getattr(cause, head):>12}" for head in heads))
    return lines
