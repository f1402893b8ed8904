"""Pictures over HTTP: codes read in an uploaded photo, photos of visits kept and shown, tags printed.

The body is the picture itself. What is no picture, too large, cut short: one clear word each, and nothing kept.
"""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from api.catalogue import CATALOGUE
from api.context import InContext, needs
from api.deeds import DeedOf
from api.field_words import listed
from api.picture_bodies import PICTURE_BODY, picture, require_room
from api.problems import NotAPicture, refusals, unacceptable
from api.rights import Right
from api.shapes import Answered, Asked, Key, Reason
from api.tags import Code, TagOut, find, tag_out
from inspection import codes, labels, pictures, recording
from inspection.labels import LABELS_MAX, SHEETS, Label
from inspection.pictures import NoPicture, Picture
from ledger import facility_list, photos, tags, visits
from ledger.errors import NotFound, Refused, Unavailable
from ledger.photos import Photo
from ledger.tags import Tag

router = APIRouter(tags=["inspection pictures"])


class DecodedOut(Answered):
    """One code of the picture, and what it means here."""

    text: str
    reader: str
    code: str | None = Field(description="null: no code of ours")
    misread: Reason | None = Field(description="why it is none")
    tag: TagOut | None = Field(description="null: no tag in your sites has it")
    box: Sequence[float] = Field(description="left, top, right, bottom as parts of the picture's width and height")


class DecodeAnswer(Answered):
    """Empty when nothing was read: come nearer, hold still, give light."""

    items: Sequence[DecodedOut]


class PhotoOut(Answered):
    sha256: str
    media_type: str
    bytes: int
    width: int
    height: int


class SiteQuery(Asked):
    site: Key


class SheetsIn(Asked):
    """`codes` in the order they shall stand on the sheets."""

    codes: Annotated[Sequence[Code], Field(min_length=1, max_length=LABELS_MAX)]
    sheet: Annotated[Key, Field(description="a key of /tag-sheets")] = "a4_21"
    skip: Annotated[int, Field(ge=0, le=100, description="places of the first sheet that are used up")] = 0
    cut_marks: bool = True
    language: Annotated[str, Field(pattern="^(zh|en)$")] = "zh"


class SheetOut(Answered):
    key: str
    zh: str
    en: str
    width_mm: float
    height_mm: float
    per_page: int


class SheetsOut(Answered):
    items: Sequence[SheetOut]


# ------------------------------------------------------------------ read and kept


@router.post(
    "/inspections/decode",
    summary="Read the codes in a photo",
    response_model=DecodeAnswer,
    responses=refusals(413),
    openapi_extra=PICTURE_BODY,
    dependencies=[needs(Right.INSPECT)],
)
async def decode_photo(request: Request, deed: DeedOf) -> Response:
    data = await request.body()
    context = deed.context

    def search() -> Sequence[pictures.Read]:
        return pictures.find_codes(pictures.open_picture(data))

    try:
        found = await context.darkroom.run(search)
    except NoPicture as error:
        raise NotAPicture(error.fault, str(error)) from None
    items = [await _decoded(context, each) for each in found]
    return JSONResponse(DecodeAnswer(items=items).model_dump(mode="json"))


async def _decoded(context: InContext, read: pictures.Read) -> DecodedOut:
    meant = codes.read(read.text, context.visit_desk.public_urls)
    tag = None
    if meant.code is not None:
        async with context.transaction() as connection:
            try:
                tag = await tags.find(connection, meant.code)
            except NotFound:
                tag = None
    return DecodedOut(
        text=read.text[: codes.TEXT_CHARS_MAX],
        reader=read.reader,
        code=meant.code,
        misread=None if meant.misread is None else CATALOGUE.reason("code_misread", meant.misread),
        tag=None if tag is None else tag_out(tag, context.public_url),
        box=read.box,
    )


@router.post(
    "/inspections/photos",
    summary="Upload a photo of a visit",
    status_code=201,
    response_model=PhotoOut,
    responses=refusals(404, 413, 507),
    openapi_extra=PICTURE_BODY,
    dependencies=[needs(Right.INSPECT)],
)
async def upload_photo(request: Request, query: Annotated[SiteQuery, Query()], deed: DeedOf) -> Response:
    """Sent twice it is there once. It may come before the visit that shows it, or after."""
    data = await request.body()
    context = deed.context
    async with context.transaction() as connection:
        site = await facility_list.find_site(connection, query.site)
        await require_room(connection, site.id, data, context.photos_site_bytes_max)

    def keep() -> tuple[Picture, int, str]:
        opened = pictures.open_picture(data)
        return opened, opened.likeness, context.photo_store.keep(data)

    try:
        opened, likeness, sha256 = await context.darkroom.run(keep)
    except NoPicture as error:
        raise NotAPicture(error.fault, str(error)) from None
    except OSError as error:
        raise Unavailable(f"the photo could not be stored: {error.strerror}; try again") from error
    width, height = opened.size
    photo = Photo(site.id, sha256, opened.media_type, len(data), width, height, likeness, deed.now, deed.actor)
    async with context.transaction() as connection:
        await visits.lock_walks(connection, site.id)  # or a visit on its way and this would not see each other
        if await photos.keep(connection, photo):
            await recording.doubt_photo(connection, site.id, sha256, deed.now)
            await deed.write_down(connection)
    return JSONResponse(_photo(photo).model_dump(mode="json"), 201)


