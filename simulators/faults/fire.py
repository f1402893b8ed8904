"""Fire pump rooms and their tanks: what fails silently until there is a fire, and pumps that run without one."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from simulators.plant.fire_pump import FirePumpRoom
from simulators.plant.fire_tank import FireTank
from simulators.plant.ring_main import RingMain
from simulators.scene import Expected, Fault, Scene, after, forbidden, suppressed

_ROOM, _TANK = "fire_pump_room", "fire_water_tank"
_LIE_MPA, _LIE_OVER_S = -0.07, 600.0


# ------------------------------------------------------------------ pumps and mains


def _select(scene: Scene, *, position: str) -> None:
    scene.plant(FirePumpRoom).selectors["hydrant"] = position


def _of_manual(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("hydrant_not_auto", "critical", "fire", after(120), after(5)),
        *forbidden(scene, "fire", "critical", "hydrant_pressure_very_low", "sprinkler_not_auto"),
        *forbidden(scene, "fire", "life_safety", "hydrant_pressure_switch_no_start", "hydrant_flow_switch_no_start"),
    )


def _leaking(scene: Scene) -> RingMain:
    """The main that the struck jockey pump holds."""
    mains = scene.plant(FirePumpRoom).mains.values()
    return next(main for main in mains if scene.part in [jockey.key for jockey in main.jockeys])


def _spring_leak(scene: Scene) -> None:
    """As much as makes every jockey come nearly forty times an hour, be there one or two."""
    main = _leaking(scene)
    main.leak_l_s = 0.135 if len(main.jockeys) == 1 else 0.5


def _stop_leak(scene: Scene) -> None:
    _leaking(scene).leak_l_s = 0.0


def _of_jockey_leak(scene: Scene) -> Sequence[Expected]:
    """Sixteen starts within an hour; it returns when the first of them are an hour ago, and a quarter more."""
    return (
        *(
            Expected("jockey_starts_frequent", "warning", "fire", (1020, 2150), (1800, 5000), part=jockey.key)
            for jockey in _leaking(scene).jockeys
        ),
        *forbidden(scene, "fire", "warning", "hydrant_pressure_low", "sprinkler_pressure_low"),
        *forbidden(scene, "fire", "critical", "hydrant_pressure_very_low", "sprinkler_pressure_very_low"),
    )


def _press_start(scene: Scene) -> None:
    scene.plant(FirePumpRoom).pump(scene.struck_part).start()


def _press_stop(scene: Scene) -> None:
    scene.plant(FirePumpRoom).pump(scene.struck_part).stop()


def _of_run(scene: Scene) -> Sequence[Expected]:
    """Nobody has a permit for it, so it is a fire until somebody has looked."""
    return (
        Expected("hydrant_pump_running", "life_safety", "fire", after(2), after(5), part=scene.part),
        *suppressed(scene, "fire", "warning", "hydrant_pressure_high"),
        *forbidden(scene, "fire", "critical", "hydrant_pressure_not_built"),
    )


def _open_hydrant(scene: Scene) -> None:
    scene.plant(FirePumpRoom).mains["hydrant"].drawn_l_s = 10.0


def _close_hydrant(scene: Scene) -> None:
    """The fire is out; whoever is in charge stops the pumps."""
    plant = scene.plant(FirePumpRoom)
    plant.mains["hydrant"].drawn_l_s = 0.0
    for pump in plant.mains["hydrant"].pumps:
        pump.stop()


def _of_hydrant(scene: Scene) -> Sequence[Expected]:
    duty = scene.plant(FirePumpRoom).mains["hydrant"].pumps[0]
    return (
        Expected("hydrant_pump_running", "life_safety", "fire", (2, 40), after(5), part=duty.key),
        *suppressed(scene, "fire", "warning", "hydrant_pressure_high", "hydrant_pressure_low"),
        *suppressed(scene, "fire", "critical", "hydrant_pressure_very_low"),
        *forbidden(scene, "fire", "life_safety", "hydrant_flow_switch_no_start", "hydrant_pressure_switch_no_start"),
    )


def _shut_valve(scene: Scene) -> None:
    scene.plant(FirePumpRoom).turn_valve(scene.struck_part, "closed")


def _open_valve(scene: Scene) -> None:
    scene.plant(FirePumpRoom).turn_valve(scene.struck_part, "open")


def _of_valve(scene: Scene) -> Sequence[Expected]:
    """The roof tank still gives the static pressure: only the valve itself tells."""
    return (
        Expected("valve_closed", "critical", "fire", after(10), after(5), part=scene.part),
        *forbidden(scene, "fire", "critical", "hydrant_static_pressure_low", "hydrant_pressure_very_low"),
    )


def _start_lying(scene: Scene) -> None:
    scene.world.lie(scene.place, "hydrant_pressure", _LIE_MPA, _LIE_OVER_S)


def _stop_lying(scene: Scene) -> None:
    scene.world.be_honest(scene.place, "hydrant_pressure")


def _of_lie(scene: Scene) -> Sequence[Expected]:
    """One sensor sinks below where the jockey should have come; its neighbours, which are honest, say nothing."""
    return (
        Expected("hydrant_pressure_low", "warning", "fire", (20, 620), (10, 1500)),
        *forbidden(scene, "fire", "critical", "hydrant_pressure_very_low", "hydrant_static_pressure_low"),
        *forbidden(scene, "fire", "warning", "hydrant_static_pressure_near_limit"),
        *forbidden(scene, "fire", "life_safety", "hydrant_pressure_switch_no_start"),
    )


# ------------------------------------------------------------------ supplies


def _lose_feed(scene: Scene) -> None:
    scene.plant(FirePumpRoom).feed_a_lost = True


def _find_feed(scene: Scene) -> None:
    scene.plant(FirePumpRoom).feed_a_lost = False


def _of_feed(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("power_a_lost", "warning", "fire", after(2), after(5)),
        *(replace(one, rung=False) for one in suppressed(scene, "fire", "critical", "power_lost")),
        *forbidden(scene, "fire", "critical", "ats_slow"),
    )


def _fail_charger(scene: Scene) -> None:
    plant = scene.plant(FirePumpRoom)
    plant.charger_failed, plant.battery_rest_v = True, 23.4


def _mend_charger(scene: Scene) -> None:
    plant = scene.plant(FirePumpRoom)
    plant.charger_failed, plant.battery_rest_v = False, 25.7


def _of_battery(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("diesel_battery_low", "warning", "fire", (160, 340), after(60, 100), part=scene.part),
        *forbidden(scene, "fire", "critical", "diesel_battery_very_low", part=scene.part),
    )


# ------------------------------------------------------------------ tanks


def _stick_float(scene: Scene) -> None:
    scene.plant(FireTank).float_stuck = True


def _free_float(scene: Scene) -> None:
    plant = scene.plant(FireTank)
    plant.float_stuck, plant.draining = False, True


def _of_overflow(scene: Scene) -> Sequence[Expected]:
    """The level tells it first; the contact in the overflow pipe lies below that."""
    return (
        Expected("fire_tank_level_overflow", "critical", "fire", (180, 560), (60, 400)),
        *suppressed(scene, "fire", "critical", "tank_overflow"),
        *forbidden(scene, "fire", "warning", "fire_tank_level_low"),
    )


def _tear(scene: Scene) -> None:
    """More than the float valve can give back."""
    plant = scene.plant(FireTank)
    plant.inlet_shut, plant.leak_m3h = True, 14.0


def _patch(scene: Scene) -> None:
    plant = scene.plant(FireTank)
    plant.inlet_shut, plant.leak_m3h = False, 0.0


def _of_reserve(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("fire_tank_level_low", "warning", "fire", (560, 780), (40, 500)),
        *forbidden(scene, "fire", "critical", "fire_tank_level_very_low", "fire_tank_level_overflow"),
    )


# ------------------------------------------------------------------ doors


def _open_door(scene: Scene) -> None:
    _with_door(scene).door_open = True


def _shut_door(scene: Scene) -> None:
    _with_door(scene).door_open = False


def _with_door(scene: Scene) -> FirePumpRoom | FireTank:
    plant = scene.world.plants[scene.place]
    assert isinstance(plant, FirePumpRoom | FireTank)
    return plant


def _of_door(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("door_open_long", "warning", "security", after(300), after(5)),
        *forbidden(scene, "environment", "warning", "room_temp_low"),
    )


FAULTS = (
    Fault(
        "fire_pump_in_manual", "消火栓泵停留在手动位", "Hydrant pumps left in manual", _ROOM,
        partial(_select, position="manual"), partial(_select, position="auto"), 360, 150, 60, _of_manual,
        needs=("hydrant_selector",),
    ),
    Fault(
        "jockey_leak", "管网渗漏，稳压泵频繁启动", "Leak keeps the jockey pump coming", _ROOM, _spring_leak, _stop_leak,
        2220, 2160, 5100, _of_jockey_leak, part_kind="jockey_pump",
    ),
    Fault(
        "fire_pump_without_permit", "消火栓泵无许可运行", "Hydrant pump runs, no permit", _ROOM, _press_start, _press_stop,
        240, 30, 240, _of_run, part_kind="hydrant_pump",
    ),
    Fault(
        "hydrant_opened", "消火栓出水", "Somebody draws from a hydrant", _ROOM, _open_hydrant, _close_hydrant, 300, 60,
        300, _of_hydrant, needs=("hydrant_selector",),
    ),
    Fault(
        "main_valve_closed", "消防主阀被关", "Main valve shut", _ROOM, _shut_valve, _open_valve, 300, 45, 60, _of_valve,
        part_kind="valve",
    ),
    Fault(
        "lying_sensor", "压力传感器缓慢失准", "Pressure sensor drifts", _ROOM, _start_lying, _stop_lying, 840, 780, 1560,
        _of_lie, needs=("hydrant_pressure",),
    ),
    Fault(
        "supply_a_lost", "消防泵房主电源失电", "Fire pumps lose supply A", _ROOM, _lose_feed, _find_feed, 300, 30, 60,
        _of_feed, needs=("power_b_ok",),
    ),
    Fault(
        "diesel_battery_low", "柴油泵电瓶电压低", "Battery of the diesel pump low", _ROOM, _fail_charger, _mend_charger,
        480, 400, 240, _of_battery, part_kind="diesel_pump",
    ),
    Fault(
        "tank_overflow", "消防水箱溢流", "Fire tank overflows", _TANK, _stick_float, _free_float, 720, 620, 600,
        _of_overflow, needs=("tank_overflow",),
    ),
    Fault(
        "fire_reserve_low", "消防储水不足", "Fire reserve low", _TANK, _tear, _patch, 840, 800, 900, _of_reserve,
    ),
    Fault(
        "fire_pump_room_open", "消防泵房门未关", "Door of the fire pump room left open", _ROOM, _open_door, _shut_door, 420,
        330, 60, _of_door, needs=("door_open",),
    ),
    Fault(
        "tank_room_open", "水箱间门未关", "Door of the tank room left open", _TANK, _open_door, _shut_door, 420, 330, 60,
        _of_door, needs=("door_open",),
    ),
)  # fmt: skip
