"""Compares the truth of a run with what the service says of it. Pure, and independent: it shares no code with either.

The caller fetches the alarms and work orders over HTTP and hands them over as the API wrote them. An alarm that nobody
declared is as much a difference as one that did not come.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from simulators.truth import Declared, Demand, Truth, Window, read_truth

__all__ = ["Findings", "compare", "read_truth"]

Row = Mapping[str, object]
_Key = tuple[str, str, str | None, str]


@dataclass(slots=True)
class Findings:
    """What is missing (declared, not found as declared) and what is unexpected (found, not declared)."""

    missing: list[str] = field(default_factory=list[str])
    unexpected: list[str] = field(default_factory=list[str])

    @property
    def clean(self) -> bool:
        return not self.missing and not self.unexpected


@dataclass(slots=True)
class _Found:
    """One alarm of the service. `claimed` counts the declarations that it answers."""

    key: _Key
    severity: str
    priority: str
    began_at: datetime
    returned_at: datetime | None
    historical: bool
    rung: bool
    occurrences: int
    work_order_ids: tuple[object, ...]
    claimed: int = 0

    @property
    def name(self) -> str:
        site, facility, part, rule = self.key
        return f"{site}/{facility}{f' {part}' if part else ''} {rule}"


def compare(truth: Truth, alarms: Sequence[Row], work_orders: Sequence[Row]) -> Findings:
    """Alarms that began before the run or after its end are none of its business."""
    findings = Findings()
    found = sorted((_read(row) for row in alarms), key=lambda one: one.began_at)
    found = [one for one in found if truth.started_at <= one.began_at <= truth.ended_at]
    orders = {row["id"] for row in work_orders}
    musts = sorted((one for one in truth.declared if one.demand is Demand.MUST), key=lambda one: one.raised.from_at)
    waiting: list[Declared] = []
    for declared in musts:
        alarm = _claim(declared, found)
        if alarm is None:
            waiting.append(declared)
        else:
            alarm.claimed += 1
            findings.missing.extend(_differences(declared, alarm, orders))
    for declared in waiting:  # after all others have had theirs
        alarm = next((one for one in found if one.key == _key(declared) and not one.claimed), None)
        findings.missing.append(_not_found(declared, alarm))
        if alarm is not None:
            alarm.claimed += 1
    for alarm in found:
        if not alarm.claimed:
            verdict = _judge_unclaimed(alarm, truth.declared)
            if verdict is not None:
                findings.unexpected.append(verdict)
    return findings


def _claim(declared: Declared, found: Sequence[_Found]) -> _Found | None:
    """The alarm that answers a declaration.

    An alarm that nobody acknowledged stands on, and a second occurrence is counted into it; so an alarm answers as
    many declarations as it has occurrences, the later ones by having begun before.
    """
    same = [one for one in found if one.key == _key(declared)]
    for one in same:
        if not one.claimed and one.began_at in declared.raised:
            return one
    for one in same:
        if one.claimed < one.occurrences and one.claimed and one.began_at <= declared.raised.to_at:
            return one
    return None


def _not_found(declared: Declared, alarm: _Found | None) -> str:
    instead = "never raised" if alarm is None else f"raised at {_clock(alarm.began_at)} instead"
    return f"{declared}: {declared.fault} must raise it {declared.raised}, {instead}"


def _differences(declared: Declared, alarm: _Found, orders: set[object]) -> list[str]:
    differences: list[str] = []
    for what, wanted, got in (
        ("severity", declared.severity, alarm.severity),
        ("priority", declared.priority, alarm.priority),
        ("historical", declared.historical, alarm.historical),
        ("rung", declared.rung, alarm.rung),
    ):
        if wanted is not None and wanted != got:
            differences.append(f"{what} is {got}, must be {wanted}")
    if declared.work_order is True and not alarm.work_order_ids:
        differences.append("no work order, must have one")
    if declared.work_order is False and alarm.work_order_ids:
        differences.append(f"has work order {_listed(alarm.work_order_ids)}, must have none")
    strangers = [one for one in alarm.work_order_ids if one not in orders]
    if strangers:
        differences.append(f"names work order {_listed(strangers)}, which does not exist")
    if declared.returned is not None and alarm.claimed == alarm.occurrences:
        differences.extend(_return_differs(declared.returned, alarm.returned_at))
    raised = _clock(alarm.began_at)
    return [f"{declared}: {declared.fault}, raised at {raised}: {difference}" for difference in differences]


def _return_differs(wanted: Window, returned_at: datetime | None) -> list[str]:
    if returned_at is None:
        return [f"still stands, must return {wanted}"]
    if returned_at not in wanted:
        return [f"returned at {_clock(returned_at)}, must return {wanted}"]
    return []


def _judge_unclaimed(alarm: _Found, declared: Sequence[Declared]) -> str | None:
    about = [one for one in declared if _key(one) == alarm.key and alarm.began_at in one.raised]
    raised = f"{alarm.name}: raised at {_clock(alarm.began_at)}, {alarm.severity}, {alarm.priority}"
    for one in about:
        if one.demand is Demand.MUST_NOT:
            return f"{raised}: {one.fault} must not raise it"
    allowed = [one for one in about if one.demand is Demand.MAY]
    if any(one.rung is None or one.rung is alarm.rung for one in allowed):
        return None
    if allowed:
        return f"{raised}: it rang, and must stay silent below what {allowed[0].fault} raises"
    if any(_key(one) == alarm.key and one.demand is Demand.MUST for one in declared):
        return f"{raised}: declared, but not for then"
    return f"{raised}: nobody declared it"


def _read(row: Row) -> _Found:
    part, ids = row["part_key"], row["work_order_ids"]
    began = _moment(row["began_at"])
    if began is None or not isinstance(ids, Sequence):
        raise ValueError(f"an alarm without began_at or work_order_ids: {dict(row)}")
    occurrences = row.get("occurrences", 1)
    return _Found(
        key=(str(row["site_key"]), str(row["facility_key"]), None if part is None else str(part), str(row["rule_key"])),
        severity=str(row["severity"]),
        priority=str(row["priority"]),
        began_at=began,
        returned_at=_moment(row["returned_at"]),
        historical=bool(row["historical"]),
        rung=row["rang_at"] is not None,
        occurrences=occurrences if isinstance(occurrences, int) else 1,
        work_order_ids=tuple(ids),  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    )


def _key(declared: Declared) -> _Key:
    return (declared.site, declared.facility, declared.part, declared.rule)


def _moment(value: object) -> datetime | None:
    """RFC 3339 as the API writes it, or a time already read."""
    if value is None or isinstance(value, datetime):
        return value
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError(f"a time without zone: {value}")
    return moment


def _clock(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%H:%M:%S")


def _listed(values: Sequence[object]) -> str:
    return ", ".join(str(value) for value in values)
