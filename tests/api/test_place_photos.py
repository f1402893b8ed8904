"""The photo of a facility's place: drawn anew, one at a time, for who reads the site; set by who may change the estate."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from PIL import Image

from api.transport import bytes_max_of
from inspection.photo_store import PhotoStore
from tests.api.conftest import Estate, client_of
from tests.api.employed import employ, signed_in

AT = "/facilities/garden/booster-1"
PHOTO = f"{AT}/place-photo"


@pytest.fixture
async def client(app: FastAPI, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """With a directory of its own for photos."""
    app.state.service = replace(app.state.service, photo_store=PhotoStore(tmp_path / "photos"))
    async with client_of(app) as found:
        yield found


def taken(colour: str = "red", *, width: int = 1600, height: int = 1200) -> bytes:
    """Lying on its side, as a phone held upright writes it, with where it stood."""
    image = Image.new("RGB", (width, height), "navy")
    image.paste(colour, (0, 0, width // 2, height))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (31.0, 13.0, 49.0)
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


async def put(client: httpx.AsyncClient, data: bytes) -> dict[str, Any]:
    answer = await client.post(PHOTO, content=data)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()["place_photo"]
    return found


async def test_it_is_given_back_small_upright_and_without_where_it_was_taken(client: httpx.AsyncClient) -> None:
    assert (await client.get(AT)).json()["place_photo"] is None
    sent = taken()
    assert Image.open(io.BytesIO(sent)).getexif().get_ifd(0x8825)
    kept = await put(client, sent)
    assert (kept["width"], kept["height"], kept["added_by"]) == (750, 1000, "王班长")
    assert (await client.get(AT)).json()["place_photo"] == kept
    answer = await client.get(f"{PHOTO}/{kept['sha256']}")
    assert (answer.headers["content-type"], len(answer.content)) == ("image/jpeg", kept["bytes"])
    assert "immutable" in answer.headers["cache-control"]
    shown = Image.open(io.BytesIO(answer.content))
    assert (shown.size, dict(shown.getexif()), shown.info.get("exif")) == ((750, 1000), {}, None)
    top, bottom = shown.getpixel((375, 100)), shown.getpixel((375, 900))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert (top[0] > 200, bottom[2] > 100) == (True, True)


async def test_another_comes_in_its_place_and_the_dossier_knows_of_each(client: httpx.AsyncClient) -> None:
    first = await put(client, taken())
    assert await put(client, taken()) == first, "the same again is there once"
    second = await put(client, taken("green"))
    assert (await client.get(f"{PHOTO}/{first['sha256']}")).status_code == 404
    assert (await client.get(f"{PHOTO}/{second['sha256']}")).status_code == 200
    gone = await client.post(f"{PHOTO}/remove")
    assert (gone.status_code, gone.json()) == (200, {"place_photo": None})
    assert (await client.get(f"{PHOTO}/{second['sha256']}")).status_code == 404
    assert (await client.get(AT)).json()["place_photo"] is None
    assert (await client.post(f"{PHOTO}/remove")).status_code == 404
    entries = (await client.get(f"{AT}/dossier")).json()["items"]
    assert [(each["body"]["move"], each["body"]["sha256"]) for each in entries if each["kind"] == "place_photo"] == [
        ("set", first["sha256"]),
        ("set", second["sha256"]),
        ("remove", second["sha256"]),
    ]
    logged = (await client.get("/audit-log", params={"site": "garden"})).json()["items"]
    assert [each["operation"] for each in logged][:2] == ["remove_place_photo", "set_place_photo"]


async def test_what_is_no_photo_or_finds_no_room_is_refused_in_words(
    app: FastAPI, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    for wrong in (b"", b"<html>", taken()[:2000]):
        assert (await client.post(PHOTO, content=wrong)).json()["type"] == "urn:taizhang:problem:no_picture"
    assert (await client.post(PHOTO, content=bytes((bytes_max_of(f"/api/v1{PHOTO}") or 0) + 1))).status_code == 413
    kept = await put(client, taken())
    app.state.service = replace(app.state.service, photos_site_bytes_max=kept["bytes"] + 10)
    await put(client, taken())
    lying = sorted((tmp_path / "photos").rglob("*"))
    full = await client.post(PHOTO, content=taken("green"))
    assert (full.status_code, sorted((tmp_path / "photos").rglob("*"))) == (507, lying)
    assert (await client.get(AT)).json()["place_photo"] == kept


async def test_guards_see_it_and_do_not_set_it_and_strangers_do_neither(
    app: FastAPI, client: httpx.AsyncClient, owner: psycopg.AsyncConnection[Any], estate: Estate
) -> None:
    kept = await put(client, taken())
    await employ(owner, "guard", "李强", {estate.garden.id: ["patrol_guard"]})
    async with signed_in(app, "guard") as guard:
        assert (await guard.get(f"{PHOTO}/{kept['sha256']}")).status_code == 200
        for path in (PHOTO, f"{PHOTO}/remove"):
            assert (await guard.post(path, content=taken("green"))).status_code == 403
    await employ(owner, "stranger", "海港", {estate.harbour.id: ["administrator"]})
    async with signed_in(app, "stranger") as stranger:
        assert (await stranger.get(f"{PHOTO}/{kept['sha256']}")).status_code == 404
        for path in (PHOTO, f"{PHOTO}/remove"):
            assert (await stranger.post(path, content=taken("green"))).status_code == 404
    assert (await client.get(AT)).json()["place_photo"] == kept


async def test_a_round_names_the_photos_of_its_stops(client: httpx.AsyncClient) -> None:
    kept = await put(client, taken())
    plan = {
        "site": "garden",
        "key": "daily",
        "name": {"zh": "日巡"},
        "officer": "赵敏",
        "period": "day",
        "starts_at": "00:00",
        "window_min": 1440,
        "stops": [{"facility": "booster-1"}, {"facility": "lamp-1"}],
    }
    assert (await client.post("/inspection-plans", json=plan)).status_code == 200
    walked = (await client.post("/inspection-rounds", json={"site": "garden", "plan": "daily"})).json()
    assert [each["place_photo"] for each in walked["stops"]] == [kept, None]
