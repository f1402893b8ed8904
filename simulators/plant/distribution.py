"""A distribution room: the incoming supply, dry transformers with their fans, the feeders behind them, the room.

Load follows the hour. A transformer's windings approach the rise that its load asks for with one time constant, its fan
comes and goes by temperature, and its protection opens it, and with it its feeders, when that is not enough.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simulators.plant.noise import Drift, Drifts, of_the_day, source, towards
from simulators.plant.surroundings import Surroundings, Value
from simulators.reporting import EVENT, ON_CHANGE, ONCE, Report, measured

# Load of a transformer, of its rating, each hour from midnight.
_LOAD = (
    0.34, 0.30, 0.28, 0.27, 0.27, 0.30, 0.36, 0.42, 0.42, 0.40, 0.40, 0.44,
    0.48, 0.44, 0.40, 0.40, 0.42, 0.48, 0.56, 0.62, 0.63, 0.60, 0.52, 0.42,
)  # fmt: skip

_DIVERSITY = 0.5  # a transformer's rating, of the sum of its feeders'
_PHASE_V = 227.0
_RISE_K = 85.0  # of the windings at rated load without fan
_FAN_RELIEF = 0.75
_WINDING_TAU_S, _CORE_TAU_S, _JOINT_TAU_S = 660.0, 2400.0, 600.0
_TRIP_DELAY_S = 60.0
_LOST_PHASE = 0.12  # what is left of a lost phase's voltage, fed back through the loads

REPORTS: Mapping[str, Report] = {
    "mains_ok": ON_CHANGE,
    **{f"line_voltage_{pair}": measured(60.0, 5.0) for pair in ("ab", "bc", "ca")},
    **{f"phase_voltage_{phase}": measured(60.0, 3.0) for phase in "abc"},
    "voltage_unbalance": measured(60.0, 0.5),
    "frequency": measured(60.0, 0.1),
    "power_factor": measured(60.0, 0.03),
    "thd_u": measured(300.0, 1.0),
    "thd_i": measured(300.0, 2.0),
    "mv_voltage": measured(60.0, 0.2),
    "dc_voltage": measured(60.0, 3.0),
    **{f"transformer.winding_temp_{phase}": measured(60.0, 1.0) for phase in "abc"},
    "transformer.core_temp": measured(60.0, 2.0),
    "transformer.fan_run": ON_CHANGE,
    "transformer.fan_fault": ON_CHANGE,
    "transformer.load_rate": measured(60.0, 4.0),
    "transformer.current_unbalance": measured(60.0, 3.0),
    "transformer.neutral_current": measured(60.0, 4.0),
    "feeder.breaker_state": ON_CHANGE,
    "feeder.breaker_trip": ON_CHANGE,
    **{f"feeder.current_{phase}": measured(60.0, 20.0) for phase in "abc"},
    "feeder.residual_current": measured(10.0, 20.0),
    "feeder.joint_temp": measured(60.0, 2.0),
    "feeder.cable_temp": measured(60.0, 2.0),
    "ir_surveyed": EVENT,
    **{
        f"ir_{place}.{temp}_temp": ONCE
        for place in ("clamp", "joint", "contact")
        for temp in ("hot_spot", "normal", "ambient")
    },
    "room_temp": measured(60.0, 1.0),
    "room_humidity": measured(60.0, 3.0),
    "smoke": ON_CHANGE,
    "flood": ON_CHANGE,
    "trench_level": measured(60.0, 0.02),
    "sf6": measured(60.0, 50.0),
    "o2": measured(60.0, 0.2),
    "door_open": ON_CHANGE,
}


@dataclass(slots=True)
class Feeder:
    """An outgoing circuit. `leak_ma` is what a fault adds to its natural residual current."""

    key: str
    rated_a: float
    natural_ma: float
    load: Drift
    balance: tuple[float, float, float]
    leak_ma: float = 0.0
    closed: bool = True
    tripped: bool = False
    current_a: tuple[float, float, float] = (0.0, 0.0, 0.0)
    joint_rise_k: float = 6.0

    def trip(self) -> None:
        self.closed, self.tripped = False, True

    def close(self) -> None:
        self.closed, self.tripped = True, False


@dataclass(slots=True)
class Transformer:
    """`extra_load` is what a fault adds, of the rating."""

    key: str
    feeders: list[Feeder]
    fan_on_c: float
    fan_off_c: float
    trip_c: float
    extra_load: float = 0.0
    tripped: bool = False
    fan_running: bool = False
    load: float = 0.4  # of the rating
    unbalance_percent: float = 0.0
    neutral_percent: float = 0.0
    winding_c: list[float] = field(default_factory=lambda: [55.0, 57.0, 54.0])
    core_c: float = 50.0
    hot_s: float = 0.0

    @property
    def rated_a(self) -> float:
        return _DIVERSITY * sum(feeder.rated_a for feeder in self.feeders)


class DistributionRoom:
    """`parameters` are the facility's of the estate file. Feeders are shared among the transformers in their order."""

    def __init__(
        self,
        seed: int,
        name: str,
        *,
        transformers: Sequence[str],
        feeders: Sequence[str],
        surveyed: Sequence[str] = (),
        parameters: Mapping[str, float],
    ) -> None:
        self.mains_ok = True
        self.lost_phase: int | None = None
        self.flooded = False
        self.door_open = False
        self.compensated = True  # False: half of the capacitor bank is out
        self._surveyed = list(surveyed)  # what a thermal camera is pointed at once a year
        random = source(seed, name)
        made = [
            Feeder(
                key,
                parameters.get(f"{key}.rated_current", 250.0),
                random.uniform(70.0, 130.0),
                Drift(source(seed, name, key), 0.05, 600.0),
                (random.uniform(0.97, 1.03), random.uniform(0.97, 1.03), random.uniform(0.97, 1.03)),
            )
            for key in feeders
        ]
        share = math.ceil(len(made) / max(len(transformers), 1))
        self.transformers = [
            Transformer(
                key,
                made[index * share : (index + 1) * share],
                parameters.get(f"{key}.fan_on_temp", 90.0),
                parameters.get(f"{key}.fan_off_temp", 80.0),
                parameters.get(f"{key}.winding_trip_temp", 150.0),
            )
            for index, key in enumerate(transformers)
        ]
        self._noise = Drifts(
            seed,
            name,
            {
                "voltage": (0.9, 300.0), "a": (0.25, 200.0), "b": (0.25, 200.0), "c": (0.25, 200.0),
                "frequency": (0.012, 60.0), "factor": (0.004, 900.0), "thd_u": (0.15, 1800.0), "thd_i": (0.4, 1800.0),
                "mv": (0.03, 600.0), "dc": (0.5, 1800.0), "residual": (3.0, 120.0), "room": (0.4, 3600.0),
                "humidity": (1.5, 3600.0), "sf6": (4.0, 1800.0), "o2": (0.02, 1800.0),
            },
        )  # fmt: skip
        self._outdoor_temp_c = 15.0
        self._ambient_c = 26.0
        self._begin = True

    @property
    def feeders(self) -> list[Feeder]:
        return [feeder for transformer in self.transformers for feeder in transformer.feeders]

    @property
    def supply_ok(self) -> bool:
        """Whether what it feeds can run: motors' relays take two phases for none."""
        return self.mains_ok and self.lost_phase is None

    def step(self, dt_s: float, surroundings: Surroundings) -> None:
        self._outdoor_temp_c = surroundings.outdoor_temp_c
        self._ambient_c = 26.0 + 0.25 * (self._outdoor_temp_c - 15.0)
        self._noise.step(dt_s)
        load = of_the_day(_LOAD, surroundings.hour)
        for transformer in self.transformers:
            self._draw(transformer, load, dt_s)
            self._heat(transformer, dt_s)
            self._protect(transformer, dt_s)
        self._begin = False

    def _draw(self, transformer: Transformer, load: float, dt_s: float) -> None:
        live = self.mains_ok and not transformer.tripped
        phases = [1.0 if live else 0.0] * 3
        if live and self.lost_phase is not None:
            phases = [0.1 if index == self.lost_phase else 1.12 for index in range(3)]
        wanted = (load + transformer.extra_load) * _DIVERSITY
        total = [0.0, 0.0, 0.0]
        for feeder in transformer.feeders:
            current = feeder.rated_a * wanted * (1.0 + feeder.load.step(dt_s)) * feeder.closed
            a, b, c = (current * phase * share for phase, share in zip(phases, feeder.balance, strict=True))
            feeder.current_a = (a, b, c)
            total[0] += a
            total[1] += b
            total[2] += c
            rise = 18.0 * (max(a, b, c) / feeder.rated_a) ** 2 + 4.0
            feeder.joint_rise_k = rise if self._begin else towards(feeder.joint_rise_k, rise, dt_s, _JOINT_TAU_S)
        mean = sum(total) / 3.0
        transformer.load = mean / transformer.rated_a if transformer.feeders else 0.0
        transformer.unbalance_percent = 100.0 * max(abs(one - mean) for one in total) / mean if mean else 0.0
        spread = math.sqrt(max(sum(one * one for one in total) - 3.0 * mean * mean, 0.0) * 1.5)
        transformer.neutral_percent = 100.0 * spread / transformer.rated_a if transformer.feeders else 0.0

    def _heat(self, transformer: Transformer, dt_s: float) -> None:
        rise = _RISE_K * transformer.load**1.6 * (_FAN_RELIEF if transformer.fan_running else 1.0)
        windings = transformer.winding_c
        for index, phase in enumerate((0.98, 1.0, 0.96)):
            target = self._ambient_c + 4.0 + rise * phase
            windings[index] = target if self._begin else towards(windings[index], target, dt_s, _WINDING_TAU_S)
        core = self._ambient_c + 14.0 + 0.35 * rise
        transformer.core_c = core if self._begin else towards(transformer.core_c, core, dt_s, _CORE_TAU_S)
        hottest = max(windings)
        transformer.fan_running = self.mains_ok and hottest > (
            transformer.fan_off_c if transformer.fan_running else transformer.fan_on_c
        )

    def _protect(self, transformer: Transformer, dt_s: float) -> None:
        hot = max(transformer.winding_c) > transformer.trip_c
        transformer.hot_s = transformer.hot_s + dt_s if hot else 0.0
        if transformer.hot_s >= _TRIP_DELAY_S and not transformer.tripped:
            transformer.tripped = True
            for feeder in transformer.feeders:  # their undervoltage releases
                feeder.trip()

    def restore(self, transformer: Transformer) -> None:
        """Its load is back to usual and somebody has switched it on again."""
        transformer.extra_load = 0.0
        transformer.tripped = False
        for feeder in transformer.feeders:
            feeder.close()

    # ------------------------------------------------------------------ what the sensors say

    def _phase_voltages(self) -> list[float]:
        if not self.mains_ok:
            return [0.0, 0.0, 0.0]
        load = max((transformer.load for transformer in self.transformers), default=0.0)
        level = _PHASE_V + self._noise.values["voltage"] - 3.0 * min(load, 2.0)
        volts = [level + self._noise.values[phase] for phase in "abc"]
        if self.lost_phase is not None:
            volts[self.lost_phase] *= _LOST_PHASE
        return volts

    def values(self) -> dict[str, Value]:
        """At the resolution of each sensor's kind."""
        a, b, c = self._phase_voltages()
        mean = (a + b + c) / 3.0
        unbalance = 100.0 * max(abs(a - mean), abs(b - mean), abs(c - mean)) / mean if mean else 0.0
        noise = self._noise.values
        live = self.mains_ok
        values: dict[str, Value] = {
            "mains_ok": live,
            "line_voltage_ab": round(_between(a, b), 1),
            "line_voltage_bc": round(_between(b, c), 1),
            "line_voltage_ca": round(_between(c, a), 1),
            "phase_voltage_a": round(a, 1),
            "phase_voltage_b": round(b, 1),
            "phase_voltage_c": round(c, 1),
            "voltage_unbalance": round(unbalance, 2),
            "frequency": round(50.0 + noise["frequency"] if live else 0.0, 3),
            "power_factor": round((0.955 if self.compensated else 0.88) + noise["factor"] if live else 0.0, 3),
            "thd_u": round(2.1 + noise["thd_u"] if live else 0.0, 2),
            "thd_i": round(4.8 + noise["thd_i"] if live else 0.0, 2),
            "mv_voltage": round(10.1 + noise["mv"] if live else 0.0, 3),
            "dc_voltage": round(222.0 + noise["dc"], 1),
            "room_temp": round(self._ambient_c + noise["room"], 1),
            "room_humidity": round(55.0 + noise["humidity"], 1),
            "ir_surveyed": False,
            "smoke": False,
            "flood": self.flooded,
            "trench_level": 0.0,
            "sf6": round(30.0 + noise["sf6"], 1),
            "o2": round(20.9 + noise["o2"], 2),
            "door_open": self.door_open,
        }
        for key in self._surveyed:
            values |= {f"{key}.hot_spot_temp": 41.0, f"{key}.normal_temp": 36.5, f"{key}.ambient_temp": 26.0}
        for transformer in self.transformers:
            values.update(self._of_transformer(transformer))
        for feeder in self.feeders:
            values.update(self._of_feeder(feeder, noise["residual"]))
        return values

    def _of_transformer(self, transformer: Transformer) -> dict[str, Value]:
        key = transformer.key
        a, b, c = transformer.winding_c
        return {
            f"{key}.winding_temp_a": round(a, 1),
            f"{key}.winding_temp_b": round(b, 1),
            f"{key}.winding_temp_c": round(c, 1),
            f"{key}.core_temp": round(transformer.core_c, 1),
            f"{key}.fan_run": transformer.fan_running,
            f"{key}.fan_fault": False,
            f"{key}.load_rate": round(100.0 * transformer.load, 1),
            f"{key}.current_unbalance": round(transformer.unbalance_percent, 1),
            f"{key}.neutral_current": round(transformer.neutral_percent, 1),
        }

    def _of_feeder(self, feeder: Feeder, residual_noise_ma: float) -> dict[str, Value]:
        key = feeder.key
        live = self.mains_ok and feeder.closed
        residual = feeder.natural_ma + feeder.leak_ma + residual_noise_ma if live else 0.0
        return {
            f"{key}.breaker_state": "closed" if feeder.closed else "open",
            f"{key}.breaker_trip": feeder.tripped,
            f"{key}.current_a": round(feeder.current_a[0], 1),
            f"{key}.current_b": round(feeder.current_a[1], 1),
            f"{key}.current_c": round(feeder.current_a[2], 1),
            f"{key}.residual_current": round(residual, 1),
            f"{key}.joint_temp": round(self._ambient_c + feeder.joint_rise_k, 1),
            f"{key}.cable_temp": round(self._ambient_c + 0.8 * feeder.joint_rise_k, 1),
        }


def _between(one: float, other: float) -> float:
    """The line voltage between two phases that stand 120 degrees apart."""
    return math.sqrt(one * one + other * other + one * other)
