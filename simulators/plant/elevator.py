"""A passenger lift: calls by the hour, a car that travels, doors that open and close, people who get in and out.

One person or party is served at a time, as on a quiet day in a residential block. The counters are those of the
controller; the state is what a monitoring terminal reads from it.
"""

from collections.abc import Mapping
from enum import StrEnum

from simulators.plant.noise import Drift, of_the_day, source, towards
from simulators.plant.surroundings import Surroundings, Value
from simulators.reporting import EVENT, ON_CHANGE, Report, counted, measured

# Calls an hour, each hour from midnight: out in the morning, home in the evening.
_CALLS = (3, 1.5, 1, 1, 1.5, 5, 18, 34, 30, 18, 15, 18, 22, 18, 14, 14, 18, 28, 36, 32, 26, 20, 12, 6)

_RATED_SPEED_MS = 1.75
_FLOOR_M = 3.0
_FLOORS = 18
_DOOR_S = 3.0
_DWELL_S = 6.0
_RESCUE_SPEED_MS = 0.3  # on the rescue device's battery, or by hand
_BUTTON_AFTER_S, _BUTTON_FOR_S = 40.0, 6.0  # a trapped passenger finds the alarm button, and holds it
_UNCOOLED_C, _UNCOOLED_TAU_S = 39.0, 300.0  # a machine room under the roof on a summer's day
_TERMINAL_AFTER_S = 30.0  # until the terminal is sure that somebody is trapped

REPORTS: Mapping[str, Report] = {
    "service_mode": ON_CHANGE,
    "car_direction": ON_CHANGE,
    "car_moving": ON_CHANGE,
    "current_floor": ON_CHANGE,
    "in_door_zone": ON_CHANGE,
    "door_state": ON_CHANGE,
    "occupied": ON_CHANGE,
    "speed": measured(600.0, 0.5),
    "trip_count": ON_CHANGE,
    "run_time": counted(300.0),
    "run_distance": counted(300.0),
    "door_cycles": ON_CHANGE,
    "rope_bends": counted(300.0),
    "passenger_trapped": ON_CHANGE,
    "car_alarm_button": EVENT,
    "overspeed": ON_CHANGE,
    "over_travel_top": ON_CHANGE,
    "over_travel_bottom": ON_CHANGE,
    "unintended_car_movement": ON_CHANGE,
    "safety_chain_open": ON_CHANGE,
    "motor_run_time_limiter": ON_CHANGE,
    "floor_position_lost": ON_CHANGE,
    "brake_fault": ON_CHANGE,
    "ebike_in_car": ON_CHANGE,
    "mains_ok": ON_CHANGE,
    "machine_room_temp": measured(300.0, 1.0),
}


class Phase(StrEnum):
    """What the controller is doing."""

    WAITING = "waiting"  # at a floor, doors closed
    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"
    TRAVELLING = "travelling"
    STUCK = "stuck"  # stopped between floors


