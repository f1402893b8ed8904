"""The whole simulation without its sockets: world, gateways, and the faults that come and go, moved on step by step.

Pure: it is told nothing but which gateways have a way to the broker. What it answers is carried out by
`simulators.fleet`; tests feed it to the rules directly.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from estate.description import EstateDescription
from simulators.gateway import Command, Gateway
from simulators.scene import Scene, declare, with_orders
from simulators.script import Planned
from simulators.truth import Declared, Demand, Happened, Traffic, Truth
from simulators.world import Place, World

STEP_S = 1.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DECLARED_MAX = 50_000  # of an endless run, the latest; a month of an estate is far below


def _everybody(place: Place) -> bool:
    del place
    return True


class Stage:
    """A run of `plan` on an estate that begins at `started_at`."""

    def __init__(
        self,
        estate: EstateDescription,
        plan: Iterator[Planned],
        *,
        seed: int,
        started_at: datetime,
        step_s: float = STEP_S,
        clock_offsets_s: Mapping[Place, float] | None = None,
        interval_min_s: Mapping[str, float] | None = None,
    ) -> None:
        """`interval_min_s`: by kind of facility, how often at most a gateway on a slow line repeats what has not changed."""
        self.step_s = step_s
        self.now = self._started_at = started_at.replace(microsecond=0)
        self.world = World(estate, seed, interval_min_s=interval_min_s)
        offsets = clock_offsets_s or {}
        self.gateways: dict[Place, Gateway] = {}
        self._behind: dict[Place, Place] = {}
        self._offsets_ms: dict[str, dict[str, int]] = {site.key: {} for site in estate.sites}
        for site in estate.sites:
            for described in site.gateways:
                place = (site.key, described.key)
                facilities = {
                    one.key: self.world.reports((site.key, one.key))
                    for one in site.facilities
                    if one.gateway == described.key and (site.key, one.key) in self.world.plants
                }
                self._behind.update({(site.key, key): place for key in facilities})
                offset_ms = round(offsets.get(place, 0.0) * 1000)
                self._offsets_ms[site.key] |= dict.fromkeys(facilities, offset_ms)
                self._offsets_ms[site.key][described.key] = 0  # its status bears the broker's time
                self.gateways[place] = Gateway(site.key, described.key, facilities, clock_offset_ms=offset_ms)
        self._seed = seed
        self._plan = plan
        self._next = next(plan, None)
        self._coming: list[Planned] = []  # inner faults whose time is near
        self._going_on: list[tuple[Planned, Scene]] = []
        self._declared: list[Declared] = []
        self._happened: list[Happened] = []

    def step(self, reachable: Callable[[Place], bool] = _everybody) -> dict[Place, list[Command]]:
        """One step: faults end and begin, plants move, gateways speak."""
        self.now += timedelta(seconds=self.step_s)
        self._direct()
        self.world.step(self.step_s, self.now)
        now_ms = (self.now - _EPOCH) // timedelta(milliseconds=1)
        commands: dict[Place, list[Command]] = {}
        for place, gateway in self.gateways.items():
            values = {key: self.world.values((place[0], key)) for key in gateway.facilities}
            commands[place] = gateway.step(now_ms, values, reachable=reachable(place))
        return commands

    def leave(self) -> dict[Place, list[Command]]:
        """The goodbyes at the end of the run."""
        return {place: gateway.leave() for place, gateway in self.gateways.items()}

    @property
    def going_on(self) -> list[Planned]:
        return [planned for planned, _ in self._going_on]

    def truth(self, *, speed: float, traffic: Traffic | None = None) -> Truth:
        """Everything up to now. What could still come after the end is not asked for."""
        declared = [
            replace(one, demand=Demand.MAY) if self._is_untold(one) else _cut_off(one, self.now)
            for one in with_orders(self._declared)
        ]
        return Truth(
            seed=self._seed,
            speed=speed,
            started_at=self._started_at,
            ended_at=self.now,
            declared=tuple(declared),
            happened=tuple(self._happened),
            traffic=traffic or Traffic(),
        )

    def _is_untold(self, one: Declared) -> bool:
        """Whether it happens behind a gateway that still keeps it to itself."""
        return one.demand is Demand.MUST and any(
            (inner.site, inner.target) == (one.site, one.facility)
            and one.raised.from_at >= self._started_at + timedelta(seconds=planned.at_s)
            for planned, _ in self._going_on
            for inner in planned.inner
        )

    def _direct(self) -> None:
        at_s = (self.now - self._started_at).total_seconds()
        for planned, scene in [one for one in self._going_on if one[0].until_s <= at_s]:
            self._going_on.remove((planned, scene))
            planned.fault.end(scene)
        while self._next is not None and self._next.at_s <= at_s:
            self._coming.extend([self._next, *self._next.inner])
            self._next = next(self._plan, None)
        for planned in [one for one in self._coming if one.at_s <= at_s]:
            self._coming.remove(planned)
            self._begin(planned)

    def _begin(self, planned: Planned) -> None:
        place = (planned.site, planned.target)
        gateway = self.gateways[place if planned.fault.at_gateway else self._behind[place]]
        offsets_ms = self._offsets_ms[planned.site]
        scene = Scene(self.world, gateway, offsets_ms, planned.site, planned.target, planned.part, planned.lasts_s)
        self._declared.extend(declare(planned.fault, scene, self.now, historical=planned.historical))
        planned.fault.begin(scene)
        self._going_on.append((planned, scene))
        until = self.now + timedelta(seconds=planned.lasts_s)
        self._happened.append(Happened(planned.fault.key, planned.site, planned.target, planned.part, self.now, until))
        del self._declared[:-_DECLARED_MAX]
        del self._happened[:-_DECLARED_MAX]


def _cut_off(one: Declared, ended_at: datetime) -> Declared:
    if one.demand is Demand.MUST and one.raised.to_at > ended_at:
        return replace(one, demand=Demand.MAY)
    if one.returned is not None and one.returned.to_at > ended_at:
        return replace(one, returned=None)
    return one
