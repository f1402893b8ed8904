"""Domestic pump rooms: burst, dry, broken, drowned, cycling; water that loses its chlorine; a door left open; a probe that falls silent."""

from collections.abc import Sequence
from dataclasses import replace

from simulators.faults.sensor import silent_sensor
from simulators.plant.booster import BoosterSet
from simulators.scene import Expected, Fault, Scene, after, forbidden, suppressed

_KIND = "booster_pump_room"


def _burst(scene: Scene) -> None:
    scene.plant(BoosterSet).burst = 9.0


def _mend(scene: Scene) -> None:
    scene.plant(BoosterSet).burst = 0.0


def _of_burst(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("outlet_pressure_very_low", "critical", "water_supply", after(59, 30), after(15, 45)),
        *suppressed(scene, "water_supply", "warning", "outlet_pressure_low"),
        *forbidden(scene, "water_supply", "critical", "no_pump_running", "outlet_pressure_over_rating"),
    )


def _lose_prime(scene: Scene) -> None:
    for pump in scene.plant(BoosterSet).pumps:
        pump.airbound = pump.key == scene.part
    scene.plant(BoosterSet).prefer(scene.struck_part)


def _prime(scene: Scene) -> None:
    for pump in scene.plant(BoosterSet).pumps:
        pump.airbound = False


def _of_dry_run(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("pump_dry_run", "warning", "water_supply", after(30, 40), after(60, 30), part=scene.part),
        *forbidden(scene, "water_supply", "critical", "outlet_pressure_very_low", "no_pump_running"),
    )


def _break_pump(scene: Scene) -> None:
    scene.plant(BoosterSet).prefer(scene.struck_part)
    scene.plant(BoosterSet).pump(scene.struck_part).broken = True


def _mend_pump(scene: Scene) -> None:
    scene.plant(BoosterSet).pump(scene.struck_part).broken = False


def _of_pump_failure(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("pump_fault", "warning", "water_supply", after(2), after(5), part=scene.part),
        *forbidden(scene, "water_supply", "critical", "pumps_all_faulted", "no_pump_running"),
        *forbidden(scene, "water_supply", "warning", "outlet_pressure_low"),
    )


def _flood(scene: Scene) -> None:
    scene.plant(BoosterSet).flooded = True


def _dry(scene: Scene) -> None:
    scene.plant(BoosterSet).flooded = False


def _of_flood(scene: Scene) -> Sequence[Expected]:
    del scene
    return (Expected("flood", "critical", "drainage", after(5), after(5)),)


def _freeze(scene: Scene) -> None:
    scene.world.freeze(scene.place, "outlet_pressure")


def _thaw(scene: Scene) -> None:
    scene.world.thaw(scene.place, "outlet_pressure")


def _of_frozen(scene: Scene) -> Sequence[Expected]:
    beat_s = scene.interval_s("outlet_pressure")
    # The last real change was a heartbeat ago at most; the first one after it a heartbeat later at most.
    span = (20 * 60 - beat_s - 5, 20 * 60 + beat_s + 15)
    return (Expected("outlet_pressure_frozen", "warning", "communication", span, (0, beat_s + 20)),)


def _flatten_vessel(scene: Scene) -> None:
    plant = scene.plant(BoosterSet)
    plant.prefer(scene.struck_part)
    plant.cycling = plant.pump(scene.struck_part)


def _fill_vessel(scene: Scene) -> None:
    scene.plant(BoosterSet).cycling = None


def _of_starts(scene: Scene) -> Sequence[Expected]:
    """Sixteen starts within an hour, less than a minute each; over when the first are an hour ago, and a quarter more."""
    return (
        Expected("pump_starts_frequent", "warning", "water_supply", (420, 1500), (1500, 4700), part=scene.part),
        *forbidden(scene, "water_supply", "critical", "outlet_pressure_very_low", "no_pump_running"),
        *forbidden(scene, "water_supply", "warning", "outlet_pressure_low"),
    )


def _stop_dosing(scene: Scene) -> None:
    scene.plant(BoosterSet).disinfected = False


def _dose(scene: Scene) -> None:
    scene.plant(BoosterSet).disinfected = True


def _of_chlorine(scene: Scene) -> Sequence[Expected]:
    """It decays within a quarter of an hour; the instrument speaks every five minutes, and the rule waits five more."""
    return (
        Expected("chlorine_low", "warning", "water_supply", (760, 1740), (880, 1320)),
        *forbidden(scene, "water_supply", "critical", "chlorine_out_of_limits"),
        *forbidden(scene, "water_supply", "warning", "disinfection_fault"),
    )


def _open_door(scene: Scene) -> None:
    scene.plant(BoosterSet).door_open = True


def _shut_door(scene: Scene) -> None:
    scene.plant(BoosterSet).door_open = False


def _of_door(scene: Scene) -> Sequence[Expected]:
    """That nobody may be there rings; that it still stands open is then no news."""
    return (
        Expected("door_open_without_permit", "critical", "security", after(60), after(5)),
        *(replace(one, rung=False) for one in suppressed(scene, "security", "warning", "door_open_long")),
        *forbidden(scene, "security", "critical", "tank_hatch_open_without_permit"),
    )


def _let_damp_in(scene: Scene) -> None:
    scene.plant(BoosterSet).damp = True


def _air(scene: Scene) -> None:
    scene.plant(BoosterSet).damp = False


def _of_damp(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("room_humidity_high", "warning", "environment", (1380, 2080), (660, 1480)),
        *forbidden(scene, "environment", "critical", "room_humidity_very_high"),
    )


FAULTS = (
    Fault(
        "burst_main", "爆管", "Burst main", _KIND, _burst, _mend, 360, 120, 300, _of_burst,
    ),
    Fault(
        "dry_run", "水泵空转", "Pump running dry", _KIND, _lose_prime, _prime, 300, 120, 120, _of_dry_run,
        part_kind="pump", parts_min=2, needs=("pump.motor_current",),
    ),
    Fault(
        "pump_failure", "水泵故障，备用泵投入", "Pump fails, standby takes over", _KIND, _break_pump, _mend_pump,
        720, 30, 120, _of_pump_failure, part_kind="pump", parts_min=2,
    ),
    Fault(
        "flooded_room", "泵房水浸", "Flooded pump room", _KIND, _flood, _dry, 300, 30, 60, _of_flood,
    ),
    Fault(
        "frozen_sensor", "压力传感器卡死", "Frozen pressure sensor", _KIND, _freeze, _thaw, 1440, 1300, 60,
        _of_frozen,
    ),
    Fault(
        "pump_starts_too_often", "水泵启停频繁", "Pump starts too often", _KIND, _flatten_vessel, _fill_vessel, 1560,
        1520, 4800, _of_starts, part_kind="pump", parts_min=2,
    ),
    Fault(
        "chlorine_drift", "余氯缓慢下降", "Chlorine fades", _KIND, _stop_dosing, _dose, 1800, 1760, 1380, _of_chlorine,
        needs=("free_chlorine",),
    ),
    Fault(
        "door_left_open", "泵房门未关", "Door left open", _KIND, _open_door, _shut_door, 420, 330, 60, _of_door,
    ),
    Fault(
        "room_damp", "泵房返潮", "Pump room damp", _KIND, _let_damp_in, _air, 2160, 2100, 3000, _of_damp,
        needs=("room_humidity",),
    ),
    silent_sensor("booster_sensor_silent", "pH 探头失联", "pH probe falls silent", _KIND, "ph"),
)  # fmt: skip
