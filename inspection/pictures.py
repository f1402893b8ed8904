"""Pictures that people send: opened only when they are bounded pictures, turned the right way up, searched for codes.

Everything about a file is a claim until it is decoded: its size is read from the header before a pixel is, so that a small
file that unpacks into a wall of memory is refused unopened. What is taken is made smaller as it is opened, JPEG while it
is decoded: the process that tells of alarms has half a gigabyte, and whole it would need 300 MB for one photo.
"""

import importlib
import io
import struct
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import zxingcpp
from PIL import ExifTags, Image, ImageFile

BYTES_MAX = 12 * 1024 * 1024
PIXELS_MAX = 40_000_000
WHOLE_PIXELS_MAX = 16_000_000  # of what is decoded whole, as PNG and WebP are
_SIDE_MAX = 2_400  # codes that fill a hundredth of a larger picture are still read, in a quarter of the time
_LIKENESS_SIDE = 8
_SMALL_SIDE_MAX = 480
PLACE_SIDE_MAX = 1_000  # some 150 kB: a phone holds those of a long route
_INK_MIN = 32  # of 255 between the darkest and the brightest point of what counts as drawn upon
_REDRAWN_SIDE_MAX = 2_000
_JPEG_QUALITY = 80
# How it was held, by what the camera wrote. Pillow's own way writes the camera's words anew, and fails at odd ones.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


class Fault(StrEnum):
    """Why a file is no picture that can be used."""

    EMPTY = "empty"
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_MANY_PIXELS = "too_many_pixels"
    NO_PICTURE = "no_picture"
    TRUNCATED = "truncated"
    HEIC = "heic"


