"""What a work permit may be granted for: the rules its kind of work silences there, its end, what has to be said first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from api.problems import ProblemField, Unacceptable
from ledger.records import Facility, PermitKind, Severity
from rules.model import Rule
from rules.vocabulary import near
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
            _tell(faults, "part", "this kind of work silences nothing at that part; leave the part out")
    told = {each.field for each in faults}
    for place, rule in enumerate(wish.rules or ()):
        fault = _silence_fault(rule, granted.kind, facility, there)
        if fault is None and wish.work is None and there[rule].severity is Severity.LIFE_SAFETY:
            fault = f"{rule} guards lives: only a kind of work silences it; name one as `work`"
        if fault is not None and f"body.rules.{place}" not in told:
            _tell(faults, f"rules.{place}", fault)
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
            _tell(faults, field, "needed where no kind of work is named")
    for key in wish.answers:
        _tell(faults, f"answers.{key}", "only a kind of work asks for answers")
    return Granted(wish.kind or PermitKind.WORK, wish.rules or (), wish.end or wish.begin)


def _by_work(
    works: Works, key: str, wish: Wish, facility: Facility, there: Mapping[str, Rule], faults: list[ProblemField]
) -> Granted:
    work = works.works.get(key)
    if work is None:
        _tell(faults, "work", f"no such kind of work{near(key, works.works)}; there are {', '.join(works.works)}")
        return Granted(PermitKind.WORK, (), wish.begin)
    named = work.rules_at(facility.kind)
    if named is None:
        fitting = [each.key for each in works.works.values() if each.rules_at(facility.kind) is not None]
        _tell(faults, "work", f"{key} is no work for a {facility.kind}; there are {', '.join(fitting)}")
        named = ()
    if wish.kind not in (None, work.permit):
        _tell(faults, "kind", f"{key} is a permit for {work.permit}")
    for place, rule in enumerate(wish.rules or ()):
        if rule not in named:
            _tell(
                faults, f"rules.{place}", f"{key} does not silence {rule}; it silences {', '.join(named) or 'nothing'}"
            )
    for question in work.asks:
        if question not in wish.answers:
            asked = works.asks[question]
            _tell(faults, f"answers.{question}", f"needed for {key}: {asked.zh} / {asked.en}")
    for question in wish.answers:
        if question not in work.asks:
            _tell(faults, f"answers.{question}", f"{key} does not ask for it")
    if wish.end is not None and wish.end - wish.begin > work.lasts_at_most:
        _too_long(work, faults)
    try:
        until = wish.end or wish.begin + work.lasts
    except OverflowError:
        _tell(faults, "from", "that is where the calendar ends")
        until = wish.begin
    return Granted(work.permit, wish.rules or [rule for rule in named if rule in there], until)


def _silence_fault(rule: str, kind: PermitKind, facility: Facility, there: Mapping[str, Rule]) -> str | None:
    """Why the permit would promise a silence that nobody keeps."""
    if rule not in there:
        return f"no rule {rule!r} holds at {facility.key}{near(rule, there)}"
    kinds = silenced_by(there[rule])
    if kind in kinds:
        return None
    if kinds:
        return f"{rule} is silenced by a permit for {' or '.join(sorted(kinds))}, not for {kind}"
    return f"no permit silences {rule}: its condition does not ask for one"


def _too_long(work: Work, faults: list[ProblemField]) -> None:
    hours = work.lasts_at_most.total_seconds() / 3600
    _tell(faults, "until", f"{work.key} lasts {hours:g} h at most; extend the permit when it takes longer")


def _tell(faults: list[ProblemField], field: str, message: str) -> None:
    faults.append(ProblemField(field=f"body.{field}", message=message))
