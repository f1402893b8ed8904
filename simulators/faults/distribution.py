"""Distribution rooms: overload, a lost phase or supply and what becomes of everybody behind it, leakage, a capacitor bank
that is out.
"""

from collections.abc import Sequence

from simulators.faults import power
from simulators.plant.distribution import DistributionRoom, Feeder, Transformer
from simulators.scene import Expected, Fault, Scene, after, forbidden, suppressed

_KIND = "distribution_room"


def _overload(scene: Scene) -> None:
    transformer = _transformer(scene)
    transformer.extra_load = 1.72 - transformer.load


def _relieve(scene: Scene) -> None:
    scene.plant(DistributionRoom).restore(_transformer(scene))


def _of_overload(scene: Scene) -> Sequence[Expected]:
    part = scene.part
    feeders = [feeder.key for feeder in _transformer(scene).feeders]
    end = -scene.lasts_s  # what the trip ends, ends before the fault does
    return (
        Expected("load_far_over_rated", "critical", "power", after(60), (end + 700, end + 1260), part=part),
        Expected("winding_temp_high", "warning", "power", (360, 840), (end + 840, end + 1500), part=part),
        Expected("winding_temp_trip", "critical", "power", (620, 1140), (end + 720, end + 1360), part=part),
        *(Expected("breaker_trip", "critical", "power", (670, 1200), after(5), part=feeder) for feeder in feeders),
        *suppressed(scene, "power", "warning", "load_high", part=part),
        *suppressed(scene, "power", "critical", "load_over_rated", part=part),
        *forbidden(scene, "power", "critical", "mains_lost", "voltage_lost"),
    )


def _lose_phase(scene: Scene) -> None:
    scene.plant(DistributionRoom).lost_phase = 2


def _find_phase(scene: Scene) -> None:
    scene.plant(DistributionRoom).lost_phase = None


def _of_phase_loss(scene: Scene) -> Sequence[Expected]:
    follows = ("line_voltage_low", "phase_voltage_low", "voltage_unbalance")
    follows_badly = ("line_voltage_very_low", "phase_voltage_very_low", "voltage_unbalance_high")
    return (
        Expected("phase_loss", "critical", "power", after(10), after(60)),
        *suppressed(scene, "power", "warning", *follows),
        *suppressed(scene, "power", "critical", *follows_badly),
        *forbidden(scene, "power", "critical", "mains_lost", "voltage_lost"),
        *power.unpowered(scene, told=True),
    )


def _lose_supply(scene: Scene) -> None:
    scene.plant(DistributionRoom).mains_ok = False


def _find_supply(scene: Scene) -> None:
    scene.plant(DistributionRoom).mains_ok = True


def _of_supply_loss(scene: Scene) -> Sequence[Expected]:
    return (*power.mains_lost(scene), *power.unpowered(scene, told=False))


def _leak(scene: Scene) -> None:
    feeder = _feeder(scene)
    feeder.leak_ma = 420.0 - feeder.natural_ma


def _insulate(scene: Scene) -> None:
    _feeder(scene).leak_ma = 0.0


def _of_leak(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("residual_current_high", "warning", "power", after(30), after(60), part=scene.part),
        *forbidden(scene, "power", "critical", "residual_current_very_high"),
    )


def _lose_bank(scene: Scene) -> None:
    scene.plant(DistributionRoom).compensated = False


def _find_bank(scene: Scene) -> None:
    scene.plant(DistributionRoom).compensated = True


def _of_bank(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("power_factor_low", "warning", "power", (1790, 1960), after(600, 140)),
        *forbidden(scene, "power", "warning", "power_factor_very_low"),
    )


def _transformer(scene: Scene) -> Transformer:
    return next(one for one in scene.plant(DistributionRoom).transformers if one.key == scene.part)


def _feeder(scene: Scene) -> Feeder:
    return next(one for one in scene.plant(DistributionRoom).feeders if one.key == scene.part)


FAULTS = (
    Fault(
        "transformer_overload", "变压器过载跳闸", "Transformer overload to trip", _KIND, _overload, _relieve, 1500,
        1500, 300, _of_overload, part_kind="transformer", parts_min=2,
    ),
    Fault(
        "phase_loss", "缺相", "Phase lost", _KIND, _lose_phase, _find_phase, 300, 60, 300, _of_phase_loss,
        cuts_power=True,
    ),
    Fault(
        "supply_loss", "进线失电", "Incoming supply lost", _KIND, _lose_supply, _find_supply, 300, 60, 300,
        _of_supply_loss, cuts_power=True,
    ),
    Fault(
        "residual_current", "剩余电流超限", "Residual current", _KIND, _leak, _insulate, 300, 60, 120, _of_leak,
        part_kind="feeder", needs=("feeder.residual_current",),
    ),
    Fault(
        "capacitors_out", "补偿电容退出", "Capacitor bank half out", _KIND, _lose_bank, _find_bank, 2040, 1980, 780,
        _of_bank, needs=("power_factor",),
    ),
)  # fmt: skip
