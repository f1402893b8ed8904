"""Where the plant's randomness comes from: slow drifts that stay within bounds, and curves of the day."""

import math
import random
from collections.abc import Mapping, Sequence


def source(seed: int, *names: str) -> random.Random:
    """A stream of its own for every (seed, name), so that one more pump does not change what another one does."""
    return random.Random("/".join((str(seed), *names)))


class Drift:
    """A value that wanders about zero with standard deviation `sigma` and memory `tau_s`, never beyond 2.5 sigma.

    The bound is what lets ordinary life be calm: a limit set outside it is never crossed by chance. It moves on every
    thirtieth of its memory, which no chart shows and every machine with many plants feels.
    """

    __slots__ = ("_elapsed_s", "_every_s", "_random", "_sigma", "_tau_s", "value")

    def __init__(self, random_source: random.Random, sigma: float, tau_s: float) -> None:
        self._random = random_source
        self._sigma = sigma
        self._tau_s = tau_s
        self._every_s = tau_s / 30.0
        self._elapsed_s = 0.0
        self.value = self._bounded(random_source.gauss(0.0, sigma))

    def step(self, dt_s: float) -> float:
        self._elapsed_s += dt_s
        if self._elapsed_s >= self._every_s:
            decay = math.exp(-self._elapsed_s / self._tau_s)
            kick = self._random.gauss(0.0, self._sigma * math.sqrt(1.0 - decay * decay))
            self.value = self._bounded(self.value * decay + kick)
            self._elapsed_s = 0.0
        return self.value

    def _bounded(self, value: float) -> float:
        limit = 2.5 * self._sigma
        return min(max(value, -limit), limit)


class Drifts:
    """The drifts of one plant by name, each (sigma, tau_s) and from a stream of its own; `values` is read, not written."""

    __slots__ = ("_drifts", "_elapsed_s", "_every_s", "values")

    def __init__(self, seed: int, name: str, drifts: Mapping[str, tuple[float, float]]) -> None:
        self._drifts = {key: Drift(source(seed, name, key), *figures) for key, figures in drifts.items()}
        self._every_s = min(tau_s for _, tau_s in drifts.values()) / 30.0
        self._elapsed_s = 0.0
        self.values = {key: drift.value for key, drift in self._drifts.items()}

    def step(self, dt_s: float) -> None:
        """Nothing moves until the quickest of them would."""
        self._elapsed_s += dt_s
        if self._elapsed_s >= self._every_s:
            for key, drift in self._drifts.items():
                self.values[key] = drift.step(self._elapsed_s)
            self._elapsed_s = 0.0


def of_the_day(curve: Sequence[float], hour: float) -> float:
    """The curve, one figure for each full hour, read at any hour: joined by cosines, the end to the beginning."""
    count = len(curve)
    position = hour % 24.0 * count / 24.0
    before = int(position) % count
    weight = (1.0 - math.cos(math.pi * (position - int(position)))) / 2.0
    return curve[before] * (1.0 - weight) + curve[(before + 1) % count] * weight


def towards(value: float, target: float, dt_s: float, tau_s: float) -> float:
    """One step of a first-order approach, exact for any step length."""
    return target + (value - target) * math.exp(-dt_s / tau_s)
