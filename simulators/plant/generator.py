"""A standby generator: it waits warm and charged, and when the mains go it cranks, runs up, takes over and comes back.

The controller's sequence: mains gone for a moment, up to three tries at the starter with a rest between them, a run-up
until voltage and frequency stand, transfer. When the mains have been back for a while the load returns to them first,
and the engine runs on without load until it has cooled. It does none of this unless its selector stands on auto.
"""

from collections.abc import Mapping
from enum import StrEnum

from simulators.plant.noise import Drift, Drifts, of_the_day, source, towards
from simulators.plant.surroundings import Surroundings, Value
from simulators.reporting import ON_CHANGE, Report, measured

_START_DELAY_S = 1.5
_FIRES_AFTER_S = 2.5  # of cranking, when all is well
_CRANK_S, _REST_S, _TRIES = 7.0, 30.0, 3
_RUN_UP_S = 3.0
_RETURN_S = 60.0  # the mains must have been back
_COOL_DOWN_S = 180.0
_LOAD = (
    0.34, 0.30, 0.28, 0.27, 0.27, 0.30, 0.36, 0.42, 0.42, 0.40, 0.40, 0.44,
    0.48, 0.44, 0.40, 0.40, 0.42, 0.48, 0.56, 0.62, 0.63, 0.60, 0.52, 0.42,
)  # fmt: skip
_FULL_LOAD_H = 10.0  # what a full fuel tank lasts
_FLOAT_V, _RUNNING_V, _REST_V, _CRANKING_V = 27.2, 28.2, 25.6, 21.5
_OIL_PERCENT_H, _COOLANT_PERCENT_H = 0.12, 0.05  # what an hour of running takes of each
_OIL_LOW, _COOLANT_LOW = 60.0, 70.0  # %: the float switches

REPORTS: Mapping[str, Report] = {
    "selector": ON_CHANGE,
    "mains_ok": ON_CHANGE,
    "run": ON_CHANGE,
    "emergency_bus_ok": ON_CHANGE,
    "cranking": ON_CHANGE,
    "start_failed": ON_CHANGE,
    "fault": ON_CHANGE,
    "battery_voltage": measured(60.0, 0.3),
    "fuel_level": measured(60.0, 1.0),
    "coolant_low": ON_CHANGE,
    "oil_low": ON_CHANGE,
}


class Phase(StrEnum):
    """What the controller is doing."""

    STANDBY = "standby"
    STARTING = "starting"  # it has seen the mains go
    CRANKING = "cranking"
    RESTING = "resting"  # between two tries
    RUNNING_UP = "running_up"
    RUNNING = "running"
    COOLING = "cooling"
    FAILED = "failed"  # three tries in vain; somebody must reset it


