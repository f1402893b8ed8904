"""A tag's link opened by anybody: what he is shown, what he may say, and that it is one order and no flood."""

import asyncio
import io
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from PIL import Image

from api import public_scan, strangers
from api.public_page import language_of
from inspection import codes, pictures
from tests.api.conftest import Estate, StandingClock, anonymous
from tests.api.employed import employ, signed_in
from tests.api.test_inspections import issued, send, visit

HERE = "http://taizhang.test"
Owner = psycopg.AsyncConnection[Any]


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with anonymous(app, address="203.0.113.9", base=HERE) as opened:
        yield opened


@pytest.fixture
async def code(client: httpx.AsyncClient, estate: Estate) -> str:
    return await issued(client, "booster-1")


def photo(side: int = 60) -> bytes:
    drawn = io.BytesIO()
    Image.radial_gradient("L").resize((side, side)).convert("RGB").save(drawn, "PNG")
    return drawn.getvalue()


async def fill(
    stranger: httpx.AsyncClient, code: str, *, picture: bytes | None = None, **fields: str
) -> httpx.Response:
    """As a browser does: the form's own number, and a file field that is there if nothing was chosen."""
    page = (await stranger.get(f"/t/{code}")).text
    number = re.search(r'name=report value="([^"]+)"', page)
    assert number is not None, page
    sent = {"report": number[1], "problem": "blocked", "words": "", "contact": ""} | fields
    chosen = ("", b"") if picture is None else ("x.png", picture, "image/png")
    return await stranger.post(f"/t/{code}?lang=zh", data=sent, files={"photo": chosen})


async def journal(client: httpx.AsyncClient, order: int) -> list[tuple[str, str, str]]:
    found = (await client.get(f"/work-orders/{order}")).json()["journal"]
    return [(each["move"], each["actor"], each["note"]) for each in found]


async def test_anybody_sees_what_hangs_there_and_when_it_was_looked_at(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, code: str, clock: StandingClock
) -> None:
    page = await stranger.get(f"/t/{code}")
    assert page.status_code == 200
    assert "<h1>一号泵组</h1>" in page.text
    assert "花园小区 / 地下二层泵房" in page.text
    assert "暂无扫码巡检记录" in page.text
    assert codes.shown(code) in page.text
    well = dict.fromkeys(("locked", "running", "valves", "tank_hatch", "clean"), True) | {"outlet_pressure": 0.4}
    kept = await send(client, visit(code, well, clock.now, checklist="booster_pump_room"))
    assert kept[0]["outcome"] in ("in_order", "unfinished"), kept
    seen = await stranger.get(f"/t/{code}", headers={"Accept-Language": "en-GB,en;q=0.9,zh;q=0.5"})
    assert "<h1>Booster 1</h1>" in seen.text
    assert "王班长" not in seen.text, "who looked at it is nobody's business outside"


async def test_nothing_runs_on_the_page_and_nothing_is_loaded(stranger: httpx.AsyncClient, code: str) -> None:
    page = await stranger.get(f"/t/{code}")
    assert "<script" not in page.text
    assert not re.search(r"https?://|src=|url\(", page.text)
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert (page.headers["referrer-policy"], page.headers["cache-control"]) == ("no-referrer", "no-store")


async def test_a_report_is_an_order_of_source_public(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, code: str, owner: Owner
) -> None:
    answer = await fill(stranger, code, words="门口堆满纸箱\n<b>急</b>", contact="13800138000", picture=photo())
    assert answer.status_code == 303, answer.text
    thanks = await stranger.get(answer.headers["location"])
    assert "已收到，谢谢您。" in thanks.text
    (report,) = (await client.get("/public-reports")).json()["items"]
    assert (report["problem"], report["contact"], report["opened_order"]) == ("blocked", "13800138000", True)
    order = (await client.get(f"/work-orders/{report['work_order']}")).json()["work_order"]
    assert (order["opened_by"], order["open_reason"]["key"]) == ("public", "public_report")
    assert (order["severity"], order["priority"]) == ("warning", "medium"), "as a warning at grade A"
    assert await journal(client, order["id"]) == [("open", "public", "公众报修：被占用、遮挡。门口堆满纸箱\n<b>急</b>")]
    picture = await client.get(f"/inspections/photos/garden/{report['photo']}")
    assert picture.headers["content-type"] == "image/jpeg"
    written = await (
        await owner.execute("select actor, ip, operation from audit_log order by id desc limit 1")
    ).fetchone()
    assert written == ("public", "203.0.113.9", "report_problem")
    dossier = (await client.get("/facilities/garden/booster-1/dossier", params={"verify": True})).json()
    assert dossier["chain"]["holds"]
    assert "13800138000" not in str(dossier), "a dossier is for ever, a stranger's number is not"


