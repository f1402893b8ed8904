"""Rain at a site: showers of its seed, and what a fault pours on top."""

from simulators.plant.noise import source

_DRY_S = 30 * 3600.0  # from one shower to the next, on average
_SHOWER_S = (1800.0, 9000.0)
_SHOWER_MM_H = (0.5, 8.0)


class Weather:
    """Showers are what a drain is built for: none of them is news. `cloudburst_mm_h` is what a fault sets."""

    def __init__(self, seed: int, site: str) -> None:
        self._random = source(seed, site, "weather")
        self.cloudburst_mm_h = 0.0
        self._shower_mm_h = 0.0
        self._changes_s = self._random.expovariate(1.0 / _DRY_S)

    def step(self, dt_s: float) -> None:
        self._changes_s -= dt_s
        if self._changes_s > 0.0:
            return
        if self._shower_mm_h:
            self._shower_mm_h = 0.0
            self._changes_s = self._random.expovariate(1.0 / _DRY_S)
        else:
            self._shower_mm_h = self._random.uniform(*_SHOWER_MM_H)
            self._changes_s = self._random.uniform(*_SHOWER_S)

    @property
    def rain_mm_h(self) -> float:
        return self._shower_mm_h + self.cloudburst_mm_h
