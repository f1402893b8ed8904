"""Standby generators: the mains go and it comes, or it does not; and what would have kept it from coming."""

from collections.abc import Sequence
from functools import partial

from simulators.faults import power
from simulators.plant.distribution import DistributionRoom
from simulators.plant.generator import Generator
from simulators.scene import Expected, Fault, Scene, after, forbidden, suppressed

_KIND = "generator"


def _room(scene: Scene) -> DistributionRoom:
    """The one that it stands in for."""
    plant = scene.world.plants[scene.site, scene.power_room]
    assert isinstance(plant, DistributionRoom)
    return plant


def _cut(scene: Scene) -> None:
    _room(scene).mains_ok = False


def _restore(scene: Scene) -> None:
    _room(scene).mains_ok = True


def _of_start(scene: Scene) -> Sequence[Expected]:
    """The room says that the mains are gone, the generator carries on, and that is all there is to say."""
    return (
        *power.mains_lost(scene),
        *power.unpowered(scene, told=False),
        *forbidden(scene, "power", "critical", "not_started", "no_power", "start_failed", "cranking_failed", "fault"),
    )


def _cut_and_cripple(scene: Scene) -> None:
    scene.plant(Generator).will_not_start = True
    _cut(scene)


def _restore_and_repair(scene: Scene) -> None:
    _restore(scene)
    plant = scene.plant(Generator)
    plant.will_not_start = False
    plant.reset()


def _of_failure(scene: Scene) -> Sequence[Expected]:
    below = ("no_power", "start_failed", "cranking_failed", "fault")
    return (
        *power.mains_lost(scene),
        *power.unpowered(scene, told=False, starts=False),
        Expected("not_started", "critical", "power", after(15), after(5)),
        *suppressed(scene, "power", "critical", *below),
        *forbidden(scene, "power", "critical", "battery_very_low"),
    )


def _steal_fuel(scene: Scene) -> None:
    scene.plant(Generator).fuel_percent = 44.0


def _refuel(scene: Scene) -> None:
    scene.plant(Generator).fuel_percent = 95.0


def _of_fuel(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("fuel_low", "warning", "power", after(60), after(60)),
        *forbidden(scene, "power", "critical", "fuel_very_low"),
    )


def _fail_charger(scene: Scene) -> None:
    plant = scene.plant(Generator)
    plant.charger_failed, plant.battery_rest_v = True, 23.9


def _mend_charger(scene: Scene) -> None:
    plant = scene.plant(Generator)
    plant.charger_failed, plant.battery_rest_v = False, 25.6


def _of_battery(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("battery_low", "warning", "power", (150, 340), after(60, 100)),
        *forbidden(scene, "power", "critical", "battery_very_low"),
    )


def _select(scene: Scene, *, position: str) -> None:
    scene.plant(Generator).selector = position


def _of_manual(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("selector_not_auto", "critical", "power", after(120), after(5)),
        *forbidden(scene, "power", "critical", "not_started", "fault"),
    )


def _exercise(scene: Scene, *, runs: bool) -> None:
    scene.plant(Generator).test_run = runs


def _of_exercise(scene: Scene) -> Sequence[Expected]:
    """No fault at all: the weekly run without load, which nobody has to hear of."""
    return (
        *forbidden(scene, "power", "critical", "not_started", "fault"),
        *forbidden(scene, "power", "warning", "test_missed"),
    )


FAULTS = (
    Fault(
        "mains_loss", "市电失电，发电机投入", "Mains lost, the generator starts", _KIND, _cut, _restore, 300, 60, 420,
        _of_start, needs_relation="stands_in_for", cuts_power=True,
    ),
    Fault(
        "generator_fails_to_start", "市电失电，发电机启动失败", "Mains lost, the generator does not start", _KIND,
        _cut_and_cripple, _restore_and_repair, 300, 120, 420, _of_failure, needs_relation="stands_in_for",
        cuts_power=True,
    ),
    Fault(
        "generator_low_fuel", "发电机油位低", "Generator low on fuel", _KIND, _steal_fuel, _refuel, 300, 120, 150, _of_fuel,
    ),
    Fault(
        "generator_battery_low", "发电机电瓶电压低", "Starting battery of the generator low", _KIND, _fail_charger,
        _mend_charger, 480, 400, 240, _of_battery,
    ),
    Fault(
        "generator_in_manual", "发电机停留在手动位", "Generator left in manual", _KIND, partial(_select, position="manual"),
        partial(_select, position="auto"), 360, 150, 60, _of_manual,
    ),
    Fault(
        "generator_exercise", "发电机空载试机", "Weekly run of the generator", _KIND, partial(_exercise, runs=True),
        partial(_exercise, runs=False), 900, 300, 420, _of_exercise,
    ),
)  # fmt: skip
