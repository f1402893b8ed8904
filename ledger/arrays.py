"""Arrays as PostgreSQL reads them in text: one piece, where the driver would look at every element of a list by itself.

For statements of the line that carry hundreds of elements; `%s::bigint[]` takes them.
"""

from collections.abc import Iterable
from datetime import datetime


def numbers(given: Iterable[float | None]) -> str:
    """Whole numbers, or floats to the last digit."""
    return f"{{{','.join(['null' if each is None else repr(each) for each in given])}}}"


def moments(given: Iterable[datetime]) -> str:
    return f"{{{','.join([each.isoformat() for each in given])}}}"


def texts(given: Iterable[str]) -> str:
    return f"{{{','.join([_quoted(each) for each in given])}}}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
