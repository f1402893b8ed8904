"""Cursors of keyset paging: opaque to clients, a JSON list inside, refused in words when they are not ours."""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from api.problems import Unacceptable, unacceptable
from api.shapes import ID_MAX

Row = TypeVar("Row")


def cut(rows: Sequence[Row], limit: int, place: Callable[[Row], Sequence[object]]) -> tuple[Sequence[Row], str | None]:
    """Of `limit + 1` rows asked for: those to show, and the cursor if there are more."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], _written(place(rows[limit - 1]))


def moment_and_id(cursor: str | None) -> tuple[datetime, int] | None:
    """Raises Unacceptable."""
    if cursor is None:
        return None
    match _read(cursor):
        case [str(moment), int(number)]:
            try:
                at = datetime.fromisoformat(moment)
            except ValueError:
                raise _not_ours() from None
            if at.tzinfo is not None and 0 <= number <= ID_MAX:
                return at, number
        case _:
            pass
    raise _not_ours()


def day_and_id(cursor: str | None) -> tuple[date, int] | None:
    """Raises Unacceptable."""
    if cursor is None:
        return None
    match _read(cursor):
        case [str(day), int(one)] if 0 <= one <= ID_MAX:
            try:
                return date.fromisoformat(day), one
            except ValueError:
                raise _not_ours() from None
        case _:
            raise _not_ours()


def number(cursor: str | None) -> int | None:
    """Raises Unacceptable."""
    if cursor is None:
        return None
    match _read(cursor):
        case [int(found)] if 0 <= found <= ID_MAX:
            return found
        case _:
            raise _not_ours()


def two_keys(cursor: str | None) -> tuple[str, str] | None:
    """Raises Unacceptable."""
    if cursor is None:
        return None
    match _read(cursor):
        case [str(one), str(other)] if "\0" not in one + other:
            return one, other
        case _:
            raise _not_ours()


def moment_and_uuid(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Raises Unacceptable."""
    if cursor is None:
        return None
    match _read(cursor):
        case [str(moment), str(one)]:
            found = moment_and_id(_written([moment, 0]))
            assert found is not None
            try:
                return found[0], UUID(one)
            except ValueError:
                raise _not_ours() from None
        case _:
            raise _not_ours()


def moment_and_two_keys(cursor: str | None) -> tuple[datetime, str, str] | None:
    """Raises Unacceptable."""
    if cursor is None:
        return None
    match _read(cursor):
        case [str(moment), str(one), str(other)] if "\0" not in one + other:
            found = moment_and_id(_written([moment, 0]))
            assert found is not None
            return found[0], one, other
        case _:
            raise _not_ours()


def _written(place: Sequence[object]) -> str:
    plain = [each.isoformat() if isinstance(each, datetime) else each for each in place]
    return base64.urlsafe_b64encode(json.dumps(plain, separators=(",", ":")).encode()).decode().rstrip("=")


def _read(cursor: str) -> object:
    try:
        found: object = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        raise _not_ours() from None
    return found


def _not_ours() -> Unacceptable:
    return unacceptable("query.after", "cursor")
