"""A domestic booster set: tank, pumps on frequency converters, and the building that draws from them.

Head follows the pump curve at the speed of the running pumps, demand follows the hour and the pressure, and a PI
controller keeps the pressure at its setpoint: it changes speed first, then the number of pumps. The duty pump changes
every few hours, a failed one is replaced by the next. A float valve refills the tank from the city's main.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulators.plant.noise import Drift, Drifts, of_the_day, source, towards
from simulators.plant.surroundings import Surroundings, Value
from simulators.reporting import EVENT, ON_CHANGE, Report, counted, measured

# Share of the peak, each hour from midnight: two peaks, and never nothing.
_DEMAND = (
    0.14, 0.10, 0.08, 0.08, 0.10, 0.22, 0.55, 0.88, 0.80, 0.58, 0.50, 0.56,
    0.66, 0.54, 0.44, 0.42, 0.48, 0.66, 0.88, 1.00, 0.96, 0.78, 0.50, 0.26,
)  # fmt: skip

_SPEED_MIN = 0.5  # 25 Hz of 50
_SPEED_SLEW = 0.04  # of full speed a second
_SHUTOFF_HEAD = 1.43  # of the setpoint, at full speed without flow
_DUTY_CHANGE_S = 6 * 3600.0
_TAKE_OVER_S = 3.0  # from a pump's failure to the next one's start
_FULL_SPEED_S = 300.0  # at full speed for so long, though the pressure just holds: the next one joins
_STAGE_UP_S, _STAGE_DOWN_S, _STAGED_MIN_S = 15.0, 180.0, 600.0
_TANK_FULL, _TANK_BAND = 82.0, 12.0  # %: the float closes at the first, is fully open this much lower
_DRY_RUN_STOP = 12.0  # %: the controller's own protection
_SPARED_S = 3600.0  # longer than anybody looks at what was done to a pump
_NAP_S, _AWAKE_S = 20.0, 25.0  # of a pump on a flat pressure vessel
_CHLORINE_MG_L, _CHLORINE_LEFT = 0.42, 0.075  # usual; what is left of it where nothing is dosed
_CHLORINE_DECAY_S, _CHLORINE_DOSED_S = 300.0, 120.0
_DAMP_PERCENT, _DAMP_TAU_S = 85.0, 600.0  # what a damp room comes to, and how fast
_SUMP_ON, _SUMP_OFF, _SUMP_HIGH, _SUMP_VERY_HIGH = 0.6, 0.3, 0.8, 1.1  # m

REPORTS: Mapping[str, Report] = {
    "outlet_pressure": measured(30.0, 0.01),
    "inlet_pressure": measured(30.0, 0.01),
    "tank_level": measured(60.0, 1.0),
    "tank_overflow": ON_CHANGE,
    "flow_rate": measured(60.0, 2.0),
    "flow_total": counted(60.0),
    "pump.run": ON_CHANGE,
    "pump.fault": ON_CHANGE,
    "pump.vfd_frequency": measured(10.0, 1.0),
    "pump.motor_current": measured(10.0, 1.0),
    "pump.phase_loss": ON_CHANGE,
    "free_chlorine": measured(300.0, 0.1),
    "turbidity": measured(300.0, 0.1),
    "ph": measured(300.0, 0.2),
    "water_temp": measured(600.0, 1.0),
    "disinfection_fault": ON_CHANGE,
    "sump_level": measured(60.0, 0.1),
    "sump_float_high": ON_CHANGE,
    "sump_float_very_high": ON_CHANGE,
    "sump_pump.run": ON_CHANGE,
    "sump_pump.fault": ON_CHANGE,
    "flood": ON_CHANGE,
    "room_temp": measured(60.0, 1.0),
    "room_humidity": measured(60.0, 3.0),
    "door_open": ON_CHANGE,
    "tank_hatch": ON_CHANGE,
    "tank_cleaned": EVENT,
    "mains_ok": ON_CHANGE,
    "ats_position": ON_CHANGE,
}


@dataclass(slots=True)
class Pump:
    """One pump with its converter. `broken`, `airbound` and `phase_lost` are what faults set."""

    key: str
    rated_current_a: float
    running: bool = False
    broken: bool = False
    airbound: bool = False  # it turns without moving water
    phase_lost: bool = False
    ran_s: float = 0.0  # since its last start
    spared_s: float = 0.0  # for so long, it is the last to be relieved
    current_a: float = 0.0
    hertz: float = 0.0

    @property
    def pumping(self) -> bool:
        return self.running and not self.airbound


class BoosterSet:
    """`parameters` are the facility's of the estate file: `setpoint`, `pump_1.rated_current`."""

    def __init__(
        self,
        seed: int,
        name: str,
        *,
        pumps: Sequence[str],
        sump_pumps: Sequence[str],
        parameters: Mapping[str, float],
        backup_feed: bool,
    ) -> None:
        random = source(seed, name)
        self.backup_feed = backup_feed
        self.setpoint_mpa = parameters.get("setpoint", 0.35)
        self.pumps = [Pump(key, parameters.get(f"{key}.rated_current", 15.0)) for key in pumps]
        self.sump_pumps = list(sump_pumps)
        self.burst = 0.0  # leaking conductance, in full flows of one pump at the setpoint
        self.inlet_shut = False
        self.flooded = False
        self.door_open = False
        self.damp = False  # warm wet air comes in: plum rain on cold pipes
        self._damp_share = 0.0
        self.chlorine_mg_l = _CHLORINE_MG_L
        self.disinfected = True  # False: nothing is dosed and what there is decays
        self.cycling: Pump | None = None  # it goes to sleep and is woken, over and over: a flat pressure vessel
        self._asleep_s: float | None = None
        self.pressure_mpa = self.setpoint_mpa
        self.speed = 0.86
        self.flow_m3h = 0.0
        self.total_m3 = random.uniform(20_000.0, 90_000.0)
        self.tank_percent = 76.0
        self.tank_m3 = 60.0
        self.sump_m = random.uniform(0.35, 0.55)
        self.sump_running = False
        self._pump_m3h = 24.0  # of one pump at full speed against the setpoint
        self._peak = 0.72 if len(pumps) < 3 else 1.35  # in full flows of one pump
        self._integral = self.speed
        self._wanted = 1
        self._turn = random.randrange(len(pumps))
        self._missing_s = 0.0
        self._high_s = self._full_s = self._low_s = self._overlap_s = 0.0
        self._since_staging_s = _STAGED_MIN_S
        self._begin(random.uniform(600.0, _DUTY_CHANGE_S / 2))
        self._demand = Drift(source(seed, name, "demand"), 0.05, 90.0)
        self._noise = Drifts(
            seed,
            name,
            {
                "inlet": (0.003, 120.0), "gauge": (0.0008, 2.0), "current": (0.008, 10.0), "chlorine": (0.08, 5400.0),
                "turbidity": (0.035, 3600.0), "ph": (0.06, 7200.0), "water": (0.5, 14400.0), "room": (0.5, 3600.0),
                "humidity": (2.0, 3600.0),
            },
        )  # fmt: skip
        self._fed = True
        self._backed = backup_feed
        self._outdoor_temp_c = 15.0

    def step(self, dt_s: float, surroundings: Surroundings) -> None:
        self._fed = surroundings.mains_ok
        self._backed = self.backup_feed and surroundings.backup_ok
        self._outdoor_temp_c = surroundings.outdoor_temp_c
        self._noise.step(dt_s)
        demand = self._peak * of_the_day(_DEMAND, surroundings.hour) * (1.0 + self._demand.step(dt_s))
        self._manage_pumps(dt_s)
        self._move_water(dt_s, demand)
        self._control_speed(dt_s)
        self._balance_tank(dt_s)
        self._drain_sump(dt_s)
        wanted_mg_l, tau_s = (
            (_CHLORINE_MG_L, _CHLORINE_DOSED_S) if self.disinfected else (_CHLORINE_LEFT, _CHLORINE_DECAY_S)
        )
        self.chlorine_mg_l = towards(self.chlorine_mg_l, wanted_mg_l, dt_s, tau_s)
        self._damp_share = towards(self._damp_share, float(self.damp), dt_s, _DAMP_TAU_S)

    def running(self) -> list[Pump]:
        return [pump for pump in self.pumps if pump.running]

    def duty(self) -> Pump:
        """The pump that has run longest, or the first if none runs."""
        return max(self.running() or self.pumps[:1], key=lambda pump: pump.ran_s)

    def pump(self, key: str) -> Pump:
        return next(pump for pump in self.pumps if pump.key == key)

    def prefer(self, key: str) -> None:
        """The pump runs now if any does, and is the last to be relieved: what was done to it is to be seen."""
        pump, duty = self.pump(key), self.duty()
        if not pump.running and duty.running:
            pump.running = True
            duty.running, duty.ran_s = False, 0.0
        pump.spared_s = _SPARED_S

    @property
    def ats_position(self) -> str:
        """The transfer switch is faster than anybody looks."""
        if self._fed:
            return "main"
        return "backup" if self._backed else "off"

    @property
    def powered(self) -> bool:
        return self.ats_position != "off"

    def values(self) -> dict[str, Value]:
        """What the sensors say, at the resolution of their kind."""
        noise = self._noise.values
        demand = self.flow_m3h / (self._peak * self._pump_m3h)
        dry = 60.0 + noise["humidity"]
        values: dict[str, Value] = {
            "outlet_pressure": round(max(self.pressure_mpa + noise["gauge"], 0.0), 4),
            "inlet_pressure": round(0.235 - 0.025 * min(demand, 1.2) + noise["inlet"], 4),
            "tank_level": round(self.tank_percent, 2),
            "tank_overflow": self.tank_percent >= 99.0,
            "flow_rate": round(self.flow_m3h, 2),
            "flow_total": round(self.total_m3, 2),
            "free_chlorine": round(self.chlorine_mg_l * (1.0 + noise["chlorine"]), 3),
            "turbidity": round(0.28 + noise["turbidity"], 3),
            "ph": round(7.42 + noise["ph"], 2),
            "water_temp": round(17.5 + noise["water"], 1),
            "disinfection_fault": False,
            "sump_level": round(self.sump_m, 3),
            "sump_float_high": self.sump_m > _SUMP_HIGH,
            "sump_float_very_high": self.sump_m > _SUMP_VERY_HIGH,
            "flood": self.flooded,
            "room_temp": round(18.0 + 0.3 * (self._outdoor_temp_c - 15.0) + noise["room"], 1),
            "room_humidity": round(dry + self._damp_share * (_DAMP_PERCENT - dry), 1),
            "door_open": self.door_open,
            "tank_hatch": False,
            "tank_cleaned": False,
            "mains_ok": self.powered,
            "ats_position": self.ats_position,
        }
        for pump in self.pumps:
            values[f"{pump.key}.run"] = pump.running
            values[f"{pump.key}.fault"] = pump.broken
            values[f"{pump.key}.vfd_frequency"] = round(pump.hertz, 2)
            values[f"{pump.key}.motor_current"] = round(pump.current_a, 2)
            values[f"{pump.key}.phase_loss"] = pump.phase_lost
        for index, key in enumerate(self.sump_pumps):
            values[f"{key}.run"] = self.sump_running and index == 0 and self.powered
            values[f"{key}.fault"] = False
        return values

    # ------------------------------------------------------------------ pumps

    def _begin(self, ran_s: float) -> None:
        first = self.pumps[self._turn]
        first.running, first.ran_s = True, ran_s

    def _manage_pumps(self, dt_s: float) -> None:
        powered = self.powered and self.tank_percent > _DRY_RUN_STOP
        available = [pump for pump in self.pumps if not pump.broken]
        for pump in self.pumps:
            if pump.running and (pump.broken or not powered):
                pump.running = False
            pump.ran_s = pump.ran_s + dt_s if pump.running else 0.0
            pump.spared_s = max(0.0, pump.spared_s - dt_s)
        sleeping = self._nap(dt_s)
        self._since_staging_s += dt_s
        self._overlap_s = max(0.0, self._overlap_s - dt_s)
        running = self.running()
        wanted = min(self._wanted + (self._overlap_s > 0.0), len(available)) - sleeping if powered else 0
        self._missing_s = self._missing_s + dt_s if len(running) < wanted else 0.0
        if self._missing_s >= _TAKE_OVER_S or (self._missing_s and self._overlap_s):
            self._start_next()
        elif len(running) > wanted:
            max(running, key=lambda pump: (not pump.spared_s, pump.ran_s)).running = False
        elif running and len(running) < len(available) and self._duty_is_over():
            self._overlap_s = self._overlap_s or 10.0
        self._stage(dt_s, len(running), len(available))

    def _nap(self, dt_s: float) -> bool:
        """Whether a pump sleeps that should run: its flat vessel says that there is pressure enough."""
        pump, share = self.cycling, self.pressure_mpa / self.setpoint_mpa
        if pump is None:
            self._asleep_s = None
        elif self._asleep_s is not None:
            self._asleep_s += dt_s
            if self._asleep_s >= _NAP_S or share < 0.94:
                self._asleep_s, pump.running, pump.ran_s = None, True, 0.0
        elif pump.running and pump.ran_s >= _AWAKE_S and share >= 0.985:
            self._asleep_s, pump.running = 0.0, False
        return self._asleep_s is not None

    def _duty_is_over(self) -> bool:
        duty = self.duty()
        return duty.ran_s > _DUTY_CHANGE_S and not duty.spared_s

    def _start_next(self) -> None:
        for _ in self.pumps:
            self._turn = (self._turn + 1) % len(self.pumps)
            pump = self.pumps[self._turn]
            if not pump.running and not pump.broken:
                pump.running, pump.ran_s = True, 0.0
                return

    def _stage(self, dt_s: float, running: int, available: int) -> None:
        low = self.pressure_mpa < self.setpoint_mpa * 0.97
        self._high_s = self._high_s + dt_s if self.speed > 0.98 and low and running == self._wanted else 0.0
        self._full_s = self._full_s + dt_s if self.speed > 0.98 and running == self._wanted else 0.0
        easy = self.speed < 0.9 and self.flow_m3h < 0.78 * self._pump_m3h * (self._wanted - 1)
        self._low_s = self._low_s + dt_s if easy else 0.0
        self._wanted = max(1, min(self._wanted, available))
        needed = self._high_s >= _STAGE_UP_S or self._full_s >= _FULL_SPEED_S
        if needed and self._wanted < available:
            self._wanted += 1
            self._high_s = self._full_s = self._since_staging_s = 0.0
        elif self._low_s >= _STAGE_DOWN_S and self._wanted > 1 and self._since_staging_s >= _STAGED_MIN_S:
            self._wanted -= 1
            self._low_s = 0.0

    # ------------------------------------------------------------------ water

    def _move_water(self, dt_s: float, demand: float) -> None:
        """Where the pumps' curve meets the building's.

        With head h0 s^2 - k (q/n)^2 and demand D sqrt(p), in units of the setpoint and of one pump's full flow, they
        meet at p = h0 s^2 / (1 + k D^2 / n^2).
        """
        conductance = demand + self.burst
        pumping = sum(pump.pumping for pump in self.pumps)
        p = self.pressure_mpa / self.setpoint_mpa
        if pumping:
            resisted = 1.0 + (_SHUTOFF_HEAD - 1.0) * (conductance / pumping) ** 2
            p = towards(p, _SHUTOFF_HEAD * self.speed**2 / resisted, dt_s, 2.0)
        else:  # only the pressure vessel is left
            p = towards(p, 0.0, dt_s, 25.0 / max(conductance, 0.05))
        self.pressure_mpa = p * self.setpoint_mpa
        self.flow_m3h = conductance * math.sqrt(max(p, 0.0)) * self._pump_m3h
        self.total_m3 += self.flow_m3h * dt_s / 3600.0
        share = self.flow_m3h / self._pump_m3h / max(pumping, 1)
        for pump in self.pumps:
            self._load(pump, share)

    def _load(self, pump: Pump, share: float) -> None:
        if not pump.running:
            pump.current_a = pump.hertz = 0.0
            return
        pump.hertz = 50.0 * self.speed
        torque = 0.22 + 0.66 * self.speed**2 * (0.55 + 0.45 * share) if pump.pumping else 0.17 + 0.03 * self.speed
        pump.current_a = pump.rated_current_a * min(torque, 0.97) * (1.0 + self._noise.values["current"])

    def _control_speed(self, dt_s: float) -> None:
        if not any(pump.running for pump in self.pumps):
            self._integral = self.speed = _SPEED_MIN
            return
        error = (self.setpoint_mpa - self.pressure_mpa) / self.setpoint_mpa
        self._integral = min(max(self._integral + 0.06 * error * dt_s, _SPEED_MIN), 1.0)
        wanted = min(max(self._integral + 0.05 * error, _SPEED_MIN), 1.0)
        slew = _SPEED_SLEW * dt_s
        self.speed += min(max(wanted - self.speed, -slew), slew)

    def _balance_tank(self, dt_s: float) -> None:
        opening = 0.0 if self.inlet_shut else min(max((_TANK_FULL - self.tank_percent) / _TANK_BAND, 0.0), 1.0)
        inflow = 1.5 * self._peak * self._pump_m3h * opening
        net = (inflow - self.flow_m3h) * dt_s / 3600.0
        self.tank_percent = min(max(self.tank_percent + 100.0 * net / self.tank_m3, 0.0), 100.0)

    def _drain_sump(self, dt_s: float) -> None:
        self.sump_m = max(
            self.sump_m + (-0.12 / 60.0 if self.sump_running and self.powered else 0.06 / 3600.0) * dt_s, 0.05
        )
        self.sump_running = self.sump_m > (_SUMP_OFF if self.sump_running else _SUMP_ON)
