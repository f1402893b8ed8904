"""What the audit log keeps of a request."""

import pytest

from api.deeds import ESSENCE_CHARS_MAX, essence


@pytest.mark.parametrize(
    ("begin", "kind"),
    [
        (b"%PDF-1.7", "application/pdf"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n", "image/png"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"RIFF\x10\x00\x00\x00AVI LIST", "audio/wav"),
        (b"RIFF", "audio/wav"),
    ],
)
def test_a_file_is_what_its_bytes_say_and_else_what_it_was_sent_as(begin: bytes, kind: str) -> None:
    found = essence(begin, "audio/wav; codecs=1")
    assert found is not None
    assert (found["media_type"], found["bytes"]) == (kind, len(begin))


def test_of_what_is_long_the_beginning_is_kept() -> None:
    assert essence(b'{"name": "x"}') == {"name": "x"}
    assert essence(b"[1]") == {"body": [1]}
    found = essence(b'{"name": "%s"}' % (b"x" * ESSENCE_CHARS_MAX))
    assert found is not None
    assert [len(str(each)) for each in found.values()] == [ESSENCE_CHARS_MAX]
    assert essence(b"null") is None
