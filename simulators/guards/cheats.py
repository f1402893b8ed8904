"""What guards do instead of walking, each with the reason by which it has to be marked.

A cheat takes an honest shift and spoils some of its visits; the others of the shift stay honest and must stay unmarked.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from simulators.guards.route import Route
from simulators.guards.shift import Shift, Shot, Visit


class Cheat(Protocol):
    def __call__(self, dice: random.Random, route: Route, shift: Shift) -> Shift: ...


def _spoilt(change: Callable[[random.Random, Route, Visit], Visit], *, times: int = 2) -> Cheat:
    """A cheat at a few stops, seen from each visit alone; never at the first, for something has to come before."""

    def cheat(dice: random.Random, route: Route, shift: Shift) -> Shift:
        chosen = {*dice.sample(range(1, len(shift.visits)), times)}
        return shift.with_visits(
            [change(dice, route, each) if at in chosen else each for at, each in enumerate(shift.visits)]
        )

    return cheat


def _typed(dice: random.Random, route: Route, visit: Visit) -> Visit:
    del dice, route
    return replace(visit, means="typed", must=frozenset({"typed"}))


def _photo_file(dice: random.Random, route: Route, visit: Visit) -> Visit:
    del dice, route
    return replace(visit, means="photo_file", must=frozenset({"photo_file"}))


def _far_away(dice: random.Random, route: Route, visit: Visit) -> Visit:
    """From the pub round the corner."""
    del route
    north, east = visit.stop.place
    return replace(visit, position=(north + 0.009, east + dice.uniform(0, 0.01)), must=frozenset({"position"}))


def _glance(dice: random.Random, route: Route, visit: Visit) -> Visit:
    del dice, route
    return replace(visit, finished_at=visit.scanned_at + timedelta(seconds=1), must=frozenset({"dwell"}))


def _clock_back(dice: random.Random, route: Route, visit: Visit) -> Visit:
    """He set the clock back while he looked."""
    del dice, route
    return replace(visit, finished_at=visit.scanned_at - timedelta(minutes=5), must=frozenset({"clock", "dwell"}))


def _no_tag(dice: random.Random, route: Route, visit: Visit) -> Visit:
    """Ticked off without a scan. Where he was is what he says."""
    del dice, route
    return replace(visit, said=None, must=frozenset({"no_tag_read"}))


def _strangers_code(dice: random.Random, route: Route, visit: Visit) -> Visit:
    said = dice.choice([f"https://example.com/t/{visit.said}", "HTTPS://U.EXAMPLE.COM/a8Kd", "6901028075022", "台账"])
    del route
    return replace(visit, said=said, must=frozenset({"not_our_code"}))


def _tag_of_elsewhere(dice: random.Random, route: Route, visit: Visit) -> Visit:
    del dice
    return replace(visit, said=route.foreign_tag, must=frozenset({"tag_unknown"}))


def _invented_checklist(dice: random.Random, route: Route, visit: Visit) -> Visit:
    del dice, route
    return replace(visit, version=999, failed=(), shots=(), must=frozenset({"checklist_unknown"}))


def _no_round_of_his(dice: random.Random, route: Route, visit: Visit) -> Visit:
    del dice
    return replace(
        visit,
        stop=route.beyond,
        said=route.beyond.tag,
        expected=route.beyond.facility,
        version=route.beyond.version,
        failed=(),
        shots=(),
        position=None,
        must=frozenset({"not_on_route"}),
    )


def _retold(dice: random.Random, route: Route, visit: Visit) -> Visit:
    """What he sent first stands, unmarked: the second telling is refused."""
    del dice, route
    return replace(visit, retold=True)


def _retired_tag(dice: random.Random, route: Route, shift: Shift) -> Shift:
    """He kept the tag that was taken down at the first stop."""
    del dice
    first = replace(shift.visits[0], said=route.retired_tag, must=frozenset({"tag_retired"}))
    return shift.with_visits([first, *shift.visits[1:]])


def _hurried(dice: random.Random, route: Route, shift: Shift) -> Shift:
    """From somewhere on he does not walk any more: ten seconds from stop to stop."""
    del route
    return _closer(shift, dice.randrange(2, 5), timedelta(seconds=10), look_s=6, must={"pace"})


def _ran(dice: random.Random, route: Route, shift: Shift) -> Shift:
    """A stack of copied tags on the desk, one after the other."""
    del dice, route
    quick = _closer(shift, 1, timedelta(seconds=4), look_s=1, must={"pace", "dwell"})
    first = replace(
        quick.visits[0], finished_at=quick.visits[0].scanned_at + timedelta(seconds=1), must=frozenset({"dwell"})
    )
    rest = [
        replace(each, must=each.must | {"rate"}) if at >= 10 else each for at, each in enumerate(quick.visits[1:], 1)
    ]
    return quick.with_visits([first, *rest])


def _closer(shift: Shift, first: int, gap: timedelta, *, look_s: float, must: set[str]) -> Shift:
    made = [*shift.visits[:first]]
    for each in shift.visits[first:]:
        at = made[-1].scanned_at + gap
        made.append(replace(each, scanned_at=at, finished_at=at + timedelta(seconds=look_s), must=frozenset(must)))
    return shift.with_visits(made)


def _backwards(dice: random.Random, route: Route, shift: Shift) -> Shift:
    """The same times, the other way round."""
    del dice, route
    turned = [
        replace(each, scanned_at=time.scanned_at, finished_at=time.scanned_at + (each.finished_at - each.scanned_at))
        for each, time in zip(reversed(shift.visits), shift.visits, strict=True)
    ]
    spaced = _spaced(turned)
    return shift.with_visits([spaced[0], *(replace(each, must=frozenset({"order"})) for each in spaced[1:])])


def _spaced(visits: Sequence[Visit]) -> list[Visit]:
    """No look reaches into the next way."""
    return [replace(each, finished_at=each.scanned_at + timedelta(seconds=6)) for each in visits]


def _left_out(dice: random.Random, route: Route, shift: Shift) -> Shift:
    """A staircase that nobody feels like."""
    del route
    gap = dice.randrange(2, len(shift.visits) - 4)
    rest = [*shift.visits[:gap], *shift.visits[gap + 3 :]]
    rest[gap] = replace(rest[gap], must=frozenset({"order"}))
    return shift.with_visits(rest)


def _wrong_place(dice: random.Random, route: Route, shift: Shift) -> Shift:
    """At a stop he scans the neighbour's tag, which he took along."""
    del route
    at = dice.randrange(1, len(shift.visits))
    taken = shift.visits[at - 1]
    spoilt = replace(
        shift.visits[at], stop=taken.stop, said=taken.said, failed=(), shots=(), must=frozenset({"wrong_place"})
    )
    spoilt = replace(spoilt, version=taken.version, position=taken.position)
    return shift.with_visits([*shift.visits[:at], spoilt, *shift.visits[at + 1 :]])


