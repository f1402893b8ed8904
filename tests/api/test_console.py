"""The console's files as the service hands them out: what is kept, what is refused, and that nothing else is in the way."""

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api.console import Console
from tests.api.conftest import TOKEN


@pytest.fixture
def built(tmp_path: Path) -> Path:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / ".vite").mkdir()
    (dist / "index.html").write_text("<p>page</p>", encoding="utf-8")
    (dist / "patrol.html").write_text("<p>patrol</p>", encoding="utf-8")
    (dist / "patrol-worker.js").write_text("keeps", encoding="utf-8")
    (dist / "assets" / "index-1a2b.js").write_text("plain", encoding="utf-8")
    (dist / "assets" / "index-1a2b.js.br").write_bytes(b"small")
    (dist / ".vite" / "manifest.json").write_text("{}", encoding="utf-8")
    (tmp_path / "secret.js").write_text("secret", encoding="utf-8")
    return dist


def browser(app: FastAPI, built: Path) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Console(app, built), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://taizhang.test")


async def test_every_address_of_the_console_is_its_one_page_and_asked_for_anew(app: FastAPI, built: Path) -> None:
    async with browser(app, built) as client:
        for path in ("/", "/alarms", "/facilities/garden/pump_room"):
            page = await client.get(path)
            assert (page.status_code, page.text) == (200, "<p>page</p>")
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            assert page.headers["cache-control"] == "no-cache"


async def test_what_carries_its_hash_is_kept_for_ever_and_sent_as_it_was_compressed(app: FastAPI, built: Path) -> None:
    async with browser(app, built) as client:
        plain = await client.get("/assets/index-1a2b.js", headers={"Accept-Encoding": "identity"})
        async with client.stream("GET", "/assets/index-1a2b.js", headers={"Accept-Encoding": "gzip, br"}) as small:
            sent = b"".join([chunk async for chunk in small.aiter_raw()])
    assert plain.text == "plain"
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert (sent, small.headers["content-encoding"], small.headers["vary"]) == (b"small", "br", "Accept-Encoding")


async def test_a_script_of_an_older_build_is_not_the_page(app: FastAPI, built: Path) -> None:
    async with browser(app, built) as client:
        answer = await client.get("/assets/index-0000.js")
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/../secret.js", "/assets/../../secret.js", "/%2e%2e/secret.js", "/.vite/manifest.json"]
)
async def test_nothing_beside_the_build_is_handed_out(path: str, app: FastAPI, built: Path) -> None:
    async with browser(app, built) as client:
        answer = await client.get(path)
    assert "secret" not in answer.text
    assert answer.text != "{}"


@pytest.mark.parametrize("path", ["/" + "a" * 300 + ".js", "/" + "assets/" * 700 + "a.js"])
async def test_a_name_that_no_file_can_have_is_no_fault_of_ours(path: str, app: FastAPI, built: Path) -> None:
    async with browser(app, built) as client:
        assert (await client.get(path)).status_code == 404


async def test_the_browser_may_load_nothing_from_elsewhere_and_nobody_may_frame_us(app: FastAPI, built: Path) -> None:
    async with browser(app, built) as client:
        headers = (await client.get("/")).headers
    policy = dict(each.split(" ", 1) for each in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"  # the reader of tags; no script of anybody else's
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"


async def test_the_patrol_page_alone_is_told_where_the_phone_is(app: FastAPI, built: Path) -> None:
    async with browser(app, built) as client:
        for path in ("/patrol", "/patrol/t/K7MF9QXD2C4H"):
            page = await client.get(path)
            assert (page.status_code, page.text) == (200, "<p>patrol</p>")
            assert page.headers["permissions-policy"] == "camera=(self), microphone=(), geolocation=(self)"
        for path in ("/", "/patrols"):
            page = await client.get(path)
            assert page.text == "<p>page</p>"
            assert page.headers["permissions-policy"] == "camera=(self), microphone=(), geolocation=()"
        worker = await client.get("/patrol-worker.js")
        assert (worker.text, worker.headers["cache-control"]) == ("keeps", "no-cache")


async def test_the_interface_stays_the_interface(app: FastAPI, built: Path) -> None:
    async with browser(app, built) as client:
        health = await client.get("/api/v1/health")
        unknown = await client.get("/api/v1/nothing", headers={"Authorization": f"Bearer {TOKEN}"})
        changed = await client.post("/alarms")
    assert health.status_code == 200
    assert unknown.status_code == changed.status_code == 404
    assert unknown.headers["content-type"] == changed.headers["content-type"] == "application/problem+json"


async def test_where_nothing_was_built_it_says_what_to_do(app: FastAPI, tmp_path: Path) -> None:
    async with browser(app, tmp_path / "nothing") as client:
        page = await client.get("/")
    assert page.status_code == 503
    assert "make console" in page.text
    assert "尚未构建" in page.text
