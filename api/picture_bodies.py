"""A request whose body is a picture or a page: how it is described, whether there is room, and how it is given back."""

import asyncio
import hashlib
from typing import Annotated, Any

from fastapi import Response
from fastapi.responses import FileResponse
from pydantic import Field

from api.problems import PhotosFull
from api.shapes import Asked
from inspection.documents import PDF
from inspection.photo_store import PhotoStore
from ledger import photos
from ledger.errors import NotFound
from ledger.pool import Connection

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class PictureQuery(Asked):
    small: Annotated[bool, Field(description="at most 480 points a side, the right way up")] = False


def _binary(*kinds: str) -> dict[str, Any]:
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}
    return {"requestBody": {"required": True, "content": content}}


PICTURE_BODY = _binary("image/jpeg", "image/png", "image/webp")
PAGE_BODY = _binary(PDF, "image/jpeg", "image/png", "image/webp")
_HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


async def require_room(connection: Connection, site_id: int, data: bytes, bytes_max: int) -> str:
    """Gives the hash it will be kept under. Raises PhotosFull. Whoever sends at the same moment does not see this one: the bound is held but for those."""
    sha256 = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
    if await photos.bytes_with(connection, site_id, sha256, len(data)) > bytes_max:
        raise PhotosFull(bytes_max)
    return sha256


async def picture(store: PhotoStore, sha256: str, media_type: str, *, small: bool = False) -> Response:
    """A kept one; the small one where it is asked for and there is one. Raises NotFound when the directory lost it."""
    if small:
        path = store.small_path(sha256)
        if await asyncio.to_thread(path.is_file):
            return FileResponse(path, media_type="image/jpeg", headers=_HEADERS)
    path = store.path(sha256)
    if not await asyncio.to_thread(path.is_file):
        raise NotFound("photo", sha256)
    return FileResponse(path, media_type=media_type, headers=_HEADERS)


async def page_or_picture(store: PhotoStore, sha256: str, media_type: str, *, small: bool = False) -> Response:
    """As `picture`; a PDF is a file to save, as no page of ours may run what is in it."""
    answer = await picture(store, sha256, media_type, small=small)
    if media_type == PDF:
        answer.headers["Content-Disposition"] = f'attachment; filename="{sha256[:12]}.pdf"'
    return answer
