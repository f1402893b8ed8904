"""Pictures over HTTP: a tag's photo read, photos of visits kept once, tags printed once they have an address to say."""

import asyncio
import hashlib
import io
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from PIL import Image

from api.photo_watch import WARN_FROM, PhotoWatch
from api.transport import bytes_max_of
from inspection import pictures
from inspection.photo_store import PhotoStore
from ledger import visits
from tests.api.conftest import Estate, client_of
from tests.api.test_inspections import Owner, issued, reasons, send, visit
from tests.fix_wait import wait_until
from tests.small_estate import NOON

URL = "https://patrol.example.cn"


@pytest.fixture
async def addressed(app: FastAPI, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The service knows where people reach it, and has a directory for photos."""
    service = app.state.service
    app.state.service = replace(
        service,
        public_url=URL,
        visit_desk=replace(service.visit_desk, public_urls=[URL]),
        photo_store=PhotoStore(tmp_path / "photos"),
    )
    async with client_of(app) as opened:
        yield opened


def corridor(shade: int, form: str = "JPEG", **how: Any) -> bytes:
    image = Image.linear_gradient("L").rotate(shade).resize((640, 480))
    out = io.BytesIO()
    image.save(out, form, **how)
    return out.getvalue()


async def test_without_an_address_no_tag_is_printed(client: httpx.AsyncClient, estate: Estate) -> None:
    code = await issued(client, "booster-1")
    assert (await client.get(f"/tags/{code}")).json()["tag"]["link"] is None
    for answer in (
        await client.post("/tag-sheets", json={"codes": [code]}),
        await client.get(f"/tags/{code}/picture.png"),
        await client.get(f"/tags/{code}/picture.svg"),
    ):
        assert answer.status_code == 409
        assert "TAIZHANG_PUBLIC_URL" in answer.json()["detail"]


async def test_a_printed_tag_is_read_again_and_its_printing_is_on_record(
    addressed: httpx.AsyncClient, estate: Estate
) -> None:
    code = await issued(addressed, "booster-1")
    sheet = await addressed.post("/tag-sheets", json={"codes": [code.lower()], "sheet": "roll_60x40"})
    assert sheet.headers["content-type"] == "application/pdf"
    assert sheet.content.startswith(b"%PDF-")
    picture = (await addressed.get(f"/tags/{code}/picture.png")).content
    (read,) = (await addressed.post("/inspections/decode", content=picture)).json()["items"]
    assert (read["code"], read["misread"]) == (code, None)
    assert read["tag"]["facility"]["key"] == "booster-1"
    tag = (await addressed.get(f"/tags/{code}")).json()
    assert tag["tag"]["printed"] == 1
    assert tag["history"][0]["note"] == "roll_60x40"
    await addressed.post(f"/tags/{code}/retire", json={"reason": "丢失"})
    assert (await addressed.post("/tag-sheets", json={"codes": [code]})).status_code == 409


async def test_somebody_else_s_code_is_read_and_said_to_be_none_of_ours(
    addressed: httpx.AsyncClient, estate: Estate
) -> None:
    import segno

    out = io.BytesIO()
    segno.make_qr("https://elsewhere.example/asset/17").save(out, kind="png", scale=8, border=4)
    (read,) = (await addressed.post("/inspections/decode", content=out.getvalue())).json()["items"]
    assert (read["code"], read["misread"]["key"], read["tag"]) == (None, "foreign_link", None)
    nothing = await addressed.post("/inspections/decode", content=corridor(30))
    assert nothing.json() == {"items": []}


@pytest.mark.parametrize("path", ["/inspections/decode", "/inspections/photos?site=garden"])
async def test_what_is_no_picture_is_one_clear_word(addressed: httpx.AsyncClient, estate: Estate, path: str) -> None:
    wrong = (
        (b"{}", "这不是可用的图片", "This is no picture"),
        (b"", "未收到图片", "No picture was sent"),
        (corridor(3)[:2_000], "图片不完整", "The picture is cut short"),
    )
    for content, zh, en in wrong:
        answer = await addressed.post(path, content=content)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:taizhang:problem:no_picture")
        assert zh in answer.json()["text"]["zh"]
        assert en in answer.json()["text"]["en"]
    too_large = await addressed.post(path, content=b"x" * (pictures.BYTES_MAX + 2))
    assert too_large.status_code == 413
    assert bytes_max_of("/api/v1/inspections/photos") == pictures.BYTES_MAX + 1


async def test_a_photo_is_kept_once_and_shown(
    addressed: httpx.AsyncClient, owner: Owner, estate: Estate, tmp_path: Path
) -> None:
    data = corridor(20)
    first = await addressed.post("/inspections/photos", params={"site": "garden"}, content=data)
    again = await addressed.post("/inspections/photos", params={"site": "garden"}, content=data)
    assert (first.status_code, first.json()) == (201, again.json())
    name = hashlib.sha256(data).hexdigest()
    assert first.json()["sha256"] == name
    assert [each.name for each in (tmp_path / "photos").rglob("*") if each.is_file()] == [name]
    shown = await addressed.get(f"/inspections/photos/garden/{name}")
    assert (shown.content, shown.headers["content-type"]) == (data, "image/jpeg")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert (await addressed.get(f"/inspections/photos/harbour/{name}")).status_code == 404
    cursor = await owner.execute("select operation, actor, site_id from audit_log")
    assert await cursor.fetchall() == [("upload_photo", "王班长", estate.garden.id)]


async def test_the_same_photo_twice_puts_the_later_visit_to_review_whichever_comes_first(
    addressed: httpx.AsyncClient, estate: Estate
) -> None:
    code, other = await issued(addressed, "booster-1"), await issued(addressed, "lamp-1")
    original, copied = corridor(20, quality=95), corridor(20, quality=60)
    names = [hashlib.sha256(each).hexdigest() for each in (original, copied)]
    visits = [
        visit(tag, {}, NOON, photos=[{"sha256": name}], checklist="booster_pump_room")
        for tag, name in zip((code, other), names, strict=True)
    ]
    visits[0] |= {"scanned_at": "2026-03-01T11:00:00Z", "finished_at": "2026-03-01T11:01:00Z"}
    answers = await send(addressed, *visits)
    assert not any("same_photo" in reasons(each) for each in answers)
    for data in (copied, original):
        await addressed.post("/inspections/photos", params={"site": "garden"}, content=data)
    first, second = [(await addressed.get(f"/inspections/{each['id']}")).json() for each in visits]
    assert "same_photo" not in reasons(first)
    assert "same_photo" in reasons(second)
    assert second["verdict"] == "to_review"
    assert [each["arrived"] for each in second["photos"]] == [True]


async def test_a_visit_whose_photo_never_comes_says_so(addressed: httpx.AsyncClient, estate: Estate) -> None:
    code = await issued(addressed, "booster-1")
    sent = visit(code, {}, checklist="booster_pump_room", photos=[{"sha256": uuid.uuid4().hex * 2}])
    await send(addressed, sent)
    (photo,) = (await addressed.get(f"/inspections/{sent['id']}")).json()["photos"]
    assert photo["arrived"] is False


async def test_a_photo_waits_for_a_visit_that_is_on_its_way(
    addressed: httpx.AsyncClient, estate: Estate, database_url: str
) -> None:
    """Neither would see the other: the visit's judgement would be written over what the photo tells."""
    async with await psycopg.AsyncConnection.connect(database_url) as walking:
        await visits.lock_walks(walking, estate.garden.id)
        upload = asyncio.create_task(
            addressed.post("/inspections/photos", params={"site": "garden"}, content=corridor(20))
        )
        await wait_until(lambda: _waits(walking))
        assert not upload.done()
        await walking.rollback()
        assert (await upload).status_code == 201


async def _waits(connection: psycopg.AsyncConnection[Any]) -> bool:
    cursor = await connection.execute(
        "select exists (select from pg_locks where locktype = 'advisory' and not granted "
        "and database = (select oid from pg_database where datname = current_database()))"
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def test_a_site_whose_pictures_have_no_more_room_says_so_and_keeps_nothing(
    addressed: httpx.AsyncClient, app: FastAPI, estate: Estate, tmp_path: Path
) -> None:
    first, second = corridor(0), corridor(90)
    app.state.service = replace(app.state.service, photos_site_bytes_max=max(len(first), len(second)))

    async def sent(data: bytes, site: str = "garden") -> httpx.Response:
        return await addressed.post("/inspections/photos", params={"site": site}, content=data)

    assert (await sent(first)).status_code == 201
    refused = await sent(second)
    assert (refused.status_code, refused.json()["type"]) == (507, "urn:taizhang:problem:photos_full")
    assert "TAIZHANG_PHOTOS_SITE_GIB" in refused.json()["detail"]
    assert (await sent(first)).status_code == 201, "it is there already"
    assert (await sent(second, "harbour")).status_code == 201, "of each site"
    assert len([each for each in (tmp_path / "photos").rglob("*") if each.is_file()]) == 2


async def test_before_the_room_is_full_it_is_said_which_site_and_once(
    addressed: httpx.AsyncClient, app: FastAPI, estate: Estate, caplog: pytest.LogCaptureFixture
) -> None:
    picture = corridor(0)
    scope = [estate.garden.id, estate.harbour.id]
    watch = PhotoWatch(app.state.service.pool, round(len(picture) / 0.79))
    await watch.look(scope)
    assert watch.fullest == 0
    for site in ("garden", "harbour"):
        await addressed.post("/inspections/photos", params={"site": site}, content=picture)
    await watch.look(scope)
    assert 0.78 < watch.fullest < WARN_FROM, "each site has its own room"
    assert "photos_nearly_full" not in caplog.text
    watch = PhotoWatch(app.state.service.pool, round(len(picture) / 0.9))
    await watch.look(scope)
    await watch.look(scope)
    assert 0.89 < watch.fullest < 0.91
    assert caplog.text.count("photos_nearly_full") == 2
    assert "site garden take 90 %" in caplog.text
