"""Reckons a month of inspection: what was due, done, late, missed, failed and put right, by whom; what nobody looked at."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from inspection import due, windows
from inspection.checklist import Book, Item
from inspection.due import WindowState
from inspection.expiry import expiry
from inspection.month import (
    LINES_MAX,
    CheckFigures,
    Coverage,
    ExpiringPiece,
    Figures,
    Finding,
    FindingFigures,
    KindCoverage,
    Lapse,
    PersonFigures,
    Place,
    PlanFigures,
    RoundFigures,
    Unseen,
    Unsigned,
    Words,
)
from inspection.windows import Walked
from ledger import expiring, inspection_due, month_facts, plans, signatures
from ledger.inspection_due import Standing
from ledger.month_facts import FoundFault, VisitCount
from ledger.plans import Plan
from ledger.pool import Connection
from ledger.records import Severity, Site
from ledger.services import Term

_EXPIRING_AHEAD = timedelta(days=60)
_RESOLVED = {"resolved", "verified", "closed"}
_COUNTED_AS = {
    WindowState.INCOMPLETE: "incomplete",
    WindowState.ABANDONED: "abandoned",
    WindowState.MISSED: "missed",
    WindowState.WALKING: "walking",
    WindowState.OVERDUE: "walking",
}


def span(month: date, zone: str) -> tuple[datetime, datetime]:
    """From the first midnight of the month to that of the next, by the site's calendar."""
    here = ZoneInfo(zone)
    begin = datetime(month.year, month.month, 1, tzinfo=here)
    end = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=here)
    return begin.astimezone(UTC), end.astimezone(UTC)


async def all_over_at(connection: Connection, site: Site, month: date) -> datetime:
    """When the month is over, with the last of the rounds that began in it."""
    begin, end = span(month, site.time_zone)
    last = end
    for plan in await plans.of_site(connection, site.key, also_retired=True):
        walked, _ = await windows.of_plan(connection, plan, begin, end, end)
        last = max([last, *(each.window.end for each in walked)])
    return last


async def grids(connection: Connection, site: Site, month: date) -> list[str]:
    """Of plans that there were, in order."""
    begin, end = span(month, site.time_zone)
    found = {
        each.grid
        for each in await plans.of_site(connection, site.key, also_retired=True)
        if each.grid is not None and each.made_at < end and (each.retired_at is None or each.retired_at >= begin)
    }
    return sorted(found)


async def reckon(
    connection: Connection,
    book: Book,
    terms: Sequence[Term],
    site: Site,
    month: date,
    grid: str | None,
    now: datetime,
) -> Figures:
    begin, end = span(month, site.time_zone)
    shown = [
        each
        for each in await plans.of_site(connection, site.key, also_retired=True)
        if grid is None or each.grid == grid
    ]
    walked: list[tuple[Plan, Walked]] = []
    in_grid: set[int] = set()
    for plan in shown:
        found, stops = await windows.of_plan(connection, plan, begin, end, now)
        walked += [(plan, each) for each in found if each.state not in _NOT_YET]
        in_grid |= {each.facility_id for each in stops}
        in_grid |= {one for form in await plans.forms(connection, plan.id, since=begin) for one in form.route}
    places = None if grid is None else sorted(in_grid)
    faults = await month_facts.found_faults(connection, site.id, begin, end, places)
    counts = await month_facts.visit_counts(connection, site.id, begin, end, places)
    last_day = end.astimezone(ZoneInfo(site.time_zone)).date() - timedelta(days=1)
    lapses = _lapses(walked)
    ending = await _expiring(connection, terms, site, now, None if places is None else {*places})
    unsigned = await _unsigned(connection, walked)
    coverage = await _coverage(connection, book, site, month, last_day, places)
    return Figures(
        site=site.key,
        site_name=Words(zh=site.name_zh, en=site.name_en),
        month=month,
        grid=grid,
        time_zone=site.time_zone,
        made_at=now,
        rounds=_rounds(each for _, each in walked),
        plans=_by_plan(shown, walked),
        lapses=lapses[:LINES_MAX],
        checks=_checks(counts),
        findings=_findings(faults),
        finding_list=[_finding(book, each) for each in faults[:LINES_MAX]],
        people=_people(walked, counts, faults),
        coverage=coverage.model_copy(update={"unseen": coverage.unseen[:LINES_MAX]}),
        expiring=ending[:LINES_MAX],
        unsigned=unsigned[:LINES_MAX],
        cut=_cut(lapses=lapses, finding_list=faults, unseen=coverage.unseen, expiring=ending, unsigned=unsigned),
    )