class Generator:
    """Faults set `will_not_start`, `selector`, `charger_failed`, `battery_rest_v`, `fuel_percent`; tests `test_run`."""

    def __init__(self, seed: int, name: str) -> None:
        random = source(seed, name)
        self.selector = "auto"
        self.will_not_start = False
        self.charger_failed = False
        self.test_run = False  # by hand, without load
        self.phase = Phase.STANDBY
        self.tries = 0
        self.on_generator = False  # the transfer switch
        self.fuel_percent = random.uniform(86.0, 97.0)
        self.battery_rest_v = _REST_V
        self.battery_v = _FLOAT_V
        self.coolant_percent = random.uniform(94.0, 99.0)
        self.oil_percent = random.uniform(88.0, 97.0)
        self.load = 0.0  # of the rating
        self.run_s = random.uniform(40.0, 200.0) * 3600.0
        self.start_s: float | None = None  # from the mains' loss to standing ready, the last time
        self.mains_ok = True
        self._phase_s = 0.0
        self._lost_s = self._back_s = 0.0
        self._load = Drift(source(seed, name, "load"), 0.03, 300.0)
        self._noise = Drifts(seed, name, {"battery": (0.03, 600.0)})

    @property
    def turning(self) -> bool:
        return self.phase in (Phase.RUNNING_UP, Phase.RUNNING, Phase.COOLING)

    @property
    def ready(self) -> bool:
        """Voltage and frequency stand."""
        return self.phase in (Phase.RUNNING, Phase.COOLING)

    @property
    def feeding(self) -> bool:
        return self.on_generator and self.ready

    @property
    def bus_live(self) -> bool:
        """Behind the transfer switch there is power, from whichever side."""
        return self.feeding or (self.mains_ok and not self.on_generator)

    def reset(self) -> None:
        """Somebody has found out why it did not start."""
        if self.phase is Phase.FAILED:
            self._enter(Phase.STANDBY)
        self.tries = 0

    def step(self, dt_s: float, surroundings: Surroundings) -> None:
        self.mains_ok = surroundings.mains_ok
        self._noise.step(dt_s)
        self._lost_s = 0.0 if self.mains_ok else self._lost_s + dt_s
        self._back_s = self._back_s + dt_s if self.mains_ok else 0.0
        self._phase_s += dt_s
        self._sequence()
        self._transfer()
        self._burn(dt_s, surroundings.hour)
        self._charge(dt_s)

    # ------------------------------------------------------------------ the controller

    def _enter(self, phase: Phase) -> None:
        self.phase, self._phase_s = phase, 0.0

    @property
    def _wanted(self) -> bool:
        if self.selector == "auto":
            return self._lost_s > 0.0 or self.test_run
        return self.selector == "manual" and self.test_run

    def _sequence(self) -> None:
        if self.turning and (self.fuel_percent <= 0.0 or self.selector == "off"):
            self._enter(Phase.FAILED if self.fuel_percent <= 0.0 else Phase.STANDBY)
        match self.phase:
            case Phase.STANDBY:
                self.tries = 0
                if self._wanted:
                    self._enter(Phase.STARTING)
            case Phase.STARTING:
                if not self._wanted:
                    self._enter(Phase.STANDBY)
                elif self._phase_s >= _START_DELAY_S:
                    self._crank()
            case Phase.CRANKING:
                self._turn_over()
            case Phase.RESTING:
                if self._phase_s >= _REST_S:
                    self._crank()
            case Phase.RUNNING_UP:
                if self._phase_s >= _RUN_UP_S:
                    self.start_s = self._lost_s or None
                    self._enter(Phase.RUNNING)
            case Phase.RUNNING:
                if not self._wanted and not self.on_generator:
                    self._enter(Phase.COOLING)
            case Phase.COOLING:
                self._cool()
            case Phase.FAILED:
                pass

    def _crank(self) -> None:
        self.tries += 1
        self._enter(Phase.CRANKING)

    def _turn_over(self) -> None:
        fires = not self.will_not_start and self.fuel_percent > 0.0 and self.battery_rest_v > 20.0
        if fires and self._phase_s >= _FIRES_AFTER_S:
            self._enter(Phase.RUNNING_UP)
        elif self._phase_s >= _CRANK_S:
            self._enter(Phase.FAILED if self.tries >= _TRIES else Phase.RESTING)

    def _cool(self) -> None:
        if self._wanted:
            self._enter(Phase.RUNNING)
        elif self._phase_s >= _COOL_DOWN_S:
            self._enter(Phase.STANDBY)

    def _transfer(self) -> None:
        """The switch prefers the mains, but not before they have shown that they stay."""
        if self.on_generator:
            self.on_generator = not (self._back_s >= _RETURN_S or (self.mains_ok and not self.ready))
        else:
            self.on_generator = not self.mains_ok and self.phase is Phase.RUNNING

    # ------------------------------------------------------------------ the engine

    def _burn(self, dt_s: float, hour: float) -> None:
        share = of_the_day(_LOAD, hour) * (1.0 + self._load.step(dt_s))
        self.load = towards(self.load, share if self.feeding else 0.0, dt_s, 3.0)
        if self.turning:
            self.run_s += dt_s
            self.fuel_percent -= 100.0 * (0.12 + 0.88 * self.load) * dt_s / 3600.0 / _FULL_LOAD_H
            self.oil_percent -= _OIL_PERCENT_H * dt_s / 3600.0
            self.coolant_percent -= _COOLANT_PERCENT_H * dt_s / 3600.0
        self.fuel_percent = max(self.fuel_percent, 0.0)

    def _charge(self, dt_s: float) -> None:
        if self.phase is Phase.CRANKING:
            self.battery_v = towards(self.battery_v, min(_CRANKING_V, self.battery_rest_v - 3.0), dt_s, 0.5)
        elif self.turning:
            self.battery_v = towards(self.battery_v, _RUNNING_V, dt_s, 20.0)
        elif self.charger_failed or not self.mains_ok:
            recovering = self.battery_v < self.battery_rest_v  # from the starter, which is quicker than to run down
            self.battery_v = towards(self.battery_v, self.battery_rest_v, dt_s, 12.0 if recovering else 90.0)
        else:
            self.battery_v = towards(self.battery_v, _FLOAT_V, dt_s, 60.0)

    # ------------------------------------------------------------------ what its controller says

    def values(self) -> dict[str, Value]:
        return {
            "selector": self.selector,
            "mains_ok": self.mains_ok,
            "run": self.ready,
            "emergency_bus_ok": self.bus_live,
            "cranking": self.phase is Phase.CRANKING,
            "start_failed": self.phase is Phase.FAILED,
            "fault": self.phase is Phase.FAILED,
            "battery_voltage": round(self.battery_v + self._noise.values["battery"], 2),
            "fuel_level": round(self.fuel_percent, 1),
            "coolant_low": self.coolant_percent < _COOLANT_LOW,
            "oil_low": self.oil_percent < _OIL_LOW,
        }
