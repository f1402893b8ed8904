"""Pictures that people send: read where they can be, and one clear word where they cannot."""

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from inspection import codes, labels, pictures
from inspection.labels import Label
from inspection.pictures import BYTES_MAX, Fault, NoPicture

URL = "https://patrol.example.cn"


def label(number: int = 1) -> Label:
    code = codes.make(bytes([number]) * codes.RANDOM_BYTES)
    return Label(codes.link(URL, code), codes.shown(code), "灭火器", "地库")


def encoded(image: Image.Image, form: str = "JPEG", **how: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **how)
    return out.getvalue()


def tag_picture(number: int = 1) -> Image.Image:
    return Image.open(io.BytesIO(labels.png(label(number)))).convert("L")


def huge_png(width: int, height: int) -> bytes:
    """A few bytes that say they are enormous."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", Fault.EMPTY),
        (b"\xff" * (BYTES_MAX + 1), Fault.TOO_MANY_BYTES),
        (b"%PDF-1.7 and so on", Fault.NO_PICTURE),
        (b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00" + bytes(24), Fault.NO_PICTURE),  # WebP begins so too
        (b"RIFF\x24\x00\x00\x00AVI LIST" + bytes(28), Fault.NO_PICTURE),
        ("灭火器".encode(), Fault.NO_PICTURE),
        (b"\0\0\0\x18ftypheic\0\0\0\0", Fault.HEIC),
        (huge_png(4_001, 4_000), Fault.TOO_MANY_PIXELS),
        (huge_png(2_000_000, 2_000_000), Fault.TOO_MANY_PIXELS),
        (huge_png(1_000, 1_000), Fault.TRUNCATED),
        (encoded(tag_picture())[:4_000], Fault.TRUNCATED),
        (encoded(tag_picture(), "PNG")[:-200], Fault.TRUNCATED),
        (encoded(tag_picture(), "GIF"), Fault.NO_PICTURE),
    ],
    ids=lambda value: value.value if isinstance(value, Fault) else "",
)
def test_what_is_no_picture_says_why(data: bytes, fault: Fault) -> None:
    with pytest.raises(NoPicture) as raised:
        pictures.open_picture(data)
    assert raised.value.fault is fault


@given(st.binary(max_size=400), st.sampled_from([b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP"]))
def test_any_bytes_are_a_picture_or_say_why_not(tail: bytes, head: bytes) -> None:
    try:
        pictures.find_codes(pictures.open_picture(head + tail))
    except NoPicture as error:
        assert error.fault in Fault


@pytest.mark.parametrize("turned", [1, 3, 6, 8])
def test_a_picture_is_turned_the_way_its_camera_was_held(turned: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned
    image = tag_picture().crop((0, 0, 300, 380))
    opened = pictures.open_picture(encoded(image, exif=exif))
    assert (opened.image.width < opened.image.height) is (turned in (1, 3))
    assert [each.text for each in pictures.find_codes(opened)] == [label().link]


@pytest.mark.parametrize("turned", range(1, 9))
def test_each_way_to_hold_a_camera_is_turned_as_pillow_turns_it(turned: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned
    data = encoded(tag_picture().crop((0, 0, 300, 380)), "PNG", exif=exif)
    wanted = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert pictures.open_picture(data).image.tobytes() == wanted.tobytes()


def test_words_of_a_camera_that_cannot_be_written_anew_spoil_no_picture() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x011A] = 6, 72.0
    odd = encoded(Image.new("RGB", (40, 30)), exif=exif).replace(b"\x01\x1a\x00\x05", b"\x01\x1a\x00\x02")
    with pytest.raises(TypeError):
        ImageOps.exif_transpose(Image.open(io.BytesIO(odd)))
    assert pictures.open_picture(odd).image.size == (30, 40)


def test_a_photo_with_a_second_one_behind_it_is_a_jpeg() -> None:
    """As phones write them for screens of high contrast."""
    sent = encoded(Image.new("RGB", (6_000, 4_000)), "MPO", save_all=True, append_images=[Image.new("L", (60, 40))])
    opened = pictures.open_picture(sent)
    assert (opened.media_type, opened.size) == ("image/jpeg", (6_000, 4_000))


def test_nothing_of_the_file_that_was_sent_is_drawn_with_it() -> None:
    words = PngInfo()
    words.add_text("comment", "hidden")
    picture = Image.new("RGB", (40, 30))
    for sent in (
        encoded(picture, comment=b"hidden", xmp=b"hidden", icc_profile=b"hidden"),
        encoded(picture, "PNG", pnginfo=words),
    ):
        opened = pictures.open_picture(sent)
        assert b"hidden" in sent
        assert b"hidden" not in pictures.redraw(opened).data
        assert b"hidden" not in opened.small


def test_a_large_photo_is_made_smaller_as_it_is_opened_and_its_code_is_read() -> None:
    page = Image.new("RGB", (6_000, 4_000), "grey")
    page.paste(tag_picture().resize((1_600, 1_800)), (3_000, 1_500))
    exif = Image.Exif()
    exif[0x0112] = 6
    opened = pictures.open_picture(encoded(page, exif=exif))
    assert opened.size == (4_000, 6_000)
    assert max(opened.image.size) <= 2_400
    assert [each.text for each in pictures.find_codes(opened)] == [label().link]
    with pytest.raises(NoPicture, match="40 million at most"):
        pictures.open_picture(encoded(Image.new("L", (8_000, 5_001))))


def test_several_codes_in_one_picture_are_all_read() -> None:
    page = Image.new("L", (1_200, 520), 255)
    for place in range(3):
        page.paste(tag_picture(place + 1), (20 + place * 390, 10))
    found = pictures.find_codes(pictures.open_picture(encoded(page)))
    assert {each.text for each in found} == {label(number).link for number in (1, 2, 3)}
    assert all(0 <= side <= 1 for each in found for side in each.box)


def test_a_code_on_nothing_is_read_as_on_white() -> None:
    page = Image.new("RGBA", (500, 500), (0, 0, 0, 0))
    page.paste(tag_picture().convert("RGBA"), (60, 40))
    assert pictures.find_codes(pictures.open_picture(encoded(page, "PNG")))


@pytest.mark.parametrize("reader", ["zxing-cpp", "pyzbar"])
def test_each_reader_reads_a_clean_code(reader: str) -> None:
    if reader == "pyzbar" and not pictures.has_zbar():
        pytest.skip("the system library libzbar is not installed")
    assert [each.text for each in pictures.READERS[reader](tag_picture())] == [label().link]


def test_the_same_scene_is_alike_and_another_is_not() -> None:
    scene = Image.linear_gradient("L").rotate(33).resize((640, 480))
    for number in range(9):  # boxes along a corridor
        scene.paste(25 * number, (70 * number, 40 + 37 * number % 300, 70 * number + 45, 160 + 37 * number % 300))
    other = scene.transpose(Image.Transpose.FLIP_LEFT_RIGHT)

    def likeness(image: Image.Image, **how: object) -> int:
        return pictures.open_picture(encoded(image, **how)).likeness

    def bits_apart(one: int, two: int) -> int:
        return ((one ^ two) & (2**64 - 1)).bit_count()

    original = likeness(scene, quality=95)
    assert bits_apart(original, likeness(scene.resize((320, 240)), quality=40)) <= 4
    assert bits_apart(original, likeness(other)) > 10
    assert -(2**63) <= original < 2**63
