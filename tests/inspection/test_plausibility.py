"""Every cheat is doubted by its name, and an honest round by none."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from inspection import plausibility
from inspection.plausibility import Earlier, Means, Position, Reason, Scan, Stop, Verdict, Walk

START = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
GUARD, PHONE = "王班长", "phone-1"
STOPS = [Stop(seq, 100 + seq, timedelta(seconds=30), timedelta(seconds=20)) for seq in range(1, 9)]
WALK = Walk(GUARD, START, START + timedelta(hours=1), ordered=True, stops=STOPS, visited=())


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def scan(facility: int | None = 101, minute: float = 10, **changes: object) -> Scan:
    made = Scan(facility, GUARD, PHONE, Means.CAMERA, at(minute), at(minute + 1), timedelta(seconds=2))
    return replace(made, **changes)  # pyright: ignore[reportArgumentType]


def before(facility: int, minute: float, person: str = GUARD, phone: str = PHONE) -> Earlier:
    return Earlier(facility, person, phone, at(minute))


def found(
    one: Scan, earlier: Sequence[Earlier] = (), walk: Walk | None = None, places: Sequence[tuple[float, float]] = ()
) -> set[Reason]:
    return set(plausibility.doubts(one, earlier, walk, places))


def test_an_honest_round_is_accepted_from_its_first_point_to_its_last() -> None:
    earlier: list[Earlier] = []
    visited: list[int] = []
    for stop in STOPS:
        one = scan(stop.facility_id, minute=2 + 2 * stop.seq)
        reasons = plausibility.doubts(one, earlier, replace(WALK, visited=tuple(visited)), [])
        assert (reasons, plausibility.verdict(reasons)) == ([], Verdict.ACCEPTED), stop
        earlier.insert(0, Earlier(one.facility_id, one.person, one.phone, one.scanned_at))
        visited.append(stop.facility_id)


@pytest.mark.parametrize(
    ("one", "earlier", "reason"),
    [
        (scan(means=Means.TYPED), [], Reason.TYPED),
        (scan(means=Means.PHOTO_FILE), [], Reason.PHOTO_FILE),
        (scan(clock_offset=timedelta(minutes=3)), [], Reason.CLOCK),
        (scan(clock_offset=-timedelta(days=20_000)), [], Reason.CLOCK),
        (scan(finished_at=at(9)), [], Reason.CLOCK),
        (scan(finished_at=at(10)), [], Reason.DWELL),
        (scan(102), [before(101, 10 - 3 / 60)], Reason.PACE),
        (scan(), [before(200 + n, 10 - n / 12) for n in range(1, 11)], Reason.RATE),
        (scan(102), [before(101, 0, person="小李")], Reason.PHONE_SHARED),
        (scan(102), [before(101, 0, phone="phone-2")], Reason.TWO_PHONES),
        (scan(), [before(101, 5)], Reason.ALREADY_DONE),
    ],
    ids=lambda value: value.value if isinstance(value, Reason) else "",
)
def test_each_oddity_has_its_name(one: Scan, earlier: Sequence[Earlier], reason: Reason) -> None:
    assert reason in found(one, earlier)


@pytest.mark.parametrize(
    ("one", "earlier"),
    [
        (scan(clock_offset=timedelta(seconds=100)), []),
        (scan(102), [before(101, 10 - 5 / 60)]),
        (scan(), [before(200 + n, 10 - n / 12) for n in range(1, 10)]),
        (scan(102), [before(101, -21, person="小李")]),
        (scan(102), [before(101, -21, phone="phone-2")]),
        (scan(), [before(101, -1)]),
    ],
)
def test_just_inside_its_bounds_nothing_is_odd(one: Scan, earlier: Sequence[Earlier]) -> None:
    assert found(one, earlier) == set()


def test_a_plan_knows_better_how_long_a_leg_takes() -> None:
    assert Reason.PACE in found(scan(102, 10), [before(101, 10 - 49 / 60)], WALK)
    assert Reason.PACE not in found(scan(102, 10), [before(101, 10 - 51 / 60)], WALK)
    assert Reason.DWELL in found(scan(finished_at=at(10) + timedelta(seconds=19)), [], WALK)


@pytest.mark.parametrize(
    ("facility", "visited", "is_odd"),
    [
        (101, [], False),
        (105, [], False),
        (103, [101], False),
        (104, [101], True),
        (101, [103], True),
        (102, [101, 102], False),
    ],
)
def test_the_order_of_a_route(facility: int, visited: list[int], is_odd: bool) -> None:
    walk = replace(WALK, visited=tuple(visited))
    assert (Reason.ORDER in found(scan(facility), [], walk)) is is_odd
    assert Reason.ORDER not in found(scan(facility), [], replace(walk, ordered=False))


def test_against_its_round() -> None:
    assert Reason.OUT_OF_WINDOW in found(scan(minute=61), [], WALK)
    assert Reason.OUT_OF_WINDOW in found(scan(minute=-1), [], WALK)
    assert Reason.NOT_ON_ROUTE in found(scan(999), [], WALK)
    assert Reason.NOT_THE_ROUNDS_GUARD in found(scan(person="小李"), [], WALK)


def test_far_from_where_others_found_it() -> None:
    near, places = (31.2304, 121.4737), [(31.2304, 121.4737)] * 3

    def there(metres_north: float, accuracy_m: float) -> Scan:
        return scan(position=Position(near[0] + metres_north / 111_195, near[1], accuracy_m))

    assert Reason.POSITION in found(there(200, 10), places=places)
    assert Reason.POSITION not in found(there(200, 60), places=places)  # it may well be there
    assert Reason.POSITION not in found(there(100, 10), places=places)
    assert Reason.POSITION not in found(there(9_000, 10), places=places[:2])  # too few know the place
    assert plausibility.metres(*near, near[0] + 1, near[1]) == pytest.approx(111_195, rel=0.001)


def test_what_is_only_told_is_accepted() -> None:
    told = [Reason.CHECKLIST_RETIRED, Reason.ALREADY_DONE, Reason.ANSWERS_MISSING, Reason.PHOTO_MISSING]
    assert plausibility.verdict(told) is Verdict.ACCEPTED
    assert plausibility.verdict([*told, Reason.CLOCK]) is Verdict.TO_REVIEW
    assert plausibility.verdict([]) is Verdict.ACCEPTED
