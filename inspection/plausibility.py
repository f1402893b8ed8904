"""Whether a visit was made as it says. Pure: doubts by name, never a refusal; an officer looks at what is doubted.

Every figure is a bound that an honest round does not come near: who is doubted for nothing stops taking the queue
seriously. What the plan of a round knows (how long a leg takes at least) counts before the bounds for any walk.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Means(StrEnum):
    """How the code came in."""

    CAMERA = "camera"
    PHOTO_FILE = "photo_file"
    NFC = "nfc"
    TYPED = "typed"


class Reason(StrEnum):
    """What is odd about a visit. Stored with it, and told to its sender at once."""

    # -- to review
    TAG_UNKNOWN = "tag_unknown"  # a code of ours by its looks, and of no tag here
    NOT_OUR_CODE = "not_our_code"  # somebody else's system, a forged link, a code misread
    NO_TAG_READ = "no_tag_read"
    TAG_RETIRED = "tag_retired"
    FACILITY_RETIRED = "facility_retired"
    WRONG_PLACE = "wrong_place"  # the tag is not that of the facility he said he was at
    CHECKLIST_UNKNOWN = "checklist_unknown"
    CHECKLIST_OF_ANOTHER_KIND = "checklist_of_another_kind"
    TYPED = "typed"
    PHOTO_FILE = "photo_file"
    PACE = "pace"  # sooner here from the point before than anybody walks
    RATE = "rate"  # more scans in a minute than legs allow
    DWELL = "dwell"  # finished sooner than anybody looks
    ORDER = "order"  # not the route's next point
    OUT_OF_WINDOW = "out_of_window"
    NOT_THE_ROUNDS_GUARD = "not_the_rounds_guard"
    NOT_ON_ROUTE = "not_on_route"
    ROUND_UNKNOWN = "round_unknown"
    CLOCK = "clock"  # the phone's clock is off, or went backwards while he looked
    PHONE_SHARED = "phone_shared"  # one phone for two people
    TWO_PHONES = "two_phones"  # one person with two phones, in two places
    POSITION = "position"  # far from where this facility was visited before
    SAME_PHOTO = "same_photo"
    # -- told, and nothing to review
    CHECKLIST_RETIRED = "checklist_retired"
    ALREADY_DONE = "already_done"
    ANSWERS_UNKNOWN = "answers_unknown"
    ANSWERS_MISSING = "answers_missing"
    PHOTO_MISSING = "photo_missing"


_TOLD_ONLY = frozenset(
    {
        Reason.CHECKLIST_RETIRED,
        Reason.ALREADY_DONE,
        Reason.ANSWERS_UNKNOWN,
        Reason.ANSWERS_MISSING,
        Reason.PHOTO_MISSING,
    }
)


# What follows from the visits scanned before: judged again when one of these arrives late.
BY_EARLIER = frozenset(
    {Reason.PACE, Reason.RATE, Reason.ORDER, Reason.PHONE_SHARED, Reason.TWO_PHONES, Reason.ALREADY_DONE}
)


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    TO_REVIEW = "to_review"
    UPHELD = "upheld"  # looked at, and it counts
    STRUCK = "struck"  # looked at, and it does not


@dataclass(frozen=True, slots=True)
class Bounds:
    """All of them [E]: an engineer's figures, no standard's."""

    clock_off: timedelta = timedelta(minutes=2)
    leg: timedelta = timedelta(seconds=4)  # between two facilities, where no plan says more
    dwell: timedelta = timedelta(seconds=2)  # at one, where no plan says more
    per_minute: int = 10
    phone_shared: timedelta = timedelta(minutes=30)
    already_done: timedelta = timedelta(minutes=10)
    position_m: float = 150.0
    positions_min: int = 3  # as many earlier visits say where a facility is
    likeness_bits: int = 4
    likeness_age: timedelta = timedelta(days=400)


BOUNDS = Bounds()


@dataclass(frozen=True, slots=True)
class Position:
    latitude: float
    longitude: float
    accuracy_m: float


@dataclass(frozen=True, slots=True)
class Scan:
    """A visit on its way in. Times are set right already."""

    facility_id: int | None
    person: str
    phone: str
    means: Means
    scanned_at: datetime
    finished_at: datetime
    clock_offset: timedelta  # ours less the phone's
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """What this phone or this person did before, newest first."""

    facility_id: int | None
    person: str
    phone: str
    scanned_at: datetime


@dataclass(frozen=True, slots=True)
class Stop:
    seq: int
    facility_id: int
    leg: timedelta
    dwell: timedelta


@dataclass(frozen=True, slots=True)
class Walk:
    """The round the visit says it belongs to."""

    guard: str
    window_from: datetime
    window_until: datetime
    ordered: bool
    stops: Sequence[Stop]
    visited: Sequence[int]  # facilities scanned before this one, in that order

    def stop_at(self, facility_id: int | None) -> Stop | None:
        return next((each for each in self.stops if each.facility_id == facility_id), None)


def verdict(reasons: Sequence[Reason]) -> Verdict:
    return Verdict.TO_REVIEW if any(each not in _TOLD_ONLY for each in reasons) else Verdict.ACCEPTED


def doubts(
    scan: Scan,
    earlier: Sequence[Earlier],
    walk: Walk | None,
    known_places: Sequence[tuple[float, float]],
    bounds: Bounds = BOUNDS,
) -> list[Reason]:
    """What is odd about how it was made. `known_places`: where accepted visits of this facility were made."""
    found = [
        *_of_means(scan),
        *_of_clock(scan, bounds),
        *_of_look(scan, walk, bounds),
        *_of_round(scan, walk),
    ]
    if _is_far(scan.position, known_places, bounds):
        found.append(Reason.POSITION)
    return [*found, *doubts_by_earlier(scan, earlier, walk, bounds)]


def doubts_by_earlier(
    scan: Scan, earlier: Sequence[Earlier], walk: Walk | None, bounds: Bounds = BOUNDS
) -> list[Reason]:
    """Those of BY_EARLIER that stand: they follow from what was scanned before, and change when more of it arrives."""
    found = [*_of_pace(scan, earlier, walk, bounds), *_of_people(scan, earlier, bounds), *_of_order(scan, walk)]
    again = (each for each in earlier if each.facility_id == scan.facility_id and scan.facility_id is not None)
    if any(scan.scanned_at - each.scanned_at <= bounds.already_done for each in again):
        found.append(Reason.ALREADY_DONE)
    return found


def _of_means(scan: Scan) -> Iterator[Reason]:
    if scan.means is Means.TYPED:
        yield Reason.TYPED
    if scan.means is Means.PHOTO_FILE:
        yield Reason.PHOTO_FILE


def _of_clock(scan: Scan, bounds: Bounds) -> Iterator[Reason]:
    if abs(scan.clock_offset) > bounds.clock_off or scan.finished_at < scan.scanned_at:
        yield Reason.CLOCK


def _of_look(scan: Scan, walk: Walk | None, bounds: Bounds) -> Iterator[Reason]:
    stop = None if walk is None else walk.stop_at(scan.facility_id)
    dwell = bounds.dwell if stop is None else max(stop.dwell, bounds.dwell)
    if scan.facility_id is not None and scan.finished_at - scan.scanned_at < dwell:
        yield Reason.DWELL


def _of_pace(scan: Scan, earlier: Sequence[Earlier], walk: Walk | None, bounds: Bounds) -> Iterator[Reason]:
    mine = [each for each in earlier if each.person == scan.person]
    before = next((each for each in mine if each.facility_id != scan.facility_id), None)
    if before is not None and scan.scanned_at - before.scanned_at < _leg(scan, before, walk, bounds):
        yield Reason.PACE
    last_minute = [each for each in mine if scan.scanned_at - each.scanned_at <= timedelta(minutes=1)]
    if len(last_minute) >= bounds.per_minute:
        yield Reason.RATE


def _leg(scan: Scan, before: Earlier, walk: Walk | None, bounds: Bounds) -> timedelta:
    """The least time between the two: the legs and looks of the stops between them, whichever way he goes."""
    here = None if walk is None else walk.stop_at(scan.facility_id)
    there = None if walk is None else walk.stop_at(before.facility_id)
    if walk is None or here is None or there is None:
        return bounds.leg
    first, last = sorted((here, there), key=lambda each: each.seq)
    between = [each for each in walk.stops if first.seq < each.seq <= last.seq]
    # Who leaves points out may know a shorter way: of several legs only the longest has to be believed.
    walked = max((each.leg for each in between), default=bounds.leg)
    return max(bounds.leg, walked + there.dwell)


def _of_people(scan: Scan, earlier: Sequence[Earlier], bounds: Bounds) -> Iterator[Reason]:
    recent = [each for each in earlier if scan.scanned_at - each.scanned_at <= bounds.phone_shared]
    if any(each.phone == scan.phone and each.person != scan.person for each in recent):
        yield Reason.PHONE_SHARED
    if any(each.person == scan.person and each.phone != scan.phone for each in recent):
        yield Reason.TWO_PHONES


def _of_round(scan: Scan, walk: Walk | None) -> Iterator[Reason]:
    if walk is None:
        return
    if scan.person != walk.guard:
        yield Reason.NOT_THE_ROUNDS_GUARD
    if not walk.window_from <= scan.scanned_at <= walk.window_until:
        yield Reason.OUT_OF_WINDOW
    if scan.facility_id is not None and walk.stop_at(scan.facility_id) is None:
        yield Reason.NOT_ON_ROUTE


def _of_order(scan: Scan, walk: Walk | None) -> Iterator[Reason]:
    stop = None if walk is None else walk.stop_at(scan.facility_id)
    if walk is not None and stop is not None and walk.ordered:
        seqs = [found.seq for each in walk.visited if (found := walk.stop_at(each)) is not None and found != stop]
        if seqs and (stop.seq < seqs[-1] or _skips(stop, walk, seqs)):
            yield Reason.ORDER


def _skips(stop: Stop, walk: Walk, seqs: Sequence[int]) -> bool:
    """A point he leaves out is missed, not out of order; more than one left out at once is another way round."""
    between = [each.seq for each in walk.stops if seqs[-1] < each.seq < stop.seq]
    return len([each for each in between if each not in seqs]) > 1


def _is_far(position: Position | None, known_places: Sequence[tuple[float, float]], bounds: Bounds) -> bool:
    if position is None or len(known_places) < bounds.positions_min:
        return False
    middle = (_median([each[0] for each in known_places]), _median([each[1] for each in known_places]))
    return metres(position.latitude, position.longitude, *middle) - position.accuracy_m > bounds.position_m


def metres(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Great-circle distance."""
    one, two = math.radians(latitude), math.radians(other_latitude)
    across = math.radians(other_longitude - longitude)
    half = math.sin((two - one) / 2) ** 2 + math.cos(one) * math.cos(two) * math.sin(across / 2) ** 2
    return 2 * 6_371_000.0 * math.asin(min(1.0, math.sqrt(half)))


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]