class NoPicture(Exception):
    """Says why, and what would do."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Picture:
    """An opened one, the right way up. `image` has at most _SIDE_MAX points a side, `size` is what it was sent with."""

    media_type: str
    size: tuple[int, int]
    image: Image.Image

    @property
    def likeness(self) -> int:
        """Perceptual hash, as a signed 64-bit number: pictures of one scene differ in few bits."""
        small = self.image.convert("L").resize((_LIKENESS_SIDE + 1, _LIKENESS_SIDE), Image.Resampling.LANCZOS)
        values = np.asarray(small, dtype=np.int16)
        brighter = (values[:, 1:] > values[:, :-1]).flatten()
        return int.from_bytes(np.packbits(brighter).tobytes(), signed=True)

    @property
    def small(self) -> bytes:
        """As a list shows it: the right way up, a JPEG without what the camera wrote beside it."""
        return _jpeg(self.image, _SMALL_SIDE_MAX)[0]

    @property
    def is_blank(self) -> bool:
        """Nothing is drawn: every point is about as bright as any other."""
        grey = np.asarray(_on_white(self.image).convert("L"))
        return int(grey.max()) - int(grey.min()) < _INK_MIN


@dataclass(frozen=True, slots=True)
class Read:
    """One code in a picture. `box`: left, top, right, bottom as parts of its width and height."""

    text: str
    reader: str
    box: tuple[float, float, float, float]


def open_picture(data: bytes) -> Picture:
    """Raises NoPicture."""
    if not data:
        raise NoPicture(Fault.EMPTY, "nothing was sent: send the picture's bytes as the body")
    if len(data) > BYTES_MAX:
        raise NoPicture(Fault.TOO_MANY_BYTES, f"the picture has {len(data):,} bytes; {BYTES_MAX:,} at most")
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
        raise NoPicture(Fault.HEIC, "HEIC cannot be read here: set the camera to JPEG (most compatible)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of what is refused below, and of metadata nobody reads
            image = Image.open(io.BytesIO(data), formats=list(_FORMATS))
            sent_with = image.size
            # Phones lay a second picture behind the first, for screens of high contrast; Pillow calls that another format.
            kind = "JPEG" if image.format == "MPO" else str(image.format)
            _bound(*sent_with, PIXELS_MAX if kind == "JPEG" else WHOLE_PIXELS_MAX)
            media_type = _FORMATS[kind]
            image.draft(None, (_SIDE_MAX, _SIDE_MAX))
            image.load()
            upright = _turned(image)
    except NoPicture:
        raise
    except Image.DecompressionBombError as error:
        raise NoPicture(Fault.TOO_MANY_PIXELS, f"the picture is far too large: {error}") from None
    except (OSError, SyntaxError, ValueError, LookupError, EOFError, TypeError, OverflowError, struct.error) as error:
        if isinstance(error, Image.UnidentifiedImageError):
            raise NoPicture(Fault.NO_PICTURE, "this is no picture: send JPEG, PNG or WebP") from None
        raise NoPicture(Fault.TRUNCATED, f"the picture is cut short or damaged ({error}): send it again") from None
    if min(upright.size) < 1:
        raise NoPicture(Fault.NO_PICTURE, "the picture has no points")
    width, height = sent_with
    lay = (width < height) != (upright.width < upright.height)
    return Picture(media_type, (height, width) if lay else (width, height), upright)


def _turned(image: Image.Image) -> Image.Image:
    """Made smaller, and the right way up. Colours of a palette have no middle between them."""
    plain = image if image.mode in ("L", "LA", "RGB", "RGBA") else image.convert("RGBA" if _is_clear(image) else "RGB")
    plain.thumbnail((_SIDE_MAX, _SIDE_MAX), Image.Resampling.LANCZOS)
    turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return plain if turn is None else plain.transpose(turn)


def _is_clear(image: Image.Image) -> bool:
    """It is transparent somewhere, or may be."""
    return image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info


def _bound(width: int, height: int, pixels_max: int) -> None:
    if width * height > pixels_max:
        raise NoPicture(
            Fault.TOO_MANY_PIXELS,
            f"the picture has {width} x {height} points, {width * height / 1e6:.0f} million; "
            f"{pixels_max / 1e6:.0f} million at most: choose a smaller size in the camera, or send it as JPEG",
        )


@dataclass(frozen=True, slots=True)
class Redrawn:
    """A picture as JPEG, with nothing of the file it came in: not where the phone was, nor what else was hidden there."""

    data: bytes
    width: int
    height: int
    likeness: int


def redraw(picture: Picture, *, side_max: int = _REDRAWN_SIDE_MAX) -> Redrawn:
    data, (width, height) = _jpeg(picture.image, side_max)
    return Redrawn(data, width, height, likeness=picture.likeness)


def _jpeg(image: Image.Image, side_max: int) -> tuple[bytes, tuple[int, int]]:
    """At most so many points a side; its bytes and its size."""
    drawn = _on_white(image).convert("RGB")
    drawn.thumbnail((side_max, side_max), Image.Resampling.LANCZOS)
    drawn.info.clear()  # Pillow would write the comment of the file that was sent
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=_JPEG_QUALITY)
    return out.getvalue(), drawn.size


def find_codes(picture: Picture) -> Sequence[Read]:
    """Every QR code in it: by zbar, and by zxing where that finds none or is not installed."""
    grey = searched(picture.image)
    for search in (READERS["pyzbar"], READERS["zxing-cpp"]):
        found = search(grey)
        if found:
            return found
    return ()


def searched(image: Image.Image) -> Image.Image:
    """As the readers get it: grey, on white where it is transparent."""
    return _on_white(image).convert("L")


def _on_white(image: Image.Image) -> Image.Image:
    if not _is_clear(image):
        return image
    flat = Image.new("RGBA", image.size, "white")
    flat.alpha_composite(image.convert("RGBA"))
    return flat


def _load_zbar() -> Any:
    """None where the system library is missing."""
    try:
        return importlib.import_module("pyzbar.pyzbar")
    except (ImportError, OSError):
        return None


_zbar = _load_zbar()


def by_zbar(grey: Image.Image) -> Sequence[Read]:
    """Nothing where the system library libzbar is missing."""
    if _zbar is None:
        return ()
    width, height = grey.size
    return [
        Read(
            each.data.decode(errors="replace"),
            "pyzbar",
            (
                each.rect.left / width,
                each.rect.top / height,
                (each.rect.left + each.rect.width) / width,
                (each.rect.top + each.rect.height) / height,
            ),
        )
        for each in _zbar.decode(grey, symbols=[_zbar.ZBarSymbol.QRCODE])
    ]


def by_zxing(grey: Image.Image) -> Sequence[Read]:
    width, height = grey.size
    found: list[Read] = []
    for each in zxingcpp.read_barcodes(
        np.asarray(grey), formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    ):
        corners = (
            each.position.top_left,
            each.position.top_right,
            each.position.bottom_left,
            each.position.bottom_right,
        )
        xs, ys = [corner.x / width for corner in corners], [corner.y / height for corner in corners]
        found.append(Read(each.text, "zxing-cpp", (min(xs), min(ys), max(xs), max(ys))))
    return found


READERS: dict[str, Callable[[Image.Image], Sequence[Read]]] = {"pyzbar": by_zbar, "zxing-cpp": by_zxing}


def has_zbar() -> bool:
    return _zbar is not None


ImageFile.LOAD_TRUNCATED_IMAGES = False  # said, because another library could have turned it on
