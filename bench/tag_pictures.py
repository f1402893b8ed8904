"""Photos of tags as guards take them: drawn from a seed, each with what is wrong with it and how badly.

What stands on the wall is the label that is printed; the picture goes through JPEG as a phone's does.
"""

import io
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from inspection import codes, labels
from inspection.labels import Label

SIZE = (1280, 960)
_URL = "https://patrol.example.cn"
_WALL = 150
_TAGS = 8
_SIDE = 300  # of a label, in points of the picture
_FAR = {"small": 45, "several": 100}  # as small as it becomes


@dataclass(frozen=True, slots=True)
class Photo:
    """`links`: what stands in it."""

    fault: str
    data: bytes
    links: Sequence[str]


Spoil = Callable[[random.Random, float, Image.Image], Image.Image]


def photos(seed: int, of_each: int) -> Sequence[Photo]:
    """So many of each fault, from hardly there (0) to hardly readable (1) in even steps."""
    dice = random.Random(seed)
    return [_photo(dice, fault, number / max(1, of_each - 1)) for fault in FAULTS for number in range(of_each)]


def _photo(dice: random.Random, fault: str, much: float) -> Photo:
    several = fault == "several"
    count = dice.randrange(2, 5) if several else 1
    links = dice.sample([*_tags()], count)
    side = round(_SIDE * (_FAR[fault] / _SIDE) ** much) if fault in _FAR else _SIDE
    skew = 0.15 + (0.6 * much if fault == "skew" else 0)
    scene = Image.new("L", SIZE, _WALL)
    for at, link in enumerate(links):
        tag = _leaning(dice, _tags()[link].resize(_sized(_tags()[link], side), Image.Resampling.LANCZOS), skew)
        column, row = at % 2, at // 2
        left = (40 + column * 640 if several else 380) + dice.randrange(-30, 30)
        top = (30 + row * 470 if several else 280) + dice.randrange(-25, 25)
        scene.paste(tag, (left, top), tag.getchannel("A") if tag.mode == "LA" else None)
    spoilt = FAULTS[fault](dice, much, scene)
    grainy = _grain(dice, spoilt, 3.0)
    out = io.BytesIO()
    grainy.save(out, "JPEG", quality=80)
    return Photo(fault, out.getvalue(), links)


@lru_cache(maxsize=1)
def _tags() -> Mapping[str, Image.Image]:
    """The printed labels, by the link in their code."""
    found: dict[str, Image.Image] = {}
    for number in range(_TAGS):
        code = codes.make(bytes([number, *range(codes.RANDOM_BYTES - 1)]))
        label = Label(codes.link(_URL, code), codes.shown(code), f"{number + 1}号灭火器", "1号楼 / 3层")
        found[label.link] = Image.open(io.BytesIO(labels.png(label))).convert("L")
    return found


def _sized(tag: Image.Image, side: int) -> tuple[int, int]:
    factor = side / min(tag.size)
    return round(tag.width * factor), round(tag.height * factor)


def _leaning(dice: random.Random, tag: Image.Image, skew: float) -> Image.Image:
    """Turned a little, and seen from the side: the far edge is shorter."""
    width, height = tag.size
    shrunk, lower = 1 - 0.75 * skew, height * skew * 0.35
    near = [(0, 0), (width * shrunk, lower), (width * shrunk, height - lower), (0, height)]
    tag = tag.convert("LA")
    leaning = tag.transform(
        tag.size, Image.Transform.PERSPECTIVE, _perspective(near, width, height), Image.Resampling.BICUBIC
    )
    return leaning.rotate(dice.uniform(-12, 12), Image.Resampling.BICUBIC, expand=True)


def _perspective(corners: Sequence[tuple[float, float]], width: int, height: int) -> list[float]:
    """Coefficients that take points of the new picture to those of the old one."""
    rows: list[list[float]] = []
    wanted: list[float] = []
    for (x, y), (u, v) in zip(corners, [(0, 0), (width, 0), (width, height), (0, height)], strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    return [float(each) for each in np.linalg.solve(np.array(rows), np.array(wanted))]


def _grain(dice: random.Random, image: Image.Image, deviation: float) -> Image.Image:
    noise = np.random.default_rng(dice.getrandbits(32)).normal(0, deviation, (image.height, image.width))
    return Image.fromarray(np.clip(np.asarray(image, dtype=np.float32) + noise, 0, 255).astype(np.uint8))


# ------------------------------------------------------------------ what is wrong with it


def _as_it_is(dice: random.Random, much: float, image: Image.Image) -> Image.Image:
    del dice, much
    return image


def _blur(dice: random.Random, much: float, image: Image.Image) -> Image.Image:
    """Out of focus."""
    del dice
    return image.filter(ImageFilter.GaussianBlur(0.5 + 6.5 * much))


def _shaken(dice: random.Random, much: float, image: Image.Image) -> Image.Image:
    """The hand moved, one way."""
    steps = round(2 + 22 * much)
    angle = dice.uniform(0, math.pi)
    plain = np.asarray(image, dtype=np.float32)
    moved = [
        np.roll(plain, (round(at * math.sin(angle)), round(at * math.cos(angle))), axis=(0, 1)) for at in range(steps)
    ]
    return Image.fromarray((sum(moved[1:], moved[0]) / steps).astype(np.uint8))


def _glare(dice: random.Random, much: float, image: Image.Image) -> Image.Image:
    """A lamp in the laminate."""
    light = Image.new("L", image.size, 0)
    across = 60 + 190 * much
    x, y = 520 + dice.randrange(-140, 140), 430 + dice.randrange(-140, 140)
    ImageDraw.Draw(light).ellipse((x - across, y - across * 0.6, x + across, y + across * 0.6), fill=255)
    soft = light.filter(ImageFilter.GaussianBlur(18))
    return Image.composite(Image.new("L", image.size, 252), image, soft)


def _dirt(dice: random.Random, much: float, image: Image.Image) -> Image.Image:
    """Paint, dust and scratches."""
    dirty = image.copy()
    pen = ImageDraw.Draw(dirty)
    for _ in range(round(4 + 60 * much)):
        x, y, radius = dice.randrange(340, 860), dice.randrange(260, 640), dice.uniform(3, 6 + 14 * much)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=dice.choice([60, 110, 190, 235]))
    for _ in range(round(8 * much)):
        ends = [dice.randrange(340, 860), dice.randrange(260, 640), dice.randrange(340, 860), dice.randrange(260, 640)]
        pen.line(ends, fill=dice.choice([70, 220]), width=dice.randrange(1, 5))
    return dirty


def _dark(dice: random.Random, much: float, image: Image.Image) -> Image.Image:
    """A cellar: little light, much noise."""
    share = 0.35 * (1 - much) + 0.03
    dim = image.point([round(each * share) for each in range(256)])
    return _grain(dice, dim, 2 + 5 * much)


FAULTS: Mapping[str, Spoil] = {
    "clean": _as_it_is,
    "blur": _blur,
    "shaken": _shaken,
    "skew": _as_it_is,  # it leans more
    "glare": _glare,
    "dirt": _dirt,
    "low_light": _dark,
    "small": _as_it_is,  # it is farther away
    "several": _as_it_is,  # two to four in one picture, and farther away
}
