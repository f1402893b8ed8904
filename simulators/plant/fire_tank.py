"""A fire-water tank, in the basement or on the roof: full, and kept so by a float valve.

Little moves here, which is the point: water is lost to leaks and evaporation by the litre, the float valve gives it
back, and only a fire pump at work, a valve that hangs or a hole makes a difference that anybody sees.
"""

from collections.abc import Mapping, Sequence

from simulators.plant.noise import Drifts, source
from simulators.plant.surroundings import Surroundings, Value
from simulators.reporting import ON_CHANGE, Report, measured

_FULL, _BAND = 101.0, 1.5  # % of the reserve: the float closes at the first, is fully open this much lower
_OVERFLOW = 108.0  # % of the reserve: the overflow pipe
_CAPACITY_M3 = 36.0
_INLET_M3H = 30.0
_DRAIN_M3H = 40.0
_SEEPS_M3H = 0.004
_SPILLS = 12.0  # m3/h and % above the overflow

REPORTS: Mapping[str, Report] = {
    "fire_tank_level": measured(60.0, 0.5),
    "tank_overflow": ON_CHANGE,
    "water_temp": measured(600.0, 1.0),
    "room_temp": measured(60.0, 1.0),
    "heater_fault": ON_CHANGE,
    "door_open": ON_CHANGE,
    "valve.position": ON_CHANGE,
}


class FireTank:
    """`parameters` are the facility's of the estate file. Faults set `float_stuck`, `inlet_shut`, `leak_m3h`."""

    def __init__(self, seed: int, name: str, *, valves: Sequence[str], parameters: Mapping[str, float]) -> None:
        random = source(seed, name)
        self.valves = dict.fromkeys(valves, "open")
        self.overflow_percent = parameters.get("overflow_level", _OVERFLOW)
        self.level_percent = random.uniform(_FULL - 0.2, _FULL)
        self.door_open = False
        self.float_stuck = False  # open
        self.inlet_shut = False
        self.leak_m3h = 0.0
        self.draining = False  # by hand, until there is no more than there should be
        self.inflow_m3h = 0.0
        self.spilt_m3 = 0.0
        self._noise = Drifts(seed, name, {"gauge": (0.05, 60.0), "water": (0.4, 14400.0), "room": (0.5, 3600.0)})
        self._outdoor_temp_c = 15.0

    def step(self, dt_s: float, surroundings: Surroundings) -> None:
        self._noise.step(dt_s)
        self._outdoor_temp_c = surroundings.outdoor_temp_c
        opening = 1.0 if self.float_stuck else min(max((_FULL - self.level_percent) / _BAND, 0.0), 1.0)
        self.inflow_m3h = 0.0 if self.inlet_shut else _INLET_M3H * opening
        spilling_m3h = max(self.level_percent - self.overflow_percent, 0.0) * _SPILLS
        self.draining = self.draining and self.level_percent > _FULL
        drained_m3h = _DRAIN_M3H if self.draining else 0.0
        net_m3h = self.inflow_m3h - surroundings.drawn_m3h - self.leak_m3h - _SEEPS_M3H - spilling_m3h - drained_m3h
        self.spilt_m3 += spilling_m3h * dt_s / 3600.0
        self.level_percent = max(self.level_percent + 100.0 * net_m3h * dt_s / 3600.0 / _CAPACITY_M3, 0.0)

    @property
    def has_water(self) -> bool:
        return self.level_percent > 2.0

    @property
    def overflowing(self) -> bool:
        return self.level_percent > self.overflow_percent

    def values(self) -> dict[str, Value]:
        noise = self._noise.values
        values: dict[str, Value] = {
            "fire_tank_level": round(max(self.level_percent + noise["gauge"], 0.0), 2),
            "tank_overflow": self.overflowing,
            "water_temp": round(13.0 + 0.1 * (self._outdoor_temp_c - 15.0) + noise["water"], 1),
            "room_temp": round(15.5 + 0.3 * (self._outdoor_temp_c - 15.0) + noise["room"], 1),
            "heater_fault": False,
            "door_open": self.door_open,
        }
        for valve, position in self.valves.items():
            values[f"{valve}.position"] = position
        return values