def _before_the_window(dice: random.Random, route: Route, shift: Shift) -> Shift:
    """Walked early, told as of the window."""
    earlier = shift.visits[0].scanned_at - route.window_from + timedelta(hours=dice.uniform(1, 2))
    return shift.with_visits(
        [
            replace(
                each,
                scanned_at=each.scanned_at - earlier,
                finished_at=each.finished_at - earlier,
                must=frozenset({"out_of_window"}),
            )
            for each in shift.visits
        ]
    )


def _clock_off(dice: random.Random, route: Route, shift: Shift) -> Shift:
    del route
    error = dice.choice([timedelta(minutes=-7), timedelta(hours=9), timedelta(days=-20_000), timedelta(days=365)])
    return replace(shift, clock_error=error).with_visits(
        [replace(each, must=each.must | {"clock"}) for each in shift.visits]
    )


def _two_phones(dice: random.Random, route: Route, shift: Shift) -> Shift:
    """A friend scans with the other phone, signed in as him."""
    del route
    second = f"phone-{dice.getrandbits(40):010x}"
    return shift.with_visits(
        [
            replace(
                each,
                phone=second if at % 2 else each.phone,
                must=frozenset({"two_phones"}) if at else each.must,
            )
            for at, each in enumerate(shift.visits)
        ]
    )


def _same_photo(dice: random.Random, route: Route, shift: Shift) -> Shift:
    """One photo for two stops: the same file, or saved anew."""
    del route
    first, second = sorted(dice.sample(range(len(shift.visits)), 2))
    scene = dice.getrandbits(48)
    visits = [*shift.visits]
    for at, squeezed in ((first, 0), (second, dice.randrange(3))):
        item = visits[at].shots[0].item if visits[at].shots else visits[at].stop.checks[0]
        shot = Shot(scene, squeezed, item, dice.random() < 0.5)
        visits[at] = replace(visits[at], shots=(shot, *visits[at].shots[1:]))
    visits[second] = replace(visits[second], must=frozenset({"same_photo"}))
    return shift.with_visits(visits)


# Played by one guard alone. What needs two is in `simulators.guards.roster`.
CHEATS: Mapping[str, Cheat] = {
    "typed": _spoilt(_typed),
    "photo_file": _spoilt(_photo_file),
    "far_away": _spoilt(_far_away),
    "glance": _spoilt(_glance),
    "clock_back": _spoilt(_clock_back),
    "no_tag": _spoilt(_no_tag, times=1),
    "strangers_code": _spoilt(_strangers_code, times=1),
    "tag_of_elsewhere": _spoilt(_tag_of_elsewhere, times=1),
    "invented_checklist": _spoilt(_invented_checklist),
    "not_on_route": _spoilt(_no_round_of_his, times=1),
    "retold": _spoilt(_retold),
    "retired_tag": _retired_tag,
    "hurried": _hurried,
    "ran": _ran,
    "backwards": _backwards,
    "left_out": _left_out,
    "wrong_place": _wrong_place,
    "before_the_window": _before_the_window,
    "clock_off": _clock_off,
    "two_phones": _two_phones,
    "same_photo": _same_photo,
}