@router.get(
    "/inspections/photos/{site}/{sha256}",
    summary="The photo itself",
    response_class=Response,
    responses={**refusals(404), 200: {"content": {"image/*": {}}}},
    dependencies=[needs(Right.READ)],
)
async def get_photo(site: Key, sha256: str, context: InContext) -> Response:
    async with context.transaction() as connection:
        found = await photos.get(connection, site, sha256)
    return await picture(context.photo_store, found.sha256, found.media_type)


def _photo(photo: Photo) -> PhotoOut:
    return PhotoOut(
        sha256=photo.sha256,
        media_type=photo.media_type,
        bytes=photo.bytes,
        width=photo.width,
        height=photo.height,
    )


# ------------------------------------------------------------------ printed


@router.get(
    "/tag-sheets",
    summary="The label papers that tags are printed on",
    responses=refusals(),
    dependencies=[needs(Right.READ)],
)
async def list_tag_sheets() -> SheetsOut:
    return SheetsOut(
        items=[
            SheetOut(
                key=each.key,
                zh=each.zh,
                en=each.en,
                width_mm=each.label[0],
                height_mm=each.label[1],
                per_page=each.per_page,
            )
            for each in SHEETS.values()
        ]
    )


@router.post(
    "/tag-sheets",
    summary="Print tags: sheets of labels as PDF",
    response_class=Response,
    responses={**refusals(404, 409), 200: {"content": {"application/pdf": {}}}},
    dependencies=[needs(Right.ESTATE)],
)
async def print_tags(asked: SheetsIn, deed: DeedOf) -> Response:
    """Who printed which tag is kept with it: a copy of a tag opens the same door."""
    sheet = SHEETS.get(asked.sheet)
    if sheet is None:
        raise unacceptable("body.sheet", "no_sheet", known=listed(SHEETS))
    wanted = [codes.typed(each).code or each for each in asked.codes]
    async with deed.context.transaction() as connection:
        found = await tags.by_codes(connection, wanted)
        public_url = require_public_url(deed.context.public_url)
        retired = next((each for each in found if each.retired_at is not None), None)
        if retired is not None:
            raise Refused(f"tag {retired.code} is retired: print the one in its place")
        await tags.printed(connection, found, actor=deed.actor, now=deed.now, note=asked.sheet)
        await deed.write_down(connection)
    drawn = [label_of(each, public_url, asked.language) for each in found]
    made = await deed.context.darkroom.run(lambda: labels.pdf(drawn, sheet, skip=asked.skip, cut_marks=asked.cut_marks))
    return Response(made, media_type="application/pdf", headers={"Content-Disposition": 'inline; filename="tags.pdf"'})


@router.get(
    "/tags/{code}/picture.png",
    summary="One tag as a picture, with its words",
    response_class=Response,
    responses={**refusals(404, 409), 200: {"content": {"image/png": {}}}},
    dependencies=[needs(Right.ESTATE)],
)
async def get_tag_png(code: Code, context: InContext) -> Response:
    label = await _label(context, code)
    return Response(await context.darkroom.run(lambda: labels.png(label)), media_type="image/png")


@router.get(
    "/tags/{code}/picture.svg",
    summary="One tag as a drawing, without its words",
    response_class=Response,
    responses={**refusals(404, 409), 200: {"content": {"image/svg+xml": {}}}},
    dependencies=[needs(Right.ESTATE)],
)
async def get_tag_svg(code: Code, context: InContext) -> Response:
    label = await _label(context, code)
    return Response(labels.svg(label), media_type="image/svg+xml")


async def _label(context: InContext, code: str) -> Label:
    async with context.transaction() as connection:
        found = await find(connection, code)
    return label_of(found, require_public_url(context.public_url), "zh")


def require_public_url(public_url: str | None) -> str:
    """Raises Refused: what is printed hangs on the wall for years."""
    if public_url is None:
        raise Refused("TAIZHANG_PUBLIC_URL is not set: it stands in every tag, so no tag is printed without it")
    return public_url


def label_of(tag: Tag, public_url: str, language: str) -> Label:
    zh = language == "zh"
    return Label(
        link=codes.link(public_url, tag.code),
        shown=codes.shown(tag.code),
        name=tag.facility_name_zh if zh else tag.facility_name_en,
        place=tag.location_name_zh if zh else tag.location_name_en,
    )
