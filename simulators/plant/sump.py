"""A drainage sump: ground water and rain run in, two pumps lift it out by their floats and change places.

The first float starts the pump whose turn it is, a second one a little higher starts the other as well, the lowest
stops both. Whatever the pumps do not master stands as high water, and at last on the floor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulators.plant.noise import Drifts, of_the_day, source, towards
from simulators.plant.surroundings import Surroundings, Value
from simulators.reporting import ON_CHANGE, Report, measured

_AREA_M2 = 2.2
_CATCHMENT_M2 = 180.0  # of the ramp and the court that drain into it
_SOAK_S = 240.0  # from the rain to the pit
_SEEPAGE_M3H = 0.12  # ground water, condensate, floor washing
_WASHING = (0.4, 0.3, 0.3, 1.0, 1.6, 1.0, 0.9, 1.4, 1.2, 0.8, 0.6, 0.5)  # share of it, each second hour
_PUMP_M3H = 14.0
_STOP_M, _START_M, _SECOND_M = 0.35, 0.80, 0.95
_HIGH_M, _VERY_HIGH_M = 1.2, 1.5
_PIT_M = 1.8  # the floor of the room
_TAKE_OVER_S = 5.0

REPORTS: Mapping[str, Report] = {
    "sump_level": measured(60.0, 0.1),
    "sump_float_high": ON_CHANGE,
    "sump_float_very_high": ON_CHANGE,
    "sump_pump.run": ON_CHANGE,
    "sump_pump.fault": ON_CHANGE,
    "selector": ON_CHANGE,
    "mains_ok": ON_CHANGE,
    "flood": ON_CHANGE,
}


@dataclass(slots=True)
class SumpPump:
    """`broken` is what faults set: its motor protection has opened."""

    key: str
    running: bool = False
    broken: bool = False
    starts: int = 0

    def run(self, *, wanted: bool) -> None:
        self.starts += wanted and not self.running
        self.running = wanted


class Sump:
    """`parameters` are the facility's of the estate file."""

    def __init__(self, seed: int, name: str, *, pumps: Sequence[str], parameters: Mapping[str, float]) -> None:
        random = source(seed, name)
        self.pumps = [SumpPump(key) for key in pumps]
        self.level_m = random.uniform(_STOP_M + 0.05, _START_M - 0.05)
        self.inflow_m3h = _SEEPAGE_M3H
        self.high_m = parameters.get("sump_high", _HIGH_M)
        self.very_high_m = parameters.get("sump_very_high", _VERY_HIGH_M)
        self.selector = "auto"
        self._rain_m3h = 0.0
        self._turn = random.randrange(len(self.pumps)) if self.pumps else 0
        self._pumping = self._both = False
        self._short_s = 0.0  # fewer pumps run than should
        self._fed = True
        self._noise = Drifts(seed, name, {"seepage": (0.15, 3600.0), "level": (0.004, 60.0)})

    def step(self, dt_s: float, surroundings: Surroundings) -> None:
        self._noise.step(dt_s)
        self._fed = surroundings.mains_ok
        self._rain_m3h = towards(self._rain_m3h, surroundings.rain_mm_h * _CATCHMENT_M2 / 1000.0, dt_s, _SOAK_S)
        seepage = _SEEPAGE_M3H * of_the_day(_WASHING, surroundings.hour) * (1.0 + self._noise.values["seepage"])
        self.inflow_m3h = seepage + self._rain_m3h
        self._switch(dt_s)
        lifted = _PUMP_M3H * sum(pump.running for pump in self.pumps)
        change_m = (self.inflow_m3h - lifted) * dt_s / 3600.0 / _AREA_M2
        self.level_m = min(max(self.level_m + change_m, 0.1), _PIT_M + 0.1)

    def _switch(self, dt_s: float) -> None:
        if self.level_m <= _STOP_M:
            if self._pumping:
                self._turn = (self._turn + 1) % max(len(self.pumps), 1)
            self._pumping = self._both = False
        self._pumping = self._pumping or (self.level_m >= _START_M and self.selector == "auto")
        self._both = self._pumping and (self._both or self.level_m >= _SECOND_M)
        able = [pump for pump in self.pumps if not pump.broken] if self._fed else []
        wanted = min((2 if self._both else 1) if self._pumping else 0, len(able))
        for pump in self.pumps:
            if pump.running and (pump not in able or not wanted):
                pump.run(wanted=False)
        running = sum(pump.running for pump in self.pumps)
        started_before = running or not any(pump.broken for pump in self.pumps)
        self._short_s = self._short_s + dt_s if running < wanted else 0.0
        if running < wanted and (started_before or self._short_s >= _TAKE_OVER_S):
            self._start_next()

    def _start_next(self) -> None:
        for offset in range(len(self.pumps)):
            pump = self.pumps[(self._turn + offset) % len(self.pumps)]
            if not pump.running and not pump.broken:
                pump.run(wanted=True)
                return

    @property
    def flooded(self) -> bool:
        return self.level_m > _PIT_M

    def values(self) -> dict[str, Value]:
        values: dict[str, Value] = {
            "sump_level": round(max(self.level_m + self._noise.values["level"], 0.0), 3),
            "sump_float_high": self.level_m > self.high_m,
            "sump_float_very_high": self.level_m > self.very_high_m,
            "selector": self.selector,
            "mains_ok": self._fed,
            "flood": self.flooded,
        }
        for pump in self.pumps:
            values[f"{pump.key}.run"] = pump.running
            values[f"{pump.key}.fault"] = pump.broken
        return values
