"""Gateways: dark, cut off, saying everything twice, with a clock that jumped."""

from collections.abc import Sequence
from dataclasses import replace

from simulators.gateway import Uplink
from simulators.scene import Expected, Fault, Inner, Scene
from simulators.truth import Demand, Severity

_JUMP_MS = 400 * 86_400_000


def _go_dark(scene: Scene) -> None:
    scene.gateway.go(Uplink.DARK)


def _cut_off(scene: Scene) -> None:
    scene.gateway.go(Uplink.STORING)


def _come_back(scene: Scene) -> None:
    scene.gateway.go(Uplink.ONLINE)


_LONG_S = 1800.0


def _of_offline(scene: Scene) -> Sequence[Expected]:
    # Its status is the broker's word, so it takes the broker's time: more of ours the faster the clock runs.
    lost = Expected("gateway_offline", "warning", "communication", (55, 240), (0, 180))
    if scene.lasts_s < _LONG_S - 60:
        return (lost,)
    long = Expected("gateway_offline_long", "critical", "communication", (_LONG_S - 5, _LONG_S + 180), (0, 180))
    return (lost, long if scene.lasts_s > _LONG_S + 240 else replace(long, demand=Demand.MAY, returned=None))


def _repeat(scene: Scene) -> None:
    scene.gateway.repeat(200)


def _leave_alone(scene: Scene) -> None:
    del scene


def _set_back(scene: Scene) -> None:
    """As after a power cut with an empty clock battery: to a day long before anything that it has ever said."""
    scene.gateway.clock_offset_ms -= _JUMP_MS


def _set_right(scene: Scene) -> None:
    scene.gateway.clock_offset_ms += _JUMP_MS


def _of_jump(scene: Scene) -> Sequence[Expected]:
    """It could be a store that empties, for five minutes; then it is a clock.

    What it says meanwhile counts for nothing, so that when the clock is set right, its points have long been silent
    and a lift's door that was open then has been open since.
    """
    span = (0.0, scene.lasts_s + 600.0)
    silent = [
        Expected(rule, "warning", "communication", span, facility=key, kind=facility.kind, part=part, demand=Demand.MAY)
        for key in scene.gateway.facilities
        for facility in (scene.world.facilities[scene.site, key],)
        for rule, part in (
            ("points_stale", None),
            *(("part_points_stale", part.key) for part in facility.parts),
        )
    ]
    never: tuple[tuple[str, Severity], ...] = (("gateway_offline", "warning"), ("gateway_silent", "critical"))
    return (
        Expected("gateway_clock_wrong", "warning", "communication", (330, 660), (50, 240)),
        *(Expected(rule, severity, "communication", span, demand=Demand.MUST_NOT) for rule, severity in never),
        *silent,
        *(
            Expected("door_held_open", "warning", "elevator", span, facility=key, kind="elevator", demand=Demand.MAY)
            for key in scene.gateway.facilities
            if scene.world.facilities[scene.site, key].kind == "elevator"
        ),
    )


FAULTS = (
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
    Fault(
        "gateway_clock_jump", "网关时钟跳变", "Clock of the gateway jumps", None, _set_back, _set_right, 840, 720, 660,
        _of_jump, silences=True,
    ),
)  # fmt: skip