class Elevator:
    """Faults set `stick` (it stops between floors as soon as somebody travels), `jam` (its door stays half shut),
    `held` (somebody keeps its door open at the next floor) and `reopens` (its door meets something and opens again).

    Each calls the car, so that it shows within a minute or two even at night. `ebike` is what its camera sees, `uncooled`
    a machine room whose air conditioning is out.
    """

    def __init__(self, seed: int, name: str) -> None:
        self._random = source(seed, name)
        self.phase = Phase.WAITING
        self.stick = False
        self.jam = False
        self.held = False
        self.reopens = False
        self.ebike = False
        self.uncooled = False
        self.occupied = False
        self.trapped = False  # what the terminal believes, from half a minute on until they are out
        self.speed_ms = 0.0
        self.height_m = self._random.randrange(_FLOORS) * _FLOOR_M
        self.trips = self._random.randrange(200_000, 900_000)
        self.door_cycles = int(self.trips * 1.1)
        self.run_s = self.trips * 14.0
        self.run_m = self.trips * 17.0
        self._phase_s = 0.0
        self._stops: list[tuple[int, bool]] = []  # floor, and whether somebody is on board when the car leaves it
        self._to_floor = self.floor
        self._mains_ok = True
        self._loss_c = 0.0
        self._room_temp = Drift(source(seed, name, "room"), 0.6, 3600.0)
        self._outdoor_temp_c = 15.0
        self._uncooled_share = 0.0  # of the way to what the room comes to without cooling

    @property
    def floor(self) -> int:
        return round(self.height_m / _FLOOR_M) + 1

    @property
    def in_door_zone(self) -> bool:
        return abs(self.height_m - (self.floor - 1) * _FLOOR_M) < 0.2

    def step(self, dt_s: float, surroundings: Surroundings) -> None:
        self._mains_ok = surroundings.mains_ok
        self._outdoor_temp_c = surroundings.outdoor_temp_c
        self._room_temp.step(dt_s)
        self._uncooled_share = towards(self._uncooled_share, float(self.uncooled), dt_s, _UNCOOLED_TAU_S)
        self._loss_c = towards(self._loss_c, 4.0 if self.speed_ms else 0.0, dt_s, 1800.0)
        self._call(dt_s, of_the_day(_CALLS, surroundings.hour))
        self._phase_s += dt_s
        stuck = self.phase is Phase.STUCK and self._phase_s >= _TERMINAL_AFTER_S
        self.trapped = self.occupied and (self.trapped or stuck)
        match self.phase:
            case Phase.WAITING:
                self._wait()
            case Phase.OPENING:
                if self._phase_s >= _DOOR_S:
                    self._enter(Phase.OPEN)
            case Phase.OPEN:
                self._stand_open()
            case Phase.CLOSING:
                self._close()
            case Phase.TRAVELLING:
                self._travel(dt_s)
            case Phase.STUCK:
                if not self.stick:
                    self._enter(Phase.TRAVELLING)

    def _enter(self, phase: Phase) -> None:
        self.phase, self._phase_s = phase, 0.0

    # ------------------------------------------------------------------ service

    def _call(self, dt_s: float, calls_per_hour: float) -> None:
        """Half of the calls go up from the ground floor, half come down to it."""
        by_chance = self._random.random() < calls_per_hour * dt_s / 3600.0
        struck = self.stick or self.jam or self.held or self.reopens
        forced = struck and not self._stops and self.phase is Phase.WAITING
        if len(self._stops) > 4 or not (by_chance or forced):
            return
        upper = self._random.randrange(3, _FLOORS + 1)
        upwards = self._random.random() < 0.5
        self._stops.extend([(1, True), (upper, False)] if upwards else [(upper, True), (1, False)])

    def _wait(self) -> None:
        if not self._mains_ok:
            if self.occupied:  # the rescue device lets them out
                self._enter(Phase.OPENING)
            return
        if not self._stops:
            return
        self._to_floor = self._stops[0][0]
        if self._to_floor == self.floor:
            self._enter(Phase.OPENING)
        else:
            self.trips += 1
            self._enter(Phase.TRAVELLING)

    def _stand_open(self) -> None:
        if not self._mains_ok:
            self.occupied = False
        elif self._stops and self._stops[0][0] == self.floor and self._phase_s >= _DWELL_S / 2:
            self.occupied = self._stops.pop(0)[1]
        if self._phase_s >= _DWELL_S and not self.held:
            self._enter(Phase.CLOSING)

    def _close(self) -> None:
        if self.reopens and self._phase_s >= _DOOR_S / 2:
            self._enter(Phase.OPENING)
        elif self._phase_s >= _DOOR_S and not self.jam:
            self.door_cycles += 1
            self._enter(Phase.WAITING)

    def _travel(self, dt_s: float) -> None:
        target_m = (self._to_floor - 1) * _FLOOR_M
        speed = _RATED_SPEED_MS
        if not self._mains_ok:  # the rescue device takes it to the nearest floor
            speed, target_m = _RESCUE_SPEED_MS, (self.floor - 1) * _FLOOR_M
        way_m = target_m - self.height_m
        moved_m = min(abs(way_m), speed * dt_s)
        self.height_m += moved_m if way_m > 0 else -moved_m
        self.speed_ms = (speed if way_m > 0 else -speed) if moved_m else 0.0
        self.run_s += dt_s
        self.run_m += moved_m
        if abs(target_m - self.height_m) < 0.001:
            self._arrive()
        elif self.stick and self.occupied and not self.in_door_zone:
            self.speed_ms = 0.0
            self._enter(Phase.STUCK)

    def _arrive(self) -> None:
        self.speed_ms = 0.0
        self._enter(Phase.OPENING)

    # ------------------------------------------------------------------ what the terminal says

    def values(self) -> dict[str, Value]:
        stuck_s = self._phase_s if self.phase is Phase.STUCK and self.occupied else 0.0
        door = self.phase if self.phase in (Phase.OPENING, Phase.OPEN, Phase.CLOSING) else "closed"
        return {
            "service_mode": "normal",
            "car_direction": "up" if self.speed_ms > 0 else "down" if self.speed_ms < 0 else "stop",
            "car_moving": self.speed_ms != 0.0,
            "current_floor": self.floor,
            "in_door_zone": self.in_door_zone,
            "door_state": str(door),
            "occupied": self.occupied,
            "speed": round(abs(self.speed_ms), 2),
            "trip_count": self.trips,
            "run_time": round(self.run_s / 3600.0, 3),
            "run_distance": round(self.run_m / 1000.0, 3),
            "door_cycles": self.door_cycles,
            "rope_bends": self.trips * 3,
            "passenger_trapped": self.trapped,
            "car_alarm_button": _BUTTON_AFTER_S <= stuck_s < _BUTTON_AFTER_S + _BUTTON_FOR_S,
            "overspeed": False,
            "over_travel_top": False,
            "over_travel_bottom": False,
            "unintended_car_movement": False,
            "safety_chain_open": False,
            "motor_run_time_limiter": False,
            "floor_position_lost": False,
            "brake_fault": False,
            "ebike_in_car": self.ebike,
            "mains_ok": self._mains_ok,
            "machine_room_temp": round(self._machine_room_c(), 1),
        }

    def _machine_room_c(self) -> float:
        cooled_c = 24.0 + 0.4 * (self._outdoor_temp_c - 15.0) + self._loss_c + self._room_temp.value
        return cooled_c + self._uncooled_share * (_UNCOOLED_C - cooled_c)
