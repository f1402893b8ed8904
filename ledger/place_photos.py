"""The photo of a facility's place, by which somebody finds it: one at a time, what was there before stays on record.

The bytes lie in the directory of photos, under their hash.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ledger import dossier
from ledger.errors import NotFound
from ledger.pool import Connection
from ledger.records import Facility


class PlacePhotoMove(StrEnum):
    """What the dossier says of it."""

    SET = "set"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class PlacePhoto:
    sha256: str
    bytes: int
    width: int
    height: int
    added_at: datetime
    added_by: str


async def put(connection: Connection, facility: Facility, photo: PlacePhoto) -> PlacePhoto:
    """The one that is there now: in place of another, or the same that was there already."""
    await dossier.lock_facilities(connection, [facility.id])
    before = await find(connection, facility.id)
    if before is not None and before.sha256 == photo.sha256:
        return before
    if before is not None:
        await _end(connection, facility.id, by=photo.added_by, now=photo.added_at)
    await connection.execute(
        "insert into place_photo (site_id, facility_id, sha256, bytes, width, height, added_at, added_by) "
        "values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            facility.site_id,
            facility.id,
            photo.sha256,
            photo.bytes,
            photo.width,
            photo.height,
            photo.added_at,
            photo.added_by,
        ],
    )
    await _enter(connection, facility, PlacePhotoMove.SET, photo.sha256, actor=photo.added_by, now=photo.added_at)
    return photo


async def remove(connection: Connection, facility: Facility, *, actor: str, now: datetime) -> None:
    """Raises NotFound where there is none."""
    await dossier.lock_facilities(connection, [facility.id])
    found = await get(connection, facility)
    await _end(connection, facility.id, by=actor, now=now)
    await _enter(connection, facility, PlacePhotoMove.REMOVE, found.sha256, actor=actor, now=now)


async def find(connection: Connection, facility_id: int) -> PlacePhoto | None:
    return (await of_facilities(connection, [facility_id])).get(facility_id)


async def get(connection: Connection, facility: Facility) -> PlacePhoto:
    """Raises NotFound."""
    found = await find(connection, facility.id)
    if found is None:
        raise NotFound("photo of the place of", facility.key)
    return found


async def of_facilities(connection: Connection, facility_ids: Sequence[int]) -> Mapping[int, PlacePhoto]:
    """By facility; who has none is left out."""
    cursor = await connection.execute(
        "select facility_id, sha256, bytes, width, height, added_at, added_by from place_photo "
        "where facility_id = any(%s) and removed_at is null",
        [list(facility_ids)],
    )
    return {int(facility_id): PlacePhoto(*photo) async for facility_id, *photo in cursor}


async def _end(connection: Connection, facility_id: int, *, by: str, now: datetime) -> None:
    await connection.execute(
        "update place_photo set removed_at = %s, removed_by = %s where facility_id = %s and removed_at is null",
        [now, by, facility_id],
    )


async def _enter(
    connection: Connection, facility: Facility, move: PlacePhotoMove, sha256: str, *, actor: str, now: datetime
) -> None:
    body = {"move": move.value, "sha256": sha256, "actor": actor}
    await dossier.append(
        connection, site_id=facility.site_id, facility_id=facility.id, kind="place_photo", body=body, now=now
    )