_NOT_YET = {WindowState.UPCOMING, WindowState.DUE, WindowState.DUE_SOON}


def _cut(**lists: Sequence[object]) -> list[str]:
    return [name for name, lines in lists.items() if len(lines) > LINES_MAX]


def _is_late(walked: Walked) -> bool:
    return walked.ended_at is not None and walked.ended_at > walked.window.end


def _rounds(walked: Iterable[Walked]) -> RoundFigures:
    counted: Counter[str] = Counter()
    for each in walked:
        late = "late" if _is_late(each) else "done"
        counted["due"] += 1
        counted[_COUNTED_AS.get(each.state, late)] += 1
        counted["stops_due"] += each.stops
        counted["stops_visited"] += each.visited
    return RoundFigures(**counted)


def _by_plan(shown: Sequence[Plan], walked: Sequence[tuple[Plan, Walked]]) -> list[PlanFigures]:
    found: list[PlanFigures] = []
    for plan in shown:
        own = [each for of, each in walked if of.id == plan.id]
        if own:
            name = Words(zh=plan.name_zh, en=plan.name_en)
            found.append(
                PlanFigures(plan=plan.key, name=name, grid=plan.grid, officer=plan.officer, rounds=_rounds(own))
            )
    return found


def _lapses(walked: Sequence[tuple[Plan, Walked]]) -> list[Lapse]:
    """In order of time."""
    found = [
        Lapse(
            plan=plan.key,
            name=Words(zh=plan.name_zh, en=plan.name_en),
            window_from=each.window.begin,
            window_until=each.window.end,
            state=each.state,
            guard=each.guard,
            ended_at=each.ended_at,
            stops=each.stops,
            visited=each.visited,
        )
        for plan, each in walked
        if each.state is not WindowState.FINISHED or _is_late(each)
    ]
    return sorted(found, key=lambda each: (each.window_from, each.plan))


def _checks(counts: Sequence[VisitCount]) -> CheckFigures:
    counted: Counter[str] = Counter()
    for each in counts:
        counted["visits"] += each.visits
        if each.verdict == "to_review":
            counted["to_review"] += each.visits
        counted["struck" if each.verdict == "struck" else each.outcome] += each.visits
    return CheckFigures(**counted)


def _is_put_right(fault: FoundFault) -> bool:
    return fault.order_state in _RESOLVED


def _findings(faults: Sequence[FoundFault]) -> FindingFigures:
    right = [each for each in faults if _is_put_right(each)]
    return FindingFigures(
        found=len(faults),
        put_right=len(right),
        confirmed=sum(each.confirmed_by is not None for each in right),
        open=len(faults) - len(right),
    )


def _finding(book: Book, fault: FoundFault) -> Finding:
    right = _is_put_right(fault)
    checklist = book.find(fault.checklist, fault.checklist_version)
    asked = {} if checklist is None else {each.key: each for each in _with_follow_ups(checklist.items)}
    return Finding(
        at=Place(
            facility=fault.facility_key,
            name=Words(zh=fault.facility_name_zh, en=fault.facility_name_en),
            place=Words(zh=fault.place_zh, en=fault.place_en),
        ),
        failed=[_asked(asked.get(key), key) for key in fault.failed],
        severity=Severity(fault.severity),
        person=fault.person,
        scanned_at=fault.scanned_at,
        work_order=fault.work_order_id,
        state=fault.order_state,
        put_right_at=fault.resolved_at if right else None,
        put_right_by=fault.resolved_by if right else None,
        confirmed_by=fault.confirmed_by if right else None,
    )


def _with_follow_ups(items: Iterable[Item]) -> Iterable[Item]:
    for each in items:
        yield each
        yield from _with_follow_ups(each.follow_up)


def _asked(item: Item | None, key: str) -> Words:
    return Words(zh=key, en=key) if item is None else Words(zh=item.ask.zh, en=item.ask.en)


def _people(
    walked: Sequence[tuple[Plan, Walked]], counts: Sequence[VisitCount], faults: Sequence[FoundFault]
) -> list[PersonFigures]:
    """By name."""
    found: dict[str, Counter[str]] = {}
    for _, each in walked:
        if each.state is WindowState.FINISHED and each.guard is not None:
            found.setdefault(each.guard, Counter()).update(rounds=1, late=int(_is_late(each)))
    for each in counts:
        if each.verdict != "struck":
            found.setdefault(each.person, Counter()).update(visits=each.visits)
    for each in faults:
        found.setdefault(each.person, Counter()).update(found=1)
        if _is_put_right(each) and each.resolved_by is not None:
            found.setdefault(each.resolved_by, Counter()).update(put_right=1)
    return [PersonFigures(person=person, **counted) for person, counted in sorted(found.items())]


