"""What any facility can have: a sensor that says nothing any more while the rest of its gateway speaks on."""

from collections.abc import Sequence
from functools import partial

from simulators.scene import Expected, Fault, Scene

_STALE_AFTER = 3  # intervals; then a rule waits five minutes
_WAITS_S = 300.0
_TICK_S = 150.0  # judged by the service's clock, as time passes: once that it is silent, once that it is so for long


def _cut(scene: Scene, *, point: str) -> None:
    scene.world.mute(scene.place, point)


def _mend(scene: Scene, *, point: str) -> None:
    scene.world.unmute(scene.place, point)


def _of_silence(scene: Scene, *, point: str) -> Sequence[Expected]:
    """It was last heard an interval ago at most, and is missed when its gateway speaks again after that."""
    interval_s = scene.interval_s(point)
    spoken_s = min(scene.interval_s(other) for other in scene.world.reports(scene.place) if other != point)
    latest_s = _STALE_AFTER * interval_s + spoken_s + _WAITS_S + 2 * _TICK_S
    raised = ((_STALE_AFTER - 1) * interval_s + _WAITS_S - 5, latest_s)
    return (Expected("points_stale", "warning", "communication", raised, (0, interval_s + _TICK_S)),)


def silent_sensor(key: str, title_zh: str, title_en: str, kind: str, point: str, *, lasts_min_s: float = 1400) -> Fault:
    """The fault of one kind's sensor, which is read every five minutes. Longer where little else of its facility is."""
    return Fault(
        key, title_zh, title_en, kind, partial(_cut, point=point), partial(_mend, point=point), lasts_min_s + 100,
        lasts_min_s, 480,
        partial(_of_silence, point=point), needs=(point,),
    )  # fmt: skip
