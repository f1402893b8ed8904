"""Photos of visits: what is known of each picture. The picture itself lies in a directory, under the hash of its bytes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.errors import NotFound
from ledger.pool import Connection


@dataclass(frozen=True, slots=True)
class Photo:
    site_id: int
    sha256: str
    media_type: str
    bytes: int
    width: int
    height: int
    likeness: int  # signed, as the database has it
    uploaded_at: datetime
    uploaded_by: str


async def keep(connection: Connection, photo: Photo) -> bool:
    """False: the same picture was there already."""
    cursor = await connection.execute(
        "insert into inspection_photo (site_id, sha256, media_type, bytes, width, height, likeness, uploaded_at, uploaded_by) "
        "values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict on constraint inspection_photo_pkey do nothing",
        [
            photo.site_id,
            photo.sha256,
            photo.media_type,
            photo.bytes,
            photo.width,
            photo.height,
            photo.likeness,
            photo.uploaded_at,
            photo.uploaded_by,
        ],
    )
    return cursor.rowcount == 1


async def bytes_with(connection: Connection, site_id: int, sha256: str, size: int) -> int:
    """How many the site's pictures, photos of places and pages of certificates have with this one. 0: it is there already."""
    cursor = await connection.execute(
        "select case when bool_or(sha256 = %(sha256)s) then 0 else coalesce(sum(bytes), 0) + %(size)s end from ("
        "select sha256, bytes from inspection_photo where site_id = %(site)s union "
        "select sha256, bytes from certificate_page where site_id = %(site)s union "
        "select sha256, bytes from place_photo where site_id = %(site)s) as kept",
        {"sha256": sha256, "size": size, "site": site_id},
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def bytes_by_site(connection: Connection) -> dict[str, int]:
    """What the pictures, photos of places and pages of certificates of each site in scope take, by its key; sites without any are left out."""
    cursor = await connection.execute(
        "select site.key, sum(bytes) from (select site_id, sha256, bytes from inspection_photo union "
        "select site_id, sha256, bytes from certificate_page union select site_id, sha256, bytes from place_photo) as kept join site on site.id = site_id group by site.key"
    )
    return {str(key): int(size) async for key, size in cursor}


async def get(connection: Connection, site_key: str, sha256: str) -> Photo:
    """Raises NotFound."""
    cursor = await connection.execute(
        "select site_id, sha256, media_type, bytes, width, height, likeness, uploaded_at, uploaded_by "
        "from inspection_photo join site on site.id = site_id where site.key = %s and sha256 = %s",
        [site_key, sha256],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("photo", sha256)
    return Photo(*row)


async def visits_alike(
    connection: Connection, site_id: int, sha256: str, *, since: datetime, bits_max: int
) -> list[tuple[UUID, UUID]]:
    """Pairs of visits of the site: one that shows this photo, and an earlier one that shows it or one so like it.

    A photo that has not arrived is known by its hash alone. Of two visits, the one that was made later comes first.
    """
    cursor = await connection.execute(
        "with mine as (select likeness from inspection_photo where site_id = %(site)s and sha256 = %(sha256)s), "
        "alike as (select %(sha256)s::text as sha256 union "
        "select other.sha256 from inspection_photo as other, mine where other.site_id = %(site)s "
        "and other.uploaded_at >= %(since)s "
        "and bit_count((other.likeness # mine.likeness)::bit(64)) <= %(bits)s) "
        "select distinct case when a.scanned_at >= b.scanned_at then a.id else b.id end, "
        "case when a.scanned_at >= b.scanned_at then b.id else a.id end "
        "from inspection_visit_photo as shown join inspection_visit as a on a.id = shown.visit_id "
        "join inspection_visit_photo as old on old.site_id = %(site)s and old.sha256 in (select sha256 from alike) "
        "join inspection_visit as b on b.id = old.visit_id and b.id <> a.id "
        "where shown.site_id = %(site)s and shown.sha256 = %(sha256)s and b.scanned_at >= %(since)s limit 50",
        {"site": site_id, "sha256": sha256, "since": since, "bits": bits_max},
    )
    return [(later, earlier) async for later, earlier in cursor]
