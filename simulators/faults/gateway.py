"""Gateways: dark, cut off, saying everything twice, with a clock that jumped."""

from collections.abc import Sequence

from simulators.gateway import Uplink
from simulators.scene import Expected, Fault, Inner, Scene


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
)  # fmt: skip
