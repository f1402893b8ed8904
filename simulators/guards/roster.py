"""Who walks: honest guards, slow and fast, on every kind of network, and for each cheat one who tries it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from simulators.guards.cheats import CHEATS
from simulators.guards.route import STOPS, Route
from simulators.guards.shift import Network, Shift, honest

_SCOUTS = 3  # as many have to have been somewhere before anybody can be too far from it
_LONGEST = timedelta(hours=1)  # of an honest shift, with room
_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
WHOLE_ROUND = ("ran",)
# What needs two: who did it, and who stood by.
PAIRS = ("phone_lent", "stand_in")


@dataclass(frozen=True, slots=True)
class Roster:
    """`first` have arrived whole before anything of `then` is sent."""

    first: Sequence[Shift]
    then: Sequence[Shift]

    @property
    def shifts(self) -> Sequence[Shift]:
        return [*self.first, *self.then]


def draw(
    seed: int,
    route: Route,
    now: datetime,
    cheats: Sequence[str],
    networks: Sequence[Network] = tuple(Network),
    stops: int = STOPS,
) -> Roster:
    """The same for the same arguments; of `networks` one honest guard each.

    `stops`: after so many they go home, but for those who need the whole round to cheat. Raises KeyError for a cheat that
    nobody knows.
    """
    dice = random.Random(seed)
    drawn = _Drawing(dice, route, now, seed, stops)
    first = [drawn.honest(Network.ONLINE, located=True) for _ in range(_SCOUTS if "far_away" in cheats else 1)]
    then = [drawn.honest(network, haste=dice.choice([1.0, 0.6, 0.0])) for network in networks]
    for name in cheats:
        if name == "phone_lent":
            then += drawn.phone_lent()
        elif name == "stand_in":
            then += drawn.stand_in()
        else:
            cheat = CHEATS[name]
            base = drawn.honest(
                dice.choice(list(Network)),
                haste=dice.random(),
                located=name == "far_away",
                stops=STOPS if name in WHOLE_ROUND else stops,
            )
            then.append(replace(cheat(dice, route, base), cheat=name))
    dice.shuffle(then)
    return Roster(first, then)


class _Drawing:
    def __init__(self, dice: random.Random, route: Route, now: datetime, seed: int, stops: int) -> None:
        self._dice = dice
        self._route = route
        self._now = now
        self._seed = seed
        self._stops = stops
        self._count = 0

    def honest(
        self,
        network: Network,
        *,
        haste: float = 0.5,
        located: bool = False,
        begin: datetime | None = None,
        stops: int | None = None,
    ) -> Shift:
        if begin is None:
            until = self._now - _LONGEST
            begin = self._route.window_from + (until - self._route.window_from) * self._dice.random()
        route = replace(self._route, stops=self._route.stops[: stops or self._stops])
        return honest(self._dice, route, self._name(), begin, haste=haste, network=network, always_located=located)

    def _name(self) -> str:
        self._count += 1
        return f"保安{_SURNAMES[self._count % len(_SURNAMES)]}{self._seed}-{self._count:02}"

    def phone_lent(self) -> list[Shift]:
        """One walks, and the next takes his phone, still warm."""
        network = self._dice.choice(list(Network))
        owner = self.honest(network, haste=1.0)
        begin = owner.visits[-1].finished_at + timedelta(minutes=2)
        borrower = self.honest(network, haste=1.0, begin=begin)
        spoilt = [replace(each, phone=owner.phone, must=frozenset({"phone_shared"})) for each in borrower.visits]
        lent = replace(borrower, phone=owner.phone, clock_error=owner.clock_error, cheat="phone_lent")
        return [owner, lent.with_visits(spoilt)]

    def stand_in(self) -> list[Shift]:
        """His round is begun by him and walked to its end by a colleague to whom nobody gave it."""
        owner = self.honest(Network.ONLINE, haste=1.0)
        other = self.honest(self._dice.choice(list(Network)), haste=1.0, begin=owner.visits[0].scanned_at)
        part = self._dice.randrange(3, 6)
        rest = [
            replace(each, round_of=owner.guard, must=frozenset({"not_the_rounds_guard"}))
            for each in other.visits[part:]
        ]
        return [owner.with_visits(owner.visits[:part]), replace(other, cheat="stand_in").with_visits(rest)]
