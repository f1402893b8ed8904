"""Lifts: somebody trapped, a door that does not close, keeps reopening or is kept open, an e-bike in the car, a machine
room without cooling, a sensor that falls silent.
"""

from collections.abc import Sequence
from dataclasses import replace

from simulators.faults.sensor import silent_sensor
from simulators.plant.elevator import Elevator
from simulators.scene import Expected, Fault, Scene, after, forbidden, suppressed

_KIND = "elevator"


def _stick(scene: Scene) -> None:
    scene.plant(Elevator).stick = True


def _release(scene: Scene) -> None:
    scene.plant(Elevator).stick = False


def _of_entrapment(scene: Scene) -> Sequence[Expected]:
    """It takes up to two minutes until somebody travels; the terminal, where it judges for itself, comes first."""
    trapped = Expected("passenger_trapped_between_floors", "life_safety", "elevator", (60, 220), after(0, 30))
    lacking = scene.facility.without
    expected: list[Expected] = suppressed(scene, "elevator", "critical", "stopped_outside_door_zone")
    if "passenger_trapped" in lacking:
        expected.append(trapped)
    else:
        expected.append(replace(trapped, rule="passenger_trapped_reported", raised=(32, 190), returned=(60, 125)))
        expected += suppressed(scene, "elevator", "life_safety", trapped.rule)
    if "car_alarm_button" not in lacking:
        expected.append(Expected("car_alarm_button", "critical", "elevator", (43, 200)))
    return expected


def _jam(scene: Scene) -> None:
    scene.plant(Elevator).jam = True


def _free(scene: Scene) -> None:
    scene.plant(Elevator).jam = False


def _of_jam(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("door_close_failure", "warning", "elevator", (115, 250), after(5)),
        *forbidden(scene, "elevator", "life_safety", "passenger_trapped_level", "moving_with_door_open"),
        *forbidden(scene, "elevator", "warning", "door_held_open"),
    )


def _hold(scene: Scene) -> None:
    scene.plant(Elevator).held = True


def _let_go(scene: Scene) -> None:
    scene.plant(Elevator).held = False


def _of_hold(scene: Scene) -> Sequence[Expected]:
    """Furniture, a pram, a cleaner's trolley: open from the next floor on, which is a minute or two away."""
    return (
        Expected("door_held_open", "warning", "elevator", (285, 480), after(5)),
        *forbidden(scene, "elevator", "life_safety", "passenger_trapped_level", "moving_with_door_open"),
        *forbidden(scene, "elevator", "warning", "door_close_failure"),
    )


def _block(scene: Scene) -> None:
    scene.plant(Elevator).reopens = True


def _sweep(scene: Scene) -> None:
    scene.plant(Elevator).reopens = False


def _of_reopening(scene: Scene) -> Sequence[Expected]:
    """Grit in the sill, a dirty light curtain. It counts once the car has stood at one floor for five minutes."""
    return (
        Expected("door_cycling", "warning", "elevator", (25, 500), (55, 420)),
        *forbidden(scene, "elevator", "life_safety", "passenger_trapped_level", "moving_with_door_open"),
        *forbidden(scene, "elevator", "warning", "door_close_failure", "door_held_open"),
    )


def _wheel_in(scene: Scene) -> None:
    scene.plant(Elevator).ebike = True


def _wheel_out(scene: Scene) -> None:
    scene.plant(Elevator).ebike = False


def _of_ebike(scene: Scene) -> Sequence[Expected]:
    del scene
    return (Expected("ebike_in_car", "warning", "security", after(3), after(5)),)


def _stop_cooling(scene: Scene) -> None:
    scene.plant(Elevator).uncooled = True


def _cool(scene: Scene) -> None:
    scene.plant(Elevator).uncooled = False


def _of_heat(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("machine_room_temp_high", "warning", "environment", (560, 1260), (60, 520)),
        *forbidden(scene, "environment", "critical", "machine_room_temp_out_of_limits"),
    )


FAULTS = (
    Fault(
        "entrapment", "电梯困人", "Passenger trapped", _KIND, _stick, _release, 600, 240, 120, _of_entrapment,
    ),
    Fault(
        "door_fault", "电梯关不上门", "Lift door does not close", _KIND, _jam, _free, 480, 270, 60, _of_jam,
    ),
    Fault(
        "lift_door_held", "搬运卡住电梯门", "Lift door kept open", _KIND, _hold, _let_go, 600, 490, 60, _of_hold,
    ),
    Fault(
        "lift_door_reopening", "电梯门反复开关", "Lift door keeps reopening", _KIND, _block, _sweep, 600, 510, 430,
        _of_reopening,
    ),
    Fault(
        "ebike_in_lift", "电动车进电梯", "E-bike in a lift", _KIND, _wheel_in, _wheel_out, 60, 15, 30, _of_ebike,
        needs=("ebike_in_car",),
    ),
    Fault(
        "machine_room_hot", "机房空调停机", "Machine room without cooling", _KIND, _stop_cooling, _cool, 1500, 1320, 1500,
        _of_heat, needs=("machine_room_temp",),
    ),
    silent_sensor("lift_sensor_silent", "机房温度传感器失联", "Machine room sensor falls silent", _KIND, "machine_room_temp"),
)  # fmt: skip
