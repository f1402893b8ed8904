"""PUBLISH frames made once and patched: time stamp, packet id and the last digits of every reading.

Facilities of a kind have frames of one length, so a kind's frames are rows of one byte array and a patch is an
assignment to some of its columns. A facility has more points than a message has values: its messages take turns.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench import frames
from bench.estates import Normal, Place

Bytes2D = NDArray[np.uint8]

_TS = "1" * 13
_TRUE = "true "  # as wide as false: JSON allows the space


@dataclass(frozen=True, slots=True)
class Excursion:
    """What a facility of a kind says while something is wrong with it."""

    point: str
    alarm: str  # JSON as wide as the normal one
    hold_s: float  # for how long it says so


# Rules without or with a short on-delay. Latched ones ring once for each facility, until a person resets them.
EXCURSIONS: Mapping[str, Sequence[Excursion]] = {
    "elevator": [
        Excursion(point, _TRUE, 0.5)
        for point in (
            "brake_fault", "motor_run_time_limiter", "overspeed", "over_travel_top",
            "over_travel_bottom", "unintended_car_movement",
        )
    ],
    "distribution_room": [Excursion(f"feeder_{number}.breaker_trip", _TRUE, 4.0) for number in (1, 2, 3, 4)],
    "booster_pump_room": [Excursion(f"pump_{number}.fault", _TRUE, 6.0) for number in (1, 2)],
    "fire_pump_room": [Excursion(f"hydrant_pump_{number}.fault", _TRUE, 6.0) for number in (1, 2)],
}  # fmt: skip
# Those that ring with the very message: latency is measured from it.
AT_ONCE = ("elevator",)


@dataclass(slots=True)
class Variant:
    """The frames of one turn. Columns: where in a row things stand."""

    rows: Bytes2D
    topics_end: int
    noise: NDArray[np.intp]
    excursions: Mapping[str, slice]  # point -> the columns of its value


@dataclass(slots=True)
class Block:
    """Facilities of one kind on one connection."""

    places: Sequence[Place]
    is_poison: NDArray[np.bool_]
    variants: list[Variant]
    values_per_message: int
    turn: int = 0
    row: int = 0  # the next one to be sent in this turn
    last_ts_ms: int = 0

    def take(self, count: int, now_ms: int, first_id: int, noise: NDArray[np.uint8]) -> tuple[bytes, int]:
        """The next frames, at most `count` of this turn's rest: their bytes, and how many they are."""
        variant = self.variants[self.turn]
        begin, end = self.row, min(self.row + count, len(self.places))
        if begin == 0:
            self.last_ts_ms = max(now_ms, self.last_ts_ms + 1)
        taken = end - begin
        rows = variant.rows[begin:end]
        ids = (np.arange(first_id, first_id + taken) - 1) % 65_535 + 1
        rows[:, variant.topics_end] = ids >> 8
        rows[:, variant.topics_end + 1] = ids & 0xFF
        stamp = np.frombuffer(str(self.last_ts_ms).encode(), dtype=np.uint8)
        column = variant.topics_end + 2 + len('{"ts":')
        rows[:, column : column + 13] = stamp
        if len(variant.noise):
            rows[:, variant.noise] = noise[: taken * len(variant.noise)].reshape(taken, -1)
        self.row = end
        if end == len(self.places):
            self.row, self.turn = 0, (self.turn + 1) % len(self.variants)
        return rows.tobytes(), taken

    def sudden(self, row: int, excursion: Excursion, now_ms: int, packet_id: int) -> bytes:
        """A message of its own, as a device sends one when something changes; later ones of this block are younger."""
        ts_ms = max(now_ms, self.last_ts_ms + 1)
        self.last_ts_ms = ts_ms + 1
        payload = f'{{"ts":{ts_ms},"values":{{"{excursion.point}":{excursion.alarm}}}}}'
        return frames.publish(self.places[row].topic, payload.encode(), packet_id)

    def say(self, row: int, excursion: Excursion, *, wrong: bool) -> None:
        """From now on, in whatever frames it stands, this facility's point says the one or the other."""
        said = excursion.alarm if wrong else "false"
        for variant in self.variants:
            columns = variant.excursions.get(excursion.point)
            if columns is not None:
                variant.rows[row, columns] = np.frombuffer(said.encode(), dtype=np.uint8)


def blocks(
    places: Sequence[Place],
    normal: Mapping[str, Mapping[str, Normal]],
    values_per_message: int,
    *,
    poison: float = 0.0,
) -> list[Block]:
    """One block for each kind among the places. `poison`: the share of facilities that send what is no telemetry."""
    made: list[Block] = []
    every = round(1 / poison) if poison else 0
    for kind in sorted({place.kind for place in places}):
        numbers = [number for number, place in enumerate(places) if place.kind == kind]
        of_kind = [places[number] for number in numbers]
        turns = _turns(list(normal[kind].items()), values_per_message)
        variants = [_frames_of(of_kind, turn) for turn in turns]
        is_poison = np.array([every > 0 and number % every == 0 for number in numbers])
        for variant in variants:
            variant.rows[is_poison, -1] = ord("!")  # the closing brace: what comes is no JSON
        made.append(Block(of_kind, is_poison, variants, len(turns[0])))
    return made


def _turns(points: Sequence[tuple[str, Normal]], size: int) -> list[list[tuple[str, Normal]]]:
    """Every point in turn, as many to a message as asked for; the last message begins again at the first point."""
    size = min(size, len(points))
    count = math.ceil(len(points) / size)
    return [[points[(turn * size + each) % len(points)] for each in range(size)] for turn in range(count)]


def _frames_of(places: Sequence[Place], points: Sequence[tuple[str, Normal]]) -> Variant:
    payload = '{"ts":' + _TS + ',"values":{'
    noise: list[int] = []
    found: dict[str, slice] = {}
    for place, (key, value) in enumerate(points):
        payload += ("," if place else "") + f'"{key}":'
        said, loose = _said(value)
        noise += [len(payload) + each for each in loose]
        if value is False:
            found[key] = slice(len(payload), len(payload) + len(said))
        payload += said
    payload += "}}"
    rows = [frames.publish(place.topic, payload.encode(), 1) for place in places]
    width = len(rows[0])
    assert {len(row) for row in rows} == {width}, "keys of sites and facilities are of one length each"
    start = width - len(payload)
    return Variant(
        np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), width).copy(),
        start - 2,
        np.array([start + each for each in noise], dtype=np.intp),
        {key: slice(start + at.start, start + at.stop) for key, at in found.items()},
    )


def _said(value: Normal) -> tuple[str, list[int]]:
    """A value as JSON, and which of its characters are digits that may be anything: some thousandths of it."""
    if isinstance(value, bool):
        return ("true" if value else "false"), []
    if isinstance(value, str):
        return f'"{value}"', []
    if not value or float(value).is_integer():  # at rest, or a count
        return (f"{value:.1f}", []) if isinstance(value, float) else (str(value), [])
    decimals = max(1, 4 - math.floor(math.log10(abs(value))))
    text = f"{value:.{decimals}f}"
    digits = [place for place, letter in enumerate(text) if letter.isdigit()]
    return text, digits[-2:]
