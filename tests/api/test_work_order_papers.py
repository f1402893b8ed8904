"""The papers of an order over HTTP: photos the right way up, parts used, signatures, call-backs; who may, when, and how many."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from PIL import Image, ImageDraw

from api.transport import bytes_max_of
from inspection.photo_store import PhotoStore
from ledger import order_papers
from ledger.lifecycle import WorkOrderState
from tests.api.conftest import Estate, client_of
from tests.api.employed import employ, signed_in
from tests.api.test_work_orders import do, opened
from tests.orders import WAY_TO

SEAL = {"name": "机械密封", "model": "M7N-25", "quantity": 2, "unit": "套"}
CALL = {"spoken_with": "刘女士", "rating": 5}


@pytest.fixture
async def client(app: FastAPI, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """With a directory of its own for pictures."""
    app.state.service = replace(app.state.service, photo_store=PhotoStore(tmp_path / "photos"))
    async with client_of(app) as found:
        yield found


async def at(client: httpx.AsyncClient, state: WorkOrderState) -> int:
    order = await opened(client)
    for step in WAY_TO[state]:
        assert (await do(client, order, step)).status_code == 200
    return order


def files(directory: Path) -> list[Path]:
    return [each for each in (directory / "photos").rglob("*") if each.is_file()]


def camera(width: int = 600, height: int = 400, *, turned: bool = False, form: str = "JPEG") -> bytes:
    """A red left half; `turned`: as a phone held upright writes it, sideways with a note which way up."""
    image = Image.new("RGB", (width, height), "navy")
    image.paste("red", (0, 0, width // 2, height))
    exif = Image.Exif()
    if turned:
        exif[0x0112] = 6  # the picture's top is at its right
    out = io.BytesIO()
    image.save(out, form, exif=exif)
    return out.getvalue()


def drawn(*, anything: bool = True) -> bytes:
    image = Image.new("RGB", (600, 200), "white")
    if anything:
        ImageDraw.Draw(image).line([(40, 150), (200, 40), (360, 160), (520, 60)], fill="black", width=4)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


async def photo(client: httpx.AsyncClient, order: int, data: bytes, **query: str) -> httpx.Response:
    return await client.post(f"/work-orders/{order}/photos", params={"stage": "before", **query}, content=data)


def journal(answer: httpx.Response) -> list[tuple[str, Any]]:
    return [(each["move"], each["detail"]) for each in answer.json()["journal"]]


async def test_a_photo_is_shown_the_right_way_up_and_is_in_the_journal(
    client: httpx.AsyncClient, estate: Estate
) -> None:
    order = await opened(client)
    answer = await photo(client, order, camera(turned=True), caption="漏水处")
    assert answer.status_code == 201, answer.text
    (kept,) = answer.json()["photos"]
    assert (kept["stage"], kept["caption"], kept["added_by"]) == ("before", "漏水处", "王班长")
    assert (kept["width"], kept["height"]) == (400, 600)
    assert journal(answer)[-1] == ("photo", {"sha256": kept["sha256"], "stage": "before"})
    whole = await client.get(f"/work-orders/{order}/pictures/{kept['sha256']}")
    assert whole.content == camera(turned=True)
    assert (whole.headers["content-type"], whole.headers["x-content-type-options"]) == ("image/jpeg", "nosniff")
    small = await client.get(f"/work-orders/{order}/pictures/{kept['sha256']}", params={"small": True})
    shown = Image.open(io.BytesIO(small.content))
    assert shown.size == (320, 480)
    red, _, blue = shown.convert("RGB").getpixel((160, 40))  # type: ignore[misc]
    assert red > 200 > blue, "the half that was left on the sensor is above"
    assert shown.getexif().get(0x0112) is None


async def test_the_same_photo_twice_is_there_once(client: httpx.AsyncClient, estate: Estate) -> None:
    order = await opened(client)
    await photo(client, order, camera())
    answer = await photo(client, order, camera(), stage="after")
    assert [each["stage"] for each in answer.json()["photos"]] == ["before"]
    assert [move for move, _ in journal(answer)] == ["open", "photo"]


async def test_a_photo_that_finds_no_room_leaves_no_trace(
    client: httpx.AsyncClient, app: FastAPI, estate: Estate
) -> None:
    order = await opened(client)
    app.state.service = replace(app.state.service, photos_site_bytes_max=len(camera()) - 1)
    refused = await photo(client, order, camera())
    assert (refused.status_code, refused.json()["type"]) == (507, "urn:taizhang:problem:photos_full")
    found = (await client.get(f"/work-orders/{order}")).json()
    assert (found["photos"], [each["move"] for each in found["journal"]]) == ([], ["open"])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "nothing was sent"),
        (b"%PDF-1.7 not a picture", "no picture"),
        (camera()[:2_000], "cut short"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "no picture"),
    ],
)
async def test_what_is_no_picture_is_refused_and_nothing_is_kept(
    client: httpx.AsyncClient, estate: Estate, tmp_path: Path, data: bytes, said: str
) -> None:
    order = await opened(client)
    answer = await photo(client, order, data)
    assert answer.status_code == 422
    assert said in answer.json()["errors"][0]["message"]
    assert files(tmp_path) == []


async def test_pictures_and_no_other_bodies_may_be_large(client: httpx.AsyncClient, estate: Estate) -> None:
    order = await opened(client)
    assert (await photo(client, order, bytes((bytes_max_of(f"/api/v1/work-orders/{order}/photos") or 0) + 1))).status_code == 413  # fmt: skip
    assert bytes_max_of(f"/api/v1/work-orders/{order}/parts") is None


async def test_an_order_takes_so_many_photos_and_no_more(
    client: httpx.AsyncClient, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_papers, "PHOTOS_MAX", 2)
    order = await opened(client)
    for width in (10, 20):
        assert (await photo(client, order, camera(width))).status_code == 201
    answer = await photo(client, order, camera(30))
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:taizhang:problem:refused")
    assert len((await client.get(f"/work-orders/{order}")).json()["photos"]) == 2


async def test_a_part_is_written_down_and_struck_and_stays_on_record(client: httpx.AsyncClient, estate: Estate) -> None:
    order = await at(client, WorkOrderState.ARRIVED)
    answer = await client.post(f"/work-orders/{order}/parts", json=SEAL)
    assert answer.status_code == 201, answer.text
    (part,) = answer.json()["parts"]
    assert {name: part[name] for name in SEAL} == SEAL
    struck = await client.post(f"/work-orders/{order}/parts/{part['id']}/strike")
    assert struck.json()["parts"][0]["struck_by"] == "王班长"
    assert [move for move, _ in journal(struck)][-2:] == ["part", "part_struck"]
    again = await client.post(f"/work-orders/{order}/parts/{part['id']}/strike")
    assert again.status_code == 404


@pytest.mark.parametrize("changes", [{"quantity": 0}, {"quantity": 1e7}, {"name": "  "}, {"unit": "x" * 21}])
async def test_a_part_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, estate: Estate, changes: dict[str, Any]
) -> None:
    order = await at(client, WorkOrderState.ARRIVED)
    answer = await client.post(f"/work-orders/{order}/parts", json=SEAL | changes)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [f"body.{next(iter(changes))}"]


async def test_a_signature_is_a_picture_on_which_something_is_drawn(client: httpx.AsyncClient, estate: Estate) -> None:
    order = await at(client, WorkOrderState.ARRIVED)
    where, who = f"/work-orders/{order}/signatures", {"signer": "刘女士"}
    blank = await client.post(where, params=who, content=drawn(anything=False))
    assert (blank.status_code, blank.json()["errors"][0]["field"]) == (422, "body")
    answer = await client.post(where, params=who, content=drawn())
    assert answer.status_code == 201, answer.text
    (signed,) = answer.json()["signatures"]
    assert (signed["signer"], signed["taken_by"]) == ("刘女士", "王班长")
    assert (await client.get(f"/work-orders/{order}/pictures/{signed['sha256']}")).content == drawn()
    entry = (await client.get("/facilities/garden/booster-1/dossier", params={"limit": 500})).json()["items"][-1]
    assert entry["body"]["detail"] == {"signer": "刘女士", "sha256": signed["sha256"]}


async def test_a_call_back_rates_what_is_resolved(client: httpx.AsyncClient, estate: Estate) -> None:
    order = await at(client, WorkOrderState.ARRIVED)
    where = f"/work-orders/{order}/call-backs"
    early = await client.post(where, json=CALL)
    assert (early.status_code, early.json()["type"]) == (409, "urn:taizhang:problem:illegal_move")
    assert early.json()["legal_moves"] == ["plan", "resolve", "suspend", "cancel"]
    order = await at(client, WorkOrderState.RESOLVED)
    where = f"/work-orders/{order}/call-backs"
    unexplained = await client.post(where, json=CALL | {"rating": 2})
    assert [each["field"] for each in unexplained.json()["errors"]] == ["body.words"]
    assert (await client.post(where, json=CALL | {"rating": 6})).status_code == 422
    answer = await client.post(where, json=CALL | {"rating": 2, "words": "还在滴水"})
    assert answer.status_code == 201, answer.text
    (call,) = answer.json()["call_backs"]
    assert (call["rating"], call["words"], call["called_by"]) == (2, "还在滴水", "王班长")
    assert answer.json()["journal"][-1]["note"] == "还在滴水"


@pytest.mark.parametrize("state", [WorkOrderState.OPENED, WorkOrderState.CLOSED, WorkOrderState.CANCELLED])
async def test_nothing_is_used_or_signed_where_nobody_works(
    client: httpx.AsyncClient, estate: Estate, state: WorkOrderState
) -> None:
    order = await at(client, state)
    for answer in (
        await client.post(f"/work-orders/{order}/parts", json=SEAL),
        await client.post(f"/work-orders/{order}/signatures", params={"signer": "x"}, content=drawn()),
    ):
        assert (answer.status_code, answer.json()["state"]) == (409, state.value)


async def test_the_same_deed_is_done_once(client: httpx.AsyncClient, estate: Estate) -> None:
    order = await at(client, WorkOrderState.ARRIVED)
    for _ in range(2):
        answer = await client.post(
            f"/work-orders/{order}/signatures",
            params={"signer": "刘女士"},
            content=drawn(),
            headers={"Idempotency-Key": "k"},
        )
        assert len(answer.json()["signatures"]) == 1


async def test_who_may_only_look_adds_nothing_and_leaves_no_file(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: psycopg.AsyncConnection[Any],
    estate: Estate,
    tmp_path: Path,
) -> None:
    order = await at(client, WorkOrderState.RESOLVED)
    await employ(owner, "looker", "审计", {estate.garden.id: ["auditor"], estate.harbour.id: ["administrator"]})
    async with signed_in(app, "looker") as looker:
        for answer in (
            await photo(looker, order, camera()),
            await looker.post(f"/work-orders/{order}/parts", json=SEAL),
            await looker.post(f"/work-orders/{order}/call-backs", json=CALL),
            await looker.post(f"/work-orders/{order}/signatures", params={"signer": "x"}, content=drawn()),
        ):
            assert (answer.status_code, answer.json()["type"]) == (403, "urn:taizhang:problem:no_right")
    assert files(tmp_path) == []


async def test_a_picture_of_another_order_is_not_there(client: httpx.AsyncClient, estate: Estate) -> None:
    one, other = await opened(client), await opened(client, title={"zh": "另一单"})
    (kept,) = (await photo(client, one, camera())).json()["photos"]
    assert (await client.get(f"/work-orders/{other}/pictures/{kept['sha256']}")).status_code == 404
