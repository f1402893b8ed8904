"""What a work permit may be granted for: the rules its kind of work silences there, its end, what has to be said first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from api.catalogue import CATALOGUE
from api.field_words import listed, meant, titled
from api.problems import ProblemField, Unacceptable, field_fault
from api.shapes import Name
from ledger.records import Facility, PermitKind, Severity
from rules.model import Rule
from rules.works import Work, Works, silenced_by


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for. None: as the kind of work has it."""

    work: str | None
    kind: PermitKind | None
    rules: Sequence[str] | None
    answers: Mapping[str, str]
    begin: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Granted:
    kind: PermitKind
    rules: Sequence[str]
    until: datetime


def grant(works: Works, wish: Wish, facility: Facility, there: Mapping[str, Rule], *, at_a_part: bool) -> Granted:
    """`there`: the rules that hold at the facility, or at the part. Raises Unacceptable with every fault at once."""
    faults: list[ProblemField] = []
    if wish.work is None:
        granted = _by_rules(wish, faults)
    else:
        granted = _by_work(works, wish.work, wish, facility, there, faults)
        if at_a_part and not granted.rules and not faults:
            _tell(faults, "part", "permit_part")
    told = {each.field for each in faults}
    for place, rule in enumerate(wish.rules or ()):
        field = f"body.rules.{place}"
        fault = _silence_fault(field, rule, granted.kind, facility, there)
        if fault is None and wish.work is None and there[rule].severity is Severity.LIFE_SAFETY:
            fault = field_fault(field, "permit_guards_lives", rule=titled(there[rule].title, rule))
        if fault is not None and field not in told:
            faults.append(fault)
    if faults:
        raise Unacceptable("; ".join(f"{each.field}: {each.message}" for each in faults[:5]), faults)
    return granted


def check_end(work: Work | None, begin: datetime, end: datetime) -> None:
    """Raises Unacceptable when the work may not last so long."""
    if work is not None and end - begin > work.lasts_at_most:
        faults: list[ProblemField] = []
        _too_long(work, faults)
        raise Unacceptable(f"{faults[0].field}: {faults[0].message}", faults)


def _by_rules(wish: Wish, faults: list[ProblemField]) -> Granted:
    for field, value in (("kind", wish.kind), ("rules", wish.rules), ("until", wish.end)):
        if value is None:
            _tell(faults, field, "permit_needed")
    for key in wish.answers:
        _tell(faults, f"answers.{key}", "permit_no_answers")
    return Granted(wish.kind or PermitKind.WORK, wish.rules or (), wish.end or wish.begin)


def _by_work(
    works: Works, key: str, wish: Wish, facility: Facility, there: Mapping[str, Rule], faults: list[ProblemField]
) -> Granted:
    work = works.works.get(key)
    if work is None:
        _tell(faults, "work", "permit_no_work", meant=meant(key, works.works), known=listed(works.works))
        return Granted(PermitKind.WORK, (), wish.begin)
    named_work = titled(work.title, key)
    named = work.rules_at(facility.kind)
    if named is None:
        fitting = [each for each in works.works.values() if each.rules_at(facility.kind) is not None]
        known = Name(zh="、".join(each.title.zh for each in fitting), en=", ".join(each.key for each in fitting))
        _tell(faults, "work", "permit_not_here", work=named_work, kind=facility.kind, known=known)
        named = ()
    if wish.kind not in (None, work.permit):
        _tell(faults, "kind", "permit_other_kind", work=named_work, permit=_permit(work.permit))
    for place, rule in enumerate(wish.rules or ()):
        if rule not in named:
            _tell(faults, f"rules.{place}", "permit_not_silenced", work=named_work, rule=rule, rules=listed(named))
    for question in work.asks:
        if question not in wish.answers:
            asked = works.asks[question]
            told = Name(zh=asked.zh, en=asked.en)
            _tell(faults, f"answers.{question}", "permit_answer", work=named_work, question=told)
    for question in wish.answers:
        if question not in work.asks:
            _tell(faults, f"answers.{question}", "permit_not_asked", work=named_work)
    if wish.end is not None and wish.end - wish.begin > work.lasts_at_most:
        _too_long(work, faults)
    try:
        until = wish.end or wish.begin + work.lasts
    except OverflowError:
        _tell(faults, "from", "calendar_ends")
        until = wish.begin
    return Granted(work.permit, wish.rules or [rule for rule in named if rule in there], until)


def _silence_fault(
    field: str, rule: str, kind: PermitKind, facility: Facility, there: Mapping[str, Rule]
) -> ProblemField | None:
    """Why the permit would promise a silence that nobody keeps."""
    if rule not in there:
        return field_fault(field, "permit_no_rule", rule=rule, facility=facility.key, meant=meant(rule, there))
    kinds = silenced_by(there[rule])
    if kind in kinds:
        return None
    named = titled(there[rule].title, rule)
    if not kinds:
        return field_fault(field, "permit_never", rule=named)
    permits = [_permit(each) for each in sorted(kinds)]
    either = Name(zh="或".join(each.zh for each in permits), en=" or ".join(sorted(kinds)))
    return field_fault(field, "permit_silenced_by", rule=named, kinds=either, kind=_permit(kind))


def _too_long(work: Work, faults: list[ProblemField]) -> None:
    hours = work.lasts_at_most.total_seconds() / 3600
    _tell(faults, "until", "permit_too_long", work=titled(work.title, work.key), hours=f"{hours:g}")


def _permit(kind: PermitKind) -> Name:
    return Name(zh=CATALOGUE.text("permit_kind", kind).zh, en=kind)


def _tell(faults: list[ProblemField], field: str, key: str, **said: Name | str | int) -> None:
    faults.append(field_fault(f"body.{field}", key, **said))
