"""The catalogue of faults: what each does to plant or fleet, and the alarms that must, may and must not follow.

Times are the delays of the rules, plus how long the plant takes, plus what reporting on change and a broker add.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from simulators.gateway import Uplink
from simulators.plant.distribution import Feeder, Transformer
from simulators.scene import Expected, Fault, Inner, Scene, Span
from simulators.truth import Demand, Severity


def _after(delay_s: float, slack_s: float = 20.0) -> Span:
    return (delay_s, delay_s + slack_s)


def _suppressed(
    scene: Scene, work_class: str, severity: Severity, *rules: str, part: str | None = None
) -> list[Expected]:
    """Alarms that lie below another one: judged and journalled, never rung."""
    span = (0.0, scene.lasts_s + 120.0)
    return [Expected(rule, severity, work_class, span, part=part, demand=Demand.MAY, historical=None) for rule in rules]


def _forbidden(scene: Scene, work_class: str, severity: Severity, *rules: str) -> list[Expected]:
    span = (0.0, scene.lasts_s + 60.0)
    return [Expected(rule, severity, work_class, span, demand=Demand.MUST_NOT) for rule in rules]


# ------------------------------------------------------------------ pump rooms


def _burst(scene: Scene) -> None:
    scene.booster.burst = 9.0


def _mend(scene: Scene) -> None:
    scene.booster.burst = 0.0


def _of_burst(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("outlet_pressure_very_low", "critical", "water_supply", _after(59, 30), _after(15, 45)),
        *_suppressed(scene, "water_supply", "warning", "outlet_pressure_low"),
        *_forbidden(scene, "water_supply", "critical", "no_pump_running", "outlet_pressure_over_rating"),
    )


def _lose_prime(scene: Scene) -> None:
    for pump in scene.booster.pumps:
        pump.airbound = pump.key == scene.part
    scene.booster.prefer(_part(scene))


def _prime(scene: Scene) -> None:
    for pump in scene.booster.pumps:
        pump.airbound = False


def _of_dry_run(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("pump_dry_run", "warning", "water_supply", _after(30, 40), _after(60, 30), part=scene.part),
        *_forbidden(scene, "water_supply", "critical", "outlet_pressure_very_low", "no_pump_running"),
    )


def _break_pump(scene: Scene) -> None:
    scene.booster.prefer(_part(scene))
    scene.booster.pump(_part(scene)).broken = True


def _mend_pump(scene: Scene) -> None:
    scene.booster.pump(_part(scene)).broken = False


def _of_pump_failure(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("pump_fault", "warning", "water_supply", _after(2), _after(5), part=scene.part),
        *_forbidden(scene, "water_supply", "critical", "pumps_all_faulted", "no_pump_running"),
        *_forbidden(scene, "water_supply", "warning", "outlet_pressure_low"),
    )


def _flood(scene: Scene) -> None:
    scene.booster.flooded = True


def _dry(scene: Scene) -> None:
    scene.booster.flooded = False


def _of_flood(scene: Scene) -> Sequence[Expected]:
    del scene
    return (Expected("flood", "critical", "drainage", _after(5), _after(5)),)


def _freeze(scene: Scene) -> None:
    scene.world.freeze(scene.place, "outlet_pressure")


def _thaw(scene: Scene) -> None:
    scene.world.thaw(scene.place, "outlet_pressure")


def _of_frozen(scene: Scene) -> Sequence[Expected]:
    beat_s = scene.interval_s("outlet_pressure")
    # The last real change was a heartbeat ago at most; the first one after it a heartbeat later at most.
    span = (20 * 60 - beat_s - 5, 20 * 60 + beat_s + 15)
    return (Expected("outlet_pressure_frozen", "warning", "communication", span, (0, beat_s + 20)),)


# ------------------------------------------------------------------ distribution rooms


def _overload(scene: Scene) -> None:
    transformer = _transformer(scene)
    transformer.extra_load = 1.72 - transformer.load


def _relieve(scene: Scene) -> None:
    scene.room.restore(_transformer(scene))


def _of_overload(scene: Scene) -> Sequence[Expected]:
    part = scene.part
    feeders = [feeder.key for feeder in _transformer(scene).feeders]
    end = -scene.lasts_s  # what the trip ends, ends before the fault does
    return (
        Expected("load_far_over_rated", "critical", "power", _after(60), (end + 700, end + 1260), part=part),
        Expected("winding_temp_high", "warning", "power", (360, 840), (end + 840, end + 1500), part=part),
        Expected("winding_temp_trip", "critical", "power", (620, 1140), (end + 720, end + 1360), part=part),
        *(Expected("breaker_trip", "critical", "power", (670, 1200), _after(5), part=feeder) for feeder in feeders),
        *_suppressed(scene, "power", "warning", "load_high", part=part),
        *_suppressed(scene, "power", "critical", "load_over_rated", part=part),
        *_forbidden(scene, "power", "critical", "mains_lost", "voltage_lost"),
    )


def _lose_phase(scene: Scene) -> None:
    scene.room.lost_phase = 2


def _find_phase(scene: Scene) -> None:
    scene.room.lost_phase = None


def _of_phase_loss(scene: Scene) -> Sequence[Expected]:
    follows = ("line_voltage_low", "phase_voltage_low", "voltage_unbalance")
    follows_badly = ("line_voltage_very_low", "phase_voltage_very_low", "voltage_unbalance_high")
    return (
        Expected("phase_loss", "critical", "power", _after(10), _after(60)),
        *_suppressed(scene, "power", "warning", *follows),
        *_suppressed(scene, "power", "critical", *follows_badly),
        *_forbidden(scene, "power", "critical", "mains_lost", "voltage_lost"),
        *_of_unpowered(scene, told=True),
    )


def _of_unpowered(scene: Scene, *, told: bool) -> list[Expected]:
    """What becomes of the facilities it feeds. `told`: their loss of power is an alarm of its own."""
    expected: list[Expected] = []
    for fed in scene.fed:
        if fed.kind == "elevator":
            lost = Expected("mains_lost", "critical", "power", _after(2), _after(5))
        elif "ats_position" in fed.without:
            lost = Expected("power_lost", "critical", "power", _after(2), _after(5))
        else:
            lost = Expected("on_backup_supply", "warning", "power", _after(10), _after(60))
        follow = [lost] if told else _suppressed(scene, lost.work_class, lost.severity, lost.rule)
        if fed.kind == "elevator":  # it opens once more to let people out
            span = (0.0, scene.lasts_s + 60.0)
            follow.append(Expected("door_cycling", "warning", "elevator", span, demand=Demand.MAY, historical=None))
        if lost.rule == "power_lost":
            follow += _suppressed(scene, "water_supply", "critical", "outlet_pressure_very_low", "no_pump_running")
            follow += _suppressed(scene, "water_supply", "warning", "outlet_pressure_low")
        expected += [replace(one, facility=fed.key, kind=fed.kind) for one in follow]
    return expected


def _lose_supply(scene: Scene) -> None:
    scene.room.mains_ok = False


def _find_supply(scene: Scene) -> None:
    scene.room.mains_ok = True


def _of_supply_loss(scene: Scene) -> Sequence[Expected]:
    below = ("line_voltage_low", "phase_voltage_low", "frequency_deviation", "mv_voltage_deviation")
    below_badly = ("voltage_lost", "line_voltage_very_low", "phase_voltage_very_low", "mv_voltage_lost")
    return (
        Expected("mains_lost", "critical", "power", _after(2), _after(5)),
        *_suppressed(scene, "power", "warning", *below),
        *_suppressed(scene, "power", "critical", *below_badly, "mv_voltage_far_off"),
        *_forbidden(scene, "power", "critical", "phase_loss"),
        *_of_unpowered(scene, told=False),
    )


def _leak(scene: Scene) -> None:
    feeder = _feeder(scene)
    feeder.leak_ma = 420.0 - feeder.natural_ma


def _insulate(scene: Scene) -> None:
    _feeder(scene).leak_ma = 0.0


def _of_leak(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("residual_current_high", "warning", "power", _after(30), _after(60), part=scene.part),
        *_forbidden(scene, "power", "critical", "residual_current_very_high"),
    )


# ------------------------------------------------------------------ elevators


def _stick(scene: Scene) -> None:
    scene.elevator.stick = True


def _release(scene: Scene) -> None:
    scene.elevator.stick = False


def _of_entrapment(scene: Scene) -> Sequence[Expected]:
    """It takes up to two minutes until somebody travels; the terminal, where it judges for itself, comes first."""
    trapped = Expected("passenger_trapped_between_floors", "life_safety", "elevator", (60, 220), _after(0, 30))
    lacking = scene.facility.without
    expected: list[Expected] = _suppressed(scene, "elevator", "critical", "stopped_outside_door_zone")
    if "passenger_trapped" in lacking:
        expected.append(trapped)
    else:
        expected.append(replace(trapped, rule="passenger_trapped_reported", raised=(32, 190), returned=(60, 125)))
        expected += _suppressed(scene, "elevator", "life_safety", trapped.rule)
    if "car_alarm_button" not in lacking:
        expected.append(Expected("car_alarm_button", "critical", "elevator", (43, 200)))
    return expected


def _jam(scene: Scene) -> None:
    scene.elevator.jam = True


def _free(scene: Scene) -> None:
    scene.elevator.jam = False


def _of_jam(scene: Scene) -> Sequence[Expected]:
    return (
        Expected("door_close_failure", "warning", "elevator", (115, 250), _after(5)),
        *_forbidden(scene, "elevator", "life_safety", "passenger_trapped_level", "moving_with_door_open"),
        *_forbidden(scene, "elevator", "warning", "door_held_open"),
    )


# ------------------------------------------------------------------ gateways


def _go_dark(scene: Scene) -> None:
    scene.gateway.go(Uplink.DARK)


def _cut_off(scene: Scene) -> None:
    scene.gateway.go(Uplink.STORING)


def _come_back(scene: Scene) -> None:
    scene.gateway.go(Uplink.ONLINE)


def _of_offline(scene: Scene) -> Sequence[Expected]:
    del scene
    # Its status is the broker's word, so it takes the broker's time: more of ours the faster the clock runs.
    return (Expected("gateway_offline", "critical", "communication", (55, 240), (0, 180)),)


def _repeat(scene: Scene) -> None:
    scene.gateway.repeat(200)


def _leave_alone(scene: Scene) -> None:
    del scene


def _part(scene: Scene) -> str:
    assert scene.part is not None
    return scene.part


def _transformer(scene: Scene) -> Transformer:
    return next(one for one in scene.room.transformers if one.key == scene.part)


def _feeder(scene: Scene) -> Feeder:
    return next(one for one in scene.room.feeders if one.key == scene.part)


_BOOSTER, _ROOM, _LIFT = "booster_pump_room", "distribution_room", "elevator"

CATALOGUE: Mapping[str, Fault] = {
    fault.key: fault
    for fault in (
        Fault(
            "burst_main", "爆管", "Burst main", _BOOSTER, _burst, _mend, 360, 120, 300, _of_burst,
        ),
        Fault(
            "dry_run", "水泵空转", "Pump running dry", _BOOSTER, _lose_prime, _prime, 300, 120, 120, _of_dry_run,
            part_kind="pump", parts_min=2, needs=("pump.motor_current",),
        ),
        Fault(
            "pump_failure", "水泵故障，备用泵投入", "Pump fails, standby takes over", _BOOSTER, _break_pump, _mend_pump,
            720, 30, 120, _of_pump_failure, part_kind="pump", parts_min=2,
        ),
        Fault(
            "flooded_room", "泵房水浸", "Flooded pump room", _BOOSTER, _flood, _dry, 300, 30, 60, _of_flood,
        ),
        Fault(
            "frozen_sensor", "压力传感器卡死", "Frozen pressure sensor", _BOOSTER, _freeze, _thaw, 1440, 1300, 60,
            _of_frozen,
        ),
        Fault(
            "transformer_overload", "变压器过载跳闸", "Transformer overload to trip", _ROOM, _overload, _relieve, 1500,
            1500, 300, _of_overload, part_kind="transformer", parts_min=2,
        ),
        Fault(
            "phase_loss", "缺相", "Phase lost", _ROOM, _lose_phase, _find_phase, 300, 60, 300, _of_phase_loss,
            cuts_power=True,
        ),
        Fault(
            "supply_loss", "进线失电", "Incoming supply lost", _ROOM, _lose_supply, _find_supply, 300, 60, 300,
            _of_supply_loss, cuts_power=True,
        ),
        Fault(
            "residual_current", "剩余电流超限", "Residual current", _ROOM, _leak, _insulate, 300, 60, 120, _of_leak,
            part_kind="feeder", needs=("feeder.residual_current",),
        ),
        Fault(
            "entrapment", "电梯困人", "Passenger trapped", _LIFT, _stick, _release, 600, 240, 120, _of_entrapment,
        ),
        Fault(
            "door_fault", "电梯关不上门", "Lift door does not close", _LIFT, _jam, _free, 480, 270, 60, _of_jam,
        ),
        Fault(
            "gateway_offline", "网关掉电", "Gateway without power", None, _go_dark, _come_back, 420, 300, 120,
            _of_offline, silences=True,
        ),
        Fault(
            "duplicate_burst", "重复上送", "Messages sent twice", None, _repeat, _leave_alone, 30, 0, 30,
        ),
        Fault(
            "late_burst", "断网补传", "Stored messages sent late", None, _cut_off, _come_back, 540, 540, 600,
            _of_offline, silences=True,
            inner=(Inner("residual_current", 60, 180, historical=True), Inner("pump_failure", 300, 600, historical=False)),
        ),
    )
}  # fmt: skip
