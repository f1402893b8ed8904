"""A fire pump room: hydrant and sprinkler mains, a diesel pump where there is one, supplies, selectors, valves, room.

The pumps themselves are in `ring_main`. Once a week, at night, the panel turns every main pump slowly for some minutes
and writes down how that went; the contactors stay open meanwhile, so nothing runs.
"""

from collections.abc import Mapping, Sequence

from simulators.plant.noise import Drifts, source, towards
from simulators.plant.ring_main import FirePump, JockeyPump, RingMain
from simulators.plant.surroundings import Surroundings, Value
from simulators.reporting import ON_CHANGE, Report, measured, repeated

_INSPECTION_AFTER_S = 6.0 * 86400.0
_INSPECTION_HOURS = (2.0, 4.0)
_ATS_S = 1.2
_FLOAT_V, _RUNNING_V, _REST_V = 27.2, 28.1, 25.7
_FUEL_H = 6.0  # what a full tank of the diesel lasts
_SYSTEMS = ("hydrant", "sprinkler")
_START, _JOCKEY_START, _JOCKEY_STOP = (0.60, 0.70), (0.68, 0.78), (0.73, 0.83)

REPORTS: Mapping[str, Report] = {
    "hydrant_pressure": measured(60.0, 0.02),
    "sprinkler_pressure": measured(60.0, 0.02),
    "worst_point_static_pressure": measured(60.0, 0.02),
    "sprinkler_worst_point_static_pressure": measured(60.0, 0.02),
    "hydrant_dynamic_pressure": ON_CHANGE,
    **{
        f"{kind}.{point}": ON_CHANGE
        for kind in ("hydrant_pump", "sprinkler_pump", "diesel_pump")
        for point in ("run", "fault", "start_time_to_rated")
    },
    "jockey_pump.run": ON_CHANGE,
    "jockey_pump.fault": ON_CHANGE,
    "diesel_pump.selector": ON_CHANGE,
    "diesel_pump.battery_voltage": measured(60.0, 0.3),
    "diesel_pump.fuel_level": measured(60.0, 1.0),
    **{f"{system}_selector": ON_CHANGE for system in (*_SYSTEMS, "jockey")},
    **{f"{system}_{switch}_switch": ON_CHANGE for system in _SYSTEMS for switch in ("pressure", "flow")},
    "alarm_valve_pressure_switch": ON_CHANGE,
    "power_a_ok": ON_CHANGE,
    "power_b_ok": ON_CHANGE,
    "ats_time": ON_CHANGE,
    "auto_inspection_result": repeated("auto_inspections"),
    "valve.position": ON_CHANGE,
    "room_temp": measured(60.0, 1.0),
    "room_humidity": measured(60.0, 3.0),
    "flood": ON_CHANGE,
    "door_open": ON_CHANGE,
}


