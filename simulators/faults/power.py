"""What becomes of a site when a distribution room goes dark: of the room itself and of everybody behind it.

A facility with a second feed goes over to it; where a generator stands in for the room, that feed is the generator's
and comes after ten seconds. A facility without one stands still, and says so unless the room has said it already.
"""

from dataclasses import replace

from estate.description import FacilityDescription
from simulators.scene import Expected, Scene, after
from simulators.truth import Demand, Severity

_UNTIL_STARTED_S = 45.0  # from the mains' loss: the generator feeds, and everybody has said so


def mains_lost(scene: Scene) -> list[Expected]:
    """The room's own alarms: one rings, the rest lies below it."""
    below = ("line_voltage_low", "phase_voltage_low", "frequency_deviation", "mv_voltage_deviation")
    below_badly = ("voltage_lost", "line_voltage_very_low", "phase_voltage_very_low", "mv_voltage_lost")
    expected = [
        Expected("mains_lost", "critical", "power", after(2), after(5)),
        *_below(scene, "power", "warning", *below),
        *_below(scene, "power", "critical", *below_badly, "mv_voltage_far_off"),
        _never(scene, "power", "critical", "phase_loss"),
    ]
    return [replace(one, facility=scene.power_room, kind="distribution_room") for one in expected]


def unpowered(scene: Scene, *, told: bool, starts: bool = True) -> list[Expected]:
    """What becomes of whom the room feeds. `told`: their loss of power is an alarm of its own, not the room's.

    `starts`: whether the generator does, where there is one.
    """
    room = (scene.site, scene.power_room)
    generator = scene.world.generator_of(room)
    expected: list[Expected] = []
    for place in scene.world.fed_by(room):
        fed = scene.world.facilities[place]
        match fed.kind:
            case "elevator":
                follow = _of_elevator(scene, told=told)
            case "booster_pump_room":
                follow = _of_booster(scene, fed, told=told, waits=generator is not None, starts=starts)
            case "fire_pump_room":
                follow = _of_fire_pumps(scene, fed, told=told, waits=generator is not None, starts=starts)
            case "drainage_sump" if "mains_ok" not in fed.without:
                follow = _told(scene, told, Expected("power_lost", "critical", "drainage", after(2), after(5)))
            case _:
                follow = []
        expected += [replace(one, facility=fed.key, kind=fed.kind) for one in follow]
    return expected


def _of_elevator(scene: Scene, *, told: bool) -> list[Expected]:
    """It opens once more to let people out."""
    span = (0.0, scene.lasts_s + 60.0)
    return [
        *_told(scene, told, Expected("mains_lost", "critical", "power", after(2), after(5))),
        Expected("door_cycling", "warning", "elevator", span, demand=Demand.MAY, historical=None),
    ]


def _of_booster(scene: Scene, fed: FacilityDescription, *, told: bool, waits: bool, starts: bool) -> list[Expected]:
    second = "ats_position" not in fed.without
    stands = Expected("power_lost", "critical", "power", after(2), after(5))
    hurt = [
        *_below(scene, "water_supply", "critical", "outlet_pressure_very_low", "no_pump_running"),
        *_below(scene, "water_supply", "warning", "outlet_pressure_low"),
        *_below(scene, "power", "critical", "transfer_switch_off"),
    ]
    if not second or (waits and not starts):
        return [*_told(scene, told, stands), *hurt]
    if not waits:
        return _told(scene, told, Expected("on_backup_supply", "warning", "power", after(10), after(60)))
    end = -scene.lasts_s
    for_a_moment = replace(stands, returned=(end + 5, end + _UNTIL_STARTED_S))
    backed = Expected("on_backup_supply", "warning", "power", (15, 10 + _UNTIL_STARTED_S), after(60))
    return [*_told(scene, told, for_a_moment), *_told(scene, told, backed), *hurt]


def _of_fire_pumps(scene: Scene, fed: FacilityDescription, *, told: bool, waits: bool, starts: bool) -> list[Expected]:
    """Fire pumps without any power ring whatever else does; the moment until a generator feeds them does not count."""
    if "power_b_ok" in fed.without or (waits and not starts):
        return [
            Expected("power_lost", "critical", "fire", after(20, 25), after(5)),
            *_below(scene, "fire", "warning", "hydrant_pressure_low", "sprinkler_pressure_low"),
        ]
    raised = (2.0, _UNTIL_STARTED_S) if waits else after(2)
    return [
        *_told(scene, told, Expected("power_a_lost", "warning", "fire", raised, after(5))),
        *(replace(one, rung=False) for one in _below(scene, "fire", "critical", "power_lost")),
    ]


def _told(scene: Scene, told: bool, alarm: Expected) -> list[Expected]:  # noqa: FBT001 - a flag that is only handed on
    return [alarm] if told else _below(scene, alarm.work_class, alarm.severity, alarm.rule)


def _below(scene: Scene, work_class: str, severity: Severity, *rules: str) -> list[Expected]:
    span = (0.0, scene.lasts_s + 120.0)
    return [Expected(rule, severity, work_class, span, demand=Demand.MAY, historical=None) for rule in rules]


def _never(scene: Scene, work_class: str, severity: Severity, rule: str) -> Expected:
    return Expected(rule, severity, work_class, (0.0, scene.lasts_s + 60.0), demand=Demand.MUST_NOT)
