"""A form as browsers send it without a script: fields and files of a bounded body, or one clear error. Pure.

Every cut is at a delimiter that stands at the beginning of a line, as RFC 7578 has it, so the work is linear in the
body's length whatever is in it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

PARTS_MAX = 12
HEAD_BYTES_MAX = 4_096
FIELD_BYTES_MAX = 16_384
_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_NAME = re.compile(rb'[;\s]name="([^"\r\n]{1,64})"', re.IGNORECASE)
_FILE = re.compile(rb"[;\s]filename\*?=", re.IGNORECASE)
_DISPOSITION = re.compile(rb"^content-disposition:\s*form-data\b(.*)$", re.IGNORECASE | re.MULTILINE)


class Malformed(Exception):
    """The body is no form; says why."""


@dataclass(frozen=True, slots=True)
class Form:
    """Of fields and files of one name, the last. A file that was not chosen is not there."""

    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])


def parse(content_type: str, body: bytes) -> Form:
    """Raises Malformed."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return Form(_urlencoded(body))
    if kind != "multipart/form-data":
        raise Malformed(f"a form comes as multipart/form-data, not as {kind or 'nothing'}")
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise Malformed("multipart/form-data names no boundary")
    try:
        boundary = (found[1] or found[2]).encode("ascii")
    except UnicodeEncodeError:
        raise Malformed("the boundary is not ASCII") from None
    return _multipart(boundary, body)


def _urlencoded(body: bytes) -> Mapping[str, str]:
    if len(body) > FIELD_BYTES_MAX:
        raise Malformed(f"a form without files has at most {FIELD_BYTES_MAX} bytes")
    try:
        text = body.decode("ascii")
        return dict(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=PARTS_MAX))
    except ValueError:
        raise Malformed("the form is not UTF-8, or has too many fields") from None


def _multipart(boundary: bytes, body: bytes) -> Form:
    delimiter = b"\r\n--" + boundary
    pieces = (b"\r\n" + body).split(delimiter, PARTS_MAX + 1)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise Malformed(f"the form is cut short, or has more than {PARTS_MAX - 1} parts")
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for piece in pieces[1:-1]:
        head, parted, content = piece.partition(b"\r\n\r\n")
        if not parted or len(head) > HEAD_BYTES_MAX:
            raise Malformed("a part of the form has no end of its headers")
        name, is_file = _said_of(head)
        if not is_file:
            fields[name] = _text(content)
        elif content:
            files[name] = content
    return Form(fields, files)


def _said_of(head: bytes) -> tuple[str, bool]:
    """The name of a part, and whether it is a file."""
    disposition = _DISPOSITION.search(head.replace(b"\r\n", b"\n"))
    name = None if disposition is None else _NAME.search(disposition[1])
    if disposition is None or name is None:
        raise Malformed("a part of the form has no name")
    return _text(name[1]), _FILE.search(disposition[1]) is not None


def _text(content: bytes) -> str:
    if len(content) > FIELD_BYTES_MAX:
        raise Malformed(f"a field of the form has at most {FIELD_BYTES_MAX} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Malformed("a field of the form is not UTF-8") from None
