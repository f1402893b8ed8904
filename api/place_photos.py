"""The photo of a facility's place, by which a guard finds it: set, shown, taken away."""

from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.context import InContext, needs
from api.deeds import Deed, DeedOf
from api.picture_bodies import PICTURE_BODY, Sha256, picture, require_room
from api.problems import NotAPicture, refusals
from api.rights import Right
from api.shapes import Answered, Key
from inspection import pictures
from inspection.pictures import NoPicture
from ledger import facility_list, place_photos
from ledger.errors import NotFound, Unavailable
from ledger.place_photos import PlacePhoto
from ledger.pool import Connection
from ledger.records import Facility

router = APIRouter(tags=["facilities"])

_JPEG = "image/jpeg"


class PlacePhotoOut(Answered):
    """As it is kept: a JPEG, the right way up, at most 1,000 points a side, without what the camera wrote beside it."""

    sha256: str = Field(description="another picture has another: what is on a phone already need not be asked for")
    bytes: int
    width: int
    height: int
    added_at: datetime
    added_by: str


class PlacePhotoAnswer(Answered):
    place_photo: PlacePhotoOut | None = Field(description="null: there is none now")


@router.post(
    "/facilities/{site}/{facility}/place-photo",
    summary="Set the photo by which its place is found",
    status_code=201,
    response_model=PlacePhotoAnswer,
    responses=refusals(404, 413, 507),
    openapi_extra=PICTURE_BODY,
    dependencies=[needs(Right.ESTATE)],
)
async def set_place_photo(site: Key, facility: Key, request: Request, deed: DeedOf) -> Response:
    """In place of the one that is there. It is drawn anew: where a phone stood when it was taken is not kept."""
    photo = await _keep(deed, (site, facility), await request.body())

    async def act(connection: Connection) -> BaseModel:
        found = await facility_list.find(connection, site, facility)
        return PlacePhotoAnswer(place_photo=place_photo_out(await place_photos.put(connection, found, photo)))

    return await deed.do(act, status=201)


@router.post(
    "/facilities/{site}/{facility}/place-photo/remove",
    summary="Take the photo of its place away",
    response_model=PlacePhotoAnswer,
    responses=refusals(404),
    dependencies=[needs(Right.ESTATE)],
)
async def remove_place_photo(site: Key, facility: Key, deed: DeedOf) -> Response:
    """Nobody is given it any more; that it was there stays in the dossier."""

    async def act(connection: Connection) -> BaseModel:
        found = await facility_list.find(connection, site, facility)
        await place_photos.remove(connection, found, actor=deed.actor, now=deed.now)
        return PlacePhotoAnswer(place_photo=None)

    return await deed.do(act)


@router.get(
    "/facilities/{site}/{facility}/place-photo/{sha256}",
    summary="The photo of its place itself",
    response_class=Response,
    responses={**refusals(404), 200: {"content": {_JPEG: {}}}},
    dependencies=[needs(Right.READ)],
)
async def get_place_photo(site: Key, facility: Key, sha256: Sha256, context: InContext) -> Response:
    """The one that is there now."""
    async with context.transaction() as connection:
        found = await place_photos.get(connection, await facility_list.find(connection, site, facility))
    if found.sha256 != sha256:
        raise NotFound("photo of the place of", facility)
    return await picture(context.photo_store, sha256, _JPEG)


def place_photo_out(photo: PlacePhoto) -> PlacePhotoOut:
    return PlacePhotoOut(
        sha256=photo.sha256,
        bytes=photo.bytes,
        width=photo.width,
        height=photo.height,
        added_at=photo.added_at,
        added_by=photo.added_by,
    )


async def _keep(deed: Deed, where: tuple[str, str], data: bytes) -> PlacePhoto:
    """Drawn anew and in the directory.

    Raises NotFound, NoRight, NotAPicture, PhotosFull, Unavailable where the disk does not take it.
    """

    async def look(connection: Connection) -> Facility:
        return await facility_list.find(connection, *where)

    found = await deed.look(look)
    context = deed.context
    try:
        drawn = await context.darkroom.run(
            lambda: pictures.redraw(pictures.open_picture(data), side_max=pictures.PLACE_SIDE_MAX)
        )
        async with context.transaction() as connection:
            await require_room(connection, found.site_id, drawn.data, context.photos_site_bytes_max)
        sha256 = await context.darkroom.run(lambda: context.photo_store.keep(drawn.data))
    except NoPicture as error:
        raise NotAPicture(error.fault, str(error)) from None
    except OSError as error:
        raise Unavailable(f"the photo could not be stored: {error.strerror}; try again") from error
    return PlacePhoto(sha256, len(drawn.data), drawn.width, drawn.height, deed.now, deed.actor)
