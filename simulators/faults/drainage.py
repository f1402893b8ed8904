"""Sumps: a cloudburst on dead pumps, one pump that fails while the other carries on, a panel left in manual, a contact that
chatters, a level sensor that falls silent.
"""

from collections.abc import Sequence
from dataclasses import replace

from simulators.faults.sensor import silent_sensor
from simulators.plant.sump import Sump
from simulators.scene import Expected, Fault, Scene, after, forbidden, suppressed
from simulators.truth import Demand

_KIND = "drainage_sump"
_CLOUDBURST_MM_H = 100.0
_MADE_S, _BROKEN_S = 4.0, 8.0


def _pour(scene: Scene) -> None:
    scene.world.weather[scene.site].cloudburst_mm_h = _CLOUDBURST_MM_H
    for pump in scene.plant(Sump).pumps:
        pump.broken = True


def _stop_pouring(scene: Scene) -> None:
    scene.world.weather[scene.site].cloudburst_mm_h = 0.0
    for pump in scene.plant(Sump).pumps:
        pump.broken = False


def _of_flood(scene: Scene) -> Sequence[Expected]:
    """It rises from wherever it stood: first high, then very high, then the floor."""
    without = scene.facility.without
    expected = [
        Expected("sump_pumps_all_faulted", "critical", "drainage", after(2), after(5)),
        *(
            one
            for pump in scene.plant(Sump).pumps
            for one in suppressed(scene, "drainage", "warning", "sump_pump_fault", part=pump.key)
        ),
    ]
    high = Expected("sump_level_high", "warning", "drainage", (180, 820), (120, 700))
    very_high = Expected("sump_level_very_high", "critical", "drainage", (300, 900), (90, 540))
    floats = [replace(high, rule="sump_float_high"), replace(very_high, rule="sump_float_very_high")]
    if "sump_level" not in without:
        expected += [high, very_high]
        expected += [one for two in floats for one in suppressed(scene, two.work_class, two.severity, two.rule)]
    else:
        expected += [one for one in floats if one.rule not in without]
    if "flood" not in without:
        expected.append(Expected("flood", "life_safety", "drainage", (420, 1060), (5, 240)))
    return (*expected, *forbidden(scene, "drainage", "critical", "sump_not_draining", "sump_float_not_draining"))


def _break_pump(scene: Scene) -> None:
    next(pump for pump in scene.plant(Sump).pumps if pump.key == scene.part).broken = True


def _mend_pump(scene: Scene) -> None:
    next(pump for pump in scene.plant(Sump).pumps if pump.key == scene.part).broken = False


def _of_failure(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("sump_pump_fault", "warning", "drainage", after(2), after(5), part=scene.part),
        *forbidden(scene, "drainage", "critical", "sump_pumps_all_faulted", "sump_level_very_high"),
        *forbidden(scene, "drainage", "warning", "sump_level_high"),
    )


def _chatter(scene: Scene) -> None:
    """Water in the motor protection's contact: it says every twelve seconds that the pump has failed."""
    scene.world.flutter(scene.place, f"{scene.struck_part}.fault", _MADE_S, _BROKEN_S)


def _dry_contact(scene: Scene) -> None:
    scene.world.be_honest(scene.place, f"{scene.struck_part}.fault")


def _of_chatter(scene: Scene) -> Sequence[Expected]:
    """One alarm that counts; another one each time that somebody has acknowledged and it goes on."""
    raised = Expected("sump_pump_fault", "warning", "drainage", after(2), part=scene.part)
    again = replace(raised, raised=(0.0, scene.lasts_s + 30.0), demand=Demand.MAY, historical=None)
    return (
        raised,
        again,
        *forbidden(scene, "drainage", "critical", "sump_pumps_all_faulted", "sump_level_very_high"),
    )


def _switch_over(scene: Scene) -> None:
    scene.plant(Sump).selector = "manual"


def _switch_back(scene: Scene) -> None:
    scene.plant(Sump).selector = "auto"


def _of_manual(scene: Scene) -> Sequence[Expected]:
    """In dry weather the pit has room for hours."""
    return (
        Expected("not_auto", "warning", "drainage", (595, 740), (0, 140)),
        *forbidden(scene, "drainage", "warning", "sump_level_high", "sump_float_high"),
    )


FAULTS = (
    Fault(
        "sump_flood", "暴雨且排污泵全部故障", "Cloudburst on dead sump pumps", _KIND, _pour, _stop_pouring, 1200, 1140,
        780, _of_flood, pours=True,
    ),
    Fault(
        "sump_pump_failure", "排污泵故障，备用泵投入", "Sump pump fails, the other carries on", _KIND, _break_pump,
        _mend_pump, 720, 30, 60, _of_failure, part_kind="sump_pump", parts_min=2,
    ),
    Fault(
        "chattering_contact", "接点抖动", "Chattering contact", _KIND, _chatter, _dry_contact, 300, 60, 60, _of_chatter,
        part_kind="sump_pump", parts_min=2,
    ),
    Fault(
        "sump_in_manual", "集水坑控制箱停留在手动位", "Sump panel left in manual", _KIND, _switch_over, _switch_back, 780,
        760, 600, _of_manual, needs=("selector",),
    ),
    silent_sensor(
        "sump_sensor_silent", "集水坑液位计失联", "Level sensor of a sump falls silent", _KIND, "sump_level",
        lasts_min_s=2200,
    ),
)  # fmt: skip