async def test_the_next_report_is_added_to_the_order_and_moves_nothing(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, code: str, clock: StandingClock
) -> None:
    await fill(stranger, code)
    (first,) = (await client.get("/public-reports")).json()["items"]
    before = (await client.get(f"/work-orders/{first['work_order']}")).json()["work_order"]
    clock.advance(minutes=5)
    page = (await stranger.get(f"/t/{code}")).text
    assert "2026年3月1日已有人报修" in page
    await fill(stranger, code, problem="damaged", words="在漏水")
    second, _ = (await client.get("/public-reports", params={"work_order": before["id"]})).json()["items"]
    assert (second["work_order"], second["opened_order"]) == (before["id"], False)
    after = (await client.get(f"/work-orders/{before['id']}")).json()["work_order"]
    assert after == before
    assert [each[0] for each in await journal(client, before["id"])] == ["open", "note"]


async def test_a_form_that_is_sent_twice_is_one_report(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, code: str
) -> None:
    number = str(uuid.uuid4())
    for _ in range(2):
        assert (await fill(stranger, code, report=number)).status_code == 303
    (report,) = (await client.get("/public-reports")).json()["items"]
    assert [each[0] for each in await journal(client, report["work_order"])] == ["open"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"problem": "nonsense"}, "请选择是什么问题"),
        ({"problem": "other"}, "请写几个字或附一张照片"),
        ({"problem": "other", "words": "\u200b \n"}, "请写几个字或附一张照片"),
        ({"words": "长" * 1001}, "说明最多 1000 字"),
        ({"report": "x"}, "表单不完整"),
    ],
)
async def test_what_is_wrong_is_said_on_the_form_with_what_was_filled_in(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, code: str, fields: dict[str, str], told: str
) -> None:
    answer = await fill(stranger, code, **{"contact": "<138>", **fields})
    assert answer.status_code == 422
    assert told in answer.text
    assert "<form" in answer.text
    assert "<138>" not in answer.text
    assert (await client.get("/public-reports")).json()["items"] == []


async def test_a_report_whose_photo_finds_no_room_is_sent_without_it(
    stranger: httpx.AsyncClient, app: FastAPI, code: str
) -> None:
    app.state.service = replace(app.state.service, photos_site_bytes_max=10)
    refused = await fill(stranger, code, picture=photo())
    assert refused.status_code == 422
    assert "请去掉照片后提交" in refused.text
    assert (await fill(stranger, code)).status_code == 303


async def test_a_photo_is_drawn_anew_and_what_is_none_is_said(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, code: str
) -> None:
    for data, told in (
        (b"GIF89a", "这不是可用的图片"),
        (photo()[:200], "图片不完整"),
        (b"x" * (pictures.BYTES_MAX + 1), "过大"),
    ):
        answer = await fill(stranger, code, words="见照片", picture=data)
        assert answer.status_code == 422
        assert told in answer.text
        assert "见照片" in answer.text
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    telling = io.BytesIO()
    Image.new("RGB", (2600, 40), "red").save(telling, "JPEG", exif=exif)
    assert b"where I live" in telling.getvalue()
    assert (await fill(stranger, code, picture=telling.getvalue())).status_code == 303
    (report,) = (await client.get("/public-reports")).json()["items"]
    data = (await client.get(f"/inspections/photos/garden/{report['photo']}")).content
    assert b"where I live" not in data
    with Image.open(io.BytesIO(data)) as kept:
        assert kept.width == 2000