# ------------------------------------------------------------------ by the law's calendar


async def _coverage(
    connection: Connection, book: Book, site: Site, month: date, last_day: date, places: Sequence[int] | None
) -> Coverage:
    kinds = {each.kind: each for each in book.all_current()}
    standings = [
        each
        for each in await inspection_due.of_site(connection, site.id, list(kinds))
        if places is None or each.facility_id in places
    ]
    here = ZoneInfo(site.time_zone)
    year_before = datetime(month.year - 1, month.month, 1, tzinfo=here).astimezone(UTC)
    _, end = span(month, site.time_zone)
    looked = await month_facts.days_looked_at(connection, site.id, site.time_zone, year_before, end)
    counted: dict[str, Counter[str]] = {}
    unseen: list[Unseen] = []
    for each in standings:
        period = due.period_at(kinds[each.kind].interval, each.place_names)
        days = sorted(looked.get(each.facility_id, ()))
        since = None if each.tagged_at is None else each.tagged_at.astimezone(here).date()
        spans = [one for one in _spans(period, month, last_day) if _counts(one, since, days)]
        if not spans:
            continue
        done = sum(_is_seen(one, days) for one in spans)
        counted.setdefault(each.kind, Counter()).update(facilities=1, due=len(spans), done=done)
        if done < len(spans):
            unseen.append(Unseen(at=_place(each), period=period, due=len(spans), done=done))
    by_kind = [
        KindCoverage(kind=kind, name=Words(zh=kinds[kind].title.zh, en=kinds[kind].title.en), **figures)
        for kind, figures in sorted(counted.items())
    ]
    return Coverage(
        facilities=sum(each.facilities for each in by_kind),
        without_tag=sum(not each.has_living_tag for each in standings),
        due=sum(each.due for each in by_kind),
        done=sum(each.done for each in by_kind),
        kinds=by_kind,
        unseen=unseen,
    )


def _spans(period: due.Period, month: date, last_day: date) -> list[tuple[date, date]]:
    """The periods that end in the month, in order."""
    found: list[tuple[date, date]] = []
    day = month
    while day <= last_day:
        begin, end = due.span_of(period, day)
        if end <= last_day:
            found.append((begin, end))
        day = end + timedelta(days=1)
    return found


def _counts(one: tuple[date, date], since: date | None, days: Sequence[date]) -> bool:
    """Nobody could scan what had no tag; what was looked at all the same counts."""
    return (since is not None and since <= one[0]) or _is_seen(one, days)


def _is_seen(one: tuple[date, date], days: Sequence[date]) -> bool:
    return any(one[0] <= day <= one[1] for day in days)


def _place(standing: Standing) -> Place:
    zh, en = standing.place_names[-2:]
    return Place(
        facility=standing.key,
        name=Words(zh=standing.name_zh, en=standing.name_en),
        place=Words(zh=zh, en=en),
    )


# ------------------------------------------------------------------ what is to be done next


async def _expiring(
    connection: Connection, terms: Sequence[Term], site: Site, now: datetime, places: set[int] | None
) -> list[ExpiringPiece]:
    today = now.astimezone(ZoneInfo(site.time_zone)).date()
    rows = await expiring.page(connection, site.key, until=today + _EXPIRING_AHEAD, terms=terms, limit=20 * LINES_MAX)
    return [
        ExpiringPiece(
            at=Place(
                facility=each.facility_key,
                name=Words(zh=each.facility_name_zh, en=each.facility_name_en),
                place=Words(zh=each.location_name_zh, en=each.location_name_en),
            ),
            piece=f"{each.maker} {each.model}",
            ends_on=each.ends_on,
            expiry=expiry(each.ends_on, today),
            interval=each.interval,
        )
        for each in rows
        if places is None or each.facility_id in places
    ]


async def _unsigned(connection: Connection, walked: Sequence[tuple[Plan, Walked]]) -> list[Unsigned]:
    numbers: Mapping[int, tuple[Plan, Walked]] = {
        each.round_id: (plan, each) for plan, each in walked if each.round_id is not None
    }
    lacking = await signatures.lacking(connection, list(numbers))
    return [
        Unsigned(
            round=number,
            plan=plan.key,
            name=Words(zh=plan.name_zh, en=plan.name_en),
            window_from=each.window.begin,
            guard=each.guard or "",
            lacking=lacking[number],
        )
        for number, (plan, each) in sorted(numbers.items())
        if number in lacking
    ]