class FirePumpRoom:
    """`parameters` are the facility's of the estate file. Parts are shared among the systems in their order."""

    def __init__(
        self,
        seed: int,
        name: str,
        *,
        hydrant_pumps: Sequence[str],
        sprinkler_pumps: Sequence[str],
        jockey_pumps: Sequence[str],
        diesel_pumps: Sequence[str],
        valves: Sequence[str],
        parameters: Mapping[str, float],
        second_feed: bool = True,
    ) -> None:
        random = source(seed, name)
        self.selectors: dict[str, str] = dict.fromkeys((*_SYSTEMS, "jockey", "diesel"), "auto")
        self.diesel = FirePump(diesel_pumps[0], spin_up_s=4.5, start_time_s=11.0) if diesel_pumps else None
        self.jockeys = [JockeyPump(key) for key in jockey_pumps]
        self.mains: dict[str, RingMain] = {}
        share = (len(self.jockeys) + 1) // 2 if sprinkler_pumps else len(self.jockeys)
        for index, (system, keys) in enumerate(zip(_SYSTEMS, (hydrant_pumps, sprinkler_pumps), strict=True)):
            low = parameters.get(f"{system}_jockey_start", _JOCKEY_START[index])
            high = parameters.get(f"{system}_jockey_stop", _JOCKEY_STOP[index])
            self.mains[system] = RingMain(
                parameters.get(f"{system}_main_start", _START[index]),
                low,
                high,
                [FirePump(key, start_time_s=round(random.uniform(5.0, 8.0), 1)) for key in keys],
                self.jockeys[share:] if index else self.jockeys[:share],
                random.uniform(low, high),
                diesel=None if index else self.diesel,
            )
        self.valves = dict.fromkeys(valves, "open")
        self._worst_least = {
            "hydrant": parameters.get("worst_point_static_min", 0.07),
            "sprinkler": parameters.get("sprinkler_worst_point_static_min", 0.10),
        }
        self.charger_failed = False
        self.battery_rest_v = _REST_V
        self.battery_v = _FLOAT_V
        self.fuel_percent = random.uniform(90.0, 99.0)
        self.flooded = False
        self.door_open = False
        self.inspections = 0
        self.inspection_result = "pass"
        self._inspected_s = random.uniform(0.0, _INSPECTION_AFTER_S)  # ago
        self.feed_a_lost = False  # its own breaker, not the city's mains
        self._second_feed = second_feed
        self._power_a = self._power_b = True
        self._on_b = False
        self._ats_s = round(random.uniform(0.8, _ATS_S), 1)
        self._noise = Drifts(
            seed,
            name,
            {
                "gauge": (0.0006, 60.0), "worst": (0.0008, 60.0), "battery": (0.03, 600.0), "room": (0.5, 3600.0),
                "humidity": (2.0, 3600.0),
            },
        )  # fmt: skip
        self._outdoor_temp_c = 15.0

    def step(self, dt_s: float, surroundings: Surroundings) -> None:
        self._outdoor_temp_c = surroundings.outdoor_temp_c
        self._noise.step(dt_s)
        self._switch_supply(surroundings)
        for system, main in self.mains.items():
            main.step(
                dt_s,
                powered=self.powered,
                auto=self.selectors[system] == "auto",
                jockey_auto=self.selectors["jockey"] == "auto",
                diesel_auto=self.selectors["diesel"] == "auto",
                water=surroundings.water_ok,
            )
        if self.diesel is not None:
            self._keep_diesel(dt_s, self.diesel)
        self._inspect(dt_s, surroundings.hour)

    @property
    def powered(self) -> bool:
        return self._power_a or self._power_b

    @property
    def pumps(self) -> list[FirePump]:
        electric = [pump for main in self.mains.values() for pump in main.pumps]
        return electric if self.diesel is None else [*electric, self.diesel]

    @property
    def drawn_m3h(self) -> float:
        """What it takes out of its tank."""
        return sum(main.flow_l_s for main in self.mains.values() if main.pumping) * 3.6

    def pump(self, key: str) -> FirePump:
        return next(pump for pump in self.pumps if pump.key == key)

    def main_behind(self, valve: str) -> RingMain:
        """The main that a valve can shut: valves are shared among the systems in their order."""
        mains = list(self.mains.values())
        return mains[list(self.valves).index(valve) % len(mains)]

    def turn_valve(self, valve: str, position: str) -> None:
        self.valves[valve] = position
        self.main_behind(valve).valve_shut = position == "closed"

    # ------------------------------------------------------------------ what happens by itself

    def _switch_supply(self, surroundings: Surroundings) -> None:
        self._power_a = surroundings.mains_ok and not self.feed_a_lost
        self._power_b = surroundings.backup_ok and self._second_feed
        on_b = not self._power_a and self._power_b
        if on_b != self._on_b and self.powered:
            self._ats_s = round(_ATS_S - 0.1 * (self.inspections % 3), 1)
            self._on_b = on_b

    def _keep_diesel(self, dt_s: float, diesel: FirePump) -> None:
        if diesel.running:
            self.battery_v = towards(self.battery_v, _RUNNING_V, dt_s, 20.0)
            self.fuel_percent = max(self.fuel_percent - 100.0 * dt_s / 3600.0 / _FUEL_H, 0.0)
            if not self.fuel_percent:
                diesel.stop()
        elif self.charger_failed or not self.powered:
            self.battery_v = towards(self.battery_v, self.battery_rest_v, dt_s, 90.0)
        else:
            self.battery_v = towards(self.battery_v, _FLOAT_V, dt_s, 60.0)

    def _inspect(self, dt_s: float, hour: float) -> None:
        self._inspected_s += dt_s
        due = self._inspected_s >= _INSPECTION_AFTER_S and _INSPECTION_HOURS[0] <= hour < _INSPECTION_HOURS[1]
        in_auto = all(self.selectors[system] == "auto" for system in self.mains)
        if due and in_auto and self.powered and not any(pump.running for pump in self.pumps):
            self._inspected_s = 0.0
            self.inspections += 1
            self.inspection_result = "fail" if any(pump.broken for pump in self.pumps) else "pass"

    # ------------------------------------------------------------------ what the sensors say

    def values(self) -> dict[str, Value]:
        noise = self._noise.values
        values: dict[str, Value] = {
            "hydrant_dynamic_pressure": 0.41,
            "alarm_valve_pressure_switch": False,
            "jockey_selector": self.selectors["jockey"],
            "power_a_ok": self._power_a,
            "power_b_ok": self._power_b,
            "ats_time": self._ats_s,
            "auto_inspection_result": self.inspection_result,
            "auto_inspections": self.inspections,
            "room_temp": round(16.5 + 0.3 * (self._outdoor_temp_c - 15.0) + noise["room"], 1),
            "room_humidity": round(62.0 + noise["humidity"], 1),
            "flood": self.flooded,
            "door_open": self.door_open,
        }
        for system, main in self.mains.items():
            values |= self._of_main(system, main, noise)
        for jockey in self.jockeys:
            values[f"{jockey.key}.run"] = jockey.running
            values[f"{jockey.key}.fault"] = jockey.broken
        for pump in self.pumps:
            values[f"{pump.key}.run"] = pump.running
            values[f"{pump.key}.fault"] = pump.broken
            values[f"{pump.key}.start_time_to_rated"] = round(pump.start_time_s, 1)
        if self.diesel is not None:
            values[f"{self.diesel.key}.selector"] = self.selectors["diesel"]
            values[f"{self.diesel.key}.battery_voltage"] = round(self.battery_v + noise["battery"], 2)
            values[f"{self.diesel.key}.fuel_level"] = round(self.fuel_percent, 1)
        for valve, position in self.valves.items():
            values[f"{valve}.position"] = position
        return values

    def _of_main(self, system: str, main: RingMain, noise: Mapping[str, float]) -> dict[str, Value]:
        least = self._worst_least[system]
        at_worst = main.pressure_mpa - main.jockey_start_mpa + max(least + 0.06, 0.17)
        if main.valve_shut:  # the roof tank still stands on it
            at_worst = least + 0.012
        worst = "worst_point_static_pressure" if system == "hydrant" else f"{system}_worst_point_static_pressure"
        return {
            f"{system}_pressure": round(main.pressure_mpa + noise["gauge"], 4),
            worst: round(max(at_worst + noise["worst"], 0.0), 4),
            f"{system}_selector": self.selectors[system],
            f"{system}_pressure_switch": main.pressure_switch,
            f"{system}_flow_switch": main.flow_switch,
        }