async def test_a_tag_that_is_none_or_no_more_has_a_page_that_says_so(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, code: str
) -> None:
    forged = codes.make(b"\x01" * codes.RANDOM_BYTES)
    for other in (
        forged,
        code[:-1] + ("2" if code[-1] != "2" else "3"),
        "x",
        "",
        "%00",
        "a/b/c",
        "<script>",
        "x" * 5000,
    ):
        page = await stranger.get(f"/t/{other}")
        assert (page.status_code, "没有这个标签" in page.text) == (404, True), other
        assert "<script>" not in page.text
    await client.post(f"/tags/{code}/retire", json={"reason": "丢失"})
    for answer in (await stranger.get(f"/t/{code}"), await stranger.post(f"/t/{code}", data={"problem": "blocked"})):
        assert (answer.status_code, "标签已停用" in answer.text) == (410, True)


async def test_who_walks_rounds_is_led_to_the_patrol_page_and_nobody_else(
    owner: Owner, app: FastAPI, estate: Estate, code: str
) -> None:
    led = {"patrol_guard": (303, f"/patrol/t/{code}"), "auditor": (200, None)}
    for number, (role, expected) in enumerate(led.items()):
        await employ(owner, f"someone.{number}", f"某人{number}", {estate.garden.id: [role]})
        async with signed_in(app, f"someone.{number}") as browser:
            answer = await browser.get(f"{HERE}/t/{code}")
            assert (answer.status_code, answer.headers.get("location")) == expected
    async with anonymous(app, base=HERE) as browser:
        browser.cookies.set("taizhang_session", "forged")
        assert (await browser.get(f"/t/{code}")).status_code == 200


async def test_a_flood_is_held_off_by_address_and_by_tag(client: httpx.AsyncClient, app: FastAPI, code: str) -> None:
    async with anonymous(app, address="203.0.113.10", base=HERE) as one:
        for _ in range(strangers.FORMS_MAX):
            assert (await fill(one, code)).status_code == 303
        refused = await fill(one, code)
        assert (refused.status_code, "操作过于频繁" in refused.text) == (429, True)
        assert int(refused.headers["retry-after"]) > 0
        assert (await one.get(f"/t/{code}")).status_code == 200, "he may still look"
    async with anonymous(app, address="203.0.113.11", base=HERE) as another:
        assert (await fill(another, code)).status_code == 429, "this tag has been reported enough"
        other = await issued(client, "lamp-1")
        assert (await fill(another, other)).status_code == 303
    orders = (await client.get("/work-orders")).json()["items"]
    assert len(orders) == 2


async def test_who_sends_without_end_gives_his_place_back(
    app: FastAPI, stranger: httpx.AsyncClient, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_scan, "ARRIVING_S", 0.05)
    never = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"--x"
        await never.wait()

    form = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await stranger.post(f"/t/{code}", content=endless(), headers=form)
    assert answer.status_code == 503
    assert not app.state.service.strangers.arriving.locked()
    assert (await fill(stranger, code)).status_code == 303


async def test_who_tries_codes_is_held_off(app: FastAPI, code: str) -> None:
    async with anonymous(app, address="203.0.113.12", base=HERE) as guesser:
        for _ in range(strangers.UNKNOWN_CODES_MAX):
            assert (await guesser.get("/t/x")).status_code == 404
        assert (await guesser.get(f"/t/{code}")).status_code == 429


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        (None, "", "zh"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "fr,en;q=0.3,zh;q=0.7", "zh"),
        (None, "en;q=x", "en"),
        (None, "fr", "zh"),
        ("en", "zh", "en"),
        ("zh", "en", "zh"),
        ("xx", "en", "en"),
    ],
)
def test_the_language_is_asked_for_or_the_browser_s(asked: str | None, accepted: str, language: str) -> None:
    assert language_of(asked, accepted) == language
