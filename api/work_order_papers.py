"""What belongs to a work order beside its moves: photos before and after, parts used, signatures, call-backs."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.context import InContext, needs
from api.deeds import Deed, DeedOf
from api.picture_bodies import PICTURE_BODY, PictureQuery, Sha256, picture, require_room
from api.problems import NotAPicture, refusals, unacceptable
from api.rights import Right
from api.shapes import Asked, Id, Text, Word
from api.work_orders import WorkOrderDetail, detail_of
from inspection import pictures
from inspection.pictures import NoPicture, Picture
from ledger import order_papers, photos, work_orders
from ledger.errors import Unavailable
from ledger.order_papers import NewPart, PhotoStage
from ledger.photos import Photo
from ledger.pool import Connection
from ledger.records import WorkOrder

router = APIRouter(tags=["work orders"])

Caption = Annotated[Word | None, Field(description="what is to be seen on it")]


class PhotoQuery(Asked):
    stage: PhotoStage
    caption: Caption = None


class SignatureQuery(Asked):
    signer: Annotated[Word, Field(description="who signs, as he says his name")]


class PartIn(Asked):
    name: Word
    model: Word | None = None
    quantity: Annotated[float, Field(gt=0, le=1_000_000, description="three decimals are kept")]
    unit: Annotated[Word, Field(max_length=20)]


class CallBackIn(Asked):
    spoken_with: Annotated[Word, Field(description="with whom")]
    rating: Annotated[int, Field(ge=1, le=5)]
    words: Annotated[Text | None, Field(description="what was said; compulsory for a rating of 1 or 2")] = None


@router.post(
    "/work-orders/{order}/photos",
    summary="Add a photo, of before or after the work",
    status_code=201,
    response_model=WorkOrderDetail,
    responses=refusals(404, 409, 413, 507),
    openapi_extra=PICTURE_BODY,
    dependencies=[needs(Right.COMMENT)],
)
async def add_work_order_photo(
    order: Id, query: Annotated[PhotoQuery, Query()], request: Request, deed: DeedOf
) -> Response:
    """The same picture again is there once."""
    kept = await _keep(deed, order, await request.body())

    async def act(connection: Connection) -> WorkOrderDetail:
        await photos.keep(connection, kept)
        await order_papers.add_photo(
            connection, order, deed.act(None), sha256=kept.sha256, stage=query.stage, caption=query.caption
        )
        return await detail_of(connection, order)

    return await deed.do(act, status=201)


@router.post(
    "/work-orders/{order}/signatures",
    summary="Sign for the work: a picture drawn on the screen",
    status_code=201,
    response_model=WorkOrderDetail,
    responses=refusals(404, 409, 413, 507),
    openapi_extra=PICTURE_BODY,
    dependencies=[needs(Right.WORK)],
)
async def sign_work_order(
    order: Id, query: Annotated[SignatureQuery, Query()], request: Request, deed: DeedOf
) -> Response:
    kept = await _keep(deed, order, await request.body(), _blank)

    async def act(connection: Connection) -> WorkOrderDetail:
        await photos.keep(connection, kept)
        await order_papers.sign(connection, order, deed.act(None), sha256=kept.sha256, signer=query.signer)
        return await detail_of(connection, order)

    return await deed.do(act, status=201)


@router.get(
    "/work-orders/{order}/pictures/{sha256}",
    summary="A photo or signature of the order",
    response_class=Response,
    responses={**refusals(404), 200: {"content": {"image/*": {}}}},
    dependencies=[needs(Right.READ)],
)
async def get_work_order_picture(
    order: Id, sha256: Sha256, query: Annotated[PictureQuery, Query()], context: InContext
) -> Response:
    async with context.transaction() as connection:
        media_type = await order_papers.media_type(connection, order, sha256)
    return await picture(context.photo_store, sha256, media_type, small=query.small)


@router.post(
    "/work-orders/{order}/parts",
    summary="Write down a part that was used",
    status_code=201,
    response_model=WorkOrderDetail,
    responses=refusals(404, 409),
    dependencies=[needs(Right.WORK)],
)
async def add_work_order_part(order: Id, asked: PartIn, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> WorkOrderDetail:
        part = NewPart(asked.name, asked.model, round(asked.quantity, 3), asked.unit)
        await order_papers.add_part(connection, order, deed.act(None), part)
        return await detail_of(connection, order)

    return await deed.do(act, status=201)


@router.post(
    "/work-orders/{order}/parts/{part}/strike",
    summary="A part was written down by mistake; it stays on record",
    response_model=WorkOrderDetail,
    responses=refusals(404, 409),
    dependencies=[needs(Right.WORK)],
)
async def strike_work_order_part(order: Id, part: Id, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> WorkOrderDetail:
        await order_papers.strike_part(connection, order, part, deed.act(None))
        return await detail_of(connection, order)

    return await deed.do(act)


@router.post(
    "/work-orders/{order}/call-backs",
    summary="Say how whoever reported it rates the work",
    status_code=201,
    response_model=WorkOrderDetail,
    responses=refusals(404, 409),
    dependencies=[needs(Right.VERIFY)],
)
async def call_back_work_order(order: Id, asked: CallBackIn, deed: DeedOf) -> Response:
    """Once it is resolved. Who called is who asks."""
    if asked.rating <= 2 and asked.words is None:
        raise unacceptable("body.words", "rating_words")

    async def act(connection: Connection) -> WorkOrderDetail:
        await order_papers.call_back(
            connection, order, deed.act(None), spoken_with=asked.spoken_with, rating=asked.rating, words=asked.words
        )
        return await detail_of(connection, order)

    return await deed.do(act, status=201)


def _blank(opened: Picture) -> None:
    if opened.is_blank:
        raise unacceptable("body", "nothing_drawn")


def _anything(opened: Picture) -> None:
    del opened


async def _keep(deed: Deed, order: int, data: bytes, refuse: Callable[[Picture], None] = _anything) -> Photo:
    """The picture in the directory, and what the ledger is to know of it.

    Raises NotFound, NoRight, Unacceptable for what is no picture, PhotosFull, Unavailable where the disk does not take it.
    """

    async def look(connection: Connection) -> WorkOrder:
        found = await work_orders.get(connection, order)
        await require_room(connection, found.site_id, data, deed.context.photos_site_bytes_max)
        return found

    found = await deed.look(look)

    def keep() -> Photo:
        opened = pictures.open_picture(data)
        refuse(opened)
        store = deed.context.photo_store
        sha256 = store.keep(data)
        store.keep_small(sha256, opened.small)
        width, height = opened.size
        return Photo(
            found.site_id,
            sha256,
            opened.media_type,
            len(data),
            width,
            height,
            opened.likeness,
            deed.now,
            deed.actor,
        )

    try:
        return await deed.context.darkroom.run(keep)
    except NoPicture as error:
        raise NotAPicture(error.fault, str(error)) from None
    except OSError as error:
        raise Unavailable(f"the photo could not be stored: {error.strerror}; try again") from error
