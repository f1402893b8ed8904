"""What every plant shares with its neighbours: the hour, the weather, and what it gets from them."""

from dataclasses import dataclass

from simulators.plant.noise import of_the_day

Value = float | int | bool | str | None

_OUTDOOR_TEMP_C = (14.0, 13.0, 12.5, 12.5, 14.0, 17.0, 20.0, 22.5, 24.0, 23.0, 19.5, 16.5)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """One moment of the world outside a plant. `hour` is the site's local time, 0 to 24."""

    hour: float
    mains_ok: bool = True  # the first feed: the city's
    backup_ok: bool = True  # the second feed, where there is one: another mains or a generator
    water_ok: bool = True  # the tank that it draws from has water
    drawn_m3h: float = 0.0  # what others draw from it
    rain_mm_h: float = 0.0

    @property
    def outdoor_temp_c(self) -> float:
        return of_the_day(_OUTDOOR_TEMP_C, self.hour)
