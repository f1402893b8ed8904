"""Forms as browsers send them: fields and files as they were, and one clear error for everything else."""

import string

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import form_body
from api.form_body import FIELD_BYTES_MAX, PARTS_MAX, Malformed

MULTIPART = "multipart/form-data; boundary=xyz"


def part(name: str, content: bytes, more: str = "") -> bytes:
    return f'--xyz\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + content + b"\r\n"


def body(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--xyz--\r\n"


names = st.text(string.ascii_lowercase + "_", min_size=1, max_size=20)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(
    st.dictionaries(names, texts, max_size=4),
    st.dictionaries(names, st.binary(min_size=1, max_size=500), min_size=1, max_size=3),
)
def test_what_a_client_sends_is_what_is_read(fields: dict[str, str], files: dict[str, bytes]) -> None:
    """Written by another's hand: httpx's."""
    chosen = {name: ("x.jpg", data, "image/jpeg") for name, data in files.items()}
    request = httpx.Request("POST", "http://taizhang.test/", data=fields, files=chosen)
    found = form_body.parse(request.headers["content-type"], request.read())
    assert found.fields == fields
    assert found.files == files


def test_a_form_without_a_file_and_one_without_multipart() -> None:
    found = form_body.parse(MULTIPART, body(part("words", "堵了".encode()), part("photo", b"", '; filename=""')))
    assert (found.fields, found.files) == ({"words": "堵了"}, {})
    plain = form_body.parse("application/x-www-form-urlencoded", b"words=%E5%A0%B5&problem=other")
    assert plain.fields == {"words": "堵", "problem": "other"}


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("", b""),
        ("application/json", b"{}"),
        ("multipart/form-data", b""),
        ('multipart/form-data; boundary="é"', b""),
        (MULTIPART, b""),
        (MULTIPART, b"--xyz\r\n"),
        (MULTIPART, part("words", b"x")),  # cut short
        (MULTIPART, body(b"--xyz\r\nContent-Disposition: form-data\r\n\r\nx\r\n")),
        (MULTIPART, body(b'--xyz\r\nContent-Disposition: form-data; filename="x"\r\n\r\nx\r\n')),
        (MULTIPART, body(b"--xyz\r\nno headers at all\r\n")),
        (MULTIPART, body(part("words", b"\xff"))),
        (MULTIPART, body(part("words", b"x" * (FIELD_BYTES_MAX + 1)))),
        (MULTIPART, body(*[part("words", b"x")] * (PARTS_MAX + 1))),
        ("application/x-www-form-urlencoded", b"words=%ff"),
        ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * (PARTS_MAX + 1))),
        ("application/x-www-form-urlencoded", b"x" * (FIELD_BYTES_MAX + 1)),
    ],
)
def test_what_is_no_form_is_refused(content_type: str, content: bytes) -> None:
    with pytest.raises(Malformed):
        form_body.parse(content_type, content)


@given(st.text(max_size=80), st.binary(max_size=400))
def test_whatever_comes_is_a_form_or_refused(content_type: str, content: bytes) -> None:
    for kind in (content_type, MULTIPART):
        try:
            form_body.parse(kind, content)
        except Malformed:
            continue
