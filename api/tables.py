"""Tables as CSV files (RFC 4180, UTF-8), written beside the event loop: a hundred thousand rows take seconds of a core, and
alarms do not wait for them.
"""

import asyncio
import csv
import io
import json
from collections.abc import Iterable, Sequence

from fastapi import Response
from pydantic import BaseModel

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def csv_file(name: str, header: Sequence[str], lines: Iterable[BaseModel]) -> Response:
    """`header`: the fields of a line that are shown. `lines` may be made as they are written."""
    text = await asyncio.to_thread(_written, header, lines)
    return Response(text, media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _written(header: Sequence[str], lines: Iterable[BaseModel]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    for line in lines:
        plain = line.model_dump(mode="json")
        writer.writerow([_cell(plain[column]) for column in header])
    return text.getvalue()


def _cell(value: object) -> object:
    """What a spreadsheet would take for a formula is marked as text: names and notes are what people typed."""
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case str() if value.startswith(_FORMULA):
            return "'" + value
        case _:
            return value
