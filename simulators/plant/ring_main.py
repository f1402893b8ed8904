"""A ring main for fire water, its jockey pumps and the fire pumps behind it.

It is stiff: a litre out of it is felt. It leaks a little, so a jockey pump comes for half a minute every quarter of an
hour and goes again at the top of its band. A fire pump starts when pressure falls to its setting, when the flow switch
says that somebody draws water, or by hand; it comes up to speed within seconds and runs until an authorised person
stops it. Below everything stands the roof tank's head.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt

from simulators.plant.noise import towards

_LITRES_PER_MPA = 250.0  # what the pipes and the pressure vessel give
_JOCKEY_L_S = 1.0
_SET_ABOVE_MPA = 0.003  # the jockey's switch, above the setting sheet: nobody sets one below it
_SEEPS_L_S = 0.016  # at the top of the band: ordinary glands and valves
_FLOW_SWITCH_L_S = 3.0
_FIRE_PUMP_L_S = 40.0
_SHUTOFF = 1.12  # head without flow, of the rated head
_DROOP = 0.12  # of the head, at rated flow
_RELIEF_MPA, _RELIEF_L_S = 0.025, 0.5  # the relief valve: above the top of the band; what it lets go
_START_DELAY_S = 2.0
_SPIN_UP_S = 2.2
_TAKE_OVER_S = 8.0  # until the panel gives up on a pump that brings no pressure


@dataclass(slots=True)
class FirePump:
    """One main pump, electric or diesel. `broken` is what faults set."""

    key: str
    spin_up_s: float = _SPIN_UP_S
    running: bool = False
    broken: bool = False
    speed: float = 0.0  # of the rated speed
    starts_in_s: float | None = None
    started_s: float = 0.0  # since its start
    start_time_s: float = 0.0  # of the last start: to rated head
    timing: bool = False

    def start(self, delay_s: float = _START_DELAY_S) -> None:
        if not self.running and self.starts_in_s is None and not self.broken:
            self.starts_in_s = delay_s

    def stop(self) -> None:
        self.running, self.starts_in_s, self.timing = False, None, False

    def turn(self, dt_s: float, *, powered: bool) -> None:
        if self.broken or not powered:
            self.stop()
        if self.starts_in_s is not None:
            self.starts_in_s -= dt_s
            if self.starts_in_s <= 0.0:
                self.starts_in_s, self.running, self.timing, self.started_s = None, True, True, 0.0
        elif self.running:
            self.started_s += dt_s
        if self.running or self.speed > 0.01:
            self.speed = towards(self.speed, 1.0 if self.running else 0.0, dt_s, self.spin_up_s)
        if self.timing and self.speed**2 * _SHUTOFF >= 1.0:
            self.start_time_s, self.timing = self.started_s, False


@dataclass(slots=True)
class JockeyPump:
    """`broken` is what faults set."""

    key: str
    running: bool = False
    broken: bool = False
    starts: int = 0

    def run(self, *, wanted: bool) -> None:
        self.starts += wanted and not self.running
        self.running = wanted


@dataclass(slots=True)
class RingMain:
    """Pressures are at the pump room. The first fire pump has the duty, the next stand by, the diesel comes last."""

    start_mpa: float  # of the fire pump
    jockey_start_mpa: float
    jockey_stop_mpa: float
    pumps: Sequence[FirePump]
    jockeys: Sequence[JockeyPump]
    pressure_mpa: float
    diesel: FirePump | None = None
    leak_l_s: float = 0.0  # what a fault adds, at the top of the band
    drawn_l_s: float = 0.0  # an open hydrant or sprinkler, at the top of the band
    valve_shut: bool = False  # the main valve behind the pumps
    flow_l_s: float = 0.0
    _turn: int = 0  # whose turn it is among the jockeys
    _tried: set[str] = field(default_factory=set[str])
    _low_s: float = 0.0

    @property
    def static_mpa(self) -> float:
        return self.start_mpa - 0.12

    @property
    def rated_mpa(self) -> float:
        return self.jockey_stop_mpa * 1.02

    @property
    def flow_switch(self) -> bool:
        return self.flow_l_s > _FLOW_SWITCH_L_S

    @property
    def pressure_switch(self) -> bool:
        return self.pressure_mpa <= self.start_mpa

    @property
    def pumping(self) -> bool:
        return any(pump.running for pump in self.pumps) or (self.diesel is not None and self.diesel.running)

    def step(
        self, dt_s: float, *, powered: bool, auto: bool, jockey_auto: bool, diesel_auto: bool, water: bool
    ) -> None:
        share = sqrt(max(self.pressure_mpa, 0.0) / self.jockey_stop_mpa)
        seeps_l_s = _SEEPS_L_S if self.jockeys else 0.0  # without jockeys of its own it is held from the roof
        self.flow_l_s = (seeps_l_s + self.leak_l_s + (0.0 if self.valve_shut else self.drawn_l_s)) * share
        self._hold(able=powered and jockey_auto)
        if self.pressure_switch or self.flow_switch:
            self._call(dt_s, electric=auto and powered, diesel=diesel_auto)
        elif not self.pumping:
            self._tried.clear()
            self._low_s = 0.0
        for pump in self.pumps:
            pump.turn(dt_s, powered=powered)
        if self.diesel is not None:
            self.diesel.turn(dt_s, powered=True)
        self._move_water(dt_s, water=water)

    def _hold(self, *, able: bool) -> None:
        """One jockey at a time, in turn; the fire pumps' panel keeps them off while one of those runs."""
        if not self.jockeys:
            return
        running = next((one for one in self.jockeys if one.running), None)
        limit = self.jockey_start_mpa + _SET_ABOVE_MPA if running is None else self.jockey_stop_mpa
        wanted = able and not self.pumping and self.pressure_mpa < limit
        if running is not None and (not wanted or running.broken):
            running.run(wanted=False)
        elif running is None and wanted:
            ready = [one for one in self.jockeys if not one.broken]
            if ready:
                self._turn += 1
                ready[self._turn % len(ready)].run(wanted=True)

    def _call(self, dt_s: float, *, electric: bool, diesel: bool) -> None:
        """A pump must come, and the next one when that one brings nothing."""
        self._low_s += dt_s
        if self._tried and (self.pumping or self._low_s < _TAKE_OVER_S):
            return
        for pump in self.pumps if electric else ():
            if pump.key not in self._tried and not pump.broken:
                self._try(pump, _START_DELAY_S)
                return
        if self.diesel is not None and diesel and self.diesel.key not in self._tried:
            self._try(self.diesel, 2.0 * _START_DELAY_S)

    def _try(self, pump: FirePump, delay_s: float) -> None:
        self._tried.add(pump.key)
        self._low_s = 0.0
        pump.start(delay_s)

    def _move_water(self, dt_s: float, *, water: bool) -> None:
        speed = max((pump.speed for pump in self.pumps), default=0.0)
        if self.diesel is not None:
            speed = max(speed, self.diesel.speed)
        droop = 1.0 - _DROOP * min(self.flow_l_s / _FIRE_PUMP_L_S, 2.0) ** 2
        head = _SHUTOFF * self.rated_mpa * speed**2 * droop if water else 0.0
        jockey = any(one.running for one in self.jockeys) and water
        if self.pumping and head > self.static_mpa:
            self.pressure_mpa = towards(self.pressure_mpa, head, dt_s, 1.5)
        else:
            relieved_l_s = _RELIEF_L_S * (self.pressure_mpa > self.jockey_stop_mpa + _RELIEF_MPA)
            self.pressure_mpa += (_JOCKEY_L_S * jockey - self.flow_l_s - relieved_l_s) * dt_s / _LITRES_PER_MPA
        self.pressure_mpa = max(self.pressure_mpa, self.static_mpa)
